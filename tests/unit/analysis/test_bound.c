/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lower bound against closed forms worked by hand (references 1.1). */
#include <math.h>

#include "test.h"

#include "instance.h"

#define BITS(n) ((uint64_t)((n) / 8))
#define MIB(n) ((uint64_t)(n) << 20)
#define END (INT64_MAX / 2)

/* Kumar & Ross: max{F/u(S), F/min d, N F/(u(S) + sum u)}; all in bits. */
typedef struct swarm {
  double file, seed, up, down;
  unsigned n;
  double want;
  enum bound_term term;
} swarm;

static void swarm_build(const swarm *s) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(BITS(s->seed));
  add_content(BITS(s->file));
  for (uint32_t i = 0; i < s->n; i++) {
    add_device(0, BITS(s->down), BITS(s->up));
    add_job(i, 0, 0, 0);
  }
}

static void check_swarms(const swarm *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    swarm_build(&rows[i]);
    CHECK_BOUND(rows[i].want, rows[i].term);
  }
}

static void test_textbook(void) {
  static const swarm rows[] = {
      {15e9, 30e6, 300e3, 2e6, 10, 7500, BOUND_DEVICE_DOWN},
      {15e9, 30e6, 300e3, 2e6, 100, 25000, BOUND_TOTAL_UPLOAD},
      {15e9, 30e6, 300e3, 2e6, 1000, 15e12 / 330e6, BOUND_TOTAL_UPLOAD},
      {15e9, 30e6, 700e3, 2e6, 10, 7500, BOUND_DEVICE_DOWN},
      {15e9, 30e6, 700e3, 2e6, 100, 15000, BOUND_TOTAL_UPLOAD},
      {15e9, 30e6, 700e3, 2e6, 1000, 15e12 / 730e6, BOUND_TOTAL_UPLOAD},
      {15e9, 30e6, 2e6, 2e6, 10, 7500, BOUND_DEVICE_DOWN},
      {15e9, 30e6, 2e6, 2e6, 100, 7500, BOUND_DEVICE_DOWN},
      {15e9, 30e6, 2e6, 2e6, 1000, 7500, BOUND_DEVICE_DOWN},
      /* nobody uploads: client and server */
      {15e9, 30e6, 0, 2e6, 10, 7500, BOUND_DEVICE_DOWN},
      {15e9, 30e6, 0, 2e6, 100, 50000, BOUND_TOTAL_UPLOAD},
      {15e9, 30e6, 0, 2e6, 1000, 500000, BOUND_TOTAL_UPLOAD},
  };

  check_swarms(rows, sizeof rows / sizeof *rows);
}

static void test_instances(void) {
  static const swarm rows[] = {
      {32e9, 1e9, 10e6, 100e6, 1000, 32000 / 11.0, BOUND_TOTAL_UPLOAD},
      {32e9, 1e9, 0, 100e6, 1000, 32000, BOUND_TOTAL_UPLOAD},
      {32e9, 1e9, 10e6, 100e6, 10, 320, BOUND_DEVICE_DOWN},
      {32e9, 1e9, 10e6, 100e6, 100, 1600, BOUND_TOTAL_UPLOAD},
      {8e9, 10e6, 100e6, 1e9, 100, 800, BOUND_ORIGIN},
      {838860800, 6e6, 400e3, 1.5e6, 1000, 838860.8 / 406, BOUND_TOTAL_UPLOAD},
      {838860800, 6e6, 400e3, 1.5e6, 300, 251658.24 / 126, BOUND_TOTAL_UPLOAD},
  };

  check_swarms(rows, sizeof rows / sizeof *rows);
  CHECK_NEAR(838860.8 / 406, 2066.1596, 1e-7); /* as printed */
  CHECK_NEAR(251658.24 / 126, 1997.2876, 1e-7);
}

static void test_mixed_devices(void) {
  static const struct {
    unsigned n;
    double up, down;
  } kinds[] = {{500, 5e6, 50e6}, {300, 20e6, 100e6}, {200, 50e6, 500e6}};

  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(BITS(500e6));
  add_content(1000000000);
  for (size_t k = 0; k < 3; k++) {
    for (unsigned i = 0; i < kinds[k].n; i++) {
      add_job(add_device(0, BITS(kinds[k].down), BITS(kinds[k].up)), 0, 0, 0);
    }
  }
  CHECK_BOUND(8e6 / 19e3, BOUND_TOTAL_UPLOAD); /* 421.0526 s */
  for (size_t i = 0; i < instance.ndevices; i++) {
    instance.devices[i].up_Bps = 0;
  }
  CHECK_BOUND(16000, BOUND_TOTAL_UPLOAD);
}

