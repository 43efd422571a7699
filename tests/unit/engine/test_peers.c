/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers: bits-semantics 3 and 6, swarms, the peer cache, serving. */
#include "fake.h"

#define URL "http://w/f"
#define BOTH (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)

static const xl_file_info whole = {
    .remote = URL, .local = "C:\\f", .piece_bytes = 100};

/* A device that holds version 7 of 1,000 bytes. */
static xl_agent *holder(fake *w, const xl_policy *policy) {
  xl_agent *a = fake_add_agent(w, policy, BOTH);
  CHECK_EQ(xl_agent_hold(a, &whole, (xl_version){1000, 7}, w->now), XL_OK);
  return a;
}

static xl_job *client(fake *w, const xl_policy *policy, xl_file **f) {
  xl_agent *a = fake_add_agent(w, policy, BOTH);
  xl_job *j = fake_job(w, a);

  CHECK_EQ(xl_job_set_peercaching(j, BOTH, w->now), XL_OK);
  *f = fake_file_add(w, j, URL, NULL);
  return j;
}

static void stats(const xl_file *f, xl_bytes origin, xl_bytes peers) {
  xl_bytes o, p;
  xl_file_peer_stats(f, &o, &p);
  CHECK_EQ(o, origin);
  CHECK_EQ(p, peers);
  CHECK_EQ(xl_file_from_peer(f), peers > 0);
}

static void test_from_record(void) { /* T36 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, &record_policy);
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(o->heads, 1);
  CHECK_EQ(o->gets, 0);
  stats(f, 0, 1000);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  CHECK_EQ(xl_file_ledger(f)->bytes[XL_CLASS_PEER_SUBNET], 1000);
  /* HEAD of the origin, HEAD and GET of the peer's record (R645). */
  CHECK_EQ(w->nrows, 2);
  CHECK_EQ(w->rows[0].reason, XL_REASON_METADATA);
  CHECK_EQ(w->rows[1].reason, XL_REASON_PEER_HAS_IT);
  /* Not validated yet: it is not served (R618). */
  CHECK_EQ(w->published, 1);
  CU_ASSERT_PTR_NULL(xl_agent_map(w->agents[1], xl_engine_name(w->eng, URL),
                                  (xl_version){1000, 7}));
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(w->published, 2);
  CU_ASSERT_PTR_NOT_NULL(xl_agent_map(w->agents[1], xl_engine_name(w->eng, URL),
                                      (xl_version){1000, 7}));
  fake_del(w);
}

static void test_range_of_record(void) { /* T37 */
  static const xl_range_spec spec[] = {{100, 200}};
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file_info info = whole;
  xl_file *f;

  holder(w, &record_policy);
  xl_job *j = fake_job(w, fake_add_agent(w, &record_policy, BOTH));
  xl_job_set_peercaching(j, BOTH, w->now);
  info.ranges = spec;
  info.nranges = 1;
  xl_job_add_file(j, &info, &f, w->now);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(o->gets, 1);
  stats(f, 200, 0);
  fake_del(w);
}

static void test_peers_die(void) { /* T38 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  for (int i = 0; i < 5; i++) {
    holder(w, &record_policy);
  }
  w->peer_rate = 100;
  w->chunk = 10;
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  for (int failures = 0; failures < 4; failures++) {
    fake_run(w, w->now + S(1));
    for (int i = 0; i < FAKE_MAX; i++) {
      fake_flow *l = &w->flows[i];
      if (l->used && l->from != NULL) {
        xl_bytes total = fake_stop(w, l);
        fake_deliver(w, l, total);
        xl_agent_ended(l->agent, l->request, XL_END_RESET, XL_OK, total, 0,
                       w->now);
        fake_check(w);
      }
    }
  }
  CHECK_EQ(o->gets, 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  CHECK_EQ(o->gets, 1);
  stats(f, 600, 400);
  CHECK_EQ(xl_job_error_count(j), 0);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  bool told = false;
  for (uint32_t i = 0; i < w->nevents; i++) {
    told = told || w->events[i].kind == XL_EVENT_ORIGIN_ONLY;
    CU_ASSERT(w->events[i].kind != XL_EVENT_JOB_STATE ||
              w->events[i].b != XL_JOB_ERROR);
  }
  CU_ASSERT(told);
  fake_del(w);
}

static void test_invalid_from_origin(void) { /* T39 a */
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  xl_job *j = client(w, &record_policy, &f);
  CHECK_EQ(xl_file_set_validation(f, true, w->now), XL_E_PENDING);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_file_set_validation(f, false, w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(j), XL_E_VALIDATION_FAILED);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CHECK_EQ(xl_file_ledger(f)->bytes[XL_CLASS_FAILED_CHECK], 1000);
  fake_check(w);
  CHECK_EQ(xl_job_resume(j, w->now), XL_E_INVALID_STATE); /* R311 */
  stats(f, 0, 0);
  fake_del(w);
}

