/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/tree.h"

#include <stdlib.h>

static bool node_init(tree *t, net_node i, const net_node_spec *spec,
                      fail *why) {
  bool root = spec->parent == NET_NO_NODE;

  if (root != (i == 0) || (!root && spec->parent >= i)) {
    return fail_set(why, EXIT_USAGE,
                    "topology: node %u is not below an earlier node", i);
  }
  if (!root && t->nodes[spec->parent].host) {
    return fail_set(why, EXIT_USAGE, "topology: host %u is not a leaf",
                    spec->parent);
  }
  const tree_node *parent = root ? NULL : &t->nodes[spec->parent];

  t->nodes[i] = (tree_node){
      .parent = spec->parent,
      .depth = root ? 0 : parent->depth + 1,
      .host = spec->host,
      .up_Bps = spec->up_Bps,
      .down_Bps = spec->down_Bps,
      .to_root = root ? 0 : xl_time_add(parent->to_root, spec->latency),
  };
  return true;
}

bool tree_init(tree *t, const net_topology *spec, fail *why) {
  *t = (tree){calloc(spec->nnodes + 1u, sizeof *t->nodes), spec->nnodes};
  if (t->nodes == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "out of memory for %u nodes",
                    spec->nnodes);
  }
  for (net_node i = 0; i < spec->nnodes; i++) {
    if (!node_init(t, i, &spec->nodes[i], why)) {
      tree_fini(t);
      return false;
    }
  }
  return true;
}

void tree_fini(tree *t) {
  free(t->nodes);
  *t = (tree){0};
}

net_node tree_common(const tree *t, net_node a, net_node b) {
  while (a != b) {
    if (t->nodes[a].depth >= t->nodes[b].depth) {
      a = t->nodes[a].parent;
    } else {
      b = t->nodes[b].parent;
    }
  }
  return a;
}

xl_span tree_latency(const tree *t, net_node a, net_node b) {
  return t->nodes[a].to_root + t->nodes[b].to_root -
         2 * t->nodes[tree_common(t, a, b)].to_root;
}

bool tree_next(const tree *t, net_node src, net_node dst, tree_step *step) {
  net_node top = tree_common(t, src, dst);
  net_node from = step->node == NET_NO_NODE ? src : t->nodes[step->node].parent;

  if (step->up && from == top) {
    *step = (tree_step){dst, false};
  } else {
    *step = (tree_step){from, step->up};
  }
  return step->node != top;
}

bool tree_dead(const tree *t, net_node src, net_node dst) {
  tree_step s = {NET_NO_NODE, true};

  while (tree_next(t, src, dst, &s)) {
    if (tree_rate(t, s) == 0) {
      return true;
    }
  }
  return false;
}
