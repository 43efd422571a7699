/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The built-in policies against small worlds: bits-semantics 6.7, 6.10 and 7.
 */
#include "unit/engine/fake.h"
#include "unit/policy/values.h"

#define URL "http://w/f"
#define BOTH (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)
#define SIZE 100000

typedef struct scene {
  fake *w;
  const xl_policy *policy;
  xl_value *values;
  fake_origin *o;
} scene;

static void set(scene *s, const char *name, const char *text) {
  double number;

  for (uint32_t i = 0; i < s->policy->nparams; i++) {
    const xl_param *p = &s->policy->params[i];
    if (strcmp(p->name, name) == 0) {
      CU_ASSERT(value_read(p, text, &s->values[i], &number));
      return;
    }
  }
  CU_FAIL("no such parameter");
}

static scene scene_new(const char *policy) {
  scene s = {.w = fake_new(), .policy = xl_policy_find(policy)};

  CU_ASSERT_FATAL(s.policy != NULL);
  s.values = calloc(s.policy->nparams + 1, sizeof *s.values);
  for (uint32_t i = 0; i < s.policy->nparams; i++) {
    const xl_param *p = &s.policy->params[i];
    double number;
    CU_ASSERT(value_read(p, p->def, &s.values[i], &number));
  }
  s.o = fake_add_origin(s.w, URL, SIZE, 7);
  s.o->rate = 10000;
  s.w->chunk = 1000;
  return s;
}

static void scene_del(scene *s) {
  fake_check(s->w);
  fake_del(s->w);
  free(s->values);
}

static xl_agent *device(scene *s, xl_scope scope, bool vpn) {
  xl_agent_cfg cfg = {.id = s->w->nagents,
                      .policy = s->policy,
                      .params = s->values,
                      .peercaching = BOTH,
                      .device = {.ram_bytes = XL_GIB(8),
                                 .disk_bytes = XL_GIB(100),
                                 .on_vpn = vpn}};
  xl_agent *a = NULL;

  s->w->scopes[s->w->nagents] = scope;
  CHECK_EQ(xl_agent_new(&a, s->w->eng, &cfg, s->w->now), XL_OK);
  s->w->agents[s->w->nagents++] = a;
  return a;
}

static const xl_file_info content = {
    .remote = URL, .local = "C:\\f", .content = "c", .piece_bytes = 1000};

static void hold(scene *s, xl_agent *a) {
  CHECK_EQ(xl_agent_hold(a, &content, (xl_version){SIZE, 7}, s->w->now), XL_OK);
  CU_ASSERT_PTR_NOT_NULL(
      xl_agent_map(a, xl_engine_name(s->w->eng, "c"), (xl_version){SIZE, 7}));
}

static xl_job *start(scene *s, xl_agent *a, xl_file **f) {
  xl_job *j = fake_job(s->w, a);

  CHECK_EQ(xl_job_set_peercaching(j, BOTH, s->w->now), XL_OK);
  CHECK_EQ(xl_job_add_file(j, &content, f, s->w->now), XL_OK);
  CHECK_EQ(xl_job_resume(j, s->w->now), XL_OK);
  return j;
}

static xl_bytes sum_of(const fake *w, uint32_t device) {
  xl_bytes n = 0;

  for (uint32_t i = 0; i < w->nrows; i++) {
    if (w->rows[i].kind == XL_SOURCE_PEER && w->rows[i].source == device) {
      n += w->rows[i].delivered;
    }
  }
  return n;
}

/* One holder behind the same NAT, one elsewhere; both are slow. */
static void test_t40(void) {
  scene s = scene_new("delivery-optimization");
  xl_file *f;

  set(&s, "min_file_size", "0B");
  set(&s, "min_background_qos", "50kB/s");
  s.w->peer_rate = 500;
  hold(&s, device(&s, XL_SCOPE_SITE, false));
  hold(&s, device(&s, XL_SCOPE_INTERNET, false));
  xl_job *j = start(&s, device(&s, XL_SCOPE_SITE, false), &f);
  CU_ASSERT(fake_until(s.w, j, XL_JOB_TRANSFERRED, S(1000)));
  const xl_ledger *l = xl_file_ledger(f);
  CU_ASSERT(sum_of(s.w, 0) > 0);
  CHECK_EQ(sum_of(s.w, 1), 0); /* not of this NAT */
  CHECK_EQ(l->bytes[XL_CLASS_PEER_INTERNET], 0);
  CU_ASSERT(l->bytes[XL_CLASS_ORIGIN] > 0); /* HTTP was added */
  xl_bytes peers =
      l->bytes[XL_CLASS_PEER_SUBNET] + l->bytes[XL_CLASS_PEER_SITE] +
      l->bytes[XL_CLASS_PEER_GROUP] + l->bytes[XL_CLASS_PEER_INTERNET];
  xl_bytes http = l->bytes[XL_CLASS_ORIGIN] + l->bytes[XL_CLASS_CACHE];
  CHECK_EQ(peers + http, SIZE);
  CU_ASSERT(http >= l->bytes[XL_CLASS_CACHE]);
  CHECK_EQ(s.o->sent, l->bytes[XL_CLASS_ORIGIN]);
  CU_ASSERT(fake_is_whole(s.w, f, SIZE, 7));
  scene_del(&s);
}

