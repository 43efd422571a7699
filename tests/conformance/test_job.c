/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of jobs: bits-semantics 4. */
#include "bed.h"

static char *repeat(char *buf, size_t n) {
  memset(buf, 'x', n);
  buf[n] = '\0';
  return buf;
}

static uint32_t notes(const fake *w, xl_notice n) {
  uint32_t sum = 0;

  for (uint32_t i = 0; i < w->nnotes; i++) {
    sum += w->notes[i].notice == n;
  }
  return sum;
}

/* ---- 4.1, 4.2: states ---- */

static void test_new(void) {
  bed b = bed_new(&origin_policy);
  xl_job *j = fake_job(b.w, b.dev);
  xl_job_progress p;

  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  xl_job_progress_of(j, &p);
  CHECK_EQ(p.total + p.transferred + p.files_total + p.files_transferred, 0);
  CHECK_EQ(xl_job_resume(j, 0), XL_E_EMPTY);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_SUSPENDED);
  fake_del(b.w);
}

/* A job in each of the states that calls may meet. */
static bed in_state(xl_job_state s) {
  bed b = bed_new(&origin_policy);

  if (s == XL_JOB_SUSPENDED) {
    return b;
  }
  if (s == XL_JOB_QUEUED) {
    xl_job *first = bed_job(&b, URL);
    xl_job_resume(first, 0);
  }
  b.o->down = s == XL_JOB_CONNECTING;
  b.o->status = s == XL_JOB_ERROR ? 404 : s == XL_JOB_TRANSIENT_ERROR ? 503 : 0;
  xl_job_resume(b.j, 0);
  if (s == XL_JOB_TRANSFERRING) {
    fake_run(b.w, XL_MS(500));
  } else if (s == XL_JOB_ACKNOWLEDGED) {
    xl_job_complete(b.j, 0);
  } else if (s == XL_JOB_CANCELLED) {
    xl_job_cancel(b.j, 0);
  } else {
    fake_until(b.w, b.j, s, S(5));
  }
  b.o->down = false;
  b.o->status = 0;
  CHECK_EQ(xl_job_state_of(b.j), s);
  return b;
}

#define NSTATES 9
enum { RESUME, SUSPEND, CANCEL, COMPLETE, ADD, NCALLS };

static void test_table(void) {
  static const struct {
    xl_err err;
    xl_job_state next;
  } want[NSTATES][NCALLS] = {
#define FINAL(s)                                                               \
  {{XL_E_INVALID_STATE, s},                                                    \
   {XL_E_INVALID_STATE, s},                                                    \
   {XL_E_INVALID_STATE, s},                                                    \
   {XL_E_INVALID_STATE, s},                                                    \
   {XL_E_INVALID_STATE, s}}
#define LIVE(resume, suspend, complete, add)                                   \
  {                                                                            \
    {XL_OK, resume}, {XL_OK, suspend}, {XL_OK, XL_JOB_CANCELLED},              \
        {complete, XL_JOB_ACKNOWLEDGED}, {                                     \
      XL_OK, add                                                               \
    }                                                                          \
  }
      [XL_JOB_QUEUED] = LIVE(XL_JOB_QUEUED, XL_JOB_SUSPENDED,
                             XL_S_PARTIAL_COMPLETE, XL_JOB_QUEUED),
      [XL_JOB_CONNECTING] = LIVE(XL_JOB_CONNECTING, XL_JOB_SUSPENDED,
                                 XL_S_PARTIAL_COMPLETE, XL_JOB_CONNECTING),
      [XL_JOB_TRANSFERRING] = LIVE(XL_JOB_TRANSFERRING, XL_JOB_SUSPENDED,
                                   XL_S_PARTIAL_COMPLETE, XL_JOB_TRANSFERRING),
      [XL_JOB_SUSPENDED] = LIVE(XL_JOB_CONNECTING, XL_JOB_SUSPENDED,
                                XL_S_PARTIAL_COMPLETE, XL_JOB_SUSPENDED),
      [XL_JOB_ERROR] = LIVE(XL_JOB_CONNECTING, XL_JOB_ERROR,
                            XL_S_PARTIAL_COMPLETE, XL_JOB_ERROR),
      [XL_JOB_TRANSIENT_ERROR] =
          LIVE(XL_JOB_CONNECTING, XL_JOB_SUSPENDED, XL_S_PARTIAL_COMPLETE,
               XL_JOB_TRANSIENT_ERROR),
      [XL_JOB_TRANSFERRED] = LIVE(XL_JOB_TRANSFERRED, XL_JOB_TRANSFERRED, XL_OK,
                                  XL_JOB_TRANSFERRED),
      [XL_JOB_ACKNOWLEDGED] = FINAL(XL_JOB_ACKNOWLEDGED),
      [XL_JOB_CANCELLED] = FINAL(XL_JOB_CANCELLED)};

  for (int s = 0; s < NSTATES; s++) {
    for (int call = 0; call < NCALLS; call++) {
      bed b = in_state((xl_job_state)s);
      xl_time now = b.w->now;
      xl_err err = call == RESUME    ? xl_job_resume(b.j, now)
                   : call == SUSPEND ? xl_job_suspend(b.j, now)
                   : call == CANCEL  ? xl_job_cancel(b.j, now)
                   : call == COMPLETE
                       ? xl_job_complete(b.j, now)
                       : bed_add(b.j, URL, "C:\\g", NULL, 0, NULL, now);
      CHECK_EQ(err, want[s][call].err);
      CHECK_EQ(xl_job_state_of(b.j), want[s][call].next);
      fake_act(b.w);
      fake_del(b.w);
    }
  }
}

static void test_final(void) {
  bed b = bed_new(&origin_policy);
  xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "p"};
  xl_proxy p = {.usage = XL_PROXY_NONE};
  xl_job *jobs[4];
  uint32_t n;

  bed_fetch(&b);
  CHECK_EQ(xl_agent_enum_jobs(b.dev, 0, jobs, 4, &n), XL_OK);
  CHECK_EQ(n, 1);
  xl_job_complete(b.j, b.w->now);
  xl_time now = b.w->now;
  const xl_err errs[] = {xl_job_set_priority(b.j, XL_PRIORITY_LOW, now),
                         xl_job_set_display_name(b.j, "n", now),
                         xl_job_set_description(b.j, "n", now),
                         xl_job_set_min_retry_delay(b.j, 9, now),
                         xl_job_set_no_progress_timeout(b.j, 9, now),
                         xl_job_set_max_download_time(b.j, 9, now),
                         xl_job_set_peercaching(b.j, 1, now),
                         xl_job_set_notify_flags(b.j, 1, now),
                         xl_job_set_notify_interface(b.j, true, now),
                         xl_job_set_command_line(b.j, "p", NULL, now),
                         xl_job_set_proxy(b.j, &p, now),
                         xl_job_set_credentials(b.j, &c, now),
                         xl_job_set_acl_flags(b.j, 1, now),
                         xl_job_set_cost_flags(b.j, 1, now),
                         xl_job_take_ownership(b.j, now),
                         xl_job_replace_remote_prefix(b.j, "h", "h", now),
                         xl_file_set_validation(b.f, true, now)};
  for (size_t i = 0; i < sizeof errs / sizeof *errs; i++) {
    CHECK_EQ(errs[i], XL_E_INVALID_STATE);
  }
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(fake_progress(b.f).total, 1000);
  CHECK_EQ(xl_agent_enum_jobs(b.dev, 0, jobs, 4, &n), XL_OK);
  CHECK_EQ(n, 0); /* R401 */
  fake_del(b.w);
}

static void test_refused(void) {
  bed b = bed_new(&origin_policy);

  b.o->refuses = true;
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSIENT_ERROR, S(1)));
  CHECK_EQ(fake_error(b.j), XL_E_CONNECT_FAILURE);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_GENERAL_TRANSPORT);
  fake_del(b.w);
}

