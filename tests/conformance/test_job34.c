/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of Job2, Job3 and Job4: bits-semantics 4.7 and 5. */
#include "bed.h"

/* ---- Job3: prefix, ACL flags ---- */

static void test_prefix(void) {
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  static const char *const urls[] = {"http://A/1", "http://A/2", "http://C/3"};

  for (int i = 0; i < 3; i++) {
    fake_file_add(w, j, urls[i], NULL);
  }
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://a/", "http://B/", 0),
           XL_S_FALSE);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "A/", "B/", 0), XL_S_FALSE);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", "http://B/", 0), XL_OK);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), "http://B/1");
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 1)), "http://B/2");
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 2)), "http://C/3");
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", "http://B/", 0),
           XL_S_FALSE);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "", "http://B/", 0),
           XL_E_INVALIDARG);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://B/", "", 0),
           XL_E_INVALIDARG);
  fake_del(w);
}

static void test_prefix_goes_on(void) {
  bed b = bed_new(&origin_policy);

  fake_add_origin(b.w, URL2, 1000, 7);
  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(500));
  CHECK_EQ(
      xl_job_replace_remote_prefix(b.j, "http://w/", "http://w2/", b.w->now),
      XL_OK);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(10)));
  CHECK_EQ(xl_file_mirror_bytes(b.f, 0), 500);
  CHECK_EQ(xl_file_mirror_bytes(b.f, 1), 500);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_prefix_all_or_none(void) {
  fake *w = fake_new();
  xl_job *j = fake_job(w, fake_add_agent(w, &origin_policy, 0));
  char longest[2201], into[220];

  memset(longest, '/', 2200);
  memcpy(longest, "http://A/", 9);
  longest[2200] = '\0';
  memset(into, '/', sizeof into - 1);
  memcpy(into, "http://B/", 9);
  into[sizeof into - 1] = '\0';
  fake_file_add(w, j, "http://A/1", NULL);
  fake_file_add(w, j, longest, NULL);
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", into, 0),
           XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), "http://A/1");
  CHECK_EQ(xl_job_replace_remote_prefix(j, "http://A/", "gone", 0),
           XL_E_INVALIDARG);
  CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)), "http://A/1");
  fake_del(w);
}

static void test_acl(void) {
  bed b = bed_new(&origin_policy);

  CHECK_EQ(xl_job_set_acl_flags(b.j, 16, 0), XL_E_INVALIDARG);
  CHECK_EQ(xl_job_set_acl_flags(b.j, XL_COPY_FILE_ALL, 0), XL_OK);
  CHECK_EQ(xl_job_set_acl_flags(b.j, 16 | XL_COPY_FILE_DACL, 0),
           XL_E_INVALIDARG);
  CHECK_EQ(xl_job_acl_flags(b.j), XL_COPY_FILE_ALL);
  CHECK_EQ(xl_job_set_acl_flags(b.j, XL_COPY_FILE_OWNER, 0), XL_OK);
  CHECK_EQ(xl_job_acl_flags(b.j), XL_COPY_FILE_OWNER);
  bed_fetch(&b);
  CHECK_EQ(xl_job_set_acl_flags(b.j, 0, b.w->now), XL_E_INVALID_STATE);
  CHECK_EQ(xl_job_acl_flags(b.j), XL_COPY_FILE_OWNER);
  fake_del(b.w);
}

/* ---- Job4: peer caching ---- */

/* A holder of the content, and a job that may use it if its flags allow. */
static bed with_peer(uint32_t machine, uint32_t job) {
  bed b = {.w = fake_new()};
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};

  b.w->chunk = 100;
  b.w->peer_rate = 1000;
  b.o = fake_add_origin(b.w, URL, 1000, 7);
  xl_agent *peer = fake_add_agent(b.w, &record_policy, 3);
  CHECK_EQ(xl_agent_hold(peer, &info, (xl_version){1000, 7}, 0), XL_OK);
  b.dev = fake_add_agent(b.w, &record_policy, machine);
  b.j = fake_job(b.w, b.dev);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  CHECK_EQ(xl_job_set_peercaching(b.j, job, 0), XL_OK);
  return b;
}

