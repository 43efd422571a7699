/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links and flows: their records, the lists that join them, their changes. */
#include "net/fluid/solver.h"

#include <stdlib.h>

#include "net/fluid/state.h"

#define FIRST_ROOM 4u /* entries of a new link; rooms are this times 2^n */

/* ---- life
 * ----------------------------------------------------------------------- */

fl *fl_new(const fl_config *config) {
  size_t one = 0;
  fl *s = room_for(NULL, &one, 1, sizeof *s);

  assert(config->path_max <= FL_PATH_MAX);
  assert(config->epsilon >= 0 && config->hot_min > 0);
  s->cfg = *config;
  s->stride = sizeof(fl_flow) + config->path_max * sizeof(fl_hop);
  s->hot_free = NOWHERE;
  for (unsigned i = 0; i < sizeof s->pool_free / sizeof *s->pool_free; i++) {
    s->pool_free[i] = NOWHERE;
  }
  return s;
}

void fl_del(fl *s) {
  if (s == NULL) {
    return;
  }
  for (size_t i = 0; i < s->nhots; i++) {
    free(s->hots[i].R.at);
    free(s->hots[i].lazy.at);
    free(s->hots[i].tags.at);
    free(s->hots[i].K);
  }
  free(s->hots);
  pages_fini(&s->flows_);
  pages_fini(&s->links_);
  pages_fini(&s->levels_);
  pages_fini(&s->pool_);
  free(s->cold.at);
  free(s->hot.at);
  free(s->order.at);
  free(s->touched);
  free(s->next_link.at);
  free(s->next_capped.at);
  free(s->lim);
  free(s->moved);
  free(s->ended);
  free(s->sweep_c);
  free(s->sweep_place);
  free(s);
}

/* ---- lists of a link's flows
 * ---------------------------------------------------- */

static unsigned class_of(uint32_t room) {
  return (unsigned)__builtin_ctz(room / FIRST_ROOM);
}

static uint32_t block_new(fl *s, uint32_t room) {
  unsigned c = class_of(room);
  uint32_t first = s->pool_free[c];

  if (first != NOWHERE) {
    s->pool_free[c] = s->pool[first].flow;
    return first;
  }
  first = (uint32_t)s->pool_n;
  s->pool_n += room;
  assert(s->pool_n < NOWHERE);
  pages_grow(&s->pool_, s->pool_n * sizeof *s->pool);
  s->pool = s->pool_.at;
  return first;
}

static void list_add(fl *s, uint32_t id, fl_flow *f, unsigned i) {
  fl_link *k = &s->links[f->hops[i].link];

  if (k->n == k->room) {
    uint32_t first = block_new(s, 2 * k->room);
    for (uint32_t j = 0; j < k->n; j++) {
      s->pool[first + j] = s->pool[k->first + j];
    }
    s->pool[k->first].flow = s->pool_free[class_of(k->room)];
    s->pool_free[class_of(k->room)] = k->first;
    k->first = first;
    k->room *= 2;
  }
  f->hops[i].pos = k->n;
  f->hops[i].set = SET_NONE;
  s->pool[k->first + k->n++] = (fl_entry){id, i};
}

static void list_remove(fl *s, const fl_flow *f, unsigned i) {
  fl_link *k = &s->links[f->hops[i].link];
  fl_entry last = s->pool[k->first + --k->n];

  s->pool[k->first + f->hops[i].pos] = last;
  flow_at(s, last.flow)->hops[last.hop].pos = f->hops[i].pos;
  if (k->n == 0 && s->L[f->hops[i].link] == INFINITY) {
    k->U = 0;
  }
}

/* ---- links
 * ---------------------------------------------------------------------- */

uint32_t fl_link_add(fl *s, double capacity) {
  uint32_t l = s->nlinks++;

  pages_grow(&s->links_, s->nlinks * sizeof *s->links);
  pages_grow(&s->levels_, s->nlinks * sizeof *s->L);
  s->links = s->links_.at;
  s->L = s->levels_.at;
  s->L[l] = INFINITY;
  s->links[l] = (fl_link){
      .C = capacity,
      .tV = s->now,
      .first = block_new(s, FIRST_ROOM),
      .room = FIRST_ROOM,
      .hplace = NOWHERE,
      .hot = NOWHERE,
  };
  return l;
}

void fl_link_set(fl *s, xl_time now, uint32_t link, double capacity) {
  fl_at(s, now);
  fl_link *k = &s->links[link];

  k->C = capacity;
  if (s->L[link] == INFINITY) { /* rounded as the old capacity let it */
    fl_sum(s, k);
  }
  if (s->L[link] < INFINITY || k->U > capacity * (1 + SLACK)) {
    fl_queue_link(s, link);
  }
}

double fl_level(const fl *s, uint32_t link) {
  return s->L[link];
}

const fl_stats *fl_cost(const fl *s) {
  return &s->stats;
}

/* ---- flows
 * ---------------------------------------------------------------------- */

