/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/answer.h"

#include <math.h>
#include <string.h>

/* The size of a difference in one scale: "12.3 min [10.1, 14.5]". */
static void put_size(FILE *out, const char *unit, const interval *in) {
  bool down = in->mean < 0;
  double lo = down ? -in->hi : in->lo, hi = down ? -in->lo : in->hi;
  double mean = fabs(in->mean);
  char a[HUMAN_LEN], b[HUMAN_LEN], c[HUMAN_LEN];
  scale s = scale_for(unit, mean, fmax(mean, hi));

  fprintf(out, "%s %s [%s, %s]", scale_text(a, s, mean, 0), s.unit,
          scale_text(b, s, lo, 0), scale_text(c, s, hi, 0));
}

static bool is_shown(verdict v) {
  return v == VERDICT_BETTER || v == VERDICT_WORSE || v == VERDICT_HIGHER ||
         v == VERDICT_LOWER;
}

/* What is said of a measure when there is a difference. */
typedef struct change {
  const char *metric;
  const char *lower, *higher; /* verbs */
  bool relative;              /* rather than in units */
} change;

static const change changes[] = {
    {"origin_egress", "cuts origin bytes by", "adds to origin bytes", true},
    {"completion_p95_s", "shortens completion p95 by",
     "lengthens completion p95 by", false},
    {"makespan_s", "shortens the makespan by", "lengthens the makespan by",
     false},
};

/* "cuts origin bytes by 87.1 % [86.0, 88.2]" */
static void put_change(const study *st, size_t policy, const change *c,
                       FILE *out) {
  size_t m = measure_index(c->metric);
  const study_pair *p = study_pair_of(st, policy, m);
  bool relative = c->relative && !p->rel.refused;
  const interval *in = relative ? &p->rel : &p->diff;
  const char *unit = relative ? "%" : measures[m].diff_unit;
  bool down = in->mean < 0;
  char number[HUMAN_LEN];

  if (p->verdict == VERDICT_REFUSED) {
    fprintf(out, "cannot be compared in %s (%s)", measures[m].label,
            p->refusal);
    return;
  }
  if (p->verdict == VERDICT_EQUAL) {
    fprintf(out, "has the same %s in every run", measures[m].label);
    return;
  }
  if (!is_shown(p->verdict)) {
    fprintf(out, "is not shown to differ in %s (%s %s on average)",
            measures[m].label, human(number, unit, fabs(in->mean)),
            down ? "less" : "more");
    return;
  }
  fprintf(out, "%s ", down ? c->lower : c->higher);
  put_size(out, unit, in);
  if (!relative && !p->rel.refused) {
    fprintf(out, ", %s", human(number, "%", fabs(p->rel.mean)));
  }
}

void answer_policy(const study *st, size_t policy, FILE *out) {
  fprintf(out, "Against %s, %s ", st->in->policies[0],
          st->in->policies[policy]);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    fputs(i > 0 ? "; " : "", out);
    put_change(st, policy, &changes[i], out);
  }
  fputs(".", out);
}

/* ---- the best ---------------------------------------------------------------
 */

static bool counts(const study *st, size_t m) {
  return measures[m].paired && st->best[m].any && !st->best[m].all_equal;
}

/* Measures that |policy| wins surely (or not): a list of labels. */
static size_t put_wins(const study *st, size_t policy, bool sure, FILE *out) {
  size_t n = 0;

  for (size_t m = 0; m < NMEASURES; m++) {
    const study_best *b = &st->best[m];
    if (counts(st, m) && b->policy == policy && (b->rivals == 0) == sure) {
      if (out != NULL) {
        fprintf(out, "%s%s", n > 0 ? ", " : "", measures[m].label);
      }
      n++;
    }
  }
  return n;
}

static double worst_p(const study *st, size_t policy) {
  double p = 0;

  for (size_t m = 0; m < NMEASURES; m++) {
    const study_best *b = &st->best[m];
    if (counts(st, m) && b->policy == policy && b->rivals == 0) {
      p = fmax(p, b->p);
    }
  }
  return p;
}

static void put_p(double p, FILE *out) {
  char text[HUMAN_LEN];

  human_p(text, p);
  fprintf(out, "p %s%s", text[0] == '<' ? "" : "≤ ", text);
}

/* Whether |policy| is ahead in |m|, but not of everybody. */
static bool unsure(const study *st, size_t policy, size_t m) {
  return counts(st, m) && st->best[m].policy == policy &&
         st->best[m].rivals > 0;
}

/* Whether the same is said of both. */
static bool same_rivals(const study *st, const study_best *a,
                        const study_best *b) {
  return a->rivals == b->rivals &&
         (a->rival == b->rival || a->rivals + 1 == st->npolicies);
}

