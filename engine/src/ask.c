/* SPDX-License-Identifier: MIT */
#include "agent.h"
#include "engine.h"
#include "job.h"
#include "ranges.h"
#include "transfer.h"

static void start(request *r, xl_span timeout) {
  xl_agent *a = r->file->job->agent;

  r->moved = a->engine->now;
  r->due = xl_time_add(a->engine->now, timeout);
  xli_agent_wake(a, r->due);
}

/* A request to the current remote name. */
static request *origin_request(xl_file *f) {
  request *r = xli_request_new(f->job->agent, f);

  if (r != NULL) {
    r->kind = XL_SOURCE_ORIGIN;
    r->source = f->mirror;
    f->norigin++;
    start(r, f->job->agent->engine->cfg.connect_timeout);
  }
  return r;
}

static void send(const request *r, xl_action_kind kind) {
  xl_file *f = r->file;
  bool from_peer = r->kind == XL_SOURCE_PEER;
  xl_action act = {.kind = kind,
                   .agent = f->job->agent,
                   .job = f->job,
                   .file = f,
                   .request = r->number,
                   .source = (xl_source_kind)r->kind,
                   .url = from_peer     ? 0
                          : r->url != 0 ? r->url
                                        : f->remotes[r->source].url,
                   .peer = from_peer ? r->source : XL_NONE,
                   .scope = (xl_scope)r->scope,
                   .key = from_peer ? xli_peers_key(f) : f->key,
                   .version = f->version,
                   .range = r->range,
                   .offset = r->range.begin,
                   .auth = from_peer ? 0 : f->auth,
                   .background = f->job->priority != XL_PRIORITY_FOREGROUND};
  xl_bytes end;

  if (from_peer && xli_peers_by_row(f)) { /* R644: within the record's row */
    act.offset -= f->swarm->turn->bytes.begin;
  }
  if (kind == XL_ACT_GET && !r->blind && !from_peer && f->have.size > 0) {
    act.offset = xli_ranges_offset(f->ranges, f->nranges, f->version.size,
                                   r->range.begin, &end);
  }
  if (kind == XL_ACT_GET) {
    act.whole = r->blind || (f->nranges == 0 && r->range.begin == 0 &&
                             r->range.end == f->have.size);
    act.parts = act.whole || from_peer ? 0 : xli_ask_parts(f, r->range);
  }
  xli_act(f->job->agent->engine, &act);
}

uint32_t xli_ask_parts(const xl_file *f, xl_range r) {
  return xli_ranges_window(f->ranges, f->nranges, f->version.size, r, NULL, 0);
}

void xli_ask_head(xl_file *f) {
  request *r = origin_request(f);

  if (r != NULL) {
    r->head = true;
    r->reason = XL_REASON_METADATA;
    send(r, XL_ACT_HEAD);
  }
}

void xli_ask_blind(xl_file *f) {
  request *r = origin_request(f);

  if (r != NULL) {
    r->blind = true;
    r->range = (xl_range){0, XL_SIZE_UNKNOWN};
    r->reason = (uint8_t)(f->origin_only ? XL_REASON_ORIGIN_ONLY_AGAIN
                          : f->job->agent->policy->find == NULL
                              ? XL_REASON_POLICY_ORIGIN
                              : XL_REASON_PEERING_OFF);
    send(r, XL_ACT_GET);
  }
}

void xli_ask_elsewhere(request *r) {
  r->number = ++r->file->job->agent->numbers;
  r->state = REQUEST_ASKED;
  start(r, r->file->job->agent->engine->cfg.connect_timeout);
  send(r, r->head ? XL_ACT_HEAD : XL_ACT_GET);
}

void xli_ask_body(request *r) {
  r->head = false;
  r->number = ++r->file->job->agent->numbers;
  r->state = REQUEST_ASKED;
  start(r, r->file->job->agent->engine->cfg.connect_timeout);
  send(r, XL_ACT_GET);
}

void xli_ask_cancel(request *r, xl_end end, xl_err err) {
  xl_agent *a = r->file->job->agent;
  xl_action act = {.kind = XL_ACT_CANCEL,
                   .agent = a,
                   .job = r->file->job,
                   .file = r->file,
                   .request = r->number};

  if (r->state == REQUEST_CANCELLING) {
    return;
  }
  r->state = REQUEST_CANCELLING;
  r->end = end & 15u;
  r->err = err;
  r->due = XL_NEVER;
  xli_act(a->engine, &act);
}

