/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object that `run --json` prints (docs/metrics.md lists its keys). JSON
 * has neither NaN nor infinity: both are null, and "unfinished" says how many
 * device jobs stand behind an infinite percentile. What the run cost (wall_s,
 * peak_rss_bytes) is not in a trace; who ran it adds it.
 */
#include "analysis/compare.h"

#include <jansson.h>
#include <math.h>

static json_t *number(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

/* Counts, bytes and seeds. Above 2^63 - 1, where a JSON integer of most readers
   ends, as decimal text. */
static json_t *count(uint64_t n) {
  char text[24];

  if (n <= INT64_MAX) {
    return json_integer((json_int_t)n);
  }
  snprintf(text, sizeof text, "%llu", (unsigned long long)n);
  return json_string(text);
}

static json_t *text(const char *s) {
  return s == NULL ? json_null() : json_string(s);
}

static json_t *completion(const row_summary *s) {
  json_t *o = json_object();

  json_object_set_new(o, "mean", number(s->completion_mean_s));
  json_object_set_new(o, "p50", number(s->completion_p50_s));
  json_object_set_new(o, "p90", number(s->completion_p90_s));
  json_object_set_new(o, "p95", number(s->completion_p95_s));
  json_object_set_new(o, "p99", number(s->completion_p99_s));
  json_object_set_new(o, "max", number(s->completion_max_s));
  return o;
}

static json_t *done_at(const row_summary *s) {
  json_t *o = json_object();

  json_object_set_new(o, "mean", number(s->done_at_mean_s));
  json_object_set_new(o, "p50", number(s->done_at_p50_s));
  json_object_set_new(o, "p90", number(s->done_at_p90_s));
  json_object_set_new(o, "p95", number(s->done_at_p95_s));
  json_object_set_new(o, "p99", number(s->done_at_p99_s));
  json_object_set_new(o, "max", number(s->done_at_max_s));
  return o;
}

static json_t *bytes(const row_summary *s) {
  json_t *o = json_object();

  json_object_set_new(o, "useful", count(s->bytes_useful));
  json_object_set_new(o, "origin", count(s->bytes_origin));
  json_object_set_new(o, "peer", count(s->bytes_peer));
  json_object_set_new(o, "cache", count(s->bytes_cache));
  json_object_set_new(o, "wasted", count(s->bytes_wasted));
  json_object_set_new(o, "control", count(s->bytes_control));
  json_object_set_new(o, "cross_site", count(s->bytes_cross_site));
  json_object_set_new(o, "origin_egress", count(s->origin_egress));
  return o;
}

static json_t *origin_rate(const row_summary *s) {
  json_t *o = json_object();

  json_object_set_new(o, "mean", number(s->origin_rate_mean_Bps));
  json_object_set_new(o, "p95", number(s->origin_rate_p95_Bps));
  json_object_set_new(o, "peak", number(s->origin_rate_peak_Bps));
  return o;
}

json_t *summary_json(const row_summary *s, const trace *t) {
  json_t *o = json_object();

  json_object_set_new(o, "scenario", text(t->scenario_name));
  json_object_set_new(o, "policy", text(t->policy));
  json_object_set_new(o, "network", text(t->network));
  json_object_set_new(o, "seed", count(t->seed));
  json_object_set_new(o, "devices", count(s->devices));
  json_object_set_new(o, "jobs", count(s->jobs));
  json_object_set_new(o, "completed", count(s->completed));
  json_object_set_new(o, "unfinished", count(s->jobs - s->completed));
  json_object_set_new(o, "makespan_s", number(s->makespan_s));
  json_object_set_new(o, "completion_s", completion(s));
  json_object_set_new(o, "done_at_s", done_at(s));
  json_object_set_new(o, "bytes", bytes(s));
  json_object_set_new(o, "offload", number(s->offload));
  json_object_set_new(o, "origin_rate_Bps", origin_rate(s));
  json_object_set_new(o, "lower_bound_s", number(s->lower_bound_s));
  json_object_set_new(o, "binding_bound",
                      text(schema_enum_member("bound_term", s->binding_bound)));
  json_object_set_new(o, "efficiency", number(s->efficiency));
  json_object_set_new(o, "shortfall", number(s->shortfall));
  return o;
}
