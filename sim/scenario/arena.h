/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arena: memory that is freed all at once. Blocks are zeroed and aligned
 * for any type. Out of memory ends the program with one sentence.
 */
#ifndef SCENARIO_ARENA_H
#define SCENARIO_ARENA_H

#include <stddef.h>

typedef struct arena arena;

arena *arena_new(void);
void arena_free(arena *a); /* NULL is fine */
void *arena_alloc(arena *a, size_t count, size_t size);
char *arena_text(arena *a, const char *s, size_t len);
__attribute__((format(printf, 2, 3))) char *
arena_format(arena *a, const char *format, ...);
/* Returns |ptr|, moved if need be, with room for |need| elements of |size|
   bytes; sets *cap. What was in the old place stays allocated. */
void *arena_grow(arena *a, void *ptr, size_t *cap, size_t need, size_t size);

#endif
