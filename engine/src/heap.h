/* SPDX-License-Identifier: MIT */
/*
 * The indexed heap of agents by their next deadline, four children a node. Ties
 * go to the agent that was made first. An agent with no deadline is not in it.
 */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include <xl/agent.h>

typedef struct heap_entry { /* what is compared, but for ties */
  xl_time due;
  xl_agent *agent;
} heap_entry;

typedef struct heap {
  heap_entry *at; /* owned; at[0] is due first */
  uint32_t n, cap;
} heap;

/* Room for |n| agents, so that xli_heap_set cannot fail. */
bool xli_heap_reserve(xl_engine *eng, heap *h, uint32_t n);
/* Moves |a| to |due|; XL_NEVER takes it out. */
void xli_heap_set(heap *h, xl_agent *a, xl_time due);
/* True when order and indices are right. */
bool xli_heap_check(const heap *h);

#endif
