/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of files: bits-semantics 1, 2 and 3. */
#include "bed.h"

static const char *same(const char *a, const char *b) {
  return strcmp(a, b) == 0 ? "same" : a;
}

/* ---- 1: names and progress ---- */

static void test_names(void) {
  bed b = bed_new(&origin_policy);
  xl_file *f;

  CHECK_EQ(bed_add(b.j, "http://W/Dir%20X/F.Bin?q=%41", "C:\\Dir%20X\\f.Bin",
                   NULL, 0, &f, 0),
           XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(f),
                         "http://W/Dir%20X/F.Bin?q=%41");
  CU_ASSERT_STRING_EQUAL(xl_file_local_name(f), "C:\\Dir%20X\\f.Bin");
  fake_del(b.w);
}

static void test_names_change(void) {
  bed b = bed_new(&origin_policy);

  fake_add_origin(b.w, URL2, 1000, 7);
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, 0), XL_OK);
  bed_fetch(&b);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(b.f), URL2);
  CU_ASSERT_STRING_EQUAL(xl_file_local_name(b.f), "C:\\file");
  fake_del(b.w);
}

static char *repeat(char *buf, const char *head, char c, size_t total) {
  size_t n = strlen(head);

  memcpy(buf, head, n);
  memset(buf + n, c, total - n);
  buf[total] = '\0';
  return buf;
}

static void test_remote_names(void) {
  bed b = bed_new(&origin_policy);
  char buf[2300];
  static const char *const bad[] = {"",           "ftp://w/a", "w/a",
                                    "http://w/*", "http://",   "http://w/a b"};
  static const char *const good[] = {"http://w/a", "HTTPS://w/a",
                                     "\\\\server\\share\\a", "file://s/a"};

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_EQ(bed_add(b.j, bad[i], "C:\\f", NULL, 0, NULL, 0), XL_E_INVALIDARG);
  }
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CHECK_EQ(bed_add(b.j, good[i], "C:\\f", NULL, 0, NULL, 0), XL_OK);
  }
  repeat(buf, "http://w/", 'x', 9 + 260);
  CHECK_EQ(bed_add(b.j, buf, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  repeat(buf, "http://w/", 'x', 9 + 261);
  CHECK_EQ(bed_add(b.j, buf, "C:\\f", NULL, 0, NULL, 0), XL_E_INVALIDARG);
  repeat(buf, "http://w/", '/', 2200);
  CHECK_EQ(bed_add(b.j, buf, "C:\\f", NULL, 0, NULL, 0), XL_OK);
  repeat(buf, "http://w/", '/', 2201);
  CHECK_EQ(bed_add(b.j, buf, "C:\\f", NULL, 0, NULL, 0), XL_E_INVALIDARG);
  fake_del(b.w);
}

static void test_local_names(void) {
  bed b = bed_new(&origin_policy);
  char buf[300];
  static const char *const bad[] = {
      "",           "f",          "dir\\f",       "C:f",         "C:\\",
      "C:\\f*.txt", "C:\\f?.txt", "\\\\?\\C:\\f", "C:\\f:stream"};
  static const char *const good[] = {"C:\\f", "c:/d/f", "\\\\s\\share\\f",
                                     "/data/f"};

  CHECK_EQ(bed_add(b.j, URL, NULL, NULL, 0, NULL, 0), XL_E_INVALIDARG);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_EQ(bed_add(b.j, URL, bad[i], NULL, 0, NULL, 0), XL_E_INVALIDARG);
  }
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    CHECK_EQ(bed_add(b.j, URL, good[i], NULL, 0, NULL, 0), XL_OK);
  }
  CHECK_EQ(bed_add(b.j, URL, repeat(buf, "C:\\", 'x', 260), NULL, 0, NULL, 0),
           XL_OK);
  CHECK_EQ(bed_add(b.j, URL, repeat(buf, "C:\\", 'x', 261), NULL, 0, NULL, 0),
           XL_E_INVALIDARG);
  fake_del(b.w);
}

