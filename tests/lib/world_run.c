/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/spec.h"
#include "world/world.h"

static volatile bool stop;

static bool run_in_child(const char *yaml, const char *policy,
                         const char *network, uint64_t seed, const char *path,
                         fail *why) {
  policy_spec p = {0};
  net_spec n = {0};
  scenario *s = scenario_parse("test.yaml", yaml, NULL, NULL, 0, why);
  fleet *fl = s == NULL ? NULL : fleet_new(s, seed, why);
  bool good = fl != NULL && spec_policy(&p, policy, s, why) &&
              spec_net(&n, network, why);
  record_header h = {.scenario_name = "test",
                     .scenario_text = yaml,
                     .policy = policy,
                     .params = "{}",
                     .network = network,
                     .network_params = "{}",
                     .seed = seed,
                     .command = "test"};
  record *r = good ? record_open(path, LEVEL_EVENTS, &h, why) : NULL;

  good = r != NULL;
  if (good) {
    world_cfg cfg = {.fleet = fl,
                     .policy = p.policy,
                     .params = p.values,
                     .net = n.ops,
                     .net_params = n.values,
                     .engine = xl_engine_cfg_default(),
                     .record = r,
                     .level = LEVEL_EVENTS,
                     .stop = &stop,
                     .check = true};
    world_result out;
    good = world_run(&cfg, &out, why);
    tables tb;
    row_summary row;
    memset(&tb, 0, sizeof tb);
    memset(&row, 0, sizeof row);
    for (int t = 0; t < SCHEMA_NTABLES; t++) {
      tb.t[t].rows = record_table(r, (enum schema_table)t, &tb.t[t].n);
    }
    summary_compute(&tb, &row);
    record_rows(r, SCHEMA_SUMMARY, &row, 1);
    good = record_close(r, good, why) && good;
  }
  fleet_free(fl);
  scenario_free(s);
  policy_spec_free(&p);
  net_spec_free(&n);
  return good;
}

run_result run_text(const char *yaml, const char *policy, const char *network,
                    uint64_t seed) {
  run_result r = {0};
  char path[] = "/tmp/xferlab-test-XXXXXX";
  int pipes[2], status, fd = mkstemp(path);

  if (fd < 0 || pipe(pipes) != 0) {
    fail_set(&r.why, 1, "no temporary file");
    return r;
  }
  close(fd);
  unlink(path);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    fail why = {0};
    bool good = run_in_child(yaml, policy, network, seed, path, &why);
    ssize_t sent = write(pipes[1], &why, sizeof why);
    fflush(NULL);
    _exit(good && sent == (ssize_t)sizeof why ? 0 : 1);
  }
  close(pipes[1]);
  if (read(pipes[0], &r.why, sizeof r.why) != (ssize_t)sizeof r.why) {
    fail_set(&r.why, 1, "the run crashed");
  }
  close(pipes[0]);
  waitpid(pid, &status, 0);
  r.good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (trace_read(&r.t, path, TRACE_ALL, &r.why) &&
      r.t.table[SCHEMA_SUMMARY].n > 0) {
    r.s = *(const row_summary *)r.t.table[SCHEMA_SUMMARY].rows;
  }
  unlink(path);
  return r;
}
