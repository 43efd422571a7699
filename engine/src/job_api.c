/* SPDX-License-Identifier: MIT */
/* IBackgroundCopyJob, 2, 3, 4 in C: the calls of agent.h on jobs. */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "delivery.h"
#include "file.h"
#include "job.h"
#include "local.h"
#include "machine.h"
#include "ranges.h"
#include "transfer.h"

#define NAME_MAX_LEN 256u
#define RETRY_MIN 5u /* R421 */

/* The caller owns what it creates (R434). */
static bool set_owner(xl_job *j) {
  const account *caller = &xli_machine(j->agent)->caller;

  if (caller->sid != 0) {
    if (xli_rare_need(j) == NULL) {
      return false;
    }
    j->rare->owner = *caller;
  }
  return true;
}

xl_err xl_job_create(xl_agent *a, const char *name, xl_job **out, xl_time now) {
  *out = NULL;
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if (name == NULL || strlen(name) > NAME_MAX_LEN) { /* R410 */
    return XL_E_INVALIDARG;
  }
  xl_err err = xli_machine_job_limit(a);
  if (err != XL_OK) {
    return err;
  }
  xl_job *j = xli_new(a->engine, sizeof *j);
  if (j == NULL) {
    return XL_E_OUTOFMEMORY;
  }
  j->name = xl_engine_name(a->engine, name);
  j->agent = a;
  if (j->name == 0 || !set_owner(j)) {
    xli_job_del(a->engine, j);
    return XL_E_OUTOFMEMORY;
  }
  j->id = ++a->njobs;
  j->created = now;
  j->state = XL_JOB_SUSPENDED; /* R402 */
  j->priority = XL_PRIORITY_NORMAL;
  j->retry_due = j->no_progress_due = XL_NEVER;
  j->error_file = XL_NONE;
  xl_job **tail = &a->jobs;
  while (*tail != NULL) {
    tail = &(*tail)->next;
  }
  *tail = j;
  xli_agent_wake(a, xli_job_expiry(j));
  *out = j;
  return XL_OK;
}

bool xli_job_room(xl_job *j, uint32_t n) {
  bool own = j->files != NULL && j->files != &j->only;

  if (j->nfiles + n == 1) {
    j->files = own ? j->files : &j->only;
    return true;
  }
  xl_file **files = xli_grow(j->agent->engine, own ? j->files : NULL,
                             &j->file_cap, j->nfiles + n, sizeof *files);
  if (files == NULL) {
    return false;
  }
  if (!own && j->nfiles == 1) {
    files[0] = j->only;
  }
  j->files = files;
  return true;
}

void xli_job_del(xl_engine *eng, xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xli_file_del(eng, j->files[i]);
  }
  xli_rare_del(eng, j->rare);
  if (j->files != &j->only) {
    xli_free(eng, j->files);
  }
  xli_free(eng, j);
}

xl_err xli_job_change(xl_job *j, xl_time now) {
  if (!xli_enter(j->agent->engine, now)) {
    return j->agent->engine->status;
  }
  if (!xli_machine_may_change(j->agent, &xli_rare(j)->owner)) {
    return XL_E_ACCESSDENIED;
  }
  return xli_job_final(j) ? XL_E_INVALID_STATE : XL_OK;
}

xl_err xli_job_done(xl_job *j, xl_err err) {
  xli_agent_settle_jobs(j->agent);
  return j->agent->engine->status != XL_OK ? j->agent->engine->status
                                           : xli_delivery_err(j, err);
}

static bool is_smb(const char *url) {
  return url != NULL && strncmp(url, "http", 4) != 0 &&
         strncmp(url, "HTTP", 4) != 0;
}

static xl_err check_info(const xl_job *j, const xl_file_info *info) {
  if (info == NULL || info->piece_bytes == 0 || info->nmirrors > 1000 ||
      (info->ranges != NULL && info->nranges == 0 && !xli_job_is_do(j)) ||
      (info->ranges == NULL && info->nranges > 0)) {
    return XL_E_INVALIDARG;
  }
  if (info->nranges > 0 && is_smb(info->remote)) { /* R209 */
    return XL_E_INVALIDARG;
  }
  xl_err err = xli_local_check(j, info->local);
  if (err != XL_OK || info->nranges == 0) {
    return err;
  }
  if (xli_job_dynamic(j)) {
    return XL_E_RANDOM_ACCESS_NOT_SUPPORTED; /* R802 */
  }
  return xli_ranges_check(info->ranges, info->nranges,
                          xli_machine_ranges_max(j->agent));
}

