/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures over time: completion CDF, share done, rates. A policy's curve is
 * the median over its seeds with a band from the least to the greatest.
 */
#include "analysis/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/alloc.h"

enum { STEPS = 400, BINS = 240 };

/* ---- fractions --------------------------------------------------------------
 */

/* The values of a run whose fraction below x is drawn, sorted. */
typedef const double *sorted_fn(const study_run *r);

static const double *completion_of(const study_run *r) {
  return r->completion_s;
}
static const double *done_of(const study_run *r) {
  return r->done_s;
}
static const double *arrived_of(const study_run *r) {
  return r->arrived_s;
}

/* How many of |n| sorted values are at most |x|. */
static size_t count_to(const double *sorted, size_t n, double x) {
  size_t lo = 0, hi = n;

  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (sorted[mid] <= x) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  return lo;
}

/* Over the seeds of |policy|: min, median, max of the share at |x|, in %. */
static void shares(const study *st, size_t policy, sorted_fn *of, double x,
                   double *scratch, double out[3]) {
  size_t n = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    if (r->used && r->njobs > 0) {
      scratch[n++] =
          100 * (double)count_to(of(r), r->njobs, x) / (double)r->njobs;
    }
  }
  plot_spread(scratch, n, out);
}

/* The largest finite value of all runs. */
static double largest(const study *st, sorted_fn *of) {
  double x = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    for (size_t k = r->used ? r->njobs : 0; k > 0; k--) {
      double v = of(r)[k - 1];
      if (isfinite(v)) {
        x = fmax(x, v);
        break;
      }
    }
  }
  return x;
}

static bool any_unfinished(const study *st) {
  for (size_t p = 0; p < st->npolicies; p++) {
    if (study_completed(st, p) < 1) {
      return true;
    }
  }
  return false;
}

static void tsv_label(FILE *tsv, const char *label) {
  for (; *label != '\0'; label++) {
    fputc(*label == '\t' || *label == '\n' ? ' ' : *label, tsv);
  }
}

/* Rows: x, then min, median, max per named policy, the median per other one,
   then the median of |extra| in the baseline. */
static void write_shares(const plot *p, sorted_fn *of, sorted_fn *extra,
                         double end, scale s) {
  const study *st = p->st;
  double *scratch = alloc_array(st->nseeds, sizeof *scratch), v[3];

  fprintf(p->tsv, "# time_%s", s.unit);
  for (size_t i = 0; i < p->nnamed; i++) {
    for (size_t k = 0; k < 3; k++) {
      static const char *const what[] = {"min", "median", "max"};
      fputc('\t', p->tsv);
      tsv_label(p->tsv, st->in->policies[p->named[i]]);
      fprintf(p->tsv, " %s_percent", what[k]);
    }
  }
  for (size_t i = 0; i < p->nothers; i++) {
    fputc('\t', p->tsv);
    tsv_label(p->tsv, st->in->policies[p->others[i]]);
    fputs(" median_percent", p->tsv);
  }
  fprintf(p->tsv, "%s\n", extra != NULL ? "\tarrived_percent" : "");
  for (int step = 0; step <= STEPS; step++) {
    double x = end * step / STEPS;
    fprintf(p->tsv, "%.6g", x * s.factor);
    for (size_t i = 0; i < p->nnamed; i++) {
      shares(st, p->named[i], of, x, scratch, v);
      fprintf(p->tsv, "\t%.5g\t%.5g\t%.5g", v[0], v[1], v[2]);
    }
    for (size_t i = 0; i < p->nothers; i++) {
      shares(st, p->others[i], of, x, scratch, v);
      fprintf(p->tsv, "\t%.5g", v[1]);
    }
    if (extra != NULL) {
      shares(st, 0, extra, x, scratch, v);
      fprintf(p->tsv, "\t%.5g", v[1]);
    }
    fputc('\n', p->tsv);
  }
  free(scratch);
}

/* ", <more>" between the parts of one plot command. */
static void part(plot *p, size_t *n) {
  fputs((*n)++ == 0 ? "plot " : ", \\\n     ", p->gp);
}

static void grey_lines(plot *p, size_t first_column, size_t *n) {
  if (p->nothers > 0) {
    part(p, n);
    fprintf(p->gp,
            "for [c=%zu:%zu] \"%s.tsv\" using 1:c every 4 with lines "
            "linecolor rgb \"#c8c8c8\" linewidth 0.7 notitle",
            first_column, first_column + p->nothers - 1, p->name);
  }
}

