/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments that are refused, and an engine that has failed. */
#include <xl/cache.h>
#include <xl/delivery.h>
#include <xl/machine.h>
#include <xl/save.h>

#include "fake.h"
#include "param.h"

#define URL "http://w/f"

static void test_engine(void) {
  fake *w = fake_new();
  const xl_engine_cfg good = xl_engine_cfg_default();
  const xl_env env = {.size = sizeof env,
                      .arg = w,
                      .alloc = {fake_realloc, w},
                      .draw = fake_draw,
                      .peer_map = fake_peer_map,
                      .arrived = fake_arrived};
  xl_engine_cfg cfgs[8];
  xl_env envs[5];
  xl_engine *eng;

  for (int i = 0; i < 8; i++) {
    cfgs[i] = good;
  }
  cfgs[0].announce_interval = -1;
  cfgs[1].stall_timeout = 0;
  cfgs[2].connect_timeout = 0;
  cfgs[3].peer_timeout = 0;
  cfgs[4].time_slice = 0;
  cfgs[5].peers_max = UINT16_MAX + 1u;
  cfgs[6].requests_max = 0;
  cfgs[7].requests_max = UINT32_MAX;
  for (int i = 0; i < 8; i++) {
    CHECK_EQ(xl_engine_new(&eng, &cfgs[i], &env), XL_E_INVALIDARG);
    CU_ASSERT_PTR_NULL(eng);
  }
  for (int i = 0; i < 5; i++) {
    envs[i] = env;
  }
  envs[0].size++;
  envs[1].alloc.realloc = NULL;
  envs[2].draw = NULL;
  envs[3].peer_map = NULL;
  envs[4].arrived = NULL;
  for (int i = 0; i < 5; i++) {
    CHECK_EQ(xl_engine_new(&eng, &good, &envs[i]), XL_E_INVALIDARG);
  }
  CHECK_EQ(xl_engine_new(&eng, NULL, &env), XL_E_INVALIDARG);
  CHECK_EQ(xl_engine_new(&eng, &good, NULL), XL_E_INVALIDARG);
  xl_engine_del(NULL);
  fake_del(w);
}