static void test_invalid_from_peer(void) { /* T39 b */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, &record_policy);
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_file_set_validation(f, true, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(w->published, 2);
  CHECK_EQ(xl_file_set_validation(f, false, w->now), XL_OK);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(w->unpublished, 1);
  CHECK_EQ(o->gets, 1);
  stats(f, 1000, 0);
  CHECK_EQ(xl_job_error_count(j), 0);
  CHECK_EQ(w->nnotified, 2);
  fake_del(w);
}

static void test_flags(void) { /* R504, R505, R602 */
  static const struct {
    uint32_t machine, job;
    bool peers;
  } cases[] = {{BOTH, BOTH, true}, {0, BOTH, false}, {BOTH, 0, false}};

  for (size_t i = 0; i < 3; i++) {
    fake *w = fake_new();
    xl_bytes size = 1000;
    fake_add_origin(w, URL, size, 7);
    holder(w, &record_policy);
    xl_job *j =
        fake_job(w, fake_add_agent(w, &record_policy, cases[i].machine));
    xl_job_set_peercaching(j, cases[i].job, w->now);
    xl_file *f = fake_file_add(w, j, URL, NULL);
    xl_job_resume(j, w->now);
    CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
    stats(f, cases[i].peers ? 0 : size, cases[i].peers ? size : 0);
    if (!cases[i].peers) {
      CHECK_EQ(w->rows[0].reason, XL_REASON_PEERING_OFF);
    }
    fake_del(w);
  }
}

static void test_flags_flip(void) { /* R505 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, &record_policy);
  w->peer_rate = 100;
  w->chunk = 10;
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  fake_run(w, S(4));
  CHECK_EQ(fake_progress(f).transferred, 400);
  xl_job_set_peercaching(j, XL_PEERCACHING_SERVER, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(o->sent, 600);
  stats(f, 600, 400);
  fake_del(w);
}

static void test_other_version(void) { /* R659 */
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 8);
  holder(w, &record_policy);
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  stats(f, 1000, 0);
  CU_ASSERT(fake_is_whole(w, f, 1000, 8));
  fake_del(w);
}

/* ---- swarms ---- */

static void test_swarm(void) {
  fake *w = fake_new();
  xl_file *f[8];
  xl_job *j[8];
  xl_bytes origin = 0;

  fake_add_origin(w, URL, 10000, 7);
  w->peer_rate = 1000;
  for (int i = 0; i < 8; i++) {
    j[i] = client(w, &piece_policy, &f[i]);
    xl_job_resume(j[i], w->now);
    fake_run(w, w->now + XL_MS(700));
  }
  for (int i = 0; i < 8; i++) {
    CU_ASSERT(fake_until(w, j[i], XL_JOB_TRANSFERRED, S(200)));
    CU_ASSERT(fake_is_whole(w, f[i], 10000, 7));
    CHECK_EQ(fake_progress(f[i]).transferred, 10000);
    CHECK_EQ(xl_ledger_total(xl_file_ledger(f[i])), 10000);
    origin += xl_file_ledger(f[i])->bytes[XL_CLASS_ORIGIN];
  }
  CHECK_EQ(origin, w->origins[0].sent);
  CU_ASSERT(origin < 60000); /* of 80,000 */
  fake_del(w);
}

static void test_bad_peer(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  holder(w, &piece_policy);
  w->bad_peers = true;
  w->chunk = 30;
  xl_job *j = client(w, &piece_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  stats(f, 1000, 0);
  CU_ASSERT(xl_file_ledger(f)->bytes[XL_CLASS_FAILED_CHECK] >= 200);
  CHECK_EQ(w->rows[1].outcome, XL_END_FAILED_CHECK);
  fake_del(w);
}

static void test_silent_peer(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7)->rate = 10;
  holder(w, &piece_policy);
  w->gone[0] = true;
  xl_job *j = client(w, &piece_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(200)));
  stats(f, 1000, 0);
  CHECK_EQ(w->rows[2].outcome, XL_END_CONNECT);
  fake_del(w);
}

