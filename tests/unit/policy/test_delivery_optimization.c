/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fake.h"

#define POLICY "delivery-optimization"
#define EMPTY "........"
#define FULL "########"

static void test_scopes(void) {
  static const struct {
    const char *mode, *restricted;
    uint32_t scopes;
  } t[] = {
      {"lan", "none", 0x3},      {"lan", "subnet", 0x1},
      {"group", "none", 0x7},    {"group", "subnet", 0x1},
      {"internet", "none", 0xf},
  };
  fake w;

  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    fake_init(&w, POLICY, EMPTY);
    w.file.nsearches = 0;
    fake_set(&w, "mode", t[i].mode);
    fake_set(&w, "restrict", t[i].restricted);
    CHECK_EQ(fake_find(&w), true);
    CHECK_EQ(w.sought.scopes, t[i].scopes);
    CHECK_EQ(w.sought.multicast, false);
    CHECK_EQ(w.sought.complete_only, false);
    CHECK_EQ(w.sought.want, 50);
    for (xl_scope s = XL_SCOPE_SUBNET; s <= XL_SCOPE_INTERNET; s++) {
      xl_ask ask = {.scope = s, .size_bytes = XL_GIB(1)};
      CHECK_EQ(fake_serve(&w, ask).accept, t[i].scopes >> s & 1);
    }
  }
}

static void test_not_peered(void) {
  fake w;

  static const char *const alone[] = {"http", "simple", "bypass"};
  for (int i = 0; i < 3; i++) {
    const xl_ask ask = {.scope = XL_SCOPE_SUBNET, .size_bytes = XL_GIB(1)};
    fake_init(&w, POLICY, EMPTY);
    fake_set(&w, "mode", alone[i]);
    fake_pick(&w);
    CHECK_ORIGIN(&w, POLICY_ORIGIN, 0);
    CHECK_EQ(w.out.range.end, w.file.size_bytes); /* in one request */
    fake_pick(&w);
    CHECK_WAIT(&w, XL_NEVER);
    CHECK_EQ(fake_find(&w), false);
    CHECK_EQ(fake_serve(&w, ask).accept, false);
  }
  fake_init(&w, POLICY, "....");
  fake_pick(&w);
  CHECK_ORIGIN(&w, FILE_TOO_SMALL, 0); /* 40 MiB */
  fake_init(&w, POLICY, EMPTY);
  w.file.peers_allowed = false;
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERING_OFF, 0);
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, XL_NEVER);
  fake_init(&w, POLICY, EMPTY);
  w.file.origin_only = true;
  fake_pick(&w);
  CHECK_ORIGIN(&w, ORIGIN_ONLY_AGAIN, 0);
}

static void test_device_limits(void) {
  static const struct {
    xl_device_view device;
    bool asks, serves;
  } t[] = {
      {{.ram_bytes = 4000000000, .disk_bytes = 32000000000}, true, true},
      {{.ram_bytes = 3999999999, .disk_bytes = 32000000000}, false, false},
      {{.ram_bytes = 4000000000, .disk_bytes = 31999999999}, false, false},
      {{.ram_bytes = 4000000000, .disk_bytes = 32000000000, .on_vpn = true},
       false,
       false},
      {{.ram_bytes = 4000000000, .disk_bytes = 32000000000, .on_battery = true},
       true,
       false},
  };
  xl_ask ask = {.scope = XL_SCOPE_SITE, .size_bytes = XL_GIB(1)};
  fake w;

  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    fake_init(&w, POLICY, EMPTY);
    fake_add(&w, XL_SCOPE_SITE, FULL);
    w.device = t[i].device;
    fake_pick(&w);
    CHECK_EQ(w.out.reason,
             t[i].asks ? XL_REASON_PEER_HAS_IT : XL_REASON_PEERING_OFF);
    xl_answer a = fake_serve(&w, ask);
    CHECK_EQ(a.accept, t[i].serves);
    CHECK_EQ(a.why,
             t[i].serves ? XL_REASON_PEER_HAS_IT : XL_REASON_PEERING_OFF);
  }
  fake_set(&w, "battery_upload", "true");
  CHECK_EQ(fake_serve(&w, ask).accept, true);
  w.device.on_vpn = true;
  CHECK_EQ(fake_serve(&w, ask).accept, false);
  fake_set(&w, "vpn", "true");
  CHECK_EQ(fake_serve(&w, ask).accept, true);
}

static void test_http_at_once(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  w.file.nsearches = 0;
  w.file.searching = true;
  fake_pick(&w);
  CHECK_ORIGIN(&w, NOT_SEARCHED, 0);
  CHECK_EQ(w.out.range.end - w.out.range.begin, FAKE_PIECE);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER); /* one, while looking for peers */
  w.file.nsearches = 1;
  for (int i = 0; i < 3; i++) {
    fake_pick(&w);
    CHECK_ORIGIN(&w, NO_PEERS_FOUND, 0);
  }
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER); /* four, when there are none */
}

