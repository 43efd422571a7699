/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proof on demand: what a solve must leave behind, computed again. */
#include "net/fluid/state.h"

#include <stdio.h>

#define NEAR 1e-9

static bool near(double a, double b, double scale) {
  double d = a > b ? a - b : b - a;

  return d <= NEAR * (scale > 0 ? scale : 1) || d <= 1e-6 * NEAR;
}

typedef struct load {
  double rate, counted, R, B;
} load;

static load load_of(const fl *s, uint32_t l) {
  const fl_link *k = &s->links[l];
  const fl_entry *e = list_of(s, k);
  load sum = {0, 0, 0, 0};

  for (uint32_t j = 0; j < k->n; j++) {
    const fl_flow *f = flow_at(s, e[j].flow);
    double L = s->L[l], lim = limit(s, f, e[j].hop);
    double rate = f->w * (L < lim ? L : lim);
    sum.rate += rate;
    sum.counted += f->w * f->r;
    if (f->b == e[j].hop) {
      sum.B += f->w;
    } else {
      sum.R += rate;
    }
  }
  return sum;
}

static bool link_good(const fl *s, uint32_t l, char *what, size_t len) {
  const fl_link *k = &s->links[l];
  load sum = load_of(s, l);

  if (sum.rate > k->C * (1 + 1e-11)) {
    snprintf(what, len, "link %u carries %.17g of %.17g", l, sum.rate, k->C);
    return false;
  }
  if (s->L[l] == INFINITY) {
    if (!near(k->U, sum.counted, k->C)) {
      snprintf(what, len, "link %u counts %.17g, its flows are %.17g", l, k->U,
               sum.counted);
      return false;
    }
    return true;
  }
  double eps = fl_epsilon(s, k);
  if (sum.B > 0 && sum.rate * (1 + eps) < k->C * (1 - NEAR)) {
    snprintf(what, len, "link %u limits but carries %.17g of %.17g", l,
             sum.rate, k->C);
    return false;
  }
  if (k->hot != NOWHERE) {
    const fl_hot *h = &s->hots[k->hot];
    if (!near(h->UR + h->lost, sum.R, k->C + 1e3) ||
        !near(h->WB, sum.B, sum.B) || h->R.n + h->lazy.n + h->nK != k->n ||
        h->tags.n != h->lazy.n + h->nK) {
      snprintf(what, len, "hot link %u: R %.17g not %.17g, B %.17g not %.17g",
               l, h->UR + h->lost, sum.R, h->WB, sum.B);
      return false;
    }
  }
  return true;
}

static bool flow_good(const fl *s, uint32_t id, char *what, size_t len) {
  const fl_flow *f = flow_at(s, id);
  double rho = limit(s, f, B_NONE);

  if (f->b == B_NONE) {
    return true;
  }
  double at = f->b == B_CAP ? f->k : s->L[f->hops[f->b].link];
  if (rho < INFINITY && !near(at, rho, rho)) {
    snprintf(what, len, "flow %u: hop %u gives %.17g, its limit is %.17g", id,
             f->b, at, rho);
    return false;
  }
  if (rho < INFINITY &&
      (is_lazy(f) ? f->r < rho * (1 - NEAR) : !near(f->r, rho, rho))) {
    snprintf(what, len, "flow %u counts for %.17g, its rate is %.17g", id, f->r,
             rho);
    return false;
  }
  return true;
}

bool fl_check(fl *s, char *what, size_t len) {
  fl_solve(s);
  for (uint32_t l = 0; l < s->nlinks; l++) {
    if (!link_good(s, l, what, len)) {
      return false;
    }
  }
  for (uint32_t id = 0; id < s->nflows; id++) {
    if (!flow_good(s, id, what, len)) {
      return false;
    }
  }
  return true;
}
