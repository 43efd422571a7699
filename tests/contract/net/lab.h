/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One script on one network in one forked process (a simulator's clock cannot
 * start twice), and what it was told, in order, for the test to look at.
 *
 *   static void script(lab *l) {
 *     net_channel c = lab_open(l, 1, 2);
 *     lab_want(l, c, 7, 1000);       // request 7; its answer is 1000 bytes
 *     lab_run(l, XL_SEC(10));
 *   }
 *   lab l = lab_fork(&nets[0], &topology, script);
 *   CHECK_EQ(lab_find(&l, DONE, 7)->at, XL_SEC(1));
 *   lab_free(&l);
 *
 * A request is answered when it arrives, with the size lab_want gave, unless
 * the script has set |hold|. |hook| is called inside every callback.
 */
#ifndef TESTS_CONTRACT_NET_LAB_H
#define TESTS_CONTRACT_NET_LAB_H

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/net.h"
#include "test.h"

typedef enum note_kind { ASKED, DONE, RESET, MESSAGE, TIMER, SAID } note_kind;

typedef struct note {
  note_kind kind;
  uint32_t who; /* channel or node */
  xl_time at;
  uint64_t tag;
  uint64_t bytes;
} note;

#define NOTE_MAX 60000
#define TAG_MAX 20000

/* A network to run over; |params| in the order of its table. */
typedef struct lab_net {
  const char *label, *name;
  xl_value params[8];
  double tolerance; /* relative, of times */
  bool two_hosts;   /* takes no more */
} lab_net;

typedef struct lab lab;
struct lab {
  const net_ops *ops;
  net *n;
  const lab_net *net; /* for the test */
  bool hold;
  void (*hook)(lab *l, const note *last);
  FILE *said;     /* what the child said on stderr: nothing, or it failed */
  uint64_t state; /* the script's own */
  struct lab_log {
    bool ran; /* to its end */
    char why[1024];
    size_t n;
    note notes[NOTE_MAX];
  } * log; /* shared with the parent */
  uint64_t sizes[TAG_MAX];
};

static const lab_net lab_fluid = {
    "fluid",
    "fluid",
    {{.i = 0}, {.f = 0}, {.f = 1}, {.i = 0}, {.i = 0}, {.i = 0}, {.i = 1}},
    1e-9,
    false};
static const lab_net lab_flow = {
    "simgrid cm02", "simgrid", {{.i = 1}, {.i = 0}, {.i = 0}}, 1e-6, false};
static const lab_net lab_lv08 = {"simgrid lv08",
                                 "simgrid",
                                 {{.i = 0}, {.i = 4194304}, {.i = 1}},
                                 1e-6,
                                 false};

static const lab_net lab_packets = {"ns3", "ns3", {{.i = 0}}, 0.05, true};

/* ---- inside the script ------------------------------------------------------
 */

static void lab_note(lab *l, note it) {
  it.at = l->ops->now(l->n);
  if (l->log->n < NOTE_MAX) {
    l->log->notes[l->log->n++] = it;
  }
  if (l->hook != NULL && it.kind != SAID) {
    l->hook(l, &it);
  }
}

/* Keeps a value for the parent; |tag| names it. */
static void lab_say(lab *l, uint64_t tag, uint64_t value) {
  lab_note(l, (note){.kind = SAID, .tag = tag, .bytes = value});
}

static void lab_on_asked(void *arg, net_channel ch, uint64_t tag) {
  lab *l = arg;
  lab_note(l, (note){.kind = ASKED, .who = ch, .tag = tag});
  if (!l->hold) {
    l->ops->answer(l->n, ch, tag, l->sizes[tag]);
  }
}

static void lab_on_done(void *arg, net_channel ch, uint64_t tag,
                        uint64_t bytes) {
  lab_note(arg, (note){.kind = DONE, .who = ch, .tag = tag, .bytes = bytes});
}

static void lab_on_reset(void *arg, net_channel ch, uint64_t tag,
                         uint64_t bytes) {
  lab_note(arg, (note){.kind = RESET, .who = ch, .tag = tag, .bytes = bytes});
}

static void lab_on_message(void *arg, net_node dst, uint64_t tag) {
  lab_note(arg, (note){.kind = MESSAGE, .who = dst, .tag = tag});
}

static void lab_on_timer(void *arg, uint64_t tag) {
  lab_note(arg, (note){.kind = TIMER, .tag = tag});
}

static net_channel lab_open(lab *l, net_node src, net_node dst) {
  return l->ops->channel_open(l->n, src, dst, XL_RATE_UNLIMITED, 1);
}

