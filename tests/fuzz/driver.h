/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine in a hostile environment: scripts of API calls, replies, lies,
 * losses, crashes and jumps of the clock are made from a seed, played, and,
 * when something breaks, shrunk to the fewest lines that still break it.
 *
 * A script is a list of lines "name number number ..". Each number is taken
 * modulo what there is to choose from when the line is played (the third open
 * request, the second job), and a line that finds nothing does nothing. So each
 * part of a script is a script, which is what makes shrinking work, and a line
 * depends on the seed alone, not on what the engine did before.
 *
 * After each line xl_engine_check must hold, and so must the driver's own
 * books: each byte that was given to an agent is in its ledger once, each
 * request ends once with the bytes it was given, and a file that is done
 * consists of bytes of one version, each from its own place.
 */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include <stdio.h>

#include <xl/agent.h>

#define OP_ARGS 5

/* name, weight when drawn (0: only at fixed places), then for each number: it
   is below so much. Above 10^5 small ones are as likely as large ones. */
#define OP_MAP(X)                                                              \
  X(config, 0, 2, 4, 8, 30, 8) /* data, no-mtime, requests, peers, erratic */  \
  X(agent, 2, 8, 12, 6, 0, 0)  /* policy, peer-caching flags, disk */          \
  X(remove, 1, 6, 40, 0, 0, 0)                                                 \
  X(create, 16, 6, 8, 4, 12, 0)     /* agent, slot, priority, flags */         \
  X(add, 40, 6, 8, 200, 5000, 5000) /* .., kind of URL, pieces, ranges */      \
  X(resume, 60, 6, 8, 0, 0, 0)                                                 \
  X(suspend, 8, 6, 8, 0, 0, 0)                                                 \
  X(cancel, 3, 6, 8, 0, 0, 0)                                                  \
  X(complete, 12, 6, 8, 4, 0, 0) /* .., 3: also when not whole */              \
  X(priority, 6, 6, 8, 5, 0, 0)                                                \
  X(flags, 6, 6, 8, 5, 0, 0)                                                   \
  X(retry, 3, 6, 8, 100, 0, 0)                                                 \
  X(no_progress, 3, 6, 8, 2000000, 0, 0)                                       \
  X(max_time, 1, 6, 8, 9000000, 0, 0)                                          \
  X(prefix, 3, 6, 8, 5, 0, 0)                                                  \
  X(rename, 6, 6, 8, 8, 7, 0)        /* .., file, URL */                       \
  X(validate, 5, 6, 8, 8, 3, 0)      /* .., file, 0: invalid */                \
  X(hold, 10, 6, 16, 40, 9, 4)       /* agent, content, pieces, ranges */      \
  X(reply, 150, 512, 90, 60, 60, 12) /* request, status, size, time, ranges */ \
  X(deliver, 240, 512, 6000, 9, 40,                                            \
    40) /* .., bytes, verdict, over, version */                                \
  X(arrive, 12, 512, 2000, 0, 0, 0)                                            \
  X(end, 40, 512, 14, 60, 4, 40)   /* .., how, retry, cancelled only, error */ \
  X(redirect, 12, 512, 9, 5, 0, 0) /* request, to where, status */             \
  X(ghost, 4, 6, 64, 4, 300, 0)    /* agent, number, input, bytes */           \
  X(found, 90, 64, 1024, 24, 8, 4) /* search, who, scope, last, odd */         \
  X(lie, 3, 6, 5, 0, 0, 0)         /* device, how its map is shown */          \
  X(ask, 24, 6, 6, 1200, 300, 8)   /* agent, from, begin, bytes, what */       \
  X(served, 8, 64, 2000, 0, 0, 0)                                              \
  X(link, 12, 6, 4, 0, 0, 0) /* agent, 0: down */                              \
  X(restart, 2, 6, 0, 0, 0, 0)                                                 \
  X(save, 6, 6, 4, 4096, 8, 0) /* and load: agent, 0: damaged, where, bit */   \
  X(late, 2, 6, 300, 0, 0, 0)                                                  \
  X(settle, 1, 6, 0, 0, 0, 0)                                                  \
  X(origin, 2, 4, 6, 4, 0, 0)      /* URL, size, time stamp */                 \
  X(user, 8, 6, 24, 0, 0, 0)       /* agent, who calls from now on */          \
  X(logon, 4, 6, 4, 5, 0, 0)       /* agent, who, 0: off */                    \
  X(limits, 3, 6, 27, 20, 15, 9)   /* agent, jobs, files, ranges, days */      \
  X(bandwidth, 4, 6, 25, 25, 5, 5) /* agent, from, to, inside, outside */      \
  X(cost, 3, 6, 24, 0, 0, 0)       /* agent, state */                          \
  X(condition, 4, 6, 7, 6, 0, 0)   /* agent, which, 0: on */                   \
  X(peering, 3, 6, 5, 0, 0, 0)     /* agent, machine flags */                  \
  X(disk, 4, 6, 12, 0, 0, 0)       /* agent, what fails */                     \
  X(cache, 12, 6, 10, 100, 6, 0)   /* agent, call, number, policy */           \
  X(peers, 4, 6, 4, 0, 0, 0)       /* agent, call */                           \
  X(property, 16, 6, 8, 12, 40, 0) /* job, which, value */                     \
  X(security, 4, 6, 8, 24, 0, 0)   /* job, flags */                            \
  X(cost_flags, 3, 6, 8, 6, 0, 0)  /* job, flags */                            \
  X(take, 3, 6, 8, 0, 0, 0)        /* job: the caller takes it */              \
  X(verb, 8, 6, 8, 4, 0, 0)        /* job, verb of IDODownload */              \
  X(add_set, 6, 6, 8, 5, 60, 4)    /* job, files, pieces, bad one */           \
  X(look, 4, 6, 8, 0, 0, 0)        /* at an agent and a job */                 \
  X(interface, 8, 6, 8, 3, 0, 0)   /* job, 0: none */                          \
  X(notify, 6, 6, 8, 40, 0, 0)     /* job, flags */                            \
  X(told, 24, 6, 8, 4, 0, 0)       /* job's notice, 0: failed */               \
  X(ran, 6, 6, 8, 3, 0, 0)         /* job's command, 0: failed */              \
  X(tick, 40, 20000, 0, 0, 0, 0)   /* ms; deadlines are missed */              \
  X(advance, 50, 20000000, 0, 0, 0,                                            \
    0)                        /* to the deadline, at most so many ms */        \
  X(jump, 1, 62, 0, 0, 0, 0)  /* 2^n ns */                                     \
  X(honest, 0, 2, 0, 0, 0, 0) /* all behave: jobs finish; 1: peers help */

