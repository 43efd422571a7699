/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/frame.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

uint64_t frame_hash(const frame *f, const void *payload) {
  uint64_t seed = XXH3_64bits(f, offsetof(frame, hash));

  return XXH3_64bits_withSeed(payload, f->length, seed);
}

void bytes_add(bytes *b, const void *data, size_t n) {
  if (b->bad || n == 0) {
    return;
  }
  if (n > b->cap - b->len) {
    size_t cap = b->cap * 2 > b->len + n ? b->cap * 2 : b->len + n;
    uint8_t *p = realloc(b->p, cap);
    if (p == NULL) {
      b->bad = true;
      return;
    }
    b->p = p;
    b->cap = cap;
  }
  memcpy(b->p + b->len, data, n);
  b->len += n;
}

void bytes_u32(bytes *b, uint32_t v) {
  bytes_add(b, &v, sizeof v);
}

void bytes_text(bytes *b, const char *s) {
  bytes_u32(b, (uint32_t)strlen(s));
  bytes_add(b, s, strlen(s));
}

void bytes_frame(bytes *b, uint16_t kind, uint32_t nrows, const void *payload,
                 size_t len) {
  frame f = {FRAME_MAGIC, kind, 0, nrows, (uint32_t)len, 0};

  f.hash = frame_hash(&f, payload);
  bytes_add(b, &f, sizeof f);
  bytes_add(b, payload, len);
}

void bytes_free(bytes *b) {
  free(b->p);
  *b = (bytes){0};
}

void cursor_take(cursor *c, void *to, size_t n) {
  if (c->bad || n > c->left) {
    c->bad = true;
    memset(to, 0, n);
    return;
  }
  memcpy(to, c->p, n);
  c->p += n;
  c->left -= n;
}

uint32_t cursor_u32(cursor *c) {
  uint32_t v;

  cursor_take(c, &v, sizeof v);
  return v;
}

char *cursor_text(cursor *c) {
  uint32_t len = cursor_u32(c);

  if (c->bad || len > c->left) {
    c->bad = true;
    return NULL;
  }
  char *s = malloc((size_t)len + 1);
  if (s == NULL) {
    c->bad = true;
    return NULL;
  }
  cursor_take(c, s, len);
  s[len] = '\0';
  return s;
}
