/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine against an environment and a policy that do anything they are
 * allowed to, at random: after every step all invariants hold and the ledgers
 * say exactly what was sent.
 */
#include "fake.h"

#define NAGENTS 6
#define NURLS 3
#define NOPEN 512

typedef struct open_request {
  bool used;
  xl_agent *agent;
  uint32_t request;
  bool head, cancelled, replied, peer;
  xl_range range;
  xl_version version;
  xl_bytes told;    /* given to the engine */
  xl_bytes arrived; /* arrived, told or not */
} open_request;

typedef struct chaos {
  fake base; /* memory, draws, agents */
  uint64_t rng;
  open_request open[NOPEN];
  xl_version origin[NURLS];
  xl_bytes sent[NAGENTS];
  bool ending; /* the engine asks for what has arrived and books it */
  uint32_t nsteps, uploads, asks;
  uint32_t search[64];
  xl_agent *searcher[64];
  uint32_t nsearch;
  uint32_t done, ended[XL_NENDS];
} chaos;

static const char *const urls[NURLS] = {"http://a/f", "http://b/f",
                                        "http://c/f"};

static uint64_t rnd(chaos *c, uint64_t n) {
  c->rng += 0x9e3779b97f4a7c15u;
  uint64_t x = c->rng;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return (x ^ x >> 31) % n;
}

static open_request *opened(chaos *c, const xl_agent *a, uint32_t request) {
  for (int i = 0; i < NOPEN; i++) {
    if (c->open[i].used && c->open[i].agent == a &&
        c->open[i].request == request) {
      return &c->open[i];
    }
  }
  return NULL;
}

static xl_bytes chaos_arrived(void *arg, const xl_agent *a, uint32_t request) {
  chaos *c = arg;
  open_request *o = opened(c, a, request);

  CU_ASSERT_PTR_NOT_NULL(o);
  return o == NULL ? 0 : o->arrived;
}

static void chaos_transfer(void *arg, const xl_transfer *row) {
  chaos *c = arg;
  open_request *o = opened(c, row->agent, row->request);

  CHECK_EQ(xl_ledger_total(&row->booked), row->delivered);
  CU_ASSERT_PTR_NOT_NULL(o);
  if (o != NULL) {
    xl_bytes all = c->ending ? o->arrived : o->told;
    CHECK_EQ(row->delivered, all);
    c->sent[xl_agent_id(row->agent)] += all - o->told;
    o->used = false;
  }
  c->ended[row->outcome]++;
}

static const xl_map *chaos_map(void *arg, const xl_agent *reader, uint32_t peer,
                               xl_name key, xl_version version,
                               uint32_t *visible) {
  chaos *c = arg;

  return fake_peer_map(&c->base, reader, peer, key, version, visible);
}

static uint64_t chaos_draw(void *arg, uint32_t id, uint64_t n) {
  chaos *c = arg;

  return fake_draw(&c->base, id, n);
}

static void *chaos_realloc(void *arg, void *ptr, size_t size) {
  chaos *c = arg;

  return fake_realloc(&c->base, ptr, size);
}

/* ---- a policy that does anything legal ---- */

static bool chaos_find(const xl_host *h, xl_view *v, xl_find *out,
                       xl_time *again) {
  uint64_t x = h->random(v);

  *out = (xl_find){
      .scopes = 15, .want = (uint32_t)(1 + x % 9), .timeout = S(1 + x % 40)};
  *again = h->now(v) + S(20);
  return x % 3 == 0;
}

/* The choice against a plain search. */
static void check_choice(const xl_host *h, xl_view *v, uint32_t peer,
                         xl_order order, uint32_t chosen) {
  uint32_t first = XL_NONE, fewest = UINT32_MAX;

  for (uint32_t p = 0; p < h->file(v)->npieces; p++) {
    if (h->piece_free(v, p) && h->peer_has(v, peer, p)) {
      first = first == XL_NONE ? p : first;
      fewest = h->holders(v, p) < fewest ? h->holders(v, p) : fewest;
    }
  }
  CHECK_EQ(chosen == XL_NONE, first == XL_NONE);
  if (chosen != XL_NONE) {
    CU_ASSERT(order != XL_ORDER_SEQUENTIAL || chosen == first);
    CU_ASSERT(order != XL_ORDER_RAREST || h->holders(v, chosen) == fewest);
  }
}

