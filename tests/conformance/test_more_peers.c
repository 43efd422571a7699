/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of bits-semantics 3, 6 and 7 about files that come from peers. */
#include "fake.h"

#define URL "http://w/f"
#define CLIENT XL_PEERCACHING_CLIENT
#define SERVER XL_PEERCACHING_SERVER
#define BOTH (CLIENT | SERVER)

static const xl_version seven = {1000, 7};
static const xl_file_info whole = {
    .remote = URL, .local = "C:\\f", .piece_bytes = 100};

/* A device whose cache holds |info| in version 7. */
static xl_agent *holder(fake *w, const xl_policy *p, const xl_file_info *info) {
  xl_agent *a = fake_add_agent(w, p, BOTH);
  CHECK_EQ(xl_agent_hold(a, info, seven, w->now), XL_OK);
  return a;
}

static xl_job *job_on(fake *w, xl_agent *a, uint32_t flags, xl_file **f) {
  xl_job *j = fake_job(w, a);

  CHECK_EQ(xl_job_set_peercaching(j, flags, w->now), XL_OK);
  *f = fake_file_add(w, j, URL, NULL);
  return j;
}

static xl_job *client(fake *w, const xl_policy *p, xl_file **f) {
  return job_on(w, fake_add_agent(w, p, BOTH), BOTH, f);
}

static xl_bytes peer_bytes(const xl_file *f) {
  xl_bytes origin, peers;
  xl_file_peer_stats(f, &origin, &peers);
  CHECK_EQ(origin + peers, fake_progress(f).transferred); /* R321 */
  return peers;
}

static uint32_t count_events(const fake *w, xl_event_kind kind) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < w->nevents; i++) {
    n += w->events[i].kind == kind;
  }
  return n;
}

/* Ends the flow under way from a peer as |end|. */
static void break_peer(fake *w, xl_end end) {
  for (int i = 0; i < FAKE_MAX; i++) {
    fake_flow *l = &w->flows[i];
    if (l->used && l->from != NULL) {
      xl_agent *a = l->agent;
      uint32_t request = l->request;
      xl_bytes total = fake_stop(w, l);
      fake_deliver(w, l, total);
      xl_agent_ended(a, request, end, XL_OK, total, 0, w->now);
      fake_check(w);
      return;
    }
  }
  CU_FAIL("no peer is sending");
}

/* ---- who may ---- */

