/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces made up for tests of analysis: |devices| that fetch one file, part of
 * it from peers. What is asked for is what comes out, up to a small spread that
 * depends on the seed alone, so that paired differences are known.
 */
#ifndef TESTS_SYNTHETIC_H
#define TESTS_SYNTHETIC_H

#include <stdlib.h>
#include <unistd.h>

#include "analysis/compare.h"
#include "analysis/figures.h"
#include "analysis/summary.h"
#include "record/record.h"

#define SYN_SIZE (UINT64_C(64) << 20)
#define SYN_SECOND INT64_C(1000000000)

typedef struct synthetic {
  const char *policy;
  uint64_t seed;
  uint32_t devices;
  double peer_share;   /* of each device's bytes */
  double pace_s;       /* between the completions of two devices */
  uint32_t unfinished; /* devices that never finish */
  uint64_t wasted;     /* per device, from the origin */
  record_level level;
  bool interrupted;
  uint64_t misbooked; /* bytes in the first device's ledger that no transfer
                         delivered */
} synthetic;

static uint64_t syn_draw(uint64_t *state) {
  *state =
      *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *state >> 33;
}

/* Uniform in [0, 1). */
static double syn_unit(uint64_t *state) {
  return (double)syn_draw(state) / 2147483648.0;
}

static void syn_world(record *r, const synthetic *s, uint64_t egress) {
  row_sites site = {.name = "branch[0]",
                    .devices = s->devices,
                    .wan_down_Bps = 2500000,
                    .wan_up_Bps = 625000};
  row_origins origin = {.name = "cdn",
                        .rate_Bps = 25000000,
                        .connections = UINT32_MAX,
                        .egress = egress};
  row_contents content = {
      .name = "update", .size = SYN_SIZE, .piece_bytes = 1 << 20};
  row_capacity c = {
      .what = CAPACITY_SITE, .down_Bps = 2500000, .up_Bps = 625000};

  record_rows(r, SCHEMA_SITES, &site, 1);
  record_rows(r, SCHEMA_ORIGINS, &origin, 1);
  record_rows(r, SCHEMA_CONTENTS, &content, 1);
  record_rows(r, SCHEMA_CAPACITY, &c, 1);
  c = (row_capacity){
      .what = CAPACITY_ORIGIN, .down_Bps = 25000000, .up_Bps = 25000000};
  record_rows(r, SCHEMA_CAPACITY, &c, 1);
}

static void syn_transfer(record *r, uint32_t d, int64_t at, uint64_t bytes,
                         uint64_t useful, bool peer) {
  row_transfers t = {.asked_ns = at,
                     .first_ns = at + SYN_SECOND / 10,
                     .end_ns = at + SYN_SECOND,
                     .waited_ns = peer ? 0 : 2 * SYN_SECOND,
                     .device = d,
                     .asked = bytes,
                     .delivered = bytes,
                     .useful = useful,
                     .rejected = peer ? 0 : 1u << XL_REASON_PEER_BUSY,
                     .kind = peer ? XL_SOURCE_PEER : XL_SOURCE_ORIGIN,
                     .class = peer ? XL_CLASS_PEER_SUBNET : XL_CLASS_ORIGIN,
                     .scope = peer ? XL_SCOPE_SUBNET : XL_SCOPE_NONE,
                     .outcome = XL_END_DONE,
                     .reason = peer         ? XL_REASON_PEER_HAS_IT
                               : d % 3 == 0 ? XL_REASON_FIRST_COPY
                                            : XL_REASON_NO_PEER_HAS_IT};
  record_rows(r, SCHEMA_TRANSFERS, &t, 1);
}

