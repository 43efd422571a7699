/* SPDX-License-Identifier: MIT */
/*
 * Jobs. The state is changed by xli_job_become alone, by the one table of
 * states.c (bits-semantics 4.2).
 */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include <xl/agent.h>

struct job_rare;

struct xl_job {
  xl_agent *agent;
  xl_job *next;    /* in order of creation */
  xl_file **files; /* owned unless it is &only, and each file */
  xl_file *only;
  void *user;
  struct job_rare *rare; /* owned; NULL: every rare property is its default */
  union {
    xl_time retry_due; /* TRANSIENT_ERROR; XL_NEVER: waits for a condition */
    xl_time slice_end; /* running */
  };
  /* When no progress becomes an error; XL_NEVER: no transient error since the
     last progress. While |frozen|: what is left (R424). */
  xl_time no_progress_due;
  /* Running: when it began, less what was used before. Else: what was used of
     the download time since the last Resume (R508). */
  int64_t active;
  xl_time created;
  /* Whole seconds after |created|: any change (R431); progress or a property
     (R450). */
  uint32_t modified_s, touched_s;
  uint32_t nfiles, file_cap;
  xl_name name;
  uint32_t id; /* of the agent, from 1 */
  uint32_t error_count;
  uint32_t error_file; /* index; XL_NONE: none */
  xl_err err;          /* XL_OK: no error to report (R429) */
  uint32_t turn;       /* order within a priority */
  uint8_t retries;     /* in a row, for the DO back-off */
  uint8_t state, priority, peercaching;
  uint16_t http; /* XL_HTTP_* (R812), HTTP_DYNAMIC (R802) */
  bool frozen : 1;
  bool waits : 1; /* for a condition, not for time (R424) */
  bool resumed : 1;
  bool spoiled : 1; /* the application found bytes of an origin invalid */
};

void xli_job_del(xl_engine *eng, xl_job *j);
/* Room for |n| more files; false when out of memory. */
bool xli_job_room(xl_job *j, uint32_t n);
/* The one place where the state changes; emits JOB_STATE. */
void xli_job_become(xl_job *j, xl_job_state next);
bool xli_job_may(xl_job_state from, xl_job_state to);
static inline bool xli_job_running(const xl_job *j) {
  return j->state == XL_JOB_CONNECTING || j->state == XL_JOB_TRANSFERRING;
}
static inline bool xli_job_final(const xl_job *j) {
  return j->state == XL_JOB_ACKNOWLEDGED || j->state == XL_JOB_CANCELLED;
}
#define HTTP_DYNAMIC 0x8000u
static inline bool xli_job_dynamic(const xl_job *j) {
  return (j->http & HTTP_DYNAMIC) != 0;
}
/* Several files at a time, and jobs without limit (R407, R440, R481). */
bool xli_job_parallel(const xl_job *j);
bool xli_job_is_do(const xl_job *j);
/* QUEUED: picked by the scheduler. */
void xli_job_start(xl_job *j);
/* Becomes QUEUED, at the end of its priority. */
void xli_job_queue(xl_job *j);
bool xli_job_all_done(const xl_job *j);
/* Stops the files, if it runs, and becomes |next|. */
void xli_job_stop(xl_job *j, xl_job_state next);
/* The server answered: CONNECTING becomes TRANSFERRING. */
void xli_job_connected(xl_job *j);
/* Useful bytes came (R422). */
void xli_job_progress(xl_job *j);
/* A property or the list of files has changed (R431, R450). */
void xli_job_touch(xl_job *j);
/* Every call that changes a job begins with it: the engine's status, who may
   (R434), and the states that forbid every change (R403). */
xl_err xli_job_change(xl_job *j, xl_time now);
/* Ends such a call: what follows from it, and the code of the flavour. */
xl_err xli_job_done(xl_job *j, xl_err err);
/* Delivered files are kept, the rest is dropped. False: temporary files are
   left behind (R414). */
bool xli_job_close(xl_job *j, xl_job_state end);
/* Something of the machine keeps |j| from running: |err| says what (R424). */
void xli_job_block(xl_job *j, xl_err err);
uint32_t xli_job_min_retry(const xl_job *j); /* seconds */
/* Fetches under way go on against what is allowed now (R505). */
void xli_job_allowed_changed(xl_job *j);
/* When inactivity, or age in DO, ends the job (R450, R483). */
xl_time xli_job_expiry(const xl_job *j);
/* A file is done: the next one, or TRANSFERRED. */
void xli_job_advance(xl_job *j);
/* Running: a failure that may cure itself (R460): TRANSIENT_ERROR, or ERROR if
   it is not to be tried again (R421, R422). |f| may be NULL. */
void xli_job_transient(xl_job *j, const xl_file *f, xl_err err);
void xli_job_fatal(xl_job *j, const xl_file *f, xl_err err);
/* All adapters lost, or back (R406, R424). */
void xli_job_link(xl_job *j, bool up);
void xli_job_due(xl_job *j);
xl_time xli_job_next_due(const xl_job *j);
/* DO: 2, 4, ... 30 s (R728). */
xl_span xli_backoff(uint32_t failures);

#endif
