/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of bits-semantics 1, 2, 4, 5 and 8 about jobs and their times. */
#include "fake.h"

#define A "http://w/a"
#define B "http://w/b"

typedef struct bed {
  fake *w;
  xl_agent *dev;
  fake_origin *o;
  xl_job *j;
  xl_file *f;
} bed;

/* One device, one job of one file of 1,000 bytes at 1,000 bytes/s. */
static bed bed_new_cfg(const xl_policy *p, const xl_engine_cfg *cfg) {
  bed b = {.w = fake_new_cfg(cfg)};

  b.dev = fake_add_agent(b.w, p, 0);
  b.o = fake_add_origin(b.w, A, 1000, 7);
  b.j = fake_job(b.w, b.dev);
  b.f = fake_file_add(b.w, b.j, A, NULL);
  b.w->chunk = 100;
  return b;
}

static bed bed_new(const xl_policy *p) {
  xl_engine_cfg cfg = xl_engine_cfg_default();
  return bed_new_cfg(p, &cfg);
}

static bool runs(const xl_job *j) {
  return xl_job_state_of(j) == XL_JOB_TRANSFERRING ||
         xl_job_state_of(j) == XL_JOB_CONNECTING;
}

/* ---- no progress ---- */

static void test_two_weeks(void) {
  bed b = bed_new(&origin_policy);

  b.o->status = 503;
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_DAY(14) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  fake_run(b.w, XL_DAY(14));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(xl_job_error_count(b.j), 2016); /* one each 600 s */
  fake_del(b.w);
}

static void test_from_first_error(void) {
  bed b = bed_new(&origin_policy);

  b.o->status = 503;
  xl_job_set_min_retry_delay(b.j, 8, b.w->now);
  xl_job_set_no_progress_timeout(b.j, 20, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(20) - 1); /* it failed at 0, 8 and 16 s */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  fake_run(b.w, S(20));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(b.o->heads + b.o->gets, 3);
  fake_del(b.w);
}

static void test_progress_resets(void) {
  bed b = bed_new(&origin_policy);

  b.o->cut = 200; /* closes after each 200 bytes */
  xl_job_set_min_retry_delay(b.j, 8, b.w->now);
  xl_job_set_no_progress_timeout(b.j, 10, b.w->now);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(100)));
  CHECK_EQ(xl_job_error_count(b.j), 4);
  CU_ASSERT(b.w->now > S(30)); /* three times the timeout */
  CHECK_EQ(b.o->sent, 1000);
  fake_del(b.w);
}

static void test_do_timeouts(void) {
  static const struct {
    xl_priority priority;
    xl_span timeout;
  } cases[] = {{XL_PRIORITY_FOREGROUND, XL_HOUR(1)},
               {XL_PRIORITY_NORMAL, XL_HOUR(24)},
               {XL_PRIORITY_LOW, XL_HOUR(24)}};

  for (size_t i = 0; i < 3; i++) {
    bed b = bed_new(&piece_policy);
    b.o->status = 503;
    xl_job_set_priority(b.j, cases[i].priority, b.w->now);
    xl_job_resume(b.j, b.w->now);
    fake_run(b.w, cases[i].timeout - S(1));
    CU_ASSERT(xl_job_state_of(b.j) != XL_JOB_ERROR);
    fake_run(b.w, cases[i].timeout + S(31));
    CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
    fake_del(b.w);
  }
}

/* ---- errors ---- */

static void test_fatal_counts(void) {
  bed b = bed_new(&origin_policy);
  xl_err code;
  xl_file *file = NULL;

  b.o->status = 404;
  b.o->nstatus = 2;
  CHECK_EQ(xl_job_error(b.j, &code, NULL), XL_E_ERROR_INFORMATION_UNAVAILABLE);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(5)));
  CHECK_EQ(xl_job_error_count(b.j), 1);
  CHECK_EQ(xl_job_error(b.j, &code, &file), XL_OK);
  CHECK_EQ(code, XL_E_HTTP(404));
  CU_ASSERT(file == b.f);
  CHECK_EQ(fake_progress(b.f).total, XL_SIZE_UNKNOWN); /* R107 */
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(10)));
  CHECK_EQ(xl_job_error_count(b.j), 2);
  xl_job_resume(b.j, b.w->now);
  CHECK_EQ(xl_job_error(b.j, &code, NULL), XL_OK); /* until it transfers */
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRING, S(10)));
  CHECK_EQ(xl_job_error(b.j, &code, &file), XL_E_ERROR_INFORMATION_UNAVAILABLE);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(xl_job_error_count(b.j), 2);
  fake_del(b.w);
}

