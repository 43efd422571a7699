/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests and answers of channels: one pool, and lists in it by index. */
#ifndef NET_ITEMS_H
#define NET_ITEMS_H

#include <xl/types.h>

#define NO_ITEM UINT32_MAX

/* A request on its way or asked, or an answer waiting or carried. */
typedef struct item {
  uint64_t tag;
  uint64_t serial; /* never used twice in a network */
  xl_bytes bytes, arrived;
  xl_time ready_at; /* an answer is not carried before */
  uint32_t next;    /* in its list or in the free list */
  bool asked;       /* the request has arrived */
  bool stray;       /* cancelled with bytes on the wire */
} item;

typedef struct items {
  item *at; /* owned */
  size_t n, cap;
  uint32_t free; /* first free one, NO_ITEM */
} items;

typedef struct list {
  uint32_t head, tail; /* NO_ITEM when empty */
} list;

#define LIST_EMPTY                                                             \
  { NO_ITEM, NO_ITEM }

/* Pointers into the pool are good until the next items_new. */
uint32_t items_new(items *pool, item init);
void items_del(items *pool, uint32_t i);
void items_fini(items *pool);

void list_append(items *pool, list *l, uint32_t i);
void list_remove(items *pool, list *l, uint32_t i); /* |i| is in it */
void list_clear(items *pool, list *l);              /* and deletes them */
/* The first with |tag|, or NO_ITEM. Stray ones are not found: their tag may be
   in use again. */
uint32_t list_find(const items *pool, const list *l, uint64_t tag);

#endif
