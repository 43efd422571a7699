/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario: the checked contents of a YAML file (docs/scenario.md).
 *
 * scenario_read parses and checks all of it against one table of keys
 * (scenario/keys.c): types, units, ranges, defaults and help. Errors are
 * "file:line:col: what is wrong; what was expected; did you mean". A scenario
 * is plain data; nothing is drawn here (sim/fleet does).
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include <stddef.h>

#include <xl/types.h>

#include "util/fail.h"
#include "util/rng.h"

/* A number or a distribution, in base units (ns, bytes, bytes/s, 1). */
typedef enum dist_kind {
  DIST_CONSTANT,    /* a */
  DIST_UNIFORM,     /* a .. b */
  DIST_EXPONENTIAL, /* mean a */
  DIST_LOGNORMAL,   /* median a, sigma b (of the log) */
  DIST_WEIBULL,     /* shape a, scale b */
  DIST_PARETO,      /* minimum a, shape b */
  DIST_NORMAL,      /* mean a, s.d. b; truncated at 0 */
  DIST_POISSON,     /* arrivals: rate a per second */
  DIST_TABLE        /* quantiles of a CSV column, equally likely rows */
} dist_kind;

typedef struct dist {
  dist_kind kind;
  double a, b;
  double min, max;     /* clamp; -INFINITY, INFINITY: none */
  const double *table; /* TABLE: sorted */
  size_t ntable;
} dist;

/* By inverse transform from one uniform number, so that equal uniforms stay
   coupled across scenarios. */
double dist_quantile(const dist *d, double u);
double dist_draw(const dist *d, rng *r);
/* The mean, to about six digits (what lies beyond the 1 - 2^-50 quantile is
   left out); POISSON: of the gap between two arrivals, ns. */
double dist_mean(const dist *d);

typedef enum scn_power { SCN_MAINS, SCN_BATTERY } scn_power;

/* What background jobs may take from origins in some hours (R457). */
#define SCN_THROTTLES_MAX 16
typedef struct scn_throttle {
  uint32_t days;    /* on which it begins: bit 0 Sunday .. 6 Saturday */
  xl_span from, to; /* of the day; to <= from: the next day's */
  xl_rate rate, high, normal, low;
} scn_throttle;

typedef struct scn_class {
  const char *name;
  dist down, up;       /* bytes/s */
  bool up_is_ratio;    /* up is a factor of down */
  dist cap;            /* rate of one transfer; XL_RATE_UNLIMITED constant */
  xl_bytes cache_bytes; /* peer cache limit; UINT64_MAX: the policy's */
  xl_bytes ram_bytes, disk_bytes;
  scn_power power;
  double metered, vpn; /* share of devices */
  bool always_online;  /* false: the scenario's churn applies */
  scn_throttle *throttles; /* the first in force counts */
  size_t nthrottles;
} scn_class;

typedef struct scn_node {
  const char *name;
  const char *parent; /* node name or "core" */
  xl_rate up_Bps, down_Bps;
  xl_span latency;
} scn_node;

typedef struct scn_origin {
  const char *name;
  const char *at; /* node */
  xl_rate rate_Bps;
  xl_span latency;
  uint32_t connections;   /* XL_NONE: no limit */
  xl_rate per_connection; /* XL_RATE_UNLIMITED */
  bool ranges;            /* honours Range; default true */
  int64_t mtime_offset_s; /* added to the contents' time stamp: a mirror whose
                             validators differ; default 0 */
} scn_origin;

typedef struct scn_service {
  const char *name; /* "tracker" */
  const char *at;
  double queries_per_s;
  xl_span latency;
} scn_service;

typedef struct scn_group_of_devices {
  const char *cls;
  uint32_t count;
} scn_group_of_devices;

typedef struct scn_site {
  const char *name;
  const char *at; /* node */
  uint32_t count; /* sites of this kind */
  dist wan_down, wan_up, wan_latency;
  dist lan_latency;
  xl_rate lan_rate;   /* backbone of the site; XL_RATE_UNLIMITED */
  scn_group_of_devices *devices;
  size_t ndevices;
  uint32_t subnet;    /* devices per subnet; 0: the whole site is one */
  const char *domain; /* NULL: not joined */
  const char *group;  /* NULL: none */
} scn_site;

typedef struct scn_content {
  const char *name;
  xl_bytes size;
  uint32_t piece_bytes;
  const char **origins; /* names, in order of preference; the first is used
                           first, the others are its mirrors */
  size_t norigins;
  double held_by;    /* share of devices that hold it at the start */
  xl_span released;  /* offset from the start */
  double popularity; /* weight within its catalogue; 1 otherwise */
  int32_t catalogue; /* index; -1: not of a catalogue */
} scn_content;

typedef struct scn_catalogue { /* {zipf: 0.8, files: 200, size: .., ...} */
  const char *name;
  double zipf;
  uint32_t first, files; /* its contents are first .. first+files-1 */
} scn_catalogue;

typedef enum scn_select { SCN_ALL, SCN_SHARE, SCN_REST, SCN_CLASS, SCN_SITE } scn_select;

typedef enum scn_redirects { SCN_SILENT, SCN_REPORT, SCN_DISALLOW } scn_redirects;

