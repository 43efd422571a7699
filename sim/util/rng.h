/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random streams. A stream is keyed by (seed, purpose, names and indices of
 * what it is for), never by a global index, so that changing one count or
 * adding a class changes no other draw. Counter-based (Philox 4x32-10 of
 * Random123): the n-th draw of a stream is a pure function of key and n.
 */
#ifndef UTIL_RNG_H
#define UTIL_RNG_H

#include <stdint.h>

typedef struct rng {
  uint64_t key;
  uint64_t next; /* number of the next draw */
} rng;

/* Keys are built by folding: rng_key(seed, "arrival") then rng_fold_* with the
   site class name, site index, device class name, index in site, ... */
uint64_t rng_key(uint64_t seed, const char *purpose);
uint64_t rng_fold_text(uint64_t key, const char *s);
uint64_t rng_fold(uint64_t key, uint64_t n);

static inline rng rng_of(uint64_t key) { return (rng){key, 0}; }

/* The |n|-th 64 bits of the stream |key|. */
uint64_t rng_at(uint64_t key, uint64_t n);
uint64_t rng_u64(rng *r);
double rng_unit(rng *r);                   /* in (0, 1), 53 bits */
uint64_t rng_below(rng *r, uint64_t n);    /* uniform in [0, n), n > 0 */

#endif
