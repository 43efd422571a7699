/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The solver on cases whose answer is known: the max-min vectors MM1 to MM6
 * and DYN1 to DYN3, the ladder that makes a stack exponential, many flows on
 * links that become hot by themselves, several hot links on a path, and the
 * bound of fast mode.
 */
#include "reference.h"

static const fl_config plain = {REF_PATH, FL_HOT_MIN, 0, FL_STEPS, FL_BUDGET};

typedef struct vector {
  double C[3];
  uint32_t nlinks, nflows;
  struct {
    const char *path; /* letters of links */
    double cap, weight, rate, bytes, end;
  } flows[5];
} vector;

#define FREE INFINITY

static const vector vectors[] = {
    {{10, 10},
     2,
     3,
     {{"AB", FREE, 1, 5, 0, 0},
      {"A", FREE, 1, 5, 0, 0},
      {"B", FREE, 1, 5, 0, 0}}},
    {{10, 4},
     2,
     4,
     {{"AB", FREE, 1, 4. / 3, 0, 0},
      {"A", FREE, 1, 26. / 3, 0, 0},
      {"B", FREE, 1, 4. / 3, 0, 0},
      {"B", FREE, 1, 4. / 3, 0, 0}}},
    /* MM3, DYN2 */
    {{12, 6, 9},
     3,
     5,
     {{"ABC", FREE, 1, 2, 100, 50},
      {"A", FREE, 1, 10, 100, 10},
      {"B", FREE, 1, 2, 100, 50},
      {"C", FREE, 1, 5, 100, 20},
      {"BC", FREE, 1, 2, 100, 50}}},
    {{9}, 1, 2, {{"A", FREE, 2, 6, 0, 0}, {"A", FREE, 1, 3, 0, 0}}},
    /* MM6, DYN1 */
    {{100},
     1,
     4,
     {{"A", 10, 1, 10, 1000, 100},
      {"A", 20, 1, 20, 1000, 50},
      {"A", FREE, 1, 35, 1000, 200. / 7},
      {"A", FREE, 1, 35, 1000, 200. / 7}}},
};

static fl *open_vector(const vector *v) {
  fl *s = fl_new(&plain);

  for (uint32_t l = 0; l < v->nlinks; l++) {
    fl_link_add(s, v->C[l]);
  }
  for (uint32_t f = 0; f < v->nflows; f++) {
    uint32_t path[3], n = 0;
    for (const char *c = v->flows[f].path; *c != '\0'; c++) {
      path[n++] = (uint32_t)(*c - 'A');
    }
    double bytes = v->flows[f].bytes;
    fl_flow_init(s, f, path, n, v->flows[f].cap, v->flows[f].weight);
    fl_flow_start(s, 0, f, bytes > 0 ? (xl_bytes)bytes : 1000);
  }
  return s;
}

static void test_vectors(void) {
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    const vector *v = &vectors[i];
    fl *s = open_vector(v);
    for (uint32_t f = 0; f < v->nflows; f++) {
      CHECK_NEAR(fl_flow_rate(s, f), v->flows[f].rate, 1e-9);
    }
    uint32_t ended = 0;
    for (xl_time at; v->flows[0].bytes > 0 && (at = fl_next(s)) != XL_NEVER;) {
      for (size_t n = fl_take(s, at); n-- > 0; ended++) {
        double end = v->flows[fl_taken(s, n)].end;
        CU_ASSERT(fabs((double)at - end * 1e9) <= 0.51 + end);
      }
    }
    CHECK_EQ(ended, v->flows[0].bytes > 0 ? v->nflows : 0);
    fl_del(s);
  }
}

/* DYN3: a link of 10, three flows of 100 that start at 0, 2 and 4 s. */
static void test_staggered(void) {
  fl *s = fl_new(&plain);
  static const xl_time ends[] = {25, 29, 30};
  uint32_t link = fl_link_add(s, 10);

  for (uint32_t f = 0; f < 3; f++) {
    fl_flow_init(s, f, &link, 1, INFINITY, 1);
    fl_flow_start(s, XL_SEC(2 * f), f, 100);
  }
  for (uint32_t f = 0; f < 3; f++) {
    CHECK_EQ(fl_next(s), XL_SEC(ends[f]));
    CHECK_EQ(fl_take(s, XL_SEC(ends[f])), 1);
    CHECK_EQ(fl_taken(s, 0), f);
  }
  fl_del(s);
}

