/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that lose power: what their agents had saved remains, what was under
 * way is lost. The runs check every invariant after every event themselves,
 * and that every byte sent is booked or lost.
 */
#include "test.h"
#include "world_run.h"

#include <stdio.h>

#define MB 1000000ull
#define PIECE (1ull << 20)

static const char *network = "fluid";

/* |n| devices and one of another class behind one switch, an origin of 1 MB/s
   and a file of 10 pieces of 1 MiB; no latency. |held|: of the content. */
static run_result with(const char *policy, int n, const char *held,
                       const char *jobs, const char *faults) {
  char text[3000];

  snprintf(text, sizeof text,
           "name: crash\n"
           "source: assumed\n"
           "duration: 1h\n"
           "classes:\n"
           "  pc: {down: 1Gbit/s, up: 1Gbit/s, cache: 10GiB, ram: 8GiB, "
           "disk: 100GiB}\n"
           "  nb: {down: 1Gbit/s, up: 1Gbit/s, cache: 10GiB, ram: 8GiB, "
           "disk: 100GiB}\n"
           "network:\n"
           "  origins: [{name: cdn, rate: 1MB/s, latency: 0s}]\n"
           "  services: [{name: tracker, queries: 5000/s}]\n"
           "  sites:\n"
           "    - {name: s, count: 1, wan: {down: 1Gbit/s, up: 1Gbit/s, "
           "latency: 0s}, lan: {latency: 0s}, domain: d, subnet: 24, devices: "
           "[{class: pc, count: %d}, {class: nb, count: 1}]}\n"
           "content: [{name: f, size: 10MiB, piece: 1MiB, origins: [cdn]%s}]\n"
           "jobs: [%s]\n"
           "faults: [%s]\n",
           n, held, jobs, faults);
  run_result r = run_text(text, policy, network, 1);
  if (!r.good) {
    printf("  run failed: %s\n", r.why.text);
  }
  CU_ASSERT(r.good);
  return r;
}

static row_files file(const run_result *r, size_t i) {
  CU_ASSERT(i < r->t.table[SCHEMA_FILES].n);
  const row_files *f = r->t.table[SCHEMA_FILES].rows;
  return i < r->t.table[SCHEMA_FILES].n ? f[i] : (row_files){0};
}

static row_jobs job(const run_result *r, size_t i) {
  CU_ASSERT(i < r->t.table[SCHEMA_JOBS].n);
  const row_jobs *j = r->t.table[SCHEMA_JOBS].rows;
  return i < r->t.table[SCHEMA_JOBS].n ? j[i] : (row_jobs){0};
}

static row_world totals(const run_result *r) {
  const row_world *w = r->t.table[SCHEMA_WORLD].rows;
  return r->t.table[SCHEMA_WORLD].n > 0 ? *w : (row_world){0};
}

static uint64_t egress(const run_result *r) {
  const row_origins *o = r->t.table[SCHEMA_ORIGINS].rows;
  return r->t.table[SCHEMA_ORIGINS].n > 0 ? o->egress : 0;
}

#define PC "devices: {class: pc}"
#define JOB "{name: j, content: [f], start: 0s, peer_caching: [client], " PC "}"
/* One request a piece. */
#define PIECES                                                                 \
  "delivery-optimization:min_file_size=0B,http_requests=1,requests=1"

/* Of one request for the whole file nothing had been delivered. */
static void test_loses_the_request(void) {
  run_result r = with("origin-only:request=1GiB", 1, "", JOB,
                      "{at: 4s, for: 10s, device: \"s.pc[0]\", what: crash}");
  row_files f = file(&r, 0);

  CHECK_EQ(totals(&r).lost, 4 * MB);
  CHECK_EQ(f.transferred, 10 * PIECE);
  CHECK_EQ(f.origin, 10 * PIECE);
  CHECK_EQ(f.cancelled + f.duplicate + f.late + f.restarted, 0);
  CHECK_EQ(f.restarts, 0);
  CHECK_EQ(egress(&r), 4 * MB + 10 * PIECE);
  CHECK_EQ(job(&r, 0).errors, 0);
  CHECK_EQ(job(&r, 0).end_ns, XL_SEC(14) + (xl_span)(10 * PIECE * 1000));
  CHECK_EQ(job(&r, 0).stalled_ns, XL_SEC(10));
  trace_free(&r.t);
}

