/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/h5out.h"

#include <assert.h>
#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/h5disk.h"
#include "record/io.h"
#include "record/packed.h"
#include "record/seal.h"

struct h5out {
  char *path, *tmp;
  hid_t file;
  int disk_error; /* errno of the first failed write; 0 none */
  int error;      /* of the first failure of any kind */
  /* the table that was begun */
  enum schema_table table;
  hid_t set, type;
  uint64_t nrows, done; /* will have, written */
  uint8_t *batch;       /* H5OUT_CHUNK rows */
  size_t nbatch;
};

/* Whether all is well. The driver tells of failed writes; |good| is false when
   HDF5 itself refused something, which has no errno. */
static bool check(h5out *o, bool good) {
  if (o->error == 0 && o->disk_error != 0) {
    o->error = o->disk_error;
  }
  if (o->error == 0 && !good) {
    o->error = EIO;
  }
  return o->error == 0;
}

/* ---- attributes
 * -------------------------------------------------------------- */

static hid_t text_type(size_t len) {
  hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, len > 0 ? len : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static void attribute(h5out *o, hid_t at, const char *name, hid_t type,
                      const void *value) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);

  check(o, a >= 0 && H5Awrite(a, type, value) >= 0);
  check(o, a < 0 || H5Aclose(a) >= 0);
  H5Sclose(space);
}

static void attribute_text(h5out *o, hid_t at, const char *name,
                           const char *text) {
  hid_t type = text_type(strlen(text));

  attribute(o, at, name, type, text);
  H5Tclose(type);
}

