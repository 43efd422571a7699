/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/fail.h"

#include <stdarg.h>
#include <stdio.h>

bool fail_set(fail *why, int status, const char *format, ...) {
  va_list ap;

  if (why->status != 0) {
    return false;
  }
  why->status = status;
  va_start(ap, format);
  vsnprintf(why->text, sizeof why->text, format, ap);
  va_end(ap);
  return false;
}
