/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a whole trace file. It is written under another name (FILE.tmp),
 * sealed and renamed, so FILE is a whole HDF5 file at every moment, and its
 * bytes depend on what is written alone: rows go in batches of fixed size, and
 * no object has a time.
 */
#ifndef RECORD_H5OUT_H
#define RECORD_H5OUT_H

#include "record/meta.h"

#define H5OUT_CHUNK 4096u /* rows */

typedef struct h5out h5out;

/* Begins |path|.tmp and writes what |m| says. NULL with errno. */
h5out *h5out_open(const char *path, const meta *m);
/* Begins the dataset of |t|, which will get |nrows| rows. */
bool h5out_table(h5out *o, enum schema_table t, uint64_t nrows);
/* Appends |n| packed rows to the table that was begun. */
bool h5out_packed(h5out *o, const uint8_t *rows, size_t n);
/* Appends |n| row structs. */
bool h5out_rows(h5out *o, const void *rows, size_t n);
/* Seals the file and renames it to |path|. False, with errno, when anything
   failed since h5out_open; |path| is then as it was. Frees |o|. */
bool h5out_close(h5out *o);
/* Gives up; |path| stays as it was. */
void h5out_abort(h5out *o);

#endif