void xli_ask_cancel_all(xl_file *f) {
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f) {
      xli_ask_cancel(r, XL_END_CANCELLED, XL_OK);
    }
  }
}

/* ---- what is left ---- */

/* Where the open range that covers |at| ends, or |at|; *next is the nearest
   begin of an open range above |at|. */
static xl_bytes open_end(const xl_file *f, xl_bytes at, xl_bytes *next) {
  xl_bytes end = at;

  *next = f->have.size;
  for (const request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f) {
      xl_range open = xli_request_open(r);
      if (open.begin <= at && open.end > end) {
        end = open.end;
      } else if (open.begin > at && open.begin < open.end &&
                 open.begin < *next) {
        *next = open.begin;
      }
    }
  }
  return end;
}

bool xli_ask_gap(const xl_file *f, xl_bytes from, xl_range *out) {
  const have *h = &f->have;
  xl_bytes end, next, size = h->map == NULL ? 0 : h->size;

  for (xl_bytes at = from; at < size; at = end) {
    if (xli_have_run(h, at, size, &end)) {
      continue;
    }
    xl_bytes run = end;
    end = open_end(f, at, &next);
    if (end == at) {
      *out = (xl_range){at, run < next ? run : next};
      return true;
    }
  }
  return false;
}

/* ---- deciding ---- */

typedef enum issued { ISSUED, HELD_BACK, ILLEGAL } issued;

static issued illegal(const xl_file *f, const char *why) {
  const xl_agent *a = f->job->agent;

  xli_fail(a->engine, XL_E_INVALIDARG, a->policy->name, why);
  return ILLEGAL;
}

/* Every piece of |r| is seen at the peer. */
static bool peer_has_all(const xl_file *f, uint32_t i, xl_range r) {
  uint32_t begin, end;

  xli_have_pieces(&f->have, r, &begin, &end);
  for (uint32_t p = begin; p < end; p++) {
    if (!xli_peer_has(f, i, p)) {
      return false;
    }
  }
  return true;
}

/* NULL, or what is illegal about the bytes asked for. */
static const char *bad_range(const xl_file *f, const xl_pick *p) {
  xl_range gap;
  xl_bytes end;

  if (p->range.begin >= p->range.end || p->range.end > f->have.size) {
    return "asks for an empty range or beyond the end of the file";
  }
  if (p->reason == XL_REASON_ENDGAME) {
    for (xl_bytes at = p->range.begin; at < p->range.end; at = end) {
      if (xli_have_run(&f->have, at, p->range.end, &end)) {
        return "asks for bytes that are already received";
      }
    }
    return NULL;
  }
  if (!xli_ask_gap(f, p->range.begin, &gap) || gap.begin != p->range.begin ||
      gap.end < p->range.end) {
    return "asks for bytes that are received or asked for";
  }
  return NULL;
}

static const char *bad_pick(const xl_file *f, const xl_pick *p) {
  if ((uint32_t)p->reason >= XL_NREASONS) {
    return "gives a reason that does not exist";
  }
  if (p->kind == XL_SOURCE_PEER) {
    if (!xli_file_peers_allowed(f) || f->origin_only) {
      return "picks a peer where peers are not allowed";
    }
    if (f->swarm == NULL || p->peer >= f->swarm->n) {
      return "picks a peer that is not known";
    }
    if (xli_peer_banned(&f->swarm->peers[p->peer],
                        f->job->agent->engine->now)) {
      return "picks a peer that is left out";
    }
  } else if (p->kind != XL_SOURCE_ORIGIN) {
    return "picks a kind of source that is not there";
  }
  return bad_range(f, p);
}

/* The origin may not be asked now: when may it? */
static bool origin_waits(xl_file *f) {
  xl_agent *a = f->job->agent;

  if (f->origin_after > a->engine->now) {
    f->pick_due = f->origin_after;
    xli_agent_wake(a, f->pick_due);
    return true;
  }
  if (f->switching && f->norigin > 0) {
    return true; /* the new server's first reply decides (R211) */
  }
  if (f->switching && xli_file_needs_head(f)) {
    xli_ask_head(f);
    return true;
  }
  return false;
}

