/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random worlds, recorded with the metrics that summary_compute gives, and read
 * by tests/readers/read_trace.py, which computes them again on its own. The
 * worlds hold what the metrics tell apart: jobs that never finish, arrive too
 * late or run twice, equal instants, held copies, unlimited links, restarts.
 */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "instance.h"
#include "record/record.h"

#define READER "/usr/bin/python3 tests/readers/read_trace.py"
enum { WORLDS = 100 };

static uint64_t state;

static uint64_t draw(uint64_t n) { /* 0 .. n - 1, splitmix64 */
  uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (z ^ z >> 31) % n;
}

static uint64_t draw_rate(void) {
  return draw(20) == 0 ? UINT64_MAX : 1000 + draw(5000000);
}

static void draw_places(void) {
  uint64_t nsites = 1 + draw(4), norigins = 1 + draw(3), n = 1 + draw(5);

  for (uint64_t i = 0; i < nsites; i++) {
    add_sites((row_sites){.wan_down_Bps = draw_rate(),
                          .wan_up_Bps = draw_rate(),
                          .bytes_down = draw(UINT64_C(1) << 40)});
  }
  for (uint64_t i = 0; i < norigins; i++) {
    add_origins((row_origins){.rate_Bps = draw_rate(),
                              .egress = draw(UINT64_C(1) << 30)});
  }
  for (uint64_t i = 0; i < n; i++) {
    add_content(draw(8) == 0 ? 0 : 1 + draw(UINT64_C(1) << 32));
  }
}

static void draw_devices(void) {
  uint64_t n = 1 + draw(12), idle = draw(4);

  for (uint64_t i = 0; i < n; i++) {
    add_devices((row_devices){.site = (uint32_t)draw(instance.nsites),
                              .down_Bps = draw_rate(),
                              .up_Bps = draw_rate(),
                              .cap_Bps = draw_rate(),
                              .received = draw(UINT64_C(1) << 33),
                              .sent = idle == 0 ? 0 : draw(UINT64_C(1) << 33),
                              .wasted = draw(1000000)});
    if (draw(4) == 0) {
      add_hold((uint32_t)i, (uint32_t)draw(instance.ncontents));
    }
  }
}

static void draw_file(const row_jobs *j, uint32_t content) {
  row_files f = {.device = j->device,
                 .job = j->job,
                 .content = content,
                 .size = instance.contents[content].size,
                 .start_ns = j->arrival_ns,
                 .end_ns = j->end_ns,
                 .switches = (uint32_t)draw(3),
                 .restarts = (uint32_t)draw(3),
                 .origin = draw(1000000),
                 .peer_subnet = draw(1000000),
                 .peer_site = draw(1000000),
                 .peer_group = draw(1000),
                 .peer_internet = draw(1000),
                 .cache = draw(2) * draw(1000),
                 .duplicate = draw(100)};

  f.transferred = f.origin + f.peer_subnet + f.peer_site + f.peer_group +
                  f.peer_internet + f.cache;
  add_files(f);
}

static void draw_jobs(void) {
  uint64_t all_done = draw(2), n = draw(15) == 0 ? 0 : 1 + draw(20);
  int64_t end = instance.world[0].ended_ns;

  for (uint64_t i = 0; i < n; i++) {
    int64_t release = (int64_t)draw(100) * S_NS;
    int64_t arrival = release + (int64_t)draw(40) * 10 * S_NS;
    int64_t took = (int64_t)draw(1u << 20) * 100000 + 1;
    bool late = draw(10) == 0, done = all_done != 0 || draw(6) != 0;
    row_jobs *j =
        add_jobs((row_jobs){.device = (uint32_t)draw(instance.ndevices),
                            .job = (uint32_t)draw(2),
                            .files = (uint32_t)draw(3),
                            .release_ns = release,
                            .arrival_ns = late ? end + 1 : arrival,
                            .start_ns = arrival,
                            .end_ns = late || !done ? -1 : arrival + took,
                            .stalled_ns = (int64_t)draw(1000000000)});
    for (uint32_t k = 0; k < j->files; k++) {
      uint32_t content = (uint32_t)draw(instance.ncontents);
      j->bytes += instance.contents[content].size;
      draw_file(j, content);
    }
  }
}

