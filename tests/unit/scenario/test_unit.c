/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <xl/param.h>

#include "scenario/scenario.h"
#include "scenario/unit.h"
#include "test.h"

static const struct {
  unit_kind kind;
  const char *text;
  uint64_t n;
} whole[] = {
    {UNIT_TIME, "1ns", 1},
    {UNIT_TIME, "2us", 2000},
    {UNIT_TIME, "3ms", 3000000},
    {UNIT_TIME, "4s", 4000000000},
    {UNIT_TIME, "5min", 300000000000},
    {UNIT_TIME, "6h", 21600000000000},
    {UNIT_TIME, "7d", 604800000000000},
    {UNIT_TIME, "1w", 604800000000000},
    {UNIT_TIME, "0s", 0},
    {UNIT_TIME, "1.5h", 5400000000000},
    {UNIT_TIME, "90 s", 90000000000},
    {UNIT_TIME, "1e3s", 1000000000000},
    {UNIT_TIME, "9223372036854775806ns", INT64_MAX - 1},
    {UNIT_BYTES, "1B", 1},
    {UNIT_BYTES, "1KB", 1000},
    {UNIT_BYTES, "1kB", 1000},
    {UNIT_BYTES, "2MB", 2000000},
    {UNIT_BYTES, "3GB", 3000000000},
    {UNIT_BYTES, "4TB", 4000000000000},
    {UNIT_BYTES, "1KiB", 1024},
    {UNIT_BYTES, "650MiB", 681574400},
    {UNIT_BYTES, "1.5GiB", 1610612736},
    {UNIT_BYTES, "2TiB", 2199023255552},
    {UNIT_BYTES, "9007199254740993B", 9007199254740993}, /* 2^53 + 1 */
    {UNIT_BYTES, "0.3GB", 300000000},
    {UNIT_BYTES, "1.7B", 2},
    {UNIT_BYTES, "18446744073709551614B", UINT64_MAX - 1},
    {UNIT_RATE, "8bit/s", 1},
    {UNIT_RATE, "64kbit/s", 8000},
    {UNIT_RATE, "20Mbit/s", 2500000},
    {UNIT_RATE, "0.1Gbit/s", 12500000},
    {UNIT_RATE, "2Tbit/s", 250000000000},
    {UNIT_RATE, "7B/s", 7},
    {UNIT_RATE, "7KB/s", 7000},
    {UNIT_RATE, "7kB/s", 7000},
    {UNIT_RATE, "300MB/s", 300000000},
    {UNIT_RATE, "3GB/s", 3000000000},
    {UNIT_RATE, "1TB/s", 1000000000000},
    {UNIT_RATE, "1KiB/s", 1024},
    {UNIT_RATE, "1MiB/s", 1048576},
    {UNIT_RATE, "1GiB/s", 1073741824},
    {UNIT_RATE, "1TiB/s", 1099511627776},
    {UNIT_RATE, "unlimited", XL_RATE_UNLIMITED},
    {UNIT_COUNT, "25", 25},
    {UNIT_COUNT, "2.0", 2},
    {UNIT_COUNT, "1e6", 1000000},
    {UNIT_COUNT, "0.5e1", 5},
};

static void test_whole(void) {
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
    quantity q;
    unit_fault fault = unit_parse(whole[i].kind, whole[i].text, &q);
    if (fault != UNIT_GOOD || q.n != whole[i].n) {
      printf("  %s: fault %d, %llu, want %llu\n", whole[i].text, fault,
             (unsigned long long)q.n, (unsigned long long)whole[i].n);
    }
    CHECK_EQ(fault, UNIT_GOOD);
    CU_ASSERT(q.n == whole[i].n);
  }
}

static const struct {
  unit_kind kind;
  const char *text;
  unit_fault fault;
} wrong[] = {
    {UNIT_TIME, "12", UNIT_MISSING},
    {UNIT_TIME, "0", UNIT_MISSING},
    {UNIT_TIME, "12parsec", UNIT_UNKNOWN},
    {UNIT_TIME, "12H", UNIT_UNKNOWN},
    {UNIT_TIME, "12h30min", UNIT_UNKNOWN},
    {UNIT_TIME, "-1s", UNIT_NEGATIVE},
    {UNIT_TIME, "9223372036854775807ns", UNIT_LARGE},
    {UNIT_TIME, "1e30s", UNIT_LARGE},
    {UNIT_TIME, "1e999999999999s", UNIT_LARGE},
    {UNIT_TIME, "0.1ns", UNIT_SMALL},
    {UNIT_TIME, "1e-99s", UNIT_SMALL},
    {UNIT_TIME, "", UNIT_NOT_NUMBER},
    {UNIT_TIME, "s", UNIT_NOT_NUMBER},
    {UNIT_TIME, ".s", UNIT_NOT_NUMBER},
    {UNIT_TIME, "nan", UNIT_NOT_NUMBER},
    {UNIT_TIME, "0x10s", UNIT_UNKNOWN},
    {UNIT_BYTES, "5", UNIT_MISSING},
    {UNIT_BYTES, "100Mbit", UNIT_UNKNOWN},
    {UNIT_BYTES, "18446744073709551615B", UNIT_LARGE},
    {UNIT_BYTES, "99999999999TiB", UNIT_LARGE},
    {UNIT_RATE, "20", UNIT_MISSING},
    {UNIT_RATE, "1bit/s", UNIT_SMALL},
    {UNIT_RATE, "20mbit/s", UNIT_UNKNOWN},
    {UNIT_COUNT, "2.5", UNIT_NOT_WHOLE},
    {UNIT_COUNT, "2x", UNIT_UNKNOWN},
    {UNIT_COUNT, "99999999999999999999999", UNIT_LARGE},
    {UNIT_FRACTION, "-0.1", UNIT_NEGATIVE},
    {UNIT_FRACTION, "inf", UNIT_NOT_NUMBER},
    {UNIT_NUMBER, "30%", UNIT_UNKNOWN},
    {UNIT_NUMBER, "1e400", UNIT_LARGE},
    {UNIT_EVENTS, "5000", UNIT_MISSING},
    {UNIT_EVENTS, "5000/week", UNIT_UNKNOWN},
};

