/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The peer cache and its administration: bits-semantics 6. */
#include "unit/engine/fake.h"

#include <xl/cache.h>

#define URL "http://w/f"
#define OTHER "http://v/f"
#define BOTH (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)

static xl_err hold_at(fake *w, xl_agent *a, const char *url, xl_bytes size) {
  const xl_file_info info = {.remote = url, .local = "f", .piece_bytes = 100};
  return xl_agent_hold(a, &info, (xl_version){size, 7}, w->now);
}

static xl_agent *device(fake *w) {
  return fake_add_agent(w, &record_policy, BOTH);
}

static xl_agent *holder(fake *w, const char *url, xl_bytes size) {
  xl_agent *a = device(w);
  CHECK_EQ(hold_at(w, a, url, size), XL_OK);
  return a;
}

/* A job that may use peers, of |url|. */
static xl_job *client(fake *w, xl_agent *a, const char *url, xl_file **f) {
  xl_job *j = fake_job(w, a);

  CHECK_EQ(xl_job_set_peercaching(j, BOTH, w->now), XL_OK);
  *f = fake_file_add(w, j, url, NULL);
  return j;
}

static bool has(fake *w, const xl_agent *a, const char *url, xl_bytes size) {
  return xl_agent_map(a, xl_engine_name(w->eng, url), (xl_version){size, 7}) !=
         NULL;
}

static void stats(const xl_file *f, xl_bytes origin, xl_bytes peers) {
  xl_bytes o, p;

  xl_file_peer_stats(f, &o, &p);
  CHECK_EQ(o, origin);
  CHECK_EQ(p, peers);
  CHECK_EQ(xl_file_from_peer(f), peers > 0);
}

static uint32_t records(const xl_agent *a, uint32_t *first) {
  uint32_t ids[8] = {0};
  uint32_t n = xl_cache_records(a, ids, 8);

  *first = ids[0];
  return n;
}

/* Begins to serve |url| from |a|: the number of the ask. */
static void serve(fake *w, xl_agent *a, const char *url, xl_bytes size) {
  xl_action act;

  xl_agent_asked(a, 77, 9, XL_SCOPE_SUBNET, xl_engine_name(w->eng, url),
                 (xl_version){size, 7}, (xl_range){0, size}, w->now);
  while (xl_engine_next(w->eng, &act)) {
    CU_ASSERT(act.kind != XL_ACT_ANSWER || act.answer.accept);
  }
}

/* ---- transfer ---- */

static void test_spares_the_origin(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, URL, 1000);
  xl_job *j = client(w, device(w), URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(w->log[0].kind, XL_ACT_HEAD); /* before anything else */
  CHECK_EQ(o->heads, 1);
  CHECK_EQ(o->gets, 0);
  stats(f, 0, 1000);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_no_origin_no_peers(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  o->refuses = true;
  holder(w, URL, 1000);
  xl_job *j = client(w, device(w), URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSIENT_ERROR, S(50)));
  stats(f, 0, 0);
  fake_del(w);
}

static void test_part_of_a_record(void) {
  static const xl_range_spec part[] = {{100, 200}};
  const xl_file_info info = {.remote = URL,
                             .local = "C:\\p",
                             .piece_bytes = 100,
                             .ranges = part,
                             .nranges = 1};
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  holder(w, URL, 1000);
  xl_job *j = fake_job(w, device(w));
  CHECK_EQ(xl_job_set_peercaching(j, BOTH, 0), XL_OK);
  CHECK_EQ(xl_job_add_file(j, &info, &f, 0), XL_OK);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(o->sent, 200);
  stats(f, 200, 0);
  fake_del(w);
}

