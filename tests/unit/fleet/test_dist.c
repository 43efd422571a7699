/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distributions: their quantiles, their samples and their coupling. */
#include <math.h>
#include <stdlib.h>

#include "scenario/scenario.h"
#include "test.h"
#include "util/fmath.h"

#define DIST(k, x, y)                                                          \
  { .kind = (k), .a = (x), .b = (y), .min = -INFINITY, .max = INFINITY }

static const double table[] = {1, 2, 3, 10};

static const struct {
  const char *name;
  dist d;
  double median, p90, mean;
} every[] = {
    {"constant", DIST(DIST_CONSTANT, 5, 0), 5, 5, 5},
    {"uniform", DIST(DIST_UNIFORM, 10, 30), 20, 28, 20},
    {"exponential", DIST(DIST_EXPONENTIAL, 10, 0), 6.931471805599453,
     23.02585092994046, 10},
    /* References 3.2: Ookla's median, sigma 0.8 (Mbit/s). */
    {"lognormal", DIST(DIST_LOGNORMAL, 94, 0.8), 94, 262.0501859, 129.4500098},
    {"weibull", DIST(DIST_WEIBULL, 0.59, 41.9), 22.5126526, 172.241944,
     64.461022},
    {"pareto", DIST(DIST_PARETO, 2, 3), 2.519842, 4.308869, 3},
    {"normal", DIST(DIST_NORMAL, 100, 10), 100, 112.8155, 100},
    {"poisson", DIST(DIST_POISSON, 2, 0), 346573590.27997, 1151292546.497, 5e8},
    {"table",
     {.kind = DIST_TABLE,
      .min = -INFINITY,
      .max = INFINITY,
      .table = table,
      .ntable = 4},
     3,
     10,
     4}};

#define EVERY (sizeof every / sizeof *every)

static void test_quantiles(void) {
  for (size_t i = 0; i < EVERY; i++) {
    CHECK_NEAR(dist_quantile(&every[i].d, 0.5), every[i].median, 1e-6);
    CHECK_NEAR(dist_quantile(&every[i].d, 0.9), every[i].p90, 1e-6);
  }
}

static void test_means(void) {
  for (size_t i = 0; i < EVERY; i++) {
    CHECK_NEAR(dist_mean(&every[i].d), every[i].mean, 2e-6);
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static void test_samples(void) {
  enum { N = 100000 };
  double *x = malloc(N * sizeof *x);

  for (size_t i = 0; i < EVERY; i++) {
    rng r = rng_of(rng_key(11, every[i].name));
    double sum = 0;
    for (int k = 0; k < N; k++) {
      x[k] = dist_draw(&every[i].d, &r);
      sum += x[k];
    }
    qsort(x, N, sizeof *x, compare);
    CHECK_NEAR(sum / N, every[i].mean, 0.015);
    CHECK_NEAR(x[N / 2], every[i].median, 0.015);
    CHECK_NEAR(x[N / 10 * 9], every[i].p90, 0.015);
  }
  free(x);
}

static void test_monotone(void) {
  for (size_t i = 0; i < EVERY; i++) {
    double last = -INFINITY;
    for (double u = 0x1p-53; u < 1; u += 0x1p-12) {
      double x = dist_quantile(&every[i].d, u);
      CU_ASSERT(x >= last);
      last = x;
    }
    CU_ASSERT(dist_quantile(&every[i].d, 1 - 0x1p-53) >= last);
  }
}

static void test_clamp(void) {
  dist d = DIST(DIST_EXPONENTIAL, 10, 0);
  dist n = DIST(DIST_NORMAL, 1, 10);

  d.min = 5;
  d.max = 20;
  CHECK_NEAR(dist_quantile(&d, 0.01), 5, 0);
  CHECK_NEAR(dist_quantile(&d, 0.99), 20, 0);
  CHECK_NEAR(dist_quantile(&d, 0.5), 6.931471805599453, 1e-12);
  CHECK_NEAR(dist_quantile(&n, 0.01), 0, 0);
}

/* Stutzbach and Rejaie 2006, as references 3.3 has them: minutes. */
static void test_weibull_table(void) {
  static const struct {
    double shape, scale, mean, median, p90, over_1h, over_24h;
  } row[] = {{.38, 42.4, 163.4, 16.2, 380.7, .320, .0220},
             {.34, 21.3, 118.8, 7.3, 247.6, .241, .0151},
             {.59, 41.9, 64.5, 22.5, 172.2, .291, .0003}};

  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    dist d = DIST(DIST_WEIBULL, row[i].shape, row[i].scale);
    CHECK_NEAR(dist_quantile(&d, 0.5), row[i].median, 0.01);
    CHECK_NEAR(dist_quantile(&d, 0.9), row[i].p90, 0.001);
    CHECK_NEAR(dist_mean(&d), row[i].mean, 0.001);
    CHECK_NEAR(dist_quantile(&d, 1 - row[i].over_1h), 60, 0.01);
    CU_ASSERT(dist_quantile(&d, 1 - row[i].over_24h - 0.00005) < 1440);
    CU_ASSERT(dist_quantile(&d, 1 - row[i].over_24h + 0.00005) > 1440);
  }
}

/* References 3.2, second line: sigma 1.0, and the share below 25 Mbit/s. */
static void test_access_rates(void) {
  dist narrow = DIST(DIST_LOGNORMAL, 94, 0.8);
  dist wide = DIST(DIST_LOGNORMAL, 94, 1.0);

  CHECK_NEAR(dist_quantile(&narrow, 0.1), 33.7, 0.002);
  CHECK_NEAR(dist_quantile(&narrow, 0.049), 25, 0.01);
  CHECK_NEAR(dist_quantile(&wide, 0.1), 26.1, 0.002);
  CHECK_NEAR(dist_quantile(&wide, 0.9), 338.6, 0.002);
  CHECK_NEAR(dist_mean(&wide), 155.0, 0.001);
}

TEST_SUITE(
    "dist", {"medians and 90 % quantiles are right", test_quantiles},
    {"means are right", test_means},
    {"samples have the mean and the quantiles", test_samples},
    {"a larger uniform number never makes a smaller value", test_monotone},
    {"values are clamped, normal ones at 0", test_clamp},
    {"Weibull sessions have the published quantiles", test_weibull_table},
    {"lognormal access rates have the published spread", test_access_rates})
