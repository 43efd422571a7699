/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The statistics of a study. The sampling unit is the run. A verdict needs
 * both: the interval of the mean paired difference leaves out 0, and the
 * sign-flip p-value, adjusted by Holm over the policies that are compared in
 * the same metric, is below 0.05.
 */
#include "analysis/study.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/alloc.h"

#define LEVEL 0.95
#define ALPHA 0.05
/* Of the resampling; any number, always the same. */
#define RESAMPLING_SEED 20260101u

const measure measures[NMEASURES] = {
    {"makespan_s", "makespan", "s", "s", true, true},
    {"completion_p50_s", "completion p50", "s", "s", true, true},
    {"completion_p95_s", "completion p95", "s", "s", true, true},
    {"done_at_p95_s", "done-at p95", "s", "s", true, true},
    {"offload", "offload", "%", "pp", true, true},
    {"origin_egress", "origin bytes", "B", "B", true, true},
    {"bytes_peer", "peer bytes", "B", "B", true, false},
    {"bytes_wasted", "wasted bytes", "B", "B", true, true},
    {"origin_rate_p95_Bps", "origin rate p95", "B/s", "B/s", true, true},
    {"bytes_cross_site", "cross-site bytes", "B", "B", false, true},
    {"efficiency", "efficiency", "%", "pp", true, false},
    {"bytes_control", "control bytes", "B", "B", false, false},
};

const char *verdict_text(verdict v) {
  static const char *const texts[] = {
      [VERDICT_BETTER] = "better",
      [VERDICT_WORSE] = "worse",
      [VERDICT_HIGHER] = "higher",
      [VERDICT_LOWER] = "lower",
      [VERDICT_NOT_SHOWN] = "no difference shown",
      [VERDICT_EQUAL] = "equal",
      [VERDICT_REFUSED] = "refused",
  };
  return texts[v];
}

size_t metric_index(const char *name) {
  for (size_t i = 0; i < nmetrics; i++) {
    if (strcmp(metrics[i].name, name) == 0) {
      return i;
    }
  }
  assert(false && "a metric of that name");
  return 0;
}

size_t measure_index(const char *name) {
  for (size_t i = 0; i < NMEASURES; i++) {
    if (strcmp(measures[i].metric, name) == 0) {
      return i;
    }
  }
  assert(false && "a measure of that name");
  return 0;
}

const study_mean *study_mean_of(const study *st, size_t policy,
                                const char *name) {
  return &st->means[policy * nmetrics + metric_index(name)];
}

const study_pair *study_pair_of(const study *st, size_t policy, size_t m) {
  return &st->pairs[policy * NMEASURES + m];
}

/* The values of |policy|'s used runs. Returns how many. */
static size_t values(const study *st, size_t policy, const char *name,
                     double *out) {
  size_t n = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    if (r->used) {
      out[n++] = metric_value(&r->s, name);
    }
  }
  return n;
}

/* The values of both policies for the seeds that both have. */
static size_t paired_values(const study *st, size_t pa, size_t pb,
                            const char *name, double *a, double *b) {
  size_t n = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *x = study_run_at(st, pa, i);
    const study_run *y = study_run_at(st, pb, i);
    if (x->used && y->used) {
      a[n] = metric_value(&x->s, name);
      b[n++] = metric_value(&y->s, name);
    }
  }
  return n;
}

static size_t count_odd(const double *x, size_t n) {
  size_t odd = 0;

  for (size_t i = 0; i < n; i++) {
    odd += isfinite(x[i]) ? 0 : 1;
  }
  return odd;
}

static study_mean mean_of(const double *x, size_t n) {
  study_mean m = {.unfinished = (uint32_t)count_odd(x, n)};

  if (n > 0 && m.unfinished == 0) {
    m.in = stats_mean(x, n, LEVEL, RESAMPLING_SEED);
    return m;
  }
  double sum = n > 0 ? 0 : NAN;
  for (size_t i = 0; i < n; i++) {
    sum += x[i];
  }
  m.in = (interval){.mean = sum / (double)(n > 0 ? n : 1),
                    .lo = NAN,
                    .hi = NAN,
                    .level = LEVEL,
                    .n = n,
                    .refused = true,
                    .effect = NAN,
                    .p = NAN};
  return m;
}

