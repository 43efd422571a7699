/* SPDX-License-Identifier: MIT */
#include "host.h"

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "transfer.h"

/* ---- what a policy may call ---- */

static xl_time host_now(const xl_view *v) {
  return v->agent->engine->now;
}

static uint64_t host_random(xl_view *v) {
  const xl_env *env = &v->agent->engine->env;

  return env->draw(env->arg, v->agent->id, v->agent->draws++);
}

static xl_value host_param(const xl_view *v, uint32_t index) {
  assert(index < v->agent->policy->nparams);
  return v->agent->params[index];
}

static void *host_agent_state(xl_view *v) {
  return v->agent->policy->agent_state_size == 0 ? NULL : v->agent->state;
}

static void *host_file_state(xl_view *v) {
  return v->state;
}

static void *host_peer_state(xl_view *v, uint32_t i) {
  const swarm *s = v->file->swarm;

  assert(s != NULL && i < s->n);
  return xli_peer_state(v->file, i);
}

static const xl_device_view *host_device(xl_view *v) {
  return &v->agent->device;
}

static void show_swarm(const swarm *s, xl_file_view *out) {
  out->npeers = s->n;
  out->searching = s->search != 0;
  out->nsearches = s->nsearches;
  out->searched = s->searched;
  out->peer_failures = s->failures;
}

static const xl_file_view *host_file(xl_view *v) {
  xl_file *f = v->file;
  xl_engine *eng = v->agent->engine;

  if (v->fresh || f == NULL) {
    return &v->shown;
  }
  xl_span window = v->agent->policy->rate_window;
  window = window == 0 ? XL_SEC(20) : window; /* R734 */
  xli_ask_sample(f);
  xli_rates_roll(&f->rates, window, eng->now);
  v->shown = (xl_file_view){
      .size_bytes = f->have.size,
      .piece_bytes = f->have.piece_bytes,
      .npieces = f->have.npieces,
      .nheld = f->have.map->nheld,
      .nasked = f->have.nbusy,
      .received = f->received,
      .started = f->began,
      .foreground = f->job->priority == XL_PRIORITY_FOREGROUND,
      .peers_allowed = xli_file_peers_allowed(f),
      .origin_only = f->origin_only,
      .has_ranges = f->nranges > 0,
      .searched = -1,
      .nmirrors = f->nremotes,
      .mirror = f->mirror,
      .origin_requests = f->norigin,
      .peer_requests = f->npeer,
      .peer_rate = xli_rates_mean(&f->rates, XL_SOURCE_PEER, eng->now),
      .origin_rate = xli_rates_mean(&f->rates, XL_SOURCE_ORIGIN, eng->now)};
  if (f->swarm != NULL) {
    show_swarm(f->swarm, &v->shown);
  }
  v->fresh = true;
  return &v->shown;
}

static void host_peer(const xl_view *v, uint32_t i, xl_peer_view *out) {
  const swarm *s = v->file->swarm;

  assert(s != NULL && i < s->n);
  const xl_peer *p = &s->peers[i];
  *out = (xl_peer_view){.id = p->id,
                        .scope = (xl_scope)p->scope,
                        .nheld = p->nheld,
                        .requests = p->requests,
                        .failures = p->failures,
                        .busy_until = p->banned ? 0 : p->quiet_until,
                        .banned = xli_peer_banned(p, v->agent->engine->now),
                        .received = p->received,
                        .rate = (xl_rate)p->rate};
}

static const xl_peer *host_peers(const xl_view *v) {
  return v->file->swarm == NULL ? NULL : v->file->swarm->peers;
}

static bool host_piece_held(const xl_view *v, uint32_t piece) {
  return xli_map_holds(v->file->have.map, piece);
}

static bool host_piece_free(const xl_view *v, uint32_t piece) {
  const have *h = &v->file->have;

  return piece < h->npieces && !xli_map_holds(h->map, piece) &&
         !xli_have_is_busy(h, piece);
}

static bool host_peer_has(const xl_view *v, uint32_t i, uint32_t piece) {
  return xli_peer_has(v->file, i, piece);
}

static uint32_t host_holders(const xl_view *v, uint32_t piece) {
  return xli_peers_holders(v->file, piece);
}

static bool host_next_gap(const xl_view *v, xl_bytes from, xl_range *out) {
  const xl_file *f = v->file;

  if (!xli_ask_gap(f, from, out)) {
    return false;
  }
  if (!xli_peers_by_row(f) || f->origin_only || !xli_file_peers_allowed(f)) {
    return true;
  }
  if (out->end > f->swarm->turn->bytes.end) { /* row by row (R643) */
    out->end = f->swarm->turn->bytes.end;
  }
  return out->begin < out->end;
}

static xl_range host_piece_gap(const xl_view *v, uint32_t piece) {
  xl_range all = xli_have_bytes(&v->file->have, piece), gap;

  if (!xli_ask_gap(v->file, all.begin, &gap) || gap.begin >= all.end) {
    return (xl_range){all.begin, all.begin};
  }
  gap.end = gap.end < all.end ? gap.end : all.end;
  return gap;
}

