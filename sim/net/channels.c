/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/channels.h"

#include <stdlib.h>
#include <string.h>

#include "net/events.h"
#include "net/items.h"
#include "net/room.h"

#define NO_CHANNEL UINT32_MAX

typedef enum event_kind {
  EV_ASKED,   /* who channel, what serial of the ask */
  EV_READY,   /* who channel, what serial of the answer */
  EV_DONE,    /* who channel, what serial of the answer */
  EV_RESET,   /* who channel, what serial of the channel */
  EV_MESSAGE, /* who node, what tag */
  EV_TIMER    /* what tag */
} event_kind;

typedef enum channel_state { CH_FREE, CH_OPEN, CH_CLOSING } channel_state;

/* A channel's place in the list of those that end at one node: end 2 * ch is
   its source's, 2 * ch + 1 its destination's. */
typedef struct place {
  uint32_t next, prev;
} place;
#define NO_END UINT32_MAX

typedef struct channel {
  uint64_t serial;
  place at[2];
  net_node src, dst;
  xl_span latency;
  list asks, answers;
  channel_state state;
  bool src_dead, dst_dead;
  bool carried;     /* the head answer is with the carrier (flows) */
  net_channel next; /* in the free list */
} channel;

struct net {
  const carrier *carrier;
  void *sim; /* owned */
  net_sink sink;
  tree tree;
  double startup;
  events events;
  xl_time now;
  uint64_t serial; /* the last one given out; 0 is none */
  channel *channels;
  size_t nchannels, channel_cap;
  net_channel free_channel;
  items items;
  uint32_t *ends;   /* per node: the first end there, or NO_END */
  bool *down;       /* per node */
  uint64_t *strays; /* per node */
};

/* ---- the head of a channel --------------------------------------------------
 */

static bool dead(const channel *c) {
  return c->state != CH_OPEN || c->src_dead || c->dst_dead;
}

static bool is_head(const net *n, const channel *c, uint64_t serial) {
  return c->answers.head != NO_ITEM &&
         n->items.at[c->answers.head].serial == serial;
}

static bool complete(const item *i) {
  return i->bytes > 0 && i->arrived == i->bytes;
}

/* Does what the head answer is due: nothing, wait, start or be done. */
static void head_go(net *n, net_channel ch) {
  channel *c = &n->channels[ch];

  if (dead(c) || c->answers.head == NO_ITEM || c->carried) {
    return;
  }
  const item *head = &n->items.at[c->answers.head];
  if (complete(head)) {
    events_put(&n->events, n->now, EV_DONE, ch, head->serial);
  } else if (n->carrier->stream && head->bytes > 0) {
    return;
  } else if (head->ready_at > n->now) {
    events_put(&n->events, head->ready_at, EV_READY, ch, head->serial);
  } else if (head->bytes == 0) {
    events_put(&n->events, n->now, EV_DONE, ch, head->serial);
  } else {
    c->carried = true;
    n->carrier->start(n->sim, ch, head->bytes);
  }
}

static void answer_drop(net *n, net_channel ch, uint32_t i) {
  channel *c = &n->channels[ch];
  bool head = c->answers.head == i;

  list_remove(&n->items, &c->answers, i);
  items_del(&n->items, i);
  if (head) {
    c->carried = false;
    head_go(n, ch);
  }
}

/* What has arrived of the head, as far as the carrier knows. Never less than
   before, never more than all of it. */
static void head_update(net *n, net_channel ch, xl_bytes arrived) {
  channel *c = &n->channels[ch];
  item *head = &n->items.at[c->answers.head];

  arrived = arrived > head->bytes ? head->bytes : arrived;
  head->arrived = arrived > head->arrived ? arrived : head->arrived;
}

/* Stops the head's flow, keeping what arrived of it. */
static void head_stop(net *n, net_channel ch) {
  channel *c = &n->channels[ch];

  if (n->carrier->stream) {
    n->carrier->stop(n->sim, ch);
  } else if (c->carried && !complete(&n->items.at[c->answers.head])) {
    head_update(n, ch, n->carrier->stop(n->sim, ch));
  }
  c->carried = false;
}

