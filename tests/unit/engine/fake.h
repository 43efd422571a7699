/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small world for tests of the engine: origins that misbehave on demand,
 * peers that are agents of the same engine, one flow a request at a fixed rate.
 * Time is bare seconds (S) and nothing else happens than what a test says.
 *
 * Byte |o| of version |mtime| of a content is content_byte(mtime, o), so that a
 * test can tell which version, and which place, each stored byte is from.
 */
#ifndef TESTS_ENGINE_FAKE_H
#define TESTS_ENGINE_FAKE_H

#include <stdlib.h>

#include <xl/agent.h>
#include <xl/http.h>

#include "test.h"

#define S(n) XL_SEC(n)
#define FAKE_MAX 64

typedef struct fake_origin {
  const char *url;
  xl_bytes size;
  int64_t mtime;
  xl_rate rate;
  bool down;           /* nobody answers */
  bool refuses;        /* the connection is refused at once */
  bool silent;         /* answers, then sends nothing */
  bool ignores_ranges; /* 200 to everything */
  bool no_size;
  uint32_t status;  /* 0: as it should be */
  uint32_t nstatus; /* how many replies have it; 0: all */
  xl_bytes cut;     /* closes after so many bytes of a body; 0: no */
  uint32_t heads, gets;
  xl_bytes sent;
  bool single_ranges;   /* 200 to several ranges at once */
  bool bad_parts;       /* the parts of several ranges come out of order */
  bool no_mtime;        /* no Last-Modified */
  bool rejects_ranges;  /* 416 to every Range header */
  xl_bytes extra;       /* so many bytes more than a body should have */
  const char *location; /* where |status| 3xx leads */
  uint32_t challenge;   /* 401 or 407, to requests without credentials */
} fake_origin;

typedef struct fake_flow {
  bool used;
  xl_agent *agent;
  uint32_t request;
  uint32_t origin; /* XL_NONE: a peer */
  xl_agent *from;  /* the peer */
  uint32_t ask;
  xl_file *file;
  xl_range range;
  xl_bytes offset;
  xl_version version;
  xl_rate rate;
  xl_time start;
  xl_bytes delivered;
  xl_bytes cut;
  bool silent, bad;
  xl_bytes extra;
} fake_flow;

typedef struct fake_request { /* what the origins saw */
  xl_time at;
  xl_action_kind kind;
  uint32_t origin;
  xl_range range;
  xl_bytes offset;
  bool whole;
  uint32_t parts;
} fake_request;

typedef struct fake_file {
  const xl_file *file;
  unsigned char *bytes;
  xl_bytes cap;
} fake_file;

typedef struct fake_search {
  bool used;
  xl_agent *agent;
  uint32_t number;
  xl_time at;
  xl_name key;
  xl_version version;
  xl_find find;
} fake_search;

typedef struct fake {
  xl_engine *eng;
  xl_time now;
  fake_origin origins[8];
  uint32_t norigins;
  xl_agent *agents[16];
  uint32_t nagents;
  bool gone[16];       /* a device that is silent: its flows stop */
  xl_scope scopes[16]; /* of each device, to all the others */
  fake_flow flows[FAKE_MAX];
  fake_search searches[FAKE_MAX];
  fake_request log[4096];
  uint32_t nlog;
  fake_file files[FAKE_MAX];
  uint32_t nfiles;
  xl_transfer rows[4096];
  uint32_t nrows;
  xl_event events[4096];
  uint32_t nevents;
  xl_job *notified[64];
  uint32_t nnotified;
  uint32_t nrates;      /* how often rates changed */
  xl_action notes[256]; /* every NOTIFY */
  uint32_t nnotes;
  const char *no_access;  /* local names that begin so are E_ACCESSDENIED */
  const xl_file *no_name; /* cannot be handed over */
  bool undeletable;       /* temporary files are */
  const xl_file *handed[8];
  const char *handed_to; /* the owner of the last one */
  uint32_t nhanded, ndiscarded;
  uint32_t published; /* PUBLISH on */
  uint32_t unpublished;
  xl_bytes chunk; /* delivered at a time; 0: all at the end */
  xl_rate peer_rate;
  xl_span latency; /* of searches */
  xl_verdict verdict;
  bool bad_peers; /* peers send bytes that fail their check */
  bool ask_twice; /* peers refuse every first request */
  uint32_t asks;
  uint32_t draws;
  uint64_t seed;
  /* Memory: fails the allocation when |fuse| reaches 0; -1 never. */
  long fuse;
  long held;
  size_t in_use, peak, allocs;
} fake;

