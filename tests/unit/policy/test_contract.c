/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every policy must keep, whatever it is shown. Each table entry is asked
 * about random files, peers, devices and parameter values; its answers are
 * checked against the contract of <xl/policy.h> alone.
 */
#include "test.h"

#include "fake.h"

#define VIEWS 20000

static uint64_t state;

static uint64_t below(uint64_t n) { /* splitmix64 */
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (z ^ z >> 31) % n;
}

static bool one_in(uint64_t n) {
  return below(n) == 0;
}

static void random_text(char *out, uint32_t n, const char *letters) {
  for (uint32_t i = 0; i < n; i++) {
    out[i] = letters[below(strlen(letters))];
  }
  out[n] = '\0';
}

/* Each parameter is its default, its smallest or its largest value. */
static void random_params(fake *w) {
  for (uint32_t i = 0; i < w->policy->nparams; i++) {
    const xl_param *q = &w->policy->params[i];
    if (q->type == XL_PARAM_ENUM || q->type == XL_PARAM_BOOL) {
      int n = 1;
      const char *list = q->choices == NULL ? "false|true" : q->choices;
      for (const char *c = list; *c != '\0'; c++) {
        n += *c == '|';
      }
      w->params[i].i = one_in(2) ? w->params[i].i : (int64_t)below((uint64_t)n);
    } else if (q->min != NULL && one_in(6)) {
      fake_set(w, q->name, q->min);
    } else if (q->max != NULL && one_in(6)) {
      fake_set(w, q->name, q->max);
    }
  }
}

static void random_peers(fake *w) {
  static const char *const kinds[] = {"########.", "....#", "#", "."};
  uint32_t n = one_in(4) ? 0 : (uint32_t)below(FAKE_PEERS);
  char pieces[FAKE_PIECES + 1];

  for (uint32_t k = 0; k < n; k++) {
    random_text(pieces, w->file.npieces, kinds[below(4)]);
    uint32_t i = fake_add(w, (xl_scope)below(XL_SCOPE_NONE), pieces);
    xl_peer_view *p = &w->peers[i].view;
    p->banned = one_in(5);
    p->busy_until = one_in(4) ? w->now + (xl_time)below(5) - 2 : 0;
    p->requests = one_in(4) ? (uint32_t)below(3) : 0;
    p->failures = (uint32_t)below(3);
    w->file.peer_requests += p->requests;
  }
}

static void random_view(fake *w, const xl_policy *p) {
  static const char *const kinds[] = {"#.", "#a.", ".", "#####."};
  char pieces[FAKE_PIECES + 1];

  random_text(pieces, 1 + (uint32_t)below(24), kinds[below(4)]);
  fake_init(w, p->name, pieces);
  random_params(w);
  w->draws = below(1u << 30);
  w->now = (xl_time)below((uint64_t)XL_SEC(100));
  w->file.started = (xl_time)below((uint64_t)w->now + 1);
  w->file.foreground = one_in(3);
  w->file.peers_allowed = !one_in(8);
  w->file.origin_only = one_in(8);
  w->file.has_ranges = one_in(8);
  w->file.searching = one_in(3);
  w->file.nsearches = (uint32_t)below(3);
  w->file.searched = w->file.nsearches == 0 ? -1 : (xl_time)below(50);
  w->file.peer_failures = one_in(4) ? (uint32_t)below(6) : 0;
  w->file.nmirrors = 1 + (uint32_t)below(3);
  w->file.mirror = (uint32_t)below(w->file.nmirrors);
  w->file.peer_rate = one_in(2) ? 0 : below(5000000);
  w->file.origin_rate = one_in(2) ? 0 : below(5000000);
  w->device.on_vpn = one_in(8);
  w->device.on_battery = one_in(4);
  w->device.uploaded_bytes = one_in(4) ? 30000000000u : 0;
  if (one_in(8)) {
    w->device.ram_bytes = XL_GIB(2);
  }
  random_peers(w);
  w->file.origin_requests = w->file.nasked > 0 ? (uint32_t)below(2) : 0;
}