static void test_agent(void) {
  static const xl_param param = {
      .name = "x", .type = XL_PARAM_COUNT, .def = ""};
  fake *w = fake_new();
  xl_policy bad[7];
  xl_agent_cfg cfg = {.policy = NULL, .user = w};
  xl_agent *a;

  for (int i = 0; i < 7; i++) {
    bad[i] = origin_policy;
  }
  bad[0].version++;
  bad[1].size--;
  bad[2].name = NULL;
  bad[3].pick = NULL;
  bad[4].peer_state_size = 17;
  CHECK_EQ(xl_agent_new(&a, w->eng, &cfg, 0), XL_E_INVALIDARG);
  for (int i = 0; i < 5; i++) {
    cfg.policy = &bad[i];
    CHECK_EQ(xl_agent_new(&a, w->eng, &cfg, 0), XL_E_INVALIDARG);
    CU_ASSERT_PTR_NULL(a);
  }
  cfg.policy = &origin_policy;
  CHECK_EQ(xl_agent_new(&a, w->eng, &cfg, 0), XL_OK);
  CU_ASSERT_PTR_EQUAL(xl_agent_user(a), w);
  CHECK_EQ(xl_engine_announcements(w->eng), 0);
  xl_agent_del(NULL);
  xl_agent_del(a);
  fake_check(w);
  bad[5].params = &param; /* a default that cannot be read ends the run */
  bad[5].nparams = 1;
  cfg.policy = &bad[5];
  CHECK_EQ(xl_agent_new(&a, w->eng, &cfg, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_engine_status(w->eng, NULL), XL_E_INVALIDARG);
  fake_del(w);
}

static void test_machine(void) {
  static const struct {
    xl_span from, to;
  } windows[] = {{-1, 0}, {XL_DAY(1), 0}, {0, -1}, {0, XL_DAY(1)}};
  static const xl_cache_policy policies[] = {{.peering = 3},
                                             {.size_percent = 81},
                                             {.age_s = 1},
                                             {.age_s = UINT32_MAX}};
  const xl_user users[] = {{.sid = NULL}, {.sid = "S-1", .kind = 3}};
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &origin_policy, 3);

  for (int i = 0; i < 4; i++) {
    const xl_throttle t = {
        .days = 1, .from = windows[i].from, .to = windows[i].to};
    CHECK_EQ(xl_agent_set_throttles(a, &t, 1, 0, 0), XL_E_INVALIDARG);
    CHECK_EQ(xl_cache_set_policy(a, &policies[i], 0), XL_E_INVALIDARG);
  }
  CHECK_EQ(xl_agent_background_rate(a, XL_PRIORITY_LOW), XL_RATE_UNLIMITED);
  CHECK_EQ(xl_agent_act_as(a, &users[0], 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_agent_act_as(a, &users[1], 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_agent_set_peercaching(a, 4, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_cache_flags(a), 3);
  fake_del(w);
}

static void test_files(void) {
  static const xl_range_spec far = {2000, 1};
  const xl_file_info good = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};
  const xl_version v = {1000, 7};
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, 3);
  xl_job *j = fake_job(w, a);
  xl_file_info bad[4] = {good, good, good, good};

  bad[0].piece_bytes = 0;
  bad[1].nmirrors = 1001;
  bad[2].nranges = 1;
  bad[3].ranges = &far;
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(xl_job_add_file(j, &bad[i], NULL, 0), XL_E_INVALIDARG);
    CHECK_EQ(xl_job_add_file_set(j, &bad[i], 1, 0), XL_E_INVALIDARG);
  }
  CHECK_EQ(xl_job_add_file(j, NULL, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_add_file_set(j, NULL, 1, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_add_file_set(j, &good, 0, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_add_file_set(j, &good, 65536, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_nfiles(j), 0);
  bad[3].nranges = 1;
  CHECK_EQ(xl_agent_hold(a, &bad[0], v, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_agent_hold(a, &bad[3], v, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_agent_hold(a, &good, (xl_version){XL_SIZE_UNKNOWN, 7}, 0),
           XL_E_INVALIDARG);
  CHECK_EQ(xl_agent_hold(a, &good, v, 0), XL_OK);
  xl_job_set_user(j, w);
  CU_ASSERT_PTR_EQUAL(xl_job_user(j), w);
  fake_del(w);
}

static void test_prefix(void) { /* R501 */
  static char long_url[2300];
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));

  fake_file_add(w, j, URL, NULL);
  memset(long_url, 'x', sizeof long_url - 1);
  CHECK_EQ(xl_job_replace_remote_prefix(j, NULL, "http", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http", NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "", "http", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http", "", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http", long_url, 0),
           XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), URL);
  fake_del(w);
}

/* ---- illegal picks of peers, and of what is there ---- */

static xl_pick illegal;

static bool pick_illegal(const xl_host *h, xl_view *v, xl_pick *out,
                         xl_time *again) {
  const xl_file_view *f = h->file(v);

  *again = h->now(v) + S(1);
  if (f->peer_requests + f->origin_requests > 0) {
    return false;
  }
  *out = illegal;
  return illegal.kind == XL_SOURCE_ORIGIN || f->npeers > 0;
}

/* Peer 0 holds all of it and sends rubbish, peer 1 shows nothing. */
static void answer_all(fake *w) {
  static const xl_peer_info both[] = {{1, XL_SCOPE_SITE}, {7, XL_SCOPE_SITE}};
  const xl_reply r = {206, {1000, 7}, true, NULL};
  xl_action act;

  while (xl_engine_next(w->eng, &act)) {
    if (act.kind == XL_ACT_FIND) {
      xl_agent_found(act.agent, act.request, both, 2, true, w->now);
    } else if (act.kind == XL_ACT_HEAD) {
      xl_agent_reply(act.agent, act.request, &r, w->now);
    } else if (act.kind == XL_ACT_GET && act.source == XL_SOURCE_PEER) {
      xl_agent_ended(act.agent, act.request, XL_END_FAILED_CHECK, XL_OK, 50, 0,
                     w->now);
    } else if (act.kind == XL_ACT_GET) {
      xl_agent_deliver(act.agent, act.request, act.range, r.version,
                       XL_VERDICT_GOOD, NULL, w->now);
    }
  }
}

static void test_illegal_picks(void) {
#define FROM(source, number, last, why_)                                       \
  {                                                                            \
    .kind = XL_SOURCE_##source, .peer = number, .range = {0, last},            \
    .reason = XL_REASON_##why_                                                 \
  }
  static const struct {
    xl_pick pick;
    const char *why;
  } cases[] = {
      {FROM(ORIGIN, 0, 100, ENDGAME),
       "asks for bytes that are already received"},
      {FROM(ORIGIN, 0, 100, POLICY_ORIGIN),
       "asks for bytes that are received or asked for"},
      {FROM(PEER, 0, 100, PEER_HAS_IT), "picks a peer that is left out"},
      {FROM(PEER, 1, 100, PEER_HAS_IT),
       "asks a peer for pieces it is not seen to hold"},
      {FROM(PEER, 2, 100, PEER_HAS_IT), "picks a peer that is not known"}};
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    xl_policy p = piece_policy;
    fake *w = fake_new();
    const char *text = "none";
    p.pick = pick_illegal;
    p.failed = NULL; /* who fails is left out for a while */
    illegal = cases[i].pick;
    xl_agent *a = fake_add_agent(w, &p, 3);
    xl_agent *holder = fake_add_agent(w, &piece_policy, 3);
    CHECK_EQ(xl_agent_hold(holder, &info, (xl_version){1000, 7}, 0), XL_OK);
    xl_job *j = fake_job(w, a);
    xl_job_set_peercaching(j, 3, 0);
    fake_file_add(w, j, URL, NULL);
    CHECK_EQ(xl_job_resume(j, 0), XL_OK);
    for (int k = 0; k < 20 && xl_engine_status(w->eng, NULL) == XL_OK; k++) {
      answer_all(w);
      w->now += S(1);
      xl_engine_advance(w->eng, w->now);
    }
    CHECK_EQ(xl_engine_status(w->eng, &text), XL_E_INVALIDARG);
    if (strstr(text, cases[i].why) == NULL) {
      printf("  case %d: %s\n", (int)i, text);
      CU_FAIL("another answer was refused");
    }
    fake_del(w);
  }
}

/* ---- after a failure ---- */

typedef struct broken {
  fake *w;
  xl_agent *a;
  xl_job *j;
  xl_file *f;
} broken;

/* Out of memory at the next allocation, which a new name takes. */
static broken break_engine(void) {
  broken b = {.w = fake_new()};

  fake_add_origin(b.w, URL, 1000, 7);
  b.a = fake_add_agent(b.w, &record_policy, 3);
  b.j = fake_job(b.w, b.a);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  CHECK_EQ(xl_job_resume(b.j, 0), XL_OK);
  fake_act(b.w);
  b.w->fuse = 0;
  for (int i = 0; i < 1000 && xl_engine_status(b.w->eng, NULL) == XL_OK; i++) {
    char name[32];
    snprintf(name, sizeof name, "name %d", i);
    CU_ASSERT(xl_engine_name(b.w->eng, name) != 0 ||
              xl_engine_status(b.w->eng, NULL) != XL_OK);
  }
  CHECK_EQ(xl_engine_status(b.w->eng, NULL), XL_E_OUTOFMEMORY);
  return b;
}

#define GONE(call) CHECK_EQ(call, XL_E_OUTOFMEMORY)

static void call_agent(const broken *b) {
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};
  const xl_agent_cfg cfg = {.policy = &origin_policy};
  const xl_limits l = xl_limits_default();
  const xl_cache_policy p = {.peering = XL_PEERING_OFF};
  xl_agent *a = b->a, *none;
  xl_job *j;

  GONE(xl_agent_new(&none, b->w->eng, &cfg, 0));
  GONE(xl_agent_load(&none, b->w->eng, &cfg, "x", 1, NULL, 0));
  GONE(xl_agent_start(a, 0));
  GONE(xl_agent_hold(a, &info, (xl_version){1000, 7}, 0));
  GONE(xl_job_create(a, "j", &j, 0));
  GONE(xl_agent_act_as(a, NULL, 0));
  GONE(xl_agent_logon(a, "S-1", false, 0));
  GONE(xl_agent_set_limits(a, &l, 0));
  GONE(xl_agent_set_throttles(a, NULL, 0, 0, 0));
  GONE(xl_job_notified(b->j, true, 0));
  GONE(xl_job_command_ended(b->j, false, 0));
  GONE(xl_agent_set_cost(a, XL_COST_ROAMING, 0));
  GONE(xl_agent_set_condition(a, XL_CONDITION_BATTERY, true, 0));
  GONE(xl_agent_set_peercaching(a, 0, 0));
  GONE(xl_cache_set_policy(a, &p, 0));
  GONE(xl_cache_set_size(a, 5, 0));
  GONE(xl_cache_set_age(a, XL_CACHE_AGE_MIN, 0));
  GONE(xl_cache_set_flags(a, 1, 0));
  GONE(xl_cache_delete(a, 1, 0));
  GONE(xl_cache_delete_url(a, URL, 0));
  GONE(xl_cache_clear(a, 0));
  GONE(xl_peers_clear(a, 0));
  GONE(xl_peers_discover(a, 0));
}

static void call_job(const broken *b) {
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};
  const xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "p"};
  const xl_proxy p = {.usage = XL_PROXY_NONE};
  xl_job *j = b->j;

  GONE(xl_job_add_file(j, &info, NULL, 0));
  GONE(xl_job_add_file_set(j, &info, 1, 0));
  GONE(xl_job_resume(j, 0));
  GONE(xl_job_suspend(j, 0));
  GONE(xl_job_cancel(j, 0));
  GONE(xl_job_complete(j, 0));
  GONE(xl_job_set_priority(j, XL_PRIORITY_LOW, 0));
  GONE(xl_job_set_peercaching(j, 0, 0));
  GONE(xl_job_set_min_retry_delay(j, 60, 0));
  GONE(xl_job_set_no_progress_timeout(j, 60, 0));
  GONE(xl_job_set_max_download_time(j, 60, 0));
  GONE(xl_job_replace_remote_prefix(j, "http", "https", 0));
  GONE(xl_job_set_display_name(j, "n", 0));
  GONE(xl_job_set_description(j, "n", 0));
  GONE(xl_job_set_cost_flags(j, XL_TRANSFER_ALWAYS, 0));
  GONE(xl_job_set_acl_flags(j, 0, 0));
  GONE(xl_job_set_proxy(j, &p, 0));
  GONE(xl_job_set_credentials(j, &c, 0));
  GONE(xl_job_remove_credentials(j, XL_AUTH_SERVER, XL_AUTH_BASIC, 0));
  GONE(xl_job_take_ownership(j, 0));
  GONE(xl_job_set_notify_flags(j, 0, 0));
  GONE(xl_job_set_notify_interface(j, true, 0));
  GONE(xl_job_set_command_line(j, NULL, NULL, 0));
  GONE(xl_job_set_security_flags(j, 0, 0));
  GONE(xl_file_set_remote_name(b->f, URL, 0));
  GONE(xl_file_set_validation(b->f, false, 0));
}

