/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/h5in.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "record/io.h"
#include "record/packed.h"
#include "record/seal.h"

#define BATCH 16384u /* rows */

struct h5in {
  char *path;
  hid_t file;
  meta about;
};

/* ---- attributes
 * -------------------------------------------------------------- */

/* The value of a fixed string, read by |attr| or |set|; NULL if it is not one.
 */
static char *read_text(hid_t attr, hid_t set) {
  hid_t type = attr >= 0 ? H5Aget_type(attr) : H5Dget_type(set);
  hid_t space = attr >= 0 ? H5Aget_space(attr) : H5Dget_space(set);
  size_t len = H5Tget_size(type);
  char *s = NULL;

  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
      H5Sget_simple_extent_npoints(space) == 1 && len < (1u << 30)) {
    s = calloc(1, len + 1);
  }
  if (s != NULL &&
      (attr >= 0 ? H5Aread(attr, type, s)
                 : H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s)) < 0) {
    free(s);
    s = NULL;
  }
  H5Sclose(space);
  H5Tclose(type);
  return s;
}

static char *attribute_text(hid_t file, const char *name) {
  if (H5Aexists(file, name) <= 0) {
    return NULL;
  }
  hid_t a = H5Aopen(file, name, H5P_DEFAULT);
  char *s = a >= 0 ? read_text(a, -1) : NULL;
  if (a >= 0) {
    H5Aclose(a);
  }
  return s;
}

static char *dataset_text(hid_t file, const char *name) {
  if (H5Lexists(file, name, H5P_DEFAULT) <= 0) {
    return NULL;
  }
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  char *s = set >= 0 ? read_text(-1, set) : NULL;
  if (set >= 0) {
    H5Dclose(set);
  }
  return s;
}

static bool attribute_u64(hid_t file, const char *name, uint64_t *value) {
  *value = 0;
  if (H5Aexists(file, name) <= 0) {
    return false;
  }
  hid_t a = H5Aopen(file, name, H5P_DEFAULT);
  hid_t space = a >= 0 ? H5Aget_space(a) : -1;
  bool good = a >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(a, H5T_NATIVE_UINT64, value) >= 0;
  if (space >= 0) {
    H5Sclose(space);
  }
  if (a >= 0) {
    H5Aclose(a);
  }
  return good;
}

static uint32_t level_named(const char *name) {
  for (uint32_t i = 0; i <= LEVEL_EVENTS; i++) {
    if (strcmp(name, meta_level_name(i)) == 0) {
      return i;
    }
  }
  return LEVEL_SUMMARY;
}

static bool is_format(hid_t file) {
  char *format = attribute_text(file, "format");
  bool good = format != NULL && strcmp(format, "xferlab trace") == 0;

  free(format);
  return good;
}

static bool read_meta(h5in *f, fail *why) {
  uint64_t schema, complete;

  if (!is_format(f->file) || !attribute_u64(f->file, "schema", &schema)) {
    return fail_set(why, EXIT_USAGE, "%s: not a trace of xferlab", f->path);
  }
  if (schema > SCHEMA_VERSION) {
    return fail_set(why, EXIT_USAGE,
                    "%s: has trace schema %llu, newer than this xferlab's %d: "
                    "use the xferlab that wrote it",
                    f->path, (unsigned long long)schema, SCHEMA_VERSION);
  }
  attribute_u64(f->file, "complete", &complete);
  attribute_u64(f->file, "seed", &f->about.seed);
  f->about.schema = (uint32_t)schema;
  f->about.complete = complete != 0;
  char *level = attribute_text(f->file, "level");
  f->about.level = level != NULL ? level_named(level) : LEVEL_SUMMARY;
  free(level);
  for (int i = 0; i < META_NTEXTS; i++) {
    enum meta_text k = (enum meta_text)i;
    char *s = meta_big(k) ? dataset_text(f->file, meta_name(k))
                          : attribute_text(f->file, meta_name(k));
    f->about.text[i] = s != NULL ? s : calloc(1, 1);
    if (f->about.text[i] == NULL) {
      return fail_set(why, EXIT_RUN_FAILED, "out of memory");
    }
  }
  return true;
}

