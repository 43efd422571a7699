/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Full links with many flows. Three sets, each with what is asked of it:
 *
 *   R      limited elsewhere    heap, the fastest first: when the level falls
 *                               below its rate it is limited here
 *   lazy   limited here, all other links slack: heap by the reserve; when the
 *                               level rises above it, the reserve is renewed
 *   K      limited here, coupled: some other link is full, or nearly so;
 *                               each change of the level visits it
 *
 *   level = (C - sum of w * rate over R) / (sum of w over lazy and K)
 *
 * Both kinds of moves raise that level: a flow of R that is faster than it
 * comes here, a flow whose limit is below it goes to R. So each flow moves at
 * most twice in one evaluation. Several hot links on a path need nothing
 * special: a flow is in R of all but the one that limits it, and coupled
 * unless the others are slack.
 */
#include "net/fluid/state.h"

#include <stdlib.h>

#define RESERVE_MIN 2e-3 /* of the rate: below that, visiting is cheaper */
#define RESERVE_MAX 1e18
#define PASSES 64 /* against rounding errors that undo one another */

static void place_hop(void *owner, const heap_node *node, uint32_t place) {
  flow_at(owner, node->id)->hops[node->sub].place = place;
}

static void place_tag(void *owner, const heap_node *node, uint32_t place) {
  flow_at(owner, node->id)->tplace = place;
}

static fl_hot *hot_of(const fl *s, const fl_flow *f, unsigned i) {
  return &s->hots[s->links[f->hops[i].link].hot];
}

/* ---- the sets
 * ------------------------------------------------------------------- */

/* Adds |x| to UR with what rounding takes from it (Neumaier's sum): a link
   that has carried 1e8 B/s and now stands still counts 0. */
static void count(fl_hot *h, double x) {
  double sum = h->UR + x;

  h->lost += fabs(h->UR) >= fabs(x) ? (h->UR - sum) + x : (x - sum) + h->UR;
  h->UR = sum;
}

static double elsewhere(const fl_hot *h) {
  return h->UR + h->lost;
}

static void r_add(fl *s, fl_hot *h, uint32_t id, fl_flow *f, unsigned i,
                  double rho) {
  f->hops[i].set = SET_R;
  heap_put(&h->R, (heap_node){-rho, id, i}, place_hop, s);
  count(h, f->w * rho);
  h->ops++;
}

static void r_remove(fl *s, fl_hot *h, fl_flow *f, unsigned i) {
  uint32_t place = f->hops[i].place;

  count(h, f->w * h->R.at[place].key);
  heap_remove(&h->R, place, place_hop, s);
  h->ops++;
  f->hops[i].set = SET_NONE;
}

static void k_add(fl_hot *h, uint32_t id, fl_flow *f, unsigned i) {
  h->K = room_for(h->K, &h->capK, h->nK + 1, sizeof *h->K);
  f->hops[i].set = SET_K;
  f->hops[i].place = (uint32_t)h->nK;
  h->K[h->nK++] = (fl_entry){id, i};
}

static void k_remove(fl *s, fl_hot *h, fl_flow *f, unsigned i) {
  uint32_t place = f->hops[i].place;
  fl_entry last = h->K[--h->nK];

  h->K[place] = last;
  flow_at(s, last.flow)->hops[last.hop].place = place;
  f->hops[i].set = SET_NONE;
}

static void lazy_add(fl *s, fl_hot *h, uint32_t id, fl_flow *f, unsigned i,
                     double reserve) {
  f->hops[i].set = SET_LAZY;
  heap_put(&h->lazy, (heap_node){reserve, id, i}, place_hop, s);
}

static void lazy_remove(fl *s, fl_hot *h, fl_flow *f, unsigned i) {
  heap_remove(&h->lazy, f->hops[i].place, place_hop, s);
  f->hops[i].set = SET_NONE;
}

static void weigh(fl_hot *h, double w) {
  h->WB += w;
  h->WB = h->nK + h->lazy.n > 0 ? h->WB : 0;
  h->ops++;
}