static net_channel lab_open_capped(lab *l, net_node src, net_node dst,
                                   xl_rate cap) {
  return l->ops->channel_open(l->n, src, dst, cap, 1);
}

static void lab_want(lab *l, net_channel ch, uint64_t tag, uint64_t bytes) {
  l->sizes[tag] = bytes;
  l->ops->request(l->n, ch, tag);
}

static void lab_run(lab *l, xl_time until) {
  fail why = {0};
  if (!l->ops->run(l->n, until, NULL, &why)) {
    snprintf(l->log->why, sizeof l->log->why, "%s", why.text);
    _exit(1);
  }
  if (l->ops->now(l->n) != until) {
    snprintf(l->log->why, sizeof l->log->why, "run ended at %lld, not %lld",
             (long long)l->ops->now(l->n), (long long)until);
    _exit(1);
  }
}

/* ---- the two processes
 * ---------------------------------------------------------- */

/* Test programs lie three folders below the modules. */
static const net_ops *lab_network(const char *name, fail *why) {
  char path[1200];
  ssize_t n = readlink("/proc/self/exe", path, 1024);

  path[n > 0 ? n : 0] = '\0';
  for (int up = 0; up < 4 && strrchr(path, '/') != NULL; up++) {
    *strrchr(path, '/') = '\0';
  }
  setenv("XFERLAB_MODULES", path, 0);
  return net_find(name, why);
}

/* False, and said, when the module is not built. Asked in a child, so that no
   simulator's library is loaded here. */
static bool lab_present(const lab_net *on) {
  int status = 0;

  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    fail why = {0};
    if (lab_network(on->name, &why) == NULL) {
      printf("SKIP %s: %s\n", on->label, why.text);
      fflush(stdout);
    }
    _exit(why.status);
  }
  waitpid(child, &status, 0);
  return status == 0;
}

static void lab_child(lab *l, const lab_net *on, const net_topology *t,
                      void (*script)(lab *)) {
  fail why = {0};
  net_sink sink = {
      l, lab_on_asked, lab_on_done, lab_on_reset, lab_on_message, lab_on_timer};

  alarm(50);
  dup2(fileno(l->said), STDERR_FILENO);
  l->ops = lab_network(on->name, &why);
  if (l->ops != NULL) {
    l->n = l->ops->open(t, on->params, &sink, &why);
  }
  if (l->n == NULL) {
    snprintf(l->log->why, sizeof l->log->why, "%s", why.text);
    _exit(1);
  }
  script(l);
  l->ops->close(l->n);
  l->log->ran = true;
  exit(0);
}

/* SimGrid tells of Comms torn down too early, sanitizers of all the rest. */
static void lab_quiet(lab *l) {
  char line[512];

  rewind(l->said);
  bool quiet = fgets(line, sizeof line, l->said) == NULL;
  CU_ASSERT(quiet);
  while (!quiet) {
    printf("  %s", line);
    quiet = fgets(line, sizeof line, l->said) == NULL;
  }
  fclose(l->said);
}

static lab lab_fork(const lab_net *on, const net_topology *t,
                    void (*script)(lab *)) {
  static lab fresh;
  lab l = fresh;

  fflush(NULL);
  l.net = on;
  l.said = tmpfile();
  l.log = mmap(NULL, sizeof *l.log, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork();
  if (child == 0) {
    lab_child(&l, on, t, script);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!l.log->ran || status != 0) {
    printf("  %s: %s (status %#x)\n", on->label, l.log->why, (unsigned)status);
  }
  CU_ASSERT(l.log->ran && status == 0);
  lab_quiet(&l);
  return l;
}

static void lab_free(lab *l) {
  munmap(l->log, sizeof *l->log);
}

/* ---- looking at the notes
 * --------------------------------------------------------- */

/* The first note of that kind and tag; one at time -1 when there is none. */
static const note *lab_find(const lab *l, note_kind kind, uint64_t tag) {
  static const note none = {.at = -1, .bytes = UINT64_MAX};

  for (size_t i = 0; i < l->log->n; i++) {
    if (l->log->notes[i].kind == kind && l->log->notes[i].tag == tag) {
      return &l->log->notes[i];
    }
  }
  return &none;
}

static size_t lab_count(const lab *l, note_kind kind) {
  size_t n = 0;

  for (size_t i = 0; i < l->log->n; i++) {
    n += l->log->notes[i].kind == kind;
  }
  return n;
}

/* Seconds at which |tag| was done. */
static double lab_done_s(const lab *l, uint64_t tag) {
  return (double)lab_find(l, DONE, tag)->at * 1e-9;
}

#endif