static void test_bits4(void) {
  xl_policy p = record_policy;
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  p.flavour = XL_FLAVOUR_BITS4;
  holder(w, &record_policy, &whole);
  xl_job *j = client(w, &p, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(peer_bytes(f), 0);
  CHECK_EQ(count_events(w, XL_EVENT_SEARCH), 0);
  CHECK_EQ(o->heads, 0); /* a plain download: R803 */
  CHECK_EQ(o->gets, 1);
  fake_del(w);
}

static void test_client_only(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  holder(w, &record_policy, &whole);
  xl_job *j = job_on(w, fake_add_agent(w, &record_policy, CLIENT), BOTH, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(peer_bytes(f), 1000);
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  CU_ASSERT_PTR_NULL(
      xl_agent_map(w->agents[1], xl_engine_name(w->eng, URL), seven));
  fake_del(w);
}

static void test_server_only(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  holder(w, &record_policy, &whole);
  xl_job *j = job_on(w, fake_add_agent(w, &record_policy, SERVER), BOTH, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(peer_bytes(f), 0);
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  CU_ASSERT_PTR_NOT_NULL(
      xl_agent_map(w->agents[1], xl_engine_name(w->eng, URL), seven));
  fake_del(w);
}

/* The answer of |a| to a peer that asks for the whole of |key|. */
static xl_answer answer_of(fake *w, xl_agent *a, xl_name key, xl_version v) {
  xl_action act;

  xl_agent_asked(a, 77, 9, XL_SCOPE_SUBNET, key, v, (xl_range){0, 1000},
                 w->now);
  while (xl_engine_next(w->eng, &act)) {
    if (act.kind == XL_ACT_ANSWER) {
      return act.answer;
    }
  }
  CU_FAIL("no answer");
  return (xl_answer){0};
}

static void test_server_flag_needed(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, CLIENT);
  xl_name key = xl_engine_name(w->eng, URL);

  CHECK_EQ(xl_agent_hold(a, &whole, seven, w->now), XL_OK);
  xl_answer answer = answer_of(w, a, key, seven);
  CU_ASSERT(!answer.accept);
  CHECK_EQ(answer.why, XL_REASON_PEERING_OFF);
  fake_del(w);
}

/* ---- records ---- */

static void test_key(void) {
  fake *w = fake_new();
  xl_agent *a = holder(w, &record_policy, &whole);
  xl_name key = xl_engine_name(w->eng, URL);

  CU_ASSERT(answer_of(w, a, key, seven).accept);
  xl_agent_served(a, 77, 1000, w->now);
  CU_ASSERT(!answer_of(w, a, key, (xl_version){1000, 8}).accept);
  CU_ASSERT(!answer_of(w, a, key, (xl_version){1001, 7}).accept);
  CU_ASSERT(!answer_of(w, a, xl_engine_name(w->eng, URL "2"), seven).accept);
  fake_del(w);
}

/* One peer alone, found by a search the test answers. */
static xl_job *one_peer(fake *w, xl_policy *p, xl_file **f) {
  fake_add_origin(w, URL, 1000, 7);
  holder(w, p, &whole);
  xl_job *j = client(w, p, f);
  xl_job_resume(j, w->now);
  return j;
}

static void test_head_mismatch(void) {
  xl_policy p = record_policy;
  fake *w = fake_new();
  xl_action act;
  xl_file *f;
  bool told = false;

  xl_job *j = one_peer(w, &p, &f);
  for (int turn = 0; turn < 20 && !told; turn++) {
    while (!told && xl_engine_next(w->eng, &act)) {
      if (act.kind == XL_ACT_HEAD && act.source == XL_SOURCE_PEER) {
        const xl_reply other = {
            .status = 200, .version = {1000, 8}, .ranges = true};
        xl_agent_reply(act.agent, act.request, &other, w->now);
        told = true;
      } else if (act.kind == XL_ACT_HEAD) {
        fake_ask_origin(w, &act);
      } else if (act.kind == XL_ACT_FIND) {
        const xl_peer_info peer = {0, XL_SCOPE_SUBNET};
        xl_agent_found(act.agent, act.request, &peer, 1, true, w->now);
      }
    }
  }
  CU_ASSERT(told);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(peer_bytes(f), 0);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_only_whole_asked_for(void) {
  xl_policy p = record_policy;
  fake *w = fake_new();
  xl_action act;
  xl_file *f;
  bool found = false;

  one_peer(w, &p, &f);
  for (int turn = 0; turn < 20 && !found; turn++) {
    while (!found && xl_engine_next(w->eng, &act)) {
      if (act.kind == XL_ACT_HEAD) {
        fake_ask_origin(w, &act);
      } else if (act.kind == XL_ACT_FIND) {
        found = true;
        CU_ASSERT(act.find.complete_only);
      }
    }
  }
  CU_ASSERT(found);
  fake_del(w);
}

/* A swarm's device that holds a part of the file is no peer of BITS 3.0. */
static void test_part_holder(void) {
  xl_policy swarms = piece_policy, p = record_policy;
  fake *w = fake_new();
  xl_file *part, *f;
  xl_agent *a = fake_add_agent(w, &swarms, BOTH);
  xl_job *half = job_on(w, a, BOTH, &part), *j;
  const xl_peer_info peer = {0, XL_SCOPE_SUBNET};
  xl_action act;
  bool found = false;

  fake_add_origin(w, URL, 1000, 7)->rate = 100;
  xl_job_resume(half, w->now);
  fake_run(w, S(5) + XL_MS(500));
  CU_ASSERT(fake_progress(part).transferred >= 400);
  p.pick = pick_piece; /* which would take any piece */
  j = client(w, &p, &f);
  xl_job_resume(j, w->now);
  for (int turn = 0; turn < 50 && !found; turn++) {
    while (!found && xl_engine_next(w->eng, &act)) {
      if (act.kind == XL_ACT_FIND && act.agent != a) {
        xl_agent_found(act.agent, act.request, &peer, 1, true, w->now);
        found = true;
      } else if (act.kind == XL_ACT_HEAD && act.source != XL_SOURCE_PEER) {
        fake_ask_origin(w, &act);
      }
    }
  }
  CU_ASSERT(found);
  fake_run(w, S(9)); /* the other one is not done yet */
  CU_ASSERT(fake_progress(f).transferred > 0);
  CHECK_EQ(peer_bytes(f), 0);
  fake_del(w);
}

static void test_no_time_stamp(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  o->no_mtime = true;
  holder(w, &record_policy, &whole);
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(count_events(w, XL_EVENT_SEARCH), 0);
  CHECK_EQ(peer_bytes(f), 0);
  fake_del(w);
}

/* A map of a BITS 3.0 device whose file waits for its validation. */
static void test_not_validated(void) {
  xl_policy p = piece_policy;
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &p, BOTH);
  xl_file *f;
  xl_job *j = job_on(w, a, BOTH, &f);
  xl_name key = xl_engine_name(w->eng, URL);

  fake_add_origin(w, URL, 1000, 7)->rate = 100;
  xl_job_resume(j, w->now);
  fake_run(w, S(5) + XL_MS(500));
  CU_ASSERT_PTR_NOT_NULL(xl_agent_map(a, key, seven));
  p.flavour = XL_FLAVOUR_BITS3; /* the same pieces under the other rules */
  xl_action act;
  uint32_t piece = xl_map_journal(xl_agent_map(a, key, seven), 0);
  xl_agent_asked(a, 5, 9, XL_SCOPE_SUBNET, key, seven,
                 (xl_range){piece * 100, piece * 100 + 100}, w->now);
  bool answered = false;
  while (xl_engine_next(w->eng, &act)) {
    if (act.kind == XL_ACT_ANSWER) {
      answered = true;
      CU_ASSERT(!act.answer.accept);
      CHECK_EQ(act.answer.why, XL_REASON_NOT_VALIDATED);
    }
  }
  CU_ASSERT(answered);
  p.flavour = XL_FLAVOUR_DO;
  fake_del(w);
}

/* ---- failures ---- */

static void test_request_lasts(void) {
  xl_engine_cfg cfg = xl_engine_cfg_default();
  cfg.peer_timeout = S(40);
  fake *w = fake_new_cfg(&cfg);
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  holder(w, &record_policy, &whole);
  w->peer_rate = 1; /* never silent, and far too slow */
  w->chunk = 1;
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  fake_run(w, S(39));
  uint32_t before = w->nrows;
  CHECK_EQ(peer_bytes(f), 39);
  fake_run(w, S(41));
  CU_ASSERT(w->nrows > before);
  CHECK_EQ(w->rows[before].kind, XL_SOURCE_PEER);
  CHECK_EQ(w->rows[before].outcome, XL_END_STALLED);
  CHECK_EQ(w->rows[before].delivered, 40);
  CHECK_EQ(w->rows[before].end - w->rows[before].asked, S(40));
  CHECK_EQ(xl_job_error_count(j), 0);
  fake_del(w);
}

static void test_dropped_peer(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, &record_policy, &whole);
  holder(w, &record_policy, &whole);
  w->peer_rate = 100;
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  fake_run(w, S(2));
  break_peer(w, XL_END_RESET);
  CHECK_EQ(count_events(w, XL_EVENT_PEER_DROPPED), 1);
  fake_run(w, S(4)); /* the other one goes on */
  CHECK_EQ(peer_bytes(f), 200);
  CHECK_EQ(o->gets, 0);
  uint32_t first = XL_NONE, second = XL_NONE;
  for (uint32_t i = 0; i < w->nrows; i++) {
    if (w->rows[i].kind == XL_SOURCE_PEER && w->rows[i].range.end > 0) {
      first = w->rows[i].source;
    }
  }
  for (int i = 0; i < FAKE_MAX; i++) {
    if (w->flows[i].used && w->flows[i].from != NULL) {
      second = fake_index(w, w->flows[i].from);
    }
  }
  CU_ASSERT(first != second && second != XL_NONE);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(60)));
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_nobody(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(1)));
  CHECK_EQ(xl_job_error_count(j), 0);
  CHECK_EQ(w->rows[1].reason, XL_REASON_NO_PEERS_FOUND);
  fake_del(w);
}

