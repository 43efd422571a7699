/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes on the network by source, link and time, counted where they are sent;
 * the engine's ledgers count them where they arrive. At the end both must
 * agree.
 */
#include "world/state.h"

#include <string.h>

#include "world/layout.h"

static void link_add(link_state *l, uint64_t n) {
  l->bytes += n;
  l->bin += n;
}

void tally_wire(world *w, wire *x, xl_bytes total) {
  const chan *c = &w->chans[x->chan];
  uint32_t site = w->fl->devices[x->device].site;
  xl_bytes n = total - x->seen;

  assert(total >= x->seen);
  x->seen = total;
  w->sent += n;
  if (c->kind == XL_SOURCE_ORIGIN) {
    w->bin.origin += n;
    w->origins[c->source].egress += n;
    link_add(&w->origin_links[c->source], n);
  } else {
    w->bin.peer += n;
    w->devices[c->source].sent[c->scope] += n;
  }
  if (!c->crosses) {
    w->site_inside[site] += n;
    return;
  }
  w->bin.cross_site += n;
  link_add(&w->site_down[site], n);
  if (c->kind == XL_SOURCE_PEER) {
    link_add(&w->site_up[w->fl->devices[c->source].site], n);
  }
}

static void busy(world *w, link_state *l, bool on) {
  if (on && l->active++ == 0) {
    l->busy_since = world_now(w);
  } else if (!on && --l->active == 0) {
    l->busy += world_now(w) - l->busy_since;
  }
}

void tally_busy(world *w, const wire *x, bool on) {
  const chan *c = &w->chans[x->chan];

  if (c->kind == XL_SOURCE_ORIGIN) {
    busy(w, &w->origin_links[c->source], on);
  }
  if (c->crosses) {
    busy(w, &w->site_down[w->fl->devices[x->device].site], on);
    if (c->kind == XL_SOURCE_PEER) {
      busy(w, &w->site_up[w->fl->devices[c->source].site], on);
    }
  }
}

/* ---- series ----------------------------------------------------------------
 */

static void rate_rows(world *w, link_state *l, uint32_t n, enum link_what what,
                      xl_time at) {
  for (uint32_t i = 0; i < n; i++) {
    if (l[i].bin > 0) {
      row_link_rates row;
      memset(&row, 0, sizeof row);
      row.what = (uint8_t)what;
      row.index = i;
      row.at_ns = at;
      row.bytes = l[i].bin;
      record_rows(w->cfg->record, SCHEMA_LINK_RATES, &row, 1);
      l[i].bin = 0;
    }
  }
}

static void rates_flush(world *w, xl_time at) {
  rate_rows(w, w->origin_links, w->fl->norigins, LINK_ORIGIN_UP, at);
  rate_rows(w, w->site_down, w->fl->nsites, LINK_SITE_DOWN, at);
  rate_rows(w, w->site_up, w->fl->nsites, LINK_SITE_UP, at);
}

/* Brings every count up to now: transfers under way included. */
static void tally_under_way(world *w) {
  for (uint32_t i = 0; i < w->nwires; i++) {
    wire *x = &w->wires[i];
    if (x->state == WIRE_SENDING) {
      tally_wire(w, x,
                 w->ops->progress(w->net, w->chans[x->chan].ch,
                                  TAG(TAG_WIRE, x->generation, i)));
    }
  }
  if ((w->ops->caps & NET_CAP_FLOW_LEVEL) == 0) {
    for (uint32_t i = 0; i < w->fl->ndevices; i++) {
      uint64_t n = w->ops->stray(w->net, w->fl->devices[i].node);
      if (n > 0) {
        w->sent += n;
        if (w->devices[i].agent == NULL) {
          w->lost += n;
        } else {
          xl_agent_late(w->devices[i].agent, n, world_now(w));
        }
      }
    }
  }
}

