/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to devices, origins and the clock. */
#include "driver_world.h"
#include "engine.h"

#define LAST_TIME ((xl_time)1 << 61)

/* ---- shocks ---- */

void ops_flush_bad(world *w, const xl_agent *agent) {
  for (uint32_t i = w->nopen; i-- > 0;) {
    open_request *o = i < w->nopen ? &w->open[i] : NULL;
    if (o != NULL && o->agent == agent && w->data &&
        world_tainted(w, o, o->range.begin + o->told)) {
      xl_agent_ended(o->agent, o->request, XL_END_FAILED_CHECK, XL_OK, o->told,
                     0, w->now);
      world_act(w);
    }
  }
}

void play_link(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    if (a[1] == 0) {
      ops_flush_bad(w, w->agents[i]);
    }
    w->ending = true;
    w->machine[i].link = a[1] > 0;
    xl_agent_link(w->agents[i], a[1] > 0, w->now);
    w->ending = false;
  }
}

void play_settle(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  (void)a;
  if (i != XL_NONE) {
    ops_flush_bad(w, w->agents[i]);
    w->ending = true;
    xl_agent_settle(w->agents[i], w->now);
    w->ending = false;
  }
}

void play_late(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    xl_agent_late(w->agents[i], a[1], w->now);
    w->sent[i] += a[1];
  }
}

void play_origin(world *w, const uint32_t *a) {
  static const xl_bytes sizes[] = {1000, 900, 1000, 0, 1, 1100};
  uint32_t u = a[0] % NURLS;

  w->origin[u].size = sizes[a[1] % 6];
  if (w->origin[u].mtime_s != INT64_MIN) {
    w->origin[u].mtime_s = w->no_mtime ? 1 : a[2];
  }
}

/* ---- the clock ---- */

void play_tick(world *w, const uint32_t *a) {
  if (w->now < LAST_TIME) {
    w->now += XL_MS(a[0]);
  }
}

static void advance(world *w) {
  xl_engine_advance(w->eng, w->now);
  for (uint32_t i = 0; i < NAGENTS && xl_engine_status(w->eng, NULL) == XL_OK;
       i++) {
    if (w->agents[i] != NULL) {
      machine_check_rate(w, i);
    }
  }
}

void play_advance(world *w, const uint32_t *a) {
  xl_time due = xl_engine_deadline(w->eng);

  if (w->now < LAST_TIME && due <= w->now + XL_MS(a[0])) {
    w->now = due > w->now ? due : w->now;
  } else if (w->now < LAST_TIME) {
    w->now += XL_MS(a[0]);
  }
  advance(w);
}

void play_jump(world *w, const uint32_t *a) {
  xl_span n = (xl_span)1 << a[0] % 62;

  if (w->now < LAST_TIME - n) {
    w->now += n;
    advance(w);
  }
}