static void test_bad_bytes(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, &record_policy, &whole);
  w->bad_peers = true;
  xl_job *j = client(w, &record_policy, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  CHECK_EQ(peer_bytes(f), 0);
  CHECK_EQ(o->sent, 1000);
  CHECK_EQ(xl_job_error_count(j), 0);
  fake_del(w);
}

/* ---- counters ---- */

static void test_mixed(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  holder(w, &record_policy, &whole);
  w->peer_rate = 100;
  w->chunk = 10;
  xl_job *j = client(w, &record_policy, &f);
  CU_ASSERT(!xl_file_from_peer(f));
  xl_job_resume(j, w->now);
  fake_run(w, S(3));
  CHECK_EQ(peer_bytes(f), 300);
  CU_ASSERT(xl_file_from_peer(f));
  xl_job_set_peercaching(j, SERVER, w->now); /* the rest from the origin */
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(peer_bytes(f), 300);
  CU_ASSERT(xl_file_from_peer(f)); /* one byte is enough */
  CHECK_EQ(xl_file_set_validation(f, false, w->now), XL_OK);
  CHECK_EQ(peer_bytes(f), 0);
  CU_ASSERT(!xl_file_from_peer(f));
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(40)));
  CHECK_EQ(peer_bytes(f), 0); /* the origin alone, without ERROR */
  CHECK_EQ(xl_job_error_count(j), 0);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_totals(void) {
  static const xl_scope scopes[] = {XL_SCOPE_SUBNET, XL_SCOPE_SITE,
                                    XL_SCOPE_GROUP, XL_SCOPE_INTERNET};
  fake *w = fake_new();
  xl_action act;
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  for (int i = 0; i < 4; i++) {
    holder(w, &piece_policy, &whole);
  }
  w->peer_rate = 50;
  xl_job *j = client(w, &piece_policy, &f);
  xl_job_resume(j, w->now);
  while (xl_engine_next(w->eng, &act)) {
    if (act.kind == XL_ACT_FIND) {
      xl_peer_info found[4];
      for (uint32_t i = 0; i < 4; i++) {
        found[i] = (xl_peer_info){i, scopes[i]};
      }
      xl_agent_found(act.agent, act.request, found, 4, true, w->now);
    } else if (act.kind == XL_ACT_HEAD) {
      fake_ask_origin(w, &act);
    } else if (act.kind == XL_ACT_GET && act.source == XL_SOURCE_PEER) {
      fake_ask_peer(w, &act);
    } else if (act.kind == XL_ACT_GET) {
      fake_ask_origin(w, &act);
    } else if (act.kind == XL_ACT_ANSWER) {
      fake_answer(w, &act);
    }
  }
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(60)));
  const xl_bytes *b = xl_file_ledger(f)->bytes;
  xl_bytes peers = b[XL_CLASS_PEER_SUBNET] + b[XL_CLASS_PEER_SITE] +
                   b[XL_CLASS_PEER_GROUP] + b[XL_CLASS_PEER_INTERNET];
  CU_ASSERT(b[XL_CLASS_PEER_SUBNET] > 0 && b[XL_CLASS_PEER_SITE] > 0);
  CU_ASSERT(b[XL_CLASS_PEER_GROUP] > 0 && b[XL_CLASS_PEER_INTERNET] > 0);
  CHECK_EQ(peer_bytes(f), peers);
  CHECK_EQ(b[XL_CLASS_ORIGIN] + peers, 1000);
  fake_del(w);
}

