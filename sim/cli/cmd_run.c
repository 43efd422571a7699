/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xferlab run: one scenario, one policy, one seed, one trace. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analysis/compare.h"
#include "analysis/summary.h"
#include "cli/args.h"
#include "cli/execute.h"
#include "cli/progress.h"

static void show(void *arg, const world_progress *p) {
  char what[96];
  double done = p->tasks == 0 ? 1 : (double)p->done / p->tasks;
  double time = (double)p->now / (double)p->duration;

  (void)arg;
  snprintf(what, sizeof what, "%u of %u jobs done at %.1f h", p->done, p->tasks,
           (double)p->now / 3.6e12);
  progress_show(done > time ? done : time, what);
}

/* The value in a unit that people read. */
static void print_metric(const metric *m, double v) {
  printf("  %-22s ", m->name);
  if (isnan(v)) {
    puts("-");
  } else if (isinf(v)) {
    puts("not finished");
  } else if (strcmp(m->unit, "s") == 0) {
    v >= 7200  ? printf("%.2f h\n", v / 3600)
    : v >= 120 ? printf("%.1f min\n", v / 60)
               : printf("%.3f s\n", v);
  } else if (strcmp(m->unit, "B") == 0) {
    v >= 1073741824.0 ? printf("%.3f GiB\n", v / 1073741824.0)
                      : printf("%.1f MiB\n", v / 1048576.0);
  } else if (strcmp(m->unit, "B/s") == 0) {
    printf("%.2f Mbit/s\n", v * 8e-6);
  } else {
    printf("%.6g\n", v);
  }
}

static int print_result(const args *a, const execution *x,
                        const world_result *r, double wall_s, fail *why) {
  trace t = {0};

  if (!trace_read(&t, x->path,
                  1u << SCHEMA_SUMMARY | 1u << SCHEMA_WORLD | 1u << SCHEMA_JOBS,
                  why)) {
    return why->status;
  }
  if (t.table[SCHEMA_SUMMARY].n == 0) {
    trace_free(&t);
    return EXIT_RUN_FAILED;
  }
  const row_summary *s = t.table[SCHEMA_SUMMARY].rows;
  if (a->json) {
    struct rusage use;
    json_t *o = summary_json(s, &t);
    getrusage(RUSAGE_SELF, &use);
    json_object_set_new(o, "transfers", json_integer((json_int_t)r->transfers));
    json_object_set_new(o, "wall_s", json_real(wall_s));
    json_object_set_new(o, "peak_rss_bytes",
                        json_integer((json_int_t)use.ru_maxrss * 1024));
    json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
  } else {
    printf("%s, %s, %s, seed %llu: %u of %u jobs on %u devices finished\n",
           x->scn->name, x->policy->label, x->net->label,
           (unsigned long long)x->seed, s->completed, s->jobs, s->devices);
    for (size_t i = 0; i < nmetrics; i++) {
      print_metric(&metrics[i], metric_value(s, metrics[i].name));
    }
    printf("trace: %s\n", x->path);
  }
  trace_free(&t);
  return EXIT_GOOD;
}

static int run(const args *a, execution *x, fail *why) {
  world_result r = {0};
  struct timespec t0, t1;
  char path[4096], name[512];

  if (a->out != NULL) {
    snprintf(path, sizeof path, "%s", a->out);
  } else {
    execute_file_name(x, name, sizeof name);
    snprintf(path, sizeof path, "results/%s", name);
  }
  x->path = path;
  if (!make_parents(path, why)) {
    return why->status;
  }
  execute_catch_signals();
  clock_gettime(CLOCK_MONOTONIC, &t0);
  bool good = execute(x, &r, why);
  clock_gettime(CLOCK_MONOTONIC, &t1);
  progress_end();
  if (!good) {
    return why->status;
  }
  if (r.interrupted) {
    fail_set(why, EXIT_RUN_FAILED,
             "interrupted at %.3f s of %.0f s; what was recorded is in %s, "
             "marked incomplete",
             (double)r.ended / 1e9, (double)x->scn->duration / 1e9, path);
  }
  int status = print_result(a, x, &r,
                            (double)(t1.tv_sec - t0.tv_sec) +
                                (double)(t1.tv_nsec - t0.tv_nsec) / 1e9,
                            why);
  return r.interrupted ? EXIT_RUN_FAILED : status;
}

int cmd_run(const args *a, fail *why) {
  policy_spec policy = {0};
  net_spec network = {0};
  execution x = {.scenario_path = a->operands.item[0],
                 .small = a->small,
                 .sets = &a->sets,
                 .policy = &policy,
                 .net = &network,
                 .seed = a->seed,
                 .check = a->check,
                 .progress = show};
  int status = EXIT_USAGE;

  if (a->policies.n > 1) {
    fail_set(why, EXIT_USAGE,
             "run takes one --policy; 'xferlab compare' takes several");
    return EXIT_USAGE;
  }
  if (!level_parse(a->trace, &x.level, why)) {
    return EXIT_USAGE;
  }
  scenario *scn = scenario_read(a->operands.item[0], a->small ? "small" : NULL,
                                a->sets.item, a->sets.n, why);
  if (scn == NULL) {
    return why->status;
  }
  const char *name = a->policies.n > 0    ? a->policies.item[0]
                     : scn->npolicies > 0 ? scn->policies[0].name
                                          : "origin-only";
  x.scn = scn;
  if (spec_policy(&policy, name, scn, why) && spec_net(&network, a->net, why)) {
    status = run(a, &x, why);
  } else {
    status = why->status;
  }
  net_spec_free(&network);
  policy_spec_free(&policy);
  scenario_free(scn);
  return status;
}