static void test_flags(void) {
  static const struct {
    uint32_t machine, job;
    bool peer, kept;
  } cases[] = {{3, 0, false, false}, {0, 3, false, false}, {1, 1, true, false},
               {3, 3, true, true},   {3, 1, true, false},  {2, 3, false, true},
               {1, 3, true, false},  {3, 2, false, true}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bed b = with_peer(cases[i].machine, cases[i].job);
    bed_fetch(&b);
    CHECK_EQ(xl_file_from_peer(b.f), cases[i].peer);
    CHECK_EQ(b.o->gets > 0, !cases[i].peer);
    CHECK_EQ(xl_job_complete(b.j, b.w->now), XL_OK);
    fake_act(b.w);
    const xl_map *m = xl_agent_map(b.dev, xl_engine_name(b.w->eng, URL),
                                   (xl_version){1000, 7});
    CHECK_EQ(m != NULL, cases[i].kept);
    fake_del(b.w);
  }
}

static void test_flag_values(void) {
  bed b = bed_new(&record_policy);

  CHECK_EQ(xl_job_peercaching(b.j), 0);
  CHECK_EQ(xl_job_set_peercaching(b.j, 8, 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_set_peercaching(b.j, 7, 0), XL_OK);
  CHECK_EQ(xl_job_peercaching(b.j), 7); /* though the machine has none */
  fake_del(b.w);
}

/* The job's flag, or the machine's, flips off and on again. */
static void flip(bool machine) {
  bed b = with_peer(3, 3);

  xl_job_resume(b.j, 0);
  while (fake_progress(b.f).transferred < 300 && fake_step(b.w, S(60))) {
  }
  CHECK_EQ(fake_progress(b.f).transferred, 300);
  if (machine) {
    CHECK_EQ(xl_agent_set_peercaching(b.dev, 2, b.w->now), XL_OK);
  } else {
    CHECK_EQ(xl_job_set_peercaching(b.j, 2, b.w->now), XL_OK);
  }
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_TRANSFERRED, S(60)));
  xl_bytes origin, peers;
  xl_file_peer_stats(b.f, &origin, &peers);
  CHECK_EQ(peers, 300);
  CHECK_EQ(origin, 700); /* from the same offset on */
  CHECK_EQ(xl_ledger_total(xl_file_ledger(b.f)), 1000);
  CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
  fake_del(b.w);
}

static void test_flip_job(void) {
  flip(false);
}

static void test_flip_machine(void) {
  flip(true);
}

static void test_flip_on(void) {
  bed b = with_peer(3, 0);

  xl_job_resume(b.j, 0);
  fake_run(b.w, XL_MS(350));
  CHECK_EQ(xl_file_from_peer(b.f), false);
  xl_job_suspend(b.j, b.w->now);
  fake_act(b.w);
  CHECK_EQ(xl_job_set_peercaching(b.j, 1, b.w->now), XL_OK);
  bed_fetch(&b);
  xl_bytes origin, peers;
  xl_file_peer_stats(b.f, &origin, &peers);
  CHECK_EQ(origin + peers, 1000);
  CU_ASSERT(peers > 0);
  fake_del(b.w);
}

static void test_bits4_inert(void) {
  xl_policy p = record_policy;
  p.flavour = XL_FLAVOUR_BITS4;
  bed b = {.w = fake_new()};
  const xl_file_info info = {
      .remote = URL, .local = "C:\\f", .piece_bytes = 100};

  b.o = fake_add_origin(b.w, URL, 1000, 7);
  xl_agent *peer = fake_add_agent(b.w, &p, 3);
  CHECK_EQ(xl_agent_hold(peer, &info, (xl_version){1000, 7}, 0), XL_OK);
  b.dev = fake_add_agent(b.w, &p, 3);
  b.j = fake_job(b.w, b.dev);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  CHECK_EQ(xl_job_set_peercaching(b.j, 3, 0), XL_OK); /* stored */
  bed_fetch(&b);
  CHECK_EQ(xl_file_from_peer(b.f), false);
  CHECK_EQ(b.o->gets, 1);
  fake_del(b.w);
}

/* ---- Job4: download time ---- */

static void test_download_time(void) { /* T34 */
  bed b = bed_new(&origin_policy);

  b.o->size = 100000;
  CHECK_EQ(xl_job_set_max_download_time(b.j, 10, 0), XL_OK);
  xl_job_resume(b.j, 0);
  fake_run(b.w, S(6));
  xl_job_suspend(b.j, b.w->now);
  fake_run(b.w, S(66));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_SUSPENDED);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(76) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, S(76));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  CHECK_EQ(fake_error(b.j), XL_E_MAXDOWNLOAD_TIMEOUT);
  CHECK_EQ(xl_job_error_context(b.j), XL_CONTEXT_GENERAL_QUEUE_MANAGER);
  CHECK_EQ(fake_progress(b.f).transferred, 16000);
  xl_job_resume(b.j, b.w->now);
  fake_run(b.w, S(82));
  xl_job_resume(b.j, b.w->now); /* every Resume, also while it runs */
  fake_run(b.w, S(92) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, S(92));
  CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
  fake_del(b.w);
}

