/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scheduling and times of jobs: bits-semantics 4.4 and 5.2. */
#include "fake.h"

static xl_job *job_of(fake *w, xl_agent *a, const char *url, xl_bytes size) {
  xl_job *j = fake_job(w, a);

  fake_add_origin(w, url, size, 7);
  fake_file_add(w, j, url, NULL);
  return j;
}

static bool runs(const xl_job *j) {
  return xl_job_state_of(j) == XL_JOB_TRANSFERRING ||
         xl_job_state_of(j) == XL_JOB_CONNECTING;
}

static void test_priorities(void) { /* T32 */
  fake *w = fake_new();
  xl_agent *dev = fake_add_agent(w, &origin_policy, 0);
  xl_job *a = job_of(w, dev, "http://w/a", 100000);
  xl_job *b = job_of(w, dev, "http://w/b", 100000);
  xl_job *c = job_of(w, dev, "http://w/c", 100000);

  w->chunk = 100;
  xl_job_resume(a, w->now);
  xl_job_resume(b, w->now);
  fake_run(w, S(1));
  CU_ASSERT(runs(a));
  CHECK_EQ(xl_job_state_of(b), XL_JOB_QUEUED);
  xl_job_set_priority(b, XL_PRIORITY_HIGH, w->now);
  fake_run(w, S(2));
  CHECK_EQ(xl_job_state_of(a), XL_JOB_QUEUED);
  CU_ASSERT(runs(b));
  xl_job_set_priority(c, XL_PRIORITY_FOREGROUND, w->now);
  xl_job_resume(c, w->now);
  fake_run(w, S(3));
  CU_ASSERT(runs(b) && runs(c) && !runs(a));
  w->origins[1].status = 503;
  for (int i = 0; i < FAKE_MAX; i++) { /* b's server closes */
    if (w->flows[i].used && w->flows[i].origin == 1) {
      w->flows[i].cut = w->flows[i].delivered + 100;
    }
  }
  fake_run(w, S(4));
  CHECK_EQ(xl_job_state_of(b), XL_JOB_TRANSIENT_ERROR);
  CU_ASSERT(runs(a) && runs(c));
  CHECK_EQ(fake_progress(xl_job_file(a, 0)).transferred, 1900);
  fake_del(w);
}

static void test_slices(void) { /* T33 */
  xl_engine_cfg cfg = xl_engine_cfg_default();
  cfg.time_slice = S(5);
  fake *w = fake_new_cfg(&cfg);
  xl_agent *dev = fake_add_agent(w, &origin_policy, 0);
  xl_job *a = job_of(w, dev, "http://w/a", 20000);
  xl_job *b = job_of(w, dev, "http://w/b", 20000);

  w->chunk = 100;
  xl_job_resume(a, w->now);
  xl_job_resume(b, w->now);
  for (int s = 1; s < 40; s++) {
    fake_run(w, S(s) - XL_MS(500));
    CHECK_EQ(runs(a), (s - 1) / 5 % 2 == 0);
    CHECK_EQ(runs(b), (s - 1) / 5 % 2 == 1);
  }
  fake_run(w, S(41));
  for (int i = 0; i < 2; i++) {
    xl_job *j = i == 0 ? a : b;
    CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
    CHECK_EQ(xl_ledger_total(xl_file_ledger(xl_job_file(j, 0))), 20000);
    CU_ASSERT(fake_is_whole(w, xl_job_file(j, 0), 20000, 7));
  }
  fake_del(w);
}

static void test_alone_goes_on(void) { /* R442 */
  xl_engine_cfg cfg = xl_engine_cfg_default();
  cfg.time_slice = S(5);
  fake *w = fake_new_cfg(&cfg);
  xl_job *a =
      job_of(w, fake_add_agent(w, &origin_policy, 0), "http://w/a", 20000);

  xl_job_resume(a, w->now);
  CU_ASSERT(fake_until(w, a, XL_JOB_TRANSFERRED, S(30)));
  CHECK_EQ(w->origins[0].gets, 1);
  fake_del(w);
}

static void test_max_download_time(void) { /* T34 */
  fake *w = fake_new();
  xl_job *j =
      job_of(w, fake_add_agent(w, &origin_policy, 0), "http://w/a", 100000);

  w->chunk = 100;
  xl_job_set_max_download_time(j, 10, w->now);
  xl_job_resume(j, w->now);
  fake_run(w, S(6));
  xl_job_suspend(j, w->now);
  fake_run(w, S(66));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  xl_job_resume(j, w->now);
  fake_run(w, S(76) - 1);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRING);
  fake_run(w, S(76));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(j), XL_E_MAXDOWNLOAD_TIMEOUT);
  CHECK_EQ(fake_progress(xl_job_file(j, 0)).transferred, 16000);
  xl_job_resume(j, w->now);
  fake_run(w, S(80));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRING);
  fake_del(w);
}

