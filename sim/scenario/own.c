/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys with a shape of their own: which devices a job is for, policies,
 * subnets, the small variant.
 */
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

#define SETTINGS_MAX 1000

static bool wrong(reader *rd, const node *v, const scn_key *k,
                  const char *label) {
  return place_fail(rd->why, v->at, "'%s' is %s%.60s%s; expected %s", label,
                    v->kind == NODE_TEXT   ? "'"
                    : v->kind == NODE_LIST ? "a list"
                                           : "a mapping",
                    v->kind == NODE_TEXT ? v->text : "",
                    v->kind == NODE_TEXT ? "'" : "", k->expects);
}

bool read_selection(struct reader *rd, struct node *v, const struct scn_key *k,
                    void *base, const char *label) {
  raw_job *j = base;

  j->share = -1;
  if (v->kind == NODE_TEXT && strcmp(v->text, "all") == 0) {
    j->j.select = SCN_ALL;
    return true;
  }
  if (v->kind != NODE_MAP) {
    return wrong(rd, v, k, label);
  }
  if (!read_map(rd, v, k->path, base, label)) {
    return false;
  }
  if (v->n != 1 || (tree_find(v, "rest") != NULL && !j->rest)) {
    return place_fail(rd->why, v->at, "'%s' selects in %s; expected %s", label,
                      v->n == 0   ? "no way"
                      : v->n == 1 ? "no way"
                                  : "several ways",
                      k->expects);
  }
  j->j.select = j->rest           ? SCN_REST
                : j->cls != NULL  ? SCN_CLASS
                : j->site != NULL ? SCN_SITE
                                  : SCN_SHARE;
  return true;
}

bool read_subnet(struct reader *rd, struct node *v, const struct scn_key *k,
                 void *base, const char *label) {
  scn_site *s = base;
  quantity q;

  s->subnet = 0;
  if (v->kind == NODE_TEXT && strcmp(v->text, "site") == 0) {
    return true;
  }
  if (v->kind != NODE_TEXT ||
      unit_parse(UNIT_COUNT, v->text, &q) != UNIT_GOOD || q.n < 8 || q.n > 30) {
    return wrong(rd, v, k, label);
  }
  s->subnet = (1u << (32 - q.n)) - 2;
  return true;
}

/* "22:00" at the front of |*text|, which moves behind it. */
static bool time_of_day(const char **text, xl_span *out) {
  const char *t = *text;

  for (int i = 0; i < 5; i++) {
    if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9') {
      return false;
    }
  }
  int m = (t[3] - '0') * 10 + t[4] - '0';
  int of_day = ((t[0] - '0') * 10 + t[1] - '0') * 60 + m;
  *text = t + 5;
  *out = XL_MIN((xl_span)of_day) % XL_DAY(1);
  return m < 60 && of_day <= 24 * 60;
}

bool read_hours(struct reader *rd, struct node *v, const struct scn_key *k,
                void *base, const char *label) {
  scn_throttle *t = base;
  const char *text = v->kind == NODE_TEXT ? v->text : "";

  return (time_of_day(&text, &t->from) && *text++ == '-' &&
          time_of_day(&text, &t->to) && *text == '\0') ||
         wrong(rd, v, k, label);
}

/* A rate, or that of all priorities. */
bool read_throttle(struct reader *rd, struct node *v, const struct scn_key *k,
                   void *base, const char *label) {
  const scn_throttle *t = base;
  xl_rate *out = (xl_rate *)((char *)base + k->at);
  const char *expected;

  if (v->kind == NODE_TEXT && strcmp(v->text, "rate") == 0) {
    *out = t->rate;
    return true;
  }
  return (v->kind == NODE_TEXT && unit_rate(v->text, out, &expected)) ||
         wrong(rd, v, k, label);
}

static bool settings_read(reader *rd, const node *v, scn_policy *p,
                          const char *label) {
  if (v->kind != NODE_MAP) {
    return place_fail(rd->why, v->at,
                      "'%s' has no parameters; expected {parameter: value}",
                      label);
  }
  if (v->n > SETTINGS_MAX) {
    return place_fail(rd->why, v->at,
                      "'%s' has %u parameters; expected at most %d", label,
                      v->n, SETTINGS_MAX);
  }
  p->settings = arena_alloc(rd->keep, v->n, sizeof *p->settings);
  p->nsettings = v->n;
  for (uint32_t i = 0; i < v->n; i++) {
    const node *name = v->key[i], *value = v->item[i];
    if (tree_index(v, name->text) < i) {
      return place_fail(rd->why, name->at,
                        "key '%.60s' is repeated in %s; expected it once",
                        name->text, label);
    }
    if (value->kind != NODE_TEXT || value->empty) {
      return place_fail(rd->why, value->at,
                        "'%s.%.60s' is not a single value; expected one such "
                        "as 60s",
                        label, name->text);
    }
    if (!read_name(rd, name, &p->settings[i].key, label)) {
      return false;
    }
    p->settings[i].value =
        arena_text(rd->keep, value->text, strlen(value->text));
  }
  return true;
}

bool read_policies(struct reader *rd, struct node *v, const struct scn_key *k,
                   void *base, const char *label) {
  draft *d = base;

  if (v->kind != NODE_LIST) {
    return wrong(rd, v, k, label);
  }
  scn_policy *p = arena_alloc(rd->keep, v->n, sizeof *p);
  for (uint32_t i = 0; i < v->n; i++) {
    const node *item = v->item[i];
    bool map = item->kind == NODE_MAP && item->n == 1;
    if (!map && (item->kind != NODE_TEXT || item->empty)) {
      return place_fail(rd->why, item->at,
                        "'%s[%u]' is not one policy; expected a name or "
                        "{name: {parameter: value}}",
                        label, i);
    }
    const char *place_label =
        join_label(rd, label, arena_format(rd->tmp, "[%u]", i));
    if (!read_name(rd, map ? item->key[0] : item, &p[i].name, place_label) ||
        (map && !settings_read(rd, item->item[0], &p[i],
                               join_label(rd, label, p[i].name)))) {
      return false;
    }
  }
  d->s.policies = p;
  d->s.npolicies = v->n;
  return true;
}

/* Its entries have been applied, or are not wanted: only their form counts. */
bool read_small(struct reader *rd, struct node *v, const struct scn_key *k,
                void *base, const char *label) {
  (void)base;
  return v->kind == NODE_MAP || wrong(rd, v, k, label);
}
