/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <xl/policy.h>

#include "test.h"
#include "values.h"

static void test_names(void) {
  static const char *const names[] = {"origin-only", "bits-peer-cache",
                                      "delivery-optimization"};
  uint32_t n = 0;

  for (; xl_policies[n] != NULL; n++) {
    CU_ASSERT(n < 3 && strcmp(xl_policies[n]->name, names[n]) == 0);
    CU_ASSERT_PTR_EQUAL(xl_policy_find(xl_policies[n]->name), xl_policies[n]);
  }
  CHECK_EQ(n, 3);
  CU_ASSERT_PTR_NULL(xl_policy_find("origin"));
  CU_ASSERT_PTR_NULL(xl_policy_find(""));
}

static void test_built_in_tables_are_good(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    const char *wrong = xl_policy_check(*p);
    if (wrong != NULL) {
      printf("  %s: %s\n", (*p)->name, wrong);
    }
    CU_ASSERT_PTR_NULL(wrong);
  }
}

/* Says so when |ok| is false. */
static void check_row(const xl_policy *p, const xl_param *q, bool ok,
                      const char *what) {
  if (!ok) {
    printf("  %s: %s: %s\n", p->name, q->name, what);
  }
  CU_ASSERT(ok);
}

static void test_defaults_are_legal(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    for (uint32_t i = 0; i < (*p)->nparams; i++) {
      const xl_param *q = &(*p)->params[i];
      xl_value v;
      double def, low, high;

      check_row(*p, q, value_read(q, q->def, &v, &def), "default is no value");
      if (q->min != NULL) {
        check_row(*p, q, value_read(q, q->min, &v, &low), "min is no value");
        check_row(*p, q, low <= def, "default below min");
      }
      if (q->max != NULL) {
        check_row(*p, q, value_read(q, q->max, &v, &high), "max is no value");
        check_row(*p, q, def <= high, "default above max");
        check_row(*p, q, q->min == NULL || low < high, "min is not below max");
      }
      check_row(*p, q, (q->type == XL_PARAM_ENUM) == (q->choices != NULL),
                "choices are for enums, and every enum has some");
    }
  }
}

/* A line of docs/policies.md that has both |name| and |def| in backquotes. */
static bool documented(FILE *docs, const char *name, const char *def) {
  char line[1024], a[80], b[80];

  snprintf(a, sizeof a, "`%s`", name);
  snprintf(b, sizeof b, "`%s`", def);
  rewind(docs);
  while (fgets(line, sizeof line, docs) != NULL) {
    if (line[0] == '|' && strstr(line, a) != NULL && strstr(line, b) != NULL) {
      return true;
    }
  }
  return false;
}

static void test_documented(void) {
  FILE *docs = fopen("docs/policies.md", "r");

  CU_ASSERT_PTR_NOT_NULL(docs);
  if (docs == NULL) {
    return;
  }
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    for (uint32_t i = 0; i < (*p)->nparams; i++) {
      const xl_param *q = &(*p)->params[i];
      check_row(*p, q, documented(docs, q->name, q->def),
                "docs/policies.md has no row with this name and default");
    }
  }
  fclose(docs);
}

static bool pick(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again) {
  (void)h, (void)v, (void)out;
  *again = XL_NEVER;
  return false;
}

static void test_bad_tables_are_refused(void) {
  static const xl_param good[] = {
      {"a", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"},
      {"b", XL_PARAM_ENUM, "x", NULL, NULL, "x|y", "help"}};
  static const xl_param twice[] = {
      {"a", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"},
      {"a", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"}};
  static const xl_param upper[] = {
      {"A", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"},
      {"b", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"}};
  static const xl_param bare[] = {
      {"a", XL_PARAM_ENUM, "x", NULL, NULL, NULL, "help"},
      {"b", XL_PARAM_COUNT, "1", NULL, NULL, NULL, "help"}};
  static const xl_param silent[] = {
      {"a", XL_PARAM_COUNT, "1", NULL, NULL, NULL, ""},
      {"b", XL_PARAM_COUNT, NULL, NULL, NULL, NULL, "help"}};
  const xl_policy base = {.size = sizeof base,
                          .version = XL_POLICY_ABI,
                          .name = "mine",
                          .help = "help",
                          .source = "source",
                          .flavour = XL_FLAVOUR_FREE,
                          .params = good,
                          .nparams = 2,
                          .pick = pick};
  struct {
    const char *says;
    xl_policy p;
  } t[] = {{NULL, base},      {"version", base},   {"size", base},
           {"name", base},    {"name", base},      {"help", base},
           {"source", base},  {"flavour", base},   {"state", base},
           {"peer", base},    {"window", base},    {"pick", base},
           {"missing", base}, {"same name", base}, {"name is not", base},
           {"choices", base}, {"no help", base},   {"state", base}};

  t[1].p.version = XL_POLICY_ABI + 1;
  t[2].p.size -= 8;
  t[3].p.name = "My Policy";
  t[4].p.name = "";
  t[5].p.help = NULL;
  t[6].p.source = "";
  t[7].p.flavour = (xl_flavour)9;
  t[8].p.file_state_size = 1u << 20;
  t[9].p.peer_state_size = 17;
  t[10].p.rate_window = -1;
  t[11].p.pick = NULL;
  t[12].p.params = NULL;
  t[13].p.params = twice;
  t[14].p.params = upper;
  t[15].p.params = bare;
  t[16].p.params = silent;
  t[17].p.agent_state_size = 1u << 20;
  CU_ASSERT_PTR_NOT_NULL(xl_policy_check(NULL));
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    const char *wrong = xl_policy_check(&t[i].p);
    bool ok = t[i].says == NULL
                  ? wrong == NULL
                  : wrong != NULL && strstr(wrong, t[i].says) != NULL;
    if (!ok) {
      printf("  row %zu: said '%s'\n", i, wrong == NULL ? "good" : wrong);
    }
    CU_ASSERT(ok);
  }
}

TEST_SUITE("policy table",
           {"each built-in policy is found by its name and no other",
            test_names},
           {"each built-in table passes the check of foreign ones",
            test_built_in_tables_are_good},
           {"each parameter's default is of its type and within its range",
            test_defaults_are_legal},
           {"docs/policies.md has each parameter with its default",
            test_documented},
           {"a wrong table is refused, and the text says what is wrong",
            test_bad_tables_are_refused})
