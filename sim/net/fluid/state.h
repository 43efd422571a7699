/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The solver's state, for its own files.
 *
 * A link is slack (level infinite), cold (a finite level, all of its flows are
 * read when it is evaluated) or hot (a finite level and more than hot_min
 * flows, kept in heaps: hot.c).
 *
 * What a link knows of its flows:
 *   slack  U = sum of w * r, where r >= rho is what the flow counts for; so a
 *          change that keeps U below C needs no evaluation
 *   cold   nothing: it is read again
 *   hot    which flows are limited here (B) and which elsewhere (R)
 * r = rho, but for a lazy flow: one that is limited by a hot link and has only
 * slack links otherwise. It counts for a reserve above its rate, and changes
 * of the hot link's level below that reserve do not touch it.
 *
 * A flow that is limited by link b has a finish tag: it ends when the virtual
 * time V of b reaches it; dV/dt is the level. A flow at its cap has what
 * remained at t0 in its place.
 */
#ifndef NET_FLUID_STATE_H
#define NET_FLUID_STATE_H

#include <math.h>

#include "net/fluid/pages.h"
#include "net/fluid/heap.h"
#include "net/fluid/solver.h"

#define NOWHERE UINT32_MAX
#define B_CAP 254u  /* flow.b: limited by its cap */
#define B_NONE 255u /* not running */

#define SAME 1e-13  /* levels that differ less are the same */
#define SLACK 1e-12 /* a link over its capacity by less is not full */

enum { SET_NONE, SET_R, SET_LAZY, SET_K };

/* A flow at one link of its path. */
typedef struct fl_hop {
  uint32_t link;
  uint32_t pos;   /* in the link's list */
  uint32_t place; /* in the set, when the link is hot */
  uint32_t set;
} fl_hop;

typedef struct fl_flow {
  double tag;
  double r;
  double w;
  double k;
  xl_time t0;
  xl_bytes size;
  uint64_t seq;    /* of its start */
  uint32_t tplace; /* in the heap of tags or of capped flows */
  uint8_t np;      /* links */
  uint8_t b;       /* hop, B_CAP or B_NONE */
  fl_hop hops[];
} fl_flow;

typedef struct fl_entry {
  uint32_t flow, hop;
} fl_entry;

typedef struct fl_link {
  double C, U, V;
  xl_time tV;     /* V is of then */
  uint32_t first; /* of its list in the pool of entries */
  uint32_t n, room;
  uint32_t hplace; /* in the heap of links; NOWHERE */
  uint32_t hot;    /* number of its sets; NOWHERE */
  uint32_t stamp;  /* of the solve that evaluated it last */
  bool queued, touched, dirty, final;
} fl_link;

/* The sets of a hot link. */
typedef struct fl_hot {
  heap R;      /* limited elsewhere, by -r */
  heap lazy;   /* limited here and lazy, by r */
  heap tags;   /* limited here, by tag */
  fl_entry *K; /* limited here and coupled: other links are full */
  size_t nK, capK;
  double UR, lost; /* their sum: sum of w*r over R */
  double WB;       /* sum of w over lazy and K */
  uint32_t ops;    /* since both were summed */
  uint32_t next;   /* free one */
} fl_hot;

typedef struct fl_end {
  uint64_t seq;
  uint32_t id;
} fl_end;

typedef struct fl_queue {
  uint32_t *at;
  size_t cap, head, n;
} fl_queue;

struct fl {
  fl_config cfg;
  xl_time now;
  xl_time base; /* of the keys of next_link and next_capped */
  pages flows_, links_, levels_, pool_;
  char *flows;
  size_t stride, nflows;
  fl_link *links;
  double *L;
  uint32_t nlinks;
  fl_entry *pool;
  size_t pool_n;
  uint32_t pool_free[32]; /* lists of free blocks of 4 << class entries */
  fl_hot *hots;
  size_t nhots, hot_cap;
  uint32_t hot_free;
  fl_queue cold, hot;
  heap order;    /* queued links by level, once a solve is long */
  bool by_level; /* it is */
  bool sweeping;
  uint32_t stamp;
  uint32_t *touched;
  size_t ntouched, touched_cap;
  heap next_link, next_capped; /* by time */
  uint64_t seq;
  double *lim; /* scratch: limit and weight of each flow of a link */
  size_t lim_cap;
  double *sweep_c;       /* by link, of the sweep */
  uint32_t *sweep_place; /* by link, of the sweep */
  size_t sweep_cap, sweep_pcap;
  fl_entry *moved; /* scratch */
  size_t nmoved, moved_cap;
  fl_end *ended;
  size_t nended, ended_cap;
  bool pending; /* something changed since the last solve */
  fl_stats stats;
};

static inline fl_flow *flow_at(const fl *s, uint32_t id) {
  void *at = s->flows + (size_t)id * s->stride;
  return at;
}

static inline fl_entry *list_of(const fl *s, const fl_link *l) {
  return s->pool + l->first;
}

static inline bool is_hot(const fl *s, uint32_t link) {
  return s->links[link].hot != NOWHERE;
}

static inline bool is_lazy(const fl_flow *f) {
  return f->b < f->np && f->hops[f->b].set == SET_LAZY;
}

