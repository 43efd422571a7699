/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intervals, tests and adjustments for a handful of runs.
 *
 * The interval of a mean is the bootstrap-t (Efron & Tibshirani 1993, 12.5):
 * each resample gives t* = (mean* - mean) / se*, and the interval is
 * mean - t*_(hi) se .. mean - t*_(lo) se. A resample in which all values are
 * equal (but for rounding) has no t*; it is drawn again, so the distribution of
 * t* is conditional on a resample with some variance. Draws are a pure function
 * of (seed, resample, draw), with arithmetic that is exact or correctly
 * rounded: equal input, equal bits, on every machine. Three values have ten
 * resamples, six of them with some variance: too few to show a tail of 2.5 %
 * (such an interval covers 82 %), so their interval is Student's.
 */
#include "analysis/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MATHLIB_STANDALONE 1
#include <Rmath.h>

#include "analysis/alloc.h"

#define RESAMPLES 3999 /* (RESAMPLES + 1) x 0.025 is a whole number */
#define SIGNS_EXACT 16 /* up to here all 2^n sign flips are looked at */
#define SIGNS_DRAWN 19999
#define TIE 1e-12  /* of the sum of |x|: rounding of sums that are equal */
#define EQUAL 1e-6 /* of the s.d.: values that differ by rounding only */
#define N_MIN 3
#define N_RESAMPLED 4 /* fewer: Student's t */

/* ---- draws --------------------------------------------------------------- */

/* Steele, Lea & Flood 2014 (splitmix64), one stream a seed. */
typedef struct draws {
  uint64_t state;
} draws;

static uint64_t draw(draws *d) {
  uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Uniform in [0, n); the bias, n / 2^32, is far below what 3999 can show. */
static size_t draw_below(draws *d, size_t n) {
  assert(n <= UINT32_MAX);
  return (size_t)(((draw(d) >> 32) * (uint64_t)n) >> 32);
}

/* ---- the interval of a mean ---------------------------------------------- */

typedef struct moments {
  double mean, sd;
  bool equal; /* all values are the same */
} moments;

static moments moments_of(const double *x, size_t n) {
  moments m = {0, 0, true};
  double sum = 0, squares = 0;

  for (size_t i = 0; i < n; i++) {
    sum += x[i];
    m.equal = m.equal && x[i] == x[0];
  }
  m.mean = m.equal && n > 0 ? x[0] : sum / (double)n;
  for (size_t i = 0; i < n; i++) {
    squares += (x[i] - m.mean) * (x[i] - m.mean);
  }
  m.sd = m.equal ? 0 : sqrt(squares / (double)(n - 1));
  return m;
}

static int by_value(const void *a, const void *b) {
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* Added to each standard deviation, as a share of the sample's: a resample that
   happens to be nearly equal would have a t of thousands otherwise (the s0 of
   Tusher, Tibshirani & Chu 2001). */
#define STEADY 0.03

/* Fills t[RESAMPLES], sorted. The values are not all equal. */
static void resample(const double *x, size_t n, moments all, uint64_t seed,
                     double *t) {
  double *y = alloc_array(n, sizeof *y), root = sqrt((double)n);
  draws d = {seed};

  for (size_t r = 0; r < RESAMPLES; r++) {
    moments m;
    do {
      for (size_t i = 0; i < n; i++) {
        y[i] = x[draw_below(&d, n)];
      }
      m = moments_of(y, n);
    } while (m.equal || m.sd <= EQUAL * all.sd);
    t[r] = (m.mean - all.mean) / ((m.sd + STEADY * all.sd) / root);
  }
  qsort(t, RESAMPLES, sizeof *t, by_value);
  free(y);
}

static void bootstrap_t(const double *x, size_t n, moments m, uint64_t seed,
                        interval *out) {
  double t[RESAMPLES], se = (1 + STEADY) * m.sd / sqrt((double)n);
  size_t k = (size_t)floor((RESAMPLES + 1) * (1 - out->level) / 2 + 1e-9);

  k = k > 0 ? k : 1;
  resample(x, n, m, seed, t);
  out->lo = m.mean - t[RESAMPLES - k] * se;
  out->hi = m.mean - t[k - 1] * se;
}

static void student(size_t n, moments m, interval *out) {
  double t = qt(1 - (1 - out->level) / 2, (double)(n - 1), 1, 0);

  out->lo = m.mean - t * m.sd / sqrt((double)n);
  out->hi = m.mean + t * m.sd / sqrt((double)n);
}

/* ---- the test ------------------------------------------------------------ */

static double sum_flipped(const double *x, size_t n, uint64_t minus) {
  double sum = 0;

  for (size_t i = 0; i < n; i++) {
    sum += minus >> i & 1 ? -x[i] : x[i];
  }
  return sum;
}

static double signs_exact(const double *x, size_t n, double limit) {
  size_t extreme = 0,
         all = (size_t)1 << (n - 1); /* the last sign by symmetry */

  for (uint64_t minus = 0; minus < all; minus++) {
    extreme += fabs(sum_flipped(x, n, minus)) >= limit;
  }
  return (double)extreme / (double)all;
}

static double signs_drawn(const double *x, size_t n, double limit,
                          uint64_t seed) {
  size_t extreme = 1; /* the data are one of the draws */
  draws d = {~seed};

  for (size_t r = 0; r < SIGNS_DRAWN; r++) {
    double sum = 0;
    for (size_t i = 0; i < n; i += 64) {
      size_t len = n - i < 64 ? n - i : 64;
      sum += sum_flipped(x + i, len, draw(&d));
    }
    extreme += fabs(sum) >= limit;
  }
  return (double)extreme / (SIGNS_DRAWN + 1);
}

/* P(|sum of the values with random signs| >= |sum|). */
static double sign_flip(const double *x, size_t n, uint64_t seed) {
  double sum = 0, size = 0;

  for (size_t i = 0; i < n; i++) {
    sum += x[i];
    size += fabs(x[i]);
  }
  double limit = fabs(sum) - TIE * size;
  return n <= SIGNS_EXACT ? signs_exact(x, n, limit)
                          : signs_drawn(x, n, limit, seed);
}

/* ---- means --------------------------------------------------------------- */

static bool all_finite(const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) {
      return false;
    }
  }
  return true;
}

