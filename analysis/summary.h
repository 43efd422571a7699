/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics of one run (docs/metrics.md), computed from the rows of its
 * tables, whether these are still in memory or were read from a trace: a metric
 * is defined here, once.
 */
#ifndef ANALYSIS_SUMMARY_H
#define ANALYSIS_SUMMARY_H

#include <stddef.h>

#include "record/schema.h"

typedef struct tables {
  struct {
    const void *rows;
    size_t n;
  } t[SCHEMA_NTABLES];
} tables;

#define TABLE_OF(tb, NAME, type)                                               \
  ((const row_##type *)(tb)->t[SCHEMA_##NAME].rows)
#define TABLE_N(tb, NAME) ((tb)->t[SCHEMA_##NAME].n)

/* All columns of /summary. NaN where undefined. */
void summary_compute(const tables *tb, row_summary *out);

/* The lower bound on the makespan (references 1.1) and its binding term. Valid
   under arrivals, churn, held copies, sites and capacity changes: every term is
   bytes that must cross a cut over the largest capacity of the cut. */
double bound_makespan_s(const tables *tb, enum bound_term *binding);

/* The |q|-quantile (0..1) of |n| sorted values: type 7 (linear between order
   statistics); infinities stay infinite. n > 0. */
double quantile_sorted(const double *sorted, size_t n, double q);

/* A metric by name: every numeric column of /summary, with its unit, whether
   smaller is better (-1), larger (+1) or neither (0), and its text. */
typedef struct metric {
  const char *name;
  const char *unit; /* "s", "B", "B/s", "1" */
  int better;
  const char *text;
} metric;
extern const metric metrics[];
extern const size_t nmetrics;
double metric_value(const row_summary *s, const char *name);

#endif
