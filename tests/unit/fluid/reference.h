/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted max-min by progressive filling, slow and plain: the rates of all
 * flows rise together, each times its weight; a flow stops at its cap or when
 * a link of its path is full. And random scripts that drive it and the solver.
 */
#ifndef TESTS_UNIT_FLUID_REFERENCE_H
#define TESTS_UNIT_FLUID_REFERENCE_H

#include <math.h>
#include <stdlib.h>

#include "net/fluid/solver.h"
#include "test.h"

#define REF_LINKS 48
#define REF_FLOWS 160
#define REF_PATH 8

typedef struct ref_flow {
  uint32_t path[REF_PATH], n;
  double cap, weight, left, rate;
  bool runs;
} ref_flow;

typedef struct ref {
  double C[REF_LINKS];
  uint32_t nlinks;
  ref_flow flows[REF_FLOWS];
  uint32_t nflows;
} ref;

/* The largest level at which link |l| is not over its capacity, when flows
   that are fixed stay and the others rise from |level|. */
static double ref_full_at(const ref *r, const bool *fixed, uint32_t l) {
  double left = r->C[l], weight = 0;

  for (uint32_t f = 0; f < r->nflows; f++) {
    for (uint32_t i = 0; r->flows[f].runs && i < r->flows[f].n; i++) {
      if (r->flows[f].path[i] == l) {
        left -= fixed[f] ? r->flows[f].rate : 0;
        weight += fixed[f] ? 0 : r->flows[f].weight;
      }
    }
  }
  return weight > 0 ? (left > 0 ? left / weight : 0) : INFINITY;
}

static void ref_solve(ref *r) {
  bool fixed[REF_FLOWS] = {false};

  for (;;) {
    double level = INFINITY, full[REF_LINKS];
    for (uint32_t l = 0; l < r->nlinks; l++) {
      full[l] = ref_full_at(r, fixed, l);
      level = fmin(level, full[l]);
    }
    for (uint32_t f = 0; f < r->nflows; f++) {
      const ref_flow *k = &r->flows[f];
      level = k->runs && !fixed[f] ? fmin(level, k->cap / k->weight) : level;
    }
    if (level == INFINITY) {
      return;
    }
    for (uint32_t f = 0; f < r->nflows; f++) {
      ref_flow *k = &r->flows[f];
      bool stops = k->cap / k->weight <= level;
      for (uint32_t i = 0; i < k->n; i++) {
        stops = stops || full[k->path[i]] <= level;
      }
      if (k->runs && !fixed[f] && stops) {
        k->rate = level * k->weight;
        fixed[f] = true;
      }
    }
  }
}

static uint64_t draw(uint64_t *state, uint64_t below) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (z ^ z >> 31) % below;
}

static double draw_real(uint64_t *state, double low, double high) {
  return low + (high - low) * (double)draw(state, 1u << 30) / (1u << 30);
}

#endif