static void bin_close(world *w) {
  tally_under_way(w);
  w->bin.online = w->online;
  w->bin.arrived = w->next_task;
  w->bin.done = w->ntasks_done;
  w->bin.active = w->active;
  record_rows(w->cfg->record, SCHEMA_SERIES, &w->bin, 1);
  if (++w->bins % BINS_PER_LINK_BIN == 0) {
    rates_flush(w, w->bin_end - BINS_PER_LINK_BIN * SERIES_BIN);
  }
  memset(&w->bin, 0, sizeof w->bin);
  w->bin.at_ns = w->bin_end;
  w->bin_end += SERIES_BIN;
}

void tally_bins(world *w) {
  while (world_now(w) >= w->bin_end) {
    bin_close(w);
  }
}

/* ---- rows of requests and events ------------------------------------------
 */

static uint32_t origin_of(const world *w, uint32_t content, uint32_t mirror) {
  const scn_content *c = &w->scn->contents[content];
  uint32_t o = 0;

  while (o < w->scn->norigins && mirror < c->norigins &&
         strcmp(w->scn->origins[o].name, c->origins[mirror]) != 0) {
    o++;
  }
  return o;
}

static xl_class main_class(const xl_ledger *l) {
  xl_class best = XL_CLASS_ORIGIN;

  for (int c = 0; c < XL_NCLASSES; c++) {
    best = l->bytes[c] > l->bytes[best] ? (xl_class)c : best;
  }
  return best;
}

void tally_transfer(void *arg, const xl_transfer *t) {
  world *w = arg;
  xl_job *job = t->file == NULL ? NULL : xl_file_job(t->file);
  const task_state *st = job == NULL ? NULL : xl_job_user(job);
  row_transfers row;

  if (w->cfg->level < LEVEL_TRANSFERS || st == NULL) {
    return;
  }
  memset(&row, 0, sizeof row);
  row.asked_ns = t->asked;
  row.first_ns = t->first;
  row.end_ns = t->end;
  row.waited_ns = t->waited;
  row.device = xl_agent_id(t->agent);
  row.job = w->fl->tasks[st->task].job;
  row.file = xl_file_index(t->file);
  row.content = layout_content_of(w->fl, st->task, row.file);
  row.offset = t->range.begin;
  row.asked = t->range.end == XL_SIZE_UNKNOWN ? XL_SIZE_UNKNOWN
                                              : t->range.end - t->range.begin;
  row.delivered = t->delivered;
  row.useful = xl_ledger_useful(&t->booked);
  row.source = t->kind == XL_SOURCE_ORIGIN
                   ? origin_of(w, row.content, t->source)
                   : t->source;
  row.rejected = t->rejected;
  row.error = XL_HRESULT(t->err);
  row.kind = (uint8_t)t->kind;
  row.class = (uint8_t)main_class(&t->booked);
  row.scope = (uint8_t)t->scope;
  row.outcome = (uint8_t)t->outcome;
  row.reason = (uint8_t)t->reason;
  record_rows(w->cfg->record, SCHEMA_TRANSFERS, &row, 1);
}

static bool state_waits(int64_t s) {
  return s == XL_JOB_QUEUED || s == XL_JOB_CONNECTING ||
         s == XL_JOB_TRANSIENT_ERROR;
}

void tally_event(void *arg, const xl_event *e) {
  world *w = arg;
  task_state *st = e->job == NULL ? NULL : xl_job_user(e->job);
  row_events row;

  if (e->kind == XL_EVENT_JOB_STATE && st != NULL) {
    if (state_waits(e->a)) {
      st->stalled += e->at - st->since;
    }
    st->since = e->at;
  }
  if (w->cfg->level < LEVEL_EVENTS) {
    return;
  }
  memset(&row, 0, sizeof row);
  row.at_ns = e->at;
  row.device = xl_agent_id(e->agent);
  row.job = st == NULL ? XL_NONE : w->fl->tasks[st->task].job;
  row.file = e->file == NULL ? XL_NONE : xl_file_index(e->file);
  row.a = e->a;
  row.b = e->b;
  row.c = e->c;
  row.kind = (uint8_t)e->kind;
  record_rows(w->cfg->record, SCHEMA_EVENTS, &row, 1);
}

/* ---- the tables of the end ---------------------------------------------- */