static void test_link(void) {
  bed b = bed_new(&origin_policy);
  xl_job *other = bed_job(&b, URL);

  CHECK_EQ(xl_job_set_priority(other, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  b.o->status = 503;
  xl_job_resume(other, 0); /* fails by itself, to wait 600 s */
  CU_ASSERT(fake_until(b.w, other, XL_JOB_TRANSIENT_ERROR, S(1)));
  b.o->status = 0;
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_MS(500));
  xl_agent_link(b.dev, false, b.w->now);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_NETWORK_DISCONNECTED);
  fake_run(b.w, S(30));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  xl_agent_link(b.dev, true, b.w->now);
  CU_ASSERT(runs(b.j));
  CU_ASSERT(runs(other)); /* whatever its error was */
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(32)));
  CHECK_EQ(xl_job_error_count(b.j), 0);
  fake_del(b.w);
}

static void test_one_after_another(void) {
  bed b = bed_new(&origin_policy);
  fake_origin *o2 = fake_add_origin(b.w, URL2, 1000, 7);
  xl_file *g = fake_file_add(b.w, b.j, URL2, NULL);

  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(900));
  CHECK_EQ(o2->gets + o2->heads, 0);
  b.o->status = 404;
  xl_job_suspend(b.j, b.w->now);
  fake_act(b.w);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(2)));
  CHECK_EQ(o2->gets + o2->heads, 0); /* one error stops all */
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_OK);
  bed_fetch(&b);
  CU_ASSERT(xl_file_started(g) >= xl_file_finished(b.f));
  fake_del(b.w);
}

/* ---- 4.3: methods ---- */

static void test_create(void) {
  bed b = bed_new(&origin_policy);
  char name[300];
  xl_job *j, *k;

  CHECK_EQ(xl_job_create(b.dev, NULL, &j, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_create(b.dev, repeat(name, 257), &j, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_create(b.dev, repeat(name, 256), &j, 0), XL_OK);
  CHECK_EQ(xl_job_create(b.dev, name, &k, 0), XL_OK);
  xl_guid a = xl_job_id(j), c = xl_job_id(k);
  CU_ASSERT(memcmp(&a, &c, sizeof a) != 0);
  xl_job_cancel(j, 0);
  c = xl_job_id(j);
  CHECK_EQ(memcmp(&a, &c, sizeof a), 0);
  CHECK_EQ(xl_job_type_of(k), XL_JOB_DOWNLOAD);
  fake_del(b.w);
}

static void test_job_limits(void) {
  bed b = bed_new(&origin_policy);
  xl_limits l = xl_limits_default();
  xl_job *j = NULL, *first = NULL;

  l.jobs_per_user = 3;
  l.jobs_per_machine = 2;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_E_INVALIDARG); /* R453 */
  l.jobs_per_machine = 5;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_OK);
  act_as(&b, &alice);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK);
    first = i == 0 ? j : first;
  }
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_E_TOO_MANY_JOBS_PER_USER);
  act_as(&b, &bob);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_E_TOO_MANY_JOBS_PER_MACHINE);
  act_as(&b, &root);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK); /* R456 */
  CHECK_EQ(xl_job_cancel(first, 0), XL_OK);
  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK); /* one is over */
  fake_del(b.w);
}

static void test_get_and_enum(void) {
  bed b = bed_new(&origin_policy);
  xl_job *own, *got, *list[8];
  uint32_t n;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &own, 0), XL_OK);
  xl_guid id = xl_job_id(own), service = xl_job_id(b.j), none = id;
  none.b[0] ^= 1;
  CHECK_EQ(xl_agent_get_job(b.dev, &id, &got), XL_OK);
  CU_ASSERT(got == own);
  CHECK_EQ(xl_agent_get_job(b.dev, &none, &got), XL_E_NOT_FOUND);
  CHECK_EQ(xl_agent_get_job(b.dev, &service, &got), XL_E_ACCESSDENIED);
  CHECK_EQ(xl_agent_enum_jobs(b.dev, 0, list, 8, &n), XL_OK);
  CHECK_EQ(n, 1);
  CU_ASSERT(list[0] == own);
  CHECK_EQ(xl_agent_enum_jobs(b.dev, XL_ENUM_ALL_USERS, list, 8, &n),
           XL_E_ACCESSDENIED);
  act_as(&b, &root);
  CHECK_EQ(xl_agent_enum_jobs(b.dev, XL_ENUM_ALL_USERS, list, 1, &n), XL_OK);
  CHECK_EQ(n, 2);
  fake_del(b.w);
}

static void test_files_limit(void) {
  bed b = bed_new(&origin_policy);
  xl_job_progress p;
  xl_job *j;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  for (int i = 0; i < 200; i++) {
    CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  }
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0),
           XL_E_TOO_MANY_FILES_IN_JOB);
  xl_job_progress_of(j, &p);
  CHECK_EQ(p.files_total, 200);
  act_as(&b, &root);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  fake_del(b.w);
}

static void test_file_set(void) {
  bed b = bed_new(&origin_policy);
  xl_file_info set[] = {
      {.remote = URL, .local = "C:\\1", .piece_bytes = 100},
      {.remote = URL, .local = "C:\\2", .piece_bytes = 100},
      {.remote = "nonsense", .local = "C:\\3", .piece_bytes = 100}};

  CHECK_EQ(xl_job_add_file_set(b.j, set, 3, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_nfiles(b.j), 1);
  CHECK_EQ(xl_job_add_file_set(b.j, set, 0, 0), XL_E_INVALIDARG);
  set[2].remote = URL;
  CHECK_EQ(xl_job_add_file_set(b.j, set, 3, 0), XL_OK);
  CHECK_EQ(xl_job_nfiles(b.j), 4);
  CU_ASSERT_STRING_EQUAL(xl_file_local_name(xl_job_file(b.j, 3)), "C:\\3");
  bed_fetch(&b);
  for (uint32_t i = 0; i < 4; i++) {
    CU_ASSERT(fake_is_whole(b.w, xl_job_file(b.j, i), 1000, 7));
  }
  fake_del(b.w);
}

static void test_file_set_limit(void) {
  bed b = bed_new(&origin_policy);
  xl_limits l = xl_limits_default();
  const xl_file_info set[] = {
      {.remote = URL, .local = "C:\\1", .piece_bytes = 100},
      {.remote = URL, .local = "C:\\2", .piece_bytes = 100}};
  xl_job *j;

  l.files_per_job = 3;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_OK);
  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "j", &j, 0), XL_OK);
  CHECK_EQ(xl_job_add_file_set(j, set, 2, 0), XL_OK);
  CHECK_EQ(xl_job_add_file_set(j, set, 2, 0), XL_E_TOO_MANY_FILES_IN_JOB);
  CHECK_EQ(xl_job_nfiles(j), 2);
  fake_del(b.w);
}

static void test_add_later(void) {
  bed b = bed_new(&origin_policy);

  bed_fetch(&b);
  CHECK_EQ(bed_add(b.j, URL, "C:\\g", NULL, 0, NULL, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  bed_fetch(&b);
  CHECK_EQ(b.o->gets, 2); /* the first one is not fetched again */
  CHECK_EQ(fake_progress(xl_job_file(b.j, 1)).transferred, 1000);
  fake_del(b.w);
}

static void test_cancel(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, URL, NULL);

  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(1500)); /* one finished, one half */
  CHECK_EQ(fake_progress(b.f).transferred, 1000);
  b.w->undeletable = true;
  CHECK_EQ(xl_job_cancel(b.j, b.w->now), XL_S_UNABLE_TO_DELETE_FILES);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_CANCELLED);
  CHECK_EQ(fake_progress(b.f).transferred + fake_progress(g).transferred, 0);
  CHECK_EQ(b.w->nhanded, 0);
  xl_job *other = bed_job(&b, URL);
  b.w->undeletable = false;
  xl_job_resume(other, b.w->now);
  fake_run(b.w, b.w->now + XL_MS(100));
  CHECK_EQ(xl_job_cancel(other, b.w->now), XL_OK);
  CHECK_EQ(b.w->ndiscarded, 1);
  fake_act(b.w);
  fake_del(b.w);
}

