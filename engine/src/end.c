/* SPDX-License-Identifier: MIT */
#include "agent.h"
#include "engine.h"
#include "job.h"
#include "servers.h"
#include "transfer.h"

#define BAN XL_SEC(60)
#define SEARCHES_AGAIN 3 /* R655: the 4th failure ends the use of peers */

static void tell(const request *r, xl_end end, xl_err err) {
  xl_agent *a = r->file->job->agent;
  xl_engine *eng = a->engine;

  if (eng->env.transfer == NULL || eng->status == XL_E_OUTOFMEMORY) {
    return; /* out of memory, books may lack bytes */
  }
  bool meta = r->head || r->blind;
  xl_transfer row = {.agent = a,
                     .file = r->file,
                     .request = r->number,
                     .kind = (xl_source_kind)r->kind,
                     .source = r->source,
                     .scope = (xl_scope)r->scope,
                     .range = meta ? (xl_range){0, 0} : r->range,
                     .asked = r->asked,
                     .first = r->first,
                     .end = eng->now,
                     .delivered = xli_request_delivered(r),
                     .outcome = end,
                     .err = err,
                     .reason =
                         r->head ? XL_REASON_METADATA : (xl_reason)r->reason,
                     .rejected = r->rejected,
                     .waited = r->picked ? r->asked - r->file->began : 0};
  row.booked.bytes[xl_class_of((xl_source_kind)r->kind, (xl_scope)r->scope)] =
      r->useful;
  for (int i = 0; r->wasted != NULL && i < NWASTED; i++) {
    row.booked.bytes[XL_CLASS_USEFUL_END + i] = r->wasted[i];
  }
  eng->inside = true;
  eng->env.transfer(eng->env.arg, &row);
  eng->inside = false;
}

static xl_err default_err(xl_end end) {
  switch (end) {
  case XL_END_REFUSED:
  case XL_END_CONNECT:
    return XL_E_CONNECT_FAILURE;
  case XL_END_RESET:
    return XL_E_CONNECTION_CLOSED;
  case XL_END_STALLED:
    return XL_E_TIMEOUT;
  case XL_END_HTTP_ERROR:
    return XL_E_INVALID_SERVER_RESPONSE;
  case XL_END_FAILED_CHECK:
    return XL_E_VALIDATION_FAILED;
  case XL_END_LINK_LOST:
    return XL_E_NETWORK_DISCONNECTED;
  case XL_END_DONE:
  case XL_END_CANCELLED:
  case XL_END_CHANGED:
  case XL_END_RUN_ENDED:
  case XL_NENDS:
    break;
  }
  return XL_OK;
}

ended xli_end(request *r, xl_end end, xl_err err) {
  xl_file *f = r->file;
  xl_agent *a = f->job->agent;

  if (end == XL_END_FAILED_CHECK) {
    xli_book_bad(r, r->pos);
  } else if (!r->head) {
    xli_book_good(r, r->pos);
  }
  if (r->bad && end == XL_END_DONE) {
    end = XL_END_FAILED_CHECK;
  }
  ended e = {.file = f,
             .kind = (xl_source_kind)r->kind,
             .peer = r->peer,
             .end = end,
             .err = err != XL_OK ? err : default_err(end),
             .head = r->head};
  e.multipart = r->kind == XL_SOURCE_ORIGIN && !r->head && !r->blind &&
                xli_ask_parts(f, r->range) > 1;
  tell(r, end, e.err);
  if (r->kind == XL_SOURCE_ORIGIN) {
    f->norigin--;
  } else {
    f->npeer--;
  }
  if (r->peer != XL_NONE) {
    xl_peer *p = &f->swarm->peers[r->peer];
    p->requests--;
    if (end == XL_END_DONE && a->engine->now > r->asked) {
      p->rate = (float)xl_span_rate(xli_request_delivered(r),
                                    a->engine->now - r->asked);
    }
  }
  xl_range range =
      r->blind || r->dropped != XL_NCLASSES ? (xl_range){0, 0} : r->range;
  xli_request_del(a, r);
  xli_book_release(f, range);
  return e;
}

/* ---- consequences ---- */

/* What the policy wants done, the default first; NULL-safe for peers that are
   gone. */
