/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include "agent.h"
#include "alloc.h"

static bool before(const xl_agent *a, const xl_agent *b) {
  return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void put(heap *h, uint32_t i, xl_agent *a) {
  h->at[i] = a;
  a->heap_i = i;
}

static void sift_up(heap *h, uint32_t i) {
  xl_agent *a = h->at[i];

  while (i > 0 && before(a, h->at[(i - 1) / 2])) {
    put(h, i, h->at[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  put(h, i, a);
}

static void sift_down(heap *h, uint32_t i) {
  xl_agent *a = h->at[i];

  for (uint32_t c = 2 * i + 1; c < h->n; c = 2 * i + 1) {
    if (c + 1 < h->n && before(h->at[c + 1], h->at[c])) {
      c++;
    }
    if (!before(h->at[c], a)) {
      break;
    }
    put(h, i, h->at[c]);
    i = c;
  }
  put(h, i, a);
}

bool xli_heap_reserve(xl_engine *eng, heap *h, uint32_t n) {
  void *p = xli_grow(eng, h->at, &h->cap, n, sizeof(xl_agent *));

  if (p == NULL) {
    return false;
  }
  h->at = p;
  return true;
}

static void take_out(heap *h, xl_agent *a) {
  uint32_t i = a->heap_i;
  xl_agent *last = h->at[--h->n];

  a->heap_i = XL_NONE;
  if (last != a) {
    put(h, i, last);
    sift_up(h, i);
    sift_down(h, last->heap_i);
  }
}

void xli_heap_set(heap *h, xl_agent *a, xl_time due) {
  a->due = due;
  if (due == XL_NEVER) {
    if (a->heap_i != XL_NONE) {
      take_out(h, a);
    }
    return;
  }
  if (a->heap_i == XL_NONE) {
    assert(h->n < h->cap);
    put(h, h->n++, a);
  }
  sift_up(h, a->heap_i);
  sift_down(h, a->heap_i);
}

bool xli_heap_check(const heap *h) {
  for (uint32_t i = 0; i < h->n; i++) {
    if (h->at[i]->heap_i != i || h->at[i]->due == XL_NEVER ||
        (i > 0 && before(h->at[i], h->at[(i - 1) / 2]))) {
      return false;
    }
  }
  return true;
}
