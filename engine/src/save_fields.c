/* SPDX-License-Identifier: MIT */
#include "agent.h"
#include "engine.h"
#include "file.h"
#include "machine.h"
#include "save.h"

/*
 * Properties that are saved as they are: tag, kind, member, least, most (of a
 * NUMBER). Tags of one table ascend from 1. A new property is a line at the
 * end; a line never goes, a tag never means something else.
 */
#define GROWS (UINT32_MAX >> 1) /* what goes on growing begins below */

#define AGENT_MAP(X)                                                           \
  X(1, NUMBER, draws, 0, UINT64_MAX >> 1)                                      \
  X(2, NUMBER, numbers, 0, GROWS)                                              \
  X(3, NUMBER, turns, 0, GROWS)                                                \
  X(4, NUMBER, njobs, 0, GROWS)                                                \
  X(5, NUMBER, cache.max, 0, UINT64_MAX)                                       \
  X(6, NUMBER, late, 0, SAVE_BYTES_MAX)

#define JOB_MAP(X)                                                             \
  X(1, NUMBER, priority, 0, XL_PRIORITY_LOW)                                   \
  X(2, NUMBER, peercaching, 0, 7)                                              \
  X(3, NUMBER, id, 0, GROWS)                                                   \
  X(4, NUMBER, error_count, 0, UINT32_MAX)                                     \
  X(5, NUMBER, retries, 0, 30)                                                 \
  X(6, NUMBER, turn, 0, UINT32_MAX)                                            \
  X(7, NUMBER, http, 0, UINT16_MAX)                                            \
  X(8, NUMBER, modified_s, 0, UINT32_MAX)                                      \
  X(9, NUMBER, touched_s, 0, UINT32_MAX)                                       \
  X(10, FLAG, resumed, 0, 1)                                                   \
  X(11, FLAG, spoiled, 0, 1)

#define RARE_MAP(X)                                                            \
  X(1, NUMBER, min_retry_s, 5, UINT32_MAX)                                     \
  X(2, NUMBER, no_progress_s, 0, UINT32_MAX)                                   \
  X(3, NUMBER, max_download_s, 0, UINT32_MAX)                                  \
  X(4, TEXT, description, 0, 0)                                                \
  X(5, TEXT, owner.sid, 0, 0)                                                  \
  X(6, NUMBER, owner.integrity, 0, UINT32_MAX)                                 \
  X(7, NUMBER, owner.kind, 0, XL_ACCOUNT_SERVICE)                              \
  X(8, FLAG, owner.elevated, 0, 1)                                             \
  X(9, FLAG, owner.restricted, 0, 1)                                           \
  X(10, NUMBER, acl, 0, UINT32_MAX)                                            \
  X(11, NUMBER, cost, 0, UINT32_MAX)                                           \
  X(12, NUMBER, proxy, 0, XL_PROXY_AUTODETECT)                                 \
  X(13, TEXT, proxies, 0, 0)                                                   \
  X(14, TEXT, bypass, 0, 0)                                                    \
  X(15, TEXT, program, 0, 0)                                                   \
  X(16, TEXT, parameters, 0, 0)                                                \
  X(17, FLAG, command_failed, 0, 1)                                            \
  X(18, NUMBER, notices.flags, 0, 31)

#define FILE_MAP(X)                                                            \
  X(1, FLAG, named_content, 0, 1)                                              \
  X(2, FLAG, rechecked, 0, 1)                                                  \
  X(3, FLAG, origin_only, 0, 1)                                                \
  X(4, FLAG, no_ranges, 0, 1)                                                  \
  X(5, FLAG, single_ranges, 0, 1)                                              \
  X(6, FLAG, validated, 0, 1)                                                  \
  X(7, FLAG, completed, 0, 1)                                                  \
  X(8, FLAG, admitted, 0, 1)                                                   \
  X(9, NUMBER, switches, 0, UINT16_MAX)                                        \
  X(10, NUMBER, restarts, 0, UINT16_MAX)                                       \
  X(11, FLAG, invalidated, 0, 1)                                               \
  X(12, BITS, auth, 0, 7)

