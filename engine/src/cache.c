/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <string.h>

#include "admin.h"
#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"

enum { EVICT_AGE, EVICT_SIZE, EVICT_INVALID, EVICT_DELETED };

static xl_name row_name(xl_agent *a, const copy *c, uint32_t i);

/* A record of several rows is there for those who want one of them (R642). */
static void publish(xl_agent *a, const copy *c, bool on) {
  xl_action act = {.kind = XL_ACT_PUBLISH,
                   .agent = a,
                   .key = c->key,
                   .version = c->version,
                   .on = on,
                   .complete = on && c->validated};

  xli_act(a->engine, &act);
  if (a->policy->flavour != XL_FLAVOUR_BITS3 || xli_copy_nrows(a, c) < 2) {
    return;
  }
  for (uint32_t i = 0; (act.key = row_name(a, c, i)) != 0; i++) {
    xli_act(a->engine, &act);
  }
}

static bool version_equal(xl_version a, xl_version b) { /* R619 */
  return a.size == b.size && a.mtime_s == b.mtime_s;
}

static bool row_of_copy(const xl_agent *a, const copy *c, xl_name key,
                        xl_range *bytes);

static uint32_t find_copy(const xl_agent *a, xl_name key, xl_version v) {
  for (uint32_t i = 0; i < a->cache.n; i++) {
    const copy *c = &a->cache.copies[i];
    if (c->key == key && !c->doomed && version_equal(c->version, v)) {
      return i;
    }
  }
  return XL_NONE;
}

uint32_t xli_cache_find(const xl_agent *a, xl_name key, xl_version v) {
  uint32_t own = find_copy(a, key, v);
  xl_range bytes;

  if (own != XL_NONE) {
    return own;
  }
  for (uint32_t i = 0; a->policy->flavour == XL_FLAVOUR_BITS3 && i < a->cache.n;
       i++) {
    const copy *c = &a->cache.copies[i];
    if (c->cached && !c->doomed && version_equal(c->version, v) &&
        row_of_copy(a, c, key, &bytes)) {
      return i;
    }
  }
  return XL_NONE;
}

static uint32_t find_shared(const xl_file *f) {
  const cache *k = &f->job->agent->cache;

  for (uint32_t i = 0; i < k->n; i++) {
    if (k->copies[i].file == f) {
      return i;
    }
  }
  return XL_NONE;
}

static copy *add(xl_agent *a, const copy *c) {
  cache *k = &a->cache;
  copy *v = xli_grow(a->engine, k->copies, &k->cap, k->n + 1, sizeof *v);

  if (v == NULL) {
    return NULL;
  }
  k->copies = v;
  v[k->n] = *c;
  return &v[k->n++];
}

static void take_out(xl_agent *a, uint32_t i) {
  cache *k = &a->cache;
  copy *c = &k->copies[i];

  if (c->cached) {
    k->held -= c->size;
  }
  if (c->file == NULL) {
    xli_free(a->engine, c->map);
  }
  *c = k->copies[--k->n];
}

void xli_cache_fini(xl_agent *a) {
  while (a->cache.n > 0) {
    take_out(a, a->cache.n - 1);
  }
  xli_free(a->engine, a->cache.copies);
  a->cache = (cache){0};
}

static void evict(xl_agent *a, uint32_t i, int why) {
  copy *c = &a->cache.copies[i];
  xl_bytes size = c->size;

  publish(a, c, false);
  xli_event(a, XL_EVENT_CACHE_EVICT, NULL, NULL, (int64_t)size, why, 0);
  if (c->uploads > 0) {
    c->doomed = true; /* R611: goes when its last upload ends */
  } else {
    take_out(a, i);
  }
}

/* ---- a file in transfer ---- */

static bool may_serve(const xl_file *f) { /* R504, R610, R618 */
  return (f->job->peercaching & f->job->agent->peercaching &
          XL_PEERCACHING_SERVER) != 0 &&
         !xli_job_dynamic(f->job); /* R802: the next one may be another */
}