static void test_partial(void) {
  bed b = bed_new(&origin_policy);

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &b.j, 0), XL_OK);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  for (int i = 0; i < 4; i++) {
    fake_file_add(b.w, b.j, URL, NULL);
  }
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(2500));
  act_as(&b, &root);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_S_PARTIAL_COMPLETE);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(b.w->nhanded, 2);
  CU_ASSERT(b.w->handed[0] == b.f);
  CU_ASSERT_STRING_EQUAL(b.w->handed_to, root.sid); /* R417 */
  CHECK_EQ(b.w->ndiscarded, 1); /* only the third had begun */
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_progress(xl_job_file(b.j, i)).completed, i < 2);
  }
  fake_act(b.w);
  fake_del(b.w);
}

static void test_nothing_finished(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_complete(b.j, 0), XL_S_PARTIAL_COMPLETE);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(b.w->nhanded, 0);
  fake_del(b.w);
}

static void test_texts(void) {
  bed b = bed_new(&origin_policy);
  char text[1100];

  CHECK_EQ(xl_job_set_display_name(b.j, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_set_display_name(b.j, repeat(text, 257), 0),
           XL_E_STRING_TOO_LONG);
  CU_ASSERT_STRING_EQUAL(xl_job_display_name(b.j), "job");
  CHECK_EQ(xl_job_set_display_name(b.j, repeat(text, 256), 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_job_display_name(b.j), text);
  CHECK_EQ(xl_job_set_description(b.j, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_set_description(b.j, repeat(text, 1025), 0),
           XL_E_STRING_TOO_LONG);
  CU_ASSERT_STRING_EQUAL(xl_job_description(b.j), "");
  CHECK_EQ(xl_job_set_description(b.j, repeat(text, 1024), 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_job_description(b.j), text);
  fake_del(b.w);
}

static void test_undefined_values(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_priority(b.j, (xl_priority)7, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_priority_of(b.j), XL_PRIORITY_NORMAL);
  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x8000, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_notify_flags(b.j), XL_NOTIFY_DEFAULT);
  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x1f, 0), XL_OK);
  fake_del(b.w);
}

/* ---- retries ---- */

static void test_retry_delay(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_min_retry_delay(b.j), 600);
  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 1, 0), XL_OK);
  CHECK_EQ(xl_job_min_retry_delay(b.j), 5);
  b.o->status = 503;
  b.o->nstatus = 2;
  xl_job_resume(b.j, 0);
  fake_run(b.w, S(5) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(b.w->nlog, 1);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(30)));
  CHECK_EQ(b.w->log[1].at, S(5));
  CHECK_EQ(b.w->log[2].at, S(10));
  CHECK_EQ(xl_job_error_count(b.j), 2);
  fake_run(b.w, S(60));
  CHECK_EQ(xl_job_error_count(b.j), 2);
  fake_del(b.w);
}

static void test_never_retried(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 0, 0), XL_OK);
  b.o->refuses = true;
  xl_job_resume(b.j, 0);
  fake_act(b.w);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(b.w->nnotes, 1);
  CHECK_EQ(notes(b.w, XL_NOTICE_JOB_ERROR), 1);
  fake_del(b.w);
}

static void test_delay_above_timeout(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 100, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 10, 0), XL_OK);
  b.o->status = 503;
  b.o->nstatus = 1;
  xl_job_resume(b.j, 0);
  fake_run(b.w, S(200));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(b.w->nlog, 1);
  fake_del(b.w);
}

static void test_progress_resets(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 60, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 100, 0), XL_OK);
  b.o->cut = 300; /* each attempt brings 300 bytes, then fails */
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(400)));
  CHECK_EQ(xl_job_error_count(b.j), 3);
  fake_del(b.w);
  b = bed_new(&origin_policy);
  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 60, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 100, 0), XL_OK);
  b.o->status = 503;
  xl_job_resume(b.j, 0);
  fake_run(b.w, S(100) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  fake_run(b.w, S(100)); /* from the first error */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  fake_del(b.w);
}

static void test_resume_skips(void) {
  bed b = bed_new(&origin_policy);

  b.o->status = 503;
  b.o->nstatus = 1;
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSIENT_ERROR, S(1)));
  fake_run(b.w, S(10));
  CHECK_EQ(b.w->nlog, 1);
  xl_job_resume(b.j, b.w->now);
  fake_act(b.w);
  CHECK_EQ(b.w->nlog, 2);
  CHECK_EQ(b.w->log[1].at, S(10));
  fake_del(b.w);
}

/* ---- conditions ---- */

static void test_volume_locked(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 5, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 20, 0), XL_OK);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(500));
  CHECK_EQ(
      xl_agent_set_condition(b.dev, XL_CONDITION_VOLUME_LOCKED, true, b.w->now),
      XL_OK);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_DESTINATION_LOCKED);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_LOCAL_FILE);
  uint32_t asked = b.w->nlog;
  fake_run(b.w, S(1000)); /* neither the delay nor the timeout count */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(b.w->nlog, asked);
  CHECK_EQ(xl_agent_set_condition(b.dev, XL_CONDITION_VOLUME_LOCKED, false,
                                  b.w->now),
           XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(1002)));
  CHECK_EQ(xl_job_error_count(b.j), 0);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(b.f)), 1000);
  fake_del(b.w);
}

static void test_clock_stands(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_min_retry_delay(b.j, 90, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 100, 0), XL_OK);
  b.o->status = 503;
  xl_job_resume(b.j, 0); /* the clock runs from 0 */
  fake_run(b.w, S(40));
  xl_agent_link(b.dev, false, S(40));
  fake_run(b.w, S(1000));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  xl_agent_link(b.dev, true, S(1000)); /* 60 s are left */
  fake_run(b.w, S(1060) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  fake_run(b.w, S(1060));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  fake_del(b.w);
}

/* |n| rows, as from a Sunday at 0. */
static void throttle(bed *b, const xl_throttle *rows, uint32_t n) {
  CHECK_EQ(xl_agent_set_throttles(b->dev, rows, n, 0, b->w->now), XL_OK);
}

static xl_rate normal_rate(const bed *b) {
  return xl_agent_background_rate(b->dev, XL_PRIORITY_NORMAL);
}

static void test_bandwidth(void) {
  static const xl_throttle lim[] = {
      {XL_EVERY_DAY, XL_HOUR(8), XL_HOUR(17), {0}},
      {XL_EVERY_DAY, 0, 0, {1, 1, 1, 1}}}; /* the rest of the day */
  bed b = bed_new(&origin_policy);
  xl_job *fg = bed_job(&b, URL);

  CHECK_EQ(normal_rate(&b), XL_RATE_UNLIMITED);
  fake_run(b.w, XL_HOUR(8) - S(1));
  throttle(&b, lim, 2);
  CHECK_EQ(normal_rate(&b), 250); /* 2 kbit/s */
  CHECK_EQ(xl_agent_background_rate(b.dev, XL_PRIORITY_FOREGROUND),
           XL_RATE_UNLIMITED);
  CHECK_EQ(xl_job_set_priority(fg, XL_PRIORITY_FOREGROUND, b.w->now), XL_OK);
  b.o->size = 5000;
  xl_job_resume(b.j, b.w->now);
  xl_job_resume(fg, b.w->now);
  fake_run(b.w, XL_HOUR(8) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, XL_HOUR(8));
  CHECK_EQ(normal_rate(&b), 0);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_BLOCKED_BY_POLICY);
  CHECK_EQ(xl_job_error_count(b.j), 0);
  CU_ASSERT(runs(fg));
  fake_run(b.w, XL_HOUR(17) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(xl_job_state_of(fg), XL_JOB_TRANSFERRED);
  fake_run(b.w, XL_HOUR(17));
  CU_ASSERT(runs(b.j));
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, XL_HOUR(18)));
  fake_run(b.w, XL_HOUR(32));
  CHECK_EQ(normal_rate(&b), 0); /* the next day */
  throttle(&b, NULL, 0);
  CHECK_EQ(normal_rate(&b), XL_RATE_UNLIMITED);
  fake_del(b.w);
}

