/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder: typed rows in, one HDF5 file out (docs/trace.md).
 *
 * Rows go to an append-only, checksummed spool beside the file (FILE.spool),
 * written at least once a second. FILE itself holds the header and empty tables
 * until record_close writes all of it under another name, renames it and
 * deletes the spool; so it can be opened at any time, and its bytes do not
 * depend on wall time. Rows of tables below the chosen level are kept in memory
 * only, for the summary.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stddef.h>

#include "record/schema.h"
#include "util/fail.h"

typedef enum record_level {
  LEVEL_SUMMARY,   /* summary, world, sites, origins, contents, links */
  LEVEL_SERIES,    /* + series, link_rates */
  LEVEL_FILES,     /* + devices, held, capacity, jobs, files */
  LEVEL_TRANSFERS, /* + transfers */
  LEVEL_EVENTS     /* + events */
} record_level;

/* Root attributes: what is needed to run it again. Nothing of host, time,
   compiler or cost. */
typedef struct record_header {
  const char *scenario_name;
  const char *scenario_text;  /* as read, with --set applied (canonical YAML) */
  const char *policy;         /* name */
  const char *params;         /* JSON object: every parameter and its value */
  const char *network;        /* name */
  const char *network_params; /* JSON object */
  uint64_t seed;
  const char *command; /* canonical: no output path, -j or --json */
  const char *version; /* of xferlab; NULL: left empty */
} record_header;

typedef struct record record;

/* Creates FILE (never over an existing file that is not a trace, nor one that
   another run is writing). |path| NULL: nothing is written, rows are kept in
   memory only. NULL on failure. A process with a file-size limit should ignore
   SIGXFSZ, to be told of it. */
record *record_open(const char *path, record_level level,
                    const record_header *header, fail *why);

/* Appends |n| rows. Never fails at once: a full disk is remembered and told by
   record_status and record_close. */
void record_rows(record *r, enum schema_table t, const void *rows, size_t n);

/* False once writing has failed (full disk, I/O error). Cheap. */
bool record_status(record *r, fail *why);

/* Writes the spool when a second of wall time has passed since the last time;
   call often. */
void record_tick(record *r);

/* The in-memory tables (all but transfers and events), for the summary. */
const void *record_table(const record *r, enum schema_table t, size_t *n);

/* Writes the last rows, marks the file complete or not, deletes the spool.
   On failure the spool stays. Frees |r| either way. */
bool record_close(record *r, bool complete, fail *why);

/* Rebuilds FILE from FILE.spool after a kill and deletes the spool. Rows of a
   torn tail are left out. |*rows|: how many were recovered. The file says it is
   incomplete; a FILE that is complete already is left as it is, with 0 rows. */
bool record_recover(const char *path, uint64_t *rows, fail *why);

/* ---- reading ------------------------------------------------------------ */

/* A trace in memory: tables by schema order; absent ones have n 0. Fields that
   an older schema lacks are 0. */
typedef struct trace {
  unsigned schema;
  bool complete;
  char *scenario_name, *scenario_text, *policy, *params, *network,
      *network_params, *version, *command; /* owned */
  uint64_t seed;
  struct {
    void *rows; /* row structs of schema.h; owned */
    size_t n;
    bool present;
  } table[SCHEMA_NTABLES];
} trace;

/* Tables of the trace that are not in |mask| (bit 1 << schema_table) are not
   read. When FILE.spool exists (a killed run), it is recovered first, in
   memory. False: not a trace, newer schema, damaged; |why| says which. */
bool trace_read(trace *t, const char *path, uint32_t mask, fail *why);
void trace_free(trace *t); /* a zeroed trace is fine */

#define TRACE_ALL UINT32_MAX
#define TRACE_ROWS(t, NAME, type)                                              \
  ((const row_##type *)(t)->table[SCHEMA_##NAME].rows)

#endif
