/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree and what stands in it, parents before children:
 *
 *   core --- scenario nodes --- site (its WAN link) --- [switch] --- devices
 *        \-- origins, services      \-- ...
 *
 * A device's link takes half of the LAN's latency, so that two devices of a
 * site are one LAN latency apart. A site whose backbone is limited has a
 * switch for each subnet, joined to the site by a link of the backbone's rate:
 * what stays in a subnet does not cross the backbone, everything else does.
 */
#include <stdlib.h>
#include <string.h>

#include "fleet_build.h"

static net_node node_add(fleet *f, net_node_spec spec) {
  f->nodes[f->nnodes] = spec;
  return f->nnodes++;
}

/* ---- how much of everything -------------------------------------------------
 */

static uint64_t site_devices(const scn_site *s) {
  uint64_t n = 0;

  for (size_t i = 0; i < s->ndevices; i++) {
    n += s->devices[i].count;
  }
  return n;
}

static uint64_t site_subnets(const scn_site *s) {
  uint64_t n = site_devices(s);

  return s->subnet == 0 || n == 0 ? 1 : (n + s->subnet - 1) / s->subnet;
}

static bool has_switches(const scn_site *s) {
  return s->lan_rate != XL_RATE_UNLIMITED;
}

/* Allocates every array at its final size. */
static bool tree_alloc(build *b) {
  const scenario *s = b->scn;
  fleet *f = b->f;
  uint64_t sites = 0, devices = 0, nodes = 1;

  nodes += s->nnodes + s->norigins + s->nservices;
  for (size_t i = 0; i < s->nsites; i++) {
    const scn_site *site = &s->sites[i];
    sites += site->count;
    devices += site->count * site_devices(site);
    nodes += has_switches(site) ? site->count * site_subnets(site) : 0;
  }
  nodes += sites + devices;
  if (nodes > INT32_MAX) {
    return fail_set(b->why, EXIT_USAGE,
                    "%llu sites with %llu devices are too many; at most %d "
                    "nodes fit in a run",
                    (unsigned long long)sites, (unsigned long long)devices,
                    INT32_MAX);
  }
  return (b->node_of = build_alloc(b, s->nnodes, sizeof *b->node_of)) &&
         (f->nodes = build_alloc(b, nodes, sizeof *f->nodes)) &&
         (f->sites = build_alloc(b, sites, sizeof *f->sites)) &&
         (f->devices = build_alloc(b, devices, sizeof *f->devices)) &&
         (f->origins = build_alloc(b, s->norigins, sizeof *f->origins)) &&
         (f->services = build_alloc(b, s->nservices, sizeof *f->services));
}

/* ---- nodes above the sites
 * ---------------------------------------------------- */

/* The scenario's node |name|; scn->nnodes when it is "core", -1 when unknown.
 */
static int64_t node_find(const scenario *s, const char *name) {
  if (name == NULL || strcmp(name, "core") == 0) {
    return (int64_t)s->nnodes;
  }
  for (size_t i = 0; i < s->nnodes; i++) {
    if (strcmp(s->nodes[i].name, name) == 0) {
      return (int64_t)i;
    }
  }
  return -1;
}

