/* SPDX-License-Identifier: MIT */
/*
 * Tunable parameters as rows of a table. The scenario parser, --policy k=v,
 * `describe`, range checks, docs and the run's record all read these rows.
 */
#ifndef XL_PARAM_H
#define XL_PARAM_H

#include <xl/types.h>

typedef enum xl_param_type {
  XL_PARAM_TIME,     /* i: ns */
  XL_PARAM_BYTES,    /* i: bytes */
  XL_PARAM_RATE,     /* i: bytes per second; -1 is unlimited ("unlimited") */
  XL_PARAM_FRACTION, /* f: 0 .. 1 */
  XL_PARAM_COUNT,    /* i */
  XL_PARAM_ENUM,     /* i: index into choices */
  XL_PARAM_BOOL,     /* i: 0 or 1 */
  XL_PARAM_TEXT      /* s */
} xl_param_type;

typedef struct xl_value {
  int64_t i;
  double f;
  const char *s; /* borrowed; lives as long as the engine */
} xl_value;

typedef struct xl_param {
  const char *name; /* [a-z_]+, stable: it appears in results */
  xl_param_type type;
  const char *def;  /* default as a user writes it: "60s", "1MiB", "0.3" */
  const char *min;  /* smallest legal value, as written; NULL: none */
  const char *max;  /* largest legal value; NULL: none */
  const char *choices; /* ENUM only: "a|b|c" */
  const char *help;    /* one line: meaning, and where the default is from */
} xl_param;

#endif
