/* SPDX-License-Identifier: MIT */
#include "map.h"

#include <string.h>

#include "alloc.h"
#include "engine.h"

static uint8_t width_of(uint32_t npieces) {
  return npieces <= 1u << 8 ? 1 : npieces <= 1u << 16 ? 2 : 4;
}

static xl_map *map_new(xl_engine *eng, uint32_t npieces, bool shared,
                       bool full) {
  size_t marks = (shared ? MAP_MARKS : full ? 1 : 0) * sizeof(map_mark);
  size_t bits = full ? 0 : bits_words(npieces) * sizeof(uint64_t);
  uint8_t width = shared ? width_of(npieces) : 0;
  xl_map *m =
      xli_new(eng, sizeof *m + marks + 2 * bits + 2 * (size_t)npieces * width);

  if (m != NULL) {
    m->npieces = npieces;
    m->id = ++eng->map_ids;
    m->full = full;
    m->width = width;
  }
  return m;
}

xl_map *xli_map_private(xl_engine *eng, uint32_t npieces) {
  return map_new(eng, npieces, false, false);
}

xl_map *xli_map_shared(xl_engine *eng, uint32_t npieces) {
  return map_new(eng, npieces, true, false);
}

static void mark_add(xl_map *m, xl_time at) {
  if (m->nmarks == MAP_MARKS) {
    m->old = m->marks[--m->nmarks].len;
  }
  memmove(m->marks + 1, m->marks, m->nmarks * sizeof *m->marks);
  m->marks[0] = (map_mark){.at = at, .len = m->nheld};
  m->nmarks++;
}

/* The length has grown at |now|. */
static void publish(xl_map *m, xl_time now, xl_span interval) {
  map_mark *last = m->marks;

  if (m->nmarks == 0) {
    mark_add(m, now);
  } else if (last->at > now || (last->at == now && interval == 0)) {
    last->len = m->nheld;
  } else {
    xl_time due = xl_time_add(last->at, interval);
    mark_add(m, due > now ? due : now);
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

static void set_entry(xl_map *m, uint32_t i, uint32_t value) {
  void *order = xli_map_busy(m) + bits_words(m->npieces);

  if (m->width == 1) {
    ((uint8_t *)order)[i] = (uint8_t)value;
  } else if (m->width == 2) {
    ((uint16_t *)order)[i] = (uint16_t)value;
  } else {
    ((uint32_t *)order)[i] = value;
  }
}

void xli_map_add(xl_map *m, uint32_t piece, xl_time now, xl_span interval) {
  assert(!m->full && piece < m->npieces && !bits_has(xli_map_held(m), piece));
  bits_put(xli_map_held(m), piece);
  if (m->width > 0) {
    set_entry(m, m->nheld, piece);
    set_entry(m, m->npieces + piece, m->nheld);
  }
  m->nheld++;
  if (m->width > 0) {
    publish(m, now, interval);
  }
}

const char *xli_map_check(const xl_map *m) {
  uint32_t n = 0;

  if (m->full) {
    return m->nheld == m->npieces ? NULL : "a full map lacks pieces";
  }
  for (uint32_t k = 0; k < bits_words(m->npieces); k++) {
    n += bits_count(xli_map_held(m)[k]);
  }
  if (n != m->nheld) {
    return "a map's count is not that of its bits";
  }
  for (uint32_t i = 0; m->width > 0 && i < m->nheld; i++) {
    uint32_t p = xl_map_journal(m, i);
    if (p >= m->npieces || !xl_map_sees(m, p, i + 1) || xl_map_sees(m, p, i)) {
      return "a map's journal and positions differ";
    }
  }
  if (m->nmarks > 0 && m->marks[0].len != m->nheld) {
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
  return xli_map_holds(m, piece);
}

bool xl_map_sees(const xl_map *m, uint32_t piece, uint32_t visible) {
  return xli_map_sees(m, piece, visible);
}

uint32_t xl_map_journal(const xl_map *m, uint32_t i) {
  assert(i < m->nheld && (m->full || m->width > 0));
  return m->full ? i : xli_map_entry(m, i);
}

uint32_t xl_map_visible(const xl_map *m, xl_time now, xl_span latency) {
  for (uint32_t i = 0; i < m->nmarks; i++) {
    if (xl_time_add(m->marks[i].at, latency) <= now) {
      return m->marks[i].len;
    }
  }
  return m->old;
}
