/* SPDX-License-Identifier: MIT */
#include "heap.h"

#include "agent.h"
#include "alloc.h"

static bool before(const heap_entry *a, const heap_entry *b) {
  return a->due != b->due ? a->due < b->due : a->agent->seq < b->agent->seq;
}

static void put(heap *h, uint32_t i, heap_entry e) {
  h->at[i] = e;
  e.agent->heap_i = i;
}

static void sift_up(heap *h, uint32_t i, heap_entry e) {
  while (i > 0 && before(&e, &h->at[(i - 1) / 4])) {
    put(h, i, h->at[(i - 1) / 4]);
    i = (i - 1) / 4;
  }
  put(h, i, e);
}

static uint32_t first_child(const heap *h, uint32_t i) {
  uint32_t best = 4 * i + 1;
  uint32_t end = h->n - best < 4 ? h->n : best + 4;

  for (uint32_t c = best + 1; c < end; c++) {
    best = before(&h->at[c], &h->at[best]) ? c : best;
  }
  return best;
}

/* Puts |e|, which replaces what was at |i|, where it belongs. */
static void place(heap *h, uint32_t i, heap_entry e) {
  uint32_t hole = i;

  while (4 * (uint64_t)hole + 1 < h->n) {
    uint32_t c = first_child(h, hole);
    if (!before(&h->at[c], &e)) {
      break;
    }
    put(h, hole, h->at[c]);
    hole = c;
  }
  if (hole == i) {
    sift_up(h, i, e);
  } else {
    put(h, hole, e);
  }
}

bool xli_heap_reserve(xl_engine *eng, heap *h, uint32_t n) {
  void *p = xli_grow(eng, h->at, &h->cap, n, sizeof *h->at);

  if (p == NULL) {
    return false;
  }
  h->at = p;
  return true;
}

static void take_out(heap *h, xl_agent *a) {
  uint32_t i = a->heap_i;
  heap_entry last = h->at[--h->n];

  a->heap_i = XL_NONE;
  if (last.agent != a) {
    place(h, i, last);
  }
}

void xli_heap_set(heap *h, xl_agent *a, xl_time due) {
  heap_entry e = {due, a};

  a->due = due;
  if (due != XL_NEVER && a->heap_i == XL_NONE) {
    assert(h->n < h->cap);
    sift_up(h, h->n++, e);
  } else if (due != XL_NEVER) {
    place(h, a->heap_i, e);
  } else if (a->heap_i != XL_NONE) {
    take_out(h, a);
  }
}

bool xli_heap_check(const heap *h) {
  for (uint32_t i = 0; i < h->n; i++) {
    const heap_entry *e = &h->at[i];
    if (e->agent->heap_i != i || e->agent->due != e->due ||
        e->due == XL_NEVER || (i > 0 && before(e, &h->at[(i - 1) / 4]))) {
      return false;
    }
  }
  return true;
}
