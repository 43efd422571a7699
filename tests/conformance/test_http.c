/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP of a download: bits-semantics 8. */
#include "unit/engine/fake.h"

#define URL "http://w/f"
#define OTHER "http://v/f"

typedef struct scene {
  fake *w;
  fake_origin *o, *p; /* URL; OTHER, which holds the same */
  xl_job *j;
  xl_file *f;
} scene;

static scene scene_with(const xl_policy *policy, uint32_t flags) {
  scene s = {.w = fake_new()};

  s.o = fake_add_origin(s.w, URL, 1000, 7);
  s.p = fake_add_origin(s.w, OTHER, 1000, 7);
  s.j = fake_job(s.w, fake_add_agent(s.w, policy, flags));
  CHECK_EQ(xl_job_set_min_retry_delay(s.j, 5, 0), XL_OK);
  s.f = fake_file_add(s.w, s.j, URL, NULL);
  return s;
}

static scene scene_new(void) {
  return scene_with(&origin_policy, 0);
}

static bool run(scene *s, xl_job_state state) {
  xl_err err = xl_job_resume(s->j, s->w->now);

  CHECK_EQ(err, XL_OK);
  return fake_until(s->w, s->j, state, s->w->now + S(200));
}

static void check_whole(scene *s, int64_t mtime) {
  CHECK_EQ(fake_progress(s->f).transferred, 1000);
  CU_ASSERT(fake_is_whole(s->w, s->f, 1000, mtime));
  fake_del(s->w);
}

static void check_error(scene *s, xl_err want) {
  xl_file *file = NULL;
  xl_err code = XL_OK;

  CHECK_EQ(xl_job_error(s->j, &code, &file), XL_OK);
  CHECK_EQ(code, want);
  CU_ASSERT_PTR_EQUAL(file, s->f);
  fake_del(s->w);
}

static const fake_request *last_request(const scene *s) {
  return &s->w->log[s->w->nlog - 1];
}

/* ---- 8.1 ---- */

static void test_no_size(void) {
  scene s = scene_new(); /* the first request is a GET */

  s.o->no_size = true;
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(s.o->heads, 0);
  CHECK_EQ(fake_progress(s.f).total, XL_SIZE_UNKNOWN);
  check_error(&s, XL_E_MISSING_FILE_SIZE);

  s = scene_new(); /* two files: a HEAD */
  fake_file_add(s.w, s.j, OTHER, NULL);
  s.o->no_size = true;
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(s.o->gets, 0);
  check_error(&s, XL_E_MISSING_FILE_SIZE);
}

/* ---- dynamic content ---- */

/* A foreground job; the server tells no size and takes no ranges. */
static scene dynamic_with(const xl_policy *policy, uint32_t flags) {
  scene s = scene_with(policy, flags);

  s.o->no_size = s.o->ignores_ranges = true;
  s.w->chunk = 100;
  CHECK_EQ(xl_job_set_priority(s.j, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, true, 0), XL_OK);
  return s;
}

static void test_dynamic(void) {
  scene s = dynamic_with(&origin_policy, 0);

  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(s.o->heads, 0);
  CHECK_EQ(s.o->gets, 1);
  CU_ASSERT(s.w->log[0].whole);
  CHECK_EQ(fake_progress(s.f).total, 1000);
  check_whole(&s, 7);

  s = dynamic_with(&origin_policy, 0); /* known with the last byte only */
  s.w->chunk = 1000;
  CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
  fake_run(s.w, XL_MS(900));
  CHECK_EQ(xl_job_state_of(s.j), XL_JOB_TRANSFERRING);
  CHECK_EQ(fake_progress(s.f).total, XL_SIZE_UNKNOWN);
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(5)));
  check_whole(&s, 7);

  s = dynamic_with(&origin_policy, 0); /* two files: no HEAD either */
  fake_file_add(s.w, s.j, OTHER, NULL);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(s.o->heads + s.p->heads, 0);
  check_whole(&s, 7);

  s = dynamic_with(&origin_policy, 0); /* empty */
  s.o->size = 0;
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(fake_progress(s.f).total, 0);
  fake_del(s.w);
}

