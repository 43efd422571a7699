/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "analysis/summary.h"
#include "test.h"

static void test_type7(void) {
  static const double x[] = {1, 2, 4, 8, 16};

  /* R: quantile(c(1,2,4,8,16), c(0,.1,.25,.5,.9,.95,1)) */
  CHECK_NEAR(quantile_sorted(x, 5, 0), 1, 0);
  CHECK_NEAR(quantile_sorted(x, 5, 0.1), 1.4, 1e-15);
  CHECK_NEAR(quantile_sorted(x, 5, 0.25), 2, 0);
  CHECK_NEAR(quantile_sorted(x, 5, 0.5), 4, 0);
  CHECK_NEAR(quantile_sorted(x, 5, 0.9), 12.8, 1e-15);
  CHECK_NEAR(quantile_sorted(x, 5, 0.95), 14.4, 1e-15);
  CHECK_NEAR(quantile_sorted(x, 5, 1), 16, 0);
}

static void test_one(void) {
  double x = 7;

  CHECK_NEAR(quantile_sorted(&x, 1, 0), 7, 0);
  CHECK_NEAR(quantile_sorted(&x, 1, 0.5), 7, 0);
  CHECK_NEAR(quantile_sorted(&x, 1, 1), 7, 0);
}

static void test_part_of_infinity(void) {
  static const double x[] = {1, 2, 3, INFINITY};

  CHECK_NEAR(quantile_sorted(x, 4, 2.0 / 3), 3, 0);
  CU_ASSERT(isinf(quantile_sorted(x, 4, 0.7)));
  CU_ASSERT(isinf(quantile_sorted(x, 4, 1)));
}

static void test_between_infinities(void) {
  static const double x[] = {1, INFINITY, INFINITY};

  CU_ASSERT(isinf(quantile_sorted(x, 3, 0.75)));
  CU_ASSERT(isinf(quantile_sorted(x, 3, 0.25)));
  CHECK_NEAR(quantile_sorted(x, 3, 0), 1, 0);
}

TEST_SUITE("quantile",
           {"a quantile lies on the line between order statistics (type 7)",
            test_type7},
           {"every quantile of one value is the value", test_one},
           {"a part of the way to an infinite value is infinite",
            test_part_of_infinity},
           {"between two infinite values there is no NaN",
            test_between_infinities})
