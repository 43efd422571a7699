/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/frame.h"
#include "record/io.h"

#define PENDING_MAX (64u << 10)

struct spool {
  int fd;
  int error; /* errno of the first failed write; 0 none */
  char *path;
  uint64_t end;                  /* bytes of whole frames */
  bytes pending[SCHEMA_NTABLES]; /* packed rows */
  size_t npending;               /* bytes of them all */
  bytes out;
};

/* The lock is on the file; another run may have deleted it in between. */
static bool lock(spool *s) {
  struct stat ours, there;

  if (flock(s->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return false;
  }
  return fstat(s->fd, &ours) == 0 && stat(s->path, &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

spool *spool_open(const char *path, fail *why) {
  spool *s = calloc(1, sizeof *s);

  if (s == NULL || (s->path = io_path(path, "")) == NULL) {
    free(s);
    fail_set(why, EXIT_RUN_FAILED, "out of memory");
    return NULL;
  }
  s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (s->fd < 0) {
    int e = errno;
    bool space = e == ENOSPC || e == EDQUOT || e == EIO;
    fail_set(why, space ? EXIT_RUN_FAILED : EXIT_USAGE,
             "%s: cannot be created: %s", path, strerror(e));
    spool_close(s, false);
    return NULL;
  }
  if (!lock(s)) {
    fail_set(why, EXIT_USAGE, "%s: another run is writing this trace", path);
    spool_close(s, false);
    return NULL;
  }
  return s;
}

/* Appends |b|; a write that fails half-way is taken back. */
static bool append(spool *s, bytes *b) {
  if (s->error == 0 && b->bad) {
    s->error = ENOMEM;
  }
  if (s->error == 0 && !io_write_all(s->fd, b->p, b->len)) {
    s->error = errno;
    if (ftruncate(s->fd, (off_t)s->end) != 0) {
      /* the torn frame stays, and readers stop before it */
    }
  }
  if (s->error == 0) {
    s->end += b->len;
  }
  b->len = 0;
  errno = s->error;
  return s->error == 0;
}

static void put_layout(bytes *b, enum schema_table t) {
  packed_layout l;

  packed_own_layout(t, &l);
  bytes_text(b, schema_tables[t].name);
  bytes_u32(b, l.row_size);
  bytes_u32(b, l.nfields);
  for (unsigned i = 0; i < l.nfields; i++) {
    bytes_text(b, l.field[i].name);
    bytes_u32(b, (uint32_t)(unsigned char)l.field[i].type);
    bytes_u32(b, l.field[i].at);
    bytes_u32(b, l.field[i].size);
  }
}

bool spool_start(spool *s, const meta *m) {
  bytes head = {0};

  bytes_u32(&head, m->schema);
  bytes_u32(&head, m->level);
  bytes_add(&head, &m->seed, sizeof m->seed);
  bytes_u32(&head, META_NTEXTS);
  for (int i = 0; i < META_NTEXTS; i++) {
    bytes_text(&head, meta_name((enum meta_text)i));
    bytes_text(&head, m->text[i]);
  }
  bytes_u32(&head, SCHEMA_NTABLES);
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    put_layout(&head, (enum schema_table)t);
  }
  bytes_frame(&s->out, FRAME_HEADER, 0, head.p, head.len);
  s->out.bad |= head.bad;
  bytes_free(&head);
  if (ftruncate(s->fd, 0) != 0 || lseek(s->fd, 0, SEEK_SET) != 0) {
    s->error = errno;
  }
  return append(s, &s->out);
}

bool spool_flush(spool *s) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    bytes *p = &s->pending[t];
    if (p->len > 0) {
      uint32_t nrows = (uint32_t)(p->len / packed_size((enum schema_table)t));
      bytes_frame(&s->out, (uint16_t)t, nrows, p->p, p->len);
      p->len = 0;
    }
    s->out.bad |= p->bad;
  }
  s->npending = 0;
  return append(s, &s->out);
}

/* Room for |n| more bytes, which the caller fills. */
static uint8_t *extend(bytes *b, size_t n) {
  if (b->p == NULL) {
    b->cap = 2 * PENDING_MAX;
    b->p = malloc(b->cap);
  }
  if (b->p == NULL || n > b->cap - b->len) {
    b->bad = true;
    return NULL;
  }
  b->len += n;
  return b->p + b->len - n;
}

bool spool_rows(spool *s, enum schema_table t, const void *rows, size_t n) {
  uint32_t size = packed_size(t);
  const uint8_t *row = rows;

  while (n > 0 && s->error == 0) {
    size_t room = (PENDING_MAX - s->npending + size - 1) / size;
    size_t k = n < room ? n : room;
    uint8_t *to = extend(&s->pending[t], k * size);
    if (to != NULL) {
      packed_rows(t, row, k, to);
    }
    s->npending += k * size;
    row += k * schema_tables[t].row_size;
    n -= k;
    if ((to == NULL || s->npending >= PENDING_MAX) && !spool_flush(s)) {
      return false;
    }
  }
  errno = s->error;
  return s->error == 0;
}

int spool_fd(const spool *s) {
  return s->fd;
}

void spool_close(spool *s, bool remove) {
  if (s == NULL) {
    return;
  }
  if (remove) {
    unlink(s->path);
  }
  if (s->fd >= 0) {
    close(s->fd);
  }
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    bytes_free(&s->pending[t]);
  }
  bytes_free(&s->out);
  free(s->path);
  free(s);
}
