/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fake.h"

static void test_rest_of_the_file(void) {
  fake w;

  fake_init(&w, "origin-only", "##......");
  fake_add(&w, XL_SCOPE_SUBNET, "########");
  fake_pick(&w);
  CHECK_ORIGIN(&w, POLICY_ORIGIN, 0);
  CHECK_EQ(w.out.range.begin, 2 * FAKE_PIECE);
  CHECK_EQ(w.out.range.end, 8 * FAKE_PIECE);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
  CU_ASSERT_PTR_NULL(w.policy->find);
  CU_ASSERT_PTR_NULL(w.policy->serve);
}

static void test_request_size(void) {
  fake w;

  fake_init(&w, "origin-only", "........");
  fake_set(&w, "request", "30MiB");
  fake_set(&w, "requests", "2");
  fake_pick(&w);
  CHECK_EQ(w.out.range.end, 3 * FAKE_PIECE);
  fake_pick(&w);
  CHECK_EQ(w.out.range.begin, 3 * FAKE_PIECE);
  CHECK_EQ(w.out.range.end, 6 * FAKE_PIECE);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
}

static void test_gaps(void) {
  fake w;

  fake_init(&w, "origin-only", "#.a..###");
  fake_pick(&w);
  CHECK_EQ(w.out.range.begin, 1 * FAKE_PIECE);
  CHECK_EQ(w.out.range.end, 2 * FAKE_PIECE);
  fake_init(&w, "origin-only", "########");
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
}

static uint32_t mirror_after(fake *w, xl_end end, uint32_t in_row) {
  return fake_failed(w, (xl_failure){.kind = XL_SOURCE_ORIGIN,
                                     .end = end,
                                     .in_row = in_row})
      .mirror;
}

static void test_mirrors(void) {
  fake w;

  fake_init(&w, "origin-only", "........");
  CHECK_EQ(mirror_after(&w, XL_END_STALLED, 1), XL_NONE); /* no other name */
  w.file.nmirrors = 3;
  CHECK_EQ(mirror_after(&w, XL_END_STALLED, 1), 1);
  w.file.mirror = 2;
  CHECK_EQ(mirror_after(&w, XL_END_HTTP_ERROR, 1), 0);
  fake_set(&w, "switch_after", "3");
  CHECK_EQ(mirror_after(&w, XL_END_CONNECT, 2), XL_NONE);
  CHECK_EQ(mirror_after(&w, XL_END_CONNECT, 3), 0);
  CHECK_EQ(mirror_after(&w, XL_END_LINK_LOST, 9), XL_NONE);
  CHECK_EQ(mirror_after(&w, XL_END_CANCELLED, 9), XL_NONE);
}

TEST_SUITE("origin-only",
           {"the rest of the file is one request to the origin, peers or not",
            test_rest_of_the_file},
           {"a request has `request` bytes and `requests` are under way",
            test_request_size},
           {"a request stays within one gap, and a full file asks for nothing",
            test_gaps},
           {"the next remote name is used after `switch_after` failures of the "
            "server (R211)",
            test_mirrors})
