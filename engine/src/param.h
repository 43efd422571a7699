/* SPDX-License-Identifier: MIT */
/* The default values of policies' parameters, read from their texts once. */
#ifndef ENGINE_PARAM_H
#define ENGINE_PARAM_H

#include <xl/agent.h>

typedef struct param_set {
  const xl_policy *policy;
  xl_value *values; /* owned */
} param_set;

typedef struct param_cache {
  param_set *sets; /* owned */
  uint32_t n, cap;
} param_cache;

/* Reads |text| as a value of |p|. False: it is not one. */
bool xli_param_parse(const xl_param *p, const char *text, xl_value *out);
/* The defaults of |policy|; NULL when out of memory or a default is not
   readable (then the sticky status says so). */
const xl_value *xli_param_defaults(xl_engine *eng, const xl_policy *policy);
void xli_params_fini(xl_engine *eng);

#endif