static void test_folder_not_writable(void) {
  bed b = bed_new(&origin_policy);
  static const xl_range_spec r[] = {{0, 10}};

  b.w->no_access = "C:\\Windows\\";
  CHECK_EQ(bed_add(b.j, URL, "C:\\Windows\\f", NULL, 0, NULL, 0),
           XL_E_ACCESSDENIED);
  CHECK_EQ(bed_add(b.j, URL, "C:\\Windows\\f", r, 1, NULL, 0),
           XL_E_ACCESSDENIED);
  CHECK_EQ(xl_job_nfiles(b.j), 1);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 1, NULL, 0), XL_OK);
  fake_del(b.w);
}

static void test_before_size(void) {
  bed b = bed_new(&origin_policy);
  xl_job_progress p;

  CHECK_EQ(fake_progress(b.f).total, XL_SIZE_UNKNOWN);
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  CHECK_EQ(fake_progress(b.f).completed, false);
  xl_job_progress_of(b.j, &p);
  CHECK_EQ(p.total, XL_SIZE_UNKNOWN);
  xl_job_resume(b.j, 0);
  fake_act(b.w);
  CHECK_EQ(fake_progress(b.f).total, 1000);
  fake_del(b.w);
}

static void test_size_not_found(void) {
  bed b = bed_new(&origin_policy);

  b.o->status = 404;
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(1)));
  CHECK_EQ(fake_progress(b.f).total, XL_SIZE_UNKNOWN);
  fake_del(b.w);
}

static void test_range_totals(void) {
  static const xl_range_spec known[] = {{100, 100}, {900, 50}};
  static const xl_range_spec open[] = {{100, 100}, {993, XL_LENGTH_TO_EOF}};
  bed b = bed_new(&origin_policy);
  xl_file *k, *o;

  CHECK_EQ(bed_add(b.j, URL, "C:\\k", known, 2, &k, 0), XL_OK);
  CHECK_EQ(bed_add(b.j, URL, "C:\\o", open, 2, &o, 0), XL_OK);
  CHECK_EQ(fake_progress(k).total, 150);
  CHECK_EQ(fake_progress(o).total, XL_SIZE_UNKNOWN);
  bed_fetch(&b);
  CHECK_EQ(fake_progress(k).total, 150);
  CHECK_EQ(fake_progress(o).total, 107);
  CHECK_EQ(fake_progress(o).transferred, 107);
  fake_del(b.w);
}

static void test_transferred_is_readable(void) {
  bed b = bed_new(&origin_policy);

  xl_job_resume(b.j, 0);
  for (int ms = 50; ms < 1000; ms += 100) {
    fake_run(b.w, XL_MS(ms));
    xl_bytes n = fake_progress(b.f).transferred;
    CHECK_EQ(n, ms / 100 * 100);
    CU_ASSERT(fake_is_whole(b.w, b.f, n, 7));
  }
  fake_del(b.w);
}

static void test_time_stamp_changes(void) {
  bed b = bed_new(&origin_policy);

  b.o->cut = 500;
  xl_job_set_min_retry_delay(b.j, 5, 0);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSIENT_ERROR, S(2)));
  CHECK_EQ(fake_progress(b.f).transferred, 500);
  b.o->cut = 0;
  b.o->mtime = 8;
  fake_run(b.w, S(5) + XL_MS(550)); /* the new attempt began at 5.5 s */
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(20)));
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 8));
  CHECK_EQ(xl_file_ledger(b.f)->bytes[XL_CLASS_RESTARTED], 500);
  fake_del(b.w);
}

static void test_completed(void) {
  bed b = bed_new(&origin_policy);

  bed_fetch(&b);
  CHECK_EQ(fake_progress(b.f).transferred, fake_progress(b.f).total);
  CHECK_EQ(fake_progress(b.f).completed, false);
  CHECK_EQ(b.w->nhanded, 0);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).completed, true);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(b.w->nhanded, 1);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  CHECK_EQ(xl_file_version(b.f).mtime_s, 7);
  fake_del(b.w);
}

