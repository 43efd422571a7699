/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/page.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/answer.h"
#include "analysis/figures.h"

/* With more policies than this, parts about one policy are folded. */
enum { FOLD_ABOVE = 6 };

static bool alone(const study *st) {
  return st->npolicies == 1 && st->nseeds == 1;
}

/* What |say| prints, escaped. */
static void put_said(const study *st, FILE *out,
                     void (*say)(const study *, FILE *)) {
  char *text = NULL;
  size_t len = 0;
  FILE *mem = open_memstream(&text, &len);

  if (mem != NULL) {
    say(st, mem);
    fclose(mem);
    html_text(out, text);
    free(text);
  }
}

static void put_policy_said(const study *st, size_t policy, FILE *out) {
  char *text = NULL;
  size_t len = 0;
  FILE *mem = open_memstream(&text, &len);

  if (mem != NULL) {
    answer_policy(st, policy, mem);
    fclose(mem);
    html_text(out, text);
    free(text);
  }
}

/* The value of a top-level key of the scenario that stands on one line. */
static void put_scenario_line(const study *st, const char *key,
                              const char *before, const char *after,
                              FILE *out) {
  size_t len = strlen(key);
  const char *at = st->scenario_text;

  while (at != NULL && !(strncmp(at, key, len) == 0 && at[len] == ':')) {
    at = strchr(at, '\n');
    at = at != NULL ? at + 1 : NULL;
  }
  if (at == NULL) {
    return;
  }
  at += len + 1;
  at += strspn(at, " ");
  char line[1024];
  snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
  size_t end = strlen(line), from = 0;
  if (end > 1 && (line[0] == '"' || line[0] == '\'') &&
      line[end - 1] == line[0]) {
    line[--end] = '\0';
    from = 1;
  }
  while (end > 0 && strchr(". ", line[end - 1]) != NULL) {
    line[--end] = '\0';
  }
  if (end > 0 && line[0] != '>' && line[0] != '|') {
    fputs(before, out);
    html_text(out, line + from);
    fputs(after, out);
  }
}

/* ---- head ---------------------------------------------------------------- */

static void put_header(const study *st, FILE *out) {
  char span[HUMAN_LEN];
  unsigned devices = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    devices = r->used && r->s.devices > devices ? r->s.devices : devices;
  }
  fputs(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,"
      "initial-scale=1\">\n<title>",
      out);
  html_text(out, st->scenario);
  fputs(" - xferlab</title>\n", out);
  html_style(out);
  fputs("</head>\n<body>\n<main>\n<h1>", out);
  html_text(out, st->scenario);
  if (alone(st)) {
    fputs(": ", out);
    html_text(out, st->in->policies[0]);
  }
  fputs("</h1>\n<p class=\"sub\">", out);
  if (alone(st)) {
    fprintf(out, "seed %llu", (unsigned long long)st->seeds[0]);
  } else {
    fprintf(out, "%zu polic%s &times; %zu seed%s", st->npolicies,
            st->npolicies == 1 ? "y" : "ies", st->nseeds,
            st->nseeds == 1 ? "" : "s");
  }
  fprintf(out, ", %u devices, %s, network ", devices,
          human_span(span, study_duration_s(st)));
  html_text(out, st->network);
  fputs("</p>\n", out);
  put_scenario_line(st, "description", "<p>", ".</p>\n", out);
}

static void put_answer(const study *st, FILE *out) {
  fputs("<div class=\"answer\">\n", out);
  if (st->npolicies > 1) {
    fputs("<p>", out);
    put_said(st, out, answer_best);
    fputs("</p>\n", out);
    for (size_t p = 1; p < st->npolicies && st->npolicies <= FOLD_ABOVE; p++) {
      fputs("<p>", out);
      put_policy_said(st, p, out);
      fputs("</p>\n", out);
    }
  } else if (alone(st)) {
    fputs("<p>", out);
    put_said(st, out, answer_run);
    fputs("</p>\n", out);
  }
  fputs("<p>", out);
  put_said(st, out, answer_bound);
  fputs("</p>\n</div>\n", out);
}

