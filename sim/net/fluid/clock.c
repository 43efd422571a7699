/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time in the solver: virtual time of links, finish tags, the next completion.
 *
 * The clock is integer ns and a span is converted to seconds only when it is
 * multiplied with a level, so nothing is lost late in a long run. A link's
 * virtual time counts bytes a unit of weight; it starts again at 0 when no
 * flow is limited by the link, and is moved back when it becomes so large that
 * bytes would be lost.
 */
#include "net/fluid/state.h"

#include <stdlib.h>

#define V_MAX 1099511627776.0 /* 2^40: a byte is 2^-13 of a rounding error */
#define NS 1e9

static void place_link(void *owner, const heap_node *node, uint32_t place) {
  fl *s = owner;
  s->links[node->id].hplace = place;
}

static void place_tag(void *owner, const heap_node *node, uint32_t place) {
  flow_at(owner, node->id)->tplace = place;
}

/* |span| ns after now, rounded to the nearest: a key of the heaps by time. */
static double after(const fl *s, double span) {
  if (!(span < 9e18)) {
    return INFINITY;
  }
  xl_time now = s->now - s->base;
  return span <= 0 ? (double)now : (double)(now + (xl_time)(span + 0.5));
}

double fl_left(const fl *s, const fl_flow *f) {
  double left = f->tag;

  if (f->b == B_CAP) {
    if (s->now > f->t0) {
      left -= f->w * f->k * 1e-9 * (double)(s->now - f->t0);
    }
  } else if (f->b != B_NONE) {
    left = (f->tag - virtual_time(s, f->hops[f->b].link)) * f->w;
  }
  return left > 0 ? left : 0;
}

static double capped_end(const fl *s, const fl_flow *f) {
  double rate = f->w * f->k;

  return rate > 0 ? after(s, f->tag / rate * NS) : INFINITY;
}

void fl_untag(fl *s, uint32_t id, fl_flow *f) {
  double left = fl_left(s, f);

  (void)id;
  if (f->b == B_CAP) {
    if (f->tplace != NOWHERE) {
      heap_remove(&s->next_capped, f->tplace, place_tag, s);
    }
  } else if (f->b != B_NONE) {
    fl_touch(s, f->hops[f->b].link);
  }
  f->b = B_NONE;
  f->tplace = NOWHERE;
  f->tag = left;
}

void fl_retag(fl *s, uint32_t id, fl_flow *f, unsigned b) {
  fl_untag(s, id, f);
  f->b = (uint8_t)b;
  if (b == B_CAP) {
    f->t0 = s->now;
    heap_put(&s->next_capped, (heap_node){capped_end(s, f), id, 0}, place_tag,
             s);
  } else {
    uint32_t l = f->hops[b].link;
    f->tag = virtual_time(s, l) + f->tag / f->w;
    fl_touch(s, l);
  }
}

void fl_touch(fl *s, uint32_t l) {
  if (!s->links[l].touched) {
    s->links[l].touched = true;
    s->touched = room_for(s->touched, &s->touched_cap, s->ntouched + 1,
                          sizeof *s->touched);
    s->touched[s->ntouched++] = l;
  }
}

/* Moves V of |l| back to 0, and the tags with it. */
static void rebase(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);

  for (uint32_t j = 0; j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    if (f->b == e[j].hop) {
      f->tag -= k->V;
    }
  }
  if (is_hot(s, l)) {
    heap *tags = &s->hots[k->hot].tags;
    for (size_t i = 0; i < tags->n; i++) {
      tags->at[i].key -= k->V;
    }
  }
  k->V = 0;
}

void fl_level_set(fl *s, uint32_t l, double L) {
  fl_link *k = &s->links[l];

  k->V = virtual_time(s, l);
  k->tV = s->now;
  if (k->V > V_MAX) {
    rebase(s, l);
  }
  s->L[l] = L;
  fl_touch(s, l);
}

/* The smallest tag of the flows that |l| limits; INFINITY when none. */
static double first_tag(const fl *s, uint32_t l) {
  const fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  double first = INFINITY;

  if (is_hot(s, l)) {
    const heap *tags = &s->hots[k->hot].tags;
    return tags->n > 0 ? tags->at[0].key : INFINITY;
  }
  for (uint32_t j = 0; j < k->n; j++) {
    const fl_flow *f = flow_at(s, e[j].flow);
    first = f->b == e[j].hop && f->tag < first ? f->tag : first;
  }
  return first;
}