static void test_refused_is_transient(void) {
  bed b = bed_new(&origin_policy);

  b.o->refuses = true;
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_CONNECT_FAILURE);
  b.o->refuses = false;
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(700)));
  fake_del(b.w);
}

static void test_resume_without_link(void) {
  bed b = bed_new(&origin_policy);

  xl_agent_link(b.dev, false, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_act(b.w);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_NETWORK_DISCONNECTED);
  fake_run(b.w, S(2000)); /* no retry by time */
  CHECK_EQ(b.o->heads + b.o->gets, 0);
  CHECK_EQ(xl_job_error_count(b.j), 0);
  xl_agent_link(b.dev, true, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(2010)));
  fake_del(b.w);
}

static void test_link_wakes_all(void) {
  bed b = bed_new(&origin_policy);

  b.o->status = 503;
  b.o->nstatus = 1;
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_HTTP(503));
  xl_agent_link(b.dev, false, S(2));
  xl_agent_link(b.dev, true, S(3));
  b.w->now = S(3);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  fake_del(b.w);
}

/* ---- maximum download time ---- */

static void test_active_time(void) {
  bed b = bed_new(&origin_policy);

  b.o->rate = 20;
  b.w->chunk = 20;
  xl_job_set_max_download_time(b.j, 10, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(6));
  xl_agent_link(b.dev, false, S(6)); /* waiting does not count */
  fake_run(b.w, S(66));
  xl_agent_link(b.dev, true, S(66));
  fake_run(b.w, S(69));
  CU_ASSERT(runs(b.j));
  fake_run(b.w, S(71));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_MAXDOWNLOAD_TIMEOUT);
  CHECK_EQ(fake_progress(b.f).transferred, 200);
  fake_del(b.w);
}

static void test_ninety_days(void) {
  xl_engine_cfg cfg = xl_engine_cfg_default();
  cfg.stall_timeout = XL_DAY(2);
  bed b = bed_new_cfg(&origin_policy, &cfg);

  b.o->rate = 1;
  b.o->size = 86400 * 91;
  b.w->chunk = 86400;
  xl_job_set_priority(b.j, XL_PRIORITY_FOREGROUND, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_DAY(90) - S(1));
  CU_ASSERT(runs(b.j));
  fake_run(b.w, XL_DAY(90) + S(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_MAXDOWNLOAD_TIMEOUT);
  fake_del(b.w);
}

/* ---- files of a job ---- */

static void test_one_after_another(void) {
  bed b = bed_new(&origin_policy);

  fake_add_origin(b.w, B, 1000, 7);
  xl_file *g = fake_file_add(b.w, b.j, B, NULL);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(900));
  CHECK_EQ(b.w->origins[1].heads + b.w->origins[1].gets, 0);
  CHECK_EQ(fake_progress(g).transferred, 0);
  fake_run(b.w, XL_MS(1500));
  CHECK_EQ(fake_progress(b.f).transferred, 1000);
  CHECK_EQ(fake_progress(g).transferred, 500);
  fake_del(b.w);
}

static void test_error_stops_job(void) {
  bed b = bed_new(&origin_policy);

  fake_add_origin(b.w, B, 1000, 7);
  fake_file_add(b.w, b.j, B, NULL);
  b.o->status = 404;
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(10));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(b.w->origins[1].heads + b.w->origins[1].gets, 0);
  /* The failing file can only be renamed. */
  CHECK_EQ(xl_file_set_remote_name(b.f, B, b.w->now), XL_OK);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(20)));
  fake_del(b.w);
}