static void put_warnings(const study *st, FILE *out) {
  if (st->nwarnings == 0) {
    return;
  }
  fputs("<div class=\"warnings\"><b>To know when reading this</b>\n<ul>\n",
        out);
  for (size_t i = 0; i < st->nwarnings; i++) {
    fputs("<li>", out);
    html_text(out, st->warnings[i]);
    fputs("</li>\n", out);
  }
  fputs("</ul></div>\n", out);
}

/* ---- tables -------------------------------------------------------------- */

static void put_mean_row(const study *st, size_t p, FILE *out) {
  double share = study_completed(st, p);
  char mean[HUMAN_LEN], half[HUMAN_LEN];

  fputs("<tr><th scope=\"row\">", out);
  html_label(out, st->in->policies[p]);
  fprintf(out, "</th><td>%zu</td>", study_used(st, p));
  if (isnan(share)) {
    fputs("<td>-</td>", out);
  } else {
    fprintf(out,
            share < 1 ? "<td class=\"refused\">%.1f</td>" : "<td>%.0f</td>",
            share < 1 && share > 0.999 ? 99.9 : 100 * share);
  }
  for (size_t m = 0; m < NMEASURES; m++) {
    if (measures[m].column) {
      study_cell(st, p, m, study_scale(st, m), mean, half);
      fputs("<td>", out);
      html_text(out, mean);
      if (half[0] != '\0') {
        fprintf(out, " <span class=\"half\">%s</span>", half);
      }
      fputs("</td>", out);
    }
  }
  fputs("</tr>\n", out);
}

static void put_means(const study *st, FILE *out) {
  fprintf(out,
          "<h2>%s</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
          "<th scope=\"col\">policy</th><th scope=\"col\">runs</th>"
          "<th scope=\"col\">finished<br>%%</th>",
          alone(st) ? "The run" : "Means over seeds");
  for (size_t m = 0; m < NMEASURES; m++) {
    if (measures[m].column) {
      fputs("<th scope=\"col\">", out);
      for (const char *c = measures[m].label; *c != '\0'; c++) {
        fputs(*c == ' ' ? "<br>" : (char[2]){*c, '\0'}, out);
      }
      fprintf(out, "<br>%s</th>", study_scale(st, m).unit);
    }
  }
  fputs("</tr></thead>\n<tbody>\n", out);
  for (size_t p = 0; p < st->npolicies; p++) {
    put_mean_row(st, p, out);
  }
  fputs("</tbody></table></div>\n", out);
  if (st->nseeds > 1) {
    fputs("<p class=\"note\">&plusmn;: half the width of the 95&nbsp;% "
          "interval of the mean, or the interval itself where the mean is far "
          "from its middle (studentised bootstrap over seeds; devices of "
          "one run are never taken as independent). A job that did not finish "
          "counts as infinite in every percentile.</p>\n",
          out);
  }
}

enum { FOREST_W = 150, FOREST_H = 16 };

/* The relative interval as a line on a scale of +-|reach|. */
static void put_forest(const interval *in, double reach, FILE *out) {
  double mid = FOREST_W / 2.0, k = (mid - 5) / reach;

  if (in->refused || !(reach > 0)) {
    fputs("<td></td>", out);
    return;
  }
  fprintf(out,
          "<td><svg class=\"forest\" width=\"%d\" height=\"%d\" "
          "aria-hidden=\"true\"><line class=\"zero\" x1=\"%.1f\" x2=\"%.1f\" "
          "y1=\"0\" y2=\"%d\" stroke-dasharray=\"2 2\"/><line class=\"ci\" "
          "x1=\"%.1f\" x2=\"%.1f\" y1=\"8\" y2=\"8\" stroke-width=\"2\"/>"
          "<circle cx=\"%.1f\" cy=\"8\" r=\"3.5\"/></svg></td>",
          FOREST_W, FOREST_H, mid, mid, FOREST_H, mid + k * in->lo,
          mid + k * in->hi, mid + k * in->mean);
}

