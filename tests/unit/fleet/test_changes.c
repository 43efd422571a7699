/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Churn and faults. Times are in seconds where they are bare. */
#include <stdlib.h>

#include "scene.h"

static bool is_device(const fleet_change *c) {
  return c->kind == CHANGE_DEVICE_ON || c->kind == CHANGE_DEVICE_OFF ||
         c->kind == CHANGE_DEVICE_CRASH;
}

/* ---- churn
 * -------------------------------------------------------------------- */

static void test_alternates(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  bool *up = calloc(f->ndevices, sizeof *up);

  memcpy(up, f->online, f->ndevices * sizeof *up);
  CU_ASSERT(f->nchanges > 1000);
  for (uint32_t i = 0; i < f->nchanges; i++) {
    const fleet_change *c = &f->changes[i];
    CU_ASSERT(i == 0 || c[-1].at <= c->at);
    CU_ASSERT(c->at > 0 && c->at < x.s.duration);
    CU_ASSERT_FATAL(c->index < f->ndevices);
    CU_ASSERT(!f->devices[c->index].always_online);
    CU_ASSERT((c->kind == CHANGE_DEVICE_ON) == !up[c->index]);
    up[c->index] = !up[c->index];
  }
  for (uint32_t i = 0; i < f->ndevices; i++) {
    CU_ASSERT(f->online[i] || !f->devices[i].always_online);
  }
  free(up);
  fleet_free(f);
}

static void test_no_churn(void) {
  scene x;
  scene_init(&x);
  x.s.churn = false;
  fleet *f = scene_fleet(&x, 1);

  CHECK_EQ(f->nchanges, 0);
  for (uint32_t i = 0; i < f->ndevices; i++) {
    CU_ASSERT(f->online[i]);
  }
  fleet_free(f);
}

/* The share of device time online, and of devices online at the start. */
static void check_availability(dist online, dist offline, double want,
                               double within) {
  enum { DEVICES = 2000 };
  scene x;
  double on = 0, start = 0;
  scene_init(&x);
  x.s.nsites = 1;
  x.sites[0].count = 1;
  x.at_branch[0] = (scn_group_of_devices){"laptop", DEVICES};
  x.sites[0].ndevices = 1;
  x.s.njobs = 0;
  x.s.duration = XL_DAY(20);
  x.s.churn_online = online;
  x.s.churn_offline = offline;
  fleet *f = scene_fleet(&x, 3);

  for (uint32_t i = 0; i < f->ndevices; i++) {
    start += f->online[i];
    on += f->online[i] ? (double)x.s.duration : 0;
  }
  for (uint32_t i = 0; i < f->nchanges; i++) {
    double left = (double)(x.s.duration - f->changes[i].at);
    on += f->changes[i].kind == CHANGE_DEVICE_ON ? left : -left;
  }
  CHECK_NEAR(start / DEVICES, want, 0.06);
  CHECK_NEAR(on / DEVICES / (double)x.s.duration, want, within);
  fleet_free(f);
}

static void test_availability(void) {
  check_availability(DIST(DIST_EXPONENTIAL, (double)XL_HOUR(6), 0),
                     DIST(DIST_EXPONENTIAL, (double)XL_HOUR(2), 0), 0.75, .01);
  check_availability(CONSTANT((double)XL_HOUR(1)),
                     DIST(DIST_UNIFORM, 0, (double)XL_HOUR(6)), 0.25, .02);
  /* FlatOut's sessions (references 3.3: mean 64.5 min) */
  check_availability(DIST(DIST_WEIBULL, .59, 41.9 * 60e9),
                     DIST(DIST_EXPONENTIAL, 64.5 * 60e9, 0), 0.5, .02);
}

/* ---- faults
 * ------------------------------------------------------------------- */

/* The scene without churn, lasting 1,000 s, with |n| faults in seconds. */
static fleet *faulty(scene *x, const scn_fault *faults, size_t n) {
  scene_init(x);
  x->s.churn = false;
  x->s.duration = XL_SEC(1000);
  memcpy(x->faults, faults, n * sizeof *faults);
  x->s.nfaults = n;
  return scene_fleet(x, 1);
}

