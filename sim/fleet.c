/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a fleet is built, and what its parts share: draws, names
 * and memory. The parts are in fleet_tree.c, fleet_task.c and fleet_change.c.
 */
#include "fleet.h"

#include <stdlib.h>
#include <string.h>

#include "fleet_build.h"

/* ---- draws ------------------------------------------------------------------
 */

double build_unit(uint64_t key, const char *purpose, const char *name) {
  rng r = rng_of(rng_fold_text(rng_fold_text(key, purpose), name));

  return rng_unit(&r);
}

double build_draw(uint64_t key, const char *purpose, const dist *d) {
  if (d->kind == DIST_CONSTANT) {
    return dist_quantile(d, 0.5);
  }
  return dist_quantile(d, build_unit(key, purpose, ""));
}

xl_rate build_rate(double Bps) {
  if (Bps >= 0x1p63) {
    return XL_RATE_UNLIMITED;
  }
  return Bps < 1 ? 1 : (xl_rate)Bps;
}

xl_span build_span(double ns) {
  if (ns >= 0x1p63) {
    return XL_NEVER;
  }
  return ns < 0 ? 0 : (xl_span)ns;
}

/* ---- memory
 * ------------------------------------------------------------------- */

void *build_alloc(build *b, size_t n, size_t size) {
  void *p = calloc(n > 0 ? n : 1, size);

  if (p == NULL) {
    fail_set(b->why, EXIT_RUN_FAILED, "out of memory for the fleet");
  }
  return p;
}

void *build_grow(build *b, void *items, uint32_t *cap, uint32_t n,
                 size_t size) {
  uint32_t room = *cap < 64 ? 64 : *cap;
  void *p;

  if (n < *cap) {
    return items;
  }
  if (*cap > 0) {
    room = *cap > UINT32_MAX / 2 ? UINT32_MAX : *cap * 2;
  }
  p = n < room ? realloc(items, room * size) : NULL;
  if (p == NULL) {
    fail_set(b->why, EXIT_RUN_FAILED, "out of memory for the fleet");
    return NULL;
  }
  *cap = room;
  return p;
}

/* ---- the whole
 * ------------------------------------------------------------------ */

fleet *fleet_new(const scenario *scn, uint64_t seed, fail *why) {
  build b = {.scn = scn, .why = why};

  b.f = build_alloc(&b, 1, sizeof *b.f);
  if (b.f == NULL) {
    return NULL;
  }
  b.f->scn = scn;
  b.f->seed = seed;
  bool good =
      build_tree(&b) && build_holds(&b) && build_tasks(&b) && build_changes(&b);
  free(b.node_of);
  if (!good) {
    fleet_free(b.f);
    return NULL;
  }
  return b.f;
}

void fleet_free(fleet *f) {
  if (f == NULL) {
    return;
  }
  free(f->nodes);
  free(f->sites);
  free(f->devices);
  free(f->origins);
  free(f->services);
  free(f->tasks);
  free(f->holds);
  free(f->changes);
  free(f->online);
  free(f);
}
