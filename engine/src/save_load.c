/* SPDX-License-Identifier: MIT */
/*
 * The body of a save, read without trust: whatever the bytes are, what comes
 * out keeps every invariant of check.c, or nothing does.
 */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "machine.h"
#include "ranges.h"
#include "save.h"

#define PIECES_MAX ((xl_bytes)1 << 28)
#define EACH_CREDENTIAL 10u
#define EACH_COPY 60u /* least bytes of one, in a save */
#define EACH_RANGE 16u
#define EACH_PART 19u
#define EACH_FILE 100u
#define EACH_JOB 40u
#define EACH_SERVER 13u

typedef struct loader {
  save_in *in;
  xl_agent *a;
  xl_engine *eng;
  xl_time saved;   /* when, on the clock of now */
  xl_bytes booked; /* by the agent and its files so far */
} loader;

static bool must(loader *l, bool good) {
  return xli_must(l->in, good) && l->eng->status == XL_OK;
}

/* ---- words ---- */

static uint64_t number(loader *l, unsigned n, uint64_t max) {
  return xli_get_max(l->in, n, max);
}

/* A span, or -1. */
static xl_span span(loader *l) {
  int64_t v = (int64_t)xli_get(l->in, 8);

  must(l, v >= -1 && v <= SAVE_SPAN_MAX);
  return l->in->bad ? -1 : v;
}

/* An instant of the past, at the earliest the start of the clock. */
static xl_time past(loader *l) {
  xl_span age = span(l);

  return age < 0 ? -1 : age > l->saved ? 0 : l->saved - age;
}

static xl_time due_after(xl_time from, xl_span left) {
  return left < 0 ? XL_NEVER : xl_time_add(from, left);
}

static xl_name text(loader *l, bool needed) {
  xl_name name = xli_get_text(l->in, l->eng);

  must(l, name != 0 || !needed);
  return name;
}

static const char *string(const loader *l, xl_name name) {
  return xli_names_text(&l->eng->names, name);
}

static xl_version version(loader *l) {
  xl_bytes size = xli_get(l->in, 8);

  return (xl_version){size, (int64_t)xli_get(l->in, 8)};
}

/* ---- the peer cache ---- */

/* What the key says of the rows fits the sizes. */
static bool good_rows(const loader *l, const copy *c) {
  xl_bytes size = c->version.size, begin, sum = 0;
  xl_range_spec row;

  for (uint32_t i = 0; xli_copy_row(l->a, c, i, &row, &begin); i++) {
    if (row.offset > size || row.length > size - row.offset) {
      return false;
    }
    sum += row.length;
  }
  return sum == c->size;
}

static void load_copy(loader *l) {
  copy c = {.cached = true, .validated = true};

  c.key = text(l, true);
  c.url = text(l, false);
  c.id = (uint32_t)number(l, 4, l->a->numbers);
  c.version = version(l);
  c.size = number(l, 8, SAVE_BYTES_MAX);
  c.piece_bytes = (uint32_t)number(l, 4, UINT32_MAX);
  c.used = past(l);
  c.expires = due_after(l->saved, span(l));
  c.age_max = span(l);
  if (!must(l, c.piece_bytes > 0 && c.used >= 0 && c.age_max >= 0 &&
                   c.version.size != XL_SIZE_UNKNOWN) ||
      !must(l, c.size / c.piece_bytes < PIECES_MAX && good_rows(l, &c))) {
    return;
  }
  xl_bytes n = c.size / c.piece_bytes + (c.size % c.piece_bytes != 0);
  must(l, xli_cache_load(l->a, &c, (uint32_t)n));
}

/* ---- a file: what was received ---- */

static void load_pieces(loader *l, xl_file *f) {
  have *h = &f->have;

  if (!must(l, (size_t)(l->in->end - l->in->at) >= (h->npieces + 7u) / 8)) {
    return;
  }
  for (uint32_t p = 0; p < h->npieces; p += 8) {
    uint32_t rest = h->npieces - p;
    uint64_t byte = number(l, 1, rest < 8 ? (1u << rest) - 1 : 255);
    for (uint32_t i = 0; i < 8; i++) {
      if ((byte >> i & 1) != 0) {
        xl_range r = xli_have_bytes(h, p + i);
        f->received += r.end - r.begin;
        xli_map_add(h->map, p + i, l->eng->now, l->eng->cfg.announce_interval);
      }
    }
  }
}

static bool none_held(const have *h, xl_range r) {
  uint32_t begin, end;

  xli_have_pieces(h, r, &begin, &end);
  while (begin < end && !xl_map_holds(h->map, begin)) {
    begin++;
  }
  return begin == end;
}