#define FAULTY(x, ...)                                                         \
  faulty(&x, (const scn_fault[]){__VA_ARGS__},                                 \
         sizeof((const scn_fault[]){__VA_ARGS__}) / sizeof(scn_fault))

static void check_change(const fleet *f, uint32_t i, int64_t at,
                         fleet_change_kind kind, uint32_t index) {
  CU_ASSERT_FATAL(i < f->nchanges);
  CHECK_EQ(f->changes[i].at, XL_SEC(at));
  CHECK_EQ(f->changes[i].kind, kind);
  CHECK_EQ(f->changes[i].index, index);
}

static void check_link(const fleet *f, uint32_t i, int64_t at, net_node node,
                       xl_rate up, xl_rate down) {
  check_change(f, i, at, CHANGE_LINK, node);
  CHECK_EQ(f->changes[i].up_Bps, up);
  CHECK_EQ(f->changes[i].down_Bps, down);
}

static void test_origin(void) {
  scene x;
  fleet *f = FAULTY(x,
                    {.at = XL_SEC(10),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_ORIGIN_DOWN,
                     .target = "cdn-b"},
                    {.at = XL_SEC(5),
                     .duration = XL_SEC(50),
                     .what = SCN_FAULT_ORIGIN_ERROR,
                     .target = "cdn-a",
                     .status = 503});

  CHECK_EQ(f->nchanges, 4);
  check_change(f, 0, 5, CHANGE_ORIGIN_STATUS, 0);
  CHECK_EQ(f->changes[0].value, 503);
  check_change(f, 1, 10, CHANGE_ORIGIN_DOWN, 1);
  check_change(f, 2, 30, CHANGE_ORIGIN_UP, 1);
  check_change(f, 3, 55, CHANGE_ORIGIN_STATUS, 0);
  CHECK_EQ(f->changes[3].value, 0);
  fleet_free(f);
}

static void test_for_good(void) {
  scene x;
  fleet *f = FAULTY(x,
                    {.at = XL_SEC(10),
                     .duration = XL_NEVER,
                     .what = SCN_FAULT_ORIGIN_DOWN,
                     .target = "cdn-b"},
                    {.at = XL_SEC(990),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_WAN_DOWN,
                     .target = "campus"},
                    {.at = XL_SEC(1000),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_WAN_DOWN,
                     .target = "campus"});

  CHECK_EQ(f->nchanges, 2);
  check_change(f, 0, 10, CHANGE_ORIGIN_DOWN, 1);
  check_link(f, 1, 990, f->sites[6].node, 0, 0);
  fleet_free(f);
}

static void test_link(void) {
  scene x;
  fleet *f = FAULTY(x,
                    {.at = XL_SEC(10),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_LINK,
                     .target = "branch[3]",
                     .up_Bps = 7,
                     .down_Bps = 8},
                    {.at = XL_SEC(11),
                     .duration = XL_SEC(1),
                     .what = SCN_FAULT_LINK,
                     .target = "berlin",
                     .up_Bps = 1,
                     .down_Bps = 2},
                    {.at = XL_SEC(13),
                     .duration = XL_SEC(1),
                     .what = SCN_FAULT_LINK,
                     .target = "cdn-b",
                     .up_Bps = 3,
                     .down_Bps = 4},
                    {.at = XL_SEC(15),
                     .duration = XL_SEC(1),
                     .what = SCN_FAULT_LINK,
                     .target = "branch[3].pc[1]",
                     .up_Bps = 5,
                     .down_Bps = 6});
  net_node wan = f->sites[3].node;
  net_node berlin = f->nodes[wan].parent;
  net_node pc = f->devices[f->sites[3].first_device + 1].node;

  CHECK_EQ(f->nchanges, 8);
  check_link(f, 0, 10, wan, 7, 8);
  check_link(f, 1, 11, berlin, 1, 2);
  check_link(f, 2, 12, berlin, 1000, 2000);
  check_link(f, 3, 13, f->origins[1].node, 3, 4);
  check_link(f, 4, 14, f->origins[1].node, 1000, XL_RATE_UNLIMITED);
  check_link(f, 5, 15, pc, 5, 6);
  check_link(f, 6, 16, pc, 62500000, 125000000);
  check_link(f, 7, 30, wan, 625000, 2500000);
  fleet_free(f);
}

