/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Throttles of background jobs on the fluid network: the bytes of each hour
 * are those that the limits allow.
 */
#include "test.h"
#include "world_run.h"

#include <stdio.h>

#define KB 1000ull
#define HOUR_S 3600ull
#define BINS_PER_HOUR 60

/* A device "pc" with |throttles| and, in its subnet, one without; two origins,
   a and b, of 400 kB/s each, with a file of 60 GB and one of 10 MiB each. From
   a Friday at midnight on, for two days. */
static run_result with(const char *policy, const char *throttles,
                       const char *jobs) {
  char text[4000];

  snprintf(
      text, sizeof text,
      "name: throttles\n"
      "source: assumed\n"
      "start: 2026-11-13T00:00+01:00\n"
      "duration: 48h\n"
      "classes:\n"
      "  pc: {down: 1Gbit/s, up: 1Gbit/s, throttles: [%s]}\n"
      "  nb: {down: 1Gbit/s, up: 1Gbit/s}\n"
      "network:\n"
      "  origins: [{name: a, rate: 400kB/s, latency: 0s}, {name: b, rate: "
      "400kB/s, latency: 0s}]\n"
      "  sites:\n"
      "    - {name: s, count: 1, wan: {down: 1Gbit/s, up: 1Gbit/s, latency: "
      "0s}, lan: {latency: 0s}, domain: d, devices: [{class: pc, count: 1}, "
      "{class: nb, count: 1}]}\n"
      "content: [{name: fa, size: 60GB, piece: 16MiB, origins: [a]}, {name: "
      "fb, size: 60GB, piece: 16MiB, origins: [b]}, {name: small, size: 10MiB, "
      "piece: 1MiB, origins: [a]}]\n"
      "jobs: [%s]\n",
      throttles, jobs);
  run_result r = run_text(text, policy, "fluid", 1);
  if (!r.good) {
    printf("  run failed: %s\n", r.why.text);
  }
  CU_ASSERT(r.good);
  return r;
}

/* Bytes of origins in the |i|-th hour. */
static uint64_t hour(const run_result *r, size_t i) {
  const row_series *s = r->t.table[SCHEMA_SERIES].rows;
  uint64_t n = 0;

  for (size_t k = i * BINS_PER_HOUR; k < (i + 1) * BINS_PER_HOUR; k++) {
    n += k < r->t.table[SCHEMA_SERIES].n ? s[k].origin : 0;
  }
  return n;
}

/* Hours |from| to |to| carry |rate|; a request takes no time. */
static void check_hours(const run_result *r, size_t from, size_t to,
                        uint64_t rate) {
  for (size_t i = from; i < to; i++) {
    uint64_t got = hour(r, i), want = rate * HOUR_S;
    if (got > want + 2 || got + 2 < want) {
      printf("  hour %zu: %llu bytes, want %llu\n", i, (unsigned long long)got,
             (unsigned long long)want);
      CU_FAIL("the bytes of an hour are not those of the limit");
      return;
    }
  }
}

#define JOB(name, content, more)                                               \
  "{name: " name ", content: [" content                                        \
  "], devices: {class: pc}, start: 0s" more "}"

static void test_hours(void) {
  run_result r = with("origin-only",
                      "{days: [mon, tue, wed, thu, fri], hours: 08:00-17:00, "
                      "rate: 100kB/s}, {hours: 22:00-05:00, rate: 200kB/s}",
                      JOB("j", "fa", ""));

  check_hours(&r, 0, 5, 200 * KB); /* begun on Thursday */
  check_hours(&r, 5, 8, 400 * KB);
  check_hours(&r, 8, 17, 100 * KB);
  check_hours(&r, 17, 22, 400 * KB);
  check_hours(&r, 22, 29, 200 * KB);
  check_hours(&r, 29, 46, 400 * KB); /* Saturday */
  check_hours(&r, 46, 48, 200 * KB);
  trace_free(&r.t);
}

/* Minutes count: a window need not begin at the hour. */
static void test_minutes(void) {
  run_result r = with("origin-only", "{hours: 23:59-00:01, rate: 8kB/s}",
                      JOB("j", "fa", ""));
  const row_series *s = r.t.table[SCHEMA_SERIES].rows;

  CU_ASSERT(r.t.table[SCHEMA_SERIES].n >= 24 * 60 + 2);
  for (size_t i = 1; i < 24 * 60 + 2 && r.good; i++) {
    bool slow = i >= 24 * 60 - 1 && i < 24 * 60 + 1;
    uint64_t want = (slow ? 8 : 400) * KB * 60;
    CU_ASSERT(s[i].origin + 2 >= want && s[i].origin <= want + 2);
  }
  trace_free(&r.t);
}

