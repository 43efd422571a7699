/* SPDX-License-Identifier: MIT */
/*
 * Interned strings: equal strings get equal numbers, from 1. The hash table
 * only finds; no order ever comes from it.
 */
#ifndef ENGINE_NAMES_H
#define ENGINE_NAMES_H

#include <xl/agent.h>

typedef struct names {
  char **text; /* owned, and each string; text[0] is NULL */
  uint32_t n, cap;
  uint32_t *slot;  /* owned; open addressing, 0 is empty */
  uint32_t nslots; /* a power of two, or 0 */
} names;

/* Forgets all but the first |n|: nothing names the others. */
void xli_names_cut(xl_engine *eng, names *t, uint32_t n);
void xli_names_fini(xl_engine *eng, names *t);
/* 0 when out of memory. |len| characters of |s|. */
xl_name xli_names_add(xl_engine *eng, names *t, const char *s, size_t len);
/* NULL for 0. */
const char *xli_names_text(const names *t, xl_name name);

#endif
