/* SPDX-License-Identifier: MIT */
/*
 * What one download has received, to the byte, and which pieces are asked for.
 *
 *   local file   |--piece--|--piece--|--piece--|-last-|
 *   held         a bit in the map: received and past its check
 *   parts        sorted runs of bytes received in pieces that are not held,
 *                each with where it came from, for when the check fails
 *   busy         a bit a piece that is not held: asked for, or whole but not
 *                yet checked
 *
 * A whole piece passes from the parts to the map by xli_have_settle.
 */
#ifndef ENGINE_HAVE_H
#define ENGINE_HAVE_H

#include "bits.h"
#include "map.h"

typedef struct part {
  xl_bytes begin, end;
  uint32_t request; /* that brought it */
  uint16_t mirror;  /* if from an origin */
  uint8_t class;    /* xl_class of a first copy */
} part;

typedef struct have {
  xl_map *map;    /* owned, unless the cache has taken it: then NULL */
  uint64_t *busy; /* part of the map */
  part *parts;    /* owned */
  uint32_t nparts, part_cap;
  uint32_t piece_bytes;
  uint32_t npieces;
  uint32_t nbusy;
  xl_bytes size; /* of the local file */
} have;

/* False when out of memory. h->piece_bytes is set. */
bool xli_have_init(xl_engine *eng, have *h, xl_bytes size, bool shared);
void xli_have_fini(xl_engine *eng, have *h);

xl_range xli_have_bytes(const have *h, uint32_t piece);
/* The pieces that |r| touches. */
void xli_have_pieces(const have *h, xl_range r, uint32_t *begin, uint32_t *end);
/* Whether byte |at| is received; *end is where, at most at |max|, that run of
   received or missing bytes ends. at < max <= size. */
bool xli_have_run(const have *h, xl_bytes at, xl_bytes max, xl_bytes *end);
bool xli_have_all(const have *h);
/* Every byte of the piece is received, checked or not. */
bool xli_have_is_whole(const have *h, uint32_t piece);

/* Adds a run of missing bytes. |good|: it is checked, so that pieces that are
   whole now are held. */
void xli_have_put(xl_engine *eng, have *h, const part *p, bool good);
/* Pieces touched by |r| that are whole become held. */
void xli_have_settle(xl_engine *eng, have *h, xl_range r);
/* Takes one part, or what of it lies in |r|, out; false when none is left. */
bool xli_have_cut(xl_engine *eng, have *h, xl_range r, part *out);

void xli_have_set_busy(have *h, xl_range r);
void xli_have_clear_busy(have *h, xl_range r);

static inline bool xli_have_is_busy(const have *h, uint32_t piece) {
  return bits_has(h->busy, piece);
}

/* Pieces of word |k| that are neither held nor busy. */
static inline uint64_t xli_have_free(const have *h, uint32_t k) {
  uint64_t held = h->map->full ? ~(uint64_t)0 : xli_map_held(h->map)[k];
  return ~(held | h->busy[k]) & bits_mask(k, 0, h->npieces);
}

#endif
