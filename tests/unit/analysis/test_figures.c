/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/human.h"
#include "synthetic.h"
#include "test.h"

static const synthetic plain = {
    .policy = "origin-only", .devices = 10, .pace_s = 20, .level = LEVEL_FILES};

static bool exists(const syn_study *c, const char *name) {
  char path[600];

  snprintf(path, sizeof path, "%s/%s", c->dir, name);
  return access(path, F_OK) == 0;
}

static void test_all_files(void) {
  static const char *const ends[] = {"tsv", "gp", "svg", "png"};
  synthetic shapes[] = {plain, plain};
  syn_study c;
  fail why;

  shapes[1].policy = "it's _{odd}: a,b";
  shapes[1].peer_share = 0.5;
  syn_compare(&c, shapes, 2, 3);
  free(syn_run(&c, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "");
  for (figure f = 0; f < NFIGURES; f++) {
    for (size_t e = 0; e < 4; e++) {
      char name[100];
      snprintf(name, sizeof name, "figures/%s.%s", figure_name(f), ends[e]);
      CU_ASSERT_TRUE(exists(&c, name));
    }
  }
  CU_ASSERT_FALSE(exists(&c, "figures/gnuplot.log"));
  char *svg = syn_read(c.dir, "figures/completion.svg");
  CU_ASSERT_PTR_NOT_NULL(strstr(svg, "_{odd}: a,b"));
  free(svg);
  syn_remove(&c);
}

static void test_no_gnuplot(void) {
  synthetic shapes[] = {plain};
  syn_study c;
  fail why;
  char *path = strdup(getenv("PATH"));

  syn_compare(&c, shapes, 1, 3);
  setenv("PATH", "/nonexistent", 1);
  char *text = syn_run(&c, &why);
  setenv("PATH", path, 1);
  CHECK_EQ(why.status, EXIT_RUN_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "gnuplot is not installed"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "origin-only"));
  CU_ASSERT_TRUE(exists(&c, "figures/rates.gp"));
  CU_ASSERT_TRUE(exists(&c, "figures/rates.tsv"));
  CU_ASSERT_TRUE(exists(&c, "compare.h5"));
  char *page = syn_read(c.dir, "report.html");
  CU_ASSERT_PTR_NOT_NULL(strstr(page, "could not be made"));
  free(page);
  free(text);
  free(path);
  syn_remove(&c);
}

/* The numbers of the last line of a .tsv. Returns how many. */
static size_t last_row(const char *tsv, double *out, size_t max) {
  size_t len = strlen(tsv), n = 0;
  const char *at = tsv + len - (len > 0 ? 1 : 0);

  while (at > tsv && at[-1] != '\n') {
    at--;
  }
  while (n < max && *at != '\0') {
    char *end;
    out[n] = strtod(at, &end);
    if (end == at) {
      break;
    }
    n++;
    at = end;
  }
  return n;
}

static void test_open_curve(void) {
  synthetic shapes[] = {plain, plain};
  syn_study c;
  fail why;
  double v[16] = {0};

  shapes[1].policy = "cut";
  shapes[1].unfinished = 3;
  syn_compare(&c, shapes, 2, 4);
  free(syn_run(&c, &why));
  char *tsv = syn_read(c.dir, "figures/completion.tsv");
  CHECK_EQ(last_row(tsv, v, 16), 7);
  CHECK_NEAR(v[2], 100, 1e-9); /* median of the first policy */
  CHECK_NEAR(v[5], 70, 1e-9);
  free(tsv);
  char *svg = syn_read(c.dir, "figures/completion.svg");
  CU_ASSERT_PTR_NOT_NULL(strstr(svg, "cut (30 % not finished)"));
  free(svg);
  syn_remove(&c);
}

static void test_bytes(void) {
  synthetic shapes[] = {plain};
  syn_study c;
  fail why;
  double v[16] = {0};

  shapes[0].wasted = 1 << 20;
  shapes[0].devices = 20;
  syn_compare(&c, shapes, 1, 2);
  free(syn_run(&c, &why));
  char *tsv = syn_read(c.dir, "figures/bytes.tsv");
  last_row(tsv, v, 16);
  /* 20 devices x 64 MiB, all from the origin, and 1 MiB each wasted; GiB */
  CHECK_NEAR(v[1], 20 * 64 / 1024.0, 1e-5);
  CHECK_NEAR(v[2], 0, 1e-9);
  CHECK_NEAR(v[7], 20 / 1024.0, 1e-5);
  free(tsv);
  syn_remove(&c);
}

static void test_many(void) {
  synthetic shapes[12];
  char labels[12][32];
  syn_study c;
  fail why;

  for (size_t i = 0; i < 12; i++) {
    snprintf(labels[i], sizeof labels[i], "policy-%c", (char)('a' + i));
    shapes[i] = plain;
    shapes[i].policy = labels[i];
    shapes[i].pace_s = 30 - (double)i;
  }
  syn_compare(&c, shapes, 12, 2);
  free(syn_run(&c, &why));
  CU_ASSERT_STRING_EQUAL(why.text, "");
  char *gp = syn_read(c.dir, "figures/completion.gp");
  /* the baseline and the seven quickest */
  CU_ASSERT_PTR_NOT_NULL(strstr(gp, "title 'policy-a'"));
  CU_ASSERT_PTR_NULL(strstr(gp, "title 'policy-e'"));
  CU_ASSERT_PTR_NOT_NULL(strstr(gp, "title 'policy-f'"));
  CU_ASSERT_PTR_NOT_NULL(strstr(gp, "title 'policy-l'"));
  CU_ASSERT_PTR_NOT_NULL(strstr(gp, "4 other policies"));
  free(gp);
  syn_remove(&c);
}

static void check_human(const char *unit, double v, const char *want) {
  char got[HUMAN_LEN];

  human(got, unit, v);
  if (strcmp(got, want) != 0) {
    printf("  %g %s is \"%s\", want \"%s\"\n", v, unit, got, want);
  }
  CU_ASSERT_STRING_EQUAL(got, want);
}

static void test_human(void) {
  check_human("s", 7.5, "7.50 s");
  check_human("s", 600, "10.0 min");
  check_human("s", 7560, "2.10 h");
  check_human("s", 864000, "10.0 d");
  check_human("B", 17, "17 B");
  check_human("B", 650 * 0x1p20, "0.63 GiB");
  check_human("B", 13 * 0x1p30, "13.0 GiB");
  check_human("B/s", 2.5e6, "20.0 Mbit/s");
  check_human("B/s", 2.5e8, "2000 Mbit/s");
  check_human("%", 0.871, "87.1 %");
  check_human("s", 0.0 / 0.0, "-");
}

TEST_SUITE(
    "figures",
    {"every figure has data, script, SVG and PNG, also in a folder with "
     "spaces and quotes",
     test_all_files},
    {"without gnuplot there is one error and everything else", test_no_gnuplot},
    {"a curve with unfinished jobs does not reach 100 %", test_open_curve},
    {"the bars hold the bytes of the files", test_bytes},
    {"with many policies the baseline and the best are named", test_many},
    {"numbers have three digits and a unit that fits", test_human})