/* Checks and makes a file; the job has room for it. */
static xl_err add_file(xl_job *j, const xl_file_info *info, xl_file **out) {
  xl_err err = check_info(j, info);

  if (err == XL_OK && j->nfiles >= xli_machine_files_max(j->agent)) {
    err = XL_E_TOO_MANY_FILES_IN_JOB; /* R412, R454 */
  }
  if (err == XL_OK) {
    err = xli_file_new(out, j, info);
  }
  if (err == XL_OK) {
    j->files[j->nfiles++] = *out;
  }
  return err;
}

/* Files from |first| on are new. */
static void begin_added(xl_job *j, uint32_t first) {
  for (uint32_t i = first; i < j->nfiles; i++) {
    if (xli_job_running(j) && xli_job_parallel(j)) {
      xli_file_activate(j->files[i]);
    }
  }
  xli_job_touch(j);
}

xl_err xl_job_add_file(xl_job *j, const xl_file_info *info, xl_file **out,
                       xl_time now) {
  xl_err err = xli_job_change(j, now);
  xl_file *f = NULL;

  if (out != NULL) {
    *out = NULL;
  }
  if (err == XL_OK && xli_job_room(j, 1)) {
    err = add_file(j, info, &f);
  }
  if (f != NULL) {
    begin_added(j, f->index);
    if (out != NULL) {
      *out = f;
    }
  }
  return xli_job_done(j, err);
}

xl_err xl_job_add_file_set(xl_job *j, const xl_file_info *infos, uint32_t n,
                           xl_time now) { /* R412 */
  xl_err err = xli_job_change(j, now);
  uint32_t first = j->nfiles;
  xl_file *f;

  if (err == XL_OK && xli_job_is_do(j)) {
    err = XL_E_NOTIMPL; /* R480 */
  } else if (err == XL_OK && (n == 0 || infos == NULL || n > UINT16_MAX)) {
    err = XL_E_INVALIDARG;
  }
  if (err != XL_OK || !xli_job_room(j, n)) {
    return xli_job_done(j, err);
  }
  for (uint32_t i = 0; i < n && err == XL_OK; i++) {
    err = add_file(j, &infos[i], &f);
  }
  while (err != XL_OK && j->nfiles > first) {
    xli_file_del(j->agent->engine, j->files[--j->nfiles]);
  }
  if (err == XL_OK) {
    begin_added(j, first);
  }
  return xli_job_done(j, err);
}

/* R305, R311: undefined in BITS 3.0, so refused. Bytes that failed the check of
   their transport are fetched again. */
static bool is_spoiled(const xl_job *j) {
  return j->state == XL_JOB_ERROR && j->spoiled &&
         j->agent->policy->flavour == XL_FLAVOUR_BITS3;
}

xl_err xl_job_resume(xl_job *j, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && j->nfiles == 0) {
    err = XL_E_EMPTY;
  } else if (err == XL_OK && is_spoiled(j)) {
    err = XL_E_INVALID_STATE;
  }
  if (err != XL_OK) {
    return xli_job_done(j, err);
  }
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xli_file_keep_remotes(j->files[i]); /* R214 */
  }
  j->active = xli_job_running(j) ? now : 0; /* R509 */
  j->resumed = true;
  xli_job_touch(j);
  if (j->state == XL_JOB_ERROR) {
    xli_job_progress(j);
  }
  if (j->state == XL_JOB_SUSPENDED || j->state == XL_JOB_ERROR ||
      j->state == XL_JOB_TRANSIENT_ERROR ||
      (j->state == XL_JOB_TRANSFERRED && !xli_job_all_done(j))) {
    xli_job_queue(j);
  }
  return xli_job_done(j, XL_OK);
}

xl_err xl_job_suspend(xl_job *j, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK) {
    xli_job_touch(j);
  }
  if (err == XL_OK && xli_job_may((xl_job_state)j->state, XL_JOB_SUSPENDED)) {
    xli_job_stop(j, XL_JOB_SUSPENDED);
  }
  return xli_job_done(j, err);
}

/* Drops what was not handed over, frees what only a transfer needs. False: the
   temporary file is left behind. */
static bool close_file(xl_file *f) {
  xl_engine *eng = f->job->agent->engine;
  bool gone = true;

  if (!f->completed) {
    xli_file_drop(f, XL_CLASS_CANCELLED);
    if (f->started >= 0 && eng->env.discard != NULL) {
      eng->inside = true;
      gone = eng->env.discard(eng->env.arg, f);
      eng->inside = false;
    }
  }
  xli_file_lighten(f);
  return gone;
}

bool xli_job_close(xl_job *j, xl_job_state end) {
  bool gone = true;

  xli_job_stop(j, end);
  for (uint32_t i = 0; i < j->nfiles; i++) {
    gone = close_file(j->files[i]) && gone;
  }
  return gone;
}

