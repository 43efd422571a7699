/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of comparison. The sampling unit is the run (seed); devices of
 * one run are never resampled. Differences are paired by seed.
 */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct interval {
  double mean;
  double lo, hi; /* NaN when refused */
  double level;  /* 0.95 */
  size_t n;      /* pairs used */
  bool refused;  /* n < 3, or infinite values among them */
  double effect; /* mean / s.d. of the differences (dz); NaN if s.d. is 0 */
  double p;      /* two-sided sign-flip (exact for n <= 16) permutation test */
} interval;

/* Studentised (bootstrap-t) interval of the mean of |x|. All equal: the
   interval is the point. |seed| makes it reproducible. */
interval stats_mean(const double *x, size_t n, double level, uint64_t seed);
/* The same of the paired differences b[i] - a[i]; pairs in which either is
   not finite make it refused. */
interval stats_paired(const double *a, const double *b, size_t n, double level,
                      uint64_t seed);
/* Order-statistic interval of the |q| quantile; false: refused, n cannot reach
   the level. */
bool stats_quantile(const double *x, size_t n, double q, double level,
                    double *lo, double *hi);
/* Holm's adjustment of |n| p-values, in place. */
void stats_holm(double *p, size_t n);

#endif