static bool scope_allowed(const fake *w, xl_scope s) {
  xl_ask ask = {
      .scope = s, .complete = true, .validated = true, .size_bytes = XL_GIB(9)};
  fake mirror = *w; /* a device like this one serves the scopes it asks */

  mirror.device =
      (xl_device_view){.ram_bytes = XL_GIB(64), .disk_bytes = XL_GIB(512)};
  return fake_serve(&mirror, ask).why != XL_REASON_OUT_OF_SCOPE;
}

static const char *check_reason(const fake *w) {
  const xl_pick *p = &w->out;

  if ((unsigned)p->reason >= XL_NREASONS || p->reason == XL_REASON_OTHER) {
    return "no reason";
  }
  if (p->rejected >> XL_NREASONS != 0 || (p->rejected & BIT(OTHER))) {
    return "an unknown reason is rejected";
  }
  return p->rejected & 1u << p->reason ? "the chosen reason is rejected" : NULL;
}

static const char *check_pick(const fake *was, const fake *w) {
  const xl_pick *p = &w->out;
  const xl_peer_view *v = &was->peers[p->peer % FAKE_PEERS].view;

  if (p->range.begin >= p->range.end || p->range.end > was->file.size_bytes) {
    return "the range is empty or outside the file";
  }
  for (xl_bytes b = p->range.begin; b < p->range.end; b += FAKE_PIECE) {
    if (!fake_free(was, (uint32_t)(b / FAKE_PIECE))) {
      return "the range is not free";
    }
    if (p->kind == XL_SOURCE_PEER &&
        !fake_has(was, p->peer, (uint32_t)(b / FAKE_PIECE))) {
      return "the peer does not have it";
    }
  }
  if (p->kind == XL_SOURCE_ORIGIN) {
    return p->reason == XL_REASON_PEER_HAS_IT ? "a peer's reason" : NULL;
  }
  if (p->kind != XL_SOURCE_PEER || p->peer >= was->file.npeers) {
    return "no such source";
  }
  if (!was->file.peers_allowed || was->file.origin_only) {
    return "a peer is used though none may be";
  }
  if (v->banned || v->busy_until > was->now) {
    return "the peer is banned or busy";
  }
  return scope_allowed(was, v->scope) ? NULL : "the peer is out of scope";
}

/* No pick. Something must wake the file up again. */
static const char *check_wait(const fake *w) {
  const xl_file_view *f = &w->file;

  if (w->again <= w->now) {
    return "again is not later than now";
  }
  if (w->again == XL_NEVER && fake_count(w->pieces, '.') > 0 &&
      f->origin_requests + f->peer_requests == 0 && !f->searching &&
      f->nsearches > 0) {
    return "nothing will ever wake this file";
  }
  return NULL;
}

static const char *check_find(const fake *w) {
  const xl_find *f = &w->sought;

  if (!w->finding) {
    return w->again > w->now ? NULL : "find: again is not later than now";
  }
  if (w->file.searching || !w->file.peers_allowed || w->file.origin_only) {
    return "a search while there is one, or though peers may not be used";
  }
  if (f->scopes == 0 || f->scopes >> XL_SCOPE_NONE != 0 || f->want == 0 ||
      f->timeout <= 0) {
    return "a search for nobody";
  }
  for (xl_scope s = XL_SCOPE_SUBNET; s < XL_SCOPE_NONE; s++) {
    if (f->scopes >> s & 1 && !scope_allowed(w, s)) {
      return "a search out of scope";
    }
  }
  return NULL;
}

static const char *check_serve(fake *w) {
  xl_ask ask = {.scope = (xl_scope)below(XL_SCOPE_NONE),
                .range = {0, FAKE_PIECE},
                .size_bytes = below(2) * XL_GIB(1) + 1,
                .complete = one_in(2),
                .validated = one_in(2),
                .uploads = (uint32_t)below(6)};
  xl_answer a = fake_serve(w, ask);

  if (a.why == XL_REASON_OTHER || (unsigned)a.why >= XL_NREASONS) {
    return "serve: no reason";
  }
  if (a.accept ? a.cap == 0 : a.retry_after < 0) {
    return "serve: no rate, or a time in the past";
  }
  return a.accept == (a.why == XL_REASON_PEER_HAS_IT)
             ? NULL
             : "serve: the reason is not of the answer";
}

