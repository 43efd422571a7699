/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <time.h>

#include "fill.h"

static const size_t some[SCHEMA_NTABLES] = {
    [SCHEMA_SITES] = 20,        [SCHEMA_ORIGINS] = 2,   [SCHEMA_CONTENTS] = 1,
    [SCHEMA_DEVICES] = 5000,    [SCHEMA_HELD] = 0,      [SCHEMA_CAPACITY] = 7,
    [SCHEMA_JOBS] = 4097,       [SCHEMA_FILES] = 4096,  [SCHEMA_SERIES] = 720,
    [SCHEMA_LINK_RATES] = 99,   [SCHEMA_LINKS] = 42,    [SCHEMA_WORLD] = 1,
    [SCHEMA_TRANSFERS] = 20001, [SCHEMA_EVENTS] = 9000, [SCHEMA_SUMMARY] = 1};

static void *rows[SCHEMA_NTABLES];

static void make_rows(void) {
  fill_state = 7;
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    rows[t] = fill_rows((enum schema_table)t, some[t]);
  }
}

static void drop_rows(void) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    free(rows[t]);
    rows[t] = NULL;
  }
}

/* Records all rows, |step| at a time; |pause|: sleeps past a flush or two. */
static bool record_all(const char *path, record_level level, size_t step,
                       bool pause) {
  fail why = {0};
  record *r = record_open(path, level, &fill_header, &why);

  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    size_t size = schema_tables[t].row_size;
    for (size_t i = 0; i < some[t]; i += step) {
      size_t n = some[t] - i < step ? some[t] - i : step;
      record_rows(r, (enum schema_table)t, (char *)rows[t] + i * size, n);
      record_tick(r);
    }
    if (pause && (t == SCHEMA_FILES || t == SCHEMA_TRANSFERS)) {
      nanosleep(&(struct timespec){1, 50000000}, NULL);
    }
  }
  CU_ASSERT(record_status(r, &why));
  bool good = record_close(r, true, &why);
  if (!good) {
    printf("  %s\n", why.text);
  }
  return good;
}

static void test_round_trip(void) {
  const char *path = fill_path("a.h5");
  fail why = {0};
  trace t;

  make_rows();
  CU_ASSERT(record_all(path, LEVEL_EVENTS, 1000, false));
  CU_ASSERT(!fill_exists(fill_path("a.h5.spool")));
  CU_ASSERT(!fill_exists(fill_path("a.h5.tmp")));
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &why));
  CHECK_EQ(t.schema, SCHEMA_VERSION);
  CU_ASSERT(t.complete);
  CU_ASSERT(t.seed == fill_header.seed);
  CU_ASSERT_STRING_EQUAL(t.scenario_name, fill_header.scenario_name);
  CU_ASSERT_STRING_EQUAL(t.scenario_text, fill_header.scenario_text);
  CU_ASSERT_STRING_EQUAL(t.policy, fill_header.policy);
  CU_ASSERT_STRING_EQUAL(t.params, fill_header.params);
  CU_ASSERT_STRING_EQUAL(t.network, fill_header.network);
  CU_ASSERT_STRING_EQUAL(t.network_params, fill_header.network_params);
  CU_ASSERT_STRING_EQUAL(t.version, fill_header.version);
  CU_ASSERT_STRING_EQUAL(t.command, fill_header.command);
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    CU_ASSERT(t.table[i].present);
    CHECK_EQ(t.table[i].n, some[i]);
    CU_ASSERT(
        t.table[i].n == some[i] &&
        fill_same((enum schema_table)i, t.table[i].rows, rows[i], some[i]));
  }
  trace_free(&t);
  drop_rows();
  fill_done();
}

static void test_same_bytes(void) {
  make_rows();
  CU_ASSERT(record_all(fill_path("a.h5"), LEVEL_EVENTS, 1000, false));
  CU_ASSERT(record_all(fill_path("b.h5"), LEVEL_EVENTS, 7, true));
  CU_ASSERT(record_all(fill_path("c.h5"), LEVEL_EVENTS, 100000, false));
  CU_ASSERT(fill_same_files(fill_path("a.h5"), fill_path("c.h5")));
  CU_ASSERT(fill_same_files(fill_path("a.h5"), fill_path("b.h5")));
  drop_rows();
  fill_done();
}

TEST_SUITE("record",
           {"every table comes back as it was written", test_round_trip},
           {"equal rows make equal bytes whenever they are flushed",
            test_same_bytes})