/* Large relative differences (of small numbers) leave the scale. */
static double forest_reach(const study *st, size_t p) {
  double reach = 0;

  for (size_t m = 0; m < NMEASURES; m++) {
    const study_pair *v = study_pair_of(st, p, m);
    double far = fmax(fabs(v->rel.lo), fabs(v->rel.hi));
    if (measures[m].paired && !v->rel.refused && far <= 2) {
      reach = fmax(reach, far);
    }
  }
  return reach;
}

static const char *verdict_class(verdict v) {
  switch (v) {
  case VERDICT_BETTER:
    return "better";
  case VERDICT_WORSE:
    return "worse";
  case VERDICT_REFUSED:
    return "refused";
  case VERDICT_HIGHER:
  case VERDICT_LOWER:
  case VERDICT_NOT_SHOWN:
  case VERDICT_EQUAL:
    break;
  }
  return "";
}

static void put_pair_row(const study *st, size_t p, size_t m, double reach,
                         FILE *out) {
  const study_pair *v = study_pair_of(st, p, m);
  const interval *d = &v->diff;
  char a[HUMAN_LEN], b[HUMAN_LEN], c[HUMAN_LEN];

  fprintf(out, "<tr><th scope=\"row\">%s</th>", measures[m].label);
  if (v->verdict == VERDICT_REFUSED) {
    fprintf(out,
            "<td></td><td></td><td></td><td></td><td></td><td></td>"
            "<td class=\"text refused\">refused (%s)</td></tr>\n",
            v->refusal);
    return;
  }
  scale s =
      scale_for(measures[m].diff_unit, d->mean, fmax(fabs(d->lo), fabs(d->hi)));
  fprintf(out, "<td>%s %s</td><td>[%s, %s]</td>", scale_text(a, s, d->mean, 1),
          s.unit, scale_text(b, s, d->lo, 1), scale_text(c, s, d->hi, 1));
  if (v->rel.refused) {
    fputs("<td>-</td>", out);
  } else {
    fprintf(out, "<td>%s %%</td>",
            scale_text(a, (scale){"%", 100, 1}, v->rel.mean, 1));
  }
  bool fits = fmax(fabs(v->rel.lo), fabs(v->rel.hi)) <= reach;
  put_forest(&v->rel, fits ? reach : 0, out);
  fputs("<td>", out);
  html_text(out, human_p(a, v->p_holm));
  fprintf(out, "</td><td>%s</td><td class=\"text %s\">%s</td></tr>\n",
          isnan(d->effect) ? "-"
                           : scale_text(b, (scale){"", 1, 1}, d->effect, 1),
          verdict_class(v->verdict), verdict_text(v->verdict));
}

static void put_pair_table(const study *st, size_t p, FILE *out) {
  double reach = forest_reach(st, p);

  fputs(
      "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">metric</th>"
      "<th scope=\"col\">mean difference</th><th scope=\"col\">95 % interval"
      "</th><th scope=\"col\">relative</th><th scope=\"col\">relative, on one "
      "scale</th><th scope=\"col\">p (Holm)</th><th scope=\"col\">effect "
      "d<sub>z</sub></th><th scope=\"col\" class=\"text\">verdict</th></tr>"
      "</thead>\n<tbody>\n",
      out);
  for (size_t m = 0; m < NMEASURES; m++) {
    if (measures[m].paired) {
      put_pair_row(st, p, m, reach, out);
    }
  }
  fputs("</tbody></table></div>\n", out);
}

/* A heading, or a fold when there are many. */
static void open_part(const study *st, size_t p, bool fold, FILE *out) {
  fputs(fold ? "<details><summary>" : "<h3>", out);
  html_text(out, st->in->policies[p]);
  fputs(fold ? "</summary>\n" : "</h3>\n", out);
}

static void close_part(bool fold, FILE *out) {
  fputs(fold ? "</details>\n" : "", out);
}