static bool pick_from_peer(const xl_host *h, xl_view *v, xl_pick *out) {
  const xl_file_view *f = h->file(v);
  uint64_t x = h->random(v);
  xl_peer_view p;

  if (f->npeers == 0 || !f->peers_allowed || f->origin_only) {
    return false;
  }
  uint32_t i = (uint32_t)(x % f->npeers);
  h->peer(v, i, &p);
  if (p.banned) {
    return false;
  }
  xl_order order = (xl_order)(x / 7 % 3);
  uint32_t piece = h->choose_piece(v, i, order);
  check_choice(h, v, i, order, piece);
  if (piece == XL_NONE) {
    return false;
  }
  CU_ASSERT(h->piece_free(v, piece) && !h->piece_held(v, piece));
  CU_ASSERT(h->peer_has(v, i, piece));
  CU_ASSERT(h->holders(v, piece) >= 1);
  *out = (xl_pick){.kind = XL_SOURCE_PEER,
                   .peer = i,
                   .range = h->piece_gap(v, piece),
                   .reason = XL_REASON_PEER_HAS_IT,
                   .head = x / 100 % 4 == 0};
  CU_ASSERT(out->range.begin < out->range.end);
  return true;
}

static bool chaos_pick(const xl_host *h, xl_view *v, xl_pick *out,
                       xl_time *again) {
  const xl_file_view *f = h->file(v);
  uint64_t x = h->random(v);
  xl_range gap;

  *again = h->now(v) + S(1 + x % 60);
  if (x % 11 == 0) {
    return false;
  }
  if (x % 3 != 0 && pick_from_peer(h, v, out)) {
    return true;
  }
  *out =
      (xl_pick){.kind = XL_SOURCE_ORIGIN, .reason = XL_REASON_NO_PEER_HAS_IT};
  xl_bytes from = f->size_bytes == 0 ? 0 : x / 64 % f->size_bytes;
  if (h->next_gap(v, from, &gap) || h->next_gap(v, 0, &gap)) {
    xl_bytes n = gap.end - gap.begin;
    out->range.begin = gap.begin + (x / 3 % 2 == 0 ? 0 : x / 5 % n);
    out->range.end = x / 7 % 2 == 0 ? gap.end : out->range.begin + 1;
    return true;
  }
  for (uint32_t p = 0; p < f->npieces && x % 5 == 0; p++) { /* twice */
    gap.begin = (xl_bytes)p * f->piece_bytes;
    gap.end = gap.begin + 1;
    if (!h->piece_held(v, p) && f->origin_requests < 3) {
      out->range = gap;
      out->reason = XL_REASON_ENDGAME;
      xl_range left = h->piece_gap(v, p);
      return left.begin == left.end && h->file(v)->received == 0;
    }
  }
  return false;
}

static void chaos_failed(const xl_host *h, xl_view *v, const xl_failure *why,
                         xl_remedy *out) {
  uint64_t x = h->random(v);

  (void)why;
  if (x % 4 == 0) {
    out->mirror = (uint32_t)(x / 4 % h->file(v)->nmirrors);
  }
  out->drop_peer = x % 5 == 0;
  out->ban_peer = x % 3 == 0 ? S(x % 30) : 0;
  out->origin_only = x % 41 == 0;
}

static void chaos_serve(const xl_host *h, xl_view *v, const xl_ask *ask,
                        xl_answer *out) {
  CU_ASSERT(ask->uploads >= ask->from_uploads);
  out->accept = h->random(v) % 3 != 0;
}

static void chaos_keep(const xl_host *h, xl_view *v, xl_keep *out) {
  uint64_t x = h->random(v);

  CU_ASSERT_PTR_NOT_NULL(h->file_state(v));
  *out = (xl_keep){.keep = x % 4 != 0,
                   .age_max = S(1 + x % 3000),
                   .from_arrival = x % 2 == 0,
                   .bytes_max = 500 + x % 4000};
}

