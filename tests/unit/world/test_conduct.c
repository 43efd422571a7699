/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Origins that break the rules of HTTP: each fault ends as the rules say, with
 * every byte accounted for (the runs check that themselves after each event).
 */
#include "test.h"
#include "world_run.h"

#include <stdio.h>

#define MB 1000000ull

/* Two devices, two origins of 10 MB/s, a file of 10 MB; |origins| of the
   content, |job| keys of the job and |faults| as YAML. */
static run_result with(const char *policy, const char *origins, const char *job,
                       const char *faults) {
  char text[3000];

  snprintf(text, sizeof text,
           "name: conduct\n"
           "source: assumed\n"
           "duration: 12h\n"
           "classes:\n"
           "  pc: {down: 1Gbit/s, up: 1Gbit/s, cache: 10GiB, ram: 8GiB}\n"
           "network:\n"
           "  origins: [{name: cdn, rate: 10MB/s, latency: 1ms}, "
           "{name: other, rate: 10MB/s, latency: 1ms}, "
           "{name: empty, rate: 10MB/s, latency: 1ms}]\n"
           "  services: [{name: tracker, queries: 5000/s}]\n"
           "  sites:\n"
           "    - {name: s, count: 1, wan: {down: 1Gbit/s, up: 1Gbit/s, "
           "latency: 1ms}, lan: {latency: 0s}, devices: [{class: pc, "
           "count: 2}]}\n"
           "content: [{name: f, size: 10MB, piece: 1MB, origins: [%s]}]\n"
           "jobs: [{name: j, content: [f], start: 0s%s}]\n"
           "faults: [%s]\n",
           origins, job, faults);
  run_result r = run_text(text, policy, MAXMIN, 1);
  if (!r.good) {
    printf("  run failed: %s\n", r.why.text);
  }
  CU_ASSERT(r.good);
  return r;
}

/* Every job ends in |state| with |error|. */
static void check_jobs(const run_result *r, uint32_t state, uint32_t error) {
  const row_jobs *j = r->t.table[SCHEMA_JOBS].rows;

  CHECK_EQ(r->t.table[SCHEMA_JOBS].n, 2);
  for (size_t i = 0; i < r->t.table[SCHEMA_JOBS].n; i++) {
    CHECK_EQ(j[i].state, state);
    CHECK_EQ(j[i].error, error);
  }
}

/* Both files whole; the sums over both. */
static row_files check_whole(const run_result *r) {
  const row_files *f = r->t.table[SCHEMA_FILES].rows;
  row_files sum = {0};

  check_jobs(r, XL_JOB_ACKNOWLEDGED, 0);
  for (size_t i = 0; i < r->t.table[SCHEMA_FILES].n; i++) {
    CHECK_EQ(f[i].transferred, 10 * MB);
    sum.origin += f[i].origin;
    sum.overhead += f[i].overhead;
    sum.cancelled += f[i].cancelled;
    sum.restarts += f[i].restarts;
    sum.switches += f[i].switches;
  }
  return sum;
}

static uint64_t egress(const run_result *r, size_t origin) {
  const row_origins *o = r->t.table[SCHEMA_ORIGINS].rows;

  return o[origin].egress;
}

/* How many requests had this outcome. */
static uint64_t ended(const run_result *r, xl_end end) {
  const row_transfers *t = r->t.table[SCHEMA_TRANSFERS].rows;
  uint64_t n = 0;

  for (size_t i = 0; i < r->t.table[SCHEMA_TRANSFERS].n; i++) {
    n += t[i].outcome == end;
  }
  return n;
}

static void test_truncated(void) {
  run_result r = with("origin-only", "cdn", ", min_retry_delay: 5s",
                      "{at: 0s, for: 4s, origin: cdn, what: truncate, "
                      "share: 40%}");
  row_files f = check_whole(&r);

  CHECK_EQ(f.origin, 20 * MB);
  CHECK_EQ(f.restarts, 0);
  CHECK_EQ(egress(&r, 0), 20 * MB); /* nothing twice */
  CHECK_EQ(ended(&r, XL_END_RESET), 2);
  trace_free(&r.t);
}

static void test_overlong(void) {
  run_result r = with("origin-only", "cdn", "",
                      "{at: 0s, origin: cdn, what: overlong, share: 10%}");
  row_files f = check_whole(&r);

  CHECK_EQ(f.overhead, 2 * MB);
  CHECK_EQ(egress(&r, 0), 22 * MB);
  trace_free(&r.t);
}

static void test_no_size(void) {
  run_result r =
      with("origin-only", "cdn", "", "{at: 0s, origin: cdn, what: no-size}");

  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_MISSING_FILE_SIZE));
  trace_free(&r.t);
}

static void test_no_ranges(void) {
  run_result r =
      with("origin-only", "cdn", "", "{at: 0s, origin: cdn, what: no-ranges}");
  check_whole(&r); /* a whole file needs none */
  trace_free(&r.t);

  r = with("origin-only", "cdn", ", min_retry_delay: 5s",
           "{at: 0s, for: 4s, origin: cdn, what: truncate, share: 40%}, "
           "{at: 4s, origin: cdn, what: no-ranges}");
  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_INSUFFICIENT_RANGE_SUPPORT));
  trace_free(&r.t);
}

static void test_rejected_ranges(void) {
  run_result r =
      with("origin-only", "cdn", ", min_retry_delay: 5s",
           "{at: 0s, for: 4s, origin: cdn, what: truncate, share: 40%}, "
           "{at: 4s, origin: cdn, what: reject-ranges}");

  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_HTTP(416)));
  trace_free(&r.t);
}

