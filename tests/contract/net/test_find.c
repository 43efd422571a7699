/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks by name: what is found, what is refused and in which words. */
#include <sys/stat.h>

#include "lab.h"

static void test_unknown(void) {
  fail why = {0};

  CU_ASSERT(net_find("fluidd", &why) == NULL);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT(strstr(why.text, "'fluidd'") != NULL);
  for (size_t i = 0; net_names[i] != NULL; i++) {
    CU_ASSERT(strstr(why.text, net_names[i]) != NULL);
  }
}

static void test_present(void) {
  for (size_t i = 0; net_names[i] != NULL; i++) {
    fail why = {0};
    const net_ops *ops = lab_network(net_names[i], &why);
    if (ops == NULL) {
      printf("SKIP %s: %s\n", net_names[i], why.text);
      continue;
    }
    CHECK_EQ(strcmp(ops->name, net_names[i]), 0);
    CHECK_EQ(ops->size, sizeof *ops);
    CU_ASSERT(ops->help != NULL && (ops->nparams == 0) == !ops->params);
  }
}

/* A folder with a file that is no module, and one with nothing. */
static void test_absent(void) {
  char folder[] = "/tmp/net_find_XXXXXX", path[64];
  char *old = getenv("XFERLAB_MODULES");
  char *keep = old != NULL ? strdup(old) : NULL;
  fail why = {0};

  CU_ASSERT(mkdtemp(folder) != NULL);
  setenv("XFERLAB_MODULES", folder, 1);
  CU_ASSERT(net_find("ns3", &why) == NULL);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT(strstr(why.text, folder) != NULL);
  CU_ASSERT(strstr(why.text, "libns3-dev") != NULL);

  snprintf(path, sizeof path, "%s/net_ns3.so", folder);
  FILE *f = fopen(path, "w");
  fputs("no module\n", f);
  fclose(f);
  why = (fail){0};
  CU_ASSERT(net_find("ns3", &why) == NULL);
  CU_ASSERT(strstr(why.text, "libns3.37") != NULL);
  unlink(path);
  rmdir(folder);
  keep != NULL ? setenv("XFERLAB_MODULES", keep, 1)
               : unsetenv("XFERLAB_MODULES");
  free(keep);
}

static void nothing(lab *l) {
  lab_run(l, XL_SEC(1));
}

/* A network that cannot take a topology says so by name. */
static void three(lab *l) {
  static const net_node_spec nodes[] = {{.parent = NET_NO_NODE},
                                        {.parent = 0, .host = true},
                                        {.parent = 0, .host = true},
                                        {.parent = 0, .host = true}};
  net_topology t = {nodes, 4};
  net_sink none = {0};
  fail why = {0};

  lab_say(l, 1, l->ops->open(&t, NULL, &none, &why) == NULL);
  lab_say(l, 2, strstr(why.text, "exactly 2 hosts") != NULL);
}

static const net_node_spec two_nodes[] = {
    {.parent = NET_NO_NODE},
    {.parent = 0, .up_Bps = 1000, .down_Bps = 1000, .host = true},
    {.parent = 0, .up_Bps = 1000, .down_Bps = 1000, .host = true}};
static const net_topology two = {two_nodes, 3};

static void test_refused(void) {
  if (!lab_present(&lab_packets)) {
    return;
  }
  lab l = lab_fork(&lab_packets, &two, three);
  CHECK_EQ(lab_find(&l, SAID, 1)->bytes, 1);
  CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 1);
  lab_free(&l);
}

static void test_nothing(void) {
  static const lab_net *const nets[] = {&lab_fluid, &lab_flow, &lab_lv08,
                                        &lab_packets};

  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
    if (lab_present(nets[i])) {
      lab l = lab_fork(nets[i], &two, nothing);
      CHECK_EQ(l.log->n, 0);
      lab_free(&l);
    }
  }
}

TEST_SUITE("networks by name",
           {"an unknown name is told with the known ones", test_unknown},
           {"each known network has its name and size", test_present},
           {"an absent one is told with folders and package", test_absent},
           {"a topology that does not fit is refused", test_refused},
           {"nothing happens where nothing is asked", test_nothing})