/* Fragments that had been delivered stay: only the last one is lost. */
static void test_keeps_what_was_delivered(void) {
  run_result r = with(PIECES, 1, "", JOB,
                      "{at: 4s, for: 10s, device: \"s.pc[0]\", what: crash}");
  row_files f = file(&r, 0);

  CHECK_EQ(totals(&r).lost, 4 * MB - 3 * PIECE);
  CHECK_EQ(f.transferred, 10 * PIECE);
  CHECK_EQ(egress(&r), totals(&r).lost + 10 * PIECE);
  CHECK_EQ(job(&r, 0).end_ns,
           XL_SEC(14) + (xl_span)(10 * PIECE * 1000 - 3 * PIECE * 1000));
  trace_free(&r.t);
}

/* Bytes that are held up arrive later. */
static void test_dead_link(void) {
  run_result r = with("origin-only:request=1GiB", 1, "", JOB,
                      "{at: 4s, for: 10s, device: \"s.pc[0]\", what: link, "
                      "down: 0bit/s, up: 0bit/s}");

  CHECK_EQ(totals(&r).lost, 0);
  CHECK_EQ(egress(&r), 10 * PIECE);
  trace_free(&r.t);
}

static void test_again_and_again(void) {
  run_result r =
      with(PIECES, 1, "", JOB,
           "{at: 2s, for: 1s, device: \"s.pc[0]\", what: crash}, "
           "{at: 5s, for: 1s, device: \"s.pc[0]\", what: crash}, "
           "{at: 6500ms, for: 1s, device: \"s.pc[0]\", what: crash}");
  row_files f = file(&r, 0);

  CHECK_EQ(f.transferred, 10 * PIECE);
  CHECK_EQ(totals(&r).lost, (2 * MB - PIECE) + (2 * MB - PIECE) + MB / 2);
  CHECK_EQ(egress(&r), totals(&r).lost + 10 * PIECE);
  trace_free(&r.t);
}

/* Off until the end: the tables show what is on the disk. */
static void test_never_back(void) {
  run_result r =
      with(PIECES, 1, "", JOB ", {name: k, content: [f], start: 60s}",
           "{at: 4s, device: \"s.pc[0]\", what: crash}");
  row_files f = file(&r, 0);

  CHECK_EQ(f.transferred, 3 * PIECE);
  CHECK_EQ(job(&r, 0).state, XL_JOB_QUEUED);
  CHECK_EQ(job(&r, 0).end_ns, -1);
  CHECK_EQ(job(&r, 0).stalled_ns, XL_HOUR(1) - XL_SEC(4));
  CHECK_EQ(r.t.table[SCHEMA_JOBS].n, 3);
  for (size_t i = 0; i < r.t.table[SCHEMA_JOBS].n; i++) {
    bool dead = job(&r, i).device == 0;
    CHECK_EQ(job(&r, i).end_ns < 0, dead);
    if (i > 0 && dead) { /* it arrived and was never begun */
      CHECK_EQ(job(&r, i).state, XL_JOB_SUSPENDED);
      CHECK_EQ(file(&r, i).transferred, 0);
    }
  }
  trace_free(&r.t);
}

