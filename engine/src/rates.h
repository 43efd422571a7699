/* SPDX-License-Identifier: MIT */
/*
 * How fast bytes come from peers and from origins, over a window of time. Two
 * marks half a window apart: the mean runs from the older one, which is half a
 * window to a window old.
 */
#ifndef ENGINE_RATES_H
#define ENGINE_RATES_H

#include <xl/agent.h>

typedef struct rates {
  xl_time at[2];       /* the marks, older first */
  xl_bytes mark[2][2]; /* totals then: [mark][origin, peer] */
  xl_bytes total[2];   /* [origin, peer] */
  xl_time sampled;     /* when requests were last asked how far they are */
} rates;

void xli_rates_start(rates *t, xl_time now);
/* A cache server counts as an origin (R730). */
void xli_rates_count(rates *t, uint8_t kind, xl_bytes n);
void xli_rates_roll(rates *t, xl_span window, xl_time now);
xl_rate xli_rates_mean(const rates *t, xl_source_kind kind, xl_time now);

#endif
