/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scratch arrays of the analysis: zeroed, freed with free(); a process that is
   out of memory has nothing left to report and ends. */
#ifndef ANALYSIS_ALLOC_H
#define ANALYSIS_ALLOC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *alloc_array(size_t n, size_t size) {
  void *p = calloc(n > 0 ? n : 1, size);

  if (p == NULL) {
    fputs("xferlab: out of memory\n", stderr);
    abort();
  }
  return p;
}

static inline char *alloc_text(const char *s) {
  size_t len = strlen(s);

  return memcpy(alloc_array(len + 1, 1), s, len);
}

#endif
