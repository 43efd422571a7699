/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "job.h"
#include "notify.h"
#include "ranges.h"
#include "servers.h"
#include "transfer.h"

#define PIECES_MAX (1u << 28)

static xl_engine *engine_of(const xl_file *f) {
  return f->job->agent->engine;
}

/* ---- made and freed ---- */

static xl_err intern(xl_engine *eng, const char *s, xl_name *out) {
  *out = xl_engine_name(eng, s);
  return *out == 0 ? XL_E_OUTOFMEMORY : XL_OK;
}

static char *put_number(char *at, uint64_t n) {
  char digits[20];
  int len = 0;

  do {
    digits[len++] = (char)('0' + n % 10);
    n /= 10;
  } while (n > 0);
  while (len > 0) {
    *at++ = digits[--len];
  }
  return at;
}

xl_name xli_file_key(xl_engine *eng, const char *content,
                     const xl_range_spec *ranges, uint32_t nranges) {
  size_t len = strlen(content);

  if (nranges == 0) {
    return xl_engine_name(eng, content);
  }
  char *text = xli_new(eng, len + 2 + nranges * 42u);
  if (text == NULL) {
    return 0;
  }
  memcpy(text, content, len);
  char *at = text + len;
  for (uint32_t i = 0; i < nranges; i++) {
    *at++ = i == 0 ? '#' : ',';
    at = put_number(at, ranges[i].offset);
    *at++ = '+';
    at = put_number(at, ranges[i].length);
  }
  *at = '\0';
  xl_name key = xl_engine_name(eng, text);
  xli_free(eng, text);
  return key;
}

xl_name xli_file_row_key(const xl_file *f, uint32_t row) {
  xl_engine *eng = f->job->agent->engine;
  const char *text = xl_engine_string(eng, f->key);
  size_t len = (size_t)(strrchr(text, '#') - text);
  xl_range_spec one = f->ranges[row];
  char *content = xli_new(eng, len + 1);

  if (content == NULL) {
    return 0;
  }
  memcpy(content, text, len);
  content[len] = '\0';
  one.length = xli_ranges_total(&one, 1, f->version.size);
  xl_name key = xli_file_key(eng, content, &one, 1);
  xli_free(eng, content);
  return key;
}

static xl_err set_remotes(xl_engine *eng, xl_file *f,
                          const xl_file_info *info) {
  f->remotes = xli_new(eng, (1 + info->nmirrors) * sizeof *f->remotes);
  if (f->remotes == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  for (uint32_t i = 0; i <= info->nmirrors; i++) {
    const char *url = i == 0 ? info->remote : info->mirrors[i - 1];
    xl_err err = xli_url_check(url);
    if (err == XL_OK) {
      err = intern(eng, url, &f->remotes[i].url);
    }
    if (err != XL_OK) {
      return err;
    }
  }
  f->nremotes = (uint16_t)(1 + info->nmirrors);
  return XL_OK;
}

static xl_err set_up(xl_file *f, const xl_file_info *info) {
  xl_engine *eng = engine_of(f);
  xl_err err = set_remotes(eng, f, info);

  if (err == XL_OK) {
    err = intern(eng, info->local, &f->local);
  }
  if (err == XL_OK && info->nranges > 0) {
    f->ranges = xli_new(eng, info->nranges * sizeof *f->ranges);
    if (f->ranges == NULL) {
      return XL_E_OUTOFMEMORY;
    }
    memcpy(f->ranges, info->ranges, info->nranges * sizeof *f->ranges);
    f->nranges = info->nranges;
  }
  if (err == XL_OK) {
    f->named_content = info->content != NULL;
    f->key = xli_file_key(eng, f->named_content ? info->content : info->remote,
                          f->ranges, f->nranges);
    err = f->key == 0 ? XL_E_OUTOFMEMORY : XL_OK;
  }
  return err;
}

xl_err xli_file_new(xl_file **out, xl_job *j, const xl_file_info *info) {
  xl_engine *eng = j->agent->engine;
  xl_file *f = xli_new(eng, sizeof *f + j->agent->policy->file_state_size);

  *out = NULL;
  if (f == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  f->job = j;
  f->index = j->nfiles;
  f->version = (xl_version){XL_SIZE_UNKNOWN, INT64_MIN};
  f->have.piece_bytes = info->piece_bytes;
  f->began = f->started = f->finished = -1;
  f->pick_due = XL_NEVER;
  xl_err err = set_up(f, info);
  if (err != XL_OK) {
    xli_file_del(eng, f);
    return err;
  }
  xli_file_keep_remotes(f);
  *out = f;
  return XL_OK;
}

static void free_swarm(xl_file *f) {
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f) {
      r->peer = XL_NONE;
    }
  }
  xli_swarm_del(engine_of(f), f->swarm);
  f->swarm = NULL;
}