/* A text of any length: a scalar dataset. */
static void dataset_text(h5out *o, const char *name, const char *text) {
  hid_t type = text_type(strlen(text)), space = H5Screate(H5S_SCALAR);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_obj_track_times(plist, 0);
  hid_t set =
      H5Dcreate2(o->file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  check(o, set >= 0 &&
               H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
  check(o, set < 0 || H5Dclose(set) >= 0);
  H5Pclose(plist);
  H5Sclose(space);
  H5Tclose(type);
}

static void write_meta(h5out *o, const meta *m) {
  char hash[META_HASH_LEN];
  uint8_t complete = m->complete;
  uint32_t schema = SCHEMA_VERSION;

  attribute_text(o, o->file, "format", "xferlab trace");
  attribute(o, o->file, "schema", H5T_STD_U32LE, &schema);
  attribute(o, o->file, "complete", H5T_STD_U8LE, &complete);
  attribute_text(o, o->file, "level", meta_level_name(m->level));
  attribute(o, o->file, "seed", H5T_STD_U64LE, &m->seed);
  meta_hash(m, hash);
  attribute_text(o, o->file, "scenario_hash", hash);
  for (int i = 0; i < META_NTEXTS; i++) {
    enum meta_text k = (enum meta_text)i;
    if (meta_big(k)) {
      dataset_text(o, meta_name(k), m->text[i]);
    } else {
      attribute_text(o, o->file, meta_name(k), m->text[i]);
    }
  }
}

/* ---- tables
 * ------------------------------------------------------------------ */

static hid_t enum_type(const char *enumeration) {
  hid_t type = H5Tenum_create(H5T_STD_U8LE);
  const char *name;

  for (unsigned i = 0; (name = schema_enum_member(enumeration, i)) != NULL;
       i++) {
    H5Tenum_insert(type, name, &(uint8_t){(uint8_t)i});
  }
  return type;
}

static hid_t field_type(const schema_field *f) {
  switch (f->type) {
  case 's':
    return text_type(f->size);
  case 'e':
    return enum_type(f->enumeration);
  case 'f':
    return H5Tcopy(H5T_IEEE_F64LE);
  case 'i':
    return H5Tcopy(H5T_STD_I64LE);
  default:
    return H5Tcopy(f->size == 1   ? H5T_STD_U8LE
                   : f->size == 2 ? H5T_STD_U16LE
                   : f->size == 4 ? H5T_STD_U32LE
                                  : H5T_STD_U64LE);
  }
}

static hid_t row_type(enum schema_table t) {
  const schema_desc *d = &schema_tables[t];
  hid_t row = H5Tcreate(H5T_COMPOUND, packed_size(t));
  size_t at = 0;

  for (uint32_t i = 0; i < d->nfields; i++) {
    hid_t type = field_type(&d->fields[i]);
    H5Tinsert(row, d->fields[i].name, at, type);
    H5Tclose(type);
    at += d->fields[i].size;
  }
  assert(at == packed_size(t));
  return row;
}

static hid_t create_set(const h5out *o, const char *name, hsize_t nrows) {
  hsize_t max = H5S_UNLIMITED;
  hsize_t chunk = nrows == 0 ? 1 : nrows < H5OUT_CHUNK ? nrows : H5OUT_CHUNK;
  hid_t space = H5Screate_simple(1, &nrows, &max);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_obj_track_times(plist, 0);
  H5Pset_chunk(plist, 1, &chunk);
  H5Pset_shuffle(plist);
  H5Pset_deflate(plist, 1);
  H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
  hid_t set = H5Dcreate2(o->file, name, o->type, space, H5P_DEFAULT, plist,
                         H5P_DEFAULT);
  H5Pclose(plist);
  H5Sclose(space);
  return set;
}

static bool write_batch(h5out *o) {
  hsize_t start = o->done, count = o->nbatch;

  if (count == 0 || o->error != 0) {
    return o->error == 0;
  }
  hid_t there = H5Dget_space(o->set);
  hid_t here = H5Screate_simple(1, &count, NULL);
  H5Sselect_hyperslab(there, H5S_SELECT_SET, &start, NULL, &count, NULL);
  check(o, H5Dwrite(o->set, o->type, here, there, H5P_DEFAULT, o->batch) >= 0);
  H5Sclose(here);
  H5Sclose(there);
  o->done += o->nbatch;
  o->nbatch = 0;
  return o->error == 0;
}

static void end_table(h5out *o) {
  if (o->batch == NULL) {
    return;
  }
  write_batch(o);
  if (o->error == 0 && o->done != o->nrows) {
    o->error = EIO; /* the rows could not be read back from the spool */
  }
  check(o, o->set < 0 || H5Dclose(o->set) >= 0);
  H5Tclose(o->type);
  free(o->batch);
  o->batch = NULL;
}

bool h5out_table(h5out *o, enum schema_table t, uint64_t nrows) {
  const schema_desc *d = &schema_tables[t];

  end_table(o);
  if (o->error != 0) {
    return false;
  }
  o->batch = malloc((size_t)H5OUT_CHUNK * packed_size(t));
  if (o->batch == NULL) {
    o->error = ENOMEM;
    return false;
  }
  o->table = t;
  o->nrows = nrows;
  o->done = 0;
  o->nbatch = 0;
  o->type = row_type(t);
  o->set = create_set(o, d->name, nrows);
  if (check(o, o->set >= 0)) {
    for (uint32_t i = 0; i < d->nfields; i++) {
      attribute_text(o, o->set, d->fields[i].name, schema_field_text(d, i));
    }
  }
  return o->error == 0;
}

/* Room for up to |n| rows in the batch; |*k| is how many. */
static uint8_t *batch_room(h5out *o, size_t n, size_t *k) {
  size_t room = H5OUT_CHUNK - o->nbatch;

  *k = n < room ? n : room;
  return o->batch + o->nbatch * packed_size(o->table);
}

static bool batch_added(h5out *o, size_t k) {
  o->nbatch += k;
  if (o->done + o->nbatch > o->nrows) {
    o->error = EIO;
  }
  return o->nbatch < H5OUT_CHUNK || write_batch(o);
}

bool h5out_packed(h5out *o, const uint8_t *rows, size_t n) {
  while (n > 0 && o->error == 0) {
    size_t k, size = packed_size(o->table);
    uint8_t *to = batch_room(o, n, &k);
    memcpy(to, rows, k * size);
    rows += k * size;
    n -= k;
    batch_added(o, k);
  }
  return o->error == 0;
}

bool h5out_rows(h5out *o, const void *rows, size_t n) {
  const uint8_t *row = rows;

  while (n > 0 && o->error == 0) {
    size_t k;
    uint8_t *to = batch_room(o, n, &k);
    packed_rows(o->table, row, k, to);
    row += k * schema_tables[o->table].row_size;
    n -= k;
    batch_added(o, k);
  }
  return o->error == 0;
}

/* ---- the file
 * ---------------------------------------------------------------- */

static void create_file(h5out *o) {
  hid_t create = H5Pcreate(H5P_FILE_CREATE),
        access = H5Pcreate(H5P_FILE_ACCESS);

  H5Pset_userblock(create, SEAL_SIZE);
  H5Pset_obj_track_times(create, 0);
  h5disk_use(access, &o->disk_error);
  o->file = H5Fcreate(o->tmp, H5F_ACC_TRUNC, create, access);
  check(o, o->file >= 0);
  H5Pclose(create);
  H5Pclose(access);
}

static void free_out(h5out *o) {
  free(o->batch);
  free(o->path);
  free(o->tmp);
  free(o);
}

h5out *h5out_open(const char *path, const meta *m) {
  h5out *o = calloc(1, sizeof *o);

  if (o == NULL || (o->path = io_path(path, "")) == NULL ||
      (o->tmp = io_path(path, ".tmp")) == NULL) {
    if (o != NULL) {
      free_out(o);
    }
    errno = ENOMEM;
    return NULL;
  }
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* errors are told once, by us */
  create_file(o);
  if (o->error != 0) {
    int e = o->error;
    unlink(o->tmp);
    free_out(o);
    errno = e;
    return NULL;
  }
  write_meta(o, m);
  return o;
}

/* Closes the HDF5 file, whatever happened to it. */
static void close_file(h5out *o) {
  end_table(o);
  check(o, H5Fclose(o->file) >= 0);
}

bool h5out_close(h5out *o) {
  close_file(o);
  if (o->error == 0 && (!seal_write(o->tmp) || rename(o->tmp, o->path) != 0)) {
    o->error = errno;
  }
  int e = o->error;
  if (e != 0) {
    unlink(o->tmp);
  }
  free_out(o);
  errno = e;
  return e == 0;
}

void h5out_abort(h5out *o) {
  if (o == NULL) {
    return;
  }
  o->error = o->error != 0 ? o->error : ECANCELED;
  h5out_close(o);
}
