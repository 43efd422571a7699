/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams: known answers of Philox, keys, and the plainest statistics. */
#include <math.h>
#include <stdlib.h>

#include <Random123/philox.h>

#include "test.h"
#include "util/rng.h"

/* From kat_vectors of Random123 (Salmon, Moraes, Dror, Shaw; SC 2011). */
static void test_known(void) {
  static const struct {
    uint32_t ctr[4], key[2], want[4];
  } kat[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

  for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
    philox4x32_ctr_t c;
    philox4x32_key_t k;
    memcpy(c.v, kat[i].ctr, sizeof c.v);
    memcpy(k.v, kat[i].key, sizeof k.v);
    philox4x32_ctr_t out = philox4x32(c, k);
    CU_ASSERT(memcmp(out.v, kat[i].want, sizeof out.v) == 0);
  }
  CU_ASSERT(rng_at(0, 0) == 0xe169c58d6627e8d5u);
}

static void test_stream(void) {
  rng r = rng_of(rng_key(7, "test"));

  for (uint64_t i = 0; i < 100; i++) {
    CU_ASSERT(rng_u64(&r) == rng_at(rng_key(7, "test"), i));
  }
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

  return (x > y) - (x < y);
}

/* Seeds, purposes, names and numbers that are nearly alike, and the draws and
   foldings of the same key. */
static void test_keys(void) {
  static const char *const names[] = {"",
                                      "a",
                                      "b",
                                      "aa",
                                      "branch",
                                      "branch1",
                                      "branch10",
                                      "branch-1",
                                      "12345678",
                                      "1234567812345678",
                                      "12345678\001",
                                      "123456789"};
  enum { NAMES = sizeof names / sizeof *names, SEEDS = 10, NUMBERS = 20 };
  static uint64_t key[SEEDS * NAMES * (NAMES + 2 * NUMBERS)];
  size_t n = 0;

  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    for (size_t i = 0; i < NAMES; i++) {
      uint64_t k = rng_key(seed, names[i]);
      for (size_t j = 0; j < NAMES; j++) {
        key[n++] = rng_fold_text(k, names[j]);
      }
      for (uint64_t j = 0; j < NUMBERS; j++) {
        key[n++] = rng_fold(k, j);
        key[n++] = rng_at(k, j);
      }
    }
  }
  CHECK_EQ(n, sizeof key / sizeof *key);
  qsort(key, n, sizeof *key, compare);
  for (size_t i = 1; i < n; i++) {
    CU_ASSERT(key[i - 1] != key[i]);
  }
}

/* These change only when every published result does. */
static void test_pinned(void) {
  uint64_t key = rng_fold(rng_fold_text(rng_key(1, "device"), "branch"), 3);

  CU_ASSERT(key == 0xb48cd8b2a088e60du);
  CU_ASSERT(rng_at(key, 0) == 0xae6f2026648ea525u);
}

static void test_unit(void) {
  enum { N = 200000, BINS = 50 };
  rng r = rng_of(rng_key(3, "unit"));
  double sum = 0, square = 0, chi = 0, lowest = 1, highest = 0;
  int bin[BINS] = {0};

  for (int i = 0; i < N; i++) {
    double u = rng_unit(&r);
    sum += u;
    square += u * u;
    lowest = fmin(lowest, u);
    highest = fmax(highest, u);
    bin[(int)(u * BINS)]++;
  }
  for (int i = 0; i < BINS; i++) {
    double d = bin[i] - (double)N / BINS;
    chi += d * d / ((double)N / BINS);
  }
  CU_ASSERT(lowest > 0 && highest < 1);
  CHECK_NEAR(sum / N, 0.5, 0.005);
  CHECK_NEAR(square / N - sum / N * (sum / N), 1.0 / 12, 0.01);
  CU_ASSERT(chi > 24 && chi < 85); /* 49 degrees of freedom, 99.8 % */
}

static void test_below(void) {
  rng r = rng_of(rng_key(3, "below"));
  int seen[7] = {0};

  for (int i = 0; i < 70000; i++) {
    uint64_t v = rng_below(&r, 7);
    CU_ASSERT_FATAL(v < 7);
    seen[v]++;
  }
  for (int i = 0; i < 7; i++) {
    CHECK_NEAR(seen[i], 10000, 0.04);
  }
  CHECK_EQ(rng_below(&r, 1), 0);
  CU_ASSERT(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

TEST_SUITE("rng", {"Philox 4x32-10 gives the published answers", test_known},
           {"the n-th draw is a function of key and n", test_stream},
           {"keys that differ a little differ altogether", test_keys},
           {"keys and draws are what they were", test_pinned},
           {"unit numbers are uniform and never 0 or 1", test_unit},
           {"numbers below n are uniform", test_below})
