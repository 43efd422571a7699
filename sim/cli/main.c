/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xferlab: the commands. Each is a row of the table and a cmd_*.c file. */
#include <stdio.h>
#include <string.h>

#include "analysis/compare.h"
#include "cli/args.h"
#include "record/record.h"
#include "scenario/scenario.h"

int cmd_why(const args *a, fail *why) {
  return why_print(a->operands.item[0], a->json, stdout, why) ? EXIT_GOOD
                                                              : why->status;
}

int cmd_report(const args *a, fail *why) {
  char path[4096];

  if (!report_write(a->operands.item[0], path, sizeof path, why)) {
    return why->status;
  }
  puts(path);
  return EXIT_GOOD;
}

int cmd_recover(const args *a, fail *why) {
  uint64_t rows;

  if (!record_recover(a->operands.item[0], &rows, why)) {
    return why->status;
  }
  printf("%s: %llu rows recovered; the trace is marked incomplete\n",
         a->operands.item[0], (unsigned long long)rows);
  return EXIT_GOOD;
}

const command commands[] = {
    {"run", "run a scenario with one policy and record a trace", "SCENARIO", 1,
     1, "policy net seed set small trace output json check",
     "Runs the scenario once and writes an HDF5 trace (docs/trace.md). Equal\n"
     "commands give equal bytes.\n\n"
     "examples:\n"
     "  xferlab run scenarios/branch-office.yaml --policy origin-only\n"
     "  xferlab run scenarios/branch-office.yaml -p "
     "delivery-optimization:http_delay=120s -s 7 -o a.h5\n"
     "  xferlab run scenarios/campus.yaml --small --net "
     "simgrid:model=cm02,tcp_gamma=0 --json",
     cmd_run},
    {"compare", "compare policies over seeds: table, figures, report",
     "SCENARIO", 1, 1,
     "policy net seeds set small trace output jobs json check",
     "Runs every policy (those of the scenario, or the given ones) with the\n"
     "seeds 1 to K, several runs at once, and writes a folder with the "
     "traces,\n"
     "figures (SVG and PNG, with their data and gnuplot scripts), "
     "compare.json,\n"
     "compare.h5 and report.html. The first policy is the baseline of the\n"
     "paired differences.\n\n"
     "examples:\n"
     "  xferlab compare scenarios/branch-office.yaml\n"
     "  xferlab compare scenarios/home-users.yaml -p origin-only -p "
     "delivery-optimization --seeds 20 -o results/homes\n"
     "  xferlab compare scenarios/branch-office.yaml --set "
     "network.sites.branch.wan.down=50Mbit/s --json",
     cmd_compare},
    {"show", "show a trace, or what a scenario expands to", "FILE", 1, 1,
     "seed set small json",
     "For a trace: its tables and metrics. For a scenario: counts of devices,\n"
     "jobs and bytes, and the lower bound that no policy can beat, without\n"
     "running it.\n\n"
     "examples:\n"
     "  xferlab show scenarios/branch-office.yaml\n"
     "  xferlab show results/branch-office-origin-only-s1-1234abcd.h5 --json",
     cmd_show},
    {"why", "why bytes came from the origin, by reason", "TRACE", 1, 1, "json",
     "Adds up the bytes that devices received from origins by the reason "
     "their\n"
     "policy gave for each request. The sum is exact. Needs the trace level\n"
     "transfers.\n\n"
     "example:\n"
     "  xferlab why results/compare/runs/branch-office-origin-only-s1-1234.h5",
     cmd_why},
    {"report", "write the HTML report of a trace or a comparison", "PATH", 1, 1,
     "",
     "Writes one self-contained page beside the trace or into the folder.\n\n"
     "example:\n"
     "  xferlab report results/branch-office",
     cmd_report},
    {"validate", "check scenarios without running them", "SCENARIO..", 1, 256,
     "seed set small",
     "Says 'good' or what is wrong, where, and what was expected (status "
     "2).\n\n"
     "example:\n"
     "  xferlab validate scenarios/*.yaml",
     cmd_validate},
    {"list", "list policies, networks, metrics, reasons or classes", "WHAT", 1,
     1, "json",
     "examples:\n  xferlab list policies\n  xferlab list metrics --json",
     cmd_list},
    {"describe",
     "describe a policy, network, metric, the engine or the scenario format",
     "KIND [NAME]", 1, 2, "json",
     "examples:\n"
     "  xferlab describe policy delivery-optimization\n"
     "  xferlab describe network fluid\n"
     "  xferlab describe metric offload\n"
     "  xferlab describe engine\n"
     "  xferlab describe scenario",
     cmd_describe},
    {"recover", "rebuild the trace of a killed run from its spool", "TRACE", 1,
     1, "",
     "A run that was killed leaves TRACE, marked incomplete, and TRACE.spool.\n"
     "Every command reads the two as one; recover makes one file of them.\n\n"
     "example:\n"
     "  xferlab recover results/branch-office-origin-only-s1-1234abcd.h5",
     cmd_recover},
};
const size_t ncommands = sizeof commands / sizeof *commands;

static void usage(FILE *out) {
  fputs("xferlab " XFERLAB_VERSION
        ": a laboratory for file-transfer policies\n\n"
        "usage: xferlab COMMAND [arguments]\n\n",
        out);
  for (size_t i = 0; i < ncommands; i++) {
    fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
  }
  fputs("\n'xferlab COMMAND --help' tells more. Start with:\n"
        "  xferlab compare scenarios/branch-office.yaml\n",
        out);
}

static const command *find(const char *name, fail *why) {
  const char *words[sizeof commands / sizeof *commands];

  for (size_t i = 0; i < ncommands; i++) {
    words[i] = commands[i].name;
    if (strcmp(commands[i].name, name) == 0) {
      return &commands[i];
    }
  }
  const char *near = nearest_word(name, words, ncommands);
  fail_set(why, EXIT_USAGE,
           "unknown command '%s'%s%s%s; 'xferlab --help' lists them", name,
           near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
           near == NULL ? "" : "'?");
  return NULL;
}

int main(int argc, char **argv) {
  fail why = {0};
  args a;
  int status = EXIT_USAGE;

  if (argc < 2) {
    usage(stderr);
    return EXIT_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
      strcmp(argv[1], "help") == 0) {
    usage(stdout);
    return EXIT_GOOD;
  }
  if (strcmp(argv[1], "--version") == 0) {
    puts("xferlab " XFERLAB_VERSION);
    return EXIT_GOOD;
  }
  const command *c = find(argv[1], &why);
  if (c != NULL && args_parse(&a, c, argc, argv, &why)) {
    if (a.help) {
      args_help(c, stdout);
      return EXIT_GOOD;
    }
    status = c->run(&a, &why);
  }
  if (why.status != 0) {
    fprintf(stderr, "xferlab: %s\n", why.text);
    status = status == EXIT_GOOD ? why.status : status;
  }
  if (fflush(stdout) != 0) {
    fputs("xferlab: cannot write to standard output\n", stderr);
    status = status == EXIT_GOOD ? EXIT_RUN_FAILED : status;
  }
  return status;
}
