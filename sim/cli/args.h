/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: one table of options, one table of commands. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/fail.h"

#define ARGS_MAX 256 /* repeats of one option, operands */

typedef struct args_list {
  const char *item[ARGS_MAX];
  size_t n;
} args_list;

typedef struct args {
  args_list operands;
  args_list policies;
  args_list sets;
  const char *net;
  const char *trace;
  const char *out;
  uint64_t seed;
  uint64_t seeds;
  uint64_t jobs; /* 0: one a processor */
  bool small;
  bool json;
  bool check;
  bool help;
} args;

typedef struct command {
  const char *name;
  const char *summary;  /* one line */
  const char *operands; /* "SCENARIO" */
  size_t min, max;      /* operands */
  const char *options;  /* names of the options it takes, blanks between */
  const char *help;     /* what it does, and examples */
  int (*run)(const args *a, fail *why); /* an exit status */
} command;

extern const command commands[];
extern const size_t ncommands;

int cmd_run(const args *a, fail *why);
int cmd_compare(const args *a, fail *why);
int cmd_show(const args *a, fail *why);
int cmd_why(const args *a, fail *why);
int cmd_report(const args *a, fail *why);
int cmd_list(const args *a, fail *why);
int cmd_describe(const args *a, fail *why);
int cmd_recover(const args *a, fail *why);
int cmd_validate(const args *a, fail *why);

/* Parses argv[2..] for |c|. False: |why| says what and names the nearest. */
bool args_parse(args *out, const command *c, int argc, char **argv, fail *why);
void args_help(const command *c, FILE *out);

#endif
