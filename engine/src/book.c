/* SPDX-License-Identifier: MIT */
/*
 * Booking: every byte that arrives is put into exactly one class, in the
 * ledgers of its request, its file and its agent, and moved, never lost, when
 * it is dropped later.
 */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "job.h"
#include "transfer.h"

void xli_waste(xl_engine *eng, xl_bytes **wasted, xl_class c, xl_bytes n) {
  if (*wasted == NULL && n > 0) {
    *wasted = xli_new(eng, NWASTED * sizeof **wasted);
  }
  if (*wasted != NULL) {
    (*wasted)[c - XL_CLASS_USEFUL_END] += n;
  }
}

void xli_books_add(xl_engine *eng, books *b, xl_class c, xl_bytes n) {
  if (c < XL_CLASS_USEFUL_END) {
    b->first[c] += n;
  } else {
    xli_waste(eng, &b->wasted, c, n);
  }
}

xl_ledger xli_books_ledger(const books *b) {
  xl_ledger l = {{0}};

  memcpy(l.bytes, b->first, sizeof b->first);
  if (b->wasted != NULL) {
    memcpy(l.bytes + XL_CLASS_USEFUL_END, b->wasted,
           NWASTED * sizeof *b->wasted);
  }
  return l;
}

static void charge(request *r, xl_class c, xl_bytes n) {
  xl_engine *eng = r->file->job->agent->engine;

  if (c < XL_CLASS_USEFUL_END) {
    r->useful += n;
  } else {
    xli_waste(eng, &r->wasted, c, n);
  }
#ifdef XL_MUTANT_MISBOOK /* one byte in the wrong class, for a test */
  xli_books_add(eng, &r->file->books, XL_CLASS_OVERHEAD, n > 0);
  n -= n > 0;
#endif
  xli_books_add(eng, &r->file->books, c, n);
}

/* Useful bytes of |f| become wasted ones. */
static void move(xl_file *f, xl_class from, xl_class to, xl_bytes n) {
  assert(f->books.first[from] >= n);
  f->books.first[from] -= n;
  xli_waste(f->job->agent->engine, &f->books.wasted, to, n);
}

static xl_range overlap(xl_range a, xl_range b) {
  xl_bytes begin = a.begin > b.begin ? a.begin : b.begin;
  xl_bytes end = a.end < b.end ? a.end : b.end;

  return (xl_range){begin, end < begin ? begin : end};
}

void xli_book_release(xl_file *f, xl_range range) {
  have *h = &f->have;
  uint32_t begin, end;

  if (h->map == NULL || range.begin >= range.end) {
    return;
  }
  xli_have_pieces(h, range, &begin, &end);
  range.begin = xli_have_bytes(h, begin).begin;
  range.end = xli_have_bytes(h, end - 1).end;
  xli_have_clear_busy(h, range);
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    xl_range open = overlap(xli_request_open(r), range);
    if (r->file == f && open.begin < open.end) {
      xli_have_set_busy(h, open);
    }
  }
  for (uint32_t i = 0; i < h->nparts; i++) {
    xl_range in =
        overlap((xl_range){h->parts[i].begin, h->parts[i].end}, range);
    if (in.begin == in.end) {
      continue;
    }
    xli_have_pieces(h, in, &begin, &end);
    for (uint32_t p = begin; p < end; p++) {
      if (xli_have_is_whole(h, p)) {
        xli_have_set_busy(h, xli_have_bytes(h, p));
      }
    }
  }
}

/* The first copy of a run of missing bytes. */
static void take_first(request *r, xl_range run, bool good, const void *data) {
  xl_file *f = r->file;
  xl_engine *eng = f->job->agent->engine;
  xl_bytes n = run.end - run.begin;
  xl_class c = xl_class_of((xl_source_kind)r->kind, (xl_scope)r->scope);

  charge(r, c, n);
  f->received += n;
  if (r->kind == XL_SOURCE_ORIGIN) {
    f->remotes[r->source].first += n;
  } else if (r->peer != XL_NONE) {
    xl_peer *from = &f->swarm->peers[r->peer];
    xl_bytes all = from->received + n;
    from->received =
        (all < PEER_RECEIVED_MAX ? all : PEER_RECEIVED_MAX) & PEER_RECEIVED_MAX;
  }
  if (data != NULL && eng->env.store != NULL) {
    eng->inside = true;
    eng->env.store(eng->env.arg, f, run, data);
    eng->inside = false;
  }
  part p = {.begin = run.begin,
            .end = run.end,
            .request = r->number,
            .mirror = (uint16_t)(r->kind == XL_SOURCE_ORIGIN ? r->source : 0),
            .class = (uint8_t)c};
  xli_have_put(eng, &f->have, &p, good);
}