static void test_total_unknown(void) {
  bed b = bed_new(&piece_policy); /* files at the same time */
  xl_job_progress p;

  b.o->down = true;
  fake_add_origin(b.w, B, 1000, 7);
  fake_file_add(b.w, b.j, B, NULL);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(500));
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(fake_progress(xl_job_file(b.j, 1)).total, 1000);
  CHECK_EQ(p.total, XL_SIZE_UNKNOWN);
  CU_ASSERT(p.transferred > 0);
  CHECK_EQ(p.files_total, 2);
  fake_run(b.w, S(9));
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.files_transferred, 1);
  fake_del(b.w);
}

static void test_heads(void) {
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(b.o->heads, 0); /* one whole file: its GET tells all */
  fake_add_origin(b.w, B, 1000, 7);
  xl_job *two = fake_job(b.w, b.dev);
  fake_file_add(b.w, two, B, NULL);
  fake_file_add(b.w, two, A, NULL);
  xl_job_resume(two, b.w->now);
  CU_ASSERT(fake_until(b.w, two, XL_JOB_TRANSFERRED, S(20)));
  CHECK_EQ(b.w->origins[1].heads, 1);
  CHECK_EQ(b.o->heads, 1);
  fake_del(b.w);
}

static void test_completed(void) {
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  xl_file_progress p = fake_progress(b.f);
  CHECK_EQ(p.transferred, p.total);
  CU_ASSERT(!p.completed);
  CU_ASSERT(!xl_file_validated(b.f)); /* nobody has said so */
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CU_ASSERT(fake_progress(b.f).completed);
  CU_ASSERT(xl_file_validated(b.f));
  CHECK_EQ(fake_progress(b.f).total, 1000);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_complete_empty_handed(void) {
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(500));
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_S_PARTIAL_COMPLETE);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ACKNOWLEDGED);
  CU_ASSERT(!fake_progress(b.f).completed);
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  CHECK_EQ(xl_file_ledger(b.f)->bytes[XL_CLASS_CANCELLED], 500);
  fake_act(b.w);
  fake_del(b.w);
}

/* ---- resume, rename ---- */

static void test_resume_range(void) {
  bed b = bed_new(&origin_policy);

  b.o->cut = 400;
  xl_job_set_min_retry_delay(b.j, 5, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_progress(b.f).transferred, 400);
  b.o->cut = 0;
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(b.w->nlog, 2);
  CU_ASSERT(b.w->log[0].whole);
  CU_ASSERT(!b.w->log[1].whole);
  CHECK_EQ(b.w->log[1].offset, 400);
  CHECK_EQ(b.w->log[1].range.end, 1000);
  CHECK_EQ(b.o->sent, 1000);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_time_stamp_missing(void) {
  bed b = bed_new(&origin_policy);

  b.o->cut = 400;
  xl_job_set_min_retry_delay(b.j, 5, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(1));
  b.o->cut = 0;
  fake_add_origin(b.w, B, 1000, 7)->no_mtime = true;
  CHECK_EQ(xl_file_set_remote_name(b.f, B, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_file_restarts(b.f), 0);
  CHECK_EQ(b.w->origins[1].sent, 600);
  fake_del(b.w);
}

static void test_rename_by_size(void) {
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(500));
  CHECK_EQ(xl_job_suspend(b.j, b.w->now), XL_OK);
  fake_act(b.w);
  fake_add_origin(b.w, B, 1200, 7);
  CHECK_EQ(xl_file_set_remote_name(b.f, B, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).transferred, 500); /* until it is asked */
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(b.w->origins[1].sent, 1200);
  CHECK_EQ(fake_progress(b.f).total, 1200);
  CHECK_EQ(xl_file_restarts(b.f), 1);
  CHECK_EQ(xl_file_ledger(b.f)->bytes[XL_CLASS_RESTARTED], 500);
  CHECK_EQ(xl_job_error_count(b.j), 0);
  fake_del(b.w);
}

static void test_do_rename(void) {
  bed b = bed_new(&piece_policy);

  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(450));
  xl_bytes had = fake_progress(b.f).transferred;
  CU_ASSERT(had > 0);
  fake_add_origin(b.w, B, 1000, 8);
  CHECK_EQ(xl_file_set_remote_name(b.f, B, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(60)));
  CHECK_EQ(xl_file_restarts(b.f), 1);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 8));
  CHECK_EQ(xl_file_set_remote_name(b.f, A, b.w->now), XL_OK);
  fake_run(b.w, S(70)); /* finished files stay */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 8));
  fake_del(b.w);
}

