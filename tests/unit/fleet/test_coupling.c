/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common random numbers: a change of the scenario changes the draws of nothing
 * else. Devices of two fleets are matched by their keys, which name site class,
 * site index, device class and index, and compared in everything drawn.
 */
#include <xxhash.h>

#include "scene.h"

static XXH64_state_t *state;

static void add(uint64_t v) {
  XXH64_update(state, &v, sizeof v);
}

static void add_text(const char *s) {
  XXH64_update(state, s, strlen(s) + 1);
}

static bool known_job(const scenario *s, const char *name) {
  for (size_t i = 0; i < s->njobs; i++) {
    if (strcmp(s->jobs[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

/* Everything drawn for one device; of tasks those of |jobs|'s jobs. */
static uint64_t drawn(const fleet *f, uint32_t i, const scenario *jobs) {
  const fleet_device *d = &f->devices[i];
  const net_node_spec *wan = &f->nodes[f->sites[d->site].node];

  XXH64_reset(state, 0);
  add(d->down_Bps);
  add(d->up_Bps);
  add(d->cap_Bps);
  add(d->metered);
  add(d->vpn);
  add(wan->up_Bps);
  add(wan->down_Bps);
  add((uint64_t)wan->latency);
  add(f->online[i]);
  for (uint32_t k = 0; k < f->nholds; k++) {
    if (f->holds[k].device == i) {
      add_text(f->scn->contents[f->holds[k].content].name);
    }
  }
  for (uint32_t k = 0; k < f->ntasks; k++) {
    const fleet_task *t = &f->tasks[k];
    const char *job = f->scn->jobs[t->job].name;
    if (t->device == i && known_job(jobs, job)) {
      add_text(job);
      add((uint64_t)t->release);
      add((uint64_t)t->arrival);
      add(t->content);
    }
  }
  for (uint32_t k = 0; k < f->nchanges; k++) {
    const fleet_change *c = &f->changes[k];
    if (c->kind <= CHANGE_DEVICE_CRASH && c->index == i) {
      add((uint64_t)c->at);
      add(c->kind);
    }
  }
  return XXH64_digest(state);
}

static uint32_t find(const fleet *f, uint64_t key) {
  for (uint32_t i = 0; i < f->ndevices; i++) {
    if (f->devices[i].key == key) {
      return i;
    }
  }
  return XL_NONE;
}

/* Every device of |before| is in |after| with the same draws, and |after| has
   |more| others. */
static void check_kept(const scene *before, const scene *after, uint32_t more) {
  fleet *a = scene_fleet(before, 42), *b = scene_fleet(after, 42);

  state = XXH64_createState();
  CHECK_EQ(b->ndevices, a->ndevices + more);
  for (uint32_t i = 0; i < a->ndevices; i++) {
    uint32_t j = find(b, a->devices[i].key);
    CU_ASSERT_FATAL(j != XL_NONE);
    CU_ASSERT(drawn(a, i, &before->s) == drawn(b, j, &before->s));
  }
  XXH64_freeState(state);
  fleet_free(a);
  fleet_free(b);
}

static void base(scene *x) {
  scene_init(x);
  x->jobs[2] = x->jobs[3];
  x->s.njobs = 3;
}

static void test_site_count(void) {
  scene a, b;

  base(&a);
  base(&b);
  b.sites[0].count += 3;
  check_kept(&a, &b, 21);
}

static void test_device_count(void) {
  scene a, b;

  base(&a);
  base(&b);
  b.at_branch[0].count += 2;
  b.at_campus[0].count += 1;
  check_kept(&a, &b, 13);
}

/* A class in front of the others, so that every number moves. */
static void test_class(void) {
  scene a, b;

  base(&a);
  base(&b);
  b.classes[2] = b.classes[1];
  b.classes[1] = b.classes[0];
  b.classes[0].name = "kiosk";
  b.s.nclasses = 3;
  b.at_branch[2] = b.at_branch[1];
  b.at_branch[1] = b.at_branch[0];
  b.at_branch[0] = (scn_group_of_devices){"kiosk", 2};
  b.sites[0].ndevices = 3;
  check_kept(&a, &b, 12);
}

static void test_site_class(void) {
  scene a, b;

  base(&a);
  base(&b);
  b.sites[2] = b.sites[1];
  b.sites[1] = b.sites[0];
  b.sites[0].name = "shop";
  b.s.nsites = 3;
  check_kept(&a, &b, 42);
}

static void test_job(void) {
  scene a, b;

  base(&a);
  base(&b);
  for (int i = 4; i > 0; i--) {
    b.jobs[i] = b.jobs[i - 1];
  }
  b.jobs[0] = b.jobs[1];
  b.jobs[0].name = "first";
  static uint32_t other[] = {1};
  b.jobs[0].contents = other;
  b.s.njobs = 4;
  check_kept(&a, &b, 0);
}

static void test_content(void) {
  scene a, b;

  base(&a);
  base(&b);
  a.contents[1].held_by = 0;
  b.contents[1].name = "new";
  check_kept(&a, &b, 0);
}

static void test_fault(void) {
  scene a, b;

  base(&a);
  base(&b);
  b.faults[0] = (scn_fault){.at = 1000,
                            .duration = XL_HOUR(1),
                            .what = SCN_FAULT_ORIGIN_DOWN,
                            .target = "cdn-a"};
  b.s.nfaults = 1;
  check_kept(&a, &b, 0);
}

static void test_seed(void) {
  scene x;
  base(&x);
  fleet *a = scene_fleet(&x, 1), *b = scene_fleet(&x, 2);
  uint32_t same = 0;

  for (uint32_t i = 0; i < a->ndevices; i++) {
    CU_ASSERT(a->devices[i].key != b->devices[i].key);
    same += a->devices[i].cls == 1 &&
            a->devices[i].down_Bps == b->devices[i].down_Bps;
  }
  CHECK_EQ(same, 0);
  fleet_free(a);
  fleet_free(b);
}

/* A larger share holds what the smaller one held, and more. */
static void test_share_grows(void) {
  scene x;
  base(&x);
  fleet *a = scene_fleet(&x, 1);
  x.contents[0].held_by = 0.5;
  x.jobs[0].share = 0.4;
  fleet *b = scene_fleet(&x, 1);
  uint32_t k = 0, kept = 0, ring_a = 0, ring_b = 0;

  for (uint32_t i = 0; i < a->nholds; i++) {
    while (k < b->nholds && b->holds[k].device < a->holds[i].device) {
      k++;
    }
    kept += k < b->nholds && b->holds[k].device == a->holds[i].device;
  }
  CHECK_EQ(kept, a->nholds);
  CU_ASSERT(b->nholds > a->nholds);
  for (uint32_t i = 0; i < a->ntasks; i++) {
    ring_a += a->tasks[i].job == 0;
  }
  for (uint32_t i = 0; i < b->ntasks; i++) {
    ring_b += b->tasks[i].job == 0;
  }
  CU_ASSERT(ring_b > 2 * ring_a && ring_a > 0);
  fleet_free(a);
  fleet_free(b);
}

/* Poisson arrivals are the one draw devices share: with more of them the
   others keep their order and come no earlier. */
static void test_poisson_order(void) {
  scene x;
  base(&x);
  x.jobs[0].select = SCN_ALL;
  x.jobs[0].arrival = DIST(DIST_POISSON, 0.01, 0);
  x.s.njobs = 1;
  fleet *a = scene_fleet(&x, 1);
  x.sites[0].count += 2;
  fleet *b = scene_fleet(&x, 1);
  uint32_t k = 0;

  CHECK_EQ(a->ntasks, a->ndevices);
  for (uint32_t i = 0; i < a->ntasks; i++) {
    uint64_t key = a->devices[a->tasks[i].device].key;
    while (k < b->ntasks && b->devices[b->tasks[k].device].key != key) {
      k++;
    }
    CU_ASSERT_FATAL(k < b->ntasks);
    CU_ASSERT(b->tasks[k].arrival >= a->tasks[i].arrival);
  }
  fleet_free(a);
  fleet_free(b);
}

TEST_SUITE("fleet coupling",
           {"another count of sites changes no other device", test_site_count},
           {"another count of devices changes no other device",
            test_device_count},
           {"another class changes no other device", test_class},
           {"another class of sites changes no other device", test_site_class},
           {"another job changes no other draw", test_job},
           {"another name of a content changes no other draw", test_content},
           {"a fault changes no draw", test_fault},
           {"another seed changes every draw", test_seed},
           {"a larger share contains the smaller one", test_share_grows},
           {"Poisson arrivals keep their order", test_poisson_order})
