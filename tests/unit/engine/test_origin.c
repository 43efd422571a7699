/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Downloads from an origin: rules of bits-semantics 1, 2, 4 and 8. */
#include "fake.h"

#define URL "http://w/f"
#define BOTH (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)

static void test_small(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1050, 7);
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f = fake_file_add(w, j, URL, NULL);

  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(w->now, XL_MS(1050));
  CHECK_EQ(o->heads, 0); /* R803 */
  CHECK_EQ(o->gets, 1);
  CU_ASSERT(w->log[0].whole); /* R804 */
  CU_ASSERT(!fake_progress(f).completed);
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  CU_ASSERT(fake_progress(f).completed);
  CU_ASSERT(fake_is_whole(w, f, 1050, 7));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(w->nrows, 1);
  CHECK_EQ(w->rows[0].reason, XL_REASON_POLICY_ORIGIN);
  fake_check(w);
  fake_del(w);
}

TEST_SUITE("engine origin",
           {"a small file comes whole with one GET and no HEAD (T6, R803)",
            test_small})
