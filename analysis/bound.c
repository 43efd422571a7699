/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lower bound on the makespan (references 1.1), over every schedule that
 * any policy could follow on these devices, sites, origins and arrivals.
 *
 * All terms are one argument. Choose a cut of the network and an instant a;
 * let B be bytes that must cross the cut and that nobody asks for before a;
 * let C be the largest capacity of the cut during the run. Then the last job
 * ends no earlier than a + B / C. Latency, rate caps of single transfers,
 * background load, churn and outages only take capacity away, so they leave
 * the bound valid. What varies from term to term is the cut:
 *
 *   a need      one content on one device that does not hold it at the start
 *               and asks for it at a (its first job with this content); it
 *               crosses the device's own link at least once
 *   a copy      one content needed outside a set of places that hold it; it
 *               leaves that set at least once, after the first need
 *
 * Only devices that hold or need something can upload: nothing else ever has
 * bytes. Origins hold everything and stand outside all sites. There are no
 * cache servers in this schema; with them, their links join the sources.
 */
#include "analysis/summary.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "analysis/alloc.h"
#include "analysis/arrived.h"
#include "analysis/needs.h"

/* A sum of capacities from which one may be taken away again. */
typedef struct capacity {
  double finite;
  size_t unlimited;
} capacity;

static void capacity_add(capacity *c, double rate) {
  if (isinf(rate)) {
    c->unlimited++;
  } else {
    c->finite += rate;
  }
}

static void capacity_take(capacity *c, double rate) {
  if (isinf(rate)) {
    c->unlimited--;
  } else {
    c->finite -= rate;
  }
}

static double capacity_rate(capacity c) {
  return c.unlimited > 0 ? INFINITY : c.finite;
}

static double rate_of(uint64_t Bps) {
  return Bps == UINT64_MAX ? INFINITY : (double)Bps;
}

/* Everything the terms look at. Arrays over sites have one entry more, for
   devices whose site is not in the table: it is never a cut. */
typedef struct world {
  const tables *tb;
  needs needs;
  capacity origins;  /* uplinks of all origins */
  capacity uploads;  /* of devices that hold or need something */
  capacity *site_up; /* the same, per site */
  double *rate;      /* scratch, per group of a cut */
  double best;
  enum bound_term term;
} world;

static void offer(world *w, enum bound_term term, int64_t at, uint64_t bytes,
                  double rate) {
  double t = (double)(at - w->needs.release) / 1e9;

  if (bytes > 0) {
    t += (double)bytes / rate;
  }
  if (t > w->best) {
    w->best = t;
    w->term = term;
  }
}

/* Bytes that cross the cut of a group, not asked for before |at|. */
typedef struct crossing {
  int64_t at;
  uint64_t bytes;
  uint32_t group;
} crossing;

static int by_group_latest_first(const void *a, const void *b) {
  const crossing *x = a, *y = b;

  if (x->group != y->group) {
    return x->group < y->group ? -1 : 1;
  }
  return (x->at < y->at) - (x->at > y->at);
}

/* For each group and each instant: what is asked for from then on, over the
   group's rate. Sorts |c|. */
static void offer_suffixes(world *w, enum bound_term term, crossing *c,
                           size_t n, const double *rate) {
  uint64_t bytes = 0;

  qsort(c, n, sizeof *c, by_group_latest_first);
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && c[i].group != c[i - 1].group) {
      bytes = 0;
    }
    bytes += c[i].bytes;
    offer(w, term, c[i].at, bytes, rate[c[i].group]);
  }
}

/* ---- cuts around devices and sites --------------------------------------- */

enum grouping { ALL, BY_SITE, BY_DEVICE };

static crossing *crossings_of_needs(const needs *ns, enum grouping by) {
  crossing *c = alloc_array(ns->n, sizeof *c);

  for (size_t i = 0; i < ns->n; i++) {
    const need *n = &ns->need[i];
    uint32_t group = by == ALL ? 0 : by == BY_SITE ? n->site : n->device;
    c[i] = (crossing){n->at, n->bytes, group};
  }
  return c;
}

/* A device: its needs cross its own link. And whatever reaches it crosses its
   site's uplink or leaves another device of the site. */
static void offer_devices(world *w) {
  const row_devices *d = TABLE_OF(w->tb, DEVICES, devices);
  const row_sites *s = TABLE_OF(w->tb, SITES, sites);
  crossing *c = crossings_of_needs(&w->needs, BY_DEVICE);

  for (size_t i = 0; i < w->needs.ndevices; i++) {
    w->rate[i] = rate_of(d[i].down_Bps);
  }
  offer_suffixes(w, BOUND_DEVICE_DOWN, c, w->needs.n, w->rate);
  for (size_t i = 0; i < w->needs.ndevices; i++) {
    uint32_t site = w->needs.site[i];
    w->rate[i] = INFINITY;
    if (site < w->needs.nsites && w->needs.takes_part[i]) {
      capacity into = w->site_up[site];
      capacity_take(&into, rate_of(d[i].up_Bps));
      capacity_add(&into, rate_of(s[site].wan_down_Bps));
      w->rate[i] = capacity_rate(into);
    }
  }
  offer_suffixes(w, BOUND_SITE_TOTAL, c, w->needs.n, w->rate);
  free(c);
}

/* A site: all its needs cross its uplink or leave one of its devices. */
static void offer_sites(world *w) {
  const row_sites *s = TABLE_OF(w->tb, SITES, sites);
  crossing *c = crossings_of_needs(&w->needs, BY_SITE);

  for (size_t i = 0; i < w->needs.nsites; i++) {
    capacity into = w->site_up[i];
    capacity_add(&into, rate_of(s[i].wan_down_Bps));
    w->rate[i] = capacity_rate(into);
  }
  w->rate[w->needs.nsites] = INFINITY;
  offer_suffixes(w, BOUND_SITE_TOTAL, c, w->needs.n, w->rate);
  free(c);
}

