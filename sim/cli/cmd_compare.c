/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xferlab compare: policies times seeds, one process a run, so that runs are
 * isolated and as many go on at once as there are processors. Every policy
 * gets the same seeds, hence the same devices, arrivals, churn and faults.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analysis/compare.h"
#include "cli/args.h"
#include "cli/execute.h"
#include "cli/progress.h"

typedef struct cell {
  const policy_spec *policy;
  uint64_t seed;
  char path[4096];
  pid_t pid; /* 0: not started, -1: over */
} cell;

/* What a run tells its parent while and after it runs; in shared memory. */
typedef struct report {
  double fraction;
  bool good, interrupted;
  fail why;
} report;

typedef struct grid {
  const args *a;
  const scenario *scn;
  const net_spec *net;
  record_level level;
  cell *cells;
  report *reports;
  size_t n;
} grid;

static void tell(void *arg, const world_progress *p) {
  double done = p->tasks == 0 ? 1 : (double)p->done / p->tasks;
  double time = (double)p->now / (double)p->duration;

  ((report *)arg)->fraction = done > time ? done : time;
}

static _Noreturn void child(const grid *g, size_t i) {
  report *r = &g->reports[i];
  world_result out = {0};
  execution x = {.scn = g->scn,
                 .scenario_path = g->a->operands.item[0],
                 .small = g->a->small,
                 .sets = &g->a->sets,
                 .policy = g->cells[i].policy,
                 .net = g->net,
                 .seed = g->cells[i].seed,
                 .level = g->level,
                 .check = g->a->check,
                 .path = g->cells[i].path,
                 .progress = tell,
                 .progress_arg = r};

  sigset_t ends;

  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_UNBLOCK, &ends, NULL);
  execute_catch_signals();
  r->good = execute(&x, &out, &r->why);
  r->interrupted = out.interrupted;
  fflush(NULL);
  _exit(r->good && !out.interrupted ? EXIT_GOOD : EXIT_RUN_FAILED);
}

static void show(const grid *g, size_t over) {
  double sum = 0;
  char what[96];

  for (size_t i = 0; i < g->n; i++) {
    sum += g->cells[i].pid == -1 ? 1 : g->reports[i].fraction;
  }
  snprintf(what, sizeof what, "%zu of %zu runs", over, g->n);
  progress_show(sum / (double)g->n, what);
}

static bool ended(grid *g, pid_t pid, int status, fail *why) {
  for (size_t i = 0; i < g->n; i++) {
    const cell *c = &g->cells[i];
    const report *r = &g->reports[i];
    if (c->pid != pid) {
      continue;
    }
    g->cells[i].pid = -1;
    if (WIFSIGNALED(status)) {
      return fail_set(why, EXIT_RUN_FAILED,
                      "the run of %s with seed %llu was ended by signal %d "
                      "(%s); run it alone with 'xferlab run' to see why",
                      c->policy->label, (unsigned long long)c->seed,
                      WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    if (!r->good) {
      return fail_set(why, r->why.status == 0 ? EXIT_RUN_FAILED : r->why.status,
                      "%s, seed %llu: %s", c->policy->label,
                      (unsigned long long)c->seed, r->why.text);
    }
    return !r->interrupted;
  }
  return true;
}

static bool run_all(grid *g, size_t at_once, fail *why) {
  const struct timespec beat = {0, 100000000}; /* of the progress line */
  size_t next = 0, live = 0, over = 0;
  bool good = true;
  int status;
  sigset_t ends;

  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, NULL); /* to wait for one without missing it */
  fflush(NULL);
  while (live > 0 || (good && !execute_stop && next < g->n)) {
    while (good && !execute_stop && live < at_once && next < g->n) {
      pid_t pid = fork();
      if (pid == 0) {
        child(g, next);
      }
      if (pid < 0) {
        good = fail_set(why, EXIT_RUN_FAILED, "cannot start a run: %s",
                        strerror(errno));
        break;
      }
      g->cells[next++].pid = pid;
      live++;
    }
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid > 0) {
      live--;
      over++;
      good = ended(g, pid, status, why) && good;
    } else {
      sigtimedwait(&ends, NULL, &beat);
    }
    show(g, over);
    for (size_t i = 0; (!good || execute_stop) && i < g->n; i++) {
      if (g->cells[i].pid > 0) {
        kill(g->cells[i].pid, SIGTERM);
      }
    }
  }
  progress_end();
  sigprocmask(SIG_UNBLOCK, &ends, NULL);
  if (execute_stop) {
    return fail_set(why, EXIT_RUN_FAILED,
                    "interrupted after %zu of %zu runs; their traces are in "
                    "the output folder",
                    over, g->n);
  }
  return good;
}

static char *canonical_command(const grid *g, const policy_spec *policies,
                               size_t npolicies) {
  char *text = NULL;
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);

  if (f == NULL) {
    return NULL;
  }
  fprintf(f, "xferlab compare %s", g->a->operands.item[0]);
  fputs(g->a->small ? " --small" : "", f);
  for (size_t i = 0; i < npolicies; i++) {
    fprintf(f, " --policy %s", policies[i].label);
  }
  fprintf(f, " --net %s --seeds %llu", g->net->label,
          (unsigned long long)g->a->seeds);
  for (size_t i = 0; i < g->a->sets.n; i++) {
    fprintf(f, " --set '%s'", g->a->sets.item[i]);
  }
  fclose(f);
  return text;
}