static const char *check_failed(fake *w) {
  xl_failure f = {.kind = one_in(2) ? XL_SOURCE_ORIGIN : XL_SOURCE_PEER,
                  .peer = (uint32_t)below(FAKE_PEERS),
                  .end = (xl_end)(1 + below(XL_NENDS - 1)),
                  .in_row = 1 + (uint32_t)below(5)};

  if (f.kind == XL_SOURCE_PEER && f.peer >= w->file.npeers) {
    return NULL;
  }
  xl_remedy r = fake_failed(w, f);
  if (r.mirror != XL_NONE && r.mirror >= w->file.nmirrors) {
    return "failed: no such remote name";
  }
  return r.ban_peer < 0 ? "failed: a ban in the past" : NULL;
}

/* Asks until there is no more to pick, as the engine does. */
static const char *drive(fake *w) {
  const char *wrong;

  for (int n = 0; n < 200; n++) {
    fake was = *w;
    if (!fake_pick(w)) {
      return check_wait(w);
    }
    wrong = check_reason(w);
    wrong = wrong != NULL ? wrong : check_pick(&was, w);
    if (wrong != NULL) {
      return wrong;
    }
  }
  return "picks without end";
}

static const char *check_view(fake *w) {
  const xl_policy *p = w->policy;
  const char *wrong = NULL;

  if (p->begin != NULL) {
    p->begin(&fake_host, w);
  }
  if (p->find != NULL) {
    fake_find(w);
    wrong = check_find(w);
  }
  wrong = wrong != NULL ? wrong : drive(w);
  if (p->serve != NULL && wrong == NULL) {
    wrong = check_serve(w);
  }
  if (p->failed != NULL && wrong == NULL) {
    wrong = check_failed(w);
  }
  if (p->keep != NULL && wrong == NULL) {
    xl_keep k = fake_keep(w);
    wrong = k.keep && (k.age_max <= 0 || k.bytes_max == 0)
                ? "keep: for no time or in no room"
                : NULL;
  }
  return wrong;
}

static void test_random_views(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    state = 20260101;
    for (int n = 0; n < VIEWS; n++) {
      fake w;
      random_view(&w, *p);
      const char *wrong = check_view(&w);
      if (wrong != NULL) {
        printf("  %s, view %d: %s\n", (*p)->name, n, wrong);
        CU_FAIL("a policy breaks the contract");
        return;
      }
    }
  }
}

static void test_equal_views(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    for (uint64_t n = 0; n < 500; n++) {
      fake a, b;
      state = n;
      random_view(&a, *p);
      state = n;
      random_view(&b, *p);
      do {
        CHECK_EQ(fake_pick(&a), fake_pick(&b));
        CHECK_EQ(a.out.range.begin, b.out.range.begin);
        CHECK_EQ(a.out.kind, b.out.kind);
        CHECK_EQ(a.out.reason, b.out.reason);
      } while (a.picked);
      CHECK_EQ(a.again, b.again);
    }
  }
}

/* The bytes of states that are used lie within the sizes of the table. */
static void test_states(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    state = 4;
    for (int n = 0; n < 2000; n++) {
      fake w;
      random_view(&w, *p);
      (void)check_view(&w);
      for (uint32_t i = (*p)->file_state_size; i < sizeof w.file_state; i++) {
        CU_ASSERT(w.file_state[i] == 0);
      }
      for (uint32_t i = (*p)->agent_state_size; i < sizeof w.agent_state; i++) {
        CU_ASSERT(w.agent_state[i] == 0);
      }
      for (size_t i = w.file.npeers * (*p)->peer_state_size;
           i < sizeof w.peer_states; i++) {
        CU_ASSERT(w.peer_states[i] == 0);
      }
    }
  }
}

TEST_SUITE("policy contract",
           {"every policy keeps the contract in 20,000 random views",
            test_random_views},
           {"equal views and draws give equal answers", test_equal_views},
           {"states stay within the declared sizes", test_states})
