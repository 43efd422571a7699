/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a script: servers and peers behave, the links are up, the
 * application resumes what has stopped. Then each job must come to its end,
 * and does so in a bounded number of steps.
 */
#include "driver_world.h"
#include "job.h"

#define ROUNDS 20000
#define RESUMES 12

static void complain(world *w, const char *text) {
  if (xl_engine_status(w->eng, NULL) == XL_OK && !w->erratic) {
    driver_broken(text);
  }
}

/* Nothing that was said before is taken back; from now on all is well. */
static void heal(world *w, bool shy) {
  const xl_file_info info = {.remote = world_urls[0],
                             .local = "C:\\f",
                             .content = "content",
                             .piece_bytes = 64};

  for (int u = 0; u < NURLS; u++) {
    w->origin[u] =
        (xl_version){1000, w->origin[shy || w->no_mtime ? u : 0].mtime_s};
  }
  for (uint32_t i = 0; i < NAGENTS; i++) {
    w->lie[i] = 0;
    if (w->agents[i] != NULL) {
      machine_heal(w, i);
      if (!shy && i % 2 == 1 &&
          xl_agent_hold(w->agents[i], &info, w->origin[0], w->now) != XL_OK) {
        complain(w, "a good copy is not taken");
      }
    }
  }
  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    xl_job *j = w->jobs[i / NSLOTS][i % NSLOTS];
    if (j == NULL) {
      continue;
    }
    xl_job_set_min_retry_delay(j, 5, w->now);
    xl_job_set_proxy(j, &(xl_proxy){.usage = XL_PROXY_PRECONFIG}, w->now);
    xl_job_set_no_progress_timeout(j, 86400, w->now);
    xl_job_set_max_download_time(j, 7776000, w->now);
    for (uint32_t k = 0; k < xl_job_nfiles(j); k++) {
      xl_file_set_remote_name(xl_job_file(j, k), world_urls[k % NURLS], w->now);
    }
  }
}

/* One answer for each open request; all are peers, or nobody is. */
static void answer(world *w, bool shy) {
  xl_peer_info peers[NAGENTS];

  for (uint32_t i = 0; i < NAGENTS; i++) {
    peers[i] = (xl_peer_info){i, XL_SCOPE_SUBNET};
  }
  for (uint32_t i = w->nopen; i-- > 0;) {
    if (i >= w->nopen) {
      continue;
    }
    open_request *o = &w->open[i];
    const op reply = {.kind = OP_reply, .arg = {i, 89, 59, 59, 11}};
    const op end = {.kind = OP_end, .arg = {i, 1, 0, 0, 0}};
    xl_bytes all = o->range.end - o->range.begin;
    bool lost = o->version.size == XL_SIZE_UNKNOWN;
    if (o->cancelled || (o->replied && (lost || o->head || o->told >= all))) {
      ops_play(w, &end);
    } else if (!o->replied && o->told == 0) {
      ops_play(w, &reply);
    } else if (o->told < all && !lost) {
      ops_deliver(w, o, all - o->told, 0, XL_VERDICT_GOOD, false, false);
    } else {
      ops_play(w, &end);
    }
    world_act(w);
  }
  while (w->nsearches > 0) {
    search s = w->searches[--w->nsearches];
    xl_agent_found(s.agent, s.number, peers, shy ? 0 : NAGENTS, true, w->now);
  }
}

/* True when the job is where it stays. */
static bool ends(world *w, xl_job *j, uint8_t *resumes) {
  xl_job_progress p;

  xl_job_progress_of(j, &p);
  switch (xl_job_state_of(j)) {
  case XL_JOB_TRANSFERRED:
    if (p.files_transferred < p.files_total) { /* some were added */
      xl_job_resume(j, w->now);
      return false;
    }
    return true;
  case XL_JOB_ACKNOWLEDGED:
  case XL_JOB_CANCELLED:
    return true;
  case XL_JOB_SUSPENDED:
  case XL_JOB_ERROR:
    if (xl_job_nfiles(j) == 0 || j->err == XL_E_INVALID_RANGE ||
        j->err == XL_E_VALIDATION_FAILED) { /* R311: Resume may be refused */
      xl_job_cancel(j, w->now);
    } else if (++*resumes > RESUMES) {
      complain(w, "a job fails although all is well");
    } else {
      xl_job_resume(j, w->now);
    }
    return false;
  case XL_JOB_QUEUED:
  case XL_JOB_CONNECTING:
  case XL_JOB_TRANSFERRING:
  case XL_JOB_TRANSIENT_ERROR:
    break;
  }
  return false;
}

static bool all_end(world *w, uint8_t *resumes) {
  bool all = true;

  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    xl_job *j = w->jobs[i / NSLOTS][i % NSLOTS];
    if (j != NULL && !ends(w, j, &resumes[i])) {
      all = false;
    }
    world_act(w); /* a notice is of the state that the job is in */
  }
  return all;
}

static void complete(world *w) {
  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    xl_job *j = w->jobs[i / NSLOTS][i % NSLOTS];
    if (j != NULL && xl_job_state_of(j) == XL_JOB_TRANSFERRED) {
      if (xl_job_complete(j, w->now) != XL_OK) {
        complain(w, "a transferred job does not complete");
      }
      driver_total.completed++;
      world_act(w);
    }
  }
}

void honest(world *w, bool shy) {
  uint8_t resumes[NAGENTS * NSLOTS] = {0};

  heal(w, shy);
  world_act(w);
  world_check(w);
  for (int round = 0; xl_engine_status(w->eng, NULL) == XL_OK; round++) {
    if (all_end(w, resumes)) {
      if (!notices_settle(w)) {
        complain(w, "a notice is never told");
      }
      complete(w);
      return;
    }
    if (round == ROUNDS) {
      complain(w, "jobs do not come to their end");
      return;
    }
    answer(w, shy);
    world_act(w);
    xl_time due = xl_engine_deadline(w->eng);
    if (w->nopen + w->nsearches == 0 && due == XL_NEVER &&
        !all_end(w, resumes) && w->nopen + w->nsearches == 0 &&
        xl_engine_deadline(w->eng) == XL_NEVER) {
      complain(w, "a job waits for nothing");
      return;
    }
    if (due != XL_NEVER && w->nopen + w->nsearches == 0) {
      w->now = due > w->now ? due : w->now;
    }
    xl_engine_advance(w->eng, w->now);
    world_act(w);
    world_check(w);
  }
}
