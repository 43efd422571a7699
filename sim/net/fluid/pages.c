/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* mremap */
#include "net/fluid/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20)
#define SMALL ((size_t)64 << 10)

void pages_grow(pages *a, size_t bytes) {
  if (bytes <= a->bytes) {
    return;
  }
  size_t unit = bytes < PAGE ? SMALL : PAGE;
  size_t to = a->bytes + a->bytes / 2;

  to = to < bytes ? bytes : to;
  to = (to + unit - 1) / unit * unit;
  void *at = a->at == NULL
                 ? mmap(NULL, to, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                 : mremap(a->at, a->bytes, to, MREMAP_MAYMOVE);
  if (at == MAP_FAILED) {
    fputs("xferlab: out of memory in the network\n", stderr);
    abort();
  }
  if (to >= PAGE) {
    madvise(at, to, MADV_HUGEPAGE); /* a wish: failing costs speed only */
  }
  *a = (pages){at, to};
}

void pages_fini(pages *a) {
  if (a->at != NULL) {
    munmap(a->at, a->bytes);
  }
  *a = (pages){NULL, 0};
}
