/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policies on the real engine: ten devices behind one slow uplink. */
#include "test.h"

#include "swarm.h"

#define N 10
#define PIECE ((uint32_t)XL_MIB(1))
#define SIZE XL_MIB(64) /* 27 s alone on the uplink */

static site *open_site(const char *policy, const char *name, const char *value,
                       uint32_t n, xl_span apart) {
  site *s = site_new(policy, n, SIZE, PIECE);

  if (name != NULL) {
    site_set(s, name, value);
  }
  CHECK_EQ(site_open(s, apart), true);
  return s;
}

/* Runs to the end; everybody has the file, and the books are right. */
static void run(site *s) {
  const char *text = NULL, *wrong;

  CHECK_EQ(site_run(s, XL_HOUR(10)), true);
  CHECK_EQ(xl_engine_status(s->engine, &text), XL_OK);
  wrong = xl_engine_check(s->engine);
  if (wrong != NULL) {
    printf("  %s: %s\n", s->policy->name, wrong);
  }
  CU_ASSERT_PTR_NULL(wrong);
  CHECK_EQ(s->reasons[XL_REASON_OTHER], 0);
  xl_bytes useful = 0, all = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    useful += xl_ledger_useful(xl_agent_ledger(s->agents[i]));
    all += xl_ledger_total(xl_agent_ledger(s->agents[i]));
  }
  CHECK_EQ(useful, s->n * SIZE);
  CHECK_EQ(all, s->by_origin + s->by_peers);
}

static xl_time last_done(const site *s) {
  xl_time last = 0;

  for (uint32_t i = 0; i < s->n; i++) {
    last = s->done_at[i] > last ? s->done_at[i] : last;
  }
  return last;
}

static void test_origin_only(void) {
  site *s = open_site("origin-only", NULL, NULL, N, 0);

  run(s);
  CHECK_EQ(s->by_origin, N * SIZE);
  CHECK_EQ(s->by_peers, 0);
  CHECK_NEAR((double)last_done(s) / 1e9, (double)(N * SIZE) / 2.5e6, 0.001);
  site_free(s);
}

static void test_bits_after_another(void) {
  site *s =
      open_site("bits-peer-cache", "bandwidth", "unlimited", N, XL_SEC(120));

  run(s);
  CHECK_EQ(s->by_origin, SIZE); /* the first; it is validated when complete */
  CHECK_EQ(s->by_peers, (N - 1) * SIZE);
  CHECK_EQ(s->reasons[XL_REASON_NO_PEERS_FOUND], 1);
  site_free(s);
}

static void test_bits_together(void) {
  site *s = open_site("bits-peer-cache", NULL, NULL, N, 0);

  run(s);
  CHECK_EQ(s->by_origin, N * SIZE); /* nobody has the whole in time */
  CHECK_EQ(s->reasons[XL_REASON_NO_PEERS_FOUND], N);
  site_free(s);
}

static void test_bits_bandwidth(void) {
  site *s = open_site("bits-peer-cache", NULL, NULL, 2, XL_SEC(120));

  run(s);
  CHECK_EQ(s->by_origin, SIZE);
  CHECK_NEAR((double)(s->done_at[1] - XL_SEC(120)) / 1e9, (double)SIZE / 125000,
             0.01); /* 1 Mbit/s */
  site_free(s);
}

static void test_swarm_together(void) {
  site *s = open_site("delivery-optimization", NULL, NULL, N, 0);

  run(s);
  /* A device alone takes F / wan = 27 s; the site at least as long. */
  CU_ASSERT(s->by_origin >= SIZE);
  CU_ASSERT(s->by_origin <= 2 * SIZE);
  CU_ASSERT(last_done(s) <= XL_SEC(54));
  site_free(s);
}

static void test_swarm_after_another(void) {
  site *s = open_site("delivery-optimization", NULL, NULL, N, XL_SEC(120));

  run(s);
  CU_ASSERT(s->by_origin >= SIZE);
  CU_ASSERT(s->by_origin <= SIZE + 4 * (N - 1) * PIECE);
  site_free(s);
}

static void test_swarm_delay(void) {
  site *s =
      open_site("delivery-optimization", "http_delay", "60s", N, XL_SEC(120));

  run(s);
  CHECK_EQ(s->by_origin, SIZE); /* the others find it all in the site */
  CU_ASSERT(s->done_at[0] >= XL_SEC(60) + xl_rate_span(2500000, SIZE));
  CU_ASSERT(s->done_at[1] < XL_SEC(120 + 20));
  site_free(s);
}

static void test_swarm_http(void) {
  site *s = open_site("delivery-optimization", "mode", "http", N, 0);

  run(s);
  CHECK_EQ(s->by_origin, N * SIZE);
  CHECK_EQ(s->reasons[XL_REASON_POLICY_ORIGIN], N);
  site_free(s);
}

/* A refusal that names no time is not asked about again and again. */
static void test_unwilling_peer(void) {
  site *s = site_new("delivery-optimization", 2, SIZE, PIECE);

  s->on_battery[0] = true;
  CHECK_EQ(site_open(s, XL_SEC(120)), true);
  run(s);
  CHECK_EQ(s->by_peers, 0);
  CU_ASSERT(s->refusals > 0 && s->refusals < 5);
  site_free(s);
}

static void test_runs_repeat(void) {
  site *a = open_site("delivery-optimization", NULL, NULL, N, XL_SEC(3));
  site *b = open_site("delivery-optimization", NULL, NULL, N, XL_SEC(3));

  run(a);
  run(b);
  CHECK_EQ(a->by_origin, b->by_origin);
  CHECK_EQ(last_done(a), last_done(b));
  CHECK_EQ(a->steps, b->steps);
  site_free(a);
  site_free(b);
}

TEST_SUITE(
    "policies on the engine",
    {"origin-only: ten devices fetch ten copies", test_origin_only},
    {"bits-peer-cache: one after another, one copy (R656, R618)",
     test_bits_after_another},
    {"bits-peer-cache: together, nobody has a whole file to serve (R618)",
     test_bits_together},
    {"bits-peer-cache: a lone download gets the whole served bandwidth (R648)",
     test_bits_bandwidth},
    {"delivery-optimization: together, less than two copies for the site",
     test_swarm_together},
    {"delivery-optimization: one after another, a few pieces more than a copy",
     test_swarm_after_another},
    {"delivery-optimization: with an HTTP delay, exactly one copy (R720)",
     test_swarm_delay},
    {"delivery-optimization: mode http has no peers (R701)", test_swarm_http},
    {"delivery-optimization: a peer that will not serve is left alone (R724)",
     test_unwilling_peer},
    {"equal runs are equal", test_runs_repeat})
