/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/convert.h"

#include <stdlib.h>
#include <string.h>

static bool own_layout(const packed_layout *l, enum schema_table t) {
  packed_layout own;

  packed_own_layout(t, &own);
  return memcmp(&own, l, sizeof own) == 0;
}

/* Rows of an older schema go through row structs. */
static void copy_old(h5out *o, enum schema_table t, const packed_layout *l,
                     const uint8_t *rows, size_t n) {
  void *now = calloc(n, schema_tables[t].row_size);

  if (now != NULL) {
    packed_unpack(t, l, rows, n, now);
    h5out_rows(o, now, n);
  }
  free(now);
}

void convert_table(h5out *o, spool_reader *from, enum schema_table t,
                   uint64_t nrows) {
  const uint8_t *rows;
  enum schema_table at;
  size_t n;
  bool own = own_layout(&from->layout[t], t);

  if (!h5out_table(o, t, nrows) || nrows == 0) {
    return;
  }
  spool_rewind(from);
  while (spool_next(from, &at, &rows, &n)) {
    if (at != t) {
      continue;
    }
    if (own) {
      h5out_packed(o, rows, n);
    } else {
      copy_old(o, t, &from->layout[t], rows, n);
    }
  }
}

void convert_count(spool_reader *from, uint64_t nrows[SCHEMA_NTABLES]) {
  const uint8_t *rows;
  enum schema_table t;
  size_t n;

  memset(nrows, 0, SCHEMA_NTABLES * sizeof *nrows);
  spool_rewind(from);
  while (spool_next(from, &t, &rows, &n)) {
    nrows[t] += n;
  }
}
