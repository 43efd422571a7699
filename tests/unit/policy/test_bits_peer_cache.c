/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fake.h"

#define POLICY "bits-peer-cache"
#define EMPTY "........"
#define FULL "########"

static void test_search(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  w.file.nsearches = 0;
  CHECK_EQ(fake_find(&w), true);
  CHECK_EQ(w.sought.scopes, 1u << XL_SCOPE_SUBNET);
  CHECK_EQ(w.sought.want, 10);
  CHECK_EQ(w.sought.multicast, true);
  CHECK_EQ(w.sought.complete_only, true);
  CHECK_EQ(w.sought.timeout, XL_SEC(30));
  w.file.searching = true;
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, XL_NEVER);
}

static void test_search_is_suppressed(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  w.file.searched = XL_SEC(30);
  w.now = XL_SEC(30);
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, XL_SEC(630));
  w.now = XL_SEC(630) - 1;
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, XL_SEC(630));
  w.now = XL_SEC(630);
  CHECK_EQ(fake_find(&w), true);
}

static void test_no_search_without_permission(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  w.file.nsearches = 0;
  w.file.peers_allowed = false;
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, XL_NEVER);
}

static void test_search_comes_first(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  w.file.nsearches = 0;
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
  w.file.searching = true;
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
  fake_add(&w, XL_SCOPE_SUBNET, FULL); /* answers before the search is over */
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
}

static void test_nobody_answered(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEERS_FOUND, 0);
  CHECK_EQ(w.out.range.begin, 0);
  CHECK_EQ(w.out.range.end, w.file.size_bytes);
}

static void test_one_source(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "peer_fragment", "20MiB");
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
  CHECK_EQ(w.out.range.end, 2 * FAKE_PIECE);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
}

static void test_head(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "peer_fragment", "20MiB");
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_pick(&w);
  CHECK_EQ(w.out.head, true);
  w.file.peer_requests = 0;
  fake_pick(&w);
  CHECK_EQ(w.out.head, false);
  fake_init(&w, POLICY, EMPTY);
  w.file.foreground = true;
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_pick(&w);
  CHECK_EQ(w.out.head, false);
}

static void test_who_can_serve(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, FULL);
  fake_pick(&w);
  CHECK_ORIGIN(&w, OUT_OF_SCOPE, 0);
  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, "#######.");
  fake_pick(&w);
  CHECK_ORIGIN(&w, RECORD_MISMATCH, 0);
  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.peers[0].view.banned = true;
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, BIT(PEER_BANNED));
  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, FULL);
  fake_add(&w, XL_SCOPE_SUBNET, "#.......");
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_pick(&w);
  CHECK_PEER(&w, 2, BIT(OUT_OF_SCOPE) | BIT(RECORD_MISMATCH));
}

static void test_no_peers_for(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.file.peers_allowed = false;
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERING_OFF, 0);
  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.file.origin_only = true;
  fake_pick(&w);
  CHECK_ORIGIN(&w, ORIGIN_ONLY_AGAIN, 0);
}

static void test_fourth_failure(void) {
  fake w;

  for (uint32_t failures = 0; failures <= 4; failures++) {
    fake_init(&w, POLICY, EMPTY);
    fake_add(&w, XL_SCOPE_SUBNET, FULL);
    w.file.peer_failures = failures;
    xl_remedy r = fake_failed(
        &w,
        (xl_failure){.kind = XL_SOURCE_PEER, .end = XL_END_RESET, .in_row = 1});
    CHECK_EQ(r.drop_peer, true);
    CHECK_EQ(r.ban_peer, 0);
    CHECK_EQ(r.origin_only, failures > 3);
    fake_pick(&w);
    CHECK_EQ(w.out.reason,
             failures > 3 ? XL_REASON_PEER_FAILED : XL_REASON_PEER_HAS_IT);
    CHECK_EQ(fake_find(&w) || w.again != XL_NEVER, failures <= 3);
  }
}

static void test_busy_peer_stays(void) {
  fake w;
  xl_remedy r;

  fake_init(&w, POLICY, EMPTY);
  w.file.peer_failures = 9;
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  r = fake_failed(&w,
                  (xl_failure){.kind = XL_SOURCE_PEER, .end = XL_END_REFUSED});
  CHECK_EQ(r.drop_peer, false);
  CHECK_EQ(r.ban_peer, XL_SEC(60)); /* as it came: the engine's rule */
  CHECK_EQ(r.origin_only, false);
  r = fake_failed(
      &w, (xl_failure){.kind = XL_SOURCE_ORIGIN, .end = XL_END_STALLED});
  CHECK_EQ(r.ban_peer, XL_SEC(60)); /* as it came */
}