interval stats_mean(const double *x, size_t n, double level, uint64_t seed) {
  assert(level > 0 && level < 1);
  moments m = moments_of(x, n);
  interval out = {.mean = n > 0 ? m.mean : NAN,
                  .lo = NAN,
                  .hi = NAN,
                  .level = level,
                  .n = n,
                  .refused = n < N_MIN || !all_finite(x, n),
                  .effect = NAN,
                  .p = NAN};

  if (out.refused) {
    return out;
  }
  out.p = sign_flip(x, n, seed);
  if (m.equal || m.sd <= 0) {
    out.lo = out.hi = m.mean;
    return out;
  }
  out.effect = m.mean / m.sd;
  if (n < N_RESAMPLED) {
    student(n, m, &out);
  } else {
    bootstrap_t(x, n, m, seed, &out);
  }
  return out;
}

interval stats_paired(const double *a, const double *b, size_t n, double level,
                      uint64_t seed) {
  double *d = alloc_array(n, sizeof *d);

  for (size_t i = 0; i < n; i++) {
    d[i] = b[i] - a[i];
  }
  interval out = stats_mean(d, n, level, seed);
  free(d);
  return out;
}

/* ---- quantiles ----------------------------------------------------------- */

/* P(x_(l) <= quantile < x_(u)) for ranks l < u from 1: the number of values
   below the quantile is binomial. */
static double below(size_t rank, size_t n, double q) {
  return pbinom((double)rank, (double)n, q, 1, 0);
}

static double covers(size_t l, size_t u, size_t n, double q) {
  return below(u - 1, n, q) - below(l - 1, n, q);
}

/* Equal tails when the ranks exist; towards the ends of the range the tail
   that cannot be reached gives its share to the other. */
static bool ranks(size_t n, double q, double level, size_t *l, size_t *u) {
  double tail = (1 - level) / 2 + TIE;

  if (n < 2 || covers(1, n, n, q) < level - TIE) {
    return false;
  }
  for (*l = 1; *l < n && below(*l, n, q) <= tail; (*l)++) {
  }
  for (*u = n; *u > 1 && 1 - below(*u - 2, n, q) <= tail; (*u)--) {
  }
  while (*l > 1 && covers(*l, *u, n, q) < level - TIE) {
    (*l)--;
  }
  while (*u < n && covers(*l, *u, n, q) < level - TIE) {
    (*u)++;
  }
  return true;
}

bool stats_quantile(const double *x, size_t n, double q, double level,
                    double *lo, double *hi) {
  assert(q > 0 && q < 1 && level > 0 && level < 1);
  size_t l, u;

  *lo = *hi = NAN;
  for (size_t i = 0; i < n; i++) {
    if (isnan(x[i])) {
      return false;
    }
  }
  if (!ranks(n, q, level, &l, &u)) {
    return false;
  }
  double *sorted = alloc_array(n, sizeof *sorted);
  memcpy(sorted, x, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, by_value);
  *lo = sorted[l - 1];
  *hi = sorted[u - 1];
  free(sorted);
  return true;
}

/* ---- Holm ---------------------------------------------------------------- */

typedef struct ranked {
  double p;
  size_t i;
} ranked;

static int by_p(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  int order = (x->p > y->p) - (x->p < y->p);

  return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

/* Holm 1979. NaN (no test was possible) stays NaN and does not count. */
void stats_holm(double *p, size_t n) {
  ranked *r = alloc_array(n, sizeof *r);
  size_t m = 0;
  double least = 0;

  for (size_t i = 0; i < n; i++) {
    if (!isnan(p[i])) {
      r[m++] = (ranked){p[i], i};
    }
  }
  qsort(r, m, sizeof *r, by_p);
  for (size_t k = 0; k < m; k++) {
    least = fmax(least, fmin(1, (double)(m - k) * r[k].p));
    p[r[k].i] = least;
  }
  free(r);
}