bool xli_cache_may_share(const xl_file *f) {
  const xl_policy *p = f->job->agent->policy;

  return p->swarms && p->flavour != XL_FLAVOUR_BITS3 &&
         p->flavour != XL_FLAVOUR_BITS4 && may_serve(f) && !f->admitted &&
         !f->completed &&
         xli_cache_find(f->job->agent, f->key, f->version) == XL_NONE;
}

void xli_cache_share(xl_file *f) {
  copy c = {.key = f->key,
            .version = f->version,
            .map = f->have.map,
            .file = f,
            .size = f->have.size,
            .used = f->job->agent->engine->now,
            .expires = XL_NEVER,
            .piece_bytes = f->have.piece_bytes};

  if (add(f->job->agent, &c) != NULL) {
    publish(f->job->agent, &c, true);
  }
}

void xli_cache_whole(xl_file *f) {
  uint32_t i = find_shared(f);

  if (i != XL_NONE) {
    f->job->agent->cache.copies[i].validated = true; /* every piece was */
    publish(f->job->agent, &f->job->agent->cache.copies[i], true);
  }
}

void xli_cache_unshare(xl_file *f) {
  uint32_t i = find_shared(f);

  if (i != XL_NONE) {
    publish(f->job->agent, &f->job->agent->cache.copies[i], false);
    take_out(f->job->agent, i);
  }
}

/* ---- the peer cache ---- */

/* The least recently used copy that may go; XL_NONE: none. */
static uint32_t oldest(const cache *k) {
  uint32_t best = XL_NONE;

  for (uint32_t i = 0; i < k->n; i++) {
    const copy *c = &k->copies[i];
    if (c->cached && !c->doomed &&
        (best == XL_NONE || c->used < k->copies[best].used)) {
      best = i;
    }
  }
  return best;
}

static xl_bytes lasting(const cache *k) {
  xl_bytes sum = 0;

  for (uint32_t i = 0; i < k->n; i++) {
    sum += k->copies[i].cached && !k->copies[i].doomed ? k->copies[i].size : 0;
  }
  return sum;
}

static void make_room(xl_agent *a, xl_bytes size) {
  cache *k = &a->cache;

  while (lasting(k) > 0 && lasting(k) + size > k->max) {
    evict(a, oldest(k), EVICT_SIZE);
  }
}

/* Fills in what |keep| says, and admits; |c| is in the list. */
static void admit(xl_agent *a, copy *c, const xl_keep *keep) {
  xl_time now = a->engine->now;

  c->cached = c->validated = true;
  c->id = ++a->numbers;
  c->used = now;
  c->expires = xl_time_add(now, keep->age_max);
  c->age_max = keep->from_arrival ? 0 : keep->age_max;
  a->cache.held += c->size;
  xli_agent_wake(a, c->expires);
  xli_event(a, XL_EVENT_CACHE_ADMIT, NULL, NULL, (int64_t)c->size,
            (int64_t)a->cache.held, 0);
  publish(a, c, true);
}

static bool wanted(xl_agent *a, xl_file *f, xl_bytes size, uint32_t piece_bytes,
                   xl_keep *keep) {
  *keep = (xl_keep){0};
  xli_policy_keep(a, f, size, piece_bytes, keep);
  if (keep->keep && keep->age_max < 0) {
    xli_fail(a->engine, XL_E_INVALIDARG, a->policy->name,
             "keeps a file for less than no time");
  }
  xli_admin_limit(a, keep);
  if (!keep->keep || size > keep->bytes_max || a->engine->status != XL_OK) {
    return false;
  }
  a->cache.max = keep->bytes_max;
  make_room(a, size);
  return true;
}

