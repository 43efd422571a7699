/* SPDX-License-Identifier: MIT */
#include "param.h"

#include <string.h>

#include "alloc.h"
#include "engine.h"

typedef struct unit {
  const char *name;
  uint64_t factor;
} unit;

static const unit time_units[] = {{"ns", 1},
                                  {"us", 1000},
                                  {"ms", 1000000},
                                  {"s", 1000000000},
                                  {"min", 60000000000},
                                  {"h", 3600000000000},
                                  {"d", 86400000000000},
                                  {NULL, 0}};
static const unit byte_units[] = {{"B", 1},
                                  {"kB", 1000},
                                  {"KB", 1000},
                                  {"MB", 1000000},
                                  {"GB", 1000000000},
                                  {"TB", 1000000000000},
                                  {"KiB", 1ull << 10},
                                  {"MiB", 1ull << 20},
                                  {"GiB", 1ull << 30},
                                  {"TiB", 1ull << 40},
                                  {NULL, 0}};
/* In eighths of a byte per second, so that bits are whole. */
static const unit rate_units[] = {{"bit/s", 1},
                                  {"kbit/s", 1000},
                                  {"Mbit/s", 1000000},
                                  {"Gbit/s", 1000000000},
                                  {"Tbit/s", 1000000000000},
                                  {"B/s", 8},
                                  {"kB/s", 8000},
                                  {"KB/s", 8000},
                                  {"MB/s", 8000000},
                                  {"GB/s", 8000000000},
                                  {"KiB/s", 8ull << 10},
                                  {"MiB/s", 8ull << 20},
                                  {"GiB/s", 8ull << 30},
                                  {NULL, 0}};
static const unit no_units[] = {{"", 1}, {NULL, 0}};

typedef struct decimal { /* digits / scale */
  uint64_t digits;
  uint64_t scale;
} decimal;

/* Reads "12.5"; returns what follows, NULL if there is no number. */
static const char *read_decimal(const char *s, decimal *out) {
  bool any = false, point = false;

  *out = (decimal){0, 1};
  for (;; s++) {
    if (*s == '.' && !point) {
      point = true;
    } else if (*s >= '0' && *s <= '9' && out->digits < UINT64_MAX / 10 - 9 &&
               out->scale < UINT64_MAX / 10) {
      out->digits = out->digits * 10 + (uint64_t)(*s - '0');
      out->scale *= point ? 10 : 1;
      any = true;
    } else {
      return any ? s : NULL;
    }
  }
}

/* The number with its unit, times the unit, divided by |div|, if whole. */
static bool read_quantity(const char *s, const unit *units, uint64_t div,
                          int64_t *out) {
  __extension__ typedef unsigned __int128 u128;
  decimal d;

  s = read_decimal(s, &d);
  if (s == NULL) {
    return false;
  }
  s += *s == ' ';
  for (; units->name != NULL; units++) {
    if (strcmp(units->name, s) == 0 || (d.digits == 0 && *s == '\0')) {
      u128 v = (u128)d.digits * units->factor;
      u128 by = (u128)d.scale * div;
      *out = (int64_t)(v / by);
      return v % by == 0 && v / by <= INT64_MAX;
    }
  }
  return false;
}

static bool read_fraction(const char *s, double *out) {
  decimal d;

  s = read_decimal(s, &d);
  if (s == NULL || (*s != '\0' && strcmp(s, "%") != 0)) {
    return false;
  }
  *out = (double)d.digits / (double)d.scale / (*s == '%' ? 100 : 1);
  return *out <= 1;
}

static bool read_choice(const char *choices, const char *s, int64_t *out) {
  size_t len = strlen(s);

  *out = 0;
  for (const char *c = choices; c != NULL; (*out)++) {
    const char *bar = strchr(c, '|');
    size_t n = bar == NULL ? strlen(c) : (size_t)(bar - c);
    if (n == len && strncmp(c, s, n) == 0) {
      return true;
    }
    c = bar == NULL ? NULL : bar + 1;
  }
  return false;
}

bool xli_param_parse(const xl_param *p, const char *text, xl_value *out) {
  *out = (xl_value){0};
  switch (p->type) {
  case XL_PARAM_TIME:
    return read_quantity(text, time_units, 1, &out->i);
  case XL_PARAM_BYTES:
    return read_quantity(text, byte_units, 1, &out->i);
  case XL_PARAM_RATE:
    if (strcmp(text, "unlimited") == 0) {
      out->i = -1;
      return true;
    }
    return read_quantity(text, rate_units, 8, &out->i);
  case XL_PARAM_FRACTION:
    return read_fraction(text, &out->f);
  case XL_PARAM_COUNT:
    return read_quantity(text, no_units, 1, &out->i);
  case XL_PARAM_ENUM:
    return read_choice(p->choices, text, &out->i);
  case XL_PARAM_BOOL:
    return read_choice("false|true", text, &out->i) ||
           read_choice("no|yes", text, &out->i) ||
           read_choice("off|on", text, &out->i) ||
           read_choice("0|1", text, &out->i);
  case XL_PARAM_TEXT:
    out->s = text;
    return true;
  }
  return false;
}

static xl_value *read_defaults(xl_engine *eng, const xl_policy *policy) {
  xl_value *v = xli_new(eng, (policy->nparams + 1) * sizeof *v);

  for (uint32_t i = 0; v != NULL && i < policy->nparams; i++) {
    if (!xli_param_parse(&policy->params[i], policy->params[i].def, &v[i])) {
      xli_fail(eng, XL_E_INVALIDARG, policy->name,
               "a parameter's default is not readable");
      xli_free(eng, v);
      return NULL;
    }
  }
  return v;
}

const xl_value *xli_param_defaults(xl_engine *eng, const xl_policy *policy) {
  param_cache *c = &eng->params;

  for (uint32_t i = 0; i < c->n; i++) {
    if (c->sets[i].policy == policy) {
      return c->sets[i].values;
    }
  }
  param_set *sets = xli_grow(eng, c->sets, &c->cap, c->n + 1, sizeof *sets);
  if (sets == NULL) {
    return NULL;
  }
  c->sets = sets;
  xl_value *values = read_defaults(eng, policy);
  if (values != NULL) {
    c->sets[c->n++] = (param_set){policy, values};
  }
  return values;
}

void xli_params_fini(xl_engine *eng) {
  for (uint32_t i = 0; i < eng->params.n; i++) {
    xli_free(eng, eng->params.sets[i].values);
  }
  xli_free(eng, eng->params.sets);
}