static void test_complete_in_part(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, URL, NULL);

  bed_fetch(&b);
  b.w->no_name = b.f;
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_E_DESTINATION_LOCKED);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  CHECK_EQ(fake_progress(b.f).completed, false);
  CHECK_EQ(fake_progress(g).completed, true);
  b.w->no_name = NULL;
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).completed, true);
  CHECK_EQ(b.w->nhanded, 2); /* none twice */
  fake_del(b.w);
}

static void test_completed_and_invalid(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, URL, NULL);

  bed_fetch(&b);
  b.w->no_name = b.f;
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_E_DESTINATION_LOCKED);
  b.w->no_name = NULL;
  CHECK_EQ(xl_file_set_validation(g, false, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(g).completed, false);
  CHECK_EQ(xl_job_resume(b.j, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, b.w->now + S(60)));
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(b.w->nhanded, 3);
  CHECK_EQ(b.w->handed[0] == g, true);
  fake_del(b.w);
}

static void test_empty(void) {
  bed b = bed_new(&origin_policy);

  b.o->size = 0;
  bed_fetch(&b);
  CHECK_EQ(fake_progress(b.f).total, 0);
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  CHECK_EQ(fake_progress(b.f).completed, false);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).completed, true);
  fake_del(b.w);
}

static void test_enumerator(void) {
  bed b = bed_new(&origin_policy);
  xl_file *v[4];
  uint32_t n = 9;

  fake_add_origin(b.w, URL2, 1000, 7);
  fake_file_add(b.w, b.j, URL2, NULL);
  xl_file_enum e = xl_job_enum_files(b.j);
  fake_file_add(b.w, b.j, URL2, NULL); /* not in the list */
  bed_fetch(&b);
  CHECK_EQ(xl_file_enum_next(&e, 1, v, NULL), XL_OK);
  CU_ASSERT(v[0] == b.f);
  CHECK_EQ(fake_progress(v[0]).transferred, 1000); /* live */
  CHECK_EQ(xl_file_enum_next(&e, 2, v, NULL), XL_E_INVALIDARG);
  CHECK_EQ(xl_file_enum_next(&e, 3, v, &n), XL_S_FALSE);
  CHECK_EQ(n, 1);
  CU_ASSERT(v[0] == xl_job_file(b.j, 1));
  CHECK_EQ(xl_file_enum_next(&e, 1, v, NULL), XL_S_FALSE);
  e = xl_job_enum_files(b.j);
  CHECK_EQ(xl_file_enum_next(&e, 3, v, &n), XL_OK);
  CHECK_EQ(n, 3);
  fake_del(b.w);
}

/* ---- 2: ranges ---- */

static void test_ranges_back(void) {
  static const xl_range_spec r[] = {
      {400, 100}, {100, 100}, {900, XL_LENGTH_TO_EOF}};
  bed b = bed_new(&origin_policy);
  const xl_range_spec *got;
  uint32_t n = 9;
  xl_file *f;

  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 3, &f, 0), XL_OK);
  bed_fetch(&b);
  CHECK_EQ(xl_file_ranges(f, &got, &n), XL_OK);
  CHECK_EQ(n, 3);
  for (uint32_t i = 0; i < 3 && n == 3; i++) {
    CHECK_EQ(got[i].offset, r[i].offset);
    CHECK_EQ(got[i].length, r[i].length);
  }
  CHECK_EQ(xl_file_ranges(b.f, &got, &n), XL_S_FALSE);
  CHECK_EQ(n, 0);
  CU_ASSERT_PTR_NULL(got);
  fake_del(b.w);
}

