/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces of other schemas, damaged ones, and files that are none. */
#include "test.h"

#include <hdf5.h>

#include "fill.h"
#include "record/frame.h"

enum { SOME = 30 };

static void add_some(record *r) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    void *rows = fill_rows((enum schema_table)t, SOME);
    record_rows(r, (enum schema_table)t, rows, SOME);
    free(rows);
  }
}

static void record_some(const char *path) {
  record *r = record_open(path, LEVEL_EVENTS, &fill_header, &(fail){0});

  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  add_some(r);
  CU_ASSERT(record_close(r, true, &(fail){0}));
}

/* Reading |path| fails with one message that names it. */
static void one_error(const char *path, const char *part) {
  fail why = {0};
  trace t;

  CU_ASSERT(!trace_read(&t, path, TRACE_ALL, &why));
  CHECK_EQ(why.status, EXIT_USAGE);
  if (strstr(why.text, part) == NULL || strstr(why.text, path) == NULL) {
    printf("  %s\n", why.text);
    CU_FAIL("the message lacks the file or the cause");
  }
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    CU_ASSERT_PTR_NULL(t.table[i].rows);
  }
}

static void test_not_traces(void) {
  char noise[5000];

  one_error(fill_path("none.h5"), "no such file");
  fill_dump(fill_path("empty"), "", 0);
  one_error(fill_path("empty"), "not a trace");
  fill_dump(fill_path("text"), "name: branch-office\n", 20);
  one_error(fill_path("text"), "not a trace");
  one_error(fill_path(""), "not a trace"); /* a directory */
  for (int i = 0; i < 50; i++) {
    for (size_t k = 0; k < sizeof noise; k++) {
      noise[k] = (char)fill_next();
    }
    fill_dump(fill_path("noise"), noise, fill_next() % sizeof noise);
    one_error(fill_path("noise"), "not a trace");
  }
  memcpy(noise, "\x89HDF\r\n\x1a\n", 8);
  fill_dump(fill_path("noise"), noise, sizeof noise);
  one_error(fill_path("noise"), "cannot be opened");
  fill_done();
}

static void test_damage(void) {
  const char *path = fill_path("a.h5"), *bad = fill_path("bad.h5");
  size_t len;
  trace t;

  record_some(path);
  char *data = fill_slurp(path, &len);
  fill_dump(bad, data, len);
  CU_ASSERT(trace_read(&t, bad, TRACE_ALL, &(fail){0}));
  trace_free(&t);
  for (int i = 0; i < 500; i++) {
    size_t at = i < 100 ? (size_t)i : (size_t)(fill_next() % len);
    char was = data[at];
    data[at] = (char)(data[at] ^ (1 + (char)(fill_next() % 127)));
    fill_dump(bad, data, len);
    one_error(bad, at < 14 ? "not a trace" : "damaged");
    data[at] = was;
  }
  for (int i = 0; i < 100; i++) {
    size_t keep = i < 20 ? (size_t)i : (size_t)(fill_next() % len);
    fill_dump(bad, data, keep);
    one_error(bad, keep < 14 ? "not a trace" : "truncated");
  }
  free(data);
  fill_done();
}

/* A run that ended without a close: its FILE and its spool under |name|. */
static void record_killed(const char *path) {
  const char *live = fill_path("live.h5");
  char spool[160];
  size_t n, m;

  record *r = record_open(live, LEVEL_EVENTS, &fill_header, &(fail){0});
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  for (int i = 0; i < 100; i++) { /* enough to be written at once */
    add_some(r);
  }
  char *file = fill_slurp(live, &n);
  char *rows = fill_slurp(fill_path("live.h5.spool"), &m);
  fill_dump(path, file, n);
  snprintf(spool, sizeof spool, "%s.spool", path);
  fill_dump(spool, rows, m);
  free(file);
  free(rows);
  CU_ASSERT(record_close(r, true, &(fail){0}));
}

static size_t rows_of(const trace *t) {
  size_t n = 0;

  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    n += t->table[i].n;
  }
  return n;
}

