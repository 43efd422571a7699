/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Churn and faults of the fleet, applied when they are due. */
#include "world/state.h"

static void device_off(world *w, uint32_t i, bool crash) {
  device_state *d = &w->devices[i];
  xl_time now = world_now(w);

  if (!d->online) {
    return;
  }
  if (crash) {
    crash_down(w, i);
  } else {
    xl_agent_link(d->agent, false, now);
    wire_drop_server(w, i);
  }
  wire_drop_asker(w, i);
  w->ops->host_set(w->net, w->fl->devices[i].node, false);
  d->online = false;
  d->online_ns += now - d->since;
  d->since = now;
  w->online--;
}

static void device_on(world *w, uint32_t i) {
  device_state *d = &w->devices[i];

  if (d->online) {
    return;
  }
  w->ops->host_set(w->net, w->fl->devices[i].node, true);
  d->online = true;
  d->since = world_now(w);
  w->online++;
  if (d->agent == NULL) {
    crash_up(w, i);
  } else {
    xl_agent_link(d->agent, true, world_now(w));
  }
}

static void capacity_row(world *w, const fleet_change *c) {
  const fleet *fl = w->fl;
  row_capacity row = {
      .at_ns = c->at, .down_Bps = c->down_Bps, .up_Bps = c->up_Bps};

  for (uint32_t i = 0; i < fl->nsites; i++) {
    if (fl->sites[i].node == c->index) {
      row.what = CAPACITY_SITE;
      row.index = i;
      record_rows(w->cfg->record, SCHEMA_CAPACITY, &row, 1);
      return;
    }
  }
  for (uint32_t i = 0; i < fl->norigins; i++) {
    if (fl->origins[i].node == c->index) {
      row.what = CAPACITY_ORIGIN;
      row.index = i;
      record_rows(w->cfg->record, SCHEMA_CAPACITY, &row, 1);
      return;
    }
  }
}

static void apply(world *w, const fleet_change *c) {
  switch (c->kind) {
  case CHANGE_DEVICE_ON:
    device_on(w, c->index);
    break;
  case CHANGE_DEVICE_OFF:
    device_off(w, c->index, false);
    break;
  case CHANGE_DEVICE_CRASH:
    device_off(w, c->index, true);
    break;
  case CHANGE_LINK:
    w->ops->link_set(w->net, c->index, c->up_Bps, c->down_Bps);
    capacity_row(w, c);
    break;
  case CHANGE_ORIGIN_DOWN:
  case CHANGE_ORIGIN_UP:
    w->origins[c->index].down = c->kind == CHANGE_ORIGIN_DOWN;
    w->ops->host_set(w->net, w->fl->origins[c->index].node,
                     c->kind == CHANGE_ORIGIN_UP);
    break;
  case CHANGE_ORIGIN_STATUS:
    w->origins[c->index].status = c->value;
    break;
  case CHANGE_CONTENT:
    w->versions[c->index * w->scn->ncontents + c->value].mtime_s =
        w->scn->start_unix_s + c->at / XL_SEC(1);
    break;
  case CHANGE_CONDUCT:
    w->origins[c->index].conduct[c->conduct] = c->value;
    w->origins[c->index].share[c->conduct] = c->share;
    break;
  }
}

void changes_due(world *w) {
  while (w->next_change < w->fl->nchanges &&
         w->fl->changes[w->next_change].at <= world_now(w)) {
    apply(w, &w->fl->changes[w->next_change++]);
  }
}