static void chaos_begin(const xl_host *h, xl_view *v) {
  uint64_t *state = h->file_state(v);

  CHECK_EQ(*state, 0); /* zeroed whenever a file begins */
  *state = 1;
  CU_ASSERT(h->file(v)->received <= h->file(v)->size_bytes);
}

#define CHAOS_POLICY(id, how, swarm)                                           \
  {                                                                            \
    .size = sizeof(xl_policy), .version = XL_POLICY_ABI, .name = id,           \
    .flavour = how, .file_state_size = 8, .peer_state_size = 16,               \
    .agent_state_size = 4, .swarms = swarm, .begin = chaos_begin,              \
    .find = chaos_find, .pick = chaos_pick, .failed = chaos_failed,            \
    .serve = chaos_serve, .keep = chaos_keep                                   \
  }
static const xl_policy chaos_policies[] = {
    CHAOS_POLICY("chaos-free", XL_FLAVOUR_FREE, true),
    CHAOS_POLICY("chaos-do", XL_FLAVOUR_DO, true),
    CHAOS_POLICY("chaos-bits3", XL_FLAVOUR_BITS3, false),
    CHAOS_POLICY("chaos-bits4", XL_FLAVOUR_BITS4, false)};

/* ---- the environment ---- */

static void act(chaos *c) {
  xl_action a;

  while (xl_engine_next(c->base.eng, &a)) {
    uint32_t i = 0;
    switch (a.kind) {
    case XL_ACT_HEAD:
    case XL_ACT_GET:
      while (i < NOPEN && c->open[i].used) {
        i++;
      }
      CU_ASSERT(i < NOPEN);
      c->open[i] = (open_request){.used = true,
                                  .agent = a.agent,
                                  .request = a.request,
                                  .head = a.kind == XL_ACT_HEAD,
                                  .peer = a.source == XL_SOURCE_PEER,
                                  .range = a.range,
                                  .version = a.version};
      for (uint32_t u = 0; u < NURLS && !c->open[i].peer; u++) {
        if (strcmp(urls[u], xl_engine_string(c->base.eng, a.url)) == 0) {
          c->open[i].version = c->origin[u];
        }
      }
      if (a.whole && !c->open[i].peer) {
        c->open[i].range.end = c->open[i].version.size;
      }
      break;
    case XL_ACT_CANCEL:
      if (opened(c, a.agent, a.request) != NULL) {
        opened(c, a.agent, a.request)->cancelled = true;
      }
      break;
    case XL_ACT_FIND:
      if (c->nsearch < 64) {
        c->search[c->nsearch] = a.request;
        c->searcher[c->nsearch++] = a.agent;
      }
      break;
    case XL_ACT_ANSWER:
      c->uploads += a.answer.accept;
      break;
    case XL_ACT_PUBLISH:
    case XL_ACT_NOTIFY:
      break;
    }
  }
}

static open_request *any_open(chaos *c) {
  uint64_t from = rnd(c, NOPEN);

  for (uint32_t i = 0; i < NOPEN; i++) {
    open_request *o = &c->open[(from + i) % NOPEN];
    if (o->used) {
      return o;
    }
  }
  return NULL;
}

static void reply(chaos *c, open_request *o) {
  static const uint32_t statuses[] = {200, 206, 206, 206, 404, 503, 416};
  bool error = rnd(c, 20) == 0;
  xl_reply r = {.status = error        ? statuses[rnd(c, 7)]
                          : o->head    ? 200
                          : rnd(c, 60) ? 206
                                       : 200,
                .version = o->version,
                .ranges = rnd(c, 10) != 0};

  if (o->replied) {
    return;
  }
  o->replied = true;
  if (rnd(c, 100) == 0) {
    r.version.size = XL_SIZE_UNKNOWN;
  }
  if (o->peer && rnd(c, 30) == 0) {
    r.version.mtime_s++;
  }
  uint32_t request = o->request;
  xl_agent *a = o->agent;
  bool peer_head = o->peer && o->head;
  xl_agent_reply(a, request, &r, c->base.now);
  if (peer_head && o->used && o->request == request && !o->cancelled) {
    o->used = false; /* its GET has another number */
  }
}

