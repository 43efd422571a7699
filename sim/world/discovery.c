/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who can be asked for what. Devices publish a key (a URL's record, or a
 * content in a swarm); the index keeps a list of them per subnet, site, group
 * and for everybody.
 *
 * A multicast probe reaches the online holders of the own subnet that are in
 * the same domain (R603, R622) and is answered after a round trip; it goes on
 * listening until its timeout (R623). A tracker is a service host: the query
 * travels there, waits its turn (queries/s), and comes back with a random
 * selection, nearest scope first. Devices that fell silent stay on the
 * tracker's list until their registration expires.
 */
#include "world/state.h"

#include <stdlib.h>
#include <string.h>

#define REGISTRATION XL_MIN(10) /* assumed: keep-alive to the tracker */
#define FIND_MAX 256u           /* peers in one answer */

static uint64_t place_key(xl_name key, xl_scope scope, uint32_t place) {
  return ((uint64_t)key << 34 | (uint64_t)scope << 32 | place) + 1;
}

static offers *offers_at(world *w, uint64_t place, bool create) {
  if (create && (w->nindex + 1) * 2 > w->index_cap) {
    uint32_t old_cap = w->index_cap;
    offers *old = w->index;
    w->index_cap = old_cap == 0 ? 1024 : old_cap * 2;
    w->index = world_alloc(w->index_cap, sizeof *w->index);
    for (uint32_t i = 0; i < old_cap; i++) {
      if (old[i].place != 0) {
        uint64_t h = rng_at(old[i].place, 0) & (w->index_cap - 1);
        while (w->index[h].place != 0) {
          h = (h + 1) & (w->index_cap - 1);
        }
        w->index[h] = old[i];
      }
    }
    free(old);
  }
  if (w->index_cap == 0) {
    return NULL;
  }
  uint64_t h = rng_at(place, 0) & (w->index_cap - 1);
  while (w->index[h].place != 0 && w->index[h].place != place) {
    h = (h + 1) & (w->index_cap - 1);
  }
  if (w->index[h].place == 0) {
    if (!create) {
      return NULL;
    }
    w->index[h].place = place;
    w->nindex++;
  }
  return &w->index[h];
}

/* The number of |device|'s subnet, site, group or everybody; XL_NONE: none. */
static uint32_t place_of(const world *w, uint32_t device, xl_scope scope) {
  const fleet_device *d = &w->fl->devices[device];

  switch (scope) {
  case XL_SCOPE_SUBNET:
    return d->subnet;
  case XL_SCOPE_SITE:
    return d->site;
  case XL_SCOPE_GROUP:
    return d->group;
  case XL_SCOPE_INTERNET:
    return 0;
  case XL_SCOPE_NONE:
  case XL_NSCOPES:
    break;
  }
  return XL_NONE;
}

xl_scope discovery_scope(const world *w, uint32_t a, uint32_t b) {
  for (xl_scope s = XL_SCOPE_SUBNET; s < XL_SCOPE_INTERNET; s++) {
    uint32_t place = place_of(w, a, s);
    if (place != XL_NONE && place == place_of(w, b, s)) {
      return s;
    }
  }
  return XL_SCOPE_INTERNET;
}

static uint32_t offer_find(const world *w, uint32_t device, xl_name key) {
  uint32_t i = w->devices[device].offers;

  while (i != XL_NONE && w->offers[i].key != key) {
    i = w->offers[i].next;
  }
  return i;
}

static uint32_t offer_new(world *w, uint32_t device, xl_name key) {
  uint32_t i = w->offer_free;

  if (i != XL_NONE) {
    w->offer_free = w->offers[i].next;
  } else {
    w->offers = world_grow(w->offers, &w->offers_cap, w->noffers + 1,
                           sizeof *w->offers);
    i = w->noffers++;
  }
  w->offers[i] =
      (offer){.device = device, .key = key, .next = w->devices[device].offers};
  w->devices[device].offers = i;
  for (xl_scope s = XL_SCOPE_SUBNET; s <= XL_SCOPE_INTERNET; s++) {
    uint32_t place = place_of(w, device, s);
    if (place != XL_NONE) {
      offers *o = offers_at(w, place_key(key, s, place), true);
      o->list = world_grow(o->list, &o->cap, o->n + 1, sizeof *o->list);
      w->offers[i].at[s] = o->n;
      o->list[o->n++] = i;
    }
  }
  return i;
}