/* Link i shares a flow with i - 1 and one with i - 2; levels 1, 1.1, 1.2 ...
   One change at link 0 runs through all of them. */
static void test_ladder(void) {
  enum { N = 32 };
  fl *s = fl_new(&plain);
  uint32_t id = 0;

  for (uint32_t i = 0; i < N; i++) {
    uint32_t n = i < 2 ? i : 2, up = N - 1 - i < 2 ? N - 1 - i : 2;
    fl_link_add(s, (1 + 0.1 * i) * (n + up + 1) / 2);
  }
  for (uint32_t i = 0; i < N; i++) {
    for (uint32_t back = 0; back <= 2 && back <= i; back++, id++) {
      uint32_t path[] = {i, i - back};
      fl_flow_init(s, id, path, back > 0 ? 2 : 1, INFINITY, 1);
      fl_flow_start(s, 0, id, 1000000);
    }
  }
  fl_next(s);
  for (int k = 0; k < 10; k++) {
    uint64_t before = fl_cost(s)->evaluations;
    fl_link_set(s, 0, 0, 0.2 + 0.17 * k);
    fl_next(s);
    CU_ASSERT(fl_cost(s)->evaluations - before <= 200);
  }
  CHECK_EQ(fl_cost(s)->sweeps, 0);
  fl_del(s);
}

/* ---- many flows
 * ------------------------------------------------------------------ */

/* Hosts in sites behind a core link and an origin, the reference's limits
   exceeded by far: proven by the checker after every event. */
typedef struct fleet {
  fl *s;
  uint64_t state;
  uint32_t hosts, sites, n;
  double worst;
} fleet;

enum { CORE, ORIGIN, SITES };

static void fleet_begin(fleet *t, xl_time now, uint32_t id) {
  uint32_t h = id % t->hosts, site = h % t->sites, n = 0, path[5];
  uint32_t from = (uint32_t)draw(&t->state, t->hosts);
  uint32_t hosts = SITES + 2 * t->sites;

  if (id % 3 > 0) {
    path[n++] = ORIGIN;
    path[n++] = CORE;
    path[n++] = SITES + 2 * site;
  } else {
    path[n++] = hosts + 2 * from + 1;
    if (from % t->sites != site) {
      path[n++] = SITES + 2 * (from % t->sites) + 1;
      path[n++] = CORE;
      path[n++] = SITES + 2 * site;
    }
  }
  path[n++] = hosts + 2 * h;
  double cap = draw(&t->state, 5) == 0 ? 1e5 * (double)(1 + draw(&t->state, 9))
                                       : INFINITY;
  fl_flow_init(t->s, id, path, n, cap, draw(&t->state, 9) == 0 ? 2 : 1);
  fl_flow_start(t->s, now, id, 100000 + draw(&t->state, 900000));
}

/* |scale| moves the bottleneck from the origin to the core to the sites. */
static fl *fleet_open(fleet *t, const fl_config *config, const double *scale) {
  *t = (fleet){
      .s = fl_new(config), .state = 7, .hosts = 240, .sites = 4, .n = 600};
  fl_link_add(t->s, 150e6 * scale[0]);
  fl_link_add(t->s, 100e6 * scale[1]);
  for (uint32_t i = 0; i < 2 * t->sites; i++) {
    fl_link_add(t->s, 40e6 * scale[2] * (1 + 0.1 * i));
  }
  for (uint32_t i = 0; i < 2 * t->hosts; i++) {
    fl_link_add(t->s, 1e5 * pow(100, draw_real(&t->state, 0, 1)));
  }
  for (uint32_t i = 0; i < t->n; i++) {
    fleet_begin(t, 0, i);
  }
  return t->s;
}