/* One device: its job, its file and its transfers. Returns the finish, ns. */
static int64_t syn_device(record *r, const synthetic *s, uint32_t d,
                          uint64_t *rng, uint64_t *from_origin,
                          uint64_t *from_peer) {
  bool open = d < s->unfinished;
  int64_t arrival = (int64_t)(syn_unit(rng) * 600 * 1e9);
  double took = s->pace_s * (d + 1) * (0.95 + 0.1 * syn_unit(rng));
  int64_t end = arrival + (int64_t)(took * 1e9);
  uint64_t size = open ? SYN_SIZE / 2 : SYN_SIZE;
  uint64_t peer =
      (uint64_t)((double)size * s->peer_share * (0.98 + 0.02 * syn_unit(rng)));
  row_devices device = {.class_name = "pc",
                        .group = UINT32_MAX,
                        .down_Bps = 125000000,
                        .up_Bps = 125000000,
                        .cap_Bps = UINT64_MAX,
                        .received = size + s->wasted,
                        .sent = peer,
                        .sent_subnet = peer,
                        .wasted = s->wasted};
  row_jobs job = {.device = d,
                  .files = 1,
                  .arrival_ns = arrival,
                  .start_ns = arrival,
                  .end_ns = open ? -1 : end,
                  .bytes = SYN_SIZE,
                  .state = open ? XL_JOB_TRANSFERRING : XL_JOB_TRANSFERRED};
  row_files file = {.device = d,
                    .size = SYN_SIZE,
                    .transferred = size,
                    .start_ns = arrival,
                    .end_ns = open ? -1 : end,
                    .origin = size - peer,
                    .peer_subnet = peer,
                    .duplicate = s->wasted + (d == 0 ? s->misbooked : 0)};

  record_rows(r, SCHEMA_DEVICES, &device, 1);
  record_rows(r, SCHEMA_JOBS, &job, 1);
  record_rows(r, SCHEMA_FILES, &file, 1);
  syn_transfer(r, d, arrival, size - peer + s->wasted, size - peer, false);
  if (peer > 0) {
    syn_transfer(r, d, arrival, peer, peer, true);
  }
  *from_origin += size - peer + s->wasted;
  *from_peer += peer;
  return open ? 12 * 3600 * SYN_SECOND : end;
}

/* Bytes spread over the run, more of them at its start. */
static void syn_series(record *r, const synthetic *s, int64_t end,
                       uint64_t origin, uint64_t peer) {
  int64_t bin = 60 * SYN_SECOND, n = end / bin + 1;

  for (int64_t i = 0; i < n; i++) {
    uint64_t weight = (uint64_t)(2 * (n - i) - 1), all = (uint64_t)(n * n);
    row_series row = {.at_ns = i * bin,
                      .origin = origin / all * weight,
                      .peer = peer / all * weight,
                      .online = s->devices};
    record_rows(r, SCHEMA_SERIES, &row, 1);
    if (i % 5 == 0) {
      row_link_rates rate = {
          .what = LINK_ORIGIN_UP, .at_ns = row.at_ns, .bytes = 5 * row.origin};
      record_rows(r, SCHEMA_LINK_RATES, &rate, 1);
    }
  }
}

static bool syn_trace(const char *path, const synthetic *s, fail *why) {
  record_header h = {.scenario_name = "made-up",
                     .scenario_text = "name: made-up\n"
                                      "description: A <small> office & its "
                                      "\"update\"\n"
                                      "source: assumed\n",
                     .policy = s->policy,
                     .params = "{\"http_delay\": \"60s\"}",
                     .network = "fluid",
                     .network_params = "{}",
                     .seed = s->seed,
                     .command = "xferlab run made-up.yaml",
                     .version = "0.1.0"};
  uint64_t rng = s->seed * 7919 + 1, origin = 0, peer = 0;
  int64_t end = 0;

  unlink(path);
  record *r = record_open(path, s->level, &h, why);
  if (r == NULL) {
    return false;
  }
  for (uint32_t d = 0; d < s->devices; d++) {
    int64_t at = syn_device(r, s, d, &rng, &origin, &peer);
    end = at > end ? at : end;
  }
  syn_world(r, s, origin);
  syn_series(r, s, end, origin, peer);
  row_world w = {.sent = origin + peer,
                 .received = origin + peer,
                 .ended_ns = end,
                 .duration_ns = 12 * 3600 * SYN_SECOND,
                 .complete = !s->interrupted};
  record_rows(r, SCHEMA_WORLD, &w, 1);
  if (!s->interrupted) {
    row_summary sum;
    tables tb = {0};
    for (unsigned t = 0; t < SCHEMA_NTABLES; t++) {
      tb.t[t].rows = record_table(r, t, &tb.t[t].n);
    }
    summary_compute(&tb, &sum);
    record_rows(r, SCHEMA_SUMMARY, &sum, 1);
  }
  return record_close(r, !s->interrupted, why);
}