static bool no_such_node(build *b, const char *owner, const char *name) {
  const scenario *s = b->scn;
  const char **words = build_alloc(b, s->nnodes + 1, sizeof *words);
  const char *near;

  if (words == NULL) {
    return false;
  }
  for (size_t i = 0; i < s->nnodes; i++) {
    words[i] = s->nodes[i].name;
  }
  words[s->nnodes] = "core";
  near = nearest_word(name, words, s->nnodes + 1);
  free(words);
  return fail_set(b->why, EXIT_USAGE, "%s: no node is named \"%s\"%s%s%s",
                  owner, name, near != NULL ? "; did you mean \"" : "",
                  near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* The fleet's number of the node |name|. */
static bool node_at(build *b, const char *owner, const char *name,
                    net_node *out) {
  int64_t i = node_find(b->scn, name);

  if (i < 0) {
    return no_such_node(b, owner, name);
  }
  *out = i == (int64_t)b->scn->nnodes ? 0 : b->node_of[i];
  return true;
}

/* Adds the scenario's nodes, in whatever order they are written, each after
   its parent: rounds until none is left. */
static bool nodes_add(build *b) {
  const scenario *s = b->scn;
  size_t left = s->nnodes, before = left + 1;

  node_add(b->f, (net_node_spec){.parent = NET_NO_NODE,
                                 .up_Bps = XL_RATE_UNLIMITED,
                                 .down_Bps = XL_RATE_UNLIMITED});
  while (left > 0 && left < before) {
    before = left;
    for (size_t i = 0; i < s->nnodes; i++) {
      const scn_node *n = &s->nodes[i];
      int64_t parent = node_find(s, n->parent);
      if (parent < 0) {
        return no_such_node(b, n->name, n->parent);
      }
      bool placed = parent == (int64_t)s->nnodes || b->node_of[parent] != 0;
      if (b->node_of[i] == 0 && placed) {
        b->node_of[i] = node_add(
            b->f, (net_node_spec){.parent = parent == (int64_t)s->nnodes
                                                ? 0
                                                : b->node_of[parent],
                                  .up_Bps = n->up_Bps,
                                  .down_Bps = n->down_Bps,
                                  .latency = n->latency});
        left--;
      }
    }
  }
  if (left == 0) {
    return true;
  }
  for (size_t i = 0;; i++) {
    if (b->node_of[i] == 0) {
      return fail_set(b->why, EXIT_USAGE,
                      "node %s: its parents form a ring; expected a tree that "
                      "ends at core",
                      s->nodes[i].name);
    }
  }
}

static bool servers_add(build *b) {
  const scenario *s = b->scn;
  fleet *f = b->f;
  net_node at = 0;

  for (uint32_t i = 0; i < s->norigins; i++) {
    const scn_origin *o = &s->origins[i];
    if (!node_at(b, o->name, o->at, &at)) {
      return false;
    }
    f->origins[f->norigins++] = (fleet_origin){
        .node = node_add(f, (net_node_spec){.parent = at,
                                            .up_Bps = o->rate_Bps,
                                            .down_Bps = XL_RATE_UNLIMITED,
                                            .latency = o->latency,
                                            .host = true}),
        .origin = i};
  }
  for (size_t i = 0; i < s->nservices; i++) {
    const scn_service *v = &s->services[i];
    if (!node_at(b, v->name, v->at, &at)) {
      return false;
    }
    f->services[f->nservices++] =
        node_add(f, (net_node_spec){.parent = at,
                                    .up_Bps = XL_RATE_UNLIMITED,
                                    .down_Bps = XL_RATE_UNLIMITED,
                                    .latency = v->latency,
                                    .host = true});
  }
  return true;
}

/* ---- sites and devices
 * ---------------------------------------------------------- */

/* Numbers names in the order in which site classes bring them: equal names are
   equal numbers. XL_NONE for NULL. |field| gives the name of a class. */
static uint32_t name_number(const scenario *s, size_t cls,
                            const char *(*field)(const scn_site *)) {
  const char *name = field(&s->sites[cls]);
  uint32_t number = 0;

  if (name == NULL) {
    return XL_NONE;
  }
  for (size_t i = 0; i < cls; i++) {
    const char *other = field(&s->sites[i]);
    bool fresh = other != NULL;
    if (other != NULL && strcmp(other, name) == 0) {
      return name_number(s, i, field);
    }
    for (size_t j = 0; fresh && j < i; j++) {
      const char *earlier = field(&s->sites[j]);
      fresh = earlier == NULL || strcmp(earlier, other) != 0;
    }
    number += fresh;
  }
  return number;
}

static const char *group_of(const scn_site *s) {
  return s->group;
}
static const char *domain_of(const scn_site *s) {
  return s->domain;
}

static uint64_t site_key(const build *b, const scn_site *s, uint32_t index) {
  uint64_t key = rng_key(b->f->seed, "site");

  return rng_fold(rng_fold_text(key, s->name), index);
}

static uint64_t device_key(const build *b, const scn_site *s, uint32_t index,
                           const char *cls, uint32_t number) {
  uint64_t key = rng_key(b->f->seed, "device");

  key = rng_fold(rng_fold_text(key, s->name), index);
  return rng_fold(rng_fold_text(key, cls), number);
}

static bool class_find(build *b, const scn_site *s, const char *name,
                       uint32_t *out) {
  for (uint32_t i = 0; i < b->scn->nclasses; i++) {
    if (strcmp(b->scn->classes[i].name, name) == 0) {
      *out = i;
      return true;
    }
  }
  return fail_set(b->why, EXIT_USAGE,
                  "site %s: no class of devices is named \"%s\"", s->name,
                  name);
}

/* What is random about one device. */
static void device_draw(fleet_device *d, const scn_class *c) {
  double down = build_draw(d->key, "down", &c->down);
  double up = build_draw(d->key, "up", &c->up);

  d->down_Bps = build_rate(down);
  d->up_Bps = build_rate(c->up_is_ratio ? up * down : up);
  d->cap_Bps = build_rate(build_draw(d->key, "cap", &c->cap));
  d->metered = build_unit(d->key, "metered", "") < c->metered;
  d->vpn = build_unit(d->key, "vpn", "") < c->vpn;
  d->always_online = c->always_online;
}

/* A site being filled. */
typedef struct filling {
  const scn_site *scn;
  uint32_t site;   /* number in the fleet */
  uint32_t placed; /* devices so far */
  net_node under;  /* where its next device goes */
  xl_span latency; /* of a device's link */
  uint32_t group, domain;
} filling;

/* Every |subnet| devices a new subnet begins, and with it a new switch. */
static void subnet_begin(fleet *f, filling *s) {
  bool first = s->placed == 0;

  if (!first && (s->scn->subnet == 0 || s->placed % s->scn->subnet != 0)) {
    return;
  }
  f->nsubnets++;
  if (has_switches(s->scn)) {
    s->under = node_add(f, (net_node_spec){.parent = f->sites[s->site].node,
                                           .up_Bps = s->scn->lan_rate,
                                           .down_Bps = s->scn->lan_rate});
  }
}

static void device_add(build *b, filling *s, uint32_t cls, uint32_t index) {
  fleet *f = b->f;
  const scn_class *c = &b->scn->classes[cls];
  fleet_device *d = &f->devices[f->ndevices++];

  subnet_begin(f, s);
  d->site = s->site;
  d->cls = cls;
  d->index = index;
  d->key = device_key(b, s->scn, f->sites[s->site].index, c->name, index);
  d->subnet = f->nsubnets - 1;
  d->group = s->group;
  d->domain = s->domain;
  device_draw(d, c);
  d->node = node_add(f, (net_node_spec){.parent = s->under,
                                        .up_Bps = d->up_Bps,
                                        .down_Bps = d->down_Bps,
                                        .latency = s->latency,
                                        .host = true});
  s->placed++;
}

/* Devices of one class are counted through, also when it is listed twice. */
static bool devices_add(build *b, filling *s) {
  const scn_site *scn = s->scn;

  for (size_t i = 0; i < scn->ndevices; i++) {
    uint32_t cls = 0, index = 0;
    if (!class_find(b, scn, scn->devices[i].cls, &cls)) {
      return false;
    }
    for (size_t j = 0; j < i; j++) {
      if (strcmp(scn->devices[j].cls, scn->devices[i].cls) == 0) {
        index += scn->devices[j].count;
      }
    }
    for (uint32_t k = 0; k < scn->devices[i].count; k++) {
      device_add(b, s, cls, index + k);
    }
  }
  return true;
}

static bool site_add(build *b, uint32_t cls, uint32_t index, net_node at,
                     filling *s) {
  fleet *f = b->f;
  const scn_site *scn = s->scn;
  fleet_site *site = &f->sites[f->nsites];
  uint64_t key = site_key(b, scn, index);

  *site = (fleet_site){.cls = cls, .index = index, .first_device = f->ndevices};
  site->node = node_add(
      f,
      (net_node_spec){
          .parent = at,
          .up_Bps = build_rate(build_draw(key, "wan up", &scn->wan_up)),
          .down_Bps = build_rate(build_draw(key, "wan down", &scn->wan_down)),
          .latency =
              build_span(build_draw(key, "wan latency", &scn->wan_latency))});
  s->site = f->nsites++;
  s->under = site->node;
  s->latency =
      build_span(build_draw(key, "lan latency", &scn->lan_latency)) / 2;
  s->placed = 0;
  if (!devices_add(b, s)) {
    return false;
  }
  site->ndevices = f->ndevices - site->first_device;
  return true;
}

bool build_tree(build *b) {
  const scenario *s = b->scn;

  if (!tree_alloc(b) || !nodes_add(b) || !servers_add(b)) {
    return false;
  }
  for (uint32_t i = 0; i < s->nsites; i++) {
    net_node at = 0;
    filling site = {.scn = &s->sites[i],
                    .group = name_number(s, i, group_of),
                    .domain = name_number(s, i, domain_of)};
    if (!node_at(b, s->sites[i].name, s->sites[i].at, &at)) {
      return false;
    }
    if (site.group != XL_NONE && site.group >= b->f->ngroups) {
      b->f->ngroups = site.group + 1;
    }
    for (uint32_t j = 0; j < s->sites[i].count; j++) {
      if (!site_add(b, i, j, at, &site)) {
        return false;
      }
    }
  }
  return true;
}
