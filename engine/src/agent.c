/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "machine.h"
#include "notify.h"
#include "ranges.h"
#include "remote.h"
#include "schedule.h"
#include "transfer.h"

static bool good_policy(const xl_policy *p) {
  return p != NULL && p->version == XL_POLICY_ABI &&
         p->size == sizeof(xl_policy) && p->name != NULL && p->pick != NULL &&
         p->peer_state_size <= 16;
}

static void link_agent(xl_engine *eng, xl_agent *a) {
  a->next = eng->agents;
  if (a->next != NULL) {
    a->next->prev = a;
  }
  eng->agents = a;
  eng->nagents++;
}

xl_err xl_agent_new(xl_agent **out, xl_engine *eng, const xl_agent_cfg *cfg,
                    xl_time now) {
  *out = NULL;
  if (!xli_enter(eng, now)) {
    return eng->status;
  }
  if (!good_policy(cfg->policy)) {
    return XL_E_INVALIDARG;
  }
  const xl_value *params =
      cfg->params != NULL ? cfg->params : xli_param_defaults(eng, cfg->policy);
  if (params == NULL || !xli_heap_reserve(eng, &eng->heap, eng->nagents + 1)) {
    return eng->status;
  }
  xl_agent *a = xli_new(eng, sizeof *a + cfg->policy->agent_state_size);
  if (a == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  a->engine = eng;
  a->id = cfg->id;
  a->user = cfg->user;
  a->policy = cfg->policy;
  a->params = params;
  a->peercaching = (uint8_t)(cfg->peercaching & 3u);
  a->device = cfg->device;
  a->device.uploads = 0;
  a->seq = eng->seq++;
  a->heap_i = XL_NONE;
  a->due = XL_NEVER;
  a->link = true;
  link_agent(eng, a);
  *out = a;
  return XL_OK;
}

/* Actions not yet pulled must not name what is freed. */
static void forget_actions(xl_agent *a) {
  xl_engine *eng = a->engine;

  for (uint32_t i = 0; i < eng->nring; i++) {
    xl_action *act = &eng->ring[(eng->ring_begin + i) & (eng->ring_cap - 1)];
    act->agent = act->agent == a ? NULL : act->agent;
  }
}

void xl_agent_del(xl_agent *a) {
  if (a == NULL) {
    return;
  }
  xl_engine *eng = a->engine;
  forget_actions(a);
  xli_heap_set(&eng->heap, a, XL_NEVER);
  while (a->requests != NULL) {
    xli_request_del(a, a->requests);
  }
  for (xl_job *j = a->jobs, *next; j != NULL; j = next) {
    next = j->next;
    for (uint32_t i = 0; i < j->nfiles; i++) {
      xl_file *f = j->files[i];
      for (uint32_t k = 0; k < a->cache.n; k++) {
        if (a->cache.copies[k].file == f) {
          a->cache.copies[k].map = NULL; /* freed with the file */
        }
      }
    }
    xli_job_del(eng, j);
  }
  xli_cache_fini(a);
  xli_extra_del(eng, a->extra);
  xli_free(eng, a->uploads);
  if (a->prev != NULL) {
    a->prev->next = a->next;
  } else {
    eng->agents = a->next;
  }
  if (a->next != NULL) {
    a->next->prev = a->prev;
  }
  eng->nagents--;
  xli_free(eng, a);
}

void *xl_agent_user(const xl_agent *a) {
  return a->user;
}

uint32_t xl_agent_id(const xl_agent *a) {
  return a->id;
}

const xl_map *xl_agent_map(const xl_agent *a, xl_name key, xl_version version) {
  uint32_t i = xli_cache_find(a, key, version);

  return i == XL_NONE ? NULL : a->cache.copies[i].map;
}

const xl_ledger *xl_agent_ledger(const xl_agent *a) {
  xl_ledger *sum = &a->engine->agent_ledger;

  *sum = (xl_ledger){.bytes[XL_CLASS_LATE] = a->late};
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      xl_ledger own = xli_books_ledger(&j->files[i]->books);
      for (int c = 0; c < XL_NCLASSES; c++) {
        sum->bytes[c] += own.bytes[c];
      }
    }
  }
  return sum;
}

