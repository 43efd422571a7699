/* SPDX-License-Identifier: MIT */
#include "job.h"

#include "agent.h"
#include "engine.h"
#include "file.h"
#include "machine.h"
#include "notify.h"
#include "transfer.h"

#define NO_PROGRESS_BITS 1209600u /* R422: 14 days */
#define NO_PROGRESS_DO_HIGH 3600u /* R482 */
#define NO_PROGRESS_DO_LOW 86400u
#define RETRY_DEFAULT 600u    /* R421 */
#define DO_AGE_MAX XL_DAY(30) /* R483 */

/* ---- the state (bits-semantics 4.2) ---- */

static const char *const state_name[] = {[XL_JOB_QUEUED] = "queued",
                                         [XL_JOB_CONNECTING] = "connecting",
                                         [XL_JOB_TRANSFERRING] = "transferring",
                                         [XL_JOB_SUSPENDED] = "suspended",
                                         [XL_JOB_ERROR] = "error",
                                         [XL_JOB_TRANSIENT_ERROR] =
                                             "transient-error",
                                         [XL_JOB_TRANSFERRED] = "transferred",
                                         [XL_JOB_ACKNOWLEDGED] = "acknowledged",
                                         [XL_JOB_CANCELLED] = "cancelled"};

const char *xl_job_state_name(xl_job_state s) {
  assert((size_t)s < sizeof state_name / sizeof *state_name);
  return state_name[s];
}

/* Whole seconds, at least those since the creation. */
static uint32_t age_s(const xl_job *j) {
  xl_time age = (j->agent->engine->now - j->created) / XL_SEC(1);

  return age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
}

static void modified(xl_job *j) {
  j->modified_s = age_s(j);
  if (j->rare != NULL) {
    xli_notify_modified(j);
  }
}

void xli_job_touch(xl_job *j) {
  j->touched_s = age_s(j);
  modified(j);
}

void xli_job_become(xl_job *j, xl_job_state next) {
  xl_job_state was = (xl_job_state)j->state;
  bool ran = xli_job_running(j);

  assert(xli_job_may(was, next));
  j->state = (uint8_t)next;
  if (next == XL_JOB_TRANSFERRING) {
    j->err = XL_OK; /* R429 */
    j->error_file = XL_NONE;
  }
  if (ran != xli_job_running(j)) {
    j->active = j->agent->engine->now - j->active;
  }
  if (!ran && xli_job_running(j)) {
    xli_agent_wake(j->agent, xli_job_next_due(j));
  }
  xli_event(j->agent, XL_EVENT_JOB_STATE, j, NULL, was, next, j->err);
  j->agent->resched = true;
  j->agent->notices = j->agent->notices || j->rare != NULL;
  if (next == XL_JOB_TRANSFERRED || next == XL_JOB_ERROR) {
    j->modified_s = age_s(j);
    xli_notify_state(j);
  } else {
    modified(j);
  }
}

/* ---- flavours ---- */

bool xli_job_is_do(const xl_job *j) {
  return j->agent->policy->flavour == XL_FLAVOUR_DO;
}

bool xli_job_parallel(const xl_job *j) {
  return xli_job_is_do(j) || j->agent->policy->flavour == XL_FLAVOUR_FREE;
}

xl_span xli_backoff(uint32_t failures) {
  return failures >= 5 ? XL_SEC(30) : XL_SEC(1) << failures;
}

uint32_t xl_job_no_progress_timeout(const xl_job *j) {
  uint32_t own = xli_rare(j)->no_progress_s;

  if (own != RARE_DEFAULT) {
    return own;
  }
  if (!xli_job_is_do(j)) {
    return NO_PROGRESS_BITS;
  }
  return j->priority == XL_PRIORITY_FOREGROUND ? NO_PROGRESS_DO_HIGH
                                               : NO_PROGRESS_DO_LOW;
}

uint32_t xli_job_min_retry(const xl_job *j) {
  uint32_t own = xli_rare(j)->min_retry_s;

  return own == RARE_DEFAULT ? RETRY_DEFAULT : own;
}

static xl_span retry_delay(const xl_job *j) {
  return xli_job_is_do(j) ? xli_backoff(j->retries)
                          : XL_SEC(xli_job_min_retry(j));
}

