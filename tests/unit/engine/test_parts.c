/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small parts of the engine: maps, received bytes, ranges, names, heap,
   parameters, codes. */
#include <xl/err.h>

#include "fake.h"

#include "agent.h"
#include "alloc.h"
#include "bits.h"
#include "engine.h"
#include "file.h"
#include "have.h"
#include "param.h"
#include "ranges.h"

/* ---- bits ---- */

static void test_bits(void) {
  uint64_t w[3] = {0};

  for (uint32_t end = 0; end <= 192; end += 7) {
    for (uint32_t begin = 0; begin <= end; begin += 5) {
      uint32_t n = 0;
      for (uint32_t k = 0; k < 3; k++) {
        n += bits_count(bits_mask(k, begin, end));
      }
      CHECK_EQ(n, end - begin);
    }
  }
  bits_put(w, 70);
  CHECK_EQ(bits_next(w, 0, 192, true), 70);
  CHECK_EQ(bits_next(w, 71, 192, true), 192);
  CHECK_EQ(bits_next(w, 70, 192, false), 71);
  CHECK_EQ(bits_next(w, 0, 60, true), 60);
  bits_take(w, 70);
  CHECK_EQ(bits_next(w, 0, 192, true), 192);
}

/* ---- map ---- */

static void test_map_journal(void) {
  fake *w = fake_new();

  for (uint32_t n = 100; n <= 70000; n += 69900) { /* both widths */
    xl_map *m = xli_map_shared(w->eng, n);
    CU_ASSERT(!xl_map_holds(m, 7));
    CHECK_EQ(xl_map_visible(m, S(100), 0), 0);
    xli_map_add(m, 7, S(1), S(1));
    xli_map_add(m, n - 1, S(1), S(1));
    CHECK_EQ(xl_map_nheld(m), 2);
    CHECK_EQ(xl_map_journal(m, 0), 7);
    CHECK_EQ(xl_map_journal(m, 1), n - 1);
    CU_ASSERT(xl_map_sees(m, 7, 1));
    CU_ASSERT(!xl_map_sees(m, n - 1, 1));
    CU_ASSERT(xl_map_sees(m, n - 1, 2));
    CU_ASSERT(!xl_map_sees(m, 8, 2));
    CU_ASSERT_PTR_NULL(xli_map_check(m));
    xli_free(w->eng, m);
  }
  fake_del(w);
}

/* Pieces come at 0, 0.3, 0.6 ... s; the interval is 1 s. */
static void test_map_publishes(void) {
  fake *w = fake_new();
  xl_map *m = xli_map_shared(w->eng, 100);
  static const struct {
    xl_time now;
    xl_span latency;
    uint32_t visible;
  } cases[] = {{0, 0, 1},           {XL_MS(900), 0, 1}, {S(1), 0, 4},
               {S(2), 0, 7},        {S(2), S(1), 4},    {S(2), S(2), 1},
               {XL_MS(2999), 0, 7}, {S(3), 0, 10},      {S(3), XL_MS(1), 7}};

  for (uint32_t i = 0; i < 10; i++) {
    xli_map_add(m, i, XL_MS(300) * i, S(1));
  }
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_EQ(xl_map_visible(m, cases[i].now, cases[i].latency),
             cases[i].visible);
  }
  xli_free(w->eng, m);
  fake_del(w);
}

/* Up to 7 intervals of latency, what is seen never shrinks and is never too
   new. */
static void test_map_is_monotonic(void) {
  fake *w = fake_new();
  xl_map *m = xli_map_shared(w->eng, 1000);
  uint32_t held_at[1001], seen[4] = {0};
  static const xl_span latency[] = {0, XL_MS(50), S(3), S(7)};

  for (uint32_t i = 0; i < 1000; i++) {
    xl_time now = XL_MS(77) * i;
    xli_map_add(m, i, now, S(1));
    held_at[i] = i + 1;
    for (int k = 0; k < 4; k++) {
      uint32_t v = xl_map_visible(m, now, latency[k]);
      xl_time then = now - latency[k];
      CU_ASSERT(v >= seen[k]);
      CU_ASSERT(v <= (then < 0 ? 0 : held_at[then / XL_MS(77)]));
      seen[k] = v;
    }
  }
  CU_ASSERT(seen[0] >= 1000 - 14);
  CU_ASSERT(seen[3] > 0);
  xli_free(w->eng, m);
  fake_del(w);
}

static void test_map_full(void) {
  fake *w = fake_new();
  xl_map *m = xli_map_full(w->eng, 5, S(3));

  CHECK_EQ(xl_map_visible(m, S(3) - 1, 0), 0);
  CHECK_EQ(xl_map_visible(m, S(3), 0), 5);
  CHECK_EQ(xl_map_visible(m, S(4), S(1)), 5);
  CU_ASSERT(xl_map_sees(m, 4, 5) && !xl_map_sees(m, 4, 4));
  CHECK_EQ(xl_map_journal(m, 3), 3);
  CU_ASSERT(xl_map_holds(m, 4) && !xl_map_holds(m, 5));
  xli_free(w->eng, m);
  fake_del(w);
}