/* BITS 4: maintenance before work before the rest, by priority. */
static void test_weekly_bandwidth(void) {
  enum { SUN = 1, MON_FRI = 62, WED = 8, FRI = 32 };
  static const xl_throttle week[] = {
      {WED | FRI, XL_HOUR(22), XL_HOUR(5), {0, 9000, 8000, 7000}},
      {MON_FRI, XL_HOUR(8), XL_HOUR(17), {0, 3000, 2000, 1000}},
      {SUN, 0, 0, {0, 600, 500, 0}}};
  const xl_rate NONE = XL_RATE_UNLIMITED;
  const struct hour {
    int day, hour; /* from 0 Sunday */
    xl_rate high, normal, low;
    uint32_t told; /* changes since the row before */
  } want[] = {{0, 0, 600, 500, 0, 1},       {0, 23, 600, 500, 0, 0},
              {1, 0, NONE, NONE, NONE, 1},  {1, 8, 3000, 2000, 1000, 1},
              {1, 16, 3000, 2000, 1000, 0}, {1, 17, NONE, NONE, NONE, 1},
              {3, 4, NONE, NONE, NONE, 2},  {3, 12, 3000, 2000, 1000, 1},
              {3, 22, 9000, 8000, 7000, 2}, {4, 4, 9000, 8000, 7000, 0},
              {4, 5, NONE, NONE, NONE, 1},  {4, 22, NONE, NONE, NONE, 2},
              {6, 4, 9000, 8000, 7000, 3},  {6, 12, NONE, NONE, NONE, 1},
              {7, 12, 600, 500, 0, 1},      {15, 8, 3000, 2000, 1000, 18}};
  static const xl_throttle bad[] = {
      {0, 0, XL_HOUR(1), {0}},  {128, 0, XL_HOUR(1), {0}},
      {1, -1, XL_HOUR(1), {0}}, {1, XL_DAY(1), XL_HOUR(1), {0}},
      {1, 0, -1, {0}},          {1, 0, XL_DAY(1), {0}}};
  bed b = bed_new(&origin_policy);

  throttle(&b, week, 3);
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    const struct hour *h = &want[i];
    uint32_t n = b.w->nrates;
    fake_run(b.w, XL_DAY(h->day) + XL_HOUR(h->hour));
    fake_act(b.w);
    CHECK_EQ(b.w->nrates - n, h->told);
    CHECK_EQ(xl_agent_background_rate(b.dev, XL_PRIORITY_HIGH), h->high);
    CHECK_EQ(normal_rate(&b), h->normal);
    CHECK_EQ(xl_agent_background_rate(b.dev, XL_PRIORITY_LOW), h->low);
    CHECK_EQ(xl_agent_background_rate(b.dev, XL_PRIORITY_FOREGROUND),
             XL_RATE_UNLIMITED);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_EQ(xl_agent_set_throttles(b.dev, &bad[i], 1, 0, b.w->now),
             XL_E_INVALIDARG);
    CHECK_EQ(normal_rate(&b), 2000); /* as it was */
  }
  fake_check(b.w);
  fake_del(b.w);
}

/* A rate of 0 for one priority blocks the jobs of that one. */
static void test_bandwidth_of_priority(void) {
  static const xl_throttle no_low = {
      XL_EVERY_DAY, XL_HOUR(1), XL_HOUR(2), {0, 5000, 5000, 0}};
  bed b = bed_new(&origin_policy);

  b.o->rate = 10;
  throttle(&b, &no_low, 1);
  CHECK_EQ(xl_job_set_priority(b.j, XL_PRIORITY_LOW, 0), XL_OK);
  fake_run(b.w, XL_HOUR(1) - S(10));
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, XL_HOUR(1) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, XL_HOUR(1));
  CHECK_EQ(fake_error(b.j), XL_E_BLOCKED_BY_POLICY);
  CHECK_EQ(xl_job_set_priority(b.j, XL_PRIORITY_NORMAL, b.w->now), XL_OK);
  CU_ASSERT(runs(b.j)); /* at once */
  fake_act(b.w);
  fake_del(b.w);
}

static void test_cost(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_cost_flags(b.j), 0);
  CHECK_EQ(xl_job_set_cost_flags(b.j, XL_TRANSFER_STANDARD, 0), XL_OK);
  CHECK_EQ(xl_job_cost_flags(b.j), XL_TRANSFER_STANDARD);
  CHECK_EQ(xl_agent_set_cost(b.dev, XL_COST_NEAR_CAP, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_COST_POLICY);
  fake_run(b.w, S(1000));
  CHECK_EQ(b.w->nlog, 0);
  CHECK_EQ(xl_job_set_cost_flags(b.j, XL_TRANSFER_ALWAYS, b.w->now), XL_OK);
  CU_ASSERT(runs(b.j)); /* at once */
  CHECK_EQ(xl_job_set_cost_flags(b.j, XL_TRANSFER_UNRESTRICTED, b.w->now),
           XL_OK);
  CU_ASSERT(!runs(b.j));
  CHECK_EQ(xl_agent_set_cost(b.dev, XL_COST_UNRESTRICTED, b.w->now), XL_OK);
  CU_ASSERT(runs(b.j));
  fake_act(b.w);
  fake_del(b.w);
}

static void test_power(void) {
  static const xl_err want[] = {
      XL_E_DESTINATION_LOCKED, XL_E_POWER_SAVING, XL_E_BATTERY,
      XL_E_BATTERY_SAVER,      XL_E_GAME_MODE,    XL_E_RESOURCES};
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, 0);
  fake_act(b.w);
  for (int i = 0; i < XL_NCONDITIONS; i++) {
    CHECK_EQ(xl_agent_set_condition(b.dev, (xl_condition)i, true, b.w->now),
             XL_OK);
    CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
    CHECK_EQ(fake_error(b.j), want[i]);
    CHECK_EQ(xl_agent_set_condition(b.dev, (xl_condition)i, false, b.w->now),
             XL_OK);
    CU_ASSERT(runs(b.j));
    fake_act(b.w);
  }
  fake_del(b.w);
}

static void test_logon(void) {
  bed b = bed_new(&origin_policy);
  xl_job *hers;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &hers, 0), XL_OK);
  CHECK_EQ(bed_add(hers, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_priority(hers, XL_PRIORITY_HIGH, 0), XL_OK);
  xl_job_resume(hers, 0);
  act_as(&b, NULL);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(500));
  CU_ASSERT(runs(hers) && !runs(b.j));
  CHECK_EQ(xl_agent_logon(b.dev, alice.sid, false, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(hers), XL_JOB_QUEUED);
  CU_ASSERT(runs(b.j)); /* a service is always logged on */
  fake_run(b.w, S(100));
  CHECK_EQ(xl_job_state_of(hers), XL_JOB_QUEUED);
  CHECK_EQ(xl_agent_logon(b.dev, alice.sid, true, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, hers, XL_JOB_TRANSFERRED, S(101)));
  CHECK_EQ(xl_ledger_total(xl_file_ledger(xl_job_file(hers, 0))), 1000);
  fake_del(b.w);
}

/* ---- errors ---- */