const meta *h5in_meta(const h5in *f) {
  return &f->about;
}

/* ---- tables
 * ------------------------------------------------------------------ */

static char letter(hid_t type) {
  switch (H5Tget_class(type)) {
  case H5T_INTEGER:
    return H5Tget_sign(type) == H5T_SGN_2 ? 'i' : 'u';
  case H5T_FLOAT:
    return 'f';
  case H5T_STRING:
    return H5Tis_variable_str(type) > 0 ? '?' : 's';
  case H5T_ENUM:
    return 'e';
  case H5T_NO_CLASS:
  case H5T_TIME:
  case H5T_BITFIELD:
  case H5T_OPAQUE:
  case H5T_COMPOUND:
  case H5T_REFERENCE:
  case H5T_VLEN:
  case H5T_ARRAY:
  case H5T_NCLASSES:
    break;
  }
  return '?';
}

static bool add_field(packed_layout *l, hid_t row, unsigned i) {
  char *name = H5Tget_member_name(row, i);
  hid_t type = H5Tget_member_type(row, i);
  packed_field *f = &l->field[l->nfields++];
  bool good = name != NULL && type >= 0 && strlen(name) < sizeof f->name;

  if (good) {
    memcpy(f->name, name, strlen(name) + 1);
    f->type = letter(type);
    f->at = (uint32_t)H5Tget_member_offset(row, i);
    f->size = (uint32_t)H5Tget_size(type);
    good = (f->type != 'i' && f->type != 'u' && f->type != 'f') ||
           f->size == 1 || H5Tget_order(type) == H5T_ORDER_LE;
  }
  if (type >= 0) {
    H5Tclose(type);
  }
  H5free_memory(name);
  return good;
}

/* How rows lie in the file; false: not as a trace's table can. */
static bool layout_of(hid_t row, enum schema_table t, packed_layout *l) {
  memset(l, 0, sizeof *l);
  if (H5Tget_class(row) != H5T_COMPOUND) {
    return false;
  }
  int n = H5Tget_nmembers(row);
  l->row_size = (uint32_t)H5Tget_size(row);
  if (n < 0 || n > PACKED_FIELD_MAX) {
    return false;
  }
  for (int i = 0; i < n; i++) {
    if (!add_field(l, row, (unsigned)i)) {
      return false;
    }
  }
  return packed_fits(t, l);
}

static bool read_batch(hid_t set, hid_t row, hid_t there, hsize_t at, hsize_t n,
                       void *to) {
  hid_t here = H5Screate_simple(1, &n, NULL);
  bool good =
      H5Sselect_hyperslab(there, H5S_SELECT_SET, &at, NULL, &n, NULL) >= 0 &&
      H5Dread(set, row, here, there, H5P_DEFAULT, to) >= 0;

  H5Sclose(here);
  return good;
}

static bool read_rows(hid_t set, hid_t row, hid_t space, enum schema_table t,
                      const packed_layout *l, void *rows, hsize_t n) {
  uint8_t *batch = malloc((size_t)BATCH * l->row_size);
  bool good = batch != NULL;
  uint8_t *to = rows;

  for (hsize_t at = 0; good && at < n; at += BATCH) {
    hsize_t k = n - at < BATCH ? n - at : BATCH;
    good = read_batch(set, row, space, at, k, batch);
    if (good) {
      packed_unpack(t, l, batch, (size_t)k, to);
      to += (size_t)k * schema_tables[t].row_size;
    }
  }
  free(batch);
  return good;
}

