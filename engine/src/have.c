/* SPDX-License-Identifier: MIT */
#include "have.h"

#include <string.h>

#include "alloc.h"
#include "engine.h"

bool xli_have_init(xl_engine *eng, have *h, xl_bytes size, bool shared) {
  assert(h->map == NULL && h->nparts == 0);
  h->size = size;
  h->npieces = (uint32_t)(size / h->piece_bytes + (size % h->piece_bytes != 0));
  h->nbusy = 0;
  h->map = shared ? xli_map_shared(eng, h->npieces)
                  : xli_map_private(eng, h->npieces);
  h->busy = h->map == NULL ? NULL : xli_map_busy(h->map);
  return h->map != NULL;
}

void xli_have_fini(xl_engine *eng, have *h) {
  xli_free(eng, h->map);
  xli_free(eng, h->parts);
  *h = (have){.piece_bytes = h->piece_bytes, .size = h->size};
}

xl_range xli_have_bytes(const have *h, uint32_t piece) {
  xl_bytes begin = (xl_bytes)piece * h->piece_bytes;
  xl_bytes len =
      h->size - begin < h->piece_bytes ? h->size - begin : h->piece_bytes;

  return (xl_range){begin, begin + len};
}

void xli_have_pieces(const have *h, xl_range r, uint32_t *begin,
                     uint32_t *end) {
  assert(r.begin <= r.end && r.end <= h->size);
  *begin = (uint32_t)(r.begin / h->piece_bytes);
  *end =
      r.begin == r.end ? *begin : (uint32_t)((r.end - 1) / h->piece_bytes) + 1;
}

/* The first part that ends above |at|. */
static uint32_t part_at(const have *h, xl_bytes at) {
  uint32_t lo = 0, hi = h->nparts;

  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (h->parts[mid].end <= at) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

static xl_bytes lesser(xl_bytes a, xl_bytes b) {
  return a < b ? a : b;
}

bool xli_have_run(const have *h, xl_bytes at, xl_bytes max, xl_bytes *end) {
  uint32_t piece = (uint32_t)(at / h->piece_bytes);
  uint32_t last = (uint32_t)((max - 1) / h->piece_bytes) + 1;
  bool held = xli_map_holds(h->map, piece);
  uint32_t other =
      h->map->full ? last : bits_next(xli_map_held(h->map), piece, last, !held);

  assert(at < max && max <= h->size);
  *end = lesser(max, (xl_bytes)other * h->piece_bytes);
  if (held) {
    return true;
  }
  uint32_t i = part_at(h, at);
  if (i == h->nparts || h->parts[i].begin >= *end) {
    return false;
  }
  if (h->parts[i].begin > at) {
    *end = h->parts[i].begin;
    return false;
  }
  *end = lesser(*end, h->parts[i].end);
  return true;
}

bool xli_have_all(const have *h) {
  return h->map != NULL && h->map->nheld == h->npieces;
}

static void hold(xl_engine *eng, have *h, uint32_t piece) {
  xli_map_add(h->map, piece, eng->now, eng->cfg.announce_interval);
  if (bits_has(h->busy, piece)) {
    bits_take(h->busy, piece);
    h->nbusy--;
  }
}

static bool same_origin(const part *a, const part *b) {
  return a->request == b->request && a->class == b->class &&
         a->mirror == b->mirror;
}

/* Inserts at |i|; the array stays sorted. */
static bool insert(xl_engine *eng, have *h, uint32_t i, const part *p) {
  part *v = xli_grow(eng, h->parts, &h->part_cap, h->nparts + 1, sizeof *v);

  if (v == NULL) {
    return false;
  }
  h->parts = v;
  memmove(v + i + 1, v + i, (h->nparts - i) * sizeof *v);
  v[i] = *p;
  h->nparts++;
  return true;
}

static void put_part(xl_engine *eng, have *h, const part *p) {
  uint32_t i;

  if (p->begin == p->end) {
    return;
  }
  i = part_at(h, p->begin);
  assert(i == h->nparts || h->parts[i].begin >= p->end);
  if (i > 0 && h->parts[i - 1].end == p->begin &&
      same_origin(&h->parts[i - 1], p)) {
    h->parts[i - 1].end = p->end;
  } else {
    insert(eng, h, i, p);
  }
}

void xli_have_put(xl_engine *eng, have *h, const part *p, bool good) {
  xl_bytes head = (p->begin + h->piece_bytes - 1) / h->piece_bytes;
  xl_bytes tail = p->end == h->size ? h->npieces : p->end / h->piece_bytes;

  if (!good || head >= tail) {
    put_part(eng, h, p);
    if (good) {
      xli_have_settle(eng, h, (xl_range){p->begin, p->end});
    }
    return;
  }
  part edge = *p;
  edge.end = head * h->piece_bytes;
  put_part(eng, h, &edge);
  xli_have_settle(eng, h, (xl_range){edge.begin, edge.end});
  for (xl_bytes i = head; i < tail; i++) {
    hold(eng, h, (uint32_t)i);
  }
  edge.begin = lesser(tail * h->piece_bytes, h->size);
  edge.end = p->end;
  put_part(eng, h, &edge);
  xli_have_settle(eng, h, (xl_range){edge.begin, edge.end});
}

bool xli_have_is_whole(const have *h, uint32_t piece) {
  xl_range r = xli_have_bytes(h, piece);

  for (xl_bytes at = r.begin, end; at < r.end; at = end) {
    if (!xli_have_run(h, at, r.end, &end)) {
      return false;
    }
  }
  return true;
}

void xli_have_settle(xl_engine *eng, have *h, xl_range r) {
  uint32_t begin, end;
  part gone;

  xli_have_pieces(h, r, &begin, &end);
  for (uint32_t i = begin; i < end; i++) {
    if (xli_map_holds(h->map, i) || !xli_have_is_whole(h, i)) {
      continue;
    }
    while (xli_have_cut(eng, h, xli_have_bytes(h, i), &gone)) {
    }
    hold(eng, h, i);
  }
}

bool xli_have_cut(xl_engine *eng, have *h, xl_range r, part *out) {
  uint32_t i = part_at(h, r.begin);

  if (i == h->nparts || h->parts[i].begin >= r.end) {
    return false;
  }
  part *p = &h->parts[i];
  *out = *p;
  out->begin = p->begin < r.begin ? r.begin : p->begin;
  out->end = lesser(p->end, r.end);
  if (p->begin < out->begin && out->end < p->end) {
    part rest = *p;
    rest.begin = out->end;
    if (!insert(eng, h, i + 1, &rest)) {
      return false;
    }
    h->parts[i].end = out->begin;
  } else if (p->begin < out->begin) {
    p->end = out->begin;
  } else if (out->end < p->end) {
    p->begin = out->end;
  } else {
    h->nparts--;
    memmove(p, p + 1, (h->nparts - i) * sizeof *p);
  }
  return true;
}

void xli_have_set_busy(have *h, xl_range r) {
  uint32_t begin, end;

  xli_have_pieces(h, r, &begin, &end);
  for (uint32_t k = begin / 64; k * 64 < end; k++) {
    uint64_t add = bits_mask(k, begin, end) & xli_have_free(h, k);
    h->busy[k] |= add;
    h->nbusy += bits_count(add);
  }
}

void xli_have_clear_busy(have *h, xl_range r) {
  uint32_t begin, end;

  xli_have_pieces(h, r, &begin, &end);
  for (uint32_t k = begin / 64; k * 64 < end; k++) {
    uint64_t del = bits_mask(k, begin, end) & h->busy[k];
    h->busy[k] &= ~del;
    h->nbusy -= bits_count(del);
  }
}