/* Takes |f| out of lazy or K. */
static void b_remove(fl *s, fl_hot *h, fl_flow *f, unsigned i) {
  if (f->hops[i].set == SET_LAZY) {
    lazy_remove(s, h, f, i);
  } else {
    k_remove(s, h, f, i);
  }
  weigh(h, -f->w);
}

static void untag(fl *s, fl_hot *h, fl_flow *f) {
  if (f->tplace != NOWHERE) {
    heap_remove(&h->tags, f->tplace, place_tag, s);
    f->tplace = NOWHERE;
  }
}

/* ---- flows that come, go and change
 * --------------------------------------------- */

void fl_hot_add(fl *s, uint32_t id, fl_flow *f, unsigned i) {
  r_add(s, hot_of(s, f, i), id, f, i, f->r);
}

void fl_hot_remove(fl *s, fl_flow *f, unsigned i) {
  fl_hot *h = hot_of(s, f, i);

  if (f->hops[i].set == SET_R) {
    r_remove(s, h, f, i);
  } else {
    b_remove(s, h, f, i);
  }
  if (f->b == i) {
    untag(s, h, f);
  }
}

void fl_hot_rekey(fl *s, fl_flow *f, unsigned i, double r) {
  fl_hot *h = hot_of(s, f, i);
  uint32_t place = f->hops[i].place;
  double was = -h->R.at[place].key;

  if (r != was) {
    count(h, f->w * r);
    count(h, -(f->w * was));
    h->ops++;
    heap_key(&h->R, place, -r, place_hop, s);
    fl_queue_link(s, f->hops[i].link);
  }
}

/* During an evaluation it may be in its new set already. */
void fl_hot_enter(fl *s, uint32_t id, fl_flow *f, unsigned i) {
  fl_hot *h = hot_of(s, f, i);

  heap_put(&h->tags, (heap_node){f->tag, id, i}, place_tag, s);
  if (f->hops[i].set == SET_R) {
    r_remove(s, h, f, i);
    k_add(h, id, f, i);
    weigh(h, f->w);
    fl_queue_link(s, f->hops[i].link);
  }
}

void fl_hot_leave(fl *s, uint32_t id, fl_flow *f, unsigned i, double rho) {
  fl_hot *h = hot_of(s, f, i);

  untag(s, h, f);
  if (f->hops[i].set != SET_R) {
    b_remove(s, h, f, i);
    r_add(s, h, id, f, i, rho);
    fl_queue_link(s, f->hops[i].link);
  }
}

void fl_hot_couple(fl *s, uint32_t id, fl_flow *f) {
  fl_hot *h = hot_of(s, f, f->b);

  lazy_remove(s, h, f, f->b);
  k_add(h, id, f, f->b);
  fl_apply(s, id, f, s->L[f->hops[f->b].link], f->hops[f->b].link);
}

/* The reserve its other links can give to |f|: a fair part of what is left. */
static double reserve(const fl *s, const fl_flow *f, double rho) {
  double most = f->k < RESERVE_MAX ? f->k : RESERVE_MAX;

  for (unsigned i = 0; i < f->np; i++) {
    const fl_link *k = &s->links[f->hops[i].link];
    if (i == f->b) {
      continue;
    }
    if (s->L[f->hops[i].link] < INFINITY) {
      return 0;
    }
    double room = (k->C - k->U) / f->w + f->r - rho;
    double to = rho + room / (k->n + 1);
    most = to < most ? to : most;
  }
  return most;
}

double fl_hot_settle(fl *s, uint32_t id, fl_flow *f, double rho) {
  unsigned i = f->b;
  fl_hot *h = hot_of(s, f, i);
  double r = reserve(s, f, rho);

  if (!(r > rho * (1 + RESERVE_MIN))) {
    if (f->hops[i].set == SET_LAZY) {
      lazy_remove(s, h, f, i);
      k_add(h, id, f, i);
    }
    return rho;
  }
  if (f->hops[i].set == SET_LAZY) {
    heap_key(&h->lazy, f->hops[i].place, r, place_hop, s);
  } else {
    k_remove(s, h, f, i);
    lazy_add(s, h, id, f, i, r);
  }
  return r;
}

