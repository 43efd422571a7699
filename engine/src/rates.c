/* SPDX-License-Identifier: MIT */
#include "rates.h"

void xli_rates_start(rates *t, xl_time now) {
  for (int i = 0; i < 2; i++) {
    t->at[i] = now;
    t->mark[i][0] = t->total[0];
    t->mark[i][1] = t->total[1];
  }
  t->sampled = now;
}

void xli_rates_count(rates *t, uint8_t kind, xl_bytes n) {
  t->total[kind == XL_SOURCE_PEER] += n;
}

void xli_rates_roll(rates *t, xl_span window, xl_time now) {
  if (now - t->at[1] < window / 2) {
    return;
  }
  t->at[0] = t->at[1];
  t->at[1] = now;
  for (int k = 0; k < 2; k++) {
    t->mark[0][k] = t->mark[1][k];
    t->mark[1][k] = t->total[k];
  }
}

xl_rate xli_rates_mean(const rates *t, xl_source_kind kind, xl_time now) {
  int k = kind == XL_SOURCE_PEER;

  return now > t->at[0]
             ? xl_span_rate(t->total[k] - t->mark[0][k], now - t->at[0])
             : 0;
}