/* ---- cache and serving ---- */

static xl_bytes cache_max;
static xl_span cache_age;
static bool cache_arrival;
static void keep_some(const xl_host *h, xl_view *v, xl_keep *out) {
  CHECK_EQ(h->file(v)->size_bytes, 1000);
  *out = (xl_keep){.keep = true,
                   .age_max = cache_age,
                   .from_arrival = cache_arrival,
                   .bytes_max = cache_max};
}

static xl_name hold_named(xl_agent *a, fake *w, const char *content) {
  xl_file_info info = whole;
  info.content = content;
  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 7}, w->now), XL_OK);
  fake_check(w);
  return xl_engine_name(w->eng, content);
}

static bool has(xl_agent *a, xl_name key) {
  return xl_agent_map(a, key, (xl_version){1000, 7}) != NULL;
}

/* Asks |a| for bytes; whether it accepts. */
static bool asks(fake *w, xl_agent *a, uint32_t ask, xl_name key,
                 xl_range range, xl_reason *why) {
  xl_action act;

  xl_agent_asked(a, ask, 9, XL_SCOPE_INTERNET, key, (xl_version){1000, 7},
                 range, w->now);
  while (xl_engine_next(w->eng, &act)) {
    if (act.kind == XL_ACT_ANSWER) {
      CHECK_EQ(act.ask, ask);
      *why = act.answer.why;
      return act.answer.accept;
    }
  }
  CU_FAIL("no answer");
  return false;
}

static void test_cache(void) { /* R611, R612, R613 */
  xl_policy p = record_policy;
  fake *w = fake_new();
  xl_reason why;
  xl_name k[4];

  p.keep = keep_some;
  cache_max = 2000;
  cache_age = S(100);
  cache_arrival = false;
  xl_agent *a = fake_add_agent(w, &p, BOTH);
  k[0] = hold_named(a, w, "a");
  w->now = S(1);
  k[1] = hold_named(a, w, "b");
  w->now = S(2);
  CU_ASSERT(asks(w, a, 1, k[0], (xl_range){0, 1000}, &why));
  xl_agent_served(a, 1, 1000, w->now);
  w->now = S(3);
  k[2] = hold_named(a, w, "c"); /* b was used least recently */
  CU_ASSERT(has(a, k[0]) && !has(a, k[1]) && has(a, k[2]));
  CU_ASSERT(asks(w, a, 2, k[0], (xl_range){0, 1000}, &why));
  w->now = S(4);
  CU_ASSERT(asks(w, a, 3, k[2], (xl_range){0, 1000}, &why));
  w->now = S(5);
  k[3] = hold_named(a, w, "d"); /* a goes, but its upload lasts */
  CU_ASSERT(!has(a, k[0]) && has(a, k[2]) && has(a, k[3]));
  xl_agent_served(a, 2, 1000, w->now);
  xl_agent_served(a, 3, 1000, w->now);
  fake_check(w);
  fake_run(w, S(104));
  CU_ASSERT(has(a, k[2]));
  fake_run(w, S(105)); /* idle since 5 s */
  CU_ASSERT(!has(a, k[2]) && !has(a, k[3]));
  fake_del(w);
}

static void test_age_from_arrival(void) {
  xl_policy p = record_policy;
  fake *w = fake_new();
  xl_reason why;

  p.keep = keep_some;
  cache_max = 2000;
  cache_age = S(100);
  cache_arrival = true;
  xl_agent *a = fake_add_agent(w, &p, BOTH);
  xl_name k = hold_named(a, w, "a");
  w->now = S(50);
  CU_ASSERT(asks(w, a, 1, k, (xl_range){0, 1000}, &why));
  xl_agent_served(a, 1, 1000, w->now);
  fake_run(w, S(100) - 1);
  CU_ASSERT(has(a, k));
  fake_run(w, S(100));
  CU_ASSERT(!has(a, k));
  fake_del(w);
}

static void test_refusals(void) {
  fake *w = fake_new();
  xl_agent *a = holder(w, &record_policy);
  xl_name key = xl_engine_name(w->eng, URL);
  xl_name other = xl_engine_name(w->eng, "other");
  xl_reason why;

  CU_ASSERT(asks(w, a, 1, key, (xl_range){0, 1000}, &why));
  CU_ASSERT(!asks(w, a, 2, other, (xl_range){0, 1000}, &why));
  CHECK_EQ(why, XL_REASON_NO_PEER_HAS_IT);
  CU_ASSERT(!asks(w, a, 3, key, (xl_range){0, 1001}, &why));
  CHECK_EQ(why, XL_REASON_NO_PEER_HAS_IT);
  fake_check(w);
  fake_del(w);
}

