/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The solver as a carrier. A channel is one flow of the solver, idle between
 * answers. Each node has a link upwards and one downwards; a way that has
 * always been unlimited is no link, since it cannot hold anything up.
 */
#include "net/fluid/fluid.h"

#include <math.h>
#include <stdlib.h>

#include "net/channels.h"
#include "net/fluid/solver.h"
#include "net/room.h"

#define NO_LINK UINT32_MAX
#define WIDE 1e18 /* capacity of a link that is unlimited again */

/* The constants of SimGrid's LV08 (network_cm02.cpp of SimGrid 3.32). */
#define LV08_LATENCY 13.01
#define LV08_BANDWIDTH 0.97
#define LV08_S 20537
#define LV08_GAMMA 4194304

enum { MODE, EPSILON, STARTUP, WINDOW, RTT_WEIGHTED, LV08, CHECK, NPARAMS };

static const xl_param params[NPARAMS] = {
    {"mode", XL_PARAM_ENUM, "exact", NULL, NULL, "exact|fast",
     "exact shares, or fast: a link keeps its level while it is less than "
     "epsilon too low"},
    {"epsilon", XL_PARAM_FRACTION, "0.001", "0.000001", "0.1", NULL,
     "fast mode: how much too slow a share may be; also at most 20 over the "
     "flows of the link"},
    {"startup", XL_PARAM_FRACTION, "1", "1", "1000", NULL,
     "an idle channel's first byte waits this times the path latency; LV08 "
     "has 13.01"},
    {"window", XL_PARAM_BYTES, "0B", "0B", NULL, NULL,
     "a flow is at most window / (2 x latency) fast; 0: no limit"},
    {"rtt_weighted", XL_PARAM_BOOL, "false", NULL, NULL, NULL,
     "shares by 1 / latency, as SimGrid's CM02"},
    {"lv08", XL_PARAM_BOOL, "false", NULL, NULL, NULL,
     "SimGrid's LV08 without cross-traffic: factors 0.97 and 13.01, S 20537, "
     "window 4 MiB; startup, window and rtt_weighted do not count then"},
    {"check", XL_PARAM_BOOL, "false", NULL, NULL, NULL,
     "proves at every instant that no link is above its capacity and each "
     "flow has its bottleneck; slow"},
};

typedef struct way {
  uint32_t link;    /* of the solver; NO_LINK */
  double bandwidth; /* the last one that was not 0 */
} way;

typedef struct chan {
  net_node src, dst;
  xl_rate cap;
  double weight;
  xl_bytes bytes; /* of the flow that runs */
  bool open;
} chan;

typedef struct sim {
  net *owner;
  const tree *tree;
  fl *s;
  way *up, *down; /* by node */
  chan *chans;    /* by channel */
  size_t nchans, chan_cap;
  uint32_t *path; /* scratch */
  uint32_t path_max;
  double window;
  bool rtt_weighted, lv08, check;
} sim;

/* ---- shapes of flows
 * ------------------------------------------------------------- */

static double seconds(xl_span t) {
  return (double)t * 1e-9;
}

static way *way_of(const sim *s, tree_step k) {
  return k.up ? &s->up[k.node] : &s->down[k.node];
}

static double cap_of(const sim *s, const chan *c) {
  double latency = seconds(tree_latency(s->tree, c->src, c->dst));
  double cap = c->cap == XL_RATE_UNLIMITED ? INFINITY : (double)c->cap;
  double window = s->lv08 ? LV08_GAMMA * LV08_BANDWIDTH : s->window;

  if (window > 0 && latency > 0) {
    cap = fmin(cap, window / (2 * latency));
  }
  return cap;
}

static double weight_of(const sim *s, const chan *c) {
  double penalty = 0;

  if (s->lv08 || s->rtt_weighted) {
    penalty = seconds(tree_latency(s->tree, c->src, c->dst));
  }
  for (tree_step k = {NET_NO_NODE, true};
       s->lv08 && tree_next(s->tree, c->src, c->dst, &k);) {
    if (way_of(s, k)->link != NO_LINK) {
      penalty += LV08_S / way_of(s, k)->bandwidth;
    }
  }
  return c->weight / (penalty > 0 ? penalty : 1);
}

