/* SPDX-License-Identifier: MIT */
/* IBackgroundCopyFile, 2, 3, 4 in C: the calls of agent.h on files. */
#include <string.h>

#include "agent.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"
#include "transfer.h"

static xl_engine *engine_of(const xl_file *f) {
  return f->job->agent->engine;
}

const char *xl_file_remote_name(const xl_file *f) {
  return xl_engine_string(engine_of(f), f->remotes[f->mirror].url);
}

const char *xl_file_local_name(const xl_file *f) {
  return xl_engine_string(engine_of(f), f->local);
}

void xl_file_progress_of(const xl_file *f, xl_file_progress *out) {
  out->total = xli_ranges_total(f->ranges, f->nranges, f->version.size);
  out->transferred = f->received;
  out->completed = f->completed;
}

static xl_err change(xl_file *f, xl_time now) {
  return xli_job_change(f->job, now);
}

static xl_err done(xl_file *f, xl_err err) {
  if (err == XL_OK) {
    xli_job_touch(f->job);
    xli_file_after(f);
  }
  return xli_job_done(f->job, err);
}

/* The identity of what is not begun follows its URL. */
static xl_err rename_key(xl_file *f, const char *url) {
  if (!f->named_content && !xli_file_sized(f)) {
    f->key = xli_file_key(engine_of(f), url, f->ranges, f->nranges);
  }
  return f->key == 0 ? XL_E_OUTOFMEMORY : XL_OK;
}

xl_err xl_file_set_remote_name(xl_file *f, const char *url, xl_time now) {
  xl_err err = change(f, now);

  err = err != XL_OK ? err : xli_url_check(url); /* R213 */
  if (err != XL_OK) {
    return done(f, err);
  }
  xl_name name = xl_engine_name(engine_of(f), url);
  uint32_t mirror = name == 0 ? XL_NONE : xli_file_remote(f, name);
  if (mirror == XL_NONE && engine_of(f)->status == XL_OK) {
    return done(f, XL_E_INVALIDARG);
  }
  if (mirror == XL_NONE || rename_key(f, url) != XL_OK) {
    return XL_E_OUTOFMEMORY;
  }
  uint16_t kept = f->mirror_kept; /* R214: until the next Resume */
  xli_file_switch(f, mirror);
  f->mirror_kept = kept;
  return done(f, XL_OK);
}

xl_err xl_job_replace_remote_prefix(xl_job *j, const char *was, const char *is,
                                    xl_time now) { /* R501, R502 */
  char url[2 * 2200 + 1];
  bool any = false;

  xl_err changed = xli_job_change(j, now);
  if (changed == XL_OK && xli_job_is_do(j)) {
    changed = XL_E_NOTIMPL; /* R480 */
  }
  if (changed != XL_OK) {
    return xli_job_done(j, changed);
  }
  if (was == NULL || is == NULL || *was == '\0' || *is == '\0' ||
      strlen(is) > 2200) {
    return XL_E_INVALIDARG;
  }
  for (int pass = 0; pass < 2; pass++) { /* checks all, then changes */
    for (uint32_t i = 0; i < j->nfiles; i++) {
      const char *name = xl_file_remote_name(j->files[i]);
      if (strncmp(name, was, strlen(was)) != 0) {
        continue;
      }
      any = true;
      size_t head = strlen(is);
      memcpy(url, is, head);
      memcpy(url + head, name + strlen(was), strlen(name + strlen(was)) + 1);
      xl_err err = pass == 0 ? xli_url_check(url)
                             : xl_file_set_remote_name(j->files[i], url, now);
      if (err != XL_OK) {
        return err;
      }
    }
  }
  return any ? XL_OK : XL_S_FALSE;
}

xl_err xl_file_ranges(const xl_file *f, const xl_range_spec **out,
                      uint32_t *n) { /* R201, R202 */
  *out = f->ranges;
  *n = f->nranges;
  return f->nranges > 0 ? XL_OK : XL_S_FALSE;
}