static void put_pairs(const study *st, FILE *out) {
  bool fold = st->npolicies > FOLD_ABOVE;

  fputs("<h2>Differences from ", out);
  html_text(out, st->in->policies[0]);
  fputs(", paired by seed</h2>\n", out);
  for (size_t p = 1; p < st->npolicies; p++) {
    open_part(st, p, fold, out);
    put_pair_table(st, p, out);
    close_part(fold, out);
  }
  fputs("<p class=\"note\">One seed gives every policy the same devices, "
        "arrivals and churn, so differences are taken seed by seed. Intervals: "
        "studentised bootstrap of the mean difference. p: two-sided sign-flip "
        "permutation test, adjusted by Holm over the policies compared in the "
        "same metric. &ldquo;Better&rdquo; and &ldquo;worse&rdquo; need an "
        "interval without 0 and an adjusted p below 0.05. d<sub>z</sub>: mean "
        "difference over the standard deviation of the differences.</p>\n",
        out);
}

/* ---- figures ------------------------------------------------------------- */

static void put_figure_n(const study *st, figure f, FILE *out) {
  static const char *const many[NFIGURES] = {
      [FIGURE_COMPLETION] = "line: median over seeds, band: least to greatest",
      [FIGURE_BYTES] = "mean over seeds",
      [FIGURE_RATES] = "mean over seeds",
      [FIGURE_TRADEOFF] = "small: a run; large: mean with 95 % intervals",
      [FIGURE_PROGRESS] = "line: median over seeds, band: least to greatest",
  };

  if (alone(st)) {
    fprintf(out, " n = 1 run.");
    return;
  }
  fprintf(out, " n = %zu runs of %zu (%zu seeds a policy); %s.", st->nused,
          st->npolicies * st->nseeds, st->nseeds, many[f]);
  if (st->npolicies > FIGURE_NAMED) {
    fprintf(out,
            " Named are the baseline and the %d policies with the smallest "
            "mean p95 completion%s.",
            FIGURE_NAMED - 1,
            f == FIGURE_BYTES || f == FIGURE_RATES
                ? "; the others are in compare.h5"
                : "; the others are grey");
  }
}

static void put_figures(const study *st, const char *dir, FILE *out) {
  char path[4096];

  fputs("<h2>Figures</h2>\n", out);
  for (figure f = 0; f < NFIGURES; f++) {
    if (!figure_drawn(st, f)) {
      continue;
    }
    snprintf(path, sizeof path, "%s/%s.svg", dir, figure_name(f));
    fprintf(out, "<figure role=\"group\" aria-label=\"%s\"><div class=\"pic\">",
            figure_title(f));
    if (!html_svg(out, path, figure_name(f))) {
      fputs("<p>This figure could not be made (gnuplot is absent or failed). "
            "Its data and script are beside this page.</p>",
            out);
    }
    fprintf(out, "</div>\n<figcaption><b>%s.</b> %s", figure_title(f),
            figure_text(f));
    put_figure_n(st, f, out);
    fprintf(out, " Data: %s.tsv.</figcaption></figure>\n", figure_name(f));
  }
}

/* ---- reasons ------------------------------------------------------------- */

typedef struct reason_share {
  double bytes[XL_NREASONS]; /* mean of a run */
  double total;
  size_t runs;
} reason_share;

static reason_share shares_of(const study *st, size_t p) {
  reason_share s = {0};

  for (size_t i = 0; i < st->nseeds; i++) {
    const study_run *r = study_run_at(st, p, i);
    if (r->used && r->has_reasons) {
      s.runs++;
      for (size_t k = 0; k < XL_NREASONS; k++) {
        s.bytes[k] += (double)r->why.row[k].bytes;
        s.total += (double)r->why.row[k].bytes;
      }
    }
  }
  for (size_t k = 0; k < XL_NREASONS && s.runs > 0; k++) {
    s.bytes[k] /= (double)s.runs;
  }
  s.total /= s.runs > 0 ? (double)s.runs : 1;
  return s;
}

