/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Delivery Optimization does otherwise: bits-semantics 4.8 and 0.3. */
#include "bed.h"

static void test_progress(void) {
  bed b = bed_new(&piece_policy);

  CHECK_EQ(fake_progress(b.f).total, XL_SIZE_UNKNOWN);
  bed_fetch(&b);
  CHECK_EQ(fake_progress(b.f).total, 1000);
  CHECK_EQ(fake_progress(b.f).completed, false);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).completed, true);
  fake_del(b.w);
}

static void test_set_remote_name(void) {
  bed b = bed_new(&piece_policy);

  fake_add_origin(b.w, URL2, 1000, 7);
  CHECK_EQ(xl_file_set_remote_name(b.f, "", 0), XL_E_INVALIDARG);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(250));
  xl_bytes had = fake_progress(b.f).transferred;
  CU_ASSERT(had > 0);
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_file_restarts(b.f), 0);
  CU_ASSERT(xl_file_mirror_bytes(b.f, 0) >= had);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_absent(void) {
  bed b = bed_new(&piece_policy);
  const xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "p"};
  const xl_proxy p = {.usage = XL_PROXY_NONE};
  const xl_file_info set = {.remote = URL, .local = "f", .piece_bytes = 100};
  xl_job *list[1];
  uint32_t n;
  const xl_err errs[] = {xl_job_add_file_set(b.j, &set, 1, 0),
                         xl_job_set_description(b.j, "d", 0),
                         xl_job_set_display_name(b.j, "d", 0),
                         xl_job_set_proxy(b.j, &p, 0),
                         xl_job_set_credentials(b.j, &c, 0),
                         xl_job_set_command_line(b.j, "p", NULL, 0),
                         xl_job_set_acl_flags(b.j, 1, 0),
                         xl_job_take_ownership(b.j, 0),
                         xl_job_replace_remote_prefix(b.j, "h", "h", 0),
                         xl_agent_enum_jobs(b.dev, 0, list, 1, &n)};

  for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
    CHECK_EQ(errs[i], XL_E_NOTIMPL);
  }
  CHECK_EQ(xl_job_nfiles(b.j), 1);
  fake_del(b.w);
}

static void test_straight(void) {
  bed b = bed_new(&piece_policy);
  xl_job *low = bed_job(&b, URL), *fg = bed_job(&b, URL);

  CHECK_EQ(xl_job_set_priority(low, XL_PRIORITY_LOW, 0), XL_OK);
  CHECK_EQ(xl_job_set_priority(fg, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  xl_job_resume(b.j, 0);
  xl_job_resume(low, 0);
  xl_job_resume(fg, 0);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRING);
  CHECK_EQ(xl_job_state_of(low), XL_JOB_TRANSFERRING);
  CHECK_EQ(xl_job_state_of(fg), XL_JOB_TRANSFERRING);
  fake_run(b.w, S(10));
  for (uint32_t i = 0; i < b.w->nevents; i++) {
    CU_ASSERT(b.w->events[i].kind != XL_EVENT_JOB_STATE ||
              b.w->events[i].b != XL_JOB_CONNECTING);
  }
  fake_del(b.w);
}

static void test_no_progress(void) {
  static const struct {
    xl_priority p;
    int s;
  } cases[] = {{XL_PRIORITY_FOREGROUND, 3600}, {XL_PRIORITY_LOW, 86400}};

  for (int i = 0; i < 2; i++) {
    bed b = bed_new(&piece_policy);
    CHECK_EQ(xl_job_set_priority(b.j, cases[i].p, 0), XL_OK);
    b.o->status = 503;
    xl_job_resume(b.j, 0);
    fake_run(b.w, S(cases[i].s) - 1);
    CU_ASSERT(xl_job_state_of(b.j) != XL_JOB_ERROR);
    fake_run(b.w, S(cases[i].s) + S(31));
    CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
    fake_del(b.w);
  }
}

static void test_thirty_days(void) {
  bed b = bed_new(&piece_policy);
  xl_limits l = xl_limits_default();

  l.inactivity_s = 86400; /* is not honoured */
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_OK);
  fake_run(b.w, XL_DAY(29));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_SUSPENDED);
  CHECK_EQ(xl_job_set_priority(b.j, XL_PRIORITY_LOW, b.w->now), XL_OK);
  fake_run(b.w, XL_DAY(30) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_SUSPENDED);
  fake_run(b.w, XL_DAY(30)); /* whatever has changed */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_CANCELLED);
  fake_del(b.w);
}

static void test_notify(void) {
  bed b = bed_new(&piece_policy);

  CHECK_EQ(xl_job_set_notify_flags(b.j, XL_NOTIFY_DISABLE, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x20, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x1b, 0), XL_OK);
  fake_del(b.w);
}

static void test_context(void) {
  static const uint32_t status[] = {403, 404};

  for (int i = 0; i < 2; i++) {
    bed b = bed_new(&piece_policy);
    b.o->status = status[i];
    xl_job_resume(b.j, 0);
    CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(10)));
    CHECK_EQ(fake_error(b.j), XL_E_HTTP(status[i]));
    CHECK_EQ(xl_job_error_context(b.j),
             status[i] == 403 ? XL_CONTEXT_REMOTE_FILE : XL_CONTEXT_NONE);
    fake_del(b.w);
  }
}