static void test_waiting_is_free(void) {
  bed b = bed_new(&origin_policy);
  xl_job *high = bed_job(&b, URL);

  b.o->size = 20000;
  CHECK_EQ(xl_job_set_max_download_time(b.j, 10, 0), XL_OK);
  CHECK_EQ(xl_job_set_priority(high, XL_PRIORITY_HIGH, 0), XL_OK);
  xl_job_resume(b.j, 0);
  fake_run(b.w, S(4));
  xl_job_resume(high, b.w->now); /* b waits in QUEUED for 20 s */
  CU_ASSERT(fake_until(b.w, high, XL_JOB_TRANSFERRED, S(30)));
  CHECK_EQ(b.w->now, S(24));
  fake_run(b.w, S(25));
  xl_agent_link(b.dev, false, b.w->now); /* and in TRANSIENT_ERROR for 75 s */
  fake_run(b.w, S(100));
  xl_agent_link(b.dev, true, b.w->now);
  fake_run(b.w, S(105) - 1);
  CU_ASSERT(runs(b.j));
  fake_run(b.w, S(105)); /* 4 + 1 + 5 s */
  CHECK_EQ(fake_error(b.j), XL_E_MAXDOWNLOAD_TIMEOUT);
  fake_del(b.w);
}

/* ---- Job4: owner ---- */

static void test_owner(void) {
  bed b = bed_new(&origin_policy);
  xl_job *j;

  CU_ASSERT_STRING_EQUAL(xl_job_owner(b.j), "S-1-5-18");
  CHECK_EQ(xl_job_owner_integrity(b.j), XL_INTEGRITY_SYSTEM);
  act_as(&b, &alice);
  CHECK_EQ(xl_job_create(b.dev, "hers", &j, 0), XL_OK);
  CHECK_EQ(xl_job_owner_integrity(j), XL_INTEGRITY_MEDIUM);
  CHECK_EQ(xl_job_owner_elevated(j), false);
  act_as(&b, &root);
  CHECK_EQ(xl_job_owner_integrity(j), XL_INTEGRITY_MEDIUM); /* the owner's */
  CHECK_EQ(xl_job_take_ownership(j, 0), XL_OK);
  CHECK_EQ(xl_job_owner_integrity(j), XL_INTEGRITY_HIGH);
  CHECK_EQ(xl_job_owner_elevated(j), true);
  fake_del(b.w);
}

/* ---- Job2: reply, credentials ---- */

static void test_reply(void) {
  bed b = bed_new(&origin_policy);
  xl_job_progress p;
  const void *data = &p;
  const char *name = "x";
  uint64_t n = 9;

  CHECK_EQ(xl_job_reply_progress(b.j, &p), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_reply_data(b.j, &data, &n), XL_E_NOTIMPL);
  CHECK_EQ(n, 0);
  CHECK_EQ(xl_job_set_reply_file_name(b.j, "C:\\r", 0), XL_E_NOTIMPL);
  CHECK_EQ(xl_job_reply_file_name(b.j, &name), XL_E_NOTIMPL);
  CU_ASSERT(data == NULL && name == NULL);
  fake_del(b.w);
}

