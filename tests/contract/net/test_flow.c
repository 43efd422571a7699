/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How flows share a tree: max-min to 1e-6 on every flow-level network. The
   ids are the test vectors of max-min fairness that the comments spell out. */
#include "lab.h"

#define MB 1000000u
#define ANY XL_RATE_UNLIMITED
#define CORE                                                                   \
  { .parent = NET_NO_NODE }
#define HOST(at, up, down)                                                     \
  { .parent = (at), .up_Bps = (up), .down_Bps = (down), .host = true }
#define NODE(at, up, down)                                                     \
  { .parent = (at), .up_Bps = (up), .down_Bps = (down) }
#define TREE(nodes)                                                            \
  { nodes, sizeof(nodes) / sizeof *(nodes) }

static const lab_net *const nets[] = {&lab_fluid, &lab_flow};
#define NNETS (sizeof nets / sizeof *nets)

typedef struct finish {
  uint64_t tag;
  double at_s;
} finish;

/* Runs |script| over every network and compares when each tag was done. */
static void expect(const net_topology *t, void (*script)(lab *),
                   const finish *want, size_t n) {
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], t, script);
    for (size_t i = 0; i < n; i++) {
      CHECK_NEAR(lab_done_s(&l, want[i].tag), want[i].at_s, nets[k]->tolerance);
    }
    CHECK_EQ(lab_count(&l, DONE), n);
    lab_free(&l);
  }
}
#define EXPECT(topology, script, ...)                                          \
  do {                                                                         \
    static const finish want_[] = {__VA_ARGS__};                               \
    expect((topology), (script), want_, sizeof want_ / sizeof *want_);         \
  } while (0)

/* ---- one link
 * ------------------------------------------------------------------ */

/* Host 1 sends at 10 MB/s to hosts that take anything. */
static const net_node_spec star_nodes[] = {
    CORE,
    HOST(0, 10 * MB, ANY),
    HOST(0, ANY, ANY),
    HOST(0, ANY, ANY),
    HOST(0, ANY, ANY),
    HOST(0, ANY, ANY),
};
static const net_topology star = TREE(star_nodes);

static void one(lab *l) {
  lab_want(l, lab_open(l, 1, 2), 1, 65 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_one(void) {
  EXPECT(&star, one, {1, 6.5});
}

static void equal(lab *l) {
  for (net_node i = 2; i <= 5; i++) {
    lab_want(l, lab_open(l, 1, i), i, 10 * MB);
  }
  lab_run(l, XL_SEC(60));
}

static void test_equal(void) {
  EXPECT(&star, equal, {2, 4}, {3, 4}, {4, 4}, {5, 4});
}

/* DYN3: a link of 10, three flows of 100 that start at 0, 2 and 4. */
static void staggered(lab *l) {
  for (net_node i = 0; i < 3; i++) {
    lab_want(l, lab_open(l, 1, i + 2), i, 100 * MB);
    lab_run(l, XL_SEC(2 * (i + 1)));
  }
  lab_run(l, XL_SEC(60));
}

static void test_staggered(void) {
  EXPECT(&star, staggered, {0, 25}, {1, 29}, {2, 30});
}

/* DYN1 (MM6 while all run): a link of 100, four flows of 1000, caps 10 and
   20. Scaled to 10 MB/s. */
static void capped(lab *l) {
  static const xl_rate caps[] = {1 * MB, 2 * MB, ANY, ANY};

  for (net_node i = 0; i < 4; i++) {
    lab_want(l, lab_open_capped(l, 1, i + 2, caps[i]), i, 100 * MB);
  }
  lab_run(l, XL_SEC(200));
}

static void test_capped(void) {
  EXPECT(&star, capped, {0, 100}, {1, 50}, {2, 200. / 7}, {3, 200. / 7});
}

/* A cap holds alone and exactly, also where no link is a limit. */
static void cap_alone(lab *l) {
  lab_want(l, lab_open_capped(l, 1, 2, 333333), 1, MB);
  lab_want(l, lab_open_capped(l, 3, 4, 777777), 2, 7 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_cap_alone(void) {
  EXPECT(&star, cap_alone, {1, 1e6 / 333333}, {2, 7e6 / 777777});
}

/* A million to one: the small one is slow, and neither lost nor an error. */
static void crumb(lab *l) {
  lab_want(l, l->ops->channel_open(l->n, 1, 2, ANY, 1000000), 1, 100 * MB);
  lab_want(l, lab_open(l, 1, 3), 2, 200);
  lab_run(l, XL_SEC(60));
}

static void test_crumb(void) {
  EXPECT(&star, crumb, {1, 10.00001}, {2, 10.00002});
}

/* Many flows on one link: no error adds up. */
static void crowd(lab *l) {
  for (uint64_t i = 0; i < 300; i++) {
    lab_want(l, lab_open(l, 1, 2 + (net_node)(i % 4)), i, 100000);
  }
  lab_run(l, XL_SEC(60));
}

static void test_crowd(void) {
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, crowd);
    CHECK_EQ(lab_count(&l, DONE), 300);
    CHECK_NEAR(lab_done_s(&l, 0), 3, 1e-6);
    CHECK_NEAR(lab_done_s(&l, 299), 3, 1e-6);
    lab_free(&l);
  }
}

/* Late in a long run the clock's nanoseconds are still there. */
static void after_days(lab *l) {
  lab_run(l, XL_DAY(60));
  lab_want(l, lab_open(l, 1, 2), 1, 10 * MB);
  l->ops->timer(l->n, XL_DAY(60) + 1, 1);
  l->ops->timer(l->n, XL_DAY(60) + XL_SEC(1) - 1, 2);
  lab_run(l, XL_DAY(61));
}

static void test_after_days(void) {
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, after_days);
    CHECK_EQ(lab_find(&l, TIMER, 1)->at, XL_DAY(60) + 1);
    CHECK_EQ(lab_find(&l, TIMER, 2)->at, XL_DAY(60) + XL_SEC(1) - 1);
    CHECK_NEAR((double)(lab_find(&l, DONE, 1)->at - XL_DAY(60)) * 1e-9, 1,
               1e-6);
    lab_free(&l);
  }
}

