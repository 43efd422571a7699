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

static void test_levels(void) {
  static const uint32_t on[] = {
      [LEVEL_SUMMARY] = 1u << SCHEMA_SUMMARY | 1u << SCHEMA_WORLD |
                        1u << SCHEMA_SITES | 1u << SCHEMA_ORIGINS |
                        1u << SCHEMA_CONTENTS | 1u << SCHEMA_LINKS,
      [LEVEL_SERIES] = 1u << SCHEMA_SERIES | 1u << SCHEMA_LINK_RATES,
      [LEVEL_FILES] = 1u << SCHEMA_DEVICES | 1u << SCHEMA_HELD |
                      1u << SCHEMA_CAPACITY | 1u << SCHEMA_JOBS |
                      1u << SCHEMA_FILES,
      [LEVEL_TRANSFERS] = 1u << SCHEMA_TRANSFERS,
      [LEVEL_EVENTS] = 1u << SCHEMA_EVENTS};
  uint32_t want = 0;

  make_rows();
  for (int level = LEVEL_SUMMARY; level <= LEVEL_EVENTS; level++) {
    const char *path = fill_path("level.h5");
    trace t;
    want |= on[level];
    CU_ASSERT(record_all(path, (record_level)level, 500, false));
    CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
    for (unsigned i = 0; i < SCHEMA_NTABLES; i++) {
      bool there = (want >> i & 1) != 0;
      CHECK_EQ(t.table[i].present, there);
      CHECK_EQ(t.table[i].n, there ? some[i] : 0);
    }
    trace_free(&t);
  }
  CHECK_EQ(want, (1u << SCHEMA_NTABLES) - 1);
  drop_rows();
  fill_done();
}

static void test_in_memory(void) {
  record *r = record_open(NULL, LEVEL_EVENTS, &fill_header, &(fail){0});
  const char *path = fill_path("low.h5");
  record *low = record_open(path, LEVEL_SUMMARY, &fill_header, &(fail){0});

  make_rows();
  CU_ASSERT_FATAL(r != NULL && low != NULL);
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    enum schema_table t = (enum schema_table)i;
    bool kept = t != SCHEMA_TRANSFERS && t != SCHEMA_EVENTS;
    size_t n, m;
    record_rows(r, t, rows[i], some[i]);
    record_rows(low, t, rows[i], some[i]);
    record_tick(r);
    const void *have = record_table(r, t, &n);
    const void *also = record_table(low, t, &m);
    CHECK_EQ(n, kept ? some[i] : 0);
    CHECK_EQ(m, kept ? some[i] : 0);
    CU_ASSERT(n == 0 || fill_same(t, have, rows[i], n));
    CU_ASSERT(m == 0 || fill_same(t, also, rows[i], m));
  }
  CU_ASSERT(record_close(r, true, &(fail){0}));
  CU_ASSERT(record_close(low, true, &(fail){0}));
  drop_rows();
  fill_done();
}

static void test_mask(void) {
  const char *path = fill_path("a.h5");
  trace t;

  make_rows();
  CU_ASSERT(record_all(path, LEVEL_EVENTS, 1000, false));
  CU_ASSERT_FATAL(trace_read(&t, path, 1u << SCHEMA_WORLD, &(fail){0}));
  CHECK_EQ(t.table[SCHEMA_WORLD].n, 1);
  CHECK_EQ(t.table[SCHEMA_JOBS].n, 0);
  CU_ASSERT_PTR_NULL(t.table[SCHEMA_TRANSFERS].rows);
  trace_free(&t);
  drop_rows();
  fill_done();
}

static void test_long_text(void) {
  const char *path = fill_path("long.h5");
  size_t len = 200000;
  char *text = malloc(len + 1);
  record_header h = fill_header;
  fail why = {0};
  trace t;

  assert(text != NULL);
  memset(text, 'x', len);
  text[len] = '\0';
  h.scenario_text = text;
  h.params = "";
  record *r = record_open(path, LEVEL_SUMMARY, &h, &why);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT(record_close(r, true, &why));
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &why));
  CU_ASSERT_STRING_EQUAL(t.scenario_text, text);
  CU_ASSERT_STRING_EQUAL(t.params, "");
  trace_free(&t);
  h.params = text;
  CU_ASSERT_PTR_NULL(record_open(path, LEVEL_SUMMARY, &h, &why));
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "params is too long"));
  free(text);
  fill_done();
}