static void test_same_range(void) {
  static const xl_range_spec part[] = {{100, 200}};
  const xl_file_info info = {.remote = URL,
                             .local = "C:\\p",
                             .piece_bytes = 100,
                             .ranges = part,
                             .nranges = 1};
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_agent *a = device(w);
  xl_file *f;

  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 7}, 0), XL_OK);
  xl_job *j = fake_job(w, device(w));
  CHECK_EQ(xl_job_set_peercaching(j, BOTH, 0), XL_OK);
  CHECK_EQ(xl_job_add_file(j, &info, &f, 0), XL_OK);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(o->gets, 0);
  stats(f, 0, 200);
  CHECK_EQ(fake_file_of(w, f, 200)->bytes[0], content_byte(7, 100));
  fake_del(w);
}

static xl_file_info rows_info(const xl_range_spec *r, uint32_t n) {
  return (xl_file_info){.remote = URL,
                        .local = "C:\\p",
                        .piece_bytes = 64,
                        .ranges = r,
                        .nranges = n};
}

/* Rows of |wanted|, three; |held| by one device, |other| by another one. What
   came from peers. */
static void check_rows(const xl_policy *policy, const xl_range_spec *wanted,
                       const xl_range_spec *held, uint32_t nheld,
                       const xl_range_spec *other, uint32_t nother,
                       xl_bytes from_peers, uint32_t gets) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file_info a = rows_info(held, nheld), b = rows_info(other, nother),
               info = rows_info(wanted, 3);
  xl_bytes total = 0, at = 0;
  xl_file *f;

  xl_agent *one = fake_add_agent(w, policy, BOTH);
  xl_agent *two = fake_add_agent(w, policy, BOTH);
  CHECK_EQ(xl_agent_hold(one, &a, (xl_version){1000, 7}, 0), XL_OK);
  CHECK_EQ(xl_agent_hold(two, &b, (xl_version){1000, 7}, 0), XL_OK);
  for (int i = 0; i < 3; i++) {
    total += wanted[i].length;
  }
  xl_job *j = fake_job(w, fake_add_agent(w, policy, BOTH));
  CHECK_EQ(xl_job_set_peercaching(j, BOTH, 0), XL_OK);
  CHECK_EQ(xl_job_add_file(j, &info, &f, 0), XL_OK);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(500)));
  stats(f, total - from_peers, from_peers);
  CHECK_EQ(o->sent, total - from_peers);
  CHECK_EQ(o->gets, gets);
  const fake_file *got = fake_file_of(w, f, total);
  for (int i = 0; i < 3; i++) {
    for (xl_bytes k = 0; k < wanted[i].length; k++, at++) {
      if (got->bytes[at] != content_byte(7, wanted[i].offset + k)) {
        CU_FAIL("a byte is not where it belongs");
        fake_del(w);
        return;
      }
    }
  }
  fake_del(w);
}

static void test_rows(void) {
  static const xl_range_spec wanted[] = {{200, 100}, {600, 150}, {0, 70}};
  static const xl_range_spec two[] = {{800, 30}, {200, 100}}; /* the first */
  static const xl_range_spec one[] = {{0, 70}};               /* the last */
  static const xl_range_spec near[] = {{600, 149}, {200, 101}};
  static const xl_range_spec whole[] = {{0, 1000}};
  static const xl_range_spec end[] = {{600, XL_LENGTH_TO_EOF}};
  const xl_policy *bits = xl_policy_find("bits-peer-cache");

  CU_ASSERT_FATAL(bits != NULL);
  check_rows(&record_policy, wanted, two, 2, one, 1, 170, 1);
  check_rows(&record_policy, wanted, wanted, 3, one, 1, 320, 0);
  check_rows(&record_policy, wanted, near, 2, whole, 1, 0, 3);
  check_rows(&record_policy, wanted, near, 2, end, 1, 0, 3);
  check_rows(bits, wanted, wanted, 3, one, 1, 320, 0);
}

