/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <math.h>

#include "analysis/compare.h"
#include "test.h"

#include "instance.h"

static row_summary summary_of(void) {
  tables tb = instance_tables();
  row_summary s;

  summary_compute(&tb, &s);
  return s;
}

/* Three devices in two sites, one origin of 100 B/s, one content of 6000 B.
   Device 0 fetched it from the origin, 1 from 0, and 2 across sites, late. */
static void three_devices(void) {
  instance_clear(400 * S_NS);
  add_sites((row_sites){.wan_down_Bps = 50,
                        .wan_up_Bps = 50,
                        .bytes_down = 6100,
                        .bytes_up = 2000});
  add_sites(
      (row_sites){.wan_down_Bps = 1000, .wan_up_Bps = 50, .bytes_down = 6000});
  add_origins((row_origins){.rate_Bps = 100, .egress = 10100});
  add_content(6000);
  add_device(0, 100, 100);
  add_device(0, 100, 100);
  add_device(1, 30, 100);
  row_jobs *a = add_job(0, 0, 0, 0), *b = add_job(1, 0, 0, 20 * S_NS);
  row_jobs *c = add_job(2, 0, 0, 100 * S_NS);
  a->end_ns = 120 * S_NS;
  b->release_ns = 10 * S_NS;
  b->end_ns = 200 * S_NS;
  b->stalled_ns = 30 * S_NS;
  c->end_ns = 370 * S_NS;
  instance.files[0].origin = 6000;
  instance.files[0].switches = 2;
  instance.files[0].restarts = 3;
  instance.files[1].peer_subnet = 4000;
  instance.files[1].peer_site = 1000;
  instance.files[1].cache = 1000;
  instance.files[2].origin = 4000;
  instance.files[2].peer_group = 1500;
  instance.files[2].peer_internet = 500;
  instance.devices[0].sent = 6000;
  instance.devices[1].sent = 2000;
  instance.devices[0].wasted = 100;
  instance.world[0].control = 77;
  for (int64_t i = 0; i < 6; i++) {
    static const uint64_t sent[] = {3000, 3000, 4000, 100, 0, 0};
    add_series((row_series){.at_ns = i * 60 * S_NS, .origin = sent[i]});
  }
  add_link_rates((row_link_rates){LINK_ORIGIN_UP, 0, 0, 9900});
  add_link_rates((row_link_rates){LINK_SITE_DOWN, 0, 0, 99999});
  add_link_rates((row_link_rates){LINK_ORIGIN_UP, 0, 300 * S_NS, 200});
}

static void test_times(void) {
  three_devices();
  row_summary s = summary_of();

  CHECK_EQ(s.devices, 3);
  CHECK_EQ(s.jobs, 3);
  CHECK_EQ(s.completed, 3);
  CHECK_NEAR(s.makespan_s, 370, 1e-12);
  /* completion 120 180 270; done at 120 190 370 */
  CHECK_NEAR(s.completion_mean_s, 190, 1e-12);
  CHECK_NEAR(s.completion_p50_s, 180, 1e-12);
  CHECK_NEAR(s.completion_p90_s, 252, 1e-12);
  CHECK_NEAR(s.completion_p95_s, 261, 1e-12);
  CHECK_NEAR(s.completion_p99_s, 268.2, 1e-12);
  CHECK_NEAR(s.completion_max_s, 270, 1e-12);
  CHECK_NEAR(s.done_at_mean_s, 680 / 3.0, 1e-12);
  CHECK_NEAR(s.done_at_p50_s, 190, 1e-12);
  CHECK_NEAR(s.done_at_p90_s, 334, 1e-12);
  CHECK_NEAR(s.done_at_p95_s, 352, 1e-12);
  CHECK_NEAR(s.done_at_p99_s, 366.4, 1e-12);
  CHECK_NEAR(s.done_at_max_s, 370, 1e-12);
  CHECK_NEAR(s.stalled_mean_s, 10, 1e-12);
}

