/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario made by hand, small enough to read: two countries under the core,
 * branches and a campus, an origin and a mirror, three rings, a catalogue,
 * churn. Tests change what they are about.
 */
#ifndef TESTS_FLEET_SCENE_H
#define TESTS_FLEET_SCENE_H

#include <math.h>

#include "fleet.h"
#include "test.h"
#include "util/fmath.h"

#define SCENE_FILES 50
#define SCENE_BRANCHES 6

#define DIST(k, x, y)                                                          \
  ((dist){.kind = (k), .a = (x), .b = (y), .min = -INFINITY, .max = INFINITY})
#define CONSTANT(x) DIST(DIST_CONSTANT, x, 0)
#define MBIT(n) ((n)*125000.0)

typedef struct scene {
  scenario s;
  scn_class classes[3];
  scn_node nodes[3];
  scn_origin origins[2];
  scn_service services[1];
  scn_group_of_devices at_branch[3], at_campus[2];
  scn_site sites[3];
  scn_content contents[2 + SCENE_FILES];
  scn_catalogue catalogues[1];
  uint32_t update[1];
  scn_job jobs[5];
  scn_fault faults[8];
} scene;

static inline void scene_classes(scene *x) {
  x->classes[0] = (scn_class){.name = "pc",
                              .down = CONSTANT(MBIT(1000)),
                              .up = CONSTANT(MBIT(500)),
                              .cap = CONSTANT((double)XL_RATE_UNLIMITED),
                              .always_online = true};
  x->classes[1] = (scn_class){.name = "laptop",
                              .down = DIST(DIST_LOGNORMAL, MBIT(94), 0.8),
                              .up = CONSTANT(0.5),
                              .up_is_ratio = true,
                              .cap = CONSTANT(MBIT(300)),
                              .metered = 0.1,
                              .vpn = 0.2};
  x->classes[2] = x->classes[0];
  x->classes[2].name = "kiosk";
  x->s.classes = x->classes;
  x->s.nclasses = 2;
}

/* The nodes are written child first. */
static inline void scene_nodes(scene *x) {
  x->nodes[0] = (scn_node){.name = "berlin",
                           .parent = "de",
                           .up_Bps = 1000,
                           .down_Bps = 2000,
                           .latency = XL_MS(1)};
  x->nodes[1] = (scn_node){.name = "de",
                           .parent = "core",
                           .up_Bps = 3000,
                           .down_Bps = 4000,
                           .latency = XL_MS(4)};
  x->nodes[2] = (scn_node){.name = "fr",
                           .parent = "core",
                           .up_Bps = XL_RATE_UNLIMITED,
                           .down_Bps = XL_RATE_UNLIMITED,
                           .latency = XL_MS(5)};
  x->origins[0] = (scn_origin){.name = "cdn-a",
                               .at = "core",
                               .rate_Bps = 250000000,
                               .latency = XL_MS(15)};
  x->origins[1] = (scn_origin){
      .name = "cdn-b", .at = "fr", .rate_Bps = 1000, .latency = XL_MS(35)};
  x->services[0] =
      (scn_service){.name = "tracker", .at = "core", .latency = XL_MS(20)};
  x->s.nodes = x->nodes;
  x->s.nnodes = 3;
  x->s.origins = x->origins;
  x->s.norigins = 2;
  x->s.services = x->services;
  x->s.nservices = 1;
}

