/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The administrator's throttles (R457): what the background jobs of a device
 * may take from origins by the hours of the week. The limit of a priority is
 * shared equally by the connections its jobs have open to origins; peers are
 * not throttled (R676).
 */
#include "world/state.h"

#include <xl/machine.h>

#define DAY_S 86400

static const scn_class *class_of(const world *w, uint32_t device) {
  return &w->scn->classes[w->fl->devices[device].cls];
}

/* An instant, on the clock of the run, of a local Sunday at 00:00. */
static xl_time sunday(const scenario *s) {
  int64_t local = s->start_unix_s + s->utc_offset_s;
  int64_t of_day = (local % DAY_S + DAY_S) % DAY_S;
  int64_t day = (local - of_day) / DAY_S; /* since 1970-01-01, a Thursday */

  return -XL_SEC(((day % 7 + 7 + 4) % 7) * DAY_S + of_day);
}

bool throttle_set(world *w, uint32_t device) {
  const scn_class *c = class_of(w, device);
  xl_throttle rows[SCN_THROTTLES_MAX];

  for (size_t i = 0; i < c->nthrottles; i++) {
    const scn_throttle *t = &c->throttles[i];
    rows[i] =
        (xl_throttle){.days = t->days,
                      .from = t->from,
                      .to = t->to,
                      .rates = {XL_RATE_UNLIMITED, t->high, t->normal, t->low}};
  }
  return c->nthrottles == 0 ||
         xl_agent_set_throttles(w->devices[device].agent, rows,
                                (uint32_t)c->nthrottles, sunday(w->scn),
                                world_now(w)) == XL_OK;
}

uint32_t throttle_line(const world *w, const xl_action *a) {
  return class_of(w, xl_agent_id(a->agent))->nthrottles > 0 &&
                 a->source == XL_SOURCE_ORIGIN
             ? xl_job_priority_of(a->job)
             : XL_PRIORITY_FOREGROUND;
}

void throttle_apply(world *w, uint32_t device) {
  const device_state *d = &w->devices[device];
  uint32_t n[XL_PRIORITY_LOW + 1] = {0};

  if (class_of(w, device)->nthrottles == 0 || d->agent == NULL) {
    return;
  }
  for (uint32_t i = d->chans; i != XL_NONE; i = w->chans[i].next) {
    n[w->chans[i].line]++;
  }
  for (uint32_t i = d->chans; i != XL_NONE; i = w->chans[i].next) {
    const chan *c = &w->chans[i];
    xl_rate all = xl_agent_background_rate(d->agent, (xl_priority)c->line);
    if (c->line == XL_PRIORITY_FOREGROUND || all == 0) {
      continue; /* the engine cancels what a rate of 0 forbids */
    }
    xl_rate share = all == XL_RATE_UNLIMITED ? all : all / n[c->line];
    share = share > 0 ? share : 1;
    w->ops->cap(w->net, c->ch, share < c->cap ? share : c->cap);
  }
}