void fl_flow_init(fl *s, uint32_t id, const uint32_t *links, uint32_t n,
                  double cap, double weight) {
  assert(n <= s->cfg.path_max && weight > 0 && cap >= 0);
  if (id >= s->nflows) {
    s->nflows = (size_t)id + 1;
    pages_grow(&s->flows_, s->nflows * s->stride);
    s->flows = s->flows_.at;
  }
  fl_flow *f = flow_at(s, id);

  *f = (fl_flow){.w = weight,
                 .k = cap / weight,
                 .tplace = NOWHERE,
                 .np = (uint8_t)n,
                 .b = B_NONE};
  for (uint32_t i = 0; i < n; i++) {
    f->hops[i] = (fl_hop){.link = links[i]};
  }
}

/* With nothing to limit it, the flow takes what its tightest link has left,
   until that link has been evaluated. */
static void place_free(fl *s, uint32_t id, fl_flow *f) {
  double left = INFINITY;
  unsigned b = 0;

  for (unsigned i = 0; i < f->np; i++) {
    const fl_link *k = &s->links[f->hops[i].link];
    if (k->C - k->U < left) {
      left = k->C - k->U;
      b = i;
    }
  }
  fl_set(s, id, f, b, left > 0 ? left / f->w : 0, NOWHERE);
  fl_queue_link(s, f->hops[b].link);
}

/* Puts |f| on its links, with |tag| bytes to go. */
static void place(fl *s, uint32_t id, fl_flow *f) {
  f->r = 0;
  for (unsigned i = 0; i < f->np; i++) {
    list_add(s, id, f, i);
    if (is_hot(s, f->hops[i].link)) {
      fl_hot_add(s, id, f, i);
    }
  }
  unsigned b = limiter(s, f, B_NONE);
  double rho = b == B_CAP ? f->k : s->L[f->hops[b].link];
  if (rho == INFINITY && f->np > 0) {
    place_free(s, id, f);
  } else {
    fl_set(s, id, f, b, rho, NOWHERE);
  }
  s->pending = true;
}

void fl_drop(fl *s, uint32_t id, fl_flow *f) {
  for (unsigned i = 0; i < f->np; i++) {
    if (f->hops[i].set != SET_NONE) {
      fl_hot_remove(s, f, i);
      fl_queue_link(s, f->hops[i].link);
    } else if (f->b == i && s->L[f->hops[i].link] < INFINITY) {
      fl_queue_link(s, f->hops[i].link); /* also when its level is 0 */
    }
  }
  fl_apply(s, id, f, 0, NOWHERE);
  fl_untag(s, id, f);
  for (unsigned i = 0; i < f->np; i++) {
    list_remove(s, f, i);
  }
  s->pending = true;
}

void fl_flow_start(fl *s, xl_time now, uint32_t id, xl_bytes bytes) {
  fl_at(s, now);
  fl_flow *f = flow_at(s, id);

  assert(f->b == B_NONE && bytes > 0);
  f->size = bytes;
  f->seq = ++s->seq;
  f->tag = (double)bytes;
  place(s, id, f);
}

void fl_flow_stop(fl *s, xl_time now, uint32_t id) {
  fl_at(s, now);
  assert(fl_flow_runs(s, id));
  fl_drop(s, id, flow_at(s, id));
}

void fl_flow_shape(fl *s, xl_time now, uint32_t id, double cap, double weight) {
  fl_at(s, now);
  fl_flow *f = flow_at(s, id);
  bool runs = f->b != B_NONE;

  if (runs) {
    fl_drop(s, id, f);
  }
  f->w = weight;
  f->k = cap / weight;
  if (runs) {
    place(s, id, f);
  }
}

void fl_flow_extend(fl *s, xl_time now, uint32_t id, uint32_t link) {
  fl_at(s, now);
  fl_flow *f = flow_at(s, id);
  bool runs = f->b != B_NONE;

  assert(f->np < s->cfg.path_max);
  if (runs) {
    fl_drop(s, id, f);
  }
  f->hops[f->np++] = (fl_hop){.link = link};
  if (runs) {
    place(s, id, f);
  }
}

bool fl_flow_runs(const fl *s, uint32_t id) {
  return flow_at(s, id)->b != B_NONE;
}

xl_bytes fl_flow_arrived(fl *s, xl_time now, uint32_t id) {
  fl_at(s, now);
  const fl_flow *f = flow_at(s, id);
  /* The noise of a double must not take a byte off a round number. */
  double got = (double)f->size - fl_left(s, f) + 1e-6;

  assert(f->b != B_NONE);
  return got >= (double)f->size ? f->size - 1 : (xl_bytes)(got > 0 ? got : 0);
}

double fl_flow_rate(fl *s, uint32_t id) {
  fl_solve(s);
  const fl_flow *f = flow_at(s, id);

  if (f->b == B_NONE) {
    return 0;
  }
  return f->w * (f->b == B_CAP ? f->k : s->L[f->hops[f->b].link]);
}
