/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"

swarm *xli_swarm_new(xl_engine *eng) {
  swarm *s = xli_new(eng, sizeof *s);

  if (s != NULL) {
    s->searched = -1;
    s->search_due = XL_NEVER;
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
    xli_free(eng, s->states);
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

static unsigned char *state_of(const xl_file *f, uint32_t i) {
  return f->swarm->states + i * state_size(f);
}

bool xli_peers_add(xl_file *f, const xl_peer_info *info) {
  swarm *s = f->swarm;
  xl_engine *eng = f->job->agent->engine;
  peer *peers = xli_grow(eng, s->peers, &s->cap, s->n + 1, sizeof *peers);

  if (peers == NULL) {
    return false;
  }
  s->peers = peers;
  if (state_size(f) > 0) {
    unsigned char *st =
        xli_grow(eng, s->states, &s->state_cap, s->n + 1, state_size(f));
    if (st == NULL) {
      return false;
    }
    s->states = st;
    memset(state_of(f, s->n), 0, state_size(f));
  }
  s->peers[s->n++] = (peer){.id = info->id, .scope = (uint8_t)info->scope};
  s->unsynced = true;
  return true;
}

/* Adds or takes the first |n| pieces of the journal after |from|. */
static void count(swarm *s, const xl_map *m, uint32_t from, uint32_t n,
                  bool add) {
  for (uint32_t i = from; i < n; i++) {
    uint16_t *c = &s->avail[xl_map_journal(m, i)];
    *c = (uint16_t)(add ? *c + 1 : *c - 1);
  }
}

/* The peer's pieces leave the counts. */
static void discount(xl_file *f, uint32_t i) {
  swarm *s = f->swarm;
  peer *p = &s->peers[i];

  if (p->counted && s->avail != NULL && !s->stale) {
    const xl_map *m = xli_peer_map(f, i);
    if (m == NULL) {
      s->stale = true;
    } else {
      count(s, m, 0, p->seen, false);
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
    if (state_size(f) > 0) {
      memcpy(state_of(f, i), state_of(f, last), state_size(f));
    }
  }
  if (s->n == f->job->agent->engine->cfg.peers_max) {
    s->find_due = f->job->agent->engine->now; /* there is room again */
  }
  s->n--;
}

static void quiet(xl_file *f, xl_time until) {
  swarm *s = f->swarm;

  s->quiet_due = xl_time_min(s->quiet_due, until);
  xli_agent_wake(f->job->agent, until);
}

void xli_peers_ban(xl_file *f, uint32_t i, xl_time until) {
  discount(f, i);
  f->swarm->peers[i].banned_until = until;
  quiet(f, until);
}

void xli_peers_busy(xl_file *f, uint32_t i, xl_time until) {
  f->swarm->peers[i].busy_until = until;
  quiet(f, until);
}

bool xli_peer_banned(const peer *p, xl_time now) {
  return p->banned_until > now;
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
  s->search_due = XL_NEVER;
  s->find_due = eng->now;
}

/* What the environment lends for peer |p| now, and how much of it is seen. */
static const xl_map *look(const xl_file *f, const peer *p, uint32_t *visible) {
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

const xl_map *xli_peer_map(const xl_file *f, uint32_t i) {
  peer *p = &f->swarm->peers[i];
  uint32_t epoch = f->job->agent->engine->epoch, visible;

  if (p->map_id == 0) {
    return NULL;
  }
  if (p->epoch != epoch) {
    const xl_map *m = look(f, p, &visible);
    p->map = m != NULL && m->id == p->map_id && m->nheld >= p->seen ? m : NULL;
    p->epoch = epoch;
  }
  return p->map;
}

static bool sync_peer(xl_file *f, uint32_t i) {
  swarm *s = f->swarm;
  peer *p = &s->peers[i];
  xl_engine *eng = f->job->agent->engine;
  uint32_t visible;
  const xl_map *m = look(f, p, &visible);

  if (m != NULL && whole_only(f) && visible < m->npieces) {
    m = NULL;
    visible = 0;
  }
  uint32_t id = m == NULL ? 0 : m->id;
  bool same = id == p->map_id && visible >= p->seen;
  bool changed = id != p->map_id || visible != p->seen;
  eng->announcements += changed && m != NULL;
  bool want = m != NULL && !xli_peer_banned(p, eng->now);
  uint32_t from = p->counted && same ? p->seen : 0;
  if (p->counted && (!same || !want)) {
    s->stale = true;
  }
  p->counted = want;
  if (want && s->avail != NULL && !s->stale) {
    count(s, m, from, visible, true);
  }
  p->map = m;
  p->map_id = id;
  p->seen = visible;
  p->epoch = eng->epoch;
  return changed;
}

/* Peers that were busy or left out and no longer are; the next such time. */
static void expire(swarm *s, xl_time now) {
  s->quiet_due = XL_NEVER;
  for (uint32_t i = 0; i < s->n; i++) {
    peer *p = &s->peers[i];
    if (p->banned_until != 0 && p->banned_until <= now) {
      p->banned_until = 0; /* it counts again from the next sync on */
      s->unsynced = true;
    }
    s->quiet_due = xl_time_min(s->quiet_due,
                               p->busy_until > now ? p->busy_until : XL_NEVER);
    s->quiet_due = xl_time_min(
        s->quiet_due, p->banned_until > now ? p->banned_until : XL_NEVER);
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
  const peer *p = &f->swarm->peers[i];
  const xl_map *m = xli_peer_map(f, i);

  return m != NULL && xl_map_sees(m, piece, p->seen);
}

const uint16_t *xli_peers_avail(xl_file *f) {
  swarm *s = f->swarm;

  if (s->avail == NULL) {
    s->avail = xli_new(f->job->agent->engine,
                       (f->have.npieces + 1) * sizeof *s->avail);
    s->stale = true;
  }
  if (s->avail != NULL && s->stale) {
    memset(s->avail, 0, f->have.npieces * sizeof *s->avail);
    for (uint32_t i = 0; i < s->n; i++) {
      const xl_map *m = s->peers[i].counted ? xli_peer_map(f, i) : NULL;
      s->peers[i].counted = m != NULL;
      if (m != NULL) {
        count(s, m, 0, s->peers[i].seen, true);
      }
    }
    s->stale = false;
  }
  return s->avail;
}

uint32_t xli_peers_holders(xl_file *f, uint32_t piece) {
  if (f->swarm == NULL) {
    return 0;
  }
  const uint16_t *avail = xli_peers_avail(f);
  uint32_t n = 0;
  for (uint32_t i = 0; avail == NULL && i < f->swarm->n; i++) {
    n += f->swarm->peers[i].counted && xli_peer_has(f, i, piece);
  }
  return avail == NULL ? n : avail[piece]; /* the same, out of memory */
}

void xli_peers_wait(xl_file *f) {
  swarm *s = f->swarm;
  xl_agent *a = f->job->agent;
  xl_time now = a->engine->now;
  bool grows = false;

  for (uint32_t i = 0; i < s->n && !grows; i++) {
    grows = s->peers[i].seen < f->have.npieces;
  }
  s->poll_due = XL_NEVER;
  if (grows && f->have.map->nheld + f->have.nbusy < f->have.npieces) {
    s->poll_due = xl_time_add(s->synced, a->engine->cfg.announce_interval);
    s->poll_due = s->poll_due <= now ? now + 1 : s->poll_due;
    xli_agent_wake(a, s->poll_due);
  }
  xli_agent_wake(a, s->quiet_due);
}
