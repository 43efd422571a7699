/* SPDX-License-Identifier: MIT */
/*
 * The engine's memory: everything goes through the environment's xl_alloc. A
 * failed allocation makes the engine's status E_OUTOFMEMORY for good.
 */
#ifndef ENGINE_ALLOC_H
#define ENGINE_ALLOC_H

#include <xl/agent.h>

/* |size| zeroed bytes, or NULL and the sticky status. |size| > 0. */
void *xli_new(xl_engine *eng, size_t size);
/* |ptr| with |size| > 0 bytes, moved if need be; NULL when out of memory. */
void *xli_resize(xl_engine *eng, void *ptr, size_t size);
/* NULL is fine. */
void xli_free(xl_engine *eng, void *ptr);
/* Returns |ptr|, moved if need be, with room for |need| elements of |size|
   bytes, and sets *cap to the room. Small arrays are exact, larger ones grow
   by a quarter. NULL when out of memory; |ptr| and *cap are then still good. */
void *xli_grow(xl_engine *eng, void *ptr, uint32_t *cap, uint32_t need,
               size_t size);

#endif
