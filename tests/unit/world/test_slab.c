/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of random sizes that grow, shrink and go: what is in them stays, and
   none overlaps another. */
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/slab.h"

#define BLOCKS 500

typedef struct block {
  unsigned char *at;
  size_t size;
} block;

static uint64_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

static bool holds(const block *b, size_t n, unsigned char mark) {
  for (size_t i = 0; i < n; i++) {
    if (b->at[i] != mark) {
      return false;
    }
  }
  return true;
}

/* Mostly small; some that the classes have no room for. */
static size_t any_size(uint64_t *state) {
  uint64_t kind = next(state) % 100;

  return kind < 80   ? 1 + next(state) % 600
         : kind < 99 ? 1 + next(state) % 60000
                     : 1 + next(state) % 300000;
}

static void test_random(void) {
  static block blocks[BLOCKS];
  slab *s = slab_new();
  uint64_t state = 7;
  bool good = s != NULL;

  for (int step = 0; good && step < 200000; step++) {
    size_t k = next(&state) % BLOCKS, was = blocks[k].size;
    unsigned char mark = (unsigned char)k;
    size_t size = next(&state) % 4 == 0 ? 0 : any_size(&state);
    unsigned char *at = slab_resize(s, blocks[k].at, size);
    blocks[k] = (block){at, size};
    good = (at == NULL) == (size == 0) && (uintptr_t)at % 8 == 0;
    good = good && holds(&blocks[k], was < size ? was : size, mark);
    if (at != NULL) {
      memset(at, mark, size);
    }
  }
  CU_ASSERT(good);
  for (size_t k = 0; k < BLOCKS; k++) {
    CU_ASSERT(holds(&blocks[k], blocks[k].size, (unsigned char)k));
  }
  slab_del(s);
}

static void test_edges(void) {
  slab *s = slab_new();
  static const size_t sizes[] = {1, 8, 504, 505, 632, 633, 65528, 65529};

  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    unsigned char *a = slab_resize(s, NULL, sizes[i]);
    unsigned char *b = slab_resize(s, NULL, sizes[i]);
    memset(a, 1, sizes[i]);
    memset(b, 2, sizes[i]);
    CU_ASSERT(holds(&(block){a, 0}, sizes[i], 1));
    CU_ASSERT_PTR_NULL(slab_resize(s, a, 0));
    unsigned char *c = slab_resize(s, b, sizes[i]);
    CU_ASSERT(c == b || sizes[i] > 65528); /* malloc may move its own */
    CU_ASSERT(holds(&(block){c, 0}, sizes[i], 2));
    slab_resize(s, c, 0);
  }
  CU_ASSERT_PTR_NULL(slab_resize(s, NULL, 0));
  slab_del(s);
  slab_del(NULL);
}

TEST_SUITE("blocks of the engine's memory",
           {"random sizes: contents stay, nothing overlaps", test_random},
           {"sizes at the classes' borders", test_edges})