static xl_bytes uploaded;
static void serve_count(const xl_host *h, xl_view *v, const xl_ask *ask,
                        xl_answer *out) {
  (void)ask;
  uploaded = h->device(v)->uploaded_bytes;
  *out = (xl_answer){.accept = true, .cap = XL_RATE_UNLIMITED};
}

static void test_internet_uploads(void) {
  static const struct {
    xl_scope scope;
    xl_bytes counted;
  } cases[] = {{XL_SCOPE_SUBNET, 0},
               {XL_SCOPE_GROUP, 0},
               {XL_SCOPE_INTERNET, 0},
               {XL_SCOPE_SITE, 1000}}; /* told at the next question */
  xl_policy p = record_policy;
  fake *w = fake_new();
  xl_action act;

  p.serve = serve_count;
  xl_agent *a = holder(w, &p, &whole);
  for (uint32_t i = 0; i < 4; i++) {
    xl_agent_asked(a, i, 9, cases[i].scope, xl_engine_name(w->eng, URL), seven,
                   (xl_range){0, 1000}, w->now);
    CHECK_EQ(uploaded, cases[i].counted);
    while (xl_engine_next(w->eng, &act)) {
    }
    xl_agent_served(a, i, 1000, w->now);
  }
  fake_del(w);
}

/* ---- rates ---- */

