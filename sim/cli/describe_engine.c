/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/describe_engine.h"

#include <jansson.h>
#include <stdio.h>

#include <xl/agent.h>

static const struct rule {
  const char *name, *status, *applies, *text, *reason;
} rules[] = {
#include "rules.inc" /* made from tests/conformance/rules.tsv */
};
#define NRULES (sizeof rules / sizeof *rules)

static json_t *states_json(void) {
  uint32_t n;
  const xl_transition *t = xl_job_transitions(&n);
  json_t *list = json_array();

  for (uint32_t i = 0; i < n; i++) {
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s}", "from", xl_job_state_name(t[i].from),
                        "to", xl_job_state_name(t[i].to), "cause", t[i].cause));
  }
  return list;
}

static json_t *rules_json(void) {
  json_t *list = json_array();

  for (size_t i = 0; i < NRULES; i++) {
    const struct rule *r = &rules[i];
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name",
                                          r->name, "status", r->status,
                                          "applies", r->applies, "text",
                                          r->text, "reason", r->reason));
  }
  return list;
}

static void print_text(void) {
  uint32_t n;
  const xl_transition *t = xl_job_transitions(&n);

  puts("a job is created suspended and changes its state so:");
  for (uint32_t i = 0; i < n; i++) {
    printf("  %-15s -> %-15s %s\n", xl_job_state_name(t[i].from),
           xl_job_state_name(t[i].to), t[i].cause);
  }
  puts("\nrules (docs/conformance.md names the tests of each):");
  for (size_t i = 0; i < NRULES; i++) {
    const struct rule *r = &rules[i];
    printf("  %s %-10s %s\n", r->name, r->status, r->text);
    if (*r->reason != '\0') {
      printf("       not built: %s\n", r->reason);
    }
  }
}

void describe_engine(bool json) {
  if (!json) {
    print_text();
    return;
  }
  json_t *o = json_pack("{s:o, s:o}", "transitions", states_json(), "rules",
                        rules_json());
  json_dumpf(o, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
  putchar('\n');
  json_decref(o);
}
