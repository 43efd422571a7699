/* SPDX-License-Identifier: MIT */
/* What may become what, and why (bits-semantics 4.2): the one table. */
#include "job.h"

#define ROW(was, is, why)                                                      \
  { XL_JOB_##was, XL_JOB_##is, why }
#define ENDS(was)                                                              \
  ROW(was, ACKNOWLEDGED, "Complete (R415)"),                                   \
      ROW(was, CANCELLED, "Cancel (R414), or inactivity (R450)")

static const xl_transition transitions[] = {
    ROW(SUSPENDED, QUEUED, "Resume"),
    ROW(SUSPENDED, ERROR, "bytes of an origin failed validation (R305)"),
    ROW(QUEUED, CONNECTING, "the scheduler picks the job (R440)"),
    ROW(QUEUED, TRANSFERRING,
        "the scheduler picks the job of Delivery Optimization (R481)"),
    ROW(QUEUED, SUSPENDED, "Suspend"),
    ROW(QUEUED, TRANSIENT_ERROR,
        "the network is lost, or a policy blocks it (R406, R457, R458)"),
    ROW(QUEUED, TRANSFERRED, "picked with nothing left to fetch"),
    ROW(QUEUED, ERROR, "bytes of an origin failed validation (R305)"),
    ROW(CONNECTING, TRANSFERRING, "a source answers"),
    ROW(CONNECTING, QUEUED,
        "its slice is over, a higher job displaces it, or the process restarts "
        "(R441, R442)"),
    ROW(CONNECTING, SUSPENDED, "Suspend"),
    ROW(CONNECTING, TRANSIENT_ERROR,
        "no source answers, or what QUEUED may meet (R405)"),
    ROW(CONNECTING, ERROR,
        "a failure that needs somebody, or the maximum download time (R460, "
        "R509)"),
    ROW(TRANSFERRING, TRANSFERRED, "the last file is done"),
    ROW(TRANSFERRING, QUEUED,
        "its slice is over, a higher job displaces it, or the process restarts "
        "(R441, R442)"),
    ROW(TRANSFERRING, SUSPENDED, "Suspend"),
    ROW(TRANSFERRING, TRANSIENT_ERROR,
        "a failure that may cure itself (R460), or what QUEUED may meet"),
    ROW(TRANSFERRING, ERROR,
        "a failure that needs somebody, or the maximum download time (R460, "
        "R509)"),
    ROW(TRANSIENT_ERROR, QUEUED,
        "the retry delay is over, Resume, or its condition is gone (R406, "
        "R421, R423, R424)"),
    ROW(TRANSIENT_ERROR, SUSPENDED, "Suspend"),
    ROW(TRANSIENT_ERROR, ERROR,
        "the no-progress timeout, or failed validation (R422, R305)"),
    ROW(ERROR, QUEUED, "Resume"),
    ROW(TRANSFERRED, QUEUED,
        "Resume after files were added, or bytes of a peer failed validation "
        "(R306)"),
    ROW(TRANSFERRED, ERROR, "bytes of an origin failed validation (R305)"),
    ENDS(SUSPENDED),
    ENDS(QUEUED),
    ENDS(CONNECTING),
    ENDS(TRANSFERRING),
    ENDS(TRANSIENT_ERROR),
    ENDS(ERROR),
    ENDS(TRANSFERRED)};
#define NTRANSITIONS (sizeof transitions / sizeof *transitions)

const xl_transition *xl_job_transitions(uint32_t *n) {
  *n = (uint32_t)NTRANSITIONS;
  return transitions;
}

bool xli_job_may(xl_job_state from, xl_job_state to) {
  for (size_t i = 0; i < NTRANSITIONS; i++) {
    if (transitions[i].from == from && transitions[i].to == to) {
      return true;
    }
  }
  return false;
}
