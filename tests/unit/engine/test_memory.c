/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failed allocations, sizes, and no allocation in steady state. */
#include "fake.h"

#define URL "http://w/f"

/* A small transfer with peers, cache and a mirror switch, every call with its
   result unchecked: after a failure nothing may matter any more. */
static xl_err small_world(fake *w) {
  static const char *const mirrors[] = {"http://w2/f"};
  static const xl_range_spec spec[] = {{500, 300}, {0, 200}};
  xl_file_info info = {.remote = URL,
                       .local = "C:\\f",
                       .content = "kb",
                       .piece_bytes = 100,
                       .mirrors = mirrors,
                       .nmirrors = 1};
  xl_engine_cfg cfg = xl_engine_cfg_default();
  xl_action act;

  if (!fake_init_cfg(w, &cfg)) {
    CU_ASSERT_PTR_NULL(w->eng);
    return XL_E_OUTOFMEMORY;
  }
  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, "http://w2/f", 1000, 7);
  w->peer_rate = 1000;
  xl_agent *a = fake_add_agent(w, &piece_policy, 3);
  xl_agent *b = fake_add_agent(w, &piece_policy, 3);
  for (int i = 0; i < 2 && a != NULL && b != NULL; i++) {
    xl_agent *dev = i == 0 ? a : b;
    xl_job *j = NULL;
    xl_file *f = NULL;
    if (i == 0 && xl_agent_hold(dev, &info, (xl_version){1000, 7}, 0) < 0) {
      break;
    }
    info.ranges = i == 0 ? spec : NULL;
    info.nranges = i == 0 ? 2 : 0;
    if (xl_job_create(dev, "j", &j, 0) != XL_OK ||
        xl_job_set_peercaching(j, 3, 0) != XL_OK ||
        xl_job_add_file(j, &info, &f, 0) != XL_OK ||
        xl_job_resume(j, 0) != XL_OK) {
      break;
    }
    if (i == 1) {
      xl_file_set_remote_name(f, "http://w2/f", 0);
    }
  }
  for (uint32_t budget = 0; budget < 500; budget++) {
    xl_time due = XL_NEVER;
    while (xl_engine_next(w->eng, &act)) {
      if (act.kind == XL_ACT_FIND) {
        const xl_peer_info one = {.id = 0, .scope = XL_SCOPE_SITE};
        xl_agent_found(act.agent, act.request, &one, 1, true, w->now);
      } else if (act.kind == XL_ACT_HEAD && act.source == XL_SOURCE_ORIGIN) {
        const xl_reply r = {206, {1000, 7}, true, NULL};
        xl_agent_reply(act.agent, act.request, &r, w->now);
      } else if (act.kind == XL_ACT_CANCEL) {
        xl_agent_ended(act.agent, act.request, XL_END_CANCELLED, XL_OK, 0, 0,
                       w->now);
      } else if (act.kind == XL_ACT_GET) {
        xl_bytes half = (act.range.end - act.range.begin) / 2;
        xl_agent_asked(a, budget, 1, XL_SCOPE_SITE, act.key, act.version,
                       act.range, w->now);
        xl_agent_deliver(act.agent, act.request,
                         (xl_range){act.range.begin, act.range.begin + half},
                         (xl_version){1000, 7}, XL_VERDICT_PENDING, NULL,
                         w->now);
        xl_agent_deliver(act.agent, act.request,
                         (xl_range){act.range.begin + half, act.range.end},
                         (xl_version){1000, 7}, XL_VERDICT_GOOD, NULL, w->now);
        xl_agent_served(a, budget, 100, w->now);
      }
    }
    due = xl_engine_deadline(w->eng);
    if (due == XL_NEVER || due > S(100)) {
      break;
    }
    w->now = due;
    xl_engine_advance(w->eng, due);
  }
  for (uint32_t i = 0; i < w->nevents; i++) { /* complete what is done */
    if (w->events[i].kind == XL_EVENT_JOB_STATE &&
        w->events[i].b == XL_JOB_TRANSFERRED) {
      xl_job_complete(w->events[i].job, w->now);
    }
  }
  return xl_engine_status(w->eng, NULL);
}

