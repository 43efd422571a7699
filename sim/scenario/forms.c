/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that may be distributions: {lognormal: {median: 40Mbit/s, sigma:
 * 0.8}, max: 1Gbit/s}. One table of forms. A CSV column is put into the tree
 * as {table: [..]}, so the canonical text of a scenario needs no other file.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"

typedef enum form_shape {
  FORM_PARAMS,  /* a mapping of two or fewer parameters */
  FORM_RANGE,   /* [a, b], or b */
  FORM_PROCESS, /* events over time */
  FORM_TABLE,   /* a list */
  FORM_CSV      /* becomes a table */
} form_shape;

typedef struct form_param {
  const char *name;      /* NULL: none */
  bool quantity;         /* in the unit of the key; else a number */
  const char *min, *max; /* of a number */
} form_param;

typedef struct form {
  const char *name;
  dist_kind kind;
  form_shape shape;
  form_param a, b; /* in the order of the struct dist */
  const char *help;
} form;

static const form forms[] = {
    {"uniform",
     DIST_UNIFORM,
     FORM_RANGE,
     {0},
     {0},
     "`{uniform: [a, b]}`: from a to b; `{uniform: b}`: from 0 to b"},
    {"exponential",
     DIST_EXPONENTIAL,
     FORM_PARAMS,
     {"mean", true, NULL, NULL},
     {0},
     "`{exponential: {mean: x}}`"},
    {"lognormal",
     DIST_LOGNORMAL,
     FORM_PARAMS,
     {"median", true, NULL, NULL},
     {"sigma", false, "0", "10"},
     "`{lognormal: {median: x, sigma: 0.8}}`: sigma of the natural logarithm"},
    {"weibull",
     DIST_WEIBULL,
     FORM_PARAMS,
     {"shape", false, "0.05", "100"},
     {"scale", true, NULL, NULL},
     "`{weibull: {shape: 0.6, scale: x}}`"},
    {"pareto",
     DIST_PARETO,
     FORM_PARAMS,
     {"min", true, NULL, NULL},
     {"shape", false, "0.05", "100"},
     "`{pareto: {min: x, shape: 1.2}}`"},
    {"normal",
     DIST_NORMAL,
     FORM_PARAMS,
     {"mean", true, NULL, NULL},
     {"sd", true, NULL, NULL},
     "`{normal: {mean: x, sd: x}}`: nothing below 0"},
    {"poisson",
     DIST_POISSON,
     FORM_PROCESS,
     {0},
     {0},
     "`{poisson: 20/h}`: only for `jobs[].arrival`; the gaps between arrivals "
     "are exponential"},
    {"table",
     DIST_TABLE,
     FORM_TABLE,
     {0},
     {0},
     "`{table: [x, x, ..]}`: values that are equally likely"},
    {"csv",
     DIST_TABLE,
     FORM_CSV,
     {0},
     {0},
     "`{csv: file.csv}` or `{csv: {file: file.csv, column: down, unit: "
     "Mbit/s}}`: a table from a column, the first unless `column` names one; "
     "a first row without a number holds the names; `unit` is appended to "
     "each value"},
};
#define NFORMS (sizeof forms / sizeof *forms)

typedef struct reading {
  reader *rd;
  const scn_key *k;
  dist *out;
  const char *label;
} reading;

static const form *form_find(const char *name) {
  for (size_t i = 0; i < NFORMS; i++) {
    if (strcmp(forms[i].name, name) == 0) {
      return &forms[i];
    }
  }
  return NULL;
}

/* A quantity in the key's unit and range. */
static bool in_unit(const reading *r, const node *v, bool ranged, double *out,
                    const char *label) {
  quantity q;

  if (!read_quantity(r->rd, v, r->k->unit, ranged ? r->k->min : NULL,
                     ranged ? r->k->max : NULL, &q, label)) {
    return false;
  }
  if (r->k->unit == UNIT_RATE && q.n == XL_RATE_UNLIMITED) {
    return place_fail(r->rd->why, v->at, "'%s' is 'unlimited'; expected %s",
                      label, unit_expected(UNIT_RATE));
  }
  *out = q.f;
  return true;
}

