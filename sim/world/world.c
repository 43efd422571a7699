/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world/world.h"

#include <stdlib.h>
#include <string.h>

#include "util/slab.h"
#include "world/state.h"

xl_agent *world_agent(world *w, uint32_t device) {
  device_state *d = &w->devices[device];

  if (w->cfg->check && !d->touched) {
    d->touched = true;
    w->touched = world_grow(w->touched, &w->touched_cap, w->ntouched + 1,
                            sizeof *w->touched);
    w->touched[w->ntouched++] = device;
  }
  return d->agent;
}

/* Every invariant of the agents this event touched. */
static const char *check_touched(world *w) {
  const char *text = NULL;

  for (uint32_t i = 0; i < w->ntouched; i++) {
    device_state *d = &w->devices[w->touched[i]];
    d->touched = false;
    if (text == NULL && d->agent != NULL) {
      text = xl_agent_check(d->agent);
    }
  }
  w->ntouched = 0;
  return text;
}

static void act(world *w, const xl_action *a) {
  w->actions++;
  world_agent(w, xl_agent_id(a->agent));
  switch (a->kind) {
  case XL_ACT_HEAD:
  case XL_ACT_GET:
    wire_get(w, a);
    break;
  case XL_ACT_CANCEL:
    wire_cancel(w, a);
    break;
  case XL_ACT_FIND:
    discovery_find(w, a);
    break;
  case XL_ACT_ANSWER:
    wire_answer(w, a);
    break;
  case XL_ACT_PUBLISH:
    discovery_publish(w, a);
    break;
  case XL_ACT_RATES:
    throttle_apply(w, xl_agent_id(a->agent));
    break;
  case XL_ACT_NOTIFY:
    jobs_notify(w, a);
    break;
  }
}

/* Carries out all actions, then closes channels that are left idle. */
static void pump(world *w) {
  xl_action a;
  const char *text;

  while (!w->failed && xl_engine_next(w->eng, &a)) {
    act(w, &a);
  }
  wire_close_idle(w);
  if (xl_engine_status(w->eng, &text) != XL_OK) {
    w->failed = true;
    fail_set(w->why, EXIT_RUN_FAILED, "%s", text);
  }
  if (w->cfg->check && !w->failed) {
    text = check_touched(w);
    if (text != NULL) {
      w->failed = true;
      fail_set(w->why, EXIT_RUN_FAILED, "an invariant of the engine broke: %s",
               text);
    }
  }
  if (w->failed || xl_engine_deadline(w->eng) < w->until || *w->cfg->stop) {
    w->wake = true;
  }
}

/* ---- callbacks of the network ----------------------------------------------
 */

static void on_asked(void *arg, net_channel ch, uint64_t tag) {
  (void)ch;
  wire_asked(arg, tag);
  pump(arg);
}

static void on_done(void *arg, net_channel ch, uint64_t tag, uint64_t bytes) {
  (void)ch;
  wire_done(arg, tag, bytes);
  pump(arg);
}

/* No source of a world closes a channel: origins and peers fall silent. */
static void on_reset(void *arg, net_channel ch, uint64_t tag, uint64_t bytes) {
  world *w = arg;

  (void)ch;
  (void)tag;
  (void)bytes;
  w->failed = true;
  w->wake = true;
  fail_set(w->why, EXIT_RUN_FAILED, "the network reset a channel unasked");
}

static void on_message(void *arg, net_node dst, uint64_t tag) {
  (void)dst;
  if (TAG_KIND(tag) == TAG_REPLY) {
    wire_replied(arg, tag);
  } else {
    discovery_query_arrived(arg, tag);
  }
  pump(arg);
}

static void on_timer(void *arg, uint64_t tag) {
  if (TAG_KIND(tag) == TAG_ORPHAN) {
    wire_orphan_end(arg, tag);
  } else {
    discovery_found(arg, tag, TAG_KIND(tag) == TAG_SEARCH_END);
  }
  pump(arg);
}

/* ---- what the engine asks -------------------------------------------------
 */

static uint64_t draw(void *arg, uint32_t agent_id, uint64_t n) {
  const world *w = arg;

  return rng_at(w->devices[agent_id].draws, n);
}

