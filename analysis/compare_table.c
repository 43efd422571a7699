/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal table. A column has one unit, told in its head; a policy label
 * that does not fit gets a line of its own.
 */
#include "analysis/compare_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/answer.h"

enum { LABEL = 22, LINE = 104, SHOWN_WARNINGS = 12, SHOWN_PAIRS = 13 };

typedef struct pen {
  FILE *out;
  bool colour;
} pen;

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"

static void put(const pen *p, const char *style, const char *text, int width) {
  bool on = p->colour && style[0] != '\0';

  fputs(on ? style : "", p->out);
  human_pad(p->out, text, width);
  fputs(on ? "\033[0m" : "", p->out);
}

/* The label in its column, or on a line of its own. */
static void put_label(const pen *p, const char *label) {
  put(p, BOLD, label, LABEL);
  if (human_width(label) > LABEL) {
    fprintf(p->out, "\n%*s", LABEL, "");
  }
}

/* ---- means --------------------------------------------------------------- */

/* Both blocks of means; NULL ends one. */
static const struct {
  const char *metric, *head, *head2;
  int width;
} blocks[2][6] = {
    {{"makespan_s", "makespan", "", 18},
     {"completion_p50_s", "completion", "p50 ", 18},
     {"completion_p95_s", "completion", "p95 ", 18},
     {"done_at_p95_s", "done at", "p95 ", 18},
     {NULL, NULL, NULL, 0}},
    {{"offload", "offload", "", 14},
     {"origin_egress", "origin", "", 14},
     {"bytes_peer", "peers", "", 14},
     {"bytes_wasted", "wasted", "", 13},
     {"origin_rate_p95_Bps", "origin rate", "p95 ", 15},
     {"efficiency", "efficiency", "", 13}},
};

static void put_cell(const pen *p, const study *st, size_t policy, size_t m,
                     scale s, int width) {
  char mean[HUMAN_LEN], half[HUMAN_LEN], cell[2 * HUMAN_LEN + 4];

  study_cell(st, policy, m, s, mean, half);
  snprintf(cell, sizeof cell, "%s%s%s", mean, half[0] ? " " : "", half);
  fputc(' ', p->out); /* also when the cell is wider than its column */
  human_pad(p->out, cell, 1 - width);
}

static void put_head(const pen *p, const study *st, size_t block) {
  char text[64];

  put(p, "", "", LABEL);
  if (block == 0) {
    put(p, DIM, "runs", -5);
    put(p, DIM, "finished", -10);
  }
  for (size_t c = 0; c < 6 && blocks[block][c].metric != NULL; c++) {
    put(p, DIM, blocks[block][c].head, -blocks[block][c].width);
  }
  fputc('\n', p->out);
  put(p, DIM, "policy", LABEL);
  if (block == 0) {
    put(p, DIM, "", -5);
    put(p, DIM, "%", -10);
  }
  for (size_t c = 0; c < 6 && blocks[block][c].metric != NULL; c++) {
    scale s = study_scale(st, measure_index(blocks[block][c].metric));
    snprintf(text, sizeof text, "%s%s", blocks[block][c].head2, s.unit);
    put(p, DIM, text, -blocks[block][c].width);
  }
  fputc('\n', p->out);
}

/* The share of jobs that finished; never rounded up to 100. */
static void put_finished(const pen *p, const study *st, size_t policy) {
  double share = study_completed(st, policy) * 100;
  char text[HUMAN_LEN] = "-";

  if (!isnan(share)) {
    share = share < 100 && share > 99.9 ? 99.9 : share;
    snprintf(text, sizeof text, share < 100 ? "%.1f" : "%.0f", share);
  }
  put(p, share < 100 ? YELLOW : "", text, -10);
}

static void put_means(const pen *p, const study *st, size_t block) {
  char runs[HUMAN_LEN];

  put_head(p, st, block);
  for (size_t policy = 0; policy < st->npolicies; policy++) {
    put_label(p, st->in->policies[policy]);
    if (block == 0) {
      snprintf(runs, sizeof runs, "%zu", study_used(st, policy));
      put(p, "", runs, -5);
      put_finished(p, st, policy);
    }
    for (size_t c = 0; c < 6 && blocks[block][c].metric != NULL; c++) {
      size_t m = measure_index(blocks[block][c].metric);
      put_cell(p, st, policy, m, study_scale(st, m), blocks[block][c].width);
    }
    fputc('\n', p->out);
  }
}

/* ---- differences --------------------------------------------------------- */

static const char *verdict_style(verdict v) {
  switch (v) {
  case VERDICT_BETTER:
    return GREEN;
  case VERDICT_WORSE:
    return RED;
  case VERDICT_REFUSED:
    return YELLOW;
  case VERDICT_NOT_SHOWN:
  case VERDICT_EQUAL:
    return DIM;
  case VERDICT_HIGHER:
  case VERDICT_LOWER:
    break;
  }
  return "";
}

