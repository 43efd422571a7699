/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Distributions by inverse transform: one uniform number makes one value, and
 * a larger one never makes a smaller value. Plain IEEE operations only
 * (util/fmath.h), so equal seeds give equal bits everywhere.
 */
#include <assert.h>

#include "scenario/scenario.h"
#include "util/fmath.h"

static double quantile(const dist *d, double u) {
  switch (d->kind) {
  case DIST_CONSTANT:
    return d->a;
  case DIST_UNIFORM:
    return d->a + (d->b - d->a) * u;
  case DIST_EXPONENTIAL:
    return -d->a * fmath_log(1 - u);
  case DIST_LOGNORMAL:
    return d->a * fmath_exp(d->b * fmath_normal_quantile(u));
  case DIST_WEIBULL:
    return d->b * fmath_pow(-fmath_log(1 - u), 1 / d->a);
  case DIST_PARETO:
    return d->a * fmath_pow(1 - u, -1 / d->b);
  case DIST_NORMAL: {
    double x = d->a + d->b * fmath_normal_quantile(u);
    return x > 0 ? x : 0;
  }
  case DIST_POISSON: /* the gap between two arrivals, ns */
    return -fmath_log(1 - u) / d->a * 1e9;
  case DIST_TABLE: {
    size_t i = (size_t)(u * (double)d->ntable);
    assert(d->ntable > 0);
    return d->table[i < d->ntable ? i : d->ntable - 1];
  }
  }
  assert(0 && "a kind of distribution without a quantile");
  return 0;
}

double dist_quantile(const dist *d, double u) {
  double x;

  assert(u > 0 && u < 1);
  x = quantile(d, u);
  if (x < d->min) {
    return d->min;
  }
  return x > d->max ? d->max : x;
}

double dist_draw(const dist *d, rng *r) {
  return dist_quantile(d, rng_unit(r));
}

/* Gauss's rule of five points on each of the intervals that halve towards 0 and
   towards 1, where quantiles are steep. */
double dist_mean(const dist *d) {
  static const double at[] = {0.046910077030668004, 0.23076534494715845, 0.5,
                              0.76923465505284155, 0.953089922969332};
  static const double weight[] = {0.11846344252809454, 0.23931433524968324,
                                  0.28444444444444444, 0.23931433524968324,
                                  0.11846344252809454};
  double mean = 0;

  if (d->kind == DIST_CONSTANT) {
    return dist_quantile(d, 0.5);
  }
  if (d->kind == DIST_TABLE) {
    for (size_t i = 0; i < d->ntable; i++) {
      mean += dist_quantile(d, ((double)i + 0.5) / (double)d->ntable);
    }
    return mean / (double)d->ntable;
  }
  for (double width = 0.25; width >= 0x1p-50; width *= 0.5) {
    for (int i = 0; i < 5; i++) {
      double u = width + width * at[i];
      mean += width * weight[i] * dist_quantile(d, u);
      mean += width * weight[i] * dist_quantile(d, 1 - u);
    }
  }
  return mean;
}
