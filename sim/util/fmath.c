/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log x: with x = 2^k m, m in [sqrt(1/2), sqrt 2), and s = (m-1)/(m+1),
 *   log x = k log 2 + 2 atanh s,   2 atanh s = 2s + 2s^3/3 + 2s^5/5 + ...
 * exp x: with x = k log 2 + r, |r| <= log(2)/2, the Taylor series of exp r.
 * pow:   exp(y log x) with the logarithm and the product in pairs of doubles
 *        (Dekker 1971), since an error of the exponent is one of the result.
 */
#include "util/fmath.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* log 2 in two parts; the first has 21 zero bits at its end, so that k times
   it is exact for every exponent k. */
#define LN2_HI 0x1.62e42feep-1
#define LN2_LO 0x1.a39ef35793c76p-33
#define SQRT_2 0x1.6a09e667f3bcdp0

/* ---- the parts of a double ------------------------------------------------
 */

/* Splits x = 2^k m with m in [sqrt(1/2), sqrt 2); x positive and finite. */
static double split(double x, int *k) {
  uint64_t bits;
  int e = 0;
  double m;

  if (x < 0x1p-1022) { /* subnormal */
    x *= 0x1p54;
    e = -54;
  }
  memcpy(&bits, &x, sizeof bits);
  e += (int)(bits >> 52) - 1023;
  bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
  memcpy(&m, &bits, sizeof m);
  if (m >= SQRT_2) {
    m *= 0.5;
    e++;
  }
  *k = e;
  return m;
}

/* 2^k; -1022 <= k <= 1023. */
static double power_of_2(int k) {
  uint64_t bits = (uint64_t)(k + 1023) << 52;
  double x;

  memcpy(&x, &bits, sizeof x);
  return x;
}

/* x 2^k for x about 1, with at most one rounding in the subnormal range. */
static double scale(double x, int k) {
  if (k > 1023) {
    return x * 0x1p1023 * power_of_2(k - 1023);
  }
  if (k < -1022) {
    return x * power_of_2(k + 1022) * 0x1p-1022;
  }
  return x * power_of_2(k);
}

/* ---- log ------------------------------------------------------------------
 */

double fmath_log(double x) {
  int k;
  double f, s, z, tail;

  assert(x >= 0);
  if (x == 0 || isinf(x)) {
    return x == 0 ? -INFINITY : x;
  }
  f = split(x, &k) - 1; /* exact */
  s = f / (2 + f);
  z = s * s;
  tail = 2.0 / 23;
  for (int n = 21; n >= 3; n -= 2) {
    tail = tail * z + 2.0 / n;
  }
  tail *= z;
  /* 2s = f - s f, and f is exact; s f in turn is f^2/2 - s f^2/2. */
  double half = 0.5 * f * f;
  double k_ = k;
  return k_ * LN2_HI - ((half - (s * (half + tail) + k_ * LN2_LO)) - f);
}

/* ---- exp ------------------------------------------------------------------
 */

/* exp(x + low), |low| tiny beside x. */
static double exp_pair(double x, double low) {
  static const double inverse[] = {/* 1 / n! for n = 2 .. 14 */
                                   0.5,
                                   1.0 / 6,
                                   1.0 / 24,
                                   1.0 / 120,
                                   1.0 / 720,
                                   1.0 / 5040,
                                   1.0 / 40320,
                                   1.0 / 362880,
                                   1.0 / 3628800,
                                   1.0 / 39916800,
                                   1.0 / 479001600,
                                   1.0 / 6227020800.0,
                                   1.0 / 87178291200.0};
  double k_, hi, r, series;
  int k;

  if (x > 710) {
    return INFINITY;
  }
  if (x < -746) {
    return 0;
  }
  k = (int)(x * 0x1.71547652b82fep0 + (x < 0 ? -0.5 : 0.5));
  k_ = k;
  hi = x - k_ * LN2_HI; /* exact */
  low -= k_ * LN2_LO;
  r = hi + low;
  low = (hi - r) + low;
  series = inverse[12];
  for (int n = 11; n >= 0; n--) {
    series = series * r + inverse[n];
  }
  return scale(1 + (r + (series * r * r + low)), k);
}

double fmath_exp(double x) {
  return exp_pair(x, 0);
}

/* ---- pow ------------------------------------------------------------------
 */

/* hi + lo, |lo| at most half a unit in the last place of hi. */
typedef struct pair {
  double hi, lo;
} pair;

/* |a| >= |b|, or a is 0. */
static pair pair_of(double a, double b) {
  double s = a + b;

  return (pair){s, b - (s - a)};
}

