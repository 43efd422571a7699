/* SPDX-License-Identifier: MIT */
/*
 * Notices to the application (R425-R427, R470). With an interface set they wait
 * in the job and are told one at a time, finished files first; a notice that is
 * not answered, or answered with failure, is told again.
 */
#ifndef ENGINE_NOTIFY_H
#define ENGINE_NOTIFY_H

#include "rare.h"

/* The job has become TRANSFERRED or ERROR. */
void xli_notify_state(xl_job *j);
void xli_notify_file(const xl_file *f);
void xli_notify_modified(xl_job *j);
/* Tells what may be told; after every input. */
void xli_notify_pump(xl_agent *a);
void xli_notify_due(xl_job *j);
xl_time xli_notify_next_due(const xl_job *j);

#endif
