/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Application ranges: bits-semantics 2.1 and 2.2. */
#include "unit/engine/fake.h"

#define URL "http://w/f"

typedef struct scene {
  fake *w;
  fake_origin *o;
  xl_job *j;
  xl_file *f;
} scene;

static xl_err add(scene *s, const xl_range_spec *r, uint32_t n) {
  const xl_file_info info = {.remote = URL,
                             .local = "C:\\f",
                             .piece_bytes = 64,
                             .ranges = r,
                             .nranges = n};
  return xl_job_add_file(s->j, &info, &s->f, s->w->now);
}

/* A file of 2,000 bytes at the origin, wanted in |n| ranges. */
static scene scene_of(const xl_range_spec *r, uint32_t n) {
  scene s = {.w = fake_new()};

  s.o = fake_add_origin(s.w, URL, 2000, 7);
  s.j = fake_job(s.w, fake_add_agent(s.w, &origin_policy, 0));
  if (n > 0) {
    CHECK_EQ(add(&s, r, n), XL_OK);
  }
  return s;
}

static bool run(scene *s, xl_job_state state) {
  CHECK_EQ(xl_job_resume(s->j, s->w->now), XL_OK);
  return fake_until(s->w, s->j, state, S(100));
}

/* The local file is the slices |r| of the remote one. */
static void check_slices(scene *s, const xl_range_spec *r, uint32_t n) {
  xl_bytes at = 0;

  for (uint32_t i = 0; i < n; i++) {
    for (xl_bytes k = 0; k < r[i].length; k++, at++) {
      const fake_file *b = fake_file_of(s->w, s->f, at + 1);
      if (b->bytes[at] != content_byte(7, r[i].offset + k)) {
        CU_FAIL("a byte is not where it belongs");
        return;
      }
    }
  }
  CHECK_EQ(fake_progress(s->f).transferred, at);
  CHECK_EQ(fake_progress(s->f).total, at);
}

static const xl_range_spec three[] = {{100, 100}, {900, 100}, {400, 100}};

static void test_order(void) {
  scene s = scene_of(three, 3);

  CHECK_EQ(fake_progress(s.f).total, 300);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, three, 3);
  fake_del(s.w);
}

static void test_touching(void) {
  static const xl_range_spec r[] = {{100, 100}, {200, 100}};
  scene s = scene_of(r, 2);
  xl_range_spec got[4];

  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, r, 2);
  /* They are asked for as two. */
  CHECK_EQ(xl_file_window(s.f, (xl_range){0, 200}, got, 4), 2);
  CHECK_EQ(s.w->log[1].parts, 2);
  fake_del(s.w);
}

static void test_overlap(void) {
  static const xl_range_spec r[] = {{100, 100}, {150, 10}};
  static const xl_range_spec equal[] = {{100, 5}, {100, 5}};
  static const xl_range_spec inside[] = {{150, 10}, {0, XL_LENGTH_TO_EOF}};
  scene s = scene_of(NULL, 0);

  CHECK_EQ(add(&s, r, 2), XL_E_OVERLAPPING_RANGES);
  CHECK_EQ(add(&s, equal, 2), XL_E_OVERLAPPING_RANGES);
  CHECK_EQ(add(&s, inside, 2), XL_E_OVERLAPPING_RANGES);
  CHECK_EQ(xl_job_nfiles(s.j), 0);
  fake_del(s.w);
}

static void test_malformed(void) {
  static const xl_range_spec at_eof[] = {{XL_LENGTH_TO_EOF, 1}};
  static const xl_range_spec past[] = {{UINT64_MAX - 10, 100}};
  scene s = scene_of(NULL, 0);
  xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 64, .ranges = three};

  CHECK_EQ(add(&s, at_eof, 1), XL_E_INVALID_RANGE);
  CHECK_EQ(add(&s, past, 1), XL_E_INVALID_RANGE);
  CHECK_EQ(xl_job_add_file(s.j, &info, NULL, s.w->now), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_cancel(s.j, s.w->now), XL_OK);
  CHECK_EQ(add(&s, three, 3), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_nfiles(s.j), 0);
  fake_del(s.w);
}

