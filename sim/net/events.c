/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/events.h"

#include <stdlib.h>

#include "net/room.h"

static bool before(const event *a, const event *b) {
  return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

/* Four children a node: fewer levels, and they share two cache lines. */
void events_put(events *q, xl_time at, uint32_t kind, uint32_t who,
                uint64_t what) {
  q->heap = room_for(q->heap, &q->cap, q->n + 1, sizeof *q->heap);
  event e = {at, q->seq++, what, who, kind};
  size_t i = q->n++;

  while (i > 0 && before(&e, &q->heap[(i - 1) / 4])) {
    q->heap[i] = q->heap[(i - 1) / 4];
    i = (i - 1) / 4;
  }
  q->heap[i] = e;
}

xl_time events_next(const events *q) {
  return q->n > 0 ? q->heap[0].at : XL_NEVER;
}

static size_t first_child(const events *q, size_t i) {
  size_t best = 4 * i + 1;
  size_t end = best + 4 < q->n ? best + 4 : q->n;

  for (size_t child = best + 1; child < end; child++) {
    best = before(&q->heap[child], &q->heap[best]) ? child : best;
  }
  return best;
}

event events_take(events *q) {
  assert(q->n > 0);
  event first = q->heap[0];
  event last = q->heap[--q->n];
  size_t i = 0;

  while (4 * i + 1 < q->n) {
    size_t child = first_child(q, i);
    if (!before(&q->heap[child], &last)) {
      break;
    }
    q->heap[i] = q->heap[child];
    i = child;
  }
  if (q->n > 0) {
    q->heap[i] = last;
  }
  return first;
}

void events_fini(events *q) {
  free(q->heap);
  *q = (events){0};
}