static void shape(sim *s, net_channel ch) {
  const chan *c = &s->chans[ch];

  fl_flow_shape(s->s, channels_now(s->owner), ch, cap_of(s, c),
                weight_of(s, c));
}

/* ---- links
 * ----------------------------------------------------------------------- */

static double capacity_of(const sim *s, xl_rate rate) {
  if (rate == XL_RATE_UNLIMITED) {
    return WIDE;
  }
  return s->lv08 ? (double)rate * LV08_BANDWIDTH : (double)rate;
}

static bool crosses(const sim *s, const chan *c, net_node node, bool up) {
  for (tree_step k = {NET_NO_NODE, true};
       tree_next(s->tree, c->src, c->dst, &k);) {
    if (k.node == node && k.up == up) {
      return true;
    }
  }
  return false;
}

/* A way that was no link is one from now on, also for flows that run. */
static void way_appears(sim *s, net_node node, bool up) {
  uint32_t link = way_of(s, (tree_step){node, up})->link;

  for (net_channel ch = 0; ch < s->nchans; ch++) {
    if (s->chans[ch].open && crosses(s, &s->chans[ch], node, up)) {
      fl_flow_extend(s->s, channels_now(s->owner), ch, link);
    }
  }
}

static void way_set(sim *s, net_node node, bool up) {
  tree_step k = {node, up};
  xl_rate rate = tree_rate(s->tree, k);
  way *w = way_of(s, k);

  if (rate == XL_RATE_UNLIMITED && w->link == NO_LINK) {
    return;
  }
  if (rate != 0) {
    w->bandwidth = rate == XL_RATE_UNLIMITED ? WIDE : (double)rate;
  }
  if (w->link == NO_LINK) {
    w->link = fl_link_add(s->s, capacity_of(s, rate));
    way_appears(s, node, up);
  } else {
    fl_link_set(s->s, channels_now(s->owner), w->link, capacity_of(s, rate));
  }
}

/* ---- the carrier
 * ------------------------------------------------------------------ */

static void carrier_del(void *sim_) {
  sim *s = sim_;

  fl_del(s->s);
  free(s->up);
  free(s->down);
  free(s->chans);
  free(s->path);
  free(s);
}

static void carrier_open(void *sim_, net_channel ch, net_node src, net_node dst,
                         xl_rate cap, double weight) {
  sim *s = sim_;
  uint32_t n = 0;

  if (ch >= s->nchans) {
    s->chans = room_for(s->chans, &s->chan_cap, ch + 1u, sizeof *s->chans);
    s->nchans = ch + 1u;
  }
  s->chans[ch] = (chan){src, dst, cap, weight, 0, true};
  for (tree_step k = {NET_NO_NODE, true}; tree_next(s->tree, src, dst, &k);) {
    if (way_of(s, k)->link != NO_LINK) {
      s->path[n++] = way_of(s, k)->link;
    }
  }
  fl_flow_init(s->s, ch, s->path, n, cap_of(s, &s->chans[ch]),
               weight_of(s, &s->chans[ch]));
}

static void carrier_close(void *sim_, net_channel ch) {
  sim *s = sim_;

  s->chans[ch].open = false; /* its flow was stopped before */
}

static void carrier_cap(void *sim_, net_channel ch, xl_rate cap) {
  sim *s = sim_;

  s->chans[ch].cap = cap;
  shape(s, ch);
}

static void carrier_start(void *sim_, net_channel ch, xl_bytes bytes) {
  sim *s = sim_;

  s->chans[ch].bytes = bytes;
  fl_flow_start(s->s, channels_now(s->owner), ch, bytes);
}

static xl_bytes carrier_arrived(void *sim_, net_channel ch) {
  sim *s = sim_;

  if (!fl_flow_runs(s->s, ch)) {
    return s->chans[ch].bytes;
  }
  return fl_flow_arrived(s->s, channels_now(s->owner), ch);
}

static xl_bytes carrier_stop(void *sim_, net_channel ch) {
  sim *s = sim_;
  xl_bytes bytes = carrier_arrived(sim_, ch);

  if (fl_flow_runs(s->s, ch)) {
    fl_flow_stop(s->s, channels_now(s->owner), ch);
  }
  return bytes;
}

