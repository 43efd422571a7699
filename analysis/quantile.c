/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Type 7 quantiles (Hyndman & Fan 1996): linear between the order statistics
   at rank (n - 1) q, as in R, NumPy and pandas by default. */
#include "analysis/summary.h"

#include <assert.h>
#include <math.h>

double quantile_sorted(const double *sorted, size_t n, double q) {
  assert(n > 0 && q >= 0 && q <= 1);
  double rank = (double)(n - 1) * q;
  size_t below = (size_t)floor(rank);
  double part = rank - (double)below;

  if (below + 1 >= n || part <= 0) {
    return sorted[below];
  }
  /* A part of the way to infinity is infinity; inf - inf must not be NaN. */
  if (isinf(sorted[below]) || isinf(sorted[below + 1])) {
    return sorted[below + 1];
  }
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}
