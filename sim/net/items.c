/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/items.h"

#include <stdlib.h>

#include "net/room.h"

uint32_t items_new(items *pool, item init) {
  uint32_t i = pool->free;

  if (i == NO_ITEM) {
    pool->at = room_for(pool->at, &pool->cap, pool->n + 1, sizeof *pool->at);
    i = (uint32_t)pool->n++;
  } else {
    pool->free = pool->at[i].next;
  }
  pool->at[i] = init;
  return i;
}

void items_del(items *pool, uint32_t i) {
  pool->at[i] = (item){.next = pool->free};
  pool->free = i;
}

void items_fini(items *pool) {
  free(pool->at);
  *pool = (items){.free = NO_ITEM};
}

void list_append(items *pool, list *l, uint32_t i) {
  pool->at[i].next = NO_ITEM;
  if (l->head == NO_ITEM) {
    l->head = i;
  } else {
    pool->at[l->tail].next = i;
  }
  l->tail = i;
}

void list_remove(items *pool, list *l, uint32_t i) {
  uint32_t before = NO_ITEM;

  for (uint32_t k = l->head; k != i; k = pool->at[k].next) {
    before = k;
  }
  if (before == NO_ITEM) {
    l->head = pool->at[i].next;
  } else {
    pool->at[before].next = pool->at[i].next;
  }
  if (l->tail == i) {
    l->tail = before;
  }
}

void list_clear(items *pool, list *l) {
  while (l->head != NO_ITEM) {
    uint32_t i = l->head;
    l->head = pool->at[i].next;
    items_del(pool, i);
  }
  l->tail = NO_ITEM;
}

uint32_t list_find(const items *pool, const list *l, uint64_t tag) {
  uint32_t i = l->head;

  while (i != NO_ITEM && (pool->at[i].stray || pool->at[i].tag != tag)) {
    i = pool->at[i].next;
  }
  return i;
}
