/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a trace file of any released schema. Columns are matched by name. The
 * seal is checked first: HDF5 never sees a damaged trace.
 */
#ifndef RECORD_H5IN_H
#define RECORD_H5IN_H

#include "record/meta.h"

typedef struct h5in h5in;

/* NULL: no such file, not a trace, a newer schema, damaged. */
h5in *h5in_open(const char *path, fail *why);
/* What the root says; owned by |f|. */
const meta *h5in_meta(const h5in *f);
/* All rows of |t| as row structs, malloc'ed. A table that the file lacks is
   not |*present|. */
bool h5in_table(h5in *f, enum schema_table t, void **rows, size_t *n,
                bool *present, fail *why);
void h5in_close(h5in *f);

/* Whether a run may write over |path|: it is a trace, or does not exist. */
bool h5in_may_replace(const char *path, fail *why);

#endif