static void test_every_failed_allocation(void) {
  xl_err err = XL_E_OUTOFMEMORY;
  long nth = 0;

  for (; err != XL_OK && nth < 2000; nth++) {
    fake *w = calloc(1, sizeof *w);
    w->fuse = nth;
    w->seed = 1;
    err = small_world(w);
    if (err != XL_OK) {
      CHECK_EQ(err, XL_E_OUTOFMEMORY);
    } else {
      fake_check(w);
      uint32_t done = 0;
      for (uint32_t i = 0; i < w->nevents; i++) {
        done += w->events[i].kind == XL_EVENT_JOB_STATE &&
                w->events[i].b == XL_JOB_ACKNOWLEDGED;
      }
      CHECK_EQ(done, 2);
    }
    xl_engine_del(w->eng);
    CHECK_EQ(w->held, 0);
    free(w);
  }
  CHECK_EQ(err, XL_OK);
  CU_ASSERT(nth > 20);
}

/* Bytes an agent with one running job of one file of 1,000 pieces and a request
   under way costs; |map|: what is kept of each piece (map.h). */
static size_t cost(const xl_policy *policy, uint32_t flags, xl_bytes map) {
  static fake w;
  xl_engine_cfg cfg = xl_engine_cfg_default();
  enum { N = 192, FIRST = 64 };
  xl_action act;

  memset(&w, 0, sizeof w);
  w.fuse = -1;
  w.chunk = 1;
  CU_ASSERT(fake_init_cfg(&w, &cfg));
  size_t before = 0;
  for (uint32_t i = 0; i < N; i++) {
    if (i == FIRST) { /* what is shared is there by now */
      before = w.in_use;
    }
    xl_agent_cfg acfg = {.id = i, .policy = policy, .peercaching = flags};
    const xl_file_info info = {
        .remote = URL, .local = "C:\\f", .piece_bytes = 1000};
    xl_agent *a;
    xl_job *j;
    CHECK_EQ(xl_agent_new(&a, w.eng, &acfg, 0), XL_OK);
    CHECK_EQ(xl_job_create(a, "j", &j, 0), XL_OK);
    xl_job_set_peercaching(j, flags, 0);
    CHECK_EQ(xl_job_add_file(j, &info, NULL, 0), XL_OK);
    CHECK_EQ(xl_job_resume(j, 0), XL_OK);
    while (xl_engine_next(w.eng, &act)) {
      const xl_reply r = {200, {1000000, 7}, true, NULL};
      if (act.kind == XL_ACT_HEAD || act.kind == XL_ACT_GET) {
        xl_agent_reply(act.agent, act.request, &r, 0);
      }
    }
    CU_ASSERT_PTR_NULL(xl_agent_check(a));
  }
  size_t each = (w.in_use - before) / (N - FIRST);
  xl_engine_del(w.eng);
  CHECK_EQ(w.held, 0);
  return each - map;
}

static void test_size(void) { /* B10 */
  enum { MAP = 24, BITS = 128, MARKS = 8 * 12, ORDER = 2 * 2 * 1000 };
  size_t origin = cost(&origin_policy, 0, MAP + 2 * BITS);
  size_t swarm = cost(&piece_policy, 3, MAP + 2 * BITS + MARKS + ORDER);

  printf("  an agent with a running file: %zu B; in a swarm: %zu B\n", origin,
         swarm);
  CU_ASSERT(origin <= 1024);
  CU_ASSERT(swarm <= 1024);
}

static void test_steady_state(void) {
  fake *w = fake_new();
  xl_job *j[2];

  fake_add_origin(w, URL, 100000, 7)->rate = 100000;
  w->peer_rate = 100000;
  for (int i = 0; i < 2; i++) {
    j[i] = fake_job(w, fake_add_agent(w, &piece_policy, 3));
    xl_job_set_peercaching(j[i], 3, w->now);
    fake_file_add(w, j[i], URL, NULL);
    xl_job_resume(j[i], w->now);
    fake_run(w, w->now + XL_MS(300));
  }
  size_t before = w->allocs;
  uint32_t rows = w->nrows;
  fake_run(w, XL_MS(1000));
  CHECK_EQ(w->allocs, before);
  CU_ASSERT(w->nrows > rows + 100);
  CU_ASSERT(fake_until(w, j[1], XL_JOB_TRANSFERRED, S(10)));
  fake_del(w);
}

TEST_SUITE("engine memory",
           {"every allocation may fail (style 2.13)",
            test_every_failed_allocation},
           {"an agent with a running file costs 1 KiB (B10)", test_size},
           {"pieces and requests allocate nothing (B10)", test_steady_state})
