/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fleet under construction: what sim/fleet*.c share. The parts are built in
 * the order of the functions below; each needs the ones before it. On failure
 * they return false, |why| is filled and what is there belongs to the fleet.
 */
#ifndef SIM_FLEET_BUILD_H
#define SIM_FLEET_BUILD_H

#include "fleet.h"

typedef struct build {
  const scenario *scn;
  fleet *f;
  fail *why;
  net_node *node_of; /* number of each of the scenario's nodes */
} build;

bool build_tree(build *b);    /* nodes, sites, devices, origins, services */
bool build_holds(build *b);   /* holds */
bool build_tasks(build *b);   /* tasks */
bool build_changes(build *b); /* online, changes */

/* ---- what a name in the scenario stands for -------------------------------
 */

typedef enum target_kind {
  TARGET_ORIGIN, /* "cdn-a" */
  TARGET_NODE,   /* "de" */
  TARGET_SITES,  /* "branch" (all of them), "branch[3]" */
  TARGET_DEVICES /* "branch[3].pc" (all of them), "branch[3].pc[0]" */
} target_kind;

typedef struct target {
  target_kind kind;
  uint32_t begin, end; /* ORIGIN: [begin, end) of fleet->origins; NODE: of
                          fleet->nodes; otherwise of fleet->sites */
  uint32_t cls;        /* DEVICES: class in the scenario; index in the site, */
  uint32_t index;      /* XL_NONE: every one */
} target;

/* |who| names the asker in the error text: "fault 2". */
bool build_target(build *b, const char *who, const char *name, target *out);
/* Whether |device| is one of |t|'s devices, or at one of its sites. */
bool target_has(const target *t, const fleet_device *device);

/* ---- draws ------------------------------------------------------------------
 */

/* The uniform number, or the draw, of |purpose| (and |name|, or "") of the
   device, site, ... whose key is |key|. */
double build_unit(uint64_t key, const char *purpose, const char *name);
double build_draw(uint64_t key, const char *purpose, const dist *d);

xl_rate build_rate(double Bps); /* at least 1; 2^63 and more is unlimited */
xl_span build_span(double ns);  /* at least 0; 2^63 and more is XL_NEVER */

/* ---- memory
 * ------------------------------------------------------------------- */

/* |n| zeroed items, or NULL with |why| filled. Never NULL for 0 items. */
void *build_alloc(build *b, size_t n, size_t size);
/* |items| with room for one more than |n|; NULL with |why| filled, |items| then
   stays good. */
void *build_grow(build *b, void *items, uint32_t *cap, uint32_t n, size_t size);

#endif
