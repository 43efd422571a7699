/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <string.h>

#include "alloc.h"

static uint64_t hash(const char *s, size_t len) { /* FNV-1a */
  uint64_t h = 0xcbf29ce484222325u;

  for (size_t i = 0; i < len; i++) {
    h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
  }
  return h ^ h >> 32;
}

static bool same(const char *text, const char *s, size_t len) {
  return strncmp(text, s, len) == 0 && text[len] == '\0';
}

/* The slot that holds |s|, or the empty one where it belongs. */
static uint32_t *find(const names *t, const char *s, size_t len) {
  uint32_t i = (uint32_t)hash(s, len) & (t->nslots - 1);

  while (t->slot[i] != 0 && !same(t->text[t->slot[i]], s, len)) {
    i = (i + 1) & (t->nslots - 1);
  }
  return &t->slot[i];
}

static bool rehash(xl_engine *eng, names *t) {
  uint32_t n = t->nslots == 0 ? 64 : t->nslots * 2;
  uint32_t *slot = xli_new(eng, n * sizeof *slot);

  if (slot == NULL) {
    return false;
  }
  xli_free(eng, t->slot);
  t->slot = slot;
  t->nslots = n;
  for (uint32_t i = 1; i < t->n; i++) {
    *find(t, t->text[i], strlen(t->text[i])) = i;
  }
  return true;
}

void xli_names_cut(xl_engine *eng, names *t, uint32_t n) {
  while (t->n > n) {
    xli_free(eng, t->text[--t->n]);
  }
  for (uint32_t i = 0; i < t->nslots; i++) {
    t->slot[i] = 0;
  }
  for (uint32_t i = 1; i < t->n; i++) {
    *find(t, t->text[i], strlen(t->text[i])) = i;
  }
}

void xli_names_fini(xl_engine *eng, names *t) {
  for (uint32_t i = 1; i < t->n; i++) {
    xli_free(eng, t->text[i]);
  }
  xli_free(eng, t->text);
  xli_free(eng, t->slot);
  *t = (names){0};
}

xl_name xli_names_add(xl_engine *eng, names *t, const char *s, size_t len) {
  if (2 * (t->n + 1) > t->nslots && !rehash(eng, t)) {
    return 0;
  }
  uint32_t *slot = find(t, s, len);
  if (*slot != 0) {
    return *slot;
  }
  uint32_t i = t->n == 0 ? 1 : t->n;
  char **text = xli_grow(eng, t->text, &t->cap, i + 1, sizeof *text);
  if (text == NULL) {
    return 0;
  }
  t->text = text;
  char *copy = xli_new(eng, len + 1);
  if (copy == NULL) {
    return 0;
  }
  memcpy(copy, s, len);
  t->text[0] = NULL;
  t->text[i] = copy;
  t->n = i + 1;
  *slot = i;
  return i;
}

const char *xli_names_text(const names *t, xl_name name) {
  assert(name == 0 || name < t->n);
  return name == 0 ? NULL : t->text[name];
}