/* ---- running ---- */

void xli_job_start(xl_job *j) {
  bool any = false;

  xli_job_become(j, xli_job_is_do(j) ? XL_JOB_TRANSFERRING : XL_JOB_CONNECTING);
  if (!xli_job_proxy_good(j)) { /* R432 */
    xli_job_fatal(j, NULL, XL_E_INVALID_PROXY_INFO);
    return;
  }
  j->slice_end =
      xl_time_add(j->agent->engine->now, j->agent->engine->cfg.time_slice);
  xli_agent_wake(j->agent, j->slice_end);
  for (uint32_t i = 0; i < j->nfiles && xli_job_running(j); i++) {
    if (j->files[i]->phase != FILE_DONE && (!any || xli_job_parallel(j))) {
      any = true;
      xli_file_activate(j->files[i]);
    }
  }
}

static void halt(xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xli_file_halt(j->files[i]);
  }
}

void xli_job_stop(xl_job *j, xl_job_state next) {
  halt(j);
  if (next == XL_JOB_QUEUED) {
    j->turn = ++j->agent->turns;
  }
  xli_job_become(j, next);
}

void xli_job_connected(xl_job *j) {
  if (j->state == XL_JOB_CONNECTING) {
    xli_job_become(j, XL_JOB_TRANSFERRING);
  }
}

void xli_job_progress(xl_job *j) {
  j->no_progress_due = XL_NEVER;
  j->frozen = false;
  j->retries = 0;
  xli_job_touch(j);
}

bool xli_job_all_done(const xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    if (j->files[i]->phase != FILE_DONE) {
      return false;
    }
  }
  return true;
}

void xli_job_advance(xl_job *j) {
  if (!xli_job_running(j)) {
    return;
  }
  if (xli_job_all_done(j)) {
    xli_job_connected(j);
    xli_job_become(j, XL_JOB_TRANSFERRED);
    return;
  }
  for (uint32_t i = 0; i < j->nfiles && !xli_job_parallel(j); i++) {
    if (j->files[i]->phase != FILE_DONE) {
      xli_file_activate(j->files[i]);
      return;
    }
  }
}

static void set_error(xl_job *j, const xl_file *f, xl_err err) {
  j->err = err;
  j->error_file = f == NULL ? XL_NONE : f->index;
}

void xli_job_fatal(xl_job *j, const xl_file *f, xl_err err) {
  if (!xli_job_running(j)) {
    return;
  }
  set_error(j, f, err);
  j->error_count++; /* R428 */
  xli_job_stop(j, XL_JOB_ERROR);
}

void xli_job_transient(xl_job *j, const xl_file *f, xl_err err) {
  xl_time now = j->agent->engine->now;
  xl_span limit = XL_SEC(xl_job_no_progress_timeout(j));

  if (!xli_job_running(j)) {
    return;
  }
  j->retries = (uint8_t)(j->retries < 30 ? j->retries + 1 : 30);
  xl_span delay = retry_delay(j);
  if (limit == 0 || delay > limit) { /* R421, R422 */
    xli_job_fatal(j, f, err);
    return;
  }
  set_error(j, f, err);
  j->error_count++;
  if (j->no_progress_due == XL_NEVER) {
    j->no_progress_due = xl_time_add(now, limit);
  }
  j->retry_due = xl_time_add(now, delay);
  j->waits = false;
  xli_job_stop(j, XL_JOB_TRANSIENT_ERROR);
  xli_agent_wake(j->agent, xli_job_next_due(j));
}

/* R424: not retried by time, the clock of no progress stands still. */
static void wait_for_condition(xl_job *j) {
  xl_time now = j->agent->engine->now;

  j->retry_due = XL_NEVER;
  j->waits = true;
  if (j->no_progress_due != XL_NEVER && !j->frozen) {
    j->no_progress_due =
        j->no_progress_due > now ? j->no_progress_due - now : 0;
    j->frozen = true;
  }
}

/* Not counted as an error (R428). */
void xli_job_block(xl_job *j, xl_err err) {
  set_error(j, NULL, err);
  xli_job_stop(j, XL_JOB_TRANSIENT_ERROR);
  wait_for_condition(j);
}