/* A level that differs from |L| by rounding only. */
static inline bool same(double x, double L) {
  return x == L || (x > L * (1 - SAME) && x < L * (1 + SAME));
}

/* The limit of |f| but for its link number |but|. */
static inline double limit(const fl *s, const fl_flow *f, unsigned but) {
  double lim = f->k;

  for (unsigned i = 0; i < f->np; i++) {
    double L = s->L[f->hops[i].link];
    lim = i != but && L < lim ? L : lim;
  }
  return lim;
}

/* The link number that limits |f|, were it not for |but|; or B_CAP. */
static inline unsigned limiter(const fl *s, const fl_flow *f, unsigned but) {
  double lim = f->k;
  unsigned b = B_CAP;

  for (unsigned i = 0; i < f->np; i++) {
    double L = s->L[f->hops[i].link];
    if (i != but && L < lim) {
      lim = L;
      b = i;
    }
  }
  return b;
}

static inline double fl_epsilon(const fl *s, const fl_link *l) {
  double most = 20.0 / (l->n + 1);

  return s->cfg.epsilon < most ? s->cfg.epsilon : most;
}

/* Remembers that a link that could have level |x| has |p|. */
static inline void fl_short(fl *s, double x, double p) {
  double share = (x - p) / x;

  if (x < INFINITY && share > s->stats.shortfall_max) {
    s->stats.shortfall_max = share;
  }
}

/* Fetches the first flows of |l| into the cache. */
static inline void fl_fetch_flows(const fl *s, uint32_t l) {
  const fl_link *k = &s->links[l];

  for (uint32_t j = 0; j < k->n && j < 6; j++) {
    const fl_flow *f = flow_at(s, list_of(s, k)[j].flow);
    __builtin_prefetch(f);
    __builtin_prefetch(f->hops);
  }
}

/* ---- clock.c ---- */

/* Virtual time of |l| now. */
static inline double virtual_time(const fl *s, uint32_t l) {
  const fl_link *k = &s->links[l];
  double L = s->L[l];

  return k->tV == s->now || L == INFINITY
             ? k->V
             : k->V + (double)(s->now - k->tV) * 1e-9 * L;
}
double fl_left(const fl *s, const fl_flow *f);
/* Moves |f| to bottleneck |b| and its tag with it. */
void fl_retag(fl *s, uint32_t id, fl_flow *f, unsigned b);
/* Stops the clock of |f|: tag is what remains. */
void fl_untag(fl *s, uint32_t id, fl_flow *f);
/* The level of |l| is |L| from now on. */
void fl_level_set(fl *s, uint32_t l, double L);
/* The time of its next completion is to be looked at. */
void fl_touch(fl *s, uint32_t l);
void fl_clock_update(fl *s);
/* Solves what is pending and lets time pass. */
void fl_at(fl *s, xl_time now);

/* ---- solver.c ---- */

/* Takes |f| off its links; it is idle. */
void fl_drop(fl *s, uint32_t id, fl_flow *f);

/* ---- level.c ---- */

/* The limits of all flows of |l| but for |l|, in s->lim, and its level. */
double fl_waterfill(fl *s, uint32_t l);
/* Gives |l|, slack or cold, level |x|; s->lim is of now. */
void fl_cold_level(fl *s, uint32_t l, double x);
/* Sums again what the flows of |k| count for. */
void fl_sum(fl *s, fl_link *k);
void fl_evaluate(fl *s, uint32_t l);
/* |f| is limited by |b| to |rho| from now on; links that this concerns are
   queued, but for |by|. */
void fl_set(fl *s, uint32_t id, fl_flow *f, unsigned b, double rho,
            uint32_t by);
/* What |f| counts for at its links becomes |r|. */
void fl_apply(fl *s, uint32_t id, fl_flow *f, double r, uint32_t by);

/* ---- hot.c ---- */

void fl_heat(fl *s, uint32_t l);
void fl_cool(fl *s, uint32_t l);
void fl_hot_evaluate(fl *s, uint32_t l);
/* |f| joined or left the list of hot link |l|. */
void fl_hot_add(fl *s, uint32_t id, fl_flow *f, unsigned i);
void fl_hot_remove(fl *s, fl_flow *f, unsigned i);
/* R of hop |i| counts |r| for it. */
void fl_hot_rekey(fl *s, fl_flow *f, unsigned i, double r);
/* Between B and R of hop |i|. */
void fl_hot_enter(fl *s, uint32_t id, fl_flow *f, unsigned i);
void fl_hot_leave(fl *s, uint32_t id, fl_flow *f, unsigned i, double rho);
/* Decides lazy or coupled; returns what it is to count for. */
double fl_hot_settle(fl *s, uint32_t id, fl_flow *f, double rho);
/* A lazy flow is coupled from now on. */
void fl_hot_couple(fl *s, uint32_t id, fl_flow *f);

/* ---- order.c ---- */

void fl_queue_link(fl *s, uint32_t l);
void fl_solve(fl *s);
void fl_sweep(fl *s);
/* The links that are queued, in order; NOWHERE when none. */
uint32_t fl_queue_take(fl *s);

#endif