static void test_range_calls(void) {
  static const struct {
    xl_range_spec r[2];
    uint32_t n;
    xl_err err;
  } cases[] = {{{{100, 100}, {150, 10}}, 2, XL_E_OVERLAPPING_RANGES},
               {{{100, 5}, {100, 5}}, 2, XL_E_OVERLAPPING_RANGES},
               {{{150, 10}, {100, 100}}, 2, XL_E_OVERLAPPING_RANGES},
               {{{0, 0}}, 0, XL_E_INVALIDARG},
               {{{XL_LENGTH_TO_EOF, 5}}, 1, XL_E_INVALID_RANGE},
               {{{100, 100}, {200, 100}}, 2, XL_OK}};
  bed b = bed_new(&origin_policy);

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t had = xl_job_nfiles(b.j);
    CHECK_EQ(bed_add(b.j, URL, "C:\\f", cases[i].r, cases[i].n, NULL, 0),
             cases[i].err);
    CHECK_EQ(xl_job_nfiles(b.j), had + (cases[i].err == XL_OK));
  }
  CHECK_EQ(bed_add(b.j, URL, "f", cases[5].r, 2, NULL, 0), XL_E_INVALIDARG);
  CHECK_EQ(bed_add(b.j, "gopher://w", "C:\\f", cases[5].r, 2, NULL, 0),
           XL_E_INVALIDARG);
  xl_job_cancel(b.j, 0);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", cases[5].r, 2, NULL, 0),
           XL_E_INVALID_STATE);
  fake_del(b.w);
}

static void test_length_zero(void) {
  static const xl_range_spec one[] = {{5, 0}}, two[] = {{100, 5}, {100, 0}};
  bed b = bed_new(&origin_policy);

  CHECK_EQ(bed_add(b.j, URL, "C:\\f", one, 1, NULL, 0), XL_E_INVALID_RANGE);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", two, 2, NULL, 0), XL_E_INVALID_RANGE);
  fake_del(b.w);
}

static void test_range_limit(void) {
  bed b = bed_new(&origin_policy);
  xl_range_spec many[501];

  for (uint32_t i = 0; i < 501; i++) {
    many[i] = (xl_range_spec){2 * i, 1};
  }
  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "own", &b.j, 0), XL_OK);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", many, 501, NULL, 0),
           XL_E_TOO_MANY_RANGES_IN_FILE);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", many, 500, NULL, 0), XL_OK);
  act_as(&b, &root);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", many, 501, NULL, 0), XL_OK);
  CHECK_EQ(bed_add(b.j, "file://s/a", "C:\\f", many, 5, NULL, 0),
           XL_E_INVALIDARG);
  CHECK_EQ(bed_add(b.j, "\\\\s\\a", "C:\\f", many, 5, NULL, 0),
           XL_E_INVALIDARG);
  fake_del(b.w);
}

static void test_layout(void) {
  static const xl_range_spec r[] = {{100, 100}, {900, 100}, {400, 100}};
  bed b = bed_new(&origin_policy);
  xl_file *f;

  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 3, &f, 0), XL_OK);
  bed_fetch(&b);
  CHECK_EQ(fake_progress(f).total, 300);
  const unsigned char *bytes = fake_file_of(b.w, f, 300)->bytes;
  for (uint32_t i = 0; i < 300; i++) {
    CHECK_EQ(bytes[i], content_byte(7, r[i / 100].offset + i % 100));
  }
  fake_del(b.w);
}

static void test_touching(void) {
  static const xl_range_spec r[] = {{100, 100}, {200, 100}};
  bed b = bed_new(&origin_policy);
  xl_file *f;

  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 2, &f, 0), XL_OK);
  bed_fetch(&b);
  CHECK_EQ(fake_progress(f).transferred, 200);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(f)), 200);
  fake_del(b.w);
}

static void test_range_outside(void) {
  static const xl_range_spec r[] = {{1001, 10}};
  bed b = bed_new(&origin_policy);
  xl_file *f, *bad;

  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 1, &f, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(5)));
  CHECK_EQ(fake_error(b.j), XL_E_INVALID_RANGE);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_REMOTE_FILE);
  CHECK_EQ(xl_job_error_file(b.j, &bad), XL_OK);
  CU_ASSERT(bad == f);
  fake_del(b.w);
}

static void test_ranges_ignored(void) {
  static const xl_range_spec r[] = {{100, 10}};
  bed b = bed_new(&origin_policy);

  b.o->ignores_ranges = true;
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 1, NULL, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(5)));
  CHECK_EQ(fake_error(b.j), XL_E_INSUFFICIENT_RANGE_SUPPORT);
  fake_del(b.w);
}

/* ---- 2.3: remote names ---- */