/* Each of four holders goes silent once it is used. */
static void test_peers_die(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;
  uint32_t failed = 0;

  o->rate = 100000;
  w->peer_rate = 100;
  w->chunk = 100;
  for (int i = 0; i < 5; i++) {
    holder(w, URL, 1000);
  }
  xl_job *j = client(w, device(w), URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  while (xl_job_state_of(j) != XL_JOB_TRANSFERRED && fake_step(w, S(5000))) {
    CU_ASSERT(xl_job_state_of(j) != XL_JOB_ERROR);
    for (int i = 0; i < FAKE_MAX && failed < 4; i++) {
      const fake_flow *l = &w->flows[i];
      uint32_t from = l->from == NULL ? XL_NONE : fake_index(w, l->from);
      if (l->used && from != XL_NONE && !w->gone[from] && l->delivered > 0) {
        w->gone[from] = true;
        failed++;
      }
    }
  }
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
  CHECK_EQ(failed, 4);
  xl_known_peer known[6];
  xl_bytes from_origin, from_peers;
  CHECK_EQ(xl_peers_known(w->agents[5], known, 6), 1); /* R616 */
  CU_ASSERT(!w->gone[known[0].id]);
  xl_file_peer_stats(f, &from_origin, &from_peers);
  CHECK_EQ(from_origin + from_peers, 1000);
  CU_ASSERT(from_origin > 0); /* the fifth holder was not asked */
  CU_ASSERT(from_peers > 0);  /* what came before stays */
  CHECK_EQ(xl_job_error_count(j), 0);
  CU_ASSERT(fake_is_whole(w, f, 1000, 7));
  fake_del(w);
}

static void test_invalid(void) {
  fake *w = fake_new();
  xl_file *f, *g;

  fake_add_origin(w, URL, 1000, 7);
  fake_add_origin(w, OTHER, 1000, 7);
  holder(w, URL, 1000);
  xl_agent *a = device(w);
  xl_job *j = client(w, a, OTHER, &f); /* nobody holds it */
  CHECK_EQ(xl_file_set_validation(f, false, 0), XL_E_PENDING);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(xl_file_set_validation(f, false, w->now), XL_OK);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(j), XL_E_VALIDATION_FAILED);
  CHECK_EQ(fake_progress(f).transferred, 0);

  j = client(w, a, URL, &g);
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  stats(g, 0, 1000);
  CHECK_EQ(xl_file_set_validation(g, false, w->now), XL_OK);
  CHECK_EQ(fake_progress(g).transferred, 0);
  CU_ASSERT(xl_job_state_of(j) != XL_JOB_ERROR);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(200)));
  stats(g, 1000, 0);
  fake_del(w);
}

static void test_final_url(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_agent *a = device(w);
  xl_record rec;
  uint32_t id;
  xl_file *f;

  fake_add_origin(w, OTHER, 1000, 7);
  o->status = 302;
  o->location = OTHER;
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_set_security_flags(j, XL_HTTP_REDIRECT_REPORT, 0), XL_OK);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  fake_act(w);
  CU_ASSERT(has(w, a, OTHER, 1000));
  CU_ASSERT(!has(w, a, URL, 1000));
  CHECK_EQ(records(a, &id), 1);
  CHECK_EQ(xl_cache_record(a, id, &rec), XL_OK);
  CU_ASSERT_STRING_EQUAL(rec.url, OTHER);
  fake_del(w);
}

/* ---- records ---- */