static void test_peers_first(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, "##......");
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
  CHECK_EQ(w.out.range.end - w.out.range.begin, FAKE_PIECE);
  fake_pick(&w); /* its other piece must wait for the first */
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, BIT(PEER_BUSY));
  CU_ASSERT(w.out.range.begin >= 2 * FAKE_PIECE);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
}

static void test_delay(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "http_delay", "60s");
  w.file.started = XL_SEC(10);
  w.now = XL_SEC(20);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(70));
  fake_add(&w, XL_SCOPE_SUBNET, "#.......");
  fake_pick(&w);
  CHECK_PEER(&w, 0, BIT(STILL_IN_DELAY));
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(70));
  w.now = XL_SEC(70);
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, BIT(PEER_BUSY));
}

static void test_foreground_delay(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "http_delay", "60s");
  fake_set(&w, "http_delay_foreground", "5s");
  w.file.foreground = true;
  w.now = XL_SEC(4);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(5));
  w.now = XL_SEC(5);
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEERS_FOUND, 0);
}

/* Peer 0 holds the first half and is asked; peer 1 holds all and is busy. */
static void slow_world(fake *w, const char *pieces) {
  fake_init(w, POLICY, pieces);
  fake_add(w, XL_SCOPE_SUBNET, "####....");
  fake_add(w, XL_SCOPE_SUBNET, FULL);
  w->peers[0].view.requests = 1;
  w->file.peer_requests = 1;
  w->now = XL_SEC(20);
  w->peers[1].view.busy_until = XL_SEC(25);
}

static void test_slow_peers(void) {
  fake w;

  slow_world(&w, EMPTY);
  w.file.peer_rate = 2499999;
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERS_TOO_SLOW, BIT(PEER_BUSY));
  slow_world(&w, EMPTY);
  w.file.peer_rate = 2500000;
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(21)); /* the rate may fall */
  slow_world(&w, EMPTY);
  w.file.peer_rate = 2000000;
  w.file.origin_rate = 500000; /* fills the shortfall already */
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(21));
}

static void test_rate_is_measured_first(void) {
  fake w;

  slow_world(&w, EMPTY);
  w.file.started = XL_SEC(3);
  w.peers[1].view.busy_until = XL_SEC(90);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(23));
}

static void test_busy_peers_are_waited_for(void) {
  fake w;

  slow_world(&w, EMPTY);
  w.file.peer_rate = 2500000;
  w.peers[1].view.busy_until = XL_SEC(20) + 7;
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(20) + 7);
  w.now += 7;
  fake_pick(&w);
  CHECK_PEER(&w, 1, BIT(PEER_BUSY));
}

static void test_enough_peers_need_no_http(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, "#.......");
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
  w.file.peer_rate = 2500000;
  fake_pick(&w); /* nobody holds the others, but peers deliver the minimum */
  CHECK_WAIT(&w, XL_SEC(1));
  w.file.peer_requests = 0; /* and now they deliver nothing */
  w.peers[0].view.requests = 0;
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, 0);
}

static void test_foreground_adds_http(void) {
  fake w;

  slow_world(&w, EMPTY);
  w.file.foreground = true;
  w.file.peer_rate = 99000000;
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERS_FULL, BIT(PEER_BUSY));
}

static void test_rarest_from_http(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, "######.#");
  fake_add(&w, XL_SCOPE_SITE, "###.####");
  fake_pick(&w);
  fake_pick(&w);
  w.peers[0].view.nheld = w.peers[1].view.nheld = 0;
  fake_copy(w.peers[0].pieces, "#######.");
  fake_copy(w.peers[1].pieces, "#######.");
  fake_copy(w.pieces, EMPTY);
  w.file.nasked = 0;
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, 0);
  CHECK_EQ(w.out.range.begin, 7 * FAKE_PIECE);
}

static void test_devices_fetch_different_pieces(void) {
  uint32_t seen = 0;
  fake w;

  for (uint64_t device = 0; device < 40; device++) {
    fake_init(&w, POLICY, EMPTY);
    w.draws = device * 977;
    fake_pick(&w);
    CHECK_ORIGIN(&w, NO_PEERS_FOUND, 0);
    seen |= 1u << (w.out.range.begin / FAKE_PIECE);
  }
  CHECK_EQ(seen, 0xff);
}

static void test_request_limits(void) {
  fake w;

  fake_init(&w, POLICY, "................");
  for (int i = 0; i < 12; i++) {
    fake_add(&w, XL_SCOPE_SITE, "################");
  }
  for (int i = 0; i < 8; i++) {
    CHECK_EQ(fake_pick(&w), true);
    CHECK_EQ(w.out.kind, XL_SOURCE_PEER);
    CHECK_EQ(w.peers[w.out.peer].view.requests, 1);
  }
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(20)); /* when the peers' rate has been measured */
  w.now = XL_SEC(20);
  fake_pick(&w);
  CHECK_ORIGIN(&w, PEERS_TOO_SLOW, BIT(PEERS_FULL));
}

