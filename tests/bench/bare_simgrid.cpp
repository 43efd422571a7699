// SPDX-License-Identifier: GPL-2.0-or-later
//
// SimGrid 3.32 with the flows of a recorded run and nothing else: no engine,
// policy, channel, control message, timer or trace.
//
//   bare_simgrid FLOWS        replays; prints "flows N ended N worst S"
//
// Same as in xferlab's run: the tree (sim/net/simgrid/platform.cpp itself, so a
// route costs the same), model LV08 with its TCP window and cross-traffic, each
// flow's ends, bytes and start, each stop. Not the same: rates, weights and
// bounds are SimGrid's own and not set per flow; a flow's start is read from
// the file and not worked out. |worst| is the largest difference of a flow's
// end from the recorded one, seconds: it shows that the flows are the same.

#include "net/simgrid/platform.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <xbt/log.h>

#include "flows.h"

namespace sg = simgrid::s4u;
namespace resource = simgrid::kernel::resource;

namespace {

struct Recorded {
  flows_header header;
  std::vector<net_node_spec> nodes;
  std::vector<flows_op> ops;
};

[[noreturn]] void give_up(const char *what) {
  std::fprintf(stderr, "bare_simgrid: %s\n", what);
  std::exit(2);
}

Recorded read(const char *path) {
  Recorded r;
  std::FILE *f = std::fopen(path, "rb");

  if (f == nullptr || std::fread(&r.header, sizeof r.header, 1, f) != 1 ||
      r.header.magic != FLOWS_MAGIC) {
    give_up("not a file of flows");
  }
  if (r.header.capped + r.header.links > 0) {
    give_up("the run had caps, weights or changes of capacity");
  }
  std::vector<flows_node> nodes(r.header.nnodes);
  if (std::fread(nodes.data(), sizeof nodes[0], nodes.size(), f) !=
      nodes.size()) {
    give_up("the tree is cut off");
  }
  for (const flows_node &n : nodes) {
    r.nodes.push_back({n.parent, n.up_Bps, n.down_Bps, n.latency, n.host != 0});
  }
  long from = std::ftell(f);
  std::fseek(f, 0, SEEK_END);
  r.ops.resize((size_t)(std::ftell(f) - from) / sizeof(flows_op));
  std::fseek(f, from, SEEK_SET);
  if (std::fread(r.ops.data(), sizeof(flows_op), r.ops.size(), f) !=
      r.ops.size()) {
    give_up("the flows are cut off");
  }
  std::fclose(f);
  return r;
}

resource::Model *network_model(sg::Engine &e) {
  for (resource::Model *m : e.get_all_models()) {
    if (m->get_name().rfind("Network_", 0) == 0) {
      return m;
    }
  }
  give_up("SimGrid has no network model");
}

struct Replay {
  sg::Engine *engine;
  const tree *links;
  const Platform *platform;
  resource::Model *model;
};

struct Flow {
  sg::CommPtr comm; // kept until SimGrid has done with it
  resource::Action *action = nullptr;
  double end = -1;
};

// A flow's start may be due at the very event at which another one ended;
// recorded times are rounded to 1 ns.
constexpr double kSame = 1.5e-9;

void run_to(sg::Engine &e, double at) {
  while (sg::Engine::get_clock() < at - kSame) {
    e.run_until(at);
  }
}

// A flow without a latency phase gets weight 1 from SimGrid, where LV08 says
// the round trip and 20537 times the sum of 1/bandwidth.
void start(Flow &flow, const Replay &with, const flows_op &op) {
  flow.comm = sg::Comm::sendto_init();
  flow.comm->set_data(&flow);
  flow.comm->set_payload_size(op.bytes);
  flow.comm->set_source(with.platform->host(op.src));
  flow.comm->set_destination(with.platform->host(op.dst)); // starts it
  flow.action = &with.model->get_started_action_set()->back();
  flow.action->set_sharing_penalty(
      (double)tree_latency(with.links, op.src, op.dst) * 1e-9 +
      20537 * with.platform->resistance(op.src, op.dst));
}

// Replays all; flows[i] is that of ops[i] when this is a START.
void replay(const Replay &with, const std::vector<flows_op> &ops,
            std::vector<Flow> &flows) {
  sg::Engine &e = *with.engine;
  std::vector<Flow *> running;

  for (size_t i = 0; i < ops.size(); i++) {
    const flows_op &op = ops[i];
    if (op.channel >= running.size()) {
      running.resize(op.channel + 1);
    }
    if (op.kind == FLOWS_START) {
      run_to(e, (double)op.at * 1e-9);
      running[op.channel] = &flows[i];
      start(flows[i], with, op);
    } else if (op.kind == FLOWS_STOP) {
      run_to(e, (double)op.at * 1e-9);
      Flow *f = running[op.channel];
      if (f != nullptr && f->end < 0) { // else its share is kept for a step
        f->action->suspend();
        f->comm->set_data(nullptr);
        f->comm->cancel();
      }
    }
  }
  if (!ops.empty()) { // the last ends
    run_to(e, (double)ops.back().at * 1e-9);
  }
}

// Returns how many recorded ends the replay has, and the worst difference.
size_t verify(const std::vector<flows_op> &ops, const std::vector<Flow> &flows,
              double *worst) {
  std::vector<const Flow *> running;
  size_t same = 0;

  for (size_t i = 0; i < ops.size(); i++) {
    if (ops[i].channel >= running.size()) {
      running.resize(ops[i].channel + 1);
    }
    if (ops[i].kind == FLOWS_START) {
      running[ops[i].channel] = &flows[i];
    } else if (ops[i].kind == FLOWS_END) {
      double end = running[ops[i].channel]->end;
      same += end >= 0;
      if (end >= 0) {
        *worst = std::max(*worst, std::fabs(end - (double)ops[i].at * 1e-9));
      }
    }
  }
  return same;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    give_up("usage: bare_simgrid FLOWS");
  }
  Recorded r = read(argv[1]);
  net_topology topology = {r.nodes.data(), r.header.nnodes};
  tree links;
  fail why = {};
  if (!tree_init(&links, &topology, &why)) {
    give_up(why.text);
  }
  sg::Engine e(&argc, argv);
  xbt_log_control_set("xbt_cfg.thresh:warning");
  // Latencies before a flow begins are in the recorded starts.
  sg::Engine::set_config("network/model:LV08");
  sg::Engine::set_config("network/latency-factor:0");
  sg::Engine::set_config("contexts/factory:thread");
  auto *platform = new Platform(&links); // SimGrid's root: it owns it
  sg::Activity::on_completion_cb([](const sg::Activity &a) {
    auto *flow = a.get_data<Flow>();
    if (flow != nullptr && a.get_state() == sg::Activity::State::FINISHED) {
      flow->end = sg::Engine::get_clock();
      flow->comm = nullptr;
    }
  });
  e.seal_platform();

  std::vector<Flow> flows(r.ops.size());
  replay({&e, &links, platform, network_model(e)}, r.ops, flows);

  double worst = 0;
  size_t started = 0, ended = 0;
  for (const flows_op &op : r.ops) {
    started += op.kind == FLOWS_START;
    ended += op.kind == FLOWS_END;
  }
  size_t same = verify(r.ops, flows, &worst);
  std::printf("flows %zu ended %zu of %zu worst %.3g s\n", started, same, ended,
              worst);
  std::fflush(stdout);
  std::_Exit(same == ended && worst < 1e-3 ? 0 : 1);
}
