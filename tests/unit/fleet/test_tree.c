/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree, its links, and the devices in it. */
#include <stdlib.h>

#include "scene.h"

/* Latency and least capacity of the way from |a| up to |top|. */
static xl_span up_latency(const fleet *f, net_node a, net_node top) {
  xl_span sum = 0;

  for (; a != top; a = f->nodes[a].parent) {
    sum += f->nodes[a].latency;
  }
  return sum;
}

static void test_order(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  uint32_t hosts = 0;

  CHECK_EQ(f->nodes[0].parent, NET_NO_NODE);
  for (uint32_t i = 1; i < f->nnodes; i++) {
    CU_ASSERT(f->nodes[i].parent < i);
    CU_ASSERT(!f->nodes[f->nodes[i].parent].host);
    hosts += f->nodes[i].host;
  }
  CHECK_EQ(hosts, f->ndevices + 2 + 1);
  CHECK_EQ(f->ndevices, 6 * 7 + 150);
  CHECK_EQ(f->nsites, 7);
  /* core, 3 nodes, 3 servers, 7 sites, 3 switches of the campus, devices */
  CHECK_EQ(f->nnodes, 1 + 3 + 3 + 7 + 3 + f->ndevices);
  fleet_free(f);
}

static void test_links(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  const net_node_spec *origin = &f->nodes[f->origins[0].node];
  const net_node_spec *mirror = &f->nodes[f->origins[1].node];
  const net_node_spec *wan = &f->nodes[f->sites[2].node];
  const net_node_spec *berlin = &f->nodes[wan->parent];
  const fleet_device *pc = &f->devices[f->sites[2].first_device];

  CHECK_EQ(origin->parent, 0);
  CHECK_EQ(origin->up_Bps, 250000000);
  CHECK_EQ(origin->down_Bps, XL_RATE_UNLIMITED);
  CHECK_EQ(origin->latency, XL_MS(15));
  CHECK_EQ(f->nodes[mirror->parent].latency, XL_MS(5));
  CHECK_EQ(f->nodes[f->services[0]].latency, XL_MS(20));
  CHECK_EQ(wan->down_Bps, 2500000);
  CHECK_EQ(wan->up_Bps, 625000);
  CHECK_EQ(berlin->up_Bps, 1000);
  CHECK_EQ(berlin->down_Bps, 2000);
  CHECK_EQ(f->nodes[berlin->parent].up_Bps, 3000);
  CHECK_EQ(f->nodes[berlin->parent].parent, 0);
  CHECK_EQ(f->nodes[pc->node].up_Bps, 62500000);
  CHECK_EQ(f->nodes[pc->node].down_Bps, 125000000);
  CHECK_EQ(pc->cap_Bps, XL_RATE_UNLIMITED);
  fleet_free(f);
}

static void test_latency(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  const fleet_site *branch = &f->sites[2], *campus = &f->sites[6];
  net_node a = f->devices[branch->first_device].node;
  net_node c = f->devices[campus->first_device].node;
  xl_span wan = f->nodes[branch->node].latency;

  /* two devices of a site are one LAN latency apart */
  CHECK_EQ(2 * up_latency(f, a, branch->node), XL_US(200));
  CHECK_EQ(2 * up_latency(f, c, campus->node), XL_US(300));
  CU_ASSERT(wan >= XL_MS(10) && wan < XL_MS(20));
  CHECK_EQ(up_latency(f, a, 0), XL_US(100) + wan + XL_MS(1) + XL_MS(4));
  fleet_free(f);
}

static void test_backbone(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  const fleet_site *campus = &f->sites[6];
  net_node last = NET_NO_NODE;
  uint32_t switches = 0;

  for (uint32_t i = 0; i < campus->ndevices; i++) {
    const fleet_device *d = &f->devices[campus->first_device + i];
    net_node at = f->nodes[d->node].parent;
    CHECK_EQ(f->nodes[at].parent, campus->node);
    CHECK_EQ(f->nodes[at].up_Bps, 1000000);
    CHECK_EQ(f->nodes[at].down_Bps, 1000000);
    CHECK_EQ(d->subnet, 6 + i / 64);
    switches += at != last;
    last = at;
  }
  CHECK_EQ(switches, 3);
  CHECK_EQ(f->nsubnets, 6 + 3);
  fleet_free(f);
}

