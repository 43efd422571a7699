/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The origin servers: HTTP with size and Last-Modified, ranges (or not), a
 * limit of connections behind which requests wait in a backlog, and faults that
 * make them answer with an error status or replace a content.
 */
#include "world/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Last-Modified of a content: its release, by the scenario's calendar. */
static int64_t content_mtime(const scenario *s, uint32_t origin,
                             uint32_t content) {
  return s->start_unix_s + s->contents[content].released / XL_SEC(1) +
         s->origins[origin].mtime_offset_s;
}

bool origin_init(world *w) {
  const scenario *s = w->scn;
  size_t n = s->norigins * s->ncontents;

  w->versions = world_alloc(n, sizeof *w->versions);
  w->url_text = world_alloc(n, sizeof *w->url_text);
  w->mirrors = world_alloc(s->norigins, sizeof *w->mirrors);
  w->origins = world_alloc(s->norigins, sizeof *w->origins);
  for (uint32_t o = 0; o < s->norigins; o++) {
    w->origins[o].queue_head = w->origins[o].queue_tail = XL_NONE;
  }
  for (uint32_t c = 0; c < s->ncontents; c++) {
    for (size_t k = 0; k < s->contents[c].norigins; k++) {
      uint32_t o = 0;
      while (strcmp(s->origins[o].name, s->contents[c].origins[k]) != 0) {
        o++;
      }
      char url[512];
      int len = snprintf(url, sizeof url, "http://%s/%s", s->origins[o].name,
                         s->contents[c].name);
      size_t at = o * s->ncontents + c;
      w->url_text[at] = world_alloc((size_t)len + 1, 1);
      memcpy(w->url_text[at], url, (size_t)len + 1);
      w->versions[at] =
          (xl_version){s->contents[c].size, content_mtime(s, o, c)};
      xl_name name = xl_engine_name(w->eng, url);
      if (name == 0) {
        return fail_set(w->why, EXIT_RUN_FAILED, "out of memory");
      }
      if (name >= w->nurls) {
        size_t old = w->nurls;
        w->nurls = name + 64;
        w->urls = realloc(w->urls, w->nurls * sizeof *w->urls);
        if (w->urls == NULL) {
          return fail_set(w->why, EXIT_RUN_FAILED, "out of memory");
        }
        for (; old < w->nurls; old++) {
          w->urls[old].origin = XL_NONE;
        }
      }
      w->urls[name].origin = o;
      w->urls[name].content = c;
    }
  }
  return true;
}

static xl_bytes share_of(xl_bytes n, double share) {
  xl_bytes part = (xl_bytes)((double)n * share);

  return part > 0 ? part : 1;
}

/* 302 to another origin; 404 when that one does not have it. */
static void origin_redirect(world *w, uint32_t i, uint32_t to) {
  wire *x = &w->wires[i];

  x->location = w->url_text[to * w->scn->ncontents + x->content];
  wire_send(w, i, x->location == NULL ? 404 : 302, 0, XL_RATE_UNLIMITED);
}

/* The body, as long as the origin makes it. */
static void origin_body(world *w, uint32_t i, uint32_t status, xl_bytes bytes) {
  wire *x = &w->wires[i];
  const origin_state *st = &w->origins[w->chans[x->chan].source];

  if (st->conduct[SCN_STALL] != 0) {
    x->mute = true;
    bytes = 0;
  } else if (st->conduct[SCN_TRUNCATE] != 0) {
    xl_bytes part = share_of(bytes, st->share[SCN_TRUNCATE]);
    x->cut = part < bytes;
    bytes = x->cut ? part : bytes;
  } else if (st->conduct[SCN_OVERLONG] != 0) {
    bytes += share_of(bytes, st->share[SCN_OVERLONG]);
  }
  wire_send(w, i, status, bytes, XL_RATE_UNLIMITED);
}

/* A request that has a connection. */
static void origin_serve(world *w, uint32_t i) {
  wire *x = &w->wires[i];
  uint32_t o = w->chans[x->chan].source;
  origin_state *st = &w->origins[o];
  const scn_origin *so = &w->scn->origins[o];

  x->version = w->versions[o * w->scn->ncontents + x->content];
  if (st->status != 0) {
    st->refused++;
    wire_send(w, i, st->status, 0, XL_RATE_UNLIMITED);
    return;
  }
  if (st->conduct[SCN_REDIRECT] != 0) {
    origin_redirect(w, i, st->conduct[SCN_REDIRECT] - 1);
    return;
  }
  x->unsized = st->conduct[SCN_NO_SIZE] != 0;
  x->unranged = !so->ranges || st->conduct[SCN_NO_RANGES] != 0;
  if (st->conduct[SCN_NO_LAST_MODIFIED] != 0) {
    x->version.mtime_s = INT64_MIN;
  }
  if (x->head) {
    wire_send(w, i, 200, 0, XL_RATE_UNLIMITED);
    return;
  }
  st->requests++;
  xl_bytes size = x->version.size, bytes = size;
  uint32_t status = 200;
  if (!x->whole && st->conduct[SCN_REJECT_RANGES] != 0) {
    st->refused++;
    wire_send(w, i, 416, 0, XL_RATE_UNLIMITED);
    return;
  }
  if (!x->whole && !x->unranged) {
    xl_bytes len = x->range.end == XL_SIZE_UNKNOWN
                       ? XL_SIZE_UNKNOWN
                       : x->range.end - x->range.begin;
    if (x->offset >= size) {
      st->refused++;
      wire_send(w, i, 416, 0, XL_RATE_UNLIMITED);
      return;
    }
    bytes = len < size - x->offset ? len : size - x->offset;
    status = 206;
  }
  origin_body(w, i, status, bytes);
}

void origin_asked(world *w, uint32_t i) {
  chan *c = &w->chans[w->wires[i].chan];
  origin_state *st = &w->origins[c->source];
  uint32_t limit = w->scn->origins[c->source].connections;

  if (c->slot || st->slots < limit) {
    st->slots += c->slot ? 0 : 1;
    c->slot = true;
    origin_serve(w, i);
    return;
  }
  if (st->queue_tail == XL_NONE) {
    st->queue_head = i;
  } else {
    w->wires[st->queue_tail].queue_next = i;
  }
  st->queue_tail = i;
}

void origin_unqueue(world *w, uint32_t origin, uint32_t index) {
  origin_state *st = &w->origins[origin];
  uint32_t last = XL_NONE;

  for (uint32_t i = st->queue_head; i != XL_NONE; i = w->wires[i].queue_next) {
    if (i == index) {
      uint32_t next = w->wires[i].queue_next;
      if (last == XL_NONE) {
        st->queue_head = next;
      } else {
        w->wires[last].queue_next = next;
      }
      if (st->queue_tail == i) {
        st->queue_tail = last;
      }
      w->wires[i].queue_next = XL_NONE;
      return;
    }
    last = i;
  }
}

void origin_slot_free(world *w, uint32_t origin) {
  origin_state *st = &w->origins[origin];

  st->slots--;
  while (st->queue_head != XL_NONE &&
         st->slots < w->scn->origins[origin].connections) {
    uint32_t i = st->queue_head;
    st->queue_head = w->wires[i].queue_next;
    if (st->queue_head == XL_NONE) {
      st->queue_tail = XL_NONE;
    }
    w->wires[i].queue_next = XL_NONE;
    chan *c = &w->chans[w->wires[i].chan];
    st->slots += c->slot ? 0 : 1;
    c->slot = true;
    origin_serve(w, i);
  }
}
