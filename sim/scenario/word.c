/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nearest known word: optimal string alignment distance (a swap of two
 * neighbours counts as one), at most a third of the word and at least 1.
 */
#include <string.h>

#include "scenario/scenario.h"

#define WORD_MAX 64u

static unsigned min2(unsigned a, unsigned b) {
  return a < b ? a : b;
}

static unsigned distance(const char *a, size_t na, const char *b, size_t nb) {
  unsigned row[3][WORD_MAX + 1];
  unsigned *before = row[0], *last = row[1], *cur = row[2];

  for (size_t j = 0; j <= nb; j++) {
    last[j] = (unsigned)j;
  }
  for (size_t i = 1; i <= na; i++) {
    cur[0] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
      unsigned other = a[i - 1] != b[j - 1];
      cur[j] = min2(last[j - 1] + other, min2(last[j], cur[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cur[j] = min2(cur[j], before[j - 2] + 1);
      }
    }
    unsigned *spare = before;
    before = last;
    last = cur;
    cur = spare;
  }
  return last[nb];
}

const char *nearest_word(const char *word, const char *const *words, size_t n) {
  size_t len = strlen(word);
  const char *best = NULL;
  unsigned limit = len <= 4 ? 1 : (unsigned)(len / 3 + (len < 6));

  if (len == 0 || len > WORD_MAX) {
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    size_t m = strlen(words[i]);
    if (m > WORD_MAX) {
      continue;
    }
    unsigned d = distance(word, len, words[i], m);
    if (d <= limit) { /* only a nearer word may follow */
      best = words[i];
      if (d == 0) {
        break;
      }
      limit = d - 1;
    }
  }
  return best;
}
