/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plug-in ABI: tests/abi/example.c is built as an outsider builds it,
 * against engine/include alone, and loaded; tables of other versions are
 * refused by name.
 */
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "fake.h"

typedef const xl_policy *entry_fn(void);

/* Builds the example with |flags|; NULL if that fails. Close with dlclose. */
static void *build(const char *flags) {
  const char *cc = getenv("CC");
  char dir[64], so[96], command[512];
  void *lib = NULL;

  snprintf(dir, sizeof dir, "/tmp/xl-abi-%ld", (long)getpid());
  if (mkdir(dir, 0700) != 0) {
    return NULL;
  }
  snprintf(so, sizeof so, "%s/example.so", dir);
  snprintf(command, sizeof command,
           "%s -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -shared "
           "-fPIC -I engine/include %s -o %s tests/abi/example.c",
           cc == NULL || *cc == '\0' ? "cc" : cc, flags, so);
  if (system(command) == 0) {
    lib = dlopen(so, RTLD_NOW | RTLD_LOCAL);
  }
  unlink(so);
  rmdir(dir);
  return lib;
}

static const xl_policy *table_of(void *lib) {
  void *symbol = lib == NULL ? NULL : dlsym(lib, "xl_policy_entry");
  entry_fn *entry;

  memcpy(&entry, &symbol, sizeof entry);
  return symbol == NULL ? NULL : entry();
}

static void test_example_loads(void) {
  void *lib = build("");
  const xl_policy *p = table_of(lib);

  CU_ASSERT_PTR_NOT_NULL(p);
  if (p != NULL) {
    CU_ASSERT_PTR_NULL(xl_policy_check(p));
    CHECK_EQ(strcmp(p->name, "example"), 0);
    dlclose(lib);
  }
}

static void refused(const char *flags, const char *says) {
  void *lib = build(flags);
  const xl_policy *p = table_of(lib);

  CU_ASSERT_PTR_NOT_NULL(p);
  if (p != NULL) {
    const char *wrong = xl_policy_check(p);
    CU_ASSERT(wrong != NULL && strstr(wrong, says) != NULL);
    dlclose(lib);
  }
}

static void test_others_are_refused(void) {
  refused("-DEXAMPLE_VERSION=2u", "another version of the policy ABI");
  refused("-DEXAMPLE_VERSION=0u", "another version of the policy ABI");
  refused("-DEXAMPLE_SIZE=8u", "another size");
  refused("-DEXAMPLE_PICK=NULL -Wno-unused-function", "no pick");
}

static void use_example(fake *w, const xl_policy *p) {
  fake_init(w, "origin-only", "........");
  w->policy = p;
  for (uint32_t i = 0; i < p->nparams; i++) {
    fake_set(w, p->params[i].name, p->params[i].def);
  }
}

static void test_example_decides(void) {
  void *lib = build("");
  const xl_policy *p = table_of(lib);
  xl_time patience;
  fake w;

  CU_ASSERT_PTR_NOT_NULL(p);
  if (p == NULL) {
    return;
  }
  use_example(&w, p);
  fake_pick(&w);
  CHECK_EQ(w.picked, false);
  CU_ASSERT(w.again > 0 && w.again <= XL_SEC(5));
  patience = w.again;
  fake_add(&w, XL_SCOPE_SITE, "#.......");
  fake_pick(&w);
  CHECK_PEER(&w, 0, 0);
  w.peers[0].view.requests = 0;
  fake_pick(&w); /* waits anew */
  CHECK_EQ(w.picked, false);
  CU_ASSERT(w.again != patience);
  w.now = w.again;
  fake_pick(&w);
  CHECK_ORIGIN(&w, NO_PEER_HAS_IT, 0);
  fake_pick(&w);
  CHECK_WAIT(&w, XL_NEVER);
  dlclose(lib);
}

TEST_SUITE("policy plug-in",
           {"the example builds against engine/include alone and loads",
            test_example_loads},
           {"tables of another version, size or without pick are refused",
            test_others_are_refused},
           {"the loaded example decides through the host it is given",
            test_example_decides})