/* ---- received bytes, against a plain array ---- */

static void test_have_random(void) {
  enum { SIZE = 1000, PIECE = 64, N = 16 };
  fake *w = fake_new();
  have h = {.piece_bytes = PIECE};
  bool byte[SIZE] = {false}, held[N] = {false};
  uint64_t x = 1;
  part gone;

  xl_engine_advance(w->eng, 0);
  CU_ASSERT(xli_have_init(w->eng, &h, SIZE, true));
  CHECK_EQ(h.npieces, N);
  for (int step = 0; step < 3000; step++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    xl_bytes at = (x >> 33) % SIZE, max = at + 1 + (x >> 50) % 200, end;
    max = max > SIZE ? SIZE : max;
    bool got = xli_have_run(&h, at, max, &end);
    CHECK_EQ(got, byte[at]);
    for (xl_bytes i = at; i < end; i++) {
      CHECK_EQ(byte[i], got);
    }
    CU_ASSERT(end == max || byte[end] != got || got); /* runs of missing
        bytes are as long as can be */
    uint32_t piece = (uint32_t)(at / PIECE);
    if (!got && x % 3 != 0) {
      part p = {.begin = at, .end = end, .request = (uint32_t)x % 5};
      xli_have_put(w->eng, &h, &p, x % 2 == 0);
      memset(byte + at, true, end - at);
    } else if (!held[piece]) { /* its check failed */
      xl_range b = xli_have_bytes(&h, piece);
      while (xli_have_cut(w->eng, &h, b, &gone)) {
        for (xl_bytes i = gone.begin; i < gone.end; i++) {
          CU_ASSERT(byte[i]);
          byte[i] = false;
        }
      }
    }
    for (uint32_t p = 0; p < N; p++) {
      xl_range b = xli_have_bytes(&h, p);
      bool all = memchr(byte + b.begin, false, b.end - b.begin) == NULL;
      CHECK_EQ(xli_have_is_whole(&h, p), all);
      CU_ASSERT(all || !xl_map_holds(h.map, p));
      held[p] = xl_map_holds(h.map, p);
    }
    if (xli_have_all(&h)) { /* again */
      xli_have_fini(w->eng, &h);
      CU_ASSERT(xli_have_init(w->eng, &h, SIZE, step % 2 == 0));
      memset(byte, false, sizeof byte);
      memset(held, false, sizeof held);
    }
  }
  xli_have_fini(w->eng, &h);
  fake_del(w);
}

static void test_have_busy(void) {
  fake *w = fake_new();
  have h = {.piece_bytes = 10};

  CU_ASSERT(xli_have_init(w->eng, &h, 1995, false));
  CHECK_EQ(h.npieces, 200);
  xli_have_set_busy(&h, (xl_range){5, 1315});
  CHECK_EQ(h.nbusy, 132);
  xli_have_set_busy(&h, (xl_range){0, 1995});
  CHECK_EQ(h.nbusy, 200);
  CHECK_EQ(xli_have_free(&h, 3), 0);
  xli_have_clear_busy(&h, (xl_range){1990, 1995});
  CHECK_EQ(h.nbusy, 199);
  CHECK_EQ(xli_have_free(&h, 3), 1 << 7);
  xli_have_fini(w->eng, &h);
  fake_del(w);
}

/* ---- ranges (R207, R210) ---- */

static void test_range_offsets(void) {
  static const xl_range_spec r[] = {{100, 100}, {1000, 100}, {200, 100}};
  static const struct {
    xl_bytes at, offset, end;
  } cases[] = {{0, 100, 100},    {25, 125, 100},  {99, 199, 100},
               {100, 1000, 200}, {200, 200, 300}, {299, 299, 300}};
  xl_bytes end;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_EQ(xli_ranges_offset(r, 3, 2000, cases[i].at, &end), cases[i].offset);
    CHECK_EQ(end, cases[i].end);
  }
  CHECK_EQ(xli_ranges_offset(NULL, 0, 2000, 7, &end), 7);
  CHECK_EQ(end, 2000);
  CHECK_EQ(xli_ranges_total(r, 3, XL_SIZE_UNKNOWN), 300);
  CU_ASSERT(xli_ranges_fit(r, 3, 1100));
  CU_ASSERT(!xli_ranges_fit(r, 3, 1099));
}

/* ---- names, heap ---- */

