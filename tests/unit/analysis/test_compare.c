/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>

#include "synthetic.h"
#include "test.h"

static const synthetic slow = {
    .policy = "origin-only", .devices = 12, .pace_s = 20, .level = LEVEL_FILES};
static const synthetic quick = {.policy = "delivery-optimization:mode=lan",
                                .devices = 12,
                                .pace_s = 10,
                                .peer_share = 0.8,
                                .level = LEVEL_FILES};

static json_t *metric_of(json_t *policy, const char *name) {
  return json_object_get(
      json_object_get(json_object_get(policy, "paired"), "metrics"), name);
}

static const char *text_of(json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));

  return s != NULL ? s : "(none)";
}

static json_t *json_of(syn_study *c) {
  fail why;

  c->in.json = true;
  char *text = syn_run(c, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  json_t *all = json_loads(text, 0, NULL);
  free(text);
  CU_ASSERT_PTR_NOT_NULL(all);
  return all;
}

static void test_better(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;

  syn_compare(&c, shapes, 2, 8);
  json_t *all = json_of(&c);
  CHECK_EQ(json_array_size(all), 2);
  CU_ASSERT_TRUE(
      json_is_null(json_object_get(json_array_get(all, 0), "paired")));
  json_t *p = json_array_get(all, 1);
  json_t *egress = metric_of(p, "origin_egress");
  CU_ASSERT_STRING_EQUAL(text_of(egress, "verdict"), "better");
  CU_ASSERT_STRING_EQUAL(text_of(metric_of(p, "offload"), "verdict"), "better");
  CU_ASSERT_STRING_EQUAL(text_of(metric_of(p, "bytes_wasted"), "verdict"),
                         "equal");
  /* 80 % from peers, less at most 2 % of it */
  double rel = json_real_value(json_object_get(egress, "relative"));
  CU_ASSERT_TRUE(rel < -0.78 && rel > -0.8);
  /* two-sided sign-flip over 8 seeds, one comparison */
  CHECK_NEAR(json_real_value(json_object_get(egress, "p_holm")), 2.0 / 256,
             1e-9);
  double x = json_real_value(json_object_get(p, "offload"));
  CU_ASSERT_TRUE(x > 0.78 && x < 0.8);
  json_decref(all);
  syn_remove(&c);
}

static void test_worse(void) {
  synthetic shapes[] = {quick, slow};
  syn_study c;

  syn_compare(&c, shapes, 2, 8);
  json_t *all = json_of(&c);
  json_t *p = json_array_get(all, 1);
  CU_ASSERT_STRING_EQUAL(text_of(metric_of(p, "completion_p95_s"), "verdict"),
                         "worse");
  json_decref(all);
  syn_remove(&c);
}

static void test_few_seeds(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;

  syn_compare(&c, shapes, 2, 4);
  char *text = syn_run(&c, &why);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "use at least 6 seeds"));
  CU_ASSERT_PTR_NULL(strstr(text, "better\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "no difference shown"));
  free(text);
  syn_remove(&c);
}

static void test_unfinished(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;

  shapes[1].unfinished = 3;
  syn_compare(&c, shapes, 2, 6);
  char *text = syn_run(&c, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "> 12h"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "refused (unfinished jobs)"));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(text, "18 of 72 device jobs did not finish, in 6 of 6 runs"));
  free(text);
  json_t *all = json_of(&c);
  json_t *p = json_array_get(all, 1);
  json_t *p95 = json_object_get(json_object_get(p, "completion_s"), "p95");
  CU_ASSERT_TRUE(json_is_null(p95));
  CU_ASSERT_STRING_EQUAL(text_of(metric_of(p, "completion_p95_s"), "refused"),
                         "unfinished jobs");
  json_decref(all);
  syn_remove(&c);
}

static void test_missing(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;

  syn_compare(&c, shapes, 2, 6);
  unlink(c.paths[8]); /* quick, seed 3 */
  char *text = syn_run(&c, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "seed 3 is left out of the means"));
  free(text);
  char *page = syn_read(c.dir, "report.html");
  CU_ASSERT_PTR_NOT_NULL(strstr(page, "seed 3 is left out of the means"));
  free(page);
  json_t *all = json_of(&c);
  json_t *p = json_array_get(all, 1);
  CHECK_EQ(json_integer_value(json_object_get(p, "runs")), 5);
  CHECK_EQ(
      json_integer_value(json_array_get(json_object_get(p, "left_out"), 0)), 3);
  CHECK_EQ(json_integer_value(json_object_get(metric_of(p, "offload"), "n")),
           5);
  json_decref(all);
  syn_remove(&c);
}

static void test_interrupted(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why = {0};

  syn_compare(&c, shapes, 2, 6);
  synthetic cut = quick;
  cut.seed = 2;
  cut.interrupted = true;
  CU_ASSERT_TRUE(syn_trace(c.paths[7], &cut, &why));
  char *text = syn_run(&c, &why);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "seed 2 is left out of the means"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "was interrupted"));
  free(text);
  syn_remove(&c);
}

static void test_seeds(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;

  syn_compare(&c, shapes, 2, 3);
  c.runs[5].seed = 9;
  char *text = syn_run(&c, &why);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "the same seeds"));
  CU_ASSERT_STRING_EQUAL(text, "");
  free(text);
  c.runs[5].seed = 2;
  text = syn_run(&c, &why);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "seed 2 is given twice"));
  free(text);
  syn_remove(&c);
}

