/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics as data: one entry per numeric column of /summary, in its order,
 * generated from the schema. A column without its M_ line does not compile.
 * What each one means in full: docs/metrics.md.
 */
#include "analysis/summary.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* unit, which way is better, text where the schema has none */
#define M_devices "1", 0, ""
#define M_jobs "1", 0, ""
#define M_completed "1", +1, ""
#define M_makespan_s "s", -1, ""
#define M_completion_mean_s "s", -1, ", mean"
#define M_completion_p50_s "s", -1, "finish - arrival on the device, median"
#define M_completion_p90_s "s", -1, "finish - arrival, 90th percentile"
#define M_completion_p95_s "s", -1, "finish - arrival, 95th percentile"
#define M_completion_p99_s "s", -1, "finish - arrival, 99th percentile"
#define M_completion_max_s "s", -1, "finish - arrival, largest"
#define M_done_at_mean_s "s", -1, ", mean"
#define M_done_at_p50_s "s", -1, "finish - release, median"
#define M_done_at_p90_s "s", -1, "finish - release, 90th percentile"
#define M_done_at_p95_s "s", -1, "finish - release, 95th percentile"
#define M_done_at_p99_s "s", -1, "finish - release, 99th percentile"
#define M_done_at_max_s "s", -1, "finish - release, largest"
#define M_bytes_useful "B", 0, ""
#define M_bytes_origin "B", -1, ""
#define M_bytes_peer "B", +1, ""
#define M_bytes_cache "B", 0, ""
#define M_bytes_wasted "B", -1, ""
#define M_bytes_control "B", -1, ""
#define M_bytes_cross_site "B", -1, ""
#define M_origin_egress "B", -1, ""
#define M_offload "1", +1, ""
#define M_share_peer "1", +1, ""
#define M_share_cache "1", 0, ""
#define M_share_origin "1", -1, ""
#define M_origin_rate_mean_Bps "B/s", -1, ""
#define M_origin_rate_p95_Bps "B/s", -1, " of all origins"
#define M_origin_rate_peak_Bps "B/s", -1, " of all origins"
#define M_stretch_p50 "1", -1, ", median"
#define M_stretch_p95 "1", -1, "completion / time alone, 95th percentile"
#define M_jain_upload "1", +1, ""
#define M_upload_mean "B", 0, ""
#define M_upload_max "B", -1, "most bytes sent by one device"
#define M_stalled_mean_s "s", -1, ", mean time queued, connecting or in error"
#define M_switches "1", 0, ""
#define M_restarts "1", -1, ""
#define M_lower_bound_s "s", 0, ""
#define M_efficiency "1", +1, ""
#define M_shortfall "1", 0, ""

#define METRIC(type, name, text) METRIC_OPEN(#name, text, M_##name)
#define METRIC_OPEN(...) METRIC_ROW(__VA_ARGS__)
#define METRIC_ROW(name, text, unit, better, more)                             \
  {name, unit, better, text more},
#define NOTHING(a, b, c)

const metric metrics[] = {TABLE_SUMMARY(METRIC, NOTHING, NOTHING)};
const size_t nmetrics = sizeof metrics / sizeof *metrics;

/* Where the value of metrics[i] is, and its type. */
enum column_type { COLUMN_u32, COLUMN_u64, COLUMN_f64 };

#define COLUMN(type, name, text) {offsetof(row_summary, name), COLUMN_##type},

static const struct {
  size_t offset;
  enum column_type type;
} columns[] = {TABLE_SUMMARY(COLUMN, NOTHING, NOTHING)};

static double column_value(const row_summary *s, size_t i) {
  const char *at = (const char *)s + columns[i].offset;
  uint32_t small;
  uint64_t large;
  double real = NAN;

  switch (columns[i].type) {
  case COLUMN_u32:
    memcpy(&small, at, sizeof small);
    return small;
  case COLUMN_u64:
    memcpy(&large, at, sizeof large);
    return (double)large;
  case COLUMN_f64:
    memcpy(&real, at, sizeof real);
    return real;
  }
  return real;
}

double metric_value(const row_summary *s, const char *name) {
  for (size_t i = 0; i < nmetrics; i++) {
    if (strcmp(metrics[i].name, name) == 0) {
      return column_value(s, i);
    }
  }
  return NAN;
}