static void test_wrong(void) {
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    quantity q;
    unit_fault fault = unit_parse(wrong[i].kind, wrong[i].text, &q);
    if (fault != wrong[i].fault) {
      printf("  '%s': fault %d, want %d\n", wrong[i].text, fault,
             wrong[i].fault);
    }
    CHECK_EQ(fault, wrong[i].fault);
  }
}

static void test_real(void) {
  quantity q;

  CHECK_EQ(unit_parse(UNIT_FRACTION, "30%", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.3);
  CHECK_EQ(unit_parse(UNIT_FRACTION, "0.1%", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.001);
  CHECK_EQ(unit_parse(UNIT_FRACTION, "0.05", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.05);
  CHECK_EQ(unit_parse(UNIT_NUMBER, "1.6", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 1.6);
  CHECK_EQ(unit_parse(UNIT_EVENTS, "5000/s", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 5000);
  CHECK_EQ(unit_parse(UNIT_EVENTS, "30/min", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.5);
  CHECK_EQ(unit_parse(UNIT_EVENTS, "36/h", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.01);
  CHECK_EQ(unit_parse(UNIT_EVENTS, "864/d", &q), UNIT_GOOD);
  CU_ASSERT(q.f == 0.01);
}

static void test_public(void) {
  const char *expected;
  xl_span t;
  xl_bytes b;
  xl_rate r;
  double f;
  uint64_t n;

  CU_ASSERT(unit_time("90s", &t, &expected) && t == XL_SEC(90));
  CU_ASSERT(unit_bytes("2MiB", &b, &expected) && b == XL_MIB(2));
  CU_ASSERT(unit_rate("8Mbit/s", &r, &expected) && r == 1000000);
  CU_ASSERT(unit_fraction("100%", &f, &expected) && f == 1);
  CU_ASSERT(unit_count("7", &n, &expected) && n == 7);
  CU_ASSERT(!unit_fraction("101%", &f, &expected));
  CU_ASSERT(!unit_time("90", &t, &expected));
  CU_ASSERT_STRING_EQUAL(expected, "a time such as 90s, 4h or 2d");
}

static void test_print(void) {
  char buf[64];
  quantity q;

  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
    unit_print(whole[i].kind, whole[i].n, buf, sizeof buf);
    CHECK_EQ(unit_parse(whole[i].kind, buf, &q), UNIT_GOOD);
    CU_ASSERT(q.n == whole[i].n);
  }
  unit_print(UNIT_TIME, (uint64_t)XL_SEC(90), buf, sizeof buf);
  CU_ASSERT_STRING_EQUAL(buf, "90s");
  unit_print(UNIT_TIME, 0, buf, sizeof buf);
  CU_ASSERT_STRING_EQUAL(buf, "0ns");
  unit_print(UNIT_BYTES, XL_MIB(650), buf, sizeof buf);
  CU_ASSERT_STRING_EQUAL(buf, "650MiB");
  unit_print(UNIT_RATE, 2500000, buf, sizeof buf);
  CU_ASSERT_STRING_EQUAL(buf, "20Mbit/s");
}

static const xl_param params[] = {
    {"delay", XL_PARAM_TIME, "60s", "1s", "1h", NULL, ""},
    {"piece", XL_PARAM_BYTES, "1MiB", "1KiB", NULL, NULL, ""},
    {"rate", XL_PARAM_RATE, "unlimited", NULL, NULL, NULL, ""},
    {"share", XL_PARAM_FRACTION, "0.3", NULL, NULL, NULL, ""},
    {"peers", XL_PARAM_COUNT, "20", "1", "100", NULL, ""},
    {"mode", XL_PARAM_ENUM, "lan", NULL, NULL, "simple|lan|group", ""},
    {"strict", XL_PARAM_BOOL, "false", NULL, NULL, NULL, ""},
    {"label", XL_PARAM_TEXT, "none", NULL, NULL, NULL, ""},
};
#define NPARAMS (sizeof params / sizeof *params)

static void check_printed(const xl_value *v, const char *const *want) {
  char buf[64];

  for (size_t i = 0; i < NPARAMS; i++) {
    param_print(&params[i], &v[i], buf, sizeof buf);
    if (strcmp(buf, want[i]) != 0) {
      printf("  %s prints '%s', want '%s'\n", params[i].name, buf, want[i]);
    }
    CU_ASSERT_STRING_EQUAL(buf, want[i]);
  }
}

static void test_params(void) {
  static const char *const defaults[] = {"1min", "1MiB", "unlimited", "0.3",
                                         "20",   "lan",  "false",     "none"};
  static const char *const changed[] = {"90s", "512KiB", "10Mbit/s", "0.25",
                                        "7",   "group",  "true",     "a b"};
  struct scn_setting set[NPARAMS];
  xl_value v[NPARAMS];
  fail why = {0};

  CU_ASSERT(params_parse(params, NPARAMS, "policy x", NULL, 0, v, &why));
  CHECK_EQ(v[0].i, XL_SEC(60));
  CHECK_EQ(v[1].i, 1 << 20);
  CHECK_EQ(v[2].i, -1);
  CHECK_EQ(v[5].i, 1);
  check_printed(v, defaults);
  for (size_t i = 0; i < NPARAMS; i++) {
    set[i] = (struct scn_setting){params[i].name, changed[i]};
  }
  set[0].value = "1.5min";
  set[3].value = "25%";
  CU_ASSERT(params_parse(params, NPARAMS, "policy x", set, NPARAMS, v, &why));
  check_printed(v, changed);
}

static void test_params_wrong(void) {
  static const struct {
    const char *key, *value, *text;
  } bad[] = {
      {"dealy", "1s",
       "policy x: unknown parameter 'dealy'; expected one of delay, piece, "
       "rate, share, peers, mode, strict, label; did you mean 'delay'?"},
      {"delay", "60",
       "policy x: parameter 'delay': '60' has no unit; expected a time such "
       "as 90s, 4h or 2d, at least 1s, at most 1h"},
      {"delay", "2h",
       "policy x: parameter 'delay': '2h' is too large; expected a time such "
       "as 90s, 4h or 2d, at least 1s, at most 1h"},
      {"peers", "0",
       "policy x: parameter 'peers': '0' is too small; expected a count such "
       "as 25, at least 1, at most 100"},
      {"share", "130%",
       "policy x: parameter 'share': '130%' is too large; expected a fraction "
       "such as 0.3 or 30%"},
      {"mode", "wan",
       "policy x: parameter 'mode': 'wan' is not one of its values; expected "
       "simple|lan|group"},
      {"strict", "yes",
       "policy x: parameter 'strict': 'yes' is not one of its values; "
       "expected false|true"},
  };
  xl_value v[NPARAMS];

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct scn_setting set = {bad[i].key, bad[i].value};
    fail why = {0};
    CU_ASSERT(!params_parse(params, NPARAMS, "policy x", &set, 1, v, &why));
    CHECK_EQ(why.status, EXIT_USAGE);
    CU_ASSERT_STRING_EQUAL(why.text, bad[i].text);
  }
  struct scn_setting twice[] = {{"mode", "lan"}, {"mode", "group"}};
  fail why = {0};
  CU_ASSERT(!params_parse(params, NPARAMS, "policy x", twice, 2, v, &why));
  CU_ASSERT_STRING_EQUAL(
      why.text, "policy x: parameter 'mode' is repeated; expected it once");
}

static void test_nearest(void) {
  static const char *const words[] = {"down", "up", "latency", "duration",
                                      "devices"};
  static const struct {
    const char *word, *near;
  } rows[] = {
      {"dwon", "down"},      {"dow", "down"},
      {"latncy", "latency"}, {"duratoin", "duration"},
      {"device", "devices"}, {"uo", "up"},
      {"zebra", NULL},       {"", NULL},
      {"up", "up"},          {"xyz", NULL},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *near = nearest_word(rows[i].word, words, 5);
    CU_ASSERT((near == NULL) == (rows[i].near == NULL));
    if (near != NULL && rows[i].near != NULL) {
      CU_ASSERT_STRING_EQUAL(near, rows[i].near);
    }
  }
}

TEST_SUITE("units and parameters",
           {"every unit reads as whole base units, exactly", test_whole},
           {"what is no quantity is told from what lacks a unit", test_wrong},
           {"fractions, numbers and events are the nearest double", test_real},
           {"the public functions check range and say what they expect",
            test_public},
           {"what is printed reads back as the same number", test_print},
           {"parameters have their defaults, then the settings", test_params},
           {"a wrong parameter is named with what was expected",
            test_params_wrong},
           {"the nearest word is near, or there is none", test_nearest})
