/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

char *io_path(const char *path, const char *suffix) {
  size_t len = strlen(path), more = strlen(suffix);
  char *s = malloc(len + more + 1);

  if (s != NULL) {
    memcpy(s, path, len);
    memcpy(s + len, suffix, more + 1);
  }
  return s;
}

/* "1.5 MiB free there" or "". */
static void free_space(const char *path, char *out, size_t cap) {
  char *dir = io_path(path, "");
  struct statvfs v;

  out[0] = '\0';
  if (dir == NULL) {
    return;
  }
  char *slash = strrchr(dir, '/');
  if (slash != NULL) {
    slash[slash == dir ? 1 : 0] = '\0';
  }
  if (statvfs(slash != NULL ? dir : ".", &v) == 0) {
    double mib = (double)v.f_bavail * (double)v.f_frsize / (1 << 20);
    snprintf(out, cap, ", %.1f MiB free there", mib);
  }
  free(dir);
}

bool io_write_failed(fail *why, const char *path, int error,
                     const char *spool) {
  char space[48], kept[512] = "";
  bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;

  free_space(path, space, sizeof space);
  if (spool != NULL) {
    snprintf(kept, sizeof kept,
             "; what was recorded until then is in %.200s, `xferlab recover "
             "%.200s` makes a trace of it",
             spool, path);
  }
  return fail_set(why, EXIT_RUN_FAILED, "%.200s: cannot be written: %s%s%s%s",
                  path, strerror(error), space,
                  full ? "; free some space or write elsewhere (-o)" : "",
                  kept);
}

/* |at| UINT64_MAX: at the file's position. */
static bool write_to(int fd, const char *p, size_t n, uint64_t at) {
  while (n > 0) {
    ssize_t done =
        at == UINT64_MAX ? write(fd, p, n) : pwrite(fd, p, n, (off_t)at);
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      errno = done == 0 ? ENOSPC : errno;
      return false;
    }
    p += done;
    n -= (size_t)done;
    at += at == UINT64_MAX ? 0 : (uint64_t)done;
  }
  return true;
}

bool io_write_all(int fd, const void *data, size_t n) {
  return write_to(fd, data, n, UINT64_MAX);
}

bool io_write_at(int fd, const void *data, size_t n, uint64_t at) {
  return write_to(fd, data, n, at);
}

ssize_t io_read_at(int fd, void *data, size_t n, uint64_t at) {
  char *p = data;
  size_t have = 0;

  while (have < n) {
    ssize_t got = pread(fd, p + have, n - have, (off_t)(at + have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    have += (size_t)got;
  }
  return (ssize_t)have;
}
