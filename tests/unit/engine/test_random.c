/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine against an environment and policies that do anything, at random
 * (tests/fuzz/driver.h), and each script that ever broke it. A failure names
 * the seed and script; `build/rel/driver --seed S` shrinks it.
 */
#include <dirent.h>
#include <stdlib.h>

#include <tests/fuzz/driver.h>

#include "test.h"

#define REGRESSIONS "tests/fuzz/regressions"

static void play(uint64_t seed, uint64_t steps, bool erratic) {
  uint64_t until = driver_total.steps + steps;

  for (uint64_t n = 0; driver_total.steps < until; n++) {
    script s = {0};
    uint32_t at = 0;
    script_make(&s, seed * 1000003u + n, 100 + (uint32_t)(n % 4) * 200,
                erratic);
    const char *bad = driver_play(&s, -1, NULL, &at);
    script_free(&s);
    if (bad != NULL) {
      printf("  seed %d, script %d, line %u: %s\n", (int)seed, (int)n, at + 1,
             bad);
      CU_FAIL("a random script breaks the engine");
      return;
    }
  }
}

static void test_seed_1(void) {
  play(1, 200000, false);
}

static void test_seed_2(void) {
  play(2, 200000, false);
  for (int e = 0; e < XL_NENDS; e++) {
    CU_ASSERT(driver_total.ended[e] > 0);
  }
  CU_ASSERT(driver_total.completed > 100);
  CU_ASSERT(driver_total.loads > 500);
  CU_ASSERT(driver_total.notices > 2000);
  CU_ASSERT(driver_total.redirected > 100);
  CU_ASSERT(driver_total.peer_bytes > 100000);
  CU_ASSERT(driver_total.whole_files > 1000);
}

static void test_erratic(void) {
  play(3, 150000, true);
}

/* Each allocation of some scripts fails in turn. */
static void test_memory(void) {
  long sum = 0;

  for (uint64_t seed = 0; seed < 20; seed++) {
    script s = {0};
    bool blown = true;
    const char *bad = NULL;
    uint32_t at = 0;
    long fuse = 0;
    script_make(&s, seed, 60, false);
    for (; blown && bad == NULL; fuse++) {
      bad = driver_play(&s, fuse, &blown, &at);
    }
    if (bad != NULL) {
      printf("  script %d, allocation %ld, line %u: %s\n", (int)seed, fuse - 1,
             at + 1, bad);
    }
    CU_ASSERT_PTR_NULL(bad);
    sum += fuse;
    script_free(&s);
  }
  CU_ASSERT(sum > 300);
}

static void test_regressions(void) {
  DIR *dir = opendir(REGRESSIONS);
  int n = 0;

  CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
  for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
    char path[512];
    script s = {0};
    if (strstr(e->d_name, ".txt") == NULL) {
      continue;
    }
    snprintf(path, sizeof path, REGRESSIONS "/%.400s", e->d_name);
    FILE *in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    CU_ASSERT_PTR_NULL(script_read(&s, in));
    fclose(in);
    CU_ASSERT(s.n > 0);
    n++;
    if (driver_try(&s, -1, false) != 0) {
      printf("  %s breaks the engine again\n", path);
      CU_FAIL("a script that was mended");
    } else { /* in this process it counts for `make cov` */
      uint32_t at;
      CU_ASSERT_PTR_NULL(driver_play(&s, -1, NULL, &at));
    }
    script_free(&s);
  }
  closedir(dir);
  CU_ASSERT(n >= 22);
}

TEST_SUITE("engine random",
           {"scripts that broke the engine once do not any more",
            test_regressions},
           {"200,000 random steps keep every invariant and book", test_seed_1},
           {"so do 200,000 of another seed, and all kinds of ends are met",
            test_seed_2},
           {"illegal answers of a policy are noticed and nothing crashes",
            test_erratic},
           {"each allocation that fails is noticed and leaves nothing behind",
            test_memory})