static void test_nearest_first(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "mode", "internet");
  fake_add(&w, XL_SCOPE_INTERNET, FULL);
  fake_add(&w, XL_SCOPE_GROUP, FULL);
  fake_add(&w, XL_SCOPE_SUBNET, FULL);
  fake_pick(&w);
  CHECK_PEER(&w, 2, 0);
  fake_pick(&w);
  CHECK_PEER(&w, 1, BIT(PEER_BUSY));
  fake_pick(&w);
  CHECK_PEER(&w, 0, BIT(PEER_BUSY));
}

static void test_out_of_scope(void) {
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_GROUP, FULL);
  fake_pick(&w);
  CHECK_ORIGIN(&w, OUT_OF_SCOPE, 0);
  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_GROUP, "........");
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, BIT(OUT_OF_SCOPE));
}

static void test_useless_peer_is_remembered(void) {
  fake w;

  fake_init(&w, POLICY, "#...####");
  fake_set(&w, "http_delay", "60s");
  fake_add(&w, XL_SCOPE_SITE, "#.......");
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(60));
  fake_copy(w.peers[0].pieces, "##......"); /* it grew: worth a look */
  w.peers[0].view.nheld = 2;
  fake_pick(&w);
  CHECK_PEER(&w, 0, BIT(STILL_IN_DELAY));
  w.peers[0].view.requests = w.file.peer_requests = 0;
  fake_pick(&w);
  CHECK_WAIT(&w, XL_SEC(60));
  fake_pieces(&w, "#...####"); /* the request failed: worth a look */
  fake_pick(&w);
  CHECK_PEER(&w, 0, BIT(STILL_IN_DELAY));
}

static void test_search_intervals(void) {
  xl_span span = XL_SEC(2);
  fake w;

  fake_init(&w, POLICY, EMPTY);
  for (uint32_t n = 1; n < 10; n++) {
    w.now = w.file.searched = XL_SEC(1000);
    w.file.nsearches = n;
    CHECK_EQ(fake_find(&w), false);
    CU_ASSERT(w.again >= w.now + span / 2);
    CU_ASSERT(w.again < w.now + span / 2 + span);
    xl_time at = w.again;
    w.now = at - 1;
    CHECK_EQ(fake_find(&w), false);
    CHECK_EQ(w.again, at); /* drawn once */
    w.now = at;
    CHECK_EQ(fake_find(&w), true);
    span = span * 2 > XL_SEC(60) ? XL_SEC(60) : span * 2;
  }
  fake_set(&w, "peers", "1");
  fake_add(&w, XL_SCOPE_SITE, EMPTY);
  CHECK_EQ(fake_find(&w), false);
  CHECK_EQ(w.again, w.now + XL_SEC(60));
}

static void test_failures(void) {
  static const struct { /* one after another, of the same peer */
    uint32_t peer;
    xl_end end;
    xl_span ban;
    bool drop;
  } t[] = {
      {0, XL_END_REFUSED, XL_SEC(60), false}, /* as it came */
      {0, XL_END_STALLED, XL_SEC(60), false},
      {0, XL_END_REFUSED, XL_SEC(60), false}, /* counts for nothing */
      {0, XL_END_CONNECT, XL_SEC(120), false},
      {1, XL_END_FAILED_CHECK, 0, false},
      {1, XL_END_FAILED_CHECK, 0, false},
      {0, XL_END_RESET, XL_SEC(180), true},
      {1, XL_END_FAILED_CHECK, 0, true},
  };
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_add(&w, XL_SCOPE_SITE, FULL);
  fake_add(&w, XL_SCOPE_SITE, FULL);
  for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
    xl_remedy r = fake_failed(&w, (xl_failure){.kind = XL_SOURCE_PEER,
                                               .peer = t[i].peer,
                                               .end = t[i].end,
                                               .in_row = 9});
    CHECK_EQ(r.ban_peer, t[i].ban);
    CHECK_EQ(r.drop_peer, t[i].drop);
    CHECK_EQ(r.origin_only, false);
    CHECK_EQ(r.mirror, XL_NONE);
  }
}