static void test_devices(void) {
  scene x;
  scene_init(&x);
  x.s.nsites = 3;
  x.sites[2].group = "g1";
  x.at_branch[2] = (scn_group_of_devices){"pc", 2};
  x.sites[0].ndevices = 3;
  fleet *f = scene_fleet(&x, 1);
  const fleet_device *d = &f->devices[f->sites[1].first_device];

  CHECK_EQ(f->sites[1].ndevices, 9);
  CHECK_EQ(d[0].index, 0);
  CHECK_EQ(d[3].index, 0); /* the first laptop */
  CHECK_EQ(d[3].cls, 1);
  CHECK_EQ(d[7].index, 3); /* pcs listed a second time go on from 3 */
  CHECK_EQ(d[7].cls, 0);
  CHECK_EQ(d[0].group, 0);
  CHECK_EQ(d[0].domain, 0);
  CHECK_EQ(f->devices[f->sites[6].first_device].group, XL_NONE);
  CHECK_EQ(f->devices[f->sites[7].first_device].group, 0);
  CHECK_EQ(f->ngroups, 1);
  for (uint32_t i = 0; i < f->ndevices; i++) {
    CU_ASSERT(f->devices[i].site < f->nsites);
    for (uint32_t j = 0; j < i; j++) {
      CU_ASSERT(f->devices[i].key != f->devices[j].key);
    }
  }
  fleet_free(f);
}

static int compare(const void *a, const void *b) {
  xl_rate x = *(const xl_rate *)a, y = *(const xl_rate *)b;

  return (x > y) - (x < y);
}

static void test_rates(void) {
  scene x;
  scene_init(&x);
  x.at_campus[0].count = 20000;
  fleet *f = scene_fleet(&x, 5);
  xl_rate *down = malloc(20000 * sizeof *down);
  uint32_t metered = 0, vpn = 0, both = 0, n = 0;

  for (uint32_t i = f->sites[6].first_device; n < 20000; i++) {
    const fleet_device *d = &f->devices[i];
    down[n++] = d->down_Bps;
    CU_ASSERT(llabs((long long)(d->up_Bps * 2) - (long long)d->down_Bps) <= 2);
    CHECK_EQ(d->cap_Bps, MBIT(300));
    metered += d->metered;
    vpn += d->vpn;
    both += d->metered && d->vpn;
  }
  qsort(down, n, sizeof *down, compare);
  CHECK_NEAR((double)down[n / 2], MBIT(94), 0.02);
  CHECK_NEAR((double)down[n / 10], MBIT(33.7), 0.03);
  CHECK_NEAR((double)down[n / 10 * 9], MBIT(262), 0.03);
  CHECK_NEAR(metered, 2000, 0.07);
  CHECK_NEAR(vpn, 4000, 0.05);
  CHECK_NEAR(both, 400, 0.15); /* drawn apart */
  free(down);
  fleet_free(f);
}

static void check_refused(const scene *x, const char *text) {
  fail why = {0};

  CU_ASSERT(fleet_new(&x->s, 1, &why) == NULL);
  CHECK_EQ(why.status, EXIT_USAGE);
  if (strstr(why.text, text) == NULL) {
    printf("  \"%s\"\n", why.text);
  }
  CU_ASSERT(strstr(why.text, text) != NULL);
}

static void test_refused(void) {
  scene x;

  scene_init(&x);
  x.sites[0].at = "berlni";
  check_refused(&x, "branch: no node is named \"berlni\"; did you mean "
                    "\"berlin\"?");
  scene_init(&x);
  x.nodes[1].parent = "berlin";
  check_refused(&x, "node berlin: its parents form a ring");
  scene_init(&x);
  x.nodes[2].parent = "eu";
  check_refused(&x, "fr: no node is named \"eu\"");
  scene_init(&x);
  x.at_branch[0].cls = "mainframe";
  check_refused(&x, "site branch: no class of devices is named \"mainframe\"");
  scene_init(&x);
  x.at_branch[0].count = UINT32_MAX;
  check_refused(&x, "too many");
}

TEST_SUITE("fleet tree",
           {"parents come before children, hosts are leaves", test_order},
           {"links have the scenario's capacities", test_links},
           {"latencies add up along the tree", test_latency},
           {"a limited backbone joins the subnets of a site", test_backbone},
           {"devices are numbered within class and site", test_devices},
           {"device rates have the scenario's distribution", test_rates},
           {"what names no node or class is refused", test_refused})