void xli_job_queue(xl_job *j) {
  j->retry_due = XL_NEVER;
  j->waits = false;
  if (j->frozen) {
    j->no_progress_due = xl_time_add(j->agent->engine->now, j->no_progress_due);
    j->frozen = false;
  }
  j->turn = ++j->agent->turns;
  xli_job_become(j, XL_JOB_QUEUED);
}

void xli_job_link(xl_job *j, bool up) { /* R406 */
  if (up && j->state == XL_JOB_TRANSIENT_ERROR) {
    xli_job_queue(j);
  } else if (!up && (j->state == XL_JOB_QUEUED || xli_job_running(j))) {
    xli_job_block(j, XL_E_NETWORK_DISCONNECTED);
  } else if (!up && j->state == XL_JOB_TRANSIENT_ERROR) {
    wait_for_condition(j);
  }
}

static xl_time download_due(const xl_job *j) { /* R508 */
  return xl_time_add(j->active, XL_SEC(xl_job_max_download_time(j)));
}

uint32_t xl_job_max_download_time(const xl_job *j) {
  uint32_t own = xli_rare(j)->max_download_s;

  return own == RARE_DEFAULT ? xli_machine(j->agent)->limits.max_download_s
                             : own; /* R451 */
}

xl_time xli_job_expiry(const xl_job *j) {
  const xl_limits *l = &xli_machine(j->agent)->limits;

  if (xli_job_is_do(j)) {
    return xl_time_add(j->created, DO_AGE_MAX);
  }
  return xl_time_add(j->created,
                     XL_SEC(j->touched_s) + XL_SEC(l->inactivity_s));
}

static bool is_background(const xl_job *j) {
  return j->priority != XL_PRIORITY_FOREGROUND && !xli_job_parallel(j);
}

/* Another job of the same priority waits. */
static bool has_rival(const xl_job *j) {
  for (const xl_job *o = j->agent->jobs; o != NULL; o = o->next) {
    if (o->state == XL_JOB_QUEUED && o->priority == j->priority) {
      return true;
    }
  }
  return false;
}

void xli_job_due(xl_job *j) {
  xl_time now = j->agent->engine->now;

  if (!xli_job_final(j) && xli_job_expiry(j) <= now) { /* R450, R483 */
    xli_job_close(j, XL_JOB_CANCELLED);
  }
  xli_notify_due(j);
  if (j->state == XL_JOB_TRANSIENT_ERROR) {
    if (!j->frozen && j->no_progress_due <= now) {
      xli_job_become(j, XL_JOB_ERROR);
    } else if (j->retry_due <= now) {
      xli_job_queue(j);
    }
    return;
  }
  if (!xli_job_running(j)) {
    return;
  }
  if (download_due(j) <= now) { /* R509 */
    xli_job_fatal(j, NULL, XL_E_MAXDOWNLOAD_TIMEOUT);
  } else if (is_background(j) && j->slice_end <= now) { /* R442 */
    if (has_rival(j)) {
      xli_job_stop(j, XL_JOB_QUEUED);
    } else {
      j->slice_end = xl_time_add(now, j->agent->engine->cfg.time_slice);
    }
  }
  for (uint32_t i = 0; i < j->nfiles && xli_job_running(j); i++) {
    xli_file_due(j->files[i]);
  }
}

xl_time xli_job_next_due(const xl_job *j) {
  if (xli_job_final(j)) {
    return XL_NEVER;
  }
  xl_time t = xl_time_min(xli_job_expiry(j), xli_notify_next_due(j));
  if (j->state == XL_JOB_TRANSIENT_ERROR) {
    t = xl_time_min(t, j->retry_due);
    return j->frozen ? t : xl_time_min(t, j->no_progress_due);
  }
  if (!xli_job_running(j)) {
    return t;
  }
  t = xl_time_min(t, download_due(j));
  if (is_background(j)) {
    t = xl_time_min(t, j->slice_end);
  }
  for (uint32_t i = 0; i < j->nfiles; i++) {
    t = xl_time_min(t, xli_file_next_due(j->files[i]));
  }
  return t;
}