static void test_modes(void) {
  static const struct {
    const char *mode;
    xl_scope holder;
    bool used;
  } cases[] = {{"http", XL_SCOPE_SUBNET, false},
               {"simple", XL_SCOPE_SUBNET, false},
               {"bypass", XL_SCOPE_SUBNET, false},
               {"lan", XL_SCOPE_SITE, true},
               {"lan", XL_SCOPE_GROUP, false},
               {"group", XL_SCOPE_GROUP, true},
               {"group", XL_SCOPE_INTERNET, false},
               {"internet", XL_SCOPE_INTERNET, true},
               {"internet", XL_SCOPE_SUBNET, true}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    scene s = scene_new("delivery-optimization");
    const xl_param *mode = &s.policy->params[0];
    xl_file *f;
    CU_ASSERT_STRING_EQUAL(mode->name, "mode");
    if (value_choice(mode->choices, cases[i].mode) < 0) {
      printf("  no mode %s\n", cases[i].mode);
      CU_FAIL("a mode is missing");
      scene_del(&s);
      continue;
    }
    set(&s, "min_file_size", "0B");
    set(&s, "http_delay", "30s");
    s.w->peer_rate = 100000;
    hold(&s, device(&s, cases[i].holder, false));
    set(&s, "mode", cases[i].mode);
    xl_job *j = start(&s, device(&s, XL_SCOPE_SITE, false), &f);
    CU_ASSERT(fake_until(s.w, j, XL_JOB_TRANSFERRED, S(1000)));
    CHECK_EQ(sum_of(s.w, 0) > 0, cases[i].used);
    CHECK_EQ(xl_file_from_peer(f), cases[i].used);
    scene_del(&s);
  }
}

static void test_vpn(void) {
  for (int vpn = 0; vpn < 2; vpn++) {
    scene s = scene_new("delivery-optimization");
    xl_file *f;
    set(&s, "min_file_size", "0B");
    set(&s, "http_delay", "10s");
    s.w->peer_rate = 100000;
    hold(&s, device(&s, XL_SCOPE_SITE, false));
    xl_job *j = start(&s, device(&s, XL_SCOPE_SITE, vpn == 1), &f);
    CU_ASSERT(fake_until(s.w, j, XL_JOB_TRANSFERRED, S(1000)));
    CHECK_EQ(xl_file_from_peer(f), vpn == 0);
    scene_del(&s);
  }
}

static void test_delay(void) {
  scene s = scene_new("delivery-optimization");
  xl_file *f;

  set(&s, "min_file_size", "0B");
  set(&s, "http_delay", "40s");
  xl_job *j = start(&s, device(&s, XL_SCOPE_SITE, false), &f);
  fake_run(s.w, S(39));
  CHECK_EQ(s.o->gets, 0); /* nobody has it, and HTTP must wait */
  CU_ASSERT(fake_until(s.w, j, XL_JOB_TRANSFERRED, S(100)));
  CU_ASSERT(s.w->now > S(40));
  CHECK_EQ(s.o->sent, SIZE);
  scene_del(&s);
}

static void test_small_file(void) {
  scene s = scene_new("delivery-optimization"); /* 50 MB at least */
  xl_file *f;

  s.w->peer_rate = 100000;
  set(&s, "min_file_size", "0B");
  hold(&s, device(&s, XL_SCOPE_SUBNET, false));
  xl_value *other = calloc(s.policy->nparams + 1, sizeof *other);
  memcpy(other, s.values, s.policy->nparams * sizeof *other);
  xl_value *mine = s.values;
  s.values = other;
  set(&s, "min_file_size", "50MB");
  xl_job *j = start(&s, device(&s, XL_SCOPE_SUBNET, false), &f);
  CU_ASSERT(fake_until(s.w, j, XL_JOB_TRANSFERRED, S(1000)));
  CU_ASSERT(!xl_file_from_peer(f));
  CHECK_EQ(s.o->sent, SIZE);
  s.values = mine;
  scene_del(&s);
  free(other);
}

