/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices of jobs (R425-R427, R470): told in order, and none is lost. */
#include <string.h>

#include "driver_world.h"

#define AGAIN XL_SEC(60)
#define ROUNDS 2000
#define STATES (1u << XL_NOTICE_JOB_TRANSFERRED | 1u << XL_NOTICE_JOB_ERROR)

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

static job_model *model_of(world *w, const xl_job *j) {
  uint32_t slot = ops_slot(w, j);

  return slot < NAGENTS * NSLOTS ? &w->model[slot / NSLOTS][slot % NSLOTS]
                                 : NULL;
}

/* Nobody answers any more. */
void notices_reset(job_model *m) {
  m->interface = false;
  m->told = XL_NNOTICES;
  m->owed = m->once = 0;
  m->settled = false;
  m->not_before = 0;
}

static bool wanted(const job_model *m, xl_notice n) {
  static const uint32_t flag[XL_NNOTICES] = {
      [XL_NOTICE_FILE_TRANSFERRED] = XL_NOTIFY_FILE_TRANSFERRED,
      [XL_NOTICE_JOB_TRANSFERRED] = XL_NOTIFY_JOB_TRANSFERRED,
      [XL_NOTICE_JOB_ERROR] = XL_NOTIFY_JOB_ERROR,
      [XL_NOTICE_JOB_MODIFICATION] = XL_NOTIFY_JOB_MODIFICATION};

  return (m->flags & XL_NOTIFY_DISABLE) == 0 && (m->flags & flag[n]) != 0;
}

void notices_state(world *w, uint32_t i, uint32_t k, xl_job_state to) {
  job_model *m = &w->model[i][k];
  xl_notice n =
      to == XL_JOB_ERROR ? XL_NOTICE_JOB_ERROR : XL_NOTICE_JOB_TRANSFERRED;

  m->owed = 0;
  m->told = to < XL_JOB_ACKNOWLEDGED ? m->told : XL_NNOTICES;
  m->settled = false;
  m->not_before = 0;
  if ((to == XL_JOB_TRANSFERRED || to == XL_JOB_ERROR) && wanted(m, n)) {
    *(m->interface ? &m->owed : &m->once) |= (uint8_t)(1u << n);
  }
}

/* ---- what is told ---- */

/* Notices of one owner that wait for an answer, at the most so many (R427). */
static uint32_t being_told(const world *w, uint32_t i, const xl_job *j) {
  uint32_t n = 0;

  for (uint32_t k = 0; k < NSLOTS; k++) {
    const job_model *m = &w->model[i][k];
    n += w->jobs[i][k] != NULL && m->interface && m->told != XL_NNOTICES &&
         w->now < m->told_at + AGAIN &&
         strcmp(xl_job_owner(w->jobs[i][k]), xl_job_owner(j)) == 0;
  }
  return n;
}

static void take_command(world *w, const xl_job *j) {
  const char *program, *parameters;
  const job_model *m = model_of(w, j);

  xl_job_command_line(j, &program, &parameters);
  must(program != NULL, "a command is run that nobody has set");
  must(world_users[m->owner].kind != XL_ACCOUNT_SERVICE,
       "a command of a service is run");
}

static void take_answered(world *w, const xl_action *a, job_model *m) {
  bool state = (1u << a->notice & STATES) != 0;

  must(m->told == XL_NNOTICES || w->now >= m->told_at + AGAIN,
       "two notices of a job at a time");
  must(w->now >= m->not_before, "a notice is told again too soon");
  must(a->notice != XL_NOTICE_FILE_TRANSFERRED || !m->settled,
       "a finished file is told of after its job");
  m->told = (uint8_t)a->notice;
  m->told_at = w->now;
  m->owed &= (uint8_t) ~(state ? 1u << a->notice : 0u);
  m->settled = m->settled || state;
  must(being_told(w, ops_slot(w, a->job) / NSLOTS, a->job) <= 4,
       "more than four notices of a user at once");
}

void notices_take(world *w, const xl_action *a) {
  job_model *m = model_of(w, a->job);
  xl_job_state s = xl_job_state_of(a->job);

  if (m == NULL) {
    return; /* of a job that was forgotten when it was over */
  }
  driver_total.notices++;
  must((a->notice == XL_NOTICE_FILE_TRANSFERRED) == (a->file != NULL) &&
           (a->file == NULL || xl_file_job(a->file) == a->job),
       "a notice of no file, or of another job's");
  must((a->notice != XL_NOTICE_JOB_TRANSFERRED || s == XL_JOB_TRANSFERRED) &&
           (a->notice != XL_NOTICE_JOB_ERROR || s == XL_JOB_ERROR),
       "a notice of a state the job is not in");
  if (a->notice == XL_NOTICE_COMMAND) {
    take_command(w, a->job);
  } else if (m->interface) {
    take_answered(w, a, m);
  } else {
    must((m->once & 1u << a->notice) != 0, "a notice without a cause");
    m->once &= (uint8_t) ~(1u << a->notice);
  }
}

