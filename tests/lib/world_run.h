/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a scenario given as text in a child process (SimGrid allows one network
 * a process) and brings its rows back: for tests of whole worlds.
 */
#ifndef TESTS_WORLD_RUN_H
#define TESTS_WORLD_RUN_H

#include "analysis/summary.h"
#include "record/record.h"
#include "util/fail.h"

/* The pure max-min network: no start-up cost, no reverse traffic. */
#define MAXMIN "simgrid:model=cm02,tcp_gamma=0,crosstraffic=off"

typedef struct run_result {
  bool good;
  fail why;
  trace t;       /* all tables; free with trace_free */
  row_summary s; /* zero when the run failed */
} run_result;

/* |policy| and |network| as on the command line. Every invariant is checked
   after every event. */
run_result run_text(const char *yaml, const char *policy, const char *network,
                    uint64_t seed);

#endif