/* ---- becoming hot and cold
 * ------------------------------------------------------ */

static fl_hot *hot_new(fl *s, fl_link *k) {
  if (s->hot_free == NOWHERE) {
    s->hots = room_for(s->hots, &s->hot_cap, s->nhots + 1, sizeof *s->hots);
    k->hot = (uint32_t)s->nhots++;
  } else {
    k->hot = s->hot_free;
    s->hot_free = s->hots[k->hot].next;
  }
  return &s->hots[k->hot];
}

/* Forgets the sets; all of their flows are in R, or coupled. */
static void hot_del(fl *s, fl_link *k) {
  fl_hot *h = &s->hots[k->hot];
  const fl_entry *e = list_of(s, k);

  for (uint32_t j = 0; j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    f->hops[e[j].hop].set = SET_NONE;
    if (f->b == e[j].hop) {
      f->tplace = NOWHERE;
    }
  }
  h->R.n = h->lazy.n = h->tags.n = h->nK = 0;
  h->UR = h->lost = h->WB = 0;
  h->ops = 0;
  h->next = s->hot_free;
  s->hot_free = k->hot;
  k->hot = NOWHERE;
}

void fl_heat(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  fl_hot *h = hot_new(s, k);
  const fl_entry *e = list_of(s, k);

  for (uint32_t j = 0; j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    if (f->b == e[j].hop) {
      k_add(h, e[j].flow, f, e[j].hop);
      weigh(h, f->w);
      heap_put(&h->tags, (heap_node){f->tag, e[j].flow, e[j].hop}, place_tag,
               s);
    } else {
      r_add(s, h, e[j].flow, f, e[j].hop, f->r);
    }
  }
  for (size_t j = h->nK; j-- > 0;) {
    fl_entry it = h->K[j];
    fl_set(s, it.flow, flow_at(s, it.flow), it.hop, s->L[l], l);
  }
}

void fl_cool(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  fl_hot *h = &s->hots[k->hot];

  while (h->lazy.n > 0) {
    uint32_t id = h->lazy.at[0].id;
    fl_hot_couple(s, id, flow_at(s, id));
  }
  hot_del(s, k);
}

/* ---- its level
 * ------------------------------------------------------------------ */

static void sum(fl *s, fl_hot *h) {
  h->UR = h->lost = h->WB = 0;
  for (size_t i = 0; i < h->R.n; i++) {
    count(h, -h->R.at[i].key * flow_at(s, h->R.at[i].id)->w);
  }
  for (size_t i = 0; i < h->lazy.n; i++) {
    h->WB += flow_at(s, h->lazy.at[i].id)->w;
  }
  for (size_t i = 0; i < h->nK; i++) {
    h->WB += flow_at(s, h->K[i].flow)->w;
  }
  h->ops = 0;
}

/* The level for the sets as they are; below 0 when R alone is too much. */
static double level_of(const fl_hot *h, double C) {
  if (h->nK + h->lazy.n == 0) {
    return elsewhere(h) <= C * (1 + SLACK) ? INFINITY : -1;
  }
  return C > 0 && elsewhere(h) < C ? (C - elsewhere(h)) / h->WB : 0;
}

/* Fast mode: the level may stay where it is. */
static bool may_stay(fl *s, const fl_link *k, const fl_hot *h, double p) {
  double eps = fl_epsilon(s, k);

  if (eps <= 0 || h->nK + h->lazy.n == 0 ||
      elsewhere(h) + h->WB * p > k->C * (1 + SAME) ||
      elsewhere(h) + h->WB * p * (1 + eps) < k->C) {
    return false;
  }
  fl_short(s, level_of(h, k->C), p);
  return true;
}

static void to_k(fl *s, fl_hot *h, heap_node node) {
  fl_flow *f = flow_at(s, node.id);

  if (f->hops[node.sub].set == SET_R) {
    r_remove(s, h, f, node.sub);
    k_add(h, node.id, f, node.sub);
    weigh(h, f->w);
  } else {
    lazy_remove(s, h, f, node.sub);
    k_add(h, node.id, f, node.sub);
  }
}