/* The world: all needs leave an origin or a device (Kumar & Ross 2006); those
   from the k-th arrival on, after it. */
static void offer_total(world *w) {
  crossing *c = crossings_of_needs(&w->needs, ALL);
  capacity all = w->uploads;
  size_t n = w->needs.n;
  uint64_t bytes = 0;

  capacity_add(&all, capacity_rate(w->origins));
  qsort(c, n, sizeof *c, by_group_latest_first);
  for (size_t i = 0; i < n; i++) {
    bytes += c[i].bytes;
    offer(w, c[i].at > c[n - 1].at ? BOUND_ARRIVALS : BOUND_TOTAL_UPLOAD,
          c[i].at, bytes, capacity_rate(all));
  }
  free(c);
}

/* ---- cuts around copies -------------------------------------------------- */

/* A content that no device of a site holds crosses the site's uplink once. All
   these copies together leave an origin or cross the uplink of a site where
   somebody uploads. Peers of other sites count: the bound is over every policy,
   whatever its scope. */
static void offer_site_copies(world *w) {
  const row_sites *s = TABLE_OF(w->tb, SITES, sites);
  size_t n, nsites = w->needs.nsites;
  copy *copies = needs_site_copies(&w->needs, &n);
  crossing *c = alloc_array(n, sizeof *c);
  capacity senders = {0, 0};

  for (size_t i = 0; i < nsites; i++) {
    w->rate[i] = rate_of(s[i].wan_down_Bps);
    capacity_add(&senders,
                 fmin(rate_of(s[i].wan_up_Bps), capacity_rate(w->site_up[i])));
  }
  w->rate[nsites] = INFINITY;
  for (size_t i = 0; i < n; i++) {
    c[i] = (crossing){copies[i].at, copies[i].bytes, copies[i].site};
  }
  offer_suffixes(w, BOUND_SITE_COPY, c, n, w->rate);

  capacity_add(&senders, capacity_rate(w->origins));
  capacity_add(&senders, capacity_rate(w->site_up[nsites]));
  w->rate[0] = capacity_rate(senders);
  for (size_t i = 0; i < n; i++) {
    bool enters = copies[i].site < nsites;
    c[i] = (crossing){copies[i].at, enters ? copies[i].bytes : 0, 0};
  }
  offer_suffixes(w, BOUND_ORIGIN_SITES, c, n, w->rate);
  free(c);
  free(copies);
}

/* One copy of a content leaves the origins and the devices that hold it at the
   start. So do the copies of several contents together leave the union of
   their holders: taken over the contents first asked for at or after an
   instant, all of them and those that no device holds. */
static void offer_first_copies(world *w) {
  const row_devices *d = TABLE_OF(w->tb, DEVICES, devices);
  size_t n;
  copy *copies = needs_first_copies(&w->needs, &n); /* latest first */
  bool *counted = alloc_array(w->needs.ndevices, sizeof *counted);
  double origins = capacity_rate(w->origins);
  capacity together = w->origins;
  uint64_t bytes = 0, unheld = 0;

  for (size_t i = 0; i < n; i++) {
    capacity alone = w->origins;
    size_t nholders;
    const hold *h = needs_holders(&w->needs, copies[i].content, &nholders);
    for (size_t k = 0; k < nholders; k++) {
      double up = rate_of(d[h[k].device].up_Bps);
      capacity_add(&alone, up);
      if (!counted[h[k].device]) {
        counted[h[k].device] = true;
        capacity_add(&together, up);
      }
    }
    bytes += copies[i].bytes;
    unheld += nholders == 0 ? copies[i].bytes : 0;
    offer(w, BOUND_ORIGIN, copies[i].at, copies[i].bytes, capacity_rate(alone));
    offer(w, BOUND_ORIGIN, copies[i].at, bytes, capacity_rate(together));
    offer(w, BOUND_ORIGIN, copies[i].at, unheld, origins);
  }
  free(counted);
  free(copies);
}

/* ---- all ----------------------------------------------------------------- */

static void capacities(world *w) {
  const row_devices *d = TABLE_OF(w->tb, DEVICES, devices);
  const row_origins *o = TABLE_OF(w->tb, ORIGINS, origins);

  for (size_t i = 0; i < TABLE_N(w->tb, ORIGINS); i++) {
    capacity_add(&w->origins, rate_of(o[i].rate_Bps));
  }
  for (size_t i = 0; i < w->needs.ndevices; i++) {
    if (w->needs.takes_part[i]) {
      capacity_add(&w->uploads, rate_of(d[i].up_Bps));
      capacity_add(&w->site_up[w->needs.site[i]], rate_of(d[i].up_Bps));
    }
  }
}

double bound_makespan_s(const tables *tb, enum bound_term *binding) {
  world w = {.tb = tb, .term = BOUND_NONE};

  needs_init(&w.needs, tb);
  size_t nsites = w.needs.nsites, ndevices = w.needs.ndevices;
  w.site_up = alloc_array(nsites + 1, sizeof *w.site_up);
  w.rate =
      alloc_array((nsites > ndevices ? nsites : ndevices) + 1, sizeof *w.rate);
  capacities(&w);

  offer_first_copies(&w);
  if (w.needs.njobs > 0) { /* no job ends before it arrives */
    offer(&w, BOUND_DEVICE_DOWN, w.needs.last_arrival, 0, INFINITY);
  }
  offer_devices(&w);
  offer_total(&w);
  offer_site_copies(&w);
  offer_sites(&w);

  free(w.rate);
  free(w.site_up);
  needs_fini(&w.needs);
  *binding = w.term;
  return w.best;
}
