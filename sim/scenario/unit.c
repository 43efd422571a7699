/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

__extension__ typedef unsigned __int128 u128;

#define EXPONENT_MAX 40

/* One unit is |num| / |den| base units. |out|: used when printing. */
typedef struct unit {
  unit_kind kind;
  const char *name;
  uint64_t num, den;
  bool out;
} unit;

#define NS_PER_S 1000000000u
#define NS_PER_H (3600ull * NS_PER_S)
#define KILO 1000ull
#define MEGA 1000000ull
#define GIGA 1000000000ull
#define TERA 1000000000000ull

/* Largest first within what is printed. */
static const unit units[] = {
    {UNIT_TIME, "w", 168 * NS_PER_H, 1, false},
    {UNIT_TIME, "d", 24 * NS_PER_H, 1, true},
    {UNIT_TIME, "h", NS_PER_H, 1, true},
    {UNIT_TIME, "min", 60ull * NS_PER_S, 1, true},
    {UNIT_TIME, "s", NS_PER_S, 1, true},
    {UNIT_TIME, "ms", MEGA, 1, true},
    {UNIT_TIME, "us", KILO, 1, true},
    {UNIT_TIME, "ns", 1, 1, true},
    {UNIT_BYTES, "TiB", 1ull << 40, 1, true},
    {UNIT_BYTES, "GiB", 1ull << 30, 1, true},
    {UNIT_BYTES, "MiB", 1ull << 20, 1, true},
    {UNIT_BYTES, "KiB", 1ull << 10, 1, true},
    {UNIT_BYTES, "TB", TERA, 1, true},
    {UNIT_BYTES, "GB", GIGA, 1, true},
    {UNIT_BYTES, "MB", MEGA, 1, true},
    {UNIT_BYTES, "KB", KILO, 1, true},
    {UNIT_BYTES, "kB", KILO, 1, false},
    {UNIT_BYTES, "B", 1, 1, true},
    {UNIT_RATE, "Tbit/s", TERA / 8, 1, true},
    {UNIT_RATE, "Gbit/s", GIGA / 8, 1, true},
    {UNIT_RATE, "Mbit/s", MEGA / 8, 1, true},
    {UNIT_RATE, "kbit/s", KILO / 8, 1, true},
    {UNIT_RATE, "bit/s", 1, 8, false},
    {UNIT_RATE, "TB/s", TERA, 1, false},
    {UNIT_RATE, "GB/s", GIGA, 1, false},
    {UNIT_RATE, "MB/s", MEGA, 1, false},
    {UNIT_RATE, "KB/s", KILO, 1, false},
    {UNIT_RATE, "kB/s", KILO, 1, false},
    {UNIT_RATE, "TiB/s", 1ull << 40, 1, false},
    {UNIT_RATE, "GiB/s", 1ull << 30, 1, false},
    {UNIT_RATE, "MiB/s", 1ull << 20, 1, false},
    {UNIT_RATE, "KiB/s", 1ull << 10, 1, false},
    {UNIT_RATE, "B/s", 1, 1, true},
    {UNIT_EVENTS, "/s", 1, 1, true},
    {UNIT_EVENTS, "/min", 1, 60, false},
    {UNIT_EVENTS, "/h", 1, 3600, false},
    {UNIT_EVENTS, "/d", 1, 86400, false},
};
#define NUNITS (sizeof units / sizeof *units)

static const char *const expected[UNIT_NKINDS] = {
    [UNIT_TIME] = "a time such as 90s, 4h or 2d",
    [UNIT_BYTES] = "a size such as 650MiB or 1.5GB",
    [UNIT_RATE] = "a rate such as 20Mbit/s or 300MB/s",
    [UNIT_FRACTION] = "a fraction such as 0.3 or 30%",
    [UNIT_NUMBER] = "a number such as 0.8",
    [UNIT_COUNT] = "a count such as 25",
    [UNIT_EVENTS] = "events over time such as 5000/s or 20/h",
};

/* A decimal number as written: |m| x 10^|exp|. */
typedef struct decimal {
  uint64_t m;
  int exp;
  bool negative, full; /* full: no more digits fit */
  size_t len;          /* characters it took */
} decimal;

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Digits from s[*i] on; those that no longer fit 64 bits only count (before
   the point) or are dropped (after it). */
static size_t digits(const char *s, size_t *i, decimal *d, bool after_point) {
  size_t n = 0;

  for (; is_digit(s[*i]); (*i)++, n++) {
    uint64_t digit = (uint64_t)(s[*i] - '0');
    d->full = d->full || d->m > (UINT64_MAX - digit) / 10;
    if (!d->full) {
      d->m = d->m * 10 + digit;
      d->exp -= after_point;
    } else if (d->exp < 1000) {
      d->exp += !after_point;
    }
  }
  return n;
}