/* A link's fault inside another, and a dead uplink over both. */
static void test_overlap(void) {
  scene x;
  fleet *f = FAULTY(x,
                    {.at = XL_SEC(10),
                     .duration = XL_SEC(90),
                     .what = SCN_FAULT_LINK,
                     .target = "branch[0]",
                     .up_Bps = 1,
                     .down_Bps = 2},
                    {.at = XL_SEC(20),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_WAN_DOWN,
                     .target = "branch[0]"},
                    {.at = XL_SEC(30),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_LINK,
                     .target = "branch[0]",
                     .up_Bps = 3,
                     .down_Bps = 4});
  net_node wan = f->sites[0].node;

  CHECK_EQ(f->nchanges, 5);
  check_link(f, 0, 10, wan, 1, 2);
  check_link(f, 1, 20, wan, 0, 0);
  check_link(f, 2, 40, wan, 3, 4);
  check_link(f, 3, 50, wan, 1, 2);
  check_link(f, 4, 100, wan, 625000, 2500000);
  fleet_free(f);
}

static void test_all_sites(void) {
  scene x;
  fleet *f = FAULTY(x, {.at = XL_SEC(10),
                        .duration = XL_SEC(20),
                        .what = SCN_FAULT_WAN_DOWN,
                        .target = "branch"});

  CHECK_EQ(f->nchanges, 2 * SCENE_BRANCHES);
  for (uint32_t i = 0; i < SCENE_BRANCHES; i++) {
    check_link(f, i, 10, f->sites[i].node, 0, 0);
  }
  fleet_free(f);
}

static void test_crash(void) {
  scene x;
  fleet *f = FAULTY(x,
                    {.at = XL_SEC(10),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_CRASH,
                     .target = "branch[2].laptop[3]"},
                    {.at = XL_SEC(25),
                     .duration = XL_SEC(20),
                     .what = SCN_FAULT_CRASH,
                     .target = "branch[2].laptop"});
  uint32_t first = f->sites[2].first_device + 3;

  CHECK_EQ(f->nchanges, 8);
  check_change(f, 0, 10, CHANGE_DEVICE_CRASH, first + 3);
  check_change(f, 1, 25, CHANGE_DEVICE_CRASH, first);
  check_change(f, 4, 45, CHANGE_DEVICE_ON, first);
  check_change(f, 7, 45, CHANGE_DEVICE_ON, first + 3);
  fleet_free(f);
}

/* Crashes over churn: every device still goes on and off in turn, and nothing
   that is down comes back before its crash is over. */
static void test_crash_and_churn(void) {
  scene x;
  scene_init(&x);
  x.faults[0] = (scn_fault){.at = XL_DAY(1),
                            .duration = XL_HOUR(12),
                            .what = SCN_FAULT_CRASH,
                            .target = "campus"};
  x.s.nfaults = 1;
  fleet *f = scene_fleet(&x, 1);
  bool *up = calloc(f->ndevices, sizeof *up);
  uint32_t crashes = 0, campus_up = 0, back = 0;

  memcpy(up, f->online, f->ndevices * sizeof *up);
  for (uint32_t i = 0; i < f->nchanges; i++) {
    const fleet_change *c = &f->changes[i];
    bool at_campus = f->devices[c->index].site == 6;
    CU_ASSERT((c->kind == CHANGE_DEVICE_ON) == !up[c->index]);
    CU_ASSERT(!at_campus || c->at < XL_DAY(1) ||
              c->at >= XL_DAY(1) + XL_HOUR(12) ||
              c->kind == CHANGE_DEVICE_CRASH);
    campus_up += at_campus && c->at < XL_DAY(1)
                     ? (c->kind == CHANGE_DEVICE_ON ? 1u : UINT32_MAX)
                     : 0;
    crashes += c->kind == CHANGE_DEVICE_CRASH;
    back += c->at == XL_DAY(1) + XL_HOUR(12);
    up[c->index] = !up[c->index];
  }
  for (uint32_t i = f->sites[6].first_device; i < f->ndevices; i++) {
    campus_up += f->online[i];
  }
  CHECK_EQ(crashes, campus_up); /* those that were online */
  CU_ASSERT(back >= 50);        /* at least the always online */
  free(up);
  fleet_free(f);
}

