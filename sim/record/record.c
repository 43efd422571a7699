/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run being recorded. Three places hold rows:
 *
 *   memory  all tables but transfers and events, for the summary
 *   spool   what the level asks for, safe from a kill
 *   FILE    header and empty tables until the end, then everything
 *
 * FILE is replaced in one step by record_close, so it can always be opened.
 */
#include "record/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "record/convert.h"
#include "record/h5in.h"
#include "record/h5out.h"
#include "record/io.h"
#include "record/meta.h"
#include "record/spool.h"

typedef struct kept {
  void *rows;
  size_t n, cap;
} kept;

struct record {
  meta about;
  char *path, *spool_path; /* NULL: nothing is written */
  spool *spool;
  int64_t flushed_ns;
  kept table[SCHEMA_NTABLES];
  uint64_t nrows[SCHEMA_NTABLES]; /* given to the spool */
  fail why;                       /* status 0: all is well */
};

static int64_t wall_ns(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- opening
 * ------------------------------------------------------------------- */

/* Writes the trace that a reader finds until the run ends: no rows. */
static bool write_empty(const char *path, const meta *m) {
  h5out *o = h5out_open(path, m);

  for (int t = 0; o != NULL && t < SCHEMA_NTABLES; t++) {
    if (meta_on_disk((enum schema_table)t, (record_level)m->level)) {
      h5out_table(o, (enum schema_table)t, 0);
    }
  }
  return o != NULL && h5out_close(o);
}

static bool open_files(record *r, const char *path, fail *why) {
  r->path = io_path(path, "");
  r->spool_path = io_path(path, ".spool");
  if (r->path == NULL || r->spool_path == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "out of memory");
  }
  if (!h5in_may_replace(path, why)) {
    return false;
  }
  r->spool = spool_open(r->spool_path, why);
  if (r->spool == NULL) {
    return false;
  }
  bool fresh = lseek(spool_fd(r->spool), 0, SEEK_END) == 0;
  if (!write_empty(path, &r->about) || !spool_start(r->spool, &r->about)) {
    io_write_failed(why, path, errno, NULL);
    spool_close(r->spool, fresh);
    r->spool = NULL;
    return false;
  }
  return true;
}

static void free_record(record *r) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    free(r->table[t].rows);
  }
  meta_fini(&r->about);
  free(r->path);
  free(r->spool_path);
  free(r);
}

record *record_open(const char *path, record_level level,
                    const record_header *header, fail *why) {
  record *r = calloc(1, sizeof *r);

  if (r == NULL) {
    fail_set(why, EXIT_RUN_FAILED, "out of memory");
    return NULL;
  }
  if (!meta_init(&r->about, header, level, why) ||
      (path != NULL && !open_files(r, path, why))) {
    free_record(r);
    return NULL;
  }
  r->flushed_ns = wall_ns();
  return r;
}

/* ---- rows
 * ------------------------------------------------------------------------ */

static bool in_memory(enum schema_table t) {
  return t != SCHEMA_TRANSFERS && t != SCHEMA_EVENTS;
}

static bool keep(kept *k, size_t row_size, const void *rows, size_t n) {
  if (n > k->cap - k->n) {
    size_t cap = k->cap * 2 > k->n + n ? k->cap * 2 : k->n + n;
    void *p = realloc(k->rows, cap * row_size);
    if (p == NULL) {
      return false;
    }
    k->rows = p;
    k->cap = cap;
  }
  memcpy((char *)k->rows + k->n * row_size, rows, n * row_size);
  k->n += n;
  return true;
}

static void spool_failed(record *r) {
  io_write_failed(&r->why, r->path, errno, r->spool_path);
}

void record_rows(record *r, enum schema_table t, const void *rows, size_t n) {
  if (n == 0) {
    return;
  }
  if (in_memory(t) && !keep(&r->table[t], schema_tables[t].row_size, rows, n)) {
    fail_set(&r->why, EXIT_RUN_FAILED, "out of memory for the rows of /%s",
             schema_tables[t].name);
  }
  if (r->spool == NULL || r->why.status != 0 ||
      !meta_on_disk(t, (record_level)r->about.level)) {
    return;
  }
  r->nrows[t] += n;
  if (!spool_rows(r->spool, t, rows, n)) {
    spool_failed(r);
  }
}

bool record_status(record *r, fail *why) {
  if (r->why.status == 0) {
    return true;
  }
  return fail_set(why, r->why.status, "%s", r->why.text);
}

void record_tick(record *r) {
  if (r->spool == NULL || r->why.status != 0) {
    return;
  }
  int64_t now = wall_ns();
  if (now - r->flushed_ns < 1000000000) {
    return;
  }
  r->flushed_ns = now;
  if (!spool_flush(r->spool)) {
    spool_failed(r);
  }
}

const void *record_table(const record *r, enum schema_table t, size_t *n) {
  *n = r->table[t].n;
  return r->table[t].rows;
}

/* ---- closing
 * --------------------------------------------------------------------- */

static bool write_all(record *r) {
  spool_reader from;

  if (!spool_flush(r->spool)) {
    return false;
  }
  if (spool_read(&from, spool_fd(r->spool), &r->why) != SPOOL_GOOD) {
    errno = EIO;
    return false;
  }
  h5out *o = h5out_open(r->path, &r->about);
  for (int i = 0; o != NULL && i < SCHEMA_NTABLES; i++) {
    enum schema_table t = (enum schema_table)i;
    if (!meta_on_disk(t, (record_level)r->about.level)) {
      continue;
    }
    if (in_memory(t)) {
      h5out_table(o, t, r->table[t].n);
      h5out_rows(o, r->table[t].rows, r->table[t].n);
    } else {
      convert_table(o, &from, t, r->nrows[t]);
    }
  }
  int e = errno;
  spool_read_end(&from);
  errno = e;
  return o != NULL && h5out_close(o);
}

bool record_close(record *r, bool complete, fail *why) {
  if (r == NULL) {
    return true;
  }
  r->about.complete = complete;
  if (r->spool != NULL) {
    if (r->why.status == 0 && !write_all(r)) {
      spool_failed(r);
    }
    spool_close(r->spool, r->why.status == 0);
  }
  bool good = record_status(r, why);
  free_record(r);
  return good;
}