/* 10 MB/s, then 1, then stopped for 10 s, then free again. */
static void cap_changes(lab *l) {
  net_channel c = lab_open(l, 1, 2);

  lab_want(l, c, 1, 100 * MB);
  lab_run(l, XL_SEC(1));
  l->ops->cap(l->n, c, MB);
  lab_run(l, XL_SEC(11));
  lab_say(l, 1, l->ops->progress(l->n, c, 1));
  l->ops->cap(l->n, c, 0);
  lab_run(l, XL_SEC(21));
  lab_say(l, 2, l->ops->progress(l->n, c, 1));
  l->ops->cap(l->n, c, ANY);
  lab_run(l, XL_SEC(60));
}

static void test_cap_changes(void) {
  EXPECT(&star, cap_changes, {1, 29});
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, cap_changes);
    CHECK_EQ(lab_find(&l, SAID, 1)->bytes, 20 * MB);
    CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 20 * MB);
    lab_free(&l);
  }
}

/* MM4: a link of 9, weights 2 to 1; here 10 with 4 to 1. */
static void weighted(lab *l) {
  lab_want(l, l->ops->channel_open(l->n, 1, 2, ANY, 4), 1, 80 * MB);
  lab_want(l, l->ops->channel_open(l->n, 1, 3, ANY, 1), 2, 30 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_weighted(void) {
  EXPECT(&star, weighted, {1, 10}, {2, 11});
}

/* No link and no cap on the way: it takes no time. */
static void unlimited(lab *l) {
  lab_want(l, lab_open(l, 2, 3), 1, 100 * MB);
  lab_run(l, XL_SEC(1));
}

static void test_unlimited(void) {
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, unlimited);
    CU_ASSERT(lab_find(&l, DONE, 1)->at <= 1 && lab_find(&l, DONE, 1)->at >= 0);
    lab_free(&l);
  }
}

/* ---- several links
 * ---------------------------------------------------------------- */

/*  core --- a (up 12) --- 4 host
 *   |  `--- 3 host
 *   `------ b (down 6) --- 5 host
 *            `------------ c (down 9) --- 7 host */
static const net_node_spec three_nodes[] = {
    CORE,
    NODE(0, 12 * MB, ANY),
    NODE(0, ANY, 6 * MB),
    HOST(0, ANY, ANY),
    HOST(1, ANY, ANY),
    HOST(2, ANY, ANY),
    NODE(2, ANY, 9 * MB),
    HOST(6, ANY, ANY),
};
static const net_topology three = TREE(three_nodes);

