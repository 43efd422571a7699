/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random rows, and other things the tests of the recorder share. */
#ifndef TESTS_RECORD_FILL_H
#define TESTS_RECORD_FILL_H

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/record.h"

static uint64_t fill_state = 1;

static uint64_t fill_next(void) { /* splitmix64 */
  uint64_t z = (fill_state += UINT64_C(0x9e3779b97f4a7c15));

  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static void fill_field(const schema_field *f, unsigned char *at) {
  unsigned members = 0;

  switch (f->type) {
  case 's':
    for (unsigned i = 0; i < f->size; i++) {
      at[i] = (unsigned char)('a' + fill_next() % 26);
    }
    memset(at + fill_next() % f->size, 0, 1);
    break;
  case 'f':
    memcpy(at, &(double){(double)(int64_t)fill_next() / 7.0}, 8);
    break;
  case 'e':
    while (schema_enum_member(f->enumeration, members) != NULL) {
      members++;
    }
    *at = (unsigned char)(fill_next() % members);
    break;
  default:
    memcpy(at, &(uint64_t){fill_next()}, f->size);
    break;
  }
}

/* |n| random rows of |t|, padding included; the caller frees. */
static void *fill_rows(enum schema_table t, size_t n) {
  const schema_desc *d = &schema_tables[t];
  unsigned char *rows = malloc(n * d->row_size + 1);

  assert(rows != NULL);
  for (size_t i = 0; i < n * d->row_size; i++) {
    rows[i] = (unsigned char)fill_next();
  }
  for (size_t i = 0; i < n; i++) {
    for (uint32_t k = 0; k < d->nfields; k++) {
      fill_field(&d->fields[k], rows + i * d->row_size + d->fields[k].offset);
    }
  }
  return rows;
}

/* Rows are equal: columns alone, strings up to their end. */
static bool fill_same(enum schema_table t, const void *a, const void *b,
                      size_t n) {
  const schema_desc *d = &schema_tables[t];
  const char *x = a, *y = b;

  for (size_t i = 0; i < n; i++, x += d->row_size, y += d->row_size) {
    for (uint32_t k = 0; k < d->nfields; k++) {
      const schema_field *f = &d->fields[k];
      const char *p = x + f->offset, *q = y + f->offset;
      if (f->type == 's' ? strncmp(p, q, f->size) != 0
                         : memcmp(p, q, f->size) != 0) {
        return false;
      }
    }
  }
  return true;
}

static const record_header fill_header = {
    .scenario_name = "branch-office",
    .scenario_text = "name: branch-office\nclasses: {}\n",
    .policy = "origin-only",
    .params = "{\"a\":1}",
    .network = "simgrid",
    .network_params = "{}",
    .seed = UINT64_C(18446744073709551615),
    .command = "xferlab run branch-office.yaml --seed 7",
    .version = XFERLAB_VERSION};

/* A directory of this test, removed by fill_done. */
static char fill_dir_name[64];

/* A path in it; kept until fill_done. */
static const char *fill_path(const char *name) {
  static char path[16][128];
  char want[128];
  unsigned i = 0;

  if (fill_dir_name[0] == '\0') {
    snprintf(fill_dir_name, sizeof fill_dir_name,
             "/tmp/xferlab-record-XXXXXX");
    assert(mkdtemp(fill_dir_name) != NULL);
  }
  size_t dir = strlen(fill_dir_name);
  snprintf(want, sizeof want, "%s/%s", fill_dir_name, name);
  while (strncmp(path[i], fill_dir_name, dir) == 0 &&
         strcmp(path[i], want) != 0) {
    i++;
    assert(i < sizeof path / sizeof *path);
  }
  memcpy(path[i], want, sizeof want);
  return path[i];
}

static void fill_done(void) {
  char command[96];

  if (fill_dir_name[0] != '\0') {
    snprintf(command, sizeof command, "rm -rf %s", fill_dir_name);
    assert(system(command) == 0);
    fill_dir_name[0] = '\0';
  }
}

static bool fill_exists(const char *path) {
  return access(path, F_OK) == 0;
}

/* Bytes of a file; the caller frees. */
static char *fill_slurp(const char *path, size_t *len) {
  FILE *f = fopen(path, "rb");
  struct stat st;

  assert(f != NULL && fstat(fileno(f), &st) == 0);
  *len = (size_t)st.st_size;
  char *p = malloc(*len + 1);
  assert(p != NULL && fread(p, 1, *len, f) == *len);
  fclose(f);
  return p;
}

static bool fill_same_files(const char *a, const char *b) {
  size_t n, m;
  char *x = fill_slurp(a, &n), *y = fill_slurp(b, &m);
  bool same = n == m && memcmp(x, y, n) == 0;

  free(x);
  free(y);
  return same;
}

static void fill_dump(const char *path, const void *data, size_t len) {
  FILE *f = fopen(path, "wb");

  assert(f != NULL && fwrite(data, 1, len, f) == len);
  fclose(f);
}

#endif
