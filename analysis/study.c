/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the runs of a study. One trace is in memory at a time.
 */
#include "analysis/study.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/alloc.h"

#define MASK(table) (UINT32_C(1) << SCHEMA_##table)

static char *new_text(const char *text) {
  size_t len = strlen(text) + 1;

  return memcpy(alloc_array(len, 1), text, len);
}

static char *format_text(const char *format, va_list ap) {
  char buf[1024];

  vsnprintf(buf, sizeof buf, format, ap);
  return new_text(buf);
}

void study_warn(study *st, const char *format, ...) {
  char **more = alloc_array(st->nwarnings + 1, sizeof *more);
  va_list ap;

  if (st->nwarnings > 0) {
    memcpy(more, st->warnings, st->nwarnings * sizeof *more);
  }
  free(st->warnings);
  st->warnings = more;
  va_start(ap, format);
  st->warnings[st->nwarnings++] = format_text(format, ap);
  va_end(ap);
}

const study_run *study_run_at(const study *st, size_t policy, size_t seed_i) {
  return &st->runs[policy * st->nseeds + seed_i];
}

size_t study_used(const study *st, size_t policy) {
  size_t n = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    n += study_run_at(st, policy, i)->used;
  }
  return n;
}

double study_completed(const study *st, size_t policy) {
  double jobs = 0, completed = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    if (r->used) {
      jobs += r->s.jobs;
      completed += r->s.completed;
    }
  }
  return jobs > 0 ? completed / jobs : NAN;
}

double study_duration_s(const study *st) {
  double longest = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    longest = fmax(longest, st->runs[i].used ? st->runs[i].duration_s : 0);
  }
  return longest;
}

/* ---- which runs there are ------------------------------------------------ */

static int by_seed(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

  return x < y ? -1 : x > y;
}

static void find_seeds(study *st, const compare_input *in) {
  size_t n = 0;

  st->seeds = alloc_array(in->nruns, sizeof *st->seeds);
  for (size_t i = 0; i < in->nruns; i++) {
    st->seeds[i] = in->runs[i].seed;
  }
  qsort(st->seeds, in->nruns, sizeof *st->seeds, by_seed);
  for (size_t i = 0; i < in->nruns; i++) {
    if (n == 0 || st->seeds[n - 1] != st->seeds[i]) {
      st->seeds[n++] = st->seeds[i];
    }
  }
  st->nseeds = n;
}

static size_t policy_index(const study *st, const char *label) {
  size_t p = 0;

  while (p < st->npolicies && strcmp(st->in->policies[p], label) != 0) {
    p++;
  }
  return p;
}

/* Puts each run into its place; every place must be filled once. */
static bool place_runs(study *st, fail *why) {
  const compare_input *in = st->in;

  for (size_t i = 0; i < in->nruns; i++) {
    const compare_run *r = &in->runs[i];
    size_t p = policy_index(st, r->policy);
    if (p == st->npolicies) {
      return fail_set(why, EXIT_USAGE,
                      "run of policy %s, which is not among those compared",
                      r->policy);
    }
    const uint64_t *seed =
        bsearch(&r->seed, st->seeds, st->nseeds, sizeof r->seed, by_seed);
    size_t at = (size_t)(seed - st->seeds);
    study_run *run = &st->runs[p * st->nseeds + at];
    if (run->path != NULL) {
      return fail_set(why, EXIT_USAGE, "policy %s, seed %llu is given twice",
                      r->policy, (unsigned long long)r->seed);
    }
    *run = (study_run){
        .policy = (uint32_t)p, .seed_i = (uint32_t)at, .path = r->path};
  }
  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    if (st->runs[i].path == NULL) {
      return fail_set(why, EXIT_USAGE,
                      "policies must have the same seeds: %s has no run with "
                      "seed %llu",
                      in->policies[i / st->nseeds],
                      (unsigned long long)st->seeds[i % st->nseeds]);
    }
  }
  return true;
}

