/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_read and record_recover. The rows of a killed run are in the spool;
 * those of any other in FILE. A spool beside a complete FILE is left over from
 * a kill between FILE's last step and the spool's deletion: FILE has all its
 * rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/convert.h"
#include "record/h5in.h"
#include "record/io.h"
#include "record/record.h"

/* ---- from either
 * ------------------------------------------------------------------ */

static void take_meta(trace *t, const meta *m) {
  char **to[META_NTEXTS] = {
#define X(name, big) &t->name,
      META_TEXTS(X)
#undef X
  };

  for (int i = 0; i < META_NTEXTS; i++) {
    *to[i] = io_path(m->text[i], "");
  }
  t->schema = m->schema;
  t->seed = m->seed;
  t->complete = m->complete;
}

static bool wanted(enum schema_table i, uint32_t mask) {
  return (mask >> i & 1) != 0;
}

static bool from_file(trace *t, h5in *f, uint32_t mask, fail *why) {
  take_meta(t, h5in_meta(f));
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    if (wanted((enum schema_table)i, mask) &&
        !h5in_table(f, (enum schema_table)i, &t->table[i].rows, &t->table[i].n,
                    &t->table[i].present, why)) {
      return false;
    }
  }
  return true;
}

static bool make_room(trace *t, const spool_reader *r,
                      const uint64_t n[SCHEMA_NTABLES], uint32_t mask) {
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    enum schema_table k = (enum schema_table)i;
    t->table[i].present =
        wanted(k, mask) && meta_on_disk(k, (record_level)r->about.level);
    if (t->table[i].present && n[i] > 0) {
      t->table[i].rows = calloc((size_t)n[i], schema_tables[i].row_size);
      if (t->table[i].rows == NULL) {
        return false;
      }
    }
  }
  return true;
}

static bool from_spool(trace *t, spool_reader *r, uint32_t mask, fail *why) {
  uint64_t count[SCHEMA_NTABLES];
  const uint8_t *rows;
  enum schema_table i;
  size_t n;

  take_meta(t, &r->about);
  convert_count(r, count);
  if (!make_room(t, r, count, mask)) {
    return fail_set(why, EXIT_RUN_FAILED, "out of memory");
  }
  spool_rewind(r);
  while (spool_next(r, &i, &rows, &n)) {
    if (t->table[i].rows != NULL && n <= count[i] - t->table[i].n) {
      packed_unpack(i, &r->layout[i], rows, n,
                    (char *)t->table[i].rows +
                        t->table[i].n * schema_tables[i].row_size);
      t->table[i].n += n;
    }
  }
  return true;
}

/* ---- which
 * ------------------------------------------------------------------------ */

typedef struct opened {
  char *spool_path;
  int fd; /* of the spool; -1 none */
  h5in *file;
  spool_reader spool;
  bool use_spool;
} opened;

static void opened_end(opened *o) {
  if (o->use_spool) {
    spool_read_end(&o->spool);
  }
  if (o->fd >= 0) {
    close(o->fd);
  }
  h5in_close(o->file);
  free(o->spool_path);
}

/* Decides between FILE and its spool. */
static bool open_either(opened *o, const char *path, fail *why) {
  fail of_file = {0};

  *o = (opened){.fd = -1};
  o->spool_path = io_path(path, ".spool");
  if (o->spool_path == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "out of memory");
  }
  o->fd = open(o->spool_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  o->file = h5in_open(path, &of_file);
  if (o->fd >= 0 && (o->file == NULL || !h5in_meta(o->file)->complete)) {
    fail of_spool = {0};
    spool_result got = spool_read(&o->spool, o->fd, &of_spool);
    if (got == SPOOL_BAD) {
      return fail_set(why, of_spool.status, "%.300s: %.600s", o->spool_path,
                      of_spool.text);
    }
    o->use_spool = got == SPOOL_GOOD;
  }
  if (o->use_spool || o->file != NULL) {
    return true;
  }
  return fail_set(why, of_file.status, "%s", of_file.text);
}

bool trace_read(trace *t, const char *path, uint32_t mask, fail *why) {
  opened o;

  memset(t, 0, sizeof *t);
  bool good = open_either(&o, path, why) &&
              (o.use_spool ? from_spool(t, &o.spool, mask, why)
                           : from_file(t, o.file, mask, why));
  opened_end(&o);
  if (!good) {
    trace_free(t);
  }
  return good;
}

void trace_free(trace *t) {
  char *texts[META_NTEXTS] = {
#define X(name, big) t->name,
      META_TEXTS(X)
#undef X
  };

  for (int i = 0; i < META_NTEXTS; i++) {
    free(texts[i]);
  }
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    free(t->table[i].rows);
  }
  memset(t, 0, sizeof *t);
}

/* ---- recover
 * ------------------------------------------------------------------------ */

static bool rebuild(const char *path, opened *from, uint64_t *rows, fail *why) {
  uint64_t count[SCHEMA_NTABLES];

  convert_count(&from->spool, count);
  h5out *o = h5out_open(path, &from->spool.about);
  for (int i = 0; o != NULL && i < SCHEMA_NTABLES; i++) {
    enum schema_table t = (enum schema_table)i;
    if (meta_on_disk(t, (record_level)from->spool.about.level)) {
      convert_table(o, &from->spool, t, count[i]);
      *rows += count[i];
    }
  }
  if (o == NULL || !h5out_close(o)) {
    return io_write_failed(why, path, errno, from->spool_path);
  }
  return true;
}

bool record_recover(const char *path, uint64_t *rows, fail *why) {
  opened o;

  *rows = 0;
  bool good = open_either(&o, path, why);
  if (good && o.fd < 0) {
    good = fail_set(why, EXIT_USAGE, "%s: nothing to recover: there is no %s",
                    path, o.spool_path);
  } else if (good && spool_alive(o.fd)) {
    good = fail_set(why, EXIT_USAGE,
                    "%s: nothing to recover yet: its run is still under way",
                    path);
  } else if (good && o.use_spool) {
    good = h5in_may_replace(path, why) && rebuild(path, &o, rows, why);
  }
  if (good && unlink(o.spool_path) != 0) {
    good = fail_set(why, EXIT_RUN_FAILED, "%s: cannot be deleted: %s",
                    o.spool_path, strerror(errno));
  }
  opened_end(&o);
  return good;
}
