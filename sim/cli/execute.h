/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run, from the names on a command line to a closed trace. */
#ifndef CLI_EXECUTE_H
#define CLI_EXECUTE_H

#include "cli/args.h"
#include "cli/spec.h"
#include "world/world.h"

typedef struct execution {
  const scenario *scn;
  const char *scenario_path; /* as given */
  bool small;
  const args_list *sets;
  const policy_spec *policy;
  const net_spec *net;
  uint64_t seed;
  record_level level;
  bool check;
  const char *path; /* of the trace */
  void (*progress)(void *arg, const world_progress *p);
  void *progress_arg;
} execution;

/* Set by SIGINT and SIGTERM once execute_catch_signals was called. */
extern volatile bool execute_stop;
void execute_catch_signals(void);

bool level_parse(const char *text, record_level *out, fail *why);

/* The command that makes this run again: no output path, -j or --json.
   Caller frees. */
char *execute_command(const execution *x);

/* A file name without folder that differs when the command does. */
void execute_file_name(const execution *x, char *out, size_t len);

/* Runs, writes the trace with its summary, and FILE.run.json beside it. */
bool execute(const execution *x, world_result *out, fail *why);

/* Makes the folders of |path|'s parent. */
bool make_parents(const char *path, fail *why);
bool make_folder(const char *path, fail *why);

#endif