/* ---- one trace ------------------------------------------------------------
 */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static void take_jobs(study_run *r, const trace *t) {
  const row_jobs *job = TRACE_ROWS(t, JOBS, jobs);
  size_t n = t->table[SCHEMA_JOBS].n;

  r->completion_s = alloc_array(n, sizeof *r->completion_s);
  r->arrived_s = alloc_array(n, sizeof *r->arrived_s);
  r->done_s = alloc_array(n, sizeof *r->done_s);
  for (size_t i = 0; i < n; i++) {
    if (job[i].arrival_ns < 0) {
      continue;
    }
    bool done = job[i].end_ns >= 0;
    size_t k = r->njobs++;
    r->arrived_s[k] = (double)job[i].arrival_ns / 1e9;
    r->done_s[k] = done ? (double)job[i].end_ns / 1e9 : INFINITY;
    r->completion_s[k] =
        done ? (double)(job[i].end_ns - job[i].arrival_ns) / 1e9 : INFINITY;
  }
  qsort(r->arrived_s, r->njobs, sizeof(double), by_value);
  qsort(r->done_s, r->njobs, sizeof(double), by_value);
  qsort(r->completion_s, r->njobs, sizeof(double), by_value);
}

static void take_files(study_run *r, const trace *t) {
  const row_files *f = TRACE_ROWS(t, FILES, files);

  for (size_t i = 0; i < t->table[SCHEMA_FILES].n; i++) {
    const uint64_t classes[XL_NCLASSES] = {
        [XL_CLASS_ORIGIN] = f[i].origin,
        [XL_CLASS_PEER_SUBNET] = f[i].peer_subnet,
        [XL_CLASS_PEER_SITE] = f[i].peer_site,
        [XL_CLASS_PEER_GROUP] = f[i].peer_group,
        [XL_CLASS_PEER_INTERNET] = f[i].peer_internet,
        [XL_CLASS_CACHE] = f[i].cache,
        [XL_CLASS_DUPLICATE] = f[i].duplicate,
        [XL_CLASS_LATE] = f[i].late,
        [XL_CLASS_CANCELLED] = f[i].cancelled,
        [XL_CLASS_FAILED_CHECK] = f[i].failed_check,
        [XL_CLASS_RESTARTED] = f[i].restarted,
        [XL_CLASS_OVERHEAD] = f[i].overhead,
    };
    for (size_t c = 0; c < XL_NCLASSES; c++) {
      r->bytes[c] += classes[c];
    }
  }
}

static void take_series(study_run *r, const trace *t) {
  size_t n = t->table[SCHEMA_SERIES].n;

  if (n > 0) {
    r->series = alloc_array(n, sizeof *r->series);
    memcpy(r->series, t->table[SCHEMA_SERIES].rows, n * sizeof *r->series);
    r->nseries = n;
  }
}

static void take_summary(study_run *r, const trace *t) {
  if (t->table[SCHEMA_SUMMARY].n > 0) {
    r->s = TRACE_ROWS(t, SUMMARY, summary)[0];
    return;
  }
  tables tb;
  for (size_t i = 0; i < SCHEMA_NTABLES; i++) {
    tb.t[i].rows = t->table[i].rows;
    tb.t[i].n = t->table[i].n;
  }
  summary_compute(&tb, &r->s);
}

static void take_trace(study *st, study_run *r, const trace *t) {
  const row_world *w = TRACE_ROWS(t, WORLD, world);

  take_jobs(r, t);
  take_files(r, t);
  take_series(r, t);
  take_summary(r, t);
  r->duration_s =
      t->table[SCHEMA_WORLD].n > 0 ? (double)w->duration_ns / 1e9 : 0;
  r->has_reasons = reasons_present(t);
  if (r->has_reasons) {
    reasons_count(t, &r->why);
  }
  if (st->scenario_text[0] == '\0' && t->scenario_text != NULL) {
    free(st->scenario_text);
    st->scenario_text = new_text(t->scenario_text);
  }
  if (st->version[0] == '\0' && t->version != NULL) {
    free(st->version);
    st->version = new_text(t->version);
  }
  if (st->params[r->policy] == NULL && t->params != NULL) {
    st->params[r->policy] = new_text(t->params);
  }
}

