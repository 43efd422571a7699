/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The solver against progressive filling, after every event of random scripts:
   rates, the next completion, no link above its capacity, the sums it keeps. */
#include "reference.h"

#define SCRIPTS 10000
#define EVENTS 40

typedef struct script {
  uint64_t state;
  fl *s;
  ref r;
  xl_time now;
  bool ties; /* capacities and caps are small integers, weights 1 or 2 */
  uint32_t id;
  const fl_config *config;
} script;

static double worst; /* relative error of a rate */
static unsigned failed;

static double capacity(script *t) {
  if (draw(&t->state, 25) == 0) {
    return 0;
  }
  return t->ties ? (double)(1 + draw(&t->state, 4)) * 1e6
                 : 1e6 * pow(10, draw_real(&t->state, -1, 1));
}

static double cap(script *t) {
  if (draw(&t->state, 3) > 0) {
    return INFINITY;
  }
  if (draw(&t->state, 30) == 0) {
    return 0;
  }
  return t->ties ? (double)(1 + draw(&t->state, 4)) * 5e5
                 : 1e6 * pow(10, draw_real(&t->state, -1.5, 0.5));
}

static double weight(script *t) {
  if (draw(&t->state, 3) > 0) {
    return 1;
  }
  return t->ties ? 2 : draw_real(&t->state, 0.1, 5);
}

/* Up and down links of hosts, then of sites, then one core link. */
static uint32_t tree_path(script *t, uint32_t *path) {
  uint32_t hosts = (t->r.nlinks - 1) / 4, sites = hosts / 2, n = 0;
  uint32_t a = (uint32_t)draw(&t->state, hosts);
  uint32_t b = (uint32_t)draw(&t->state, hosts);

  path[n++] = 2 * a;
  if (sites > 0 && a % sites != b % sites) {
    path[n++] = 2 * hosts + 2 * (a % sites);
    if (draw(&t->state, 2) == 0) {
      path[n++] = t->r.nlinks - 1;
    }
    path[n++] = 2 * hosts + 2 * (b % sites) + 1;
  }
  path[n++] = 2 * b + 1;
  return n;
}

static uint32_t any_path(script *t, uint32_t *path) {
  uint32_t want = 1 + (uint32_t)draw(&t->state, 6), n = 0;

  while (n < want && n < t->r.nlinks) {
    uint32_t l = (uint32_t)draw(&t->state, t->r.nlinks);
    bool twice = false;
    for (uint32_t i = 0; i < n; i++) {
      twice = twice || path[i] == l;
    }
    if (!twice) {
      path[n++] = l;
    }
  }
  return n;
}

static void begin(script *t, uint32_t id, const fl_config *config) {
  *t = (script){.state = id, .id = id, .config = config};
  t->ties = draw(&t->state, 2) == 0;
  t->s = fl_new(config);
  bool tree = draw(&t->state, 2) == 0;
  t->r.nlinks = tree ? 5 + (uint32_t)draw(&t->state, 30)
                     : 2 + (uint32_t)draw(&t->state, 11);
  t->r.nflows = 4 + (uint32_t)draw(&t->state, config->hot_min > 8 ? 26 : 50);
  for (uint32_t l = 0; l < t->r.nlinks; l++) {
    t->r.C[l] = capacity(t);
    fl_link_add(t->s, t->r.C[l]);
  }
  for (uint32_t f = 0; f < t->r.nflows; f++) {
    ref_flow *k = &t->r.flows[f];
    k->n = tree ? tree_path(t, k->path) : any_path(t, k->path);
    k->cap = cap(t);
    k->weight = weight(t);
    fl_flow_init(t->s, f, k->path, k->n, k->cap, k->weight);
  }
}

static void wrong(script *t, const char *what, uint32_t i, double got,
                  double want) {
  if (failed++ < 10) {
    printf("  script %u (hot %u, steps %u) at %lld: %s %u is %.17g, want "
           "%.17g\n",
           t->id, t->config->hot_min, t->config->steps, (long long)t->now, what,
           i, got, want);
  }
}

static void compare(script *t) {
  double next = INFINITY;
  char what[200];
  xl_time got = fl_next(t->s);

  ref_solve(&t->r);
  for (uint32_t f = 0; f < t->r.nflows; f++) {
    ref_flow *k = &t->r.flows[f];
    double rate = fl_flow_rate(t->s, f), want = k->runs ? k->rate : 0;
    double off = fabs(rate - want) / (want > 0 ? want : 1);
    worst = fmax(worst, off);
    if (off > 1e-9) {
      wrong(t, "rate of flow", f, rate, want);
    }
    if (want > 0) {
      next = fmin(next, k->left / want * 1e9);
    }
  }
  /* The left of the reference is some rounding errors old. */
  double at = got == XL_NEVER ? INFINITY : (double)(got - t->now);
  next = next > 0 ? next : 0;
  if (at != next && !(fabs(at - next) <= 0.51 + 1e-9 * next)) {
    wrong(t, "next completion", 0, at, next);
  }
  if (t->config->epsilon <= 0 && !fl_check(t->s, what, sizeof what)) {
    wrong(t, what, 0, 0, 0);
  }
}