static interval relative(const double *a, double *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    b[i] = a[i] != 0 ? b[i] / a[i] - 1 : b[i] == 0 ? 0 : NAN;
  }
  return mean_of(b, n).in;
}

/* Why an interval of |n| pairs is refused. */
static const char *refusal(const double *a, const double *b, size_t n) {
  if (n < 3) {
    return "fewer than 3 seeds";
  }
  if (count_odd(a, n) + count_odd(b, n) > 0) {
    return "unfinished jobs";
  }
  return "undefined";
}

/* No pair differs by more than the rounding of sums. */
static bool all_equal(const double *a, const double *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (fabs(a[i] - b[i]) > 1e-9 * fmax(fabs(a[i]), fabs(b[i]))) {
      return false;
    }
  }
  return n > 0;
}

static study_pair pair_of(const study *st, size_t pa, size_t pb, size_t m,
                          double *a, double *b) {
  size_t n = paired_values(st, pa, pb, measures[m].metric, a, b);
  study_pair out = {.verdict = VERDICT_NOT_SHOWN, .p_holm = NAN};

  out.diff = stats_paired(a, b, n, LEVEL, RESAMPLING_SEED);
  if (out.diff.refused) {
    out.verdict = VERDICT_REFUSED;
    out.refusal = refusal(a, b, n);
  } else if (all_equal(a, b, n)) {
    out.verdict = VERDICT_EQUAL;
  } else {
    out.p_holm = out.diff.p;
  }
  out.rel = relative(a, b, n);
  return out;
}

/* Adjusts the p-values of |pair|, those of |n| policies in one metric. */
static void holm(study_pair *const *pair, size_t n) {
  double *p = alloc_array(n, sizeof *p);
  size_t k = 0;

  for (size_t i = 0; i < n; i++) {
    if (!isnan(pair[i]->p_holm)) {
      p[k++] = pair[i]->p_holm;
    }
  }
  stats_holm(p, k);
  k = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isnan(pair[i]->p_holm)) {
      pair[i]->p_holm = p[k++];
    }
  }
  free(p);
}

static bool shown(const study_pair *p) {
  return p->verdict == VERDICT_NOT_SHOWN && p->p_holm < ALPHA &&
         (p->diff.lo > 0 || p->diff.hi < 0);
}

static void judge(study_pair *p, int better) {
  if (!shown(p)) {
    return;
  }
  bool up = p->diff.mean > 0;
  if (better == 0) {
    p->verdict = up ? VERDICT_HIGHER : VERDICT_LOWER;
  } else {
    p->verdict = up == (better > 0) ? VERDICT_BETTER : VERDICT_WORSE;
  }
}

int measure_better(size_t m) {
  return metrics[metric_index(measures[m].metric)].better;
}

static void compute_pairs(study *st, double *a, double *b) {
  study_pair **of = alloc_array(st->npolicies, sizeof(study_pair *));

  for (size_t m = 0; m < NMEASURES; m++) {
    for (size_t p = 1; p < st->npolicies; p++) {
      of[p] = &st->pairs[p * NMEASURES + m];
      *of[p] = pair_of(st, 0, p, m, a, b);
    }
    if (st->npolicies > 1) {
      holm(of + 1, st->npolicies - 1);
    }
    for (size_t p = 1; p < st->npolicies; p++) {
      judge(of[p], measure_better(m));
    }
  }
  free(of);
}

/* ---- as shown -------------------------------------------------------------
 */

scale study_scale(const study *st, size_t m) {
  double small = 0, large = 0;

  for (size_t p = 0; p < st->npolicies; p++) {
    double v = fabs(study_mean_of(st, p, measures[m].metric)->in.mean);
    if (isfinite(v)) {
      large = fmax(large, v);
      small = v > 0 && (small == 0 || v < small) ? v : small;
    }
  }
  return scale_for(measures[m].unit, small, large);
}

