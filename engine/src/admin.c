/* SPDX-License-Identifier: MIT */
#include "admin.h"

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "machine.h"
#include "transfer.h"

#include <string.h>

#define SUPPRESSED XL_MIN(10) /* R623 */
#define ALL_FLAGS (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)

static const cache_admin *seen(const xl_agent *a) {
  return &xli_machine(a)->cache;
}

static cache_admin *need(xl_agent *a) {
  machine *m = xli_machine_need(a);

  if (m == NULL) {
    return NULL;
  }
  if (!m->cache.chosen) {
    m->cache.chosen = true;
    m->cache.flags = a->peercaching;
  }
  return &m->cache;
}

/* ---- limits ---- */

static uint32_t percent_of(const cache_admin *m) {
  return m->policy.size_percent > 0 ? m->policy.size_percent : m->percent;
}

static uint32_t age_of(const cache_admin *m) {
  return m->policy.age_s > 0 ? m->policy.age_s : m->age_s;
}

static xl_bytes bytes_of(const xl_agent *a, uint32_t percent) {
  xl_bytes disk = a->device.disk_bytes;

  return disk / 100 * percent + disk % 100 * percent / 100;
}

void xli_admin_limit(const xl_agent *a, xl_keep *keep) {
  const cache_admin *m = seen(a);

  if (percent_of(m) > 0) {
    keep->bytes_max = bytes_of(a, percent_of(m));
  }
  if (age_of(m) > 0) {
    keep->age_max = XL_SEC(age_of(m));
    keep->from_arrival = false;
  }
}

/* What is in force holds for what is there, too. */
static void enforce(xl_agent *a) {
  const cache_admin *m = seen(a);

  if (percent_of(m) > 0) {
    xli_cache_shrink(a, bytes_of(a, percent_of(m)));
  }
  if (age_of(m) > 0) {
    xli_cache_age(a, XL_SEC(age_of(m)));
  }
}

static bool good_percent(uint32_t percent) {
  return percent >= 1 && percent <= XL_CACHE_PERCENT_MAX;
}

static bool good_age(uint32_t s) {
  return s >= XL_CACHE_AGE_MIN && s <= XL_CACHE_AGE_MAX;
}

/* Stores a preference; a policy that wins answers S_FALSE. */
static xl_err prefer(xl_agent *a, bool good, xl_time now, bool size,
                     uint32_t value) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  cache_admin *m = good ? need(a) : NULL;
  if (m == NULL) {
    return good ? XL_E_OUTOFMEMORY : XL_E_INVALIDARG;
  }
  *(size ? &m->percent : &m->age_s) = value;
  enforce(a);
  bool wins = (size ? m->policy.size_percent : m->policy.age_s) > 0;
  return wins ? XL_S_FALSE : a->engine->status;
}

xl_err xl_cache_set_size(xl_agent *a, uint32_t percent, xl_time now) {
  return prefer(a, good_percent(percent), now, true, percent);
}

xl_err xl_cache_set_age(xl_agent *a, uint32_t seconds, xl_time now) {
  return prefer(a, good_age(seconds), now, false, seconds);
}

uint32_t xl_cache_size(const xl_agent *a) {
  uint32_t set = percent_of(seen(a));

  return set > 0 ? set : XL_CACHE_PERCENT_DEFAULT;
}

uint32_t xl_cache_age(const xl_agent *a) {
  uint32_t set = age_of(seen(a));

  return set > 0 ? set : XL_CACHE_AGE_DEFAULT;
}

/* ---- flags ---- */

static uint32_t flags_of(const cache_admin *m) {
  if (m->policy.peering == XL_PEERING_UNSET) {
    return m->flags;
  }
  if (m->policy.peering == XL_PEERING_OFF) {
    return 0;
  }
  return (m->policy.client_off ? 0 : XL_PEERCACHING_CLIENT) |
         (m->policy.server_off ? 0 : XL_PEERCACHING_SERVER);
}