static void test_error_object(void) {
  bed b = bed_new(&origin_policy);
  xl_file *f = NULL;
  xl_err code;

  CHECK_EQ(xl_job_error(b.j, &code, &f), XL_E_ERROR_INFORMATION_UNAVAILABLE);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_NONE);
  b.o->status = 404;
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(1)));
  CHECK_EQ(notes(b.w, XL_NOTICE_JOB_ERROR), 1);
  CHECK_EQ(xl_job_error(b.j, &code, &f), XL_OK);
  CHECK_EQ(code, XL_E_HTTP(404));
  CHECK_EQ(XL_HRESULT(code), 0x80190194);
  CU_ASSERT(f == b.f);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_REMOTE_FILE);
  CHECK_EQ(fake_progress(b.f).total, XL_SIZE_UNKNOWN);
  b.o->status = 0;
  b.o->down = true;
  xl_job_resume(b.j, b.w->now); /* CONNECTING: still readable */
  CHECK_EQ(xl_job_error(b.j, &code, NULL), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSIENT_ERROR, S(30)));
  CHECK_EQ(xl_job_error(b.j, &code, NULL), XL_OK);
  CHECK_EQ(code, XL_E_CONNECT_FAILURE);
  b.o->down = false;
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRING, S(60)));
  CHECK_EQ(xl_job_error(b.j, &code, &f), XL_E_ERROR_INFORMATION_UNAVAILABLE);
  CU_ASSERT_PTR_NULL(f);
  fake_del(b.w);
}

static void test_error_without_file(void) {
  bed b = bed_new(&origin_policy);
  xl_file *f = b.f;

  xl_job_resume(b.j, 0);
  fake_act(b.w);
  xl_agent_link(b.dev, false, 0);
  CHECK_EQ(xl_job_error_file(b.j, &f), XL_E_FILE_NOT_AVAILABLE);
  CU_ASSERT_PTR_NULL(f);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_GENERAL_TRANSPORT);
  fake_act(b.w);
  fake_del(b.w);
}

static void test_fatal_and_transient(void) {
  static const struct {
    xl_err err;
    xl_job_state state;
  } cases[] = {{XL_E_CONNECTION_CLOSED, XL_JOB_TRANSIENT_ERROR},
               {XL_E_TIMEOUT, XL_JOB_TRANSIENT_ERROR},
               {XL_E_HTTP(503), XL_JOB_TRANSIENT_ERROR},
               {XL_E_ACCESSDENIED, XL_JOB_ERROR},
               {XL_E_MISSING_FILE_SIZE, XL_JOB_ERROR},
               {XL_E_INSUFFICIENT_RANGE_SUPPORT, XL_JOB_ERROR},
               {XL_E_INVALID_RANGE, XL_JOB_ERROR},
               {XL_E_HTTP(403), XL_JOB_ERROR}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bed b = bed_new(&origin_policy);
    xl_action act;
    xl_job_resume(b.j, 0);
    CU_ASSERT(xl_engine_next(b.w->eng, &act));
    xl_agent_ended(b.dev, act.request, XL_END_RESET, cases[i].err, 0, 0, 0);
    CHECK_EQ(xl_job_state_of(b.j), cases[i].state);
    fake_act(b.w);
    CHECK_EQ(notes(b.w, XL_NOTICE_JOB_ERROR), cases[i].state == XL_JOB_ERROR);
    fake_del(b.w);
  }
}

/* ---- progress, times, owner ---- */

static void test_job_progress(void) {
  static const xl_range_spec r[] = {{0, 100}, {500, 50}};
  bed b = bed_new(&origin_policy);
  xl_job_progress p;

  CHECK_EQ(bed_add(b.j, URL, "C:\\g", r, 2, NULL, 0), XL_OK);
  xl_job_resume(b.j, 0);
  fake_act(b.w);
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.total, 1150); /* ranges count what was asked for */
  fake_run(b.w, XL_MS(1050));
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.files_total, 2);
  CHECK_EQ(p.files_transferred, 1);
  CHECK_EQ(p.transferred, 1000);
  xl_file *h = fake_file_add(b.w, b.j, URL, NULL);
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.total, XL_SIZE_UNKNOWN); /* one unknown makes all unknown */
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.total, 2150);
  CHECK_EQ(p.transferred, 2150);
  CHECK_EQ(p.files_transferred, 3);
  CHECK_EQ(fake_progress(h).total, 1000);
  fake_del(b.w);
}

static xl_time modified(const xl_job *j) {
  xl_job_times t;

  xl_job_times_of(j, &t);
  return t.modification;
}

static void test_times(void) {
  fake *w = fake_new();
  xl_job_times t;

  fake_run(w, S(10));
  fake_add_origin(w, URL, 5000, 7);
  w->chunk = 1000;
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  fake_run(w, S(20));
  fake_file_add(w, j, URL, NULL);
  CHECK_EQ(modified(j), S(20));
  fake_run(w, S(30));
  CHECK_EQ(xl_job_set_description(j, "d", w->now), XL_OK);
  CHECK_EQ(modified(j), S(30));
  fake_run(w, S(40));
  xl_job_resume(j, w->now);
  CHECK_EQ(modified(j), S(40));
  fake_run(w, S(43)); /* bytes came at 41, 42, 43 */
  CHECK_EQ(modified(j), S(43));
  xl_job_times_of(j, &t);
  CHECK_EQ(t.creation, S(10));
  CHECK_EQ(t.completion, -1);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(60)));
  fake_run(w, S(100));
  xl_job_times_of(j, &t);
  CHECK_EQ(t.completion, S(45));
  CHECK_EQ(t.modification, S(45));
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  xl_job_times_of(j, &t);
  CHECK_EQ(t.completion, S(45));
  CHECK_EQ(t.modification, S(100));
  fake_del(w);
}

static void test_proxy(void) {
  static const struct {
    xl_proxy p;
    xl_err err;
  } cases[] = {{{(xl_proxy_usage)4, NULL, NULL}, XL_E_NOTIMPL},
               {{XL_PROXY_OVERRIDE, NULL, NULL}, XL_E_INVALIDARG},
               {{XL_PROXY_OVERRIDE, "p:80", "*.corp"}, XL_OK},
               {{XL_PROXY_PRECONFIG, "p:80", NULL}, XL_E_INVALIDARG},
               {{XL_PROXY_NONE, NULL, "x"}, XL_E_INVALIDARG},
               {{XL_PROXY_AUTODETECT, NULL, NULL}, XL_OK},
               {{XL_PROXY_OVERRIDE, "p<80>", NULL}, XL_OK}};
  bed b = bed_new(&origin_policy);
  char list[4100];
  xl_proxy p;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_EQ(xl_job_set_proxy(b.j, &cases[i].p, 0), cases[i].err);
  }
  xl_job_proxy(b.j, &p);
  CHECK_EQ(p.usage, XL_PROXY_OVERRIDE);
  CU_ASSERT_STRING_EQUAL(p.proxies, "p<80>");
  xl_job_resume(b.j, 0); /* what it says is looked at now */
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_INVALID_PROXY_INFO);
  p = (xl_proxy){XL_PROXY_OVERRIDE, repeat(list, 4001), NULL};
  CHECK_EQ(xl_job_set_proxy(b.j, &p, 0), XL_E_PROXY_LIST_TOO_LARGE);
  p = (xl_proxy){XL_PROXY_OVERRIDE, "p", list};
  CHECK_EQ(xl_job_set_proxy(b.j, &p, 0), XL_E_PROXY_BYPASS_LIST_TOO_LARGE);
  p = (xl_proxy){XL_PROXY_OVERRIDE, "p:80; q:80", NULL};
  CHECK_EQ(xl_job_set_proxy(b.j, &p, 0), XL_OK);
  bed_fetch(&b);
  fake_del(b.w);
}

