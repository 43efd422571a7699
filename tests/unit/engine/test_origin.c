/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Downloads from origins: rules of bits-semantics 1, 2, 4 and 8. */
#include <xl/machine.h>

#include "fake.h"

#define URL "http://w/f"
#define URL2 "http://w2/f"

static xl_job *one_file(fake *w, xl_file **f) {
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  *f = fake_file_add(w, j, URL, NULL);
  return j;
}

/* ---- sections 1 and 4.1 ---- */

static void test_new_job(void) { /* T1, T2 */
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_job_progress p;

  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  xl_job_progress_of(j, &p);
  CHECK_EQ(p.total + p.transferred + p.files_total + p.files_transferred, 0);
  CHECK_EQ(xl_job_resume(j, w->now), XL_E_EMPTY);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  fake_del(w);
}

static void test_unknown_size(void) { /* T3 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);
  xl_job_progress p;

  CU_ASSERT(fake_progress(f).total == XL_SIZE_UNKNOWN);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CU_ASSERT(!fake_progress(f).completed);
  xl_job_progress_of(j, &p);
  CU_ASSERT(p.total == XL_SIZE_UNKNOWN);
  fake_del(w);
}

static void test_names(void) { /* T4 */
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  const xl_file_info info = {.remote = "http://W/a%20B",
                             .local = "C:\\Dir%20X\\f.Bin",
                             .piece_bytes = 1};
  xl_file *f;

  CHECK_EQ(xl_job_add_file(j, &info, &f, w->now), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(f), info.remote);
  CU_ASSERT_STRING_EQUAL(xl_file_local_name(f), info.local);
  fake_del(w);
}

static void test_empty_file(void) { /* T5 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 0, 7);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(fake_progress(f).total, 0);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CU_ASSERT(!fake_progress(f).completed);
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  CU_ASSERT(fake_progress(f).completed);
  fake_del(w);
}

static void test_small(void) { /* T6 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1050, 7);
  xl_file *f;
  xl_job *j = one_file(w, &f);

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
  CHECK_EQ(xl_job_resume(j, w->now), XL_E_INVALID_STATE);
  CHECK_EQ(w->nrows, 1);
  CHECK_EQ(w->rows[0].reason, XL_REASON_POLICY_ORIGIN);
  fake_check(w);
  fake_del(w);
}

/* ---- ranges, section 2.1 and 2.2 ---- */

static xl_err add_ranges(fake *w, xl_job *j, const xl_range_spec *r, uint32_t n,
                         xl_file **f) {
  const xl_file_info info = {.remote = URL,
                             .local = "C:\\f",
                             .piece_bytes = 64,
                             .ranges = r,
                             .nranges = n};
  return xl_job_add_file(j, &info, f, w->now);
}

static void test_ranges_in_order(void) { /* T7, T14 */
  static const xl_range_spec spec[] = {{100, 100}, {900, 100}, {400, 100}};
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 2000, 7);
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  const xl_range_spec *got;
  xl_file *f, *g;
  uint32_t n;

  CHECK_EQ(add_ranges(w, j, spec, 3, &f), XL_OK);
  CHECK_EQ(fake_progress(f).total, 300); /* R108 */
  CHECK_EQ(xl_file_ranges(f, &got, &n), XL_OK);
  CHECK_EQ(n, 3);
  CU_ASSERT(memcmp(got, spec, sizeof spec) == 0);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(o->heads, 1); /* R803 */
  CHECK_EQ(o->gets, 1);  /* R210 */
  for (uint32_t i = 0; i < 300; i++) {
    xl_bytes at = spec[i / 100].offset + i % 100;
    CHECK_EQ(fake_file_of(w, f, 300)->bytes[i], content_byte(7, at));
  }
  g = fake_file_add(w, j, URL, NULL);
  CHECK_EQ(xl_file_ranges(g, &got, &n), XL_S_FALSE);
  CHECK_EQ(n, 0);
  CU_ASSERT_PTR_NULL(got);
  fake_del(w);
}