/* Fetches the coupled flows that come after number |j|, and their links. */
static void fetch_ahead(const fl *s, const fl_hot *h, size_t j) {
  if (j < 12) {
    return;
  }
  const fl_flow *f = flow_at(s, h->K[j - 12].flow);
  __builtin_prefetch(f);
  __builtin_prefetch(f->hops);
  f = flow_at(s, h->K[j - 6].flow);
  for (unsigned i = 0; i < f->np && i < 4; i++) {
    __builtin_prefetch(&s->links[f->hops[i].link]);
  }
}

/* Moves the coupled flows that something else limits below |x| to R; returns
   the level then. */
static double release(fl *s, fl_hot *h, double C, double x) {
  for (size_t j = h->nK; j-- > 0;) {
    fl_entry it = h->K[j];
    fl_flow *f = flow_at(s, it.flow);
    fetch_ahead(s, h, j);
    double lim = limit(s, f, it.hop);
    if (lim < x) {
      k_remove(s, h, f, it.hop);
      weigh(h, -f->w);
      r_add(s, h, it.flow, f, it.hop, lim);
      s->moved =
          room_for(s->moved, &s->moved_cap, s->nmoved + 1, sizeof *s->moved);
      s->moved[s->nmoved++] = it;
      x = level_of(h, C);
    }
  }
  s->stats.visits += h->nK;
  return x;
}

/* Moves flows between the sets until they fit a level, and returns it. Their
   rates and tags are as they were. */
static double fill(fl *s, fl_hot *h, double C) {
  double x = level_of(h, C);

  for (int pass = 0; pass < PASSES; pass++) {
    double was = x;
    size_t nmoved = s->nmoved;
    while (h->R.n > 0 && -h->R.at[0].key > x) {
      to_k(s, h, h->R.at[0]);
      x = level_of(h, C);
    }
    while (h->lazy.n > 0 && h->lazy.at[0].key < x) {
      to_k(s, h, h->lazy.at[0]);
    }
    x = release(s, h, C, x);
    if (x == was && nmoved == s->nmoved) {
      break;
    }
  }
  return x;
}

/* Gives the flows that fill() sent to R their new bottleneck. */
static void settle_moved(fl *s, uint32_t l) {
  for (size_t j = 0; j < s->nmoved; j++) {
    fl_entry it = s->moved[j];
    fl_flow *f = flow_at(s, it.flow);
    if (f->hops[it.hop].set == SET_R && f->b == it.hop) {
      double lim = limit(s, f, it.hop);
      fl_set(s, it.flow, f, limiter(s, f, it.hop), lim, l);
    }
  }
}

static void becomes_slack(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];

  fl_level_set(s, l, INFINITY);
  fl_sum(s, k);
  settle_moved(s, l);
  hot_del(s, k);
}

void fl_hot_evaluate(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  fl_hot *h = &s->hots[k->hot];
  double p = s->L[l], eps = fl_epsilon(s, k);

  if (h->ops > k->n) {
    sum(s, h);
  }
  if (may_stay(s, k, h, p) || same(level_of(h, k->C), p)) {
    return;
  }
  s->nmoved = 0;
  double x = fill(s, h, k->C);
  if (x == INFINITY) {
    becomes_slack(s, l);
    return;
  }
  if (eps > 0) {
    double to = p <= x && x <= p * (1 + eps) ? p : x / (1 + eps / 2);
    fl_short(s, x, to);
    x = to;
  }
  while (h->R.n > 0 && -h->R.at[0].key > x) {
    to_k(s, h, h->R.at[0]);
  }
  fl_level_set(s, l, x);
  settle_moved(s, l);
  for (size_t j = h->nK; j-- > 0;) {
    fl_entry it = h->K[j];
    fetch_ahead(s, h, j);
    fl_set(s, it.flow, flow_at(s, it.flow), it.hop, x, l);
  }
  s->stats.visits += h->nK;
}