/* DYN2 (MM3): A=12, B=6, C=9; flows ABC, A, B, C, BC at 2, 10, 2, 5, 2. */
static void mm3(lab *l) {
  static const net_node ends[][2] = {{4, 7}, {4, 3}, {3, 5}, {5, 7}, {3, 7}};

  for (uint64_t i = 0; i < 5; i++) {
    lab_want(l, lab_open(l, ends[i][0], ends[i][1]), i, 100 * MB);
  }
  lab_run(l, XL_SEC(60));
}

static void test_mm3(void) {
  EXPECT(&three, mm3, {0, 50}, {1, 10}, {2, 50}, {3, 20}, {4, 50});
}

/* An origin of 100 MB/s; sites 2 and 3 behind 10 and 40 MB/s; hosts of 8. */
static const net_node_spec wan_nodes[] = {
    CORE,
    HOST(0, 100 * MB, 100 * MB),
    NODE(0, 5 * MB, 10 * MB),
    NODE(0, 5 * MB, 40 * MB),
    HOST(2, 8 * MB, 8 * MB),
    HOST(2, 8 * MB, 8 * MB),
    HOST(3, 8 * MB, 8 * MB),
    HOST(3, 8 * MB, 8 * MB),
};
static const net_topology wan = TREE(wan_nodes);

/* Site 2 shares its WAN, 5 each; site 3 is held by its hosts. A transfer in a
   site does not touch the WAN. */
