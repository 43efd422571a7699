/* SPDX-License-Identifier: MIT */
/*
 * Time, bytes, rates, ranges and memory: the words every other header uses.
 *
 * Time is one clock and one unit: nanoseconds since the start of the run. The
 * engine never reads a clock; every entry point is told the time. Byte counts
 * and offsets are uint64_t, rates are bytes per second; bits per second exist
 * in scenario files only. Intervals are half-open, always.
 */
#ifndef XL_TYPES_H
#define XL_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define XL_BEGIN_DECLS extern "C" {
#define XL_END_DECLS }
#else
#define XL_BEGIN_DECLS
#define XL_END_DECLS
#endif

#define XL_CHECKED __attribute__((warn_unused_result))

typedef int64_t xl_time;   /* an instant, ns since the start of the run */
typedef int64_t xl_span;   /* a length of time, ns */
typedef uint64_t xl_bytes; /* a count or offset on the wire or on disk */
typedef uint64_t xl_rate;  /* bytes per second */

#define XL_NEVER INT64_MAX /* no deadline; never an operand of + or - */
#define XL_US(n) ((xl_span)(n) * 1000)
#define XL_MS(n) ((xl_span)(n) * 1000000)
#define XL_SEC(n) ((xl_span)(n) * 1000000000)
#define XL_MIN(n) (XL_SEC(60) * (xl_span)(n))
#define XL_HOUR(n) (XL_MIN(60) * (xl_span)(n))
#define XL_DAY(n) (XL_HOUR(24) * (xl_span)(n))

#define XL_KIB(n) ((xl_bytes)(n) << 10)
#define XL_MIB(n) ((xl_bytes)(n) << 20)
#define XL_GIB(n) ((xl_bytes)(n) << 30)

#define XL_SIZE_UNKNOWN UINT64_MAX     /* BG_SIZE_UNKNOWN, R106 */
#define XL_LENGTH_TO_EOF UINT64_MAX    /* BG_LENGTH_TO_EOF, R203 */
#define XL_RATE_UNLIMITED UINT64_MAX   /* no cap; never an operand */
#define XL_NONE UINT32_MAX             /* no index */

/* [begin, end) */
typedef struct xl_range {
  xl_bytes begin;
  xl_bytes end;
} xl_range;

/* An interned string of an engine; equal names are equal strings. 0 is none. */
typedef uint32_t xl_name;

/* The one allocator. |size| 0 frees and returns NULL; |ptr| NULL allocates.
   On failure returns NULL and |ptr| is still good. */
typedef struct xl_alloc {
  void *(*realloc)(void *arg, void *ptr, size_t size);
  void *arg;
} xl_alloc;

/* Returns |t| + |d|, or XL_NEVER when that would not fit. |d| >= 0. */
static inline xl_time xl_time_add(xl_time t, xl_span d) {
  assert(d >= 0);
  return t > XL_NEVER - d ? XL_NEVER : t + d;
}

static inline xl_time xl_time_min(xl_time a, xl_time b) {
  return a < b ? a : b;
}

/* The time |n| bytes take at |rate|, rounded up; XL_NEVER when |rate| is 0 or
   the result would not fit. */
static inline xl_span xl_rate_span(xl_rate rate, xl_bytes n) {
  __extension__ typedef unsigned __int128 u128;
  u128 ns;

  if (rate == 0) {
    return n == 0 ? 0 : XL_NEVER;
  }
  ns = ((u128)n * 1000000000u + rate - 1) / rate;
  return ns > (u128)INT64_MAX ? XL_NEVER : (xl_span)ns;
}

/* The mean rate of |n| bytes over |d| > 0 ns, rounded down. */
static inline xl_rate xl_span_rate(xl_bytes n, xl_span d) {
  __extension__ typedef unsigned __int128 u128;
  u128 r;

  assert(d > 0);
  r = (u128)n * 1000000000u / (u128)d;
  return r >= (u128)XL_RATE_UNLIMITED ? XL_RATE_UNLIMITED - 1 : (xl_rate)r;
}

#endif