static inline unsigned char content_byte(int64_t mtime, xl_bytes o) {
  uint64_t x = (o + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)mtime * 0x2545f491u;
  return (unsigned char)(x >> 29 ^ x >> 53);
}

/* ---- memory that counts ---- */

static void *fake_realloc(void *arg, void *ptr, size_t size) {
  fake *w = arg;
  size_t *head = ptr == NULL ? NULL : (size_t *)ptr - 2;

  if (size == 0) {
    w->held--;
    w->in_use -= head[0];
    free(head);
    return NULL;
  }
  if (w->fuse == 0) {
    return NULL;
  }
  w->fuse -= w->fuse > 0;
  size_t old = head == NULL ? 0 : head[0];
  head = realloc(head, size + 2 * sizeof *head);
  if (ptr == NULL) {
    w->held++;
    memset(head + 2, 0xa5, size);
  }
  head[0] = size;
  w->allocs++;
  w->in_use += size - old;
  w->peak = w->in_use > w->peak ? w->in_use : w->peak;
  return head + 2;
}

/* ---- what the engine asks ---- */

static uint64_t fake_draw(void *arg, uint32_t id, uint64_t n) {
  fake *w = arg;
  uint64_t x = w->seed + id * 0x9e3779b97f4a7c15u + n * 0xbf58476d1ce4e5b9u;

  w->draws++;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static uint32_t fake_index(const fake *w, const xl_agent *a) {
  for (uint32_t i = 0; i < w->nagents; i++) {
    if (w->agents[i] == a) {
      return i;
    }
  }
  return XL_NONE;
}

static const xl_map *fake_peer_map(void *arg, const xl_agent *reader,
                                   uint32_t peer, xl_name key,
                                   xl_version version, uint32_t *visible) {
  fake *w = arg;
  const xl_map *m = NULL;

  (void)reader;
  if (peer < w->nagents && w->agents[peer] != NULL) {
    m = xl_agent_map(w->agents[peer], key, version);
  }
  *visible = m == NULL ? 0 : xl_map_visible(m, w->now, 0);
  return m;
}

static xl_bytes flow_total(const fake_flow *l) {
  xl_bytes n = l->range.end - l->range.begin;
  return l->cut > 0 && l->cut < n ? l->cut : n;
}

static xl_bytes flow_arrived(const fake *w, const fake_flow *l) {
  __extension__ typedef unsigned __int128 u128;
  uint32_t from = l->from == NULL ? XL_NONE : fake_index(w, l->from);
  u128 n;

  if (l->silent || (from != XL_NONE && w->gone[from]) || w->now < l->start) {
    return l->delivered;
  }
  n = (u128)l->rate * (u128)(w->now - l->start) / 1000000000u;
  n = n < flow_total(l) ? n : flow_total(l);
  return n > l->delivered ? (xl_bytes)n : l->delivered;
}

static fake_flow *fake_flow_of(fake *w, const xl_agent *a, uint32_t request) {
  for (int i = 0; i < FAKE_MAX; i++) {
    fake_flow *l = &w->flows[i];
    if (l->used && l->agent == a && l->request == request) {
      return l;
    }
  }
  return NULL;
}

static xl_bytes fake_arrived(void *arg, const xl_agent *a, uint32_t request) {
  fake *w = arg;
  fake_flow *l = fake_flow_of(w, a, request);

  return l == NULL ? 0 : flow_arrived(w, l);
}

static void fake_transfer(void *arg, const xl_transfer *row) {
  fake *w = arg;

  CHECK_EQ(xl_ledger_total(&row->booked), row->delivered);
  if (w->nrows < sizeof w->rows / sizeof *w->rows) {
    w->rows[w->nrows++] = *row;
  }
}

static void fake_event(void *arg, const xl_event *ev) {
  fake *w = arg;

  if (w->nevents < sizeof w->events / sizeof *w->events) {
    w->events[w->nevents++] = *ev;
  }
}

static fake_file *fake_file_of(fake *w, const xl_file *f, xl_bytes need) {
  uint32_t i = 0;

  while (i < w->nfiles && w->files[i].file != f) {
    i++;
  }
  if (i == w->nfiles) {
    w->files[w->nfiles++] = (fake_file){.file = f};
  }
  fake_file *b = &w->files[i];
  if (need > b->cap) {
    b->bytes = realloc(b->bytes, need);
    memset(b->bytes + b->cap, 0, need - b->cap);
    b->cap = need;
  }
  return b;
}

static void fake_store(void *arg, const xl_file *f, xl_range r,
                       const void *data) {
  fake_file *b = fake_file_of(arg, f, r.end);
  memcpy(b->bytes + r.begin, data, r.end - r.begin);
}

static xl_err fake_check_local(void *arg, const xl_agent *a,
                               const char *local) {
  const fake *w = arg;

  (void)a;
  return w->no_access != NULL &&
                 strncmp(local, w->no_access, strlen(w->no_access)) == 0
             ? XL_E_ACCESSDENIED
             : XL_OK;
}

static xl_err fake_hand_over(void *arg, const xl_file *f, const char *owner) {
  fake *w = arg;

  if (w->no_name == f) {
    return XL_E_DESTINATION_LOCKED;
  }
  if (w->nhanded < 8) {
    w->handed[w->nhanded++] = f;
  }
  w->handed_to = owner;
  return XL_OK;
}

static bool fake_discard(void *arg, const xl_file *f) {
  fake *w = arg;

  (void)f;
  w->ndiscarded += !w->undeletable;
  return !w->undeletable;
}

/* ---- made and freed ---- */

static bool fake_init_cfg(fake *w, const xl_engine_cfg *cfg) {
  xl_env env = {.size = sizeof env,
                .arg = w,
                .alloc = {fake_realloc, w},
                .draw = fake_draw,
                .peer_map = fake_peer_map,
                .arrived = fake_arrived,
                .transfer = fake_transfer,
                .event = fake_event,
                .store = fake_store,
                .check_local = fake_check_local,
                .hand_over = fake_hand_over,
                .discard = fake_discard};

  return xl_engine_new(&w->eng, cfg, &env) == XL_OK;
}

static fake *fake_new_cfg(const xl_engine_cfg *cfg) {
  fake *w = calloc(1, sizeof *w);

  w->fuse = -1;
  w->seed = 1;
  w->peer_rate = 1000000;
  w->verdict = XL_VERDICT_GOOD;
  CU_ASSERT(fake_init_cfg(w, cfg));
  return w;
}

static fake *fake_new(void) {
  xl_engine_cfg cfg = xl_engine_cfg_default();
  return fake_new_cfg(&cfg);
}

static void fake_check(fake *w) {
  const char *bad = xl_engine_check(w->eng);
  const char *text = "";

  if (bad != NULL) {
    printf("  broken at %lld ns: %s\n", (long long)w->now, bad);
  }
  CU_ASSERT_PTR_NULL(bad);
  if (xl_engine_status(w->eng, &text) != XL_OK) {
    printf("  status: %s\n", text);
  }
  CHECK_EQ(xl_engine_status(w->eng, NULL), XL_OK);
}

static void fake_del(fake *w) {
  xl_engine_del(w->eng);
  CHECK_EQ(w->held, 0);
  for (uint32_t i = 0; i < w->nfiles; i++) {
    free(w->files[i].bytes);
  }
  free(w);
}

static fake_origin *fake_add_origin(fake *w, const char *url, xl_bytes size,
                                    int64_t mtime) {
  w->origins[w->norigins] =
      (fake_origin){.url = url, .size = size, .mtime = mtime, .rate = 1000};
  return &w->origins[w->norigins++];
}

static xl_agent *fake_add_agent(fake *w, const xl_policy *policy,
                                uint32_t flags) {
  xl_agent_cfg cfg = {
      .id = w->nagents,
      .user = w,
      .policy = policy,
      .peercaching = flags,
      .device = {.ram_bytes = XL_GIB(8), .disk_bytes = XL_GIB(100)}};
  xl_agent *a = NULL;

  if (xl_agent_new(&a, w->eng, &cfg, w->now) == XL_OK) {
    w->agents[w->nagents++] = a;
  }
  return a;
}

/* ---- the network ---- */

static bool fake_same_url(const fake *w, const fake_origin *o, xl_name url) {
  return url != 0 && strcmp(o->url, xl_engine_string(w->eng, url)) == 0;
}

static fake_flow *fake_flow_new(fake *w, const xl_action *act) {
  for (int i = 0; i < FAKE_MAX; i++) {
    if (!w->flows[i].used) {
      w->flows[i] = (fake_flow){.used = true,
                                .agent = act->agent,
                                .request = act->request,
                                .origin = XL_NONE,
                                .file = act->file,
                                .range = act->range,
                                .offset = act->offset,
                                .start = w->now};
      return &w->flows[i];
    }
  }
  CU_FAIL("too many flows");
  return NULL;
}

static uint32_t fake_status(fake_origin *o, const xl_action *act) {
  bool partial = act->kind == XL_ACT_GET && !act->whole;

  if (partial && o->rejects_ranges) {
    return 416;
  }
  if (o->challenge != 0 && act->auth == 0) {
    return o->challenge;
  }
  if (o->status == 0) {
    bool whole = o->ignores_ranges || (o->single_ranges && act->parts > 1);
    return partial && !whole ? 206 : 200;
  }
  uint32_t status = o->status;
  if (o->nstatus > 0 && --o->nstatus == 0) {
    o->status = 0;
  }
  return status;
}

static void fake_ask_origin(fake *w, const xl_action *act) {
  uint32_t i = 0;

  while (i < w->norigins && !fake_same_url(w, &w->origins[i], act->url)) {
    i++;
  }
  CU_ASSERT(i < w->norigins);
  if (i == w->norigins) {
    return;
  }
  fake_origin *o = &w->origins[i];
  bool get = act->kind == XL_ACT_GET;
  o->gets += get;
  o->heads += !get;
  if (w->nlog < sizeof w->log / sizeof *w->log) {
    w->log[w->nlog++] = (fake_request){.at = w->now,
                                       .kind = act->kind,
                                       .origin = i,
                                       .range = act->range,
                                       .offset = act->offset,
                                       .whole = act->whole,
                                       .parts = act->parts};
  }
  if (o->down) {
    return;
  }
  if (o->refuses) {
    xl_agent_ended(act->agent, act->request, XL_END_CONNECT, XL_OK, 0, 0,
                   w->now);
    return;
  }
  fake_flow *l = get ? fake_flow_new(w, act) : NULL;
  xl_reply reply = {.status = fake_status(o, act),
                    .version = {o->size, o->no_mtime ? INT64_MIN : o->mtime},
                    .ranges = !o->ignores_ranges};
  if (reply.status / 100 == 3) {
    reply.location = o->location;
  }
  if (l != NULL) {
    l->origin = i;
    l->version = reply.version;
    l->rate = o->rate;
    l->cut = o->cut;
    l->silent = o->silent;
    l->extra = o->extra;
    if (act->whole) {
      l->range = (xl_range){0, o->size};
    }
    l->used = reply.status / 100 == 2;
  }
  if (o->no_size) {
    reply.version.size = XL_SIZE_UNKNOWN;
  }
  bool broken = get && o->bad_parts && act->parts > 1;
  if (l != NULL && broken) {
    l->used = false;
  }
  xl_agent_reply(act->agent, act->request, &reply, w->now);
  if (broken) {
    xl_agent_ended(act->agent, act->request, XL_END_HTTP_ERROR,
                   XL_E_INVALID_SERVER_RESPONSE, 0, 0, w->now);
  }
}

static void fake_ask_peer(fake *w, const xl_action *act) {
  xl_agent *p = w->agents[act->peer];

  if (act->kind == XL_ACT_HEAD) {
    const xl_map *m = xl_agent_map(p, act->key, act->version);
    xl_reply reply = {.status = m == NULL ? 404 : 200,
                      .version = act->version,
                      .ranges = true};
    if (!w->gone[act->peer]) {
      xl_agent_reply(act->agent, act->request, &reply, w->now);
    }
    return;
  }
  fake_flow *l = fake_flow_new(w, act);
  l->from = p;
  l->ask = ++w->asks;
  l->version = act->version;
  l->rate = 0; /* until it is accepted */
  if (!w->gone[act->peer]) {
    xl_agent_asked(p, l->ask, fake_index(w, act->agent), act->scope, act->key,
                   act->version,
                   (xl_range){act->offset,
                              act->offset + act->range.end - act->range.begin},
                   w->now);
  }
}

static void fake_answer(fake *w, const xl_action *act) {
  for (int i = 0; i < FAKE_MAX; i++) {
    fake_flow *l = &w->flows[i];
    if (l->used && l->from == act->agent && l->ask == act->ask) {
      if (act->answer.accept) {
        l->rate =
            w->peer_rate < act->answer.cap ? w->peer_rate : act->answer.cap;
        l->start = w->now;
        l->bad = w->bad_peers;
      } else {
        l->used = false;
        xl_agent_ended(l->agent, l->request, XL_END_REFUSED, XL_OK, 0,
                       act->answer.retry_after, w->now);
      }
      return;
    }
  }
}

/* Takes a flow away; the bytes that arrived. */
static xl_bytes fake_stop(fake *w, fake_flow *l) {
  xl_bytes n = flow_arrived(w, l);

  n += n == l->range.end - l->range.begin ? l->extra : 0;
  l->used = false;
  if (l->origin != XL_NONE) {
    w->origins[l->origin].sent += n;
  } else if (l->rate > 0) {
    xl_agent_served(l->from, l->ask, n, w->now);
  }
  return n;
}

/* Where byte |at| of the flow's body lies in the remote file. */
static xl_bytes flow_place(const fake_flow *l, xl_bytes at) {
  const xl_range r = {l->range.begin + at, l->range.begin + at + 1};
  xl_range_spec one;

  return xl_file_window(l->file, r, &one, 1) == 1 ? one.offset : l->offset + at;
}

/* Delivers up to |upto| bytes of the flow. */
static void fake_deliver(fake *w, fake_flow *l, xl_bytes upto) {
  xl_range r = {l->range.begin + l->delivered, l->range.begin + upto};
  xl_bytes n = upto - l->delivered;
  unsigned char *data = calloc(n + l->extra + 1, 1);
  bool last = upto == flow_total(l);
  xl_agent *a = l->agent;
  uint32_t request = l->request;
  xl_version version = l->version;
  xl_verdict verdict =
      l->bad ? (last ? XL_VERDICT_BAD : XL_VERDICT_PENDING) : w->verdict;

  for (xl_bytes i = 0; i < n; i++) {
    data[i] = content_byte(version.mtime_s == INT64_MIN ? 0 : version.mtime_s,
                           flow_place(l, l->delivered + i));
    data[i] ^= l->bad;
  }
  l->delivered = upto;
  if (last && upto == l->range.end - l->range.begin) {
    r.end += l->extra;
    fake_stop(w, l);
  }
  xl_agent_deliver(a, request, r, version, verdict, data, w->now);
  free(data);
  if (last && l->used && l->agent == a && l->request == request) {
    xl_bytes total = fake_stop(w, l); /* cut short */
    xl_agent_ended(a, request, XL_END_RESET, XL_OK, total, 0, w->now);
  }
}

static void fake_cancel(fake *w, const xl_action *act) {
  fake_flow *l = fake_flow_of(w, act->agent, act->request);
  xl_bytes total = 0;

  if (l != NULL) {
    if (flow_arrived(w, l) > l->delivered) {
      xl_bytes upto = flow_arrived(w, l);
      fake_deliver(w, l, upto);
      l = fake_flow_of(w, act->agent, act->request);
    }
    total = l == NULL ? 0 : fake_stop(w, l);
  }
  xl_agent_ended(act->agent, act->request, XL_END_CANCELLED, XL_OK, total, 0,
                 w->now);
}

static void fake_find(fake *w, const xl_action *act) {
  for (int i = 0; i < FAKE_MAX; i++) {
    if (!w->searches[i].used) {
      w->searches[i] = (fake_search){.used = true,
                                     .agent = act->agent,
                                     .number = act->request,
                                     .at = w->now + w->latency,
                                     .key = act->key,
                                     .version = act->version,
                                     .find = act->find};
      return;
    }
  }
}

static void fake_found(fake *w, fake_search *s) {
  xl_peer_info found[16];
  uint32_t n = 0;

  s->used = false;
  for (uint32_t i = 0; i < w->nagents && n < s->find.want; i++) {
    const xl_map *m = xl_agent_map(w->agents[i], s->key, s->version);
    if (w->agents[i] == s->agent || m == NULL ||
        (s->find.scopes & 1u << w->scopes[i]) == 0 ||
        (s->find.complete_only && xl_map_nheld(m) < xl_map_npieces(m))) {
      continue;
    }
    found[n++] = (xl_peer_info){.id = i, .scope = w->scopes[i]};
  }
  xl_agent_found(s->agent, s->number, found, n, true, w->now);
}

/* Carries out what the engine wants. */
static void fake_act(fake *w) {
  xl_action act;

  while (xl_engine_next(w->eng, &act)) {
    switch (act.kind) {
    case XL_ACT_HEAD:
    case XL_ACT_GET:
      if (act.source == XL_SOURCE_PEER) {
        fake_ask_peer(w, &act);
      } else {
        fake_ask_origin(w, &act);
      }
      break;
    case XL_ACT_CANCEL:
      fake_cancel(w, &act);
      break;
    case XL_ACT_FIND:
      fake_find(w, &act);
      break;
    case XL_ACT_ANSWER:
      fake_answer(w, &act);
      break;
    case XL_ACT_PUBLISH:
      w->published += act.on;
      w->unpublished += !act.on;
      break;
    case XL_ACT_RATES:
      w->nrates++;
      break;
    case XL_ACT_NOTIFY:
      if (w->nnotes < sizeof w->notes / sizeof *w->notes) {
        w->notes[w->nnotes++] = act;
      }
      if (w->nnotified < 64 && (act.notice == XL_NOTICE_JOB_TRANSFERRED ||
                                act.notice == XL_NOTICE_JOB_ERROR)) {
        w->notified[w->nnotified++] = act.job;
      }
      break;
    }
    fake_check(w);
  }
}

/* When the flow delivers next, and how much it has delivered then. */
static xl_time flow_due(const fake *w, const fake_flow *l, xl_bytes *upto) {
  xl_bytes total = flow_total(l);
  uint32_t from = l->from == NULL ? XL_NONE : fake_index(w, l->from);

  if (l->silent || l->rate == 0 || (from != XL_NONE && w->gone[from])) {
    return XL_NEVER;
  }
  *upto = total;
  if (w->chunk > 0 && l->delivered + w->chunk < total) {
    *upto = l->delivered + w->chunk;
  }
  return xl_time_add(l->start, xl_rate_span(l->rate, *upto));
}

/* One thing that happens next, at most at |until|; false: nothing does. */
static bool fake_step(fake *w, xl_time until) {
  xl_time at = xl_engine_deadline(w->eng), due;
  fake_flow *flow = NULL;
  fake_search *search = NULL;
  xl_bytes upto = 0, best_upto = 0;

  fake_act(w);
  at = xl_engine_deadline(w->eng);
  for (int i = 0; i < FAKE_MAX; i++) {
    if (w->flows[i].used) {
      due = flow_due(w, &w->flows[i], &upto);
      if (due < at || (due == at && due != XL_NEVER && flow == NULL)) {
        at = due;
        flow = &w->flows[i];
        best_upto = upto;
      }
    }
  }
  for (int i = 0; i < FAKE_MAX; i++) {
    if (w->searches[i].used && w->searches[i].at <= at) {
      at = w->searches[i].at;
      search = &w->searches[i];
    }
  }
  if (at == XL_NEVER || at > until) {
    return false;
  }
  w->now = at > w->now ? at : w->now;
  if (search != NULL) {
    fake_found(w, search);
  } else if (flow != NULL) {
    fake_deliver(w, flow, best_upto);
  } else {
    xl_engine_advance(w->eng, w->now);
  }
  fake_check(w);
  fake_act(w);
  return true;
}

static void fake_run(fake *w, xl_time until) {
  for (int budget = 0; fake_step(w, until); budget++) {
    if (budget == 200000) {
      CU_FAIL("the world does not come to rest");
      return;
    }
  }
  w->now = until > w->now ? until : w->now;
}

/* Runs until the job is in |state| or |until| has come. */
static bool fake_until(fake *w, const xl_job *j, xl_job_state state,
                       xl_time until) {
  fake_act(w);
  while (xl_job_state_of(j) != state && fake_step(w, until)) {
  }
  return xl_job_state_of(j) == state;
}

/* ---- short cuts ---- */

static xl_job *fake_job(fake *w, xl_agent *a) {
  xl_job *j = NULL;

  CHECK_EQ(xl_job_create(a, "job", &j, w->now), XL_OK);
  return j;
}

static xl_file *fake_file_add(fake *w, xl_job *j, const char *url,
                              const char *content) {
  const xl_file_info info = {.remote = url,
                             .local = "C:\\file",
                             .content = content,
                             .piece_bytes = 100};
  xl_file *f = NULL;

  CHECK_EQ(xl_job_add_file(j, &info, &f, w->now), XL_OK);
  return f;
}

/* The stored bytes are the whole of version |mtime|. */
static bool fake_is_whole(fake *w, const xl_file *f, xl_bytes size,
                          int64_t mtime) {
  const fake_file *b = fake_file_of(w, f, size + 1);

  for (xl_bytes i = 0; i < size; i++) {
    if (b->bytes[i] != content_byte(mtime, i)) {
      printf("  byte %llu is wrong\n", (unsigned long long)i);
      return false;
    }
  }
  return true;
}

static xl_file_progress fake_progress(const xl_file *f) {
  xl_file_progress p;
  xl_file_progress_of(f, &p);
  return p;
}

static xl_err fake_error(const xl_job *j) {
  xl_err code = XL_OK;
  xl_job_error(j, &code, NULL);
  return code;
}

/* Bytes asked of origins by GETs. */
static uint32_t fake_gets(const fake *w) {
  uint32_t n = 0;

  for (uint32_t i = 0; i < w->norigins; i++) {
    n += w->origins[i].gets;
  }
  return n;
}

/* ---- policies of the tests ---- */

/* Everything from the origin, the next gap, one request at a time. */
static bool pick_origin(const xl_host *h, xl_view *v, xl_pick *out,
                        xl_time *again) {
  (void)again;
  if (h->file(v)->origin_requests > 0 || !h->next_gap(v, 0, &out->range)) {
    return false;
  }
  out->kind = XL_SOURCE_ORIGIN;
  out->reason = XL_REASON_POLICY_ORIGIN;
  return true;
}

static const xl_policy origin_policy = {.size = sizeof(xl_policy),
                                        .version = XL_POLICY_ABI,
                                        .name = "test-origin",
                                        .help = "origin only",
                                        .source = "test",
                                        .flavour = XL_FLAVOUR_BITS4,
                                        .pick = pick_origin};

static bool find_once(const xl_host *h, xl_view *v, xl_find *out,
                      xl_time *again) {
  const xl_file_view *f = h->file(v);

  (void)again;
  *out =
      (xl_find){.scopes = 15, .want = 10, .multicast = true, .timeout = S(5)};
  return f->nsearches < 1 + f->peer_failures;
}

static void keep_all(const xl_host *h, xl_view *v, xl_keep *out) {
  (void)h;
  (void)v;
  *out = (xl_keep){.keep = true, .age_max = XL_DAY(90), .bytes_max = XL_GIB(1)};
}

static void serve_all(const xl_host *h, xl_view *v, const xl_ask *ask,
                      xl_answer *out) {
  (void)h;
  (void)v;
  (void)ask;
  *out = (xl_answer){.accept = true, .cap = XL_RATE_UNLIMITED};
}

/* The whole record from the first peer that has it, else from the origin. */
static bool pick_record(const xl_host *h, xl_view *v, xl_pick *out,
                        xl_time *again) {
  const xl_file_view *f = h->file(v);
  xl_peer_view p;

  (void)again;
  if (f->origin_requests + f->peer_requests > 0 || f->searching ||
      !h->next_gap(v, 0, &out->range)) {
    return false;
  }
  out->kind = XL_SOURCE_ORIGIN;
  out->reason =
      f->peers_allowed ? XL_REASON_NO_PEERS_FOUND : XL_REASON_PEERING_OFF;
  for (uint32_t i = 0; i < f->npeers && f->peers_allowed && !f->origin_only;
       i++) {
    h->peer(v, i, &p);
    if (!p.banned && p.nheld == f->npieces) {
      out->kind = XL_SOURCE_PEER;
      out->peer = i;
      out->reason = XL_REASON_PEER_HAS_IT;
      out->head = !f->foreground;
      return true;
    }
  }
  return true;
}

static void failed_drop(const xl_host *h, xl_view *v, const xl_failure *f,
                        xl_remedy *out) {
  (void)h;
  (void)v;
  out->drop_peer = f->kind == XL_SOURCE_PEER;
}

static const xl_policy record_policy = {.size = sizeof(xl_policy),
                                        .version = XL_POLICY_ABI,
                                        .name = "test-records",
                                        .help = "whole records",
                                        .source = "test",
                                        .flavour = XL_FLAVOUR_BITS3,
                                        .find = find_once,
                                        .pick = pick_record,
                                        .failed = failed_drop,
                                        .serve = serve_all,
                                        .keep = keep_all};

/* Pieces, rarest first, from any peer that has them; else the origin, one
   piece at a time. */
static bool pick_piece(const xl_host *h, xl_view *v, xl_pick *out,
                       xl_time *again) {
  const xl_file_view *f = h->file(v);
  uint32_t piece = XL_NONE;
  xl_peer_view p;

  (void)again;
  for (uint32_t i = 0; i < f->npeers && f->peers_allowed && !f->origin_only;
       i++) {
    h->peer(v, i, &p);
    if (p.banned || p.requests >= 2 || p.busy_until > h->now(v)) {
      continue;
    }
    piece = h->choose_piece(v, i, XL_ORDER_RAREST);
    if (piece != XL_NONE) {
      out->kind = XL_SOURCE_PEER;
      out->peer = i;
      out->reason = XL_REASON_PEER_HAS_IT;
      out->range = h->piece_gap(v, piece);
      return true;
    }
  }
  piece = f->origin_requests > 0 ? XL_NONE
                                 : h->choose_piece(v, XL_NONE, XL_ORDER_RANDOM);
  if (piece == XL_NONE) {
    return false;
  }
  out->kind = XL_SOURCE_ORIGIN;
  out->reason = XL_REASON_NO_PEER_HAS_IT;
  out->range = h->piece_gap(v, piece);
  return true;
}

static const xl_policy piece_policy = {.size = sizeof(xl_policy),
                                       .version = XL_POLICY_ABI,
                                       .name = "test-pieces",
                                       .help = "a swarm",
                                       .source = "test",
                                       .flavour = XL_FLAVOUR_DO,
                                       .swarms = true,
                                       .find = find_once,
                                       .pick = pick_piece,
                                       .serve = serve_all,
                                       .keep = keep_all};

#endif