/* R8: two files at once, five origins, every link 300 MB/s. */
static void test_two_files(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  for (int i = 0; i < 5; i++) {
    add_origin(300000000);
  }
  add_content(1500000000);
  add_content(1500000000);
  for (uint32_t i = 0; i < 2600; i++) {
    add_device(0, 300000000, 300000000);
    add_job(i, 0, 0, 0);
    add_job(i, 1, 1, 0);
  }
  CHECK_BOUND(10, BOUND_DEVICE_DOWN);
  for (size_t i = 0; i < 2600; i++) {
    instance.devices[i].down_Bps = UNLIMITED;
  }
  CHECK_BOUND(7.8e12 / (1.5e9 + 2600 * 3e8), BOUND_TOTAL_UPLOAD); /* 9.981 */
  for (size_t i = 0; i < 2600; i++) {
    instance.devices[i].up_Bps = UNLIMITED;
  }
  CHECK_BOUND(2, BOUND_ORIGIN);
}

/* ---- sites --------------------------------------------------------------- */

/* 650 MiB to 20 branches of 25. */
static void branch_office(uint64_t wan_down, uint64_t wan_up, uint64_t up,
                          uint64_t origin) {
  instance_clear(END);
  add_origin(origin);
  add_content(MIB(650));
  for (uint32_t s = 0; s < 20; s++) {
    add_site(wan_down, wan_up);
    for (uint32_t i = 0; i < 25; i++) {
      add_job(add_device(s, BITS(1e9), up), 0, 0, 0);
    }
  }
}

static void test_site_copy(void) {
  branch_office(BITS(20e6), BITS(5e6), BITS(1e9), BITS(4e9));
  CHECK_BOUND(272.62976, BOUND_SITE_COPY);
  add_hold(3, 0); /* one branch has a copy, the others still need one */
  CHECK_BOUND(272.62976, BOUND_SITE_COPY);
  for (uint32_t s = 1; s < 20; s++) {
    add_hold(25 * s, 0);
  }
  CHECK_BOUND(681574400 / 125e6, BOUND_DEVICE_DOWN);
}

static void test_site_total(void) {
  branch_office(BITS(20e6), BITS(5e6), 0, BITS(4e9));
  CHECK_BOUND(6815.744, BOUND_SITE_TOTAL);
  branch_office(BITS(20e6), BITS(5e6), BITS(4e6), BITS(4e9));
  CHECK_BOUND(25 * 5452595200.0 / (20e6 + 25 * 4e6), BOUND_SITE_TOTAL);
}

static void test_origin_sites(void) {
  branch_office(UNLIMITED, 0, BITS(1e9), BITS(4e9));
  CHECK_BOUND(20 * 681574400.0 / 5e8, BOUND_ORIGIN_SITES); /* 27.263 s */
  /* Sites may also pass it to each other, if the policy's scope lets them. */
  branch_office(UNLIMITED, BITS(5e6), BITS(1e9), BITS(4e9));
  CHECK_BOUND(20 * 681574400.0 / (5e8 + 20 * 625000), BOUND_ORIGIN_SITES);
}

/* Two sites ask for a large content at 0 and for a small one at 500 s. */
static void test_origin_sites_arrivals(void) {
  instance_clear(END);
  add_origin(10);
  add_content(1000);
  add_content(100);
  for (uint32_t s = 0; s < 2; s++) {
    add_site(UNLIMITED, 0);
    add_device(s, UNLIMITED, UNLIMITED);
    add_job(s, 0, 0, 0);
    add_job(s, 1, 1, 500 * S_NS);
  }
  CHECK_BOUND(520, BOUND_ORIGIN_SITES);
}

/* Evenly spaced over two hours, the last one 144 s before the end. */
static void test_site_arrivals(void) {
  branch_office(BITS(20e6), BITS(5e6), 0, BITS(4e9));
  for (size_t i = 0; i < instance.njobs; i++) {
    instance.jobs[i].arrival_ns = (144 + 288 * (int64_t)(i % 25)) * S_NS;
  }
  CHECK_BOUND(7056 + 272.62976, BOUND_SITE_TOTAL);
}