static void carrier_link(void *sim_, net_node node) {
  sim *s = sim_;

  way_set(s, node, true);
  way_set(s, node, false);
  for (net_channel ch = 0; s->lv08 && ch < s->nchans; ch++) {
    const chan *c = &s->chans[ch];
    if (c->open && (crosses(s, c, node, true) || crosses(s, c, node, false))) {
      shape(s, ch);
    }
  }
}

static xl_time carrier_advance(void *sim_, xl_time until, fail *why) {
  sim *s = sim_;
  xl_time next = fl_next(s->s);
  char what[200];

  if (s->check && !fl_check(s->s, what, sizeof what)) {
    fail_set(why, EXIT_RUN_FAILED, "fluid: the check at %lld ns failed: %s",
             (long long)channels_now(s->owner), what);
    return -1;
  }
  if (next > until) {
    return until;
  }
  size_t n = fl_take(s->s, next);
  for (size_t i = 0; i < n; i++) {
    net_channel ch = fl_taken(s->s, i);
    channels_arrived(s->owner, next, ch, s->chans[ch].bytes);
  }
  return next;
}

static double carrier_shortfall(const void *sim_) {
  const sim *s = sim_;

  return fl_cost(s->s)->shortfall_max;
}

static const carrier fluid_carrier = {
    .stream = false,
    .del = carrier_del,
    .open = carrier_open,
    .close = carrier_close,
    .cap = carrier_cap,
    .start = carrier_start,
    .stop = carrier_stop,
    .arrived = carrier_arrived,
    .link = carrier_link,
    .advance = carrier_advance,
    .shortfall = carrier_shortfall,
};

/* ---- opening
 * ----------------------------------------------------------------------- */

/* The second part of opening, once the net exists that owns |s|. */
static bool build(sim *s, double epsilon, fail *why) {
  uint32_t depth = 0;
  size_t up_cap = 0, down_cap = 0, path_cap = 0;

  s->tree = channels_tree(s->owner);
  for (net_node i = 0; i < s->tree->nnodes; i++) {
    uint32_t d = s->tree->nodes[i].depth;
    depth = d > depth ? d : depth;
  }
  s->path_max = 2 * depth;
  if (s->path_max > FL_PATH_MAX) {
    return fail_set(why, EXIT_USAGE,
                    "fluid: the topology is %u levels deep, at most %u fit",
                    depth, FL_PATH_MAX / 2);
  }
  s->s = fl_new(
      &(fl_config){s->path_max, FL_HOT_MIN, epsilon, FL_STEPS, FL_BUDGET});
  s->path = room_for(NULL, &path_cap, s->path_max + 1u, sizeof *s->path);
  s->up = room_for(NULL, &up_cap, s->tree->nnodes, sizeof *s->up);
  s->down = room_for(NULL, &down_cap, s->tree->nnodes, sizeof *s->down);
  for (net_node i = 0; i < s->tree->nnodes; i++) {
    s->up[i].link = s->down[i].link = NO_LINK;
    if (i > 0) { /* the root has no link */
      way_set(s, i, true);
      way_set(s, i, false);
    }
  }
  return true;
}

static net *fluid_open(const net_topology *topology, const xl_value *values,
                       const net_sink *sink, fail *why) {
  size_t one = 0;
  sim *s = room_for(NULL, &one, 1, sizeof *s);

  s->window = (double)values[WINDOW].i;
  s->rtt_weighted = values[RTT_WEIGHTED].i != 0;
  s->lv08 = values[LV08].i != 0;
  s->check = values[CHECK].i != 0;
  double startup = s->lv08 ? LV08_LATENCY : values[STARTUP].f;
  s->owner = channels_new(topology, sink, &fluid_carrier, startup, s, why);
  if (s->owner == NULL) {
    return NULL;
  }
  if (!build(s, values[MODE].i != 0 ? values[EPSILON].f : 0, why)) {
    channels_ops.close(s->owner);
    return NULL;
  }
  return s->owner;
}

const net_ops *fluid_entry(void) {
  static net_ops ops;

  ops = net_ops_of_channels(
      "fluid", "max-min fair flows, built in; up to a million devices",
      NET_CAP_RATE_CAP | NET_CAP_WEIGHT | NET_CAP_LINK_CHANGE |
          NET_CAP_EXACT_PROGRESS | NET_CAP_FLOW_LEVEL,
      params, NPARAMS, fluid_open);
  return &ops;
}