static void test_credential_calls(void) {
  bed b = bed_new(&origin_policy);
  char user[302];
  static char password[65600];
  xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "p"}, got;

  memset(user, 'u', 301);
  user[301] = '\0';
  memset(password, 'p', 65536);
  c.target = (xl_auth_target)3;
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_E_INVALID_AUTH_TARGET);
  c.target = XL_AUTH_PROXY;
  c.scheme = (xl_auth_scheme)6;
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_E_INVALID_AUTH_SCHEME);
  c.scheme = XL_AUTH_DIGEST;
  c.user = NULL;
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_E_INVALIDARG);
  c.user = user;
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_E_USERNAME_TOO_LARGE);
  user[300] = '\0';
  c.password = password;
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_E_PASSWORD_TOO_LARGE);
  password[65535] = '\0';
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_OK);
  c = (xl_credentials){XL_AUTH_PROXY, XL_AUTH_NTLM, NULL, NULL};
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_OK);
  CHECK_EQ(xl_job_credentials(b.j, XL_AUTH_SERVER, &got), false);
  c = (xl_credentials){XL_AUTH_PROXY, XL_AUTH_DIGEST, "new", "p"};
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_OK); /* replaces */
  CHECK_EQ(xl_job_credentials(b.j, XL_AUTH_PROXY, &got), true);
  CU_ASSERT_STRING_EQUAL(got.user, "new");
  CHECK_EQ(xl_job_remove_credentials(b.j, XL_AUTH_PROXY, XL_AUTH_DIGEST, 0),
           XL_OK);
  CHECK_EQ(xl_job_remove_credentials(b.j, XL_AUTH_PROXY, XL_AUTH_DIGEST, 0),
           XL_S_FALSE);
  CHECK_EQ(xl_job_credentials(b.j, XL_AUTH_PROXY, &got), true);
  CHECK_EQ(got.scheme, XL_AUTH_NTLM);
  fake_del(b.w);
}

static void test_credentials_used(void) {
  static const struct {
    uint32_t status;
    xl_auth_target target;
    bool good;
  } cases[] = {{401, XL_AUTH_SERVER, true},
               {407, XL_AUTH_PROXY, true},
               {401, XL_AUTH_PROXY, false},
               {407, XL_AUTH_SERVER, false}};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bed b = bed_new(&origin_policy);
    const xl_credentials c = {cases[i].target, XL_AUTH_BASIC, "u", "p"};
    b.o->challenge = cases[i].status;
    CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_OK);
    xl_job_resume(b.j, 0);
    fake_run(b.w, S(10));
    if (cases[i].good) {
      CHECK_EQ(xl_job_state_of(b.j), XL_JOB_TRANSFERRED);
      CHECK_EQ(b.o->gets, 2);
      CHECK_EQ(xl_job_error_count(b.j), 0);
      CU_ASSERT(fake_is_whole(b.w, b.f, 1000, 7));
    } else {
      CHECK_EQ(xl_job_state_of(b.j), XL_JOB_ERROR);
      CHECK_EQ(fake_error(b.j), XL_E_HTTP(cases[i].status));
    }
    fake_del(b.w);
  }
}

static void test_credentials_rejected(void) {
  bed b = bed_new(&origin_policy);
  const xl_credentials c = {XL_AUTH_SERVER, XL_AUTH_BASIC, "u", "wrong"};

  b.o->status = 401; /* to everything */
  CHECK_EQ(xl_job_set_credentials(b.j, &c, 0), XL_OK);
  xl_job_resume(b.j, 0);
  CU_ASSERT(fake_until(b.w, b.j, XL_JOB_ERROR, S(10)));
  CHECK_EQ(XL_HRESULT(fake_error(b.j)), 0x80190191);
  CHECK_EQ(b.o->gets, 2);
  fake_del(b.w);
}

TEST_SUITE(
    "conformance job2-4",
    {"T20 R501: a prefix is replaced where it begins a name", test_prefix},
    {"R501 R211: a replaced prefix goes on at the offset", test_prefix_goes_on},
    {"R502: one bad name and none is changed (design)",
     test_prefix_all_or_none},
    {"R503: ACL flags are checked, and fixed once transferred", test_acl},
    {"R504 R505: the flags of job and machine gate peers and the record",
     test_flags},
    {"R504 R507: undefined flags are E_NOTIMPL; the job's own come back "
     "(design)",
     test_flag_values},
    {"R505: the job's flag flips, the offset stays", test_flip_job},
    {"R505: the machine's flag flips, the offset stays", test_flip_machine},
    {"R505: peers may be used from now on", test_flip_on},
    {"R506: in BITS 4 the flags are kept and do nothing", test_bits4_inert},
    {"T34 R508 R509: the download time counts from each Resume",
     test_download_time},
    {"R508: waiting does not count", test_waiting_is_free},
    {"R510 R433: integrity and elevation are the owner's", test_owner},
    {"R471: a download has no reply", test_reply},
    {"R472: credentials are kept by target and scheme", test_credential_calls},
    {"R472 R805: 401 and 407 are answered with what fits",
     test_credentials_used},
    {"R472: rejected credentials are an error", test_credentials_rejected})