xl_err xl_cache_set_flags(xl_agent *a, uint32_t flags, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if ((flags & ~ALL_FLAGS) != 0) {
    return XL_E_INVALIDARG;
  }
  cache_admin *m = need(a);
  if (m == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  m->flags = (uint8_t)flags;
  xl_err err = xl_agent_set_peercaching(a, flags_of(m), now);
  return err == XL_OK && flags_of(m) != flags ? XL_S_OVERRIDDEN_BY_POLICY : err;
}

uint32_t xl_cache_flags(const xl_agent *a) {
  return a->peercaching;
}

xl_err xl_cache_set_policy(xl_agent *a, const xl_cache_policy *p, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if ((uint32_t)p->peering > XL_PEERING_ON ||
      (p->size_percent > 0 && !good_percent(p->size_percent)) ||
      (p->age_s > 0 && !good_age(p->age_s))) {
    return XL_E_INVALIDARG;
  }
  cache_admin *m = need(a);
  if (m == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  m->policy = *p;
  enforce(a);
  return xl_agent_set_peercaching(a, flags_of(m), now);
}

/* ---- records ---- */

static uint32_t index_of(const xl_agent *a, uint32_t id) {
  for (uint32_t i = 0; i < a->cache.n; i++) {
    const copy *c = &a->cache.copies[i];
    if (c->cached && !c->doomed && c->id == id) {
      return i;
    }
  }
  return XL_NONE;
}

uint32_t xl_cache_records(const xl_agent *a, uint32_t *ids, uint32_t max) {
  uint32_t n = 0;

  for (uint32_t i = 0; i < a->cache.n; i++) {
    const copy *c = &a->cache.copies[i];
    if (!c->cached || c->doomed) {
      continue;
    }
    uint32_t at = n < max ? n : max;
    for (; at > 0 && ids[at - 1] > c->id; at--) {
      if (at < max) {
        ids[at] = ids[at - 1];
      }
    }
    if (at < max) {
      ids[at] = c->id;
    }
    n++;
  }
  return n;
}

static const char *url_of(const xl_agent *a, const copy *c) {
  return xl_engine_string(a->engine, c->url != 0 ? c->url : c->key);
}

xl_err xl_cache_record(const xl_agent *a, uint32_t id, xl_record *out) {
  uint32_t i = index_of(a, id);

  if (i == XL_NONE) {
    return XL_E_NOT_FOUND;
  }
  const copy *c = &a->cache.copies[i];
  *out = (xl_record){.id = id,
                     .url = url_of(a, c),
                     .version = c->version,
                     .held = c->size,
                     .used = c->used,
                     .expires = c->expires,
                     .validated = c->validated,
                     .busy = c->uploads > 0,
                     .nranges = xli_copy_nrows(a, c)};
  return XL_OK;
}

xl_err xl_cache_record_range(const xl_agent *a, uint32_t id, uint32_t i,
                             xl_range_spec *out) {
  uint32_t k = index_of(a, id);
  xl_bytes begin;

  return k != XL_NONE && xli_copy_row(a, &a->cache.copies[k], i, out, &begin)
             ? XL_OK
             : XL_E_NOT_FOUND;
}

xl_err xl_cache_delete(xl_agent *a, uint32_t id, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  uint32_t i = index_of(a, id);
  if (i == XL_NONE) {
    return XL_E_NOT_FOUND;
  }
  if (a->cache.copies[i].uploads > 0) {
    return XL_E_BUSYCACHERECORD;
  }
  xli_cache_delete(a, i);
  return XL_OK;
}

xl_err xl_cache_delete_url(xl_agent *a, const char *url, xl_time now) {
  xl_err err = XL_S_FALSE;

  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  for (uint32_t i = a->cache.n; i-- > 0;) {
    const copy *c = &a->cache.copies[i];
    if (!c->cached || c->doomed || strcmp(url_of(a, c), url) != 0) {
      continue;
    }
    if (c->uploads > 0) {
      err = XL_E_BUSYCACHERECORD;
    } else {
      xli_cache_delete(a, i);
      err = err == XL_S_FALSE ? XL_OK : err;
    }
  }
  return err;
}

xl_err xl_cache_clear(xl_agent *a, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  for (uint32_t i = a->cache.n; i-- > 0;) {
    if (a->cache.copies[i].cached && !a->cache.copies[i].doomed) {
      xli_cache_delete(a, i);
    }
  }
  return XL_OK;
}

/* ---- peers ---- */

/* Neither left out nor busy for any file. */
static bool available(const xl_agent *a, uint32_t id) {
  xl_time now = a->engine->now;

  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      const swarm *s = j->files[i]->swarm;
      uint32_t k = s == NULL ? XL_NONE : xli_peers_find(s, id);
      if (k != XL_NONE && (s->peers[k].quiet_until > now)) {
        return false;
      }
    }
  }
  return true;
}

