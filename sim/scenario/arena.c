/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fail.h"

#define CHUNK_BYTES ((size_t)1 << 16)

typedef struct chunk {
  struct chunk *next;
  size_t used, size;
  max_align_t data[];
} chunk;

struct arena {
  chunk *head;
};

static void *must(void *p) {
  if (p == NULL) {
    fputs("out of memory while reading the scenario\n", stderr);
    exit(EXIT_RUN_FAILED);
  }
  return p;
}

arena *arena_new(void) {
  return must(calloc(1, sizeof(arena)));
}

void arena_free(arena *a) {
  if (a == NULL) {
    return;
  }
  for (chunk *c = a->head, *next; c != NULL; c = next) {
    next = c->next;
    free(c);
  }
  free(a);
}

void *arena_alloc(arena *a, size_t count, size_t size) {
  const size_t align = _Alignof(max_align_t);

  assert(size > 0 && count <= SIZE_MAX / 4 / size);
  size_t need = (count * size + align - 1) / align * align;
  if (a->head == NULL || a->head->size - a->head->used < need) {
    size_t room = need > CHUNK_BYTES / 4 ? need : CHUNK_BYTES;
    chunk *c = must(calloc(1, sizeof *c + room));
    c->size = room;
    if (room == need && a->head != NULL) { /* keep filling the old chunk */
      c->used = need;
      c->next = a->head->next;
      a->head->next = c;
      return c->data;
    }
    c->next = a->head;
    a->head = c;
  }
  void *p = (char *)a->head->data + a->head->used;
  a->head->used += need;
  return p;
}

char *arena_text(arena *a, const char *s, size_t len) {
  char *p = arena_alloc(a, len + 1, 1);

  if (len > 0) {
    memcpy(p, s, len);
  }
  return p;
}

char *arena_format(arena *a, const char *format, ...) {
  va_list ap, again;

  va_start(ap, format);
  va_copy(again, ap);
  int len = vsnprintf(NULL, 0, format, ap);
  va_end(ap);
  assert(len >= 0);
  char *p = arena_alloc(a, (size_t)len + 1, 1);
  vsnprintf(p, (size_t)len + 1, format, again);
  va_end(again);
  return p;
}

void *arena_grow(arena *a, void *ptr, size_t *cap, size_t need, size_t size) {
  if (need <= *cap) {
    return ptr;
  }
  size_t more = *cap + *cap / 2 + 8;
  more = more < need ? need : more;
  void *p = arena_alloc(a, more, size);
  if (*cap > 0) {
    memcpy(p, ptr, *cap * size);
  }
  *cap = more;
  return p;
}
