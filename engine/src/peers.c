/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "bits.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"

swarm *xli_swarm_new(xl_engine *eng) {
  if (eng->looks == NULL) {
    eng->looks = xli_new(eng, eng->cfg.peers_max * sizeof *eng->looks);
  }
  swarm *s = eng->looks == NULL ? NULL : xli_new(eng, sizeof *s);

  if (s != NULL) {
    eng->look_turn++; /* these are other peers */
    s->searched = -1;
    s->find_due = eng->now;
    s->poll_due = XL_NEVER;
    s->quiet_due = XL_NEVER;
    s->synced = eng->now;
  }
  return s;
}

void xli_swarm_del(xl_engine *eng, swarm *s) {
  if (s != NULL) {
    xli_free(eng, s->peers);
    xli_free(eng, s->avail);
    if (s->turn != NULL) {
      xli_free(eng, s->turn->all);
    }
    xli_free(eng, s->turn);
    xli_free(eng, s);
  }
}

uint32_t xli_peers_find(const swarm *s, uint32_t id) {
  for (uint32_t i = 0; i < s->n; i++) {
    if (s->peers[i].id == id) {
      return i;
    }
  }
  return XL_NONE;
}

static size_t state_size(const xl_file *f) {
  return f->job->agent->policy->peer_state_size;
}

void *xli_peer_state(const xl_file *f, uint32_t i) {
  const swarm *s = f->swarm;

  return (unsigned char *)(s->peers + s->cap) + i * state_size(f);
}

bool xli_peers_room(xl_file *f, uint32_t n) {
  swarm *s = f->swarm;
  size_t each = state_size(f);

  if (n <= s->cap) {
    return true;
  }
  assert(n <= UINT16_MAX);
  xl_peer *peers =
      xli_resize(f->job->agent->engine, s->peers, n * (sizeof *peers + each));
  if (peers == NULL) {
    return false;
  }
  memmove(peers + n, peers + s->cap, s->n * each);
  s->peers = peers;
  s->cap = (uint16_t)n;
  return true;
}

void xli_peers_add(xl_file *f, const xl_peer_info *info) {
  swarm *s = f->swarm;
  uint32_t i = s->n++;

  assert(i < s->cap);
  memset(xli_peer_state(f, i), 0, state_size(f));
  s->peers[i] = (xl_peer){.id = info->id, .scope = info->scope & 7u};
  s->unsynced = true;
}

/* ---- how many see a piece ---- */

uint32_t xli_avail_bits(const xl_engine *eng) {
  return xli_bits_of(eng->cfg.peers_max);
}

/* Adds 1 to, or takes 1 from, the counts of the pieces |set| of 64. */
static void step(uint64_t *word, uint32_t bits, uint64_t set, bool add) {
  for (uint32_t b = 0; set != 0; b++) {
    assert(b < bits);
    uint64_t was = word[b];
    word[b] ^= set;
    set &= add ? was : ~was; /* what is carried */
  }
}

/* Adds or takes pieces |from| .. |n| - 1 of the journal. */
static void count(const xl_file *f, const xl_map *m, uint32_t from, uint32_t n,
                  bool add) {
  uint64_t *avail = f->swarm->avail;
  uint32_t bits = xli_avail_bits(f->job->agent->engine);

  if (m->full || (from == 0 && n == m->nheld)) { /* 64 at a time */
    for (uint32_t k = from / 64; k * 64 < m->npieces; k++) {
      uint64_t set = m->full ? bits_mask(k, from, n) : xli_map_held(m)[k];
      step(avail + (size_t)k * bits, bits, set, add);
    }
    return;
  }
  for (uint32_t i = from; i < n; i++) {
    uint32_t piece = xl_map_journal(m, i);
    step(avail + (size_t)(piece / 64) * bits, bits, (uint64_t)1 << (piece % 64),
         add);
  }
}

/* The peer's pieces leave the counts. */
static void discount(xl_file *f, uint32_t i) {
  swarm *s = f->swarm;
  xl_peer *p = &s->peers[i];

  if (p->counted && s->avail != NULL && !s->stale) {
    const xl_map *m = xli_peer_map(f, i);
    if (m == NULL) {
      s->stale = true;
    } else {
      count(f, m, 0, p->nheld, false);
    }
  }
  p->counted = false;
}

void xli_peers_drop(xl_file *f, uint32_t i) {
  swarm *s = f->swarm;
  uint32_t last = s->n - 1;

  discount(f, i);
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f && r->peer == i) {
      r->peer = XL_NONE;
    } else if (r->file == f && r->peer == last) {
      r->peer = i;
    }
  }
  if (i != last) {
    s->peers[i] = s->peers[last];
    memcpy(xli_peer_state(f, i), xli_peer_state(f, last), state_size(f));
  }
  f->job->agent->engine->look_turn++; /* indices have changed */
  if (s->search == 0 && s->n == f->job->agent->engine->cfg.peers_max) {
    s->find_due = f->job->agent->engine->now; /* there is room again */
  }
  s->n--;
}