static void test_upload_slots(void) {
  xl_ask ask = {.scope = XL_SCOPE_SITE, .size_bytes = XL_GIB(1), .uploads = 3};
  xl_answer a;
  fake w;

  fake_init(&w, POLICY, EMPTY);
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, true);
  CU_ASSERT(a.cap == XL_RATE_UNLIMITED);
  ask.uploads = 4;
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, false);
  CHECK_EQ(a.why, XL_REASON_PEER_BUSY);
  CHECK_EQ(a.retry_after, XL_SEC(1));
  ask.uploads = 0;
  fake_set(&w, "upload_rate", "8Mbit/s");
  CHECK_EQ(fake_serve(&w, ask).cap, 250000);
  ask.size_bytes = 49999999;
  CHECK_EQ(fake_serve(&w, ask).why, XL_REASON_FILE_TOO_SMALL);
}

static void test_monthly_cap(void) {
  xl_ask ask = {.scope = XL_SCOPE_INTERNET, .size_bytes = XL_GIB(1)};
  xl_answer a;
  fake w;

  fake_init(&w, POLICY, EMPTY);
  fake_set(&w, "mode", "internet");
  w.device.uploaded_bytes = 19999999999;
  CHECK_EQ(fake_serve(&w, ask).accept, true);
  w.device.uploaded_bytes = 20000000000;
  w.now = XL_DAY(29);
  a = fake_serve(&w, ask);
  CHECK_EQ(a.accept, false);
  CHECK_EQ(a.why, XL_REASON_PEERS_FULL);
  CHECK_EQ(a.retry_after, XL_DAY(1));
  ask.scope = XL_SCOPE_SITE; /* only the internet counts */
  CHECK_EQ(fake_serve(&w, ask).accept, true);
  ask.scope = XL_SCOPE_INTERNET;
  w.now = XL_DAY(30);
  CHECK_EQ(fake_serve(&w, ask).accept, true); /* a new month */
  w.device.uploaded_bytes = 39999999999;
  CHECK_EQ(fake_serve(&w, ask).accept, true);
  w.device.uploaded_bytes = 40000000000;
  CHECK_EQ(fake_serve(&w, ask).accept, false);
  fake_set(&w, "upload_cap", "0B");
  CHECK_EQ(fake_serve(&w, ask).accept, true);
}

static void test_cache(void) {
  xl_keep k;
  fake w;

  fake_init(&w, POLICY, FULL);
  k = fake_keep(&w);
  CHECK_EQ(k.keep, true);
  CHECK_EQ(k.age_max, XL_DAY(3));
  CHECK_EQ(k.from_arrival, true);
  CHECK_NEAR((double)k.bytes_max, 0.2 * (double)XL_GIB(256), 1e-9);
  fake_set(&w, "cache_size", "10GB");
  fake_set(&w, "cache_age", "0s");
  k = fake_keep(&w);
  CHECK_EQ(k.bytes_max, 10000000000);
  CHECK_EQ(k.age_max, XL_NEVER);
  fake_init(&w, POLICY, "####");
  CHECK_EQ(fake_keep(&w).keep, false);
}

TEST_SUITE(
    "delivery-optimization",
    {"the mode says who may be a peer, both ways (R701, R703)", test_scopes},
    {"files that are not peered come from HTTP whole, each with its reason "
     "(R701, R712)",
     test_not_peered},
    {"small, VPN and battery devices do not peer or do not serve (R710, R711, "
     "R724, R725)",
     test_device_limits},
    {"without a delay HTTP starts at once (R720)", test_http_at_once},
    {"a piece that a peer has comes from it, others from HTTP",
     test_peers_first},
    {"during the delay only peers are used (R720)", test_delay},
    {"the foreground has a delay of its own (R720)", test_foreground_delay},
    {"HTTP is added when peers deliver less than the minimum, for the "
     "shortfall (R717)",
     test_slow_peers},
    {"peers are judged after 20 s (R734)", test_rate_is_measured_first},
    {"a busy peer is asked when it said, not before",
     test_busy_peers_are_waited_for},
    {"no HTTP while peers deliver the minimum (R717)",
     test_enough_peers_need_no_http},
    {"the foreground adds HTTP whatever peers deliver",
     test_foreground_adds_http},
    {"HTTP takes the piece that the fewest peers hold", test_rarest_from_http},
    {"devices that start together take different pieces from HTTP",
     test_devices_fetch_different_pieces},
    {"8 requests to peers are under way, one to each", test_request_limits},
    {"nearer peers are asked first", test_nearest_first},
    {"a piece that only strangers hold is out of scope (R701)",
     test_out_of_scope},
    {"a peer without news is asked again when it grew or a piece is free again",
     test_useless_peer_is_remembered},
    {"searches go from 2 s to 60 s apart, spread at random, until there are "
     "enough peers (R704)",
     test_search_intervals},
    {"a peer that fails is left out for longer and longer, then forgotten "
     "(R706)",
     test_failures},
    {"4 uploads at once, which share the rate (R705, R719)", test_upload_slots},
    {"the monthly cap counts uploads to the internet (R716)", test_monthly_cap},
    {"files stay for 3 days in a fifth of the disk (R713, R714, R715)",
     test_cache})
