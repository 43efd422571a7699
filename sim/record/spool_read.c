/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a spool; what it holds may be torn or from an older schema. */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>

#include "record/frame.h"
#include "record/io.h"
#include "record/spool.h"

bool spool_alive(int fd) {
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
    flock(fd, LOCK_UN);
    return false;
  }
  return errno == EWOULDBLOCK;
}

/* Reads the frame at r->at into r->buf and steps over it. */
static bool read_frame(spool_reader *r, frame *f) {
  if (io_read_at(r->fd, f, sizeof *f, r->at) != (ssize_t)sizeof *f ||
      f->magic != FRAME_MAGIC || f->length > r->end - r->at - sizeof *f) {
    return false;
  }
  if (f->length > r->buf_cap) {
    uint8_t *p = realloc(r->buf, f->length);
    if (p == NULL) {
      return false;
    }
    r->buf = p;
    r->buf_cap = f->length;
  }
  if (io_read_at(r->fd, r->buf, f->length, r->at + sizeof *f) !=
          (ssize_t)f->length ||
      frame_hash(f, r->buf) != f->hash) {
    return false;
  }
  r->at += sizeof *f + f->length;
  return true;
}

static void take_texts(cursor *c, meta *m) {
  uint32_t n = cursor_u32(c);

  for (uint32_t i = 0; i < n && !c->bad; i++) {
    char *name = cursor_text(c), *text = cursor_text(c);
    for (int k = 0; name != NULL && k < META_NTEXTS; k++) {
      if (strcmp(name, meta_name((enum meta_text)k)) == 0 &&
          m->text[k] == NULL) {
        m->text[k] = text;
        text = NULL;
      }
    }
    free(name);
    free(text);
  }
  for (int k = 0; k < META_NTEXTS; k++) {
    if (m->text[k] == NULL && (m->text[k] = calloc(1, 1)) == NULL) {
      c->bad = true;
    }
  }
}

static void take_layout(cursor *c, packed_layout *l) {
  memset(l, 0, sizeof *l);
  l->row_size = cursor_u32(c);
  uint32_t n = cursor_u32(c);
  for (uint32_t i = 0; i < n && !c->bad; i++) {
    char *name = cursor_text(c);
    packed_field f = {.type = (char)cursor_u32(c)};
    f.at = cursor_u32(c);
    f.size = cursor_u32(c);
    if (name == NULL || strlen(name) >= sizeof f.name ||
        l->nfields == PACKED_FIELD_MAX) {
      c->bad = true;
    } else {
      memcpy(f.name, name, strlen(name) + 1);
      l->field[l->nfields++] = f;
    }
    free(name);
  }
}

static int table_named(const char *name) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    if (strcmp(schema_tables[t].name, name) == 0) {
      return t;
    }
  }
  return -1;
}

static void take_tables(cursor *c, spool_reader *r) {
  uint32_t n = cursor_u32(c);

  for (uint32_t kind = 0; kind < n && !c->bad; kind++) {
    packed_layout l;
    char *name = cursor_text(c);
    take_layout(c, &l);
    int t = name != NULL ? table_named(name) : -1;
    free(name);
    if (c->bad || kind >= sizeof r->table_of / sizeof *r->table_of) {
      c->bad = true;
    } else if (t >= 0 && packed_fits((enum schema_table)t, &l)) {
      r->table_of[kind] = t;
      r->layout[t] = l;
    }
  }
}

spool_result spool_read(spool_reader *r, int fd, fail *why) {
  struct stat st;
  frame f;

  memset(r, 0, sizeof *r);
  r->fd = fd;
  for (size_t i = 0; i < sizeof r->table_of / sizeof *r->table_of; i++) {
    r->table_of[i] = -1;
  }
  if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof f) {
    return SPOOL_NOTHING;
  }
  r->end = (uint64_t)st.st_size;
  if (!read_frame(r, &f) || f.kind != FRAME_HEADER) {
    spool_read_end(r);
    return SPOOL_NOTHING;
  }
  cursor c = {r->buf, f.length, false};
  r->about.schema = cursor_u32(&c);
  r->about.level = cursor_u32(&c);
  cursor_take(&c, &r->about.seed, sizeof r->about.seed);
  if (r->about.schema > SCHEMA_VERSION) {
    fail_set(why, EXIT_USAGE,
             "the spool has trace schema %u, newer than this xferlab's %d: "
             "use the xferlab that wrote it",
             r->about.schema, SCHEMA_VERSION);
    spool_read_end(r);
    return SPOOL_BAD;
  }
  take_texts(&c, &r->about);
  take_tables(&c, r);
  if (c.bad) {
    fail_set(why, EXIT_USAGE, "the spool's header is damaged");
    spool_read_end(r);
    return SPOOL_BAD;
  }
  r->body = r->at;
  return SPOOL_GOOD;
}

bool spool_next(spool_reader *r, enum schema_table *t, const uint8_t **rows,
                size_t *n) {
  frame f;

  while (r->end - r->at >= sizeof f && read_frame(r, &f)) {
    int known = f.kind < sizeof r->table_of / sizeof *r->table_of
                    ? r->table_of[f.kind]
                    : -1;
    if (known < 0) {
      continue;
    }
    uint32_t size = r->layout[known].row_size;
    if (f.nrows == 0 || (uint64_t)f.nrows * size != f.length) {
      return false;
    }
    *t = (enum schema_table)known;
    *rows = r->buf;
    *n = f.nrows;
    return true;
  }
  return false;
}

void spool_rewind(spool_reader *r) {
  r->at = r->body;
}

void spool_read_end(spool_reader *r) {
  meta_fini(&r->about);
  free(r->buf);
  r->buf = NULL;
}
