/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flows of B1, B2, B12 and B13, the same for fluid_bench.c and
 * fluid_simgrid.cpp. A slot is a receiver that always has one flow: when it
 * ends, the slot's next begins. What a slot's n-th flow is depends on slot and
 * n alone, so both sides run the same flows whatever order they end in.
 */
#ifndef TESTS_BENCH_FLUID_PATTERN_H
#define TESTS_BENCH_FLUID_PATTERN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct pattern {
  const char *name;
  uint32_t hosts, slots_per_host, site; /* hosts a site; 0: no sites */
  double low_MBps, high_MBps;           /* of hosts, log-uniform each way */
  double site_MBps;                     /* each way */
  double origin_MBps;                   /* 0: no origin */
  int origin_percent;      /* slots served by the origin; below 0: flows */
  uint32_t inside_percent; /* slots served from the same site */
} pattern;

static const pattern patterns[] = {
    {"B1", 1000, 2, 0, 0.3, 30, 0, 0, 0, 0},
    {"B1k4", 1000, 4, 0, 0.3, 30, 0, 0, 0, 0},
    {"B2", 1000, 1, 0, 10, 10, 0, 10, -10, 0},
    {"B2slots", 1000, 1, 0, 10, 10, 0, 10, 10, 0},
    {"B12", 10000, 2, 100, 0.3, 30, 25, 1000, 5, 80},
    {"B13", 100000, 2, 0, 0.3, 30, 0, 10000, -10, 0},
    {"B13slots", 100000, 2, 0, 0.3, 30, 0, 10000, 10, 0},
    {"10k", 10000, 2, 0, 0.3, 30, 0, 0, 0, 0},
    {"100k", 100000, 2, 0, 0.3, 30, 0, 0, 0, 0},
    {"1m", 1000000, 2, 0, 0.3, 30, 0, 0, 0, 0},
    {"sites100k", 100000, 2, 100, 0.3, 30, 25, 10000, 5, 80},
};

static inline const pattern *pattern_find(const char *name) {
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    if (strcmp(patterns[i].name, name) == 0) {
      return &patterns[i];
    }
  }
  return NULL;
}

static inline uint64_t pattern_mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15u + b * 0xd1b54a32d192ed03u;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static inline double pattern_unit(uint64_t z) {
  return (double)(z >> 11) / 9007199254740992.0;
}

/* Whole bytes per second of host |h|, way 0 up, 1 down. */
static inline uint64_t pattern_capacity(const pattern *p, uint32_t h,
                                        uint32_t way) {
  double u = pattern_unit(pattern_mix(h + 1, 77 + way));

  return (uint64_t)(p->low_MBps * 1e6 * pow(p->high_MBps / p->low_MBps, u));
}

static inline uint32_t pattern_slots(const pattern *p) {
  return p->hosts * p->slots_per_host;
}

typedef struct transfer {
  uint32_t src, dst; /* hosts; src may be |hosts|: the origin */
  uint64_t bytes;
} transfer;

static inline transfer pattern_next(const pattern *p, uint32_t slot,
                                    uint32_t n) {
  uint64_t z = pattern_mix(slot + 1, n + 1000);
  uint32_t dst = slot / p->slots_per_host, src;
  int kind = (int)(pattern_mix(slot + 1, 999) % 100);
  int flow_kind = (int)(pattern_mix(z, 4) % 100);
  uint64_t pick = pattern_mix(z, 5);

  if (kind < p->origin_percent || flow_kind < -p->origin_percent) {
    src = p->hosts;
  } else if (p->site > 0 && kind < p->origin_percent + (int)p->inside_percent) {
    src = dst / p->site * p->site + (uint32_t)(pick % (p->site - 1));
    src += src >= dst;
  } else {
    src = (uint32_t)(pick % (p->hosts - 1));
    src += src >= dst;
  }
  return (transfer){src, dst, 200000 + pattern_mix(z, 6) % 1600001};
}

#endif
