/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device jobs count: those that arrived before the run ended. */
#ifndef ANALYSIS_ARRIVED_H
#define ANALYSIS_ARRIVED_H

#include <stdbool.h>

#include "analysis/summary.h"

/* The end of the run; INT64_MAX when the tables do not say. */
static inline int64_t run_end(const tables *tb) {
  return TABLE_N(tb, WORLD) > 0 ? TABLE_OF(tb, WORLD, world)[0].ended_ns
                                : INT64_MAX;
}

static inline bool job_arrived(const row_jobs *j, int64_t end) {
  return j->arrival_ns >= 0 && j->arrival_ns <= end;
}

#endif
