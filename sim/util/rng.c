/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One Philox block a call. The key is the stream; the counter holds the number
 * asked for and, in its third word, what the call is for, so that folding and
 * drawing never meet on the same block:
 *
 *   counter = { n low, n high, use, position }
 */
#include "util/rng.h"

#include <assert.h>
#include <string.h>

#include <Random123/philox.h>

enum { USE_DRAW, USE_NUMBER, USE_TEXT };

static uint64_t block(uint64_t key, uint64_t n, uint32_t use, uint32_t pos) {
  philox4x32_ctr_t c = {{(uint32_t)n, (uint32_t)(n >> 32), use, pos}};
  philox4x32_key_t k = {{(uint32_t)key, (uint32_t)(key >> 32)}};
  philox4x32_ctr_t out = philox4x32(c, k);

  return (uint64_t)out.v[1] << 32 | out.v[0];
}

uint64_t rng_key(uint64_t seed, const char *purpose) {
  return rng_fold_text(seed, purpose);
}

/* Eight bytes at a time, little end first on every machine; the length goes
   into each block, so no name is a prefix of another. */
uint64_t rng_fold_text(uint64_t key, const char *s) {
  size_t len = strlen(s);

  for (size_t i = 0; i == 0 || i < len; i += 8) {
    uint64_t word = 0;
    for (size_t j = 0; j < 8 && i + j < len; j++) {
      word |= (uint64_t)(unsigned char)s[i + j] << 8 * j;
    }
    key = block(key, word, USE_TEXT, (uint32_t)len);
  }
  return key;
}

uint64_t rng_fold(uint64_t key, uint64_t n) {
  return block(key, n, USE_NUMBER, 0);
}

uint64_t rng_at(uint64_t key, uint64_t n) {
  return block(key, n, USE_DRAW, 0);
}

uint64_t rng_u64(rng *r) {
  return rng_at(r->key, r->next++);
}

/* The middle of one of 2^52 equal cells: never 0, never 1, and symmetric. */
double rng_unit(rng *r) {
  return ((double)(rng_u64(r) >> 12) + 0.5) * 0x1p-52;
}

/* Multiply and keep the high half; the few products that would make some
   results likelier are drawn again (Lemire 2019). */
uint64_t rng_below(rng *r, uint64_t n) {
  __extension__ typedef unsigned __int128 u128;
  uint64_t few;

  assert(n > 0);
  few = (0 - n) % n;
  for (;;) {
    u128 m = (u128)rng_u64(r) * n;
    if ((uint64_t)m >= few) {
      return (uint64_t)(m >> 64);
    }
  }
}
