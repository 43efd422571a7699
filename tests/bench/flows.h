/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run asked of its network, as a file: a header, the tree, and in order
 * of time each flow that began, was stopped, or ended. flow_tap writes it,
 * bare_simgrid replays it. In the byte order and layout of the machine.
 */
#ifndef TESTS_BENCH_FLOWS_H
#define TESTS_BENCH_FLOWS_H

#include <stdint.h>

#define FLOWS_MAGIC 0x31776f6c66u /* "flow1" */

typedef struct flows_header {
  uint64_t magic;
  uint32_t nnodes;
  uint32_t capped; /* flows with a rate cap or a weight: not replayed */
  uint32_t links;  /* changes of capacity: not replayed */
  uint32_t pad;
} flows_header;

typedef struct flows_node { /* net_node_spec, at time 0 */
  uint32_t parent;
  uint32_t host;
  uint64_t up_Bps, down_Bps;
  int64_t latency;
} flows_node;

enum { FLOWS_START, FLOWS_STOP, FLOWS_END };

typedef struct flows_op {
  int64_t at; /* ns */
  uint32_t kind;
  uint32_t channel;
  uint32_t src, dst; /* START */
  uint64_t bytes;    /* START */
} flows_op;

#endif