static void offer_del(world *w, uint32_t i) {
  offer *p = &w->offers[i];
  uint32_t *link = &w->devices[p->device].offers;

  for (xl_scope s = XL_SCOPE_SUBNET; s <= XL_SCOPE_INTERNET; s++) {
    uint32_t place = place_of(w, p->device, s);
    if (place != XL_NONE) {
      offers *o = offers_at(w, place_key(p->key, s, place), false);
      uint32_t last = o->list[--o->n];
      o->list[p->at[s]] = last;
      w->offers[last].at[s] = p->at[s];
    }
  }
  while (*link != i) {
    link = &w->offers[*link].next;
  }
  *link = p->next;
  p->next = w->offer_free;
  w->offer_free = i;
}

void discovery_forget(world *w, uint32_t device) {
  while (w->devices[device].offers != XL_NONE) {
    offer_del(w, w->devices[device].offers);
  }
}

void discovery_publish(world *w, const xl_action *a) {
  uint32_t device = xl_agent_id(a->agent);
  uint32_t i = offer_find(w, device, a->key);

  if (a->on) {
    i = i == XL_NONE ? offer_new(w, device, a->key) : i;
    w->offers[i].complete = a->complete;
    w->offers[i].version = a->version;
  } else if (i != XL_NONE) {
    offer_del(w, i);
  }
  w->devices[device].control += CONTROL_FIND;
}

/* ---- queries ------------------------------------------------------------ */

static bool offer_fits(const world *w, const find_state *f, const offer *o) {
  const device_state *d = &w->devices[o->device];

  if (o->device == f->device || (f->find.complete_only && !o->complete) ||
      o->version.size != f->version.size ||
      o->version.mtime_s != f->version.mtime_s) {
    return false;
  }
  if (f->find.multicast) {
    uint32_t mine = w->fl->devices[f->device].domain;
    return d->online && mine != XL_NONE &&
           mine == w->fl->devices[o->device].domain;
  }
  return d->online || world_now(w) - d->since < REGISTRATION;
}

/* Lists longer than this times what is wanted are sampled, not walked. */
#define SAMPLE_FROM 8u

typedef struct selection {
  xl_peer_info *out;
  uint32_t first; /* of this scope */
  uint32_t n, max;
  rng r;
} selection;

static bool selected(const selection *s, uint32_t device) {
  for (uint32_t i = s->first; i < s->n; i++) {
    if (s->out[i].id == device) {
      return true;
    }
  }
  return false;
}

/* Random places of a long list; a few tries for each peer that is wanted. */
static void sample(const world *w, const find_state *f, const offers *o,
                   xl_scope scope, selection *s) {
  uint32_t tries = 4 * (s->max - s->n);

  while (tries-- > 0 && s->n < s->max) {
    const offer *p = &w->offers[o->list[rng_below(&s->r, o->n)]];
    if (offer_fits(w, f, p) && !selected(s, p->device) &&
        discovery_scope(w, f->device, p->device) == scope) {
      s->out[s->n++] = (xl_peer_info){p->device, scope};
    }
  }
}

/* Reservoir sampling of all that fit: one pass in the list's order. */
static void walk(const world *w, const find_state *f, const offers *o,
                 xl_scope scope, selection *s) {
  uint32_t seen = 0;

  for (uint32_t i = 0; i < o->n; i++) {
    const offer *p = &w->offers[o->list[i]];
    if (!offer_fits(w, f, p) ||
        discovery_scope(w, f->device, p->device) != scope) {
      continue;
    }
    uint32_t at = s->n;
    seen++;
    if (s->n < s->max) {
      s->n++;
    } else {
      uint64_t k = rng_below(&s->r, seen);
      if (k >= s->max - s->first) {
        continue;
      }
      at = s->first + (uint32_t)k;
    }
    s->out[at] = (xl_peer_info){p->device, scope};
  }
}

/* Fills |out| with at most |max| peers, nearest scope first, each scope in
   random order. */
static uint32_t select_peers(world *w, const find_state *f, xl_peer_info *out,
                             uint32_t max) {
  device_state *d = &w->devices[f->device];
  selection s = {.out = out, .max = max};

  s.r = rng_of(rng_fold(
      rng_fold_text(w->fl->devices[f->device].key, "discovery"), d->finds++));
  for (xl_scope scope = XL_SCOPE_SUBNET;
       scope <= XL_SCOPE_INTERNET && s.n < max; scope++) {
    uint32_t place = place_of(w, f->device, scope);
    if ((f->find.scopes & 1u << scope) == 0 || place == XL_NONE) {
      continue;
    }
    const offers *o = offers_at(w, place_key(f->key, scope, place), false);
    if (o == NULL) {
      continue;
    }
    s.first = s.n;
    if (o->n / SAMPLE_FROM > max) {
      sample(w, f, o, scope, &s);
    } else {
      walk(w, f, o, scope, &s);
    }
    for (uint32_t i = s.n; i > s.first + 1; i--) {
      uint32_t k = s.first + (uint32_t)rng_below(&s.r, i - s.first);
      xl_peer_info t = out[i - 1];
      out[i - 1] = out[k];
      out[k] = t;
    }
  }
  return s.n;
}