/* Half of the file from the first server, then another one. */
static bed half_then(xl_bytes size, int64_t mtime, bool ignores) {
  bed b = bed_new(&origin_policy);
  fake_origin *o = fake_add_origin(b.w, URL2, size, mtime);

  o->ignores_ranges = ignores;
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(550));
  xl_job_suspend(b.j, b.w->now);
  fake_act(b.w);
  CHECK_EQ(fake_progress(b.f).transferred, 550);
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_OK);
  bed_fetch(&b);
  return b;
}

static void test_same_goes_on(void) {
  bed b = half_then(1000, 7, false);
  bool first = true;

  for (uint32_t i = 0; i < b.w->nlog; i++) {
    const fake_request *r = &b.w->log[i];
    if (r->origin == 1 && r->kind == XL_ACT_GET && first) {
      CHECK_EQ(r->offset, 550);
      first = false;
    }
  }
  CU_ASSERT(!first);
  CHECK_EQ(xl_ledger_total(xl_file_ledger(b.f)), 1000);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_other_restarts(void) {
  static const struct {
    xl_bytes size;
    int64_t mtime;
    bool ignores;
  } cases[] = {{1000, 8, false}, {900, 7, false}, {1000, 7, true}};

  for (int i = 0; i < 3; i++) {
    bed b = half_then(cases[i].size, cases[i].mtime, cases[i].ignores);
    CHECK_EQ(xl_file_restarts(b.f), 1);
    CHECK_EQ(xl_file_mirror_bytes(b.f, 1), cases[i].size);
    CHECK_EQ(xl_file_ledger(b.f)->bytes[XL_CLASS_RESTARTED], 550);
    CHECK_EQ(xl_job_error_count(b.j), 0);
    CU_ASSERT(fake_is_whole(b.w, b.f, cases[i].size, cases[i].mtime));
    fake_del(b.w);
  }
}

static void test_done_not_again(void) {
  bed b = bed_new(&origin_policy);
  fake_origin *o2 = fake_add_origin(b.w, URL2, 1000, 9);

  fake_file_add(b.w, b.j, URL, NULL);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(1500));
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(o2->gets + o2->heads, 0);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_set_remote_errors(void) {
  bed b = bed_new(&origin_policy);
  char buf[2300];

  fake_add_origin(b.w, URL2, 1000, 7);
  CHECK_EQ(xl_file_set_remote_name(b.f, "", 0), XL_E_INVALIDARG);
  repeat(buf, "http://w/", '/', 2201);
  CHECK_EQ(xl_file_set_remote_name(b.f, buf, 0), XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(same(xl_file_remote_name(b.f), URL), "same");
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(500));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRING);
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(9)));
  CHECK_EQ(xl_file_set_remote_name(b.f, URL, b.w->now), XL_OK);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_file_set_remote_name(b.f, URL2, b.w->now), XL_E_INVALID_STATE);
  fake_del(b.w);
}

static void test_smb_errors(void) {
  static const xl_err errs[] = {XL_E_PATH_NOT_FOUND, XL_E_FILE_NOT_FOUND,
                                XL_E_ACCESSDENIED};

  for (int i = 0; i < 3; i++) {
    bed b = bed_new(&origin_policy);
    xl_action act;
    CHECK_EQ(xl_file_set_remote_name(b.f, "\\\\s\\share\\a", 0), XL_OK);
    xl_job_resume(b.j, 0);
    CU_ASSERT(xl_engine_next(b.w->eng, &act));
    xl_agent_ended(b.dev, act.request, XL_END_CONNECT, errs[i], 0, 0, 0);
    CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
    CHECK_EQ(fake_error(b.j), errs[i]);
    CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_REMOTE_FILE);
    fake_del(b.w);
  }
}

static void test_ranges_stay(void) {
  static const xl_range_spec r[] = {{800, 100}};
  bed b = bed_new(&origin_policy);
  xl_file *f;

  fake_add_origin(b.w, URL2, 850, 7);
  CHECK_EQ(bed_add(b.j, URL, "C:\\f", r, 1, &f, 0), XL_OK);
  CHECK_EQ(xl_file_set_remote_name(f, URL2, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(9)));
  CHECK_EQ(fake_error(b.j), XL_E_INVALID_RANGE);
  fake_del(b.w);
}

