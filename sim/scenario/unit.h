/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quantities as users write them: a decimal number and a unit. Whole numbers
 * are exact: 1.5GiB is 1610612736, whatever a double would say; what does not
 * come out whole is rounded to nearest once.
 */
#ifndef SCENARIO_UNIT_H
#define SCENARIO_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum unit_kind {
  UNIT_TIME,     /* n: ns */
  UNIT_BYTES,    /* n: bytes */
  UNIT_RATE,     /* n: bytes/s; "unlimited" is UINT64_MAX */
  UNIT_FRACTION, /* f: 0.3 or 30%; any size, ranges are the caller's */
  UNIT_NUMBER,   /* f */
  UNIT_COUNT,    /* n */
  UNIT_EVENTS,   /* f: per second; 5000/s, 20/h */
  UNIT_NKINDS
} unit_kind;

typedef enum unit_fault {
  UNIT_GOOD,
  UNIT_NOT_NUMBER,
  UNIT_MISSING, /* a number without its unit */
  UNIT_UNKNOWN,
  UNIT_NEGATIVE, /* out->negative is set and out->n is the absolute value */
  UNIT_LARGE,
  UNIT_SMALL,    /* not zero, but rounds to it */
  UNIT_NOT_WHOLE /* a count with a fraction */
} unit_fault;

typedef struct quantity {
  uint64_t n;
  double f; /* also set for whole kinds: (double)n */
  bool negative;
} quantity;

unit_fault unit_parse(unit_kind kind, const char *text, quantity *out);
/* "a time such as 90s, 4h or 2d" */
const char *unit_expected(unit_kind kind);
/* All units of a kind, "ns, us, ms, ..."; "" when it has none. */
void unit_list(unit_kind kind, char *buf, size_t len);
/* The unit nearest to the one of |text|, or NULL. */
const char *unit_near(unit_kind kind, const char *text);
/* What is wrong with |text|: "'12' has no unit", without the expectation. */
void unit_complain(unit_fault fault, const char *text, char *buf, size_t len);
/* Writes a whole quantity back in the largest unit that keeps it exact. */
void unit_print(unit_kind kind, uint64_t n, char *buf, size_t len);
/* The shortest decimal that reads back as |f|. */
void unit_print_number(double f, char *buf, size_t len);

#endif