static void test_names(void) {
  bed b = bed_new(&origin_policy);
  xl_job *j = NULL;
  char name[258];

  memset(name, 'x', sizeof name);
  name[257] = '\0';
  CHECK_EQ(xl_job_create(b.dev, name, &j, 0), XL_E_INVALIDARG);
  name[256] = '\0';
  CHECK_EQ(xl_job_create(b.dev, name, &j, 0), XL_OK);
  CHECK_EQ(xl_job_create(b.dev, name, &j, 0), XL_OK); /* not unique */
  CHECK_EQ(xl_job_create(b.dev, NULL, &j, 0), XL_E_INVALIDARG);
  fake_del(b.w);
}

static void test_url(void) {
  bed b = bed_new(&origin_policy);
  char url[300] = "http://w/";

  memset(url + 9, 's', 261);
  url[9 + 261] = '\0';
  CHECK_EQ(xl_file_set_remote_name(b.f, url, 0), XL_E_INVALIDARG);
  url[9 + 260] = '\0';
  CHECK_EQ(xl_file_set_remote_name(b.f, url, 0), XL_OK);
  CHECK_EQ(xl_file_set_remote_name(b.f, "http://w/a b", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_file_set_remote_name(b.f, "http://w/*", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_file_set_remote_name(b.f, "gopher://w/", 0), XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(b.f), url);
  CU_ASSERT_STRING_EQUAL(xl_file_local_name(b.f), "C:\\file");
  fake_del(b.w);
}

static void test_prefix_only(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, "http://w/r?to=http://x/", NULL);

  CHECK_EQ(xl_job_replace_remote_prefix(b.j, "http://x/", "http://y/", 0),
           XL_S_FALSE);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(g), "http://w/r?to=http://x/");
  /* One of the names would be bad: none is changed. */
  CHECK_EQ(xl_job_replace_remote_prefix(b.j, "http://w/", "nowhere", 0),
           XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(b.f), A);
  fake_del(b.w);
}

/* ---- ranges ---- */

static xl_file *add_ranges(bed *b, xl_job *j, const xl_range_spec *r,
                           uint32_t n, xl_err want) {
  const xl_file_info info = {.remote = A,
                             .local = "C:\\part",
                             .piece_bytes = 100,
                             .ranges = r,
                             .nranges = n};
  xl_file *f = NULL;

  CHECK_EQ(xl_job_add_file(j, &info, &f, b->w->now), want);
  return f;
}

static void test_last_byte(void) {
  static const xl_range_spec fits = {991, 9}, beyond = {991, 10};
  bed b = bed_new(&origin_policy);
  xl_job *good = fake_job(b.w, b.dev), *bad = fake_job(b.w, b.dev);

  add_ranges(&b, good, &fits, 1, XL_OK);
  add_ranges(&b, bad, &beyond, 1, XL_OK);
  xl_job_resume(good, b.w->now);
  CU_ASSERT(fake_until(b.w, good, XL_JOB_TRANSFERRED, S(10)));
  xl_job_resume(bad, b.w->now);
  CU_ASSERT(fake_until(b.w, bad, XL_JOB_ERROR, S(20)));
  CHECK_EQ(fake_error(bad), XL_E_INVALID_RANGE);
  fake_del(b.w);
}

static void test_range_refusals(void) {
  static const xl_range_spec zero = {5, 0}, start = {XL_LENGTH_TO_EOF, 5},
                             twice[] = {{100, 5}, {100, 5}},
                             same[] = {{100, 5}, {100, 0}},
                             eof[] = {{100, XL_LENGTH_TO_EOF}, {200, 1}};
  bed b = bed_new(&origin_policy);

  add_ranges(&b, b.j, &zero, 1, XL_E_INVALID_RANGE);
  add_ranges(&b, b.j, &start, 1, XL_E_INVALID_RANGE);
  add_ranges(&b, b.j, twice, 2, XL_E_OVERLAPPING_RANGES);
  add_ranges(&b, b.j, same, 2, XL_E_INVALID_RANGE);
  add_ranges(&b, b.j, eof, 2, XL_E_OVERLAPPING_RANGES);
  CHECK_EQ(xl_job_nfiles(b.j), 1);
  fake_del(b.w);
}