/* ---- 3: temporary name, validation, peers ---- */

static void test_temporary_name(void) {
  bed b = bed_new(&origin_policy);
  xl_file *f;
  char first[64];

  CHECK_EQ(bed_add(b.j, URL, "C:\\dir\\sub\\f.bin", NULL, 0, &f, 0), XL_OK);
  const char *t = xl_file_temporary_name(f);
  CHECK_EQ(strncmp(t, "C:\\dir\\sub\\BIT", 14), 0);
  CHECK_EQ(strcmp(t + strlen(t) - 4, ".TMP"), 0);
  strncpy(first, xl_file_temporary_name(b.f), sizeof first - 1);
  CHECK_EQ(strncmp(first, "C:\\BIT", 6), 0);
  CU_ASSERT(strcmp(strrchr(t, '\\'), strrchr(first, '\\')) != 0);
  xl_job *other = bed_job(&b, URL);
  CU_ASSERT(strcmp(xl_file_temporary_name(xl_job_file(other, 0)), first) != 0);
  bed_fetch(&b);
  CU_ASSERT_STRING_EQUAL(xl_file_temporary_name(f), t);
  fake_del(b.w);
}

static void test_pending(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_file_set_validation(b.f, true, 0), XL_E_PENDING);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(950));
  CHECK_EQ(xl_file_set_validation(b.f, false, b.w->now), XL_E_PENDING);
  CHECK_EQ(fake_progress(b.f).transferred, 900);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(2)));
  CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_OK);
  fake_del(b.w);
}

