/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes what a run asks of SimGrid to $FLOWS. tests/bench/run builds the
 * module net_simgrid once more, with its calls of channels_new and
 * channels_arrived led through here, so that each flow is taken down at the
 * moment at which the network begins it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "net/channels.h"

#include "flows.h"

net *tap_channels_new(const net_topology *topology, const net_sink *sink,
                      const carrier *by, double startup, void *sim, fail *why);
bool tap_channels_arrived(net *n, xl_time at, net_channel ch, xl_bytes bytes);

typedef struct channel {
  net_node src, dst;
  bool capped;
} channel;

static struct {
  FILE *out;
  flows_header header;
  const carrier *by;
  net *owner;
  channel *channels;
  size_t room;
} tap;

static void put(const void *what, size_t len) {
  if (fwrite(what, len, 1, tap.out) != 1) {
    perror("flow_tap");
    abort();
  }
}

static void put_op(uint32_t kind, xl_time at, net_channel ch, xl_bytes bytes) {
  flows_op op = {.at = at,
                 .kind = kind,
                 .channel = ch,
                 .src = tap.channels[ch].src,
                 .dst = tap.channels[ch].dst,
                 .bytes = bytes};
  put(&op, sizeof op);
}

static void tap_del(void *sim) {
  rewind(tap.out);
  put(&tap.header, sizeof tap.header);
  fclose(tap.out);
  tap.by->del(sim);
}

static void tap_open(void *sim, net_channel ch, net_node src, net_node dst,
                     xl_rate cap, double weight) {
  if (ch >= tap.room) {
    tap.room = 2 * (size_t)ch + 64;
    tap.channels = realloc(tap.channels, tap.room * sizeof *tap.channels);
    if (tap.channels == NULL) {
      abort();
    }
  }
  bool plain = cap == XL_RATE_UNLIMITED && weight >= 1 && weight <= 1;
  tap.channels[ch] = (channel){src, dst, !plain};
  tap.by->open(sim, ch, src, dst, cap, weight);
}

static void tap_cap(void *sim, net_channel ch, xl_rate cap) {
  tap.channels[ch].capped |= cap != XL_RATE_UNLIMITED;
  tap.by->cap(sim, ch, cap);
}

static void tap_start(void *sim, net_channel ch, xl_bytes bytes) {
  tap.header.capped += tap.channels[ch].capped;
  put_op(FLOWS_START, channels_now(tap.owner), ch, bytes);
  tap.by->start(sim, ch, bytes);
}

static xl_bytes tap_stop(void *sim, net_channel ch) {
  put_op(FLOWS_STOP, channels_now(tap.owner), ch, 0);
  return tap.by->stop(sim, ch);
}

static void tap_link(void *sim, net_node node) {
  tap.header.links++;
  tap.by->link(sim, node);
}

bool tap_channels_arrived(net *n, xl_time at, net_channel ch, xl_bytes bytes) {
  put_op(FLOWS_END, at, ch, 0);
  return channels_arrived(n, at, ch, bytes);
}

static void put_tree(const net_topology *t) {
  tap.header = (flows_header){.magic = FLOWS_MAGIC, .nnodes = t->nnodes};
  put(&tap.header, sizeof tap.header);
  for (uint32_t i = 0; i < t->nnodes; i++) {
    const net_node_spec *s = &t->nodes[i];
    flows_node node = {s->parent, s->host, s->up_Bps, s->down_Bps, s->latency};
    put(&node, sizeof node);
  }
}

net *tap_channels_new(const net_topology *topology, const net_sink *sink,
                      const carrier *by, double startup, void *sim, fail *why) {
  static carrier wrapped;
  const char *path = getenv("FLOWS");

  tap.out = path == NULL ? NULL : fopen(path, "wb");
  if (tap.out == NULL) {
    fail_set(why, EXIT_USAGE, "$FLOWS: no file can be written there");
    return NULL;
  }
  put_tree(topology);
  tap.by = by;
  wrapped = *by;
  wrapped.del = tap_del;
  wrapped.open = tap_open;
  wrapped.cap = tap_cap;
  wrapped.start = tap_start;
  wrapped.stop = tap_stop;
  wrapped.link = tap_link;
  tap.owner = channels_new(topology, sink, &wrapped, startup, sim, why);
  return tap.owner;
}
