/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests under way, from the engine's GET to the end at both ends.
 *
 *   asker's GET --request--> source: an origin's answer, or the peer's policy
 *   source      --reply----> asker: status and version, as a message
 *   source      --bytes----> asker: done
 *
 * A channel lives while it has requests; the next GET is made in the instant
 * the last one ends, so a busy channel stays open.
 */
#include "world/state.h"

#include <stdlib.h>
#include <string.h>

/* How long a source goes on holding an upload for an asker that fell silent. */
#define ORPHAN_TIMEOUT XL_SEC(60)

void *world_grow(void *ptr, uint32_t *cap, uint32_t need, size_t size) {
  uint32_t room = *cap;

  if (need <= room) {
    return ptr;
  }
  room = room + room / 2 + 64;
  room = room < need ? need : room;
  ptr = realloc(ptr, (size_t)room * size);
  if (ptr == NULL) {
    fprintf(stderr, "xferlab: out of memory: the world of this scenario needs "
                    "more; use a smaller one or --trace series\n");
    exit(EXIT_RUN_FAILED);
  }
  *cap = room;
  return ptr;
}

void *world_alloc(size_t n, size_t size) {
  void *p = calloc(n > 0 ? n : 1, size);

  if (p == NULL) {
    fprintf(stderr, "xferlab: out of memory: the world of this scenario needs "
                    "more; use a smaller one\n");
    exit(EXIT_RUN_FAILED);
  }
  return p;
}

wire *wire_of(world *w, uint64_t tag) {
  uint32_t i = TAG_INDEX(tag);

  if (i >= w->nwires) {
    return NULL;
  }
  wire *x = &w->wires[i];
  return x->state != WIRE_FREE &&
                 (x->generation & 0xffffffu) == TAG_GENERATION(tag)
             ? x
             : NULL;
}

static uint64_t wire_tag(const world *w, const wire *x, tag_kind kind) {
  return TAG(kind, x->generation, (uint32_t)(x - w->wires));
}

static uint32_t wire_new(world *w) {
  uint32_t i = w->wire_free;

  if (i != XL_NONE) {
    w->wire_free = w->wires[i].next;
  } else {
    w->wires =
        world_grow(w->wires, &w->wires_cap, w->nwires + 1, sizeof *w->wires);
    i = w->nwires++;
    w->wires[i] = (wire){0};
  }
  w->wires[i] = (wire){.generation = w->wires[i].generation + 1};
  return i;
}

static void wire_link(world *w, uint32_t i) {
  device_state *d = &w->devices[w->wires[i].device];

  w->wires[i].prev = XL_NONE;
  w->wires[i].next = d->wires;
  if (d->wires != XL_NONE) {
    w->wires[d->wires].prev = i;
  }
  d->wires = i;
}

static void wire_unlink(world *w, uint32_t i) {
  wire *x = &w->wires[i];

  if (x->prev != XL_NONE) {
    w->wires[x->prev].next = x->next;
  } else {
    w->devices[x->device].wires = x->next;
  }
  if (x->next != XL_NONE) {
    w->wires[x->next].prev = x->prev;
  }
}

/* Uploads of a device, from their first byte to their end at both ends. */
static void upload_link(world *w, uint32_t i, uint32_t server) {
  device_state *d = &w->devices[server];

  w->wires[i].up_prev = XL_NONE;
  w->wires[i].up_next = d->uploads;
  if (d->uploads != XL_NONE) {
    w->wires[d->uploads].up_prev = i;
  }
  d->uploads = i;
}

static void upload_unlink(world *w, uint32_t i, uint32_t server) {
  const wire *x = &w->wires[i];

  if (x->up_prev != XL_NONE) {
    w->wires[x->up_prev].up_next = x->up_next;
  } else {
    w->devices[server].uploads = x->up_next;
  }
  if (x->up_next != XL_NONE) {
    w->wires[x->up_next].up_prev = x->up_prev;
  }
}

/* ---- channels ----------------------------------------------------------- */

static net_node source_node(const world *w, xl_source_kind kind,
                            uint32_t source) {
  return kind == XL_SOURCE_PEER ? w->fl->devices[source].node
                                : w->fl->origins[source].node;
}

static xl_rate rate_min(xl_rate a, xl_rate b) {
  return a < b ? a : b;
}