static xl_bytes item_progress(net *n, net_channel ch, uint32_t i) {
  const channel *c = &n->channels[ch];

  if (!n->carrier->stream && c->carried && c->answers.head == i &&
      !complete(&n->items.at[i])) {
    head_update(n, ch, n->carrier->arrived(n->sim, ch));
  }
  return n->items.at[i].arrived;
}

bool channels_arrived(net *n, xl_time at, net_channel ch, xl_bytes bytes) {
  channel *c = &n->channels[ch];
  uint32_t first = c->answers.head;

  if (dead(c) || first == NO_ITEM) {
    return false;
  }
  bool waits = complete(&n->items.at[first]); /* its EV_DONE is on its way */
  for (uint32_t i = first, next; i != NO_ITEM && bytes > 0; i = next) {
    item *it = &n->items.at[i];
    xl_bytes left = it->bytes - it->arrived;
    xl_bytes take = bytes < left ? bytes : left;

    next = it->next;
    it->arrived += take;
    bytes -= take;
    if (it->stray) {
      n->strays[c->dst] += take;
      if (it->arrived == it->bytes) {
        answer_drop(n, ch, i);
        waits = true; /* answer_drop looked at the new head */
      }
    }
  }
  first = c->answers.head;
  if (!waits && first != NO_ITEM && complete(&n->items.at[first])) {
    events_put(&n->events, at > n->now ? at : n->now, EV_DONE, ch,
               n->items.at[first].serial);
  }
  return first != NO_ITEM && complete(&n->items.at[first]);
}

/* ---- channels by node -------------------------------------------------------
 */

static place *place_of(net *n, uint32_t end) {
  return &n->channels[end / 2].at[end % 2];
}

static void end_link(net *n, net_node node, uint32_t end) {
  uint32_t first = n->ends[node];

  *place_of(n, end) = (place){first, NO_END};
  if (first != NO_END) {
    place_of(n, first)->prev = end;
  }
  n->ends[node] = end;
}

static void end_unlink(net *n, net_node node, uint32_t end) {
  place p = *place_of(n, end);

  if (p.prev == NO_END) {
    n->ends[node] = p.next;
  } else {
    place_of(n, p.prev)->next = p.next;
  }
  if (p.next != NO_END) {
    place_of(n, p.next)->prev = p.prev;
  }
}

/* ---- the contract: channels -------------------------------------------------
 */

static net_channel channels_open(net *n, net_node src, net_node dst,
                                 xl_rate cap, double weight) {
  net_channel ch = n->free_channel;

  assert(src < n->tree.nnodes && dst < n->tree.nnodes && src != dst);
  assert(n->tree.nodes[src].host && n->tree.nodes[dst].host && weight > 0);
  if (ch == NO_CHANNEL) {
    n->channels = room_for(n->channels, &n->channel_cap, n->nchannels + 1,
                           sizeof(channel));
    ch = (net_channel)n->nchannels++;
  } else {
    n->free_channel = n->channels[ch].next;
  }
  n->channels[ch] = (channel){
      .serial = ++n->serial,
      .src = src,
      .dst = dst,
      .latency = tree_latency(&n->tree, src, dst),
      .asks = LIST_EMPTY,
      .answers = LIST_EMPTY,
      .state = CH_OPEN,
      .src_dead = n->down[src],
      .dst_dead = n->down[dst],
  };
  end_link(n, src, 2 * ch);
  end_link(n, dst, 2 * ch + 1);
  n->carrier->open(n->sim, ch, src, dst, cap, weight);
  return ch;
}

static void channel_free(net *n, net_channel ch) {
  channel *c = &n->channels[ch];

  list_clear(&n->items, &c->asks);
  list_clear(&n->items, &c->answers);
  n->carrier->close(n->sim, ch);
  end_unlink(n, c->src, 2 * ch);
  end_unlink(n, c->dst, 2 * ch + 1);
  *c = (channel){.state = CH_FREE, .next = n->free_channel};
  n->free_channel = ch;
}

