/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small reader of parameter values as users write them, so that the tables
 * of policies can be tested without the simulator: a number and a unit, a word,
 * or one of an enum's choices.
 */
#ifndef TESTS_POLICY_VALUES_H
#define TESTS_POLICY_VALUES_H

#include <xl/policy.h>

#include <stdlib.h>
#include <string.h>

static const struct value_unit {
  xl_param_type type;
  const char *name;
  double scale;
} value_units[] = {
    {XL_PARAM_TIME, "ms", 1e6},       {XL_PARAM_TIME, "s", 1e9},
    {XL_PARAM_TIME, "min", 60e9},     {XL_PARAM_TIME, "h", 3600e9},
    {XL_PARAM_TIME, "d", 86400e9},    {XL_PARAM_BYTES, "B", 1},
    {XL_PARAM_BYTES, "kB", 1e3},      {XL_PARAM_BYTES, "MB", 1e6},
    {XL_PARAM_BYTES, "GB", 1e9},      {XL_PARAM_BYTES, "KiB", 0x1p10},
    {XL_PARAM_BYTES, "MiB", 0x1p20},  {XL_PARAM_BYTES, "GiB", 0x1p30},
    {XL_PARAM_BYTES, "TiB", 0x1p40},  {XL_PARAM_RATE, "kbit/s", 125},
    {XL_PARAM_RATE, "Mbit/s", 125e3}, {XL_PARAM_RATE, "kB/s", 1e3},
    {XL_PARAM_RATE, "MB/s", 1e6},     {XL_PARAM_COUNT, "", 1},
    {XL_PARAM_FRACTION, "", 1},
};

/* The index of |word| in "a|b|c", or -1. */
static int value_choice(const char *choices, const char *word) {
  size_t len = strlen(word);

  for (int i = 0; choices != NULL; i++) {
    const char *bar = strchr(choices, '|');
    size_t n = bar == NULL ? strlen(choices) : (size_t)(bar - choices);
    if (n == len && memcmp(choices, word, n) == 0) {
      return i;
    }
    choices = bar == NULL ? NULL : bar + 1;
  }
  return -1;
}

/* A value of |p| from |text|; |number| is what is compared with min and max.
   False when |text| is not of the parameter's type. */
static bool value_read(const xl_param *p, const char *text, xl_value *out,
                       double *number) {
  char *end;
  double n = strtod(text, &end);

  *out = (xl_value){.s = text};
  *number = 0;
  if (p->type == XL_PARAM_TEXT) {
    return true;
  }
  if (p->type == XL_PARAM_ENUM || p->type == XL_PARAM_BOOL) {
    out->i = value_choice(p->type == XL_PARAM_BOOL ? "false|true" : p->choices,
                          text);
    return out->i >= 0;
  }
  if (p->type == XL_PARAM_RATE && strcmp(text, "unlimited") == 0) {
    out->i = -1;
    *number = 1e300;
    return true;
  }
  for (size_t i = 0; i < sizeof value_units / sizeof *value_units; i++) {
    const struct value_unit *u = &value_units[i];
    if (u->type == p->type && end > text && strcmp(u->name, end) == 0) {
      *number = n * u->scale;
      out->f = *number;
      out->i = (int64_t)*number;
      return p->type == XL_PARAM_FRACTION || (double)out->i == *number;
    }
  }
  return false;
}

#endif