/* What is interrupted begins again, and may be another file then. */
static void test_dynamic_again(void) {
  for (int how = 0; how < 4; how++) {
    scene s = dynamic_with(&origin_policy, 0);
    xl_agent *a = s.w->agents[0];
    s.o->cut = how == 0 ? 350 : 0;
    CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
    fake_run(s.w, XL_MS(550));
    if (how == 1) {
      CHECK_EQ(xl_job_suspend(s.j, s.w->now), XL_OK);
      fake_act(s.w);
      CHECK_EQ(xl_job_resume(s.j, s.w->now), XL_OK);
    } else if (how == 2) {
      xl_agent_link(a, false, s.w->now);
      fake_run(s.w, S(3));
      xl_agent_link(a, true, s.w->now);
    } else if (how == 3) {
      CHECK_EQ(xl_file_set_remote_name(s.f, OTHER, s.w->now), XL_OK);
      s.p->mtime = 8;
      s.p->size = 1000;
    }
    s.o->cut = 0;
    int64_t made = how < 2 ? 7 : 8;
    s.o->mtime = made;
    CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(1000)));
    xl_bytes dropped = xl_file_ledger(s.f)->bytes[XL_CLASS_RESTARTED];
    CU_ASSERT(dropped >= 300 && dropped <= 600);
    CHECK_EQ(xl_file_restarts(s.f), 1);
    CHECK_EQ(s.o->heads + s.p->heads, 0);
    CU_ASSERT(last_request(&s)->whole);
    CHECK_EQ(xl_job_error_count(s.j), how == 0 ? 1 : 0);
    fake_check(s.w);
    check_whole(&s, made);
  }
}