static void test_invalid_from_origin(void) {
  bed b = bed_new(&origin_policy);

  bed_fetch(&b);
  CHECK_EQ(xl_file_set_validation(b.f, false, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_VALIDATION_FAILED);
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  bed_fetch(&b);
  CHECK_EQ(b.o->gets, 2);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_invalid_in_bits3(void) {
  bed b = bed_new(&origin3_policy);

  bed_fetch(&b);
  CHECK_EQ(xl_file_set_validation(b.f, false, b.w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(xl_job_resume(b.j, b.w->now), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_S_PARTIAL_COMPLETE);
  CHECK_EQ(b.o->gets, 1);
  fake_del(b.w);
}

/* Bytes that fail on their way are no verdict of the application. */
static void test_failed_check_in_bits3(void) {
  bed b = bed_new(&origin3_policy);

  b.w->verdict = XL_VERDICT_BAD;
  CHECK_EQ(xl_job_set_no_progress_timeout(b.j, 0, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(10)));
  CHECK_EQ(fake_error(b.j), XL_E_VALIDATION_FAILED);
  b.w->verdict = XL_VERDICT_GOOD;
  CHECK_EQ(xl_job_resume(b.j, b.w->now), XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, b.w->now + S(10)));
  fake_del(b.w);
}

/* A device that holds the file, and a job that may take it from there. */
static bed with_peer(const xl_policy *p) {
  bed b = {.w = fake_new()};
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};

  b.w->chunk = 100;
  b.o = fake_add_origin(b.w, URL, 1000, 7);
  xl_agent *peer = fake_add_agent(b.w, p, 3);
  CHECK_EQ(xl_agent_hold(peer, &info, (xl_version){1000, 7}, 0), XL_OK);
  b.dev = fake_add_agent(b.w, p, 3);
  b.j = fake_job(b.w, b.dev);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  CHECK_EQ(xl_job_set_peercaching(b.j, 3, 0), XL_OK);
  return b;
}

static uint32_t count_notes(const fake *w, xl_notice n) {
  uint32_t sum = 0;

  for (uint32_t i = 0; i < w->nnotes; i++) {
    sum += w->notes[i].notice == n;
  }
  return sum;
}

/* Answers notices until |until|. */
static void run_answering(fake *w, xl_job *j, xl_time until) {
  uint32_t seen = w->nnotes;

  while (fake_step(w, until)) {
    for (; seen < w->nnotes; seen++) {
      xl_job_notified(j, true, w->now);
    }
  }
}

static uint32_t refetch(const xl_policy *p, xl_flavour flavour) {
  xl_policy own = *p;
  own.flavour = flavour;
  bed b = with_peer(&own);

  CHECK_EQ(xl_job_set_notify_flags(b.j, XL_NOTIFY_FILE_TRANSFERRED, 0), XL_OK);
  CHECK_EQ(xl_job_set_notify_interface(b.j, true, 0), XL_OK);
  xl_job_resume(b.j, 0);
  run_answering(b.w, b.j, S(100));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  CHECK_EQ(xl_file_from_peer(b.f), true);
  CHECK_EQ(b.o->gets, 0);
  CHECK_EQ(xl_file_set_validation(b.f, false, b.w->now), XL_OK);
  CHECK_EQ(fake_progress(b.f).transferred, 0);
  CU_ASSERT(xl_job_state_of(b.j) != XL_JOB_ERROR);
  run_answering(b.w, b.j, S(200));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
  CHECK_EQ(xl_file_from_peer(b.f), false);
  CU_ASSERT(b.o->gets > 0);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  uint32_t n = count_notes(b.w, XL_NOTICE_FILE_TRANSFERRED);
  fake_del(b.w);
  return n;
}

static void test_invalid_from_peer(void) {
  CHECK_EQ(refetch(&record_policy, XL_FLAVOUR_FREE), 2);
}

static void test_invalid_from_peer_bits3(void) {
  CHECK_EQ(refetch(&record_policy, XL_FLAVOUR_BITS3), 1);
}

static void test_validation_state(void) {
  bed b = bed_new(&origin_policy);
  xl_file *g = fake_file_add(b.w, b.j, URL, NULL);

  bed_fetch(&b);
  CHECK_EQ(xl_file_validated(b.f), false); /* nobody has said */
  CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_OK);
  CHECK_EQ(xl_file_validated(b.f), true);
  CHECK_EQ(xl_file_validated(g), false);
  CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
  CHECK_EQ(xl_file_validated(g), true); /* R307 */
  fake_del(b.w);
}

static void test_record_order(void) { /* R308 */
  for (int early = 0; early < 2; early++) {
    bed b = with_peer(&record_policy);
    xl_job_resume(b.j, 0);
    CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(60)));
    if (early) {
      CHECK_EQ(xl_job_set_peercaching(b.j, 1, b.w->now), XL_OK);
    }
    CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_OK);
    CHECK_EQ(xl_job_set_peercaching(b.j, 0, b.w->now), XL_OK);
    const xl_map *m = xl_agent_map(b.dev, xl_engine_name(b.w->eng, URL),
                                   (xl_version){1000, 7});
    CHECK_EQ(m != NULL, !early);
    fake_del(b.w);
  }
}

static void keep_short(const xl_host *h, xl_view *v, xl_keep *out) {
  (void)h;
  (void)v;
  *out = (xl_keep){.keep = true, .age_max = S(60), .bytes_max = XL_GIB(1)};
}

static void test_record_gone(void) {
  xl_policy p = record_policy;
  p.keep = keep_short;
  bed b = bed_new(&p);

  CHECK_EQ(xl_agent_set_peercaching(b.dev, 3, 0), XL_OK);
  CHECK_EQ(xl_job_set_peercaching(b.j, 2, 0), XL_OK);
  bed_fetch(&b);
  CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_OK);
  CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_OK);
  fake_run(b.w, S(100));
  CHECK_EQ(xl_file_set_validation(b.f, true, b.w->now), XL_E_RECORD_DELETED);
  fake_del(b.w);
}

