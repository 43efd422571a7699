/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison of policies over seeds: reads the traces of the runs and
 * writes the table (stdout), compare.json, compare.h5, figures and report.html
 * into a folder.
 */
#ifndef ANALYSIS_COMPARE_H
#define ANALYSIS_COMPARE_H

#include <stdio.h>

#include "analysis/summary.h"
#include "record/record.h"
#include "util/fail.h"

typedef struct compare_run {
  const char *policy; /* label: name or name:k=v,.. as given */
  uint64_t seed;
  const char *path; /* its trace, level files at least */
} compare_run;

typedef struct compare_input {
  const char *scenario; /* name */
  const char *network;
  const compare_run *runs; /* every policy has the same seeds */
  size_t nruns;
  const char *const *policies; /* labels, in the order to show; the first is
                                  the baseline */
  size_t npolicies;
  size_t nseeds;
  const char *dir;     /* where to write; exists */
  const char *command; /* canonical, for the report */
  bool json;           /* print JSON instead of the table */
} compare_input;

/* Everything above. Prints to |out|. */
bool compare_write(const compare_input *in, FILE *out, fail *why);

/* A report of one trace or a compare folder (report.html beside it). */
bool report_write(const char *path, char *report_path, size_t len, fail *why);

/* `why FILE`: origin bytes by reason; they add up to the bytes received from
   origins. |json|: as JSON. */
bool why_print(const char *path, bool json, FILE *out, fail *why);

/* `run --json`: one object (DESIGN 8) from a trace's rows. */
struct json_t;
struct json_t *summary_json(const row_summary *s, const trace *t);

#endif