static void test_dynamic_rules(void) {
  static const xl_range_spec r = {0, 10};
  const xl_file_info part = {.remote = URL,
                             .local = "C:\\p",
                             .piece_bytes = 100,
                             .ranges = &r,
                             .nranges = 1};
  scene s = scene_new();

  CHECK_EQ(xl_job_set_dynamic_content(s.j, true, 0), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_set_priority(s.j, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, true, 0), XL_OK);
  CU_ASSERT(xl_job_dynamic_content(s.j));
  CHECK_EQ(xl_job_set_security_flags(s.j, XL_HTTP_REDIRECT_REPORT, 0), XL_OK);
  CU_ASSERT(xl_job_dynamic_content(s.j)); /* two properties */
  CHECK_EQ(xl_job_security_flags(s.j), XL_HTTP_REDIRECT_REPORT);
  CHECK_EQ(xl_job_set_priority(s.j, XL_PRIORITY_HIGH, 0), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_add_file(s.j, &part, NULL, 0),
           XL_E_RANDOM_ACCESS_NOT_SUPPORTED);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, false, 0), XL_OK);
  CHECK_EQ(xl_job_add_file(s.j, &part, NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, true, 0),
           XL_E_RANDOM_ACCESS_NOT_SUPPORTED);
  CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, false, 0),
           XL_E_PROPERTY_AFTER_RESUME);
  CU_ASSERT(!xl_job_dynamic_content(s.j));
  fake_act(s.w);
  fake_del(s.w);

  s = scene_with(&piece_policy, 3);
  CHECK_EQ(xl_job_set_priority(s.j, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  CHECK_EQ(xl_job_set_dynamic_content(s.j, true, 0), XL_E_NOTIMPL);
  fake_del(s.w);
}

/* Peers hold what was made for somebody else: neither asked nor served. */
static void test_dynamic_no_peers(void) {
  scene s = dynamic_with(&record_policy, 3);
  const xl_file_info info = {
      .remote = URL, .local = "C:\\h", .piece_bytes = 100};
  xl_agent *holder = fake_add_agent(s.w, &record_policy, 3);

  CHECK_EQ(xl_agent_hold(holder, &info, (xl_version){1000, 7}, 0), XL_OK);
  CHECK_EQ(xl_job_set_peercaching(s.j, 3, 0), XL_OK);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(xl_job_complete(s.j, s.w->now), XL_OK);
  CHECK_EQ(s.o->heads, 0);
  CU_ASSERT(!xl_file_from_peer(s.f));
  CU_ASSERT_PTR_NULL(xl_agent_map(s.w->agents[0], xl_engine_name(s.w->eng, URL),
                                  (xl_version){1000, 7}));
  check_whole(&s, 7);
}

static void test_when_head(void) {
  scene s = scene_new();

  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(s.o->heads, 0); /* one whole file */
  CHECK_EQ(s.o->gets, 1);
  CU_ASSERT(s.w->log[0].whole);
  check_whole(&s, 7);

  s = scene_new();
  fake_file_add(s.w, s.j, OTHER, NULL);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(s.o->heads, 1); /* more than one file */
  check_whole(&s, 7);

  s = scene_with(&record_policy, XL_PEERCACHING_CLIENT);
  CHECK_EQ(xl_job_set_peercaching(s.j, XL_PEERCACHING_CLIENT, 0), XL_OK);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(s.o->heads, 1); /* peers are allowed */
  check_whole(&s, 7);
}

static void test_resume_is_a_range(void) {
  scene s = scene_new();

  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(fake_progress(s.f).transferred, 400);
  CHECK_EQ(fake_error(s.j), XL_E_CONNECTION_CLOSED);
  s.o->cut = 0;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CU_ASSERT(s.w->log[0].whole);
  CU_ASSERT(!last_request(&s)->whole);
  CHECK_EQ(last_request(&s)->offset, 400);
  CHECK_EQ(last_request(&s)->parts, 1);
  CHECK_EQ(s.o->sent, 1000);
  check_whole(&s, 7);
}

/* ---- 8.2 ---- */

static void check_status(uint32_t status, bool transient) {
  scene s = scene_new();

  s.o->status = status;
  CU_ASSERT(run(&s, transient ? XL_JOB_TRANSIENT_ERROR : XL_JOB_ERROR));
  CHECK_EQ(s.o->gets, 1);
  s.o->status = 0;
  if (transient) {
    CHECK_EQ(fake_error(s.j), XL_E_HTTP(status));
    CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
    check_whole(&s, 7);
  } else {
    CHECK_EQ(fake_progress(s.f).transferred, 0);
    CHECK_EQ(s.w->nfiles, 0); /* the error's body is not the file */
    check_error(&s, XL_E_HTTP(status));
  }
}

static void test_statuses(void) {
  static const uint32_t fatal[] = {300, 301, 302, 303, 304, 305, 307, 400, 401,
                                   403, 404, 407, 410, 413, 416, 501, 505};
  static const uint32_t transient[] = {306, 308, 408, 409, 500, 502,
                                       503, 504, 599, 204, 100, 203};

  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
    check_status(fatal[i], false);
  }
  for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
    check_status(transient[i], true);
  }
}

static void test_416(void) {
  const xl_range_spec part = {100, 100};
  const xl_file_info info = {.remote = URL,
                             .local = "C:\\p",
                             .piece_bytes = 64,
                             .ranges = &part,
                             .nranges = 1};
  scene s = scene_new(); /* after a resume; the file is as it was */

  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->rejects_ranges = true;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_ERROR, S(200)));
  CHECK_EQ(s.o->heads, 1);
  check_error(&s, XL_E_HTTP(416));

  s = scene_new(); /* the file has become shorter */
  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->cut = 0;
  s.o->status = 416;
  s.o->nstatus = 1;
  s.o->size = 300;
  s.o->mtime = 8;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(fake_progress(s.f).transferred, 300);
  CHECK_EQ(xl_file_restarts(s.f), 1);
  CU_ASSERT(fake_is_whole(s.w, s.f, 300, 8));
  fake_del(s.w);

  s = scene_new(); /* of an application's range */
  CHECK_EQ(xl_job_cancel(s.j, 0), XL_OK);
  s.j = fake_job(s.w, s.w->agents[0]);
  CHECK_EQ(xl_job_add_file(s.j, &info, &s.f, 0), XL_OK);
  s.o->rejects_ranges = true;
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  check_error(&s, XL_E_INVALID_RANGE);
}

