/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces are read by HDF5 tools that know nothing of ours. */
#include "test.h"

#include "fill.h"

/* A trace with rows in every table but /summary, whose numbers would have to
   fit the others. */
static void record_some(const char *path, record_level level, bool complete) {
  record *r = record_open(path, level, &fill_header, &(fail){0});

  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    enum schema_table t = (enum schema_table)i;
    void *rows = fill_rows(t, 40);
    record_rows(r, t, rows, t == SCHEMA_SUMMARY ? 0 : 40);
    free(rows);
  }
  CU_ASSERT(record_close(r, complete, &(fail){0}));
}

static bool have(const char *command, const char *tool) {
  if (system(command) == 0) {
    return true;
  }
  printf("SKIP trace tools: %s is not installed\n", tool);
  return false;
}

static int run(const char *format, const char *path, const char *more) {
  char command[512];

  snprintf(command, sizeof command, format, path, more);
  return system(command);
}

static void test_h5dump(void) {
  const char *path = fill_path("a.h5");

  if (!have("command -v h5dump >/dev/null", "h5dump (hdf5-tools)")) {
    return;
  }
  record_some(path, LEVEL_EVENTS, true);
  CHECK_EQ(run("h5dump %s >%s", path, fill_path("dump")), 0);
  CHECK_EQ(run("grep -q 'xferlab trace' %s%s", fill_path("dump"), ""), 0);
  CHECK_EQ(run("grep -q 'peer-subnet' %s%s", fill_path("dump"), ""), 0);
  CHECK_EQ(run("h5dump -d /transfers -H %s >%s", path, fill_path("head")), 0);
  /* nothing of variable length, and no references */
  CHECK_EQ(
      run("! grep -qE 'VLEN|VARIABLE|REFERENCE' %s%s", fill_path("dump"), ""),
      0);
  fill_done();
}

/* A copy by h5py has no seal and is read; what h5repack makes keeps the old
   seal, which no longer fits. */
static void test_rewritten(void) {
  const char *path = fill_path("a.h5"), *other = fill_path("b.h5");
  fail why = {0};
  trace a, b;

  if (!have("/usr/bin/python3 -c 'import h5py' 2>/dev/null", "python3-h5py")) {
    return;
  }
  record_some(path, LEVEL_EVENTS, true);
  CHECK_EQ(run("/usr/bin/python3 -c \"import h5py\n"
               "a, b = h5py.File('%s'), h5py.File('%s', 'w')\n"
               "for k in a: a.copy(k, b)\n"
               "for k in a.attrs: b.attrs.create(k, a.attrs[k], "
               "dtype=a.attrs.get_id(k).dtype)\"",
               path, other),
           0);
  CU_ASSERT_FATAL(trace_read(&a, path, TRACE_ALL, &(fail){0}));
  CU_ASSERT_FATAL(trace_read(&b, other, TRACE_ALL, &(fail){0}));
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    CHECK_EQ(a.table[i].n, b.table[i].n);
    CU_ASSERT(fill_same((enum schema_table)i, a.table[i].rows, b.table[i].rows,
                        a.table[i].n));
  }
  CU_ASSERT_STRING_EQUAL(a.command, b.command);
  CU_ASSERT_STRING_EQUAL(a.scenario_text, b.scenario_text);
  trace_free(&a);
  trace_free(&b);
  if (have("command -v h5repack >/dev/null", "h5repack (hdf5-tools)")) {
    CHECK_EQ(run("h5repack -f NONE %s %s", path, other), 0);
    CU_ASSERT(!trace_read(&b, other, TRACE_ALL, &why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "changed since"));
  }
  fill_done();
}

/* Every shape of file, against docs/trace.md; sums are not looked at. */
static void test_h5py(void) {
  const char *path = fill_path("a.h5");

  if (!have("/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null",
            "python3-h5py")) {
    return;
  }
  for (int level = LEVEL_SUMMARY; level <= LEVEL_EVENTS; level++) {
    record_some(path, (record_level)level, level % 2 == 0);
    CHECK_EQ(run("/usr/bin/python3 tests/readers/read_trace.py --shape %s >%s",
                 path, fill_path("out")),
             0);
  }
  fill_done();
}

TEST_SUITE("trace tools", {"h5dump prints a trace", test_h5dump},
           {"a copy without a seal is read, a changed trace is not",
            test_rewritten},
           {"h5py finds what docs/trace.md says, at every level", test_h5py})
