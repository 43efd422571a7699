/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs that are killed: argv[1], or 100 when LONG is set, or 40. Each child
 * records rows as it goes and notes, in shared memory, how many it had handed
 * over by each millisecond; then it closes the trace. The parent kills all of
 * them at random moments of their run, and half as many more while they open or
 * close their trace.
 */
#include "test.h"

#include <ctype.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "fill.h"

#define RUN_MS 4000
#define SPAN_MS 8000
#define LATEST (SPAN_MS - 1) /* of by_ms: rows handed over so far */
#define MS INT64_C(1000000)

static unsigned kills = 40;

enum moment { IN_RUN, AT_OPEN, AT_CLOSE };

typedef struct child {
  pid_t pid;
  enum moment moment;
  bool slow;       /* few rows: the spool is written by record_tick alone */
  int64_t kill_at; /* ns of the monotonic clock */
  int64_t killed;  /* just before kill */
  bool ended;
  uint32_t *by_ms; /* rows handed over by each ms; shared */
  char path[128];
} child;

static int64_t wall(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void nap(int64_t ns) {
  nanosleep(&(struct timespec){ns / (1000 * MS), ns % (1000 * MS)}, NULL);
}

static void child_run(const child *c, int64_t start) {
  uint32_t n = 0;
  record *r = record_open(c->path, LEVEL_EVENTS, &fill_header, &(fail){0});

  if (r == NULL) {
    _exit(3);
  }
  int64_t ms = (wall() - start) / MS;
  for (; ms < RUN_MS; ms = (wall() - start) / MS) {
    for (int i = 0; i < (c->slow ? 1 : 25); i++, n++) {
      row_transfers t = {.asked_ns = (int64_t)n, .device = n};
      row_events e = {.at_ns = (int64_t)n};
      row_files f = {.device = n};
      record_rows(r, SCHEMA_TRANSFERS, &t, 1);
      record_rows(r, SCHEMA_EVENTS, &e, 1);
      record_rows(r, SCHEMA_FILES, &f, 1);
    }
    c->by_ms[ms] = n;
    c->by_ms[LATEST] = n;
    record_tick(r);
    nap((c->slow ? 20 : 5) * MS);
  }
  _exit(record_close(r, true, &(fail){0}) ? 0 : 4);
}

static int64_t random_ms(enum moment m) {
  switch (m) {
  case AT_OPEN:
    return (int64_t)(fill_next() % 400);
  case AT_CLOSE:
    return RUN_MS - 20 + (int64_t)(fill_next() % 200);
  case IN_RUN:
    break;
  }
  return (int64_t)(fill_next() % (RUN_MS - 50));
}

static void start_children(child *c, unsigned n, int64_t start) {
  for (unsigned i = 0; i < n; i++) {
    c[i].moment = i < kills ? IN_RUN : i % 2 == 0 ? AT_OPEN : AT_CLOSE;
    c[i].slow = i % 4 < 2;
    c[i].kill_at = start + random_ms(c[i].moment) * MS;
    c[i].by_ms =
        mmap(NULL, SPAN_MS * sizeof *c[i].by_ms, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(c[i].by_ms != MAP_FAILED);
    snprintf(c[i].path, sizeof c[i].path, "%s%u.h5", fill_path("kill"), i);
    c[i].pid = fork();
    assert(c[i].pid >= 0);
    if (c[i].pid == 0) {
      child_run(&c[i], start);
    }
  }
}

/* A run is under way once it has rows. */
static bool due(const child *c) {
  return c->killed == 0 && wall() >= c->kill_at &&
         (c->moment != IN_RUN || *(volatile uint32_t *)&c->by_ms[LATEST] > 0);
}

static void kill_children(child *c, unsigned n) {
  for (unsigned left = n; left > 0;) {
    for (unsigned i = 0; i < n; i++) {
      if (due(&c[i])) {
        int status;
        c[i].killed = wall();
        kill(c[i].pid, SIGKILL);
        assert(waitpid(c[i].pid, &status, 0) == c[i].pid);
        c[i].ended = WIFEXITED(status);
        if (c[i].ended) {
          CHECK_EQ(WEXITSTATUS(status), 0);
        }
        left--;
      }
    }
    nap(MS / 2);
  }
}

/* Opens the file with HDF5 alone; its attribute complete, or -1. */
static int plain_complete(const char *path) {
  hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  int value = -1;

  if (f >= 0) {
    hid_t a = H5Aopen(f, "complete", H5P_DEFAULT);
    if (a < 0 || H5Aread(a, H5T_NATIVE_INT, &value) < 0) {
      value = -1;
    }
    H5Aclose(a);
    H5Fclose(f);
  }
  return value;
}

/* Rows are 0, 1, 2 ... without a gap, at least |need|. */
static size_t check_rows(const trace *t, uint32_t need) {
  size_t n = t->table[SCHEMA_TRANSFERS].n;
  size_t wrong = 0;

  for (size_t i = 0; i < n; i++) {
    wrong += TRACE_ROWS(t, TRANSFERS, transfers)[i].device != i;
  }
  for (size_t i = 0; i < t->table[SCHEMA_EVENTS].n; i++) {
    wrong += TRACE_ROWS(t, EVENTS, events)[i].at_ns != (int64_t)i;
  }
  for (size_t i = 0; i < t->table[SCHEMA_FILES].n; i++) {
    wrong += TRACE_ROWS(t, FILES, files)[i].device != i;
  }
  CHECK_EQ(wrong, 0);
  CU_ASSERT(n >= need);
  CU_ASSERT(t->table[SCHEMA_EVENTS].n >= need);
  CU_ASSERT(t->table[SCHEMA_FILES].n >= need);
  return n;
}

/* Rows that were handed over two seconds before the kill. */
static uint32_t needed(const child *c, int64_t start) {
  int64_t ms = (c->killed - start) / MS - 2000;
  uint32_t n = 0;

  for (int64_t i = 0; i <= ms && i < LATEST; i++) {
    n = c->by_ms[i] > n ? c->by_ms[i] : n;
  }
  return n;
}

/* Returns whether there is a file, and it says that it is incomplete. */
static bool check_child(const child *c, int64_t start) {
  char spool[160];
  uint64_t rows = 0;
  fail why = {0};
  trace t;

  snprintf(spool, sizeof spool, "%s.spool", c->path);
  if (!fill_exists(c->path)) { /* killed before the file was there */
    CU_ASSERT(c->by_ms[LATEST] == 0);
    return false;
  }
  int complete = plain_complete(c->path);
  CU_ASSERT(complete == 0 || complete == 1);
  CU_ASSERT_FATAL(trace_read(&t, c->path, TRACE_ALL, &why));
  CHECK_EQ(t.complete, complete);
  CU_ASSERT_STRING_EQUAL(t.scenario_text, fill_header.scenario_text);
  size_t n = check_rows(&t, complete ? 1 : needed(c, start));
  trace_free(&t);
  if (fill_exists(spool)) {
    CU_ASSERT(record_recover(c->path, &rows, &why));
    CHECK_EQ(rows >= n, !complete || n == 0);
    CU_ASSERT(!fill_exists(spool));
    CU_ASSERT_FATAL(trace_read(&t, c->path, TRACE_ALL, &why));
    CHECK_EQ(t.complete, complete);
    CHECK_EQ(check_rows(&t, 0), n);
    trace_free(&t);
    CHECK_EQ(plain_complete(c->path), complete);
  } else {
    CU_ASSERT(complete || n == 0);
  }
  return !complete;
}

static void test_kill(void) {
  unsigned n = kills + kills / 2, in_run = 0, others = 0;
  child *c = calloc(n, sizeof *c);

  assert(c != NULL);
  fill_state = (uint64_t)getpid();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  int64_t start = wall();
  start_children(c, n, start);
  kill_children(c, n);
  for (unsigned i = 0; i < n; i++) {
    bool cut = check_child(&c[i], start);
    in_run += c[i].moment == IN_RUN && cut;
    others += c[i].moment != IN_RUN && cut;
    munmap(c[i].by_ms, SPAN_MS * sizeof *c[i].by_ms);
  }
  printf("  %u of %u runs killed under way left an incomplete file that opens; "
         "so did %u of %u killed at open or close\n",
         in_run, kills, others, n - kills);
  CHECK_EQ(in_run, kills);
  free(c);
  fill_done();
}

int main(int argc, char **argv) {
  static const struct test_case cases[] = {
      {"after kill -9 the file opens, is incomplete, and has every row older "
       "than two seconds",
       test_kill}};
  bool number = argc > 1 && isdigit((unsigned char)argv[1][0]);

  setvbuf(stdout, NULL, _IOLBF, 0);
  if (getenv("LONG") != NULL && getenv("LONG")[0] != '\0') {
    kills = 100;
  }
  if (number) {
    kills = (unsigned)strtoul(argv[1], NULL, 10);
  }
  return test_main("kill", cases, 1, number ? 1 : argc, argv);
}