static inline void scene_sites(scene *x) {
  x->at_branch[0] = (scn_group_of_devices){"pc", 3};
  x->at_branch[1] = (scn_group_of_devices){"laptop", 4};
  x->at_branch[2] = (scn_group_of_devices){"kiosk", 2};
  x->at_campus[0] = (scn_group_of_devices){"laptop", 100};
  x->at_campus[1] = (scn_group_of_devices){"pc", 50};
  x->sites[0] =
      (scn_site){.name = "branch",
                 .at = "berlin",
                 .count = SCENE_BRANCHES,
                 .wan_down = CONSTANT(MBIT(20)),
                 .wan_up = CONSTANT(MBIT(5)),
                 .wan_latency = DIST(DIST_UNIFORM, XL_MS(10), XL_MS(20)),
                 .lan_latency = CONSTANT(XL_US(200)),
                 .lan_rate = XL_RATE_UNLIMITED,
                 .devices = x->at_branch,
                 .ndevices = 2,
                 .domain = "corp",
                 .group = "g1"};
  x->sites[1] = (scn_site){.name = "campus",
                           .at = "fr",
                           .count = 1,
                           .wan_down = CONSTANT(MBIT(1000)),
                           .wan_up = CONSTANT(MBIT(1000)),
                           .wan_latency = CONSTANT(XL_MS(3)),
                           .lan_latency = CONSTANT(XL_US(300)),
                           .lan_rate = 1000000,
                           .devices = x->at_campus,
                           .ndevices = 2,
                           .subnet = 64,
                           .domain = "corp"};
  x->sites[2] = x->sites[0];
  x->sites[2].name = "shop";
  x->sites[2].group = "g2";
  x->s.sites = x->sites;
  x->s.nsites = 2;
}

/* Content 0 is the update, 1 another; the others are the catalogue, of which
   every second file is released on the second day. */
static inline void scene_contents(scene *x) {
  x->contents[0] = (scn_content){.name = "update",
                                 .size = XL_MIB(650),
                                 .held_by = 0.3,
                                 .popularity = 1,
                                 .catalogue = -1};
  x->contents[1] = x->contents[0];
  x->contents[1].name = "other";
  x->contents[1].held_by = 0;
  for (int i = 0; i < SCENE_FILES; i++) {
    x->contents[2 + i] = (scn_content){.name = "file",
                                       .size = XL_MIB(10),
                                       .released = i % 2 != 0 ? XL_DAY(1) : 0,
                                       .popularity = fmath_pow(i + 1, -0.8),
                                       .catalogue = 0};
  }
  x->catalogues[0] = (scn_catalogue){
      .name = "patches", .zipf = 0.8, .first = 2, .files = SCENE_FILES};
  x->s.contents = x->contents;
  x->s.ncontents = 2 + SCENE_FILES;
  x->s.catalogues = x->catalogues;
  x->s.ncatalogues = 1;
}

static inline void scene_jobs(scene *x) {
  scn_job job = {.contents = x->update,
                 .ncontents = 1,
                 .catalogue = -1,
                 .arrival = DIST(DIST_UNIFORM, 0, XL_HOUR(2))};

  x->jobs[0] = x->jobs[1] = x->jobs[2] = x->jobs[4] = job;
  x->jobs[0].name = "ring0";
  x->jobs[0].select = SCN_SHARE;
  x->jobs[0].share = 0.1;
  x->jobs[1].name = "ring1";
  x->jobs[1].select = SCN_REST;
  x->jobs[1].start = XL_HOUR(3);
  x->jobs[2].name = "extra";
  x->jobs[3] = (scn_job){.name = "month",
                         .catalogue = 0,
                         .requests = CONSTANT(4),
                         .select = SCN_ALL,
                         .arrival = DIST(DIST_EXPONENTIAL, XL_HOUR(15), 0)};
  x->jobs[4] = x->jobs[3];
  x->jobs[4].name = "extra month";
  x->s.jobs = x->jobs;
  x->s.njobs = 2;
}

static inline void scene_init(scene *x) {
  *x = (scene){
      .s = {.name = "scene",
            .duration = XL_DAY(3),
            .churn = true,
            .churn_online = DIST(DIST_WEIBULL, 0.6, (double)XL_HOUR(6)),
            .churn_offline = DIST(DIST_EXPONENTIAL, (double)XL_HOUR(2), 0)}};
  scene_classes(x);
  scene_nodes(x);
  scene_sites(x);
  scene_contents(x);
  scene_jobs(x);
  x->s.faults = x->faults;
}

/* Fails the test when there is none. */
static inline fleet *scene_fleet(const scene *x, uint64_t seed) {
  fail why = {0};
  fleet *f = fleet_new(&x->s, seed, &why);

  if (f == NULL) {
    printf("  %s\n", why.text);
  }
  CU_ASSERT_FATAL(f != NULL);
  return f;
}

#endif
