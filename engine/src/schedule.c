/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include "agent.h"
#include "engine.h"
#include "job.h"
#include "machine.h"

static bool is_background(const xl_job *j) {
  return j->priority != XL_PRIORITY_FOREGROUND && !xli_job_parallel(j);
}

static bool wants_to_run(const xl_job *j) {
  return (j->state == XL_JOB_QUEUED || xli_job_running(j)) &&
         !xli_machine_owner_away(j);
}

/* A running job stays before a waiting one of its priority: its slice ends
   by time (R442). */
static bool goes_before(const xl_job *a, const xl_job *b) {
  if (a->priority != b->priority) {
    return a->priority < b->priority;
  }
  if (xli_job_running(a) != xli_job_running(b)) {
    return xli_job_running(a);
  }
  return a->turn < b->turn;
}

static xl_job *background(const xl_agent *a) {
  xl_job *best = NULL;

  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (is_background(j) && wants_to_run(j) &&
        (best == NULL || goes_before(j, best))) {
      best = j;
    }
  }
  return best;
}

/* Conditions of the machine (R424, R457, R458). */
static void apply_conditions(xl_agent *a) {
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    xl_err why = xli_machine_blocks(j);
    if (why != XL_OK && (j->state == XL_JOB_QUEUED || xli_job_running(j))) {
      xli_job_block(j, why);
    } else if (why == XL_OK && j->state == XL_JOB_TRANSIENT_ERROR && j->waits) {
      xli_job_queue(j);
    }
  }
}

void xli_schedule(xl_agent *a) {
  if (!a->link) {
    for (xl_job *j = a->jobs; j != NULL; j = j->next) {
      xli_job_link(j, false);
    }
    return;
  }
  apply_conditions(a);
  const xl_job *chosen = background(a);
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (xli_job_running(j) &&
        ((is_background(j) && j != chosen) || xli_machine_owner_away(j))) {
      uint32_t turn = j->turn;
      xli_job_stop(j, XL_JOB_QUEUED);
      j->turn = turn; /* pre-empted: it keeps its place */
    }
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (j->state == XL_JOB_QUEUED && !xli_machine_owner_away(j) &&
        (!is_background(j) || j == chosen)) {
      if (xli_job_all_done(j)) {
        xli_job_become(j, XL_JOB_TRANSFERRED);
      } else {
        xli_job_start(j);
      }
    }
  }
}
