/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The topology inside SimGrid: one zone that finds its routes by walking our
 * tree, so memory grows with the nodes and not with their square.
 *
 * Each node has a link upwards and one downwards. A link that has always been
 * unlimited is in no route: it cannot hold anything up, and SimGrid's solver
 * would couple all flows that cross it. Latencies belong to the route (they
 * weigh in LV08 and CM02), and no comm pays them: channels.c does.
 */
#ifndef NET_SIMGRID_PLATFORM_HPP
#define NET_SIMGRID_PLATFORM_HPP

#include <simgrid/kernel/routing/NetZoneImpl.hpp>
#include <simgrid/s4u.hpp>
#include <vector>

extern "C" {
#include "net/channels.h"
}

class Platform : public simgrid::kernel::routing::NetZoneImpl {
public:
  /* |tree| is borrowed. The first zone made becomes SimGrid's root, which owns
     it: there is no delete. */
  explicit Platform(const tree *t);

  simgrid::s4u::Host *host(net_node node) const { return hosts_[node]; }
  /* Takes over the tree's capacities of |node|. Returns true when one of its
     links is in routes from now on that was in none before. */
  bool set_link(net_node node);
  /* Sum of 1/bandwidth over the links of a route: LV08's second weight. */
  double resistance(net_node src, net_node dst) const;

private:
  struct Way {
    simgrid::s4u::Link *link = nullptr;
    bool routed = false;
  };

  void get_local_route(const simgrid::kernel::routing::NetPoint *src,
                       const simgrid::kernel::routing::NetPoint *dst,
                       simgrid::kernel::routing::Route *into,
                       double *latency) override;
  simgrid::s4u::Link *add_link(const char *way, net_node node);
  bool set_way(Way &way, xl_rate rate);
  const Way &way(tree_step s) const {
    return s.up ? up_[s.node] : down_[s.node];
  }

  const tree *tree_;
  std::vector<simgrid::s4u::Host *> hosts_; /* by node; null for inner nodes */
  std::vector<net_node> points_;            /* node by SimGrid's number */
  std::vector<Way> up_, down_;              /* by node */
  simgrid::s4u::Link *wide_;                /* for routes without a limit */
};

#endif
