/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"
#include "machine.h"

#define AGAIN XL_SEC(60)   /* R427: the spacing is arbitrary */
#define AT_ONCE_PER_USER 4 /* R427 */

#define BIT(notice) (uint8_t)(1u << XL_NOTICE_##notice)

static uint32_t flag_of(xl_notice n) {
  static const uint8_t flag[XL_NNOTICES] = {
      [XL_NOTICE_FILE_TRANSFERRED] = XL_NOTIFY_FILE_TRANSFERRED,
      [XL_NOTICE_JOB_TRANSFERRED] = XL_NOTIFY_JOB_TRANSFERRED,
      [XL_NOTICE_JOB_ERROR] = XL_NOTIFY_JOB_ERROR,
      [XL_NOTICE_JOB_MODIFICATION] = XL_NOTIFY_JOB_MODIFICATION};

  return flag[n];
}

static bool wanted(const xl_job *j, xl_notice n) {
  uint32_t flags = xli_rare(j)->notices.flags;

  return (flags & XL_NOTIFY_DISABLE) == 0 && (flags & flag_of(n)) != 0;
}

static void tell(xl_job *j, xl_notice n, xl_file *f) {
  xl_action act = {.kind = XL_ACT_NOTIFY,
                   .agent = j->agent,
                   .job = j,
                   .file = f,
                   .notice = n};

  xli_act(j->agent->engine, &act);
}

static bool is_notable(const xl_job *j) {
  return j->state == XL_JOB_TRANSFERRED || j->state == XL_JOB_ERROR;
}

static xl_notice state_notice(const xl_job *j) {
  return j->state == XL_JOB_ERROR ? XL_NOTICE_JOB_ERROR
                                  : XL_NOTICE_JOB_TRANSFERRED;
}

/* ---- what there is to tell ---- */

static void add(xl_job *j, xl_notice n) {
  if (j->rare != NULL && j->rare->notices.interface && wanted(j, n)) {
    j->rare->notices.due |= (uint8_t)(1u << n);
    j->agent->notices = true;
  }
}

/* The command line runs by itself without an interface (R470). */
static void add_command(xl_job *j) {
  job_rare *r = j->rare;

  if (r == NULL || r->program == 0 || r->owner.kind == XL_ACCOUNT_SERVICE ||
      (r->notices.flags & XL_NOTIFY_DISABLE) != 0 ||
      (r->notices.interface && !r->command_failed)) {
    return;
  }
  tell(j, XL_NOTICE_COMMAND, NULL);
}

void xli_notify_state(xl_job *j) {
  if (j->rare != NULL) {
    j->rare->command_failed = false;
  }
  if (j->rare != NULL && j->rare->notices.interface) {
    add(j, state_notice(j));
  } else if (wanted(j, state_notice(j))) {
    tell(j, state_notice(j), NULL);
  }
  add_command(j);
}

void xli_notify_file(const xl_file *f) {
  xl_job *j = f->job;

  if (j->rare == NULL || !j->rare->notices.interface ||
      !wanted(j, XL_NOTICE_FILE_TRANSFERRED)) {
    return;
  }
  notices *n = &j->rare->notices;
  uint32_t *v =
      xli_grow(j->agent->engine, n->files, &n->cap, n->nfiles + 1, sizeof *v);
  if (v != NULL) {
    n->files = v;
    v[n->nfiles++] = f->index;
    add(j, XL_NOTICE_FILE_TRANSFERRED);
  }
}

void xli_notify_modified(xl_job *j) {
  add(j, XL_NOTICE_JOB_MODIFICATION);
}

static void forget(xl_job *j) {
  if (j->rare != NULL) {
    notices *n = &j->rare->notices;
    n->interface = false;
    n->due = 0;
    n->nfiles = 0;
    n->told = XL_NNOTICES;
    n->again = XL_NEVER;
  }
}

/* ---- telling ---- */

