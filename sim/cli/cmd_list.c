/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xferlab list and describe: what there is, read from the tables that run. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/summary.h"
#include "cli/args.h"
#include "cli/describe_engine.h"
#include "cli/spec.h"
#include "scenario/keys.h"

static const char *type_name(xl_param_type t) {
  static const char *const names[] = {"time",  "bytes", "rate", "fraction",
                                      "count", "enum",  "bool", "text"};
  return names[t];
}

static const char *flavour_name(xl_flavour f) {
  static const char *const names[] = {"bits3", "bits4", "do", "free"};
  return names[f];
}

static json_t *text_or_null(const char *s) {
  return s == NULL ? json_null() : json_string(s);
}

static json_t *params_json(const xl_param *p, uint32_t n) {
  json_t *list = json_array();

  for (uint32_t i = 0; i < n; i++) {
    json_array_append_new(
        list,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "name", p[i].name,
                  "type", type_name(p[i].type), "default", p[i].def, "min",
                  text_or_null(p[i].min), "max", text_or_null(p[i].max),
                  "choices", text_or_null(p[i].choices), "help", p[i].help));
  }
  return list;
}

static json_t *policies_json(void) {
  json_t *list = json_array();

  for (size_t i = 0; xl_policies[i] != NULL; i++) {
    json_array_append_new(list,
                          json_pack("{s:s, s:s}", "name", xl_policies[i]->name,
                                    "text", xl_policies[i]->help));
  }
  return list;
}

static json_t *networks_json(void) {
  json_t *list = json_array();

  for (size_t i = 0; net_names[i] != NULL; i++) {
    fail why = {0};
    const net_ops *ops = net_find(net_names[i], &why);
    json_array_append_new(list,
                          json_pack("{s:s, s:s}", "name", net_names[i], "text",
                                    ops == NULL ? why.text : ops->help));
  }
  return list;
}

static json_t *metrics_json(void) {
  json_t *list = json_array();

  for (size_t i = 0; i < nmetrics; i++) {
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s}", "name", metrics[i].name, "text",
                        metrics[i].text, "unit", metrics[i].unit));
  }
  return list;
}

#define NAMED_JSON(function, COUNT, name_of, text_of, type)                    \
  static json_t *function(void) {                                              \
    json_t *list = json_array();                                               \
    for (int i = 0; i < (COUNT); i++) {                                        \
      json_array_append_new(list,                                              \
                            json_pack("{s:s, s:s}", "name", name_of((type)i),  \
                                      "text", text_of((type)i)));              \
    }                                                                          \
    return list;                                                               \
  }
NAMED_JSON(reasons_json, XL_NREASONS, xl_reason_name, xl_reason_text, xl_reason)
NAMED_JSON(classes_json, XL_NCLASSES, xl_class_name, xl_class_text, xl_class)

static const struct what {
  const char *name;
  json_t *(*list)(void);
} whats[] = {
    {"policies", policies_json}, {"networks", networks_json},
    {"metrics", metrics_json},   {"reasons", reasons_json},
    {"classes", classes_json},
};
#define NWHATS (sizeof whats / sizeof *whats)

static void print_json(json_t *o) {
  json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
  putchar('\n');
}

int cmd_list(const args *a, fail *why) {
  const char *words[NWHATS];

  for (size_t i = 0; i < NWHATS; i++) {
    words[i] = whats[i].name;
    if (strcmp(whats[i].name, a->operands.item[0]) != 0) {
      continue;
    }
    json_t *list = whats[i].list(), *row;
    size_t k;
    if (a->json) {
      print_json(list);
    } else {
      json_array_foreach(list, k, row) {
        printf("%-22s %s\n", json_string_value(json_object_get(row, "name")),
               json_string_value(json_object_get(row, "text")));
      }
    }
    json_decref(list);
    return EXIT_GOOD;
  }
  const char *near = nearest_word(a->operands.item[0], words, NWHATS);
  fail_set(why, EXIT_USAGE,
           "list %s: expected policies, networks, metrics, reasons or "
           "classes%s%s%s",
           a->operands.item[0], near == NULL ? "" : "; did you mean '",
           near == NULL ? "" : near, near == NULL ? "" : "'?");
  return EXIT_USAGE;
}

/* ---- describe ---------------------------------------------------------------
 */

