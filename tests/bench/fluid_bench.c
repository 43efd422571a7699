/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fluid network alone, on the flows of fluid_pattern.h.
 *
 *   fluid_bench solver PATTERN N WARM [EPSILON [CHECK]]
 *   fluid_bench net PATTERN N WARM [EPSILON]       through net.h's interface
 *   fluid_bench error PATTERN N 0 EPSILON       fast against exact
 *
 * N completions after WARM. The first two print "completions N seconds S rate R
 * clock T ..."; the clock after N completions shows that two programs ran the
 * same flows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "net/fluid/fluid.h"
#include "net/fluid/solver.h"

#include "fluid_pattern.h"

/* Processor seconds, so that what else runs on the machine counts little. */
static double spent(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long peak_MB(void) {
  struct rusage u;

  getrusage(RUSAGE_SELF, &u);
  return u.ru_maxrss / 1024;
}

static void *zeroed(size_t n, size_t size) {
  void *p = calloc(n, size);

  if (p == NULL) {
    fputs("fluid_bench: out of memory\n", stderr);
    exit(2);
  }
  return p;
}

/* ---- the solver, driven directly ---- */

typedef struct bench {
  const pattern *p;
  fl *s;
  uint32_t *n;  /* flows begun, by slot */
  double *ends; /* of the first |keep| flows of each slot; NULL */
  uint32_t keep;
  char what[200];
} bench;

/* Links: up and down of each host, then of each site, then the origin's. */
static uint32_t path_of(const pattern *p, transfer t, uint32_t *path) {
  uint32_t n = 0, sites = 2 * p->hosts;
  uint32_t origin = sites + (p->site > 0 ? 2 * (p->hosts / p->site) : 0);
  bool far =
      p->site > 0 && (t.src == p->hosts || t.src / p->site != t.dst / p->site);

  path[n++] = t.src == p->hosts ? origin : 2 * t.src;
  if (far && t.src != p->hosts) {
    path[n++] = sites + 2 * (t.src / p->site);
  }
  if (far) {
    path[n++] = sites + 2 * (t.dst / p->site) + 1;
  }
  path[n++] = 2 * t.dst + 1;
  return n;
}

static void begin(bench *b, xl_time now, uint32_t slot) {
  transfer t = pattern_next(b->p, slot, b->n[slot]++);
  uint32_t path[4];

  fl_flow_init(b->s, slot, path, path_of(b->p, t, path), INFINITY, 1);
  fl_flow_start(b->s, now, slot, t.bytes);
}

static void bench_open(bench *b, const pattern *p, double epsilon) {
  uint32_t slots = pattern_slots(p);

  *b = (bench){.p = p, .n = zeroed(slots, sizeof *b->n)};
  b->s = fl_new(&(fl_config){4, FL_HOT_MIN, epsilon, FL_STEPS, FL_BUDGET});
  for (uint32_t h = 0; h < p->hosts; h++) {
    fl_link_add(b->s, (double)pattern_capacity(p, h, 0));
    fl_link_add(b->s, (double)pattern_capacity(p, h, 1));
  }
  for (uint32_t i = 0; p->site > 0 && i < 2 * (p->hosts / p->site); i++) {
    fl_link_add(b->s, p->site_MBps * 1e6);
  }
  if (p->origin_MBps > 0) {
    fl_link_add(b->s, p->origin_MBps * 1e6);
  }
  for (uint32_t i = 0; i < slots; i++) {
    begin(b, 0, i);
  }
}

static void bench_close(bench *b) {
  fl_del(b->s);
  free(b->n);
  free(b->ends);
}

/* Until |n| flows have ended; returns the clock. */
static xl_time bench_run(bench *b, uint64_t n, bool check) {
  xl_time now = 0;

  for (uint64_t done = 0; done < n;) {
    now = fl_next(b->s);
    if (check && !fl_check(b->s, b->what, sizeof b->what)) {
      fprintf(stderr, "fluid_bench: after %llu: %s\n", (unsigned long long)done,
              b->what);
      exit(1);
    }
    size_t ended = fl_take(b->s, now);
    for (size_t i = 0; i < ended; i++) {
      uint32_t slot = fl_taken(b->s, i);
      if (b->ends != NULL && b->n[slot] <= b->keep) {
        b->ends[(size_t)slot * b->keep + b->n[slot] - 1] = (double)now * 1e-9;
      }
      begin(b, now, slot);
    }
    done += ended;
  }
  return now;
}

static int run_solver(const pattern *p, uint64_t n, uint64_t warm,
                      double epsilon, bool check) {
  bench b;
  double t0 = spent();

  bench_open(&b, p, epsilon);
  xl_time fill = fl_next(b.s);
  (void)fill;
  double t1 = spent();
  bench_run(&b, warm, check);
  fl_stats a = *fl_cost(b.s);
  double t2 = spent();
  xl_time at = bench_run(&b, n, check);
  double t3 = spent();
  fl_stats c = *fl_cost(b.s);
  double per = 1 / (double)n;
  printf("completions %llu seconds %.6f rate %.0f clock %.9f fill %.3f "
         "evaluations %.2f visits %.1f updates %.1f sweeps %llu most %llu "
         "MB %ld\n",
         (unsigned long long)n, t3 - t2, (double)n / (t3 - t2),
         (double)at * 1e-9, t1 - t0,
         (double)(c.evaluations - a.evaluations) * per,
         (double)(c.visits - a.visits) * per,
         (double)(c.updates - a.updates) * per,
         (unsigned long long)(c.sweeps - a.sweeps),
         (unsigned long long)c.evaluations_max, peak_MB());
  bench_close(&b);
  return 0;
}

/* ---- fast against exact ---- */

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static int run_error(const pattern *p, uint64_t n, double epsilon) {
  uint32_t slots = pattern_slots(p), keep = 1 + (uint32_t)(2 * n / slots);
  bench b[2];
  size_t all = (size_t)slots * keep, errors = 0;
  double *error = zeroed(all, sizeof *error);

  for (int i = 0; i < 2; i++) {
    bench_open(&b[i], p, i == 0 ? 0 : epsilon);
    b[i].keep = keep;
    b[i].ends = zeroed(all, sizeof *b[i].ends);
    bench_run(&b[i], n, false);
  }
  for (size_t i = 0; i < all; i++) {
    double exact = b[0].ends[i], fast = b[1].ends[i];
    if (exact > 0 && fast > 0) {
      error[errors++] = fabs(fast - exact) / exact;
    }
  }
  qsort(error, errors, sizeof *error, by_size);
  printf("compared %zu median %.3g p99 %.3g max %.3g\n", errors,
         error[errors / 2], error[errors - 1 - errors / 100],
         error[errors - 1]);
  bench_close(&b[0]);
  bench_close(&b[1]);
  free(error);
  return 0;
}

/* ---- through the interface of networks ---- */

typedef struct lab {
  const pattern *p;
  const net_ops *ops;
  net *n;
  uint32_t *count;
  net_channel *channels; /* by slot */
  uint64_t done, goal;
  volatile bool stop;
} lab;

static net_node node_of(const pattern *p, uint32_t host) {
  return 1 + (p->site > 0 ? p->hosts / p->site : 0) + host;
}

static void lab_begin(lab *l, uint32_t slot) {
  transfer t = pattern_next(l->p, slot, l->count[slot]++);

  l->channels[slot] = l->ops->channel_open(
      l->n, node_of(l->p, t.src), node_of(l->p, t.dst), XL_RATE_UNLIMITED, 1);
  l->ops->request(l->n, l->channels[slot], slot);
}

static void on_asked(void *arg, net_channel ch, uint64_t tag) {
  lab *l = arg;
  transfer t = pattern_next(l->p, (uint32_t)tag, l->count[tag] - 1);

  l->ops->answer(l->n, ch, tag, t.bytes);
}

static void on_done(void *arg, net_channel ch, uint64_t tag, uint64_t bytes) {
  lab *l = arg;
  transfer t = pattern_next(l->p, (uint32_t)tag, l->count[tag] - 1);

  (void)bytes;
  l->ops->channel_close(l->n, ch, node_of(l->p, t.dst));
  lab_begin(l, (uint32_t)tag);
  l->stop = ++l->done >= l->goal;
}

static net_node_spec *nodes_of(const pattern *p, uint32_t *n) {
  uint32_t sites = p->site > 0 ? p->hosts / p->site : 0;
  net_node_spec *nodes = zeroed(2 + sites + p->hosts, sizeof *nodes);

  nodes[0].parent = NET_NO_NODE;
  for (uint32_t i = 0; i < sites; i++) {
    xl_rate rate = (xl_rate)(p->site_MBps * 1e6);
    nodes[1 + i] =
        (net_node_spec){.parent = 0, .up_Bps = rate, .down_Bps = rate};
  }
  for (uint32_t h = 0; h < p->hosts; h++) {
    nodes[node_of(p, h)] =
        (net_node_spec){.parent = sites > 0 ? 1 + h / p->site : 0,
                        .up_Bps = pattern_capacity(p, h, 0),
                        .down_Bps = pattern_capacity(p, h, 1),
                        .host = true};
  }
  *n = node_of(p, p->hosts);
  if (p->origin_MBps > 0) {
    nodes[(*n)++] = (net_node_spec){.parent = 0,
                                    .up_Bps = (xl_rate)(p->origin_MBps * 1e6),
                                    .down_Bps = XL_RATE_UNLIMITED,
                                    .host = true};
  }
  return nodes;
}

static int run_net(const pattern *p, uint64_t n, uint64_t warm,
                   double epsilon) {
  uint32_t nnodes, slots = pattern_slots(p);
  net_node_spec *nodes = nodes_of(p, &nnodes);
  lab l = {.p = p,
           .ops = fluid_entry(),
           .count = zeroed(slots, sizeof *l.count),
           .channels = zeroed(slots, sizeof *l.channels),
           .goal = warm + 1};
  xl_value values[8] = {{.i = epsilon > 0}, {.f = epsilon}, {.f = 1}, {.i = 0}};
  net_sink sink = {&l, on_asked, on_done, NULL, NULL, NULL};
  fail why = {0};

  l.n = l.ops->open(&(net_topology){nodes, nnodes}, values, &sink, &why);
  if (l.n == NULL) {
    fprintf(stderr, "fluid_bench: %s\n", why.text);
    return 1;
  }
  for (uint32_t i = 0; i < slots; i++) {
    lab_begin(&l, i);
  }
  l.ops->run(l.n, XL_NEVER - 1, &l.stop, &why);
  double t0 = spent();
  l.goal = l.done + n;
  l.stop = false;
  l.ops->run(l.n, XL_NEVER - 1, &l.stop, &why);
  double t1 = spent();
  printf("completions %llu seconds %.6f rate %.0f clock %.9f MB %ld\n",
         (unsigned long long)n, t1 - t0, (double)n / (t1 - t0),
         (double)l.ops->now(l.n) * 1e-9, peak_MB());
  l.ops->close(l.n);
  free(nodes);
  free(l.count);
  free(l.channels);
  return 0;
}

int main(int argc, char **argv) {
  const pattern *p = argc > 2 ? pattern_find(argv[2]) : NULL;

  if (argc < 5 || p == NULL) {
    fputs("usage: fluid_bench solver|net|error PATTERN N WARM [EPSILON "
          "[CHECK]]\n",
          stderr);
    return 2;
  }
  uint64_t n = strtoull(argv[3], NULL, 10);
  uint64_t warm = strtoull(argv[4], NULL, 10);
  double epsilon = argc > 5 ? strtod(argv[5], NULL) : 0;
  if (strcmp(argv[1], "net") == 0) {
    return run_net(p, n, warm, epsilon);
  }
  return strcmp(argv[1], "error") == 0
             ? run_error(p, n, epsilon)
             : run_solver(p, n, warm, epsilon, argc > 6);
}
