/* SPDX-License-Identifier: MIT */
/* IBackgroundCopyJob, 2, 3, 4 in C: the calls of agent.h on jobs. */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"
#include "transfer.h"

#define NAME_MAX_LEN 256u
#define RETRY_DEFAULT 600u /* R421 */
#define RETRY_MIN 5u
#define MAX_DOWNLOAD 7776000u /* R451: 90 days */

xl_err xl_job_create(xl_agent *a, const char *name, xl_job **out, xl_time now) {
  *out = NULL;
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if (name == NULL || strlen(name) > NAME_MAX_LEN) { /* R410 */
    return XL_E_INVALIDARG;
  }
  xl_job *j = xli_new(a->engine, sizeof *j);
  if (j == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  j->name = xl_engine_name(a->engine, name);
  if (j->name == 0) {
    xli_free(a->engine, j);
    return XL_E_OUTOFMEMORY;
  }
  j->agent = a;
  j->state = XL_JOB_SUSPENDED; /* R402 */
  j->priority = XL_PRIORITY_NORMAL;
  j->retry_due = j->no_progress_due = j->slice_end = XL_NEVER;
  j->no_progress_left = -1;
  j->min_retry_s = RETRY_DEFAULT;
  j->no_progress_s = JOB_NO_TIMEOUT;
  j->max_download_s = MAX_DOWNLOAD;
  j->error_file = XL_NONE;
  if (a->last_job == NULL) {
    a->jobs = j;
  } else {
    a->last_job->next = j;
  }
  a->last_job = j;
  *out = j;
  return XL_OK;
}

void xli_job_del(xl_engine *eng, xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xli_file_del(eng, j->files[i]);
  }
  xli_free(eng, j->files);
  xli_free(eng, j);
}

/* The state that forbids every change (R403), and the engine's status. */
static xl_err change(xl_job *j, xl_time now) {
  if (!xli_enter(j->agent->engine, now)) {
    return j->agent->engine->status;
  }
  return xli_job_final(j) ? XL_E_INVALID_STATE : XL_OK;
}

static xl_err done(xl_job *j, xl_err err) {
  xli_agent_settle_jobs(j->agent);
  return j->agent->engine->status != XL_OK ? j->agent->engine->status : err;
}

static xl_err check_info(const xl_file_info *info) {
  if (info == NULL || info->piece_bytes == 0 || info->local == NULL ||
      info->local[0] == '\0' || info->nmirrors > 1000 ||
      (info->ranges != NULL && info->nranges == 0)) {
    return XL_E_INVALIDARG;
  }
  return info->ranges == NULL ? XL_OK
                              : xli_ranges_check(info->ranges, info->nranges);
}

xl_err xl_job_add_file(xl_job *j, const xl_file_info *info, xl_file **out,
                       xl_time now) {
  xl_engine *eng = j->agent->engine;
  xl_err err = change(j, now);
  xl_file *f;

  if (out != NULL) {
    *out = NULL;
  }
  err = err != XL_OK ? err : check_info(info);
  if (err != XL_OK) {
    return err;
  }
  xl_file **files =
      xli_grow(eng, j->files, &j->file_cap, j->nfiles + 1, sizeof *files);
  if (files == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  j->files = files;
  err = xli_file_new(&f, j, info);
  if (err != XL_OK) {
    return err;
  }
  j->files[j->nfiles++] = f;
  if (xli_job_running(j) && xli_job_parallel(j)) {
    xli_file_activate(f);
  }
  if (out != NULL) {
    *out = f;
  }
  return done(j, XL_OK);
}

xl_err xl_job_resume(xl_job *j, xl_time now) {
  xl_err err = change(j, now);

  if (err != XL_OK) {
    return err;
  }
  if (j->nfiles == 0) {
    return XL_E_EMPTY;
  }
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xli_file_keep_remotes(j->files[i]); /* R214 */
  }
  j->active_used = 0; /* R509 */
  j->active_since = now;
  if (j->state == XL_JOB_ERROR) {
    xli_job_progress(j);
  }
  if (j->state == XL_JOB_SUSPENDED || j->state == XL_JOB_ERROR ||
      j->state == XL_JOB_TRANSIENT_ERROR ||
      (j->state == XL_JOB_TRANSFERRED && !xli_job_all_done(j))) {
    xli_job_queue(j);
  }
  return done(j, XL_OK);
}

xl_err xl_job_suspend(xl_job *j, xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK && xli_job_may((xl_job_state)j->state, XL_JOB_SUSPENDED)) {
    xli_job_stop(j, XL_JOB_SUSPENDED);
  }
  return done(j, err);
}

/* Drops what was not handed over, frees what only a transfer needs. */
static void close_file(xl_file *f) {
  if (!f->completed) {
    xli_file_drop(f, XL_CLASS_CANCELLED);
  }
  xli_file_lighten(f);
}

