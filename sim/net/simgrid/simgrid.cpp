/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SimGrid as a carrier: an answer is one host-to-host Comm, driven from
 * maestro, without actors.
 *
 * SimGrid's clock follows ours lazily. The next completion is asked of the
 * network model; SimGrid runs up to it, or up to now when a flow is about to
 * change, and not for our timers and messages. So its merging of events within
 * 1e-9 s never makes a timer early.
 *
 * What a Comm cannot do (a cap between hosts, a weight, a stop and go) its
 * action can: once a Comm has started, its action gets
 *   bound   = min(cap / bandwidth factor, TCP gamma / (2 latency))
 *   penalty = (latency + S * sum of 1/bandwidth) / weight
 * which is what LV08 and CM02 compute, plus cap and weight. The bound leaves
 * out the path's capacity, which SimGrid adds once and never updates.
 *
 * A flow whose path has a dead link is suspended. A host that goes down stays
 * up in SimGrid: channels.c stops its flows, and silence needs nothing else.
 */
#include "net/simgrid/platform.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <xbt/log.h>

namespace sg = simgrid::s4u;
namespace resource = simgrid::kernel::resource;

namespace {

enum { kModel, kGamma, kCrossTraffic };

const xl_param params[] = {
    {"model", XL_PARAM_ENUM, "lv08", nullptr, nullptr, "lv08|cm02",
     "flow model: lv08, SimGrid's default, or cm02, plain shares"},
    {"tcp_gamma", XL_PARAM_COUNT, "4194304", "0", nullptr, nullptr,
     "largest TCP window, bytes; 0: no limit. SimGrid's default"},
    {"crosstraffic", XL_PARAM_ENUM, "on", nullptr, nullptr, "off|on",
     "a flow takes 5 % of its rate on the way back. SimGrid's default"},
};

/* The constants of the two models (network_cm02.cpp of SimGrid 3.32). */
const struct Model {
  const char *name;
  double latency_factor, bandwidth_factor, weight_s;
} models[] = {{"LV08", 13.01, 0.97, 20537}, {"CM02", 1, 1, 0}};

struct Flow {
  net_channel ch = 0;
  net_node src = 0, dst = 0;
  xl_rate cap = XL_RATE_UNLIMITED;
  double weight = 1;
  double bytes = 0;   /* of the Comm, when there is one */
  uint64_t order = 0; /* of its start */
  sg::CommPtr comm;   /* kept until it has ended */
  resource::Action *action = nullptr;
};

struct Sim {
  net *owner = nullptr;
  const tree *links = nullptr;
  const Model *model = nullptr;
  double gamma = 0;
  std::unique_ptr<sg::Engine, void (*)(sg::Engine *)> engine{nullptr, nullptr};
  Platform *platform = nullptr;
  resource::Model *flow_model = nullptr;
  std::vector<std::unique_ptr<Flow>> flows; /* by channel */
  std::vector<net_channel> ended;           /* in SimGrid's order */
  /* Cancelled Comms: reported once by cancel() and once more at the next step,
     and torn down when they are let go before. */
  std::vector<sg::CommPtr> cancelled;
  uint64_t starts = 0;
  double next = -1; /* the next completion, valid when |known| */
  bool known = false;
  std::string error;
};

double seconds(xl_time t) {
  return (double)t * 1e-9;
}

xl_time nanoseconds(double s) {
  return (xl_time)std::llround(s * 1e9);
}

/* Runs a body for C: nothing may fly into a C frame. The first failure is told
   by the next advance(). */
template <class F> void guarded(Sim *s, F &&body) noexcept {
  try {
    body();
  } catch (const std::exception &e) {
    if (s->error.empty()) {
      s->error = e.what();
    }
  }
}

/* ---- SimGrid's clock ---- */

/* Runs up to |until| seconds, or until a flow ends. run_until stops anywhere
   within 10 us of its goal, hence the loop. */
void step(Sim *s, double until) {
  s->known = false;
  while (s->ended.empty() && sg::Engine::get_clock() < until) {
    s->engine->run_until(until);
    s->cancelled.clear();
  }
}

/* Flows that end in one step are told in the order in which they started. */
void report(Sim *s) {
  std::vector<net_channel> ended;

  ended.swap(s->ended);
  std::sort(ended.begin(), ended.end(), [s](net_channel a, net_channel b) {
    return s->flows[a]->order < s->flows[b]->order;
  });
  xl_time at = nanoseconds(sg::Engine::get_clock());
  for (net_channel ch : ended) {
    Flow &f = *s->flows[ch];
    f.comm = nullptr;
    f.action = nullptr;
    channels_arrived(s->owner, at, ch, (xl_bytes)f.bytes);
  }
}

/* Brings SimGrid to now, before a flow changes or is looked at. */
void sync(Sim *s) {
  double now = seconds(channels_now(s->owner));

  while (sg::Engine::get_clock() < now) {
    step(s, now);
    report(s);
  }
  s->known = false;
}

double next_completion(Sim *s) {
  if (!s->known) {
    double clock = sg::Engine::get_clock();
    double wait = s->flow_model->next_occurring_event(clock);
    s->next = wait == -1 ? -1 : clock + std::max(wait, 0.0);
    s->known = true;
  }
  return s->next;
}

void on_completion(Sim *s, const sg::Activity &a) {
  auto *flow = a.get_data<Flow>();

  if (flow != nullptr && a.get_state() == sg::Activity::State::FINISHED) {
    s->ended.push_back(flow->ch);
  }
}

/* ---- flows ---- */

double bound_of(const Sim *s, const Flow &f) {
  double latency = seconds(tree_latency(s->links, f.src, f.dst));
  double bound = -1; /* none */

  if (f.cap != XL_RATE_UNLIMITED) {
    bound = (double)f.cap / s->model->bandwidth_factor;
  }
  if (s->gamma > 0 && latency > 0) {
    double window = s->gamma / (2 * latency);
    bound = bound < 0 ? window : std::min(bound, window);
  }
  return bound;
}

double penalty_of(const Sim *s, const Flow &f) {
  double p = seconds(tree_latency(s->links, f.src, f.dst));

  if (s->model->weight_s > 0) {
    p += s->model->weight_s * s->platform->resistance(f.src, f.dst);
  }
  return (p > 0 ? p : 1) / f.weight;
}

/* Gives the action what the channel and its path are now. */
void shape(Sim *s, Flow &f) {
  bool still = f.cap == 0 || tree_dead(s->links, f.src, f.dst);

  if (still && !f.action->is_suspended()) {
    f.action->suspend();
  }
  f.action->set_sharing_penalty_no_update(penalty_of(s, f));
  if (!still) {
    f.action->set_bound(bound_of(s, f));
    if (f.action->is_suspended()) {
      f.action->resume();
    } else {
      f.action->set_sharing_penalty(penalty_of(s, f));
    }
  }
  s->known = false;
}

void begin(Sim *s, Flow &f, double bytes) {
  f.bytes = bytes;
  f.order = ++s->starts;
  f.comm = sg::Comm::sendto_init();
  f.comm->set_data(&f);
  f.comm->set_payload_size((uint64_t)std::ceil(bytes));
  f.comm->set_source(s->platform->host(f.src));
  f.comm->set_destination(s->platform->host(f.dst)); /* starts it */
  f.action = &s->flow_model->get_started_action_set()->back();
  xbt_assert(f.action->get_activity() == f.comm->get_impl(),
             "the last action is not that of the Comm just started");
  f.action->set_remains(bytes);
  shape(s, f);
}

/* A cancelled Comm keeps its share until SimGrid's next step, unless it is
   suspended first. */
void end(Sim *s, Flow &f) {
  f.action->suspend();
  f.comm->set_data(nullptr);
  f.comm->cancel();
  s->cancelled.push_back(std::move(f.comm));
  f.comm = nullptr;
  f.action = nullptr;
  s->known = false;
}

/* Rounds down to whole bytes, but for the noise of a double. */
xl_bytes whole(double bytes) {
  return bytes <= 0 ? 0 : (xl_bytes)std::floor(bytes + 1e-6);
}

bool crosses(const Sim *s, const Flow &f, net_node node) {
  for (tree_step k = {NET_NO_NODE, true};
       tree_next(s->links, f.src, f.dst, &k);) {
    if (k.node == node) {
      return true;
    }
  }
  return false;
}

/* ---- the carrier ---- */

Sim *sim_of(void *sim) {
  return static_cast<Sim *>(sim);
}

void carrier_del(void *sim) {
  Sim *s = sim_of(sim);

  guarded(s, [&] {
    for (auto &f : s->flows) {
      if (f != nullptr && f->comm != nullptr) {
        end(s, *f);
      }
    }
    if (!s->cancelled.empty()) { /* let SimGrid see them end */
      s->engine->run_until(sg::Engine::get_clock());
      s->cancelled.clear();
    }
  });
  delete s;
}

void carrier_open(void *sim, net_channel ch, net_node src, net_node dst,
                  xl_rate cap, double weight) {
  Sim *s = sim_of(sim);

  if (s->flows.size() <= ch) {
    s->flows.resize(ch + 1);
  }
  s->flows[ch] = std::make_unique<Flow>();
  *s->flows[ch] = {ch, src, dst, cap, weight, 0, 0, nullptr, nullptr};
}

void carrier_close(void *sim, net_channel ch) {
  sim_of(sim)->flows[ch] = nullptr; /* its flow was stopped before */
}

void carrier_cap(void *sim, net_channel ch, xl_rate cap) {
  Sim *s = sim_of(sim);

  guarded(s, [&] {
    sync(s);
    Flow &f = *s->flows[ch];
    f.cap = cap;
    if (f.action != nullptr) {
      shape(s, f);
    }
  });
}

void carrier_start(void *sim, net_channel ch, xl_bytes bytes) {
  Sim *s = sim_of(sim);

  guarded(s, [&] {
    sync(s);
    begin(s, *s->flows[ch], (double)bytes);
  });
}

xl_bytes carrier_arrived(void *sim, net_channel ch) {
  Sim *s = sim_of(sim);
  xl_bytes bytes = 0;

  guarded(s, [&] {
    sync(s);
    Flow &f = *s->flows[ch];
    bytes = whole(f.action == nullptr ? f.bytes
                                      : f.bytes - f.action->get_remains());
  });
  return bytes;
}

xl_bytes carrier_stop(void *sim, net_channel ch) {
  Sim *s = sim_of(sim);
  xl_bytes bytes = carrier_arrived(sim, ch);

  guarded(s, [&] {
    if (s->flows[ch]->comm != nullptr) {
      end(s, *s->flows[ch]);
    }
  });
  return bytes;
}

void carrier_link(void *sim, net_node node) {
  Sim *s = sim_of(sim);

  guarded(s, [&] {
    sync(s);
    bool rerouted = s->platform->set_link(node);
    for (auto &f : s->flows) {
      if (f == nullptr || f->action == nullptr || !crosses(s, *f, node)) {
        continue;
      }
      if (rerouted) { /* a Comm keeps the route it started with */
        double bytes = f->bytes, remains = f->action->get_remains();
        end(s, *f);
        begin(s, *f, remains);
        f->bytes = bytes;
      } else {
        shape(s, *f);
      }
    }
  });
}

xl_time carrier_advance(void *sim, xl_time until, fail *why) {
  Sim *s = sim_of(sim);
  xl_time reached = until;

  guarded(s, [&] {
    double next = next_completion(s);
    if (next < 0 || nanoseconds(next) > until) {
      return;
    }
    step(s, next);
    if (s->ended.empty() && sg::Engine::get_clock() >= next) {
      s->engine->run_until(sg::Engine::get_clock());
    }
    reached = std::clamp(nanoseconds(sg::Engine::get_clock()),
                         channels_now(s->owner), until);
    report(s);
  });
  if (!s->error.empty()) {
    fail_set(why, EXIT_RUN_FAILED, "SimGrid failed: %s", s->error.c_str());
    return -1;
  }
  return reached;
}

const carrier simgrid_carrier = {
    .stream = false,
    .del = carrier_del,
    .open = carrier_open,
    .close = carrier_close,
    .cap = carrier_cap,
    .start = carrier_start,
    .stop = carrier_stop,
    .arrived = carrier_arrived,
    .cut = nullptr,
    .link = carrier_link,
    .advance = carrier_advance,
    .shortfall = nullptr,
};

/* ---- opening ---- */

/* SimGrid takes Ctrl-C for itself; the program's own handlers come back. */
class KeepSignals {
public:
  KeepSignals() {
    for (size_t i = 0; i < 3; i++) {
      sigaction(signals[i], nullptr, &old_[i]);
    }
  }
  ~KeepSignals() {
    for (size_t i = 0; i < 3; i++) {
      sigaction(signals[i], &old_[i], nullptr);
    }
  }

private:
  static constexpr int signals[] = {SIGINT, SIGSEGV, SIGBUS};
  struct sigaction old_[3];
};

/* Latencies are ours and bounds and weights are set per action, so SimGrid's
   own latency factor and weight are off. */
void configure(const Model &model, bool crosstraffic) {
  xbt_log_control_set("xbt_cfg.thresh:warning"); /* not each setting */
  sg::Engine::set_config(std::string("network/model:") + model.name);
  sg::Engine::set_config("network/latency-factor:0");
  sg::Engine::set_config("network/weight-S:0");
  sg::Engine::set_config(std::string("network/crosstraffic:") +
                         (crosstraffic ? "yes" : "no"));
  sg::Engine::set_config("contexts/factory:thread"); /* quiet with ASan */
}

/* The second part of opening, once the net exists that owns |s|. */
void build(Sim *s) {
  s->links = channels_tree(s->owner);
  s->platform = new Platform(s->links);
  for (resource::Model *m : s->engine->get_all_models()) {
    if (m->get_name().rfind("Network_", 0) == 0) {
      s->flow_model = m;
    }
  }
  xbt_assert(s->flow_model != nullptr, "SimGrid has no network model");
  sg::Activity::on_completion_cb(
      [s](const sg::Activity &a) { on_completion(s, a); });
  s->engine->seal_platform();
}

net *simgrid_open(const net_topology *topology, const xl_value *values,
                  const net_sink *sink, fail *why) {
  static bool used = false;

  if (used) {
    fail_set(why, EXIT_RUN_FAILED,
             "simgrid: one network a process; its clock cannot start again");
    return nullptr;
  }
  used = true;
  KeepSignals keep;
  static char name[] = "xferlab";
  static char *argv[] = {name, nullptr};
  static int argc = 1;
  Sim *s = new Sim;
  s->model = &models[values[kModel].i];
  s->gamma = (double)values[kGamma].i;
  s->owner = channels_new(topology, sink, &simgrid_carrier,
                          s->model->latency_factor, s, why);
  if (s->owner == nullptr) {
    return nullptr;
  }
  guarded(s, [&] {
    /* SimGrid ends its engine itself when the process ends. */
    s->engine = {new sg::Engine(&argc, argv), [](sg::Engine *) {}};
    configure(*s->model, values[kCrossTraffic].i != 0);
    build(s);
  });
  if (!s->error.empty()) {
    fail_set(why, EXIT_RUN_FAILED, "SimGrid failed: %s", s->error.c_str());
    channels_ops.close(s->owner);
    return nullptr;
  }
  return s->owner;
}

} // namespace

extern "C" const net_ops *net_entry(void) {
  static const net_ops ops = net_ops_of_channels(
      "simgrid", "SimGrid 3.32, flow level; some hundreds of devices",
      NET_CAP_RATE_CAP | NET_CAP_WEIGHT | NET_CAP_LINK_CHANGE |
          NET_CAP_EXACT_PROGRESS | NET_CAP_FLOW_LEVEL,
      params, sizeof params / sizeof *params, simgrid_open);
  return &ops;
}