static void remedy(const ended *e, uint32_t in_row, xl_remedy *out) {
  xl_file *f = e->file;
  const xl_failure why = {.kind = e->kind,
                          .peer = e->peer,
                          .end = e->end,
                          .err = e->err,
                          .in_row = in_row};
  bool busy = e->end == XL_END_REFUSED && e->retry_after > 0;

  *out = (xl_remedy){.mirror = XL_NONE};
  if (e->kind == XL_SOURCE_ORIGIN && in_row >= 2 && f->nremotes > 1) {
    out->mirror = (f->mirror + 1u) % f->nremotes;
  } else if (e->kind == XL_SOURCE_PEER && !busy) {
    out->ban_peer = BAN;
  }
  xli_policy_failed(f, &why, out);
  if (out->mirror != XL_NONE && out->mirror >= f->nremotes) {
    xli_fail(f->job->agent->engine, XL_E_INVALIDARG,
             f->job->agent->policy->name,
             "switches to a remote name that is not there");
    out->mirror = XL_NONE;
  }
  if (out->ban_peer < 0) {
    xli_fail(f->job->agent->engine, XL_E_INVALIDARG,
             f->job->agent->policy->name,
             "leaves a peer out for less than no time");
    out->ban_peer = 0;
  }
}

static void go_origin_only(xl_file *f) {
  if (!f->origin_only) {
    f->origin_only = true;
    xli_event(f->job->agent, XL_EVENT_ORIGIN_ONLY, f->job, f,
              f->swarm == NULL ? 0 : f->swarm->failures, 0, 0);
  }
}

static void peer_failed(const ended *e) {
  xl_file *f = e->file;
  xl_agent *a = f->job->agent;
  xl_time now = a->engine->now;
  xl_remedy out;

  if (e->peer == XL_NONE) {
    return; /* it was forgotten meanwhile */
  }
  swarm *s = f->swarm;
  xl_peer *p = &s->peers[e->peer];
  p->failures = p->failures < PEER_FAILURES_MAX
                    ? (p->failures + 1u) & PEER_FAILURES_MAX
                    : PEER_FAILURES_MAX;
  s->failures += e->end != XL_END_REFUSED;
  if (e->end == XL_END_REFUSED && e->retry_after > 0) {
    xli_peers_busy(f, e->peer, xl_time_add(now, e->retry_after));
  }
  remedy(e, p->failures, &out);
  if (out.drop_peer || out.ban_peer > 0) {
    xli_event(a, XL_EVENT_PEER_DROPPED, f->job, f, p->id, e->end,
              out.drop_peer ? 0 : out.ban_peer);
  }
  if (out.drop_peer) { /* R616 */
    xli_servers_drop(a, p->id);
    xli_peers_drop(f, e->peer);
  } else if (out.ban_peer > 0) {
    xli_peers_ban(f, e->peer, xl_time_add(now, out.ban_peer));
  }
  if (out.origin_only || (a->policy->flavour == XL_FLAVOUR_BITS3 &&
                          s->failures > SEARCHES_AGAIN)) {
    go_origin_only(f);
  }
  if (out.mirror != XL_NONE) {
    xli_file_switch(f, out.mirror);
  }
}

/* Another request of the job is still under way. */
static bool job_is_busy(const xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    if (j->files[i]->norigin + j->files[i]->npeer > 0) {
      return true;
    }
  }
  return false;
}

static void origin_failed(const ended *e) {
  xl_file *f = e->file;
  xl_job *j = f->job;
  xl_remedy out;

  f->origin_failures++;
  uint32_t in_row = f->origin_failures;
  remedy(e, in_row, &out);
  if (out.origin_only) {
    go_origin_only(f);
  }
  if (out.mirror != XL_NONE) {
    xli_file_switch(f, out.mirror);
  }
  if (!xli_job_running(j)) {
    return;
  }
  if (e->end != XL_END_FAILED_CHECK && !xl_err_transient(e->err)) {
    xli_job_fatal(j, f, e->err);
  } else if (xli_job_parallel(j) && job_is_busy(j)) {
    f->origin_after = xl_time_add(j->agent->engine->now, xli_backoff(in_row));
  } else {
    xli_job_transient(j, f, e->err);
  }
}

void xli_end_follow(const ended *e) {
  xl_file *f = e->file;
  bool own = e->end == XL_END_CANCELLED || e->end == XL_END_LINK_LOST ||
             e->end == XL_END_RUN_ENDED;
  bool changed = e->end == XL_END_CHANGED && e->kind == XL_SOURCE_ORIGIN;
  bool broken = e->multipart && e->err == XL_E_INVALID_SERVER_RESPONSE;

  if (e->end == XL_END_DONE) {
    if (e->kind == XL_SOURCE_ORIGIN) {
      f->origin_failures = 0;
    } else if (e->peer != XL_NONE) {
      xl_peer *p = &f->swarm->peers[e->peer];
      p->failures = 0;
      xli_servers_heard(f->job->agent, p->id, (xl_scope)p->scope); /* R624 */
    }
  } else if (broken && !f->single_ranges) {
    f->single_ranges = true; /* R808 */
  } else if (!own && !changed) {
    if (e->kind == XL_SOURCE_PEER) {
      peer_failed(e);
    } else {
      origin_failed(e);
    }
  }
  xli_file_after(f);
}
