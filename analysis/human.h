/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for people: s/min/h/d, KiB..TiB, kbit/s..Gbit/s, %, with three
 * significant digits. A scale is chosen once for all numbers that stand
 * together, so that a column has one unit and one number of decimals.
 *
 * Units: the strings of metrics[] ("s", "B", "B/s", "1") and "%" for a ratio
 * that is shown in per cent, "pp" for a difference of two of these.
 */
#ifndef ANALYSIS_HUMAN_H
#define ANALYSIS_HUMAN_H

#include <stddef.h>
#include <stdio.h>

typedef struct scale {
  const char *unit; /* as printed: "min", "GiB", "" */
  double factor;    /* printed = value * factor */
  int decimals;
} scale;

/* A string that fits every number of this header. */
enum { HUMAN_LEN = 40 };

/* The scale for values whose absolute sizes go from |small| (the smallest that
   is not 0) to |large|. Values that are not finite count as 0. */
scale scale_for(const char *unit, double small, double large);

/* The number without its unit: "-" for NaN, ">" for infinity. |sign|: with a
   '+' when positive. Returns |buf|, which holds HUMAN_LEN. */
const char *scale_text(char *buf, scale s, double v, int sign);

/* The number with a unit of its own: "2.10 h", "87.1 %", "2.10 h". */
const char *human(char *buf, const char *unit, double v);
/* A length of scenario time, short: "12h", "90min", "30d". */
const char *human_span(char *buf, double seconds);
/* A p-value: "0.012", "< 0.001"; "-" for NaN. */
const char *human_p(char *buf, double p);

/* Columns of |text| on a terminal: UTF-8 sequences count once. */
size_t human_width(const char *text);
/* Prints |text| padded to |width| columns, flush right when |width| < 0. */
void human_pad(FILE *out, const char *text, int width);

#endif