static uint32_t chan_open(world *w, uint32_t device, xl_source_kind kind,
                          uint32_t source, xl_scope scope, uint32_t line) {
  const fleet_device *d = &w->fl->devices[device];
  device_state *ds = &w->devices[device];
  uint32_t i;

  for (i = ds->chans; i != XL_NONE; i = w->chans[i].next) {
    if (w->chans[i].kind == kind && w->chans[i].source == source &&
        w->chans[i].line == line) {
      return i;
    }
  }
  if (w->chan_free != XL_NONE) {
    i = w->chan_free;
    w->chan_free = w->chans[i].next;
  } else {
    w->chans =
        world_grow(w->chans, &w->chans_cap, w->nchans + 1, sizeof *w->chans);
    i = w->nchans++;
  }
  xl_rate cap = d->cap_Bps;
  bool crosses = true;
  if (kind == XL_SOURCE_ORIGIN) {
    cap = rate_min(cap, w->scn->origins[source].per_connection);
  } else {
    cap = rate_min(cap, w->fl->devices[source].cap_Bps);
    crosses = w->fl->devices[source].site != d->site;
  }
  w->chans[i] = (chan){
      .ch = w->ops->channel_open(w->net, source_node(w, kind, source), d->node,
                                 cap, 1.0),
      .device = device,
      .kind = kind,
      .source = source,
      .line = line,
      .scope = scope,
      .cap = cap,
      .crosses = crosses,
      .next = ds->chans,
  };
  ds->chans = i;
  throttle_apply(w, device);
  return i;
}

static void chan_close(world *w, uint32_t i) {
  chan *c = &w->chans[i];
  uint32_t device = c->device;
  uint32_t *link = &w->devices[device].chans;

  while (*link != i) {
    link = &w->chans[*link].next;
  }
  *link = c->next;
  w->ops->channel_close(w->net, c->ch, w->fl->devices[c->device].node);
  if (c->slot) {
    c->slot = false;
    origin_slot_free(w, c->source);
  }
  w->chans[i].kind = XL_NSOURCES;
  w->chans[i].next = w->chan_free;
  w->chan_free = i;
  throttle_apply(w, device);
}

void wire_close_idle(world *w) {
  for (uint32_t k = 0; k < w->nidle; k++) {
    uint32_t i = w->idle[k];
    if (w->chans[i].kind != XL_NSOURCES && w->chans[i].nwires == 0) {
      chan_close(w, i);
    }
  }
  w->nidle = 0;
}

/* The wire is over at both ends. */
static void wire_free(world *w, uint32_t i) {
  wire *x = &w->wires[i];
  chan *c = &w->chans[x->chan];

  if (x->state == WIRE_SENDING) {
    tally_busy(w, x, false);
  }
  if (c->kind == XL_SOURCE_PEER &&
      (x->state == WIRE_SENDING || x->state == WIRE_ORPHAN)) {
    upload_unlink(w, i, c->source);
  }
  if (x->state != WIRE_ORPHAN) {
    wire_unlink(w, i);
    w->active--;
  }
  x->state = WIRE_FREE;
  if (--c->nwires == 0) {
    w->idle = world_grow(w->idle, &w->idle_cap, w->nidle + 1, sizeof *w->idle);
    w->idle[w->nidle++] = x->chan;
  }
  x->next = w->wire_free;
  w->wire_free = i;
}

/* Tells the serving agent that the upload is over. */
static void served(world *w, const wire *x) {
  const chan *c = &w->chans[x->chan];

  if (c->kind == XL_SOURCE_PEER && w->devices[c->source].agent != NULL &&
      (x->state == WIRE_SENDING || x->state == WIRE_ORPHAN)) {
    xl_agent_served(world_agent(w, c->source), (uint32_t)(x - w->wires),
                    x->seen, world_now(w));
  }
}

/* ---- asking ------------------------------------------------------------- */

void wire_get(world *w, const xl_action *a) {
  uint32_t device = xl_agent_id(a->agent);
  uint32_t source = a->peer, content = XL_NONE;

  if (a->source == XL_SOURCE_ORIGIN) {
    if (a->url >= w->nurls || w->urls[a->url].origin == XL_NONE) {
      xl_agent_ended(a->agent, a->request, XL_END_CONNECT, XL_E_CONNECT_FAILURE,
                     0, 0, world_now(w));
      return;
    }
    source = w->urls[a->url].origin;
    content = w->urls[a->url].content;
  }
  uint32_t i = wire_new(w);
  uint32_t ci =
      chan_open(w, device, a->source, source, a->scope, throttle_line(w, a));
  wire *x = &w->wires[i];
  x->state = WIRE_ASKING;
  x->device = device;
  x->request = a->request;
  x->chan = ci;
  x->head = a->kind == XL_ACT_HEAD;
  x->whole = a->whole;
  x->content = content;
  x->range = a->range;
  x->offset = a->offset;
  x->version = a->version;
  x->queue_next = XL_NONE;
  /* A peer is asked for a key. It goes with the request. */
  if (a->source == XL_SOURCE_PEER) {
    x->content = a->key;
  }
  w->chans[ci].nwires++;
  w->active++;
  wire_link(w, i);
  w->devices[device].control += CONTROL_REQUEST;
  w->ops->request(w->net, w->chans[ci].ch, wire_tag(w, x, TAG_WIRE));
}