static void test_all_busy(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.now = XL_SEC(100);
  w.peers[0].view.busy_until = XL_SEC(105);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(105));
  w.now = XL_SEC(158);
  w.peers[0].view.busy_until = XL_SEC(163);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(160)); /* 60 s of waiting are over */
  w.now = XL_SEC(160);
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERS_FULL, BIT(PEER_BUSY));
}

static void test_busy_again(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "peer_fragment", "10MiB");
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.peers[0].view.busy_until = XL_SEC(5);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(5));
  w.now = XL_SEC(5);
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
  w.file.peer_requests = 0;
  w.now = XL_SEC(100);
  w.peers[0].view.busy_until = XL_SEC(103);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(103)); /* the 60 s count from now */
}

static void test_other_server_first(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  w.now = 10;
  w.peers[0].view.busy_until = 11;
  fake_pick(&w);
  CHECK_PEER(&w, 1, BIT(PEER_BUSY));
}

static void test_serving(void) {
  fake w;
  xl_ask ask = {.scope = XL_SCOPE_SUBNET, .complete = true, .validated = true};
  xl_answer a;

  fake_init(&w, POLICY, EMPTY);
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, true);
  CHECK_EQ(a.cap, 125000);
  ask.uploads = 2;
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, true);
  CHECK_EQ(a.cap, 125000 / 3);
  ask.uploads = 3;
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, false);
  CHECK_EQ(a.why, XL_REASON_PEER_BUSY);
  CHECK_EQ(a.retry_after, XL_SEC(5));
  ask.uploads = 0;
  ask.validated = false;
  CHECK_EQ(fake_serve(&w, ask).why, XL_REASON_NOT_VALIDATED);
  ask.complete = false;
  CHECK_EQ(fake_serve(&w, ask).why, XL_REASON_NO_PEER_HAS_IT);
  ask.scope = XL_SCOPE_SITE;
  CHECK_EQ(fake_serve(&w, ask).why, XL_REASON_OUT_OF_SCOPE);
  fake_set(&w, "bandwidth", "unlimited");
  ask = (xl_ask){.complete = true, .validated = true};
  CU_ASSERT(fake_serve(&w, ask).cap == XL_RATE_UNLIMITED);
}

static void test_cache(void) {
  fake w;
  xl_keep k;

  fake_init(&w, POLICY, FULL);
  w.device.disk_bytes = XL_MIB(8000); /* 1 % is the file's 80 MiB */
  k = fake_keep(&w);
  CHECK_EQ(k.keep, true);
  CHECK_EQ(k.bytes_max, XL_MIB(80));
  CHECK_EQ(k.age_max, XL_DAY(90));
  CHECK_EQ(k.from_arrival, false);
  w.device.disk_bytes = XL_MIB(7999);
  CHECK_EQ(fake_keep(&w).keep, false);
}

TEST_SUITE(
    "bits-peer-cache",
    {"a search probes the own subnet for 10 holders of the whole, for 30 s "
     "(R623, R632)",
     test_search},
    {"no new search within 10 min of one (R623)", test_search_is_suppressed},
    {"no search when the job or the machine forbids peers (R602)",
     test_no_search_without_permission},
    {"the origin waits for the search, but a peer that answered is used at "
     "once (R637, R640)",
     test_search_comes_first},
    {"when nobody answered the origin is used at once (R656)",
     test_nobody_answered},
    {"a row comes from one source at a time (R643)", test_one_source},
    {"a peer's record is asked for its HEAD once, but not in the foreground "
     "(R645)",
     test_head},
    {"only whole records of the own subnet supply a file (R603, R642)",
     test_who_can_serve},
    {"no peers without permission or after a failed check (R505, R306)",
     test_no_peers_for},
    {"the fourth failed peer transfer means origin only (R655)",
     test_fourth_failure},
    {"a peer that is out of resources stays known and counts no failure "
     "(R635)",
     test_busy_peer_stays},
    {"busy holders are waited for, then the origin is used (R634, R635)",
     test_all_busy},
    {"each time that holders are busy is waited for on its own",
     test_busy_again},
    {"another server is tried before a busy one (R635)",
     test_other_server_first},
    {"three are served at once, within the bandwidth served (R647, R648)",
     test_serving},
    {"a file larger than the cache is not kept, others for 90 days of idling "
     "(R611, R612)",
     test_cache})