static void test_interning(void) {
  fake *w = fake_new();
  char text[16];
  xl_name first[300];

  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < 300; i++) {
      snprintf(text, sizeof text, "n%d", i);
      xl_name n = xl_engine_name(w->eng, text);
      CU_ASSERT(n != 0);
      CU_ASSERT_STRING_EQUAL(xl_engine_string(w->eng, n), text);
      first[i] = pass == 0 ? n : first[i];
      CHECK_EQ(n, first[i]);
    }
  }
  CU_ASSERT_PTR_NULL(xl_engine_string(w->eng, 0));
  CU_ASSERT(xl_engine_name(w->eng, "") != 0);
  fake_del(w);
}

/* A file has as many remote names as a save can count. */
static void test_remotes_max(void) {
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  xl_file *f = fake_file_add(w, j, "http://w/f", NULL);
  uint32_t cap = f->nremotes;
  xl_name far = 1u << 20; /* names that are not there */

  f->remotes =
      xli_grow(w->eng, f->remotes, &cap, FILE_REMOTES_MAX, sizeof *f->remotes);
  while (f->nremotes < FILE_REMOTES_MAX - 1) {
    f->remotes[f->nremotes++] = (remote){.url = far++};
  }
  CHECK_EQ(xl_file_set_remote_name(f, "http://w2/f", 0), XL_OK);
  CHECK_EQ(f->mirror, FILE_REMOTES_MAX - 1);
  CHECK_EQ(xl_file_set_remote_name(f, "http://w3/f", 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_file_set_remote_name(f, "http://w/f", 0), XL_OK);
  CHECK_EQ(f->mirror, 0);
  CHECK_EQ(f->nremotes, FILE_REMOTES_MAX);
  fake_check(w);
  fake_del(w);
}

static void test_heap(void) {
  fake *w = fake_new();
  xl_agent *a[16];
  uint64_t x = 9;

  for (int i = 0; i < 16; i++) {
    a[i] = fake_add_agent(w, &origin_policy, 0);
  }
  for (int step = 0; step < 2000; step++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    xl_time due = x >> 60 == 0 ? XL_NEVER : (xl_time)(x >> 40 & 63);
    xli_heap_set(&w->eng->heap, a[x >> 33 & 15], due);
    CU_ASSERT(xli_heap_check(&w->eng->heap));
    xl_agent *best = NULL;
    for (int i = 0; i < 16; i++) { /* ties: the one that was made first */
      best = a[i]->due < (best == NULL ? XL_NEVER : best->due) ? a[i] : best;
    }
    CHECK_EQ(xl_engine_deadline(w->eng), best == NULL ? XL_NEVER : best->due);
    CU_ASSERT(best == NULL || w->eng->heap.at[0].agent == best);
  }
  fake_del(w);
}

/* ---- parameters ---- */

static void test_parameters(void) {
  static const struct {
    xl_param_type type;
    const char *text;
    bool ok;
    int64_t i;
    double f;
  } cases[] = {{XL_PARAM_TIME, "60s", true, S(60), 0},
               {XL_PARAM_TIME, "1.5h", true, S(5400), 0},
               {XL_PARAM_TIME, "90d", true, XL_DAY(90), 0},
               {XL_PARAM_TIME, "0", true, 0, 0},
               {XL_PARAM_TIME, "5", false, 0, 0},
               {XL_PARAM_TIME, "s", false, 0, 0},
               {XL_PARAM_TIME, "0.1ns", false, 0, 0},
               {XL_PARAM_BYTES, "1MiB", true, 1 << 20, 0},
               {XL_PARAM_BYTES, "50MB", true, 50000000, 0},
               {XL_PARAM_BYTES, "1XB", false, 0, 0},
               {XL_PARAM_RATE, "1Mbit/s", true, 125000, 0},
               {XL_PARAM_RATE, "2500kB/s", true, 2500000, 0},
               {XL_PARAM_RATE, "1bit/s", false, 0, 0},
               {XL_PARAM_RATE, "unlimited", true, -1, 0},
               {XL_PARAM_FRACTION, "0.3", true, 0, 0.3},
               {XL_PARAM_FRACTION, "30%", true, 0, 0.3},
               {XL_PARAM_FRACTION, "1.1", false, 0, 0},
               {XL_PARAM_COUNT, "10", true, 10, 0},
               {XL_PARAM_COUNT, "10x", false, 0, 0},
               {XL_PARAM_ENUM, "group", true, 1, 0},
               {XL_PARAM_ENUM, "grou", false, 0, 0},
               {XL_PARAM_BOOL, "true", true, 1, 0},
               {XL_PARAM_BOOL, "no", true, 0, 0},
               {XL_PARAM_BOOL, "on", true, 1, 0},
               {XL_PARAM_BOOL, "1", true, 1, 0},
               {XL_PARAM_BOOL, "maybe", false, 0, 0},
               {XL_PARAM_FRACTION, "0.3x", false, 0, 0},
               {XL_PARAM_FRACTION, "x", false, 0, 0},
               {XL_PARAM_COUNT, "99999999999999999999", false, 0, 0},
               {XL_PARAM_COUNT, "1.2.3", false, 0, 0},
               {XL_PARAM_TEXT, "any text", true, 0, 0},
               {(xl_param_type)99, "1", false, 0, 0}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    xl_param p = {.type = cases[i].type, .choices = "lan|group|internet"};
    xl_value v;
    bool ok = xli_param_parse(&p, cases[i].text, &v);
    if (ok != cases[i].ok || (ok && v.i != cases[i].i)) {
      printf("  %s\n", cases[i].text);
    }
    CHECK_EQ(ok, cases[i].ok);
    if (ok) {
      CHECK_EQ(v.i, cases[i].i);
      CHECK_NEAR(v.f, cases[i].f, 1e-15);
    }
  }
}

static void test_every_default_is_readable(void) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    for (uint32_t i = 0; i < (*p)->nparams; i++) {
      const xl_param *q = &(*p)->params[i];
      xl_value v;
      if (!xli_param_parse(q, q->def, &v)) {
        printf("  %s %s = %s\n", (*p)->name, q->name, q->def);
        CU_FAIL("a default is not readable");
      }
    }
  }
}