typedef struct scn_job {
  const char *name;
  uint32_t *contents; /* indices */
  size_t ncontents;
  int32_t catalogue; /* >= 0: each device asks for draws of this catalogue */
  dist requests;     /* catalogue: how many files a device asks for */
  scn_select select;
  double share;          /* SHARE */
  const char *select_name; /* CLASS, SITE */
  xl_time start;         /* release */
  dist arrival;          /* added to the release, per device (per request) */
  uint32_t priority;     /* xl_priority */
  uint32_t peercaching;  /* job flags */
  uint32_t redirects;    /* how redirections are taken: scn_redirects (R812) */
  uint32_t min_retry_s, no_progress_s, max_download_s; /* engine defaults */
} scn_job;

typedef enum scn_fault_what {
  SCN_FAULT_ORIGIN_DOWN,  /* host silent */
  SCN_FAULT_ORIGIN_ERROR, /* answers with |status| */
  SCN_FAULT_LINK,         /* capacities become |down|, |up| */
  SCN_FAULT_WAN_DOWN,     /* a site's uplink is dead */
  SCN_FAULT_CRASH,        /* device: power off, back after |duration| */
  SCN_FAULT_CHANGE,       /* content is replaced: new time stamp at |origin| */
  SCN_FAULT_CONDUCT       /* the origin behaves as |conduct| says */
} scn_fault_what;

/* How an origin breaks the rules of HTTP (bits-semantics 8). */
typedef enum scn_conduct {
  SCN_NO_RANGES,        /* answers 200 with everything */
  SCN_NO_SIZE,          /* no Content-Length */
  SCN_NO_LAST_MODIFIED,
  SCN_REJECT_RANGES,    /* 416 to every Range header */
  SCN_TRUNCATE,         /* closes after |share| of each body */
  SCN_OVERLONG,         /* each body is longer by |share| */
  SCN_STALL,            /* the header, then nothing */
  SCN_REDIRECT,         /* 302 to the origin |to| */
  SCN_NCONDUCTS
} scn_conduct;

typedef struct scn_fault {
  xl_time at;
  xl_span duration; /* XL_NEVER: for good */
  scn_fault_what what;
  const char *target; /* "cdn-a", "branch[3]", "branch[3].pc[0]", node name:
                         it exists, sites and devices with all numbers */
  const char *content; /* CHANGE */
  uint32_t status;     /* ORIGIN_ERROR */
  xl_rate down_Bps, up_Bps; /* LINK */
  scn_conduct conduct; /* CONDUCT */
  double share;        /* TRUNCATE, OVERLONG: > 0 */
  const char *to;      /* REDIRECT: an origin */
} scn_fault;

typedef struct scn_policy {
  const char *name;
  struct scn_setting {
    const char *key, *value; /* as written */
  } *settings;
  size_t nsettings;
} scn_policy;

typedef struct scenario {
  const char *name, *description, *source;
  const char *file;      /* as given */
  const char *text;      /* canonical text, --set applied; what the trace keeps */
  int64_t start_unix_s;  /* start: as seconds since 1970, UTC */
  int32_t utc_offset_s;
  xl_span duration;
  scn_class *classes;    size_t nclasses;
  scn_node *nodes;       size_t nnodes; /* parents before children */
  scn_origin *origins;   size_t norigins;
  scn_service *services; size_t nservices;
  scn_site *sites;       size_t nsites;
  scn_content *contents; size_t ncontents;
  scn_catalogue *catalogues; size_t ncatalogues;
  scn_job *jobs;         size_t njobs;
  bool churn;            /* devices that are not always online come and go */
  dist churn_online, churn_offline; /* spans, ns */
  scn_fault *faults;     size_t nfaults;
  scn_policy *policies;  size_t npolicies; /* to compare by default */
  void *arena;           /* owns everything above */
} scenario;

/* Reads |path|; |variant| "small" (or NULL) applies the overrides under the
   scenario's key `small:`. |sets|: "path=value" strings applied in order.
   NULL on failure with |why| located; nothing is half-read. */
scenario *scenario_read(const char *path, const char *variant,
                        const char *const *sets, size_t nsets, fail *why);
/* The same from text in memory; |name| stands for the file in errors. */
scenario *scenario_parse(const char *name, const char *text,
                         const char *variant, const char *const *sets,
                         size_t nsets, fail *why);
void scenario_free(scenario *s); /* NULL is fine */

/* Quantities as users write them. |what| names the value in errors. */
bool unit_time(const char *text, xl_span *out, const char **expected);
bool unit_bytes(const char *text, xl_bytes *out, const char **expected);
bool unit_rate(const char *text, xl_rate *out, const char **expected);
bool unit_fraction(const char *text, double *out, const char **expected);
bool unit_count(const char *text, uint64_t *out, const char **expected);

/* Parses "k=v" settings against a parameter table: fills |nparams| values with
   the defaults and then the settings. Text values are copied into |arena| of
   the caller's scenario or leaked to the process end when NULL. */
struct xl_param;
struct xl_value;
bool params_parse(const struct xl_param *params, uint32_t nparams,
                  const char *owner, const struct scn_setting *settings,
                  size_t nsettings, struct xl_value *out, fail *why);
/* Writes a value as a user would write it ("60s", "1MiB"). */
void param_print(const struct xl_param *p, const struct xl_value *v, char *buf,
                 size_t len);

/* The words of |table| nearest to |word| by edit distance, or NULL. */
const char *nearest_word(const char *word, const char *const *words, size_t n);

#endif