static uint32_t being_told(const xl_agent *a, xl_name sid) {
  uint32_t n = 0;

  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    n += j->rare != NULL && j->rare->notices.told != XL_NNOTICES &&
         j->rare->owner.sid == sid;
  }
  return n;
}

/* A notice of a state the job has left is of no use any more. */
static void drop_stale(xl_job *j, notices *n) {
  if (j->state != XL_JOB_TRANSFERRED) {
    n->due &= (uint8_t)~BIT(JOB_TRANSFERRED);
  }
  if (j->state != XL_JOB_ERROR) {
    n->due &= (uint8_t)~BIT(JOB_ERROR);
  }
  if (xli_job_final(j)) {
    n->due = 0;
    n->nfiles = 0;
    n->told = XL_NNOTICES;
  }
}

static xl_notice first_due(const notices *n) {
  xl_notice k = XL_NOTICE_FILE_TRANSFERRED;

  while (k < XL_NNOTICES && (n->due & 1u << k) == 0) {
    k = (xl_notice)(k + 1);
  }
  return k;
}

static void tell_first(xl_job *j, notices *n) {
  xl_notice k = first_due(n);
  xl_file *f = NULL;

  n->told = (uint8_t)k;
  n->again = xl_time_add(j->agent->engine->now, AGAIN);
  xli_agent_wake(j->agent, n->again);
  if (k == XL_NOTICE_FILE_TRANSFERRED) {
    n->file = n->files[0];
    f = j->files[n->file];
  }
  tell(j, k, f);
}

static void pump_job(xl_job *j) {
  xl_agent *a = j->agent;
  notices *n = &j->rare->notices;

  if (n->due == 0 && n->told == XL_NNOTICES) {
    n->again = XL_NEVER;
  }
  if (n->due == 0 || n->told != XL_NNOTICES ||
      (n->again != XL_NEVER && n->again > a->engine->now)) {
    return;
  }
  if (being_told(a, j->rare->owner.sid) < AT_ONCE_PER_USER) {
    tell_first(j, n);
  }
}

void xli_notify_pump(xl_agent *a) {
  a->notices = false;
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (j->rare != NULL) {
      drop_stale(j, &j->rare->notices);
    }
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (j->rare != NULL) {
      pump_job(j);
    }
  }
}

/* What was told is over: it is done with, or waits to be told again. */
static void over(xl_job *j, bool ok) {
  notices *n = &j->rare->notices;
  xl_notice k = (xl_notice)n->told;

  n->told = XL_NNOTICES;
  n->again = XL_NEVER;
  j->agent->notices = true;
  if (!ok && k != XL_NOTICE_JOB_MODIFICATION) {
    n->again = xl_time_add(j->agent->engine->now, AGAIN);
    xli_agent_wake(j->agent, n->again);
    return;
  }
  if (k == XL_NOTICE_FILE_TRANSFERRED) {
    n->nfiles -= n->nfiles > 0;
    for (uint32_t i = 0; i < n->nfiles; i++) {
      n->files[i] = n->files[i + 1];
    }
    if (n->nfiles > 0) {
      return;
    }
  }
  n->due &= (uint8_t) ~(1u << k);
}

/* Nobody answered, or with failure: the command line is next (R470). */
static void failed(xl_job *j) {
  xl_notice k = (xl_notice)j->rare->notices.told;

  over(j, false);
  if (is_notable(j) && k == state_notice(j)) {
    j->rare->command_failed = true;
    add_command(j);
  }
}

/* Jobs that are over may be answered for, too: not xli_job_change. */
static xl_err enter(xl_job *j, xl_time now) {
  if (!xli_enter(j->agent->engine, now)) {
    return j->agent->engine->status;
  }
  return xli_machine_may_change(j->agent, &xli_rare(j)->owner)
             ? XL_OK
             : XL_E_ACCESSDENIED; /* R434 */
}

xl_err xl_job_notified(xl_job *j, bool ok, xl_time now) {
  xl_err err = enter(j, now);

  if (err != XL_OK) {
    return err;
  }
  if (j->rare == NULL || j->rare->notices.told == XL_NNOTICES) {
    return XL_S_FALSE;
  }
  if (ok) {
    over(j, true);
  } else {
    failed(j);
  }
  xli_agent_settle_jobs(j->agent);
  return j->agent->engine->status;
}

