/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies that do anything they are allowed to, at random, and check what they
 * are shown; and the same giving illegal answers now and then.
 */
#include <stdlib.h>

#include "driver.h"
#include "param.h"

uint32_t driver_illegal;
bool driver_blown;

static void must(bool ok, const char *text) {
  if (!ok && !driver_blown) {
    driver_broken(text);
  }
}

static bool find_any(const xl_host *h, xl_view *v, xl_find *out,
                     xl_time *again) {
  uint64_t x = h->random(v);

  *out = (xl_find){.scopes = 15,
                   .want = (uint32_t)(1 + x % 9),
                   .multicast = x / 16 % 2 == 0,
                   .complete_only = x / 32 % 2 == 0,
                   .timeout = XL_SEC(1 + x % 40)};
  *again = h->now(v) + XL_SEC(20);
  return x % 3 != 0;
}

/* The choice against a plain search. */
static void check_choice(const xl_host *h, xl_view *v, uint32_t peer,
                         xl_order order, uint32_t chosen) {
  uint32_t first = XL_NONE, fewest = UINT32_MAX;

  for (uint32_t p = 0; p < h->file(v)->npieces; p++) {
    if (h->piece_free(v, p) && h->peer_has(v, peer, p)) {
      uint32_t holders = h->holders(v, p);
      first = first == XL_NONE ? p : first;
      fewest = holders < fewest ? holders : fewest;
    }
  }
  must((chosen == XL_NONE) == (first == XL_NONE),
       "choose_piece finds what a plain search does not, or the other way");
  if (chosen != XL_NONE) {
    must(order != XL_ORDER_SEQUENTIAL || chosen == first,
         "the first piece is not the first");
    must(order != XL_ORDER_RAREST || h->holders(v, chosen) == fewest,
         "the rarest piece is not the rarest");
  }
}

/* The array of peers says what |p| says of peer |i|. */
static void check_row(const xl_host *h, xl_view *v, uint32_t i,
                      const xl_peer_view *p) {
  const xl_peer *row = &h->peers(v)[i];
  bool quiet = row->quiet_until > h->now(v);

  must(row->id == p->id && row->nheld == p->nheld && row->scope == p->scope &&
           row->requests == p->requests && row->failures == p->failures &&
           row->received == p->received &&
           (row->banned && quiet) == p->banned &&
           (row->banned || row->quiet_until == p->busy_until),
       "the array of peers says something else");
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
  check_row(h, v, i, &p);
  if (p.banned) {
    return false;
  }
  xl_order order = (xl_order)(x / 7 % 3);
  uint32_t piece = h->choose_piece(v, i, order);
  if (f->npieces < 64) {
    check_choice(h, v, i, order, piece);
  }
  if (piece == XL_NONE) {
    return false;
  }
  must(h->piece_free(v, piece) && !h->piece_held(v, piece),
       "a chosen piece is not free");
  must(h->peer_has(v, i, piece) && h->holders(v, piece) >= 1,
       "a chosen piece is not seen at the peer");
  *out = (xl_pick){.kind = XL_SOURCE_PEER,
                   .peer = i,
                   .range = h->piece_gap(v, piece),
                   .reason = XL_REASON_PEER_HAS_IT,
                   .head = x / 100 % 4 == 0};
  must(out->range.begin < out->range.end, "a free piece has no gap");
  return true;
}

/* A byte that is asked for already and has not come. */
static bool pick_twice(const xl_host *h, xl_view *v, xl_pick *out) {
  const xl_file_view *f = h->file(v);

  if (f->received > 0 || f->origin_requests >= 3) {
    return false;
  }
  for (uint32_t p = 0; p < f->npieces; p++) {
    xl_range left = h->piece_gap(v, p);
    if (!h->piece_held(v, p) && left.begin == left.end) {
      out->range.begin = (xl_bytes)p * f->piece_bytes;
      out->range.end = out->range.begin + 1;
      out->reason = XL_REASON_ENDGAME;
      return true;
    }
  }
  return false;
}