static void put_reason_bars(const reason_share *s, FILE *out) {
  char text[HUMAN_LEN];
  bool done[XL_NREASONS] = {false};

  fputs("<div class=\"bars\">\n", out);
  for (;;) {
    size_t most = XL_NREASONS;
    for (size_t k = 0; k < XL_NREASONS; k++) {
      if (!done[k] && s->bytes[k] > 0 &&
          (most == XL_NREASONS || s->bytes[k] > s->bytes[most])) {
        most = k;
      }
    }
    if (most == XL_NREASONS) {
      break;
    }
    done[most] = true;
    double share = s->bytes[most] / s->total;
    fputs("<span>", out);
    html_text(out, xl_reason_text((xl_reason)most));
    fprintf(out,
            "</span><span class=\"bar\"><i style=\"width:%.2f%%\"></i></span>"
            "<span class=\"num\">%.1f&nbsp;%%, %s</span>\n",
            100 * share, 100 * share, human(text, "B", s->bytes[most]));
  }
  fputs("</div>\n", out);
}

static void put_reasons(const study *st, FILE *out) {
  bool fold = st->npolicies > FOLD_ABOVE;

  fputs("<h2>Why bytes came from the origin</h2>\n", out);
  if (!st->has_reasons) {
    fputs("<p class=\"note\">Not in these traces: record with <code>--trace "
          "transfers</code> to have the reason of every byte.</p>\n",
          out);
    return;
  }
  for (size_t p = 0; p < st->npolicies; p++) {
    reason_share s = shares_of(st, p);
    open_part(st, p, fold, out);
    if (s.total > 0) {
      put_reason_bars(&s, out);
    } else {
      fputs("<p class=\"note\">No byte came from an origin.</p>\n", out);
    }
    close_part(fold, out);
  }
  fprintf(out,
          "<p class=\"note\">Bytes that origins delivered, by the reason "
          "that the policy gave for the request; %s. <code>xferlab why "
          "FILE</code> shows one run and that they add up.</p>\n",
          alone(st) ? "all of this run" : "mean of a run");
}

/* ---- the rest ------------------------------------------------------------ */

static void put_assumptions(const study *st, FILE *out) {
  fputs("<h2>What was assumed</h2>\n<ul>\n", out);
  put_scenario_line(st, "source", "<li>Numbers of the scenario: ", ".</li>\n",
                    out);
  fputs(
      "<li>The network is the model named above; nothing outside the scenario "
      "uses it.</li>\n"
      "<li>Runs end at the scenario's duration; what is not finished then "
      "counts as infinite, never as left out.</li>\n"
      "<li>The results hold for this scenario and these parameters; seeds vary "
      "what the scenario draws, not what it fixes.</li>\n</ul>\n",
      out);
  fputs("<details><summary>Parameters of the policies</summary>\n", out);
  for (size_t p = 0; p < st->npolicies; p++) {
    fputs("<h3>", out);
    html_text(out, st->in->policies[p]);
    fputs("</h3>\n<pre>", out);
    html_text(out, st->params[p] != NULL ? st->params[p] : "unknown");
    fputs("</pre>\n", out);
  }
  fputs("</details>\n", out);
}

static void put_footer(const study *st, FILE *out) {
  fputs("<h2>Reproduce</h2>\n<pre>", out);
  html_text(out, st->in->command != NULL ? st->in->command : "");
  fputs("</pre>\n<details><summary>The scenario, as it was read</summary>\n"
        "<pre>",
        out);
  html_text(out, st->scenario_text);
  fputs("</pre></details>\n<footer>xferlab ", out);
  html_text(out, st->version);
  fputs("</footer>\n</main>\n</body>\n</html>\n", out);
}

bool page_write(const study *st, const char *figures_dir, const char *path,
                fail *why) {
  FILE *out = fopen(path, "w");

  if (out == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
                    strerror(errno));
  }
  put_header(st, out);
  put_answer(st, out);
  put_warnings(st, out);
  put_means(st, out);
  if (st->npolicies > 1) {
    put_pairs(st, out);
  }
  put_figures(st, figures_dir, out);
  put_reasons(st, out);
  put_assumptions(st, out);
  put_footer(st, out);
  bool good = ferror(out) == 0;
  good = fclose(out) == 0 && good;
  return good || fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
                          strerror(errno));
}