/* The preferences for the peer cache (R610-R612). */
#define CACHE_MAP(X)                                                           \
  X(1, FLAG, chosen, 0, 1)                                                     \
  X(2, NUMBER, flags, 0, 3)                                                    \
  X(3, NUMBER, percent, 0, XL_CACHE_PERCENT_MAX)                               \
  X(4, NUMBER, age_s, 0, XL_CACHE_AGE_MAX)

#define ONE(tag, kind, member, min, max) +1u
#define COUNT(map) (0u map(ONE))

uint32_t xli_save_nfields(void) {
  return COUNT(AGENT_MAP) + COUNT(JOB_MAP) + COUNT(RARE_MAP) + COUNT(FILE_MAP) +
         COUNT(CACHE_MAP);
}

/* ---- out ---- */

#define PUT(tag, kind, member, min, max)                                       \
  xli_put(o, tag, 2);                                                          \
  PUT_##kind(member)
#define PUT_NUMBER(member) xli_put(o, x->member, 8);
#define PUT_BITS PUT_NUMBER
#define PUT_FLAG(member) xli_put(o, x->member ? 1 : 0, 8);
#define PUT_TEXT(member) xli_put_text(o, xl_engine_string(eng, x->member));
#define PUT_ALL(map)                                                           \
  xli_put(o, COUNT(map), 2);                                                   \
  map(PUT)

void xli_put_agent_fields(save_out *o, const xl_agent *x) {
  PUT_ALL(AGENT_MAP)
}

void xli_put_job_fields(save_out *o, const xl_job *x) {
  PUT_ALL(JOB_MAP)
}

void xli_put_rare_fields(save_out *o, const xl_engine *eng, const job_rare *x) {
  PUT_ALL(RARE_MAP)
}

void xli_put_cache_fields(save_out *o, const cache_admin *x) {
  PUT_ALL(CACHE_MAP)
}

void xli_put_file_fields(save_out *o, const xl_file *x) {
  PUT_ALL(FILE_MAP)
}

/* ---- in ---- */

static uint64_t from(save_in *in, uint64_t min, uint64_t max) {
  uint64_t v = xli_get_max(in, 8, max);

  return xli_must(in, v >= min) ? v : min;
}

#define GET(tag, kind, member, min, max)                                       \
  case tag:                                                                    \
    GET_##kind(member, min, max) break;
#define GET_NUMBER(member, min, max)                                           \
  v = from(in, min, max);                                                      \
  x->member = (__typeof__(x->member))v;
#define GET_BITS(member, min, max) x->member = from(in, min, max) & max;
#define GET_FLAG(member, min, max) x->member = from(in, min, max) != 0;
#define GET_TEXT(member, min, max) x->member = xli_get_text(in, eng);
/* Tags ascend, so that none comes twice; one that is not there keeps its
   default. */
#define GET_ALL(map)                                                           \
  uint64_t v = 0, n = xli_get_max(in, 2, COUNT(map)), last = 0;                \
  for (; n > 0 && !in->bad; n--) {                                             \
    uint64_t tag = xli_get(in, 2);                                             \
    xli_must(in, tag > last);                                                  \
    last = tag;                                                                \
    switch (tag) { map(GET) default : xli_must(in, false); }                   \
  }

void xli_get_agent_fields(save_in *in, xl_agent *x) {
  GET_ALL(AGENT_MAP)
}

void xli_get_job_fields(save_in *in, xl_job *x) {
  GET_ALL(JOB_MAP)
}

void xli_get_rare_fields(save_in *in, xl_engine *eng, job_rare *x) {
  GET_ALL(RARE_MAP)
}

void xli_get_cache_fields(save_in *in, cache_admin *x) {
  GET_ALL(CACHE_MAP)
}

void xli_get_file_fields(save_in *in, xl_file *x) {
  GET_ALL(FILE_MAP)
}