static void test_record(void) {
  static const xl_range_spec parts[] = {{500, XL_LENGTH_TO_EOF}, {100, 50}};
  xl_file_info info = {.remote = URL, .local = "f", .piece_bytes = 100};
  fake *w = fake_new();
  xl_agent *a = device(w);
  xl_range_spec row;
  xl_record rec;
  uint32_t ids[4];

  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 7}, 0), XL_OK);
  info.ranges = parts;
  info.nranges = 2;
  info.content = "c";
  w->now = S(5);
  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 7}, w->now), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 4), 2);
  CHECK_EQ(xl_cache_record(a, ids[0], &rec), XL_OK);
  CU_ASSERT_STRING_EQUAL(rec.url, URL);
  CHECK_EQ(rec.version.size, 1000);
  CHECK_EQ(rec.version.mtime_s, 7);
  CHECK_EQ(rec.used, 0);
  CU_ASSERT(rec.validated && !rec.busy);
  CHECK_EQ(rec.nranges, 1); /* a whole file is one range */
  CHECK_EQ(xl_cache_record_range(a, ids[0], 0, &row), XL_OK);
  CHECK_EQ(row.offset, 0);
  CHECK_EQ(row.length, 1000);
  CHECK_EQ(xl_cache_record(a, ids[1], &rec), XL_OK);
  CU_ASSERT_STRING_EQUAL(rec.url, URL);
  CHECK_EQ(rec.held, 550);
  CHECK_EQ(rec.nranges, 2);
  CHECK_EQ(xl_cache_record_range(a, ids[1], 0, &row), XL_OK);
  CHECK_EQ(row.offset, 500);
  CHECK_EQ(row.length, 500);
  CHECK_EQ(xl_cache_record_range(a, ids[1], 1, &row), XL_OK);
  CHECK_EQ(row.offset, 100);
  CHECK_EQ(row.length, 50);
  CHECK_EQ(xl_cache_record_range(a, ids[1], 2, &row), XL_E_NOT_FOUND);
  fake_del(w);
}

static void test_delete(void) {
  fake *w = fake_new();
  xl_agent *a = holder(w, URL, 1000);
  xl_record rec;
  uint32_t ids[2], id, left;

  CHECK_EQ(hold_at(w, a, OTHER, 1000), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 2), 2);
  CHECK_EQ(xl_cache_delete(a, ids[0], 0), XL_OK);
  /* The snapshot is as it was; the record is gone. */
  CHECK_EQ(xl_cache_record(a, ids[0], &rec), XL_E_NOT_FOUND);
  CHECK_EQ(xl_cache_delete(a, ids[0], 0), XL_E_NOT_FOUND);
  CU_ASSERT(!has(w, a, URL, 1000));
  CHECK_EQ(xl_cache_delete_url(a, URL, 0), XL_S_FALSE);
  CHECK_EQ(hold_at(w, a, URL, 1000), XL_OK);
  left = records(a, &id);
  CHECK_EQ(left, 2);
  CHECK_EQ(id, ids[1]); /* an id is not used again */
  CHECK_EQ(xl_cache_delete_url(a, URL, 0), XL_OK);
  CHECK_EQ(records(a, &id), 1);
  fake_act(w);
  CHECK_EQ(w->unpublished, 2);
  fake_del(w);
}

static void test_busy(void) {
  fake *w = fake_new();
  xl_agent *a = holder(w, URL, 1000);
  xl_record rec;
  uint32_t id;

  fake_act(w);
  CHECK_EQ(hold_at(w, a, OTHER, 1000), XL_OK);
  serve(w, a, URL, 1000);
  CHECK_EQ(records(a, &id), 2);
  CHECK_EQ(xl_cache_record(a, id, &rec), XL_OK);
  CU_ASSERT(rec.busy);
  CHECK_EQ(xl_cache_delete(a, id, 0), XL_E_BUSYCACHERECORD);
  CHECK_EQ(xl_cache_delete_url(a, URL, 0), XL_E_BUSYCACHERECORD);
  CU_ASSERT(has(w, a, URL, 1000));
  CHECK_EQ(xl_cache_clear(a, 0), XL_OK);
  CHECK_EQ(records(a, &id), 0);
  CU_ASSERT(!has(w, a, URL, 1000));
  CU_ASSERT_PTR_NULL(xl_agent_check(a));
  xl_agent_served(a, 77, 1000, S(1)); /* only now it is gone */
  CU_ASSERT_PTR_NULL(xl_agent_check(a));
  fake_del(w);
}