static bool pick_any(const xl_host *h, xl_view *v, xl_pick *out,
                     xl_time *again) {
  const xl_file_view *f = h->file(v);
  uint64_t x = h->random(v);
  xl_range gap;

  *again = h->now(v) + XL_SEC(1 + x % 60);
  if (x % 11 == 0) {
    return false;
  }
  bool peers = f->peers_allowed && !f->origin_only;
  if (peers && f->npeers == 0 && f->nsearches < 3 && x % 64 != 1) {
    return false; /* peers first, mostly */
  }
  for (int k = 0; k < 4 && x % 3 != 0; k++) {
    if (pick_from_peer(h, v, out)) {
      return true;
    }
  }
  if (peers && f->npeers > 0 && x % 8 > 1) {
    return false;
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
  return x % 5 == 0 && pick_twice(h, v, out);
}

static void failed_any(const xl_host *h, xl_view *v, const xl_failure *why,
                       xl_remedy *out) {
  uint64_t x = h->random(v);

  must(why->in_row > 0, "a failure that never happened");
  if (x % 4 == 0) {
    out->mirror = (uint32_t)(x / 4 % h->file(v)->nmirrors);
  }
  out->drop_peer = x % 5 == 0;
  out->ban_peer = x % 3 == 0 ? XL_SEC(x % 30) : 0;
  out->origin_only = x % 41 == 0;
}

static void serve_any(const xl_host *h, xl_view *v, const xl_ask *ask,
                      xl_answer *out) {
  uint64_t x = h->random(v);

  must(ask->uploads >= ask->from_uploads, "more uploads to one than to all");
  out->accept = x % 3 != 0;
  out->retry_after = XL_SEC(x / 3 % 50);
}

static void keep_any(const xl_host *h, xl_view *v, xl_keep *out) {
  uint64_t x = h->random(v);

  must(h->file_state(v) != NULL, "a file without its state");
  *out = (xl_keep){.keep = x % 4 != 0,
                   .age_max = XL_SEC(x % 300000),
                   .from_arrival = x % 2 == 0,
                   .bytes_max = x % 4000};
}

static void begin_any(const xl_host *h, xl_view *v) {
  uint64_t *state = h->file_state(v);

  must(*state == 0, "the state of a file that begins is not zero");
  *state = 1;
  must(h->file(v)->received <= h->file(v)->size_bytes,
       "a file has received more than there is");
}

/* ---- illegal answers ---- */

static bool find_wrong(const xl_host *h, xl_view *v, xl_find *out,
                       xl_time *again) {
  bool yes = find_any(h, v, out, again);
  uint64_t x = h->random(v);

  *again = x / 64 % 4 == 0 ? (xl_time)x : *again;
  switch (x % 256) {
  case 0:
    out->timeout = -(xl_span)(x >> 2) - 1;
    driver_illegal += yes;
    break;
  case 1:
    out->timeout = INT64_MAX;
    break;
  case 2:
    out->want = UINT32_MAX;
    out->scopes = (uint32_t)x;
    break;
  case 3:
    out->want = out->scopes = 0;
    out->timeout = 0;
    break;
  default:
    break;
  }
  return yes;
}

/* A peer that is left out. */
static bool pick_banned(const xl_host *h, xl_view *v, xl_pick *out) {
  xl_peer_view p;

  for (uint32_t i = 0; i < h->file(v)->npeers; i++) {
    h->peer(v, i, &p);
    if (p.banned) {
      out->kind = XL_SOURCE_PEER;
      out->peer = i;
      return true;
    }
  }
  driver_illegal--;
  return true;
}

static bool shows_any(const xl_host *h, xl_view *v, uint32_t peer) {
  uint32_t p = 0, n = h->file(v)->npieces;

  while (p < n && !h->peer_has(v, peer, p)) {
    p++;
  }
  return p < n;
}

/* A piece from a peer that does not show it, but is still there. */
static bool pick_unseen(const xl_host *h, xl_view *v, xl_pick *out) {
  const xl_file_view *f = h->file(v);
  bool may = f->peers_allowed && !f->origin_only;
  xl_peer_view peer;

  for (uint32_t i = 0; i < f->npeers && may; i++) {
    h->peer(v, i, &peer);
    bool there = !peer.banned && shows_any(h, v, i);
    for (uint32_t p = 0; p < f->npieces && there; p++) {
      if (h->piece_free(v, p) && !h->peer_has(v, i, p)) {
        out->kind = XL_SOURCE_PEER;
        out->peer = i;
        out->range = h->piece_gap(v, p);
        return true;
      }
    }
  }
  driver_illegal--;
  return true;
}

static bool pick_wrong(const xl_host *h, xl_view *v, xl_pick *out,
                       xl_time *again) {
  const xl_file_view *f = h->file(v);
  bool yes = pick_any(h, v, out, again);
  uint64_t x = h->random(v);

  *again = x / 64 % 4 == 0 ? (xl_time)x : *again;
  if (!yes || x % 256 > 9) {
    return yes;
  }
  driver_illegal++;
  switch (x % 256) {
  case 0:
    out->range.end = out->range.begin;
    break;
  case 1:
    out->range.end = f->size_bytes + 1 + (x >> 40);
    break;
  case 2:
    out->range = (xl_range){UINT64_MAX - 1, UINT64_MAX};
    break;
  case 3:
    out->reason = XL_NREASONS + (x >> 40);
    break;
  case 4:
    out->kind = (xl_source_kind)(XL_SOURCE_CACHE + x / 128 % 9);
    break;
  case 5:
    out->kind = XL_SOURCE_PEER;
    out->peer = f->npeers + (uint32_t)(x >> 40);
    break;
  case 6:
    out->range.begin = out->range.end + 1;
    break;
  case 7:
    return pick_banned(h, v, out);
  case 8:
    return pick_unseen(h, v, out);
  default:
    for (uint32_t p = 0; p < f->npieces; p++) {
      if (h->piece_held(v, p)) { /* what is there */
        out->range.begin = (xl_bytes)p * f->piece_bytes;
        out->range.end = out->range.begin + 1;
        return true;
      }
    }
    driver_illegal--;
    break;
  }
  return true;
}

static void failed_wrong(const xl_host *h, xl_view *v, const xl_failure *why,
                         xl_remedy *out) {
  uint64_t x = h->random(v);

  failed_any(h, v, why, out);
  if (x % 32 == 0) {
    out->mirror = h->file(v)->nmirrors + (uint32_t)(x >> 34);
    driver_illegal++;
  } else if (x % 32 == 1) {
    out->ban_peer = -(xl_span)(x >> 2) - 1;
    driver_illegal++;
  } else if (x % 32 == 2) {
    out->ban_peer = INT64_MAX;
  }
}

static void serve_wrong(const xl_host *h, xl_view *v, const xl_ask *ask,
                        xl_answer *out) {
  uint64_t x = h->random(v);

  serve_any(h, v, ask, out);
  if (x % 64 == 0) {
    out->accept = false;
    out->retry_after = -(xl_span)(x >> 2) - 1;
    driver_illegal++;
  } else if (x % 64 == 1) {
    out->accept = false;
    out->why = XL_NREASONS + (x >> 40);
    driver_illegal++;
  }
}

static void keep_wrong(const xl_host *h, xl_view *v, xl_keep *out) {
  uint64_t x = h->random(v);

  keep_any(h, v, out);
  if (x % 32 == 0) {
    out->keep = true;
    out->age_max = -(xl_span)(x >> 2) - 1;
    driver_illegal++;
  } else if (x % 32 == 1) {
    out->age_max = INT64_MAX;
    out->bytes_max = UINT64_MAX;
  }
}

/* ---- the list ---- */

#define ANY(id, how, swarm, end)                                               \
  {                                                                            \
    .size = sizeof(xl_policy), .version = XL_POLICY_ABI, .name = id,           \
    .help = "anything", .source = "test", .flavour = how,                      \
    .file_state_size = 8, .peer_state_size = 16, .agent_state_size = 4,        \
    .swarms = swarm, .begin = begin_any, .find = find_##end,                   \
    .pick = pick_##end, .failed = failed_##end, .serve = serve_##end,          \
    .keep = keep_##end                                                         \
  }
static const xl_policy any[2][4] = {
    {ANY("any-free", XL_FLAVOUR_FREE, true, any),
     ANY("any-do", XL_FLAVOUR_DO, true, any),
     ANY("any-bits3", XL_FLAVOUR_BITS3, false, any),
     ANY("any-bits4", XL_FLAVOUR_BITS4, false, any)},
    {ANY("wrong-free", XL_FLAVOUR_FREE, true, wrong),
     ANY("wrong-do", XL_FLAVOUR_DO, true, wrong),
     ANY("wrong-bits3", XL_FLAVOUR_BITS3, false, wrong),
     ANY("wrong-bits4", XL_FLAVOUR_BITS4, false, wrong)}};

/* The defaults, but no least size of a file. */
static const xl_value *values_of(const xl_policy *p) {
  static xl_value values[8][64];
  static const xl_policy *of[8];
  uint32_t i = 0;

  while (of[i] != NULL && of[i] != p) {
    i++;
  }
  for (uint32_t k = 0; k < p->nparams && of[i] == NULL; k++) {
    bool least = p->params[k].type == XL_PARAM_BYTES &&
                 p->params[k].name[0] == 'm' && p->params[k].name[1] == 'i';
    xli_param_parse(&p->params[k], least ? "0B" : p->params[k].def,
                    &values[i][k]);
  }
  of[i] = p;
  return values[i];
}

const xl_policy *driver_policy(uint32_t i, bool erratic,
                               const xl_value **params) {
  uint32_t n = 0;

  *params = NULL;
  i %= DRIVER_NPOLICIES;
  if (i < 4 || erratic) {
    return &any[erratic][i % 4];
  }
  while (xl_policies[n] != NULL) {
    n++;
  }
  const xl_policy *p = xl_policies[i % n];
  *params = values_of(p);
  return p;
}