static void site_rows(world *w) {
  for (uint32_t i = 0; i < w->fl->nsites; i++) {
    row_sites row;
    layout_site(w->fl, i, &row);
    row.bytes_down = w->site_down[i].bytes;
    row.bytes_up = w->site_up[i].bytes;
    row.bytes_inside = w->site_inside[i];
    record_rows(w->cfg->record, SCHEMA_SITES, &row, 1);
  }
}

static void origin_rows(world *w) {
  for (uint32_t i = 0; i < w->fl->norigins; i++) {
    row_origins row;
    layout_origin(w->fl, i, &row);
    row.egress = w->origins[i].egress;
    row.requests = w->origins[i].requests;
    row.refused = w->origins[i].refused;
    record_rows(w->cfg->record, SCHEMA_ORIGINS, &row, 1);
  }
  for (uint32_t i = 0; i < w->scn->ncontents; i++) {
    row_contents row;
    layout_content(w->fl, i, &row);
    record_rows(w->cfg->record, SCHEMA_CONTENTS, &row, 1);
  }
}

static void device_rows(world *w, xl_time ended) {
  uint32_t h = 0;

  for (uint32_t i = 0; i < w->fl->ndevices; i++) {
    const device_state *st = &w->devices[i];
    const xl_ledger *l = xl_agent_ledger(st->agent);
    row_devices row;
    layout_device(w->fl, i, &row);
    for (; h < w->fl->nholds && w->fl->holds[h].device == i; h++) {
      row.held++;
    }
    row.online_ns = st->online_ns + (st->online ? ended - st->since : 0);
    row.received = xl_ledger_total(l);
    row.sent_subnet = st->sent[XL_SCOPE_SUBNET];
    row.sent_site = st->sent[XL_SCOPE_SITE];
    row.sent_group = st->sent[XL_SCOPE_GROUP];
    row.sent_internet = st->sent[XL_SCOPE_INTERNET];
    row.sent =
        row.sent_subnet + row.sent_site + row.sent_group + row.sent_internet;
    row.control = st->control;
    row.wasted = row.received - xl_ledger_useful(l);
    record_rows(w->cfg->record, SCHEMA_DEVICES, &row, 1);
  }
  for (uint32_t i = 0; i < w->fl->nholds; i++) {
    row_held row = {w->fl->holds[i].device, w->fl->holds[i].content};
    record_rows(w->cfg->record, SCHEMA_HELD, &row, 1);
  }
}

static void file_row(world *w, const task_state *st, uint32_t k) {
  const xl_file *f = xl_job_file(st->job, k);
  const xl_ledger *l = xl_file_ledger(f);
  xl_file_progress p;
  row_files row;

  layout_file(w->fl, st->task, k, &row);
  xl_file_progress_of(f, &p);
  row.size = p.total;
  row.transferred = p.transferred;
  row.start_ns = xl_file_started(f);
  row.end_ns = xl_file_finished(f);
  row.switches = xl_file_switches(f);
  row.restarts = xl_file_restarts(f);
  row.mirror = xl_file_mirror(f);
  row.origin = l->bytes[XL_CLASS_ORIGIN];
  row.peer_subnet = l->bytes[XL_CLASS_PEER_SUBNET];
  row.peer_site = l->bytes[XL_CLASS_PEER_SITE];
  row.peer_group = l->bytes[XL_CLASS_PEER_GROUP];
  row.peer_internet = l->bytes[XL_CLASS_PEER_INTERNET];
  row.cache = l->bytes[XL_CLASS_CACHE];
  row.duplicate = l->bytes[XL_CLASS_DUPLICATE];
  row.late = l->bytes[XL_CLASS_LATE];
  row.cancelled = l->bytes[XL_CLASS_CANCELLED];
  row.failed_check = l->bytes[XL_CLASS_FAILED_CHECK];
  row.restarted = l->bytes[XL_CLASS_RESTARTED];
  row.overhead = l->bytes[XL_CLASS_OVERHEAD];
  record_rows(w->cfg->record, SCHEMA_FILES, &row, 1);
}