static void exponent(const char *s, size_t *i, decimal *d) {
  size_t j = *i + 1;
  int e = 0;
  bool down = false;

  if ((s[*i] != 'e' && s[*i] != 'E') || s[*i] == '\0') {
    return;
  }
  if (s[j] == '+' || s[j] == '-') {
    down = s[j++] == '-';
  }
  if (!is_digit(s[j])) {
    return; /* an 'e' of the unit */
  }
  for (; is_digit(s[j]); j++) {
    e = e < 1000 ? e * 10 + (s[j] - '0') : e;
  }
  d->exp += down ? -e : e;
  *i = j;
}

static bool decimal_parse(const char *s, decimal *d) {
  size_t i = 0, n;

  *d = (decimal){0};
  if (s[i] == '+' || s[i] == '-') {
    d->negative = s[i++] == '-';
  }
  n = digits(s, &i, d, false);
  if (s[i] == '.') {
    i++;
    n += digits(s, &i, d, true);
  }
  if (n == 0) {
    return false;
  }
  exponent(s, &i, d);
  d->len = i;
  return true;
}

/* m x 10^exp x num / den, rounded to nearest. */
static unit_fault scale(const decimal *d, uint64_t num, uint64_t den,
                        uint64_t *out) {
  u128 v = (u128)d->m * num, w = den;

  *out = 0;
  if (d->m == 0) {
    return UNIT_GOOD;
  }
  for (int e = d->exp; e > 0; e--) {
    if (e > EXPONENT_MAX || v > (~(u128)0) / 10) {
      return UNIT_LARGE;
    }
    v *= 10;
  }
  for (int e = d->exp; e < 0; e++) {
    if (e < -EXPONENT_MAX || w > (~(u128)0) / 100) {
      return UNIT_SMALL;
    }
    w *= 10;
  }
  u128 q = v / w;
  q += v % w >= w - v % w;
  if (q >= UINT64_MAX) {
    return UNIT_LARGE;
  }
  *out = (uint64_t)q;
  return q == 0 ? UNIT_SMALL : UNIT_GOOD;
}

/* The double nearest to the decimal as written, times 10^|shift|. */
static double to_double(const char *text, size_t len, int shift) {
  char buf[96];

  if (len > sizeof buf - 16) {
    return strtod(text, NULL) * (shift == -2 ? 0.01 : 1);
  }
  memcpy(buf, text, len);
  buf[len] = '\0';
  if (shift != 0 && strpbrk(buf, "eE") == NULL) {
    snprintf(buf + len, sizeof buf - len, "e%d", shift);
    return strtod(buf, NULL);
  }
  return shift == 0 ? strtod(buf, NULL) : strtod(buf, NULL) / 100;
}

static const unit *unit_find(unit_kind kind, const char *name, size_t len) {
  for (size_t i = 0; i < NUNITS; i++) {
    if (units[i].kind == kind && strlen(units[i].name) == len &&
        memcmp(units[i].name, name, len) == 0) {
      return &units[i];
    }
  }
  return NULL;
}

static unit_fault finish_double(unit_kind kind, const char *text, size_t len,
                                const char *suffix, size_t nsuffix,
                                quantity *out) {
  bool percent = kind == UNIT_FRACTION && nsuffix == 1 && suffix[0] == '%';
  const unit *u = NULL;

  if (kind == UNIT_EVENTS) {
    u = unit_find(kind, suffix, nsuffix);
    if (u == NULL) {
      return nsuffix == 0 ? UNIT_MISSING : UNIT_UNKNOWN;
    }
  } else if (nsuffix > 0 && !percent) {
    return UNIT_UNKNOWN;
  }
  out->f = to_double(text, len, percent ? -2 : 0);
  if (u != NULL) {
    out->f /= (double)u->den;
  }
  if (!(out->f < 1e300 && out->f > -1e300)) {
    return UNIT_LARGE;
  }
  return out->f < 0 ? UNIT_NEGATIVE : UNIT_GOOD;
}

static unit_fault finish_count(const decimal *d, size_t nsuffix,
                               quantity *out) {
  if (nsuffix > 0) {
    return UNIT_UNKNOWN;
  }
  unit_fault fault = scale(d, 1, 1, &out->n);
  decimal whole = *d;
  while (whole.exp < 0 && whole.m % 10 == 0 && whole.m > 0) {
    whole.m /= 10;
    whole.exp++;
  }
  if (fault != UNIT_LARGE && whole.m > 0 && whole.exp < 0) {
    return UNIT_NOT_WHOLE;
  }
  return fault;
}

