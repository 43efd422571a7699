/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a spool to an HDF5 file. */
#ifndef RECORD_CONVERT_H
#define RECORD_CONVERT_H

#include "record/h5out.h"
#include "record/spool.h"

/* Begins |t| in |o| and copies its |nrows| rows from the spool. That the spool
   has fewer is an error that |o| tells when the table ends. */
void convert_table(h5out *o, spool_reader *from, enum schema_table t,
                   uint64_t nrows);

/* Rows of each table in the spool. */
void convert_count(spool_reader *from, uint64_t nrows[SCHEMA_NTABLES]);

#endif