void xli_file_del(xl_engine *eng, xl_file *f) {
  xli_swarm_del(eng, f->swarm);
  xli_have_fini(eng, &f->have);
  xli_free(eng, f->remotes);
  xli_free(eng, f->ranges);
  xli_free(eng, f->books.wasted);
  xli_free(eng, f);
}

void xli_file_lighten(xl_file *f) {
  xli_cache_unshare(f);
  free_swarm(f);
  xli_have_fini(engine_of(f), &f->have);
  f->begun = false;
}

/* ---- names ---- */

static bool has_prefix(const char *s, const char *lower) {
  for (; *lower != '\0'; s++, lower++) {
    char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    if (c != *lower) {
      return false;
    }
  }
  return *s != '\0';
}

xl_err xli_url_check(const char *url) { /* R105 */
  size_t segment = 0;

  if (url == NULL || strlen(url) > 2200 ||
      !(has_prefix(url, "http://") || has_prefix(url, "https://") ||
        has_prefix(url, "file://") || has_prefix(url, "\\\\"))) {
    return XL_E_INVALIDARG;
  }
  for (const char *c = url; *c != '\0'; c++) {
    segment = *c == '/' ? 0 : segment + 1;
    if ((unsigned char)*c <= ' ' || *c == '*' || segment > 260) {
      return XL_E_INVALIDARG;
    }
  }
  return XL_OK;
}

uint32_t xli_file_remote(xl_file *f, xl_name url) {
  xl_engine *eng = engine_of(f);

  for (uint32_t i = 0; i < f->nremotes; i++) {
    if (f->remotes[i].url == url) {
      return i;
    }
  }
  if (f->nremotes == FILE_REMOTES_MAX) {
    return XL_NONE;
  }
  uint32_t cap = f->nremotes;
  remote *v = xli_grow(eng, f->remotes, &cap, f->nremotes + 1u, sizeof *v);
  if (v == NULL) {
    return XL_NONE;
  }
  f->remotes = v;
  v[f->nremotes] = (remote){.url = url};
  return f->nremotes++;
}

void xli_file_keep_remotes(xl_file *f) {
  f->mirror_kept = f->mirror;
  f->remotes_kept = f->nremotes;
}

void xli_file_switch(xl_file *f, uint32_t mirror) {
  xl_agent *a = f->job->agent;
  uint16_t was = f->switching ? f->mirror_was : f->mirror;

  if (mirror == f->mirror) {
    return;
  }
  f->mirror_was = was;
  f->mirror = f->mirror_kept = (uint16_t)mirror;
  f->switches = (uint16_t)(f->switches + (f->switches < UINT16_MAX));
  f->origin_failures = 0;
  f->origin_after = 0;
  f->auth = 0;
  f->no_ranges = f->single_ranges = f->rechecked = false;
  f->switching = f->phase != FILE_DONE && xli_file_sized(f);
  if (!f->switching) {
    xli_event(a, XL_EVENT_REMOTE_NAME, f->job, f, was, f->mirror,
              (int64_t)f->received);
  }
  for (request *r = a->requests; r != NULL; r = r->next) {
    if (r->file == f && r->kind == XL_SOURCE_ORIGIN) {
      xli_ask_cancel(r, XL_END_CANCELLED, XL_OK);
    }
  }
}

/* ---- life ---- */

bool xli_file_peers_allowed(const xl_file *f) {
  const xl_agent *a = f->job->agent;
  xl_flavour flavour = a->policy->flavour;

  if (flavour == XL_FLAVOUR_BITS4 || /* R506 */
      xli_job_dynamic(f->job) ||     /* R802 */
      engine_of(f)->cfg.peers_max == 0 ||
      (f->job->peercaching & a->peercaching & XL_PEERCACHING_CLIENT) == 0) {
    return false;
  }
  return !(flavour == XL_FLAVOUR_BITS3 && xli_file_sized(f) &&
           f->version.mtime_s == INT64_MIN); /* R620 */
}