static bool analyse(const grid *g, const policy_spec *policies,
                    size_t npolicies, const char *dir, fail *why) {
  compare_run *runs = calloc(g->n, sizeof *runs);
  const char **labels = calloc(npolicies, sizeof *labels);
  char *line = canonical_command(g, policies, npolicies);
  bool good = false;

  if (runs == NULL || labels == NULL || line == NULL) {
    fail_set(why, EXIT_RUN_FAILED, "out of memory");
  } else {
    for (size_t i = 0; i < g->n; i++) {
      runs[i] = (compare_run){g->cells[i].policy->label, g->cells[i].seed,
                              g->cells[i].path};
    }
    for (size_t i = 0; i < npolicies; i++) {
      labels[i] = policies[i].label;
    }
    compare_input in = {.scenario = g->scn->name,
                        .network = g->net->label,
                        .runs = runs,
                        .nruns = g->n,
                        .policies = labels,
                        .npolicies = npolicies,
                        .nseeds = g->a->seeds,
                        .dir = dir,
                        .command = line,
                        .json = g->a->json};
    good = compare_write(&in, stdout, why);
  }
  free(runs);
  free(labels);
  free(line);
  return good;
}

static bool compare(const args *a, const scenario *scn, const net_spec *network,
                    const policy_spec *policies, size_t npolicies, fail *why) {
  grid g = {.a = a, .scn = scn, .net = network, .n = npolicies * a->seeds};
  char dir[2048], runs[2100];
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  size_t at_once = a->jobs > 0 ? a->jobs : (size_t)processors;

  snprintf(dir, sizeof dir, "%s%s", a->out == NULL ? "results/" : a->out,
           a->out == NULL ? scn->name : "");
  snprintf(runs, sizeof runs, "%s/runs", dir);
  if (!level_parse(a->trace, &g.level, why)) {
    return false;
  }
  if (g.level < LEVEL_FILES) {
    return fail_set(why, EXIT_USAGE,
                    "compare needs the trace level files or deeper");
  }
  if (!make_folder(runs, why)) {
    return false;
  }
  g.cells = calloc(g.n, sizeof *g.cells);
  g.reports = mmap(NULL, g.n * sizeof *g.reports, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (g.cells == NULL || g.reports == MAP_FAILED) {
    free(g.cells);
    return fail_set(why, EXIT_RUN_FAILED, "out of memory");
  }
  /* Seeds outside, policies inside: an interrupted comparison has pairs. */
  for (size_t i = 0; i < g.n; i++) {
    char name[512];
    g.cells[i].policy = &policies[i % npolicies];
    g.cells[i].seed = i / npolicies + 1;
    execution x = {.scn = scn,
                   .scenario_path = a->operands.item[0],
                   .small = a->small,
                   .sets = &a->sets,
                   .policy = g.cells[i].policy,
                   .net = network,
                   .seed = g.cells[i].seed,
                   .level = g.level};
    execute_file_name(&x, name, sizeof name);
    snprintf(g.cells[i].path, sizeof g.cells[i].path, "%s/%s", runs, name);
  }
  execute_catch_signals();
  bool good =
      run_all(&g, at_once, why) && analyse(&g, policies, npolicies, dir, why);
  munmap(g.reports, g.n * sizeof *g.reports);
  free(g.cells);
  return good;
}

int cmd_compare(const args *a, fail *why) {
  net_spec network = {0};
  size_t n = 0;

  if (a->seeds == 0 || a->seeds > 100000) {
    fail_set(why, EXIT_USAGE, "--seeds: expected 1 to 100000");
    return EXIT_USAGE;
  }
  scenario *scn = scenario_read(a->operands.item[0], a->small ? "small" : NULL,
                                a->sets.item, a->sets.n, why);
  if (scn == NULL) {
    return why->status;
  }
  n = a->policies.n > 0 ? a->policies.n : scn->npolicies;
  policy_spec *policies = calloc(n > 0 ? n : 1, sizeof *policies);
  bool good = policies != NULL;
  if (n == 0) {
    good = fail_set(why, EXIT_USAGE,
                    "%s names no policies; give them with --policy",
                    a->operands.item[0]);
  }
  for (size_t i = 0; good && i < n; i++) {
    good = spec_policy(&policies[i],
                       a->policies.n > 0 ? a->policies.item[i]
                                         : scn->policies[i].name,
                       scn, why);
    for (size_t k = 0; good && k < i; k++) {
      if (strcmp(policies[k].label, policies[i].label) == 0) {
        good = fail_set(why, EXIT_USAGE, "the policy %s is given twice",
                        policies[i].label);
      }
    }
  }
  good = good && spec_net(&network, a->net, why) &&
         compare(a, scn, &network, policies, n, why);
  for (size_t i = 0; policies != NULL && i < n; i++) {
    policy_spec_free(&policies[i]);
  }
  free(policies);
  net_spec_free(&network);
  scenario_free(scn);
  return good ? EXIT_GOOD : why->status;
}
