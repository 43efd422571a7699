/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a comparison is written as: a terminal table, JSON, compare.h5.
 */
#ifndef ANALYSIS_COMPARE_TABLE_H
#define ANALYSIS_COMPARE_TABLE_H

#include "analysis/study.h"

/* The table, 100 columns wide; colour only when |out| is a terminal and
   NO_COLOR is not set. */
void compare_table(const study *st, FILE *out);

/* An array of one object per policy, the keys of `run --json` with means over
   seeds, and the paired statistics. */
bool compare_json(const study *st, FILE *out, fail *why);

/* compare.h5: /runs, /means, /paired and what is needed to make the report
   again. Paths of traces below |dir| are stored relative to it. */
bool compare_h5_write(const study *st, const char *path, const char *dir,
                      fail *why);

/* A comparison read back from compare.h5: the input of compare_write with
   paths below |dir|. Free with compare_h5_free. */
typedef struct compare_stored {
  compare_input in;
  char **texts; /* everything |in| points to, owned */
  size_t ntexts;
  compare_run *runs;
  const char **policies;
} compare_stored;
bool compare_h5_read(compare_stored *out, const char *path, const char *dir,
                     fail *why);
void compare_h5_free(compare_stored *s); /* a zeroed one is fine */

#endif