static void test_zero_length(void) {
  static const xl_range_spec none[] = {{0, 0}};
  static const xl_range_spec after[] = {{100, 5}, {100, 0}};
  scene s = scene_of(NULL, 0);

  CHECK_EQ(add(&s, none, 1), XL_E_INVALID_RANGE);
  CU_ASSERT(xl_failed(add(&s, after, 2)));
  CHECK_EQ(xl_job_nfiles(s.j), 0);
  fake_del(s.w);
}

static void check_outside(xl_range_spec r) {
  scene s = scene_of(&r, 1);
  xl_file *file = NULL;
  xl_err code;

  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(xl_job_error(s.j, &code, &file), XL_OK);
  CHECK_EQ(code, XL_E_INVALID_RANGE);
  CU_ASSERT_PTR_EQUAL(file, s.f);
  CHECK_EQ(s.o->gets, 0);
  fake_del(s.w);
}

static void test_outside(void) {
  check_outside((xl_range_spec){2001, 10});
  check_outside((xl_range_spec){2000, XL_LENGTH_TO_EOF});
  check_outside((xl_range_spec){1995, 6});
}

static void test_to_eof(void) {
  static const xl_range_spec r[] = {{1993, XL_LENGTH_TO_EOF}};
  static const xl_range_spec seven[] = {{1993, 7}};
  scene s = scene_of(r, 1);

  CHECK_EQ(fake_progress(s.f).total, XL_SIZE_UNKNOWN);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, seven, 1);
  fake_del(s.w);
}

static void test_too_many(void) {
  static xl_range_spec r[501];
  scene s = scene_of(NULL, 0);

  for (uint32_t i = 0; i < 501; i++) {
    r[i] = (xl_range_spec){i * 3, 2};
  }
  CHECK_EQ(add(&s, r, 500), XL_OK);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, r, 500);
  CHECK_EQ(s.o->gets, 1);
  fake_del(s.w);
}

static void test_given_back(void) {
  static const xl_range_spec r[] = {{500, XL_LENGTH_TO_EOF}, {100, 100}};
  scene s = scene_of(r, 2);
  const xl_range_spec *got;
  xl_file *all = fake_file_add(s.w, s.j, URL, NULL);
  uint32_t n = 9;

  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  CHECK_EQ(xl_file_ranges(s.f, &got, &n), XL_OK);
  CHECK_EQ(n, 2);
  /* Also after the size is known. */
  CU_ASSERT(n == 2 && memcmp(got, r, sizeof r) == 0);
  CHECK_EQ(xl_file_ranges(all, &got, &n), XL_S_FALSE);
  CHECK_EQ(n, 0);
  CU_ASSERT_PTR_NULL(got);
  fake_del(s.w);
}

static void check_window(const scene *s, xl_range window,
                         const xl_range_spec *want, uint32_t n) {
  xl_range_spec got[8];

  CHECK_EQ(xl_file_window(s->f, window, got, 8), n);
  CU_ASSERT(memcmp(got, want, n * sizeof *want) == 0);
}

static void test_window(void) {
  static const xl_range_spec r[] = {{100, 100}, {1000, 100}, {200, 100}};
  static const xl_range_spec want[] = {{125, 75}, {1000, 100}, {200, 25}};
  scene s = scene_of(r, 3);

  CHECK_EQ(xl_file_window(s.f, (xl_range){25, 225}, NULL, 0), 0);
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_window(&s, (xl_range){25, 225}, want, 3);
  check_window(&s, (xl_range){200, 1200}, &r[2], 1); /* clipped to 300 */
  check_window(&s, (xl_range){25, 100}, want, 1);
  CHECK_EQ(xl_file_window(s.f, (xl_range){300, 400}, NULL, 0), 0);
  fake_del(s.w);
}

/* A resume inside the first range asks for what is left of all. */
static void test_window_of_resume(void) {
  scene s = scene_of(three, 3);

  s.o->cut = 25;
  CHECK_EQ(xl_job_set_min_retry_delay(s.j, 5, s.w->now), XL_OK);
  CU_ASSERT(run(&s, XL_JOB_TRANSIENT_ERROR));
  CHECK_EQ(fake_progress(s.f).transferred, 25);
  s.o->cut = 0;
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_TRANSFERRED, S(100)));
  const fake_request *last = &s.w->log[s.w->nlog - 1];
  CHECK_EQ(last->range.begin, 25);
  CHECK_EQ(last->range.end, 300);
  CHECK_EQ(last->offset, 125);
  CHECK_EQ(last->parts, 3);
  CHECK_EQ(s.o->sent, 300);
  check_slices(&s, three, 3);
  fake_del(s.w);
}