/* ---- a whole comparison -------------------------------------------------- */

enum { SYN_POLICIES = 16, SYN_SEEDS = 16 };

typedef struct syn_study {
  char dir[256];
  char paths[SYN_POLICIES * SYN_SEEDS][320];
  compare_run runs[SYN_POLICIES * SYN_SEEDS];
  const char *policies[SYN_POLICIES];
  compare_input in;
} syn_study;

static void syn_folder(char *out, size_t len);

/* Traces of |npolicies| shapes, seeds 1 .. |nseeds|, in a new folder. */
static void syn_compare(syn_study *c, const synthetic *shapes, size_t npolicies,
                        size_t nseeds) {
  fail why = {0};

  *c = (syn_study){0};
  syn_folder(c->dir, sizeof c->dir);
  for (size_t i = 0; i < npolicies * nseeds; i++) {
    synthetic s = shapes[i / nseeds];
    s.seed = i % nseeds + 1;
    snprintf(c->paths[i], sizeof c->paths[i], "%s/p%zu-s%zu.h5", c->dir,
             i / nseeds, i % nseeds);
    if (!syn_trace(c->paths[i], &s, &why)) {
      printf("%s\n", why.text);
      exit(1);
    }
    c->policies[i / nseeds] = shapes[i / nseeds].policy;
    c->runs[i] = (compare_run){s.policy, s.seed, c->paths[i]};
  }
  c->in = (compare_input){.scenario = "made-up",
                          .network = "fluid",
                          .runs = c->runs,
                          .nruns = npolicies * nseeds,
                          .policies = c->policies,
                          .npolicies = npolicies,
                          .nseeds = nseeds,
                          .dir = c->dir,
                          .command = "xferlab compare made-up.yaml"};
}

/* What compare_write prints; owned. |why| tells how it went. */
static char *syn_run(const syn_study *c, fail *why) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);

  *why = (fail){0};
  compare_write(&c->in, out, why);
  fclose(out);
  return text;
}

/* A file of the folder as a string, owned; NULL: not there. */
static char *syn_read(const char *dir, const char *name) {
  char path[600], *text = NULL;
  size_t len = 0;
  int ch;

  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *in = fopen(path, "rb");
  if (in == NULL) {
    return NULL;
  }
  FILE *out = open_memstream(&text, &len);
  while ((ch = fgetc(in)) != EOF) {
    fputc(ch, out);
  }
  fclose(in);
  fclose(out);
  return text;
}

static void syn_remove(const syn_study *c) {
  static const char *const ends[] = {"tsv", "gp", "svg", "png"};
  char path[600];

  for (size_t i = 0; i < c->in.nruns; i++) {
    unlink(c->paths[i]);
    snprintf(path, sizeof path, "%s.report.html", c->paths[i]);
    unlink(path);
  }
  for (figure f = 0; f < NFIGURES; f++) {
    for (size_t e = 0; e < 4; e++) {
      snprintf(path, sizeof path, "%s/figures/%s.%s", c->dir, figure_name(f),
               ends[e]);
      unlink(path);
      snprintf(path, sizeof path, "%s.figures/%s.%s", c->paths[0],
               figure_name(f), ends[e]);
      unlink(path);
    }
  }
  static const char *const files[] = {"figures/gnuplot.log", "compare.h5",
                                      "compare.json", "report.html"};
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s", c->dir, files[i]);
    unlink(path);
  }
  snprintf(path, sizeof path, "%s.figures", c->paths[0]);
  rmdir(path);
  snprintf(path, sizeof path, "%s/figures", c->dir);
  rmdir(path);
  rmdir(c->dir);
}

/* ---- folders ------------------------------------------------------------- */

/* A new folder in the temporary one; its name has a space and a quote. */
static void syn_folder(char *out, size_t len) {
  const char *tmp = getenv("TMPDIR");

  snprintf(out, len, "%s/xferlab it's a test XXXXXX",
           tmp != NULL ? tmp : "/tmp");
  if (mkdtemp(out) == NULL) {
    perror(out);
    exit(1);
  }
}

#endif
