/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/simgrid/platform.hpp"

#include <simgrid/kernel/routing/NetPoint.hpp>
#include <string>

namespace sg = simgrid::s4u;
namespace routing = simgrid::kernel::routing;

/* Bytes per second of a link that limits nothing. */
static constexpr double kWide = 1e18;

Platform::Platform(const tree *t) : NetZoneImpl("tree"), tree_(t) {
  hosts_.resize(t->nnodes);
  up_.resize(t->nnodes);
  down_.resize(t->nnodes);
  wide_ = get_iface()->create_link("wide", kWide);
  wide_->set_sharing_policy(sg::Link::SharingPolicy::FATPIPE);
  for (net_node i = 0; i < t->nnodes; i++) {
    up_[i].link = add_link("up", i);
    down_[i].link = add_link("down", i);
    set_link(i);
    if (t->nodes[i].host) {
      hosts_[i] = get_iface()->create_host("host" + std::to_string(i), 1e9);
      points_.resize(hosts_[i]->get_netpoint()->id() + 1);
      points_[hosts_[i]->get_netpoint()->id()] = i;
    }
  }
}

sg::Link *Platform::add_link(const char *name, net_node node) {
  return get_iface()->create_link(name + std::to_string(node), kWide);
}

/* A dead link keeps its old bandwidth: its flows are suspended, and SimGrid
   would divide by it. */
bool Platform::set_way(Way &way, xl_rate rate) {
  bool was = way.routed;

  if (rate != 0) {
    double bandwidth = rate == XL_RATE_UNLIMITED ? kWide : (double)rate;
    if (bandwidth != way.link->get_bandwidth()) {
      way.link->set_bandwidth(bandwidth);
    }
    way.routed = was || rate != XL_RATE_UNLIMITED;
  }
  return way.routed && !was;
}

bool Platform::set_link(net_node node) {
  bool up = set_way(up_[node], tree_->nodes[node].up_Bps);
  bool down = set_way(down_[node], tree_->nodes[node].down_Bps);

  return up || down;
}

double Platform::resistance(net_node src, net_node dst) const {
  double sum = 0;

  for (tree_step s = {NET_NO_NODE, true}; tree_next(tree_, src, dst, &s);) {
    if (way(s).routed) {
      sum += 1 / way(s).link->get_bandwidth();
    }
  }
  return sum;
}

void Platform::get_local_route(const routing::NetPoint *src,
                               const routing::NetPoint *dst,
                               routing::Route *into, double *latency) {
  net_node from = points_[src->id()], to = points_[dst->id()];

  for (tree_step s = {NET_NO_NODE, true}; tree_next(tree_, from, to, &s);) {
    if (way(s).routed) {
      into->link_list_.push_back(way(s).link->get_impl());
    }
  }
  if (into->link_list_.empty()) {
    into->link_list_.push_back(wide_->get_impl());
  }
  if (latency != nullptr) {
    *latency += (double)tree_latency(tree_, from, to) * 1e-9;
  }
}