static void test_single_after_200(void) {
  scene s = scene_of(three, 3);

  s.o->single_ranges = true;
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, three, 3);
  CHECK_EQ(s.o->gets, 1 + 3);
  for (uint32_t i = 2; i < s.w->nlog; i++) {
    CHECK_EQ(s.w->log[i].parts, 1);
  }
  CHECK_EQ(xl_job_error_count(s.j), 0);
  fake_del(s.w);
}

static void test_single_after_bad_parts(void) {
  scene s = scene_of(three, 3);

  s.o->bad_parts = true;
  CU_ASSERT(run(&s, XL_JOB_TRANSFERRED));
  check_slices(&s, three, 3);
  CHECK_EQ(s.o->gets, 1 + 3);
  CHECK_EQ(xl_job_error_count(s.j), 0);
  fake_del(s.w);
}

/* What a server does with one range that it should not. */
static void test_bad_single(void) {
  scene s = scene_of(three, 1);
  xl_action act;
  const xl_reply head = {.status = 200, .version = {2000, 7}, .ranges = true};

  CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
  while (xl_engine_next(s.w->eng, &act)) {
    if (act.kind == XL_ACT_HEAD) {
      xl_agent_reply(act.agent, act.request, &head, 0);
    } else if (act.kind == XL_ACT_GET) {
      xl_agent_ended(act.agent, act.request, XL_END_HTTP_ERROR,
                     XL_E_INVALID_SERVER_RESPONSE, 0, 0, 0);
    }
  }
  CHECK_EQ(xl_job_state_of(s.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(s.j), XL_E_INVALID_SERVER_RESPONSE);
  fake_del(s.w);

  s = scene_of(three, 1);
  s.o->ignores_ranges = true;
  CU_ASSERT(run(&s, XL_JOB_ERROR));
  CHECK_EQ(fake_error(s.j), XL_E_INSUFFICIENT_RANGE_SUPPORT);
  CHECK_EQ(fake_progress(s.f).transferred, 0);
  CHECK_EQ(s.w->nfiles, 0); /* nothing was stored */
  fake_del(s.w);
}

/* R216: ranges apply to the new name; a shorter file there is R208. */
static void test_shorter_after_rename(void) {
  scene s = scene_of(three, 3);

  fake_add_origin(s.w, "http://v/f", 950, 7);
  CHECK_EQ(xl_job_resume(s.j, 0), XL_OK);
  fake_run(s.w, XL_MS(100));
  CHECK_EQ(xl_file_set_remote_name(s.f, "http://v/f", s.w->now), XL_OK);
  CU_ASSERT(fake_until(s.w, s.j, XL_JOB_ERROR, S(100)));
  CHECK_EQ(fake_error(s.j), XL_E_INVALID_RANGE);
  fake_del(s.w);
}

TEST_SUITE(
    "conformance: ranges",
    {"T7 R207 R108: the local file is the ranges in the order given",
     test_order},
    {"T8 R206: ranges that touch are taken and asked for apart", test_touching},
    {"T9 R204 R205: ranges that overlap are refused at the call", test_overlap},
    {"T10 R203 R204: what a range may not be is refused at the call",
     test_malformed},
    {"T10 R205: a length of 0 is refused (design)", test_zero_length},
    {"T11 R203 R208: a range outside the remote file is ERROR INVALID_RANGE",
     test_outside},
    {"T12 R108 R203: a range to the end is as long as the file (design)",
     test_to_eof},
    {"R209: 500 ranges are taken, and fetched in one request", test_too_many},
    {"T14 R201 R202: the ranges come back as given; a whole file has none",
     test_given_back},
    {"R210: the fetch window of the open specification", test_window},
    {"R210 R804: a resume asks for what is left of all ranges",
     test_window_of_resume},
    {"T29 R808: 200 to several ranges leads to single ranges",
     test_single_after_200},
    {"R808: parts that are malformed lead to single ranges",
     test_single_after_bad_parts},
    {"T28 R208 R808: one range that is ignored or mangled is ERROR",
     test_bad_single},
    {"R216: ranges apply to the new remote name (design)",
     test_shorter_after_rename})