static void test_bytes(void) {
  three_devices();
  row_summary s = summary_of();

  CHECK_EQ(s.bytes_useful, 18000);
  CHECK_EQ(s.bytes_origin, 10000);
  CHECK_EQ(s.bytes_peer, 7000);
  CHECK_EQ(s.bytes_cache, 1000);
  CHECK_EQ(s.bytes_wasted, 100);
  CHECK_EQ(s.bytes_control, 77);
  CHECK_EQ(s.bytes_cross_site, 12100);
  CHECK_EQ(s.origin_egress, 10100);
  CHECK_NEAR(s.offload, 1 - 10100 / 18000.0, 1e-12);
  CHECK_NEAR(s.share_origin, 10 / 18.0, 1e-12);
  CHECK_NEAR(s.share_peer, 7 / 18.0, 1e-12);
  CHECK_NEAR(s.share_cache, 1 / 18.0, 1e-12);
  CHECK_EQ(s.switches, 2);
  CHECK_EQ(s.restarts, 1); /* files */
}

static void test_origin_rates(void) {
  three_devices();
  row_summary s = summary_of();

  CHECK_NEAR(s.origin_rate_mean_Bps, 10100 / 370.0, 1e-12);
  /* bins 200 and 9900: 200 + 0.95 x 9700, over 300 s */
  CHECK_NEAR(s.origin_rate_p95_Bps, 9415 / 300.0, 1e-12);
  CHECK_NEAR(s.origin_rate_peak_Bps, 4000 / 60.0, 1e-12);
}

/* Empty bins are zeros, up to the last finish and not beyond. */
static void test_origin_bins(void) {
  three_devices();
  instance.world[0].ended_ns = 100000 * S_NS;
  instance.jobs[2].end_ns = 6000 * S_NS; /* 20 bins: two with bytes */
  add_link_rates((row_link_rates){LINK_ORIGIN_UP, 1, 300 * S_NS, 700});
  add_link_rates((row_link_rates){LINK_ORIGIN_UP, 0, 6000 * S_NS, 1000000});
  /* rank 18.05 of 18 x 0, 900 (both origins), 9900 */
  CHECK_NEAR(summary_of().origin_rate_p95_Bps, (900 + 0.05 * 9000) / 300, 1e-9);
  instance.jobs[2].end_ns = -1; /* up to the end of the run: 334 bins */
  CHECK_NEAR(summary_of().origin_rate_p95_Bps, 0, 0);
  CHECK_NEAR(summary_of().origin_rate_mean_Bps, 10100 / 1e5, 1e-12);
}

static void test_stretch(void) {
  three_devices();
  row_summary s = summary_of();

  /* alone 120 (uplink 50 B/s), 120, 200 (own link 30 B/s): 1, 1.5, 1.35 */
  CHECK_NEAR(s.stretch_p50, 1.35, 1e-12);
  CHECK_NEAR(s.stretch_p95, 1.35 + 0.9 * 0.15, 1e-12);
  instance.devices[1].cap_Bps = 25; /* alone 240: 0.75 */
  CHECK_NEAR(summary_of().stretch_p50, 1, 1e-12);
  instance.jobs[2].bytes = UINT64_MAX; /* unknown: left out */
  CHECK_NEAR(summary_of().stretch_p50, 0.875, 1e-12);
}

static void test_uploads(void) {
  three_devices();
  row_summary s = summary_of();

  CHECK_NEAR(s.jain_upload, 8000.0 * 8000 / (3 * (36e6 + 4e6)), 1e-12);
  CHECK_NEAR(s.upload_mean, 8000 / 3.0, 1e-12);
  CHECK_NEAR(s.upload_max, 6000, 0);
  instance.devices[0].sent = instance.devices[1].sent = 0;
  s = summary_of();
  CU_ASSERT(isnan(s.jain_upload));
  CHECK_NEAR(s.upload_max, 0, 0);
}

static void test_bound(void) {
  three_devices();
  row_summary s = summary_of();

  /* device 2: 100 + 6000 / 30 */
  CHECK_NEAR(s.lower_bound_s, 300, 1e-12);
  CHECK_EQ(s.binding_bound, BOUND_DEVICE_DOWN);
  CHECK_NEAR(s.efficiency, 300 / 370.0, 1e-12);
}