static void test_blocked(void) {
  run_result r = with("origin-only", "{hours: 02:00-04:00, rate: 0B/s}",
                      JOB("j", "fa", ", min_retry_delay: 5h"));
  const row_jobs *j = r.t.table[SCHEMA_JOBS].rows;

  check_hours(&r, 0, 2, 400 * KB);
  check_hours(&r, 2, 4, 0);
  check_hours(&r, 4, 24, 400 * KB); /* at once, not after the delay (R424) */
  CHECK_EQ(j->errors, 0);
  CHECK_EQ(j->stalled_ns, 2 * XL_HOUR(2)); /* two days of it */
  trace_free(&r.t);
}

/* Jobs of one priority share its limit; each has its own; the foreground has
   none. Delivery Optimization runs them all at once (R481). */
static void test_shared(void) {
  static const char policy[] = "delivery-optimization:mode=http";
  static const char limits[] =
      "{hours: 08:00-17:00, high: 150kB/s, normal: 100kB/s, low: 50kB/s}";
  run_result r =
      with(policy, limits, JOB("j", "fa", "") ", " JOB("k", "fb", ""));
  const row_origins *o = r.t.table[SCHEMA_ORIGINS].rows;

  check_hours(&r, 0, 8, 800 * KB);
  check_hours(&r, 8, 17, 100 * KB);
  check_hours(&r, 17, 24, 800 * KB);
  CU_ASSERT(o[0].egress == o[1].egress); /* half each */
  trace_free(&r.t);
  r = with(policy, limits,
           JOB("j", "fa", ", priority: high") ", " JOB("k", "fb",
                                                       ", priority: low"));
  check_hours(&r, 8, 17, 200 * KB);
  trace_free(&r.t);
  r = with(policy, limits,
           JOB("j", "fa", ", priority: foreground") ", " JOB("k", "fb", ""));
  check_hours(&r, 0, 8, 800 * KB);
  check_hours(&r, 8, 17, 500 * KB);
  trace_free(&r.t);
  r = with(policy, limits, /* on one origin: its connections are apart */
           JOB("j", "fa", ", priority: foreground") ", " JOB("k", "fa", ""));
  check_hours(&r, 8, 17, 400 * KB);
  trace_free(&r.t);
}

/* R676: peers of the subnet are not throttled. */
static void test_peers(void) {
  run_result r =
      with("bits-peer-cache", "{rate: 2kbit/s}",
           "{name: first, content: [small], devices: {class: nb}, start: 0s}, "
           "{name: second, content: [small], devices: {class: pc}, start: 1h}");
  const row_files *f = r.t.table[SCHEMA_FILES].rows;
  const row_jobs *j = r.t.table[SCHEMA_JOBS].rows;

  CHECK_EQ(r.t.table[SCHEMA_FILES].n, 2);
  CHECK_EQ(f[1].peer_subnet, XL_MIB(10));
  CU_ASSERT(j[1].end_ns < XL_HOUR(1) + XL_MIN(3));
  trace_free(&r.t);
}

/* A crash does not lift them: they are the administrator's. */
static void test_after_a_crash(void) {
  char jobs[500];

  snprintf(jobs, sizeof jobs, "%s]\nfaults: [%s", JOB("j", "fa", ""),
           "{at: 90min, for: 30min, device: \"s.pc[0]\", what: crash}");
  run_result r =
      with("origin-only", "{hours: 00:00-05:00, rate: 40kB/s}", jobs);
  check_hours(&r, 0, 1, 40 * KB);
  check_hours(&r, 2, 5, 40 * KB);
  check_hours(&r, 5, 6, 400 * KB);
  trace_free(&r.t);
}

TEST_SUITE("throttles of background jobs",
           {"R457: each hour of a week carries what its limit allows, over "
            "midnight too",
            test_hours},
           {"R457: limits begin and end to the minute", test_minutes},
           {"R457 R424: a limit of 0 stops the jobs until it ends",
            test_blocked},
           {"R457: jobs of a priority share its limit", test_shared},
           {"R676: peers are not throttled (unverified)", test_peers},
           {"limits hold after a crash", test_after_a_crash})