static bool read_set(hid_t set, enum schema_table t, void **rows, size_t *n) {
  packed_layout l;
  hsize_t count = 0;
  hid_t row = H5Dget_type(set), space = H5Dget_space(set);
  bool good = row >= 0 && space >= 0 &&
              H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &count, NULL) == 1 &&
              layout_of(row, t, &l);

  if (good && count > 0) {
    size_t size = schema_tables[t].row_size;
    *rows = count < SIZE_MAX / size ? malloc((size_t)count * size) : NULL;
    good = *rows != NULL && read_rows(set, row, space, t, &l, *rows, count);
    *n = (size_t)count;
  }
  if (space >= 0) {
    H5Sclose(space);
  }
  if (row >= 0) {
    H5Tclose(row);
  }
  return good;
}

bool h5in_table(h5in *f, enum schema_table t, void **rows, size_t *n,
                bool *present, fail *why) {
  const char *name = schema_tables[t].name;

  *rows = NULL;
  *n = 0;
  *present = H5Lexists(f->file, name, H5P_DEFAULT) > 0;
  if (!*present) {
    return true;
  }
  hid_t set = H5Dopen2(f->file, name, H5P_DEFAULT);
  bool good = set >= 0 && read_set(set, t, rows, n);
  if (set >= 0) {
    H5Dclose(set);
  }
  if (!good) {
    free(*rows);
    *rows = NULL;
    *n = 0;
    return fail_set(why, EXIT_USAGE,
                    "%s: /%s cannot be read: the file is damaged, or the table "
                    "is not one of a trace",
                    f->path, name);
  }
  return true;
}

/* ---- the file
 * ---------------------------------------------------------------- */

static bool seal_fits(const char *path, fail *why) {
  switch (seal_check(path, false)) {
  case SEAL_GOOD:
  case SEAL_NONE:
    return true;
  case SEAL_BROKEN:
    return fail_set(why, EXIT_USAGE,
                    "%s: a trace that was truncated, damaged or changed since "
                    "it was written (its checksum does not fit)",
                    path);
  case SEAL_FOREIGN:
    return fail_set(why, EXIT_USAGE, "%s: not a trace of xferlab", path);
  case SEAL_ABSENT:
    return fail_set(why, EXIT_USAGE, "%s: no such file", path);
  case SEAL_UNREAD:
    break;
  }
  return fail_set(why, EXIT_USAGE, "%s: cannot be read: %s", path,
                  strerror(errno));
}

h5in *h5in_open(const char *path, fail *why) {
  if (!seal_fits(path, why)) {
    return NULL;
  }
  h5in *f = calloc(1, sizeof *f);
  if (f == NULL || (f->path = io_path(path, "")) == NULL) {
    free(f);
    fail_set(why, EXIT_RUN_FAILED, "out of memory");
    return NULL;
  }
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  f->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (f->file < 0) {
    fail_set(why, EXIT_USAGE, "%s: cannot be opened as an HDF5 file", path);
  } else if (read_meta(f, why)) {
    return f;
  }
  h5in_close(f);
  return NULL;
}

void h5in_close(h5in *f) {
  if (f == NULL) {
    return;
  }
  if (f->file >= 0) {
    H5Fclose(f->file);
  }
  meta_fini(&f->about);
  free(f->path);
  free(f);
}

static bool is_trace(const char *path) {
  h5in *f = h5in_open(path, &(fail){0});

  h5in_close(f);
  return f != NULL;
}

bool h5in_may_replace(const char *path, fail *why) {
  seal_state s = seal_check(path, true);

  if (s == SEAL_GOOD || s == SEAL_ABSENT ||
      (s == SEAL_NONE && is_trace(path))) {
    return true;
  }
  if (s == SEAL_UNREAD) {
    return fail_set(why, EXIT_USAGE, "%s: cannot be read: %s", path,
                    strerror(errno));
  }
  return fail_set(why, EXIT_USAGE,
                  "%s: exists and is not a trace of xferlab; it is not "
                  "overwritten",
                  path);
}
