/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The topology as a network uses it: paths through the common ancestor, their
 * latency, and the capacities of now.
 *
 *            core                a path from s to d crosses the up side of each
 *           /    \               node from s to below the common ancestor, then
 *       site      site           the down side of each node from there to d
 *       /  \      /  \
 *      s    .    .    d
 */
#ifndef NET_TREE_H
#define NET_TREE_H

#include "net/net.h"

typedef struct tree_node {
  net_node parent; /* NET_NO_NODE: the root */
  uint32_t depth;
  bool host;
  xl_rate up_Bps, down_Bps; /* now */
  xl_span to_root;          /* sum of latencies up to the root */
} tree_node;

typedef struct tree {
  tree_node *nodes; /* owned */
  uint32_t nnodes;
} tree;

/* One step of a path: node |node|'s link, upwards or downwards. */
typedef struct tree_step {
  net_node node;
  bool up;
} tree_step;

/* Copies |spec|. False when it is no tree with its parents first, or when a
   host is no leaf. */
bool tree_init(tree *t, const net_topology *spec, fail *why);
void tree_fini(tree *t);

net_node tree_common(const tree *t, net_node a, net_node b);
xl_span tree_latency(const tree *t, net_node a, net_node b);

/* Walks the path from |src| to |dst|: start from {NET_NO_NODE, true} and call
   until it returns false. The down part is walked from |dst| upwards. */
bool tree_next(const tree *t, net_node src, net_node dst, tree_step *step);

/* The capacity of a step now. */
static inline xl_rate tree_rate(const tree *t, tree_step s) {
  return s.up ? t->nodes[s.node].up_Bps : t->nodes[s.node].down_Bps;
}

/* True when a link of the path has capacity 0. */
bool tree_dead(const tree *t, net_node src, net_node dst);

#endif
