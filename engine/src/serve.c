/* SPDX-License-Identifier: MIT */
/* What other devices ask of this one. */
#include "agent.h"
#include "alloc.h"
#include "bits.h"
#include "engine.h"

static bool holds(const copy *c, xl_range r) {
  if (r.begin >= r.end || r.end > c->size) {
    return false;
  }
  uint32_t last = (uint32_t)((r.end - 1) / c->piece_bytes);
  for (uint32_t p = (uint32_t)(r.begin / c->piece_bytes); p <= last; p++) {
    if (!xli_map_holds(c->map, p)) {
      return false;
    }
  }
  return true;
}

static xl_answer refuse(xl_reason why) {
  return (xl_answer){.why = why, .cap = XL_RATE_UNLIMITED};
}

static bool is_bits(const xl_agent *a) {
  return a->policy->flavour == XL_FLAVOUR_BITS3 ||
         a->policy->flavour == XL_FLAVOUR_BITS4;
}

static xl_answer decide(xl_agent *a, const copy *c, uint32_t from,
                        xl_scope scope, xl_range range) {
  xl_answer answer = refuse(XL_REASON_PEERING_OFF);

  if ((a->peercaching & XL_PEERCACHING_SERVER) == 0) {
    return answer;
  }
  if (c == NULL || !holds(c, range)) {
    return refuse(XL_REASON_NO_PEER_HAS_IT);
  }
  if (is_bits(a) && !c->validated) { /* R618 */
    return refuse(XL_REASON_NOT_VALIDATED);
  }
  xl_ask ask = {.from = from,
                .scope = scope,
                .range = range,
                .size_bytes = c->size,
                .complete = c->map->nheld == c->map->npieces,
                .validated = c->validated,
                .uploads = a->device.uploads};
  for (uint32_t i = 0; i < a->device.uploads; i++) {
    ask.from_uploads += a->uploads[i].from == from;
  }
  xli_policy_serve(a, &ask, &answer);
  if (!answer.accept &&
      (answer.retry_after < 0 || (uint32_t)answer.why >= XL_NREASONS)) {
    xli_fail(a->engine, XL_E_INVALIDARG, a->policy->name,
             "refuses for no reason there is, or for less than no time");
  }
  return answer;
}

/* |range| of what |key| names, as bytes of the copy (R644); empty when it does
   not lie inside. */
static xl_range within(const xl_agent *a, const copy *c, xl_name key,
                       xl_range range) {
  if (c == NULL) {
    return range;
  }
  xl_range row = xli_copy_bytes(a, c, key);
  xl_bytes len = row.end - row.begin;
  if (range.begin > range.end || range.end > len) {
    return (xl_range){0, 0};
  }
  return (xl_range){row.begin + range.begin, row.begin + range.end};
}

static bool remember(xl_agent *a, const upload *u) {
  upload *v = xli_grow(a->engine, a->uploads, &a->upload_cap,
                       a->device.uploads + 1, sizeof *v);

  if (v == NULL) {
    return false;
  }
  a->uploads = v;
  v[a->device.uploads++] = *u;
  return true;
}

void xl_agent_asked(xl_agent *a, uint32_t ask, uint32_t from, xl_scope scope,
                    xl_name key, xl_version version, xl_range range,
                    xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return;
  }
  uint32_t i = xli_cache_find(a, key, version);
  copy *c = i == XL_NONE ? NULL : &a->cache.copies[i];
  xl_action act = {.kind = XL_ACT_ANSWER,
                   .agent = a,
                   .ask = ask,
                   .peer = from,
                   .key = key,
                   .version = version,
                   .range = range,
                   .answer =
                       decide(a, c, from, scope, within(a, c, key, range))};
  if (act.answer.accept) {
    upload u = {.ask = ask,
                .from = from,
                .map = c == NULL ? 0 : c->map->id,
                .scope = (uint8_t)scope};
    if (c == NULL || !remember(a, &u)) {
      return;
    }
    c->uploads++;
    xli_cache_touch(a, i);
  }
  xli_act(a->engine, &act);
}

/* The copy an upload is served from, doomed or not; XL_NONE: gone. */
static uint32_t source_of(const xl_agent *a, const upload *u) {
  for (uint32_t i = 0; i < a->cache.n; i++) {
    if (a->cache.copies[i].map->id == u->map) {
      return i;
    }
  }
  return XL_NONE;
}

void xl_agent_served(xl_agent *a, uint32_t ask, xl_bytes bytes, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return;
  }
  for (uint32_t i = 0; i < a->device.uploads; i++) {
    upload u = a->uploads[i];
    if (u.ask != ask) {
      continue;
    }
    a->uploads[i] = a->uploads[--a->device.uploads];
    if (u.scope == XL_SCOPE_INTERNET) {
      a->device.uploaded_bytes += bytes;
    }
    uint32_t k = source_of(a, &u);
    if (k != XL_NONE) {
      a->cache.copies[k].uploads--;
      xli_cache_touch(a, k);
    }
    return;
  }
}