static void test_damaged_spool(void) {
  const char *path = fill_path("a.h5"), *spool = fill_path("a.h5.spool");
  size_t len, all, least = SIZE_MAX;
  trace t;

  record_killed(path);
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT(!t.complete);
  all = rows_of(&t);
  CU_ASSERT(all > SOME * SCHEMA_NTABLES * 50);
  trace_free(&t);
  char *data = fill_slurp(spool, &len);
  for (int i = 0; i < 500; i++) {
    size_t at = (size_t)(fill_next() % len);
    char was = data[at];
    data[at] = (char)(data[at] ^ (1 + (char)(fill_next() % 127)));
    fill_dump(spool, data, i % 5 == 0 ? at : len);
    data[at] = was;
    CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
    CU_ASSERT(!t.complete && rows_of(&t) < all);
    least = rows_of(&t) < least ? rows_of(&t) : least;
    trace_free(&t);
  }
  CU_ASSERT(least < all / 4);
  free(data);
  fill_done();
}

static void test_recover(void) {
  const char *path = fill_path("a.h5"), *spool = fill_path("a.h5.spool");
  uint64_t rows;
  fail why = {0};
  trace before, after;

  record_killed(path);
  CU_ASSERT_FATAL(trace_read(&before, path, TRACE_ALL, &why));
  CU_ASSERT(fill_exists(spool)); /* reading changes nothing */
  CU_ASSERT(record_recover(path, &rows, &why));
  CHECK_EQ(rows, rows_of(&before));
  CU_ASSERT(!fill_exists(spool));
  CU_ASSERT_FATAL(trace_read(&after, path, TRACE_ALL, &why));
  CU_ASSERT(!after.complete);
  CU_ASSERT_STRING_EQUAL(after.command, before.command);
  CU_ASSERT(after.seed == before.seed);
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    size_t n = before.table[i].n;
    CHECK_EQ(after.table[i].n, n);
    CU_ASSERT(fill_same((enum schema_table)i, before.table[i].rows,
                        after.table[i].rows, n));
  }
  trace_free(&before);
  trace_free(&after);
  CU_ASSERT(!record_recover(path, &rows, &why)); /* once is enough */
  fill_done();
}

/* The file is lost, or never was whole; the spool has everything. */
static void test_spool_alone(void) {
  const char *path = fill_path("a.h5");
  uint64_t rows;
  trace t;

  record_killed(path);
  CU_ASSERT(unlink(path) == 0);
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT(rows_of(&t) > 0);
  CU_ASSERT_STRING_EQUAL(t.policy, fill_header.policy);
  trace_free(&t);
  CU_ASSERT(record_recover(path, &rows, &(fail){0}));
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CHECK_EQ(rows_of(&t), rows);
  trace_free(&t);
  fill_done();
}

/* Killed between the last two steps of a close: FILE has it all. */
static void test_spool_left_over(void) {
  const char *path = fill_path("a.h5"), *spool = fill_path("a.h5.spool");
  uint64_t rows = 1;
  trace t;

  record_killed(path);
  record_some(fill_path("whole.h5"));
  CU_ASSERT(rename(fill_path("whole.h5"), path) == 0);
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT(t.complete);
  CHECK_EQ(rows_of(&t), SOME * SCHEMA_NTABLES);
  trace_free(&t);
  CU_ASSERT(record_recover(path, &rows, &(fail){0}));
  CHECK_EQ(rows, 0);
  CU_ASSERT(!fill_exists(spool));
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT(t.complete);
  trace_free(&t);
  fill_done();
}

/* ---- other schemas, made by hand ------------------------------------------
 */

static void put_number(hid_t file, const char *name, int value) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t a =
      H5Acreate2(file, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);

  H5Awrite(a, H5T_NATIVE_INT, &value);
  H5Aclose(a);
  H5Sclose(space);
}

static void put_format(hid_t file, const char *format) {
  hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, strlen(format));
  hid_t a = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(a, type, format);
  H5Aclose(a);
  H5Tclose(type);
  H5Sclose(space);
}

/* A file as another version might have written it: /sites with a narrower
   column, one that is unknown, and the others missing; /world as |world|. */