/* ---- codes and names ---- */

static void test_codes(void) {
  CHECK_EQ(XL_HRESULT(XL_E_HTTP(404)), 0x80190194u);
  CU_ASSERT_STRING_EQUAL(xl_err_name(XL_E_HTTP(404)), "HTTP_404");
  CU_ASSERT_STRING_EQUAL(xl_err_name(XL_E_INVALID_STATE), "E_INVALID_STATE");
  CU_ASSERT_STRING_EQUAL(xl_err_name(12345), "UNKNOWN");
  CU_ASSERT(xl_failed(XL_E_EMPTY) && !xl_failed(XL_S_FALSE));
  CU_ASSERT(xl_err_transient(XL_E_HTTP(503)));
  CU_ASSERT(!xl_err_transient(XL_E_HTTP(404)));
  CU_ASSERT(xl_err_transient(XL_E_CONNECTION_CLOSED));
  CU_ASSERT(!xl_err_transient(XL_E_INVALID_RANGE));
}

/* |name| is |upper| in lower case with '-' for '_'. */
static void check_name(const char *name, const char *upper) {
  CHECK_EQ(strlen(name), strlen(upper));
  for (size_t i = 0; name[i] != '\0'; i++) {
    char want = upper[i] == '_' ? '-' : (char)(upper[i] | 0x20);
    CHECK_EQ(name[i], want);
  }
}

static void test_ledger_names(void) {
#define CHECK_CLASS(n, t) check_name(xl_class_name(XL_CLASS_##n), #n);
#define CHECK_SOURCE(n, t) check_name(xl_source_name(XL_SOURCE_##n), #n);
#define CHECK_SCOPE(n, t) check_name(xl_scope_name(XL_SCOPE_##n), #n);
#define CHECK_REASON(n, t) check_name(xl_reason_name(XL_REASON_##n), #n);
#define CHECK_END(n, t) check_name(xl_end_name(XL_END_##n), #n);
  XL_CLASS_MAP(CHECK_CLASS)
  XL_SOURCE_MAP(CHECK_SOURCE)
  XL_SCOPE_MAP(CHECK_SCOPE)
  XL_REASON_MAP(CHECK_REASON)
  XL_END_MAP(CHECK_END)
  CHECK_EQ(xl_class_of(XL_SOURCE_PEER, XL_SCOPE_GROUP), XL_CLASS_PEER_GROUP);
  CHECK_EQ(xl_class_of(XL_SOURCE_ORIGIN, XL_SCOPE_NONE), XL_CLASS_ORIGIN);
}

TEST_SUITE("engine parts", {"masks and runs of bits", test_bits},
           {"a journal says what a reader sees", test_map_journal},
           {"lengths are published once an interval", test_map_publishes},
           {"what is seen never shrinks and is never too new",
            test_map_is_monotonic},
           {"a full map is seen at once", test_map_full},
           {"received bytes against a plain array", test_have_random},
           {"pieces asked for are counted", test_have_busy},
           {"ranges map to the remote file (R207, R210)", test_range_offsets},
           {"equal strings are equal names", test_interning},
           {"a remote name too many is refused", test_remotes_max},
           {"the earliest agent is first", test_heap},
           {"parameter texts", test_parameters},
           {"every shipped default is readable",
            test_every_default_is_readable},
           {"codes have names and classes (R806)", test_codes},
           {"names follow the enumerators", test_ledger_names})
