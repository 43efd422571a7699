/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare --json: one object per policy, with the keys of `run --json` holding
 * means over seeds. A mean over a run that is not finite is null.
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "analysis/compare_table.h"

/* Key paths of `run --json` and the metric that stands there. */
static const struct {
  const char *group, *key, *name;
} layout[] = {
    {NULL, "devices", "devices"},
    {NULL, "jobs", "jobs"},
    {NULL, "completed", "completed"},
    {NULL, "makespan_s", "makespan_s"},
    {"completion_s", "mean", "completion_mean_s"},
    {"completion_s", "p50", "completion_p50_s"},
    {"completion_s", "p90", "completion_p90_s"},
    {"completion_s", "p95", "completion_p95_s"},
    {"completion_s", "p99", "completion_p99_s"},
    {"completion_s", "max", "completion_max_s"},
    {"done_at_s", "mean", "done_at_mean_s"},
    {"done_at_s", "p50", "done_at_p50_s"},
    {"done_at_s", "p90", "done_at_p90_s"},
    {"done_at_s", "p95", "done_at_p95_s"},
    {"done_at_s", "p99", "done_at_p99_s"},
    {"done_at_s", "max", "done_at_max_s"},
    {"bytes", "useful", "bytes_useful"},
    {"bytes", "origin", "bytes_origin"},
    {"bytes", "peer", "bytes_peer"},
    {"bytes", "cache", "bytes_cache"},
    {"bytes", "wasted", "bytes_wasted"},
    {"bytes", "control", "bytes_control"},
    {"bytes", "cross_site", "bytes_cross_site"},
    {"bytes", "origin_egress", "origin_egress"},
    {NULL, "offload", "offload"},
    {"origin_rate_Bps", "mean", "origin_rate_mean_Bps"},
    {"origin_rate_Bps", "p95", "origin_rate_p95_Bps"},
    {"origin_rate_Bps", "peak", "origin_rate_peak_Bps"},
    {NULL, "lower_bound_s", "lower_bound_s"},
    {NULL, "efficiency", "efficiency"},
};

static json_t *number(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

static json_t *count(size_t n) {
  return json_integer((json_int_t)n);
}

static void put_means(const study *st, size_t policy, json_t *o) {
  for (size_t i = 0; i < sizeof layout / sizeof *layout; i++) {
    json_t *at = o;
    if (layout[i].group != NULL) {
      at = json_object_get(o, layout[i].group);
      if (at == NULL) {
        at = json_object();
        json_object_set_new(o, layout[i].group, at);
      }
    }
    const study_mean *m = study_mean_of(st, policy, layout[i].name);
    json_object_set_new(at, layout[i].key, number(m->in.mean));
  }
}

static json_t *intervals(const study *st, size_t policy) {
  json_t *all = json_object();

  for (size_t i = 0; i < nmetrics; i++) {
    const study_mean *m = &st->means[policy * nmetrics + i];
    json_t *o = json_object();
    json_object_set_new(o, "mean", number(m->in.mean));
    json_object_set_new(o, "lo", number(m->in.lo));
    json_object_set_new(o, "hi", number(m->in.hi));
    json_object_set_new(o, "level", number(m->in.level));
    json_object_set_new(o, "n", count(m->in.n));
    json_object_set_new(o, "not_finite", count(m->unfinished));
    json_object_set_new(all, metrics[i].name, o);
  }
  return all;
}

static json_t *paired(const study *st, size_t policy) {
  json_t *o = json_object(), *all = json_object();

  json_object_set_new(o, "against", json_string(st->in->policies[0]));
  json_object_set_new(o, "metrics", all);
  for (size_t m = 0; m < NMEASURES; m++) {
    if (!measures[m].paired) {
      continue;
    }
    const study_pair *p = study_pair_of(st, policy, m);
    json_t *v = json_object();
    json_object_set_new(v, "difference", number(p->diff.mean));
    json_object_set_new(v, "lo", number(p->diff.lo));
    json_object_set_new(v, "hi", number(p->diff.hi));
    json_object_set_new(v, "level", number(p->diff.level));
    json_object_set_new(v, "relative", number(p->rel.mean));
    json_object_set_new(v, "relative_lo", number(p->rel.lo));
    json_object_set_new(v, "relative_hi", number(p->rel.hi));
    json_object_set_new(v, "effect", number(p->diff.effect));
    json_object_set_new(v, "p", number(p->diff.p));
    json_object_set_new(v, "p_holm", number(p->p_holm));
    json_object_set_new(v, "n", count(p->diff.n));
    json_object_set_new(v, "verdict", json_string(verdict_text(p->verdict)));
    json_object_set_new(v, "refused",
                        p->verdict == VERDICT_REFUSED ? json_string(p->refusal)
                                                      : json_null());
    json_object_set_new(all, measures[m].metric, v);
  }
  return o;
}

/* The seeds whose runs are in the means, and those left out. */
static void put_seeds(const study *st, size_t policy, json_t *o) {
  json_t *used = json_array(), *left_out = json_array();

  for (size_t i = 0; i < st->nseeds; i++) {
    bool in = study_run_at(st, policy, i)->used;
    json_array_append_new(in ? used : left_out,
                          json_integer((json_int_t)st->seeds[i]));
  }
  json_object_set_new(o, "runs", count(study_used(st, policy)));
  json_object_set_new(o, "seeds", used);
  json_object_set_new(o, "left_out", left_out);
}

static json_t *warnings(const study *st) {
  json_t *all = json_array();

  for (size_t i = 0; i < st->nwarnings; i++) {
    json_array_append_new(all, json_string(st->warnings[i]));
  }
  return all;
}

static json_t *binding_bound(const study *st, size_t policy) {
  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    if (r->used) {
      return json_string(schema_enum_member("bound_term", r->s.binding_bound));
    }
  }
  return json_null();
}

static json_t *policy_object(const study *st, size_t policy) {
  json_t *o = json_object();

  json_object_set_new(o, "scenario", json_string(st->scenario));
  json_object_set_new(o, "policy", json_string(st->in->policies[policy]));
  json_object_set_new(o, "network", json_string(st->network));
  put_seeds(st, policy, o);
  put_means(st, policy, o);
  json_object_set_new(o, "binding_bound", binding_bound(st, policy));
  json_object_set_new(o, "intervals", intervals(st, policy));
  json_object_set_new(o, "paired",
                      policy > 0 ? paired(st, policy) : json_null());
  json_object_set_new(o, "warnings", warnings(st));
  return o;
}

bool compare_json(const study *st, FILE *out, fail *why) {
  json_t *all = json_array();

  for (size_t p = 0; p < st->npolicies; p++) {
    json_array_append_new(all, policy_object(st, p));
  }
  int bad = json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  json_decref(all);
  if (bad != 0 || fputc('\n', out) == EOF) {
    return fail_set(why, EXIT_RUN_FAILED, "cannot write the JSON");
  }
  return true;
}