/* The source's end is gone: nothing moves any more. The head is kept for the
   other end to hear of; it is told when both hosts are alive. */
static void close_by_src(net *n, net_channel ch) {
  channel *c = &n->channels[ch];
  bool told = !dead(c);

  assert(c->state == CH_OPEN);
  if (c->dst_dead) {
    channel_free(n, ch);
    return;
  }
  list_clear(&n->items, &c->asks);
  c->state = CH_CLOSING;
  if (told) {
    events_put(&n->events, xl_time_add(n->now, c->latency), EV_RESET, ch,
               c->serial);
  }
}

static uint64_t channels_close(net *n, net_channel ch, net_node by) {
  channel *c = &n->channels[ch];

  assert(ch < n->nchannels && c->state != CH_FREE);
  assert(by == c->src || by == c->dst);
  if (!dead(c)) {
    head_stop(n, ch);
  }
  uint32_t head = c->answers.head;
  xl_bytes got = head == NO_ITEM || n->items.at[head].stray
                     ? 0
                     : n->items.at[head].arrived;
  if (by == c->dst) {
    channel_free(n, ch);
  } else {
    close_by_src(n, ch);
  }
  return got;
}

static void channels_request(net *n, net_channel ch, uint64_t tag) {
  channel *c = &n->channels[ch];

  assert(ch < n->nchannels && c->state != CH_FREE);
  if (dead(c) || tree_dead(&n->tree, c->dst, c->src)) {
    return;
  }
  uint32_t i = items_new(&n->items, (item){.tag = tag, .serial = ++n->serial});
  list_append(&n->items, &c->asks, i);
  events_put(&n->events, xl_time_add(n->now, c->latency), EV_ASKED, ch,
             n->serial);
}

/* An answer to what was cancelled meanwhile is dropped. */
static void channels_answer(net *n, net_channel ch, uint64_t tag,
                            uint64_t bytes) {
  channel *c = &n->channels[ch];

  assert(ch < n->nchannels && c->state != CH_FREE);
  uint32_t i = list_find(&n->items, &c->asks, tag);
  if (dead(c) || i == NO_ITEM || !n->items.at[i].asked) {
    return;
  }
  bool idle = c->answers.head == NO_ITEM;
  double startup = idle && bytes > 0 ? n->startup : 1;
  double wait = (double)c->latency * startup + 0.5;

  list_remove(&n->items, &c->asks, i);
  list_append(&n->items, &c->answers, i);
  n->items.at[i].bytes = bytes;
  n->items.at[i].ready_at =
      xl_time_add(n->now, startup > 1 ? (xl_span)wait : c->latency);
  if (n->carrier->stream && bytes > 0) {
    n->carrier->start(n->sim, ch, bytes);
  }
  if (idle) {
    head_go(n, ch);
  }
}

static void channels_cap(net *n, net_channel ch, xl_rate cap) {
  assert(ch < n->nchannels && n->channels[ch].state != CH_FREE);
  n->carrier->cap(n->sim, ch, cap);
}

static uint64_t channels_progress(net *n, net_channel ch, uint64_t tag) {
  assert(ch < n->nchannels && n->channels[ch].state != CH_FREE);
  uint32_t i = list_find(&n->items, &n->channels[ch].answers, tag);

  return i == NO_ITEM ? 0 : item_progress(n, ch, i);
}

/* Takes what is not on the wire yet back from the stream; what is, is stray. */
static void answer_cut(net *n, net_channel ch, uint32_t i) {
  item *it = &n->items.at[i];
  xl_bytes behind = 0;

  for (uint32_t k = it->next; k != NO_ITEM; k = n->items.at[k].next) {
    behind += n->items.at[k].bytes - n->items.at[k].arrived;
  }
  it->bytes -= n->carrier->cut(n->sim, ch, it->bytes - it->arrived, behind);
  it->stray = true;
  if (it->bytes == it->arrived) {
    answer_drop(n, ch, i);
  }
}