static void test_ranges_back(void) {
  static const xl_range_spec r[] = {{900, XL_LENGTH_TO_EOF}, {10, 5}};
  bed b = bed_new(&origin_policy);
  xl_job *j = fake_job(b.w, b.dev);
  const xl_range_spec *out = r;
  uint32_t n = 9;

  xl_file *f = add_ranges(&b, j, r, 2, XL_OK);
  xl_job_resume(j, b.w->now);
  CU_ASSERT(fake_until(b.w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(fake_progress(f).total, 105);
  CHECK_EQ(xl_file_ranges(f, &out, &n), XL_OK);
  CHECK_EQ(n, 2);
  CHECK_EQ(out[0].offset, 900);
  CHECK_EQ(out[0].length, XL_LENGTH_TO_EOF); /* as it was given */
  CHECK_EQ(out[1].offset, 10);
  CHECK_EQ(xl_file_ranges(b.f, &out, &n), XL_S_FALSE);
  CHECK_EQ(n, 0);
  CU_ASSERT_PTR_NULL(out);
  fake_del(b.w);
}

static void test_ranges_stay(void) {
  static const xl_range_spec r[] = {{500, 100}, {100, 100}};
  bed b = bed_new(&origin_policy);
  xl_job *j = fake_job(b.w, b.dev);

  b.o->down = true;
  xl_file *f = add_ranges(&b, j, r, 2, XL_OK);
  fake_add_origin(b.w, B, 2000, 9);
  CHECK_EQ(xl_file_set_remote_name(f, B, b.w->now), XL_OK);
  xl_job_resume(j, b.w->now);
  CU_ASSERT(fake_until(b.w, j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(b.w->origins[1].sent, 200);
  const fake_file *got = fake_file_of(b.w, f, 200);
  CHECK_EQ(got->bytes[0], content_byte(9, 500));
  CHECK_EQ(got->bytes[100], content_byte(9, 100));
  fake_del(b.w);
}

/* ---- scheduling ---- */

static void test_background(void) {
  bed b = bed_new(&origin_policy);
  xl_action act;

  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(xl_engine_next(b.w->eng, &act));
  CU_ASSERT(act.background);
  xl_job *fast = fake_job(b.w, b.dev);
  fake_file_add(b.w, fast, A, NULL);
  xl_job_set_priority(fast, XL_PRIORITY_FOREGROUND, b.w->now);
  xl_job_resume(fast, b.w->now);
  CU_ASSERT(xl_engine_next(b.w->eng, &act));
  CU_ASSERT(act.job == fast && !act.background);
  fake_del(b.w);
}

static void test_foreground_no_ranges(void) {
  bed b = bed_new(&origin_policy);

  b.o->ignores_ranges = true;
  b.o->cut = 500;
  xl_job_set_priority(b.j, XL_PRIORITY_FOREGROUND, b.w->now);
  xl_job_set_min_retry_delay(b.j, 5, b.w->now);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(20));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_INSUFFICIENT_RANGE_SUPPORT);
  b.o->cut = 0;
  xl_job *again = fake_job(b.w, b.dev);
  fake_file_add(b.w, again, A, NULL);
  xl_job_set_priority(again, XL_PRIORITY_FOREGROUND, b.w->now);
  xl_job_resume(again, b.w->now);
  CU_ASSERT(fake_until(b.w, again, XL_JOB_TRANSFERRED, S(40)));
  fake_del(b.w);
}

static void test_suspend_paused(void) {
  bed b = bed_new(&origin_policy);
  xl_job *bad = fake_job(b.w, b.dev);

  fake_add_origin(b.w, B, 1000, 7)->status = 404;
  fake_file_add(b.w, bad, B, NULL);
  xl_job_resume(bad, b.w->now);
  CU_ASSERT(fake_until(b.w, bad, XL_JOB_ERROR, S(5)));
  CHECK_EQ(xl_job_suspend(bad, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(bad), XL_JOB_ERROR);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_job_suspend(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  fake_del(b.w);
}

/* ---- the cache ---- */

static void keep_two(const xl_host *h, xl_view *v, xl_keep *out) {
  (void)h;
  (void)v;
  *out = (xl_keep){.keep = true, .age_max = XL_DAY(90), .bytes_max = 2000};
}

static void test_shrunk_while_serving(void) {
  static const char *const names[] = {"x", "y", "z"};
  xl_policy p = record_policy;
  fake *w = fake_new();

  p.keep = keep_two;
  xl_agent *a = fake_add_agent(w, &p, XL_PEERCACHING_SERVER);
  for (int i = 0; i < 3; i++) {
    const xl_file_info info = {
        .remote = A, .local = "f", .content = names[i], .piece_bytes = 100};
    w->now = S(i);
    CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 7}, w->now), XL_OK);
    for (uint32_t ask = 0; i == 1 && ask < 2; ask++) {
      xl_agent_asked(a, ask, 9, XL_SCOPE_SUBNET,
                     xl_engine_name(w->eng, names[ask]), (xl_version){1000, 7},
                     (xl_range){0, 1000}, w->now);
    }
  }
  const xl_event *last = NULL;
  for (uint32_t i = 0; i < w->nevents; i++) {
    last = w->events[i].kind == XL_EVENT_CACHE_ADMIT ? &w->events[i] : last;
  }
  /* "x" went, but its bytes stay until its upload has ended. */
  CU_ASSERT_PTR_NULL(
      xl_agent_map(a, xl_engine_name(w->eng, "x"), (xl_version){1000, 7}));
  CU_ASSERT_FATAL(last != NULL);
  CHECK_EQ(last->b, 3000);
  xl_agent_served(a, 0, 1000, w->now);
  xl_agent_served(a, 1, 1000, w->now);
  fake_check(w);
  fake_del(w);
}

TEST_SUITE(
    "more rules of jobs",
    {"R422: nothing for 14 days is an error", test_two_weeks},
    {"R422: the time without progress counts from the first failure",
     test_from_first_error},
    {"R816 R422: each progress starts that time again", test_progress_resets},
    {"R482: Delivery Optimization waits 1 h in the foreground, 24 h behind",
     test_do_timeouts},
    {"R428 R429 R107 R460: each fatal failure counts and can be read until "
     "bytes come",
     test_fatal_counts},
    {"R405 R460 R814: a refused connection is tried again",
     test_refused_is_transient},
    {"R406 R424: Resume without a network waits for it",
     test_resume_without_link},
    {"R406: the network's return queues jobs of any error",
     test_link_wakes_all},
    {"R508 R509: only the time of transfer counts for the maximum",
     test_active_time},
    {"R451 R508: the maximum is 90 days", test_ninety_days},
    {"R407: files go one after another", test_one_after_another},
    {"R407: an error in a file stops the job, a new name helps",
     test_error_stops_job},
    {"R430: a job's total is unknown while one file's is", test_total_unknown},
    {"R803: a HEAD comes first only where it must", test_heads},
    {"R111 R307 R309: completed and validated by Complete", test_completed},
    {"R418: Complete of nothing is partial (design)",
     test_complete_empty_handed},
    {"R804 R109: a resume is one range from the offset", test_resume_range},
    {"R810 R811: without a time stamp the size decides (design)",
     test_time_stamp_missing},
    {"R211 R110: another size starts again, when it is asked",
     test_rename_by_size},
    {"R217: Delivery Optimization restarts a renamed file, not a finished one",
     test_do_rename},
    {"R410: names of jobs have 256 characters and may be equal", test_names},
    {"R105 R104: what a remote name may be", test_url},
    {"R501 R502: a prefix is at the begin, and all names change or none",
     test_prefix_only},
    {"R203 R208: a range may end with the file, not after it", test_last_byte},
    {"R203 R204 R205: ranges that are refused at the call",
     test_range_refusals},
    {"R201 R202: ranges come back as they were given (design)",
     test_ranges_back},
    {"R216: ranges stay when the name changes (design)", test_ranges_stay},
    {"R444: requests of background jobs say so", test_background},
    {"R445: an interrupted file of a server without ranges is an error",
     test_foreground_no_ranges},
    {"R404: Suspend leaves failed and finished jobs (design)",
     test_suspend_paused},
    {"R611: a copy that is being served lasts until its upload ends",
     test_shrunk_while_serving})
