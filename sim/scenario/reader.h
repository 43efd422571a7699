/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a tree into a scenario, in four steps:
 *   expand   lists written as one item, sites from CSV files    (expand.c)
 *   read     each key by its row: shape, unit, range, default   (read.c)
 *   resolve  names, references, catalogues, faults              (resolve.c)
 *   print    the canonical text                                 (tree.c)
 * Each step stops at the first error.
 */
#ifndef SCENARIO_READER_H
#define SCENARIO_READER_H

#include "scenario/arena.h"
#include "scenario/csv.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"

#define SCENARIO_BYTES_MAX ((size_t)16 << 20)
#define DEVICES_MAX 10000000u

/* Rows as written, before references are resolved. */
typedef struct raw_content {
  scn_content c;
  dist size, released;
  double zipf;
  uint32_t files; /* > 0: a catalogue */
} raw_content;

typedef struct raw_job {
  scn_job j;
  const char **contents; /* names */
  size_t ncontents;
  double share; /* < 0: not given */
  bool rest;
  const char *cls, *site;
} raw_job;

typedef struct raw_fault {
  scn_fault f;
  uint32_t what;
  const char *origin, *site, *device, *node;
  xl_rate down, up;
} raw_fault;

typedef struct draft {
  scenario s;
  raw_content *contents;
  size_t ncontents;
  raw_job *jobs;
  size_t njobs;
  raw_fault *faults;
  size_t nfaults;
} draft;

typedef struct reader {
  const char *file;
  arena *keep; /* what the scenario owns */
  arena *tmp;  /* the tree */
  node *root;
  fail *why;
} reader;

/* Reads the mapping |at| by the rows of |section| into |base|. |label| is its
   path in errors, "" at the top. */
bool read_map(reader *rd, node *at, const char *section, void *base,
              const char *label);
/* A number or a distribution; |k| gives its unit, range and flags. */
bool read_dist(reader *rd, node *at, const scn_key *k, dist *out,
               const char *label);
bool read_quantity(reader *rd, const node *at, unit_kind kind, const char *min,
                   const char *max, quantity *out, const char *label);
/* |text| as a bound of the key table in base units. */
double unit_bound(unit_kind kind, const char *text);
bool read_name(reader *rd, const node *at, const char **out, const char *label);
char *join_label(reader *rd, const char *label, const char *name);

/* "2026-11-10T08:00+01:00": seconds since 1970 in UTC, and the zone's. */
bool date_parse(const char *text, int64_t *unix_s, int32_t *offset_s);

/* The rows with a function of their own. */
bool read_up(struct reader *rd, struct node *v, const struct scn_key *k,
             void *base, const char *label);
bool read_selection(struct reader *rd, struct node *v, const struct scn_key *k,
                    void *base, const char *label);
bool read_policies(struct reader *rd, struct node *v, const struct scn_key *k,
                   void *base, const char *label);
bool read_small(struct reader *rd, struct node *v, const struct scn_key *k,
                void *base, const char *label);
bool read_subnet(struct reader *rd, struct node *v, const struct scn_key *k,
                 void *base, const char *label);

bool read_hours(struct reader *rd, struct node *v, const struct scn_key *k,
                void *base, const char *label);
bool read_throttle(struct reader *rd, struct node *v, const struct scn_key *k,
                   void *base, const char *label);

void expand_lists(reader *rd); /* before paths are looked up */
bool expand_files(reader *rd);
/* The |i|-th item of the list "jobs" or "network.sites". */
const node *item_of(reader *rd, const char *list, size_t i);
/* Where |name| of an item was written, or the item itself. */
place place_in(const node *item, const char *name);
/* The error of a reference to nothing, with the nearest of |names|. */
bool no_such(reader *rd, place at, const char *what, const char *name,
             const char *expected, const char *const *names, size_t n);
/* The number of |name| among |n| names, or -1. */
int64_t name_index(const char *const *names, size_t n, const char *name);

/* All names of a kind, by index. */
typedef struct scn_names {
  const char **node, **origin, **site, **cls, **content, **job;
} scn_names;

bool resolve(reader *rd, draft *d);
bool resolve_faults(reader *rd, draft *d, const scn_names *t); /* faults.c */

/* The forms of a distribution, for the docs. */
void dist_forms_print(FILE *to, bool markdown);
/* The kinds of faults, for the docs. */
void fault_forms_print(FILE *to, bool markdown);
/* The columns of a CSV file of sites, for the docs. */
void site_columns_print(FILE *to, bool markdown);
/* The CSV file |name| of the scenario, located at |at| when it cannot be
   read. */
bool read_csv(reader *rd, const node *at, const char *name, csv *out);

#endif
