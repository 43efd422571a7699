/* SPDX-License-Identifier: MIT */
/*
 * One file of a job.
 *
 *   WAITING --activated--> SIZING --size known--> MOVING --all held--> DONE
 *   WAITING --activated, size known and no HEAD needed--> MOVING
 *   SIZING, MOVING --job halted--> WAITING      DONE --dropped--> WAITING
 */
#ifndef ENGINE_FILE_H
#define ENGINE_FILE_H

#include "book.h"
#include "have.h"
#include "peers.h"
#include "rates.h"
#include "request.h"

typedef enum file_phase {
  FILE_WAITING,
  FILE_SIZING,
  FILE_MOVING,
  FILE_DONE
} file_phase;

#define FILE_REMOTES_MAX 65534u /* a save counts them in 16 bits */

typedef struct remote {
  xl_bytes first; /* first copies from it in the file now */
  xl_name url;
} remote;

struct xl_file {
  xl_job *job;
  have have;
  xl_version version; /* size XL_SIZE_UNKNOWN until learned */
  xl_bytes received;
  books books;
  rates rates;
  remote *remotes;       /* owned */
  xl_range_spec *ranges; /* owned; NULL: the whole file */
  swarm *swarm;          /* owned; NULL: never looked for peers */
  xl_time began; /* size known: its bytes could be asked for; -1 not yet */
  xl_time started, finished; /* -1 not yet */
  xl_time pick_due;          /* when to ask the policy again */
  xl_time origin_after;      /* no origin before */
  xl_name local, key;
  uint32_t index, nranges;
  uint16_t switches, restarts; /* or more */
  uint16_t nremotes, mirror;
  uint16_t mirror_was; /* before the switches not yet confirmed */
  uint16_t mirror_kept, remotes_kept; /* what a crash leaves of them (R214) */
  uint16_t norigin, npeer;            /* requests under way */
  uint16_t origin_failures;           /* in a row */
  uint8_t phase;
  bool named_content : 1; /* the key is the content's name, not the URL */
  bool begun : 1;         /* the policy has begun */
  bool switching : 1;     /* the first reply of the new server is awaited */
  bool rechecked : 1;     /* a 416 made it look at the version again (R807) */
  bool origin_only : 1;
  bool no_ranges : 1;     /* the server ignores ranges */
  bool single_ranges : 1; /* the server takes one range at a time (R808) */
  bool invalidated : 1;   /* has once been found invalid (R306) */
  uint8_t auth : 3;       /* 1 << xl_auth_target: credentials were asked for */
  bool validated : 1, completed : 1, admitted : 1;
  xl_bytes state[]; /* the policy's */
};

static inline bool xli_file_sized(const xl_file *f) {
  return f->version.size != XL_SIZE_UNKNOWN;
}
static inline xl_bytes xli_file_size(const xl_file *f) {
  return f->have.size;
}

XL_CHECKED xl_err xli_file_new(xl_file **out, xl_job *j,
                               const xl_file_info *info);
void xli_file_del(xl_engine *eng, xl_file *f);
/* Frees what only a transfer needs; the ledger and names stay. */
void xli_file_lighten(xl_file *f);
/* The identity of |info|'s content with its ranges; 0 when out of memory. */
xl_name xli_file_key(xl_engine *eng, const char *content,
                     const xl_range_spec *ranges, uint32_t nranges);
/* The identity of one of its ranges; 0 when out of memory. */
xl_name xli_file_row_key(const xl_file *f, uint32_t row);
xl_err xli_url_check(const char *url);
/* Index of |url| among the remote names; added if need be; XL_NONE when there
   are FILE_REMOTES_MAX, or out of memory. */
uint32_t xli_file_remote(xl_file *f, xl_name url);
/* job flag AND machine flag AND not forced off (R505), and the flavour. */
bool xli_file_peers_allowed(const xl_file *f);
bool xli_file_needs_head(const xl_file *f); /* R803 */
/* Begins or goes on. */
void xli_file_activate(xl_file *f);
/* Dynamic content that was interrupted: from 0, of any version (R802). */
void xli_file_anew(xl_file *f);
/* Stops: cancels requests, forgets the search. Bytes are kept. */
void xli_file_halt(xl_file *f);
/* The size is known: makes the piece map. False: the ranges do not fit, or out
   of memory. */
bool xli_file_set_size(xl_file *f, xl_version v);
/* Begins the policy (again, when the file starts from nothing). */
void xli_file_begin(xl_file *f);
/* From now on bytes are asked for, and what is due of that is due. */
void xli_file_move(xl_file *f);
/* Everything received is dropped into |to|; requests under way with it. */
void xli_file_drop(xl_file *f, xl_class to);
/* The remote file is another one now: drops and starts from 0 (R110, R809). */
void xli_file_restart(xl_file *f, xl_version v);
/* After anything happened: finishes, or asks the policy for more. */
void xli_file_after(xl_file *f);
/* Another remote name from now on (R211). */
void xli_file_switch(xl_file *f, uint32_t mirror);
/* The remote names as they are now survive a crash (R214). */
void xli_file_keep_remotes(xl_file *f);
/* Timers of the file that are due. */
void xli_file_due(xl_file *f);
xl_time xli_file_next_due(const xl_file *f);

#endif
