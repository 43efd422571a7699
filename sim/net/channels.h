/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every network shares: channels with their requests and answers, hosts
 * that go down, timers, messages, and the one order of callbacks. A network is
 * this plus a carrier, which moves bytes and knows no channel's meaning.
 *
 * The life of one request on its channel:
 *   request()  -> on its way     (an "ask"; ends in sink.asked)
 *   arrived    -> asked          (until answer())
 *   answer()   -> waiting        (in the channel's queue of answers)
 *   head       -> carried        (until all its bytes arrived; sink.done)
 * cancel() takes it out of wherever it is. On a stream its bytes that are
 * already on the wire stay in the queue as stray.
 *
 * Flow carriers (stream = false) carry one answer of a channel at a time. An
 * answer starts when the one before has arrived, and no sooner than one path
 * latency after answer(); the first on an idle channel waits |startup| times
 * the latency. So pipelined answers pay the latency once, and no byte arrives
 * sooner than light. Stream carriers get every answer at once.
 *
 * A channel whose end went down is dead: nothing moves, nobody is told. It
 * lives until the end that is still alive closes it.
 */
#ifndef NET_CHANNELS_H
#define NET_CHANNELS_H

#include "net/tree.h"

typedef struct carrier {
  bool stream;
  void (*del)(void *sim);
  /* A channel begins, with number |ch|, and ends. */
  void (*open)(void *sim, net_channel ch, net_node src, net_node dst,
               xl_rate cap, double weight);
  void (*close)(void *sim, net_channel ch);
  void (*cap)(void *sim, net_channel ch, xl_rate cap);
  /* Starts a flow of |bytes| > 0; on a stream, appends them. */
  void (*start)(void *sim, net_channel ch, xl_bytes bytes);
  /* Stops the flow that runs and returns what arrived of it; on a stream,
     nothing of this channel is reported any more. */
  xl_bytes (*stop)(void *sim, net_channel ch);
  /* Flows only: what has arrived of the flow that runs. */
  xl_bytes (*arrived)(void *sim, net_channel ch);
  /* Streams only: takes back up to |bytes| that are not on the wire yet, in
     front of the last |behind|; returns how many it took. */
  xl_bytes (*cut)(void *sim, net_channel ch, xl_bytes bytes, xl_bytes behind);
  /* The tree's capacities of |node| have changed. */
  void (*link)(void *sim, net_node node);
  /* Moves bytes until |until| or until channels_arrived was called; returns
     the time reached, -1 when the simulator failed. */
  xl_time (*advance)(void *sim, xl_time until, fail *why);
  /* net_ops.shortfall; may be NULL. */
  double (*shortfall)(const void *sim);
} carrier;

/* A network on a carrier, but for its open. In net.c, so that a program that
   has net_find holds all of this for its modules. */
extern const net_ops channels_ops;
net_ops net_ops_of_channels(const char *name, const char *help, uint32_t caps,
                            const xl_param *params, uint32_t nparams,
                            net *(*open)(const net_topology *topology,
                                         const xl_value *values,
                                         const net_sink *sink, fail *why));

/* Owns |sim| from now on, also when it fails (NULL). */
net *channels_new(const net_topology *topology, const net_sink *sink,
                  const carrier *by, double startup, void *sim, fail *why);

/* For carriers. */
const tree *channels_tree(const net *n);
xl_time channels_now(const net *n);
/* |bytes| more of |ch| have arrived at |at| (now, when |at| has passed). True
   when an answer is complete: advance() is to return at once. */
bool channels_arrived(net *n, xl_time at, net_channel ch, xl_bytes bytes);

#endif