bool xli_file_needs_head(const xl_file *f) {
  return (xli_file_peers_allowed(f) && !f->origin_only) ||
         (f->job->nfiles > 1 && !xli_job_dynamic(f->job)) || f->nranges > 0 ||
         f->rechecked;
}

static void open_origin(xl_file *f) {
  if (f->norigin > 0) {
    return; /* goes on when the cancelled requests have ended */
  }
  if (xli_file_needs_head(f) || xli_file_sized(f)) {
    xli_ask_head(f);
  } else {
    xli_ask_blind(f);
  }
}

static void begin_search(xl_file *f) {
  if (f->swarm != NULL && f->swarm->search == 0) {
    f->swarm->find_due = engine_of(f)->now;
  }
}

void xli_file_activate(xl_file *f) {
  if (f->phase != FILE_WAITING || !f->job->agent->link) {
    return;
  }
  if (f->started < 0) {
    f->started = engine_of(f)->now;
  }
  begin_search(f);
  if (xli_file_needs_head(f) || !xli_file_sized(f)) {
    f->phase = FILE_SIZING;
    open_origin(f);
    return;
  }
  xli_file_move(f);
  xli_file_after(f);
}

void xli_file_move(xl_file *f) {
  f->phase = FILE_MOVING;
  if (!f->begun) {
    xli_file_begin(f);
  }
  xli_agent_wake(f->job->agent, xli_file_next_due(f)); /* not while sizing */
}

void xli_file_halt(xl_file *f) {
  if (f->phase != FILE_SIZING && f->phase != FILE_MOVING) {
    return;
  }
  f->phase = FILE_WAITING;
  f->pick_due = XL_NEVER;
  xli_ask_cancel_all(f);
  if (f->swarm != NULL) {
    f->swarm->find_due = f->swarm->search != 0 ? XL_NEVER : f->swarm->find_due;
    f->swarm->search = 0;
    f->swarm->poll_due = XL_NEVER;
  }
}

bool xli_file_set_size(xl_file *f, xl_version v) {
  xl_engine *eng = engine_of(f);
  uint32_t n = f->nranges;

  if (!xli_ranges_fit(f->ranges, n, v.size)) {
    return false;
  }
  xl_bytes size = xli_ranges_total(f->ranges, n, v.size);
  if (size / f->have.piece_bytes >= PIECES_MAX) {
    return false;
  }
  f->version = v;
  bool shared = xli_cache_may_share(f);
  if (!xli_have_init(eng, &f->have, size, shared)) {
    return false;
  }
  if (shared) {
    xli_cache_share(f);
  }
  return true;
}

void xli_file_begin(xl_file *f) {
  xl_engine *eng = engine_of(f);

  memset(f->state, 0, f->job->agent->policy->file_state_size);
  if (f->began < 0) {
    f->began = eng->now;
  }
  xli_rates_start(&f->rates, eng->now);
  f->begun = true;
  xli_policy_begin(f);
}

void xli_file_drop(xl_file *f, xl_class to) {
  xli_cache_unshare(f);
  xli_book_drop(f, to);
  free_swarm(f);
  xli_have_fini(engine_of(f), &f->have);
  f->begun = f->validated = f->admitted = f->completed = false;
  f->finished = -1;
}

void xli_file_anew(xl_file *f) {
  xl_bytes had = f->received;

  xli_file_drop(f, XL_CLASS_RESTARTED);
  f->version.size = XL_SIZE_UNKNOWN;
  f->switching = f->no_ranges = f->rechecked = false;
  if (had > 0) {
    f->restarts = (uint16_t)(f->restarts + (f->restarts < UINT16_MAX));
    xli_event(f->job->agent, XL_EVENT_RESTART, f->job, f, (int64_t)had, 0, 0);
  }
  f->phase = FILE_SIZING;
  open_origin(f);
}

void xli_file_restart(xl_file *f, xl_version v) {
  xl_bytes had = f->received;

  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f && !(r->head && r->kind == XL_SOURCE_ORIGIN)) {
      xli_ask_cancel(r, XL_END_CHANGED, XL_OK);
    }
  }
  xli_file_drop(f, XL_CLASS_RESTARTED);
  f->restarts = (uint16_t)(f->restarts + (f->restarts < UINT16_MAX));
  xli_event(f->job->agent, XL_EVENT_RESTART, f->job, f, (int64_t)had, 0, 0);
  if (!f->named_content) {
    xl_engine *eng = engine_of(f);
    f->key = xli_file_key(eng, xl_file_remote_name(f), f->ranges, f->nranges);
  }
  if (!xli_file_set_size(f, v)) {
    f->version.size = XL_SIZE_UNKNOWN;
    xli_job_fatal(f->job, f, XL_E_INVALID_RANGE);
  } else if (f->phase == FILE_MOVING) {
    xli_file_begin(f);
  }
}