static void draw_rates(record *r) {
  for (int64_t i = 0; i < (int64_t)draw(40); i++) {
    add_series((row_series){.at_ns = i * 60 * S_NS,
                            .origin = draw(UINT64_C(1) << 30)});
  }
  for (uint32_t o = 0; o < instance.norigins; o++) {
    row_links link = {.what = LINK_ORIGIN_UP, .index = o};
    for (int64_t i = 0; i < 10; i++) {
      uint64_t bytes = draw(3) * draw(UINT64_C(1) << 30);
      if (bytes > 0) {
        add_link_rates((row_link_rates){.what = LINK_ORIGIN_UP,
                                        .index = o,
                                        .at_ns = i * 300 * S_NS,
                                        .bytes = bytes});
        link.bytes += bytes;
      }
    }
    record_rows(r, SCHEMA_LINKS, &link, 1);
  }
}

/* Jobs end late enough for the bound to hold. */
static void obey_bound(void) {
  enum bound_term term;
  double bound = bound_of(&term);

  for (size_t i = 0; i < instance.njobs; i++) {
    row_jobs *j = &instance.jobs[i];
    j->end_ns += j->end_ns >= 0 ? (int64_t)(bound * 1e9) + 1 : 0;
  }
  for (size_t i = 0; i < instance.nfiles; i++) {
    row_files *f = &instance.files[i];
    f->end_ns += f->end_ns >= 0 ? (int64_t)(bound * 1e9) + 1 : 0;
  }
}

/* Sums that hold in every world. */
static void close_ledger(void) {
  row_world *w = &instance.world[0];

  w->in_flight = draw(1000);
  w->lost = draw(1000);
  w->control = draw(1000000);
  for (size_t i = 0; i < instance.ndevices; i++) {
    w->received += instance.devices[i].received;
    w->sent += instance.devices[i].sent;
  }
  instance.origins[0].egress += w->received + w->in_flight + w->lost;
  for (size_t i = 0; i < instance.norigins; i++) {
    w->sent += instance.origins[i].egress;
  }
  w->lost = w->sent - w->received - w->in_flight;
}

static void record_world(const char *path, uint64_t seed, double skew) {
  record_header h = {.scenario_name = "random", .seed = seed};
  fail why = {0};
  row_summary sum;

  record *r = record_open(path, LEVEL_FILES, &h, &why);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  state = seed;
  instance_clear((1 + (int64_t)draw(4000)) * S_NS);
  draw_places();
  draw_devices();
  draw_jobs();
  draw_rates(r);
  close_ledger();
  obey_bound();
  tables tb = instance_tables();
  summary_compute(&tb, &sum);
  sum.stalled_mean_s *= skew;
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    record_rows(r, (enum schema_table)t, tb.t[t].rows, tb.t[t].n);
  }
  record_rows(r, SCHEMA_SUMMARY, &sum, 1);
  CU_ASSERT(record_close(r, true, &why));
}

static bool can_read(void) {
  if (system("/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null") == 0) {
    return true;
  }
  printf("SKIP metrics, independent reader: python3-h5py is not installed\n");
  return false;
}

/* Records |n| worlds and has them read. */
static int read_worlds(unsigned n, double skew, const char *to) {
  char dir[] = "/tmp/xferlab-reader-XXXXXX", path[64], command[256];

  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  for (unsigned i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%02u.h5", dir, i);
    record_world(path, i + 1, skew);
  }
  snprintf(command, sizeof command, READER " %s/*.h5 >%s/out", dir, dir);
  int status = system(command);
  if (status != 0) {
    snprintf(command, sizeof command, "grep -B3 DIFFERS %s/out | head -20 %s",
             dir, to);
    CU_ASSERT(system(command) == 0);
  }
  snprintf(command, sizeof command, "rm -rf %s", dir);
  CU_ASSERT(system(command) == 0);
  return status;
}

static void test_metrics(void) {
  if (can_read()) {
    CHECK_EQ(read_worlds(WORLDS, 1, ""), 0);
  }
}

static void test_notices(void) {
  if (can_read()) {
    CU_ASSERT(read_worlds(3, 1 + 1e-8, ">/dev/null") != 0);
  }
}

TEST_SUITE("metrics, independent reader",
           {"every metric equals what another reader computes from the tables",
            test_metrics},
           {"the other reader notices a metric that is wrong by 1e-8",
            test_notices})
