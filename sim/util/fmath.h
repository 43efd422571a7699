/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logarithm, exponential, power and the normal quantile in plain IEEE double
 * operations (+ - * / and square root), so that draws have the same bits on
 * every CPU, with FMA or without, and with every C library. Within 2 units in
 * the last place for log, exp and pow; the quantile within 1e-15 relative.
 */
#ifndef UTIL_FMATH_H
#define UTIL_FMATH_H

double fmath_log(double x); /* x >= 0; log(0) is -infinity */
double fmath_exp(double x);
/* x >= 0. pow(x, 0) is 1; pow(0, y) is 0 for y > 0, infinity for y < 0. */
double fmath_pow(double x, double y);
/* The standard normal value below which lies |p|; 0 < p < 1. Wichura's
   algorithm AS 241 (Applied Statistics 37, 1988), PPND16. */
double fmath_normal_quantile(double p);

#endif
