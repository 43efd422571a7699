/* SPDX-License-Identifier: MIT */
/* What the application and the administrator set for the peer cache: a part of
   the machine. Zeroed: nothing. */
#ifndef ENGINE_ADMIN_H
#define ENGINE_ADMIN_H

#include <xl/cache.h>

typedef struct cache_admin {
  xl_cache_policy policy;
  xl_time discovered;      /* the last asked-for discovery */
  uint32_t percent, age_s; /* preferences; 0: not set */
  uint8_t flags;           /* preference */
  bool chosen;             /* |flags| was set */
  bool searched;           /* |discovered| was */
} cache_admin;

/* Puts the limits that are set in place of the transfer policy's. */
void xli_admin_limit(const xl_agent *a, xl_keep *keep);

#endif
