/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of totals: bytes by kind of source, and offload against p95
 * completion.
 */
#include "analysis/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes by kind of source --------------------------------------------- */

typedef struct kind {
  const char *label, *column, *colour;
  const char *fill; /* fillstyle */
  uint32_t classes; /* bit 1 << xl_class */
} kind;

#define CLASS(c) (UINT32_C(1) << XL_CLASS_##c)

static const kind kinds[] = {
    {"origin", "origin", "222222", "solid 1", CLASS(ORIGIN)},
    {"peers, same subnet", "peer_subnet", "56b4e9", "solid 1",
     CLASS(PEER_SUBNET)},
    {"peers, same site", "peer_site", "a6dcf7", "solid 1", CLASS(PEER_SITE)},
    {"peers, same group", "peer_group", "009e73", "solid 1", CLASS(PEER_GROUP)},
    {"peers, internet", "peer_internet", "8fd6bd", "solid 1",
     CLASS(PEER_INTERNET)},
    {"cache servers", "cache", "f0e442", "solid 1", CLASS(CACHE)},
    {"wasted", "wasted", "d55e00", "pattern 5",
     CLASS(DUPLICATE) | CLASS(LATE) | CLASS(CANCELLED) | CLASS(FAILED_CHECK) |
         CLASS(RESTARTED) | CLASS(OVERHEAD)},
};
enum { NKINDS = sizeof kinds / sizeof *kinds };

/* Mean bytes of |k| over the seeds of |policy|. */
static double kind_bytes(const study *st, size_t policy, const kind *k) {
  double sum = 0;

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    for (size_t c = 0; r->used && c < XL_NCLASSES; c++) {
      sum += (k->classes >> c & 1) != 0 ? (double)r->bytes[c] : 0;
    }
  }
  return sum / (double)study_used(st, policy);
}

typedef struct bars {
  double at[FIGURE_NAMED][NKINDS]; /* bytes */
  bool any[NKINDS];
  double longest; /* the longest bar, bytes */
  size_t nkinds;  /* with any */
} bars;

static void measure_bars(const plot *p, bars *b) {
  *b = (bars){0};
  for (size_t i = 0; i < p->nnamed; i++) {
    double sum = 0;
    for (size_t k = 0; k < NKINDS; k++) {
      double v = kind_bytes(p->st, p->named[i], &kinds[k]);
      b->at[i][k] = isnan(v) ? 0 : v;
      sum += b->at[i][k];
      b->any[k] = b->any[k] || b->at[i][k] > 0;
    }
    b->longest = fmax(b->longest, sum);
  }
  for (size_t k = 0; k < NKINDS; k++) {
    b->nkinds += b->any[k];
  }
}

static void write_bars(const plot *p, const bars *b, scale s) {
  fprintf(p->tsv, "# row");
  for (size_t k = 0; k < NKINDS; k++) {
    fprintf(p->tsv, "\t%s_%s", kinds[k].column, s.unit);
  }
  fputs("\tpolicy\n", p->tsv);
  for (size_t i = 0; i < p->nnamed; i++) {
    fprintf(p->tsv, "%zu", i);
    for (size_t k = 0; k < NKINDS; k++) {
      fprintf(p->tsv, "\t%.6g", b->at[i][k] * s.factor);
    }
    fprintf(p->tsv, "\t%s\n", p->st->in->policies[p->named[i]]);
  }
}

/* The policy's name and its offload, above its bar. */
static void bar_labels(plot *p) {
  for (size_t i = 0; i < p->nnamed; i++) {
    double off = study_mean_of(p->st, p->named[i], "offload")->in.mean;
    const char *label = p->st->in->policies[p->named[i]];
    char text[512], number[HUMAN_LEN];

    scale_text(number, (scale){"%", 100, 1}, off, 0);
    snprintf(text, sizeof text, "%.400s   (offload %s %%)", label, number);
    fprintf(p->gp, "set label %zu ", i + 1);
    plot_quote(p->gp, text);
    fprintf(p->gp,
            " at first 0, first %.3f left offset character 0.2,0 front\n",
            (double)i - 0.36);
  }
}