static xl_range origin_range(const xl_file *f, xl_range r) {
  xl_bytes end;

  if (f->no_ranges && f->nranges == 0 && f->received == 0 &&
      f->norigin + f->npeer == 0) {
    return (xl_range){0, f->have.size};
  }
  if (f->nranges > 0 && !f->single_ranges) {
    return r; /* several application ranges in one request (R210, R804) */
  }
  xli_ranges_offset(f->ranges, f->nranges, f->version.size, r.begin, &end);
  return (xl_range){r.begin, r.end < end ? r.end : end};
}

/* Whether the peers that are known may have byte |at|. */
static bool in_row(const xl_file *f, xl_bytes at) {
  return !xli_peers_by_row(f) ||
         (at >= f->swarm->turn->bytes.begin && at < f->swarm->turn->bytes.end);
}

static issued issue(xl_file *f, const xl_pick *p) {
  xl_engine *eng = f->job->agent->engine;
  const char *bad = bad_pick(f, p);
  request *r;

  if (bad != NULL) {
    return illegal(f, bad);
  }
  xl_range range = p->range;
  if (p->kind == XL_SOURCE_ORIGIN || !in_row(f, range.begin)) {
    if (origin_waits(f)) {
      return HELD_BACK;
    }
    r = origin_request(f);
    if (r == NULL) {
      return ILLEGAL;
    }
    r->range = origin_range(f, p->range);
  } else {
    if (xli_peers_by_row(f) && range.end > f->swarm->turn->bytes.end) {
      range.end = f->swarm->turn->bytes.end; /* R643: one source, one record */
    }
    xl_peer *from = &f->swarm->peers[p->peer];
    if (from->map != 0 && xli_peer_map(f, p->peer) == NULL) {
      f->swarm->unsynced = true; /* it went since it was looked at */
      f->pick_due = eng->now + 1;
      xli_agent_wake(f->job->agent, f->pick_due);
      return HELD_BACK;
    }
    if (!peer_has_all(f, p->peer, p->range)) {
      return illegal(f, "asks a peer for pieces it is not seen to hold");
    }
    r = xli_request_new(f->job->agent, f);
    if (r == NULL) {
      return ILLEGAL;
    }
    r->kind = XL_SOURCE_PEER;
    r->source = from->id;
    r->peer = p->peer;
    r->scope = from->scope & 7u;
    r->range = range;
    r->head = p->head;
    from->requests++;
    f->npeer++;
    start(r, eng->cfg.connect_timeout);
  }
  r->pos = r->judged = r->range.begin;
  r->reason = p->reason & 31u;
  r->rejected = p->rejected;
  r->picked = true;
  xli_have_set_busy(&f->have, r->range);
  send(r, r->head ? XL_ACT_HEAD : XL_ACT_GET);
  return ISSUED;
}

static void search(xl_file *f, const xl_find *find) {
  swarm *s = f->swarm;
  xl_agent *a = f->job->agent;
  xl_engine *eng = a->engine;
  uint32_t room = eng->cfg.peers_max - s->n;
  xl_action act = {.kind = XL_ACT_FIND,
                   .agent = a,
                   .job = f->job,
                   .file = f,
                   .request = ++a->numbers,
                   .key = xli_peers_key(f),
                   .version = f->version,
                   .find = *find};

  s->want = (uint16_t)(find->want < room ? find->want : room);
  act.find.want = s->want;
  if (a->policy->flavour == XL_FLAVOUR_BITS3) {
    act.find.complete_only = true; /* R618 */
  }
  s->found = 0;
  s->search = act.request;
  s->find_due = xl_time_add(eng->now, find->timeout);
  xli_agent_wake(a, s->find_due);
  xli_act(eng, &act);
}