static void load_parts(loader *l, xl_file *f) {
  have *h = &f->have;
  uint32_t n = xli_get_count(l->in, EACH_PART);
  xl_bytes from = 0;

  if (n > 0) {
    part *v = xli_grow(l->eng, h->parts, &h->part_cap, n, sizeof *v);
    if (!must(l, v != NULL)) {
      return;
    }
    h->parts = v;
  }
  for (uint32_t i = 0; i < n; i++) {
    part p = {.begin = xli_get(l->in, 8), .end = xli_get(l->in, 8)};
    p.mirror = (uint16_t)number(l, 2, f->nremotes - 1u);
    p.class = (uint8_t)number(l, 1, XL_CLASS_USEFUL_END - 1);
    if (!must(l, from <= p.begin && p.begin < p.end && p.end <= h->size &&
                     (p.class == XL_CLASS_ORIGIN || p.mirror == 0)) ||
        !must(l, none_held(h, (xl_range){p.begin, p.end}))) {
      return;
    }
    h->parts[h->nparts++] = p;
    f->received += p.end - p.begin;
    from = p.end;
  }
}

/* A part can be taken back from the classes and mirrors it is booked in. */
static bool parts_fit_books(const xl_file *f) {
  xl_ledger sum = {{0}};

  for (uint32_t i = 0; i < f->have.nparts; i++) {
    const part *p = &f->have.parts[i];
    sum.bytes[p->class] += p->end - p->begin;
  }
  for (int c = 0; c < XL_CLASS_USEFUL_END; c++) {
    if (sum.bytes[c] > f->books.first[c]) {
      return false;
    }
  }
  for (uint32_t k = 0; k < f->nremotes; k++) {
    xl_bytes n = 0;
    for (uint32_t i = 0; i < f->have.nparts; i++) {
      const part *p = &f->have.parts[i];
      n +=
          p->class == XL_CLASS_ORIGIN && p->mirror == k ? p->end - p->begin : 0;
    }
    if (n > f->remotes[k].first) {
      return false;
    }
  }
  return true;
}

static xl_bytes useful(const xl_file *f) {
  const xl_ledger l = xli_books_ledger(&f->books);

  return xl_ledger_useful(&l);
}

/* Nothing is known piece by piece: not begun, over, or the cache's. */
static void load_no_map(loader *l, xl_file *f) {
  bool sized = xli_file_sized(f);
  xl_bytes total =
      sized ? xli_ranges_total(f->ranges, f->nranges, f->version.size) : 0;

  must(l, !sized || xli_ranges_fit(f->ranges, f->nranges, f->version.size));
  f->have.size = total;
  f->received = useful(f);
  must(l, f->received == 0 || f->received == total);
  if (!xli_job_final(f->job)) {
    must(l, f->phase == FILE_DONE ? sized && f->admitted && f->received == total
                                  : !sized && f->received == 0);
  }
}

static void load_map(loader *l, xl_file *f) {
  xl_version v = f->version;

  if (!must(l, !xli_job_final(f->job) && xli_file_sized(f)) ||
      !must(l, xli_ranges_fit(f->ranges, f->nranges, v.size)) ||
      !must(l, xli_ranges_total(f->ranges, f->nranges, v.size) /
                       f->have.piece_bytes / 8 <=
                   (size_t)(l->in->end - l->in->at)) ||
      !must(l, xli_file_set_size(f, v))) {
    return;
  }
  load_pieces(l, f);
  load_parts(l, f);
  if (!must(l, f->received == useful(f) && parts_fit_books(f))) {
    return;
  }
  /* What waited for a check that will not come now is taken for good, as of
     any request that ends without one. */
  xli_have_settle(l->eng, &f->have, (xl_range){0, f->have.size});
  if (f->phase == FILE_DONE && must(l, xli_have_all(&f->have))) {
    xli_cache_whole(f);
  }
}

/* ---- a file: the rest ---- */

static void load_remotes(loader *l, xl_file *f) {
  uint32_t n = (uint32_t)number(l, 2, UINT16_MAX - 1), cap = f->nremotes;

  if (!must(l, n > 0 && n <= (size_t)(l->in->end - l->in->at) / 12)) {
    return;
  }
  remote *v = xli_grow(l->eng, f->remotes, &cap, n, sizeof *v);
  if (!must(l, v != NULL)) {
    return;
  }
  f->remotes = v;
  xl_bytes sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    v[i] = (remote){.url = text(l, true)};
    v[i].first = number(l, 8, SAVE_BYTES_MAX);
    if (!must(l, xli_url_check(string(l, v[i].url)) == XL_OK &&
                     v[i].first <= SAVE_BYTES_MAX - sum)) {
      return;
    }
    sum += v[i].first;
  }
  f->nremotes = (uint16_t)n;
  f->mirror = (uint16_t)number(l, 2, n - 1);
  f->switching = number(l, 1, 1) != 0;
  f->mirror_was = (uint16_t)number(l, 2, n - 1);
  xli_file_keep_remotes(f);
}