static void deliver(chaos *c, open_request *o) {
  xl_bytes left = o->range.end - o->range.begin - o->told;

  if (o->head || left == 0) {
    return;
  }
  xl_bytes n = rnd(c, 3) == 0 ? left : 1 + rnd(c, left);
  xl_bytes extra = n == left && rnd(c, 20) == 0 ? 3 : 0;
  xl_range r = {o->range.begin + o->told, o->range.begin + o->told + n};
  xl_verdict verdict = (xl_verdict)(rnd(c, 8) == 0   ? XL_VERDICT_BAD
                                    : rnd(c, 2) == 0 ? XL_VERDICT_GOOD
                                                     : XL_VERDICT_PENDING);
  r.end += extra;
  o->told += n + extra;
  o->arrived = o->arrived > o->told ? o->arrived : o->told;
  c->sent[xl_agent_id(o->agent)] += n + extra;
  xl_agent_deliver(o->agent, o->request, r, o->version, verdict, NULL,
                   c->base.now);
}

static void grow_arrived(chaos *c, open_request *o) {
  xl_bytes all = o->range.end - o->range.begin;

  if (!o->head && o->arrived < all) {
    o->arrived += rnd(c, all - o->arrived + 1);
  }
}

static void end(chaos *c, open_request *o) {
  static const xl_end ends[] = {XL_END_REFUSED, XL_END_RESET, XL_END_CONNECT,
                                XL_END_FAILED_CHECK, XL_END_HTTP_ERROR};
  xl_end how = o->cancelled ? XL_END_CANCELLED : ends[rnd(c, 5)];

  c->sent[xl_agent_id(o->agent)] += o->arrived - o->told;
  o->told = o->arrived;
  xl_agent_ended(o->agent, o->request, how,
                 how == XL_END_HTTP_ERROR ? XL_E_HTTP(503) : XL_OK, o->told,
                 rnd(c, 2) == 0 ? 0 : S(rnd(c, 50)), c->base.now);
}

static xl_job *any_job(chaos *c, xl_agent *a) {
  xl_job *jobs[3] = {0};

  (void)c;
  xl_job **user = xl_agent_user(a);
  memcpy(jobs, user, sizeof jobs);
  return jobs[rnd(c, 3)];
}

static void new_job(chaos *c, xl_agent *a, xl_job **slot) {
  static const xl_range_spec spec[] = {{300, 200}, {0, 150}};
  xl_file_info info = {.remote = urls[0],
                       .local = "C:\\f",
                       .content = rnd(c, 3) == 0 ? NULL : "content",
                       .piece_bytes = 64,
                       .mirrors = &urls[1],
                       .nmirrors = (uint32_t)rnd(c, 3)};

  CHECK_EQ(xl_job_create(a, "j", slot, c->base.now), XL_OK);
  for (uint64_t n = 1 + rnd(c, 3); n > 0; n--) {
    info.ranges = rnd(c, 5) == 0 ? spec : NULL;
    info.nranges = info.ranges == NULL ? 0 : 2;
    CHECK_EQ(xl_job_add_file(*slot, &info, NULL, c->base.now), XL_OK);
  }
  xl_job_set_peercaching(*slot, (uint32_t)rnd(c, 8) == 0 ? 0 : 3, c->base.now);
  xl_job_set_priority(*slot, (xl_priority)rnd(c, 4), c->base.now);
  xl_job_set_min_retry_delay(*slot, (uint32_t)rnd(c, 60), c->base.now);
  xl_job_resume(*slot, c->base.now);
}

static void call_job(chaos *c, xl_agent *a) {
  xl_job *j = any_job(c, a);
  xl_file *f = xl_job_file(j, (uint32_t)rnd(c, xl_job_nfiles(j)));
  xl_time now = c->base.now;

  switch (rnd(c, 12)) {
  case 0:
    xl_job_suspend(j, now);
    break;
  case 1:
    xl_job_set_priority(j, (xl_priority)rnd(c, 4), now);
    break;
  case 2:
    xl_job_set_peercaching(j, (uint32_t)rnd(c, 4), now);
    break;
  case 3:
    xl_file_set_remote_name(f, urls[rnd(c, NURLS)], now);
    break;
  case 4:
    xl_file_set_validation(f, rnd(c, 2) == 0, now);
    break;
  case 5:
    if (rnd(c, 4) == 0) {
      xl_job_cancel(j, now);
    }
    break;
  case 6:
    if (xl_job_state_of(j) == XL_JOB_TRANSFERRED || rnd(c, 20) == 0) {
      c->done += xl_job_complete(j, now) == XL_OK;
    }
    break;
  default:
    xl_job_resume(j, now);
    break;
  }
}