/* "±1.5", or "[1, 9]" when the mean is far from the middle. */
static void interval_text(char *buf, scale s, const interval *in) {
  char lo[HUMAN_LEN], hi[HUMAN_LEN];
  double below = in->mean - in->lo, above = in->hi - in->mean;

  bool narrow = in->hi - in->lo < 0.05 * fabs(in->mean);

  if (narrow || (below <= 3 * above && above <= 3 * below)) {
    scale_text(lo, s, (in->hi - in->lo) / 2, 0);
    snprintf(buf, HUMAN_LEN, "±%.30s", lo);
    return;
  }
  s.decimals = s.decimals > 1 ? 1 : s.decimals;
  scale_text(lo, s, in->lo, 0);
  scale_text(hi, s, in->hi, 0);
  snprintf(buf, HUMAN_LEN, "[%.14s, %.14s]", lo, hi);
}

void study_cell(const study *st, size_t policy, size_t m, scale s, char *mean,
                char *half) {
  const study_mean *v = study_mean_of(st, policy, measures[m].metric);
  char span[HUMAN_LEN];

  half[0] = '\0';
  if (isfinite(v->in.mean)) {
    scale_text(mean, s, v->in.mean, 0);
    if (!v->in.refused) {
      interval_text(half, s, &v->in);
    }
  } else if (v->unfinished > 0 && strcmp(measures[m].unit, "s") == 0 &&
             study_completed(st, policy) < 1) {
    human_span(span, study_duration_s(st));
    snprintf(mean, HUMAN_LEN, "> %.30s", span);
  } else {
    scale_text(mean, s, NAN, 0);
  }
}

/* ---- the best in a measure ------------------------------------------------
 */

static size_t best_policy(const study *st, size_t m) {
  size_t best = st->npolicies;
  double most = -INFINITY;

  for (size_t p = 0; p < st->npolicies; p++) {
    double v = study_mean_of(st, p, measures[m].metric)->in.mean;
    v = isfinite(v) ? v * measure_better(m) : -INFINITY;
    if (v > most) {
      most = v;
      best = p;
    }
  }
  return best;
}

/* A pair without an interval because |b| never finished while |a| always did:
   every difference has the same sign, so the sign-flip test still has a
   p-value. */
static bool never_finished(const double *a, const double *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(a[i]) || isfinite(b[i])) {
      return false;
    }
  }
  return n >= 3;
}

/* Whether |best| is shown to be ahead in |p|. */
static bool ahead(const study_pair *p) {
  return p->verdict == VERDICT_REFUSED ? p->p_holm < ALPHA : shown(p);
}

static void compute_best(study *st, size_t m, double *a, double *b) {
  study_best *out = &st->best[m];
  size_t best = best_policy(st, m);
  if (best == st->npolicies || measure_better(m) == 0) {
    return;
  }
  study_pair *pair = alloc_array(st->npolicies, sizeof *pair);
  study_pair **of = alloc_array(st->npolicies, sizeof(study_pair *));
  size_t n = 0;
  double nearest = INFINITY;

  *out = (study_best){.any = true, .all_equal = true, .policy = (uint32_t)best};
  for (size_t p = 0; p < st->npolicies; p++) {
    if (p != best) {
      pair[p] = pair_of(st, best, p, m, a, b);
      size_t seeds = paired_values(st, best, p, measures[m].metric, a, b);
      if (never_finished(a, b, seeds)) {
        pair[p].p_holm = ldexp(1, 1 - (int)seeds);
      }
      of[n++] = &pair[p];
      out->all_equal = out->all_equal && pair[p].verdict == VERDICT_EQUAL;
    }
  }
  holm(of, n);
  for (size_t p = 0; p < st->npolicies; p++) {
    if (p == best) {
      continue;
    }
    if (ahead(&pair[p])) {
      out->p = fmax(out->p, pair[p].p_holm);
    } else {
      double gap = pair[p].diff.refused ? INFINITY : fabs(pair[p].diff.mean);
      if (out->rivals++ == 0 || gap < nearest) {
        nearest = gap;
        out->rival = (uint32_t)p;
      }
    }
  }
  free(of);
  free(pair);
}