/* R305, R306. */
static void invalidate(xl_file *f) {
  xl_job *j = f->job;
  bool from_peer = xl_file_from_peer(f);
  xl_version v = f->version;

  xli_cache_remove(f);
  xli_file_drop(f, XL_CLASS_FAILED_CHECK);
  f->phase = FILE_WAITING;
  if (!xli_file_set_size(f, v)) {
    return;
  }
  f->invalidated = true;
  if (from_peer) {
    f->origin_only = true;
    if (j->state == XL_JOB_TRANSFERRED) {
      xli_job_queue(j);
    }
    return;
  }
  j->err = XL_E_VALIDATION_FAILED; /* not counted: R428 */
  j->error_file = f->index;
  j->spoiled = true;
  if (j->state != XL_JOB_ERROR) {
    xli_job_stop(j, XL_JOB_ERROR);
  }
}

xl_err xl_file_set_validation(xl_file *f, bool valid, xl_time now) {
  xl_err err = change(f, now);

  if (err == XL_OK && f->phase != FILE_DONE) {
    err = XL_E_PENDING; /* R304 */
  } else if (err == XL_OK && f->admitted &&
             xli_cache_find(f->job->agent, f->key, f->version) == XL_NONE) {
    err = XL_E_RECORD_DELETED; /* R304 */
  }
  if (err != XL_OK) {
    return done(f, err);
  }
  f->validated = valid;
  if (valid) {
    xli_cache_admit(f);
  } else {
    invalidate(f);
  }
  return done(f, XL_OK);
}

xl_version xl_file_version(const xl_file *f) {
  return f->version;
}

bool xl_file_validated(const xl_file *f) {
  return f->validated;
}

void xl_file_peer_stats(const xl_file *f, xl_bytes *from_origin,
                        xl_bytes *from_peers) { /* R321, R730 */
  const xl_bytes *b = f->books.first;

  *from_origin = b[XL_CLASS_ORIGIN] + b[XL_CLASS_CACHE];
  *from_peers = f->received - *from_origin;
}

bool xl_file_from_peer(const xl_file *f) { /* R322 */
  xl_bytes origin, peers;

  xl_file_peer_stats(f, &origin, &peers);
  return peers > 0;
}

const xl_ledger *xl_file_ledger(const xl_file *f) {
  xl_ledger *l = &engine_of(f)->file_ledger;

  *l = xli_books_ledger(&f->books);
  return l;
}

xl_bytes xl_file_mirror_bytes(const xl_file *f, uint32_t i) {
  return i < f->nremotes ? f->remotes[i].first : 0;
}

uint32_t xl_file_mirror(const xl_file *f) {
  return f->mirror;
}

uint32_t xl_file_switches(const xl_file *f) {
  return f->switches;
}

uint32_t xl_file_restarts(const xl_file *f) {
  return f->restarts;
}

xl_time xl_file_started(const xl_file *f) {
  return f->started;
}

xl_time xl_file_finished(const xl_file *f) {
  return f->finished;
}

xl_job *xl_file_job(const xl_file *f) {
  return f->job;
}

uint32_t xl_file_index(const xl_file *f) {
  return f->index;
}

xl_file_enum xl_job_enum_files(const xl_job *j) {
  return (xl_file_enum){.job = j, .n = j->nfiles};
}

xl_err xl_file_enum_next(xl_file_enum *e, uint32_t n, xl_file **out,
                         uint32_t *fetched) { /* R115, R116 */
  uint32_t left = e->n - e->next, got = n < left ? n : left;

  if (fetched == NULL && n != 1) {
    return XL_E_INVALIDARG;
  }
  for (uint32_t i = 0; i < got; i++) {
    out[i] = e->job->files[e->next++];
  }
  if (fetched != NULL) {
    *fetched = got;
  }
  return got == n ? XL_OK : XL_S_FALSE;
}