static void test_do_runs_all(void) { /* R481 */
  fake *w = fake_new();
  xl_agent *dev = fake_add_agent(w, &piece_policy, 0);
  xl_job *a = job_of(w, dev, "http://w/a", 1000);
  xl_job *b = job_of(w, dev, "http://w/b", 1000);

  xl_job_resume(a, w->now);
  CHECK_EQ(xl_job_state_of(a), XL_JOB_TRANSFERRING);
  xl_job_resume(b, w->now);
  fake_act(w);
  CU_ASSERT(runs(a) && runs(b));
  for (uint32_t i = 0; i < w->nevents; i++) {
    CU_ASSERT(w->events[i].kind != XL_EVENT_JOB_STATE ||
              w->events[i].b != XL_JOB_CONNECTING);
  }
  CU_ASSERT(fake_until(w, a, XL_JOB_TRANSFERRED, S(2)));
  CU_ASSERT(fake_until(w, b, XL_JOB_TRANSFERRED, S(2)));
  fake_del(w);
}

static void test_do_backs_off(void) { /* R728 */
  fake *w = fake_new();
  xl_job *j =
      job_of(w, fake_add_agent(w, &piece_policy, 0), "http://w/a", 1000);
  static const int at[] = {0, 2, 6, 14, 30, 60, 90};

  w->origins[0].status = 503;
  xl_job_resume(j, w->now);
  fake_run(w, S(100));
  for (uint32_t i = 0; i < 7; i++) {
    CHECK_EQ(w->log[i].at, S(at[i]));
  }
  fake_del(w);
}

static void test_mirror_after_two_failures(void) {
  static const char *const mirrors[] = {"http://w2/a"};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  const xl_file_info info = {.remote = "http://w/a",
                             .local = "C:\\f",
                             .content = "kb1",
                             .piece_bytes = 100,
                             .mirrors = mirrors,
                             .nmirrors = 1};
  xl_file *f;

  fake_add_origin(w, "http://w/a", 1000, 7)->cut = 400;
  fake_add_origin(w, "http://w2/a", 1000, 7);
  xl_job_add_file(j, &info, &f, w->now);
  xl_job_set_min_retry_delay(j, 5, w->now);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(1)));
  w->origins[0].refuses = true;
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  CHECK_EQ(xl_file_mirror(f), 1);
  CHECK_EQ(xl_file_switches(f), 1);
  CHECK_EQ(xl_file_mirror_bytes(f, 0), 400);
  CHECK_EQ(xl_file_mirror_bytes(f, 1), 600);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(f)), 1000);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  bool told = false;
  for (uint32_t i = 0; i < w->nevents; i++) {
    const xl_event *e = &w->events[i];
    told = told || (e->kind == XL_EVENT_REMOTE_NAME && e->a == 0 && e->b == 1 &&
                    e->c == 400);
  }
  CU_ASSERT(told);
  fake_del(w);
}

static void test_added_while_transferred(void) { /* 4.2: Resume */
  fake *w = fake_new();
  xl_job *j =
      job_of(w, fake_add_agent(w, &origin_policy, 0), "http://w/a", 1000);

  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
  fake_add_origin(w, "http://w/b", 1000, 7);
  fake_file_add(w, j, "http://w/b", NULL);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  CU_ASSERT(runs(j));
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(w->origins[0].gets, 1);
  fake_del(w);
}

/* The table of 4.2 for the three calls in each state that can be reached
   without an environment. */
static void test_calls_by_state(void) {
  fake *w = fake_new();
  xl_agent *dev = fake_add_agent(w, &origin_policy, 0);
  xl_job *j = job_of(w, dev, "http://w/a", 1000);

  CHECK_EQ(xl_job_suspend(j, 0), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_CONNECTING);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_CONNECTING);
  CHECK_EQ(xl_job_suspend(j, 0), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  CHECK_EQ(xl_job_complete(j, 0), XL_S_PARTIAL_COMPLETE); /* R418 */
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(xl_job_suspend(j, 0), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_complete(j, 0), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_cancel(j, 0), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_set_priority(j, XL_PRIORITY_LOW, 0), XL_E_INVALID_STATE);
  fake_act(w);
  fake_del(w);
}

TEST_SUITE("engine jobs",
           {"priorities pre-empt, foreground runs beside (T32, R440, R441)",
            test_priorities},
           {"equal jobs take turns (T33, R442, R443)", test_slices},
           {"a job alone goes on at its slice's end (R442)",
            test_alone_goes_on},
           {"the download time counts active time (T34, R508, R509)",
            test_max_download_time},
           {"DO runs all jobs and never connects (R481)", test_do_runs_all},
           {"DO backs off to 30 s (R728)", test_do_backs_off},
           {"the second failure in a row switches the mirror (R211)",
            test_mirror_after_two_failures},
           {"Resume of a transferred job fetches what was added (4.2)",
            test_added_while_transferred},
           {"calls do what the table says (4.2, R403)", test_calls_by_state})