void xli_notify_due(xl_job *j) {
  xl_time now = j->agent->engine->now;

  if (j->rare == NULL) {
    return;
  }
  if (j->rare->command_due <= now) {
    j->rare->command_due = XL_NEVER;
    if (is_notable(j)) {
      add_command(j); /* if there still is one */
    }
  }
  notices *n = &j->rare->notices;
  if (n->again > now) {
    return;
  }
  if (n->told != XL_NNOTICES) {
    failed(j);
  }
  n->again = XL_NEVER;
  j->agent->notices = true;
}

xl_time xli_notify_next_due(const xl_job *j) {
  return j->rare == NULL
             ? XL_NEVER
             : xl_time_min(j->rare->notices.again, j->rare->command_due);
}

/* ---- calls ---- */

xl_err xl_job_set_notify_flags(xl_job *j, uint32_t flags, xl_time now) {
  uint32_t known = XL_NOTIFY_DEFAULT | XL_NOTIFY_JOB_MODIFICATION |
                   XL_NOTIFY_FILE_TRANSFERRED;
  xl_err err = xli_job_change(j, now);

  known |= xli_job_is_do(j) ? 0 : XL_NOTIFY_DISABLE; /* R484 */
  if (err == XL_OK && (flags & ~known) != 0) {
    err = XL_E_NOTIMPL; /* R425 */
  }
  if (err == XL_OK && xli_rare_need(j) != NULL) {
    j->rare->notices.flags = (uint8_t)flags;
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

uint32_t xl_job_notify_flags(const xl_job *j) {
  return xli_rare(j)->notices.flags;
}

bool xl_job_notify_interface(const xl_job *j) {
  return xli_rare(j)->notices.interface;
}

xl_err xl_job_set_notify_interface(xl_job *j, bool on, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err != XL_OK || xli_rare_need(j) == NULL) {
    return xli_job_done(j, err);
  }
  forget(j);
  j->rare->notices.interface = on;
  if (on && is_notable(j)) {
    add(j, state_notice(j)); /* R426: it has happened before */
  }
  xli_job_touch(j);
  return xli_job_done(j, XL_OK);
}

#define PROGRAM_MAX 260u /* R470 */
#define PARAMETERS_MAX 4000u

xl_err xl_job_set_command_line(xl_job *j, const char *program,
                               const char *parameters, xl_time now) {
  xl_engine *eng = j->agent->engine;
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && xli_job_is_do(j)) {
    err = XL_E_NOTIMPL; /* R480 */
  } else if (err == XL_OK) {
    err = xli_text_check(program, PROGRAM_MAX, true);
    err = err != XL_OK ? err : xli_text_check(parameters, PARAMETERS_MAX, true);
  }
  if (err == XL_OK && program == NULL && parameters != NULL) {
    err = XL_E_INVALIDARG;
  }
  if (err == XL_OK && xli_rare_need(j) != NULL) {
    j->rare->program = program == NULL ? 0 : xl_engine_name(eng, program);
    j->rare->parameters =
        parameters == NULL ? 0 : xl_engine_name(eng, parameters);
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

void xl_job_command_line(const xl_job *j, const char **program,
                         const char **parameters) {
  const job_rare *r = xli_rare(j);

  *program = xl_engine_string(j->agent->engine, r->program);
  *parameters = xl_engine_string(j->agent->engine, r->parameters);
}

xl_err xl_job_command_ended(xl_job *j, bool ok, xl_time now) {
  xl_err err = enter(j, now);

  if (err == XL_OK && !ok && j->rare != NULL && is_notable(j)) {
    j->rare->command_due = xl_time_add(now, XL_SEC(xli_job_min_retry(j)));
    xli_agent_wake(j->agent, j->rare->command_due);
  }
  return err;
}
