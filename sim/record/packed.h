/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed rows: the columns of a row one after the other, little endian, without
 * padding. This is how rows lie in the spool and in the HDF5 file. Packing
 * makes equal rows equal bytes: padding is left out, the rest of a string is
 * zeroed, and there is one NaN. Unpacking takes any layout, matched by column
 * name, so that traces of older schemas can be read.
 */
#ifndef RECORD_PACKED_H
#define RECORD_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/schema.h"

#define PACKED_FIELD_MAX 64 /* columns of a table */
#define PACKED_NAME_MAX 64  /* bytes of a column's name, with the 0 */
#define PACKED_ROW_MAX 65536

/* Bytes of a packed row of |t|. */
uint32_t packed_size(enum schema_table t);
/* Packs |n| row structs into |to|, n * packed_size(t) bytes. */
void packed_rows(enum schema_table t, const void *rows, size_t n, uint8_t *to);

/* A column somewhere else: in a file or a spool. */
typedef struct packed_field {
  char name[PACKED_NAME_MAX];
  char type;     /* as in schema_field */
  uint32_t at;   /* offset in the packed row */
  uint32_t size; /* bytes */
} packed_field;

typedef struct packed_layout {
  packed_field field[PACKED_FIELD_MAX];
  unsigned nfields;
  uint32_t row_size;
} packed_layout;

/* The layout that packed_rows makes. */
void packed_own_layout(enum schema_table t, packed_layout *l);
/* False when a column that |t| has is of another kind in |l|, or lies outside
   the row. */
bool packed_fits(enum schema_table t, const packed_layout *l);
/* Unpacks |n| rows of layout |l| (which fits) into row structs. Columns that
   |l| lacks become 0. */
void packed_unpack(enum schema_table t, const packed_layout *l,
                   const uint8_t *from, size_t n, void *rows);

#endif