/* What keeps a trace out of the means; NULL: nothing. */
static const char *trouble_of(const trace *t, bool lenient) {
  if (!t->table[SCHEMA_JOBS].present) {
    return "was recorded below level files";
  }
  if (lenient) {
    return NULL;
  }
  return t->complete && t->table[SCHEMA_SUMMARY].n > 0 ? NULL
                                                       : "was interrupted";
}

static void read_run(study *st, study_run *r, bool lenient) {
  uint32_t mask = MASK(SUMMARY) | MASK(WORLD) | MASK(JOBS) | MASK(FILES) |
                  MASK(SERIES) | MASK(TRANSFERS) | MASK(ORIGINS);
  trace t = {0};
  fail why = {0};

  if (!trace_read(&t, r->path, lenient ? TRACE_ALL : mask, &why)) {
    r->trouble = new_text(why.text);
  } else {
    const char *trouble = trouble_of(&t, lenient);
    r->used = trouble == NULL;
    if (r->used) {
      take_trace(st, r, &t);
      if (!t.complete) {
        study_warn(st, "the run was interrupted: the numbers end where it did");
      }
    } else {
      r->trouble = new_text(trouble);
    }
  }
  trace_free(&t);
}

static void warn_troubles(study *st) {
  st->has_series = st->has_reasons = true;
  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    if (!r->used) {
      study_warn(st, "%s, seed %llu is left out of the means: %s %s",
                 st->in->policies[r->policy],
                 (unsigned long long)st->seeds[r->seed_i], r->path, r->trouble);
      continue;
    }
    st->nused++;
    st->has_reasons = st->has_reasons && r->has_reasons;
    if (r->nseries == 0) {
      st->has_series = false;
      study_warn(st, "%s has no /series: it is missing in the rates", r->path);
    }
  }
}

bool study_read(study *st, const compare_input *in, bool lenient, fail *why) {
  *st = (study){.in = in, .scenario = in->scenario, .network = in->network};
  st->scenario_text = new_text("");
  st->version = new_text("");
  st->npolicies = in->npolicies;
  if (in->npolicies == 0 || in->nruns == 0) {
    return fail_set(why, EXIT_USAGE, "there are no runs to compare");
  }
  find_seeds(st, in);
  st->params = alloc_array(st->npolicies, sizeof *st->params);
  st->runs = alloc_array(st->npolicies * st->nseeds, sizeof *st->runs);
  if (!place_runs(st, why)) {
    return false;
  }
  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    read_run(st, &st->runs[i], lenient);
  }
  warn_troubles(st);
  if (st->nused == 0) {
    return fail_set(why, EXIT_RUN_FAILED, "no run can be used: %s %s",
                    st->runs[0].path, st->runs[0].trouble);
  }
  return true;
}

void study_free(study *st) {
  for (size_t i = 0; st->runs != NULL && i < st->npolicies * st->nseeds; i++) {
    study_run *r = &st->runs[i];
    free(r->trouble);
    free(r->completion_s);
    free(r->arrived_s);
    free(r->done_s);
    free(r->series);
  }
  for (size_t i = 0; st->params != NULL && i < st->npolicies; i++) {
    free(st->params[i]);
  }
  for (size_t i = 0; i < st->nwarnings; i++) {
    free(st->warnings[i]);
  }
  free(st->warnings);
  free(st->params);
  free(st->runs);
  free(st->means);
  free(st->pairs);
  free(st->seeds);
  free(st->scenario_text);
  free(st->version);
  *st = (study){0};
}
