/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped scenarios: readable, of the size they say, and what they test. */
#include <stdlib.h>

#include "fleet.h"
#include "test.h"

#define FOLDER "scenarios/"

static const struct {
  const char *name;
  uint32_t devices, small_devices;
  uint64_t transfers; /* at the most, over a few seeds */
} shipped[] = {
    {"branch-office", 100, 20, 65000}, {"campus", 300, 24, 19500},
    {"mirror-outage", 40, 6, 5120},    {"home-users", 250, 30, 16250},
    {"flash-crowd", 300, 24, 18000},   {"patch-month", 40, 8, 30000}};

#define SMALL_MAX 20000 /* piece transfers of a small variant */
#define SHIPPED (sizeof shipped / sizeof *shipped)

static scenario *read_shipped(size_t i, const char *variant, const char *set) {
  char path[256];
  fail why = {0};
  scenario *s;

  snprintf(path, sizeof path, FOLDER "%s.yaml", shipped[i].name);
  s = scenario_read(path, variant, &set, set != NULL, &why);
  if (s == NULL) {
    printf("  %s\n", why.text);
  }
  CU_ASSERT_FATAL(s != NULL);
  return s;
}

static fleet *draw(const scenario *s, uint64_t seed) {
  fail why = {0};
  fleet *f = fleet_new(s, seed, &why);

  if (f == NULL) {
    printf("  %s\n", why.text);
  }
  CU_ASSERT_FATAL(f != NULL);
  return f;
}

static uint64_t pieces_of(const scenario *s, uint32_t content) {
  const scn_content *c = &s->contents[content];

  return (c->size + c->piece_bytes - 1) / c->piece_bytes;
}

/* Piece transfers when every task gets everything. */
static uint64_t transfers_of(const fleet *f) {
  uint64_t n = 0;

  for (uint32_t i = 0; i < f->ntasks; i++) {
    const fleet_task *t = &f->tasks[i];
    const scn_job *j = &f->scn->jobs[t->job];
    if (t->content != XL_NONE) {
      n += pieces_of(f->scn, t->content);
      continue;
    }
    for (size_t k = 0; k < j->ncontents; k++) {
      n += pieces_of(f->scn, j->contents[k]);
    }
  }
  return n;
}

static void check_sizes(const char *variant, bool small) {
  for (size_t i = 0; i < SHIPPED; i++) {
    scenario *s = read_shipped(i, variant, NULL);
    CU_ASSERT(strcmp(s->name, shipped[i].name) == 0);
    CU_ASSERT(strlen(s->source) > 10);
    CU_ASSERT(s->npolicies >= 3);
    for (uint64_t seed = 1; seed <= 3; seed++) {
      fleet *f = draw(s, seed);
      uint64_t n = transfers_of(f);
      CHECK_EQ(f->ndevices,
               small ? shipped[i].small_devices : shipped[i].devices);
      CU_ASSERT(f->ntasks > 0);
      CU_ASSERT(n <= (small ? SMALL_MAX : shipped[i].transfers));
      CU_ASSERT(n >= (small ? 500 : shipped[i].transfers / 2));
      fleet_free(f);
    }
    scenario_free(s);
  }
}

static void test_full(void) {
  check_sizes(NULL, false);
}

static void test_small(void) {
  check_sizes("small", true);
}

/* mirror-outage: when the origin falls silent every device asks, and no site's
   uplink can have carried one copy since. */
static void test_outage(void) {
  for (int small = 0; small < 2; small++) {
    scenario *s = read_shipped(2, small != 0 ? "small" : NULL, NULL);
    fleet *f = draw(s, 1);
    xl_time at = f->changes[0].at;
    xl_rate wan = f->nodes[f->sites[0].node].down_Bps;

    CHECK_EQ(f->nchanges, 2);
    CHECK_EQ(f->changes[0].kind, CHANGE_ORIGIN_DOWN);
    CHECK_EQ(f->changes[1].kind, CHANGE_ORIGIN_UP);
    CU_ASSERT(f->changes[1].at - at >= XL_MIN(20));
    CU_ASSERT(f->tasks[f->ntasks - 1].arrival < at);
    CU_ASSERT(at < xl_rate_span(wan, s->contents[0].size));
    fleet_free(f);
    scenario_free(s);
  }
}

static void test_validators(void) {
  scenario *s = read_shipped(2, NULL, NULL);
  CHECK_EQ(s->origins[1].mtime_offset_s, 0);
  scenario_free(s);
  s = read_shipped(2, NULL, "network.origins.cdn-b.mtime_offset=1s");
  CHECK_EQ(s->origins[1].mtime_offset_s, 1);
  scenario_free(s);
}

/* patch-month: many jobs a device, over weeks, popular files more often. */
static void test_month(void) {
  scenario *s = read_shipped(5, NULL, NULL);
  fleet *f = draw(s, 1);
  uint32_t asked[200] = {0}, popular = 0;
  xl_time first = XL_NEVER, last = 0;

  for (uint32_t i = 0; i < f->ntasks; i++) {
    CU_ASSERT_FATAL(f->tasks[i].content < 200);
    popular += f->tasks[i].content < 20;
    asked[f->tasks[i].content]++;
    first = xl_time_min(first, f->tasks[i].arrival);
    last = f->tasks[i].arrival;
  }
  CU_ASSERT(f->ntasks > 600 && f->ntasks < 1000);
  CU_ASSERT(asked[0] > 10 && asked[0] <= f->ndevices);
  CU_ASSERT(popular > f->ntasks / 4);
  CU_ASSERT(first < XL_DAY(1));
  CU_ASSERT(last > XL_DAY(18));
  fleet_free(f);
  scenario_free(s);
}

TEST_SUITE("shipped scenarios", {"each has the size its table says", test_full},
           {"each small variant is small", test_small},
           {"the outage meets every device at work", test_outage},
           {"a mirror's validators can be made to differ", test_validators},
           {"the month has many jobs a device over weeks", test_month})
