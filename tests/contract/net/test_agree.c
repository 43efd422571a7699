/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budget B6: fluid against SimGrid, the same random flows on the same random
 * trees, completion times within 1e-6. With equal latencies as they are; with
 * mixed ones under rtt_weighted, which shares as SimGrid's CM02 does; and with
 * LV08's factors and window under lv08. Fast mode is compared with exact.
 *
 * Without arguments 40 scripts of each kind run; BUDGET_B6=1 in the
 * environment runs 500.
 */
#include <math.h>

#include "lab.h"

#define NODES_MAX 40
#define ANY XL_RATE_UNLIMITED

static const lab_net rtt = {
    "fluid, rtt_weighted",
    "fluid",
    {{.i = 0}, {.f = 0}, {.f = 1}, {.i = 0}, {.i = 1}, {.i = 0}, {.i = 1}},
    1e-6,
    false};
static const lab_net lv08 = {
    "fluid, lv08",
    "fluid",
    {{.i = 0}, {.f = 0}, {.f = 1}, {.i = 0}, {.i = 0}, {.i = 1}, {.i = 1}},
    1e-6,
    false};
static const lab_net simgrid_lv08 = {"simgrid lv08, no cross-traffic",
                                     "simgrid",
                                     {{.i = 0}, {.i = 4194304}, {.i = 0}},
                                     1e-6,
                                     false};
static const lab_net fast = {
    "fluid, fast", "fluid", {{.i = 1}, {.f = 0.001}, {.f = 1}}, 1e-2, false};

static net_node_spec nodes[NODES_MAX];
static net_topology tree = {nodes, 0};
static net_node hosts[NODES_MAX];
static uint64_t nhosts, seed;
static bool mixed; /* latencies */

static uint64_t draw(uint64_t *state, uint64_t below) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (z ^ z >> 31) % below;
}

/* Megabytes per second that are no round numbers. */
static xl_rate rate(uint64_t *r) {
  return draw(r, 8) == 0 ? ANY : 300000 + draw(r, 9000000);
}

static net_node add(uint64_t *r, net_node parent, bool host) {
  xl_span latency = mixed ? (xl_span)(100000 + draw(r, 40000000)) : XL_MS(2);

  nodes[tree.nnodes] = (net_node_spec){parent, rate(r), rate(r), latency, host};
  if (host) {
    hosts[nhosts++] = tree.nnodes;
  }
  return tree.nnodes++;
}

/* Sites under the core, some a level deeper, hosts under each: with equal
   latencies, all hosts are equally deep. */
static void grow(void) {
  uint64_t r = seed * 2 + mixed;

  tree.nnodes = 1;
  nhosts = 0;
  nodes[0] = (net_node_spec){.parent = NET_NO_NODE};
  uint64_t nsites = mixed ? 1 + draw(&r, 4) : 0;
  for (uint64_t i = 0; i < nsites; i++) {
    net_node site = add(&r, 0, false);
    if (draw(&r, 3) == 0) {
      site = add(&r, site, false);
    }
    for (uint64_t k = 1 + draw(&r, 4); k > 0; k--) {
      add(&r, site, true);
    }
  }
  for (uint64_t k = nsites > 0 ? 1 : 4 + draw(&r, 12); k > 0; k--) {
    add(&r, 0, true);
  }
}

static void script(lab *l) {
  uint64_t r = seed, n = 20 + draw(&r, 60);
  xl_time at = 0;

  for (uint64_t tag = 1; tag <= n; tag++) {
    net_node src = hosts[draw(&r, nhosts)], dst;
    do {
      dst = hosts[draw(&r, nhosts)];
    } while (dst == src);
    xl_rate cap = draw(&r, 4) == 0 ? 100000 + draw(&r, 2000000) : ANY;
    double weight = draw(&r, 4) == 0 ? 1 + (double)draw(&r, 400) / 100 : 1;
    net_channel c = l->ops->channel_open(l->n, src, dst, cap, weight);
    lab_want(l, c, tag, 1000 + draw(&r, 3000000));
    at += (xl_span)draw(&r, XL_MS(300));
    lab_run(l, at);
    if (draw(&r, 20) == 0) {
      l->ops->link_set(l->n, hosts[draw(&r, nhosts)], rate(&r), rate(&r));
    }
  }
  lab_run(l, at + XL_SEC(3600));
}

static int up(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* The errors of |a| against |b|: how many, and their median and 99 %. */
static void agree(const lab_net *a, const lab_net *b, bool mix, double worst,
                  double median) {
  static double errors[TAG_MAX];
  uint64_t n = getenv("BUDGET_B6") != NULL ? 500 : 40;
  size_t count = 0;

  if (!lab_present(a) || !lab_present(b)) {
    return;
  }
  mixed = mix;
  for (uint64_t i = 1; i <= n; i++) {
    seed = i;
    grow();
    if (nhosts < 2) {
      continue;
    }
    lab x = lab_fork(a, &tree, script), y = lab_fork(b, &tree, script);
    CHECK_EQ(lab_count(&x, DONE), lab_count(&y, DONE));
    for (size_t k = 0; k < x.log->n && count < TAG_MAX; k++) {
      const note *d = &x.log->notes[k];
      if (d->kind == DONE) {
        double at = (double)d->at,
               want = (double)lab_find(&y, DONE, d->tag)->at;
        errors[count++] = fabs(at - want) / want;
        if (errors[count - 1] > worst && worst <= 1e-6) {
          printf("  seed %llu tag %llu: %.9f, want %.9f\n",
                 (unsigned long long)i, (unsigned long long)d->tag, at * 1e-9,
                 want * 1e-9);
        }
      }
    }
    lab_free(&x);
    lab_free(&y);
  }
  qsort(errors, count, sizeof *errors, up);
  double p99 = errors[count - 1 - count / 100], most = errors[count - 1];
  printf("  %s: %zu flows, median %.2g p99 %.2g most %.2g\n", a->label, count,
         errors[count / 2], p99, most);
  CU_ASSERT(count > 500);
  CU_ASSERT((worst <= 1e-6 ? most : p99) <= worst);
  CU_ASSERT(errors[count / 2] <= median);
}

static void test_equal(void) {
  agree(&lab_fluid, &lab_flow, false, 1e-6, 1e-6);
}
static void test_mixed(void) {
  agree(&rtt, &lab_flow, true, 1e-6, 1e-6);
}
static void test_lv08(void) {
  agree(&lv08, &simgrid_lv08, true, 1e-6, 1e-6);
}
static void test_fast(void) {
  agree(&fast, &lab_fluid, false, 1e-2, 1e-3);
}

TEST_SUITE("fluid and simgrid agree",
           {"equal latencies, CM02: within 1e-6 (B6)", test_equal},
           {"mixed latencies, CM02: within 1e-6 (B6)", test_mixed},
           {"mixed latencies, LV08: within 1e-6", test_lv08},
           {"fast mode: 0.1 % in the median, 1 % in 99 % (B6)", test_fast})
