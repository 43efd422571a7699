/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network contract: what moves bytes. One interface, one implementation a
 * directory (simgrid, ns3; later fluid, sockets), each proven by
 * tests/contract/net.
 *
 * A topology is a tree. Each node has a link to its parent with a capacity
 * each way and a latency; hosts are leaves. A path goes up to the common
 * ancestor and down again; its latency is the sum over its links.
 *
 * The unit is the channel: a connection over which |src| sends to |dst|.
 *   request(ch, tag)        dst asks; the request travels to src
 *   sink.asked(ch, tag)     ... and arrives there one path latency later
 *   answer(ch, tag, bytes)  src sends; answers leave in the order in which
 *                           answer() was called: one at a time, pipelined
 *   sink.done(ch, tag, bytes)   all of them have arrived at dst
 * The head answer is one flow (flow-level networks) or the bytes on one TCP
 * connection (packet-level, sockets). An answer of 0 bytes arrives as a
 * message. There is no delivery before |done| unless progress() is asked.
 *
 * A host that goes down is silent: its flows stop, messages to it are lost,
 * nobody is told; flows do not go on when it comes back (their channels are
 * dead at both ends; the other end learns by its own timers and closes them).
 * A link whose capacity becomes 0 stops its flows; they go on when it is back.
 * Requests and messages sent over it meanwhile are lost, and nobody is told.
 *
 * Callbacks come in one total order (time, sequence); inside a callback every
 * function of the network may be called but run and close. Sizes are exact
 * integers: for each channel, the bytes reported by done, cancel and close sum
 * to what was carried.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <xl/param.h>
#include <xl/types.h>

#include "util/fail.h"

typedef struct net net;
typedef uint32_t net_node;    /* index into net_topology.nodes */
typedef uint32_t net_channel; /* reused after channel_close */

#define NET_NO_NODE UINT32_MAX
#define NET_ABI 2u

typedef struct net_node_spec {
  net_node parent; /* NET_NO_NODE: the root; parents come before children */
  xl_rate up_Bps;  /* to the parent; XL_RATE_UNLIMITED; 0 is a dead link */
  xl_rate down_Bps;
  xl_span latency; /* one way, of the link to the parent */
  bool host;       /* a leaf that may be the end of a channel */
} net_node_spec;

typedef struct net_topology {
  const net_node_spec *nodes; /* borrowed until close */
  uint32_t nnodes;
} net_topology;

/* What a network can do; a scenario that needs more is refused by name. */
#define NET_CAP_MAP(X)                                                         \
  X(RATE_CAP, 0, "exact rate caps of channels")                                \
  X(WEIGHT, 1, "weights of channels")                                          \
  X(LINK_CHANGE, 2, "capacities that change during a run")                     \
  X(LOSS, 3, "packet loss")                                                    \
  X(EXACT_PROGRESS, 4, "progress of a transfer under way, to the byte")        \
  X(FLOW_LEVEL, 5, "flow level: no packets, no headers")

enum {
#define NET_CAP_ENUM(name, bit, text) NET_CAP_##name = 1 << (bit),
  NET_CAP_MAP(NET_CAP_ENUM)
#undef NET_CAP_ENUM
};

typedef struct net_sink {
  void *arg;
  /* A request of |tag| arrived at the channel's src. */
  void (*asked)(void *arg, net_channel ch, uint64_t tag);
  /* |bytes| of the answer have all arrived at the channel's dst. */
  void (*done)(void *arg, net_channel ch, uint64_t tag, uint64_t bytes);
  /* The other end closed the channel while its host lives: |bytes| of the
     head answer, |tag|, had arrived (tag is 0 when there was none). */
  void (*reset)(void *arg, net_channel ch, uint64_t tag, uint64_t bytes);
  /* A control message arrived at |dst|. */
  void (*message)(void *arg, net_node dst, uint64_t tag);
  /* A timer is due; never early. */
  void (*timer)(void *arg, uint64_t tag);
} net_sink;

typedef struct net_ops {
  uint32_t size;    /* sizeof(net_ops) */
  uint32_t version; /* NET_ABI */
  const char *name; /* "simgrid" */
  const char *help; /* one line */
  uint32_t caps;    /* NET_CAP_* */
  const xl_param *params;
  uint32_t nparams;

  /* Builds the network at time 0. |values|: nparams of them. One network a
     process (SimGrid keeps a global clock). NULL on failure, |why| filled. */
  net *(*open)(const net_topology *topology, const xl_value *values,
               const net_sink *sink, fail *why);
  void (*close)(net *n); /* NULL is fine */

  net_channel (*channel_open)(net *n, net_node src, net_node dst, xl_rate cap,
                              double weight);
  /* |by|: which end closes. By src while both hosts live: dst gets sink.reset
     one path latency later. By dst: nobody is told. Returns the bytes of the
     head answer that had arrived at dst. The number is free for reuse after
     the call (by dst) or after the reset (by src). */
  uint64_t (*channel_close)(net *n, net_channel ch, net_node by);
  void (*request)(net *n, net_channel ch, uint64_t tag);
  void (*answer)(net *n, net_channel ch, uint64_t tag, uint64_t bytes);
  /* Caps the channel's rate from now on. */
  void (*cap)(net *n, net_channel ch, xl_rate cap);
  /* Bytes of the answer to |tag| that have arrived at dst by now. */
  uint64_t (*progress)(net *n, net_channel ch, uint64_t tag);
  /* dst gives up |tag| wherever it is: on its way as a request, waiting, or
     being sent. No callback for it follows. Returns what arrived of it.
     Bytes of a packet-level network that are still on the wire are counted by
     |stray|. */
  uint64_t (*cancel)(net *n, net_channel ch, uint64_t tag);
  /* Bytes that arrived at |dst| since the last call for answers that had been
     cancelled (0 on flow-level networks). */
  uint64_t (*stray)(net *n, net_node dst);

  /* A message that arrives after the path latency if |dst| is then up; it
     takes no bandwidth. */
  void (*message)(net *n, net_node src, net_node dst, uint64_t tag);
  void (*timer)(net *n, xl_time at, uint64_t tag);
  xl_span (*latency)(const net *n, net_node src, net_node dst);

  void (*link_set)(net *n, net_node node, xl_rate up_Bps, xl_rate down_Bps);
  void (*host_set)(net *n, net_node node, bool up);

  /* How much the largest simplification so far took from a fair share, as a
     share of it; 0 in networks that simplify nothing. */
  double (*shortfall)(const net *n);

  xl_time (*now)(const net *n);
  /* Runs until |until| (inclusive), until |*stop| is true (may be NULL), or
     until nothing is left to happen; then now() is |until|, the moment of the
     stop, or |until|. False: the simulator failed, |why| says how. */
  bool (*run)(net *n, xl_time until, const volatile bool *stop, fail *why);
} net_ops;

/* Finds a network by name: built in, or a module net_NAME.so next to the
   program, in $XFERLAB_MODULES or in the installed library folder. NULL when
   it is absent, |why| says where it was looked for and which package has it. */
const net_ops *net_find(const char *name, fail *why);

/* The names that can be asked for, ended by NULL, whether present or not. */
extern const char *const net_names[];

#endif
