/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Levels of links that read all of their flows, and how a flow's change
 * reaches the other links of its path.
 */
#include "net/fluid/state.h"

double fl_waterfill(fl *s, uint32_t l) {
  const fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  double total = 0, weights = 0;

  s->lim = room_for(s->lim, &s->lim_cap, 2 * (size_t)k->n, sizeof *s->lim);
  for (uint32_t j = 0; j < k->n; j++) {
    const fl_flow *f = flow_at(s, e[j].flow);
    double lim = limit(s, f, e[j].hop);
    s->lim[2 * j] = lim;
    s->lim[2 * j + 1] = f->w;
    total += f->w * lim;
    weights += f->w;
  }
  s->stats.visits += k->n;
  if (total <= k->C * (1 + SLACK)) {
    return INFINITY;
  }
  double x = k->C / weights;
  for (uint32_t under = 0, last = UINT32_MAX, pass = 0;
       under != last && pass <= k->n; pass++) {
    double left = k->C, rest = 0;
    last = under;
    under = 0;
    for (uint32_t j = 0; j < k->n; j++) {
      bool below = s->lim[2 * j] < x;
      under += below;
      left -= below ? s->lim[2 * j] * s->lim[2 * j + 1] : 0;
      rest += below ? 0 : s->lim[2 * j + 1];
    }
    if (rest <= 0) {
      return INFINITY; /* full by a rounding error */
    }
    x = left > 0 ? left / rest : 0;
  }
  return x;
}

void fl_apply(fl *s, uint32_t id, fl_flow *f, double r, uint32_t by) {
  double was = f->r;

  (void)id;
  if (r == was) {
    return;
  }
  double d = f->w * (r - was), low = r < was ? r : was;
  f->r = r;
  s->stats.updates++;
  for (unsigned i = 0; i < f->np; i++) {
    uint32_t o = f->hops[i].link;
    if (s->L[o] == INFINITY) {
      fl_link *k = &s->links[o];
      k->U += d;
      if (d > 0 && k->U > k->C * (1 + SLACK)) {
        fl_queue_link(s, o);
      }
    } else if (f->hops[i].set == SET_R) {
      fl_hot_rekey(s, f, i, r);
    } else if (f->hops[i].set == SET_NONE && o != by &&
               low <= s->L[o] * (1 + SLACK)) {
      fl_queue_link(s, o);
    }
  }
}

void fl_set(fl *s, uint32_t id, fl_flow *f, unsigned b, double rho,
            uint32_t by) {
  unsigned was = f->b;

  if (was != b) {
    if (was < f->np && is_hot(s, f->hops[was].link)) {
      fl_hot_leave(s, id, f, was, rho);
    }
    fl_retag(s, id, f, b);
    if (b < f->np && is_hot(s, f->hops[b].link)) {
      fl_hot_enter(s, id, f, b);
    }
  }
  if (b < f->np && is_hot(s, f->hops[b].link)) {
    rho = fl_hot_settle(s, id, f, rho);
  }
  fl_apply(s, id, f, rho, by);
}

void fl_sum(fl *s, fl_link *k) {
  const fl_entry *e = list_of(s, k);

  k->U = 0;
  for (uint32_t j = 0; j < k->n; j++) {
    const fl_flow *f = flow_at(s, e[j].flow);
    k->U += f->w * f->r;
  }
}

void fl_cold_level(fl *s, uint32_t l, double x) {
  fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  bool fills = s->L[l] == INFINITY;

  fl_level_set(s, l, x);
  if (x == INFINITY) {
    fl_sum(s, k);
  }
  for (uint32_t j = 0; j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    unsigned i = e[j].hop;
    double lim = s->lim[2 * j];
    if (x < lim) {
      fl_set(s, e[j].flow, f, i, x, l);
    } else if (f->b == i) {
      /* With no other limit it waits for the link to fill (order.c). */
      if (lim < INFINITY) {
        fl_set(s, e[j].flow, f, limiter(s, f, i), lim, l);
      }
    } else if (fills && is_lazy(f)) {
      fl_hot_couple(s, e[j].flow, f);
    }
  }
}

/* A slack link whose flows' reserves are more than it has: they are made
   smaller. */
static void renew(fl *s, uint32_t l) {
  fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  bool any = false;

  for (uint32_t j = 0; j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    if (is_lazy(f)) {
      fl_hot_couple(s, e[j].flow, f);
      any = true;
    }
  }
  fl_sum(s, k);
  for (uint32_t j = 0; any && j < k->n; j++) {
    fl_flow *f = flow_at(s, e[j].flow);
    if (f->b < f->np && f->hops[f->b].set == SET_K) {
      fl_set(s, e[j].flow, f, f->b, s->L[f->hops[f->b].link], NOWHERE);
    }
  }
}

/* The level |l| is to have when |x| would be the exact one. */
static double publish(fl *s, uint32_t l, double x) {
  double p = s->L[l], eps = fl_epsilon(s, &s->links[l]);

  if (same(x, p)) {
    return p;
  }
  if (eps <= 0 || x == INFINITY) {
    return x;
  }
  double to = p <= x && x <= p * (1 + eps) ? p : x / (1 + eps / 2);
  fl_short(s, x, to);
  return to;
}

void fl_evaluate(fl *s, uint32_t l) {
  s->stats.evaluations++;
  if (is_hot(s, l)) {
    if (2 * s->links[l].n >= s->cfg.hot_min) {
      fl_hot_evaluate(s, l);
      return;
    }
    fl_cool(s, l);
  }
  double x = publish(s, l, fl_waterfill(s, l));
  if (x != s->L[l]) {
    fl_cold_level(s, l, x);
  } else if (x == INFINITY) {
    renew(s, l);
  }
  if (s->L[l] < INFINITY && s->links[l].n > s->cfg.hot_min) {
    fl_heat(s, l);
  }
}