static void print_params(const xl_param *p, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    printf("  %-22s %-9s default %-12s", p[i].name, type_name(p[i].type),
           p[i].def);
    if (p[i].choices != NULL) {
      printf(" one of %s", p[i].choices);
    } else if (p[i].min != NULL || p[i].max != NULL) {
      printf(" %s .. %s", p[i].min == NULL ? "" : p[i].min,
             p[i].max == NULL ? "" : p[i].max);
    }
    printf("\n      %s\n", p[i].help);
  }
}

static int describe_policy(const char *name, bool json, fail *why) {
  policy_spec s;

  bool good = spec_policy(&s, name, NULL, why);
  const xl_policy *p = s.policy;
  policy_spec_free(&s);
  if (!good) {
    return why->status;
  }
  if (json) {
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", p->name,
                          "help", p->help, "source", p->source, "flavour",
                          flavour_name(p->flavour), "swarms", (int)p->swarms,
                          "params", params_json(p->params, p->nparams));
    print_json(o);
    json_decref(o);
    return EXIT_GOOD;
  }
  printf("%s: %s\nflavour %s; %s\n\nparameters:\n", p->name, p->help,
         flavour_name(p->flavour), p->source);
  print_params(p->params, p->nparams);
  return EXIT_GOOD;
}

static int describe_network(const char *name, bool json, fail *why) {
  const net_ops *ops = net_find(name, why);

  if (ops == NULL) {
    return why->status;
  }
  json_t *caps = json_array();
#define CAP_TEXT(n, bit, text)                                                 \
  if (ops->caps & NET_CAP_##n) {                                               \
    json_array_append_new(caps, json_string(text));                            \
  }
  NET_CAP_MAP(CAP_TEXT)
#undef CAP_TEXT
  if (json) {
    json_t *o = json_pack("{s:s, s:s, s:O, s:o}", "name", ops->name, "help",
                          ops->help, "capabilities", caps, "params",
                          params_json(ops->params, ops->nparams));
    print_json(o);
    json_decref(o);
  } else {
    json_t *row;
    size_t k;
    printf("%s: %s\n\ncapabilities:\n", ops->name, ops->help);
    json_array_foreach(caps, k, row) {
      printf("  %s\n", json_string_value(row));
    }
    puts("\nparameters:");
    print_params(ops->params, ops->nparams);
  }
  json_decref(caps);
  return EXIT_GOOD;
}

static int describe_metric(const char *name, bool json, fail *why) {
  for (size_t i = 0; i < nmetrics; i++) {
    const metric *m = &metrics[i];
    if (strcmp(m->name, name) != 0) {
      continue;
    }
    const char *better = m->better < 0   ? "smaller is better"
                         : m->better > 0 ? "larger is better"
                                         : "neither is better";
    if (json) {
      json_t *o = json_pack("{s:s, s:s, s:s, s:i}", "name", m->name, "unit",
                            m->unit, "text", m->text, "better", m->better);
      print_json(o);
      json_decref(o);
    } else {
      printf("%s [%s]: %s; %s\n", m->name, m->unit, m->text, better);
    }
    return EXIT_GOOD;
  }
  fail_set(why, EXIT_USAGE,
           "unknown metric '%s'; 'xferlab list metrics' lists them", name);
  return EXIT_USAGE;
}

int cmd_describe(const args *a, fail *why) {
  const char *kind = a->operands.item[0];
  const char *name = a->operands.n > 1 ? a->operands.item[1] : NULL;

  if (strcmp(kind, "scenario") == 0 && name == NULL) {
    scenario_keys_print(stdout, false);
    return EXIT_GOOD;
  }
  if (strcmp(kind, "engine") == 0 && name == NULL) {
    describe_engine(a->json);
    return EXIT_GOOD;
  }
  if (name != NULL && strcmp(kind, "policy") == 0) {
    return describe_policy(name, a->json, why);
  }
  if (name != NULL && strcmp(kind, "network") == 0) {
    return describe_network(name, a->json, why);
  }
  if (name != NULL && strcmp(kind, "metric") == 0) {
    return describe_metric(name, a->json, why);
  }
  fail_set(why, EXIT_USAGE,
           "describe: expected 'policy NAME', 'network NAME', 'metric NAME', "
           "'engine' or 'scenario'");
  return EXIT_USAGE;
}