static void look_for_peers(xl_file *f) {
  xl_agent *a = f->job->agent;
  xl_time now = a->engine->now;
  bool may =
      a->policy->find != NULL && !f->origin_only && xli_file_peers_allowed(f);
  xl_find find = {0};
  xl_time again = XL_NEVER;

  if (f->swarm == NULL && may) {
    f->swarm = xli_swarm_new(a->engine);
  }
  swarm *s = f->swarm;
  if (s != NULL) {
    xli_peers_turn(f);
  }
  if (s == NULL || s->search != 0 || s->find_due > now) {
    return;
  }
  s->find_due = XL_NEVER;
  if (!may || s->n >= a->engine->cfg.peers_max) {
    return; /* until that changes */
  }
  if (xli_policy_find(f, &find, &again)) {
    if (find.timeout < 0) {
      illegal(f, "searches for less than no time");
      return;
    }
    search(f, &find);
  } else {
    s->find_due = again <= now ? now + 1 : again;
    xli_agent_wake(a, s->find_due);
  }
}

void xli_ask_more(xl_file *f) {
  xl_agent *a = f->job->agent;
  xl_engine *eng = a->engine;

  f->pick_due = XL_NEVER;
  if (xli_job_dynamic(f->job)) { /* one request for all of it */
    if (f->norigin == 0) {
      xli_file_anew(f);
    }
    return;
  }
  look_for_peers(f);
  if (f->swarm != NULL) {
    xli_peers_sync(f);
  }
  while (f->phase == FILE_MOVING && eng->status == XL_OK &&
         (uint32_t)f->norigin + f->npeer < eng->cfg.requests_max) {
    xl_pick pick = {0};
    xl_time again = XL_NEVER;
    if (!xli_policy_pick(f, &pick, &again)) {
      f->pick_due = again <= eng->now ? eng->now + 1 : again;
      xli_agent_wake(a, f->pick_due);
      break;
    }
    if (issue(f, &pick) != ISSUED) {
      break;
    }
  }
  if (f->swarm != NULL && eng->status == XL_OK) {
    xli_peers_wait(f);
  }
}

/* ---- waiting ---- */

static xl_bytes arrived(const request *r) {
  xl_agent *a = r->file->job->agent;
  xl_engine *eng = a->engine;

  if (r->head || eng->env.arrived == NULL) {
    return r->seen;
  }
  eng->inside = true;
  xl_bytes n = eng->env.arrived(eng->env.arg, a, r->number);
  eng->inside = false;
  return n;
}

static void look_at(request *r) {
  xl_engine *eng = r->file->job->agent->engine;

  if (r->state != REQUEST_CANCELLING &&
      xli_request_see(r, arrived(r), eng->now)) {
    r->state = REQUEST_ANSWERED;
  }
}

void xli_ask_sample(xl_file *f) {
  xl_engine *eng = f->job->agent->engine;

  if (eng->now < xl_time_add(f->rates.sampled, XL_SEC(1))) {
    return;
  }
  f->rates.sampled = eng->now;
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f) {
      look_at(r);
    }
  }
}

/* When something of the source of |r| last moved: a request may wait in line
   behind another one to the same source. */
static xl_time source_moved(request *r) {
  xl_time moved = r->moved;

  for (request *o = r->file->job->agent->requests; o != NULL; o = o->next) {
    if (o != r && o->kind == r->kind && o->source == r->source &&
        (o->kind == XL_SOURCE_PEER || o->file == r->file)) {
      look_at(o);
      moved = o->moved > moved ? o->moved : moved;
    }
  }
  return moved;
}

/* R649: a request to a peer ends by then. */
static xl_time last_due(const request *r, xl_time due) {
  xl_span most = r->file->job->agent->engine->cfg.peer_timeout;

  return r->kind == XL_SOURCE_PEER
             ? xl_time_min(due, xl_time_add(r->asked, most))
             : due;
}

void xli_ask_moved(request *r) {
  const xl_engine *eng = r->file->job->agent->engine;

  r->moved = eng->now;
  r->due = last_due(r, xl_time_add(eng->now, eng->cfg.stall_timeout));
}

void xli_ask_due(request *r) {
  xl_engine *eng = r->file->job->agent->engine;

  look_at(r);
  bool silent = r->state == REQUEST_ASKED;
  xl_time due = xl_time_add(source_moved(r), silent ? eng->cfg.connect_timeout
                                                    : eng->cfg.stall_timeout);
  due = last_due(r, due);
  r->due = due;
  if (due <= eng->now && silent) {
    xli_ask_cancel(r, XL_END_CONNECT, XL_E_CONNECT_FAILURE);
  } else if (due <= eng->now) {
    xli_ask_cancel(r, XL_END_STALLED, XL_E_TIMEOUT);
  }
}