/* ---- limits ---- */

static fake *small_disk(xl_agent **a) { /* 1,000,000 bytes */
  fake *w = fake_new();
  xl_agent_cfg cfg = {.id = 0,
                      .policy = &record_policy,
                      .peercaching = BOTH,
                      .device = {.disk_bytes = 1000000}};

  CHECK_EQ(xl_agent_new(a, w->eng, &cfg, 0), XL_OK);
  w->agents[w->nagents++] = *a;
  return w;
}

/* What a file shares while it is fetched is no record, nor is one that goes
   once it is served. */
static void test_no_records(void) {
  fake *w = fake_new();
  xl_file *f;
  uint32_t id;

  fake_add_origin(w, URL, 1000, 7)->rate = 10;
  xl_agent *a = fake_add_agent(w, &piece_policy, BOTH);
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  fake_run(w, S(30));
  CU_ASSERT(has(w, a, URL, 1000)); /* shared */
  CHECK_EQ(records(a, &id), 0);
  CHECK_EQ(xl_cache_delete_url(a, URL, w->now), XL_S_FALSE);
  CHECK_EQ(xl_cache_clear(a, w->now), XL_OK);
  CU_ASSERT(has(w, a, URL, 1000));
  CHECK_EQ(hold_at(w, a, OTHER, 500), XL_OK);
  serve(w, a, OTHER, 500);
  CHECK_EQ(records(a, &id), 1);
  CHECK_EQ(xl_cache_delete_url(a, OTHER, w->now), XL_E_BUSYCACHERECORD);
  CHECK_EQ(xl_cache_clear(a, w->now), XL_OK); /* it goes when that ends */
  CHECK_EQ(records(a, &id), 0);
  CHECK_EQ(xl_cache_delete(a, id, w->now), XL_E_NOT_FOUND);
  CHECK_EQ(xl_cache_delete_url(a, OTHER, w->now), XL_S_FALSE);
  CHECK_EQ(xl_cache_clear(a, w->now), XL_OK);
  xl_agent_served(a, 77, 500, w->now);
  CU_ASSERT(!has(w, a, OTHER, 500));
  fake_check(w);
  fake_del(w);
}

