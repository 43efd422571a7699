/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of evaluations. Links wait in a queue, first in first out, the hot
 * ones behind all others; an instant that needs many is continued by level,
 * the lowest first, which halves the work where much is coupled. (A stack
 * would be exponential, and evaluating from old levels in parallel need not
 * end.)
 */
#include "net/fluid/state.h"

#define BY_LEVEL                                                               \
  30 /* evaluations of one solve before the order is by level                  \
      */

static void nothing(void *owner, const heap_node *node, uint32_t place) {
  (void)owner;
  (void)node;
  (void)place;
}

static void queue_put(fl_queue *q, uint32_t l) {
  if (q->head + q->n == q->cap) {
    if (q->head > q->cap / 2) {
      for (size_t i = 0; i < q->n; i++) {
        q->at[i] = q->at[q->head + i];
      }
      q->head = 0;
    } else {
      q->at = room_for(q->at, &q->cap, q->cap + 1, sizeof *q->at);
    }
  }
  q->at[q->head + q->n++] = l;
}

static uint32_t queue_take(fl_queue *q) {
  if (q->n == 0) {
    q->head = 0;
    return NOWHERE;
  }
  q->n--;
  return q->at[q->head++];
}

void fl_queue_link(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];

  if (k->queued) {
    return;
  }
  k->queued = true;
  s->pending = true;
  if (k->hot != NOWHERE) {
    queue_put(&s->hot, l);
  } else if (s->by_level) {
    heap_put(&s->order, (heap_node){s->L[l], l, 0}, nothing, NULL);
  } else {
    queue_put(&s->cold, l);
  }
}

/* Fetches what the links behind the head will need: many wait when a hot link
   has changed, and each is four dependent reads away. */
static void fetch_ahead(const fl *s, const fl_queue *q) {
  const uint32_t *at = q->at + q->head;

  if (q->n > 18) {
    __builtin_prefetch(&s->links[at[18]]);
    __builtin_prefetch(list_of(s, &s->links[at[12]]));
    fl_fetch_flows(s, at[6]);
  }
}

uint32_t fl_queue_take(fl *s) {
  fetch_ahead(s, &s->cold);
  uint32_t l = queue_take(&s->cold);

  if (l == NOWHERE && s->order.n > 0) {
    l = s->order.at[0].id;
    heap_remove(&s->order, 0, nothing, NULL);
  }
  if (l == NOWHERE) {
    l = queue_take(&s->hot);
  }
  if (l != NOWHERE) {
    s->links[l].queued = false;
  }
  return l;
}

static void go_by_level(fl *s) {
  s->by_level = true;
  for (uint32_t l; (l = queue_take(&s->cold)) != NOWHERE;) {
    heap_put(&s->order, (heap_node){s->L[l], l, 0}, nothing, NULL);
  }
}

void fl_solve(fl *s) {
  uint64_t n = 0, distinct = 0;

  if (!s->pending && s->ntouched == 0) {
    return;
  }
  s->stats.solves++;
  s->stamp++;
  for (uint32_t l; (l = fl_queue_take(s)) != NOWHERE;) {
    if (n >= s->cfg.steps && n >= s->cfg.budget * distinct) {
      fl_queue_link(s, l);
      fl_sweep(s);
      break;
    }
    distinct += s->links[l].stamp != s->stamp;
    s->links[l].stamp = s->stamp;
    fl_evaluate(s, l);
    if (++n >= BY_LEVEL && !s->by_level && 3 * n > 4 * distinct) {
      go_by_level(s);
    }
  }
  if (n > s->stats.evaluations_max) {
    s->stats.evaluations_max = n;
  }
  s->by_level = false;
  s->pending = false;
  fl_clock_update(s);
}