/* Devices of one site hang on one switch, mostly: no walk up the tree. */
static xl_span latency_between(const world *w, uint32_t a, uint32_t b) {
  net_node na = w->fl->devices[a].node, nb = w->fl->devices[b].node;
  const net_node_spec *nodes = w->fl->nodes;

  return nodes[na].parent == nodes[nb].parent
             ? nodes[na].latency + nodes[nb].latency
             : w->ops->latency(w->net, na, nb);
}

static const xl_map *peer_map(void *arg, const xl_agent *reader, uint32_t peer,
                              xl_name key, xl_version version,
                              uint32_t *visible) {
  const world *w = arg;
  const xl_agent *a = w->devices[peer].agent;
  const xl_map *m = a == NULL ? NULL : xl_agent_map(a, key, version);

  if (m == NULL) {
    return NULL;
  }
  *visible = xl_map_visible(m, world_now(w),
                            latency_between(w, peer, xl_agent_id(reader)));
  return m;
}

static xl_bytes arrived(void *arg, const xl_agent *agent, uint32_t request) {
  return wire_arrived(arg, xl_agent_id(agent), request);
}

#ifdef __SANITIZE_ADDRESS__ /* which sees malloc's blocks only */
static void *heap(void *arg, void *ptr, size_t size) {
  (void)arg;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return realloc(ptr, size);
}
#else
static void *heap(void *arg, void *ptr, size_t size) {
  return slab_resize(arg, ptr, size);
}
#endif

/* ---- a run ----------------------------------------------------------------
 */

static bool open_all(world *w) {
  const fleet *fl = w->fl;
  net_topology topology = {fl->nodes, fl->nnodes};
  net_sink sink = {w, on_asked, on_done, on_reset, on_message, on_timer};
  xl_env env = {
      .size = sizeof env,
      .arg = w,
      .alloc = {heap, w->memory},
      .draw = draw,
      .peer_map = peer_map,
      .arrived = arrived,
      .transfer = tally_transfer,
      .event = tally_event,
  };

  w->net = w->ops->open(&topology, w->cfg->net_params, &sink, w->why);
  if (w->net == NULL) {
    return false;
  }
  if (w->memory == NULL ||
      xl_engine_new(&w->eng, &w->cfg->engine, &env) != XL_OK) {
    return fail_set(w->why, EXIT_RUN_FAILED, "out of memory");
  }
  w->wire_free = w->chan_free = w->offer_free = w->find_free = XL_NONE;
  w->devices = world_alloc(fl->ndevices, sizeof *w->devices);
  w->tasks = world_alloc(fl->ntasks, sizeof *w->tasks);
  for (uint32_t i = 0; i < fl->ntasks; i++) {
    w->tasks[i].task = i;
    w->tasks[i].end = -1;
  }
  w->service_free = world_alloc(fl->nservices, sizeof *w->service_free);
  w->tracker = XL_NONE;
  for (uint32_t i = 0; i < fl->nservices; i++) {
    if (strcmp(w->scn->services[i].name, "tracker") == 0) {
      w->tracker = i;
    }
  }
  w->origin_links = world_alloc(fl->norigins, sizeof *w->origin_links);
  w->site_down = world_alloc(fl->nsites, sizeof *w->site_down);
  w->site_up = world_alloc(fl->nsites, sizeof *w->site_up);
  w->site_inside = world_alloc(fl->nsites, sizeof *w->site_inside);
  w->bin_end = SERIES_BIN;
  return origin_init(w) && jobs_init(w);
}

static void close_all(world *w) {
  crash_free(w);
  xl_engine_del(w->eng);
  slab_del(w->memory);
  if (w->net != NULL) {
    w->ops->close(w->net);
  }
  for (uint32_t i = 0; w->index != NULL && i < w->index_cap; i++) {
    free(w->index[i].list);
  }
  for (size_t i = 0;
       w->url_text != NULL && i < w->scn->norigins * w->scn->ncontents; i++) {
    free(w->url_text[i]);
  }
  free(w->index);
  free(w->offers);
  free(w->url_text);
  free(w->mirrors);
  free(w->versions);
  free(w->urls);
  free(w->origins);
  free(w->devices);
  free(w->tasks);
  free(w->wires);
  free(w->chans);
  free(w->idle);
  free(w->finds);
  free(w->touched);
  free(w->service_free);
  free(w->origin_links);
  free(w->site_down);
  free(w->site_up);
  free(w->site_inside);
}

