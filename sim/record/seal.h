/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seal: the first 512 bytes of a trace, an HDF5 user block that HDF5 tools
 * skip. Its text names the format and holds the length and XXH3 of the rest:
 *
 *   xferlab trace\nbytes 123456\nxxh3 0123456789abcdef\n
 *
 * HDF5 1.10 may crash on damaged files, so a trace is checked before HDF5 sees
 * it. A file without a user block (a copy by an HDF5 tool) has no seal.
 */
#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "util/fail.h"

#define SEAL_SIZE 512

/* Writes the seal of the closed file |path|. errno on false. */
bool seal_write(const char *path);

typedef enum seal_state {
  SEAL_GOOD,
  SEAL_NONE,    /* an HDF5 file without a seal */
  SEAL_FOREIGN, /* not an HDF5 file and not a trace */
  SEAL_BROKEN,  /* a trace that was truncated or changed */
  SEAL_ABSENT,  /* no such file */
  SEAL_UNREAD   /* errno says why */
} seal_state;

/* |quick|: looks at the first bytes alone; SEAL_GOOD: it begins as a trace. */
seal_state seal_check(const char *path, bool quick);

#endif