xl_err xl_job_cancel(xl_job *j, xl_time now) {
  xl_err err = change(j, now);

  if (err != XL_OK) {
    return err;
  }
  xli_job_stop(j, XL_JOB_CANCELLED);
  for (uint32_t i = 0; i < j->nfiles; i++) {
    close_file(j->files[i]);
  }
  return done(j, XL_OK);
}

xl_err xl_job_complete(xl_job *j, xl_time now) { /* R415 */
  xl_err err = change(j, now);
  bool all = true;

  if (err != XL_OK) {
    return err;
  }
  xli_job_stop(j, XL_JOB_ACKNOWLEDGED);
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_file *f = j->files[i];
    if (f->phase == FILE_DONE) {
      f->completed = true;
      f->validated = true; /* R307 */
      xli_cache_admit(f);
    }
    all = all && f->completed;
    close_file(f);
  }
  return done(j, all && j->nfiles > 0 ? XL_OK : XL_S_PARTIAL_COMPLETE);
}

xl_err xl_job_set_priority(xl_job *j, xl_priority p, xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK && (uint32_t)p > XL_PRIORITY_LOW) {
    err = XL_E_NOTIMPL; /* R420 */
  }
  if (err == XL_OK) {
    j->priority = (uint8_t)p;
    j->agent->resched = true;
    xli_agent_wake(j->agent, xli_job_next_due(j));
  }
  return done(j, err);
}

/* R505: fetches under way go on against what is allowed now. */
static void allowed_changed(xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_file *f = j->files[i];
    if (f->swarm != NULL && f->swarm->search == 0) {
      f->swarm->find_due = j->agent->engine->now;
    }
    if (!xli_file_peers_allowed(f)) {
      for (request *r = j->agent->requests; r != NULL; r = r->next) {
        if (r->file == f && r->kind == XL_SOURCE_PEER) {
          xli_ask_cancel(r, XL_END_CANCELLED, XL_OK);
        }
      }
    }
    xli_file_after(f);
  }
}

xl_err xl_job_set_peercaching(xl_job *j, uint32_t flags, xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK &&
      (flags & ~(XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)) != 0) {
    err = XL_E_NOTIMPL; /* R504 */
  }
  if (err == XL_OK) {
    uint32_t flips = (j->peercaching ^ flags) & j->agent->peercaching;
    j->peercaching = (uint8_t)flags;
    if ((flips & XL_PEERCACHING_CLIENT) != 0) {
      allowed_changed(j);
    }
  }
  return done(j, err);
}

xl_err xl_job_set_min_retry_delay(xl_job *j, uint32_t seconds, xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK) {
    j->min_retry_s = seconds < RETRY_MIN ? RETRY_MIN : seconds; /* R421 */
  }
  return err;
}

xl_err xl_job_set_no_progress_timeout(xl_job *j, uint32_t seconds,
                                      xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK) {
    j->no_progress_s = seconds == JOB_NO_TIMEOUT ? JOB_NO_TIMEOUT - 1 : seconds;
  }
  return err;
}

xl_err xl_job_set_max_download_time(xl_job *j, uint32_t seconds, xl_time now) {
  xl_err err = change(j, now);

  if (err == XL_OK) {
    j->max_download_s = seconds;
    xli_agent_wake(j->agent, xli_job_next_due(j));
  }
  return err;
}

uint32_t xl_job_min_retry_delay(const xl_job *j) {
  return j->min_retry_s;
}

xl_job_state xl_job_state_of(const xl_job *j) {
  return (xl_job_state)j->state;
}

void xl_job_progress_of(const xl_job *j, xl_job_progress *out) { /* R430 */
  *out = (xl_job_progress){.files_total = j->nfiles};
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_file_progress p;
    xl_file_progress_of(j->files[i], &p);
    out->transferred += p.transferred;
    out->files_transferred += j->files[i]->phase == FILE_DONE;
    if (p.total == XL_SIZE_UNKNOWN || out->total == XL_SIZE_UNKNOWN) {
      out->total = XL_SIZE_UNKNOWN;
    } else {
      out->total += p.total;
    }
  }
}

xl_err xl_job_error(const xl_job *j, xl_err *code, xl_file **file) { /* R429 */
  bool any = j->err != XL_OK;

  *code = j->err;
  if (file != NULL) {
    *file = any && j->error_file != XL_NONE ? j->files[j->error_file] : NULL;
  }
  return any ? XL_OK : XL_E_ERROR_INFORMATION_UNAVAILABLE;
}

uint32_t xl_job_error_count(const xl_job *j) {
  return j->error_count;
}

uint32_t xl_job_nfiles(const xl_job *j) {
  return j->nfiles;
}

xl_file *xl_job_file(const xl_job *j, uint32_t i) {
  assert(i < j->nfiles);
  return j->files[i];
}

void *xl_job_user(const xl_job *j) {
  return j->user;
}

void xl_job_set_user(xl_job *j, void *user) {
  j->user = user;
}