static void pass(script *t, xl_time now) {
  ref_solve(&t->r);
  for (uint32_t f = 0; f < t->r.nflows; f++) {
    ref_flow *k = &t->r.flows[f];
    k->left -= k->runs ? k->rate * 1e-9 * (double)(now - t->now) : 0;
  }
  t->now = now;
}

static void to_next(script *t) {
  xl_time next = fl_next(t->s);

  if (next == XL_NEVER) {
    return;
  }
  pass(t, next);
  size_t n = fl_take(t->s, next);
  for (size_t i = 0; i < n; i++) {
    ref_flow *k = &t->r.flows[fl_taken(t->s, i)];
    if (fabs(k->left) > 0.01) { /* half a ns at any rate there is */
      wrong(t, "left at the end of", fl_taken(t->s, i), k->left, 0);
    }
    k->runs = false;
    k->left = 0;
  }
}

static void event(script *t) {
  uint32_t f = (uint32_t)draw(&t->state, t->r.nflows);
  uint32_t l = (uint32_t)draw(&t->state, t->r.nlinks);
  ref_flow *k = &t->r.flows[f];

  switch (draw(&t->state, 10)) {
  case 0:
    t->r.C[l] = capacity(t);
    fl_link_set(t->s, t->now, l, t->r.C[l]);
    break;
  case 1:
    k->cap = cap(t);
    k->weight = weight(t);
    fl_flow_shape(t->s, t->now, f, k->cap, k->weight);
    break;
  case 2: {
    xl_time next = fl_next(t->s);
    xl_time to = t->now + (xl_time)draw(&t->state, 300000000);
    pass(t, to < next ? to : next);
    break;
  }
  case 3:
    if (k->runs) {
      xl_bytes got = fl_flow_arrived(t->s, t->now, f);
      (void)got;
      fl_flow_stop(t->s, t->now, f);
      k->runs = false;
    }
    break;
  case 4:
  case 5:
    to_next(t);
    break;
  default:
    if (!k->runs) {
      k->runs = true;
      k->left = t->ties ? 1e6 : (double)(1 + draw(&t->state, 2000000));
      fl_flow_start(t->s, t->now, f, (xl_bytes)k->left);
    }
    break;
  }
}

static void run(uint32_t first, uint32_t n, const fl_config *config) {
  fl_stats sum = {0};

  worst = 0;
  failed = 0;
  for (uint32_t i = first; i < first + n; i++) {
    static script t;
    begin(&t, i, config);
    for (uint32_t e = 0; e < EVENTS && failed < 10; e++) {
      for (uint64_t many = 1 + draw(&t.state, 5); many > 0; many--) {
        event(&t);
      }
      compare(&t);
    }
    const fl_stats *cost = fl_cost(t.s);
    sum.solves += cost->solves;
    sum.evaluations += cost->evaluations;
    sum.sweeps += cost->sweeps;
    fl_del(t.s);
  }
  CHECK_EQ(failed, 0);
  CU_ASSERT(worst <= 1e-9);
  printf("  hot %u: %llu solves, %llu evaluations, %llu sweeps, worst rate "
         "%.2g\n",
         config->hot_min, (unsigned long long)sum.solves,
         (unsigned long long)sum.evaluations, (unsigned long long)sum.sweeps,
         worst);
}

static void test_cold(void) {
  run(0, SCRIPTS / 2, &(fl_config){REF_PATH, 64, 0, FL_STEPS, FL_BUDGET});
}
static void test_hot(void) {
  run(100000, SCRIPTS / 4, &(fl_config){REF_PATH, 2, 0, FL_STEPS, FL_BUDGET});
  run(200000, SCRIPTS / 4, &(fl_config){REF_PATH, 6, 0, FL_STEPS, FL_BUDGET});
}
static void test_sweep(void) {
  run(300000, SCRIPTS / 4, &(fl_config){REF_PATH, 64, 0, 0, 0});
  run(400000, SCRIPTS / 4, &(fl_config){REF_PATH, 4, 0, 3, 0});
}

TEST_SUITE("fluid solver",
           {"5,000 random scripts equal progressive filling", test_cold},
           {"5,000 more with hot links", test_hot},
           {"5,000 more with sweeps", test_sweep})
