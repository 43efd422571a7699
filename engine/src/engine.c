/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "peers.h"

xl_engine_cfg xl_engine_cfg_default(void) {
  return (xl_engine_cfg){.announce_interval = XL_SEC(1),
                         .stall_timeout = XL_SEC(30),
                         .connect_timeout = XL_SEC(15),
                         .peer_timeout = XL_MIN(5),
                         .time_slice = XL_SEC(300),
                         .peers_max = 100,
                         .requests_max = 64};
}

static bool good_cfg(const xl_engine_cfg *c) {
  return c->announce_interval >= 0 && c->stall_timeout > 0 &&
         c->connect_timeout > 0 && c->peer_timeout > 0 && c->time_slice > 0 &&
         c->peers_max <= UINT16_MAX && c->requests_max > 0 &&
         c->requests_max <= PEER_REQUESTS_MAX;
}

xl_err xl_engine_new(xl_engine **out, const xl_engine_cfg *cfg,
                     const xl_env *env) {
  *out = NULL;
  if (cfg == NULL || env == NULL || !good_cfg(cfg) || env->size > sizeof *env ||
      env->alloc.realloc == NULL || env->draw == NULL ||
      env->peer_map == NULL || env->arrived == NULL) {
    return XL_E_INVALIDARG;
  }
  xl_engine *eng = env->alloc.realloc(env->alloc.arg, NULL, sizeof *eng);
  if (eng == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  *eng = (xl_engine){.cfg = *cfg, .now = INT64_MIN};
  memcpy(&eng->env, env, env->size);
  *out = eng;
  return XL_OK;
}

void xl_engine_del(xl_engine *eng) {
  if (eng == NULL) {
    return;
  }
  while (eng->agents != NULL) {
    xl_agent_del(eng->agents);
  }
  xli_pool_fini(eng, &eng->pool);
  xli_params_fini(eng);
  xli_names_fini(eng, &eng->names);
  xli_free(eng, eng->heap.at);
  xli_free(eng, eng->ring);
  xli_free(eng, eng->looks);
  eng->env.alloc.realloc(eng->env.alloc.arg, eng, 0);
}

bool xli_enter(xl_engine *eng, xl_time now) {
  assert(!eng->inside);
  assert(now >= eng->now && now < XL_NEVER);
  eng->now = now;
  eng->epoch++;
  return eng->status == XL_OK;
}

uint64_t xl_engine_announcements(const xl_engine *eng) {
  return eng->announcements;
}

xl_time xl_engine_deadline(const xl_engine *eng) {
  return eng->heap.n == 0 || eng->status != XL_OK ? XL_NEVER
                                                  : eng->heap.at[0].due;
}

void xl_engine_advance(xl_engine *eng, xl_time now) {
  if (!xli_enter(eng, now)) {
    return;
  }
  while (eng->heap.n > 0 && eng->heap.at[0].due <= now &&
         eng->status == XL_OK) {
    xli_agent_due(eng->heap.at[0].agent);
  }
}

/* ---- actions ---- */

static bool grow_ring(xl_engine *eng) {
  uint32_t cap = eng->ring_cap == 0 ? 16 : eng->ring_cap * 2;
  xl_action *ring = xli_new(eng, cap * sizeof *ring);

  if (ring == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < eng->nring; i++) {
    ring[i] = eng->ring[(eng->ring_begin + i) & (eng->ring_cap - 1)];
  }
  xli_free(eng, eng->ring);
  eng->ring = ring;
  eng->ring_cap = cap;
  eng->ring_begin = 0;
  return true;
}

void xli_act(xl_engine *eng, const xl_action *act) {
  if (eng->nring == eng->ring_cap && !grow_ring(eng)) {
    return;
  }
  eng->ring[(eng->ring_begin + eng->nring++) & (eng->ring_cap - 1)] = *act;
}

bool xl_engine_next(xl_engine *eng, xl_action *out) {
  while (eng->nring > 0 && eng->status == XL_OK) {
    *out = eng->ring[eng->ring_begin];
    eng->ring_begin = (eng->ring_begin + 1) & (eng->ring_cap - 1);
    eng->nring--;
    if (out->agent != NULL) { /* else its agent is gone */
      return true;
    }
  }
  return false;
}

void xli_event(xl_agent *a, xl_event_kind kind, xl_job *j, xl_file *f,
               int64_t x, int64_t y, int64_t z) {
  xl_engine *eng = a->engine;
  const xl_event ev = {.at = eng->now,
                       .kind = kind,
                       .agent = a,
                       .job = j,
                       .file = f,
                       .a = x,
                       .b = y,
                       .c = z};

  if (eng->env.event != NULL) {
    eng->inside = true;
    eng->env.event(eng->env.arg, &ev);
    eng->inside = false;
  }
}

/* ---- names and status ---- */

const char *xl_engine_string(const xl_engine *eng, xl_name name) {
  return xli_names_text(&eng->names, name);
}

xl_name xl_engine_name(xl_engine *eng, const char *s) {
  return xli_names_add(eng, &eng->names, s, strlen(s));
}

void xli_out_of_memory(xl_engine *eng) {
  xli_fail(eng, XL_E_OUTOFMEMORY, "engine", "out of memory");
}

void xli_fail(xl_engine *eng, xl_err err, const char *who, const char *what) {
  if (eng->status != XL_OK) {
    return; /* the first one counts */
  }
  eng->status = err;
  eng->text[0] = '\0';
  strncat(eng->text, who, 60);
  strncat(eng->text, ": ", 3);
  strncat(eng->text, what, sizeof eng->text - 70);
}

xl_err xl_engine_status(const xl_engine *eng, const char **text) {
  if (text != NULL) {
    *text = eng->status == XL_OK ? "fine" : eng->text;
  }
  return eng->status;
}
