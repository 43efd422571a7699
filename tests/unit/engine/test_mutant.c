/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine that books one byte wrongly is caught by its own check. */
#define XL_MUTANT_MISBOOK 1
#include "fake.h"

#include "book.c" /* takes the place of the library's */

static void test_misbooked(void) {
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_action act;

  fake_add_origin(w, "http://w/f", 1000, 7);
  fake_file_add(w, j, "http://w/f", NULL);
  xl_job_resume(j, w->now);
  CU_ASSERT(xl_engine_next(w->eng, &act));
  fake_ask_origin(w, &act);
  CU_ASSERT_PTR_NULL(xl_engine_check(w->eng));
  xl_agent_deliver(act.agent, act.request, (xl_range){0, 1},
                   (xl_version){1000, 7}, XL_VERDICT_PENDING, NULL, XL_MS(1));
  CU_ASSERT_PTR_NOT_NULL(xl_engine_check(w->eng));
  CHECK_EQ(xl_engine_status(w->eng, NULL), XL_OK);
  fake_del(w);
}

TEST_SUITE("engine mutant",
           {"one byte in the wrong class is caught", test_misbooked})