void notices_check(const world *w, uint32_t i, uint32_t k) {
  must(w->model[i][k].once == 0, "a notice is lost");
}

/* ---- calls ---- */

/* What was told failed: it is told again, unless the job has gone on. */
static void failed(const world *w, const xl_job *j, job_model *m, uint8_t was) {
  xl_job_state s = xl_job_state_of(j);
  bool state = (was == XL_NOTICE_JOB_TRANSFERRED && s == XL_JOB_TRANSFERRED) ||
               (was == XL_NOTICE_JOB_ERROR && s == XL_JOB_ERROR);

  if (state || was == XL_NOTICE_FILE_TRANSFERRED) {
    m->not_before = w->now + AGAIN;
  }
  if (state) {
    m->settled = false;
    m->owed |= (uint8_t)(1u << was);
  }
}

static void answer(world *w, xl_job *j, bool ok) {
  job_model *m = model_of(w, j);
  uint8_t was = m->told;

  if (!machine_may(w, j)) {
    must(xl_job_notified(j, ok, w->now) == XL_E_ACCESSDENIED ||
             xl_engine_status(w->eng, NULL) != XL_OK,
         "a stranger answers a notice");
    return;
  }
  m->told = XL_NNOTICES;
  m->not_before = was == XL_NNOTICES ? m->not_before : 0;
  if (!ok) {
    failed(w, j, m, was);
  }
  xl_job_notified(j, ok, w->now);
}

void play_told(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);

  if (j != NULL) {
    answer(w, j, a[2] > 0);
  }
}

void play_ran(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);

  if (j != NULL) {
    bool may = machine_may(w, j);
    xl_err err = xl_job_command_ended(j, a[2] > 0, w->now);
    must((err == XL_E_ACCESSDENIED) == !may ||
             xl_engine_status(w->eng, NULL) != XL_OK,
         "a stranger ends a command, or its owner may not");
  }
}

void play_interface(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);

  if (j == NULL) {
    return;
  }
  bool may = machine_may(w, j);
  xl_job_state s = xl_job_state_of(j);
  xl_err err = xl_job_set_notify_interface(j, a[2] > 0, w->now);
  machine_answer(w, j, may, s, err);
  if (err == XL_OK) {
    job_model *m = model_of(w, j);
    notices_reset(m);
    m->interface = a[2] > 0;
    if (m->interface && s == xl_job_state_of(j)) { /* R426 */
      notices_state(w, ops_slot(w, j) / NSLOTS, ops_slot(w, j) % NSLOTS, s);
    }
  }
}

void play_notify(world *w, const uint32_t *a) {
  static const uint32_t flags[] = {3, 0x13, 0x1b, 0, 1, 2, 7, 0x10};
  xl_job *j = ops_job(w, a);

  if (j == NULL) {
    return;
  }
  uint32_t f = a[2] < 32 ? flags[a[2] % 8] : a[2];
  bool may = machine_may(w, j);
  xl_job_state s = xl_job_state_of(j);
  xl_err err = xl_job_set_notify_flags(j, f, w->now);
  machine_answer(w, j, may, s, err);
  if (err == XL_OK) {
    must(xl_job_notify_flags(j) == f, "flags of notices are not as they were "
                                      "set");
    model_of(w, j)->flags = f;
  }
}

/* ---- the end ---- */

static bool settle_once(world *w) {
  bool all = true;

  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    xl_job *j = w->jobs[i / NSLOTS][i % NSLOTS];
    const job_model *m = &w->model[i / NSLOTS][i % NSLOTS];
    if (j == NULL || !m->interface) {
      continue;
    }
    all = all && m->owed == 0;
    if (m->told != XL_NNOTICES) {
      answer(w, j, true);
      world_act(w);
    }
  }
  return all;
}

bool notices_settle(world *w) {
  for (int round = 0; round < ROUNDS; round++) {
    if (xl_engine_status(w->eng, NULL) != XL_OK || settle_once(w)) {
      return true;
    }
    xl_time due = xl_engine_deadline(w->eng);
    if (due == XL_NEVER) {
      return settle_once(w);
    }
    w->now = due > w->now ? due : w->now;
    xl_engine_advance(w->eng, w->now);
    world_act(w);
    world_check(w);
  }
  return false;
}