/* Bands first, so that no band hides a line. */
static void band_lines(plot *p, size_t *n) {
  bool bands = p->st->nseeds > 1;

  for (size_t i = 0; bands && i < p->nnamed; i++) {
    part(p, n);
    fprintf(p->gp,
            "\"%s.tsv\" using 1:%zu:%zu with filledcurves "
            "fillcolor rgb \"#%s\" fillstyle transparent solid 0.18 noborder "
            "notitle",
            p->name, 2 + 3 * i, 4 + 3 * i, plot_styles[i].colour);
  }
}

static void median_lines(plot *p, bool unfinished, size_t *n) {
  for (size_t i = 0; i < p->nnamed; i++) {
    const char *label = p->st->in->policies[p->named[i]];
    double open = 100 * (1 - study_completed(p->st, p->named[i]));
    char title[512];

    snprintf(title, sizeof title, "%.400s", label);
    if (unfinished && open > 0) {
      snprintf(title, sizeof title, "%.400s (%.2g %% not finished)", label,
               open);
    }
    part(p, n);
    fprintf(p->gp,
            "\"%s.tsv\" using 1:%zu with lines linecolor rgb \"#%s\" "
            "linewidth 2 dashtype %s title ",
            p->name, 3 + 3 * i, plot_styles[i].colour, plot_styles[i].dash);
    plot_quote(p->gp, title);
  }
}

/* Of the key: entries with a grey one for the others. */
static void grey_key(plot *p, size_t *n) {
  if (p->nothers > 0) {
    part(p, n);
    fprintf(p->gp,
            "NaN with lines linecolor rgb \"#c8c8c8\" linewidth 1.5 title "
            "\"%zu other policies\"",
            p->st->npolicies - p->nnamed);
  }
}

static void share_axes(plot *p, const char *what, scale s, double end) {
  char label[96];

  snprintf(label, sizeof label, "%s (%s)", what, s.unit);
  plot_axes(p, label, "share of device jobs (%)");
  fprintf(p->gp, "set xrange [0:%.6g]\nset yrange [0:102]\nset ytics 20\n",
          end * s.factor);
}

void plot_completion(plot *p) {
  bool open = any_unfinished(p->st);
  double end = largest(p->st, completion_of) * (open ? 1.12 : 1.03);
  size_t n = 0;

  end = end > 0 ? end : fmax(study_duration_s(p->st), 1);
  scale s = scale_for("s", end, end);
  write_shares(p, completion_of, NULL, end, s);
  plot_begin(p, 360, p->nnamed + (p->nothers > 0),
             plot_longest(p) + (open ? 20 : 0));
  share_axes(p, "time from arrival on the device to finish", s, end);
  grey_lines(p, 2 + 3 * p->nnamed, &n);
  band_lines(p, &n);
  median_lines(p, open, &n);
  grey_key(p, &n);
  fputc('\n', p->gp);
  plot_end(p);
}

void plot_progress(plot *p) {
  double end = fmax(largest(p->st, done_of), largest(p->st, arrived_of));
  size_t n = 0;

  end = end > 0 ? end * 1.03 : fmax(study_duration_s(p->st), 1);
  scale s = scale_for("s", end, end);
  write_shares(p, done_of, arrived_of, end, s);
  plot_begin(p, 360, p->nnamed + 1 + (p->nothers > 0), plot_longest(p));
  share_axes(p, "time since the start of the scenario", s, end);
  grey_lines(p, 2 + 3 * p->nnamed, &n);
  band_lines(p, &n);
  part(p, &n);
  fprintf(p->gp,
          "\"%s.tsv\" using 1:%zu with lines linecolor rgb \"#555555\" "
          "linewidth 1.2 dashtype (2,3) title \"arrived\"",
          p->name, 2 + 3 * p->nnamed + p->nothers);
  median_lines(p, false, &n);
  grey_key(p, &n);
  fputc('\n', p->gp);
  plot_end(p);
}

/* ---- rates --------------------------------------------------------------- */

enum { BIN_S = 60, PANELS = 3 };

static const struct {
  const char *column, *label;
} panels[PANELS] = {
    {"origin", "origins"}, {"peer", "peers"}, {"cache", "caches"}};

static uint64_t panel_bytes(const row_series *b, size_t panel) {
  return panel == 0 ? b->origin : panel == 1 ? b->peer : b->cache;
}

/* The end of the last bin with traffic, s, and which panels have any. */
static double rates_end(const study *st, bool used[PANELS]) {
  double end = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    for (size_t k = 0; r->used && k < r->nseries; k++) {
      for (size_t j = 0; j < PANELS; j++) {
        if (panel_bytes(&r->series[k], j) > 0) {
          used[j] = true;
          end = fmax(end, (double)r->series[k].at_ns / 1e9 + BIN_S);
        }
      }
    }
  }
  return end;
}