static void put_rivals(const study *st, const study_best *b, FILE *out) {
  if (b->rivals > 1 && b->rivals + 1 == st->npolicies) {
    fputs(" (not told apart from any other)", out);
  } else if (b->rivals > 1) {
    fprintf(out, " (not told apart from %s and %u more)",
            st->in->policies[b->rival], b->rivals - 1);
  } else {
    fprintf(out, " (not told apart from %s)", st->in->policies[b->rival]);
  }
}

/* "a, b (not told apart from x), c (not told apart from y and 2 more)" */
static void put_unsure(const study *st, size_t policy, FILE *out) {
  bool said[NMEASURES] = {false};
  size_t n = 0;

  for (size_t m = 0; m < NMEASURES; m++) {
    const study_best *b = &st->best[m];
    if (said[m] || !unsure(st, policy, m)) {
      continue;
    }
    for (size_t k = m; k < NMEASURES; k++) {
      if (unsure(st, policy, k) && same_rivals(st, b, &st->best[k])) {
        fprintf(out, "%s%s", n++ > 0 ? ", " : "", measures[k].label);
        said[k] = true;
      }
    }
    put_rivals(st, b, out);
  }
}

static void put_best(const study *st, size_t p, FILE *out) {
  size_t sure = put_wins(st, p, true, NULL);

  fprintf(out, "%s is best in ", st->in->policies[p]);
  if (sure > 0) {
    put_wins(st, p, true, out);
    fputs(" (shown against every other policy, ", out);
    put_p(worst_p(st, p), out);
    fputs(")", out);
  }
  if (put_wins(st, p, false, NULL) > 0) {
    fputs(sure > 0 ? "; on average also in " : "", out);
    put_unsure(st, p, out);
  }
  fputs(".", out);
}

/* Who is best in most metrics comes first. */
void answer_best(const study *st, FILE *out) {
  size_t sentences = 0;

  for (size_t wins = NMEASURES; wins > 0; wins--) {
    for (size_t p = 0; p < st->npolicies; p++) {
      if (put_wins(st, p, true, NULL) + put_wins(st, p, false, NULL) == wins) {
        fputs(sentences++ > 0 ? " " : "", out);
        put_best(st, p, out);
      }
    }
  }
  if (sentences == 0) {
    fputs("No policy is better than another in any of these metrics.", out);
  }
}

/* ---- the bound and single runs ------------------------------------------- */

static const study_run *first_used(const study *st) {
  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    if (st->runs[i].used) {
      return &st->runs[i];
    }
  }
  return &st->runs[0];
}

const char *answer_bound_text(unsigned term) {
#define X(name, text) text,
  static const char *const texts[] = {BOUND_MAP(X)};
#undef X
  return term < NBOUNDS ? texts[term] : "unknown";
}

void answer_bound(const study *st, FILE *out) {
  char a[HUMAN_LEN], b[HUMAN_LEN];
  double lo = INFINITY, hi = 0;
  unsigned terms[NBOUNDS] = {0}, most = 0;

  for (size_t i = 0; i < st->npolicies * st->nseeds; i++) {
    const study_run *r = &st->runs[i];
    if (r->used && isfinite(r->s.lower_bound_s)) {
      lo = fmin(lo, r->s.lower_bound_s);
      hi = fmax(hi, r->s.lower_bound_s);
      terms[r->s.binding_bound < NBOUNDS ? r->s.binding_bound : 0]++;
    }
  }
  for (unsigned t = 1; t < NBOUNDS; t++) {
    most = terms[t] > terms[most] ? t : most;
  }
  if (!(lo <= hi)) {
    fputs("The lower bound on the makespan is not in these traces.", out);
    return;
  }
  scale s = scale_for("s", lo, hi);
  scale_text(a, s, lo, 0);
  scale_text(b, s, hi, 0);
  fprintf(out, "No schedule can have a smaller makespan than %s", a);
  if (strcmp(a, b) != 0) {
    fprintf(out, " to %s", b);
  }
  fprintf(out, " %s: what binds is %s (%s).", s.unit, answer_bound_text(most),
          schema_enum_member("bound_term", most));
}

void answer_run(const study *st, FILE *out) {
  const study_run *r = first_used(st);
  char a[HUMAN_LEN], b[HUMAN_LEN], c[HUMAN_LEN];

  fprintf(out, "%u of %u device jobs finished", r->s.completed, r->s.jobs);
  if (isfinite(r->s.completion_p95_s)) {
    fprintf(out,
            "; half of them within %s and 95 %% within %s of their arrival",
            human(a, "s", r->s.completion_p50_s),
            human(b, "s", r->s.completion_p95_s));
  }
  fprintf(out, ". Origins sent %s, peers %s; %s was wasted",
          human(a, "B", (double)r->s.origin_egress),
          human(b, "B", (double)r->s.bytes_peer),
          human(c, "B", (double)r->s.bytes_wasted));
  if (isfinite(r->s.offload)) {
    fprintf(out, "; offload %s", human(a, "%", r->s.offload));
  }
  fputs(".", out);
}