void xli_cache_admit(xl_file *f) {
  xl_agent *a = f->job->agent;
  uint32_t i = find_shared(f);
  xl_keep keep;

  if (f->admitted ||
      (i == XL_NONE &&
       (!may_serve(f) || xli_cache_find(a, f->key, f->version) != XL_NONE))) {
    return;
  }
  if (!may_serve(f) ||
      !wanted(a, f, f->have.size, f->have.piece_bytes, &keep)) {
    xli_cache_unshare(f);
    return;
  }
  copy *c;
  i = find_shared(f); /* making room has moved it */
  if (i != XL_NONE) {
    c = &a->cache.copies[i];
    c->url = f->remotes[f->mirror].url;
    c->file = NULL;
    f->have.map = NULL; /* the cache's now */
  } else {
    copy own = {.key = f->key,
                .url = f->remotes[f->mirror].url,
                .version = f->version,
                .size = f->have.size,
                .piece_bytes = f->have.piece_bytes};
    own.map = xli_map_full(a->engine, f->have.npieces, a->engine->now);
    c = own.map == NULL ? NULL : add(a, &own);
    if (c == NULL) {
      xli_free(a->engine, own.map);
      return;
    }
  }
  f->admitted = true;
  admit(a, c, &keep);
}

void xli_cache_remove(xl_file *f) {
  uint32_t i = xli_cache_find(f->job->agent, f->key, f->version);

  if (i != XL_NONE && f->admitted &&
      f->job->agent->cache.copies[i].file == NULL) {
    evict(f->job->agent, i, EVICT_INVALID);
  }
}

xl_err xli_cache_hold(xl_agent *a, xl_name key, xl_name url, xl_version v,
                      xl_bytes size, uint32_t piece_bytes) {
  xl_bytes n = size / piece_bytes + (size % piece_bytes != 0);
  xl_keep keep;

  if ((a->peercaching & XL_PEERCACHING_SERVER) == 0 ||
      xli_cache_find(a, key, v) != XL_NONE ||
      !wanted(a, NULL, size, piece_bytes, &keep)) {
    return a->engine->status; /* not to keep it is no error */
  }
  copy c = {.key = key,
            .url = url,
            .version = v,
            .size = size,
            .piece_bytes = piece_bytes};
  c.map = xli_map_full(a->engine, (uint32_t)n, a->engine->now);
  copy *in = c.map == NULL ? NULL : add(a, &c);
  if (in == NULL) {
    xli_free(a->engine, c.map);
    return XL_E_OUTOFMEMORY;
  }
  admit(a, in, &keep);
  return XL_OK;
}

bool xli_cache_load(xl_agent *a, const copy *c, uint32_t npieces) {
  copy in = *c;

  if (find_copy(a, c->key, c->version) != XL_NONE || c->size > a->cache.max ||
      a->cache.held > a->cache.max - c->size) {
    return false;
  }
  in.map = xli_map_full(a->engine, npieces, a->engine->now);
  if (in.map == NULL || add(a, &in) == NULL) {
    xli_free(a->engine, in.map);
    return false;
  }
  a->cache.held += c->size;
  publish(a, &in, true);
  return true;
}

void xli_cache_delete(xl_agent *a, uint32_t i) {
  evict(a, i, EVICT_DELETED);
}

void xli_cache_shrink(xl_agent *a, xl_bytes max) {
  a->cache.max = max;
  make_room(a, 0);
}

void xli_cache_age(xl_agent *a, xl_span age) {
  for (uint32_t i = 0; i < a->cache.n; i++) {
    copy *c = &a->cache.copies[i];
    if (c->cached) {
      c->age_max = age;
      c->expires = xl_time_add(c->used, age);
      xli_agent_wake(a, c->expires);
    }
  }
}

/* ---- rows ---- */

/* "offset+length" at the front of |s|; what follows it. The key of ranges is
   written by xli_file_key. */
static const char *read_row(const char *s, xl_range_spec *out) {
  xl_bytes *to = &out->offset;

  *out = (xl_range_spec){0, 0};
  for (; (*s >= '0' && *s <= '9') || *s == '+'; s++) {
    if (*s == '+') {
      to = &out->length;
    } else {
      *to = *to * 10 + (xl_bytes)(*s - '0');
    }
  }
  return s;
}

/* The ranges in the copy's key; NULL: it is the whole file. */
static const char *rows_of(const xl_agent *a, const copy *c) {
  const char *rows = strrchr(xl_engine_string(a->engine, c->key), '#'), *s;
  xl_range_spec row;
  xl_bytes sum = 0;

  if (rows == NULL) {
    return NULL;
  }
  for (s = rows; *s == '#' || *s == ',';) {
    s = read_row(s + 1, &row);
    sum += row.length == XL_LENGTH_TO_EOF ? c->version.size - row.offset
                                          : row.length;
  }
  return *s == '\0' && sum == c->size ? rows + 1 : NULL;
}