xl_err xl_agent_hold(xl_agent *a, const xl_file_info *info, xl_version version,
                     xl_time now) {
  xl_engine *eng = a->engine;

  if (!xli_enter(eng, now)) {
    return eng->status;
  }
  if (info->piece_bytes == 0 || version.size == XL_SIZE_UNKNOWN ||
      !xli_ranges_fit(info->ranges, info->nranges, version.size)) {
    return XL_E_INVALIDARG;
  }
  const char *content = info->content != NULL ? info->content : info->remote;
  xl_name key = xli_file_key(eng, content, info->ranges, info->nranges);
  xl_name url = xl_engine_name(eng, info->remote);
  if (key == 0 || url == 0) {
    return XL_E_OUTOFMEMORY;
  }
  return xli_cache_hold(
      a, key, url, version,
      xli_ranges_total(info->ranges, info->nranges, version.size),
      info->piece_bytes);
}

/* ---- time ---- */

void xli_agent_wake(xl_agent *a, xl_time at) {
  if (at < a->due) {
    xli_heap_set(&a->engine->heap, a, at);
  }
}

void xli_agent_settle_jobs(xl_agent *a) {
  while (a->resched && !a->waits && a->engine->status == XL_OK) {
    a->resched = false;
    xli_schedule(a);
  }
  if (a->notices && !a->waits && a->engine->status == XL_OK) {
    xli_notify_pump(a);
  }
}

static xl_time next_due(const xl_agent *a) {
  xl_time t = xl_time_min(xli_cache_next_due(a), xli_machine_next_due(a));

  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    t = xl_time_min(t, xli_job_next_due(j));
  }
  for (const request *r = a->requests; r != NULL; r = r->next) {
    t = xl_time_min(t, r->due);
  }
  return t;
}

void xli_agent_due(xl_agent *a) {
  xl_time now = a->engine->now;

  for (request *r = a->requests; r != NULL; r = r->next) {
    if (r->due <= now) {
      xli_ask_due(r);
    }
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    xli_job_due(j);
  }
  xli_machine_due(a);
  xli_cache_due(a);
  xli_agent_settle_jobs(a);
  xl_time next = next_due(a);
  /* What is due now has been done: time must pass before it is due again. */
  xli_heap_set(&a->engine->heap, a, next <= now ? now + 1 : next);
}

/* ---- inputs ---- */

void xl_agent_reply(xl_agent *a, uint32_t number, const xl_reply *reply,
                    xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return;
  }
  request *r = xli_request_find(a, number);
  if (r != NULL) {
    xli_remote_reply(r, reply);
    xli_agent_settle_jobs(a);
  }
}

/* Bytes from now on go to |to|; what came before stays. */
static void drop_rest(request *r, xl_class to) {
  if (r->dropped == XL_NCLASSES && !r->blind) {
    xli_book_good(r, r->pos);
    r->dropped = to & 15u;
    xli_book_release(r->file, r->range);
  }
}

/* The bytes are of another version than the file's (R659, R809). */
static void wrong_version(request *r, xl_version v) {
  if (r->kind == XL_SOURCE_ORIGIN) {
    const xl_reply reply = {.status = 206, .version = v, .ranges = true};
    xli_remote_reply(r, &reply);
  } else {
    drop_rest(r, XL_CLASS_RESTARTED);
    xli_ask_cancel(r, XL_END_CHANGED, XL_OK);
  }
}

static void verdict_of(request *r, xl_verdict verdict) {
  switch (verdict) {
  case XL_VERDICT_GOOD:
    xli_book_good(r, r->pos);
    break;
  case XL_VERDICT_BAD:
    xli_book_bad(r, r->pos);
    break;
  case XL_VERDICT_PENDING:
    break;
  }
}

