/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics of a run, from the rows of its tables. One function a family;
 * docs/metrics.md says the same in prose. Order of rows never matters: counts
 * and bytes are summed as integers, times are sorted first.
 */
#include "analysis/summary.h"

#include <math.h>
#include <stdlib.h>

#include "analysis/alloc.h"
#include "analysis/arrived.h"

#define NS_PER_S 1e9
#define RATE_BIN_NS INT64_C(300000000000)
#define RATE_BIN_S 300.0
#define SERIES_BIN_S 60.0

/* The jobs that arrived before the run ended, and what is common to them. */
typedef struct arrived {
  const row_jobs **job;
  size_t n, finished;
  int64_t release; /* first */
  int64_t last;    /* last finish; 0 when none */
  int64_t ended;   /* end of the run */
} arrived;

static double seconds(int64_t ns) {
  return (double)ns / NS_PER_S;
}

static double ratio(double a, double b) {
  return b > 0 ? a / b : NAN;
}

static double rate_of(uint64_t Bps) {
  return Bps == UINT64_MAX ? INFINITY : (double)Bps;
}

static int by_value(const void *a, const void *b) {
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static arrived arrived_new(const tables *tb) {
  const row_jobs *jobs = TABLE_OF(tb, JOBS, jobs);
  size_t n = TABLE_N(tb, JOBS);
  arrived a = {.job = alloc_array(n, sizeof *a.job),
               .release = INT64_MAX,
               .ended = run_end(tb)};

  for (size_t i = 0; i < n; i++) {
    const row_jobs *j = &jobs[i];
    if (!job_arrived(j, a.ended)) {
      continue;
    }
    a.job[a.n++] = j;
    a.release = j->release_ns < a.release ? j->release_ns : a.release;
    if (j->end_ns >= 0) {
      a.finished++;
      a.last = j->end_ns > a.last ? j->end_ns : a.last;
    }
  }
  return a;
}

/* ---- times --------------------------------------------------------------- */

typedef struct spread {
  double mean, p50, p90, p95, p99, max;
} spread;

/* Sorts |x|. The mean of the sorted values, so that it has one value. */
static spread spread_of(double *x, size_t n) {
  double sum = 0;

  if (n == 0) {
    return (spread){NAN, NAN, NAN, NAN, NAN, NAN};
  }
  qsort(x, n, sizeof *x, by_value);
  for (size_t i = 0; i < n; i++) {
    sum += x[i];
  }
  return (spread){.mean = sum / (double)n,
                  .p50 = quantile_sorted(x, n, 0.50),
                  .p90 = quantile_sorted(x, n, 0.90),
                  .p95 = quantile_sorted(x, n, 0.95),
                  .p99 = quantile_sorted(x, n, 0.99),
                  .max = x[n - 1]};
}

static double since(const row_jobs *j, int64_t from) {
  return j->end_ns < 0 ? INFINITY : seconds(j->end_ns - from);
}

static void times(const arrived *a, row_summary *out) {
  double *x = alloc_array(a->n, sizeof *x), stalled = 0;

  for (size_t i = 0; i < a->n; i++) {
    x[i] = since(a->job[i], a->job[i]->arrival_ns);
    stalled += seconds(a->job[i]->stalled_ns);
  }
  spread c = spread_of(x, a->n);
  for (size_t i = 0; i < a->n; i++) {
    x[i] = since(a->job[i], a->job[i]->release_ns);
  }
  spread d = spread_of(x, a->n);
  free(x);

  out->completion_mean_s = c.mean;
  out->completion_p50_s = c.p50;
  out->completion_p90_s = c.p90;
  out->completion_p95_s = c.p95;
  out->completion_p99_s = c.p99;
  out->completion_max_s = c.max;
  out->done_at_mean_s = d.mean;
  out->done_at_p50_s = d.p50;
  out->done_at_p90_s = d.p90;
  out->done_at_p95_s = d.p95;
  out->done_at_p99_s = d.p99;
  out->done_at_max_s = d.max;
  out->stalled_mean_s = ratio(stalled, (double)a->n);
}

/* What a job's transfer could reach with the network to itself. */
static double rate_alone(const tables *tb, uint32_t device, double origin) {
  if (device >= TABLE_N(tb, DEVICES)) {
    return origin;
  }
  const row_devices *d = &TABLE_OF(tb, DEVICES, devices)[device];
  double r = fmin(origin, fmin(rate_of(d->down_Bps), rate_of(d->cap_Bps)));

  if (d->site < TABLE_N(tb, SITES)) {
    r = fmin(r, rate_of(TABLE_OF(tb, SITES, sites)[d->site].wan_down_Bps));
  }
  return r;
}

/* Jobs whose time alone is 0 or unknown have no stretch and are left out. */
static void stretch(const tables *tb, const arrived *a, row_summary *out) {
  const row_origins *origins = TABLE_OF(tb, ORIGINS, origins);
  double *x = alloc_array(a->n, sizeof *x), origin = 0;
  size_t n = 0;

  for (size_t i = 0; i < TABLE_N(tb, ORIGINS); i++) {
    origin = fmax(origin, rate_of(origins[i].rate_Bps));
  }
  for (size_t i = 0; i < a->n; i++) {
    const row_jobs *j = a->job[i];
    double alone = (double)j->bytes / rate_alone(tb, j->device, origin);
    if (j->bytes != UINT64_MAX && alone > 0 && isfinite(alone)) {
      x[n++] = since(j, j->arrival_ns) / alone;
    }
  }
  spread s = spread_of(x, n);
  free(x);
  out->stretch_p50 = s.p50;
  out->stretch_p95 = s.p95;
}

/* ---- bytes --------------------------------------------------------------- */

static void file_bytes(const tables *tb, row_summary *out) {
  const row_files *files = TABLE_OF(tb, FILES, files);

  for (size_t i = 0; i < TABLE_N(tb, FILES); i++) {
    const row_files *f = &files[i];
    out->bytes_origin += f->origin;
    out->bytes_peer +=
        f->peer_subnet + f->peer_site + f->peer_group + f->peer_internet;
    out->bytes_cache += f->cache;
    out->switches += f->switches;
    out->restarts += f->restarts > 0;
  }
  out->bytes_useful = out->bytes_origin + out->bytes_peer + out->bytes_cache;
}

static void network_bytes(const tables *tb, row_summary *out) {
  const row_origins *origins = TABLE_OF(tb, ORIGINS, origins);
  const row_sites *sites = TABLE_OF(tb, SITES, sites);

  for (size_t i = 0; i < TABLE_N(tb, ORIGINS); i++) {
    out->origin_egress += origins[i].egress;
  }
  for (size_t i = 0; i < TABLE_N(tb, SITES); i++) {
    out->bytes_cross_site += sites[i].bytes_down;
  }
  if (TABLE_N(tb, WORLD) > 0) {
    out->bytes_control = TABLE_OF(tb, WORLD, world)[0].control;
  }
}

static void shares(row_summary *out) {
  double useful = (double)out->bytes_useful;

  out->offload = 1 - ratio((double)out->origin_egress, useful);
  out->share_peer = ratio((double)out->bytes_peer, useful);
  out->share_cache = ratio((double)out->bytes_cache, useful);
  out->share_origin = ratio((double)out->bytes_origin, useful);
}

/* Jain, Chiu & Hawe 1984: (sum x)^2 / (n sum x^2). */
static void uploads(const tables *tb, row_summary *out) {
  const row_devices *d = TABLE_OF(tb, DEVICES, devices);
  size_t n = TABLE_N(tb, DEVICES);
  double squares = 0;
  uint64_t sum = 0, max = 0;

  for (size_t i = 0; i < n; i++) {
    sum += d[i].sent;
    squares += (double)d[i].sent * (double)d[i].sent;
    max = d[i].sent > max ? d[i].sent : max;
    out->bytes_wasted += d[i].wasted;
  }
  out->jain_upload = ratio((double)sum * (double)sum, (double)n * squares);
  out->upload_mean = ratio((double)sum, (double)n);
  out->upload_max = n > 0 ? (double)max : NAN;
}

/* ---- rates of the origins ------------------------------------------------ */

/* The bins of 300 s from 0 to |end|, all origins together. A bin without a row
   is 0; the last one is divided by its full length, as a carrier bills it. */
static double origin_p95(const tables *tb, int64_t end) {
  const row_link_rates *r = TABLE_OF(tb, LINK_RATES, link_rates);
  size_t n = (size_t)((end + RATE_BIN_NS - 1) / RATE_BIN_NS);
  double *bin = alloc_array(n, sizeof *bin);

  for (size_t i = 0; i < TABLE_N(tb, LINK_RATES); i++) {
    if (r[i].what == LINK_ORIGIN_UP && r[i].at_ns >= 0 && r[i].at_ns < end) {
      bin[r[i].at_ns / RATE_BIN_NS] += (double)r[i].bytes;
    }
  }
  qsort(bin, n, sizeof *bin, by_value);
  double p95 = quantile_sorted(bin, n, 0.95) / RATE_BIN_S;
  free(bin);
  return p95;
}

static void origin_rates(const tables *tb, const arrived *a, row_summary *out) {
  const row_series *series = TABLE_OF(tb, SERIES, series);
  int64_t end = a->n > 0 && a->finished == a->n ? a->last : a->ended;
  uint64_t peak = 0;

  out->origin_rate_mean_Bps = NAN;
  out->origin_rate_p95_Bps = NAN;
  if (end > 0 && end < INT64_MAX) {
    out->origin_rate_mean_Bps = (double)out->origin_egress / seconds(end);
    out->origin_rate_p95_Bps = origin_p95(tb, end);
  }
  for (size_t i = 0; i < TABLE_N(tb, SERIES); i++) {
    peak = series[i].origin > peak ? series[i].origin : peak;
  }
  out->origin_rate_peak_Bps =
      TABLE_N(tb, SERIES) > 0 ? (double)peak / SERIES_BIN_S : NAN;
}

/* ---- all ----------------------------------------------------------------- */

static void makespan(const tables *tb, const arrived *a, row_summary *out) {
  enum bound_term term;
  bool all = a->n > 0 && a->finished == a->n;

  out->makespan_s = all ? seconds(a->last - a->release) : NAN;
  out->lower_bound_s = bound_makespan_s(tb, &term);
  out->binding_bound = (uint8_t)term;
  out->efficiency = all ? ratio(out->lower_bound_s, out->makespan_s) : NAN;
}

static double shortfall(const tables *tb) {
  const row_world *w = TABLE_OF(tb, WORLD, world);

  return TABLE_N(tb, WORLD) > 0 ? w->shortfall : NAN;
}

void summary_compute(const tables *tb, row_summary *out) {
  arrived a = arrived_new(tb);

  *out = (row_summary){.devices = (uint32_t)TABLE_N(tb, DEVICES),
                       .jobs = (uint32_t)a.n,
                       .completed = (uint32_t)a.finished};
  times(&a, out);
  stretch(tb, &a, out);
  file_bytes(tb, out);
  network_bytes(tb, out);
  shares(out);
  uploads(tb, out);
  origin_rates(tb, &a, out);
  makespan(tb, &a, out);
  out->shortfall = shortfall(tb);
  free(a.job);
}