static void finish(xl_file *f) {
  f->phase = FILE_DONE;
  f->finished = engine_of(f)->now;
  f->pick_due = XL_NEVER;
  xli_ask_cancel_all(f);
  for (request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f && r->dropped == XL_NCLASSES) {
      r->dropped = XL_CLASS_DUPLICATE; /* what else comes is there already */
    }
  }
  free_swarm(f);
  xli_cache_whole(f);
  if (!f->invalidated ||
      f->job->agent->policy->flavour != XL_FLAVOUR_BITS3) { /* R306 */
    xli_notify_file(f);
  }
  xli_job_advance(f->job);
}

void xli_file_after(xl_file *f) {
  if (!xli_job_running(f->job) || engine_of(f)->status != XL_OK) {
    return;
  }
  if (f->phase == FILE_SIZING) {
    open_origin(f);
  } else if (f->phase == FILE_MOVING && xli_have_all(&f->have)) {
    finish(f);
  } else if (f->phase == FILE_MOVING) {
    xli_ask_more(f);
  }
}

/* ---- time ---- */

static void end_search(xl_file *f) {
  swarm *s = f->swarm;
  xl_time now = engine_of(f)->now;

  s->search = 0;
  s->nsearches++;
  s->searched = now;
  s->find_due = now;
  xli_event(f->job->agent, XL_EVENT_SEARCH, f->job, f, s->found, s->n, 0);
}

static bool is_new(const xl_file *f, const xl_peer_info *p) {
  return p->id != f->job->agent->id && (uint32_t)p->scope < XL_SCOPE_NONE &&
         xli_peers_find(f->swarm, p->id) == XL_NONE;
}

static void add_found(xl_file *f, const xl_peer_info *peers, uint32_t n) {
  swarm *s = f->swarm;
  uint32_t room = engine_of(f)->cfg.peers_max - s->n, fresh = 0;
  uint32_t wanted = (uint32_t)s->want - s->found;

  for (uint32_t k = 0; k < n; k++) {
    fresh += is_new(f, &peers[k]);
    xli_servers_heard(f->job->agent, peers[k].id, peers[k].scope);
  }
  room = room < fresh ? room : fresh;
  room = room < wanted ? room : wanted;
  if (!xli_peers_room(f, s->n + room)) {
    return;
  }
  for (uint32_t k = 0; k < n && room > 0; k++) {
    if (is_new(f, &peers[k])) {
      xli_peers_add(f, &peers[k]);
      s->found++;
      room--;
    }
  }
}

void xl_agent_found(xl_agent *a, uint32_t search, const xl_peer_info *peers,
                    uint32_t n, bool last, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return;
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    for (uint32_t i = 0; i < j->nfiles; i++) {
      swarm *s = j->files[i]->swarm;
      if (s == NULL || s->search == 0 || s->search != search) {
        continue;
      }
      add_found(j->files[i], peers, n);
      if (last || s->n == a->engine->cfg.peers_max) { /* no more would fit */
        end_search(j->files[i]);
      }
      xli_file_after(j->files[i]);
      xli_agent_settle_jobs(a);
      return;
    }
  }
}

void xli_file_due(xl_file *f) {
  xl_time now = engine_of(f)->now;
  swarm *s = f->swarm;
  bool due = f->pick_due <= now;

  if (f->phase != FILE_MOVING) {
    return;
  }
  if (s != NULL) {
    if (s->search != 0 && s->find_due <= now) {
      end_search(f);
    }
    due = due || (s->search == 0 && s->find_due <= now) || s->poll_due <= now ||
          s->quiet_due <= now;
  }
  if (due) {
    f->pick_due = XL_NEVER;
    xli_file_after(f);
  }
}

xl_time xli_file_next_due(const xl_file *f) {
  xl_time t = f->pick_due;

  if (f->phase != FILE_MOVING) {
    return XL_NEVER;
  }
  if (f->swarm != NULL) {
    t = xl_time_min(t, f->swarm->find_due);
    t = xl_time_min(t, f->swarm->poll_due);
    t = xl_time_min(t, f->swarm->quiet_due);
  }
  return t;
}
