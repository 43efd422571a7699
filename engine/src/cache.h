/* SPDX-License-Identifier: MIT */
/*
 * What a device holds that others may see: files being fetched by a policy that
 * swarms, and whole validated copies, the peer cache. The least recently used
 * copy goes first (R613), a copy that is being served not before that ends
 * (R611), and a copy that was idle for its age goes by itself (R612).
 */
#ifndef ENGINE_CACHE_H
#define ENGINE_CACHE_H

#include "map.h"

typedef struct copy {
  xl_name key;
  xl_name url;      /* the remote name it came from; 0: the key is it */
  uint32_t id;      /* of the record */
  uint32_t uploads; /* being served now */
  xl_version version;
  uint32_t piece_bytes;
  bool validated;
  bool cached;   /* counts in the cache's bytes */
  bool doomed;   /* goes when it is no longer served */
  xl_map *map;   /* owned unless |file| has it */
  xl_file *file; /* still its own; NULL: the cache's */
  xl_bytes size; /* of the local file */
  xl_time used;
  xl_time expires;
  xl_span age_max; /* idle; 0: does not restart */
} copy;

typedef struct cache {
  copy *copies; /* owned */
  uint32_t n, cap;
  xl_bytes held; /* by cached copies */
  xl_bytes max;
} cache;

void xli_cache_fini(xl_agent *a);
/* Index; XL_NONE. */
uint32_t xli_cache_find(const xl_agent *a, xl_name key, xl_version v);
/* The file begins: others may see its map, if policy and flags allow. */
bool xli_cache_may_share(const xl_file *f);
void xli_cache_share(xl_file *f);
/* The shared file is whole, its pieces checked. */
void xli_cache_whole(xl_file *f);
/* The file's map is going away, or the file is not to be seen any more. */
void xli_cache_unshare(xl_file *f);
/* The file is validated: asks the policy whether to keep it (R307, R618). */
void xli_cache_admit(xl_file *f);
/* Takes the cached copy of |f| out: it is invalid (R306). */
void xli_cache_remove(xl_file *f);
/* Asks the policy too; not to keep it is no error. */
XL_CHECKED xl_err xli_cache_hold(xl_agent *a, xl_name key, xl_name url,
                                 xl_version v, xl_bytes size,
                                 uint32_t piece_bytes);
/* Takes a record out, at once or when it is no longer served. */
void xli_cache_delete(xl_agent *a, uint32_t i);
/* The cache holds at most |max| from now on (R611). */
void xli_cache_shrink(xl_agent *a, xl_bytes max);
/* Copies may be idle for |age| from now on (R612). */
void xli_cache_age(xl_agent *a, xl_span age);
/* The rows of a copy: the application's ranges, or the whole file (R617). */
uint32_t xli_copy_nrows(const xl_agent *a, const copy *c);
/* Where what |key| names lies in |c|: all of it, or one row. */
xl_range xli_copy_bytes(const xl_agent *a, const copy *c, xl_name key);
/* The |i|-th, and where it begins in the copy (R644). */
bool xli_copy_row(const xl_agent *a, const copy *c, uint32_t i,
                  xl_range_spec *out, xl_bytes *begin);
/* Puts a record back as it was saved: |c| without its map. False: one of its
   key is there, it does not fit, or out of memory. */
bool xli_cache_load(xl_agent *a, const copy *c, uint32_t npieces);
/* A copy was used, or its serving ended. */
void xli_cache_touch(xl_agent *a, uint32_t i);
void xli_cache_due(xl_agent *a);
xl_time xli_cache_next_due(const xl_agent *a);

#endif