static void take(request *r, xl_range range, bool good, const void *data) {
  const have *h = &r->file->have;
  const unsigned char *bytes = data;
  xl_bytes end;
  bool first = false;

  for (xl_bytes at = range.begin; at < range.end; at = end) {
    if (xli_have_run(h, at, range.end, &end)) {
      charge(r, XL_CLASS_DUPLICATE, end - at);
    } else {
      take_first(r, (xl_range){at, end}, good,
                 data == NULL ? NULL : bytes + (at - range.begin));
      first = true;
    }
  }
  if (first) {
    xli_job_progress(r->file->job);
  }
}

void xli_book(request *r, xl_bytes n, bool good, const void *data) {
  xl_bytes room = r->range.end - r->pos;

  if (r->head) { /* a body that nobody asked for */
    charge(r, XL_CLASS_OVERHEAD, n);
    return;
  }
  if (r->dropped != XL_NCLASSES || r->blind) {
    charge(r, r->blind ? XL_CLASS_CANCELLED : (xl_class)r->dropped, n);
    r->pos += n;
    return;
  }
  xl_bytes asked = n < room ? n : room;
  xl_range got = {r->pos, r->pos + asked};
  r->pos = got.end;
  if (n > asked) { /* R815 */
    charge(r, XL_CLASS_OVERHEAD, n - asked);
  }
  take(r, got, good && r->judged == got.begin, data);
  if (good && r->judged == got.begin) {
    r->judged = got.end;
  }
  xli_book_release(r->file, got);
}

void xli_book_good(request *r, xl_bytes end) {
  if (r->judged < end && r->dropped == XL_NCLASSES && !r->blind) {
    xl_range range = {r->judged, end};
    xli_have_settle(r->file->job->agent->engine, &r->file->have, range);
    r->judged = end;
    xli_book_release(r->file, range);
  }
}

/* Part |p| failed its check. */
static void fail_part(xl_file *f, const part *p) {
  xl_bytes n = p->end - p->begin;

  move(f, (xl_class)p->class, XL_CLASS_FAILED_CHECK, n);
  f->received -= n;
  if (p->class == XL_CLASS_ORIGIN) {
    f->remotes[p->mirror].first -= n;
  }
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->number == p->request) {
      r->useful -= n;
      xli_waste(f->job->agent->engine, &r->wasted, XL_CLASS_FAILED_CHECK, n);
    }
  }
}

void xli_book_bad(request *r, xl_bytes end) {
  xl_file *f = r->file;
  have *h = &f->have;
  uint32_t first, last;
  part gone;

  if (r->judged >= end || r->dropped != XL_NCLASSES || r->blind) {
    return;
  }
  r->bad = true;
  xli_have_pieces(h, (xl_range){r->judged, end}, &first, &last);
  r->judged = end;
  for (uint32_t p = first; p < last; p++) {
    if (xli_map_holds(h->map, p)) {
      continue;
    }
    xl_range bytes = xli_have_bytes(h, p);
    while (xli_have_cut(f->job->agent->engine, h, bytes, &gone)) {
      fail_part(f, &gone);
    }
    xli_book_release(f, bytes);
  }
}

void xli_book_drop(xl_file *f, xl_class to) {
  for (int c = 0; c < XL_CLASS_USEFUL_END; c++) {
    move(f, (xl_class)c, to, f->books.first[c]);
  }
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f && r->dropped == XL_NCLASSES) {
      xli_waste(f->job->agent->engine, &r->wasted, to, r->useful);
      r->useful = 0;
      r->dropped = to & 15u;
    }
  }
  for (uint32_t i = 0; i < f->nremotes; i++) {
    f->remotes[i].first = 0;
  }
  f->received = 0;
}