static const xl_host host;

/* ---- the choice of a piece ---- */

/* What a piece is chosen among: free, and seen at a peer (or anybody). */
typedef struct choice {
  const have *have;
  const xl_map *map; /* NULL: anybody, or a peer that has all */
  uint32_t seen;
  const uint64_t *avail; /* counts of holders (peers.h) */
  uint32_t stride, bits; /* words for each 64 pieces, and those in use */
} choice;

/* The candidates of word |k|. */
static uint64_t candidates(const choice *c, uint32_t k) {
  uint64_t w = xli_have_free(c->have, k);

  if (c->map == NULL || w == 0) {
    return w;
  }
  if (!c->map->full) {
    w &= xli_map_held(c->map)[k];
  }
  for (uint64_t x = w; x != 0; x &= x - 1) {
    uint32_t piece = k * 64 + bits_low(x);
    if (!xli_map_sees(c->map, piece, c->seen)) {
      w &= ~((uint64_t)1 << (piece % 64));
    }
  }
  return w;
}

static uint32_t first_from(const choice *c, uint32_t from) {
  uint32_t n = c->have->npieces;

  for (uint32_t k = from / 64; k < bits_words(n); k++) {
    uint64_t w = candidates(c, k) & bits_mask(k, from, n);
    if (w != 0) {
      return k * 64 + bits_low(w);
    }
  }
  return XL_NONE;
}

static uint32_t at_random(const choice *c, uint64_t draw) {
  uint32_t from = (uint32_t)(draw % c->have->npieces);
  uint32_t piece = first_from(c, from);

  return piece != XL_NONE ? piece : first_from(c, 0);
}

#define BLOCK 32u /* words that are searched together */

/* Words of pieces one after another, from a random one on. */
typedef struct block {
  uint32_t first, n;
  uint32_t k[BLOCK]; /* which words */
  uint64_t w[BLOCK]; /* the candidates of each */
  const uint64_t *counts[BLOCK];
} block;

/* Takes out the pieces that the peer holds and is not yet seen to hold. */
static void hide(const choice *c, block *b) {
  uint32_t words = bits_words(c->have->npieces);

  for (uint32_t i = c->seen; i < c->map->nheld; i++) {
    uint32_t piece = xl_map_journal(c->map, i), k = piece / 64;
    uint32_t j = (k >= b->first ? 0 : words) + k - b->first;
    for (; j < b->n; j += words) { /* the word of |from| comes twice */
      b->w[j] &= ~((uint64_t)1 << (piece % 64));
    }
  }
}

/* Leaves those with the fewest holders, and returns how many these are. */
static uint32_t fewest_of(const choice *c, block *b) {
  uint32_t n = 0, m = 0;

  for (uint32_t j = 0; j < b->n; j++) { /* words with candidates */
    b->k[m] = b->k[j];
    b->w[m] = b->w[j];
    b->counts[m] = c->avail + (size_t)b->k[j] * c->stride;
    m += b->w[j] != 0;
  }
  b->n = m;
  for (uint32_t bit = c->bits; bit-- > 0;) {
    uint64_t without = 0;
    for (uint32_t j = 0; j < b->n; j++) {
      without |= b->w[j] & ~b->counts[j][bit];
    }
    n |= (uint32_t)(without == 0) << bit;
    for (uint32_t j = 0; without != 0 && j < b->n; j++) {
      b->w[j] &= ~b->counts[j][bit];
    }
  }
  return n;
}

/* The candidates from the |i|-th word after that of piece |from| on. */
static void fill(const choice *c, block *b, uint32_t from, uint32_t i) {
  uint32_t n = c->have->npieces, words = bits_words(n);

  b->first = (from / 64 + i) % words;
  b->n = words + 1 - i < BLOCK ? words + 1 - i : BLOCK;
  for (uint32_t j = 0, k = b->first; j < b->n; j++, i++) {
    uint64_t w = xli_have_free(c->have, k);
    if (c->map != NULL && !c->map->full) {
      w &= xli_map_held(c->map)[k];
    }
    if (i == 0) {
      w &= bits_mask(k, from, n);
    } else if (i == words) {
      w &= bits_mask(k, 0, from);
    }
    b->k[j] = k;
    b->w[j] = w;
    k = k + 1 < words ? k + 1 : 0;
  }
  if (c->map != NULL) {
    hide(c, b);
  }
}

/* One turn from a random place on, so that ties fall at random; |least| holders
   are as few as can be. */
static uint32_t rarest(const choice *c, uint64_t draw, uint32_t least) {
  uint32_t words = bits_words(c->have->npieces), fewest = UINT32_MAX;
  uint32_t from = (uint32_t)(draw % c->have->npieces), best = XL_NONE;
  block b;

  for (uint32_t i = 0; i <= words && fewest > least; i += BLOCK) {
    fill(c, &b, from, i);
    uint32_t n = fewest_of(c, &b), j = 0;
    while (j < b.n && b.w[j] == 0) {
      j++;
    }
    if (j < b.n && n < fewest) {
      fewest = n;
      best = b.k[j] * 64 + bits_low(b.w[j]);
    }
  }
  return best;
}

