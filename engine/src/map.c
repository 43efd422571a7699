/* SPDX-License-Identifier: MIT */
#include "map.h"

#include <string.h>

#include "alloc.h"
#include "bits.h"
#include "engine.h"

#define NARROW_MAX 65535u

static xl_map *map_new(xl_engine *eng, uint32_t npieces, bool shared,
                       bool full) {
  size_t marks = shared || full ? MAP_RING * sizeof(map_mark) : 0;
  size_t bits = full ? 0 : bits_words(npieces) * sizeof(uint64_t);
  size_t entry = npieces <= NARROW_MAX ? sizeof(uint16_t) : sizeof(uint32_t);
  size_t order = shared ? 2 * (size_t)npieces * entry : 0;
  xl_map *m = xli_new(eng, sizeof *m + marks + bits + order);

  if (m == NULL) {
    return NULL;
  }
  unsigned char *tail = (unsigned char *)(m + 1);
  m->npieces = npieces;
  m->id = ++eng->map_ids;
  m->shared = shared;
  m->full = full;
  if (marks > 0) {
    m->ring = (map_mark *)(void *)tail;
  }
  if (!full) {
    m->held = (uint64_t *)(void *)(tail + marks);
  }
  if (shared && npieces <= NARROW_MAX) {
    m->order16 = (uint16_t *)(void *)(tail + marks + bits);
  } else if (shared) {
    m->order32 = (uint32_t *)(void *)(tail + marks + bits);
  }
  return m;
}

xl_map *xli_map_private(xl_engine *eng, uint32_t npieces) {
  return map_new(eng, npieces, false, false);
}

xl_map *xli_map_shared(xl_engine *eng, uint32_t npieces) {
  return map_new(eng, npieces, true, false);
}

static map_mark *mark_at(const xl_map *m, uint32_t i) {
  return &m->ring[i % MAP_RING];
}

static void mark_add(xl_map *m, xl_time at) {
  if (m->nmarks >= MAP_RING) {
    m->old = mark_at(m, m->nmarks)->len;
  }
  *mark_at(m, m->nmarks) = (map_mark){.at = at, .len = m->nheld};
  m->nmarks++;
}

/* The length has grown at |now|. */
static void publish(xl_map *m, xl_time now, xl_span interval) {
  map_mark *last = m->nmarks == 0 ? NULL : mark_at(m, m->nmarks - 1);

  if (last == NULL || xl_time_add(last->at, interval) <= now) {
    if (last != NULL && last->at == now) {
      last->len = m->nheld;
    } else {
      mark_add(m, now);
    }
  } else if (last->at > now) {
    last->len = m->nheld;
  } else {
    mark_add(m, xl_time_add(last->at, interval));
  }
}

xl_map *xli_map_full(xl_engine *eng, uint32_t npieces, xl_time now) {
  xl_map *m = map_new(eng, npieces, false, true);

  if (m != NULL) {
    m->nheld = npieces;
    mark_add(m, now);
  }
  return m;
}

void xli_map_add(xl_map *m, uint32_t piece, xl_time now, xl_span interval) {
  assert(!m->full && piece < m->npieces && !bits_has(m->held, piece));
  bits_put(m->held, piece);
  if (m->order16 != NULL) {
    m->order16[m->nheld] = (uint16_t)piece;
    m->order16[m->npieces + piece] = (uint16_t)m->nheld;
  } else if (m->order32 != NULL) {
    m->order32[m->nheld] = piece;
    m->order32[m->npieces + piece] = m->nheld;
  }
  m->nheld++;
  if (m->shared) {
    publish(m, now, interval);
  }
}

const char *xli_map_check(const xl_map *m) {
  uint32_t n = 0;

  if (m->full) {
    return m->nheld == m->npieces ? NULL : "a full map lacks pieces";
  }
  for (uint32_t k = 0; k < bits_words(m->npieces); k++) {
    n += bits_count(m->held[k]);
  }
  if (n != m->nheld) {
    return "a map's count is not that of its bits";
  }
  for (uint32_t i = 0; m->shared && i < m->nheld; i++) {
    uint32_t p = xl_map_journal(m, i);
    if (p >= m->npieces || !xl_map_sees(m, p, i + 1) || xl_map_sees(m, p, i)) {
      return "a map's journal and positions differ";
    }
  }
  if (m->nmarks > 0 && mark_at(m, m->nmarks - 1)->len != m->nheld) {
    return "a map's last mark is not its length";
  }
  return NULL;
}

uint32_t xl_map_npieces(const xl_map *m) {
  return m->npieces;
}

uint32_t xl_map_nheld(const xl_map *m) {
  return m->nheld;
}

bool xl_map_holds(const xl_map *m, uint32_t piece) {
  return piece < m->npieces && (m->full || bits_has(m->held, piece));
}

bool xl_map_sees(const xl_map *m, uint32_t piece, uint32_t visible) {
  if (m->full) {
    return piece < m->npieces && piece < visible;
  }
  if (!xl_map_holds(m, piece)) {
    return false;
  }
  if (m->order16 != NULL) {
    return m->order16[m->npieces + piece] < visible;
  }
  return m->order32 != NULL && m->order32[m->npieces + piece] < visible;
}

uint32_t xl_map_journal(const xl_map *m, uint32_t i) {
  assert(i < m->nheld && (m->full || m->shared));
  return m->full ? i : m->order16 != NULL ? m->order16[i] : m->order32[i];
}

uint32_t xl_map_visible(const xl_map *m, xl_time now, xl_span latency) {
  uint32_t first = m->nmarks > MAP_RING ? m->nmarks - MAP_RING : 0;

  for (uint32_t i = m->nmarks; i > first; i--) {
    const map_mark *k = mark_at(m, i - 1);
    if (xl_time_add(k->at, latency) <= now) {
      return k->len;
    }
  }
  return m->old;
}