static void test_200_to_a_resume(void) {
  scene s = scene_new();

  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->cut = 0;
  s.o->ignores_ranges = true;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_ERROR, S(200)));
  /* The body that began at 0 was not put at 400. */
  CHECK_EQ(fake_progress(s.f).transferred, 400);
  CU_ASSERT(fake_is_whole(s.w, s.f, 400, 7));
  check_error(&s, XL_E_INSUFFICIENT_RANGE_SUPPORT);

  s = scene_new(); /* but after a rename it starts again (R211) */
  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.p->ignores_ranges = true;
  CHECK_EQ(xl_file_set_remote_name(s.f, OTHER, s.w->now), XL_OK);
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(xl_file_restarts(s.f), 1);
  CHECK_EQ(xl_job_error_count(s.j), 1);
  check_whole(&s, 7);
}

/* ---- 8.3 ---- */

/* Stops at 500 bytes and goes on when the origin is as |change| left it. */
static void check_change(xl_bytes size, int64_t mtime, uint32_t restarts) {
  scene s = scene_new();

  s.o->cut = 500;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->cut = 0;
  s.o->size = size;
  s.o->mtime = mtime;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(xl_file_restarts(s.f), restarts);
  CHECK_EQ(fake_progress(s.f).total, size);
  CHECK_EQ(fake_progress(s.f).transferred, size);
  CU_ASSERT(fake_is_whole(s.w, s.f, size, mtime));
  CHECK_EQ(xl_file_ledger(s.f)->bytes[XL_CLASS_RESTARTED], restarts * 500);
  fake_del(s.w);
}

static void test_changed(void) {
  check_change(1000, 7, 0);
  check_change(1000, 8, 1); /* a newer one */
  check_change(1000, 6, 1); /* an older one, too */
  check_change(900, 7, 1);
  check_change(1100, 8, 1);
}

static void test_changed_beside_done(void) {
  scene s = scene_new();
  xl_file *g = fake_file_add(s.w, s.j, OTHER, NULL);

  s.p->cut = 500;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(fake_progress(s.f).transferred, 1000);
  CHECK_EQ(fake_progress(g).transferred, 500);
  uint32_t heads = s.o->heads, gets = s.o->gets;
  s.p->cut = 0;
  s.p->mtime = 8;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(s.o->gets, gets);
  CHECK_EQ(s.o->heads, heads);
  CHECK_EQ(xl_file_restarts(s.f), 0);
  CHECK_EQ(xl_file_restarts(g), 1);
  CU_ASSERT(fake_is_whole(s.w, g, 1000, 8));
  check_whole(&s, 7);
}

static void test_no_time_stamp(void) {
  scene s = scene_new();

  s.o->cut = 500;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->cut = 0;
  s.o->mtime = 0; /* what the bytes of no_mtime are made of */
  s.o->no_mtime = true;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(xl_file_restarts(s.f), 0); /* the size is the same */
  CHECK_EQ(s.o->sent, 1000);
  fake_del(s.w);

  s = scene_new();
  s.o->cut = 500;
  s.o->mtime = 0;
  s.o->no_mtime = true;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.o->cut = 0;
  s.o->size = 1001;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(xl_file_restarts(s.f), 1);
  CHECK_EQ(fake_progress(s.f).transferred, 1001);
  fake_del(s.w);
}

/* ---- redirections ---- */

static void redirect(fake_origin *from, const char *to, uint32_t status) {
  from->status = status;
  from->location = to;
}

static void test_silent(void) {
  static const uint32_t codes[] = {300, 301, 302, 303, 307};

  for (size_t i = 0; i < 5; i++) {
    scene s = scene_new();
    redirect(s.o, OTHER, codes[i]);
    CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
    CU_ASSERT_STRING_EQUAL(xl_file_remote_name(s.f), URL);
    CHECK_EQ(s.p->gets, 1);
    CHECK_EQ(s.p->sent, 1000);
    CHECK_EQ(xl_job_error_count(s.j), 0);
    check_whole(&s, 7);
  }
}

static void test_report(void) {
  scene s = scene_new();

  CHECK_EQ(xl_job_set_security_flags(s.j, XL_HTTP_REDIRECT_REPORT, 0), XL_OK);
  redirect(s.o, OTHER, 301);
  s.p->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(s.f), OTHER);
  CHECK_EQ(s.o->gets, 1);
  s.p->cut = 0;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(s.o->gets, 1); /* the resume asks the final URL */
  CHECK_EQ(xl_file_restarts(s.f), 0);
  check_whole(&s, 7);
}