static void test_touching_ranges(void) { /* T8 */
  static const xl_range_spec spec[] = {{100, 100}, {200, 100}};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f;

  fake_add_origin(w, URL, 2000, 7);
  CHECK_EQ(add_ranges(w, j, spec, 2, &f), XL_OK);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(fake_progress(f).transferred, 200);
  fake_del(w);
}

static void test_bad_ranges(void) { /* T9, T10, T13 */
  static const struct {
    xl_range_spec r[2];
    uint32_t n;
    xl_err err;
    const char *what;
  } cases[] = {
      {{{100, 100}, {150, 10}}, 2, XL_E_OVERLAPPING_RANGES, "overlap"},
      {{{100, 5}, {100, 5}}, 2, XL_E_OVERLAPPING_RANGES, "twice"},
      {{{10, XL_LENGTH_TO_EOF}, {900, 1}}, 2, XL_E_OVERLAPPING_RANGES, "eof"},
      {{{0, 0}}, 0, XL_E_INVALIDARG, "no range"},
      {{{XL_LENGTH_TO_EOF, 5}}, 1, XL_E_INVALID_RANGE, "offset is eof"},
      {{{5, 0}}, 1, XL_E_INVALID_RANGE, "length 0"},
      {{{5, UINT64_MAX - 2}}, 1, XL_E_INVALID_RANGE, "beyond 64 bits"}};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_range_spec many[501];
  xl_file *f;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_EQ(add_ranges(w, j, cases[i].r, cases[i].n, &f), cases[i].err);
    CU_ASSERT_PTR_NULL(f);
  }
  for (uint32_t i = 0; i < 501; i++) {
    many[i] = (xl_range_spec){2 * i, 1};
  }
  const xl_user user = {.sid = "S-1-5-21-1", .kind = XL_ACCOUNT_USER};
  CHECK_EQ(xl_agent_act_as(w->agents[0], &user, 0), XL_OK);
  CHECK_EQ(xl_job_create(w->agents[0], "own", &j, 0), XL_OK);
  CHECK_EQ(add_ranges(w, j, many, 501, &f), XL_E_TOO_MANY_RANGES_IN_FILE);
  CHECK_EQ(xl_job_nfiles(j), 0);
  CHECK_EQ(add_ranges(w, j, many, 500, &f), XL_OK);
  fake_del(w);
}

static void test_range_outside(void) { /* T11 */
  static const xl_range_spec spec[] = {{1001, 10}};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  add_ranges(w, j, spec, 1, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, S(10)));
  CHECK_EQ(fake_error(j), XL_E_INVALID_RANGE);
  fake_del(w);
}

static void test_range_to_end(void) { /* T12 */
  static const xl_range_spec spec[] = {{993, XL_LENGTH_TO_EOF}};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  add_ranges(w, j, spec, 1, &f);
  CU_ASSERT(fake_progress(f).total == XL_SIZE_UNKNOWN);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(fake_progress(f).total, 7);
  for (uint32_t i = 0; i < 7; i++) {
    CHECK_EQ(fake_file_of(w, f, 7)->bytes[i], content_byte(7, 993 + i));
  }
  fake_del(w);
}

/* ---- SetRemoteName, section 2.3 ---- */

/* Half of the file, then a second server; the rest after Resume. */
static fake *switched(xl_bytes size, int64_t mtime, bool ignores, xl_file **f,
                      xl_job **j) {
  fake *w = fake_new();

  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, URL2, size, mtime)->ignores_ranges = ignores;
  *j = one_file(w, f);
  w->chunk = 10;
  xl_job_resume(*j, w->now);
  fake_run(w, XL_MS(500));
  CHECK_EQ(xl_job_suspend(*j, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(fake_progress(*f).transferred, 500);
  CHECK_EQ(xl_file_set_remote_name(*f, URL2, w->now), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(*f), URL2);
  xl_job_resume(*j, w->now);
  CU_ASSERT(fake_until(w, *j, XL_JOB_TRANSFERRED, S(10)));
  return w;
}

static void test_switch_keeps(void) { /* T16 */
  xl_file *f;
  xl_job *j;
  fake *w = switched(1000, 7, false, &f, &j);

  CHECK_EQ(w->log[1].origin, 1);
  CHECK_EQ(w->log[1].offset, 500);
  CHECK_EQ(w->origins[1].sent, 500);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  CHECK_EQ(xl_file_mirror_bytes(f, 0), 500);
  CHECK_EQ(xl_file_mirror_bytes(f, 1), 500);
  CHECK_EQ(xl_file_restarts(f), 0);
  CHECK_EQ(xl_file_switches(f), 1);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(f)), 1000);
  fake_del(w);
}