static void test_unfinished(void) {
  three_devices();
  instance.jobs[2].end_ns = -1;
  row_summary s = summary_of();

  CHECK_EQ(s.jobs, 3);
  CHECK_EQ(s.completed, 2);
  CU_ASSERT(isnan(s.makespan_s) && isnan(s.efficiency));
  CHECK_NEAR(s.completion_p50_s, 180, 1e-12); /* rank 1 of 120 180 inf */
  CU_ASSERT(isinf(s.completion_p90_s) && isinf(s.completion_max_s));
  CU_ASSERT(isinf(s.completion_mean_s) && isinf(s.done_at_mean_s));
  CHECK_NEAR(s.lower_bound_s, 300, 1e-12);
  CHECK_NEAR(s.origin_rate_mean_Bps, 10100 / 400.0, 1e-12);
}

static void test_not_arrived(void) {
  three_devices();
  instance.world[0].ended_ns = 99 * S_NS;
  instance.jobs[2].end_ns = -1; /* would arrive at 100 s */
  row_summary s = summary_of();

  CHECK_EQ(s.jobs, 2);
  CHECK_EQ(s.completed, 2);
  CHECK_NEAR(s.makespan_s, 200, 1e-12);
  instance.jobs[1].arrival_ns = -1;
  CHECK_EQ(summary_of().jobs, 1);
}

static void test_first_release(void) {
  three_devices();
  for (size_t i = 0; i < 3; i++) {
    instance.jobs[i].release_ns += 5 * S_NS;
    instance.jobs[i].arrival_ns += 5 * S_NS;
  }
  row_summary s = summary_of();

  CHECK_NEAR(s.makespan_s, 365, 1e-12);
  CHECK_NEAR(s.lower_bound_s, 300, 1e-12);
}

static void test_empty(void) {
  tables tb = {0};
  row_summary s;

  summary_compute(&tb, &s);
  CHECK_EQ(s.jobs, 0);
  CHECK_EQ(s.bytes_useful, 0);
  CU_ASSERT(isnan(s.makespan_s) && isnan(s.completion_mean_s));
  CU_ASSERT(isnan(s.completion_p50_s) && isnan(s.done_at_max_s));
  CU_ASSERT(isnan(s.offload) && isnan(s.share_peer) && isnan(s.jain_upload));
  CU_ASSERT(isnan(s.origin_rate_mean_Bps) && isnan(s.origin_rate_p95_Bps));
  CU_ASSERT(isnan(s.origin_rate_peak_Bps) && isnan(s.stretch_p50));
  CU_ASSERT(isnan(s.efficiency) && isnan(s.stalled_mean_s));
  CHECK_EQ(s.binding_bound, BOUND_NONE);
}

/* Row order of jobs, files and devices' tables is no information. */
static void test_order(void) {
  three_devices();
  row_summary s = summary_of();
  row_jobs j = instance.jobs[0];
  row_files f = instance.files[0];

  instance.jobs[0] = instance.jobs[2];
  instance.jobs[2] = j;
  instance.files[0] = instance.files[1];
  instance.files[1] = f;
  row_summary t = summary_of();
  for (size_t i = 0; i < nmetrics; i++) {
    double a = metric_value(&s, metrics[i].name);
    CHECK_NEAR(metric_value(&t, metrics[i].name), a, 0);
  }
}

/* ---- metrics as data ----------------------------------------------------- */

static void test_metric_names(void) {
  row_summary s = {.devices = 4, .bytes_peer = 1u << 30, .offload = 0.25};

  CHECK_NEAR(metric_value(&s, "devices"), 4, 0);
  CHECK_NEAR(metric_value(&s, "bytes_peer"), 0x1p30, 0);
  CHECK_NEAR(metric_value(&s, "offload"), 0.25, 0);
  CU_ASSERT(isnan(metric_value(&s, "binding_bound")));
  CU_ASSERT(isnan(metric_value(&s, "no such metric")));
  CHECK_EQ(nmetrics, schema_tables[SCHEMA_SUMMARY].nfields - 1);
}

static void test_metric_texts(void) {
  for (size_t i = 0; i < nmetrics; i++) {
    const metric *m = &metrics[i];
    size_t len = strlen(m->name);
    bool is_s = len > 2 && strcmp(m->name + len - 2, "_s") == 0;
    bool is_rate = len > 4 && strcmp(m->name + len - 4, "_Bps") == 0;
    CU_ASSERT(strlen(m->text) > 5);
    CHECK_EQ(strcmp(m->unit, "s") == 0, is_s);
    CHECK_EQ(strcmp(m->unit, "B/s") == 0, is_rate);
    CU_ASSERT(m->better >= -1 && m->better <= 1);
  }
}

