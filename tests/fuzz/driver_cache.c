/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Administration of the peer cache, against what was said before. */
#include <string.h>

#include "driver_world.h"

#define NRECORDS 64

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

static bool good(const world *w) {
  return xl_engine_status(w->eng, NULL) == XL_OK;
}

/* ---- what is in force ---- */

static uint32_t percent_of(const machine_model *m) {
  return m->admin.size_percent > 0 ? m->admin.size_percent : m->percent;
}

static uint32_t age_of(const machine_model *m) {
  return m->admin.age_s > 0 ? m->admin.age_s : m->age_s;
}

static uint32_t flags_of(const machine_model *m) { /* R670, R671 */
  switch (m->admin.peering) {
  case XL_PEERING_OFF:
    return 0;
  case XL_PEERING_ON:
    return (m->admin.client_off ? 0 : 1u) | (m->admin.server_off ? 0 : 2u);
  case XL_PEERING_UNSET:
    break;
  }
  return m->flags;
}

static void choose(machine_model *m) {
  m->flags = m->chosen ? m->flags : m->effective;
  m->chosen = true;
}

static xl_bytes size_max(const machine_model *m) {
  return m->disk / 100 * percent_of(m) + m->disk % 100 * percent_of(m) / 100;
}

void cache_check(const world *w, uint32_t i) {
  const machine_model *m = &w->machine[i];
  const xl_agent *a = w->agents[i];
  uint32_t percent = percent_of(m), age = age_of(m);

  must(xl_cache_size(a) == (percent > 0 ? percent : XL_CACHE_PERCENT_DEFAULT),
       "the size of the cache is not what was said last");
  must(xl_cache_age(a) == (age > 0 ? age : XL_CACHE_AGE_DEFAULT),
       "the age of the cache is not what was said last");
  must(xl_cache_flags(a) == m->effective, "flags that nobody has set");
  must(percent == 0 || !m->enforced || m->cached <= size_max(m),
       "the cache is larger than it may be");
}

/* ---- records ---- */

static xl_bytes ranges_of(const xl_agent *a, uint32_t id, uint32_t n) {
  xl_range_spec r;
  xl_bytes sum = 0;

  for (uint32_t i = 0; i < n; i++) {
    must(xl_cache_record_range(a, id, i, &r) == XL_OK, "a range of a record");
    sum += r.length;
  }
  must(xl_cache_record_range(a, id, n, &r) == XL_E_NOT_FOUND,
       "a range that is none");
  return sum;
}

static void check_record(const world *w, uint32_t i, const xl_record *r) {
  uint32_t age = age_of(&w->machine[i]);

  must(r->nranges > 0 && ranges_of(w->agents[i], r->id, r->nranges) == r->held,
       "the ranges of a record do not sum to what it holds");
  must(r->validated && r->url != NULL && r->used <= w->now,
       "a record that is not whole, or of the future");
  must(age == 0 || !w->machine[i].enforced ||
           r->expires == xl_time_add(r->used, XL_SEC(age)),
       "a record expires at another time than its age says");
}

/* All records; their bytes are those that were admitted and not evicted. */
static uint32_t records(const world *w, uint32_t i, uint32_t *ids) {
  const xl_agent *a = w->agents[i];
  uint32_t n = xl_cache_records(a, ids, NRECORDS), one[1] = {0};
  xl_bytes sum = 0;
  xl_record r;

  must(xl_cache_records(a, one, 1) == n && (n == 0 || one[0] == ids[0]),
       "a short list of records differs from the long one");
  for (uint32_t k = 0; k < n && k < NRECORDS; k++) {
    must(k == 0 || ids[k - 1] < ids[k], "records out of order");
    if (xl_cache_record(a, ids[k], &r) != XL_OK) {
      driver_broken("a record that is listed is not there");
      return 0;
    }
    check_record(w, i, &r);
    sum += r.held;
  }
  must(n > NRECORDS || sum == w->machine[i].cached,
       "the records are not what was admitted and not evicted");
  return n < NRECORDS ? n : NRECORDS;
}

static void delete_one(world *w, uint32_t i, uint32_t id) {
  xl_agent *a = w->agents[i];
  xl_record r;

  if (xl_cache_record(a, id, &r) != XL_OK) {
    must(xl_cache_delete(a, id, w->now) == XL_E_NOT_FOUND,
         "a record that is not there is deleted");
    return;
  }
  xl_err err = xl_cache_delete(a, id, w->now);
  must(err == (r.busy ? XL_E_BUSYCACHERECORD : XL_OK), "deleting a record");
  must((xl_cache_record(a, id, &r) == XL_OK) == (err != XL_OK),
       "a deleted record is still there");
}

/* The records of |url| and how many of them are busy. */
static uint32_t of_url(const world *w, uint32_t i, const char *url,
                       uint32_t *busy) {
  uint32_t ids[NRECORDS], n = records(w, i, ids), all = 0;
  xl_record r;

  *busy = 0;
  for (uint32_t k = 0; k < n; k++) {
    if (xl_cache_record(w->agents[i], ids[k], &r) == XL_OK &&
        strcmp(r.url, url) == 0) {
      all++;
      *busy += r.busy;
    }
  }
  return all;
}

static void delete_url(world *w, uint32_t i, const char *url) {
  uint32_t busy, later, all = of_url(w, i, url, &busy);
  xl_err err = xl_cache_delete_url(w->agents[i], url, w->now);

  must(err == (all == 0   ? XL_S_FALSE
               : busy > 0 ? XL_E_BUSYCACHERECORD
                          : XL_OK),
       "deleting the records of a name");
  must(of_url(w, i, url, &later) == busy, "records of a name that was deleted");
}