static bool param_read(const reading *r, const node *map, const form_param *p,
                       double *out) {
  const node *v = tree_find(map, p->name);
  const char *label = join_label(r->rd, r->label, p->name);
  quantity q;

  if (v == NULL) {
    return place_fail(
        r->rd->why, map->at, "%s has no '%s'; expected %s", r->label, p->name,
        p->quantity ? unit_expected(r->k->unit) : unit_expected(UNIT_NUMBER));
  }
  if (p->quantity) {
    return in_unit(r, v, r->out->kind != DIST_NORMAL, out, label);
  }
  if (!read_quantity(r->rd, v, UNIT_NUMBER, p->min, p->max, &q, label)) {
    return false;
  }
  *out = q.f;
  return true;
}

/* Only the |n| |names| may be keys of |map|, each once. */
static bool only(const reading *r, const node *map, const char *const *names,
                 size_t n) {
  char list[300];
  size_t used = 0;

  for (uint32_t i = 0; i < map->n; i++) {
    const char *name = map->key[i]->text;
    size_t j = 0;
    while (j < n && strcmp(names[j], name) != 0) {
      j++;
    }
    if (j == n) {
      list[0] = '\0';
      for (j = 0; j < n && used < sizeof list; j++) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 j > 0 ? ", " : "", names[j]);
      }
      const char *near = nearest_word(name, names, n);
      return place_fail(r->rd->why, map->key[i]->at,
                        "unknown key '%.60s' in %s; expected one of %s%s%s%s",
                        name, r->label, list,
                        near != NULL ? "; did you mean '" : "",
                        near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    if (tree_index(map, name) < i) {
      return place_fail(r->rd->why, map->key[i]->at,
                        "key '%.60s' is repeated in %s; expected it once", name,
                        r->label);
    }
  }
  return true;
}

static bool params_read(const reading *r, const node *v, const form *f) {
  const char *names[] = {f->a.name, f->b.name};

  if (v->kind != NODE_MAP) {
    return place_fail(
        r->rd->why, v->at, "'%s' is not a mapping; expected {%s: ..%s%s%s}",
        r->label, f->a.name, f->b.name != NULL ? ", " : "",
        f->b.name != NULL ? f->b.name : "", f->b.name != NULL ? ": .." : "");
  }
  return only(r, v, names, f->b.name != NULL ? 2 : 1) &&
         param_read(r, v, &f->a, &r->out->a) &&
         (f->b.name == NULL || param_read(r, v, &f->b, &r->out->b));
}

static bool range_read(const reading *r, const node *v) {
  dist *d = r->out;

  if (v->kind == NODE_TEXT) {
    d->a = 0;
    return in_unit(r, v, true, &d->b, r->label);
  }
  if (v->kind != NODE_LIST || v->n != 2) {
    return place_fail(r->rd->why, v->at,
                      "'%s' is not a range; expected [from, to]", r->label);
  }
  if (!in_unit(r, v->item[0], true, &d->a, r->label) ||
      !in_unit(r, v->item[1], true, &d->b, r->label)) {
    return false;
  }
  return d->a <= d->b ||
         place_fail(r->rd->why, v->at,
                    "'%s' goes from '%.40s' down to '%.40s'; "
                    "expected the smaller one first",
                    r->label, v->item[0]->text, v->item[1]->text);
}