static void test_size(void) {
  xl_agent *a;
  fake *w = small_disk(&a);
  uint32_t id;

  CHECK_EQ(xl_cache_set_size(a, 0, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_cache_set_size(a, 81, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_cache_set_size(a, 3, 0), XL_OK); /* 30,000 bytes */
  CHECK_EQ(xl_cache_size(a), 3);
  CHECK_EQ(hold_at(w, a, "http://w/big", 30001), XL_OK);
  CHECK_EQ(records(a, &id), 0); /* larger than the whole cache */
  CHECK_EQ(hold_at(w, a, URL, 10000), XL_OK);
  w->now = S(1);
  CHECK_EQ(hold_at(w, a, OTHER, 10000), XL_OK);
  w->now = S(2);
  serve(w, a, URL, 10000); /* used last, and in use */
  w->now = S(3);
  CHECK_EQ(hold_at(w, a, "http://u/f", 10000), XL_OK);
  CHECK_EQ(records(a, &id), 3);
  w->now = S(4);
  CHECK_EQ(xl_cache_set_size(a, 2, w->now), XL_OK);
  CU_ASSERT(!has(w, a, OTHER, 10000)); /* the least recently used */
  CHECK_EQ(records(a, &id), 2);
  CHECK_EQ(xl_cache_set_size(a, 1, w->now), XL_OK);
  CU_ASSERT(!has(w, a, URL, 10000)); /* used before the last one */
  CU_ASSERT_PTR_NULL(xl_agent_check(a));
  xl_agent_served(a, 77, 10000, S(5));
  CHECK_EQ(records(a, &id), 1);
  fake_check(w);
  fake_del(w);
}

static void test_age(void) {
  xl_agent *a;
  fake *w = small_disk(&a);

  CHECK_EQ(xl_cache_set_age(a, XL_CACHE_AGE_MIN - 1, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_cache_set_age(a, XL_CACHE_AGE_MAX + 1, 0), XL_E_INVALIDARG);
  CHECK_EQ(hold_at(w, a, URL, 100), XL_OK);
  CHECK_EQ(hold_at(w, a, OTHER, 100), XL_OK);
  CHECK_EQ(xl_cache_set_age(a, 2 * 86400, 0), XL_OK);
  w->now = XL_DAY(1);
  xl_engine_advance(w->eng, w->now);
  serve(w, a, URL, 100); /* an access: its age begins anew */
  xl_agent_served(a, 77, 100, w->now);
  fake_run(w, XL_DAY(2) - 1);
  CU_ASSERT(has(w, a, OTHER, 100));
  fake_run(w, XL_DAY(2));
  CU_ASSERT(!has(w, a, OTHER, 100));
  CU_ASSERT(has(w, a, URL, 100));
  fake_run(w, XL_DAY(3));
  CU_ASSERT(!has(w, a, URL, 100));
  fake_del(w);
}

static void test_policy_wins(void) {
  xl_agent *a;
  fake *w = small_disk(&a);
  xl_cache_policy p = {.size_percent = 2, .age_s = 86400};
  uint32_t id;

  CHECK_EQ(hold_at(w, a, URL, 15000), XL_OK);
  CHECK_EQ(hold_at(w, a, OTHER, 15000), XL_OK);
  CHECK_EQ(xl_cache_set_policy(a, &p, 0), XL_OK);
  CHECK_EQ(records(a, &id), 1); /* at once */
  CHECK_EQ(xl_cache_set_size(a, 80, 0), XL_S_FALSE);
  CHECK_EQ(xl_cache_size(a), 2);
  CHECK_EQ(xl_cache_set_age(a, XL_CACHE_AGE_MAX, 0), XL_S_FALSE);
  CHECK_EQ(xl_cache_age(a), 86400);
  p.size_percent = 0;
  CHECK_EQ(xl_cache_set_policy(a, &p, 0), XL_OK);
  CHECK_EQ(xl_cache_size(a), 80); /* the preference was kept */
  fake_run(w, XL_DAY(1));
  CHECK_EQ(records(a, &id), 0);
  p.size_percent = 81;
  CHECK_EQ(xl_cache_set_policy(a, &p, w->now), XL_E_INVALIDARG);
  fake_del(w);
}

static void test_flags(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_agent *a = device(w);
  xl_cache_policy p = {.peering = XL_PEERING_ON, .client_off = true};
  xl_file *f;

  holder(w, URL, 1000);
  CHECK_EQ(xl_cache_set_flags(a, 4, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_cache_set_flags(a, BOTH, 0), XL_OK);
  CHECK_EQ(xl_cache_set_policy(a, &p, 0), XL_OK);
  CHECK_EQ(xl_cache_flags(a), XL_PEERCACHING_SERVER);
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  CHECK_EQ(o->gets, 1); /* the client role is switched off */
  stats(f, 1000, 0);
  CHECK_EQ(xl_cache_set_flags(a, XL_PEERCACHING_SERVER, w->now), XL_OK);
  CHECK_EQ(xl_cache_set_flags(a, XL_PEERCACHING_CLIENT, w->now),
           XL_S_OVERRIDDEN_BY_POLICY);
  p.peering = XL_PEERING_OFF;
  CHECK_EQ(xl_cache_set_policy(a, &p, w->now), XL_OK);
  CHECK_EQ(xl_cache_flags(a), 0);
  p.peering = XL_PEERING_UNSET; /* the other policy counts no more */
  CHECK_EQ(xl_cache_set_policy(a, &p, w->now), XL_OK);
  CHECK_EQ(xl_cache_flags(a), XL_PEERCACHING_CLIENT);
  fake_del(w);
}

static void test_flags_of_running_job(void) {
  fake *w = fake_new();
  fake_origin *o = fake_add_origin(w, URL, 1000, 7);
  xl_file *f;

  w->peer_rate = 100;
  w->chunk = 100;
  holder(w, URL, 1000);
  xl_agent *a = device(w);
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  fake_run(w, S(4));
  xl_bytes had = fake_progress(f).transferred;
  CU_ASSERT(had > 0);
  CHECK_EQ(xl_cache_set_flags(a, 0, w->now), XL_OK);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(50)));
  stats(f, 1000 - had, had); /* the offset is kept */
  CHECK_EQ(o->sent, 1000 - had);
  fake_del(w);
}

/* ---- peers ---- */

static void test_peers(void) {
  fake *w = fake_new();
  xl_known_peer known[4];
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7);
  w->peer_rate = 10;
  holder(w, URL, 1000);
  holder(w, URL, 1000);
  xl_agent *a = device(w);
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_peers_known(a, known, 4), 0);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  fake_run(w, S(6));
  CHECK_EQ(xl_peers_known(a, known, 4), 2);
  CHECK_EQ(known[0].id, 0);
  CHECK_EQ(known[1].scope, XL_SCOPE_SUBNET);
  CU_ASSERT(known[0].available);
  CHECK_EQ(xl_peers_known(a, known, 1), 2);
  CHECK_EQ(xl_peers_clear(a, w->now), XL_OK);
  CHECK_EQ(xl_peers_known(a, known, 4), 0);
  fake_run(w, S(20)); /* and the next search finds them again */
  CHECK_EQ(xl_peers_known(a, known, 4), 2);
  CHECK_EQ(xl_job_cancel(j, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(xl_peers_known(a, known, 4), 2); /* no file needs them (R624) */
  fake_check(w);
  fake_del(w);
}

/* In a swarm there is no table: what files know is listed, each device once. */
static void test_peers_of_files(void) {
  fake *w = fake_new();
  xl_known_peer known[8];
  xl_agent *a[4];
  xl_file *f;

  fake_add_origin(w, URL, 1000, 7)->rate = 1;
  w->peer_rate = 10;
  for (int i = 0; i < 4; i++) {
    a[i] = fake_add_agent(w, &piece_policy, BOTH);
    CHECK_EQ(i < 3 ? hold_at(w, a[i], URL, 1000) : XL_OK, XL_OK);
  }
  for (int i = 0; i < 2; i++) {
    xl_job *j = client(w, a[3], URL, &f);
    CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  }
  fake_run(w, S(6));
  CHECK_EQ(xl_peers_known(a[3], known, 8), 3);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQ(known[i].id, i);
    CU_ASSERT(known[i].available);
  }
  CHECK_EQ(xl_peers_known(a[3], known, 0), 3);
  w->gone[1] = true; /* one falls silent: left out for a while */
  fake_run(w, S(40));
  uint32_t n = xl_peers_known(a[3], known, 8), out = 0;
  CHECK_EQ(n, 3);
  for (uint32_t i = 0; i < n; i++) {
    out += !known[i].available;
    CU_ASSERT(known[i].available || known[i].id == 1);
  }
  CHECK_EQ(out, 1);
  fake_check(w);
  fake_del(w);
}

static uint32_t searches(const fake *w) {
  uint32_t n = 0;

  for (uint32_t i = 0; i < w->nevents; i++) {
    n += w->events[i].kind == XL_EVENT_SEARCH;
  }
  return n;
}

static void test_discover(void) {
  fake *w = fake_new();
  xl_file *f;

  fake_add_origin(w, URL, 100000, 7)->rate = 10;
  xl_agent *a = device(w);
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  fake_run(w, S(20));
  uint32_t before = searches(w);
  CHECK_EQ(xl_peers_discover(a, w->now), XL_OK);
  fake_run(w, S(40));
  CHECK_EQ(searches(w), before + 1);
  CHECK_EQ(xl_peers_discover(a, w->now), XL_S_FALSE); /* held back */
  fake_run(w, S(60));
  CHECK_EQ(searches(w), before + 1);
  CHECK_EQ(xl_peers_clear(a, w->now), XL_OK); /* lifts that */
  fake_run(w, S(80));
  CHECK_EQ(xl_peers_discover(a, w->now), XL_OK);
  fake_run(w, S(20 + 700));
  CHECK_EQ(xl_peers_discover(a, w->now), XL_OK); /* 10 min later */
  CHECK_EQ(xl_cache_set_flags(a, XL_PEERCACHING_SERVER, w->now), XL_OK);
  CHECK_EQ(xl_peers_discover(a, w->now), XL_E_PEERCACHING_DISABLED);
  fake_del(w);
}

/* 100 bytes at a time, after a search. */
static bool pick_after_search(const xl_host *h, xl_view *v, xl_pick *out,
                              xl_time *again) {
  bool yes = h->file(v)->nsearches > 0 && pick_record(h, v, out, again);

  out->range.end = out->range.begin + 100;
  return yes;
}

static void test_discover_full(void) {
  xl_engine_cfg cfg = xl_engine_cfg_default();
  xl_policy patient = record_policy;
  xl_file *f;

  cfg.peers_max = 1;
  patient.pick = pick_after_search;
  fake *w = fake_new_cfg(&cfg);
  fake_add_origin(w, URL, 1000, 7)->rate = 100;
  holder(w, URL, 1000);
  xl_agent *a = fake_add_agent(w, &patient, BOTH);
  w->peer_rate = 100;
  xl_job *j = client(w, a, URL, &f);
  CHECK_EQ(xl_job_resume(j, 0), XL_OK);
  fake_run(w, S(6));
  CHECK_EQ(xl_peers_discover(a, w->now), XL_OK); /* there is no room */
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(60)));
  stats(f, 0, 1000);
  fake_del(w);
}

