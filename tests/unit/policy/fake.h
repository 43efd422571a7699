/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake engine for policies: one file and some peers, written as strings.
 * A file's pieces are '.' free, 'a' asked for, '#' held; a peer's are '#' held.
 *
 *   fake w;
 *   fake_init(&w, "bits-peer-cache", "........");
 *   fake_add(&w, XL_SCOPE_SUBNET, "########");
 *   fake_pick(&w);  ->  w.picked, w.out, w.again
 *
 * A pick that is made marks its pieces as asked for. Time is in w.now.
 */
#ifndef TESTS_POLICY_FAKE_H
#define TESTS_POLICY_FAKE_H

#include <xl/policy.h>

#include "values.h"

#define FAKE_PEERS 32
#define FAKE_PIECES 64
#define FAKE_PIECE XL_MIB(10)

typedef struct xl_view {
  const xl_policy *policy;
  xl_time now;
  xl_value params[64];
  xl_device_view device;
  xl_file_view file;
  bool no_file; /* as in serve */
  char pieces[FAKE_PIECES + 1];
  struct {
    xl_peer_view view;
    char pieces[FAKE_PIECES + 1];
  } peers[FAKE_PEERS];
  xl_peer rows[FAKE_PEERS]; /* the same, made when they are asked for */
  _Alignas(16) unsigned char peer_states[FAKE_PEERS * 16];
  _Alignas(16) unsigned char agent_state[256], file_state[256];
  uint64_t draws;
  bool picked, finding;
  xl_pick out;
  xl_find sought;
  xl_time again;
} fake;

static xl_time fake_now(const xl_view *v) {
  return v->now;
}
static uint64_t fake_random(xl_view *v) { /* splitmix64 */
  uint64_t z = (v->draws += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}
static xl_value fake_param(const xl_view *v, uint32_t i) {
  assert(i < v->policy->nparams);
  return v->params[i];
}
static void *fake_agent_state(xl_view *v) {
  return v->agent_state;
}
static void *fake_file_state(xl_view *v) {
  return v->file_state;
}
static void *fake_peer_state(xl_view *v, uint32_t i) {
  assert(i < v->file.npeers);
  return v->peer_states + (size_t)i * v->policy->peer_state_size;
}
static const xl_device_view *fake_device(xl_view *v) {
  return &v->device;
}
static const xl_file_view *fake_file(xl_view *v) {
  static const xl_file_view none;
  return v->no_file ? &none : &v->file;
}
static void fake_peer(const xl_view *v, uint32_t i, xl_peer_view *out) {
  assert(i < v->file.npeers);
  *out = v->peers[i].view;
}
static const xl_peer *fake_peers(const xl_view *v) {
  fake *w = (fake *)(uintptr_t)v;
  for (uint32_t i = 0; i < v->file.npeers; i++) {
    const xl_peer_view *p = &v->peers[i].view;
    w->rows[i] =
        (xl_peer){.quiet_until = p->banned ? v->now + 1 : p->busy_until,
                  .id = p->id,
                  .nheld = p->nheld,
                  .scope = p->scope & 7u,
                  .requests = p->requests & 255u,
                  .failures = p->failures & 31u,
                  .banned = p->banned};
  }
  return w->rows;
}
static bool fake_held(const xl_view *v, uint32_t p) {
  return v->pieces[p] == '#';
}
static bool fake_free(const xl_view *v, uint32_t p) {
  return v->pieces[p] == '.';
}
static bool fake_has(const xl_view *v, uint32_t i, uint32_t p) {
  return v->peers[i].pieces[p] == '#';
}
static uint32_t fake_holders(const xl_view *v, uint32_t p) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < v->file.npeers; i++) {
    n += !v->peers[i].view.banned && fake_has(v, i, p);
  }
  return n;
}
static uint32_t fake_choose(xl_view *v, uint32_t peer, xl_order order) {
  uint32_t best = XL_NONE, ties = 0;
  for (uint32_t p = 0; p < v->file.npieces; p++) {
    if (!fake_free(v, p) || (peer != XL_NONE && !fake_has(v, peer, p))) {
      continue;
    }
    if (order == XL_ORDER_RAREST && best != XL_NONE &&
        fake_holders(v, p) != fake_holders(v, best)) {
      ties = fake_holders(v, p) < fake_holders(v, best) ? 0 : ties;
      best = ties == 0 ? p : best;
      ties += ties == 0;
    } else if (best == XL_NONE ||
               (order != XL_ORDER_SEQUENTIAL && fake_random(v) % ++ties == 0)) {
      best = p;
      ties += ties == 0;
    }
  }
  return best;
}
static xl_range fake_range(uint32_t begin, uint32_t end) {
  return (xl_range){begin * FAKE_PIECE, end * FAKE_PIECE};
}
static bool fake_next_gap(const xl_view *v, xl_bytes from, xl_range *out) {
  uint32_t p = (uint32_t)(from / FAKE_PIECE), q;
  while (p < v->file.npieces && !fake_free(v, p)) {
    p++;
  }
  for (q = p; q < v->file.npieces && fake_free(v, q); q++) {
  }
  *out = fake_range(p, q);
  return p < q;
}
static xl_range fake_piece_gap(const xl_view *v, uint32_t p) {
  assert(fake_free(v, p));
  return fake_range(p, p + 1);
}