static void test_switch_restarts(void) { /* T17 */
  static const struct {
    xl_bytes size;
    int64_t mtime;
    bool ignores;
  } cases[] = {{1000, 8, false}, {900, 7, false}, {1000, 7, true}};

  for (size_t i = 0; i < 3; i++) {
    xl_file *f;
    xl_job *j;
    fake *w = switched(cases[i].size, cases[i].mtime, cases[i].ignores, &f, &j);
    CHECK_EQ(xl_file_restarts(f), 1);
    CHECK_EQ(fake_progress(f).transferred, cases[i].size);
    CHECK_EQ(xl_file_ledger(f)->bytes[XL_CLASS_RESTARTED], 500);
    CHECK_EQ(xl_file_mirror_bytes(f, 1), cases[i].size);
    CU_ASSERT(fake_is_whole(w, f, cases[i].size, cases[i].mtime));
    CHECK_EQ(w->nnotified, 1); /* TRANSFERRED alone: no ERROR */
    fake_del(w);
  }
}

static void test_switch_while_running(void) { /* T19 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);
  char lengthy[2202];

  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, URL2, 1000, 7);
  memset(lengthy, 'a', sizeof lengthy);
  memcpy(lengthy, "http://", 7);
  for (size_t i = 100; i < sizeof lengthy; i += 100) {
    lengthy[i] = '/';
  }
  lengthy[2201] = '\0';
  CHECK_EQ(xl_file_set_remote_name(f, "", w->now), XL_E_INVALIDARG);
  CHECK_EQ(xl_file_set_remote_name(f, lengthy, w->now), XL_E_INVALIDARG);
  lengthy[2200] = '\0';
  CHECK_EQ(xl_file_set_remote_name(f, lengthy, w->now), XL_OK);
  CHECK_EQ(xl_file_set_remote_name(f, URL, w->now), XL_OK);
  xl_job_resume(j, w->now);
  w->chunk = 10;
  fake_run(w, XL_MS(300));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRING);
  CHECK_EQ(xl_file_set_remote_name(f, URL2, w->now), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  CHECK_EQ(w->origins[0].sent, 300);
  CHECK_EQ(w->origins[1].sent, 700);
  xl_job_complete(j, w->now);
  CHECK_EQ(xl_file_set_remote_name(f, URL, w->now), XL_E_INVALID_STATE);
  fake_del(w);
}

static void test_switch_of_done_file(void) { /* T18 */
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f = fake_file_add(w, j, URL, NULL);

  fake_file_add(w, j, "http://w/g", NULL);
  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, "http://w/g", 1000, 7);
  fake_add_origin(w, URL2, 1000, 9);
  xl_job_resume(j, w->now);
  fake_run(w, XL_MS(1500));
  CHECK_EQ(xl_file_set_remote_name(f, URL2, w->now), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(w->origins[2].gets + w->origins[2].heads, 0);
  fake_del(w);
}

static void test_prefix(void) { /* T20 */
  static const char *const urls[] = {"http://A/1", "http://A/2", "http://C/3"};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));

  for (int i = 0; i < 3; i++) {
    fake_file_add(w, j, urls[i], NULL);
  }
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", "http://B/", 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), "http://B/1");
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 1)), "http://B/2");
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 2)), "http://C/3");
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", "http://B/", 0),
           XL_S_FALSE);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "HTTP://B/", "http://D/", 0),
           XL_S_FALSE);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://B/", "gopher", 0),
           XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), "http://B/1");
  fake_del(w);
}

/* ---- errors and retries, sections 4 and 8 ---- */