typedef enum op_kind {
#define OP_ENUM(name, ...) OP_##name,
  OP_MAP(OP_ENUM)
#undef OP_ENUM
      OP_NKINDS
} op_kind;

typedef struct op {
  uint8_t kind;
  uint32_t arg[OP_ARGS];
} op;

typedef struct script {
  op *ops; /* owned */
  uint32_t n, cap;
} script;

typedef enum driver_mode {
  DRIVER_LEGAL,
  DRIVER_ERRATIC, /* policies give illegal answers */
  DRIVER_MIXED    /* one script in eight is erratic */
} driver_mode;

/* What happened in all scripts of this process. */
typedef struct driver_sums {
  uint64_t scripts, steps, requests, bytes, whole_files, completed, illegal;
  uint64_t peer_bytes, loads, notices, redirected, open;
  uint64_t ended[XL_NENDS];
} driver_sums;

extern driver_sums driver_total;
/* Says what the engine wants and tells. */
extern bool driver_loud;

/* ---- driver_script.c */

void script_add(script *s, op o);
void script_free(script *s);
/* Appends the |n| lines that follow from |seed|. */
void script_make(script *s, uint64_t seed, uint32_t n, bool erratic);
void script_print(const script *s, FILE *out);
/* NULL, or what is wrong with the text. '#' begins a comment. */
const char *script_read(script *s, FILE *in);

/* ---- driver.c */

/* Plays it. NULL: nothing broke; else what did, in static storage; *at is the
   line. The |fuse|-th allocation and all after it fail; -1: none. *blown, if
   not NULL: whether one did. */
const char *driver_play(const script *s, long fuse, bool *blown, uint32_t *at);

/* ---- driver_policy.c */

#define DRIVER_NPOLICIES 8
/* Policies 0 to 3 do anything legal, one a flavour; the others are those of the
   engine, with parameters that let small files be shared. |erratic|: some of
   the answers are illegal, and counted in driver_illegal when they must be
   noticed. */
const xl_policy *driver_policy(uint32_t i, bool erratic,
                               const xl_value **params);
extern uint32_t driver_illegal;
/* An allocation has failed: what is shown may be anything. */
extern bool driver_blown;
/* Says that something is broken; the first text counts. */
void driver_broken(const char *text);

/* ---- driver_shrink.c */

/* How playing it in a process of its own ended: 0 good, else a number that
   tells kinds of failure apart. |quiet|: nothing is printed. */
int driver_try(const script *s, long fuse, bool quiet);
/* Takes lines away and makes numbers smaller as long as it ends like that. */
void driver_shrink(script *s, long fuse, int how);

#endif