static pair sum(double a, double b) {
  double s = a + b, t = s - a;

  return (pair){s, (a - (s - t)) + (b - t)};
}

/* a b exactly, by halves of 26 bits; |a|, |b| below 2^990. */
static pair product(double a, double b) {
  double p = a * b;
  double ca = 0x1.0000002p27 * a, cb = 0x1.0000002p27 * b;
  double ah = ca - (ca - a), bh = cb - (cb - b);
  double al = a - ah, bl = b - bh;

  return (pair){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static pair pair_add(pair a, pair b) {
  pair s = sum(a.hi, b.hi);

  return pair_of(s.hi, s.lo + a.lo + b.lo);
}

static pair pair_mul(pair a, pair b) {
  pair p = product(a.hi, b.hi);

  return pair_of(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static pair pair_div(pair a, pair b) {
  double q = a.hi / b.hi;
  pair p = product(q, b.hi);
  double rest = ((a.hi - p.hi) - p.lo) + a.lo - q * b.lo;

  return pair_of(q, rest / b.hi);
}

/* log x to about 100 bits. */
static pair log_pair(double x) {
  static const pair ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
  int k;
  double m = split(x, &k);
  pair s = pair_div((pair){m - 1, 0}, sum(m, 1));
  pair z = pair_mul(s, s);
  double tail = 2.0 / 41;
  pair series, log_k;

  for (int n = 39; n >= 23; n -= 2) {
    tail = tail * z.hi + 2.0 / n;
  }
  series = (pair){tail, 0};
  for (int n = 21; n >= 1; n -= 2) {
    pair c = pair_div((pair){2, 0}, (pair){n, 0});
    series = pair_add(pair_mul(series, z), c);
  }
  log_k = pair_mul((pair){k, 0}, ln2);
  return pair_add(log_k, pair_mul(s, series));
}

double fmath_pow(double x, double y) {
  pair p;

  assert(x >= 0);
  if (y == 0 || x == 1) {
    return 1;
  }
  if (x == 0 || isinf(x)) {
    return (x == 0) == (y > 0) ? 0 : INFINITY;
  }
  if (y > 0x1p66 || y < -0x1p66) { /* log x is at least 2^-54 */
    return (x > 1) == (y > 0) ? INFINITY : 0;
  }
  p = pair_mul(log_pair(x), (pair){y, 0});
  return exp_pair(p.hi, p.lo);
}

/* ---- the normal quantile
 * ------------------------------------------------------ */

/* (n[0] + n[1] r + ... + n[7] r^7) / (d[0] + ... + d[7] r^7) */
static double ratio(const double n[8], const double d[8], double r) {
  double a = n[7], b = d[7];

  for (int i = 6; i >= 0; i--) {
    a = a * r + n[i];
    b = b * r + d[i];
  }
  return a / b;
}

double fmath_normal_quantile(double p) {
  static const double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                             1.9715909503065514427e3, 1.3731693765509461125e4,
                             4.5921953931549871457e4, 6.7265770927008700853e4,
                             3.3430575583588128105e4, 2.5090809287301226727e3};
  static const double b[] = {1.0,
                             4.2313330701600911252e1,
                             6.8718700749205790830e2,
                             5.3941960214247511077e3,
                             2.1213794301586595867e4,
                             3.9307895800092710610e4,
                             2.8729085735721942674e4,
                             5.2264952788528545610e3};
  static const double c[] = {
      1.42343711074968357734e0,  4.63033784615654529590e0,
      5.76949722146069140550e0,  3.64784832476320460504e0,
      1.27045825245236838258e0,  2.41780725177450611770e-1,
      2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static const double d[] = {1.0,
                             2.05319162663775882187e0,
                             1.67638483018380384940e0,
                             6.89767334985100004550e-1,
                             1.48103976427480074590e-1,
                             1.51986665636164571966e-2,
                             5.47593808499534494600e-4,
                             1.05075007164441684324e-9};
  static const double e[] = {
      6.65790464350110377720e0,  5.46378491116411436990e0,
      1.78482653991729133580e0,  2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3,
      2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static const double f[] = {1.0,
                             5.99832206555887937690e-1,
                             1.36929880922735805310e-1,
                             1.48753612908506148525e-2,
                             7.86869131145613259100e-4,
                             1.84631831751005468180e-5,
                             1.42151175831644588870e-7,
                             2.04426310338993978564e-15};
  double q = p - 0.5, r, z;

  assert(p > 0 && p < 1);
  if (q >= -0.425 && q <= 0.425) {
    return q * ratio(a, b, 0.180625 - q * q);
  }
  r = sqrt(-fmath_log(q < 0 ? p : 1 - p));
  z = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
  return q < 0 ? -z : z;
}