static void quiet(xl_file *f, xl_time until) {
  swarm *s = f->swarm;

  s->quiet_due = xl_time_min(s->quiet_due, until);
  xli_agent_wake(f->job->agent, until);
}

static xl_time later(xl_time a, xl_time b) {
  return a > b ? a : b;
}

void xli_peers_ban(xl_file *f, uint32_t i, xl_time until) {
  xl_peer *p = &f->swarm->peers[i];

  discount(f, i);
  p->banned = true;
  p->quiet_until = later(p->quiet_until, until);
  quiet(f, until);
}

void xli_peers_busy(xl_file *f, uint32_t i, xl_time until) {
  xl_peer *p = &f->swarm->peers[i];

  p->quiet_until = p->banned ? later(p->quiet_until, until) : until;
  quiet(f, until);
}

/* ---- rows ---- */

/* Whole validated records only (R618, R642). */
static bool whole_only(const xl_file *f) {
  return f->job->agent->policy->flavour == XL_FLAVOUR_BITS3;
}

bool xli_peers_by_row(const xl_file *f) {
  return f->swarm != NULL && f->swarm->turn != NULL;
}

xl_name xli_peers_key(const xl_file *f) {
  return xli_peers_by_row(f) ? f->swarm->turn->key : f->key;
}

/* The row that byte |at| of the local file belongs to. */
static uint32_t row_of(const xl_file *f, xl_bytes at, xl_range *bytes) {
  uint32_t i = 0;

  bytes->begin = 0;
  for (;; i++) {
    xl_bytes len = xli_ranges_total(&f->ranges[i], 1, f->version.size);
    bytes->end = bytes->begin + len;
    if (at < bytes->end || i + 1 == f->nranges) {
      break;
    }
    bytes->begin = bytes->end;
  }
  return i;
}

/* The first turn. */
static bool begin_turns(xl_file *f) {
  swarm *s = f->swarm;
  xl_engine *eng = f->job->agent->engine;

  s->turn = xli_new(eng, sizeof *s->turn);
  if (s->turn == NULL) {
    return false;
  }
  s->turn->row = XL_NONE;
  s->turn->all = xli_map_full(eng, f->have.npieces, eng->now);
  return s->turn->all != NULL;
}

void xli_peers_turn(xl_file *f) {
  swarm *s = f->swarm;
  xl_engine *eng = f->job->agent->engine;
  xl_bytes end, at = 0;
  xl_range bytes;

  if (f->nranges == 0 || f->have.map == NULL || !whole_only(f) ||
      (s->turn == NULL && !begin_turns(f))) {
    return;
  }
  while (at < f->have.size && xli_have_run(&f->have, at, f->have.size, &end)) {
    at = end;
  }
  uint32_t row = row_of(f, at, &bytes);
  if (row == s->turn->row) {
    return;
  }
  while (s->n > 0) {
    xli_peers_drop(f, s->n - 1);
  }
  s->turn->row = row;
  s->turn->bytes = bytes;
  s->turn->key = xli_file_row_key(f, row);
  s->search = 0;
  s->nsearches = 0;
  s->searched = -1;
  s->find_due = eng->now;
}

/* What the environment lends for peer |p| now, and how much of it is seen. */
static const xl_map *lent(const xl_file *f, const xl_peer *p,
                          uint32_t *visible) {
  xl_agent *a = f->job->agent;
  xl_engine *eng = a->engine;

  *visible = 0;
  eng->inside = true;
  const xl_map *m = eng->env.peer_map(eng->env.arg, a, p->id, xli_peers_key(f),
                                      f->version, visible);
  eng->inside = false;
  if (m != NULL && xli_peers_by_row(f)) {
    m = *visible == m->npieces ? f->swarm->turn->all : NULL;
    *visible = m == NULL ? 0 : m->nheld;
  }
  if (m == NULL || m->npieces != f->have.npieces) {
    *visible = 0;
    return NULL;
  }
  assert(*visible <= m->nheld);
  return m;
}

/* What is known of the map of peer |i| in this call of the engine. */
static look *look_of(const xl_file *f, uint32_t i) {
  xl_engine *eng = f->job->agent->engine;

  if (eng->look_file != f || eng->look_epoch != eng->epoch) {
    eng->look_file = f;
    eng->look_epoch = eng->epoch;
    eng->look_turn++;
  }
  return &eng->looks[i];
}

static const xl_map *learn(const xl_file *f, uint32_t i, const xl_map *m) {
  look *l = look_of(f, i);

  *l = (look){m, f->job->agent->engine->look_turn};
  return m;
}

const xl_map *xli_peer_map(const xl_file *f, uint32_t i) {
  const xl_peer *p = &f->swarm->peers[i];
  const look *l = look_of(f, i);
  uint32_t visible;

  if (p->map == 0) {
    return NULL;
  }
  if (l->turn == f->job->agent->engine->look_turn) {
    return l->map;
  }
  const xl_map *m = lent(f, p, &visible);
  bool same = m != NULL && m->id == p->map && m->nheld >= p->nheld;
  return learn(f, i, same ? m : NULL);
}