static xl_rate shown;
static bool pick_watch(const xl_host *h, xl_view *v, xl_pick *out,
                       xl_time *again) {
  *again = h->now(v) + S(1);
  shown = h->file(v)->origin_rate;
  return pick_origin(h, v, out, again);
}

static void test_rate_window(void) {
  xl_policy p = origin_policy;
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 100000, 7);

  p.pick = pick_watch;
  o->rate = 1000;
  w->chunk = 500;
  xl_job *j = fake_job(w, fake_add_agent(w, &p, 0));
  fake_file_add(w, j, URL, NULL);
  xl_job_resume(j, w->now);
  fake_run(w, S(30));
  CHECK_NEAR((double)shown, 1000, 0.1);
  for (int i = 0; i < FAKE_MAX; i++) {
    w->flows[i].silent = w->flows[i].used;
  }
  fake_run(w, S(34)); /* of the last 20 s, 16 had bytes */
  CU_ASSERT(shown > 600);
  fake_run(w, S(52));
  CHECK_EQ(shown, 0);
  fake_del(w);
}

TEST_SUITE(
    "more rules of peers",
    {"R506 R601: BITS 4.0 ignores the flags of the old peer cache", test_bits4},
    {"R604 R671: a device that may only fetch from peers keeps nothing",
     test_client_only},
    {"R604 R671: a device that may only serve fetches from the origin",
     test_server_only},
    {"R602 R604 R610: without the machine's server flag nothing is served",
     test_server_flag_needed},
    {"R619: URL, time stamp and size find a record, all three", test_key},
    {"R659: a record whose HEAD tells another version is not used",
     test_head_mismatch},
    {"R618 R642: only whole, validated records are looked for",
     test_only_whole_asked_for},
    {"R618 R642: who holds a part of the file is no peer", test_part_holder},
    {"R620: without a time stamp nobody is asked (design)", test_no_time_stamp},
    {"R618: what is not validated is not served", test_not_validated},
    {"R649: a request to a peer lasts no longer than its limit",
     test_request_lasts},
    {"R655 R616: a peer that failed is left out and its bytes stay",
     test_dropped_peer},
    {"R656: nobody found is no error and costs no time", test_nobody},
    {"R657: bytes of a peer that do not fit come from the origin",
     test_bad_bytes},
    {"R310 R320 R321 R322 R658: counters of a file of both sources",
     test_mixed},
    {"R730 R731 R320: a byte is of the subnet, the site, the group or the "
     "internet",
     test_totals},
    {"R716: only uploads to the internet are counted", test_internet_uploads},
    {"R734: rates are means of 20 s", test_rate_window})
