/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For fuzz targets: decisions read from bytes, and the smallest environment
 * that keeps the engine's contract while those decide everything else. What an
 * environment may not do (deliver out of order, end what it did not start) is
 * not done; what a server, a peer or an application may do is.
 */
#ifndef TESTS_FUZZ_BYTES_H
#define TESTS_FUZZ_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xl/agent.h>
#include <xl/save.h>

#define NAGENTS 2u
#define NOPEN 256u
#define NNAMES 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
  const uint8_t *at, *end;
} bytes;

/* The next decision below |n|; 0 when there are no more bytes. */
static inline uint32_t below(bytes *b, uint32_t n) {
  return b->at == b->end ? 0 : *b->at++ % n;
}

typedef struct open_request { /* a HEAD, GET, search or upload under way */
  bool used, replied;
  xl_action act;
  xl_version version;
  xl_bytes told;
} open_request;

typedef struct env {
  xl_engine *eng;
  xl_time now;
  const xl_policy *policy;
  xl_agent *agents[NAGENTS];
  open_request open[NOPEN];
  uint32_t asks;
  uint64_t draws;
} env;

static inline void *env_realloc(void *arg, void *ptr, size_t size) {
  (void)arg;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}

static inline uint64_t env_draw(void *arg, uint32_t id, uint64_t n) {
  (void)arg;
  return (id + 1) * 0x9e3779b97f4a7c15u ^ n * 0xbf58476d1ce4e5b9u;
}

static inline const xl_map *env_peer_map(void *arg, const xl_agent *reader,
                                         uint32_t peer, xl_name key,
                                         xl_version version,
                                         uint32_t *visible) {
  env *w = arg;
  const xl_map *m = NULL;

  (void)reader;
  if (peer < NAGENTS && w->agents[peer] != NULL) {
    m = xl_agent_map(w->agents[peer], key, version);
  }
  *visible = m == NULL ? 0 : xl_map_visible(m, w->now, 0);
  return m;
}

static inline open_request *env_find(env *w, const xl_agent *a,
                                     uint32_t request) {
  for (uint32_t i = 0; i < NOPEN; i++) {
    open_request *o = &w->open[i];
    if (o->used && o->act.agent == a && o->act.request == request &&
        o->act.kind != XL_ACT_ANSWER) {
      return o;
    }
  }
  return NULL;
}

static inline xl_bytes env_arrived(void *arg, const xl_agent *a,
                                   uint32_t request) {
  const open_request *o = env_find(arg, a, request);
  return o == NULL ? 0 : o->told;
}

