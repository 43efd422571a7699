/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>

#include "synthetic.h"
#include "test.h"

static const synthetic shape = {.policy = "delivery-optimization",
                                .seed = 4,
                                .devices = 9,
                                .pace_s = 10,
                                .peer_share = 0.7,
                                .wasted = 12345,
                                .level = LEVEL_TRANSFERS};

/* What why_print prints for a trace of |s|; owned. */
static char *tell(const synthetic *s, bool json, fail *why) {
  char dir[256], path[300], *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);

  *why = (fail){0};
  syn_folder(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/run.h5", dir);
  if (syn_trace(path, s, why)) {
    why_print(path, json, out, why);
  }
  fclose(out);
  unlink(path);
  rmdir(dir);
  return text;
}

static json_int_t whole(json_t *o, const char *key) {
  return json_integer_value(json_object_get(o, key));
}

static void test_adds_up(void) {
  fail why;
  char *text = tell(&shape, true, &why);
  json_t *o = json_loads(text, 0, NULL), *row;
  json_int_t sum = 0;
  double shares = 0;
  size_t i;

  CU_ASSERT_STRING_EQUAL(why.text, "");
  json_array_foreach(json_object_get(o, "reasons"), i, row) {
    sum += whole(row, "bytes");
    shares += json_real_value(json_object_get(row, "share"));
  }
  CHECK_EQ(i, 2);
  CHECK_EQ(sum, whole(o, "origin_bytes"));
  CHECK_EQ(sum, whole(o, "first_copies") + whole(o, "wasted"));
  CHECK_EQ(whole(o, "wasted"), 9 * 12345);
  CHECK_NEAR(shares, 1, 1e-9);
  CU_ASSERT_TRUE(json_is_true(json_object_get(o, "adds_up")));
  json_decref(o);
  free(text);
}

static void test_table(void) {
  fail why;
  char *text = tell(&shape, false, &why);

  CU_ASSERT_PTR_NOT_NULL(strstr(text, "no-peer-has-it"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "no known peer holds it"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "peer-busy (100 % of requests)"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "2.00 s"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "B by reason = "));
  free(text);
}

static void test_misbooked(void) {
  synthetic s = shape;
  fail why;

  s.misbooked = 1;
  char *text = tell(&s, false, &why);
  CHECK_EQ(why.status, EXIT_RUN_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "do not add up"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "B by reason != "));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 of 9 files do not add up"));
  free(text);
}

static void test_no_transfers(void) {
  synthetic s = shape;
  fail why;

  s.level = LEVEL_FILES;
  char *text = tell(&s, false, &why);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "--trace transfers"));
  CU_ASSERT_STRING_EQUAL(text, "");
  free(text);
}

static void test_interrupted(void) {
  synthetic s = shape;
  fail why;

  s.interrupted = true;
  char *text = tell(&s, false, &why);
  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "sum: not checked"));
  free(text);
}

TEST_SUITE(
    "why",
    {"the reasons add up to the bytes received from origins", test_adds_up},
    {"a reason tells its text, its wait and what was ruled out", test_table},
    {"one misbooked byte is told and fails", test_misbooked},
    {"a trace without transfers says how to record them", test_no_transfers},
    {"the sum of an interrupted run is not claimed", test_interrupted})
