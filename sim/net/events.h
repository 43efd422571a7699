/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What will happen, in one total order (time, sequence): a heap. Two
 * events of one instant come out in the order in which they were put in.
 * An event that lost its meaning is not taken out; its reader finds that the
 * thing it names is gone (serial numbers are never used twice).
 */
#ifndef NET_EVENTS_H
#define NET_EVENTS_H

#include <xl/types.h>

typedef struct event {
  xl_time at;
  uint64_t seq;  /* filled by events_put */
  uint64_t what; /* tag, or serial number of what it is about */
  uint32_t who;  /* node or channel */
  uint32_t kind; /* of the reader's enum */
} event;

typedef struct events {
  event *heap; /* owned */
  size_t n, cap;
  uint64_t seq;
} events;

void events_put(events *q, xl_time at, uint32_t kind, uint32_t who,
                uint64_t what);
/* The time of the first event; XL_NEVER when there is none. */
xl_time events_next(const events *q);
event events_take(events *q); /* there must be one */
void events_fini(events *q);

#endif