static void capacity_start(world *w) {
  const fleet *fl = w->fl;
  row_capacity row;

  for (enum capacity_what what = CAPACITY_SITE; what <= CAPACITY_DEVICE;
       what++) {
    uint32_t n = what == CAPACITY_SITE     ? fl->nsites
                 : what == CAPACITY_ORIGIN ? fl->norigins
                                           : fl->ndevices;
    for (uint32_t i = 0; i < n; i++) {
      net_node node = what == CAPACITY_SITE     ? fl->sites[i].node
                      : what == CAPACITY_ORIGIN ? fl->origins[i].node
                                                : fl->devices[i].node;
      memset(&row, 0, sizeof row);
      row.what = (uint8_t)what;
      row.index = i;
      row.down_Bps = fl->nodes[node].down_Bps;
      row.up_Bps = fl->nodes[node].up_Bps;
      record_rows(w->cfg->record, SCHEMA_CAPACITY, &row, 1);
    }
  }
}

static xl_time next_moment(const world *w) {
  const fleet *fl = w->fl;
  xl_time t = xl_time_min(w->scn->duration, w->bin_end);

  t = xl_time_min(t, xl_engine_deadline(w->eng));
  if (w->next_task < fl->ntasks) {
    t = xl_time_min(t, fl->tasks[w->next_task].arrival);
  }
  if (w->next_change < fl->nchanges) {
    t = xl_time_min(t, fl->changes[w->next_change].at);
  }
  return t;
}

static void tell(world *w) {
  world_progress p = {.now = world_now(w),
                      .duration = w->scn->duration,
                      .arrived = w->next_task,
                      .done = w->ntasks_done,
                      .tasks = w->fl->ntasks};

  if (w->cfg->progress != NULL) {
    w->cfg->progress(w->cfg->progress_arg, &p);
  }
  record_tick(w->cfg->record);
}

static bool over(const world *w) {
  return w->failed || *w->cfg->stop || world_now(w) >= w->scn->duration ||
         (w->ntasks_done == w->fl->ntasks && w->next_task == w->fl->ntasks);
}

/* More turns than this at one instant is a livelock. */
#define TURNS_PER_INSTANT 1000000u

static bool loop(world *w) {
  uint32_t turns = 0, still = 0;

  pump(w);
  while (!over(w)) {
    xl_time now = world_now(w), due = next_moment(w);
    if (due > now) {
      w->until = due;
      w->wake = xl_engine_deadline(w->eng) < due;
      if (!w->ops->run(w->net, due, &w->wake, w->why)) {
        return false;
      }
    }
    still = world_now(w) > now ? 0 : still + 1;
    if (still > TURNS_PER_INSTANT) {
      return fail_set(w->why, EXIT_RUN_FAILED,
                      "stuck at %.9f s: nothing that is due makes progress; "
                      "this is a bug of the policy or of xferlab",
                      (double)now / 1e9);
    }
    changes_due(w);
    pump(w);
    jobs_arrive(w);
    pump(w);
    if (xl_engine_deadline(w->eng) <= world_now(w)) {
      xl_engine_advance(w->eng, world_now(w));
      pump(w);
    }
    tally_bins(w);
    if (++turns % 64 == 0) {
      tell(w);
      if (!record_status(w->cfg->record, w->why)) {
        return false;
      }
    }
  }
  tell(w);
  return !w->failed;
}

/* The tables, and what must hold at the end. */
static bool finish(world *w, xl_time ended) {
  tally_rows(w, ended);
  const char *broken = xl_engine_check(w->eng);
  if (broken != NULL) {
    return fail_set(w->why, EXIT_RUN_FAILED,
                    "an invariant of the engine broke: %s", broken);
  }
  return tally_closes(w, w->why);
}

bool world_run(const world_cfg *cfg, world_result *out, fail *why) {
  world w = {.cfg = cfg,
             .fl = cfg->fleet,
             .scn = cfg->fleet->scn,
             .ops = cfg->net,
             .memory = slab_new(),
             .why = why};
  bool good = open_all(&w);

  if (good) {
    capacity_start(&w);
    good = loop(&w);
    *out = (world_result){.interrupted = *cfg->stop,
                          .ended = world_now(&w),
                          .transfers = w.transfers};
    good = crash_end(&w) && finish(&w, out->ended) && good;
  }
  close_all(&w);
  return good;
}
