/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep: a solve with a hard bound, for one that runs out of budget.
 *
 * Progressive filling, replayed for what changed. A dirty link has its old
 * level L and the level c it would have now. The link with the smallest of
 * min(c, L) is next:
 *   c <= L   it is final at c: nothing that comes later can change it
 *   c >  L   its old level passes without it being full: it is raised to
 *            infinity, and comes again with c
 * So each link is raised once and final once. A dirty link's c is computed
 * again when any flow of it meets a link that changed, also when no rate did:
 * its limit without both links may have changed.
 */
#include "net/fluid/state.h"

#include <stdlib.h>

typedef struct sweep {
  fl *s;
  heap dirty; /* by min(c, L) */
  uint32_t *all;
  size_t nall, all_cap;
} sweep;

static void place(void *owner, const heap_node *node, uint32_t at) {
  fl *s = owner;
  s->sweep_place[node->id] = at;
}

static void renew(sweep *w, uint32_t l) {
  fl *s = w->s;

  s->stats.evaluations++;
  s->sweep_c[l] = fl_waterfill(s, l);
  double c = s->sweep_c[l], L = s->L[l];
  heap_key(&w->dirty, s->sweep_place[l], c < L ? c : L, place, s);
}

/* Queues what is next to |l|: the links that are dirty, and all links of flows
   that nothing limits any more, since a slack one may be what does next. */
static void wake(sweep *w, uint32_t l) {
  fl *s = w->s;

  for (uint32_t j = 0; j < s->links[l].n; j++) {
    const fl_flow *f = flow_at(s, list_of(s, &s->links[l])[j].flow);
    bool free = limit(s, f, B_NONE) == INFINITY;
    for (unsigned i = 0; i < f->np; i++) {
      const fl_link *o = &s->links[f->hops[i].link];
      if ((o->dirty || free) && !o->final) {
        fl_queue_link(s, f->hops[i].link);
      }
    }
  }
}

/* Makes all that is queued dirty. */
static void gather(sweep *w) {
  fl *s = w->s;

  for (uint32_t l; (l = fl_queue_take(s)) != NOWHERE;) {
    if (s->links[l].final) {
      continue;
    }
    if (!s->links[l].dirty) {
      s->links[l].dirty = true;
      if (is_hot(s, l)) {
        fl_cool(s, l);
      }
      w->all = room_for(w->all, &w->all_cap, w->nall + 1, sizeof *w->all);
      w->all[w->nall++] = l;
      heap_put(&w->dirty, (heap_node){0, l, 0}, place, s);
      wake(w, l);
    }
    renew(w, l);
  }
}

/* Gives |l| its level and looks again at the dirty links next to it. */
static void change(sweep *w, uint32_t l, double x) {
  fl *s = w->s;

  fl_waterfill(s, l);
  fl_cold_level(s, l, x);
  wake(w, l);
}

void fl_sweep(fl *s) {
  sweep w = {.s = s};

  s->stats.sweeps++;
  s->sweep_c =
      room_for(s->sweep_c, &s->sweep_cap, s->nlinks, sizeof *s->sweep_c);
  s->sweep_place = room_for(s->sweep_place, &s->sweep_pcap, s->nlinks,
                            sizeof *s->sweep_place);
  gather(&w);
  while (w.dirty.n > 0 && w.dirty.at[0].key < INFINITY) {
    uint32_t l = w.dirty.at[0].id;
    double c = s->sweep_c[l], L = s->L[l];
    if (c <= L * (1 + SAME)) {
      s->links[l].final = true;
      heap_remove(&w.dirty, 0, place, s);
      if (!same(c, L)) {
        change(&w, l, c);
      }
    } else {
      change(&w, l, INFINITY);
    }
    gather(&w);
  }
  for (size_t i = 0; i < w.nall; i++) {
    fl_link *k = &s->links[w.all[i]];
    k->dirty = k->final = false;
    if (s->L[w.all[i]] < INFINITY && k->n > s->cfg.hot_min) {
      fl_heat(s, w.all[i]);
    }
  }
  free(w.all);
  free(w.dirty.at);
}
