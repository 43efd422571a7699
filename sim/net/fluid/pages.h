/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Big arrays that grow: whole pages from the system, moved by the page tables
 * and asked to lie in huge pages, which is worth a third of the speed at
 * 100,000 hosts. Indices into them stay good, pointers until the next growth.
 * Out of memory ends the process, as in net/room.h.
 */
#ifndef NET_FLUID_PAGES_H
#define NET_FLUID_PAGES_H

#include <stddef.h>

typedef struct pages {
  void *at;
  size_t bytes; /* room; zero bytes until written */
} pages;

/* Makes room for |bytes|. */
void pages_grow(pages *a, size_t bytes);
void pages_fini(pages *a);

#endif