/* ---- warnings about the numbers -------------------------------------------
 */

static void warn_unfinished(study *st, size_t policy) {
  size_t runs = 0, open = 0, jobs = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    if (r->used) {
      runs += r->s.completed < r->s.jobs;
      open += r->s.jobs - r->s.completed;
      jobs += r->s.jobs;
    }
  }
  if (open > 0) {
    study_warn(st,
               "%s: %zu of %zu device jobs did not finish, in %zu of %zu runs; "
               "they count as infinite",
               st->in->policies[policy], open, jobs, runs,
               study_used(st, policy));
  }
}

static void warn_pairs(study *st) {
  size_t n = 0, refused = 0, of = 0;

  for (size_t p = 1; p < st->npolicies; p++) {
    for (size_t m = 0; m < NMEASURES; m++) {
      const study_pair *pair = study_pair_of(st, p, m);
      if (measures[m].paired) {
        refused += pair->verdict == VERDICT_REFUSED;
        n = pair->diff.n > n ? pair->diff.n : n;
        of++;
      }
    }
  }
  if (refused > 0) {
    study_warn(st,
               "%zu of %zu paired intervals are refused; the table says why",
               refused, of);
  }
  if (of > 0 && n >= 1 && n < 60) {
    double least = ldexp(1, 1 - (int)n) * (double)(st->npolicies - 1);
    if (least >= ALPHA) {
      study_warn(st,
                 "with %zu seeds and %zu policies against the baseline no "
                 "adjusted p-value can be below %.3g: no difference can be "
                 "shown; use at least %d seeds",
                 n, st->npolicies - 1, fmin(least, 1),
                 (int)floor(log2((double)(st->npolicies - 1) / ALPHA)) + 2);
    }
  }
}

/* The same seed must give every policy the same world. */
static void warn_worlds(study *st) {
  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *a = study_run_at(st, 0, i);
    for (size_t p = 1; a->used && p < st->npolicies; p++) {
      const study_run *b = study_run_at(st, p, i);
      if (b->used && a->s.devices != b->s.devices) {
        study_warn(st,
                   "seed %llu: %s has %u devices and %s has %u: these are not "
                   "the same world, the pairing is void",
                   (unsigned long long)st->seeds[i], st->in->policies[0],
                   a->s.devices, st->in->policies[p], b->s.devices);
      }
    }
  }
}

static void warn_bounds(study *st) {
  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    if (r->used && r->s.efficiency > 1 + 1e-9) {
      study_warn(st,
                 "%s is faster than the lower bound (efficiency %.4f): "
                 "the bound or the run is wrong",
                 r->path, r->s.efficiency);
    }
  }
}

void study_compute(study *st) {
  double *a = alloc_array(st->nseeds, sizeof *a);
  double *b = alloc_array(st->nseeds, sizeof *b);

  st->means = alloc_array(st->npolicies * nmetrics, sizeof *st->means);
  st->pairs = alloc_array(st->npolicies * NMEASURES, sizeof *st->pairs);
  for (size_t p = 0; p < st->npolicies; p++) {
    for (size_t i = 0; i < nmetrics; i++) {
      size_t n = values(st, p, metrics[i].name, a);
      st->means[p * nmetrics + i] = mean_of(a, n);
    }
    warn_unfinished(st, p);
  }
  compute_pairs(st, a, b);
  for (size_t m = 0; m < NMEASURES; m++) {
    compute_best(st, m, a, b);
  }
  warn_pairs(st);
  warn_worlds(st);
  warn_bounds(st);
  free(a);
  free(b);
}
