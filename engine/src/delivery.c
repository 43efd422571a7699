/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#include "agent.h"
#include "job.h"

static const struct {
  xl_err bits, delivery;
} codes[] = {
    {XL_E_NOT_FOUND, XL_DO_JOB_NOT_FOUND},
    {XL_E_INVALID_STATE, XL_DO_INVALID_STATE},
    {XL_E_EMPTY, XL_DO_JOB_EMPTY},
    {XL_E_FILE_NOT_AVAILABLE, XL_DO_FILE_NOT_AVAILABLE},
    {XL_E_ERROR_INFORMATION_UNAVAILABLE, XL_DO_ERROR_INFORMATION_UNAVAILABLE},
    {XL_E_NO_PROGRESS, XL_DO_NO_PROGRESS},
    {XL_E_INVALID_RANGE, XL_DO_INVALID_RANGE},
    {XL_E_OVERLAPPING_RANGES, XL_DO_OVERLAPPING_RANGES},
    {XL_E_INSUFFICIENT_RANGE_SUPPORT, XL_DO_INSUFFICIENT_RANGE_SUPPORT},
    {XL_E_NETWORK_DISCONNECTED, XL_DO_BLOCKED_BY_NO_NETWORK},
    {XL_E_COST_POLICY, XL_DO_BLOCKED_BY_COST},
    {XL_E_POWER_SAVING, XL_DO_BLOCKED_BY_POWER},
    {XL_E_BATTERY, XL_DO_BLOCKED_BY_POWER},
    {XL_E_BATTERY_SAVER, XL_DO_BLOCKED_BY_POWER},
    {XL_E_RESOURCES, XL_DO_BLOCKED_BY_MEMORY}};

xl_err xli_delivery_err(const xl_job *j, xl_err err) {
  if (err == XL_OK || !xli_job_is_do(j)) {
    return err;
  }
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    if (codes[i].bits == err) {
      return codes[i].delivery;
    }
  }
  return err;
}

xl_do_state xl_do_state_of(const xl_job *j) {
  static const uint8_t state[] = {[XL_JOB_QUEUED] = XL_DO_TRANSFERRING,
                                  [XL_JOB_CONNECTING] = XL_DO_TRANSFERRING,
                                  [XL_JOB_TRANSFERRING] = XL_DO_TRANSFERRING,
                                  [XL_JOB_SUSPENDED] = XL_DO_PAUSED,
                                  [XL_JOB_ERROR] = XL_DO_PAUSED,
                                  [XL_JOB_TRANSIENT_ERROR] = XL_DO_TRANSFERRING,
                                  [XL_JOB_TRANSFERRED] = XL_DO_TRANSFERRED,
                                  [XL_JOB_ACKNOWLEDGED] = XL_DO_FINALIZED,
                                  [XL_JOB_CANCELLED] = XL_DO_ABORTED};

  return !j->resumed && j->state == XL_JOB_SUSPENDED
             ? XL_DO_CREATED
             : (xl_do_state)state[j->state];
}

/* The verb is legal in the states of |legal|; in those of |idle| there is
   nothing to do. */
static xl_err act(xl_job *j, uint32_t legal, uint32_t idle,
                  xl_err (*verb)(xl_job *, xl_time), xl_time now) {
  uint32_t at = 1u << xl_do_state_of(j);

  if (!xli_job_is_do(j)) {
    return XL_E_NOTIMPL;
  }
  if ((idle & at) != 0) {
    return XL_OK;
  }
  return (legal & at) != 0 ? verb(j, now) : XL_DO_INVALID_STATE;
}

#define IN(s) (1u << XL_DO_##s)

xl_err xl_do_start(xl_job *j, xl_time now) {
  return act(j, IN(CREATED) | IN(PAUSED), IN(TRANSFERRING), xl_job_resume, now);
}

xl_err xl_do_pause(xl_job *j, xl_time now) {
  return act(j, IN(TRANSFERRING), IN(CREATED) | IN(TRANSFERRED) | IN(PAUSED),
             xl_job_suspend, now);
}

xl_err xl_do_finalize(xl_job *j, xl_time now) {
  return act(j, IN(TRANSFERRED), IN(FINALIZED), xl_job_complete, now);
}

xl_err xl_do_abort(xl_job *j, xl_time now) {
  return act(j, IN(CREATED) | IN(TRANSFERRING) | IN(TRANSFERRED) | IN(PAUSED),
             IN(ABORTED), xl_job_cancel, now);
}
