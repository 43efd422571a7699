/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CSV file in memory: commas, optional double quotes, '#' starts a comment
 * line, blank lines do not count. Every row has as many cells as the first.
 */
#ifndef SCENARIO_CSV_H
#define SCENARIO_CSV_H

#include "scenario/arena.h"
#include "scenario/tree.h"

typedef struct csv_cell {
  const char *text;
  place at;
} csv_cell;

typedef struct csv {
  csv_cell *cell; /* rows x cols */
  size_t rows, cols;
} csv;

/* Parses |text|; errors name |file|, line and column. */
bool csv_parse(arena *a, const char *file, const char *text, size_t len,
               csv *out, fail *why);
/* The whole file, or NULL: *what says why not ("is a directory"). */
char *file_text(arena *a, const char *path, size_t max, size_t *len,
                const char **what);

#endif