static void put_pair(const pen *p, const study *st, size_t policy, size_t m) {
  const study_pair *v = study_pair_of(st, policy, m);
  char a[HUMAN_LEN], b[HUMAN_LEN], cell[3 * HUMAN_LEN];
  const interval *in = &v->diff;

  fprintf(p->out, "  %-18s", measures[m].label);
  if (v->verdict == VERDICT_REFUSED) {
    snprintf(cell, sizeof cell, "refused (%s)", v->refusal);
    fprintf(p->out, "%*s", 66, "");
    put(p, verdict_style(v->verdict), cell, 0);
    fputc('\n', p->out);
    return;
  }
  scale s = scale_for(measures[m].diff_unit, in->mean,
                      fmax(fabs(in->lo), fabs(in->hi)));
  snprintf(cell, sizeof cell, "%s %s", scale_text(a, s, in->mean, 1), s.unit);
  put(p, "", cell, -16);
  snprintf(cell, sizeof cell, "[%s, %s]", scale_text(a, s, in->lo, 1),
           scale_text(b, s, in->hi, 1));
  fputc(' ', p->out);
  put(p, "", cell, -21);
  if (v->rel.refused) {
    snprintf(cell, sizeof cell, "-");
  } else {
    scale_text(a, (scale){"%", 100, 1}, v->rel.mean, 1);
    snprintf(cell, sizeof cell, "%s %%", a);
  }
  fputc(' ', p->out);
  put(p, "", cell, -12);
  put(p, "", human_p(a, v->p_holm), -10);
  fputs("     ", p->out);
  put(p, verdict_style(v->verdict), verdict_text(v->verdict), 0);
  fputc('\n', p->out);
}

/* With many policies only those that are best in something are shown. */
static bool worth_showing(const study *st, size_t policy) {
  bool best = st->npolicies <= SHOWN_PAIRS;

  for (size_t m = 0; m < NMEASURES; m++) {
    best = best || (st->best[m].any && st->best[m].policy == policy);
  }
  return best;
}

static void put_pairs(const pen *p, const study *st) {
  size_t left_out = 0;

  fprintf(p->out, "\ndifferences from %s, paired by seed\n",
          st->in->policies[0]);
  for (size_t policy = 1; policy < st->npolicies; policy++) {
    if (!worth_showing(st, policy)) {
      left_out++;
      continue;
    }
    put(p, BOLD, st->in->policies[policy], 20);
    if (human_width(st->in->policies[policy]) > 20) {
      fprintf(p->out, "\n%*s", 20, "");
    }
    put(p, DIM, "difference", -16);
    put(p, DIM, "95 % interval", -22);
    put(p, DIM, "relative", -13);
    put(p, DIM, "p (Holm)", -10);
    put(p, DIM, "     verdict", 0);
    fputc('\n', p->out);
    for (size_t m = 0; m < NMEASURES; m++) {
      if (measures[m].paired) {
        put_pair(p, st, policy, m);
      }
    }
  }
  if (left_out > 0) {
    fprintf(p->out,
            "%zu more policies, best in nothing here: see report.html and "
            "compare.json\n",
            left_out);
  }
}

/* ---- text ---------------------------------------------------------------- */

/* Breaks |text| at spaces, with |indent| columns before further lines. */
static void put_wrapped(FILE *out, const char *text, size_t indent) {
  size_t column = indent;

  while (*text != '\0') {
    size_t word = strcspn(text, " ");
    char buf[1024];
    snprintf(buf, sizeof buf, "%.*s", (int)word, text);
    size_t width = human_width(buf);
    if (column > indent && column + 1 + width > LINE) {
      fprintf(out, "\n%*s", (int)indent, "");
      column = indent;
    } else if (column > indent) {
      fputc(' ', out);
      column++;
    }
    fputs(buf, out);
    column += width;
    text += word;
    text += strspn(text, " ");
  }
  fputc('\n', out);
}

static void put_answer(const study *st, FILE *out,
                       void (*say)(const study *, FILE *)) {
  char *text = NULL;
  size_t len = 0;
  FILE *mem = open_memstream(&text, &len);

  if (mem == NULL) {
    say(st, out);
    fputc('\n', out);
    return;
  }
  say(st, mem);
  fclose(mem);
  put_wrapped(out, text, 0);
  free(text);
}

static void put_warnings(const pen *p, const study *st) {
  for (size_t i = 0; i < st->nwarnings && i < SHOWN_WARNINGS; i++) {
    put(p, YELLOW, "warning: ", 0);
    put_wrapped(p->out, st->warnings[i], 9);
  }
  if (st->nwarnings > SHOWN_WARNINGS) {
    put(p, YELLOW, "warning: ", 0);
    fprintf(p->out, "%zu more, all of them in report.html\n",
            st->nwarnings - SHOWN_WARNINGS);
  }
}

void compare_table(const study *st, FILE *out) {
  pen p = {out, isatty(fileno(out)) && getenv("NO_COLOR") == NULL};
  char span[HUMAN_LEN];
  unsigned devices = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    devices = st->runs[i].used && st->runs[i].s.devices > devices
                  ? st->runs[i].s.devices
                  : devices;
  }
  put(&p, BOLD, st->scenario, 0);
  fprintf(out, " on %s: %zu polic%s, %zu seed%s, %u devices, %s\n", st->network,
          st->npolicies, st->npolicies == 1 ? "y" : "ies", st->nseeds,
          st->nseeds == 1 ? "" : "s", devices,
          human_span(span, study_duration_s(st)));
  fputs("means over seeds with 95 % intervals, ± half the width or [from, "
        "to]\n\n",
        out);
  put_means(&p, st, 0);
  fputc('\n', out);
  put_means(&p, st, 1);
  if (st->npolicies > 1) {
    put_pairs(&p, st);
  }
  fputc('\n', out);
  if (st->npolicies > 1) {
    put_answer(st, out, answer_best);
  }
  put_answer(st, out, answer_bound);
  put_warnings(&p, st);
}