static void test_take_ownership(void) {
  bed b = bed_new(&origin_policy);
  const xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "p"};
  const char *program, *parameters;
  xl_credentials got;
  xl_job *j;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  CHECK_EQ(xl_job_set_credentials(j, &c, 0), XL_OK);
  CHECK_EQ(xl_job_set_command_line(j, "C:\\p.exe", "x", 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_job_owner(j), alice.sid);
  CHECK_EQ(xl_job_take_ownership(j, 0), XL_E_ACCESSDENIED);
  act_as(&b, &root);
  CHECK_EQ(xl_job_take_ownership(j, 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_job_owner(j), root.sid);
  CHECK_EQ(xl_job_owner_elevated(j), true);
  CHECK_EQ(xl_job_credentials(j, XL_AUTH_SERVER, &got), false);
  xl_job_command_line(j, &program, &parameters);
  CU_ASSERT(program == NULL && parameters == NULL);
  act_as(&b, &alice);
  CHECK_EQ(xl_job_set_priority(j, XL_PRIORITY_LOW, 0), XL_E_ACCESSDENIED);
  fake_del(b.w);
}

static void test_access(void) {
  xl_user lesser = alice, high = alice, limited = alice, plain = root;
  bed b = bed_new(&origin_policy);
  xl_job *j, *k;

  high.integrity = XL_INTEGRITY_HIGH;
  high.elevated = true;
  limited.restricted = true;
  plain.elevated = false;
  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  act_as(&b, &bob);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_E_ACCESSDENIED);
  CHECK_EQ(xl_job_cancel(j, 0), XL_E_ACCESSDENIED);
  CHECK_EQ(xl_job_set_security_flags(j, 0, 0), XL_E_ACCESSDENIED);
  act_as(&b, &limited);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_E_ACCESSDENIED);
  act_as(&b, &root);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK); /* R413 */
  act_as(&b, &high);
  CHECK_EQ(xl_job_create(b.dev, "hers", &k, 0), XL_OK);
  lesser.integrity = XL_INTEGRITY_HIGH; /* not elevated */
  act_as(&b, &lesser);
  CHECK_EQ(xl_job_suspend(k, 0), XL_E_ACCESSDENIED);
  act_as(&b, &plain);
  CHECK_EQ(xl_job_suspend(k, 0), XL_E_ACCESSDENIED);
  lesser = high;
  lesser.integrity = XL_INTEGRITY_MEDIUM; /* elevated, of lower integrity */
  act_as(&b, &lesser);
  CHECK_EQ(xl_job_suspend(k, 0), XL_E_ACCESSDENIED);
  act_as(&b, &high);
  CHECK_EQ(xl_job_suspend(k, 0), XL_OK);
  fake_del(b.w);
}

static void test_whole_at_loss(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_resume(b.j, 0), XL_OK);
  fake_act(b.w);
  b.w->now = S(5); /* the last byte came a while ago, and was not yet told */
  xl_agent_link(b.dev, false, b.w->now);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  CHECK_EQ(fake_progress(b.f).transferred, 1000);
  fake_act(b.w);
  fake_del(b.w);
}

/* ---- notices ---- */

static void test_disable(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x1f, 0), XL_OK);
  bed_fetch(&b);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 0);
  xl_job *other = bed_job(&b, URL);
  CHECK_EQ(xl_job_set_notify_flags(other, XL_NOTIFY_JOB_ERROR, b.w->now),
           XL_OK);
  xl_job_resume(other, b.w->now);
  CU_ASSERT(fake_until(b.w, other, XL_JOB_TRANSFERRED, S(30)));
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 0);
  fake_del(b.w);
}

static void test_order(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, URL, NULL);

  CHECK_EQ(xl_job_set_notify_flags(b.j, 0x13, 0), XL_OK);
  CHECK_EQ(xl_job_set_notify_interface(b.j, true, 0), XL_OK);
  bed_fetch(&b);
  fake_run(b.w, b.w->now + S(1));
  CHECK_EQ(b.w->nnotes, 1); /* one at a time */
  CHECK_EQ(b.w->notes[0].notice, XL_NOTICE_FILE_TRANSFERRED);
  CU_ASSERT(b.w->notes[0].file == b.f);
  xl_job_notified(b.j, true, b.w->now);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 2);
  CHECK_EQ(b.w->notes[1].notice, XL_NOTICE_FILE_TRANSFERRED);
  CU_ASSERT(b.w->notes[1].file == g);
  xl_job_notified(b.j, true, b.w->now);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 3);
  CHECK_EQ(b.w->notes[2].notice, XL_NOTICE_JOB_TRANSFERRED);
  xl_job_notified(b.j, true, b.w->now);
  fake_run(b.w, b.w->now + XL_HOUR(1));
  CHECK_EQ(b.w->nnotes, 3);
  fake_del(b.w);
}

static void test_repeated(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_notify_interface(b.j, true, 0), XL_OK);
  b.o->status = 404;
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(1)));
  fake_run(b.w, S(1));
  CHECK_EQ(b.w->nnotes, 1);
  fake_run(b.w, S(600)); /* nobody answers */
  uint32_t n = b.w->nnotes;
  CU_ASSERT(n > 2);
  xl_job_notified(b.j, false, b.w->now);
  fake_run(b.w, S(1200));
  CU_ASSERT(b.w->nnotes > n);
  n = b.w->nnotes;
  CHECK_EQ(notes(b.w, XL_NOTICE_JOB_ERROR), n);
  xl_job_notified(b.j, true, b.w->now);
  fake_run(b.w, S(3600));
  CHECK_EQ(b.w->nnotes, n);
  fake_del(b.w);
}

static void test_four_at_once(void) {
  bed b = bed_new(&origin_policy);
  xl_job *jobs[6], *his;

  b.o->status = 404;
  act_as(&b, &alice);
  for (int i = 0; i < 6; i++) {
    CHECK_EQ(xl_job_create(b.dev, "j", &jobs[i], 0), XL_OK);
    CHECK_EQ(bed_add(jobs[i], URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
    CHECK_EQ(xl_job_set_notify_interface(jobs[i], true, 0), XL_OK);
    xl_job_resume(jobs[i], 0);
  }
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 4);
  act_as(&b, &bob); /* another user has four of his own */
  CHECK_EQ(xl_job_create(b.dev, "j", &his, 0), XL_OK);
  CHECK_EQ(bed_add(his, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_notify_interface(his, true, 0), XL_OK);
  xl_job_resume(his, 0);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 5);
  act_as(&b, &alice);
  xl_job_notified(jobs[1], true, 0);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 6);
  CHECK_EQ(xl_job_cancel(jobs[2], 0), XL_OK); /* nothing to tell any more */
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 7);
  for (int i = 4; i < 6; i++) {
    xl_job_notified(jobs[i], true, 0);
  }
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 7);
  fake_del(b.w);
}

static void test_modification(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_notify_flags(b.j, XL_NOTIFY_JOB_MODIFICATION, 0), XL_OK);
  CHECK_EQ(xl_job_set_notify_interface(b.j, true, 0), XL_OK);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 1); /* the call itself */
  xl_job_notified(b.j, true, 0);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 1);
  xl_job_set_description(b.j, "d", 0);
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 2);
  xl_job_notified(b.j, true, 0);
  xl_job_resume(b.j, 0);
  fake_act(b.w);
  xl_job_notified(b.j, true, 0);
  uint32_t n = b.w->nnotes;
  fake_run(b.w, XL_MS(150)); /* bytes */
  CHECK_EQ(b.w->nnotes, n + 1);
  CHECK_EQ(notes(b.w, XL_NOTICE_JOB_MODIFICATION), n + 1);
  fake_run(b.w, XL_MS(990)); /* not answered: the next ones are dropped */
  CHECK_EQ(b.w->nnotes, n + 1);
  fake_del(b.w);
}

