/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for very many small blocks: sizes are rounded up to a few classes, cut
 * from chunks of huge pages, and given back all at once. At a million devices
 * a step of a transfer reads memory that no cache holds; with pages of 2 MiB it
 * at least finds where that memory is.
 */
#ifndef UTIL_SLAB_H
#define UTIL_SLAB_H

#include <stddef.h>

typedef struct slab slab;

slab *slab_new(void);   /* NULL: out of memory */
void slab_del(slab *s); /* and all of its blocks; NULL is fine */
/* As realloc: |ptr| NULL makes a block, |size| 0 frees it. Blocks are aligned
   to 8 bytes. NULL: out of memory (or |size| 0); |ptr| is as it was then. */
void *slab_resize(slab *s, void *ptr, size_t size);

#endif