static void test_priority_values(void) { /* T21 */
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));

  CHECK_EQ(xl_job_set_priority(j, (xl_priority)7, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_peercaching(j, 8, 0), XL_E_NOTIMPL);
  fake_del(w);
}

static void test_retry(void) { /* T22 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;
  xl_job *j = one_file(w, &f);

  o->status = 503;
  o->nstatus = 2;
  CHECK_EQ(xl_job_set_min_retry_delay(j, 1, 0), XL_OK);
  CHECK_EQ(xl_job_min_retry_delay(j), 5);
  xl_job_resume(j, w->now);
  fake_act(w);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(j), XL_E_HTTP(503));
  fake_run(w, S(5) - 1);
  CHECK_EQ(o->gets, 1);
  fake_run(w, S(5));
  CHECK_EQ(o->gets, 2);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(w->now, S(11));
  CHECK_EQ(xl_job_error_count(j), 2);
  CHECK_EQ(fake_error(j), XL_OK);
  fake_del(w);
}

static void test_no_retry(void) { /* T23 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->refuses = true;
  xl_job_set_no_progress_timeout(j, 0, 0);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, 0));
  fake_act(w);
  CHECK_EQ(w->nnotified, 1);
  CHECK_EQ(fake_error(j), XL_E_CONNECT_FAILURE);
  fake_del(w);
}

static void test_delay_above_timeout(void) { /* T24 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;
  xl_job *j = one_file(w, &f);

  o->status = 503;
  xl_job_set_min_retry_delay(j, 100, 0);
  xl_job_set_no_progress_timeout(j, 10, 0);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, S(1)));
  fake_run(w, S(1000));
  CHECK_EQ(o->gets, 1);
  fake_del(w);
}

static void test_no_progress(void) { /* R422 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->status = 503;
  xl_job_set_min_retry_delay(j, 5, 0);
  xl_job_set_no_progress_timeout(j, 23, 0);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, S(100)));
  CHECK_EQ(w->now, S(23));
  CHECK_EQ(w->origins[0].gets, 5);
  fake_del(w);
}

static void test_status_classes(void) { /* T25, R806 */
  static const struct {
    uint32_t status;
    xl_job_state state;
  } cases[] = {{404, XL_JOB_ERROR},           {403, XL_JOB_ERROR},
               {416, XL_JOB_ERROR},           {501, XL_JOB_ERROR},
               {505, XL_JOB_ERROR},           {301, XL_JOB_ERROR},
               {408, XL_JOB_TRANSIENT_ERROR}, {409, XL_JOB_TRANSIENT_ERROR},
               {500, XL_JOB_TRANSIENT_ERROR}, {503, XL_JOB_TRANSIENT_ERROR},
               {308, XL_JOB_TRANSIENT_ERROR}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fake *w = fake_new();
    xl_file *f;
    xl_job *j = one_file(w, &f);
    fake_add_origin(w, URL, 1000, 7)->status = cases[i].status;
    xl_job_resume(j, w->now);
    fake_act(w);
    CHECK_EQ(xl_job_state_of(j), cases[i].state);
    CHECK_EQ(fake_error(j), XL_E_HTTP(cases[i].status));
    CHECK_EQ(w->nnotified, cases[i].state == XL_JOB_ERROR);
    CU_ASSERT(fake_progress(f).total == XL_SIZE_UNKNOWN); /* R107 */
    fake_del(w);
  }
}

