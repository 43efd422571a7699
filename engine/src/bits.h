/* SPDX-License-Identifier: MIT */
/* Bitmaps of pieces in 64-bit words; bits at and above the end are 0. */
#ifndef ENGINE_BITS_H
#define ENGINE_BITS_H

#include <xl/types.h>

static inline uint32_t bits_words(uint32_t n) {
  return n / 64 + (n % 64 != 0);
}

static inline bool bits_has(const uint64_t *w, uint32_t i) {
  return (w[i / 64] >> (i % 64) & 1) != 0;
}

static inline void bits_put(uint64_t *w, uint32_t i) {
  w[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline void bits_take(uint64_t *w, uint32_t i) {
  w[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The bits of word |k| that lie in [begin, end). */
static inline uint64_t bits_mask(uint32_t k, uint32_t begin, uint32_t end) {
  uint64_t m = ~(uint64_t)0;

  if (begin > k * 64) {
    m &= begin - k * 64 >= 64 ? 0 : ~(uint64_t)0 << (begin - k * 64);
  }
  if (end < k * 64 + 64) {
    m &= end <= k * 64 ? 0 : ~(uint64_t)0 >> (k * 64 + 64 - end);
  }
  return m;
}

static inline uint32_t bits_count(uint64_t w) {
  return (uint32_t)__builtin_popcountll(w);
}

static inline uint32_t bits_low(uint64_t w) { /* w != 0 */
  return (uint32_t)__builtin_ctzll(w);
}

/* The first bit that is |want| in [from, end), or |end|. */
static inline uint32_t bits_next(const uint64_t *w, uint32_t from, uint32_t end,
                                 bool want) {
  for (uint32_t k = from / 64; from < end; from = ++k * 64) {
    uint64_t x = (want ? w[k] : ~w[k]) & bits_mask(k, from, end);
    if (x != 0) {
      return k * 64 + bits_low(x);
    }
  }
  return end;
}

#endif