/* Whether the table or a file of |a| before |until| knows the device. */
static bool known_before(const xl_agent *a, const xl_file *until, uint32_t id) {
  if (xli_servers_find(a, id) != XL_NONE) {
    return true;
  }
  for (const xl_job *j = a->jobs;; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles && j->files[i] != until; i++) {
      if (j->files[i]->swarm != NULL &&
          xli_peers_find(j->files[i]->swarm, id) != XL_NONE) {
        return true;
      }
    }
    if (j == until->job) {
      return false;
    }
  }
}

typedef struct listing {
  xl_known_peer *out;
  uint32_t n, max;
} listing;

static void list(listing *l, const xl_agent *a, uint32_t id, uint8_t scope) {
  if (l->n < l->max) {
    l->out[l->n] = (xl_known_peer){
        .id = id, .scope = (xl_scope)scope, .available = available(a, id)};
  }
  l->n++;
}

uint32_t xl_peers_known(const xl_agent *a, xl_known_peer *out, uint32_t max) {
  const servers *t = xli_servers(a);
  listing l = {.out = out, .max = max};

  for (uint32_t i = 0; i < t->n; i++) {
    if (xli_servers_live(&t->list[i], a->engine->now)) {
      list(&l, a, t->list[i].id, t->list[i].scope);
    }
  }
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      const swarm *s = j->files[i]->swarm;
      for (uint32_t k = 0; s != NULL && k < s->n; k++) {
        if (!known_before(a, j->files[i], s->peers[k].id)) {
          list(&l, a, s->peers[k].id, s->peers[k].scope);
        }
      }
    }
  }
  return l.n;
}

/* What the policy remembers of searches does not hold back the next one. When
   there is no room for a peer there is none, and nothing to wait for. */
static void search_afresh(xl_file *f) {
  xl_engine *eng = f->job->agent->engine;
  swarm *s = f->swarm;

  if (s != NULL && s->search == 0 && s->n < eng->cfg.peers_max) {
    s->nsearches = 0;
    s->searched = -1;
    s->find_due = eng->now;
  }
}

xl_err xl_peers_clear(xl_agent *a, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      xl_file *f = j->files[i];
      while (f->swarm != NULL && f->swarm->n > 0) {
        xli_peers_drop(f, f->swarm->n - 1);
      }
      search_afresh(f);
      xli_file_after(f);
    }
  }
  if (seen(a)->searched) {
    need(a)->searched = false; /* R623 */
  }
  xli_servers_clear(a);
  xli_agent_settle_jobs(a);
  return a->engine->status;
}

xl_err xl_peers_discover(xl_agent *a, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if ((a->peercaching & XL_PEERCACHING_CLIENT) == 0) {
    return XL_E_PEERCACHING_DISABLED;
  }
  cache_admin *m = need(a);
  if (m == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  if (m->searched && now < xl_time_add(m->discovered, SUPPRESSED)) {
    return XL_S_FALSE;
  }
  m->discovered = now;
  m->searched = true;
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      search_afresh(j->files[i]);
      xli_file_after(j->files[i]);
    }
  }
  xli_agent_settle_jobs(a);
  return a->engine->status;
}