/* "$2+$3+0" : what lies left of column |k|. */
static void left_of(plot *p, const bars *b, size_t k) {
  for (size_t j = 0; j < k; j++) {
    if (b->any[j]) {
      fprintf(p->gp, "$%zu+", j + 2);
    }
  }
}

void plot_bytes(plot *p) {
  bars b;
  bool first = true;

  measure_bars(p, &b);
  scale s = scale_for("B", b.longest, b.longest);
  char label[64];
  write_bars(p, &b, s);
  plot_begin(p, 24 + 62 * (int)p->nnamed, b.nkinds, 20);
  snprintf(label, sizeof label, "received by devices (%s), mean of a run",
           s.unit);
  plot_axes(p, label, "");
  fprintf(p->gp,
          "set lmargin at screen 0.04\nset border 1\nunset ytics\n"
          "set grid noytics\nset xrange [0:%.6g]\nset yrange [%.2f:-0.65]\n"
          "set style fill noborder\n",
          b.longest > 0 ? b.longest * s.factor * 1.04 : 1,
          (double)p->nnamed - 0.45);
  bar_labels(p);
  for (size_t k = 0; k < NKINDS; k++) {
    if (!b.any[k]) {
      continue;
    }
    fputs(first ? "plot " : ", \\\n     ", p->gp);
    first = false;
    /* Nothing is drawn for 0 bytes, not even a border. */
    fprintf(p->gp, "\"%s.tsv\" using ($%zu>0?0:NaN):($1+0.08):(", p->name,
            k + 2);
    left_of(p, &b, k);
    fputs("0):(", p->gp);
    left_of(p, &b, k);
    fprintf(p->gp,
            "$%zu):($1-0.14):($1+0.3) with boxxyerror fillcolor rgb \"#%s\" "
            "fillstyle %s border linecolor rgb \"#%s\" title \"%s\"",
            k + 2, kinds[k].colour, kinds[k].fill, kinds[k].colour,
            kinds[k].label);
  }
  fputs(first ? "plot NaN notitle\n" : "\n", p->gp);
  plot_end(p);
}

/* ---- offload against p95 completion -------------------------------------- */

static double run_value(const study_run *r, const char *name) {
  return r->used ? metric_value(&r->s, name) : NAN;
}

/* The largest finite p95 of all runs; 0: none. */
static double largest_p95(const study *st, double *least_offload,
                          bool *unfinished) {
  double y = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    double v = run_value(&st->runs[i], "completion_p95_s");
    double off = run_value(&st->runs[i], "offload");
    y = isfinite(v) ? fmax(y, v) : y;
    *unfinished = *unfinished || isinf(v);
    *least_offload = isfinite(off) ? fmin(*least_offload, off) : *least_offload;
  }
  return y;
}

static void write_points(const plot *p, size_t policy, scale s, double roof) {
  const study *st = p->st;
  const study_mean *x = study_mean_of(st, policy, "offload");
  const study_mean *y = study_mean_of(st, policy, "completion_p95_s");

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, policy, i);
    double v = run_value(r, "completion_p95_s");
    if (r->used && !isnan(v)) {
      fprintf(p->tsv, "run\t%.6g\t%.6g\t%llu\t%s\n",
              100 * run_value(r, "offload"),
              isinf(v) ? roof * s.factor : v * s.factor,
              (unsigned long long)st->seeds[i], isinf(v) ? "open" : "done");
    }
  }
  if (isfinite(x->in.mean) && isfinite(y->in.mean)) {
    bool whole = !x->in.refused && !y->in.refused;
    fprintf(p->tsv, "mean\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\n",
            100 * x->in.mean, y->in.mean * s.factor,
            100 * (whole ? x->in.lo : x->in.mean),
            100 * (whole ? x->in.hi : x->in.mean),
            s.factor * (whole ? y->in.lo : y->in.mean),
            s.factor * (whole ? y->in.hi : y->in.mean));
  }
  fputs("\n\n", p->tsv);
}