void wire_asked(world *w, uint64_t tag) {
  wire *x = wire_of(w, tag);

  if (x == NULL || x->state != WIRE_ASKING) {
    return;
  }
  x->state = WIRE_WAITING;
  uint32_t i = (uint32_t)(x - w->wires);
  chan *c = &w->chans[x->chan];
  if (c->kind == XL_SOURCE_ORIGIN) {
    origin_asked(w, i);
  } else {
    xl_agent_asked(
        world_agent(w, c->source), i, x->device, c->scope, (xl_name)x->content,
        x->version,
        (xl_range){x->offset, x->offset + x->range.end - x->range.begin},
        world_now(w));
  }
}

void wire_send(world *w, uint32_t i, uint32_t status, xl_bytes bytes,
               xl_rate cap) {
  wire *x = &w->wires[i];
  chan *c = &w->chans[x->chan];
  net_node from = source_node(w, c->kind, c->source);

  x->refusal = status;
  if (c->kind == XL_SOURCE_PEER) {
    w->devices[c->source].control += CONTROL_REPLY;
  } else {
    w->control += CONTROL_REPLY;
  }
  w->ops->message(w->net, from, w->fl->devices[x->device].node,
                  wire_tag(w, x, TAG_REPLY));
  if (bytes == 0) {
    return;
  }
  if (cap < c->cap) {
    w->ops->cap(w->net, c->ch, cap);
  }
  x->state = WIRE_SENDING;
  x->bytes = bytes;
  if (c->kind == XL_SOURCE_PEER) {
    upload_link(w, i, c->source);
  }
  tally_busy(w, x, true);
  w->ops->answer(w->net, c->ch, wire_tag(w, x, TAG_WIRE), bytes);
}

void wire_answer(world *w, const xl_action *a) {
  wire *x = a->ask < w->nwires ? &w->wires[a->ask] : NULL;

  if (x == NULL || x->state != WIRE_WAITING ||
      w->chans[x->chan].kind != XL_SOURCE_PEER ||
      w->chans[x->chan].source != xl_agent_id(a->agent)) {
    if (x != NULL && x->state == WIRE_ORPHAN && a->answer.accept) {
      xl_agent_served(a->agent, a->ask, 0, world_now(w));
    }
    return;
  }
  if (a->answer.accept) {
    wire_send(w, a->ask, x->head ? 200 : 206,
              x->head ? 0 : x->range.end - x->range.begin, a->answer.cap);
    if (x->head) {
      xl_agent_served(a->agent, a->ask, 0, world_now(w));
    }
  } else {
    x->retry_after = a->answer.retry_after;
    wire_send(w, a->ask, 503, 0, XL_RATE_UNLIMITED);
  }
}

/* ---- answers arrive -------------------------------------------------------
 */

void wire_replied(world *w, uint64_t tag) {
  wire *x = wire_of(w, tag);

  if (x == NULL || x->state == WIRE_ORPHAN || x->told) {
    return;
  }
  xl_agent *agent = world_agent(w, x->device);
  const chan *c = &w->chans[x->chan];
  uint32_t i = (uint32_t)(x - w->wires), request = x->request;
  bool good = x->refusal == 200 || x->refusal == 206;
  x->told = true;
  if (c->kind == XL_SOURCE_PEER && !good) {
    xl_span again = x->retry_after;
    wire_free(w, i);
    xl_agent_ended(agent, request, XL_END_REFUSED, XL_OK, 0, again,
                   world_now(w));
    return;
  }
  xl_reply reply = {
      .status = x->refusal, .version = x->version, .ranges = true};
  if (c->kind == XL_SOURCE_ORIGIN) {
    reply.ranges = !x->unranged;
    reply.location = x->location;
    if (x->unsized) {
      reply.version.size = XL_SIZE_UNKNOWN;
    }
  }
  /* An empty body ends with its header. */
  if (x->state != WIRE_SENDING && !x->mute) {
    wire_free(w, i);
  }
  xl_agent_reply(agent, request, &reply, world_now(w));
}