static void load_ledger(loader *l, xl_file *f) {
  uint64_t n = number(l, 1, XL_NCLASSES);
  xl_bytes mirrors = 0;

  must(l, n >= XL_CLASS_USEFUL_END);
  for (uint64_t c = 0; c < n; c++) {
    xl_bytes b = number(l, 8, SAVE_BYTES_MAX - l->booked);
    must(l, c != XL_CLASS_LATE || b == 0);
    xli_books_add(l->eng, &f->books, (xl_class)c, b);
    l->booked += b;
  }
  for (uint32_t i = 0; i < f->nremotes; i++) {
    mirrors += f->remotes[i].first;
  }
  must(l, f->books.first[XL_CLASS_ORIGIN] == mirrors);
}

/* The ranges into *out, to be freed; false when they are bad. */
static bool load_ranges(loader *l, xl_range_spec **out, uint32_t *n) {
  uint32_t cap = 0;

  *out = NULL;
  *n = xli_get_count(l->in, EACH_RANGE);
  if (*n == 0) {
    return must(l, true);
  }
  xl_range_spec *v = xli_grow(l->eng, NULL, &cap, *n, sizeof *v);
  if (!must(l, v != NULL)) {
    return false;
  }
  *out = v;
  for (uint32_t i = 0; i < *n; i++) {
    v[i].offset = xli_get(l->in, 8);
    v[i].length = xli_get(l->in, 8);
  }
  return must(l, xli_ranges_check(v, *n, UINT32_MAX) == XL_OK);
}

static xl_file *add_file(xl_job *j, const xl_file_info *info) {
  xl_file *f;

  if (!xli_job_room(j, 1) || xli_file_new(&f, j, info) != XL_OK) {
    return NULL;
  }
  j->files[j->nfiles++] = f;
  return f;
}

/* The key of ranges tells them, behind the content's name: rows are found by it
   (R642). */
static bool good_key(loader *l, xl_name key, const xl_range_spec *ranges,
                     uint32_t nranges) {
  const char *text = string(l, key);
  const char *rows = text == NULL ? NULL : strrchr(text, '#');

  if (nranges == 0 || rows == NULL) {
    return nranges == 0;
  }
  size_t len = (size_t)(rows - text);
  char *content = xli_new(l->eng, len + 1);
  if (content == NULL) {
    return false;
  }
  memcpy(content, text, len);
  content[len] = '\0';
  bool same = xli_file_key(l->eng, content, ranges, nranges) == key;
  xli_free(l->eng, content);
  return same;
}

/* Names and ranges; makes the file. NULL when they are bad. */
static xl_file *make_file(loader *l, xl_job *j) {
  xl_name local = text(l, true), key = text(l, true);
  xl_file_info info = {.piece_bytes = (uint32_t)number(l, 4, UINT32_MAX),
                       .remote = "http://x"}; /* replaced by load_remotes */
  xl_range_spec *ranges;
  xl_file *f = NULL;

  if (load_ranges(l, &ranges, &info.nranges) && must(l, info.piece_bytes > 0) &&
      must(l, good_key(l, key, ranges, info.nranges))) {
    info.local = string(l, local);
    info.ranges = ranges;
    f = add_file(j, &info);
  }
  xli_free(l->eng, ranges);
  if (f != NULL) {
    f->key = key;
  }
  return f;
}

/* A file whose size is not known is named by its URL (R214). */
static void name_by_url(loader *l, xl_file *f) {
  if (!f->named_content && !xli_file_sized(f)) {
    f->key = xli_file_key(l->eng, string(l, f->remotes[f->mirror].url),
                          f->ranges, f->nranges);
  }
}

static void load_file(loader *l, xl_job *j) {
  xl_file *f = make_file(l, j);

  if (f == NULL) {
    return;
  }
  load_remotes(l, f);
  if (l->in->bad || l->eng->status != XL_OK) {
    return;
  }
  xli_get_file_fields(l->in, f);
  f->version = version(l);
  f->phase = number(l, 1, 1) != 0 ? FILE_DONE : FILE_WAITING;
  f->began = past(l);
  f->started = past(l);
  f->finished = past(l);
  load_ledger(l, f);
  bool map = number(l, 1, 1) != 0;
  if (!must(l, !f->completed || f->phase == FILE_DONE || xli_job_final(j)) ||
      !must(l, !f->switching || xli_file_sized(f))) {
    f->version.size = XL_SIZE_UNKNOWN;
    return;
  }
  name_by_url(l, f);
  if (map) {
    load_map(l, f);
  } else {
    load_no_map(l, f);
  }
}