void xl_agent_deliver(xl_agent *a, uint32_t number, xl_range range,
                      xl_version version, xl_verdict verdict, const void *data,
                      xl_time now) {
  xl_engine *eng = a->engine;
  xl_bytes n = range.end - range.begin;

  if (!xli_enter(eng, now)) {
    return;
  }
  request *r = xli_request_find(a, number);
  if (r != NULL && r->blind && r->state != REQUEST_CANCELLING) {
    const xl_reply reply = {.status = 200, .version = version};
    xli_remote_reply(r, &reply);
    r = xli_request_find(a, number);
    if (r == NULL) { /* that ended it */
      a->late += n;
      xli_agent_settle_jobs(a);
    }
  }
  if (r == NULL) {
    return;
  }
  if (r->dropped == XL_NCLASSES && !r->blind && !r->head &&
      !xli_version_same(version, r->file->version)) {
    if (r->state == REQUEST_CANCELLING) {
      drop_rest(r, XL_CLASS_RESTARTED);
    } else {
      wrong_version(r, version);
    }
  }
  assert(r->head || r->blind || r->dropped != XL_NCLASSES ||
         range.begin == r->pos);
  if (r->state == REQUEST_ASKED) {
    r->state = REQUEST_ANSWERED;
  }
  xli_request_see(r, xli_request_delivered(r) + n, now);
  if (r->state == REQUEST_ANSWERED) {
    xli_ask_moved(r);
  }
  xli_book(r, n, verdict == XL_VERDICT_GOOD, data);
  verdict_of(r, verdict);
  xl_file *f = r->file;
  if (!r->head && !r->blind && r->dropped == XL_NCLASSES &&
      r->pos == r->range.end) {
    ended e = xli_end(r, XL_END_DONE, XL_OK);
    xli_end_follow(&e);
  } else {
    xli_file_after(f);
  }
  xli_agent_settle_jobs(a);
}

/* Books what arrived undelivered and ends the request. */
static ended end_with(request *r, xl_end end, xl_err err, xl_bytes total) {
  xl_time now = r->file->job->agent->engine->now;
  xl_bytes had = xli_request_delivered(r);

  if (total > had) {
    xli_request_see(r, total, now);
    xli_book(r, total - had, false, NULL);
  }
  if (!r->head && !r->blind && r->dropped == XL_NCLASSES &&
      r->pos == r->range.end && end != XL_END_FAILED_CHECK) {
    return xli_end(r, XL_END_DONE, XL_OK);
  }
  if (r->state == REQUEST_CANCELLING && end != XL_END_RUN_ENDED &&
      end != XL_END_LINK_LOST) {
    if (end == XL_END_FAILED_CHECK) { /* what waited for it is no good */
      xli_book_bad(r, r->pos);
    }
    return xli_end(r, (xl_end)r->end, r->err);
  }
  return xli_end(r, end, err);
}

void xl_agent_ended(xl_agent *a, uint32_t number, xl_end end, xl_err err,
                    xl_bytes total, xl_span retry_after, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return;
  }
  request *r = xli_request_find(a, number);
  if (r == NULL) {
    return;
  }
  ended e = end_with(r, end, err, total);
  e.retry_after = retry_after;
  xli_end_follow(&e);
  xli_agent_settle_jobs(a);
}

void xl_agent_late(xl_agent *a, xl_bytes bytes, xl_time now) {
  if (xli_enter(a->engine, now)) {
    a->late += bytes;
  }
}

/* Ends every request as |end|, without consequences. */
static void end_all(xl_agent *a, xl_end end) {
  xl_engine *eng = a->engine;

  while (a->requests != NULL) {
    request *r = a->requests;
    xl_bytes total = r->seen;
    if (!r->head) {
      eng->inside = true;
      total = eng->env.arrived(eng->env.arg, a, r->number);
      eng->inside = false;
    }
    end_with(r, end, XL_OK, total);
  }
}

/* Files that became whole by what was booked last. */
static void after_all(xl_agent *a) {
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      xl_file *f = j->files[i];
      if (f->phase == FILE_MOVING && xli_have_all(&f->have)) {
        xli_file_after(f);
      }
    }
  }
}

void xl_agent_link(xl_agent *a, bool up, xl_time now) {
  if (!xli_enter(a->engine, now) || a->link == up) {
    return;
  }
  a->link = up;
  if (!up) {
    end_all(a, XL_END_LINK_LOST);
    after_all(a);
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    xli_job_link(j, up);
  }
  a->resched = true;
  xli_agent_settle_jobs(a);
}

void xl_agent_settle(xl_agent *a, xl_time now) {
  if (xli_enter(a->engine, now)) {
    end_all(a, XL_END_RUN_ENDED);
  }
}