xl_err xl_job_cancel(xl_job *j, xl_time now) { /* R414 */
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK) {
    xli_job_touch(j);
    err = xli_job_close(j, XL_JOB_CANCELLED) ? XL_OK
                                             : XL_S_UNABLE_TO_DELETE_FILES;
  }
  return xli_job_done(j, err);
}

/* The finished file gets its name (R415-R417). */
static xl_err hand_over(xl_file *f) {
  xl_engine *eng = f->job->agent->engine;
  const account *caller = &xli_machine(f->job->agent)->caller;
  xl_err err = XL_OK;

  if (eng->env.hand_over != NULL) {
    const char *owner = caller->sid == 0 ? MACHINE_SERVICE_SID
                                         : xl_engine_string(eng, caller->sid);
    eng->inside = true;
    err = eng->env.hand_over(eng->env.arg, f, owner);
    eng->inside = false;
  }
  if (err == XL_OK) {
    f->completed = true;
    f->validated = true; /* R307 */
    xli_cache_admit(f);
  }
  return err;
}

/* Every finished file; the first failure, and the others all the same. */
static xl_err hand_over_all(xl_job *j, bool *all) {
  xl_err err = XL_OK;

  *all = j->nfiles > 0;
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_file *f = j->files[i];
    if (f->phase == FILE_DONE && !f->completed) {
      xl_err one = hand_over(f);
      err = err != XL_OK ? err : one;
    }
    *all = *all && f->completed;
  }
  return err;
}

xl_err xl_job_complete(xl_job *j, xl_time now) { /* R415 */
  xl_err err = xli_job_change(j, now);
  bool all = false;

  if (err == XL_OK) {
    err = hand_over_all(j, &all);
  }
  if (err != XL_OK) { /* R416: the job stays, to be completed again */
    return xli_job_done(j, err);
  }
  xli_job_touch(j);
  bool gone = xli_job_close(j, XL_JOB_ACKNOWLEDGED);
  return xli_job_done(j, !all   ? XL_S_PARTIAL_COMPLETE
                         : gone ? XL_OK
                                : XL_S_UNABLE_TO_DELETE_FILES);
}

xl_err xl_job_set_priority(xl_job *j, xl_priority p, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && (uint32_t)p > XL_PRIORITY_LOW) {
    err = XL_E_NOTIMPL; /* R420 */
  } else if (err == XL_OK && p != XL_PRIORITY_FOREGROUND &&
             xli_job_dynamic(j)) {
    err = XL_E_INVALID_STATE; /* R802 */
  }
  if (err == XL_OK) {
    j->priority = (uint8_t)p;
    xli_job_touch(j);
    j->agent->resched = true;
    xli_agent_wake(j->agent, xli_job_next_due(j));
  }
  return xli_job_done(j, err);
}

void xli_job_allowed_changed(xl_job *j) {
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
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && (flags & ~(XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER |
                                 XL_PEERCACHING_NO_BRANCH_CACHE)) != 0) {
    err = XL_E_NOTIMPL; /* R504 */
  }
  if (err == XL_OK) {
    uint32_t flips = (j->peercaching ^ flags) & j->agent->peercaching;
    j->peercaching = (uint8_t)flags;
    xli_job_touch(j);
    if ((flips & XL_PEERCACHING_CLIENT) != 0) {
      xli_job_allowed_changed(j);
    }
  }
  return xli_job_done(j, err);
}

static uint32_t own_value(uint32_t v) {
  return v == RARE_DEFAULT ? RARE_DEFAULT - 1 : v;
}

xl_err xl_job_set_min_retry_delay(xl_job *j, uint32_t seconds, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && xli_rare_need(j) != NULL) {
    j->rare->min_retry_s =
        seconds < RETRY_MIN ? RETRY_MIN : own_value(seconds); /* R421 */
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

xl_err xl_job_set_no_progress_timeout(xl_job *j, uint32_t seconds,
                                      xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && xli_rare_need(j) != NULL) {
    j->rare->no_progress_s = own_value(seconds);
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

xl_err xl_job_set_max_download_time(xl_job *j, uint32_t seconds, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && xli_rare_need(j) != NULL) {
    j->rare->max_download_s = own_value(seconds);
    xli_job_touch(j);
    xli_agent_wake(j->agent, xli_job_next_due(j));
  }
  return xli_job_done(j, err);
}

uint32_t xl_job_min_retry_delay(const xl_job *j) {
  return xli_job_min_retry(j);
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

  *code = xli_delivery_err(j, j->err);
  if (file != NULL) {
    *file = any && j->error_file != XL_NONE ? j->files[j->error_file] : NULL;
  }
  return any ? XL_OK : xli_delivery_err(j, XL_E_ERROR_INFORMATION_UNAVAILABLE);
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
