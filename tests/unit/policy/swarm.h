/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A site in memory for the engine and a policy: some devices behind one uplink,
 * one origin. Every source sends first in, first out: the uplink at |wan|, each
 * device at |lan| bytes a second. All answers take |LATENCY|.
 */
#ifndef TESTS_POLICY_SWARM_H
#define TESTS_POLICY_SWARM_H

#include <xl/agent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

#define SITE_MAX 32
#define SITE_EVENTS 4096
#define LATENCY XL_MS(1)

typedef enum site_event_kind {
  SITE_START,   /* device begins its job */
  SITE_REPLY,   /* header of |request| reaches |device| */
  SITE_BYTES,   /* all bytes of |request| have reached |device| */
  SITE_REFUSED, /* a peer refuses |request| */
  SITE_ASK,     /* |request| of |device| reaches |peer| */
  SITE_FOUND    /* the search |request| is answered */
} site_event_kind;

typedef struct site_event {
  xl_time at;
  uint64_t seq;
  site_event_kind kind;
  uint32_t device, peer, request;
  bool from_peer; /* FOUND: whole files only */
  uint32_t status;
  xl_range range;
  xl_span retry;
} site_event;

typedef struct site_ask { /* asks to devices, by number */
  uint32_t device, request;
  xl_range range;
} site_ask;

typedef struct site {
  xl_engine *engine;
  const xl_policy *policy;
  xl_value params[64];
  uint32_t n;
  xl_agent *agents[SITE_MAX];
  xl_job *jobs[SITE_MAX];
  bool published[SITE_MAX], complete[SITE_MAX], on_battery[SITE_MAX];
  xl_time free_at[SITE_MAX], origin_free;
  xl_rate wan, lan;
  xl_version version;
  uint32_t piece_bytes;
  xl_name key;
  site_event events[SITE_EVENTS];
  uint32_t nevents;
  uint64_t seq, steps;
  site_ask asks[1u << 16];
  uint32_t nasks, refusals;
  xl_bytes by_origin, by_peers;
  uint32_t reasons[XL_NREASONS]; /* requests to the origin, by reason */
  xl_time now, done_at[SITE_MAX];
} site;

