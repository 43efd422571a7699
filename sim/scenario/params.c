/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of policies and networks: "k=v" settings against their tables.
 */
#include <xl/param.h>

#include <stdio.h>
#include <string.h>

#include "scenario/scenario.h"
#include "scenario/unit.h"

#define NAMES_MAX 64

static bool is_quantity(xl_param_type type, unit_kind *kind) {
  switch (type) {
  case XL_PARAM_TIME:
    *kind = UNIT_TIME;
    return true;
  case XL_PARAM_BYTES:
    *kind = UNIT_BYTES;
    return true;
  case XL_PARAM_RATE:
    *kind = UNIT_RATE;
    return true;
  case XL_PARAM_FRACTION:
    *kind = UNIT_FRACTION;
    return true;
  case XL_PARAM_COUNT:
    *kind = UNIT_COUNT;
    return true;
  case XL_PARAM_ENUM:
  case XL_PARAM_BOOL:
  case XL_PARAM_TEXT:
    return false;
  }
  return false;
}

/* The number of |word| in "a|b|c", or -1. */
static int64_t choice(const char *choices, const char *word) {
  size_t len = strlen(word);

  for (int64_t i = 0;; i++) {
    size_t n = strcspn(choices, "|");
    if (n == len && memcmp(choices, word, n) == 0) {
      return i;
    }
    if (choices[n] == '\0') {
      return -1;
    }
    choices += n + 1;
  }
}

static bool wrong(fail *why, const char *owner, const xl_param *p,
                  const char *what, const char *expected) {
  return fail_set(
      why, EXIT_USAGE, "%s: parameter '%s': %s; expected %s%s%s%s%s", owner,
      p->name, what, expected, p->min != NULL ? ", at least " : "",
      p->min != NULL ? p->min : "", p->max != NULL ? ", at most " : "",
      p->max != NULL ? p->max : "");
}

static double bound_of(unit_kind kind, const char *text) {
  quantity q;

  return unit_parse(kind, text, &q) == UNIT_GOOD ? q.f : 0;
}

static bool quantity_read(const xl_param *p, unit_kind kind, const char *text,
                          const char *owner, xl_value *out, fail *why) {
  char what[160];
  quantity q;
  unit_fault fault = unit_parse(kind, text, &q);

  if (fault == UNIT_GOOD && kind != UNIT_FRACTION && kind != UNIT_RATE &&
      q.n > (uint64_t)INT64_MAX) {
    fault = UNIT_LARGE;
  }
  if (fault == UNIT_GOOD &&
      ((p->max != NULL && q.f > bound_of(kind, p->max)) ||
       (p->max == NULL && kind == UNIT_FRACTION && q.f > 1))) {
    fault = UNIT_LARGE;
  }
  if (fault == UNIT_GOOD && p->min != NULL && q.f < bound_of(kind, p->min)) {
    fault = UNIT_SMALL;
  }
  if (fault != UNIT_GOOD) {
    unit_complain(fault, text, what, sizeof what);
    return wrong(why, owner, p, what, unit_expected(kind));
  }
  /* Rates above INT64_MAX are unlimited, which is -1. */
  out->i = q.n > (uint64_t)INT64_MAX ? -1 : (int64_t)q.n;
  out->f = q.f;
  return true;
}

static bool value_read(const xl_param *p, const char *text, const char *owner,
                       xl_value *out, fail *why) {
  char what[160];
  unit_kind kind;

  *out = (xl_value){.s = text};
  if (is_quantity(p->type, &kind)) {
    return quantity_read(p, kind, text, owner, out, why);
  }
  if (p->type == XL_PARAM_TEXT) {
    return true;
  }
  const char *choices = p->type == XL_PARAM_BOOL ? "false|true" : p->choices;
  out->i = choice(choices, text);
  if (out->i < 0) {
    snprintf(what, sizeof what, "'%.60s' is not one of its values", text);
    return wrong(why, owner, p, what, choices);
  }
  return true;
}

static bool unknown(const xl_param *params, uint32_t n, const char *owner,
                    const char *name, fail *why) {
  const char *names[NAMES_MAX] = {NULL};
  char list[400];
  size_t used = 0;

  snprintf(list, sizeof list, "none: it has no parameters");
  for (uint32_t i = 0; i < n && i < NAMES_MAX; i++) {
    names[i] = params[i].name;
    if (used < sizeof list) {
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                               i > 0 ? ", " : "", params[i].name);
    }
  }
  const char *near = nearest_word(name, names, n < NAMES_MAX ? n : NAMES_MAX);
  return fail_set(why, EXIT_USAGE,
                  "%s: unknown parameter '%.60s'; expected %s%s%s%s%s", owner,
                  name, n > 0 ? "one of " : "", list,
                  near != NULL ? "; did you mean '" : "",
                  near != NULL ? near : "", near != NULL ? "'?" : "");
}

bool params_parse(const struct xl_param *params, uint32_t nparams,
                  const char *owner, const struct scn_setting *settings,
                  size_t nsettings, struct xl_value *out, fail *why) {
  for (uint32_t i = 0; i < nparams; i++) {
    if (!value_read(&params[i], params[i].def, owner, &out[i], why)) {
      return false;
    }
  }
  for (size_t k = 0; k < nsettings; k++) {
    uint32_t i = 0;
    while (i < nparams && strcmp(params[i].name, settings[k].key) != 0) {
      i++;
    }
    if (i == nparams) {
      return unknown(params, nparams, owner, settings[k].key, why);
    }
    for (size_t j = 0; j < k; j++) {
      if (strcmp(settings[j].key, settings[k].key) == 0) {
        return fail_set(why, EXIT_USAGE,
                        "%s: parameter '%s' is repeated; expected it once",
                        owner, settings[k].key);
      }
    }
    if (!value_read(&params[i], settings[k].value, owner, &out[i], why)) {
      return false;
    }
  }
  return true;
}

static void choice_print(const char *choices, int64_t i, char *buf,
                         size_t len) {
  for (; i > 0 && choices != NULL; i--) {
    choices = strchr(choices, '|');
    choices = choices == NULL ? NULL : choices + 1;
  }
  snprintf(buf, len, "%.*s", choices == NULL ? 0 : (int)strcspn(choices, "|"),
           choices == NULL ? "" : choices);
}

void param_print(const struct xl_param *p, const struct xl_value *v, char *buf,
                 size_t len) {
  switch (p->type) {
  case XL_PARAM_TIME:
    unit_print(UNIT_TIME, (uint64_t)v->i, buf, len);
    break;
  case XL_PARAM_BYTES:
    unit_print(UNIT_BYTES, (uint64_t)v->i, buf, len);
    break;
  case XL_PARAM_RATE:
    unit_print(UNIT_RATE, (uint64_t)v->i, buf, len);
    break;
  case XL_PARAM_FRACTION:
    unit_print_number(v->f, buf, len);
    break;
  case XL_PARAM_COUNT:
    unit_print(UNIT_COUNT, (uint64_t)v->i, buf, len);
    break;
  case XL_PARAM_ENUM:
    choice_print(p->choices, v->i, buf, len);
    break;
  case XL_PARAM_BOOL:
    choice_print("false|true", v->i, buf, len);
    break;
  case XL_PARAM_TEXT:
    snprintf(buf, len, "%s", v->s != NULL ? v->s : "");
    break;
  }
}