static void test_peer_stats(void) {
  bed b = with_peer(&record_policy);
  xl_bytes origin, peers;

  b.w->peer_rate = 1000;
  xl_job_resume(b.j, 0);
  for (int i = 0; i < 60; i++) {
    fake_run(b.w, XL_MS(100 * i));
    xl_file_peer_stats(b.f, &origin, &peers);
    CHECK_EQ(origin + peers, fake_progress(b.f).transferred);
    CHECK_EQ(xl_file_from_peer(b.f), peers > 0);
  }
  CHECK_EQ(peers, 1000);
  CHECK_EQ(xl_file_set_validation(b.f, false, b.w->now), XL_OK);
  xl_file_peer_stats(b.f, &origin, &peers);
  CHECK_EQ(origin + peers, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(60)));
  xl_file_peer_stats(b.f, &origin, &peers);
  CHECK_EQ(origin, 1000);
  CHECK_EQ(peers, 0);
  fake_del(b.w);
}

TEST_SUITE(
    "conformance file", {"T4 R103: names come back byte for byte", test_names},
    {"R104: the local name stays, the remote name follows SetRemoteName",
     test_names_change},
    {"R105: remote names have a scheme, a length and no wildcards",
     test_remote_names},
    {"R105: local names are full paths without wildcards or streams",
     test_local_names},
    {"R105 R204 R412: a folder that may not be written is E_ACCESSDENIED",
     test_folder_not_writable},
    {"T3 R106 R430: the size is unknown until it is learned", test_before_size},
    {"R107: a size that cannot be found stays unknown", test_size_not_found},
    {"T12 R108: with ranges the total is what was asked for (design)",
     test_range_totals},
    {"R109: the bytes transferred are there to be read",
     test_transferred_is_readable},
    {"R110: another time stamp takes progress back to 0",
     test_time_stamp_changes},
    {"T6 R111 R118: Completed comes with Complete, not with the last byte",
     test_completed},
    {"R112 R416: what could not be renamed is completed by the next call",
     test_complete_in_part},
    {"R112 R305: a file that was renamed and is invalid is fetched and renamed "
     "again",
     test_completed_and_invalid},
    {"T5 R114: an empty file is transferred", test_empty},
    {"R115 R116: an enumerator lists what was there, with live properties",
     test_enumerator},
    {"T14 R201 R202: ranges come back as supplied", test_ranges_back},
    {"T8 T9 T10 R203 R204 R205 R206: ranges are checked at the call",
     test_range_calls},
    {"T10 R205: length 0 is no range (design)", test_length_zero},
    {"T13 R209 R455: 500 ranges bind users, SMB takes none", test_range_limit},
    {"T7 R207: the file is the ranges in their order", test_layout},
    {"T8 R206: touching ranges are both fetched", test_touching},
    {"T11 R208: a range outside the file is an error of the remote file "
     "(design)",
     test_range_outside},
    {"R208: a server that ignores a range is fatal", test_ranges_ignored},
    {"T16 R211: an equal server goes on at the offset", test_same_goes_on},
    {"T17 R211 R110: another version, or no resume, starts at 0",
     test_other_restarts},
    {"T18 R212: a finished file is not fetched again", test_done_not_again},
    {"T19 R213: what SetRemoteName refuses, and when it is legal",
     test_set_remote_errors},
    {"R215: the codes of SMB are fatal", test_smb_errors},
    {"R216: ranges apply to the new name (design)", test_ranges_stay},
    {"R301: the temporary file lies in the folder of the local one",
     test_temporary_name},
    {"T39 R304: validation before the last byte is E_PENDING", test_pending},
    {"T39 R305: invalid bytes of the origin are an error, Resume fetches anew",
     test_invalid_from_origin},
    {"R305 R311: in BITS 3.0 Resume is refused after that (design)",
     test_invalid_in_bits3},
    {"R311: Resume fetches anew what failed the check of its transport",
     test_failed_check_in_bits3},
    {"T39 R306: invalid bytes of a peer come again from the origin, told again",
     test_invalid_from_peer},
    {"R306: BITS 3.0 does not tell it again", test_invalid_from_peer_bits3},
    {"R307 R309: only the application, or Complete, says valid",
     test_validation_state},
    {"R308: to disable before validating removes the record",
     test_record_order},
    {"R304: validation of a record that is gone (design)", test_record_gone},
    {"R310 R320 R321 R322: origin and peers sum to transferred (design)",
     test_peer_stats})