static uint64_t channels_cancel(net *n, net_channel ch, uint64_t tag) {
  channel *c = &n->channels[ch];

  assert(ch < n->nchannels && c->state != CH_FREE);
  uint32_t i = list_find(&n->items, &c->asks, tag);
  if (i != NO_ITEM) {
    list_remove(&n->items, &c->asks, i);
    items_del(&n->items, i);
    return 0;
  }
  i = list_find(&n->items, &c->answers, tag);
  if (i == NO_ITEM) {
    return 0;
  }
  if (c->answers.head == i && !n->carrier->stream) {
    head_stop(n, ch);
  }
  xl_bytes got = n->items.at[i].arrived;
  if (n->carrier->stream && !dead(c)) {
    answer_cut(n, ch, i);
  } else {
    answer_drop(n, ch, i);
  }
  return got;
}

static uint64_t channels_stray(net *n, net_node dst) {
  uint64_t bytes = n->strays[dst];

  n->strays[dst] = 0;
  return bytes;
}

/* ---- the contract: messages, timers, links, hosts
 * ------------------------------ */

static xl_span channels_latency(const net *n, net_node src, net_node dst) {
  return tree_latency(&n->tree, src, dst);
}

static void channels_message(net *n, net_node src, net_node dst, uint64_t tag) {
  if (tree_dead(&n->tree, src, dst)) {
    return;
  }
  events_put(&n->events, xl_time_add(n->now, tree_latency(&n->tree, src, dst)),
             EV_MESSAGE, dst, tag);
}

static void channels_timer(net *n, xl_time at, uint64_t tag) {
  events_put(&n->events, at > n->now ? at : n->now, EV_TIMER, 0, tag);
}

static void channels_link(net *n, net_node node, xl_rate up, xl_rate down) {
  tree_node *t = &n->tree.nodes[node];

  assert(node < n->tree.nnodes && t->parent != NET_NO_NODE);
  if (t->up_Bps != up || t->down_Bps != down) {
    t->up_Bps = up;
    t->down_Bps = down;
    n->carrier->link(n->sim, node);
  }
}

static void channels_host(net *n, net_node node, bool up) {
  assert(node < n->tree.nnodes && n->tree.nodes[node].host);
  n->down[node] = !up;
  for (uint32_t end = n->ends[node]; !up && end != NO_END;
       end = place_of(n, end)->next) {
    channel *c = &n->channels[end / 2];
    if (!dead(c)) {
      head_stop(n, end / 2);
    }
    c->src_dead = c->src_dead || end % 2 == 0;
    c->dst_dead = c->dst_dead || end % 2 == 1;
  }
}

/* ---- running
 * ------------------------------------------------------------------- */

static void on_asked(net *n, net_channel ch, uint64_t serial) {
  const channel *c = &n->channels[ch];

  for (uint32_t i = c->asks.head; !dead(c) && i != NO_ITEM;
       i = n->items.at[i].next) {
    if (n->items.at[i].serial == serial) {
      n->items.at[i].asked = true;
      n->sink.asked(n->sink.arg, ch, n->items.at[i].tag);
      return;
    }
  }
}

static void on_done(net *n, net_channel ch, uint64_t serial) {
  const channel *c = &n->channels[ch];

  if (dead(c) || !is_head(n, c, serial)) {
    return;
  }
  item head = n->items.at[c->answers.head];
  answer_drop(n, ch, c->answers.head);
  n->sink.done(n->sink.arg, ch, head.tag, head.bytes);
}

