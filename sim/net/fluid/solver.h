/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted max-min fair rates, kept up to date under every change of flows,
 * caps and capacities. It knows links and flows by number, and no topology.
 *
 * The allocation. Link l of capacity C_l has a level L_l, infinite when it is
 * not full. A flow of weight w and cap c has the normalised cap k = c / w and
 *   rho  = min(k, L_l over its links)      rate = w * rho
 * L_l is the one x for which sum of w * min(x, limit of the flow elsewhere)
 * is C_l. Levels that agree on all links are the weighted max-min allocation
 * (Bertsekas and Gallager, Data Networks, 6.5.2): docs/fluid.md has the proof.
 *
 * Time comes in integer ns. What changes at one instant is solved once, when
 * the next completion is asked for. A flow ends at its exact time rounded to
 * the nearest ns.
 *
 * Fast mode lets a link keep its level p while p <= x <= p * (1 + epsilon),
 * and lowers the new one to x / (1 + epsilon / 2): no link is ever above its
 * capacity, and no flow more than its share of epsilon too slow.
 */
#ifndef NET_FLUID_SOLVER_H
#define NET_FLUID_SOLVER_H

#include <xl/types.h>

typedef struct fl fl;

#define FL_PATH_MAX 200 /* links on a path */

typedef struct fl_config {
  uint32_t path_max; /* links on a path, at most FL_PATH_MAX */
  uint32_t hot_min;  /* a full link with more flows is hot; FL_HOT_MIN */
  double epsilon;    /* 0: exact */
  /* One solve goes over to the sweep after |steps| evaluations that are also
     |budget| for each link it met. 0, 0: always the sweep. */
  uint32_t steps, budget;
} fl_config;

#define FL_HOT_MIN 32 /* 64 is 1.5 times slower in sites, 16 no faster */
#define FL_STEPS 64
#define FL_BUDGET 8

/* What it cost, since fl_new. */
typedef struct fl_stats {
  uint64_t solves;          /* instants with a change */
  uint64_t evaluations;     /* of a link's level */
  uint64_t visits;          /* flows looked at for a level */
  uint64_t updates;         /* flows whose rate or reserve changed */
  uint64_t sweeps;          /* solves that ran out of budget */
  uint64_t evaluations_max; /* in one solve */
  double shortfall_max; /* fast mode: (x - p) / x of the levels p kept, where
                           x is exact for the other levels; <= epsilon */
} fl_stats;

fl *fl_new(const fl_config *config);
void fl_del(fl *s); /* NULL is fine */

/* Links are numbered 0, 1, ... Capacities in bytes per second, finite. */
uint32_t fl_link_add(fl *s, double capacity);
void fl_link_set(fl *s, xl_time now, uint32_t link, double capacity);

/* Declares flow |id|: idle. Links are distinct. |cap| may be INFINITY. */
void fl_flow_init(fl *s, uint32_t id, const uint32_t *links, uint32_t n,
                  double cap, double weight);
/* One more link on the path of a flow, idle or not. */
void fl_flow_extend(fl *s, xl_time now, uint32_t id, uint32_t link);
void fl_flow_start(fl *s, xl_time now, uint32_t id, xl_bytes bytes);
/* Ends it now; it is idle. */
void fl_flow_stop(fl *s, xl_time now, uint32_t id);
void fl_flow_shape(fl *s, xl_time now, uint32_t id, double cap, double weight);
bool fl_flow_runs(const fl *s, uint32_t id);
/* Bytes that have arrived by |now|, whole ones; less than all of them. */
xl_bytes fl_flow_arrived(fl *s, xl_time now, uint32_t id);
/* Bytes per second; solves what is pending. */
double fl_flow_rate(fl *s, uint32_t id);

/* The next completion; XL_NEVER. Solves what is pending. */
xl_time fl_next(fl *s);
/* Takes the flows that end at |at|, which is fl_next(), in the order of their
   starts: they are idle now. Returns how many, which may be 0; fl_taken names
   them until the next call. */
size_t fl_take(fl *s, xl_time at);
uint32_t fl_taken(const fl *s, size_t i);

double fl_level(const fl *s, uint32_t link); /* of the last solve */
const fl_stats *fl_cost(const fl *s);

/* Checks, after a solve, from scratch: no link above its capacity, each flow
   at its cap or at a full link (within epsilon), and that the sums kept are
   right. False, |what| says what is wrong. Cost: everything. */
bool fl_check(fl *s, char *what, size_t len);

#endif