bool xli_copy_row(const xl_agent *a, const copy *c, uint32_t i,
                  xl_range_spec *out, xl_bytes *begin) {
  const char *s = rows_of(a, c);

  *begin = 0;
  if (s == NULL) {
    *out = (xl_range_spec){0, c->size};
    return i == 0;
  }
  for (uint32_t k = 0; *s != '\0'; k++) {
    s = read_row(s, out);
    s += *s == ',';
    if (out->length == XL_LENGTH_TO_EOF) {
      out->length = c->version.size - out->offset;
    }
    if (k == i) {
      return true;
    }
    *begin += out->length;
  }
  return false;
}

/* The key of one row of |c|; 0: no such row, or out of memory. */
static xl_name row_name(xl_agent *a, const copy *c, uint32_t i) {
  const char *text = xl_engine_string(a->engine, c->key);
  const char *rows = rows_of(a, c);
  xl_range_spec row;
  xl_bytes begin;

  if (rows == NULL || !xli_copy_row(a, c, i, &row, &begin)) {
    return 0;
  }
  size_t len = (size_t)(rows - 1 - text);
  char *content = xli_new(a->engine, len + 1);
  if (content == NULL) {
    return 0;
  }
  memcpy(content, text, len);
  content[len] = '\0';
  xl_name key = xli_file_key(a->engine, content, &row, 1);
  xli_free(a->engine, content);
  return key;
}

/* Whether |key| is that of a row of |c|; where the row lies in the copy. */
static bool row_of_copy(const xl_agent *a, const copy *c, xl_name key,
                        xl_range *bytes) {
  const char *text = xl_engine_string(a->engine, key);
  const char *own = xl_engine_string(a->engine, c->key);
  const char *rows = rows_of(a, c);
  const char *at = strrchr(text == NULL ? "" : text, '#');
  xl_range_spec want, row;

  if (rows == NULL || at == NULL || at - text != rows - 1 - own ||
      memcmp(text, own, (size_t)(at - text)) != 0 ||
      *read_row(at + 1, &want) != '\0') {
    return false;
  }
  for (uint32_t i = 0; xli_copy_row(a, c, i, &row, &bytes->begin); i++) {
    if (row.offset == want.offset && row.length == want.length) {
      bytes->end = bytes->begin + row.length;
      return true;
    }
  }
  return false;
}

xl_range xli_copy_bytes(const xl_agent *a, const copy *c, xl_name key) {
  xl_range all = {0, c->size}, row;

  return key != c->key && row_of_copy(a, c, key, &row) ? row : all;
}

uint32_t xli_copy_nrows(const xl_agent *a, const copy *c) {
  xl_range_spec row;
  xl_bytes begin;
  uint32_t n = 0;

  while (xli_copy_row(a, c, n, &row, &begin)) {
    n++;
  }
  return n;
}

void xli_cache_touch(xl_agent *a, uint32_t i) {
  copy *c = &a->cache.copies[i];

  c->used = a->engine->now;
  if (c->cached && c->age_max > 0) { /* R612 */
    c->expires = xl_time_add(c->used, c->age_max);
  }
  if (c->doomed && c->uploads == 0) {
    take_out(a, i);
  }
}

void xli_cache_due(xl_agent *a) {
  for (uint32_t i = a->cache.n; i-- > 0;) {
    const copy *c = &a->cache.copies[i];
    if (c->cached && !c->doomed && c->expires <= a->engine->now) {
      evict(a, i, EVICT_AGE);
    }
  }
}

xl_time xli_cache_next_due(const xl_agent *a) {
  xl_time t = XL_NEVER;

  for (uint32_t i = 0; i < a->cache.n; i++) {
    const copy *c = &a->cache.copies[i];
    t = xl_time_min(t, c->cached && !c->doomed ? c->expires : XL_NEVER);
  }
  return t;
}
