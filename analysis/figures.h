/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The figures of a study, made by gnuplot. Each is four files of one name:
 * .tsv (its data), .gp (its script, which remakes it in that folder), .svg and
 * .png. gnuplot is started once for all of them.
 */
#ifndef ANALYSIS_FIGURES_H
#define ANALYSIS_FIGURES_H

#include "analysis/study.h"

/* name, title, how to read it */
#define FIGURE_MAP(X)                                                          \
  X(COMPLETION, "completion", "Completion time of device jobs",                \
    "Share of the device jobs that had finished within a time after their "    \
    "arrival on the device. Further left is faster. A curve that ends below "  \
    "100 % has jobs that did not finish in the run.")                          \
  X(BYTES, "bytes", "Bytes received, by kind of source",                       \
    "What all devices together received, useful first copies by where they "   \
    "came from and wasted bytes; the offload (1 - origin egress / useful "     \
    "bytes) stands with the policy's name.")                                   \
  X(RATES, "rates", "Rates over time",                                         \
    "What origins sent and what peers delivered, mean rate of each bin. The "  \
    "origin's peaks are what its capacity has to be bought for.")              \
  X(TRADEOFF, "tradeoff", "Offload against p95 completion time",               \
    "Lower right is better: less from the origin, and sooner.")                \
  X(PROGRESS, "progress", "Share of device jobs done over time",               \
    "Time runs from the start of the scenario; the thin dotted line is the "   \
    "share that had arrived, which no policy can be above.")

typedef enum figure {
#define X(id, name, title, text) FIGURE_##id,
  FIGURE_MAP(X)
#undef X
      NFIGURES
} figure;

const char *figure_name(figure f);
const char *figure_title(figure f);
const char *figure_text(figure f);

/* At most this many policies are named; others are drawn in grey. */
enum { FIGURE_NAMED = 8 };

/* One run alone has no trade-off to show. */
bool figure_drawn(const study *st, figure f);

/* Writes all figures into |dir|, which is made. When gnuplot is absent or
   fails: false, and the scripts and data are there. */
bool figures_write(const study *st, const char *dir, fail *why);

/* ---- between figures.c and plot_*.c -----------------------------------------
 */

/* How a named policy is drawn. */
typedef struct plot_style {
  const char *colour; /* RRGGBB; luminances are far apart, first ones most */
  const char *dash;   /* of `dashtype` */
  int point;
} plot_style;
extern const plot_style plot_styles[FIGURE_NAMED];

typedef struct plot {
  const study *st;
  FILE *tsv, *gp;
  const char *name;
  size_t named[FIGURE_NAMED]; /* policies that are named, in order */
  size_t nnamed;
  size_t others[256]; /* drawn in grey */
  size_t nothers;
  int width, height; /* px */
  int key_rows, key_columns;
} plot;

/* A single-quoted gnuplot string. */
void plot_quote(FILE *gp, const char *text);
/* Head of the script: terminals, size, fonts. |nkeys| entries of at most
   |longest| columns go below the axes; |panel_px| is the height without them.
   Opens the loop over both terminals. */
void plot_begin(plot *p, int panel_px, size_t nkeys, size_t longest);
/* Closes it. */
void plot_end(plot *p);
/* The key, below the axes. */
void plot_key(plot *p);
/* "x/y label" lines, with the margins of a single panel. */
void plot_axes(plot *p, const char *x, const char *y);
/* The longest label among the named policies. */
size_t plot_longest(const plot *p);
/* min, median and max of |x|, which is sorted. NaN when |n| is 0. */
void plot_spread(double *x, size_t n, double out[3]);

typedef void plot_fn(plot *p);
plot_fn plot_completion, plot_bytes, plot_rates, plot_tradeoff, plot_progress;

#endif