static void found(chaos *c) {
  xl_peer_info peers[NAGENTS];
  uint32_t n = 0;

  if (c->nsearch == 0) {
    return;
  }
  uint32_t i = (uint32_t)rnd(c, c->nsearch);
  for (uint32_t k = 0; k < NAGENTS; k++) {
    if (rnd(c, 3) > 0) {
      peers[n++] = (xl_peer_info){.id = k, .scope = (xl_scope)rnd(c, 4)};
    }
  }
  bool last = rnd(c, 3) > 0;
  xl_agent_found(c->searcher[i], c->search[i], peers, n, last, c->base.now);
  if (last) {
    c->nsearch--;
    c->search[i] = c->search[c->nsearch];
    c->searcher[i] = c->searcher[c->nsearch];
  }
}

static void shock(chaos *c, xl_agent *a) {
  xl_time now = c->base.now;

  c->ending = true;
  switch (rnd(c, 4)) {
  case 0:
    xl_agent_restart(a, now);
    break;
  case 1:
    xl_agent_link(a, false, now);
    break;
  default:
    xl_agent_link(a, true, now);
    break;
  }
  c->ending = false;
}

static void ask(chaos *c, xl_agent *a) {
  xl_name key = xl_engine_name(c->base.eng, "content");
  xl_bytes begin = rnd(c, 900);

  if (rnd(c, 2) == 0) {
    xl_agent_served(a, 1 + (uint32_t)rnd(c, c->asks + 1), 10, c->base.now);
  } else {
    xl_agent_asked(a, ++c->asks, (uint32_t)rnd(c, NAGENTS), (xl_scope)rnd(c, 4),
                   key, c->origin[0],
                   (xl_range){begin, begin + 1 + rnd(c, 100)}, c->base.now);
  }
}

static void step(chaos *c) {
  open_request *o = any_open(c);
  xl_agent *a = c->base.agents[rnd(c, NAGENTS)];

  switch (rnd(c, 24)) {
  case 0:
    call_job(c, a);
    break;
  case 1:
    found(c);
    break;
  case 2:
    c->base.now += (xl_span)rnd(c, (uint64_t)S(10));
    break;
  case 3:
    if (rnd(c, 6) == 0) {
      shock(c, a);
    } else {
      xl_agent_link(a, true, c->base.now);
    }
    break;
  case 4:
    ask(c, a);
    break;
  case 5:
    if (rnd(c, 30) == 0) { /* the remote files change */
      c->origin[rnd(c, NURLS)] =
          (xl_version){900 + 100 * rnd(c, 2), (int64_t)rnd(c, 3)};
    }
    break;
  case 6:
    if (xl_engine_deadline(c->base.eng) < c->base.now + S(3600)) {
      xl_time due = xl_engine_deadline(c->base.eng);
      c->base.now = due > c->base.now ? due : c->base.now;
    }
    xl_engine_advance(c->base.eng, c->base.now);
    break;
  case 7:
    if (rnd(c, 20) == 0) {
      xl_agent_late(a, 5, c->base.now);
      c->sent[xl_agent_id(a)] += 5;
    }
    break;
  case 8:
  case 9:
    if (o != NULL && (o->cancelled || rnd(c, 10) == 0)) {
      end(c, o);
    }
    break;
  case 10:
    if (o != NULL) {
      grow_arrived(c, o);
    }
    break;
  case 11:
  case 12:
  case 13:
  case 14:
    if (o != NULL) {
      reply(c, o);
    }
    break;
  default:
    if (o != NULL && (o->replied || rnd(c, 20) == 0)) {
      deliver(c, o);
    }
    break;
  }
}