static bool process_read(const reading *r, const node *v) {
  quantity q;

  if (!(r->k->flags & KEY_POISSON)) {
    return place_fail(r->rd->why, v->at,
                      "'%s' is a process; expected another distribution "
                      "(poisson is for arrivals)",
                      r->label);
  }
  if (!read_quantity(r->rd, v, UNIT_EVENTS, "0.000001/s", "1000000/s", &q,
                     r->label)) {
    return false;
  }
  r->out->a = q.f;
  return true;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static bool table_read(const reading *r, const node *v) {
  if (v->kind != NODE_LIST || v->n == 0) {
    return place_fail(r->rd->why, v->at,
                      "'%s' has no values; expected a list of them", r->label);
  }
  double *t = arena_alloc(r->rd->keep, v->n, sizeof *t);
  for (uint32_t i = 0; i < v->n; i++) {
    if (!in_unit(r, v->item[i], true, &t[i], r->label)) {
      return false;
    }
  }
  qsort(t, v->n, sizeof *t, by_value);
  r->out->table = t;
  r->out->ntable = v->n;
  return true;
}

/* ---- CSV ------------------------------------------------------------------
 */

static bool column_find(const reading *r, const csv *c, const node *name,
                        bool header, size_t *col) {
  const char **names = arena_alloc(r->rd->tmp, c->cols, sizeof *names);

  *col = 0;
  if (name == NULL) {
    return true;
  }
  if (!header || name->kind != NODE_TEXT) {
    return place_fail(r->rd->why, name->at,
                      "'%s.column': the file has no row of names; expected a "
                      "first row that names the columns",
                      r->label);
  }
  for (size_t i = 0; i < c->cols; i++) {
    names[i] = c->cell[i].text;
    if (strcmp(names[i], name->text) == 0) {
      *col = i;
      return true;
    }
  }
  const char *near = nearest_word(name->text, names, c->cols);
  return place_fail(r->rd->why, name->at,
                    "'%s.column': no column '%.60s'; expected one that the "
                    "first row names%s%s%s",
                    r->label, name->text,
                    near != NULL ? "; did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* Reads the file and makes the list of its values. */
static node *csv_values(const reading *r, const node *v) {
  static const char *const names[] = {"file", "column", "unit"};
  bool map = v->kind == NODE_MAP;
  const node *file = map ? tree_find(v, "file") : v;
  const node *unit = map ? tree_find(v, "unit") : NULL;
  quantity q;
  size_t col;
  csv c;

  if (map && !only(r, v, names, 3)) {
    return NULL;
  }
  if (file == NULL || file->kind != NODE_TEXT || file->empty ||
      (unit != NULL && unit->kind != NODE_TEXT)) {
    place_fail(r->rd->why, v->at,
               "'%s' names no file; expected {csv: FILE} or {csv: {file: "
               "FILE, column: NAME, unit: UNIT}}",
               r->label);
    return NULL;
  }
  if (!read_csv(r->rd, file, file->text, &c)) {
    return NULL;
  }
  bool header = unit_parse(UNIT_BYTES, c.cell[0].text, &q) == UNIT_NOT_NUMBER;
  if (!column_find(r, &c, map ? tree_find(v, "column") : NULL, header, &col)) {
    return NULL;
  }
  node *list = arena_alloc(r->rd->tmp, 1, sizeof *list);
  list->kind = NODE_LIST;
  list->at = v->at;
  for (size_t i = header; i < c.rows; i++) {
    const csv_cell *cell = &c.cell[i * c.cols + col];
    const char *text = arena_format(r->rd->tmp, "%s%s", cell->text,
                                    unit != NULL ? unit->text : "");
    tree_append(r->rd->tmp, list, tree_text(r->rd->tmp, text, cell->at));
  }
  return list;
}

/* ---- the whole -------------------------------------------------------------
 */

static bool clamp_read(const reading *r, const node *map) {
  const node *lo = tree_find(map, "min"), *hi = tree_find(map, "max");
  dist *d = r->out;

  if (r->k->min != NULL) {
    d->min = unit_bound(r->k->unit, r->k->min);
  }
  if (r->k->max != NULL) {
    d->max = unit_bound(r->k->unit, r->k->max);
  }
  if ((lo != NULL &&
       !in_unit(r, lo, true, &d->min, join_label(r->rd, r->label, "min"))) ||
      (hi != NULL &&
       !in_unit(r, hi, true, &d->max, join_label(r->rd, r->label, "max")))) {
    return false;
  }
  return d->min <= d->max ||
         place_fail(r->rd->why, lo != NULL ? lo->at : map->at,
                    "'%s.min' is above its max; expected min <= max", r->label);
}

static bool form_key(const reading *r, const node *map, uint32_t *which) {
  const char *names[NFORMS + 2];

  for (size_t i = 0; i < NFORMS; i++) {
    names[i] = forms[i].name;
  }
  names[NFORMS] = "min";
  names[NFORMS + 1] = "max";
  if (!only(r, map, names, NFORMS + 2)) {
    return false;
  }
  *which = UINT32_MAX;
  for (uint32_t i = 0; i < map->n; i++) {
    if (form_find(map->key[i]->text) == NULL) {
      continue;
    }
    if (*which != UINT32_MAX) {
      return place_fail(r->rd->why, map->key[i]->at,
                        "'%s' is both '%s' and '%s'; expected one "
                        "distribution",
                        r->label, map->key[*which]->text, map->key[i]->text);
    }
    *which = i;
  }
  return *which != UINT32_MAX ||
         place_fail(r->rd->why, map->at,
                    "'%s' names no distribution; expected a number or a form "
                    "such as {uniform: [a, b]}",
                    r->label);
}

static bool form_read(reading *r, node *at, uint32_t which) {
  const form *f = form_find(at->key[which]->text);
  node *v = at->item[which];

  r->out->kind = f->kind;
  r->label = join_label(r->rd, r->label, f->name);
  switch (f->shape) {
  case FORM_PARAMS:
    return params_read(r, v, f);
  case FORM_RANGE:
    return range_read(r, v);
  case FORM_PROCESS:
    return process_read(r, v);
  case FORM_CSV:
    v = csv_values(r, v);
    if (v == NULL) {
      return false;
    }
    at->key[which] = tree_text(r->rd->tmp, "table", at->key[which]->at);
    at->item[which] = v;
    return table_read(r, v);
  case FORM_TABLE:
    return table_read(r, v);
  }
  return false;
}

bool read_dist(reader *rd, node *at, const scn_key *k, dist *out,
               const char *label) {
  reading r = {rd, k, out, label};
  char expect[300];
  uint32_t which;

  *out = (dist){.kind = DIST_CONSTANT, .min = -INFINITY, .max = INFINITY};
  if (at->kind == NODE_TEXT && !at->empty) {
    if (strcmp(at->text, "unlimited") == 0 && k->flags & KEY_UNLIMITED) {
      out->a = (double)XL_RATE_UNLIMITED;
      return true;
    }
    return in_unit(&r, at, true, &out->a, label);
  }
  if (at->kind != NODE_MAP) {
    key_expects(k, expect, sizeof expect);
    return place_fail(rd->why, at->at, "'%s' is %s; expected %s", label,
                      at->kind == NODE_LIST ? "a list" : "empty", expect);
  }
  if (!form_key(&r, at, &which)) {
    return false;
  }
  const char *whole = r.label;
  if (!form_read(&r, at, which)) {
    return false;
  }
  r.label = whole;
  return clamp_read(&r, at);
}

bool read_up(struct reader *rd, struct node *v, const struct scn_key *k,
             void *base, const char *label) {
  const scn_key rate = {.path = k->path,
                        .type = KEY_DIST,
                        .unit = UNIT_RATE,
                        .min = k->min,
                        .max = k->max};
  const scn_key ratio = {.path = k->path,
                         .type = KEY_DIST,
                         .unit = UNIT_FRACTION,
                         .min = "0.000001",
                         .max = "1000000"};
  scn_class *c = base;

  c->up_is_ratio =
      v->kind == NODE_MAP && v->n == 1 && strcmp(v->key[0]->text, "ratio") == 0;
  if (c->up_is_ratio) {
    return read_dist(rd, v->item[0], &ratio, &c->up,
                     join_label(rd, label, "ratio"));
  }
  return read_dist(rd, v, &rate, &c->up, label);
}

void dist_forms_print(FILE *to, bool markdown) {
  for (size_t i = 0; i < NFORMS; i++) {
    fprintf(to, "%s%s\n", markdown ? "- " : "  ", forms[i].help);
  }
}
