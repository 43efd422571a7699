/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow-level shares: max-min to 1e-6 without latency. */
#include "lab.h"

/* A core with hosts of given rate; node 0 is the core. */
#define HOST(rate)                                                             \
  { .parent = 0, .up_Bps = (rate), .down_Bps = (rate), .host = true }
#define CORE                                                                   \
  { .parent = NET_NO_NODE }

static const net_node_spec star_nodes[] = {CORE,       HOST(100),  HOST(1000),
                                           HOST(1000), HOST(1000), HOST(1000)};
static const net_topology star = {star_nodes, 6};

static void one_flow(lab *l) {
  lab_want(l, lab_open(l, 1, 2), 7, 1000);
  lab_run(l, XL_SEC(100));
}

static void test_one(void) {
  lab l = lab_fork(&lab_flow, &star, one_flow);
  CHECK_EQ(lab_find(&l, ASKED, 7)->at, 0);
  CHECK_NEAR(lab_done_s(&l, 7), 10, 1e-6);
  CHECK_EQ(lab_find(&l, DONE, 7)->bytes, 1000);
  lab_free(&l);
}

TEST_SUITE("flows", {"one flow takes size over rate", test_one})
