/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xferlab show: a trace (its metrics), or a scenario: what it expands to and
 * the bounds no policy can beat, without a run.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/compare.h"
#include "analysis/summary.h"
#include "cli/args.h"
#include "cli/execute.h"
#include "world/layout.h"

static bool is_scenario(const char *path) {
  size_t n = strlen(path);

  return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) ||
         (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

/* The tables of a fleet in which nothing has moved. */
static void layout_tables(const fleet *fl, tables *tb) {
#define FILL(NAME, type, count, build)                                         \
  do {                                                                         \
    row_##type *rows = calloc((count) > 0 ? (count) : 1, sizeof *rows);        \
    if (rows == NULL) {                                                        \
      fputs("xferlab: out of memory\n", stderr);                               \
      exit(EXIT_RUN_FAILED);                                                   \
    }                                                                          \
    for (uint32_t i = 0; i < (count); i++) {                                   \
      build(fl, i, &rows[i]);                                                  \
    }                                                                          \
    tb->t[SCHEMA_##NAME].rows = rows;                                          \
    tb->t[SCHEMA_##NAME].n = (count);                                          \
  } while (0)
  memset(tb, 0, sizeof *tb);
  FILL(SITES, sites, fl->nsites, layout_site);
  FILL(ORIGINS, origins, fl->norigins, layout_origin);
  FILL(CONTENTS, contents, (uint32_t)fl->scn->ncontents, layout_content);
  FILL(DEVICES, devices, fl->ndevices, layout_device);
  FILL(HELD, held, fl->nholds, layout_held);
  FILL(JOBS, jobs, fl->ntasks, layout_job);
  FILL(WORLD, world, 1, layout_world);
#undef FILL
  row_files *files = NULL;
  uint32_t n = 0, room = 0;
  for (uint32_t i = 0; i < fl->ntasks; i++) {
    for (uint32_t k = 0; k < layout_nfiles(fl, i); k++) {
      if (n == room) {
        room = room * 2 + 64;
        files = realloc(files, room * sizeof *files);
        if (files == NULL) {
          fputs("xferlab: out of memory\n", stderr);
          exit(EXIT_RUN_FAILED);
        }
      }
      layout_file(fl, i, k, &files[n++]);
    }
  }
  tb->t[SCHEMA_FILES].rows = files;
  tb->t[SCHEMA_FILES].n = n;
}

static void free_tables(tables *tb) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    /* The rows were calloc'ed above; the struct says const for readers. */
    union {
      const void *c;
      void *p;
    } rows = {tb->t[t].rows};
    free(rows.p);
  }
}

static json_t *describe(const scenario *s, const fleet *fl, const tables *tb) {
  enum bound_term term;
  double bound = bound_makespan_s(tb, &term), bytes = 0, pieces = 0;

  for (uint32_t i = 0; i < fl->ntasks; i++) {
    for (uint32_t k = 0; k < layout_nfiles(fl, i); k++) {
      const scn_content *c = &s->contents[layout_content_of(fl, i, k)];
      bytes += (double)c->size;
      pieces += ceil((double)c->size / c->piece_bytes);
    }
  }
  json_t *policies = json_array();
  for (size_t i = 0; i < s->npolicies; i++) {
    json_array_append_new(policies, json_string(s->policies[i].name));
  }
  return json_pack(
      "{s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, "
      "s:f, s:s, s:o}",
      "name", s->name, "description",
      s->description == NULL ? "" : s->description, "source",
      s->source == NULL ? "" : s->source, "duration_s",
      (double)s->duration / 1e9, "devices", (int)fl->ndevices, "sites",
      (int)fl->nsites, "origins", (int)fl->norigins, "contents",
      (int)s->ncontents, "jobs", (int)s->njobs, "device_jobs", (int)fl->ntasks,
      "held_copies", (int)fl->nholds, "changes", (int)fl->nchanges, "bytes",
      bytes, "pieces", pieces, "lower_bound_s", bound, "binding_bound",
      schema_enum_member("bound_term", (unsigned)term), "policies", policies);
}

static void print_scenario(json_t *o) {
  const char *key;
  json_t *v;

  json_object_foreach(o, key, v) {
    if (json_is_string(v)) {
      printf("%-14s %s\n", key, json_string_value(v));
    } else if (json_is_integer(v)) {
      printf("%-14s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(v));
    } else if (json_is_real(v)) {
      printf("%-14s %.15g\n", key, json_real_value(v));
    } else {
      char *text = json_dumps(v, JSON_COMPACT);
      printf("%-14s %s\n", key, text);
      free(text);
    }
  }
}

static int show_scenario(const args *a, fail *why) {
  scenario *s = scenario_read(a->operands.item[0], a->small ? "small" : NULL,
                              a->sets.item, a->sets.n, why);
  fleet *fl = s == NULL ? NULL : fleet_new(s, a->seed, why);

  if (fl != NULL) {
    tables tb;
    layout_tables(fl, &tb);
    json_t *o = describe(s, fl, &tb);
    if (a->json) {
      json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
      putchar('\n');
    } else {
      print_scenario(o);
    }
    json_decref(o);
    free_tables(&tb);
    fleet_free(fl);
  }
  scenario_free(s);
  return why->status;
}

static int show_trace(const args *a, fail *why) {
  trace t = {0};

  if (!trace_read(&t, a->operands.item[0], TRACE_ALL, why)) {
    return why->status;
  }
  tables tb;
  row_summary s;
  memset(&tb, 0, sizeof tb);
  memset(&s, 0, sizeof s);
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    tb.t[i].rows = t.table[i].rows;
    tb.t[i].n = t.table[i].n;
  }
  bool have = tb.t[SCHEMA_SUMMARY].n > 0;
  if (have) {
    s = *TABLE_OF(&tb, SUMMARY, summary);
  }
  if (a->json && have) {
    json_t *o = summary_json(&s, &t);
    json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
  } else {
    printf("%s: %s, policy %s, network %s, seed %llu%s\n%s\n",
           a->operands.item[0], t.scenario_name, t.policy, t.network,
           (unsigned long long)t.seed, t.complete ? "" : " (INCOMPLETE)",
           t.command);
    for (int i = 0; i < SCHEMA_NTABLES; i++) {
      printf("  /%-11s %8zu rows\n", schema_tables[i].name, t.table[i].n);
    }
    for (size_t i = 0; have && i < nmetrics; i++) {
      printf("  %-22s %.10g %s\n", metrics[i].name,
             metric_value(&s, metrics[i].name), metrics[i].unit);
    }
  }
  if (!have) {
    fail_set(why, EXIT_RUN_FAILED,
             "%s has no summary: the run did not end by itself",
             a->operands.item[0]);
  }
  trace_free(&t);
  return why->status;
}

int cmd_show(const args *a, fail *why) {
  return is_scenario(a->operands.item[0]) ? show_scenario(a, why)
                                          : show_trace(a, why);
}

int cmd_validate(const args *a, fail *why) {
  for (size_t i = 0; i < a->operands.n; i++) {
    scenario *s = scenario_read(a->operands.item[i], a->small ? "small" : NULL,
                                a->sets.item, a->sets.n, why);
    fleet *fl = s == NULL ? NULL : fleet_new(s, a->seed, why);
    bool good = fl != NULL;
    for (size_t k = 0; good && k < s->npolicies; k++) {
      policy_spec p;
      good = spec_policy(&p, s->policies[k].name, s, why);
      policy_spec_free(&p);
    }
    fleet_free(fl);
    scenario_free(s);
    if (!good) {
      return why->status;
    }
    printf("%s: good\n", a->operands.item[i]);
  }
  return EXIT_GOOD;
}