unit_fault unit_parse(unit_kind kind, const char *text, quantity *out) {
  decimal d;
  unit_fault fault;

  *out = (quantity){0};
  if (kind == UNIT_RATE && strcmp(text, "unlimited") == 0) {
    out->n = XL_RATE_UNLIMITED;
    out->f = (double)XL_RATE_UNLIMITED;
    return UNIT_GOOD;
  }
  if (!decimal_parse(text, &d)) {
    return UNIT_NOT_NUMBER;
  }
  const char *suffix = text + d.len;
  suffix += strspn(suffix, " ");
  size_t nsuffix = strlen(suffix);
  if (kind == UNIT_FRACTION || kind == UNIT_NUMBER || kind == UNIT_EVENTS) {
    return finish_double(kind, text, d.len, suffix, nsuffix, out);
  }
  if (kind == UNIT_COUNT) {
    fault = finish_count(&d, nsuffix, out);
  } else {
    const unit *u = unit_find(kind, suffix, nsuffix);
    if (u == NULL) {
      return nsuffix == 0 ? UNIT_MISSING : UNIT_UNKNOWN;
    }
    fault = scale(&d, u->num, u->den, &out->n);
    if (kind == UNIT_TIME && out->n >= (uint64_t)XL_NEVER) {
      fault = UNIT_LARGE;
    }
  }
  out->f = (double)out->n;
  out->negative = d.negative && out->n > 0;
  return fault == UNIT_GOOD && out->negative ? UNIT_NEGATIVE : fault;
}

const char *unit_expected(unit_kind kind) {
  return expected[kind];
}

void unit_list(unit_kind kind, char *buf, size_t len) {
  size_t used = 0;

  buf[0] = '\0';
  for (size_t i = 0; i < NUNITS; i++) {
    bool alias = strncmp(units[i].name, "kB", 2) == 0; /* as KB */
    if (units[i].kind == kind && !alias && used < len) {
      used += (size_t)snprintf(buf + used, len - used, "%s%s",
                               used > 0 ? ", " : "", units[i].name);
    }
  }
}

const char *unit_near(unit_kind kind, const char *text) {
  const char *names[NUNITS];
  size_t n = 0;
  decimal d;

  if (!decimal_parse(text, &d)) {
    return NULL;
  }
  for (size_t i = 0; i < NUNITS; i++) {
    if (units[i].kind == kind) {
      names[n++] = units[i].name;
    }
  }
  text += d.len;
  return nearest_word(text + strspn(text, " "), names, n);
}

void unit_complain(unit_fault fault, const char *text, char *buf, size_t len) {
  switch (fault) {
  case UNIT_GOOD:
  case UNIT_NOT_NUMBER:
    snprintf(buf, len, "'%.60s' is not a number", text);
    break;
  case UNIT_MISSING:
    snprintf(buf, len, "'%.60s' has no unit", text);
    break;
  case UNIT_UNKNOWN:
    snprintf(buf, len, "'%.60s' has an unknown unit", text);
    break;
  case UNIT_NEGATIVE:
    snprintf(buf, len, "'%.60s' is negative", text);
    break;
  case UNIT_LARGE:
    snprintf(buf, len, "'%.60s' is too large", text);
    break;
  case UNIT_SMALL:
    snprintf(buf, len, "'%.60s' is too small", text);
    break;
  case UNIT_NOT_WHOLE:
    snprintf(buf, len, "'%.60s' is not a whole number", text);
    break;
  }
}

void unit_print(unit_kind kind, uint64_t n, char *buf, size_t len) {
  const unit *best = NULL;

  if (kind == UNIT_RATE && n == XL_RATE_UNLIMITED) {
    snprintf(buf, len, "unlimited");
    return;
  }
  for (size_t i = 0; i < NUNITS; i++) {
    const unit *u = &units[i];
    if (u->kind == kind && u->out && n % u->num == 0 &&
        (best == NULL || (n > 0 && u->num > best->num) ||
         (n == 0 && u->num < best->num))) {
      best = u;
    }
  }
  snprintf(buf, len, "%llu%s",
           (unsigned long long)(best != NULL ? n / best->num : n),
           best != NULL ? best->name : "");
}

void unit_print_number(double f, char *buf, size_t len) {
  for (int digits_out = 6; digits_out <= 17; digits_out++) {
    snprintf(buf, len, "%.*g", digits_out, f);
    if (strtod(buf, NULL) == f) {
      return;
    }
  }
}

/* ---- the public face -------------------------------------------------- */

static bool whole(unit_kind kind, const char *text, uint64_t *out,
                  const char **expect) {
  quantity q;

  *expect = expected[kind];
  if (unit_parse(kind, text, &q) != UNIT_GOOD) {
    return false;
  }
  *out = q.n;
  return true;
}

bool unit_time(const char *text, xl_span *out, const char **expect) {
  uint64_t n;

  if (!whole(UNIT_TIME, text, &n, expect)) {
    return false;
  }
  *out = (xl_span)n;
  return true;
}

bool unit_bytes(const char *text, xl_bytes *out, const char **expect) {
  return whole(UNIT_BYTES, text, out, expect);
}

bool unit_rate(const char *text, xl_rate *out, const char **expect) {
  return whole(UNIT_RATE, text, out, expect);
}

bool unit_count(const char *text, uint64_t *out, const char **expect) {
  return whole(UNIT_COUNT, text, out, expect);
}

bool unit_fraction(const char *text, double *out, const char **expect) {
  quantity q;

  *expect = expected[UNIT_FRACTION];
  if (unit_parse(UNIT_FRACTION, text, &q) != UNIT_GOOD || q.f > 1) {
    return false;
  }
  *out = q.f;
  return true;
}