static void check(chaos *c) {
  const char *bad = xl_engine_check(c->base.eng), *text = "";

  if (bad != NULL || xl_engine_status(c->base.eng, &text) != XL_OK) {
    printf("  step %u: %s; %s\n", c->nsteps, bad == NULL ? "-" : bad, text);
  }
  CU_ASSERT_PTR_NULL(bad);
  CHECK_EQ(xl_engine_status(c->base.eng, NULL), XL_OK);
  for (uint32_t i = 0; i < NAGENTS; i++) {
    CHECK_EQ(xl_ledger_total(xl_agent_ledger(c->base.agents[i])), c->sent[i]);
  }
}

static void renew_jobs(chaos *c, uint32_t i, xl_job **jobs) {
  for (int k = 0; k < 3; k++) {
    xl_job_state s = xl_job_state_of(jobs[k]);
    if (s == XL_JOB_ACKNOWLEDGED || s == XL_JOB_CANCELLED) {
      new_job(c, c->base.agents[i], &jobs[k]);
    }
  }
}

static void run(uint64_t seed, uint32_t nsteps) {
  chaos *c = calloc(1, sizeof *c);
  xl_engine_cfg cfg = xl_engine_cfg_default();
  xl_env env = {.size = sizeof env,
                .arg = c,
                .alloc = {chaos_realloc, c},
                .draw = chaos_draw,
                .peer_map = chaos_map,
                .arrived = chaos_arrived,
                .transfer = chaos_transfer};
  xl_job *jobs[NAGENTS][3];
  unsigned before = CU_get_number_of_failure_records();

  c->rng = seed;
  c->base.fuse = -1;
  c->base.seed = seed;
  cfg.requests_max = 5;
  cfg.peers_max = 4;
  cfg.time_slice = S(30);
  for (int i = 0; i < NURLS; i++) {
    c->origin[i] = (xl_version){1000, 1};
  }
  CHECK_EQ(xl_engine_new(&c->base.eng, &cfg, &env), XL_OK);
  for (uint32_t i = 0; i < NAGENTS; i++) {
    xl_agent_cfg acfg = {.id = i,
                         .user = jobs[i],
                         .policy = &chaos_policies[i % 4],
                         .peercaching = i == 5 ? 1 : 3};
    CHECK_EQ(xl_agent_new(&c->base.agents[i], c->base.eng, &acfg, 0), XL_OK);
    c->base.nagents++;
    for (int k = 0; k < 3; k++) {
      new_job(c, c->base.agents[i], &jobs[i][k]);
    }
  }
  act(c);
  for (c->nsteps = 0; c->nsteps < nsteps; c->nsteps++) {
    step(c);
    act(c);
    check(c);
    if (CU_get_number_of_failure_records() > before ||
        xl_engine_status(c->base.eng, NULL) != XL_OK) {
      break;
    }
    for (uint32_t i = 0; i < NAGENTS; i++) {
      renew_jobs(c, i, jobs[i]);
    }
    act(c);
  }
  c->ending = true;
  for (uint32_t i = 0; i < NAGENTS; i++) {
    xl_agent_settle(c->base.agents[i], c->base.now);
  }
  check(c);
  CHECK_EQ(c->nsteps, nsteps);
  CU_ASSERT(nsteps < 5000 || c->done > 0);
  for (int e = 0; e < XL_NENDS && nsteps >= 5000; e++) {
    CU_ASSERT(c->ended[e] > 0);
    if (c->ended[e] == 0) {
      printf("  no request ended as %s\n", xl_end_name((xl_end)e));
    }
  }
  xl_engine_del(c->base.eng);
  CHECK_EQ(c->base.held, 0);
  free(c);
}

static void test_long(void) {
  run(1, 20000);
}

static void test_seeds(void) {
  for (uint64_t seed = 2; seed < 40; seed++) {
    if (CU_get_number_of_failure_records() > 0) {
      printf("  before seed %d\n", (int)seed);
      break;
    }
    run(seed, 500);
  }
}

TEST_SUITE("engine random",
           {"20,000 random steps keep every invariant", test_long},
           {"so do 500 steps of many seeds", test_seeds})