static void *site_realloc(void *arg, void *ptr, size_t size) {
  (void)arg;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

static uint64_t site_draw(void *arg, uint32_t id, uint64_t n) {
  uint64_t z = (uint64_t)id * 0x9e3779b97f4a7c15u + n * 0xd1b54a32d192ed03u;

  (void)arg;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static const xl_map *site_map(void *arg, const xl_agent *reader, uint32_t peer,
                              xl_name key, xl_version version,
                              uint32_t *visible) {
  site *s = arg;
  const xl_map *m = xl_agent_map(s->agents[peer], key, version);

  (void)reader;
  if (m != NULL) {
    *visible = xl_map_visible(m, s->now, LATENCY);
  }
  return m;
}

static xl_bytes site_arrived(void *arg, const xl_agent *a, uint32_t request) {
  (void)arg, (void)a, (void)request;
  return 0;
}

static void site_transfer(void *arg, const xl_transfer *row) {
  site *s = arg;

  if (row->kind == XL_SOURCE_ORIGIN) {
    s->by_origin += row->delivered;
    s->reasons[row->reason]++;
  } else {
    s->by_peers += row->delivered;
  }
}

static void site_post(site *s, site_event e) {
  assert(s->nevents < SITE_EVENTS && e.at >= s->now);
  e.seq = s->seq++;
  s->events[s->nevents++] = e;
}

/* Takes the next event; ties in the order they were posted. */
static site_event site_take(site *s) {
  uint32_t best = 0;

  for (uint32_t i = 1; i < s->nevents; i++) {
    const site_event *a = &s->events[i], *b = &s->events[best];
    if (a->at < b->at || (a->at == b->at && a->seq < b->seq)) {
      best = i;
    }
  }
  site_event e = s->events[best];
  s->events[best] = s->events[--s->nevents];
  return e;
}

/* When |bytes| that |queue| begins to send no earlier than now are sent. */
static xl_time site_send(site *s, xl_time *queue, xl_rate rate, xl_bytes n) {
  *queue = (*queue > s->now ? *queue : s->now) + xl_rate_span(rate, n);
  return *queue + LATENCY;
}

static void site_get(site *s, const xl_action *a) {
  site_event e = {.at = s->now + LATENCY,
                  .device = xl_agent_id(a->agent),
                  .peer = a->peer,
                  .request = a->request,
                  .range = a->range};
  bool head = a->kind == XL_ACT_HEAD;

  if (e.range.end > s->version.size) {
    e.range.end = s->version.size; /* asked for before the size is known */
  }
  if (a->source == XL_SOURCE_PEER && !head) {
    e.kind = SITE_ASK;
    site_post(s, e);
    return;
  }
  e.kind = SITE_REPLY;
  e.status = head || a->whole ? 200 : 206;
  site_post(s, e);
  if (!head) {
    e.kind = SITE_BYTES;
    e.at = site_send(s, &s->origin_free, s->wan, e.range.end - e.range.begin);
    site_post(s, e);
  }
}

static void site_answer(site *s, const xl_action *a) {
  const site_ask *ask = &s->asks[a->ask];
  uint32_t server = xl_agent_id(a->agent);
  site_event e = {.at = s->now + LATENCY,
                  .kind = SITE_REFUSED,
                  .device = ask->device,
                  .peer = server,
                  .request = ask->request,
                  .range = ask->range,
                  .from_peer = true,
                  .retry = a->answer.retry_after};

  if (!a->answer.accept) {
    s->refusals++;
    site_post(s, e);
    return;
  }
  e.kind = SITE_REPLY;
  e.status = 206;
  site_post(s, e);
  e.kind = SITE_BYTES;
  e.retry = a->ask;
  e.at = site_send(s, &s->free_at[server],
                   s->lan < a->answer.cap ? s->lan : a->answer.cap,
                   ask->range.end - ask->range.begin);
  site_post(s, e);
}

static void site_act(site *s, const xl_action *a) {
  uint32_t id = xl_agent_id(a->agent);

  switch (a->kind) {
  case XL_ACT_HEAD:
  case XL_ACT_GET:
    site_get(s, a);
    break;
  case XL_ACT_CANCEL:
    xl_agent_ended(a->agent, a->request, XL_END_CANCELLED, XL_OK, 0, 0, s->now);
    break;
  case XL_ACT_FIND:
    site_post(s, (site_event){.at = s->now + LATENCY,
                              .kind = SITE_FOUND,
                              .device = id,
                              .request = a->request,
                              .from_peer = a->find.complete_only});
    break;
  case XL_ACT_ANSWER:
    site_answer(s, a);
    break;
  case XL_ACT_PUBLISH:
    s->published[id] = a->on;
    s->complete[id] = a->on && a->complete;
    s->key = a->key;
    break;
  case XL_ACT_RATES:
    break;
  case XL_ACT_NOTIFY:
    if (xl_job_state_of(a->job) == XL_JOB_TRANSFERRED) {
      s->done_at[id] = s->now;
      (void)!xl_job_complete(a->job, s->now);
    }
    break;
  }
}

static void site_found(site *s, const site_event *e) {
  xl_peer_info peers[SITE_MAX];
  uint32_t n = 0;

  for (uint32_t i = 0; i < s->n; i++) {
    if (i != e->device && (e->from_peer ? s->complete[i] : s->published[i])) {
      peers[n++] = (xl_peer_info){i, XL_SCOPE_SUBNET};
    }
  }
  xl_agent_found(s->agents[e->device], e->request, peers, n, true, s->now);
}

static void site_happen(site *s, const site_event *e) {
  xl_agent *a = s->agents[e->device];

  switch (e->kind) {
  case SITE_START:
    (void)!xl_job_resume(s->jobs[e->device], s->now);
    break;
  case SITE_REPLY:
    xl_agent_reply(
        a, e->request,
        &(xl_reply){.status = e->status, .version = s->version, .ranges = true},
        s->now);
    break;
  case SITE_BYTES:
    if (e->from_peer) {
      xl_agent_served(s->agents[e->peer], (uint32_t)e->retry,
                      e->range.end - e->range.begin, s->now);
    }
    xl_agent_deliver(a, e->request, e->range, s->version, XL_VERDICT_GOOD, NULL,
                     s->now);
    break;
  case SITE_REFUSED:
    xl_agent_ended(a, e->request, XL_END_REFUSED, XL_OK, 0, e->retry, s->now);
    break;
  case SITE_ASK:
    assert(s->nasks < sizeof s->asks / sizeof *s->asks);
    s->asks[s->nasks] = (site_ask){e->device, e->request, e->range};
    xl_agent_asked(s->agents[e->peer], s->nasks++, e->device, XL_SCOPE_SUBNET,
                   s->key, s->version, e->range, s->now);
    break;
  case SITE_FOUND:
    site_found(s, e);
    break;
  }
}

static void site_set(site *s, const char *name, const char *text) {
  double number;

  for (uint32_t i = 0; i < s->policy->nparams; i++) {
    if (strcmp(s->policy->params[i].name, name) == 0) {
      bool good =
          value_read(&s->policy->params[i], text, &s->params[i], &number);
      assert(good);
      (void)good;
    }
  }
}

/* |n| devices that begin |apart| after one another. Free with site_free. */
static site *site_new(const char *policy, uint32_t n, xl_bytes size,
                      uint32_t piece_bytes) {
  site *s = calloc(1, sizeof *s);

  assert(s != NULL && n <= SITE_MAX);
  s->policy = xl_policy_find(policy);
  s->n = n;
  s->version = (xl_version){size, 1000};
  s->piece_bytes = piece_bytes;
  s->wan = 2500000;
  s->lan = 125000000;
  for (uint32_t i = 0; i < s->policy->nparams; i++) {
    site_set(s, s->policy->params[i].name, s->policy->params[i].def);
  }
  return s;
}

static bool site_open(site *s, xl_span apart) {
  xl_env env = {.size = sizeof env,
                .arg = s,
                .alloc = {site_realloc, NULL},
                .draw = site_draw,
                .peer_map = site_map,
                .arrived = site_arrived,
                .transfer = site_transfer};
  xl_engine_cfg cfg = xl_engine_cfg_default();
  xl_file_info info = {.remote = "http://origin/file",
                       .local = "C:\\file",
                       .content = "file",
                       .piece_bytes = s->piece_bytes};

  cfg.stall_timeout = XL_HOUR(1);
  cfg.connect_timeout = XL_HOUR(1);
  bool good = xl_engine_new(&s->engine, &cfg, &env) == XL_OK;
  for (uint32_t i = 0; good && i < s->n; i++) {
    xl_agent_cfg a = {.id = i,
                      .policy = s->policy,
                      .params = s->params,
                      .peercaching = 3,
                      .device = {.ram_bytes = XL_GIB(8),
                                 .disk_bytes = XL_GIB(256),
                                 .on_battery = s->on_battery[i]}};
    good = xl_agent_new(&s->agents[i], s->engine, &a, 0) == XL_OK &&
           xl_job_create(s->agents[i], "job", &s->jobs[i], 0) == XL_OK &&
           xl_job_set_peercaching(s->jobs[i], 3, 0) == XL_OK &&
           xl_job_add_file(s->jobs[i], &info, NULL, 0) == XL_OK;
    site_post(s,
              (site_event){.at = apart * i, .kind = SITE_START, .device = i});
  }
  return good;
}

/* Runs until nothing is left to do or |until|; false after too many steps. */
static bool site_run(site *s, xl_time until) {
  xl_action act;

  for (; s->steps < 2000000; s->steps++) {
    while (xl_engine_next(s->engine, &act)) {
      site_act(s, &act);
    }
    xl_time timer = xl_engine_deadline(s->engine), event = XL_NEVER;
    uint32_t ndone = 0;
    for (uint32_t i = 0; i < s->nevents; i++) {
      event = xl_time_min(event, s->events[i].at);
    }
    for (uint32_t i = 0; i < s->n; i++) {
      ndone += s->done_at[i] > 0;
    }
    if (ndone == s->n || xl_time_min(timer, event) > until) {
      return ndone == s->n;
    }
    if (event <= timer) {
      site_event e = site_take(s);
      s->now = e.at;
      site_happen(s, &e);
    } else {
      s->now = timer;
      xl_engine_advance(s->engine, timer);
    }
  }
  return false;
}

static void site_free(site *s) {
  xl_engine_del(s->engine);
  free(s);
}

#endif