static void test_add(void) {
  static const xl_range_spec twice[] = {{100, 5}, {100, 5}}, zero[] = {{5, 0}};
  bed b = bed_new(&piece_policy);
  xl_file *f;

  CHECK_EQ(bed_add(b.j, URL, "", NULL, 0, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(bed_add(b.j, URL, NULL, NULL, 0, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(bed_add(b.j, URL, "relative", NULL, 0, NULL, 0), XL_OK);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", twice, 0, &f, 0), XL_OK); /* the whole */
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", twice, 2, NULL, 0),
           XL_DO_OVERLAPPING_RANGES);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", zero, 1, NULL, 0), XL_DO_INVALID_RANGE);
  bed_fetch(&b);
  CHECK_EQ(fake_progress(f).transferred, 1000);
  CHECK_EQ(xl_job_cancel(b.j, b.w->now), XL_OK);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", NULL, 0, NULL, b.w->now),
           XL_DO_INVALID_STATE);
  fake_del(b.w);
}

static void test_codes(void) {
  bed b = bed_new(&piece_policy);
  xl_job *j = fake_job(b.w, b.dev);
  xl_guid id = xl_job_id(j);
  xl_job *got;
  xl_file *f;
  xl_err code;

  CHECK_EQ(xl_job_resume(j, 0), XL_DO_JOB_EMPTY);
  CHECK_EQ(XL_HRESULT(XL_DO_JOB_EMPTY), 0x80d02004);
  CHECK_EQ(xl_job_error(j, &code, NULL), XL_DO_ERROR_INFORMATION_UNAVAILABLE);
  id.b[15] ^= 0x80;
  CHECK_EQ(xl_agent_get_job(b.dev, &id, &got), XL_DO_JOB_NOT_FOUND);
  xl_job_resume(b.j, 0);
  fake_act(b.w);
  xl_agent_link(b.dev, false, 0);
  CHECK_EQ(fake_error(b.j), XL_DO_BLOCKED_BY_NO_NETWORK);
  CHECK_EQ(xl_job_error_file(b.j, &f), XL_DO_FILE_NOT_AVAILABLE);
  CHECK_EQ(xl_job_cancel(b.j, 0), XL_OK);
  CHECK_EQ(xl_job_resume(b.j, 0), XL_DO_INVALID_STATE);
  CHECK_EQ(xl_err_transient(XL_DO_BLOCKED_BY_VPN), true);
  CHECK_EQ(xl_err_transient(XL_DO_NO_EXTSETTINGS), false);
  fake_act(b.w);
  fake_del(b.w);
}

static void test_states(void) {
  bed b = bed_new(&piece_policy);

  CHECK_EQ(xl_do_state_of(b.j), XL_DO_CREATED);
  CHECK_EQ(xl_do_pause(b.j, 0), XL_OK); /* nothing to do */
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_CREATED);
  CHECK_EQ(xl_do_finalize(b.j, 0), XL_DO_INVALID_STATE);
  CHECK_EQ(xl_do_start(b.j, 0), XL_OK);
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_TRANSFERRING);
  fake_run(b.w, XL_MS(250));
  CHECK_EQ(xl_do_finalize(b.j, b.w->now), XL_DO_INVALID_STATE);
  CHECK_EQ(xl_do_pause(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_PAUSED);
  fake_run(b.w, S(5));
  xl_bytes had = fake_progress(b.f).transferred;
  CU_ASSERT(had > 0 && had < 1000);
  CHECK_EQ(xl_do_start(b.j, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(30)));
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_TRANSFERRED);
  CHECK_EQ(xl_do_pause(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_TRANSFERRED);
  CHECK_EQ(xl_do_start(b.j, b.w->now), XL_DO_INVALID_STATE);
  CHECK_EQ(xl_do_finalize(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_FINALIZED);
  CHECK_EQ(xl_do_finalize(b.j, b.w->now), XL_OK); /* its own repeat */
  CHECK_EQ(xl_do_abort(b.j, b.w->now), XL_DO_INVALID_STATE);
  CHECK_EQ(b.w->nhanded, 1);
  fake_del(b.w);
}

static void test_abort(void) {
  bed b = bed_new(&piece_policy);

  CHECK_EQ(xl_do_start(b.j, 0), XL_OK);
  fake_run(b.w, XL_MS(250));
  CHECK_EQ(xl_do_abort(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_do_state_of(b.j), XL_DO_ABORTED);
  CHECK_EQ(b.w->ndiscarded, 1);
  CHECK_EQ(xl_do_abort(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_do_start(b.j, b.w->now), XL_DO_INVALID_STATE);
  CHECK_EQ(xl_do_finalize(b.j, b.w->now), XL_DO_INVALID_STATE);
  fake_act(b.w);
  fake_del(b.w);
  b = bed_new(&origin_policy); /* BITS has no such verbs */
  CHECK_EQ(xl_do_start(b.j, 0), XL_E_NOTIMPL);
  fake_del(b.w);
}

TEST_SUITE(
    "conformance delivery optimization",
    {"R117: the size is unknown at first, Completed comes with Complete",
     test_progress},
    {"R217: SetRemoteName goes on when nothing differs", test_set_remote_name},
    {"R480: what is absent is E_NOTIMPL (design)", test_absent},
    {"R481: Resume transfers at once, all jobs together", test_straight},
    {"R482: no progress for an hour in the foreground, a day elsewhere",
     test_no_progress},
    {"R483: 30 days after its creation a job goes", test_thirty_days},
    {"R484: DISABLE and FILE_RANGES are refused (design)", test_notify},
    {"R484: the context is REMOTE_FILE for 403 and NONE for the rest",
     test_context},
    {"R485: no range is the whole file; a local name may be relative",
     test_add},
    {"R485: the codes are those of Delivery Optimization (design)", test_codes},
    {"R487: six states and what leads from one to the other", test_states},
    {"R487: Abort from any live state, and its own repeat", test_abort})
