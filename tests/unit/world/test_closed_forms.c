/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worlds whose outcome is a formula (references 1.1, 1.6): pure max-min, no
 * latency; on SimGrid and on fluid.
 */
#include "test.h"
#include "world_run.h"

#include <stdio.h>

static const char *network = MAXMIN;

/* One site of |n| devices, origin of 100 Mbit/s, file of 100 MB. */
static run_result simple(unsigned n, const char *wan, const char *down,
                         const char *cap, const char *origin) {
  char text[2048];

  snprintf(text, sizeof text,
           "name: closed\n"
           "source: assumed\n"
           "duration: 12h\n"
           "classes:\n"
           "  pc: {down: %s, up: 1Gbit/s, cap: %s, cache: 10GiB, ram: 8GiB, "
           "online: always}\n"
           "network:\n"
           "  origins: [{name: cdn, rate: %s, latency: 0s}]\n"
           "  sites:\n"
           "    - {name: s, count: 1, wan: {down: %s, up: 1Gbit/s, latency: "
           "0s}, lan: {latency: 0s}, devices: [{class: pc, count: %u}]}\n"
           "content: [{name: f, size: 100MB, piece: 10MB, origins: [cdn]}]\n"
           "jobs: [{name: j, content: [f], start: 0s}]\n",
           down, cap, origin, wan, n);
  return run_text(text, "origin-only", network, 1);
}

static void check_run(const run_result *r) {
  if (!r->good) {
    printf("  run failed: %s\n", r->why.text);
  }
  CU_ASSERT(r->good);
}

static void test_one_download(void) {
  run_result r = simple(1, "10Tbit/s", "10Tbit/s", "unlimited", "100Mbit/s");

  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 100e6 * 8 / 100e6, 1e-3);
  CHECK_EQ(r.s.origin_egress, 100000000);
  CHECK_NEAR(r.s.offload, 0, 1e-12);
  trace_free(&r.t);
}

static void test_many_downloads(void) {
  run_result r = simple(20, "10Tbit/s", "10Tbit/s", "unlimited", "100Mbit/s");

  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 20 * 8.0, 5e-3);
  CHECK_EQ(r.s.bytes_useful, 20 * 100000000LL);
  trace_free(&r.t);
}

static void test_wan_in_front(void) {
  run_result r = simple(1, "20Mbit/s", "10Tbit/s", "unlimited", "100Mbit/s");

  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 40.0, 1e-3);
  trace_free(&r.t);
  r = simple(10, "20Mbit/s", "10Tbit/s", "unlimited", "1Gbit/s");
  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 10 * 40.0, 5e-3);
  CHECK_NEAR(r.s.lower_bound_s, 40.0, 1e-2);
  trace_free(&r.t);
}

static void test_device_link_limits(void) {
  run_result r = simple(2, "10Tbit/s", "10Mbit/s", "unlimited", "100Mbit/s");

  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 80.0, 1e-3);
  CHECK_NEAR(r.s.efficiency, 1.0, 1e-3);
  trace_free(&r.t);
}

static void test_cap_limits(void) {
  run_result r = simple(3, "10Tbit/s", "10Tbit/s", "1MB/s", "100Mbit/s");

  check_run(&r);
  CHECK_NEAR(r.s.makespan_s, 100.0, 1e-3);
  trace_free(&r.t);
}

/* MM6 of references 1.6 as a world: four devices behind one origin of 100, two
   of them capped at 10 and 20; then 35 and 35. */
static void test_capped_flows_share(void) {
  static const char text[] =
      "name: mm6\n"
      "source: references 1.6\n"
      "duration: 12h\n"
      "classes:\n"
      "  a: {down: 10Tbit/s, up: 1Gbit/s, cap: 10MB/s}\n"
      "  b: {down: 10Tbit/s, up: 1Gbit/s, cap: 20MB/s}\n"
      "  c: {down: 10Tbit/s, up: 1Gbit/s}\n"
      "network:\n"
      "  origins: [{name: cdn, rate: 100MB/s, latency: 0s}]\n"
      "  sites:\n"
      "    - {name: s, count: 1, wan: {down: 10Tbit/s, up: 10Tbit/s, "
      "latency: 0s}, lan: {latency: 0s}, devices: [{class: a, count: 1}, "
      "{class: b, count: 1}, {class: c, count: 2}]}\n"
      "content: [{name: f, size: 1000MB, piece: 100MB, origins: [cdn]}]\n"
      "jobs: [{name: j, content: [f], start: 0s}]\n";
  run_result r = run_text(text, "origin-only", network, 1);

  check_run(&r);
  CHECK_EQ(r.t.table[SCHEMA_JOBS].n, 4);
  const row_jobs *j = r.t.table[SCHEMA_JOBS].rows;
  const row_devices *d = r.t.table[SCHEMA_DEVICES].rows;
  static const double want[] = {100, 50, 28.571429, 28.571429}; /* DYN1 */
  for (size_t i = 0; i < r.t.table[SCHEMA_JOBS].n; i++) {
    unsigned c = (unsigned)(d[j[i].device].class_name[0] - 'a');
    CHECK_NEAR((double)j[i].end_ns / 1e9, want[c], 1e-3);
  }
  trace_free(&r.t);
}

#define ON_FLUID(test)                                                         \
  static void test##_fluid(void) {                                             \
    network = "fluid";                                                         \
    test();                                                                    \
    network = MAXMIN;                                                          \
  }
ON_FLUID(test_one_download)
ON_FLUID(test_many_downloads)
ON_FLUID(test_wan_in_front)
ON_FLUID(test_device_link_limits)
ON_FLUID(test_cap_limits)
ON_FLUID(test_capped_flows_share)

TEST_SUITE(
    "closed forms",
    {"one device takes F/u (references 1.1)", test_one_download},
    {"N devices, origin only, take N*F/u", test_many_downloads},
    {"a WAN in front is the bottleneck", test_wan_in_front},
    {"the device's own link limits it", test_device_link_limits},
    {"a cap limits a transfer", test_cap_limits},
    {"capped flows share as max-min says (MM6, DYN1)", test_capped_flows_share},
    {"fluid: one device takes F/u", test_one_download_fluid},
    {"fluid: N devices, origin only, take N*F/u", test_many_downloads_fluid},
    {"fluid: a WAN in front is the bottleneck", test_wan_in_front_fluid},
    {"fluid: the device's own link limits it", test_device_link_limits_fluid},
    {"fluid: a cap limits a transfer", test_cap_limits_fluid},
    {"fluid: capped flows share as max-min says (MM6, DYN1)",
     test_capped_flows_share_fluid})
