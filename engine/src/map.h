/* SPDX-License-Identifier: MIT */
/*
 * Piece maps, the writing side. Three kinds:
 *   private  a bit a piece: a download that nobody else sees
 *   shared   bits, journal and positions: a swarming download. Entries of
 *            journal and positions are 2 bytes up to 65,535 pieces, else 4
 *   full     nothing but the count: a whole copy; its journal is 0, 1, 2 ...
 * Shared and full maps publish their journal's length at most once an announce
 * interval, into a ring. A length that waits for its interval to pass is
 * already in the ring, with its time to come: publishing needs no timer. The
 * ring reaches back 7 intervals: a reader further away sees a length that old.
 */
#ifndef ENGINE_MAP_H
#define ENGINE_MAP_H

#include <xl/agent.h>

#define MAP_RING 8u

typedef struct map_mark {
  xl_time at; /* when it is, or will be, published */
  uint32_t len;
} map_mark;

struct xl_map {
  uint32_t npieces, nheld;
  uint32_t id; /* no two maps of an engine have the same */
  bool shared, full;
  uint32_t old;      /* the length before the oldest mark of the ring */
  uint32_t nmarks;   /* marks ever made; the last MAP_RING are kept */
  uint64_t *held;    /* NULL: full */
  uint16_t *order16; /* journal, then positions; one of the two, if shared */
  uint32_t *order32;
  map_mark *ring; /* MAP_RING, NULL: private */
};

/* All NULL when out of memory. A map and its parts are one block of memory,
   freed with xli_free. */
xl_map *xli_map_private(xl_engine *eng, uint32_t npieces);
xl_map *xli_map_shared(xl_engine *eng, uint32_t npieces);
/* Published at |now|. */
xl_map *xli_map_full(xl_engine *eng, uint32_t npieces, xl_time now);
/* |piece| is not held and now is. */
void xli_map_add(xl_map *m, uint32_t piece, xl_time now, xl_span interval);
/* NULL when sound. */
const char *xli_map_check(const xl_map *m);

#endif