static void test_site_of_one(void) {
  instance_clear(END);
  add_site(100, 10);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(UNLIMITED);
  add_content(1000);
  add_job(add_device(0, 1000, 1000), 0, 0, 0);
  add_hold(add_device(1, 1000, 1000), 0);
  CHECK_BOUND(10, BOUND_SITE_TOTAL); /* its own upload does not help it */
}

static void test_site_holds(void) {
  instance_clear(END);
  add_site(10, 10);
  add_origin(1000);
  add_content(1000);
  add_job(add_device(0, 500, 0), 0, 0, 0);
  CHECK_BOUND(100, BOUND_SITE_TOTAL);
  add_hold(add_device(0, 500, 190), 0);
  CHECK_BOUND(5, BOUND_SITE_TOTAL); /* 1000 / (10 + 190) */
}

/* ---- arrivals ------------------------------------------------------------ */

static void test_own_arrival(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(UNLIMITED);
  add_content(1000);
  add_job(add_device(0, 100, 0), 0, 0, 5 * S_NS);
  add_job(add_device(0, 1000, 0), 0, 0, 13 * S_NS);
  CHECK_BOUND(15, BOUND_DEVICE_DOWN); /* 5 + 10 against 13 + 1 */
  instance.jobs[1].arrival_ns = 17 * S_NS;
  CHECK_BOUND(18, BOUND_DEVICE_DOWN);
}

static void test_released_later(void) {
  test_own_arrival();
  instance.jobs[0].release_ns = 4 * S_NS;
  instance.jobs[1].release_ns = 6 * S_NS;
  CHECK_BOUND(14, BOUND_DEVICE_DOWN);
}

/* max over k of a_k + (N - k + 1) F / (R + sum u) */
static void test_arrivals(void) {
  double want = 0;

  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(1000);
  add_content(10000);
  for (int64_t k = 0; k < 40; k++) { /* a crowd, then stragglers */
    int64_t at = k < 10 ? k : 50 + k;
    add_job(add_device(0, UNLIMITED, 25), 0, 0, at * S_NS);
    double t = (double)at + (double)(40 - k) * 10000 / (1000 + 40 * 25);
    want = t > want ? t : want;
  }
  CHECK_BOUND(want, BOUND_ARRIVALS);
  CU_ASSERT(want > 200); /* more than all of them from 0 */
}

/* Its job needs nothing but cannot end before it arrives. */
static void test_held_arrival(void) {
  instance_clear(END);
  add_site(10, 10);
  add_origin(10);
  add_content(1000);
  add_hold(add_device(0, 10, 10), 0);
  add_job(0, 0, 0, 7 * S_NS);
  CHECK_BOUND(7, BOUND_DEVICE_DOWN);
}

static void test_not_arrived(void) {
  instance_clear(100 * S_NS);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(10);
  add_content(1000);
  add_job(add_device(0, UNLIMITED, 0), 0, 0, 2 * S_NS);
  add_job(add_device(0, UNLIMITED, 0), 0, 0, 101 * S_NS);
  add_job(add_device(0, UNLIMITED, 1000), 0, 0, -1);
  CHECK_BOUND(102, BOUND_ORIGIN); /* the third never has anything to upload */
}

/* ---- copies -------------------------------------------------------------- */

static void test_holders_are_seeds(void) {
  static const swarm s = {8e6, 1e6, 1e6, 1e9, 9, 8, BOUND_TOTAL_UPLOAD};

  swarm_build(&s);
  CHECK_BOUND(8, BOUND_ORIGIN); /* 9 F / (10 u) is less */
  add_hold(0, 0);
  add_hold(0, 0); /* a row too many counts once */
  CHECK_BOUND(8 * 8 / 10.0, BOUND_TOTAL_UPLOAD); /* first copies take 4 s */
  for (uint32_t i = 1; i < 9; i++) {
    add_hold(i, 0);
  }
  CHECK_BOUND(0, BOUND_NONE);
}