/* One NaN, whatever its sign and payload. */
static void test_nan(void) {
  const uint64_t nans[] = {UINT64_C(0x7ff8000000000000),
                           UINT64_C(0xfff8000000000000),
                           UINT64_C(0x7ff8000000000123)};
  const char *path[3] = {fill_path("a.h5"), fill_path("b.h5"),
                         fill_path("c.h5")};

  for (int i = 0; i < 3; i++) {
    row_summary row = {.devices = 3};
    memcpy(&row.makespan_s, &nans[i], sizeof row.makespan_s);
    record *r = record_open(path[i], LEVEL_SUMMARY, &fill_header, &(fail){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    record_rows(r, SCHEMA_SUMMARY, &row, 1);
    CU_ASSERT(record_close(r, true, &(fail){0}));
  }
  CU_ASSERT(fill_same_files(path[0], path[1]));
  CU_ASSERT(fill_same_files(path[0], path[2]));
  fill_done();
}

static void refused(const char *path, const char *part) {
  fail why = {0};
  char spool[160];

  CU_ASSERT_PTR_NULL(record_open(path, LEVEL_FILES, &fill_header, &why));
  CHECK_EQ(why.status, EXIT_USAGE);
  if (strstr(why.text, part) == NULL || strstr(why.text, path) == NULL) {
    printf("  %s\n", why.text);
    CU_FAIL("the message lacks the file or the cause");
  }
  snprintf(spool, sizeof spool, "%s.spool", path);
  CU_ASSERT(!fill_exists(spool));
}

static void test_refuse(void) {
  const char *text = fill_path("thesis.txt"), *empty = fill_path("empty");
  size_t len;

  fill_dump(text, "my thesis", 9);
  fill_dump(empty, "", 0);
  refused(text, "not a trace");
  refused(empty, "not a trace");
  refused(fill_path(""), "not a trace"); /* the directory itself */
  refused(fill_path("no/such/a.h5"), "No such file or directory");
  refused("/proc/version/a.h5", "Not a directory");
  char *still = fill_slurp(text, &len);
  CU_ASSERT(len == 9 && memcmp(still, "my thesis", 9) == 0);
  free(still);
  fill_done();
}

static void test_two_writers(void) {
  const char *path = fill_path("a.h5");
  uint64_t n;
  fail why = {0};

  record *r = record_open(path, LEVEL_FILES, &fill_header, &why);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_PTR_NULL(record_open(path, LEVEL_FILES, &fill_header, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "another run is writing"));
  CHECK_EQ(why.status, EXIT_USAGE);
  why = (fail){0};
  CU_ASSERT(!record_recover(path, &n, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "still under way"));
  CU_ASSERT(record_close(r, true, &(fail){0}));
  r = record_open(path, LEVEL_FILES, &fill_header, &(fail){0});
  CU_ASSERT_PTR_NOT_NULL_FATAL(r); /* a trace may be replaced */
  CU_ASSERT(record_close(r, false, &(fail){0}));
  trace t;
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT(!t.complete);
  trace_free(&t);
  why = (fail){0};
  CU_ASSERT(!record_recover(path, &n, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "nothing to recover"));
  fill_done();
}

/* Reported, not judged. */
static void test_speed(void) {
  enum { N = 1000000 };
  const char *path = fill_path("speed.h5");
  struct timespec a, b, c;
  struct stat st;
  record *r = record_open(path, LEVEL_TRANSFERS, &fill_header, &(fail){0});

  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (unsigned i = 0; i < N; i++) { /* as regular as a run's rows */
    row_transfers x = {.asked_ns = i * INT64_C(20011000) + i % 977,
                       .first_ns = i * INT64_C(20011000) + 12000000,
                       .end_ns = i * INT64_C(20011000) + 900000000 + i % 7919,
                       .waited_ns = i % 3 * INT64_C(1000003),
                       .device = i * 2654435761u % 10000,
                       .offset = (uint64_t)(i / 10000) << 20,
                       .asked = 1 << 20,
                       .delivered = 1 << 20,
                       .useful = 1 << 20,
                       .source = i * 40503u % 10000,
                       .kind = 1,
                       .class = 1,
                       .reason = 1};
    record_rows(r, SCHEMA_TRANSFERS, &x, 1);
    record_tick(r);
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  CU_ASSERT(record_close(r, true, &(fail){0}));
  clock_gettime(CLOCK_MONOTONIC, &c);
  double run =
      (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
  double end =
      (double)(c.tv_sec - b.tv_sec) + (double)(c.tv_nsec - b.tv_nsec) * 1e-9;
  CU_ASSERT(stat(path, &st) == 0);
  printf("  %d transfers, one a call: %.2f M rows/s during the run, %.2f M "
         "rows/s at close, %.1f bytes per row\n",
         N, N / run * 1e-6, N / end * 1e-6, (double)st.st_size / N);
  fill_done();
}

TEST_SUITE(
    "record", {"every table comes back as it was written", test_round_trip},
    {"equal rows make equal bytes whenever they are flushed", test_same_bytes},
    {"each level holds its tables and those of the levels before", test_levels},
    {"all tables but transfers and events are kept in memory", test_in_memory},
    {"tables that are not asked for are not read", test_mask},
    {"a scenario may exceed an attribute's 64 KiB", test_long_text},
    {"every NaN is written as the same bytes", test_nan},
    {"a file that is not a trace is never overwritten", test_refuse},
    {"two runs cannot write one trace", test_two_writers},
    {"rows per second", test_speed})