/* ---- jobs ---- */

static void load_credentials(loader *l, job_rare *r) {
  uint32_t n = xli_get_count(l->in, EACH_CREDENTIAL), cap = 0;

  if (n == 0) {
    return;
  }
  credential *v = xli_grow(l->eng, NULL, &cap, n, sizeof *v);
  if (!must(l, v != NULL)) {
    return;
  }
  r->credentials = v;
  for (uint32_t i = 0; i < n; i++) {
    v[i].target = (uint8_t)number(l, 1, XL_AUTH_PROXY);
    v[i].scheme = (uint8_t)number(l, 1, XL_AUTH_PASSPORT);
    v[i].user = text(l, false);
    v[i].password = text(l, false);
    must(l, v[i].target > 0 && v[i].scheme > 0);
  }
  r->ncredentials = n;
}

static void load_rare(loader *l, xl_job *j) {
  if (number(l, 1, 1) == 0) {
    return;
  }
  job_rare *r = xli_rare_need(j);
  if (!must(l, r != NULL)) {
    return;
  }
  xli_get_rare_fields(l->in, l->eng, r);
  must(l, r->owner.sid != 0 || r->owner.kind == XL_ACCOUNT_SERVICE);
  r->command_due = due_after(l->eng->now, span(l));
  load_credentials(l, r);
}

static void load_job(loader *l) {
  xl_time now = l->eng->now;
  xl_name name = xli_get_text(l->in, l->eng);
  xl_job *j;

  if (!must(l, true) ||
      !must(l, xl_job_create(l->a, name == 0 ? "" : string(l, name), &j, now) ==
                   XL_OK)) {
    return;
  }
  xli_get_job_fields(l->in, j);
  j->state = (uint8_t)number(l, 1, XL_JOB_CANCELLED);
  j->err = (xl_err)(uint32_t)number(l, 4, UINT32_MAX);
  j->error_file = (uint32_t)number(l, 4, UINT32_MAX);
  j->created = past(l);
  j->retry_due = due_after(now, span(l));
  j->no_progress_due = due_after(now, span(l));
  j->active = (xl_span)number(l, 8, (uint64_t)SAVE_SPAN_MAX);
  load_rare(l, j);
  uint32_t n = xli_get_count(l->in, EACH_FILE);
  must(l, !xli_job_running(j) && j->created >= 0);
  must(l, n > 0 || (j->state != XL_JOB_QUEUED &&
                    j->state != XL_JOB_TRANSIENT_ERROR));
  must(l, j->err != XL_OK || j->state != XL_JOB_TRANSIENT_ERROR);
  must(l, xl_failed(j->err) || j->err == XL_OK);
  must(l, j->error_file == XL_NONE || j->error_file < n);
  for (uint32_t i = 0; i < n && must(l, true); i++) {
    load_file(l, j);
  }
}

static void load_preferences(loader *l) {
  cache_admin c = {0};

  xli_get_cache_fields(l->in, &c);
  if (c.chosen && must(l, true)) {
    machine *m = xli_machine_need(l->a);
    if (m != NULL) {
      m->cache = c;
      l->a->peercaching = c.flags;
    }
  }
}

static void load_server(loader *l) {
  server s = {.id = (uint32_t)number(l, 4, UINT32_MAX)};

  s.scope = (uint8_t)number(l, 1, XL_SCOPE_NONE - 1);
  s.heard = past(l);
  if (must(l, s.heard >= 0)) {
    must(l, xli_servers_load(l->a, &s));
  }
}

/* |n| things of a kind, whose name an error tells. */
static void load_all(loader *l, const char *what, size_t each,
                     void (*load)(loader *)) {
  if (!must(l, true)) {
    return;
  }
  l->in->part = what;
  uint32_t n = xli_get_count(l->in, each);
  for (uint32_t i = 0; i < n && must(l, true); i++) {
    load(l);
  }
}

bool xli_load_body(save_in *in, xl_agent *a, uint32_t version) {
  loader l = {.in = in, .a = a, .eng = a->engine};
  xl_time now = l.eng->now;

  in->part = "agent";
  xl_time saved = (xl_time)number(&l, 8, (uint64_t)SAVE_SPAN_MAX);
  l.saved = saved < now ? saved : now; /* another clock: no time has passed */
  xli_get_agent_fields(in, a);
  l.booked = a->late;
  load_preferences(&l);
  load_all(&l, "records", EACH_COPY, load_copy);
  load_all(&l, "jobs", EACH_JOB, load_job);
  if (version >= SAVE_SERVERS_SINCE) {
    load_all(&l, "servers", EACH_SERVER, load_server);
  }
  if (!in->bad) {
    in->part = "end";
    in->word = in->at;
  }
  return must(&l, in->at == in->end);
}