static void point_parts(plot *p, size_t block, const plot_style *style,
                        const char *label) {
  fprintf(p->gp,
          "%s\"%s.tsv\" index %zu using "
          "(strcol(1) eq \"run\" ? $2 : NaN):3 with points linecolor rgb "
          "\"#%s%s\" pointtype %d pointsize %s*ps notitle",
          block == 0 ? "plot " : ", \\\n     ", p->name, block,
          label != NULL ? "70" : "", style->colour, style->point,
          label != NULL ? "0.7" : "0.35");
  if (label == NULL) {
    return;
  }
  fprintf(p->gp,
          ", \\\n     \"%s.tsv\" index %zu using "
          "(strcol(1) eq \"mean\" ? $2 : NaN):3:4:5:6:7 with xyerrorbars "
          "linecolor rgb \"#%s\" linewidth 2 pointtype %d pointsize 1.2*ps "
          "notitle, \\\n     NaN with points linecolor rgb \"#%s\" pointtype "
          "%d pointsize 1.2*ps title ",
          p->name, block, style->colour, style->point, style->colour,
          style->point);
  plot_quote(p->gp, label);
}

/* 1, 2 or 5 times a power of ten, about a fifth of |range|. */
static double tic_step(double range) {
  double step = pow(10, floor(log10(range / 5))), n = range / 5 / step;

  return step * (n < 1.5 ? 1 : n < 3.5 ? 2 : n < 7.5 ? 5 : 10);
}

void plot_tradeoff(plot *p) {
  static const plot_style grey = {"c8c8c8", "solid", 7};
  double least = 0;
  bool open = false;
  double top = largest_p95(p->st, &least, &open);
  char label[96], span[HUMAN_LEN];

  top = top > 0 ? top : fmax(study_duration_s(p->st), 1);
  double roof = top * 1.14; /* where runs without a p95 are drawn */
  scale s = scale_for("s", top, top);
  fprintf(p->tsv,
          "# run: offload_percent, completion_p95_%s, seed, done|open\n"
          "# mean: both, then 95 %% interval of each: lo hi lo hi\n",
          s.unit);
  for (size_t i = 0; i < p->nothers; i++) {
    write_points(p, p->others[i], s, roof);
  }
  for (size_t i = 0; i < p->nnamed; i++) {
    write_points(p, p->named[i], s, roof);
  }
  plot_begin(p, 360, p->nnamed + (p->nothers > 0), plot_longest(p));
  snprintf(label, sizeof label, "95th percentile of completion (%s)", s.unit);
  plot_axes(p, "offload (%)", label);
  fprintf(p->gp, "set xrange [%.6g:102]\nset yrange [0:%.6g]\nset xtics 20\n",
          fmin(-3, floor(least * 100 / 10) * 10),
          s.factor * (open ? top * 1.24 : top * 1.08));
  if (open) {
    human_span(span, study_duration_s(p->st));
    fprintf(
        p->gp,
        "set ytics 0,%.6g,%.6g\n"
        "set arrow 1 from graph 0, first %.6g to graph 1, first %.6g nohead "
        "linecolor rgb \"#777777\" dashtype (4,4)\n"
        "set label 1 \"95 %% not finished within %s\" at graph 0.99, first "
        "%.6g right textcolor rgb \"#444444\"\n",
        tic_step(top * s.factor), s.factor * top * 1.07, s.factor * top * 1.08,
        s.factor * top * 1.08, span, s.factor * top * 1.2);
  }
  fputs("ps = kind eq \"svg\" ? 0.6 : 1\n", p->gp);
  for (size_t i = 0; i < p->nothers; i++) {
    point_parts(p, i, &grey, NULL);
  }
  for (size_t i = 0; i < p->nnamed; i++) {
    point_parts(p, p->nothers + i, &plot_styles[i],
                p->st->in->policies[p->named[i]]);
  }
  if (p->nothers > 0) {
    fprintf(p->gp,
            ", \\\n     NaN with points linecolor rgb \"#c8c8c8\" pointtype 7 "
            "pointsize 0.6*ps "
            "title \"%zu other policies\"",
            p->st->npolicies - p->nnamed);
  }
  fputc('\n', p->gp);
  plot_end(p);
}
