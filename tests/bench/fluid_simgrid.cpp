// SPDX-License-Identifier: GPL-2.0-or-later
//
// SimGrid 3.32 on the flows of fluid_pattern.h and nothing else, from maestro.
//
//   fluid_simgrid cm02|lv08 PATTERN N WARM    prints as fluid_bench does
//
// cm02: cross-traffic, TCP window and latencies 0: the flows of fluid_bench,
// whose clock after N completions is the same. lv08: SimGrid's default, with
// its factors and cross-traffic, for the figure beside it.

#include "net/simgrid/platform.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <xbt/log.h>

#include "fluid_pattern.h"

namespace sg = simgrid::s4u;
namespace resource = simgrid::kernel::resource;

namespace {

struct Bench {
  const pattern *p = nullptr;
  const Platform *platform = nullptr;
  resource::Model *model = nullptr;
  std::vector<uint32_t> count;
  std::vector<sg::CommPtr> comms;
  std::vector<uint32_t> slots; // what a comm's data points at
  std::vector<uint32_t> ended;
  uint64_t done = 0, goal = 0;
  double clock = 0; // when |done| reached |goal|
};

net_node node_of(const pattern *p, uint32_t host) {
  return 1 + (p->site > 0 ? p->hosts / p->site : 0) + host;
}

std::vector<net_node_spec> nodes_of(const pattern *p) {
  std::vector<net_node_spec> nodes{{NET_NO_NODE, 0, 0, 0, false}};
  uint32_t sites = p->site > 0 ? p->hosts / p->site : 0;

  for (uint32_t i = 0; i < sites; i++) {
    xl_rate rate = (xl_rate)(p->site_MBps * 1e6);
    nodes.push_back({0, rate, rate, 0, false});
  }
  for (uint32_t h = 0; h < p->hosts; h++) {
    nodes.push_back({sites > 0 ? 1 + h / p->site : 0, pattern_capacity(p, h, 0),
                     pattern_capacity(p, h, 1), 0, true});
  }
  if (p->origin_MBps > 0) {
    nodes.push_back(
        {0, (xl_rate)(p->origin_MBps * 1e6), XL_RATE_UNLIMITED, 0, true});
  }
  return nodes;
}

void begin(Bench &b, uint32_t slot) {
  transfer t = pattern_next(b.p, slot, b.count[slot]++);
  sg::CommPtr comm = sg::Comm::sendto_init();

  comm->set_data(&b.slots[slot]);
  comm->set_payload_size(t.bytes);
  comm->set_source(b.platform->host(node_of(b.p, t.src)));
  comm->set_destination(b.platform->host(node_of(b.p, t.dst))); // starts it
  b.comms[slot] = comm;
}

void take_ended(Bench &b) {
  std::vector<uint32_t> ended;

  ended.swap(b.ended);
  for (uint32_t slot : ended) {
    begin(b, slot);
  }
  bool before = b.done < b.goal;
  b.done += ended.size();
  if (before && b.done >= b.goal) {
    b.clock = sg::Engine::get_clock();
  }
}

// Until |n| more flows have ended. run_until() processes one instant after the
// other and takes back control between them through on_time_advance_cb, which
// is the cheapest way to start flows when others end.
void run(Bench &b, sg::Engine &e, uint64_t n) {
  b.goal = b.done + n;
  while (b.done < b.goal) {
    e.run_until(sg::Engine::get_clock() + 1e-3);
    take_ended(b);
  }
}

} // namespace

int main(int argc, char **argv) {
  const pattern *p = argc == 5 ? pattern_find(argv[2]) : nullptr;

  if (p == nullptr) {
    std::fputs("usage: fluid_simgrid cm02|lv08 PATTERN N WARM\n", stderr);
    return 2;
  }
  bool lv08 = std::string(argv[1]) == "lv08";
  uint64_t n = std::strtoull(argv[3], nullptr, 10);
  uint64_t warm = std::strtoull(argv[4], nullptr, 10);
  std::vector<net_node_spec> nodes = nodes_of(p);
  net_topology topology = {nodes.data(), (uint32_t)nodes.size()};
  tree links;
  fail why = {};
  if (!tree_init(&links, &topology, &why)) {
    std::fprintf(stderr, "fluid_simgrid: %s\n", why.text);
    return 2;
  }
  sg::Engine e(&argc, argv);
  xbt_log_control_set("xbt_cfg.thresh:warning");
  sg::Engine::set_config(lv08 ? "network/model:LV08" : "network/model:CM02");
  if (!lv08) {
    sg::Engine::set_config("network/TCP-gamma:0");
    sg::Engine::set_config("network/crosstraffic:no");
  }
  Bench b;
  b.p = p;
  b.platform = new Platform(&links); // SimGrid's root: it owns it
  for (resource::Model *m : e.get_all_models()) {
    if (m->get_name().rfind("Network_", 0) == 0) {
      b.model = m;
    }
  }
  sg::Activity::on_completion_cb([&b](const sg::Activity &a) {
    const auto *slot = a.get_data<uint32_t>();
    if (slot != nullptr && a.get_state() == sg::Activity::State::FINISHED) {
      b.ended.push_back(*slot);
    }
  });
  sg::Engine::on_time_advance_cb([&b](double) { take_ended(b); });
  e.seal_platform();

  uint32_t slots = pattern_slots(p);
  b.count.resize(slots);
  b.comms.resize(slots);
  for (uint32_t i = 0; i < slots; i++) {
    b.slots.push_back(i);
  }
  for (uint32_t i = 0; i < slots; i++) {
    begin(b, i);
  }
  run(b, e, warm);
  std::clock_t t0 = std::clock();
  uint64_t before = b.done;
  run(b, e, n);
  double took = (double)(std::clock() - t0) / CLOCKS_PER_SEC;
  std::printf("completions %llu seconds %.6f rate %.0f clock %.9f\n",
              (unsigned long long)n, took, (double)(b.done - before) / took,
              b.clock);
  std::fflush(stdout);
  std::_Exit(0);
}
