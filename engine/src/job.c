/* SPDX-License-Identifier: MIT */
#include "job.h"

#include "agent.h"
#include "engine.h"
#include "file.h"

#define NO_PROGRESS_BITS 1209600u /* R422: 14 days */
#define NO_PROGRESS_DO_HIGH 3600u /* R482 */
#define NO_PROGRESS_DO_LOW 86400u

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

static void enter_active(xl_job *j) {
  j->active_since = j->agent->engine->now;
  xli_agent_wake(j->agent, xli_job_next_due(j));
}

static void notify(xl_job *j) {
  xl_action act = {.kind = XL_ACT_NOTIFY, .agent = j->agent, .job = j};

  xli_act(j->agent->engine, &act);
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
  if (ran && !xli_job_running(j)) {
    j->active_used += j->agent->engine->now - j->active_since;
  } else if (!ran && xli_job_running(j)) {
    enter_active(j);
  }
  xli_event(j->agent, XL_EVENT_JOB_STATE, j, NULL, was, next, j->err);
  j->agent->resched = true;
  if (next == XL_JOB_TRANSFERRED || next == XL_JOB_ERROR) {
    notify(j);
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

static uint32_t no_progress(const xl_job *j) {
  if (j->no_progress_s != JOB_NO_TIMEOUT) {
    return j->no_progress_s;
  }
  if (!xli_job_is_do(j)) {
    return NO_PROGRESS_BITS;
  }
  return j->priority == XL_PRIORITY_FOREGROUND ? NO_PROGRESS_DO_HIGH
                                               : NO_PROGRESS_DO_LOW;
}

static xl_span retry_delay(const xl_job *j) {
  return xli_job_is_do(j) ? xli_backoff(j->retries) : XL_SEC(j->min_retry_s);
}

/* ---- running ---- */

void xli_job_start(xl_job *j) {
  bool any = false;

  xli_job_become(j, xli_job_is_do(j) ? XL_JOB_TRANSFERRING : XL_JOB_CONNECTING);
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
  j->no_progress_left = -1;
  j->retries = 0;
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
  xl_span limit = XL_SEC(no_progress(j));

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
  xli_job_stop(j, XL_JOB_TRANSIENT_ERROR);
  xli_agent_wake(j->agent, xli_job_next_due(j));
}

/* R406, R424: not counted, not retried by time, the clock stands still. */
static void disconnect(xl_job *j) {
  xl_time now = j->agent->engine->now;

  if (j->state == XL_JOB_QUEUED || xli_job_running(j)) {
    set_error(j, NULL, XL_E_NETWORK_DISCONNECTED);
    xli_job_stop(j, XL_JOB_TRANSIENT_ERROR);
  }
  if (j->state == XL_JOB_TRANSIENT_ERROR) {
    j->retry_due = XL_NEVER;
    if (j->no_progress_due != XL_NEVER) {
      j->no_progress_left =
          j->no_progress_due > now ? j->no_progress_due - now : 0;
      j->no_progress_due = XL_NEVER;
    }
  }
}

void xli_job_queue(xl_job *j) {
  j->retry_due = XL_NEVER;
  j->turn = ++j->agent->turns;
  xli_job_become(j, XL_JOB_QUEUED);
}

void xli_job_link(xl_job *j, bool up) {
  if (!up) {
    disconnect(j);
  } else if (j->state == XL_JOB_TRANSIENT_ERROR) {
    if (j->no_progress_left >= 0) {
      j->no_progress_due =
          xl_time_add(j->agent->engine->now, j->no_progress_left);
      j->no_progress_left = -1;
    }
    xli_job_queue(j);
  }
}

static xl_time download_due(const xl_job *j) { /* R508 */
  xl_span left = XL_SEC(j->max_download_s) - j->active_used;

  return xl_time_add(j->active_since, left < 0 ? 0 : left);
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

  if (j->state == XL_JOB_TRANSIENT_ERROR) {
    if (j->no_progress_due <= now) {
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
  if (j->state == XL_JOB_TRANSIENT_ERROR) {
    return xl_time_min(j->retry_due, j->no_progress_due);
  }
  if (!xli_job_running(j)) {
    return XL_NEVER;
  }
  xl_time t = download_due(j);
  if (is_background(j)) {
    t = xl_time_min(t, j->slice_end);
  }
  for (uint32_t i = 0; i < j->nfiles; i++) {
    t = xl_time_min(t, xli_file_next_due(j->files[i]));
  }
  return t;
}