static void behind_wan(lab *l) {
  for (net_node i = 4; i <= 7; i++) {
    lab_want(l, lab_open(l, 1, i), i, 40 * MB);
  }
  lab_want(l, lab_open(l, 4, 5), 1, 24 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_wan(void) {
  /* Host 5 takes 8: the two flows to it 4 each, so host 4's gets 6. At 6 s the
     peer's is done; host 5's has 16 left, host 4's 4: 5 each. Host 4 is done
     at 6.8 s, host 5 has 12 left at 8. */
  EXPECT(&wan, behind_wan, {4, 6.8}, {5, 8.3}, {6, 5}, {7, 5}, {1, 6});
}

static void two_ways(lab *l) {
  lab_want(l, lab_open(l, 4, 6), 1, 50 * MB);
  lab_want(l, lab_open(l, 6, 4), 2, 50 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_two_ways(void) {
  EXPECT(&wan, two_ways, {1, 10}, {2, 10});
}

/* ---- links that change
 * --------------------------------------------------------------- */

static void link_changes(lab *l) {
  lab_want(l, lab_open(l, 1, 4), 4, 20 * MB);  /* 8 MB/s */
  lab_want(l, lab_open(l, 1, 6), 6, 160 * MB); /* 8 MB/s, never touched */
  lab_run(l, XL_SEC(1));
  l->ops->link_set(l->n, 2, 5 * MB, 2 * MB); /* 8 done, 2 MB/s */
  lab_run(l, XL_SEC(3));
  l->ops->link_set(l->n, 2, 5 * MB, 0); /* 12 done, still */
  lab_run(l, XL_SEC(5));
  lab_say(l, 1, l->ops->progress(l->n, 0, 4));
  lab_run(l, XL_SEC(13));
  lab_say(l, 2, l->ops->progress(l->n, 0, 4));
  l->ops->link_set(l->n, 2, 5 * MB, 4 * MB); /* 2 s for the rest */
  lab_run(l, XL_SEC(60));
}

static void test_link_changes(void) {
  EXPECT(&wan, link_changes, {4, 15}, {6, 20});
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &wan, link_changes);
    CHECK_EQ(lab_find(&l, SAID, 1)->bytes, 12 * MB);
    CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 12 * MB);
    lab_free(&l);
  }
}

/* A link that was unlimited becomes one that is not, under a running flow. */
static void link_appears(lab *l) {
  lab_want(l, lab_open(l, 1, 2), 2, 30 * MB);
  lab_run(l, XL_SEC(1));
  l->ops->link_set(l->n, 2, ANY, 2 * MB); /* 10 done */
  lab_run(l, XL_SEC(6));
  l->ops->link_set(l->n, 2, ANY, ANY); /* 20 done */
  lab_run(l, XL_SEC(60));
}

static void test_link_appears(void) {
  EXPECT(&star, link_appears, {2, 7});
}

/* Dead when the answer starts, and a grown origin is used at once. */
static void link_dead_first(lab *l) {
  l->ops->link_set(l->n, 2, ANY, 0);
  lab_want(l, lab_open(l, 1, 2), 2, 30 * MB);
  lab_want(l, lab_open(l, 1, 3), 3, 60 * MB);
  lab_run(l, XL_SEC(3));
  l->ops->link_set(l->n, 2, ANY, ANY); /* 30 of the other done */
  lab_run(l, XL_SEC(5));
  l->ops->link_set(l->n, 1, 40 * MB, ANY); /* 10 and 40 done */
  lab_run(l, XL_SEC(60));
}

static void test_link_dead_first(void) {
  EXPECT(&star, link_dead_first, {2, 6}, {3, 6});
}

/* What is sent over a dead link is lost; what is sent later arrives. */
static void link_dead_asking(lab *l) {
  net_channel c = lab_open(l, 1, 2);

  l->ops->link_set(l->n, 2, 0, ANY);
  lab_want(l, c, 2, 30 * MB);
  l->ops->message(l->n, 2, 1, 8);
  l->ops->message(l->n, 1, 2, 9); /* the other way is alive */
  lab_run(l, XL_SEC(3));
  l->ops->link_set(l->n, 2, ANY, ANY);
  lab_want(l, c, 3, 30 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_link_dead_asking(void) {
  EXPECT(&star, link_dead_asking, {3, 6});
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, link_dead_asking);
    CHECK_EQ(lab_find(&l, ASKED, 2)->at, -1);
    CHECK_EQ(lab_find(&l, MESSAGE, 8)->at, -1);
    CHECK_EQ(lab_find(&l, MESSAGE, 9)->at, 0);
    lab_free(&l);
  }
}

/* ---- bytes
 * ----------------------------------------------------------------------------
 */

/* Nothing is lost or counted twice when flows are stopped at odd moments. */
static void odd_stops(lab *l) {
  net_channel a = lab_open(l, 1, 2), b = lab_open(l, 1, 3);

  lab_want(l, a, 1, 100 * MB);
  lab_want(l, b, 2, 100 * MB);
  lab_run(l, XL_SEC(1) / 3);
  lab_say(l, 1, l->ops->progress(l->n, a, 1));
  lab_say(l, 2, l->ops->cancel(l->n, a, 1));
  lab_run(l, XL_SEC(1));
  lab_say(l, 3, l->ops->channel_close(l->n, b, 3));
  lab_run(l, XL_SEC(60));
}

static void test_odd_stops(void) {
  for (size_t k = 0; k < NNETS; k++) {
    lab l = lab_fork(nets[k], &star, odd_stops);
    CHECK_EQ(lab_find(&l, SAID, 1)->bytes, 1666666);
    CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 1666666);
    CHECK_EQ(lab_find(&l, SAID, 3)->bytes, 8333333);
    CHECK_EQ(lab_count(&l, DONE), 0);
    lab_free(&l);
  }
}

TEST_SUITE("flows", {"one flow takes its size over the rate", test_one},
           {"N equal flows share a link in N parts", test_equal},
           {"DYN3: flows that start later take their share", test_staggered},
           {"DYN1, MM6: capped flows leave their rest to others", test_capped},
           {"a cap holds to 1e-6", test_cap_alone},
           {"a cap that changes holds from then on, 0 included",
            test_cap_changes},
           {"weights of a million to one", test_crumb},
           {"300 flows on one link", test_crowd},
           {"a flow after 60 days", test_after_days},
           {"weights divide a link", test_weighted},
           {"without limits it takes no time", test_unlimited},
           {"DYN2, MM3: three links in a row", test_mm3},
           {"a WAN in front is shared by its site only", test_wan},
           {"the two ways of a link are apart", test_two_ways},
           {"a link that changes, to 0 and back", test_link_changes},
           {"an unlimited link that gets a capacity", test_link_appears},
           {"a link that is dead at first, and one that grows",
            test_link_dead_first},
           {"what is asked over a dead link is lost", test_link_dead_asking},
           {"bytes of stopped flows are whole and exact", test_odd_stops})
