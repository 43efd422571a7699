/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A study: the runs of a comparison (or one run alone), each trace read once
 * and reduced to what tables, figures and pages show, with the statistics over
 * seeds. Everything that is printed about a comparison comes from here.
 *
 * A run whose trace cannot be read or was interrupted is kept, named in the
 * warnings and left out of every mean; nothing is dropped silently.
 */
#ifndef ANALYSIS_STUDY_H
#define ANALYSIS_STUDY_H

#include <xl/ledger.h>

#include "analysis/compare.h"
#include "analysis/human.h"
#include "analysis/reasons.h"
#include "analysis/stats.h"

typedef struct study_run {
  uint32_t policy; /* index */
  uint32_t seed_i; /* index */
  const char *path;
  bool used;     /* whole: counted in means */
  char *trouble; /* why it is not, owned; NULL when used */
  row_summary s;
  double duration_s;           /* of the scenario */
  size_t njobs;                /* device jobs that arrived */
  double *completion_s;        /* sorted, Inf: not finished; owned */
  double *arrived_s;           /* since the start, sorted; owned */
  double *done_s;              /* since the start, sorted, Inf: not; owned */
  uint64_t bytes[XL_NCLASSES]; /* received by all devices */
  row_series *series;          /* owned */
  size_t nseries;
  bool has_reasons; /* level transfers */
  reasons why;
} study_run;

/* A metric as the table shows it. */
typedef struct measure {
  const char *metric; /* name in metrics[] */
  const char *label;
  const char *unit; /* for human.h; "%" where metrics[] says "1" */
  const char *diff_unit;
  bool column; /* of the table of means */
  bool paired; /* among the paired differences */
} measure;

enum { NMEASURES = 12 };
extern const measure measures[NMEASURES];

/* A mean over the used seeds of one policy. */
typedef struct study_mean {
  interval in;         /* of the mean; mean is NaN or Inf where a run's is */
  uint32_t unfinished; /* runs without a finite value */
} study_mean;

typedef enum verdict {
  VERDICT_BETTER,
  VERDICT_WORSE,
  VERDICT_HIGHER, /* of a metric that is neither good nor bad */
  VERDICT_LOWER,
  VERDICT_NOT_SHOWN,
  VERDICT_EQUAL,
  VERDICT_REFUSED
} verdict;
const char *verdict_text(verdict v);

/* One policy against the baseline, paired by seed. */
typedef struct study_pair {
  interval diff; /* policy - baseline */
  interval rel;  /* of (policy - baseline) / baseline; refused when one is 0 */
  double p_holm; /* over the policies compared in the same metric */
  verdict verdict;
  const char *refusal; /* why, static; NULL unless refused */
} study_pair;

/* The best policy in a measure. */
typedef struct study_best {
  bool any;       /* false: no policy has a finite mean */
  bool all_equal; /* every policy has the same values */
  uint32_t policy;
  uint32_t rivals; /* policies it is not shown to beat */
  uint32_t rival;  /* the nearest of them */
  double p;        /* the largest adjusted p against those it beats */
} study_best;

typedef struct study {
  const compare_input *in;
  const char *scenario, *network;
  char *scenario_text, *version; /* owned; "" when no trace could be read */
  uint64_t *seeds;               /* ascending; owned */
  size_t nseeds, npolicies, nused;
  char **params;     /* per policy, JSON; owned; NULL when unknown */
  study_run *runs;   /* policy major, seeds ascending; owned */
  study_mean *means; /* [policy * nmetrics + metric]; owned */
  study_pair *pairs; /* [policy * NMEASURES + measure]; baseline's unused */
  study_best best[NMEASURES];
  bool has_series, has_reasons; /* in every used run */
  char **warnings;              /* owned */
  size_t nwarnings;
} study;

/* Reads the traces of |in|, which must outlive the study. Fails when policies
   differ in their seeds, a run is given twice, or no trace can be used.
   |lenient|: an interrupted run is used too (a report of it alone). */
bool study_read(study *st, const compare_input *in, bool lenient, fail *why);
void study_free(study *st); /* a zeroed study is fine */

/* study_stats.c: fills means, pairs, best and the warnings about them. */
void study_compute(study *st);

const study_run *study_run_at(const study *st, size_t policy, size_t seed_i);
const study_mean *study_mean_of(const study *st, size_t policy,
                                const char *metric);
const study_pair *study_pair_of(const study *st, size_t policy, size_t m);
/* Runs of |policy| that are used, and the share of their jobs that finished
   (NaN: there were none). */
size_t study_used(const study *st, size_t policy);
double study_completed(const study *st, size_t policy);
/* The longest scenario duration among the used runs, s. */
double study_duration_s(const study *st);
/* Index in metrics[]; the name must exist. */
size_t metric_index(const char *name);
/* Likewise in measures[]. */
size_t measure_index(const char *name);
/* -1, 0, +1 as in metrics[]. */
int measure_better(size_t m);

/* The scale of one measure over all policies, for a column. */
scale study_scale(const study *st, size_t m);
/* The mean of a measure in |s|, HUMAN_LEN bytes: "> 12h" when jobs of some run
   did not finish, "-" when undefined. |half|: its 95 % interval, "±1.5" or,
   when the mean is far from its middle, "[1, 9]"; "" when refused. */
void study_cell(const study *st, size_t policy, size_t m, scale s, char *mean,
                char *half);

__attribute__((format(printf, 2, 3))) void study_warn(study *st,
                                                      const char *format, ...);

#endif