static void test_earlier_event(void) {
  bed b = bed_new(&origin_policy);

  bed_fetch(&b);
  fake_act(b.w);
  b.w->nnotes = 0;
  CU_ASSERT(!xl_job_notify_interface(b.j));
  CHECK_EQ(xl_job_set_notify_interface(b.j, true, b.w->now), XL_OK);
  CU_ASSERT(xl_job_notify_interface(b.j));
  fake_act(b.w);
  CHECK_EQ(b.w->nnotes, 1);
  CHECK_EQ(b.w->notes[0].notice, XL_NOTICE_JOB_TRANSFERRED);
  CHECK_EQ(xl_job_set_notify_interface(b.j, false, b.w->now), XL_OK);
  fake_run(b.w, b.w->now + XL_HOUR(1));
  CHECK_EQ(b.w->nnotes, 1); /* cleared */
  fake_del(b.w);
}

static void test_command(void) {
  bed b = bed_new(&origin_policy);
  char text[4100];
  xl_job *j;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_command_line(j, NULL, "x", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_set_command_line(j, repeat(text, 261), NULL, 0),
           XL_E_STRING_TOO_LONG);
  CHECK_EQ(xl_job_set_command_line(j, "C:\\p", repeat(text, 4001), 0),
           XL_E_STRING_TOO_LONG);
  CHECK_EQ(xl_job_set_command_line(j, "C:\\p", "a b", 0), XL_OK);
  xl_job_resume(j, 0);
  fake_run(b.w, XL_MS(900));
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 0);
  CU_ASSERT(fake_until(b.w, j, XL_JOB_TRANSFERRED, S(10)));
  fake_act(b.w);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 1);
  act_as(&b, &bob);
  CHECK_EQ(xl_job_command_ended(j, false, b.w->now), XL_E_ACCESSDENIED);
  fake_run(b.w, b.w->now + S(1000));
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 1);
  act_as(&b, &alice);
  CHECK_EQ(xl_job_command_ended(j, false, b.w->now), XL_OK);
  xl_time at = b.w->now;
  fake_run(b.w, at + S(600) - 1);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 1);
  fake_run(b.w, at + S(600));
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 2);
  xl_job_command_ended(j, true, b.w->now);
  fake_run(b.w, XL_HOUR(1));
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 2);
  xl_job_command_ended(j, false, b.w->now);
  CHECK_EQ(xl_job_set_command_line(j, NULL, NULL, b.w->now), XL_OK);
  fake_run(b.w, XL_HOUR(2)); /* it was to run again, and is no more */
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 2);
  fake_del(b.w);
}

static void test_command_after_callback(void) {
  bed b = bed_new(&origin_policy);
  xl_job *j;

  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  CHECK_EQ(bed_add(j, URL, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_command_line(j, "C:\\p", NULL, 0), XL_OK);
  CHECK_EQ(xl_job_set_notify_interface(j, true, 0), XL_OK);
  xl_job_resume(j, 0);
  CU_ASSERT(fake_until(b.w, j, XL_JOB_TRANSFERRED, S(10)));
  fake_act(b.w);
  CHECK_EQ(notes(b.w, XL_NOTICE_JOB_TRANSFERRED), 1);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 0);
  act_as(&b, &bob); /* R434: neither well nor badly */
  CHECK_EQ(xl_job_notified(j, false, b.w->now), XL_E_ACCESSDENIED);
  CHECK_EQ(xl_job_notified(j, true, b.w->now), XL_E_ACCESSDENIED);
  fake_act(b.w);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 0);
  act_as(&b, &root);
  CHECK_EQ(xl_job_notified(j, false, b.w->now), XL_OK);
  CHECK_EQ(xl_job_notified(j, false, b.w->now), XL_S_FALSE);
  act_as(&b, &alice);
  fake_act(b.w);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 1);
  act_as(&b, NULL); /* never for a service */
  CHECK_EQ(xl_job_set_command_line(b.j, "C:\\p", NULL, b.w->now), XL_OK);
  xl_job_resume(b.j, b.w->now);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  fake_act(b.w);
  CHECK_EQ(notes(b.w, XL_NOTICE_COMMAND), 1);
  fake_del(b.w);
}

/* ---- 4.4: scheduling ---- */

static void test_schedule(void) { /* T32 */
  bed b = bed_new(&origin_policy);
  xl_job *high, *fg, *low;

  b.o->size = 100000;
  fake_origin *o2 = fake_add_origin(b.w, URL2, 100000, 7);
  high = bed_job(&b, URL2);
  fg = bed_job(&b, URL);
  low = bed_job(&b, URL);
  CHECK_EQ(xl_job_set_priority(low, XL_PRIORITY_LOW, 0), XL_OK);
  xl_job_resume(low, 0);
  CU_ASSERT(runs(low));
  xl_job_resume(b.j, 0);
  CU_ASSERT(runs(b.j) && !runs(low));
  xl_job_resume(high, 0);
  CU_ASSERT(runs(b.j) && !runs(high));
  fake_run(b.w, S(1));
  CHECK_EQ(xl_job_set_priority(high, XL_PRIORITY_HIGH, b.w->now), XL_OK);
  CU_ASSERT(runs(high));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_QUEUED);
  CHECK_EQ(xl_job_set_priority(fg, XL_PRIORITY_FOREGROUND, b.w->now), XL_OK);
  xl_job_resume(fg, b.w->now);
  CU_ASSERT(runs(fg) && runs(high));
  fake_run(b.w, S(2));
  o2->status = 503;
  xl_job_suspend(high, b.w->now);
  fake_act(b.w);
  xl_job_resume(high, b.w->now);
  CU_ASSERT(fake_until(b.w, high, XL_JOB_TRANSIENT_ERROR, S(3)));
  CU_ASSERT(runs(b.j) && runs(fg) && !runs(low));
  fake_del(b.w);
}

static void test_five_foreground(void) {
  bed b = bed_new(&origin_policy);
  xl_job *jobs[5];
  uint32_t n = 0;

  b.o->size = 10000;
  for (int i = 0; i < 5; i++) {
    jobs[i] = bed_job(&b, URL);
    CHECK_EQ(xl_job_set_priority(jobs[i], XL_PRIORITY_FOREGROUND, 0), XL_OK);
    xl_job_resume(jobs[i], 0);
  }
  xl_job *second = bed_job(&b, URL);
  xl_job_resume(b.j, 0);
  xl_job_resume(second, 0);
  fake_run(b.w, S(1));
  for (int i = 0; i < 5; i++) {
    n += runs(jobs[i]);
  }
  CHECK_EQ(n, 5);
  CHECK_EQ(runs(b.j) + runs(second), 1);
  fake_del(b.w);
}

static void test_slices(void) { /* T33 */
  xl_engine_cfg cfg = xl_engine_cfg_default();
  cfg.time_slice = S(5);
  fake *w = fake_new_cfg(&cfg);
  xl_agent *dev = fake_add_agent(w, &origin_policy, 0);
  xl_job *a = fake_job(w, dev), *c = fake_job(w, dev);

  fake_add_origin(w, URL, 12000, 7);
  w->chunk = 100;
  fake_file_add(w, a, URL, NULL);
  fake_file_add(w, c, URL, NULL);
  xl_job_resume(a, 0);
  xl_job_resume(c, 0);
  for (int s = 0; s < 20; s++) {
    fake_run(w, S(s) + XL_MS(500));
    CHECK_EQ(runs(a), s / 5 % 2 == 0);
    CHECK_EQ(runs(c), s / 5 % 2 == 1);
  }
  CU_ASSERT(fake_until(w, c, XL_JOB_TRANSFERRED, S(40)));
  CHECK_EQ(xl_ledger_total(xl_file_ledger(xl_job_file(a, 0))), 12000);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(xl_job_file(c, 0))), 12000);
  fake_del(w);
}

