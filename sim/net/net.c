/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _POSIX_C_SOURCE 200809L
#include "net/net.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/channels.h"
#include "net/fluid/fluid.h"

/* Every network once: its name, and either how to get it, when it is built in,
   or the Debian packages its module is built against and runs on. */
static const struct known {
  const char *name;
  const net_ops *(*entry)(void);
  const char *dev, *runtime;
} known[] = {
    {"fluid", fluid_entry, NULL, NULL},
    {"simgrid", NULL, "libsimgrid-dev", "libsimgrid3.32"},
    {"ns3", NULL, "libns3-dev", "libns3.37"},
};
#define NKNOWN (sizeof known / sizeof *known)

const char *const net_names[] = {"fluid", "simgrid", "ns3", NULL};
_Static_assert(sizeof net_names / sizeof *net_names == NKNOWN + 1,
               "a network is missing in one of the lists");

#define FOLDER_MAX 1024
#define NFOLDERS 3

/* The folder of the running program, without a slash at the end. */
static void program_folder(char *buf, size_t len) {
  ssize_t n = readlink("/proc/self/exe", buf, len - 1);

  buf[n > 0 ? n : 0] = '\0';
  char *slash = strrchr(buf, '/');
  if (slash != NULL) {
    *slash = '\0';
  }
}

/* Where modules may be, in order: next to the program (a build folder),
   $XFERLAB_MODULES, PREFIX/lib/xferlab for a program in PREFIX/bin. */
static void module_folders(char folders[NFOLDERS][FOLDER_MAX]) {
  const char *own = getenv("XFERLAB_MODULES");

  program_folder(folders[0], FOLDER_MAX);
  snprintf(folders[1], FOLDER_MAX, "%s", own != NULL ? own : "");
  memcpy(folders[2], folders[0], FOLDER_MAX);
  char *slash = strrchr(folders[2], '/');
  size_t at = slash != NULL ? (size_t)(slash - folders[2]) : 0;
  snprintf(folders[2] + at, FOLDER_MAX - at, "/lib/xferlab");
}

static const net_ops *check(const net_ops *ops, const char *path,
                            const struct known *k, fail *why) {
  if (ops == NULL || ops->version != NET_ABI || ops->size != sizeof *ops) {
    fail_set(why, EXIT_USAGE,
             "%s is of another build (interface %u of %u bytes; this program "
             "has %u of %u): build both again with `make`",
             path, ops != NULL ? ops->version : 0, ops != NULL ? ops->size : 0,
             NET_ABI, (unsigned)sizeof *ops);
    return NULL;
  }
  if (strcmp(ops->name, k->name) != 0) {
    fail_set(why, EXIT_USAGE, "%s holds the network '%s', not '%s'", path,
             ops->name, k->name);
    return NULL;
  }
  return ops;
}

/* A module is never unloaded: simulators leave handlers behind that run when
   the process ends. */
static const net_ops *load(const char *path, const struct known *k, fail *why) {
  const net_ops *(*entry)(void);
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

  if (lib == NULL) {
    fail_set(why, EXIT_USAGE,
             "network '%s' does not load: %s; install the Debian package %s",
             k->name, dlerror(), k->runtime);
    return NULL;
  }
  void *symbol = dlsym(lib, "net_entry");
  if (symbol == NULL) {
    fail_set(why, EXIT_USAGE, "%s is not a network: it has no net_entry", path);
    return NULL;
  }
  memcpy(&entry, &symbol, sizeof entry);
  return check(entry(), path, k, why);
}

static const net_ops *find_module(const struct known *k, fail *why) {
  char folders[NFOLDERS][FOLDER_MAX];
  char path[NFOLDERS * FOLDER_MAX + 64];

  module_folders(folders);
  for (size_t i = 0; i < NFOLDERS; i++) {
    snprintf(path, sizeof path, "%s/net_%s.so", folders[i], k->name);
    if (folders[i][0] != '\0' && access(path, R_OK) == 0) {
      return load(path, k, why);
    }
  }
  fail_set(why, EXIT_USAGE,
           "network '%s' is absent: no net_%s.so in %.200s, in "
           "$XFERLAB_MODULES (%.200s) or in %.200s; install the Debian package "
           "%s and run `make`",
           k->name, k->name, folders[0],
           folders[1][0] != '\0' ? folders[1] : "not set", folders[2], k->dev);
  return NULL;
}

const net_ops *net_find(const char *name, fail *why) {
  char all[256] = "";

  for (size_t i = 0; i < NKNOWN; i++) {
    if (strcmp(known[i].name, name) == 0) {
      return known[i].entry != NULL ? known[i].entry()
                                    : find_module(&known[i], why);
    }
    size_t len = strlen(all);
    snprintf(all + len, sizeof all - len, "%s%s", i > 0 ? ", " : "",
             known[i].name);
  }
  fail_set(why, EXIT_USAGE, "no network is called '%s'; there are %s", name,
           all);
  return NULL;
}

net_ops net_ops_of_channels(const char *name, const char *help, uint32_t caps,
                            const xl_param *params, uint32_t nparams,
                            net *(*open)(const net_topology *topology,
                                         const xl_value *values,
                                         const net_sink *sink, fail *why)) {
  net_ops ops = channels_ops;

  ops.name = name;
  ops.help = help;
  ops.caps = caps;
  ops.params = params;
  ops.nparams = nparams;
  ops.open = open;
  return ops;
}
