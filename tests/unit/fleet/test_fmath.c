/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plain-operation functions against the C library's in long double. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "test.h"
#include "util/fmath.h"
#include "util/rng.h"

#define POINTS 1000000

/* The distance of |got| from |want| in units of the last place of |want|. */
static double ulps(double got, long double want) {
  double near = (double)want;
  double unit;

  if (near == 0 || isinf(near)) {
    return got == near ? 0 : 1e9;
  }
  unit = nextafter(fabs(near), INFINITY) - fabs(near);
  return (double)(fabsl((long double)got - want) / (long double)unit);
}

static double between(rng *r, double a, double b) {
  return a + (b - a) * rng_unit(r);
}

/* Any positive double, subnormal ones included. */
static double any(rng *r) {
  return exp2(between(r, -1074, 1023)) * between(r, 1, 2);
}

static void check_log(double (*pick)(rng *), const char *what) {
  rng r = rng_of(rng_key(1, what));
  double worst = 0;

  for (int i = 0; i < POINTS; i++) {
    double x = pick(&r);
    worst = fmax(worst, ulps(fmath_log(x), logl(x)));
  }
  CHECK_NEAR(worst, 0, 1.0);
}

static double near_one(rng *r) {
  return between(r, 0.5, 2);
}
static double very_near_one(rng *r) {
  return 1 + between(r, -1e-6, 1e-6);
}
static double unit(rng *r) {
  return rng_unit(r);
}

static void test_log(void) {
  check_log(any, "any");
  check_log(near_one, "near one");
  check_log(very_near_one, "very near one");
  check_log(unit, "unit");
  CU_ASSERT(fmath_log(1) == 0);
  CU_ASSERT(isinf(fmath_log(0)) && fmath_log(0) < 0);
  CU_ASSERT(isinf(fmath_log(INFINITY)));
}

static void test_exp(void) {
  rng r = rng_of(rng_key(1, "exp"));
  double worst = 0;

  for (int i = 0; i < POINTS; i++) {
    double x = i % 2 != 0 ? between(&r, -744, 709.7) : between(&r, -2, 2);
    worst = fmax(worst, ulps(fmath_exp(x), expl(x)));
  }
  CHECK_NEAR(worst, 0, 2.0);
  CU_ASSERT(fmath_exp(0) == 1);
  CU_ASSERT(fmath_exp(-1000) == 0);
  CU_ASSERT(isinf(fmath_exp(1000)));
}

static void test_pow(void) {
  rng r = rng_of(rng_key(1, "pow"));
  double worst = 0;
  int kept = 0;

  while (kept < POINTS) {
    double x = kept % 3 == 0   ? any(&r)
               : kept % 3 == 1 ? between(&r, 0, 3)
                               : very_near_one(&r);
    double y = kept % 2 != 0 ? between(&r, -3, 3)
                             : between(&r, -700, 700) / fabs(log(x));
    long double want = powl(x, y);
    if (!(want < DBL_MAX)) {
      continue;
    }
    worst = fmax(worst, ulps(fmath_pow(x, y), want));
    kept++;
  }
  CHECK_NEAR(worst, 0, 2.0);
}

static void test_pow_edges(void) {
  CU_ASSERT(fmath_pow(7, 0) == 1);
  CU_ASSERT(fmath_pow(1, 1e300) == 1);
  CU_ASSERT(fmath_pow(0, 2) == 0);
  CU_ASSERT(isinf(fmath_pow(0, -2)));
  CU_ASSERT(fmath_pow(INFINITY, -1) == 0);
  CU_ASSERT(isinf(fmath_pow(INFINITY, 1)));
  CU_ASSERT(fmath_pow(0.5, 1e300) == 0);
  CU_ASSERT(isinf(fmath_pow(0.5, -1e300)));
  CU_ASSERT(isinf(fmath_pow(2, 1024)));
  CU_ASSERT(fmath_pow(2, -1074) == 0x1p-1074);
  CU_ASSERT(fmath_pow(2, 10) == 1024);
  CU_ASSERT(fmath_pow(10, 15) == 1e15);
}

static void test_normal(void) {
  rng r = rng_of(rng_key(1, "normal"));
  double worst = 0;

  for (int i = 0; i < 100000; i++) {
    double p = i % 2 != 0 ? rng_unit(&r) : exp(-between(&r, 1, 60));
    double want = qnorm5(p, 0, 1, 1, 0);
    worst = fmax(worst, fabs(fmath_normal_quantile(p) - want) /
                            fmax(fabs(want), 1e-10));
  }
  CHECK_NEAR(worst, 0, 4e-15);
  CU_ASSERT(fmath_normal_quantile(0.5) == 0);
  CHECK_NEAR(fmath_normal_quantile(0.975), 1.959963984540054, 1e-15);
}

/* A mistyped constant would show as a step where two formulas meet. */
static void test_normal_seams(void) {
  static const double seam[] = {0.075, 0.925, 1.3887943864964021e-11};

  for (size_t i = 0; i < sizeof seam / sizeof *seam; i++) {
    double below = fmath_normal_quantile(nextafter(seam[i], 0));
    double above = fmath_normal_quantile(nextafter(seam[i], 1));
    CHECK_NEAR(below, above, 1e-14);
  }
}

TEST_SUITE("fmath", {"log is within 1 unit in the last place", test_log},
           {"exp is within 2 units in the last place", test_exp},
           {"pow is within 2 units in the last place", test_pow},
           {"pow has the usual values at its edges", test_pow_edges},
           {"the normal quantile agrees with R's", test_normal},
           {"the normal quantile has no steps", test_normal_seams})