static bool sync_peer(xl_file *f, uint32_t i) {
  swarm *s = f->swarm;
  xl_peer *p = &s->peers[i];
  xl_engine *eng = f->job->agent->engine;
  uint32_t visible;
  const xl_map *m = lent(f, p, &visible);

  if (m != NULL && whole_only(f) && visible < m->npieces) {
    m = NULL;
    visible = 0;
  }
  uint32_t id = m == NULL ? 0 : m->id;
  bool same = id == p->map && visible >= p->nheld;
  bool changed = id != p->map || visible != p->nheld;
  eng->announcements += changed && m != NULL;
  bool want = m != NULL && !xli_peer_banned(p, eng->now);
  uint32_t from = p->counted && same ? p->nheld : 0;
  if (p->counted && (!same || !want)) {
    s->stale = true;
  }
  p->counted = want;
  if (want && s->avail != NULL && !s->stale) {
    count(f, m, from, visible, true);
  }
  p->map = id;
  p->nheld = visible;
  learn(f, i, m);
  return changed;
}

/* Peers that were busy or left out and no longer are; the next such time. */
static void expire(swarm *s, xl_time now) {
  s->quiet_due = XL_NEVER;
  for (uint32_t i = 0; i < s->n; i++) {
    xl_peer *p = &s->peers[i];
    if (p->quiet_until > now) {
      s->quiet_due = xl_time_min(s->quiet_due, p->quiet_until);
    } else if (p->banned) {
      p->banned = false; /* it counts again from the next sync on */
      s->unsynced = true;
    }
  }
}

bool xli_peers_sync(xl_file *f) {
  swarm *s = f->swarm;
  xl_engine *eng = f->job->agent->engine;
  bool changed = false;

  if (s->quiet_due <= eng->now) {
    expire(s, eng->now);
  }
  if (!s->unsynced &&
      eng->now < xl_time_add(s->synced, eng->cfg.announce_interval)) {
    return false;
  }
  for (uint32_t i = 0; i < s->n; i++) {
    changed = sync_peer(f, i) || changed;
  }
  s->synced = eng->now;
  s->unsynced = false;
  return changed;
}

bool xli_peer_has(const xl_file *f, uint32_t i, uint32_t piece) {
  const xl_peer *p = &f->swarm->peers[i];
  const xl_map *m = xli_peer_map(f, i);

  return m != NULL && xli_map_sees(m, piece, p->nheld);
}

const uint64_t *xli_peers_avail(const xl_file *f) {
  swarm *s = f->swarm;
  xl_engine *eng = f->job->agent->engine;
  size_t size =
      xli_avail_bits(eng) * bits_words(f->have.npieces) * sizeof *s->avail;

  assert(f->have.npieces > 0);
  if (s->avail == NULL) {
    s->avail = xli_new(eng, size);
    s->stale = true;
  }
  if (s->avail != NULL && s->stale) {
    memset(s->avail, 0, size);
    for (uint32_t i = 0; i < s->n; i++) {
      const xl_map *m = s->peers[i].counted ? xli_peer_map(f, i) : NULL;
      s->peers[i].counted = m != NULL;
      if (m != NULL) {
        count(f, m, 0, s->peers[i].nheld, true);
      }
    }
    s->stale = false;
  }
  return s->avail;
}

uint32_t xli_peers_holders(const xl_file *f, uint32_t piece) {
  uint32_t n = 0;

  if (f->swarm == NULL) {
    return 0;
  }
  const uint64_t *avail = xli_peers_avail(f);
  for (uint32_t i = 0; avail == NULL && i < f->swarm->n; i++) {
    n += f->swarm->peers[i].counted && xli_peer_has(f, i, piece);
  }
  uint32_t bits = xli_avail_bits(f->job->agent->engine);
  for (uint32_t b = 0; avail != NULL && b < bits; b++) { /* the same */
    n |= (uint32_t)(avail[piece / 64 * bits + b] >> (piece % 64) & 1) << b;
  }
  return n;
}

void xli_peers_wait(xl_file *f) {
  swarm *s = f->swarm;
  xl_agent *a = f->job->agent;
  xl_time now = a->engine->now;
  bool grows = false;

  for (uint32_t i = 0; i < s->n && !grows; i++) {
    grows = s->peers[i].nheld < f->have.npieces;
  }
  s->poll_due = XL_NEVER;
  if (grows && f->have.map->nheld + f->have.nbusy < f->have.npieces) {
    s->poll_due = xl_time_add(s->synced, a->engine->cfg.announce_interval);
    s->poll_due = s->poll_due <= now ? now + 1 : s->poll_due;
    xli_agent_wake(a, s->poll_due);
  }
  xli_agent_wake(a, s->quiet_due);
}