static void test_content_change(void) {
  scene x;
  fleet *f =
      FAULTY(x,
             {.at = XL_SEC(10),
              .what = SCN_FAULT_CHANGE,
              .content = "other",
              .target = "cdn-b"},
             {.at = XL_SEC(20), .what = SCN_FAULT_CHANGE, .content = "update"});

  CHECK_EQ(f->nchanges, 3);
  check_change(f, 0, 10, CHANGE_CONTENT, 1);
  CHECK_EQ(f->changes[0].value, 1);
  check_change(f, 1, 20, CHANGE_CONTENT, 0);
  check_change(f, 2, 20, CHANGE_CONTENT, 1);
  fleet_free(f);
}

static void check_refused(scn_fault_what what, const char *name,
                          const char *text) {
  scene x;
  fail why = {0};

  scene_init(&x);
  x.faults[0] = (scn_fault){.what = what, .target = name, .content = "nil"};
  x.s.nfaults = 1;
  CU_ASSERT(fleet_new(&x.s, 1, &why) == NULL);
  CHECK_EQ(why.status, EXIT_USAGE);
  if (strstr(why.text, text) == NULL) {
    printf("  \"%s\"\n", why.text);
  }
  CU_ASSERT(strstr(why.text, text) != NULL);
}

static void test_refused(void) {
  check_refused(SCN_FAULT_ORIGIN_DOWN, "cnd-a",
                "fault 0 (origin down): no origin, node or site is named "
                "\"cnd-a\"; did you mean \"cdn-a\"?");
  check_refused(SCN_FAULT_WAN_DOWN, "brnch[2]", "did you mean \"branch\"?");
  check_refused(SCN_FAULT_WAN_DOWN, "zzz", "is named \"zzz\"");
  check_refused(SCN_FAULT_WAN_DOWN, "branch[6]",
                "there are 6 sites branch, counted from 0");
  check_refused(SCN_FAULT_CRASH, "branch[1].pc[3]",
                "site branch has 3 devices of class pc, counted from 0");
  check_refused(SCN_FAULT_CRASH, "branch[1].laptpo[3]",
                "did you mean \"laptop\"?");
  check_refused(SCN_FAULT_CRASH, "branch[1", "is no target");
  check_refused(SCN_FAULT_CRASH, "branch[-1]", "is no target");
  check_refused(SCN_FAULT_CRASH, "branch[1].", "is no target");
  check_refused(SCN_FAULT_CRASH, "", "is no target");
  check_refused(SCN_FAULT_CRASH, "berlin", "expected a site or devices");
  check_refused(SCN_FAULT_WAN_DOWN, "cdn-a", "expected a site, not");
  check_refused(SCN_FAULT_ORIGIN_DOWN, "branch[1]", "expected an origin, not");
  check_refused(SCN_FAULT_ORIGIN_DOWN, NULL, "named nothing");
  check_refused(SCN_FAULT_CHANGE, NULL, "no content is named \"nil\"");
}

TEST_SUITE(
    "fleet changes",
    {"devices go on and off in turn, only those that churn", test_alternates},
    {"without churn every device stays", test_no_churn},
    {"availability is E(on) / (E(on) + E(off))", test_availability},
    {"an origin goes down and comes back, or answers errors", test_origin},
    {"a fault for good does not end; none begins after the end", test_for_good},
    {"a link's fault ends at the scenario's capacities", test_link},
    {"overlapping faults of a link are laid over one another", test_overlap},
    {"a class of sites stands for each of them", test_all_sites},
    {"a crash takes a device down once", test_crash},
    {"crashes and churn are laid over one another", test_crash_and_churn},
    {"a content changes at one origin or at all", test_content_change},
    {"a fault that hits nothing is refused, with the nearest name",
     test_refused})