TEST_SUITE(
    "conformance: peer cache",
    {"T36 R602 R605 R640 R641 R320 R322: a HEAD, then the peer's record; the "
     "origin sends no byte",
     test_spares_the_origin},
    {"R605: without the origin's HEAD no peer is used",
     test_no_origin_no_peers},
    {"T37 R642 R643: a record of the whole does not supply a part",
     test_part_of_a_record},
    {"R642 R644: a record of the same range does", test_same_range},
    {"R643 R642 R644: each row comes from a record that has exactly it, or "
     "from the origin",
     test_rows},
    {"T38 R655 R616 R321: four peers die; never ERROR, then the origin alone",
     test_peers_die},
    {"T39 R304 R305 R306 R658: invalid too early, from the origin, from a peer",
     test_invalid},
    {"R619 R812: a redirected file is kept under its final URL",
     test_final_url},
    {"R617: what a record says; it has at least one range", test_record},
    {"R614: records are listed and deleted", test_delete},
    {"R614 R611: a busy record is not deleted; clearing waits for it",
     test_busy},
    {"R614 R617: what is shared, or going, is no record", test_no_records},
    {"R611 R613 R673: the size is a percentage of the disk, the least recently "
     "used goes",
     test_size},
    {"R612 R674: the age counts from the last access", test_age},
    {"R611 R612 R673 R674: a policy wins over the preference",
     test_policy_wins},
    {"R610 R670 R671: flags, and the policies that override them", test_flags},
    {"R610 R505: a flag that goes sends a running job to the origin",
     test_flags_of_running_job},
    {"R615 R624: peers are listed and cleared", test_peers},
    {"R615: a device that several files know is listed once",
     test_peers_of_files},
    {"R615 R623: a discovery, and 10 minutes without another", test_discover},
    {"R615: a discovery that finds no room for peers holds nothing up",
     test_discover_full})