/* ---- calls ---- */

static void set_policy(world *w, uint32_t i, uint32_t n, uint32_t how) {
  const xl_cache_policy p = {.peering = how % 3,
                             .client_off = n % 4 == 1,
                             .server_off = n % 4 == 2,
                             .size_percent = n % 5 == 0 ? n : 0,
                             .age_s = n % 7 == 0 ? n * 43200 : 0};
  machine_model *m = &w->machine[i];
  xl_err err = xl_cache_set_policy(w->agents[i], &p, w->now);

  if (err == XL_OK) {
    choose(m);
    m->admin = p;
    m->enforced = true;
    m->effective = flags_of(m);
  }
  bool bad = p.size_percent > 80 || (p.age_s > 0 && p.age_s < 86400);
  must(!good(w) || err == (bad ? XL_E_INVALIDARG : XL_OK), "a policy");
}

static void set_number(world *w, uint32_t i, uint32_t n, bool size) {
  machine_model *m = &w->machine[i];
  xl_agent *a = w->agents[i];
  uint32_t age = n * 7200u + (n > 90 ? 864000000u : 0);
  bool ok = size ? n >= 1 && n <= 80 : age >= 86400 && age <= 10368000;
  bool wins = (size ? m->admin.size_percent : m->admin.age_s) > 0;
  xl_err err =
      size ? xl_cache_set_size(a, n, w->now) : xl_cache_set_age(a, age, w->now);

  if (ok && good(w)) {
    choose(m);
    m->enforced = true;
    *(size ? &m->percent : &m->age_s) = size ? n : age;
  }
  must(!good(w) || err == (!ok    ? XL_E_INVALIDARG
                           : wins ? XL_S_FALSE
                                  : XL_OK),
       "a preference for the cache");
}

static void set_flags(world *w, uint32_t i, uint32_t flags) {
  machine_model *m = &w->machine[i];
  xl_err err = xl_cache_set_flags(w->agents[i], flags, w->now);

  if (flags < 4 && good(w)) {
    choose(m);
    m->flags = flags;
    m->effective = flags_of(m);
  }
  must(!good(w) || err == (flags > 3              ? XL_E_INVALIDARG
                           : flags_of(m) != flags ? XL_S_OVERRIDDEN_BY_POLICY
                                                  : XL_OK),
       "flags of the cache");
}

void play_cache(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]), ids[NRECORDS], n;

  if (i == XL_NONE) {
    return;
  }
  switch (a[1]) {
  case 0:
    set_policy(w, i, a[2], a[3]);
    break;
  case 1:
    set_number(w, i, a[2], true);
    break;
  case 2:
    set_number(w, i, a[2], false);
    break;
  case 3:
    set_flags(w, i, a[2] % 5);
    break;
  case 4:
    must(xl_cache_clear(w->agents[i], w->now) == XL_OK || !good(w), "clearing");
    must(!good(w) || records(w, i, ids) == 0, "a cleared cache has records");
    break;
  case 5:
    if (good(w)) {
      delete_url(w, i, world_urls[a[2] % NURLS]);
    }
    break;
  case 6:
    n = good(w) ? records(w, i, ids) : 0;
    if (n > 0) {
      delete_one(w, i, a[3] == 0 ? a[2] : ids[a[2] % n]);
    }
    break;
  default:
    if (good(w)) {
      records(w, i, ids);
    }
    break;
  }
}

/* ---- peers ---- */

static void check_peers(const world *w, uint32_t i) {
  xl_known_peer p[NRECORDS], one[1];
  uint32_t n = xl_peers_known(w->agents[i], p, NRECORDS);

  must(xl_peers_known(w->agents[i], one, 1) == n &&
           (n == 0 || one[0].id == p[0].id),
       "a short list of peers differs from the long one");
  for (uint32_t k = 0; k < n && k < NRECORDS; k++) {
    must(p[k].id != i, "an agent knows itself as a peer");
    for (uint32_t o = 0; o < k; o++) {
      must(p[o].id != p[k].id, "a peer is listed twice");
    }
  }
}

static void discover(world *w, uint32_t i) { /* R623 */
  machine_model *m = &w->machine[i];
  bool client = (m->effective & XL_PEERCACHING_CLIENT) != 0;
  bool early =
      m->discovered && w->now < xl_time_add(m->discovered_at, XL_MIN(10));
  xl_err err = xl_peers_discover(w->agents[i], w->now);

  must(!good(w) || err == (!client ? XL_E_PEERCACHING_DISABLED
                           : early ? XL_S_FALSE
                                   : XL_OK),
       "discovery of peers");
  if (good(w) && client) {
    choose(m);
    m->discovered_at = early ? m->discovered_at : w->now;
    m->discovered = true;
  }
}

void play_peers(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);
  xl_known_peer p;

  if (i == XL_NONE) {
    return;
  }
  if (a[1] == 0) {
    discover(w, i);
  } else if (a[1] == 1) {
    must(xl_peers_clear(w->agents[i], w->now) == XL_OK || !good(w),
         "clearing peers");
    must(!good(w) || xl_peers_known(w->agents[i], &p, 1) == 0,
         "peers that were cleared");
    w->machine[i].discovered = false;
  } else {
    check_peers(w, i);
  }
}
