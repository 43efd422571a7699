/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The spool: FILE.spool, append only, beside the trace while a run is under
 * way. It holds a header frame (root attributes and the layout of each table)
 * and frames of packed rows of one table each:
 *
 *   magic u32 | kind u16 | 0 u16 | rows u32 | length u32 | hash u64 | payload
 *
 * The hash covers the first 16 bytes and the payload. A torn or damaged frame
 * ends the spool; every frame before it is good. Frames of one table are in the
 * order of its rows; where one frame ends depends on wall time and means
 * nothing. An advisory lock marks a spool whose run is alive.
 */
#ifndef RECORD_SPOOL_H
#define RECORD_SPOOL_H

#include "record/meta.h"
#include "record/packed.h"

typedef struct spool spool;

/* Opens or creates |path| and locks it; what is in it stays until spool_start.
   NULL: cannot be created, or another run is writing it. */
spool *spool_open(const char *path, fail *why);
/* Empties the spool and writes its header. errno on false. */
bool spool_start(spool *s, const meta *m);
/* Takes |n| row structs; written when 64 KiB are pending. errno on false, and
   on each later call. */
bool spool_rows(spool *s, enum schema_table t, const void *rows, size_t n);
/* Writes what is pending. */
bool spool_flush(spool *s);
/* The file, to be read with spool_read. */
int spool_fd(const spool *s);
/* Frees |s|; deletes the file if asked. */
void spool_close(spool *s, bool remove);

/* ---- reading --------------------------------------------------------------
 */

typedef struct spool_reader {
  int fd; /* borrowed */
  uint64_t at, end;
  uint64_t body; /* where the first frame of rows begins */
  meta about;    /* complete is false */
  packed_layout layout[SCHEMA_NTABLES]; /* nfields 0: table unknown to it */
  int table_of[64]; /* kind in the file -> schema_table, -1 unknown to us */
  uint8_t *buf;
  size_t buf_cap;
} spool_reader;

typedef enum spool_result {
  SPOOL_GOOD,
  SPOOL_NOTHING, /* no whole header in it: no row was recorded */
  SPOOL_BAD      /* |why| says what is wrong */
} spool_result;

spool_result spool_read(spool_reader *r, int fd, fail *why);
/* The next frame of rows; false at the end. |*rows| is valid until the next
   call. */
bool spool_next(spool_reader *r, enum schema_table *t, const uint8_t **rows,
                size_t *n);
void spool_rewind(spool_reader *r);
void spool_read_end(spool_reader *r);

/* True while the run that writes the spool |fd| is alive. */
bool spool_alive(int fd);

#endif
