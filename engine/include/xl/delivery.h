/* SPDX-License-Identifier: MIT */
/*
 * A job seen as an IDODownload (R487): six states and four verbs over the same
 * machine. The verbs are for jobs of the DO flavour; others get E_NOTIMPL.
 */
#ifndef XL_DELIVERY_H
#define XL_DELIVERY_H

#include <xl/agent.h>

typedef enum xl_do_state {
  XL_DO_CREATED = 0,
  XL_DO_TRANSFERRING = 1,
  XL_DO_TRANSFERRED = 2,
  XL_DO_FINALIZED = 3,
  XL_DO_ABORTED = 4,
  XL_DO_PAUSED = 5
} xl_do_state;

XL_BEGIN_DECLS

/* A job in ERROR is paused; one that waits to try again is transferring. */
xl_do_state xl_do_state_of(const xl_job *j);
/* From Created and Paused; nothing to do while transferring. */
xl_err xl_do_start(xl_job *j, xl_time now);
/* Nothing to do in Created and Transferred. */
xl_err xl_do_pause(xl_job *j, xl_time now);
/* In Transferred only. */
xl_err xl_do_finalize(xl_job *j, xl_time now);
/* From any live state. Finalized and Aborted accept their own verb again, and
   nothing else. */
xl_err xl_do_abort(xl_job *j, xl_time now);

XL_END_DECLS

#endif