static void test_first_copies_together(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(10);
  add_content(1000);
  add_content(1000);
  add_content(3000);
  for (uint32_t c = 0; c < 3; c++) {
    add_job(add_device(0, UNLIMITED, UNLIMITED), 0, c, 0);
  }
  CHECK_BOUND(500, BOUND_ORIGIN);
  add_hold(add_device(0, 1, 40), 2); /* now 5000 / 50 = 100, 2000 / 10 = 200 */
  CHECK_BOUND(200, BOUND_ORIGIN);
  instance.jobs[0].arrival_ns = 150 * S_NS; /* 150 + 1000 / 10 */
  CHECK_BOUND(250, BOUND_ORIGIN);
}

static void test_asked_twice(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(10);
  add_content(1000);
  add_device(0, 10, 0);
  add_job(0, 0, 0, 0);
  add_job(0, 1, 0, 20 * S_NS); /* may be there already */
  CHECK_BOUND(100, BOUND_ORIGIN);
}

/* One job number, several tasks on a device, as catalogues make. */
static void test_tasks_of_one_job(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(UNLIMITED);
  add_content(1000);
  add_content(2000);
  add_device(0, 10, 0);
  add_job(0, 0, 0, 0);
  add_job(0, 0, 1, 500 * S_NS);
  CHECK_BOUND(700, BOUND_DEVICE_DOWN);
  row_files first = instance.files[0]; /* rows of files in another order */
  instance.files[0] = instance.files[1];
  instance.files[1] = first;
  instance.files[1].start_ns = 0;
  CHECK_BOUND(500, BOUND_DEVICE_DOWN); /* still valid, not so tight */
}

static void test_part_of_content(void) {
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(10);
  add_content(1000);
  add_job(add_device(0, 100, 0), 0, 0, 0);
  instance.files[0].size = 400;
  CHECK_BOUND(40, BOUND_ORIGIN);
  instance.files[0].size = UINT64_MAX; /* unknown to the client */
  CHECK_BOUND(100, BOUND_ORIGIN);
}

static void test_nothing(void) {
  tables empty = {0};
  enum bound_term term;

  CHECK_NEAR(bound_makespan_s(&empty, &term), 0, 0);
  CHECK_EQ(term, BOUND_NONE);
  instance_clear(END);
  add_site(UNLIMITED, UNLIMITED);
  add_origin(UNLIMITED);
  add_content(1000);
  add_job(add_device(0, UNLIMITED, UNLIMITED), 0, 0, 0);
  CHECK_BOUND(0, BOUND_NONE);
}

static void test_dead_link(void) {
  enum bound_term term;

  instance_clear(END);
  add_site(0, 10);
  add_origin(10);
  add_content(1000);
  add_job(add_device(0, 10, 10), 0, 0, 0);
  CU_ASSERT(isinf(bound_of(&term)));
}

TEST_SUITE(
    "lower bound",
    {"the textbook's table of swarms and servers", test_textbook},
    {"further swarms", test_instances},
    {"a swarm of unequal devices", test_mixed_devices},
    {"two files at once: download, uploads and origins in turn",
     test_two_files},
    {"one copy has to cross the uplink of a site without one", test_site_copy},
    {"a site's uplink and its own uploads carry all it needs", test_site_total},
    {"one copy per site leaves the origins or another site", test_origin_sites},
    {"copies that sites ask for late leave the origins late",
     test_origin_sites_arrivals},
    {"a site without uploads, arrivals over two hours", test_site_arrivals},
    {"a device's own upload does not serve it", test_site_of_one},
    {"a copy inside the site replaces the one over the uplink",
     test_site_holds},
    {"a device cannot end before arrival plus its own download",
     test_own_arrival},
    {"the makespan counts from the first release", test_released_later},
    {"what the last devices need comes after they arrive", test_arrivals},
    {"a job that needs nothing still has to arrive", test_held_arrival},
    {"jobs that have not arrived do not count", test_not_arrived},
    {"devices that hold the file are seeds", test_holders_are_seeds},
    {"several contents leave the union of their holders",
     test_first_copies_together},
    {"a content asked for twice moves once", test_asked_twice},
    {"each task of a catalogue has its own arrival", test_tasks_of_one_job},
    {"ranges of a file count as what is asked for", test_part_of_content},
    {"unlimited links and empty tables give no bound", test_nothing},
    {"a link that is dead all along gives an infinite bound", test_dead_link})