static void test_nothing(void) {
  synthetic shapes[] = {slow};
  syn_study c;
  fail why;

  syn_compare(&c, shapes, 1, 1);
  unlink(c.paths[0]);
  free(syn_run(&c, &why));
  CHECK_EQ(why.status, EXIT_RUN_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "no run can be used"));
  syn_remove(&c);
}

static bool same_file(const syn_study *a, const syn_study *b,
                      const char *name) {
  char x[600], y[600], bufx[4096], bufy[4096];
  size_t nx, ny;
  bool same = true;

  snprintf(x, sizeof x, "%s/%s", a->dir, name);
  snprintf(y, sizeof y, "%s/%s", b->dir, name);
  FILE *fx = fopen(x, "rb"), *fy = fopen(y, "rb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(fx);
  CU_ASSERT_PTR_NOT_NULL_FATAL(fy);
  do {
    nx = fread(bufx, 1, sizeof bufx, fx);
    ny = fread(bufy, 1, sizeof bufy, fy);
    same = same && nx == ny && memcmp(bufx, bufy, nx) == 0;
  } while (nx > 0 && ny > 0);
  fclose(fx);
  fclose(fy);
  return same;
}

static void test_same_bytes(void) {
  static const char *const files[] = {
      "compare.h5",        "compare.json",           "report.html",
      "figures/rates.svg", "figures/completion.svg", "figures/bytes.png"};
  synthetic shapes[] = {slow, quick};
  syn_study a, b;
  fail why;

  syn_compare(&a, shapes, 2, 4);
  syn_compare(&b, shapes, 2, 4);
  free(syn_run(&a, &why));
  free(syn_run(&b, &why));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    CU_ASSERT_TRUE(same_file(&a, &b, files[i]));
  }
  syn_remove(&a);
  syn_remove(&b);
}

static void test_page(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;

  shapes[1].policy = "mine:<b>&\"x'";
  syn_compare(&c, shapes, 2, 3);
  free(syn_run(&c, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "");
  char *page = syn_read(c.dir, "report.html");
  CU_ASSERT_PTR_NOT_NULL(page);
  CU_ASSERT_PTR_NULL(strstr(page, "<b>&"));
  CU_ASSERT_PTR_NULL(strstr(page, "<small>"));
  CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;small&gt; office &amp; its"));
  CU_ASSERT_PTR_NULL(strstr(page, "<script"));
  CU_ASSERT_PTR_NULL(strstr(page, "src="));
  CU_ASSERT_PTR_NULL(strstr(page, "href=\"http"));
  CU_ASSERT_PTR_NULL(strstr(page, "could not be made"));
  size_t drawings = 0;
  for (const char *at = page; (at = strstr(at, "id=\"")) != NULL; at++) {
    drawings +=
        strstr(at, "-gnuplot_canvas\"") == at + 4 + strcspn(at + 4, "-");
  }
  CHECK_EQ(drawings, NFIGURES);
  free(page);
  syn_remove(&c);
}

static void test_report_folder(void) {
  synthetic shapes[] = {slow, quick};
  syn_study c;
  fail why;
  char path[600];

  syn_compare(&c, shapes, 2, 3);
  free(syn_run(&c, &why));
  char *before = syn_read(c.dir, "report.html");
  snprintf(path, sizeof path, "%s/report.html", c.dir);
  unlink(path);
  CU_ASSERT_TRUE(report_write(c.dir, path, sizeof path, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "");
  char *after = syn_read(c.dir, "report.html");
  CU_ASSERT_STRING_EQUAL(before, after);
  free(before);
  free(after);
  syn_remove(&c);
}

static void test_report_trace(void) {
  synthetic shapes[] = {slow};
  syn_study c;
  fail why = {0};
  char path[600];

  shapes[0].interrupted = true;
  syn_compare(&c, shapes, 1, 1);
  CU_ASSERT_TRUE(report_write(c.paths[0], path, sizeof path, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL(strstr(path, ".h5.report.html"));
  char *page = syn_read(c.dir, strrchr(path, '/') + 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(page, "12 of 12 device jobs finished"));
  CU_ASSERT_PTR_NOT_NULL(strstr(page, "the run was interrupted"));
  free(page);
  CU_ASSERT_FALSE(report_write("/nonexistent", path, sizeof path, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "/nonexistent"));
  syn_remove(&c);
}

TEST_SUITE("compare",
           {"a policy that is better in every seed is called better, with its "
            "exact p-value",
            test_better},
           {"a policy that is slower in every seed is called worse",
            test_worse},
           {"too few seeds for any verdict are warned about", test_few_seeds},
           {"unfinished jobs are infinite: > 12h, null in JSON, intervals "
            "refused",
            test_unfinished},
           {"a missing trace is named and its seed left out", test_missing},
           {"an interrupted run is named and left out", test_interrupted},
           {"policies with different seeds are an error", test_seeds},
           {"without a usable run nothing is claimed", test_nothing},
           {"equal comparisons write equal bytes", test_same_bytes},
           {"the page is one file with everything escaped", test_page},
           {"a compare folder gives the same page again", test_report_folder},
           {"one trace, even an interrupted one, has a report",
            test_report_trace})