static void test_no_last_modified(void) {
  run_result r =
      with("bits-peer-cache", "cdn",
           ", arrival: {uniform: 1h}, peer_caching: [client, server]",
           "{at: 0s, origin: cdn, what: no-last-modified}");
  row_files f = check_whole(&r);

  CHECK_EQ(f.origin, 20 * MB);
  trace_free(&r.t);
}

static void test_stall(void) {
  run_result r = with("origin-only", "cdn", ", min_retry_delay: 5s",
                      "{at: 0s, for: 60s, origin: cdn, what: stall}");

  check_whole(&r);
  CU_ASSERT(ended(&r, XL_END_STALLED) >= 2);
  CHECK_EQ(egress(&r, 0), 20 * MB);
  trace_free(&r.t);
}

static void test_redirect(void) {
  run_result r = with("origin-only", "cdn, other", "",
                      "{at: 0s, origin: cdn, what: redirect, to: other}");
  row_files f = check_whole(&r);

  CHECK_EQ(egress(&r, 0), 0);
  CHECK_EQ(egress(&r, 1), 20 * MB);
  CHECK_EQ(f.switches, 0); /* the remote name is unchanged */
  trace_free(&r.t);

  r = with("origin-only", "cdn, other", "",
           "{at: 0s, origin: cdn, what: redirect, to: empty}");
  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_HTTP(404)));
  trace_free(&r.t);
}

/* The remote name follows, and requests after the fault go there at once. */
static void test_redirect_report(void) {
  run_result r =
      with("origin-only", "cdn, other", ", redirects: report",
           "{at: 0s, for: 50ms, origin: cdn, what: redirect, to: other}, "
           "{at: 100ms, for: 1s, origin: other, what: truncate, share: 20%}");
  const row_transfers *t = r.t.table[SCHEMA_TRANSFERS].rows;
  const row_files *f = r.t.table[SCHEMA_FILES].rows;

  check_whole(&r);
  CHECK_EQ(egress(&r, 0), 0);
  CHECK_EQ(egress(&r, 1), 20 * MB);
  for (size_t i = 0; i < r.t.table[SCHEMA_FILES].n; i++) {
    CHECK_EQ(f[i].mirror, 1);
    CHECK_EQ(f[i].switches, 0); /* nobody chose it */
  }
  for (size_t i = 0; i < r.t.table[SCHEMA_TRANSFERS].n; i++) {
    CHECK_EQ(t[i].source, 1);
  }
  trace_free(&r.t);
}

static void test_redirect_disallow(void) {
  run_result r = with("origin-only", "cdn, other", ", redirects: disallow",
                      "{at: 0s, origin: cdn, what: redirect, to: other}");
  const row_files *f = r.t.table[SCHEMA_FILES].rows;

  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_HTTP(302)));
  CHECK_EQ(egress(&r, 0) + egress(&r, 1), 0);
  CHECK_EQ(f[0].mirror, 1); /* so that Resume would work */
  trace_free(&r.t);
}

static void test_redirect_circle(void) {
  run_result r = with("origin-only", "cdn, other", "",
                      "{at: 0s, origin: cdn, what: redirect, to: other}, "
                      "{at: 0s, origin: other, what: redirect, to: cdn}");

  check_jobs(&r, XL_JOB_ERROR, XL_HRESULT(XL_E_HTTP(302)));
  trace_free(&r.t);
}

/* Whatever a policy does about it, bytes are conserved and a job ends or waits
   in a state that the rules allow. */
static void test_every_policy(void) {
  static const char *const policies[] = {"origin-only", "bits-peer-cache",
                                         "delivery-optimization"};
  static const char *const conducts[] = {"no-ranges",
                                         "no-size",
                                         "no-last-modified",
                                         "reject-ranges",
                                         "stall",
                                         "truncate, share: 30%",
                                         "overlong, share: 5%",
                                         "redirect, to: other"};

  for (size_t p = 0; p < 3; p++) {
    for (size_t c = 0; c < sizeof conducts / sizeof *conducts; c++) {
      char fault[200];
      snprintf(fault, sizeof fault,
               "{at: 200ms, for: 20min, origin: cdn, what: %s}", conducts[c]);
      run_result r = with(policies[p], "cdn, other",
                          ", arrival: {uniform: 10min}, "
                          "peer_caching: [client, server]",
                          fault);
      const row_jobs *j = r.t.table[SCHEMA_JOBS].rows;
      for (size_t i = 0; i < r.t.table[SCHEMA_JOBS].n; i++) {
        bool fatal =
            j[i].state == XL_JOB_ERROR && !xl_err_transient((xl_err)j[i].error);
        CU_ASSERT(j[i].state == XL_JOB_ACKNOWLEDGED || fatal);
      }
      trace_free(&r.t);
    }
  }
}

TEST_SUITE("origins that misbehave",
           {"T27 R814: a body cut short is resumed where it ended",
            test_truncated},
           {"R815: what an over-long body has too much is overhead (design)",
            test_overlong},
           {"R801: a server that sends no size is an error", test_no_size},
           {"R808: 200 to a resume is an error, to a whole file it is not",
            test_no_ranges},
           {"R807: 416 to a resume of an unchanged file is an error (design)",
            test_rejected_ranges},
           {"R620: without Last-Modified no peer is looked for (design)",
            test_no_last_modified},
           {"R814: a silent body times out and is asked for again", test_stall},
           {"R812: a redirection is followed, the remote name is unchanged",
            test_redirect},
           {"R812: with report the remote name is where the server led",
            test_redirect_report},
           {"R812: with disallow a redirection is an error",
            test_redirect_disallow},
           {"R812: a circle of redirections ends as an error (design)",
            test_redirect_circle},
           {"every policy meets every misbehaviour, and bytes are conserved",
            test_every_policy})