static void give_inputs(const broken *b) {
  const xl_reply r = {200, {1000, 7}, true, NULL};
  xl_agent *a = b->a;

  xl_agent_reply(a, 1, &r, 0);
  xl_agent_deliver(a, 1, (xl_range){0, 10}, r.version, XL_VERDICT_GOOD, NULL,
                   0);
  xl_agent_ended(a, 1, XL_END_RESET, XL_OK, 0, 0, 0);
  xl_agent_late(a, 5, 0);
  xl_agent_found(a, 1, NULL, 0, true, 0);
  xl_agent_asked(a, 1, 2, XL_SCOPE_SITE, 1, r.version, (xl_range){0, 10}, 0);
  xl_agent_served(a, 1, 10, 0);
  xl_agent_link(a, false, 0);
  xl_agent_settle(a, 0);
  xl_engine_advance(b->w->eng, S(1000));
}

static void test_failed(void) {
  broken b = break_engine();
  uint32_t rows = b.w->nrows, events = b.w->nevents;
  xl_job_state state = xl_job_state_of(b.j);
  xl_action act;

  while (xl_engine_next(b.w->eng, &act)) {
  }
  call_agent(&b);
  call_job(&b);
  give_inputs(&b);
  CHECK_EQ(xl_engine_next(b.w->eng, &act), false);
  CHECK_EQ(b.w->nrows, rows);
  CHECK_EQ(b.w->nevents, events);
  CHECK_EQ(xl_job_state_of(b.j), state);
  CHECK_EQ(xl_ledger_total(xl_agent_ledger(b.a)), 0);
  fake_del(b.w);
}

TEST_SUITE("engine refusals",
           {"an engine needs sensible numbers and all it asks for",
            test_engine},
           {"an agent needs a policy of this ABI", test_agent},
           {"a machine's numbers must be in range", test_machine},
           {"a file's description must be one", test_files},
           {"R501: prefixes that are none are refused", test_prefix},
           {"a policy may not pick what is there, or who is not",
            test_illegal_picks},
           {"after a failure no call and no input does anything", test_failed})
