/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 30

static double started = -1, shown = -1;

static double wall(void) {
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_show(double fraction, const char *what) {
  double now = wall();

  if (started < 0) {
    started = now;
  }
  if (now - shown < 0.1 || !isatty(STDERR_FILENO)) {
    return;
  }
  shown = now;
  int full = (int)(fraction * WIDTH);
  fprintf(stderr, "\r[");
  for (int i = 0; i < WIDTH; i++) {
    fputc(i < full ? '=' : i == full ? '>' : ' ', stderr);
  }
  fprintf(stderr, "] %3.0f %%  %s", fraction * 100, what);
  if (fraction > 0.01 && now - started > 1) {
    double left = (now - started) * (1 - fraction) / fraction;
    fprintf(stderr, "  %d:%02d left", (int)left / 60, (int)left % 60);
  }
  fputs("\033[K", stderr);
  fflush(stderr);
}

void progress_end(void) {
  if (shown >= 0) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
}
