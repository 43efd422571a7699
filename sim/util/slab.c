/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "util/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20) /* a huge one */
#define FIRST ((size_t)256 << 10)
#define LARGEST ((size_t)64 << 20)

/* Classes, header included: steps of 16 up to 512, then four to each doubling
   up to 64 KiB. Larger blocks are malloc's. */
#define SMALL_MAX 512u
#define CLASS_SMALL (SMALL_MAX / 16)
#define CLASS_MAX (CLASS_SMALL + 4 * 7)
#define CLASS_MALLOC UINT32_MAX

typedef struct head { /* in front of each block */
  uint32_t class;
  uint32_t unused;
} head;

typedef struct link { /* in a free block */
  struct link *next;
} link;

typedef struct chunk {
  struct chunk *next;
  size_t bytes; /* mapped */
} chunk;

struct slab {
  link *free[CLASS_MAX + 1];
  char *at, *end; /* what is left of the newest chunk */
  chunk *chunks;
  size_t next; /* bytes of the next chunk */
};

static uint32_t class_of(size_t bytes) {
  uint32_t c = CLASS_SMALL;
  size_t base = SMALL_MAX;

  if (bytes <= SMALL_MAX) {
    return (uint32_t)((bytes + 15) / 16);
  }
  while (bytes > 2 * base) {
    base *= 2;
    c += 4;
  }
  return c + (uint32_t)((bytes - base + base / 4 - 1) / (base / 4));
}

static size_t size_of(uint32_t class) {
  if (class <= CLASS_SMALL) {
    return (size_t) class * 16;
  }
  uint32_t k = class - CLASS_SMALL - 1;
  size_t base = (size_t)SMALL_MAX << k / 4;
  return base + (k % 4 + 1) * (base / 4);
}

static bool chunk_new(slab *s) {
  size_t bytes = s->next;
  chunk *c = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (c == MAP_FAILED) {
    return false;
  }
  if (bytes >= 2 * PAGE) {
    madvise(c, bytes, MADV_HUGEPAGE); /* a wish: failing costs speed only */
  }
  *c = (chunk){s->chunks, bytes};
  s->chunks = c;
  s->at = (char *)(c + 1);
  s->end = (char *)c + bytes;
  s->next = bytes < LARGEST ? 2 * bytes : bytes;
  return true;
}

static void *block_new(slab *s, size_t size) {
  uint32_t class = class_of(size + sizeof(head));
  head *h;

  if (class > CLASS_MAX) {
    h = malloc(size + sizeof *h);
    class = CLASS_MALLOC;
  } else if (s->free[class] != NULL) {
    h = (head *)s->free[class] - 1;
    s->free[class] = s->free[class]->next;
  } else {
    size_t bytes = size_of(class);
    if ((size_t)(s->end - s->at) < bytes && !chunk_new(s)) {
      return NULL;
    }
    h = (head *)s->at;
    s->at += bytes;
  }
  if (h == NULL) {
    return NULL;
  }
  h->class = class;
  return h + 1;
}

static void block_del(slab *s, head *h) {
  if (h->class == CLASS_MALLOC) {
    free(h);
  } else {
    link *l = (link *)(h + 1);
    l->next = s->free[h->class];
    s->free[h->class] = l;
  }
}

void *slab_resize(slab *s, void *ptr, size_t size) {
  head *h = ptr == NULL ? NULL : (head *)ptr - 1;

  if (h == NULL) {
    return size == 0 ? NULL : block_new(s, size);
  }
  if (size == 0) {
    block_del(s, h);
    return NULL;
  }
  if (h->class == CLASS_MALLOC && class_of(size + sizeof *h) > CLASS_MAX) {
    h = realloc(h, size + sizeof *h);
    return h == NULL ? NULL : h + 1;
  }
  if (h->class == class_of(size + sizeof *h)) {
    return ptr;
  }
  void *to = block_new(s, size);
  if (to == NULL) {
    return NULL;
  }
  size_t had = h->class == CLASS_MALLOC ? size : size_of(h->class) - sizeof *h;
  memcpy(to, ptr, had < size ? had : size);
  block_del(s, h);
  return to;
}

slab *slab_new(void) {
  slab *s = calloc(1, sizeof *s);

  if (s != NULL) {
    s->next = FIRST;
  }
  return s;
}

void slab_del(slab *s) {
  if (s == NULL) {
    return;
  }
  for (chunk *c = s->chunks, *next; c != NULL; c = next) {
    next = c->next;
    munmap(c, c->bytes);
  }
  free(s);
}