static void test_disallow(void) {
  scene s = scene_new();

  CHECK_EQ(xl_job_set_security_flags(s.j, XL_HTTP_REDIRECT_DISALLOW, 0), XL_OK);
  redirect(s.o, OTHER, 302);
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(s.p->gets + s.p->heads, 0);
  CHECK_EQ(fake_error(s.j), XL_E_HTTP(302));
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(s.f), OTHER);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED)); /* now asked for by its name */
  check_whole(&s, 7);
}

static void test_not_followed(void) {
  static const char *const where[] = {"file://server/f", "\\\\server\\f",
                                      "ftp://v/f", ""};

  for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
    scene s = scene_new();
    redirect(s.o, where[i], 302);
    CU_ASSERT(run(&s, XL_JOB_ERROR));
    CU_ASSERT_STRING_EQUAL(xl_file_remote_name(s.f), URL);
    check_error(&s, XL_E_HTTP(302));
  }
}

static void check_https(uint32_t flags, xl_job_state end) {
  scene s = scene_new();
  fake_origin *tls = fake_add_origin(s.w, "https://w/f", 1000, 7);

  CHECK_EQ(xl_file_set_remote_name(s.f, "https://w/f", 0), XL_OK);
  CHECK_EQ(xl_job_set_security_flags(s.j, flags, 0), XL_OK);
  redirect(tls, OTHER, 302);
  CU_ASSERT(run(&s, end));
  CHECK_EQ(s.p->gets, end == XL_JOB_TRANSFERRED);
  fake_del(s.w);
}

static void test_https_to_http(void) {
  check_https(0, XL_JOB_ERROR);
  check_https(XL_HTTP_HTTPS_TO_HTTP, XL_JOB_TRANSFERRED);
}

static void test_circle(void) {
  scene s = scene_new();

  redirect(s.o, OTHER, 302);
  redirect(s.p, URL, 302);
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(s.o->gets + s.p->gets, 1 + XL_HTTP_HOPS_MAX);
  check_error(&s, XL_E_HTTP(302));
}

static void test_redirected_range(void) {
  scene s = scene_new();

  redirect(s.o, OTHER, 302);
  s.p->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  s.p->cut = 0;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(s.o->gets, 2); /* each request is led on again */
  CHECK_EQ(last_request(&s)->offset, 400);
  check_whole(&s, 7);

  s = scene_new(); /* to another version of the file */
  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  redirect(s.o, OTHER, 302);
  s.p->mtime = 9;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(xl_file_restarts(s.f), 1);
  check_whole(&s, 9);
}

static void test_crl(void) {
  scene s = scene_new();

  s.o->cut = 400;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(xl_job_set_security_flags(s.j, XL_HTTP_IGNORE_CERT, s.w->now),
           XL_OK);
  CHECK_EQ(fake_progress(s.f).transferred, 400);
  CHECK_EQ(xl_job_set_security_flags(s.j, XL_HTTP_CHECK_CRL, s.w->now), XL_OK);
  CHECK_EQ(fake_progress(s.f).transferred, 0);
  s.o->cut = 0;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CHECK_EQ(s.o->sent, 1400);
  check_whole(&s, 7);
}

static void test_flags(void) {
  scene s = scene_new();

  CHECK_EQ(xl_job_set_security_flags(s.j, 0x1000, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_security_flags(s.j, 0x300, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_security_flags(s.j, 0x900, 0), XL_OK);
  CHECK_EQ(xl_job_security_flags(s.j), 0x900);
  CHECK_EQ(xl_job_cancel(s.j, 0), XL_OK);
  CHECK_EQ(xl_job_set_security_flags(s.j, 0, 0), XL_E_INVALID_STATE);
  fake_del(s.w);
}

/* ---- 8.4 ---- */

static void test_refused(void) {
  scene s = scene_new();

  s.o->refuses = true;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(fake_error(s.j), XL_E_CONNECT_FAILURE);
  s.o->refuses = false;
  xl_time at = s.w->now;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  CU_ASSERT(s.w->log[1].at >= at + S(5)); /* after the retry delay */
  check_whole(&s, 7);
}

static void test_silent_body(void) {
  scene s = scene_new();

  s.o->silent = true;
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(fake_error(s.j), XL_E_TIMEOUT);
  s.o->silent = false;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(200)));
  check_whole(&s, 7);
}