static void test_missing_size(void) { /* R801 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->no_size = true;
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, S(1)));
  CHECK_EQ(fake_error(j), XL_E_MISSING_FILE_SIZE);
  fake_del(w);
}

static void test_resume_skips_delay(void) { /* T26 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;
  xl_job *j = one_file(w, &f);

  o->status = 503;
  o->nstatus = 1;
  xl_job_resume(j, w->now);
  fake_run(w, S(3));
  CHECK_EQ(o->gets, 1);
  xl_job_resume(j, w->now);
  fake_act(w);
  CHECK_EQ(o->gets, 2);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(10)));
  fake_del(w);
}

static void test_closed_early(void) { /* T27 */
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;
  xl_job *j = one_file(w, &f);

  o->cut = 400;
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(10)));
  CHECK_EQ(fake_error(j), XL_E_CONNECTION_CLOSED);
  CHECK_EQ(fake_progress(f).transferred, 400);
  o->cut = 0;
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(2000)));
  CHECK_EQ(w->log[1].offset, 400);
  CU_ASSERT(!w->log[1].whole);
  CHECK_EQ(o->sent, 1000);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_range_ignored(void) { /* T28 */
  static const xl_range_spec spec[] = {{100, 100}};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7)->ignores_ranges = true;
  add_ranges(w, j, spec, 1, &f);
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_ERROR, S(10)));
  CHECK_EQ(fake_error(j), XL_E_INSUFFICIENT_RANGE_SUPPORT);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CHECK_EQ(fake_file_of(w, f, 100)->bytes[0], 0);
  fake_del(w);
}

static void test_remote_changes(void) { /* T30 */
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f1 = fake_file_add(w, j, URL, NULL);
  xl_file *f2 = fake_file_add(w, j, "http://w/g", NULL);

  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, "http://w/g", 1000, 7)->cut = 500;
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(10)));
  CHECK_EQ(fake_progress(f2).transferred, 500);
  w->origins[1].cut = 0;
  w->origins[1].mtime = 8;
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(2000)));
  CU_ASSERT(fake_is_whole(w, f1, 1000, 7));
  CU_ASSERT(fake_is_whole(w, f2, 1000, 8));
  CHECK_EQ(xl_file_restarts(f1), 0);
  CHECK_EQ(xl_file_restarts(f2), 1);
  CHECK_EQ(w->origins[0].gets, 1);
  CHECK_EQ(xl_file_ledger(f2)->bytes[XL_CLASS_RESTARTED], 500);
  fake_del(w);
}

static void test_partial_complete(void) { /* T31 */
  static const char *const urls[] = {"http://w/0", "http://w/1", "http://w/2",
                                     "http://w/3", "http://w/4"};
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));

  for (int i = 0; i < 5; i++) {
    fake_add_origin(w, urls[i], 1000, 7);
    fake_file_add(w, j, urls[i], NULL);
  }
  xl_job_resume(j, w->now);
  fake_run(w, XL_MS(2500));
  CHECK_EQ(xl_job_complete(j, w->now), XL_S_PARTIAL_COMPLETE);
  fake_act(w);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ACKNOWLEDGED);
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_progress(xl_job_file(j, i)).completed, i < 2);
  }
  CHECK_EQ(xl_file_ledger(xl_job_file(j, 2))->bytes[XL_CLASS_CANCELLED], 500);
  CHECK_EQ(w->origins[3].gets + w->origins[4].gets, 0);
  fake_check(w);
  fake_del(w);
}

static void test_cancel(void) { /* R414 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7);
  w->chunk = 10;
  xl_job_resume(j, w->now);
  fake_run(w, XL_MS(300));
  CHECK_EQ(xl_job_cancel(j, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_CANCELLED);
  CHECK_EQ(fake_progress(f).transferred, 0);
  CHECK_EQ(xl_file_ledger(f)->bytes[XL_CLASS_CANCELLED], 300);
  CHECK_EQ(xl_job_cancel(j, w->now), XL_E_INVALID_STATE);
  fake_check(w);
  fake_del(w);
}

/* ---- stalls ---- */

static void test_no_answer(void) { /* R405 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->down = true;
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(100)));
  CHECK_EQ(w->now, S(15));
  CHECK_EQ(w->rows[0].outcome, XL_END_CONNECT);
  CHECK_EQ(fake_error(j), XL_E_CONNECT_FAILURE);
  fake_del(w);
}

static void test_stall(void) { /* R814 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->silent = true;
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(100)));
  CHECK_EQ(w->now, S(30));
  CHECK_EQ(w->rows[0].outcome, XL_END_STALLED);
  fake_del(w);
}

static void test_slow_is_not_stalled(void) {
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7)->rate = 1; /* delivered after 1,000 s */
  xl_job_resume(j, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(2000)));
  CHECK_EQ(w->now, S(1000));
  CHECK_EQ(w->nrows, 1);
  fake_del(w);
}

