/* SPDX-License-Identifier: MIT */
#include "alloc.h"

#include <string.h>

#include "engine.h"

void *xli_resize(xl_engine *eng, void *ptr, size_t size) {
  assert(size > 0);
  void *p = eng->env.alloc.realloc(eng->env.alloc.arg, ptr, size);
  if (p == NULL) {
    xli_out_of_memory(eng);
  }
  return p;
}

void *xli_new(xl_engine *eng, size_t size) {
  void *p = xli_resize(eng, NULL, size);

  return p == NULL ? NULL : memset(p, 0, size);
}

void xli_free(xl_engine *eng, void *ptr) {
  if (ptr != NULL) {
    eng->env.alloc.realloc(eng->env.alloc.arg, ptr, 0);
  }
}

void *xli_grow(xl_engine *eng, void *ptr, uint32_t *cap, uint32_t need,
               size_t size) {
  assert(size > 0 && need > 0 && need <= UINT32_MAX / 4);
  if (need <= *cap) {
    return ptr;
  }
  uint32_t room = *cap + *cap / 4 + 1;
  room = room < need ? need : room;
  void *p = xli_resize(eng, ptr, room * size);
  *cap = p == NULL ? *cap : room;
  return p;
}
