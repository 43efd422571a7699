/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>

#define MATHLIB_STANDALONE 1
#include <Rmath.h>

#include "analysis/stats.h"
#include "test.h"

#define LEVEL 0.95

/* Uniform numbers for the data of the tests: PCG-like step, own stream. */
static double uniform(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return ((double)(*state >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state) {
  return qnorm5(uniform(state), 0, 1, 1, 0);
}

/* ---- means --------------------------------------------------------------- */

static void test_point(void) {
  static const double x[] = {2.5, 2.5, 2.5, 2.5};
  interval i = stats_mean(x, 4, LEVEL, 1);

  CU_ASSERT_FALSE(i.refused);
  CHECK_NEAR(i.mean, 2.5, 0);
  CHECK_NEAR(i.lo, 2.5, 0);
  CHECK_NEAR(i.hi, 2.5, 0);
  CU_ASSERT(isnan(i.effect));
  CHECK_NEAR(i.p, 0.125, 0); /* 2 of 16 */
}

static void test_no_difference(void) {
  static const double a[] = {3, 1, 4, 1, 5};
  interval i = stats_paired(a, a, 5, LEVEL, 1);

  CHECK_NEAR(i.mean, 0, 0);
  CHECK_NEAR(i.lo, 0, 0);
  CHECK_NEAR(i.hi, 0, 0);
  CHECK_NEAR(i.p, 1, 0);
}

static void test_refused_few(void) {
  static const double x[] = {1, 3, 8};
  interval two = stats_mean(x, 2, LEVEL, 1), none = stats_mean(x, 0, LEVEL, 1);

  CU_ASSERT(two.refused && none.refused);
  CHECK_NEAR(two.mean, 2, 0);
  CU_ASSERT(isnan(two.lo) && isnan(two.hi) && isnan(two.p));
  CU_ASSERT(isnan(none.mean));
  CU_ASSERT_FALSE(stats_mean(x, 3, LEVEL, 1).refused);
}

static void test_refused_infinite(void) {
  static const double a[] = {1, 2, 3, 4, INFINITY}, b[] = {1, 2, NAN, 4, 5};
  static const double c[] = {1, 2, 3, 4, 5};

  CU_ASSERT(stats_paired(a, c, 5, LEVEL, 1).refused);
  CU_ASSERT(stats_paired(c, a, 5, LEVEL, 1).refused);
  CU_ASSERT(stats_paired(b, c, 5, LEVEL, 1).refused);
  CU_ASSERT(stats_paired(a, a, 5, LEVEL, 1).refused);
  CU_ASSERT(isnan(stats_paired(a, c, 5, LEVEL, 1).p));
}

static void test_direction(void) {
  static const double a[] = {10, 11, 12, 13, 14}, b[] = {7, 9, 8, 11, 10};
  interval i = stats_paired(a, b, 5, LEVEL, 1);

  CHECK_NEAR(i.mean, -3, 1e-15);
  CU_ASSERT(i.lo < i.mean && i.mean < i.hi && i.hi < 0);
  /* d = -3 -2 -4 -2 -4: sd 1 */
  CHECK_NEAR(i.effect, -3, 1e-12);
  CHECK_EQ(i.n, 5);
}

static void test_seeded(void) {
  static const double x[] = {1, 2, 4, 8, 16, 32};
  interval a = stats_mean(x, 6, LEVEL, 7), b = stats_mean(x, 6, LEVEL, 7);
  interval c = stats_mean(x, 6, LEVEL, 8);

  CU_ASSERT(a.lo == b.lo && a.hi == b.hi && a.p == b.p);
  CU_ASSERT(a.lo != c.lo || a.hi != c.hi);
  CU_ASSERT(a.p == c.p); /* exact */
}

static void test_scaled(void) {
  static const double x[] = {1, 2, 4, 8, 16, 32};
  double y[6];

  for (size_t i = 0; i < 6; i++) {
    y[i] = 1024 * x[i];
  }
  interval a = stats_mean(x, 6, LEVEL, 7), b = stats_mean(y, 6, LEVEL, 7);
  CHECK_NEAR(b.lo, 1024 * a.lo, 1e-12);
  CHECK_NEAR(b.hi, 1024 * a.hi, 1e-12);
  CHECK_NEAR(b.p, a.p, 0);
}

/* All but one value equal: a third of the resamples have no variance. */
static void test_nearly_equal(void) {
  double x[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  interval i = stats_mean(x, 10, LEVEL, 3);

  CU_ASSERT(isfinite(i.lo) && isfinite(i.hi) && i.lo <= i.hi);
  CHECK_NEAR(i.p, 1, 0);
  x[9] = 0.1; /* sums of 0.1 differ in the last bits */
  x[8] = 0.1;
  i = stats_mean(x, 10, LEVEL, 3);
  CU_ASSERT(isfinite(i.lo) && isfinite(i.hi));
}

/* 4.302653 is the 97.5 % point of t with two degrees of freedom. */
static void test_three(void) {
  static const double x[] = {1, 2, 3};
  interval i = stats_mean(x, 3, LEVEL, 1);

  CHECK_NEAR(i.lo, 2 - 4.302652729911275 / sqrt(3), 1e-9);
  CHECK_NEAR(i.hi, 2 + 4.302652729911275 / sqrt(3), 1e-9);
}

/* The share of |sets| intervals, of |n| values each, that hold the mean. */
static double coverage(size_t n, unsigned sets, bool lognormal) {
  uint64_t state = 20261110;
  double *x = malloc(n * sizeof *x);
  unsigned held = 0;

  for (unsigned s = 0; s < sets; s++) {
    for (size_t i = 0; i < n; i++) {
      double z = normal(&state);
      x[i] = lognormal ? exp(0.8 * z) : z;
    }
    double truth = lognormal ? exp(0.32) : 0;
    interval in = stats_mean(x, n, LEVEL, s);
    held += in.lo <= truth && truth <= in.hi;
  }
  free(x);
  return held / (double)sets;
}

static void test_coverage(void) {
  double normal10 = coverage(10, 2000, false);
  double lognormal10 = coverage(10, 2000, true);

  printf("  coverage of 95 %% intervals, n = 10, 2000 sets: normal %.4f, "
         "lognormal(0.8) %.4f\n",
         normal10, lognormal10);
  CU_ASSERT(normal10 >= 0.93 && normal10 <= 0.98);
  CU_ASSERT(lognormal10 >= 0.90);
}

static void test_coverage_few(void) {
  double three = coverage(3, 1000, false), five = coverage(5, 1000, false);

  printf("  coverage of 95 %% intervals, 1000 sets: n = 3 %.4f, n = 5 %.4f\n",
         three, five);
  CU_ASSERT(three >= 0.93);
  CU_ASSERT(five >= 0.93);
}

/* ---- the test ------------------------------------------------------------ */

static void test_signs_by_hand(void) {
  static const double x[] = {1, 2, 3}, y[] = {-1, 2, 3, 4};
  static const double tie[] = {0.1, 0.2, -0.3};

  CHECK_NEAR(stats_mean(x, 3, LEVEL, 1).p, 2.0 / 8, 1e-15);
  /* |sum| = 8 or more out of 1 2 3 4: +-10, +-8 */
  CHECK_NEAR(stats_mean(y, 4, LEVEL, 1).p, 4.0 / 16, 1e-15);
  /* 0.1 + 0.2 - 0.3 is not 0 in binary: still p = 1 */
  CHECK_NEAR(stats_mean(tie, 3, LEVEL, 1).p, 1, 0);
}

/* Every assignment by recursion, without the symmetry. */
static unsigned extreme(const double *x, size_t n, double sum, double limit) {
  if (n == 0) {
    return fabs(sum) >= limit - 1e-9;
  }
  return extreme(x + 1, n - 1, sum + x[0], limit) +
         extreme(x + 1, n - 1, sum - x[0], limit);
}

static void test_signs_enumerated(void) {
  uint64_t state = 5;

  for (size_t n = 3; n <= 12; n++) {
    double x[12], sum = 0;
    for (size_t i = 0; i < n; i++) {
      x[i] = floor(20 * uniform(&state)) - 6;
      sum += x[i];
    }
    double want = extreme(x, n, 0, fabs(sum)) / (double)(1u << n);
    CHECK_NEAR(stats_mean(x, n, LEVEL, 1).p, want, 1e-15);
  }
}

static void test_signs_drawn(void) {
  double x[17], sum = 0;
  uint64_t state = 11;

  for (size_t i = 0; i < 17; i++) {
    x[i] = normal(&state) + 0.35;
    sum += x[i];
  }
  double want = extreme(x, 17, 0, fabs(sum)) / (double)(1u << 17);
  double got = stats_mean(x, 17, LEVEL, 1).p;
  /* 20,000 draws: four standard errors */
  CU_ASSERT(fabs(got - want) < 4 * sqrt(want * (1 - want) / 20000) + 1e-4);
  CU_ASSERT(want > 0.001 && want < 0.999);
}

/* ---- quantiles ----------------------------------------------------------- */

static void test_median_ranks(void) {
  double x[20], lo, hi;

  for (size_t i = 0; i < 20; i++) {
    x[i] = (double)(20 - i); /* not sorted; value = rank */
  }
  /* published ranks of 95 % intervals of the median (binomial tables) */
  static const struct {
    size_t n;
    double l, u;
  } rows[] = {{6, 1, 6},   {8, 1, 8},   {9, 2, 8},   {10, 2, 9},
              {12, 3, 10}, {15, 4, 12}, {17, 5, 13}, {20, 6, 15}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const double *tail = x + (20 - rows[i].n); /* values n .. 1 */
    CU_ASSERT(stats_quantile(tail, rows[i].n, 0.5, LEVEL, &lo, &hi));
    CHECK_NEAR(lo, rows[i].l, 0);
    CHECK_NEAR(hi, rows[i].u, 0);
  }
}

static void test_quantile_refused(void) {
  double x[100], lo, hi;

  for (size_t i = 0; i < 100; i++) {
    x[i] = (double)(i + 1);
  }
  CU_ASSERT_FALSE(stats_quantile(x, 5, 0.5, LEVEL, &lo, &hi)); /* 0.9375 */
  CU_ASSERT(isnan(lo) && isnan(hi));
  CU_ASSERT(stats_quantile(x, 6, 0.5, LEVEL, &lo, &hi));
  /* 1 - 0.95^58 = 0.949, 1 - 0.95^59 = 0.9515 */
  CU_ASSERT_FALSE(stats_quantile(x, 58, 0.95, LEVEL, &lo, &hi));
  CU_ASSERT(stats_quantile(x, 59, 0.95, LEVEL, &lo, &hi));
  CHECK_NEAR(hi, 59, 0);
  CU_ASSERT_FALSE(stats_quantile(x, 0, 0.5, LEVEL, &lo, &hi));
  x[2] = NAN;
  CU_ASSERT_FALSE(stats_quantile(x, 100, 0.5, LEVEL, &lo, &hi));
}

static void test_quantile_reaches(void) {
  for (size_t n = 2; n <= 90; n++) {
    for (double q = 0.05; q < 0.96; q += 0.05) {
      double x[90], lo, hi, N = (double)n, reach;
      for (size_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
      }
      reach = 1 - pow(q, N) - pow(1 - q, N);
      bool given = stats_quantile(x, n, q, LEVEL, &lo, &hi);
      CHECK_EQ(given, reach >= LEVEL);
      if (given) { /* lo, hi are ranks: P(lo <= B <= hi - 1) by dbinom */
        double p = 0;
        for (double k = lo; k < hi; k++) {
          p += dbinom(k, N, q, 0);
        }
        CU_ASSERT(p >= LEVEL - 1e-9);
      }
    }
  }
}

static void test_quantile_infinite(void) {
  static const double x[] = {1, 2, 3, INFINITY, INFINITY, 6};
  double lo, hi;

  CU_ASSERT(stats_quantile(x, 6, 0.5, LEVEL, &lo, &hi));
  CHECK_NEAR(lo, 1, 0);
  CU_ASSERT(isinf(hi));
}

/* ---- Holm ---------------------------------------------------------------- */

static void test_holm(void) {
  /* R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") */
  double p[] = {0.01, 0.04, 0.03, 0.005};

  stats_holm(p, 4);
  CHECK_NEAR(p[0], 0.03, 1e-12);
  CHECK_NEAR(p[1], 0.06, 1e-12);
  CHECK_NEAR(p[2], 0.06, 1e-12);
  CHECK_NEAR(p[3], 0.02, 1e-12);
}

static void test_holm_edges(void) {
  double p[] = {0.6, NAN, 0.5, 0.02}, one[] = {0.3};

  stats_holm(p, 4);
  CHECK_NEAR(p[0], 1, 0);
  CU_ASSERT(isnan(p[1]));
  CHECK_NEAR(p[2], 1, 0);
  CHECK_NEAR(p[3], 0.06, 1e-12);
  stats_holm(one, 1);
  CHECK_NEAR(one[0], 0.3, 0);
  stats_holm(one, 0);
}

TEST_SUITE(
    "statistics", {"equal values give a point, not an interval", test_point},
    {"no difference at all has p = 1", test_no_difference},
    {"fewer than three runs are refused", test_refused_few},
    {"a run that did not finish refuses the interval", test_refused_infinite},
    {"a paired difference is second minus first", test_direction},
    {"the seed decides the interval and nothing else does", test_seeded},
    {"the interval scales with its values", test_scaled},
    {"resamples without variance are drawn again", test_nearly_equal},
    {"the interval of three runs is Student's", test_three},
    {"95 % intervals of ten runs hold the mean in at least 90 %",
     test_coverage},
    {"95 % intervals of three and five runs hold the mean in 93 %",
     test_coverage_few},
    {"sign flips by hand", test_signs_by_hand},
    {"sign flips equal a full enumeration", test_signs_enumerated},
    {"above 16 runs drawn sign flips approach the enumeration",
     test_signs_drawn},
    {"the median's interval has the ranks of the binomial tables",
     test_median_ranks},
    {"a quantile's interval is refused when n cannot reach the level",
     test_quantile_refused},
    {"a quantile's interval is given exactly when the level can be reached",
     test_quantile_reaches},
    {"an unfinished run may end a quantile's interval", test_quantile_infinite},
    {"Holm's adjustment as R has it", test_holm},
    {"Holm's adjustment leaves out what was not tested", test_holm_edges})