static void job_rows(world *w, xl_time ended) {
  for (uint32_t i = 0; i < w->next_task; i++) {
    task_state *st = &w->tasks[i];
    row_jobs row;
    xl_err code;
    layout_job(w->fl, i, &row);
    row.end_ns = st->end;
    row.state = (uint8_t)xl_job_state_of(st->job);
    row.errors = xl_job_error_count(st->job);
    row.stalled_ns =
        st->stalled + (state_waits(row.state) ? ended - st->since : 0);
    if (xl_job_error(st->job, &code, NULL) == XL_OK) {
      row.error = XL_HRESULT(code);
    }
    for (uint32_t k = 0; k < row.files; k++) {
      xl_time start = xl_file_started(xl_job_file(st->job, k));
      if (start >= 0 && (row.start_ns < 0 || start < row.start_ns)) {
        row.start_ns = start;
      }
      file_row(w, st, k);
    }
    record_rows(w->cfg->record, SCHEMA_JOBS, &row, 1);
  }
}

static void link_rows(world *w, link_state *l, uint32_t n,
                      enum link_what what) {
  for (uint32_t i = 0; i < n; i++) {
    net_node node =
        what == LINK_ORIGIN_UP ? w->fl->origins[i].node : w->fl->sites[i].node;
    xl_rate down, up;
    row_links row;
    memset(&row, 0, sizeof row);
    layout_largest(w->fl, node, &down, &up);
    row.what = (uint8_t)what;
    row.index = i;
    row.capacity_Bps = what == LINK_SITE_DOWN ? down : up;
    row.bytes = l[i].bytes;
    row.busy_ns =
        l[i].busy + (l[i].active > 0 ? world_now(w) - l[i].busy_since : 0);
    record_rows(w->cfg->record, SCHEMA_LINKS, &row, 1);
  }
}

void tally_rows(world *w, xl_time ended) {
  row_world row;

  tally_under_way(w);
  for (uint32_t i = 0; i < w->fl->ndevices; i++) {
    xl_agent_settle(w->devices[i].agent, ended);
  }
  if (w->bin.at_ns < ended || w->bin.origin + w->bin.peer > 0) {
    bin_close(w);
  }
  rates_flush(w, w->bins / BINS_PER_LINK_BIN * BINS_PER_LINK_BIN * SERIES_BIN);
  site_rows(w);
  origin_rows(w);
  device_rows(w, ended);
  job_rows(w, ended);
  link_rows(w, w->origin_links, w->fl->norigins, LINK_ORIGIN_UP);
  link_rows(w, w->site_down, w->fl->nsites, LINK_SITE_DOWN);
  link_rows(w, w->site_up, w->fl->nsites, LINK_SITE_UP);
  memset(&row, 0, sizeof row);
  row.sent = w->sent;
  for (uint32_t i = 0; i < w->fl->ndevices; i++) {
    row.received += xl_ledger_total(xl_agent_ledger(w->devices[i].agent));
    row.control += w->devices[i].control;
  }
  row.control +=
      w->control + CONTROL_ANNOUNCE * xl_engine_announcements(w->eng);
  row.lost = w->lost;
  row.ended_ns = ended;
  row.duration_ns = w->scn->duration;
  row.actions = w->actions;
  row.shortfall = w->ops->shortfall(w->net);
  row.complete = *w->cfg->stop ? 0 : 1;
  record_rows(w->cfg->record, SCHEMA_WORLD, &row, 1);
}

bool tally_closes(world *w, fail *why) {
  uint64_t received = 0;

  for (uint32_t i = 0; i < w->fl->ndevices; i++) {
    received += xl_ledger_total(xl_agent_ledger(w->devices[i].agent));
  }
  if (w->sent != received + w->lost) {
    return fail_set(why, EXIT_RUN_FAILED,
                    "bytes are not conserved: sources sent %llu, devices "
                    "booked %llu, %llu were lost; this is a bug of xferlab, "
                    "the trace must not be used",
                    (unsigned long long)w->sent, (unsigned long long)received,
                    (unsigned long long)w->lost);
  }
  return true;
}