static find_state *find_of(world *w, uint64_t tag) {
  uint32_t i = TAG_INDEX(tag);

  if (i >= w->nfinds || !w->finds[i].used ||
      (w->finds[i].generation & 0xffffffu) != TAG_GENERATION(tag)) {
    return NULL;
  }
  return &w->finds[i];
}

static uint64_t find_tag(const world *w, const find_state *f, tag_kind kind) {
  return TAG(kind, f->generation, (uint32_t)(f - w->finds));
}

void discovery_find(world *w, const xl_action *a) {
  uint32_t device = xl_agent_id(a->agent), i = 0;

  while (i < w->nfinds && w->finds[i].used) {
    i++;
  }
  if (i == w->nfinds) {
    w->finds =
        world_grow(w->finds, &w->finds_cap, w->nfinds + 1, sizeof *w->finds);
    w->finds[w->nfinds++] = (find_state){0};
  }
  find_state *f = &w->finds[i];
  *f = (find_state){.used = true,
                    .generation = f->generation + 1,
                    .device = device,
                    .search = a->request,
                    .key = a->key,
                    .version = a->version,
                    .find = a->find};
  w->devices[device].control += CONTROL_FIND;
  xl_time now = world_now(w), end = xl_time_add(now, a->find.timeout);
  w->ops->timer(w->net, end, find_tag(w, f, TAG_SEARCH_END));
  net_node me = w->fl->devices[device].node;
  if (a->find.multicast || w->tracker == XL_NONE) {
    /* Answers are back after a round trip to the site's switch and on. */
    xl_span rtt = 0;
    const fleet_site *s = &w->fl->sites[w->fl->devices[device].site];
    if (s->ndevices > 1) {
      net_node other = w->fl->devices[s->first_device].node;
      if (other == me) {
        other = w->fl->devices[s->first_device + 1].node;
      }
      rtt = 2 * w->ops->latency(w->net, me, other);
    }
    w->ops->timer(w->net, xl_time_add(now, rtt), find_tag(w, f, TAG_FOUND));
    return;
  }
  w->ops->message(w->net, me, w->fl->services[w->tracker],
                  find_tag(w, f, TAG_FIND));
}

/* At the tracker: wait for its turn, then travel back. */
void discovery_query_arrived(world *w, uint64_t tag) {
  const find_state *f = find_of(w, tag);

  if (f == NULL) {
    return;
  }
  const scn_service *s = &w->scn->services[w->tracker];
  xl_time now = world_now(w), *free_at = &w->service_free[w->tracker];
  *free_at = *free_at < now ? now : *free_at;
  if (s->queries_per_s > 0) {
    *free_at += (xl_span)(1e9 / s->queries_per_s);
  }
  xl_span back = w->ops->latency(w->net, w->fl->services[w->tracker],
                                 w->fl->devices[f->device].node);
  w->ops->timer(w->net, *free_at + back, find_tag(w, f, TAG_FOUND));
}

void discovery_found(world *w, uint64_t tag, bool end) {
  find_state *f = find_of(w, tag);
  xl_peer_info peers[FIND_MAX];

  if (f == NULL) {
    return;
  }
  find_state copy = *f;
  uint32_t max = copy.find.want < FIND_MAX ? copy.find.want : FIND_MAX, n = 0;
  if (w->devices[copy.device].online && (!end || copy.find.multicast)) {
    n = select_peers(w, &copy, peers, max);
  }
  /* A probe listens on until its timeout, unless it has all it wants. */
  bool last = end || !copy.find.multicast || n >= max;
  if (last) {
    f->used = false;
    f->next = w->find_free;
    w->find_free = (uint32_t)(f - w->finds);
  }
  w->control += CONTROL_FOUND * n;
  if (w->devices[copy.device].online) {
    xl_agent_found(world_agent(w, copy.device), copy.search, peers, n, last,
                   world_now(w));
  }
}
