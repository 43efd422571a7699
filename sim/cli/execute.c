/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/execute.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <xxhash.h>

#include "analysis/summary.h"

volatile bool execute_stop;

static void on_signal(int sig) {
  execute_stop = true;
  signal(sig, SIG_DFL); /* the second one ends it at once */
}

void execute_catch_signals(void) {
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

static const char *const level_names[] = {"summary", "series", "files",
                                          "transfers", "events"};

bool level_parse(const char *text, record_level *out, fail *why) {
  *out = LEVEL_TRANSFERS;
  for (size_t i = 0; text != NULL && i < 5; i++) {
    if (strcmp(text, level_names[i]) == 0) {
      *out = (record_level)i;
      return true;
    }
  }
  return text == NULL ||
         fail_set(why, EXIT_USAGE,
                  "--trace %s: expected summary, series, files, transfers or "
                  "events",
                  text);
}

bool make_folder(const char *path, fail *why) {
  char part[4096];

  for (size_t i = 1; i <= strlen(path); i++) {
    if (path[i] != '/' && path[i] != 0) {
      continue;
    }
    snprintf(part, sizeof part, "%.*s", (int)i, path);
    if (mkdir(part, 0777) != 0 && errno != EEXIST) {
      return fail_set(why, EXIT_USAGE, "cannot make the folder %s: %s", part,
                      strerror(errno));
    }
  }
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
    return fail_set(why, EXIT_USAGE, "%s is not a folder", path);
  }
  return true;
}

bool make_parents(const char *path, fail *why) {
  char folder[4096];
  const char *slash = strrchr(path, '/');

  if (slash == NULL || slash == path) {
    return true;
  }
  snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
  return make_folder(folder, why);
}

char *execute_command(const execution *x) {
  char *text = NULL;
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);

  if (f == NULL) {
    return NULL;
  }
  fprintf(f, "xferlab run %s", x->scenario_path);
  if (x->small) {
    fputs(" --small", f);
  }
  fprintf(f, " --policy %s --net %s --seed %llu", x->policy->label,
          x->net->label, (unsigned long long)x->seed);
  for (size_t i = 0; i < x->sets->n; i++) {
    fprintf(f, " --set '%s'", x->sets->item[i]);
  }
  fprintf(f, " --trace %s", level_names[x->level]);
  fclose(f);
  return text;
}

void execute_file_name(const execution *x, char *out, size_t len) {
  char *line = execute_command(x);
  unsigned hash = line == NULL ? 0 : (unsigned)XXH3_64bits(line, strlen(line));

  snprintf(out, len, "%s-%s-s%llu-%08x.h5", x->scn->name,
           x->policy->policy->name, (unsigned long long)x->seed, hash);
  free(line);
}

/* What differs from run to run: kept out of the trace. */
static bool write_beside(const execution *x, double wall_s, fail *why) {
  char path[4200];
  struct rusage use;
  struct utsname host;
  time_t now = time(NULL);
  char when[32];

  getrusage(RUSAGE_SELF, &use);
  uname(&host);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:f, s:I}", "host", host.nodename,
                        "machine", host.machine, "written", when, "compiler",
                        __VERSION__, "wall_s", wall_s, "peak_rss_bytes",
                        (json_int_t)use.ru_maxrss * (json_int_t)1024);
  snprintf(path, sizeof path, "%s.run.json", x->path);
  bool good = json_dump_file(o, path, JSON_INDENT(1)) == 0;
  json_decref(o);
  return good || fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
                          strerror(errno));
}

static void summarise(record *rec) {
  tables tb;
  row_summary row;

  memset(&tb, 0, sizeof tb);
  memset(&row, 0, sizeof row);
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    tb.t[t].rows = record_table(rec, (enum schema_table)t, &tb.t[t].n);
  }
  summary_compute(&tb, &row);
  record_rows(rec, SCHEMA_SUMMARY, &row, 1);
}

static bool run_recorded(const execution *x, const fleet *fl, record *rec,
                         world_result *out, fail *why) {
  world_cfg cfg = {
      .fleet = fl,
      .policy = x->policy->policy,
      .params = x->policy->values,
      .net = x->net->ops,
      .net_params = x->net->values,
      .engine = xl_engine_cfg_default(),
      .record = rec,
      .level = x->level,
      .stop = &execute_stop,
      .progress = x->progress,
      .progress_arg = x->progress_arg,
      .check = x->check,
  };
  bool good = world_run(&cfg, out, why);

  if (good) {
    summarise(rec);
  }
  return good;
}

bool execute(const execution *x, world_result *out, fail *why) {
  struct timespec t0, t1;
  record_header h = {
      .scenario_name = x->scn->name,
      .scenario_text = x->scn->text,
      .policy = x->policy->label,
      .network = x->net->label,
      .seed = x->seed,
  };
  bool good = false;

  clock_gettime(CLOCK_MONOTONIC, &t0);
  fleet *fl = fleet_new(x->scn, x->seed, why);
  if (fl == NULL) {
    return false;
  }
  char *line = execute_command(x);
  char *params = spec_json(x->policy->policy->params,
                           x->policy->policy->nparams, x->policy->values);
  char *net_params =
      spec_json(x->net->ops->params, x->net->ops->nparams, x->net->values);
  h.command = line;
  h.params = params;
  h.network_params = net_params;
#ifdef XFERLAB_VERSION
  h.version = XFERLAB_VERSION;
#endif
  record *rec = record_open(x->path, x->level, &h, why);
  if (rec != NULL) {
    good = run_recorded(x, fl, rec, out, why);
    fail closing = {0};
    if (!record_close(rec, good && !out->interrupted, &closing)) {
      good = fail_set(why, closing.status, "%s", closing.text);
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &t1);
  if (good) {
    good = write_beside(x,
                        (double)(t1.tv_sec - t0.tv_sec) +
                            (double)(t1.tv_nsec - t0.tv_nsec) / 1e9,
                        why);
  }
  free(line);
  free(params);
  free(net_params);
  fleet_free(fl);
  return good;
}