static void make_other(const char *path, int schema, const char *format,
                       hid_t world) {
  struct {
    uint16_t devices;
    int32_t latency;
    float taste;
  } rows[2] = {{7, -5, 1}, {65535, 12, 2}};
  hsize_t n = 2, one = 1;
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof rows[0]);
  hid_t space = H5Screate_simple(1, &n, NULL);
  hid_t single = H5Screate_simple(1, &one, NULL);

  H5Tinsert(type, "devices", 0, H5T_STD_U16LE);
  H5Tinsert(type, "wan_latency_ns", 4, H5T_STD_I32LE);
  H5Tinsert(type, "taste", 8, H5T_IEEE_F32LE);
  put_format(file, format);
  put_number(file, "schema", schema);
  put_number(file, "complete", 1);
  hid_t set = H5Dcreate2(file, "sites", type, space, H5P_DEFAULT, H5P_DEFAULT,
                         H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows);
  H5Dclose(set);
  set = H5Dcreate2(file, "world", world, single, H5P_DEFAULT, H5P_DEFAULT,
                   H5P_DEFAULT);
  H5Dclose(set);
  H5Tclose(type);
  H5Sclose(space);
  H5Sclose(single);
  H5Fclose(file);
}

static hid_t compound_of(const char *name, hid_t member) {
  hid_t type = H5Tcreate(H5T_COMPOUND, H5Tget_size(member));

  H5Tinsert(type, name, 0, member);
  return type;
}

static void test_other_schema(void) {
  const char *path = fill_path("other.h5");
  hid_t world = compound_of("ended_ns", H5T_STD_I64LE);
  fail why = {0};
  trace t;

  make_other(path, 1, "xferlab trace", world);
  if (!trace_read(&t, path, TRACE_ALL, &why)) {
    printf("  %s\n", why.text);
    CU_FAIL_FATAL("an older trace is not read");
  }
  CHECK_EQ(t.table[SCHEMA_SITES].n, 2);
  CHECK_EQ(TRACE_ROWS(&t, SITES, sites)[0].devices, 7);
  CHECK_EQ(TRACE_ROWS(&t, SITES, sites)[1].devices, 65535);
  CHECK_EQ(TRACE_ROWS(&t, SITES, sites)[0].wan_latency_ns, -5);
  CHECK_EQ(TRACE_ROWS(&t, SITES, sites)[1].bytes_up, 0);
  CU_ASSERT(!t.table[SCHEMA_FILES].present);
  CU_ASSERT_STRING_EQUAL(t.policy, "");
  trace_free(&t);

  make_other(path, SCHEMA_VERSION + 1, "xferlab trace", world);
  one_error(path, "newer");
  make_other(path, 1, "something else", world);
  one_error(path, "not a trace");
  CU_ASSERT_PTR_NULL(record_open(path, LEVEL_FILES, &fill_header, &why));
  H5Tclose(world);
  fill_done();
}

/* Columns of a kind that no schema has had. */
static void test_odd_columns(void) {
  const char *path = fill_path("odd.h5");
  hid_t text = H5Tcopy(H5T_C_S1);

  H5Tset_size(text, H5T_VARIABLE);
  const hid_t odd[] = {text, H5T_IEEE_F64LE, H5T_STD_U64LE, H5T_STD_I64BE};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    hid_t world = compound_of("ended_ns", odd[i]);
    make_other(path, 1, "xferlab trace", world);
    one_error(path, "/world");
    H5Tclose(world);
  }
  make_other(path, 1, "xferlab trace", H5T_STD_I64LE);
  one_error(path, "/world");
  H5Tclose(text);
  fill_done();
}

static void test_newer_spool(void) {
  const char *path = fill_path("a.h5"), *spool = fill_path("a.h5.spool");
  size_t len;
  frame f;

  record_killed(path);
  char *data = fill_slurp(spool, &len);
  memcpy(&f, data, sizeof f);
  memcpy(data + sizeof f, &(uint32_t){SCHEMA_VERSION + 1}, 4);
  f.hash = frame_hash(&f, data + sizeof f);
  memcpy(data, &f, sizeof f);
  fill_dump(spool, data, len);
  one_error(path, "newer");
  free(data);
  fill_done();
}

TEST_SUITE(
    "trace reader",
    {"files that are no traces give one error", test_not_traces},
    {"a damaged or truncated trace gives one error", test_damage},
    {"a damaged spool gives the rows before the damage", test_damaged_spool},
    {"a killed run is recovered with every row of its spool", test_recover},
    {"a spool without its file is recovered", test_spool_alone},
    {"a spool beside a complete file is left over", test_spool_left_over},
    {"columns are matched by name and widened; newer schemas refused",
     test_other_schema},
    {"columns of a wrong kind are refused", test_odd_columns},
    {"a spool of a newer schema is refused", test_newer_spool})