static void fleet_run(const fl_config *config, const double *scale) {
  fleet t;
  fl *s = fleet_open(&t, config, scale);
  char what[200];

  xl_time at = 0;

  for (int i = 0; i < 1500; i++) {
    xl_time next = fl_next(s);
    bool good = fl_check(s, what, sizeof what);
    if (!good) {
      printf("  epsilon %g at %lld: %s\n", config->epsilon, (long long)at,
             what);
    }
    CU_ASSERT_FATAL(good);
    at = next == XL_NEVER ? at : next; /* all may stand still */
    for (size_t k = fl_take(s, at); k-- > 0;) {
      fleet_begin(&t, at, fl_taken(s, k));
    }
    if (i % 50 == 0) { /* the core shrinks, fails and comes back */
      fl_link_set(s, at, CORE, 150e6 * scale[0] * (double)(i / 50 % 4) / 2);
      fl_flow_shape(s, at, 7, 1e4 * i, 1 + i % 3);
    }
  }
  CU_ASSERT(config->steps == FL_STEPS || fl_cost(s)->sweeps > 0);
  CU_ASSERT(fl_cost(s)->shortfall_max <= config->epsilon);
  CU_ASSERT(config->epsilon == 0 || config->steps != FL_STEPS ||
            fl_cost(s)->shortfall_max > 0);
  fl_del(s);
}

static const double scales[][3] = {{1, 1, 1},   {0.1, 1, 1},    {1, 0.1, 1},
                                   {1, 1, 0.2}, {.3, .45, .25}, {9, 9, 9}};

static void test_fleet(void) {
  fl_config swept = plain;

  swept.steps = 4;
  swept.budget = 1;
  for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
    fleet_run(&plain, scales[i]);
    fleet_run(&swept, scales[i]);
  }
}

static void test_fast(void) {
  static const double epsilons[] = {1e-4, 1e-3, 1e-2, 0.1};

  for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
    for (size_t e = 0; e < 4; e++) {
      fl_config fast = plain;
      fast.epsilon = epsilons[e];
      fleet_run(&fast, scales[i]);
      fast.steps = 4;
      fast.budget = 1;
      fleet_run(&fast, scales[i]);
    }
  }
}

/* The same events, each flow's end within the bound of the exact one while no
   order has changed: one flow each. */
static void test_fast_error(void) {
  double most = 0;
  static xl_time ends[2][600];

  for (int k = 0; k < 2; k++) {
    fl_config config = plain;
    fleet t;
    config.epsilon = k * 1e-3;
    fl *s = fleet_open(&t, &config, scales[4]);
    for (xl_time at; (at = fl_next(s)) != XL_NEVER;) {
      for (size_t n = fl_take(s, at); n-- > 0;) {
        ends[k][fl_taken(s, n)] = at;
      }
    }
    fl_del(s);
  }
  for (int i = 0; i < 600; i++) {
    double off = (double)(ends[1][i] - ends[0][i]) / (double)ends[0][i];
    most = fmax(most, fabs(off));
  }
  printf("  epsilon 1e-3: ends at most %.2g off\n", most);
  CU_ASSERT(most <= 2e-3);
  CU_ASSERT(most > 1e-6); /* it is not the exact one */
}

/* ---- bytes and time
 * ---------------------------------------------------------------- */

static void test_bytes(void) {
  fl *s = fl_new(&plain);
  uint32_t link = fl_link_add(s, 3);

  fl_flow_init(s, 0, &link, 1, INFINITY, 1);
  fl_flow_start(s, XL_DAY(400), 0, 1000000);
  xl_bytes before = 0;
  for (xl_time t = 0; t < XL_SEC(333333); t += 777777777) {
    xl_bytes got = fl_flow_arrived(s, XL_DAY(400) + t, 0);
    CU_ASSERT(got >= before && got < 1000000);
    CU_ASSERT(fabs((double)got - 3e-9 * (double)t) <= 1.01);
    before = got;
  }
  CHECK_EQ(fl_next(s), XL_DAY(400) + 333333333333333);
  CHECK_EQ(fl_take(s, fl_next(s)), 1);
  for (xl_time t = XL_DAY(404) + 1; t < XL_DAY(900); t += XL_DAY(13) + 1) {
    fl_flow_start(s, t, 0, 3000000); /* ends 1,000,000 s later: 11.6 days */
    CHECK_EQ(fl_next(s), t + XL_SEC(1000000));
    CHECK_EQ(fl_take(s, fl_next(s)), 1);
  }
  fl_del(s);
}

TEST_SUITE("fluid model",
           {"MM1 to MM6 and DYN1, DYN2 to 1e-9 and to the ns", test_vectors},
           {"DYN3 to the ns", test_staggered},
           {"a ladder of 32 links takes at most 200 evaluations", test_ladder},
           {"hot origin, core and sites on one path, proven at every event",
            test_fleet},
           {"fast mode is never above a capacity", test_fast},
           {"fast mode is within its bound", test_fast_error},
           {"bytes grow, one by one, late in a long run", test_bytes})