static void test_background_flag(void) {
  bed b = bed_new(&origin_policy);
  xl_action act;

  xl_job_resume(b.j, 0);
  CU_ASSERT(xl_engine_next(b.w->eng, &act));
  CHECK_EQ(act.background, true);
  xl_job *fg = bed_job(&b, URL);
  CHECK_EQ(xl_job_set_priority(fg, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  xl_job_resume(fg, 0);
  CU_ASSERT(xl_engine_next(b.w->eng, &act));
  CU_ASSERT(act.job == fg);
  CHECK_EQ(act.background, false);
  fake_del(b.w);
}

static void test_no_range_support(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_priority(b.j, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  b.o->ignores_ranges = true;
  bed_fetch(&b); /* whole, in one go */
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  xl_job *j = bed_job(&b, URL);
  b.o->cut = 400;
  CHECK_EQ(xl_job_set_priority(j, XL_PRIORITY_FOREGROUND, b.w->now), XL_OK);
  CHECK_EQ(xl_job_set_min_retry_delay(j, 5, b.w->now), XL_OK);
  xl_job_resume(j, b.w->now);
  CU_ASSERT(fake_until(b.w, j, XL_JOB_ERROR, S(30)));
  CHECK_EQ(fake_error(j), XL_E_INSUFFICIENT_RANGE_SUPPORT);
  fake_del(b.w);
}

/* ---- 4.5: limits in time ---- */

static void test_inactivity(void) {
  bed b = bed_new(&origin_policy);

  fake_run(b.w, XL_DAY(60));
  CHECK_EQ(xl_job_set_description(b.j, "still here", b.w->now), XL_OK);
  fake_run(b.w, XL_DAY(150) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_SUSPENDED);
  fake_run(b.w, XL_DAY(150));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_CANCELLED);
  fake_del(b.w);
}

static void test_inactivity_policy(void) {
  bed b = bed_new(&origin_policy);
  xl_limits l = xl_limits_default();

  l.inactivity_s = 86400 - 1;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_E_INVALIDARG);
  l.inactivity_s = 999 * 86400 + 1;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_E_INVALIDARG);
  bed_fetch(&b); /* a finished job that nobody completes, at 1 s */
  l.inactivity_s = 86400;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, b.w->now), XL_OK);
  fake_run(b.w, XL_DAY(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  fake_run(b.w, XL_DAY(1) + S(1));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_CANCELLED);
  CHECK_EQ(b.w->ndiscarded, 1);
  fake_del(b.w);
}

static void test_inactivity_wins(void) { /* R422 */
  bed b = bed_new(&origin_policy);
  xl_limits l = xl_limits_default();

  l.inactivity_s = 2 * 86400;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 5 * 86400, 0), XL_OK);
  b.o->status = 503;
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_DAY(2) - 1);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSIENT_ERROR);
  fake_run(b.w, XL_DAY(2));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_CANCELLED);
  fake_del(b.w);
}

static void test_download_policy(void) { /* R451 */
  bed b = bed_new(&origin_policy);
  xl_limits l = xl_limits_default();
  xl_job *own = bed_job(&b, URL);

  l.max_download_s = 10;
  CHECK_EQ(xl_agent_set_limits(b.dev, &l, 0), XL_OK);
  CHECK_EQ(xl_job_set_max_download_time(own, 30, 0), XL_OK);
  CHECK_EQ(xl_job_set_priority(b.j, XL_PRIORITY_FOREGROUND, 0), XL_OK);
  b.o->size = 20000;
  xl_job_resume(b.j, 0);
  xl_job_resume(own, 0);
  fake_run(b.w, S(10) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, S(10));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_MAXDOWNLOAD_TIMEOUT);
  CU_ASSERT(fake_until(b.w, own, XL_JOB_TRANSFERRED, S(25)));
  fake_del(b.w);
}

TEST_SUITE(
    "conformance job",
    {"T1 T2 R402: a new job is suspended and empty", test_new},
    {"R404 R415 R423: every call in every state does what 4.2 says (design)",
     test_table},
    {"R401 R403 R511: final states forbid every change and vanish", test_final},
    {"R405: a refused connection is transient", test_refused},
    {"T35 R406 R424 R428: all wait for the link and go on with it", test_link},
    {"R407: files go one after another, an error stops all",
     test_one_after_another},
    {"R410: names have a length, identities are unique and stay", test_create},
    {"R410 R452 R453 R456: jobs are limited for users only", test_job_limits},
    {"R411: a user sees its own jobs, an administrator all", test_get_and_enum},
    {"T15 R412 R454 R456: a user's job has 200 files at most",
     test_files_limit},
    {"R412: AddFileSet adds all or none", test_file_set},
    {"R412: AddFileSet adds none beyond the limit", test_file_set_limit},
    {"R413: files are added to a transferred job, and fetched by Resume",
     test_add_later},
    {"R414: Cancel deletes, and says what it could not", test_cancel},
    {"T31 R415 R417: Complete keeps what is finished, for its caller",
     test_partial},
    {"R418: Complete with nothing finished is partial (design)",
     test_nothing_finished},
    {"R419: names have 256 characters, descriptions 1,024", test_texts},
    {"T21 R420 R425: undefined values are E_NOTIMPL", test_undefined_values},
    {"T22 R421 R428: a delay below 5 s is 5 s; each 503 counts (design)",
     test_retry_delay},
    {"T23 R422 R427: timeout 0 never retries", test_never_retried},
    {"T24 R421: a delay above the timeout is never waited for",
     test_delay_above_timeout},
    {"R422: no progress counts from the first error, bytes reset it",
     test_progress_resets},
    {"T26 R423: Resume does not wait", test_resume_skips},
    {"R424 R428: a locked volume waits for the volume", test_volume_locked},
    {"R424: the clock of no progress stands while it waits (design)",
     test_clock_stands},
    {"R457 R424: a bandwidth of 0 blocks the background until the window ends",
     test_bandwidth},
    {"R457: a weekly schedule by priority; maintenance before work, and over "
     "midnight",
     test_weekly_bandwidth},
    {"R457 R424: a priority of rate 0 is blocked, the others run",
     test_bandwidth_of_priority},
    {"R458: cost flags act at once", test_cost},
    {"R458: power, games and memory stop jobs and let them go on", test_power},
    {"R435: jobs run while their owner is logged on", test_logon},
    {"T25 R429: the error is there until bytes come again (design)",
     test_error_object},
    {"R429: an error without a file says so", test_error_without_file},
    {"R460: transient failures are retried, fatal ones told",
     test_fatal_and_transient},
    {"R430: the sum of the files, unknown if one is", test_job_progress},
    {"R431: times of creation, change and end", test_times},
    {"R432: the proxy matrix at the call, the list at run time", test_proxy},
    {"R433: an administrator takes a job without its secrets",
     test_take_ownership},
    {"R434 R413: owner, elevation and integrity guard a job", test_access},
    {"R406: a file whose last byte had come when the network went is done",
     test_whole_at_loss},
    {"R425: DISABLE wins, flags choose", test_disable},
    {"R427: files are told before the job, one at a time", test_order},
    {"R427: a notice is repeated until it is answered", test_repeated},
    {"R427: four notices at once for a user", test_four_at_once},
    {"R427: changes are told, and dropped while one is being told",
     test_modification},
    {"R426: what happened earlier is told; NULL clears", test_earlier_event},
    {"R470 R434: the command runs at the end, and again if it fails",
     test_command},
    {"R470 R434: with a callback the command runs when that fails",
     test_command_after_callback},
    {"T32 R440 R441: priorities pre-empt, foreground runs beside",
     test_schedule},
    {"R440: all foreground jobs and one other", test_five_foreground},
    {"T33 R442 R443: equal jobs take turns (design)", test_slices},
    {"R444: background requests are marked to yield", test_background_flag},
    {"R445: without ranges a file comes whole, or not at all",
     test_no_range_support},
    {"R450: 90 days without a change cancel a job", test_inactivity},
    {"R450: the policy has 1 to 999 days", test_inactivity_policy},
    {"R422 R450: inactivity ends a job before a longer timeout",
     test_inactivity_wins},
    {"R451 R508: the policy's download time, unless the job has its own",
     test_download_policy})
