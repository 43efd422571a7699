/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why something failed, in one sentence for the user. Functions that can fail
 * for outside reasons return false (or NULL) and fill a |fail|; main prints it
 * and exits with |status|.
 */
#ifndef UTIL_FAIL_H
#define UTIL_FAIL_H

#include <stdbool.h>

#define EXIT_GOOD 0
#define EXIT_RUN_FAILED 1 /* the run or the check failed */
#define EXIT_USAGE 2      /* usage or bad input; nothing was written */

typedef struct fail {
  int status;      /* EXIT_* */
  char text[1024]; /* no newline at the end */
} fail;

/* Fills |why| and returns false. A |why| that is already set is kept: the
   first cause is the one to tell. Start from (fail){0}. */
__attribute__((format(printf, 3, 4))) bool fail_set(fail *why, int status,
                                                    const char *format, ...);

#endif