static void test_too_large_or_off(void) {
  static const struct {
    xl_bytes max;
    uint32_t flags;
    bool held;
  } cases[] = {{999, BOTH, false},
               {1000, XL_PEERCACHING_CLIENT, false},
               {1000, BOTH, true}};
  const xl_version v = {1000, 7};
  xl_policy p = record_policy;

  p.keep = keep_some;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fake *w = fake_new();
    cache_max = cases[i].max;
    xl_agent *a = fake_add_agent(w, &p, cases[i].flags);
    CHECK_EQ(xl_agent_hold(a, &whole, v, 0), XL_OK);
    CHECK_EQ(has(a, xl_engine_name(w->eng, URL)), cases[i].held);
    fake_act(w);
    CHECK_EQ(w->published, cases[i].held);
    fake_del(w);
  }
}

/* ---- illegal answers ---- */

static int illegal;
static bool pick_illegal(const xl_host *h, xl_view *v, xl_pick *out,
                         xl_time *again) {
  (void)again;
  if (h->file(v)->origin_requests > 0 && illegal != 2) {
    return false;
  }
  *out = (xl_pick){.reason = XL_REASON_POLICY_ORIGIN, .range = {0, 100}};
  switch (illegal) {
  case 0:
    out->range.end = 1001;
    break;
  case 1:
    out->range.end = 0;
    break;
  case 2:
    break; /* the same bytes again */
  case 3:
    out->kind = XL_SOURCE_PEER;
    break;
  case 4:
    out->kind = XL_SOURCE_CACHE;
    break;
  default:
    out->reason = (xl_reason)99;
    break;
  }
  return true;
}

static void test_illegal(void) {
  static const char *const says[] = {
      "test-origin: asks for an empty range or beyond the end of the file",
      "test-origin: asks for an empty range or beyond the end of the file",
      "test-origin: asks for bytes that are received or asked for",
      "test-origin: picks a peer where peers are not allowed",
      "test-origin: picks a kind of source that is not there",
      "test-origin: gives a reason that does not exist"};
  xl_policy p = origin_policy;

  p.pick = pick_illegal;
  for (illegal = 0; illegal < 6; illegal++) {
    fake *w = fake_new();
    const char *text;
    xl_action act;
    fake_add_origin(w, URL, 1000, 7);
    fake_add_origin(w, "http://w/g", 1000, 7);
    xl_job *j = fake_job(w, fake_add_agent(w, &p, 0));
    fake_file_add(w, j, URL, NULL);
    fake_file_add(w, j, "http://w/g", NULL);
    xl_job_resume(j, w->now);
    CU_ASSERT(xl_engine_next(w->eng, &act));
    fake_ask_origin(w, &act);
    CHECK_EQ(xl_engine_status(w->eng, &text), XL_E_INVALIDARG);
    CU_ASSERT_STRING_EQUAL(text, says[illegal]);
    CHECK_EQ(xl_job_resume(j, w->now), XL_E_INVALIDARG);
    fake_del(w);
  }
}

TEST_SUITE(
    "engine peers",
    {"a validated record spares the origin (T36, R605, R641)",
     test_from_record},
    {"a record of the whole does not serve a part (T37, R642)",
     test_range_of_record},
    {"the fourth failure ends the use of peers (T38, R655)", test_peers_die},
    {"invalid from the origin is an error (T39, R305)",
     test_invalid_from_origin},
    {"invalid from a peer is fetched from the origin (T39, R306)",
     test_invalid_from_peer},
    {"machine and job must both allow peers (R504, R602)", test_flags},
    {"a flag that flips keeps the offset (R505)", test_flags_flip},
    {"records of another version do not match (R659)", test_other_version},
    {"a swarm shares and every byte adds up", test_swarm},
    {"a piece that fails its check is dropped and free again", test_bad_peer},
    {"a silent peer is found out by time", test_silent_peer},
    {"the cache evicts by use and age, not while serving (R611-R613)",
     test_cache},
    {"an age from arrival is not renewed (R713)", test_age_from_arrival},
    {"what is not held is refused with a reason", test_refusals},
    {"what is too large or not allowed is not held (R611, R618)",
     test_too_large_or_off},
    {"an illegal answer stops the engine and names the policy", test_illegal})