/* ---- the link, sections 4.2 and R406 ---- */

static void test_link_lost(void) { /* T35 */
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7);
  w->chunk = 10;
  xl_job_resume(j, w->now);
  fake_run(w, XL_MS(300));
  xl_agent_link(w->agents[0], false, w->now);
  memset(w->flows, 0, sizeof w->flows);
  fake_run(w, S(30));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(j), XL_E_NETWORK_DISCONNECTED);
  CHECK_EQ(w->rows[0].outcome, XL_END_LINK_LOST);
  CHECK_EQ(fake_progress(f).transferred, 300);
  xl_agent_link(w->agents[0], true, w->now);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(32)));
  CHECK_EQ(xl_job_error_count(j), 0);
  CHECK_EQ(w->log[1].offset, 300);
  fake_del(w);
}

static void test_settle(void) {
  fake *w = fake_new();
  xl_file *f;
  xl_job *j = one_file(w, &f);

  fake_add_origin(w, URL, 1000, 7);
  xl_job_resume(j, w->now);
  fake_run(w, XL_MS(345));
  CHECK_EQ(fake_progress(f).transferred, 0);
  xl_agent_settle(w->agents[0], w->now);
  CHECK_EQ(fake_progress(f).transferred, 345);
  CHECK_EQ(w->nrows, 1);
  CHECK_EQ(w->rows[0].outcome, XL_END_RUN_ENDED);
  CHECK_EQ(xl_ledger_total(xl_agent_ledger(w->agents[0])), 345);
  fake_check(w);
  fake_del(w);
}

TEST_SUITE(
    "engine origin",
    {"a new job is suspended and empty (T1, T2, R402)", test_new_job},
    {"sizes are unknown before Resume (T3, R106, R430)", test_unknown_size},
    {"names come back byte for byte (T4, R103)", test_names},
    {"an empty file is transferred (T5, R114)", test_empty_file},
    {"a small file comes whole with one GET (T6, R803)", test_small},
    {"ranges are laid out in their order (T7, T14, R207)",
     test_ranges_in_order},
    {"touching ranges are legal (T8, R206)", test_touching_ranges},
    {"bad ranges are refused at the call (T9, T10, T13)", test_bad_ranges},
    {"a range outside the file is an error (T11, R208)", test_range_outside},
    {"a range to the end is 7 bytes (T12, R108)", test_range_to_end},
    {"an equal server goes on at the offset (T16, R211)", test_switch_keeps},
    {"another version starts at 0 (T17, R211, R808)", test_switch_restarts},
    {"a done file is not fetched again (T18, R212)", test_switch_of_done_file},
    {"a remote name may change while bytes come (T19, R213)",
     test_switch_while_running},
    {"a prefix is replaced, or none of it (T20, R501)", test_prefix},
    {"undefined values are E_NOTIMPL (T21, R420, R504)", test_priority_values},
    {"503 is retried after the delay (T22, R421, R428)", test_retry},
    {"timeout 0 never retries (T23, R422)", test_no_retry},
    {"a delay above the timeout never retries (T24, R421)",
     test_delay_above_timeout},
    {"no progress ends in ERROR (R422)", test_no_progress},
    {"status codes fall into their classes (T25, R461, R806)",
     test_status_classes},
    {"no size is fatal (R801)", test_missing_size},
    {"Resume skips the delay (T26, R423)", test_resume_skips_delay},
    {"a connection closed early goes on at its offset (T27, R814)",
     test_closed_early},
    {"200 to a range is fatal (T28, R808)", test_range_ignored},
    {"a changed file starts again, others do not (T30, R809)",
     test_remote_changes},
    {"Complete keeps the finished files (T31, R415)", test_partial_complete},
    {"Cancel drops what came (R414)", test_cancel},
    {"no answer is a failure to connect (R405)", test_no_answer},
    {"a silent server stalls (R814)", test_stall},
    {"slow bytes are not a stall", test_slow_is_not_stalled},
    {"a lost link waits for the link (T35, R406, R424)", test_link_lost},
    {"settling books what has arrived", test_settle})