static void test_overlong(void) {
  scene s = scene_new();

  s.o->extra = 50;
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(xl_file_ledger(s.f)->bytes[XL_CLASS_OVERHEAD], 50);
  CHECK_EQ(fake_progress(s.f).total, 1000);
  /* Nothing was stored beyond the end. */
  CU_ASSERT(fake_file_of(s.w, s.f, 0)->cap == 1000);
  check_whole(&s, 7);
}

static void test_always_closes(void) {
  scene s = scene_new();
  uint32_t rounds = 0;

  s.o->cut = 100;
  CHECK_EQ(xl_job_set_no_progress_timeout(s.j, 8, 0), XL_OK);
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  /* 10 rounds of 5 s each: longer than the timeout, but each has progress. */
  while (xl_job_state_of(s.j) != XL_JOB_TRANSFERRED && rounds++ < 200) {
    CU_ASSERT(fake_step(s.w, S(1000)));
    CU_ASSERT(xl_job_state_of(s.j) != XL_JOB_ERROR);
  }
  CHECK_EQ(s.o->gets, 10);
  CHECK_EQ(s.o->sent, 1000);
  check_whole(&s, 7);
}

static void test_no_certificate(void) {
  scene s = scene_new();
  xl_action act;

  CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
  CU_ASSERT(xl_engine_next(s.w->eng, &act));
  xl_agent_ended(act.agent, act.request, XL_END_CONNECT,
                 XL_E_CLIENT_CERT_NEEDED, 0, 0, 0);
  CHECK_EQ(xl_job_state_of(s.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(s.j), XL_E_CLIENT_CERT_NEEDED);
  fake_del(s.w);
}

TEST_SUITE(
    "conformance: HTTP",
    {"R801: a server that does not tell the size is ERROR", test_no_size},
    {"R802 R801: dynamic content needs no size and no ranges", test_dynamic},
    {"R802 R445: dynamic content that is interrupted begins again at 0",
     test_dynamic_again},
    {"R802: which jobs may have dynamic content, and when (design)",
     test_dynamic_rules},
    {"R802: no peers for dynamic content (design)", test_dynamic_no_peers},
    {"R803 R804: a HEAD comes first when it must; a whole file has no Range",
     test_when_head},
    {"T27 R804 R814: a resume is one range from the offset",
     test_resume_is_a_range},
    {"R805 R806: each status is fatal or transient, its body is not stored "
     "(design)",
     test_statuses},
    {"R807: 416 looks at the file again after a resume (design)", test_416},
    {"R808: 200 to a resume is ERROR, after a rename a restart",
     test_200_to_a_resume},
    {"R809 R810 R811: another size or time stamp starts the file again",
     test_changed},
    {"T30 R809 R110: a file that changes leaves the finished one alone",
     test_changed_beside_done},
    {"R810: without a time stamp the size is compared (design)",
     test_no_time_stamp},
    {"R812: ALLOW_SILENT follows and keeps the remote name", test_silent},
    {"R812 R104: ALLOW_REPORT follows and changes the remote name",
     test_report},
    {"R812: DISALLOW is ERROR and changes the remote name", test_disallow},
    {"R812: nothing but HTTP is followed", test_not_followed},
    {"R812: from HTTPS to HTTP only with leave", test_https_to_http},
    {"R812: a circle ends after 10 redirections (design)", test_circle},
    {"R812 R809: what a redirection leads to is compared and resumed",
     test_redirected_range},
    {"R812: a new check of revocation starts the file again", test_crl},
    {"R812: which flags there are (design)", test_flags},
    {"R814: a refused connection is tried again after the delay", test_refused},
    {"R814: a body that falls silent times out", test_silent_body},
    {"R815: what is beyond the announced length is overhead (design)",
     test_overlong},
    {"R816 R422: each progress resets the no-progress timer",
     test_always_closes},
    {"R817: a client certificate that is missing is fatal (design)",
     test_no_certificate})