/* Run from the top of the source tree, as every test is. */
static void test_metrics_documented(void) {
  static char text[65536];
  FILE *f = fopen("docs/metrics.md", "r");

  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t len = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  CU_ASSERT(len < sizeof text - 1);
  text[len] = '\0';
  for (size_t i = 0; i < nmetrics; i++) {
    char want[80];
    snprintf(want, sizeof want, "`%s`", metrics[i].name);
    if (strstr(text, want) == NULL) {
      printf("  docs/metrics.md has no %s\n", want);
      CU_FAIL("a metric is not documented");
    }
  }
}

/* ---- JSON ---------------------------------------------------------------- */

static char name_text[] = "branch-office", net_text[] = "simgrid";
static char policy_text[] = "origin-only";

static json_t *json_of(const row_summary *s, uint64_t seed) {
  trace t = {.scenario_name = name_text,
             .policy = policy_text,
             .network = net_text,
             .seed = seed};
  return summary_json(s, &t);
}

static double real(const json_t *o, const char *key, const char *sub) {
  const json_t *v = json_object_get(o, key);

  v = sub == NULL ? v : json_object_get(v, sub);
  return json_is_number(v) ? json_number_value(v) : NAN;
}

static void test_json(void) {
  three_devices();
  row_summary s = summary_of();
  json_t *o = json_of(&s, 7);

  CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "scenario")),
                         "branch-office");
  CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "binding_bound")),
                         "device-down");
  CHECK_NEAR(real(o, "seed", NULL), 7, 0);
  CHECK_NEAR(real(o, "devices", NULL), 3, 0);
  CHECK_NEAR(real(o, "unfinished", NULL), 0, 0);
  CHECK_NEAR(real(o, "makespan_s", NULL), 370, 1e-12);
  CHECK_NEAR(real(o, "completion_s", "p50"), 180, 1e-12);
  CHECK_NEAR(real(o, "done_at_s", "max"), 370, 1e-12);
  CHECK_NEAR(real(o, "bytes", "origin_egress"), 10100, 0);
  CHECK_NEAR(real(o, "origin_rate_Bps", "peak"), 4000 / 60.0, 1e-12);
  CHECK_NEAR(real(o, "efficiency", NULL), 300 / 370.0, 1e-12);
  json_decref(o);
}

static void test_json_null(void) {
  three_devices();
  instance.jobs[2].end_ns = -1;
  row_summary s = summary_of();
  json_t *o = json_of(&s, UINT64_MAX);

  CU_ASSERT(json_is_null(json_object_get(o, "makespan_s")));
  CU_ASSERT(
      json_is_null(json_object_get(json_object_get(o, "completion_s"), "max")));
  CHECK_NEAR(real(o, "unfinished", NULL), 1, 0);
  CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "seed")),
                         "18446744073709551615");
  json_decref(o);
}

TEST_SUITE(
    "summary", {"times run from arrival, from release and overall", test_times},
    {"bytes by where they came from, and their shares", test_bytes},
    {"origin rates: mean, 5-minute bins, 1-minute peak", test_origin_rates},
    {"5-minute bins without a row are zeros up to the last finish",
     test_origin_bins},
    {"stretch compares with the slowest link alone", test_stretch},
    {"fairness and amounts of upload", test_uploads},
    {"efficiency is lower bound over makespan", test_bound},
    {"an unfinished job is infinite in every percentile", test_unfinished},
    {"a job that has not arrived is not counted", test_not_arrived},
    {"the makespan starts at the first release", test_first_release},
    {"no rows: counts are 0 and the rest is undefined", test_empty},
    {"the order of rows changes nothing", test_order},
    {"metrics are found by name", test_metric_names},
    {"every metric has a text and the unit its name says", test_metric_texts},
    {"docs/metrics.md has every metric", test_metrics_documented},
    {"the JSON of a run has the keys of the design", test_json},
    {"what JSON cannot say is null, with the unfinished counted",
     test_json_null})