static void rekey(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  double L = s->L[l], tag = first_tag(s, l);
  double at = INFINITY;

  if (tag == INFINITY) { /* nothing counts on V */
    k->V = 0;
    k->tV = s->now;
  } else if (L > 0) {
    at = after(s, (tag - virtual_time(s, l)) / L * NS);
  }
  if (k->hplace == NOWHERE) {
    if (at < INFINITY) {
      heap_put(&s->next_link, (heap_node){at, l, 0}, place_link, s);
    }
  } else if (at < INFINITY) {
    heap_key(&s->next_link, k->hplace, at, place_link, s);
  } else {
    heap_remove(&s->next_link, k->hplace, place_link, s);
    k->hplace = NOWHERE;
  }
}

void fl_clock_update(fl *s) {
  for (size_t i = 0; i < s->ntouched; i++) {
    if (i + 16 < s->ntouched) {
      __builtin_prefetch(&s->links[s->touched[i + 16]]);
      __builtin_prefetch(list_of(s, &s->links[s->touched[i + 10]]));
      fl_fetch_flows(s, s->touched[i + 5]);
    }
    s->links[s->touched[i]].touched = false;
    rekey(s, s->touched[i]);
  }
  s->ntouched = 0;
}

static void shift(heap *h, double by) {
  for (size_t i = 0; i < h->n; i++) {
    h->at[i].key -= by;
  }
}

/* Keys of the heaps by time are ns since |base|, which follows the clock: a
   double holds them exactly for 104 days. */
static void follow(fl *s) {
  shift(&s->next_link, (double)(s->now - s->base));
  shift(&s->next_capped, (double)(s->now - s->base));
  s->base = s->now;
}

void fl_at(fl *s, xl_time now) {
  assert(now >= s->now);
  if (now > s->now) {
    fl_solve(s);
    s->now = now;
  }
  if (now - s->base > XL_DAY(26)) {
    follow(s);
  }
}

xl_time fl_next(fl *s) {
  fl_solve(s);
  double link = s->next_link.n > 0 ? s->next_link.at[0].key : INFINITY;
  double capped = s->next_capped.n > 0 ? s->next_capped.at[0].key : INFINITY;
  double next = link < capped ? link : capped;

  return next < 9e18 ? xl_time_add(s->base, (xl_time)next) : XL_NEVER;
}

/* ---- ends
 * ----------------------------------------------------------------------- */

static void end(fl *s, uint32_t id) {
  s->ended = room_for(s->ended, &s->ended_cap, s->nended + 1, sizeof *s->ended);
  s->ended[s->nended++] = (fl_end){flow_at(s, id)->seq, id};
}

/* What rekey() would put at now: the same expression, so that both agree. */
static bool is_due(double tag, double V, double L) {
  return (tag - V) / L * NS < 0.5;
}

/* The flows of |l| that are done by now, to the nearest ns. */
static void take_link(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  double V = virtual_time(s, l), L = s->L[l];

  heap_remove(&s->next_link, k->hplace, place_link, s);
  k->hplace = NOWHERE;
  fl_touch(s, l);
  if (is_hot(s, l)) {
    heap *tags = &s->hots[k->hot].tags;
    while (tags->n > 0 && is_due(tags->at[0].key, V, L)) {
      uint32_t id = tags->at[0].id;
      heap_remove(tags, 0, place_tag, s);
      flow_at(s, id)->tplace = NOWHERE;
      end(s, id);
    }
    return;
  }
  for (uint32_t j = 0; j < k->n; j++) {
    const fl_flow *f = flow_at(s, e[j].flow);
    if (f->b == e[j].hop && is_due(f->tag, V, L)) {
      end(s, e[j].flow);
    }
  }
}

static int by_start(const void *a, const void *b) {
  const fl_end *x = a, *y = b;

  return (x->seq > y->seq) - (x->seq < y->seq);
}

size_t fl_take(fl *s, xl_time at) {
  fl_at(s, at);
  double until = (double)(at - s->base);
  s->nended = 0;
  while (s->next_link.n > 0 && s->next_link.at[0].key <= until) {
    take_link(s, s->next_link.at[0].id);
  }
  while (s->next_capped.n > 0 && s->next_capped.at[0].key <= until) {
    uint32_t id = s->next_capped.at[0].id;
    heap_remove(&s->next_capped, 0, place_tag, s);
    flow_at(s, id)->tplace = NOWHERE;
    end(s, id);
  }
  if (s->nended > 1) {
    qsort(s->ended, s->nended, sizeof *s->ended, by_start);
  }
  for (size_t i = 0; i < s->nended; i++) {
    uint32_t id = s->ended[i].id;
    fl_drop(s, id, flow_at(s, id));
  }
  return s->nended;
}

uint32_t fl_taken(const fl *s, size_t i) {
  assert(i < s->nended);
  return s->ended[i].id;
}
