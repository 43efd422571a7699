/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing plain files, and what to tell when it fails. */
#ifndef RECORD_IO_H
#define RECORD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/fail.h"

/* Fills |why| for a failed write to the trace |path|: the error, the space that
   is left, what to do. |spool|, if not NULL, holds what was recorded so far. */
bool io_write_failed(fail *why, const char *path, int error, const char *spool);

/* All |n| bytes or false with errno. */
bool io_write_all(int fd, const void *data, size_t n);
bool io_write_at(int fd, const void *data, size_t n, uint64_t at);
/* Bytes read at |at|, less than |n| only at the end of the file; -1 and errno.
 */
ssize_t io_read_at(int fd, void *data, size_t n, uint64_t at);

/* |path| with |suffix|; malloc'ed. NULL when memory is short. */
char *io_path(const char *path, const char *suffix);

#endif