static uint32_t host_choose_piece(xl_view *v, uint32_t i, xl_order order) {
  xl_file *f = v->file;
  choice c = {.have = &f->have};

  if (f->have.map->nheld + f->have.nbusy == f->have.npieces) {
    return XL_NONE;
  }
  if (i != XL_NONE) {
    c.map = xli_peer_map(f, i);
    c.seen = f->swarm->peers[i].nheld;
    if (c.map == NULL || c.seen == 0) {
      return XL_NONE;
    }
    if (c.seen == f->have.npieces) {
      c.map = NULL;
    }
  }
  switch (order) {
  case XL_ORDER_SEQUENTIAL:
    return first_from(&c, 0);
  case XL_ORDER_RANDOM:
    return at_random(&c, host_random(v));
  case XL_ORDER_RAREST:
    if (f->swarm != NULL) {
      c.avail = xli_peers_avail(f);
      c.stride = xli_avail_bits(v->agent->engine);
      c.bits = xli_bits_of(f->swarm->n);
      return c.avail == NULL ? XL_NONE
                             : rarest(&c, host_random(v), i == XL_NONE ? 0 : 1);
    }
    return at_random(&c, host_random(v));
  }
  return XL_NONE;
}

static const xl_host host = {.size = sizeof(xl_host),
                             .version = XL_POLICY_ABI,
                             .now = host_now,
                             .random = host_random,
                             .param = host_param,
                             .agent_state = host_agent_state,
                             .file_state = host_file_state,
                             .peer_state = host_peer_state,
                             .device = host_device,
                             .file = host_file,
                             .peer = host_peer,
                             .piece_held = host_piece_held,
                             .piece_free = host_piece_free,
                             .peer_has = host_peer_has,
                             .holders = host_holders,
                             .choose_piece = host_choose_piece,
                             .next_gap = host_next_gap,
                             .piece_gap = host_piece_gap,
                             .peers = host_peers};

/* ---- the slots and their defaults ---- */

static xl_view *open_view(xl_agent *a, xl_file *f) {
  xl_engine *eng = a->engine;

  assert(!eng->inside);
  eng->inside = true;
  eng->view.agent = a;
  eng->view.file = f;
  eng->view.state = f == NULL ? NULL : f->state;
  eng->view.fresh = false;
  return &eng->view;
}

static void close_view(xl_agent *a) {
  a->engine->inside = false;
}

void xli_policy_begin(xl_file *f) {
  xl_agent *a = f->job->agent;

  if (a->policy->begin != NULL) {
    a->policy->begin(&host, open_view(a, f));
    close_view(a);
  }
}

bool xli_policy_find(xl_file *f, xl_find *out, xl_time *again) {
  xl_agent *a = f->job->agent;
  bool yes = a->policy->find(&host, open_view(a, f), out, again);

  close_view(a);
  return yes;
}

bool xli_policy_pick(xl_file *f, xl_pick *out, xl_time *again) {
  xl_agent *a = f->job->agent;
  bool yes = a->policy->pick(&host, open_view(a, f), out, again);

  close_view(a);
  return yes;
}

void xli_policy_failed(xl_file *f, const xl_failure *why, xl_remedy *out) {
  xl_agent *a = f->job->agent;

  if (a->policy->failed != NULL && f->begun && f->have.map != NULL) {
    a->policy->failed(&host, open_view(a, f), why, out);
    close_view(a);
  }
}

void xli_policy_serve(xl_agent *a, const xl_ask *ask, xl_answer *out) {
  if (a->policy->serve != NULL) {
    a->policy->serve(&host, open_view(a, NULL), ask, out);
    close_view(a);
  }
}

/* A file that is not there any more, as the slot sees it. */
static xl_file_view show_whole(xl_bytes size, uint32_t piece_bytes) {
  uint32_t n = (uint32_t)(size / piece_bytes + (size % piece_bytes != 0));

  return (xl_file_view){.size_bytes = size,
                        .piece_bytes = piece_bytes,
                        .npieces = n,
                        .nheld = n,
                        .received = size,
                        .searched = -1,
                        .nmirrors = 1};
}

void xli_policy_keep(xl_agent *a, xl_file *f, xl_bytes size,
                     uint32_t piece_bytes, xl_keep *out) {
  uint32_t state = a->policy->file_state_size;
  void *scratch = NULL;

  if (a->policy->keep == NULL) {
    return;
  }
  if (f == NULL && state > 0) {
    scratch = xli_new(a->engine, state);
    if (scratch == NULL) {
      return;
    }
  }
  xl_view *v = open_view(a, f);
  if (f == NULL) {
    v->state = scratch;
    v->shown = show_whole(size, piece_bytes);
    v->fresh = true;
  }
  a->policy->keep(&host, v, out);
  close_view(a);
  xli_free(a->engine, scratch);
}