/* A job that arrives while the device is off begins when it is back. */
static void test_arrives_meanwhile(void) {
  run_result r = with("origin-only", 1, "",
                      "{name: j, content: [f], start: 5s, " PC "}, "
                      "{name: k, content: [f], start: 6s, " PC "}",
                      "{at: 4s, for: 10s, device: \"s.pc[0]\", what: crash}");

  for (size_t i = 0; i < 2; i++) {
    CHECK_EQ(job(&r, i).arrival_ns, XL_SEC(5 + (int)i));
    CHECK_EQ(job(&r, i).state, XL_JOB_ACKNOWLEDGED);
    CHECK_EQ(file(&r, i).transferred, 10 * PIECE);
    CU_ASSERT(job(&r, i).start_ns >= XL_SEC(14));
  }
  CHECK_EQ(totals(&r).lost, 0);
  trace_free(&r.t);
}

/* What a device holds for others is still there after a crash. */
static void test_holdings(void) {
  static const char *const policies[] = {
      "bits-peer-cache", "delivery-optimization:min_file_size=0B"};

  for (size_t i = 0; i < 2; i++) {
    for (int crash = 0; crash < 2; crash++) {
      run_result r =
          with(policies[i], 1, "",
               "{name: first, content: [f], start: 0s, devices: {class: pc}, "
               "peer_caching: [client, server]}, {name: second, content: [f], "
               "start: 10min, devices: {class: nb}, peer_caching: [client, "
               "server]}",
               crash == 0
                   ? ""
                   : "{at: 5min, for: 1min, device: \"s.pc[0]\", what: crash}, "
                     "{at: 5min, for: 1min, device: \"s.nb[0]\", what: crash}");
      row_files f = file(&r, 1);
      CHECK_EQ(f.transferred, 10 * PIECE);
      CHECK_EQ(f.peer_subnet, 10 * PIECE - f.origin);
      CHECK_EQ(f.origin, i * PIECE); /* while it looks for peers */
      trace_free(&r.t);
    }
  }
}

/* Peers of a device that dies in the middle go on, with it when it is back. */
static void test_in_a_swarm(void) {
  static const char *const policies[] = {
      "bits-peer-cache", "delivery-optimization:min_file_size=0B"};

  for (size_t i = 0; i < 4; i++) {
    network = i < 2 ? "fluid" : MAXMIN;
    run_result r = with(policies[i % 2], 6, ", held_by: 20%",
                        "{name: j, content: [f], " PC
                        ", start: 1s, arrival: {uniform: 8s}, "
                        "peer_caching: [client, server]}",
                        "{at: 3s, for: 20s, device: \"s.pc[0]\", what: crash}, "
                        "{at: 6s, for: 1s, device: \"s.pc[1]\", what: crash}, "
                        "{at: 8s, for: 30s, device: \"s.pc[2]\", what: crash}, "
                        "{at: 8s, for: 2s, device: \"s.pc[3]\", what: crash}, "
                        "{at: 25s, for: 2s, device: \"s.pc[0]\", what: crash}");
    size_t n = r.t.table[SCHEMA_JOBS].n;
    CHECK_EQ(n, 6);
    for (size_t k = 0; k < n; k++) {
      CHECK_EQ(job(&r, k).state, XL_JOB_ACKNOWLEDGED);
      CHECK_EQ(file(&r, k).transferred, 10 * PIECE);
    }
    row_world w = totals(&r);
    CHECK_EQ(w.sent, w.received + w.lost);
    CU_ASSERT(w.lost > 0);
    trace_free(&r.t);
  }
  network = "fluid";
}

TEST_SUITE(
    "devices that lose power",
    {"a crash loses what was under way, to the byte", test_loses_the_request},
    {"what was delivered before it stays", test_keeps_what_was_delivered},
    {"a link that carries nothing loses nothing", test_dead_link},
    {"crashes may follow one another", test_again_and_again},
    {"a device that is never back counts with what is on its disk",
     test_never_back},
    {"a job that arrives meanwhile begins when the device is back",
     test_arrives_meanwhile},
    {"what is held for peers is served after the crash", test_holdings},
    {"a swarm goes on around crashes, and with who is back", test_in_a_swarm})
