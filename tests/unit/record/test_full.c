/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that fill up while a run is recorded. */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fill.h"

/* How a run on a full disk ended, told by the child that tried it. */
enum ending {
  WENT_WELL,
  OPEN_FAILED,
  ROWS_FAILED,
  CLOSE_FAILED,
  BAD_MESSAGE = 10,
  BAD_FILE
};

static bool message_good(const fail *why, const char *path, const char *cause) {
  bool good = why->status == EXIT_RUN_FAILED && strstr(why->text, path) &&
              strstr(why->text, cause) && strstr(why->text, "MiB free") &&
              strstr(why->text, "free some space");

  if (!good) {
    printf("  [%d] %s\n", why->status, why->text);
  }
  return good;
}

/* The file opens, says it is incomplete and has rows. */
static bool file_good(const char *path, bool rows) {
  fail why = {0};
  trace t;

  if (!trace_read(&t, path, TRACE_ALL, &why)) {
    printf("  %s\n", why.text);
    return false;
  }
  bool good = !t.complete && (!rows || t.table[SCHEMA_TRANSFERS].n > 0);
  for (size_t i = 0; i < t.table[SCHEMA_TRANSFERS].n; i++) {
    good &= TRACE_ROWS(&t, TRANSFERS, transfers)[i].device == i;
  }
  trace_free(&t);
  return good;
}

/* Records |n| rows that do not compress well. */
static enum ending try_run(const char *path, unsigned n, const char *cause) {
  fail why = {0};
  record *r = record_open(path, LEVEL_TRANSFERS, &fill_header, &why);

  if (r == NULL) {
    return message_good(&why, path, cause) ? OPEN_FAILED : BAD_MESSAGE;
  }
  bool well = true;
  for (unsigned i = 0; i < n; i++) {
    row_transfers *x = fill_rows(SCHEMA_TRANSFERS, 1);
    x->device = i;
    record_rows(r, SCHEMA_TRANSFERS, x, 1);
    free(x);
    well = well && record_status(r, &why);
  }
  if (record_close(r, true, &why)) {
    return WENT_WELL;
  }
  if (!message_good(&why, path, cause) || !strstr(why.text, ".spool")) {
    return BAD_MESSAGE;
  }
  if (!file_good(path, n > 2000 && well)) {
    return BAD_FILE;
  }
  return well ? CLOSE_FAILED : ROWS_FAILED;
}

/* In a process of its own: HDF5 must also be able to leave. */
static enum ending child_run(const char *path, unsigned n, rlim_t limit,
                             const char *cause) {
  int status = 0;
  pid_t pid = fork();

  assert(pid >= 0);
  if (pid == 0) {
    alarm(30);
    if (limit != RLIM_INFINITY) {
      signal(SIGXFSZ, SIG_IGN);
      setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
    }
    exit((int)try_run(path, n, cause));
  }
  assert(waitpid(pid, &status, 0) == pid);
  if (!WIFEXITED(status)) {
    printf("  ended by signal %d\n", WTERMSIG(status));
    return BAD_FILE;
  }
  return (enum ending)WEXITSTATUS(status);
}

static void test_file_limit(void) {
  unsigned seen[20] = {0};

  fill_path("");
  for (rlim_t limit = 2000; limit < 3000000; limit += limit / 4) {
    const char *path = fill_path("limit.h5");
    enum ending e =
        child_run(path, 20000, limit, strerror(EFBIG)); /* 1.9 MiB of rows */
    CU_ASSERT(e <= CLOSE_FAILED);
    seen[e]++;
    CU_ASSERT(!fill_exists(fill_path("limit.h5.tmp")));
    unlink(path);
    unlink(fill_path("limit.h5.spool"));
  }
  CU_ASSERT(seen[OPEN_FAILED] > 0);
  CU_ASSERT(seen[ROWS_FAILED] > 0);
  CU_ASSERT(seen[WENT_WELL] > 0);
  fill_done();
}

static bool mount_small(const char *dir, unsigned kib) {
  char options[32];

  snprintf(options, sizeof options, "size=%uk", kib);
  mkdir(dir, 0700);
  return mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

static void test_full_disk(void) {
  const char *dir = fill_path("disk"), *path = fill_path("disk/a.h5");
  unsigned seen[20] = {0};

  for (unsigned kib = 8; kib < 6000; kib += kib / 4) {
    if (!mount_small(dir, kib)) {
      printf("SKIP full disk: cannot mount a small file system: %s\n",
             strerror(errno));
      fill_done();
      return;
    }
    enum ending e = child_run(path, 20000, RLIM_INFINITY, strerror(ENOSPC));
    CU_ASSERT(e <= CLOSE_FAILED);
    seen[e]++;
    CU_ASSERT(!fill_exists(fill_path("disk/a.h5.tmp")));
    CU_ASSERT(umount(dir) == 0);
  }
  CU_ASSERT(seen[OPEN_FAILED] > 0);
  CU_ASSERT(seen[ROWS_FAILED] > 0);
  CU_ASSERT(seen[CLOSE_FAILED] > 0);
  CU_ASSERT(seen[WENT_WELL] > 0);
  fill_done();
}

/* The spool of a run whose last step found no room becomes a trace later. */
static void test_recover_later(void) {
  const char *path = fill_path("a.h5");
  rlim_t limit = 2100000; /* the spool fits, the file does too, barely not */
  uint64_t rows = 0;
  fail why = {0};
  trace t;

  fill_path("");
  enum ending e = child_run(path, 30000, limit, strerror(EFBIG));
  CU_ASSERT(e == ROWS_FAILED || e == CLOSE_FAILED);
  CU_ASSERT(fill_exists(fill_path("a.h5.spool")));
  CU_ASSERT(record_recover(path, &rows, &why));
  CU_ASSERT(rows > 10000);
  CU_ASSERT(!fill_exists(fill_path("a.h5.spool")));
  CU_ASSERT_FATAL(trace_read(&t, path, TRACE_ALL, &why));
  CHECK_EQ(t.table[SCHEMA_TRANSFERS].n, rows);
  CU_ASSERT(!t.complete);
  trace_free(&t);
  fill_done();
}

TEST_SUITE("full disk",
           {"a file-size limit gives one error and keeps what was recorded",
            test_file_limit},
           {"a full disk gives one error and keeps what was recorded",
            test_full_disk},
           {"what a full disk left can be recovered", test_recover_later})