/* Adds the rates of |policy| into |bins|: mean over seeds, Mbit/s. */
static void add_rates(const study *st, size_t policy, size_t panel,
                      double bin_s, size_t nbins, double *bins) {
  double n = (double)study_used(st, policy);

  memset(bins, 0, nbins * sizeof *bins);
  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    for (size_t k = 0; r->used && k < r->nseries; k++) {
      size_t b = (size_t)((double)r->series[k].at_ns / 1e9 / bin_s);
      if (b < nbins) {
        bins[b] += (double)panel_bytes(&r->series[k], panel) * 8e-6 / bin_s / n;
      }
    }
  }
}

static void write_rates(const plot *p, const size_t *panel, size_t npanels,
                        double bin_s, size_t nbins, scale s) {
  size_t columns = npanels * p->nnamed;
  double *bins = alloc_array(columns * nbins, sizeof *bins);

  fprintf(p->tsv, "# bin_start_%s", s.unit);
  for (size_t j = 0; j < npanels; j++) {
    for (size_t i = 0; i < p->nnamed; i++) {
      fputc('\t', p->tsv);
      tsv_label(p->tsv, p->st->in->policies[p->named[i]]);
      fprintf(p->tsv, " %s_Mbit/s", panels[panel[j]].column);
      add_rates(p->st, p->named[i], panel[j], bin_s, nbins,
                bins + (j * p->nnamed + i) * nbins);
    }
  }
  fputc('\n', p->tsv);
  for (size_t b = 0; b <= nbins; b++) {
    fprintf(p->tsv, "%.6g", (double)b * bin_s * s.factor);
    for (size_t c = 0; c < columns; c++) {
      /* The last step goes down to the axis. */
      fprintf(p->tsv, "\t%.5g", b < nbins ? bins[c * nbins + b] : 0.0);
    }
    fputc('\n', p->tsv);
  }
  free(bins);
}

enum { PANEL_PX = 190, GAP_PX = 26 };

static void rate_panel(plot *p, size_t j, size_t npanels, const char *label) {
  double h = p->height, top = 20 + (double)j * (PANEL_PX + GAP_PX);
  bool last = j + 1 == npanels;
  size_t n = 0;

  fprintf(p->gp,
          "set tmargin at screen %.5f\nset bmargin at screen %.5f\n"
          "set ylabel \"%s (Mbit/s)\" offset 0.5\n",
          1 - top / h, 1 - (top + PANEL_PX) / h, label);
  fputs(last ? "set format x \"%g\"\nset xlabel timelabel offset 0,0.2\n"
             : "set format x \"\"\nunset xlabel\n",
        p->gp);
  if (last) {
    plot_key(p);
  } else {
    fputs("unset key\n", p->gp);
  }
  for (size_t i = 0; i < p->nnamed; i++) {
    part(p, &n);
    fprintf(p->gp,
            "\"%s.tsv\" using 1:%zu with steps linecolor rgb \"#%s\" "
            "linewidth 1.6 dashtype %s title ",
            p->name, 2 + j * p->nnamed + i, plot_styles[i].colour,
            plot_styles[i].dash);
    plot_quote(p->gp, p->st->in->policies[p->named[i]]);
  }
  fputc('\n', p->gp);
}

void plot_rates(plot *p) {
  bool used[PANELS] = {true, false, false};
  size_t panel[PANELS], npanels = 0;
  double end = fmax(rates_end(p->st, used), BIN_S);
  /* Whole minutes, and at most BINS of them. */
  double bin_s = BIN_S * ceil(end / BIN_S / BINS);
  size_t nbins = (size_t)ceil(end / bin_s);
  scale s = scale_for("s", end, end);
  char span[HUMAN_LEN];

  for (size_t j = 0; j < PANELS; j++) {
    if (used[j]) {
      panel[npanels++] = j;
    }
  }
  write_rates(p, panel, npanels, bin_s, nbins, s);
  plot_begin(p, (int)npanels * PANEL_PX + ((int)npanels - 1) * GAP_PX,
             p->nnamed, plot_longest(p));
  plot_axes(p, "", "");
  fprintf(p->gp,
          "timelabel = \"time since the start of the scenario (%s), bins of "
          "%s\"\nset xrange [0:%.6g]\nset yrange [0:*]\nset multiplot\n",
          s.unit, human_span(span, bin_s),
          (double)nbins * bin_s * s.factor * 1.01);
  for (size_t j = 0; j < npanels; j++) {
    rate_panel(p, j, npanels, panels[panel[j]].label);
  }
  fprintf(p->gp, "unset multiplot\n");
  plot_end(p);
}
