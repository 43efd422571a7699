/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One fleet, every field: the same bytes on every machine and compiler. */
#include <xxhash.h>

#include "scene.h"

/* A new value here means that every published result changes. */
#define GOLDEN 0xa44861347051fc6eu

static XXH64_state_t *state;

static void add(uint64_t v) {
  unsigned char b[8];

  for (int i = 0; i < 8; i++) {
    b[i] = (unsigned char)(v >> 8 * i);
  }
  XXH64_update(state, b, sizeof b);
}

static void add_places(const fleet *f) {
  for (uint32_t i = 0; i < f->nnodes; i++) {
    add(f->nodes[i].parent);
    add(f->nodes[i].up_Bps);
    add(f->nodes[i].down_Bps);
    add((uint64_t)f->nodes[i].latency);
    add(f->nodes[i].host);
  }
  for (uint32_t i = 0; i < f->nsites; i++) {
    add(f->sites[i].cls);
    add(f->sites[i].index);
    add(f->sites[i].node);
    add(f->sites[i].first_device);
    add(f->sites[i].ndevices);
  }
  for (uint32_t i = 0; i < f->norigins; i++) {
    add(f->origins[i].node);
    add(f->origins[i].origin);
  }
  for (uint32_t i = 0; i < f->nservices; i++) {
    add(f->services[i]);
  }
}

static void add_devices(const fleet *f) {
  for (uint32_t i = 0; i < f->ndevices; i++) {
    const fleet_device *d = &f->devices[i];
    add(d->site);
    add(d->cls);
    add(d->index);
    add(d->node);
    add(d->key);
    add(d->down_Bps);
    add(d->up_Bps);
    add(d->cap_Bps);
    add(d->subnet);
    add(d->group);
    add(d->domain);
    add(d->metered);
    add(d->vpn);
    add(d->always_online);
    add(f->online[i]);
  }
}

static void add_times(const fleet *f) {
  for (uint32_t i = 0; i < f->ntasks; i++) {
    add((uint64_t)f->tasks[i].release);
    add((uint64_t)f->tasks[i].arrival);
    add(f->tasks[i].device);
    add(f->tasks[i].job);
    add(f->tasks[i].content);
  }
  for (uint32_t i = 0; i < f->nholds; i++) {
    add(f->holds[i].device);
    add(f->holds[i].content);
  }
  for (uint32_t i = 0; i < f->nchanges; i++) {
    add((uint64_t)f->changes[i].at);
    add(f->changes[i].kind);
    add(f->changes[i].index);
    add(f->changes[i].value);
    add(f->changes[i].up_Bps);
    add(f->changes[i].down_Bps);
  }
}

static uint64_t fingerprint(const fleet *f) {
  state = XXH64_createState();
  XXH64_reset(state, 0);
  add_places(f);
  add_devices(f);
  add_times(f);
  uint64_t hash = XXH64_digest(state);
  XXH64_freeState(state);
  return hash;
}

static void scene_full(scene *x) {
  scene_init(x);
  x->jobs[2].arrival = DIST(DIST_POISSON, 0.01, 0);
  x->s.njobs = 5;
  x->s.nsites = 3;
  x->faults[0] = (scn_fault){.at = XL_HOUR(5),
                             .duration = XL_HOUR(1),
                             .what = SCN_FAULT_WAN_DOWN,
                             .target = "branch"};
  x->faults[1] = (scn_fault){.at = XL_HOUR(7),
                             .duration = XL_HOUR(1),
                             .what = SCN_FAULT_CRASH,
                             .target = "campus.laptop"};
  x->s.nfaults = 2;
}

static void test_golden(void) {
  scene x;
  scene_full(&x);
  fleet *f = scene_fleet(&x, 2026);
  uint64_t hash = fingerprint(f);

  CHECK_EQ(f->ndevices, 6 * 7 * 2 + 150);
  CU_ASSERT(hash == GOLDEN);
  if (hash != GOLDEN) {
    printf("  fingerprint %#llx\n", (unsigned long long)hash);
  }
  fleet_free(f);
}

static void test_again(void) {
  scene x;
  scene_full(&x);
  fleet *f = scene_fleet(&x, 7), *g = scene_fleet(&x, 7);

  CU_ASSERT(fingerprint(f) == fingerprint(g));
  fleet_free(f);
  f = scene_fleet(&x, 8);
  CU_ASSERT(fingerprint(f) != fingerprint(g));
  fleet_free(f);
  fleet_free(g);
}

TEST_SUITE("fleet golden",
           {"a fleet is what it was, to the last bit", test_golden},
           {"equal seeds make equal fleets, others make others", test_again})
