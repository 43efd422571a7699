/* SPDX-License-Identifier: MIT */
/*
 * Piece maps, the writing side. Three kinds:
 *   private  a bit a piece: a download that nobody else sees
 *   shared   bits, journal and positions: a swarming download. Entries of
 *            journal and positions are 1 byte up to 256 pieces, 2 up to 65,536,
 *            else 4
 *   full     nothing but the count: a whole copy; its journal is 0, 1, 2 ...
 * Shared and full maps publish their journal's length at most once an announce
 * interval; the last MAP_MARKS times are kept. A length that waits for its
 * interval to pass is already there, with its time to come: publishing needs no
 * timer. A reader more than 7 intervals away sees a length that old.
 *
 * The block of a map that is not full also has the bits of what its download
 * asks for (have.h). With the counts of holders (peers.h) that is all that is
 * kept of each piece (B10).
 */
#ifndef ENGINE_MAP_H
#define ENGINE_MAP_H

#include <xl/agent.h>

#include "bits.h"

#define MAP_MARKS 8u

typedef struct __attribute__((packed, aligned(4))) map_mark {
  xl_time at; /* when it is, or will be, published */
  uint32_t len;
} map_mark;

struct xl_map {
  uint32_t npieces, nheld;
  uint32_t id;  /* no two maps of an engine have the same */
  uint32_t old; /* the length before the oldest mark */
  bool full;
  uint8_t width; /* bytes of an entry; 0: not shared */
  uint8_t nmarks;
  /* Newest first; full: 1, private: none. Unless full there follow: held, busy,
     journal, positions. */
  _Alignas(8) map_mark marks[];
};

_Static_assert(MAP_MARKS * sizeof(map_mark) % 8 == 0, "words are aligned");

/* Of a map that is not full. */
static inline uint64_t *xli_map_held(const xl_map *m) {
  size_t marks = m->width > 0 ? MAP_MARKS : 0;

  return (uint64_t *)((uintptr_t)m->marks + marks * sizeof(map_mark));
}

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

static inline bool xli_map_holds(const xl_map *m, uint32_t piece) {
  return piece < m->npieces && (m->full || bits_has(xli_map_held(m), piece));
}

static inline uint64_t *xli_map_busy(const xl_map *m) {
  return xli_map_held(m) + bits_words(m->npieces);
}

/* Entry |i| of the journal of a shared map; behind it are the positions. */
static inline uint32_t xli_map_entry(const xl_map *m, uint32_t i) {
  const void *order = xli_map_busy(m) + bits_words(m->npieces);

  return m->width == 1   ? ((const uint8_t *)order)[i]
         : m->width == 2 ? ((const uint16_t *)order)[i]
                         : ((const uint32_t *)order)[i];
}

static inline bool xli_map_sees(const xl_map *m, uint32_t piece,
                                uint32_t visible) {
  if (m->full || !xli_map_holds(m, piece)) {
    return m->full && piece < m->npieces && piece < visible;
  }
  return m->width > 0 && xli_map_entry(m, m->npieces + piece) < visible;
}

#endif
