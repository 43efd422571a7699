/* SPDX-License-Identifier: MIT */
/*
 * Which jobs of a device run (R440-R443): all foreground jobs, plus exactly one
 * background job, the first of the highest priority that has one. Flavours DO
 * and FREE run all jobs (R481).
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include <xl/agent.h>

/* Starts and stops jobs until all is as it should be. */
void xli_schedule(xl_agent *a);

#endif
