/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 4-ary heap of (key, id) with the keys inside, smallest first, ties by id.
 * The owner keeps each id's place: functions take a callback that stores it,
 * inlined where it is called.
 */
#ifndef NET_FLUID_HEAP_H
#define NET_FLUID_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/room.h"

typedef struct heap_node {
  double key;
  uint32_t id, sub; /* |sub| is the owner's */
} heap_node;

typedef struct heap {
  heap_node *at; /* owned */
  size_t n, cap;
} heap;

typedef void heap_place(void *owner, const heap_node *node, uint32_t place);

static inline bool heap_before(const heap_node *a, const heap_node *b) {
  return a->key < b->key || (a->key == b->key && a->id < b->id);
}

static inline void heap_up(heap *h, size_t i, heap_node node, heap_place *place,
                           void *owner) {
  while (i > 0) {
    size_t up = (i - 1) / 4;
    if (!heap_before(&node, &h->at[up])) {
      break;
    }
    h->at[i] = h->at[up];
    place(owner, &h->at[i], (uint32_t)i);
    i = up;
  }
  h->at[i] = node;
  place(owner, &h->at[i], (uint32_t)i);
}

static inline void heap_down(heap *h, size_t i, heap_node node,
                             heap_place *place, void *owner) {
  for (size_t child = 4 * i + 1; child < h->n; child = 4 * i + 1) {
    size_t last = child + 4 < h->n ? child + 4 : h->n;
    for (size_t c = child + 1; c < last; c++) {
      child = heap_before(&h->at[c], &h->at[child]) ? c : child;
    }
    if (!heap_before(&h->at[child], &node)) {
      break;
    }
    h->at[i] = h->at[child];
    place(owner, &h->at[i], (uint32_t)i);
    i = child;
  }
  h->at[i] = node;
  place(owner, &h->at[i], (uint32_t)i);
}

static inline void heap_put(heap *h, heap_node node, heap_place *place,
                            void *owner) {
  h->at = room_for(h->at, &h->cap, h->n + 1, sizeof *h->at);
  h->n++;
  heap_up(h, h->n - 1, node, place, owner);
}

static inline void heap_remove(heap *h, size_t i, heap_place *place,
                               void *owner) {
  heap_node last = h->at[--h->n];

  if (i == h->n) {
    return;
  }
  if (i > 0 && heap_before(&last, &h->at[(i - 1) / 4])) {
    heap_up(h, i, last, place, owner);
  } else {
    heap_down(h, i, last, place, owner);
  }
}

static inline void heap_key(heap *h, size_t i, double key, heap_place *place,
                            void *owner) {
  heap_node node = h->at[i];
  bool up = key < node.key;

  node.key = key;
  if (up) {
    heap_up(h, i, node, place, owner);
  } else {
    heap_down(h, i, node, place, owner);
  }
}

#endif
