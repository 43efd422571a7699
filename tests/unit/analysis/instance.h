/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a small run, put together row by row. Static and bounded: each
 * test starts with instance_clear. Rates in bytes/s, times in s.
 */
#ifndef TESTS_ANALYSIS_INSTANCE_H
#define TESTS_ANALYSIS_INSTANCE_H

#include <assert.h>
#include <string.h>

#include "analysis/summary.h"

#define UNLIMITED UINT64_MAX
#define INSTANCE_MAX 6000
#define S_NS INT64_C(1000000000)

#define INSTANCE_TABLES(T)                                                     \
  T(sites, SITES)                                                              \
  T(origins, ORIGINS)                                                          \
  T(contents, CONTENTS)                                                        \
  T(devices, DEVICES)                                                          \
  T(held, HELD)                                                                \
  T(jobs, JOBS)                                                                \
  T(files, FILES)                                                              \
  T(series, SERIES)                                                            \
  T(link_rates, LINK_RATES)                                                    \
  T(world, WORLD)

/* instance.sites[i], instance.nsites, add_sites(row) -> &row, ... */
static struct instance {
#define X(name, NAME)                                                          \
  row_##name name[INSTANCE_MAX];                                               \
  size_t n##name;
  INSTANCE_TABLES(X)
#undef X
} instance;

#define X(name, NAME)                                                          \
  static row_##name *add_##name(row_##name row) {                              \
    assert(instance.n##name < INSTANCE_MAX);                                   \
    instance.name[instance.n##name] = row;                                     \
    return &instance.name[instance.n##name++];                                 \
  }
INSTANCE_TABLES(X)
#undef X

static void instance_clear(int64_t ended_ns) {
#define X(name, NAME) instance.n##name = 0;
  INSTANCE_TABLES(X)
#undef X
  add_world((row_world){.ended_ns = ended_ns, .duration_ns = ended_ns});
}

static tables instance_tables(void) {
  tables tb = {0};

#define X(name, NAME)                                                          \
  tb.t[SCHEMA_##NAME].rows = instance.name;                                    \
  tb.t[SCHEMA_##NAME].n = instance.n##name;
  INSTANCE_TABLES(X)
#undef X
  return tb;
}

static void add_site(uint64_t down, uint64_t up) {
  add_sites((row_sites){.wan_down_Bps = down, .wan_up_Bps = up});
}

static void add_origin(uint64_t rate) {
  add_origins((row_origins){.rate_Bps = rate});
}

static void add_content(uint64_t size) {
  add_contents((row_contents){.size = size});
}

static uint32_t add_device(uint32_t site, uint64_t down, uint64_t up) {
  add_devices((row_devices){
      .site = site, .down_Bps = down, .up_Bps = up, .cap_Bps = UNLIMITED});
  return (uint32_t)instance.ndevices - 1;
}

static void add_hold(uint32_t device, uint32_t content) {
  add_held((row_held){device, content});
}

static void add_file(uint32_t device, uint32_t job, uint32_t content) {
  add_files((row_files){.device = device,
                        .job = job,
                        .content = content,
                        .size = instance.contents[content].size,
                        .start_ns = -1,
                        .end_ns = -1});
}

/* A job of one file, released at 0. */
static row_jobs *add_job(uint32_t device, uint32_t job, uint32_t content,
                         int64_t arrival_ns) {
  add_file(device, job, content);
  return add_jobs((row_jobs){.device = device,
                             .job = job,
                             .files = 1,
                             .arrival_ns = arrival_ns,
                             .start_ns = -1,
                             .end_ns = -1,
                             .bytes = instance.contents[content].size});
}

static double bound_of(enum bound_term *term) {
  tables tb = instance_tables();

  return bound_makespan_s(&tb, term);
}

#define CHECK_BOUND(want_s, want_term)                                         \
  do {                                                                         \
    enum bound_term term_;                                                     \
    CHECK_NEAR(bound_of(&term_), (want_s), 1e-9);                              \
    CHECK_EQ(term_, (want_term));                                              \
  } while (0)

#endif