/* ---- bits-peer-cache ---- */

/* The cap of the answer to |n| askers, one after the other. */
static void test_bandwidth_served(void) {
  scene s = scene_new("bits-peer-cache");
  xl_agent *a = device(&s, XL_SCOPE_SUBNET, false);
  xl_answer last = {0};
  xl_action act;

  set(&s, "bandwidth", "3Mbit/s");
  hold(&s, a);
  for (uint32_t ask = 0; ask < 4; ask++) {
    xl_agent_asked(a, ask, 10 + ask, XL_SCOPE_SUBNET,
                   xl_engine_name(s.w->eng, "c"), (xl_version){SIZE, 7},
                   (xl_range){0, SIZE}, 0);
    while (xl_engine_next(s.w->eng, &act)) {
      if (act.kind == XL_ACT_ANSWER) {
        last = act.answer;
      }
    }
    CHECK_EQ(last.accept, ask < 3);
    if (last.accept) {
      CHECK_EQ(last.cap, 375000 / (ask + 1)); /* an equal share */
    }
  }
  CHECK_EQ(last.why, XL_REASON_PEER_BUSY); /* the fourth: 503 */
  scene_del(&s);
}

/* What a peer answers to the HEAD and the GET of its record. */
static void check_peer_status(uint32_t head, uint32_t get, bool from_peer) {
  scene s = scene_new("bits-peer-cache");
  xl_action act;
  xl_file *f;

  hold(&s, device(&s, XL_SCOPE_SUBNET, false));
  xl_job *j = start(&s, device(&s, XL_SCOPE_SUBNET, false), &f);
  xl_agent *a = s.w->agents[1];
  bool told = false;
  for (int i = 0; i < 1000 && !told; i++) {
    while (!told && xl_engine_next(s.w->eng, &act)) {
      const xl_peer_info holder = {0, XL_SCOPE_SUBNET};
      xl_reply reply = {.status = 200, .version = {SIZE, 7}, .ranges = true};
      if (act.kind == XL_ACT_FIND) {
        xl_agent_found(a, act.request, &holder, 1, true, s.w->now);
      } else if (act.source == XL_SOURCE_ORIGIN && act.kind == XL_ACT_HEAD) {
        xl_agent_reply(a, act.request, &reply, s.w->now);
      } else if (act.source == XL_SOURCE_PEER && act.kind == XL_ACT_HEAD) {
        reply.status = head;
        xl_agent_reply(a, act.request, &reply, s.w->now);
      } else if (act.source == XL_SOURCE_PEER && act.kind == XL_ACT_GET) {
        reply.status = get;
        xl_agent_reply(a, act.request, &reply, s.w->now);
        xl_agent_deliver(a, act.request, act.range, reply.version,
                         XL_VERDICT_GOOD, NULL, s.w->now);
        told = true;
      } else if (act.kind == XL_ACT_GET) {
        told = true; /* of the origin */
      }
    }
    xl_time at = xl_engine_deadline(s.w->eng);
    if (!told && at != XL_NEVER) {
      s.w->now = at;
      xl_engine_advance(s.w->eng, at);
    }
  }
  CHECK_EQ(xl_file_from_peer(f), from_peer);
  CU_ASSERT(xl_job_state_of(j) != XL_JOB_ERROR);
  scene_del(&s);
}

static void test_peer_statuses(void) {
  check_peer_status(200, 206, true);
  check_peer_status(206, 200, true);
  check_peer_status(404, 206, false); /* unknown record */
  check_peer_status(200, 503, false);
}

TEST_SUITE(
    "conformance: built-in policies",
    {"T40 R701 R717 R726 R730: peers inside the NAT only, slow ones get HTTP "
     "beside them, the counters add up",
     test_t40},
    {"T40 R701: each mode has its peers", test_modes},
    {"R723 R725: no peering on a VPN", test_vpn},
    {"R720: HTTP waits for its delay", test_delay},
    {"R712: a small file is not peered", test_small_file},
    {"R647 R648 R672: three are served, within the bandwidth served",
     test_bandwidth_served},
    {"R646 R645: a peer answers 200 or 206, all else is a failure",
     test_peer_statuses})