static const xl_host fake_host = {
    sizeof(xl_host), XL_POLICY_ABI,    fake_now,        fake_random,
    fake_param,      fake_agent_state, fake_file_state, fake_peer_state,
    fake_device,     fake_file,        fake_peer,       fake_held,
    fake_free,       fake_has,         fake_holders,    fake_choose,
    fake_next_gap,   fake_piece_gap,   fake_peers};

static uint32_t fake_count(const char *pieces, char what) {
  uint32_t n = 0;
  for (; *pieces != '\0'; pieces++) {
    n += *pieces == what;
  }
  return n;
}

static void fake_copy(char *to, const char *pieces) {
  size_t len = strlen(pieces);

  assert(len <= FAKE_PIECES);
  memcpy(to, pieces, len + 1);
}

static void fake_pieces(fake *w, const char *pieces) {
  fake_copy(w->pieces, pieces);
  w->file.npieces = (uint32_t)strlen(pieces);
  w->file.piece_bytes = (uint32_t)FAKE_PIECE;
  w->file.size_bytes = w->file.npieces * FAKE_PIECE;
  w->file.nheld = fake_count(pieces, '#');
  w->file.nasked = fake_count(pieces, 'a');
  w->file.received = w->file.nheld * FAKE_PIECE;
}

static void fake_set(fake *w, const char *name, const char *text) {
  const xl_policy *p = w->policy;
  double number;
  uint32_t i = 0;

  while (strcmp(p->params[i].name, name) != 0) {
    i++;
    assert(i < p->nparams);
  }
  bool good = value_read(&p->params[i], text, &w->params[i], &number);
  assert(good);
  (void)good;
}

/* A desktop with one file that peers may supply; a search has ended. */
static void fake_init(fake *w, const char *policy, const char *pieces) {
  *w = (fake){.policy = xl_policy_find(policy), .again = XL_NEVER};
  assert(w->policy != NULL && w->policy->nparams <= 64);
  for (uint32_t i = 0; i < w->policy->nparams; i++) {
    fake_set(w, w->policy->params[i].name, w->policy->params[i].def);
  }
  w->device.ram_bytes = XL_GIB(8);
  w->device.disk_bytes = XL_GIB(256);
  w->file.peers_allowed = true;
  w->file.nmirrors = 1;
  w->file.nsearches = 1;
  fake_pieces(w, pieces);
}

static uint32_t fake_add(fake *w, xl_scope scope, const char *pieces) {
  uint32_t i = w->file.npeers++;
  assert(i < FAKE_PEERS && strlen(pieces) == w->file.npieces);
  fake_copy(w->peers[i].pieces, pieces);
  w->peers[i].view = (xl_peer_view){
      .id = 100 + i, .scope = scope, .nheld = fake_count(pieces, '#')};
  return i;
}

static bool fake_pick(fake *w) {
  w->out = (xl_pick){.kind = XL_NSOURCES};
  w->picked = w->policy->pick(&fake_host, w, &w->out, &w->again);
  if (w->picked) {
    for (xl_bytes b = w->out.range.begin; b < w->out.range.end;
         b += FAKE_PIECE) {
      w->pieces[b / FAKE_PIECE] = 'a';
    }
    w->file.nasked = fake_count(w->pieces, 'a');
    if (w->out.kind == XL_SOURCE_PEER) {
      w->file.peer_requests++;
      w->peers[w->out.peer].view.requests++;
    } else {
      w->file.origin_requests++;
    }
  }
  return w->picked;
}

static bool fake_find(fake *w) {
  w->finding = w->policy->find(&fake_host, w, &w->sought, &w->again);
  return w->finding;
}

static xl_remedy fake_failed(fake *w, xl_failure f) {
  xl_remedy out = {.mirror = XL_NONE, .ban_peer = XL_SEC(60)};
  w->policy->failed(&fake_host, w, &f, &out);
  return out;
}

static xl_answer fake_serve(fake *w, xl_ask ask) {
  xl_answer out = {.why = XL_REASON_OTHER};
  w->no_file = true;
  w->policy->serve(&fake_host, w, &ask, &out);
  w->no_file = false;
  return out;
}

static xl_keep fake_keep(fake *w) {
  xl_keep out = {0};
  w->policy->keep(&fake_host, w, &out);
  return out;
}

#define BIT(reason) (1u << XL_REASON_##reason)

/* The pick that was made: source, peer, reason, and the rejected mask. */
#define CHECK_PEER(w, who, mask)                                               \
  do {                                                                         \
    CHECK_EQ((w)->picked, true);                                               \
    CHECK_EQ((w)->out.kind, XL_SOURCE_PEER);                                   \
    CHECK_EQ((w)->out.peer, who);                                              \
    CHECK_EQ((w)->out.reason, XL_REASON_PEER_HAS_IT);                          \
    CHECK_EQ((w)->out.rejected, mask);                                         \
  } while (0)
#define CHECK_ORIGIN(w, why, mask)                                             \
  do {                                                                         \
    CHECK_EQ((w)->picked, true);                                               \
    CHECK_EQ((w)->out.kind, XL_SOURCE_ORIGIN);                                 \
    CHECK_EQ((w)->out.reason, XL_REASON_##why);                                \
    CHECK_EQ((w)->out.rejected, mask);                                         \
  } while (0)
#define CHECK_WAIT(w, until)                                                   \
  do {                                                                         \
    CHECK_EQ((w)->picked, false);                                              \
    CHECK_EQ((w)->again, until);                                               \
  } while (0)

#endif