void wire_done(world *w, uint64_t tag, uint64_t bytes) {
  wire *x = wire_of(w, tag);

  if (x == NULL) {
    return;
  }
  tally_wire(w, x, bytes);
  served(w, x);
  if (x->state == WIRE_ORPHAN) {
    w->lost += bytes;
    wire_free(w, (uint32_t)(x - w->wires));
    return;
  }
  /* The header is always ahead of the body. */
  wire_replied(w, tag);
  x = wire_of(w, tag);
  if (x == NULL) {
    return;
  }
  wire copy = *x;
  w->transfers++;
  wire_free(w, (uint32_t)(x - w->wires));
  if (copy.cut) {
    xl_agent_ended(world_agent(w, copy.device), copy.request, XL_END_RESET,
                   XL_OK, bytes, 0, world_now(w));
    return;
  }
  xl_range range = copy.range;
  if (range.end == XL_SIZE_UNKNOWN || bytes != range.end - range.begin) {
    range.end = range.begin + bytes;
  }
  xl_agent_deliver(world_agent(w, copy.device), copy.request, range,
                   copy.version, XL_VERDICT_GOOD, NULL, world_now(w));
}

/* ---- ends ------------------------------------------------------------------
 */

static uint32_t wire_find(const world *w, uint32_t device, uint32_t request) {
  uint32_t i = w->devices[device].wires;

  while (i != XL_NONE && w->wires[i].request != request) {
    i = w->wires[i].next;
  }
  return i;
}

xl_bytes wire_arrived(world *w, uint32_t device, uint32_t request) {
  uint32_t i = wire_find(w, device, request);

  if (i == XL_NONE || w->wires[i].state != WIRE_SENDING) {
    return 0;
  }
  wire *x = &w->wires[i];
  return w->ops->progress(w->net, w->chans[x->chan].ch,
                          wire_tag(w, x, TAG_WIRE));
}

/* Stops the wire on the network; returns what arrived of it. */
static xl_bytes wire_stop(world *w, uint32_t i) {
  wire *x = &w->wires[i];
  chan *c = &w->chans[x->chan];
  xl_bytes got = 0;

  if (x->state == WIRE_WAITING && c->kind == XL_SOURCE_ORIGIN) {
    origin_unqueue(w, c->source, i);
  }
  got = w->ops->cancel(w->net, c->ch, wire_tag(w, x, TAG_WIRE));
  tally_wire(w, x, got);
  return got;
}

void wire_cancel(world *w, const xl_action *a) {
  uint32_t device = xl_agent_id(a->agent);
  uint32_t i = wire_find(w, device, a->request);
  xl_bytes got = 0;

  if (i != XL_NONE) {
    got = wire_stop(w, i);
    served(w, &w->wires[i]);
    wire_free(w, i);
  }
  xl_agent_ended(a->agent, a->request, XL_END_CANCELLED, XL_OK, got, 0,
                 world_now(w));
}

void wire_drop_asker(world *w, uint32_t device) {
  uint32_t i = w->devices[device].wires, next;

  for (; i != XL_NONE; i = next) {
    wire *x = &w->wires[i];
    next = x->next;
    bool upload =
        w->chans[x->chan].kind == XL_SOURCE_PEER && x->state == WIRE_SENDING;
    xl_bytes got = wire_stop(w, i);
    if (w->devices[device].agent == NULL) { /* else it has booked them */
      w->lost += got;
    }
    if (upload) {
      /* The server goes on holding the slot until it notices. */
      tally_busy(w, x, false);
      wire_unlink(w, i);
      w->active--;
      x->state = WIRE_ORPHAN;
      w->ops->timer(w->net, xl_time_add(world_now(w), ORPHAN_TIMEOUT),
                    wire_tag(w, x, TAG_ORPHAN));
    } else {
      wire_free(w, i);
    }
  }
}

void wire_orphan_end(world *w, uint64_t tag) {
  wire *x = wire_of(w, tag);

  if (x == NULL || x->state != WIRE_ORPHAN) {
    return;
  }
  served(w, x);
  wire_free(w, (uint32_t)(x - w->wires));
}

void wire_drop_server(world *w, uint32_t device) {
  for (uint32_t i = w->devices[device].uploads; i != XL_NONE;
       i = w->wires[i].up_next) {
    served(w, &w->wires[i]);
  }
}