static void on_reset(net *n, net_channel ch, uint64_t serial) {
  const channel *c = &n->channels[ch];

  if (c->state != CH_CLOSING || c->serial != serial) {
    return;
  }
  item head = {0};
  if (c->answers.head != NO_ITEM && !n->items.at[c->answers.head].stray) {
    head = n->items.at[c->answers.head];
  }
  if (!c->dst_dead) {
    n->sink.reset(n->sink.arg, ch, head.tag, head.arrived);
  }
  /* The callback may have closed it. */
  if (n->channels[ch].serial == serial) {
    channel_free(n, ch);
  }
}

static void dispatch(net *n, event e) {
  switch ((event_kind)e.kind) {
  case EV_ASKED:
    on_asked(n, e.who, e.what);
    break;
  case EV_READY:
    if (is_head(n, &n->channels[e.who], e.what)) {
      head_go(n, e.who);
    }
    break;
  case EV_DONE:
    on_done(n, e.who, e.what);
    break;
  case EV_RESET:
    on_reset(n, e.who, e.what);
    break;
  case EV_MESSAGE:
    if (!n->down[e.who]) {
      n->sink.message(n->sink.arg, e.who, e.what);
    }
    break;
  case EV_TIMER:
    n->sink.timer(n->sink.arg, e.what);
    break;
  }
}

static bool channels_run(net *n, xl_time until, const volatile bool *stop,
                         fail *why) {
  while (stop == NULL || !*stop) {
    xl_time next = xl_time_min(events_next(&n->events), until);

    if (next > n->now) {
      xl_time at = n->carrier->advance(n->sim, next, why);
      if (at < 0) {
        return false;
      }
      n->now = at > n->now ? at : n->now;
    }
    if (events_next(&n->events) <= n->now) {
      dispatch(n, events_take(&n->events));
    } else if (n->now >= until) {
      return true;
    }
  }
  return true;
}

static double channels_shortfall(const net *n) {
  return n->carrier->shortfall == NULL ? 0 : n->carrier->shortfall(n->sim);
}

static xl_time now(const net *n) {
  return n->now;
}

/* ---- life
 * ------------------------------------------------------------------------ */

static void channels_del(net *n) {
  if (n == NULL) {
    return;
  }
  n->carrier->del(n->sim);
  events_fini(&n->events);
  tree_fini(&n->tree);
  free(n->channels);
  items_fini(&n->items);
  free(n->ends);
  free(n->down);
  free(n->strays);
  free(n);
}

net *channels_new(const net_topology *topology, const net_sink *sink,
                  const carrier *by, double startup, void *sim, fail *why) {
  net *n = calloc(1, sizeof *n);
  tree t;

  if (n == NULL || !tree_init(&t, topology, why)) {
    by->del(sim);
    free(n);
    return NULL;
  }
  size_t down_cap = 0, stray_cap = 0, end_cap = 0;
  *n = (net){
      .carrier = by,
      .sim = sim,
      .sink = *sink,
      .tree = t,
      .startup = startup,
      .free_channel = NO_CHANNEL,
      .items = {.free = NO_ITEM},
      .ends = room_for(NULL, &end_cap, t.nnodes, sizeof(uint32_t)),
      .down = room_for(NULL, &down_cap, t.nnodes, sizeof(bool)),
      .strays = room_for(NULL, &stray_cap, t.nnodes, sizeof(uint64_t)),
  };
  memset(n->ends, 0xff, t.nnodes * sizeof *n->ends);
  return n;
}

const tree *channels_tree(const net *n) {
  return &n->tree;
}

xl_time channels_now(const net *n) {
  return n->now;
}

const net_ops channels_ops = {
    .size = sizeof(net_ops),
    .version = NET_ABI,
    .close = channels_del,
    .channel_open = channels_open,
    .channel_close = channels_close,
    .request = channels_request,
    .answer = channels_answer,
    .cap = channels_cap,
    .progress = channels_progress,
    .cancel = channels_cancel,
    .stray = channels_stray,
    .message = channels_message,
    .timer = channels_timer,
    .latency = channels_latency,
    .link_set = channels_link,
    .host_set = channels_host,
    .shortfall = channels_shortfall,
    .now = now,
    .run = channels_run,
};