static inline void env_broken(const char *what) {
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

static inline void env_row(void *arg, const xl_transfer *t) {
  (void)arg;
  if (xl_ledger_total(&t->booked) != t->delivered) {
    env_broken("a transfer's books do not sum to what was delivered");
  }
}

static inline void env_check(env *w) {
  const char *bad = xl_engine_check(w->eng), *text;

  if (bad != NULL) {
    env_broken(bad);
  }
  if (xl_engine_status(w->eng, &text) != XL_OK) {
    env_broken(text);
  }
}

static inline xl_agent_cfg env_cfg(env *w, uint32_t i) {
  return (xl_agent_cfg){
      .id = i,
      .user = w,
      .policy = w->policy,
      .peercaching = 3,
      .device = {.ram_bytes = XL_GIB(8), .disk_bytes = XL_GIB(100)}};
}

static inline void env_init(env *w, uint32_t policy) {
  const xl_env e = {.size = sizeof e,
                    .arg = w,
                    .alloc = {env_realloc, NULL},
                    .draw = env_draw,
                    .peer_map = env_peer_map,
                    .arrived = env_arrived,
                    .transfer = env_row};
  xl_engine_cfg cfg = xl_engine_cfg_default();
  uint32_t n = 0;

  memset(w, 0, sizeof *w);
  while (xl_policies[n] != NULL) {
    n++;
  }
  w->policy = xl_policies[policy % n];
  if (xl_engine_new(&w->eng, &cfg, &e) != XL_OK) {
    env_broken("no engine");
  }
}

static inline void env_fini(env *w) {
  xl_engine_del(w->eng);
}

/* ---- what the engine asks for is kept until the bytes say what follows */

static inline void env_keep(env *w, const xl_action *act) {
  for (uint32_t i = 0; i < NOPEN; i++) {
    if (!w->open[i].used) {
      w->open[i] = (open_request){.used = true, .act = *act};
      return;
    }
  }
  if (act->kind == XL_ACT_FIND) {
    xl_agent_found(act->agent, act->request, NULL, 0, true, w->now);
  } else if (act->kind == XL_ACT_ANSWER) {
    xl_agent_served(act->agent, act->ask, 0, w->now);
  } else {
    xl_agent_ended(act->agent, act->request, XL_END_CONNECT, XL_OK, 0, 0,
                   w->now);
  }
}

static inline void env_cancel(env *w, const xl_action *act) {
  open_request *o = env_find(w, act->agent, act->request);
  xl_bytes told = o == NULL ? 0 : o->told;

  if (o != NULL) {
    o->used = false;
  }
  xl_agent_ended(act->agent, act->request, XL_END_CANCELLED, XL_OK, told, 0,
                 w->now);
}

static inline void env_pull(env *w) {
  xl_action act;

  while (xl_engine_next(w->eng, &act)) {
    switch (act.kind) {
    case XL_ACT_HEAD:
    case XL_ACT_GET:
    case XL_ACT_FIND:
      env_keep(w, &act);
      break;
    case XL_ACT_ANSWER:
      if (act.answer.accept) {
        env_keep(w, &act);
      }
      break;
    case XL_ACT_CANCEL:
      env_cancel(w, &act);
      break;
    case XL_ACT_PUBLISH:
    case XL_ACT_RATES:
    case XL_ACT_NOTIFY:
      break;
    }
  }
}

static inline xl_version env_version(bytes *b) {
  static const xl_bytes sizes[] = {1050, 1050, 1050,           350,
                                   0,    1,    XL_SIZE_UNKNOWN};
  static const int64_t times[] = {1, 1, 2, INT64_MIN};
  xl_bytes size = sizes[below(b, 7)];

  return (xl_version){size, times[below(b, 4)]};
}

static inline void env_reply(env *w, open_request *o, bytes *b) {
  static const uint32_t status[] = {200, 206, 206, 206, 404,
                                    416, 503, 302, 403, 999};
  xl_reply r = {.status = status[below(b, 10)], .version = env_version(b)};
  uint32_t flags = below(b, 4);

  r.ranges = (flags & 1) != 0;
  if (o->act.source == XL_SOURCE_PEER && (flags & 2) != 0) {
    r.version = o->act.version;
  }
  if (r.status == 302 && (flags & 2) != 0) {
    r.location = "http://c/f";
  }
  o->replied = true;
  o->version = r.version;
  if (o->act.kind == XL_ACT_HEAD) {
    o->used = false; /* a peer's GET is an action of its own */
  } else if (r.status / 100 != 2) {
    o->used = false;
  }
  xl_agent_reply(o->act.agent, o->act.request, &r, w->now);
}

static inline void env_deliver(env *w, open_request *o, bytes *b) {
  static const xl_verdict verdicts[] = {XL_VERDICT_GOOD, XL_VERDICT_GOOD,
                                        XL_VERDICT_PENDING, XL_VERDICT_BAD};
  xl_bytes n = 1 + below(b, 255);
  xl_bytes begin = o->act.range.begin + o->told;
  xl_verdict verdict = verdicts[below(b, 4)];
  xl_version v = o->act.source == XL_SOURCE_PEER ? o->act.version : o->version;

  if (!o->replied && o->act.source != XL_SOURCE_PEER) {
    o->version = v = env_version(b);
    o->replied = true;
  }
  o->told += n;
  xl_agent_deliver(o->act.agent, o->act.request, (xl_range){begin, begin + n},
                   v, verdict, NULL, w->now);
}

static inline void env_end(env *w, open_request *o, bytes *b) {
  static const xl_end ends[] = {XL_END_REFUSED,    XL_END_RESET,
                                XL_END_HTTP_ERROR, XL_END_FAILED_CHECK,
                                XL_END_CONNECT,    XL_END_DONE};
  xl_end end = ends[below(b, 5)];
  xl_bytes total = o->told + below(b, 200);
  xl_span again = below(b, 2) == 0 ? 0 : XL_SEC(below(b, 100));

  o->used = false;
  xl_agent_ended(o->act.agent, o->act.request, end, XL_OK, total, again,
                 w->now);
}

static inline void env_found(env *w, open_request *o, bytes *b) {
  xl_peer_info p[3];
  uint32_t n = below(b, 4);
  bool last = below(b, 4) != 0;

  for (uint32_t i = 0; i < n; i++) {
    p[i].id = below(b, 4);
    p[i].scope = (xl_scope)below(b, XL_SCOPE_NONE);
  }
  o->used = !last;
  xl_agent_found(o->act.agent, o->act.request, p, n, last, w->now);
}

/* Something follows for one of the open requests. */
static inline void env_answer(env *w, bytes *b) {
  uint32_t first = below(b, 255);

  for (uint32_t k = 0; k < NOPEN; k++) {
    open_request *o = &w->open[(first + k) % NOPEN];
    if (!o->used) {
      continue;
    }
    if (o->act.kind == XL_ACT_FIND) {
      env_found(w, o, b);
    } else if (o->act.kind == XL_ACT_ANSWER) {
      o->used = false;
      xl_agent_served(o->act.agent, o->act.ask, below(b, 255), w->now);
    } else {
      uint32_t what = below(b, 8);
      bool head = o->act.kind == XL_ACT_HEAD;
      if (what < 7 && !o->replied && (head || what < 4)) {
        env_reply(w, o, b);
      } else if (what < 7) {
        env_deliver(w, o, b);
      } else {
        env_end(w, o, b);
      }
    }
    return;
  }
}

/* Time goes on, by a little or to the next deadline. */
static inline void env_wait(env *w, bytes *b) {
  xl_time due = xl_engine_deadline(w->eng);
  uint32_t how = below(b, 64);

  if (how < 48) {
    w->now += XL_MS(how) * how;
  } else if (due != XL_NEVER && due > w->now && due < XL_DAY(36500)) {
    w->now = due;
  }
  xl_engine_advance(w->eng, w->now);
}

/* The process is gone: so is what it asked for. */
static inline void env_forget(env *w, const xl_agent *a) {
  for (uint32_t i = 0; i < NOPEN; i++) {
    if (w->open[i].used && w->open[i].act.agent == a) {
      w->open[i].used = false;
    }
  }
}

/* Loads what agent |i| saves, in its place. False: it is not loaded; only an
   agent that came from forged counts at their limits may do that. */
static inline bool env_reload(env *w, uint32_t i) {
  size_t len = 0, again = 0;
  xl_agent_cfg cfg = env_cfg(w, i);

  if (xl_agent_save(w->agents[i], NULL, 0, &len, w->now) != XL_OK) {
    env_broken("an agent cannot be saved");
  }
  void *p = malloc(len);
  xl_ledger l = *xl_agent_ledger(w->agents[i]);
  if (xl_agent_save(w->agents[i], p, len, &again, w->now) != XL_OK ||
      again != len) {
    env_broken("an agent cannot be saved twice");
  }
  env_forget(w, w->agents[i]);
  xl_agent_del(w->agents[i]);
  w->agents[i] = NULL;
  bool ok =
      xl_agent_load(&w->agents[i], w->eng, &cfg, p, len, NULL, w->now) == XL_OK;
  free(p);
  if (ok && memcmp(&l, xl_agent_ledger(w->agents[i]), sizeof l) != 0) {
    env_broken("a loaded ledger is another");
  }
  return ok && xl_agent_start(w->agents[i], w->now) == XL_OK;
}

#endif
