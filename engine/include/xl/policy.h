/* SPDX-License-Identifier: MIT */
/*
 * Policies: const tables that decide and do nothing.
 *
 * The engine asks, the policy answers, the engine checks the answer and acts. A
 * policy sees what a real client could know: its own state, what peers told it,
 * what it measured. It calls the engine through |xl_host| alone and keeps
 * state only in the blocks the engine allocates and zeroes for it. The same
 * table is the plug-in ABI: a shared object exports `const xl_policy
 * *xl_policy_entry(void)` and is loaded with `--policy ./mine.so`.
 *
 * Every slot but |pick| may be NULL; the default is said at the slot.
 */
#ifndef XL_POLICY_H
#define XL_POLICY_H

#include <xl/err.h>
#include <xl/ledger.h>
#include <xl/param.h>
#include <xl/types.h>

/* Grows by appending to the structs below; a loader refuses other versions. */
#define XL_POLICY_ABI 1u

/* Whose rules the engine enforces for the policy's files. */
typedef enum xl_flavour {
  XL_FLAVOUR_BITS3, /* BITS 3.0: whole-record peer cache, files one by one */
  XL_FLAVOUR_BITS4, /* BITS 4.0+: no peer cache of its own (R506) */
  XL_FLAVOUR_DO,    /* Delivery Optimization: pieces, parallel files */
  XL_FLAVOUR_FREE   /* no clamp */
} xl_flavour;

typedef struct xl_view xl_view; /* a device, and mostly one file of it */

/* The device, as its own software knows it. */
typedef struct xl_device_view {
  xl_bytes ram_bytes;
  xl_bytes disk_bytes;
  bool on_battery;
  bool on_vpn;
  bool metered;
  uint32_t uploads;        /* transfers being served now */
  xl_bytes uploaded_bytes; /* to peers of scope INTERNET, all time */
} xl_device_view;

/* The file being fetched. Pieces are numbered 0 .. npieces-1 over the local
   file; all have piece_bytes but the last. */
typedef struct xl_file_view {
  xl_bytes size_bytes;
  uint32_t piece_bytes;
  uint32_t npieces;
  uint32_t nheld;      /* pieces complete */
  uint32_t nasked;     /* pieces neither complete nor free to ask for */
  xl_bytes received;   /* bytes transferred so far */
  xl_time started;     /* when this file's transfer began */
  bool foreground;
  bool peers_allowed;  /* job flag AND machine flag AND not forced off (R505) */
  bool origin_only;    /* refetch after a failed check (R306) */
  bool has_ranges;     /* the application asked for sub-ranges */
  uint32_t npeers;     /* known peers, indices 0 .. npeers-1 */
  bool searching;      /* a search for peers is under way */
  uint32_t nsearches;  /* searches that have ended */
  xl_time searched;    /* when the last search ended; -1 never */
  uint32_t nmirrors;   /* remote names, the current one included */
  uint32_t mirror;     /* index of the current remote name */
  uint32_t origin_requests;  /* requests to the origin under way */
  uint32_t peer_requests;    /* requests to peers under way */
  uint32_t peer_failures;    /* failed peer transfers of this file */
  xl_rate peer_rate;         /* bytes/s from peers over the last window */
  xl_rate origin_rate;       /* bytes/s from origins over the last window */
} xl_file_view;

/* A known peer of the file. */
typedef struct xl_peer_view {
  uint32_t id;         /* the environment's number of the device */
  xl_scope scope;
  uint32_t nheld;      /* pieces it is seen to hold */
  uint32_t requests;   /* requests of ours to it under way */
  uint32_t failures;   /* failed or refused requests since the last success,
                          31 of them at the most */
  xl_time busy_until;  /* refused: do not ask before; 0 none, or banned */
  bool banned;         /* until then, and while it is busy */
  xl_bytes received;   /* from it, for this file, 1 TiB at the most */
  xl_rate rate;        /* of its last delivered request, to 7 digits; 0
                          unknown */
} xl_peer_view;

/* The same as the engine keeps it, for a policy that looks at all peers at each
   pick. */
typedef struct xl_peer {
  xl_time quiet_until; /* banned or busy until then, the later if both */
  uint32_t id;
  uint32_t nheld;
  uint32_t map; /* the engine's */
  float rate;
  uint64_t received : 40;
  uint64_t requests : 14;
  uint64_t failures : 5;
  uint64_t scope : 3;
  uint64_t banned : 1;  /* while |quiet_until| is to come */
  uint64_t counted : 1; /* the engine's */
} xl_peer;

typedef enum xl_order {
  XL_ORDER_SEQUENTIAL,
  XL_ORDER_RANDOM,
  XL_ORDER_RAREST /* fewest known peers see it; ties broken at random */
} xl_order;

typedef struct xl_host {
  uint32_t size;
  uint32_t version; /* XL_POLICY_ABI */
  xl_time (*now)(const xl_view *v);
  uint64_t (*random)(xl_view *v); /* uniform in 64 bits, this device's stream */
  xl_value (*param)(const xl_view *v, uint32_t index);
  void *(*agent_state)(xl_view *v); /* NULL when agent_state size is 0 */
  void *(*file_state)(xl_view *v);
  /* Those of peers 0 .. npeers-1 follow one another, |peer_state_size| bytes
     each. */
  void *(*peer_state)(xl_view *v, uint32_t peer);
  const xl_device_view *(*device)(xl_view *v);
  const xl_file_view *(*file)(xl_view *v);
  void (*peer)(const xl_view *v, uint32_t peer, xl_peer_view *out);
  bool (*piece_held)(const xl_view *v, uint32_t piece);
  /* Neither held nor asked for. */
  bool (*piece_free)(const xl_view *v, uint32_t piece);
  bool (*peer_has)(const xl_view *v, uint32_t peer, uint32_t piece);
  /* Known, not banned peers that are seen to hold |piece|. */
  uint32_t (*holders)(const xl_view *v, uint32_t piece);
  /* A free piece that |peer| (XL_NONE: anybody, also the origin) has, by
     |order|; XL_NONE when there is none. */
  uint32_t (*choose_piece)(xl_view *v, uint32_t peer, xl_order order);
  /* The first run of bytes at or after |from| that are neither received nor
     asked for; false when there is none. */
  bool (*next_gap)(const xl_view *v, xl_bytes from, xl_range *out);
  /* The missing bytes of one piece: what is left of it to ask for. */
  xl_range (*piece_gap)(const xl_view *v, uint32_t piece);
  /* Peers 0 .. npeers-1, good until the policy returns. */
  const xl_peer *(*peers)(const xl_view *v);
} xl_host;

/* find: whether to look for peers now. */
typedef struct xl_find {
  uint32_t scopes; /* bit 1 << xl_scope for each allowed scope */
  uint32_t want;   /* how many peers at the most */
  bool multicast;  /* true: probe of the own subnet; false: ask the tracker */
  bool complete_only; /* only holders of the whole, validated file (R618) */
  xl_span timeout; /* when to stop waiting for answers */
} xl_find;

/* pick: the next request. */
typedef struct xl_pick {
  xl_source_kind kind;
  uint32_t peer; /* index of the known peer; ignored for other kinds */
  xl_range range; /* bytes of the local file, not received, not asked for */
  xl_reason reason;
  uint32_t rejected; /* 1 << reason for each thing that was ruled out */
  bool head;         /* HEAD of the record first (R645) */
} xl_pick;

/* failed: what to do about the source that failed. The job's error state
   follows the engine's rules either way. */
typedef struct xl_failure {
  xl_source_kind kind;
  uint32_t peer;
  xl_end end;
  xl_err err;       /* XL_OK unless the source said more */
  uint32_t in_row;  /* failures of this source without a success between */
} xl_failure;

typedef struct xl_remedy {
  uint32_t mirror;      /* switch to this remote name; XL_NONE: keep */
  xl_span ban_peer;     /* leave this peer out so long; 0: not at all */
  bool drop_peer;       /* forget it */
  bool origin_only;     /* use no peer for the rest of this file (R655) */
} xl_remedy;

/* serve: a peer asks for bytes of something this device holds. */
typedef struct xl_ask {
  uint32_t from;    /* the environment's number of the device */
  xl_scope scope;
  xl_range range;
  xl_bytes size_bytes; /* of the whole file */
  bool complete;       /* this device holds the whole file */
  bool validated;
  uint32_t uploads;    /* requests being served now, this one not counted */
  uint32_t from_uploads; /* of them for the same peer */
} xl_ask;

typedef struct xl_answer {
  bool accept;
  xl_rate cap;        /* the channel's rate cap; XL_RATE_UNLIMITED: none */
  xl_reason why;      /* when refused: PEER_BUSY, OUT_OF_SCOPE, ... */
  xl_span retry_after; /* when refused; 0: not again */
} xl_answer;

/* keep: a file is complete; what the peer cache does with it. */
typedef struct xl_keep {
  bool keep;
  xl_span age_max;    /* idle age (R612) unless |from_arrival| */
  bool from_arrival;  /* age counts from the arrival, serving does not renew */
  xl_bytes bytes_max; /* the whole cache; least recently used goes first */
} xl_keep;

typedef struct xl_policy {
  uint32_t size;    /* sizeof(xl_policy) */
  uint32_t version; /* XL_POLICY_ABI */
  const char *name; /* [a-z0-9-]+; stable, it appears in results */
  const char *help; /* one line */
  const char *source; /* the document or paper, and the deviations from it */
  xl_flavour flavour;
  const xl_param *params;
  uint32_t nparams;
  uint32_t agent_state_size;
  uint32_t file_state_size;
  uint32_t peer_state_size; /* at most 16 bytes */

  /* The window over which file_view rates are measured. 0: 20 s (R734). */
  xl_span rate_window;

  /* Whether devices of this policy publish pieces while still downloading
     (swarming) or only whole validated records. */
  bool swarms;

  /* The file's size is known and its transfer begins. Default: nothing. */
  void (*begin)(const xl_host *h, xl_view *v);

  /* Look for peers now? Asked when a file begins, when a search ended and at
     *again. Default: never. */
  bool (*find)(const xl_host *h, xl_view *v, xl_find *out, xl_time *again);

  /* The next request, or false; then the engine asks again at *again
     (XL_NEVER: not by time) or when something changed: a delivery, a failure,
     new peers, a peer's map, |busy_until| reached. Called until it says
     false. Must not be NULL. */
  bool (*pick)(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again);

  /* A request ended other than DONE. Default: for an origin, after the
     second failure in a row, the next remote name if there is one; a peer is
     banned for 60 s. |out| comes filled with that default. */
  void (*failed)(const xl_host *h, xl_view *v, const xl_failure *f,
                 xl_remedy *out);

  /* Serve this request? |v| has no file. Default: refuse, PEERING_OFF. */
  void (*serve)(const xl_host *h, xl_view *v, const xl_ask *ask,
                xl_answer *out);

  /* A file is complete. Default: not kept. */
  void (*keep)(const xl_host *h, xl_view *v, xl_keep *out);
} xl_policy;

XL_BEGIN_DECLS

/* The built-in policies, ended by NULL. Adding one: a file in
   engine/src/policy and a line in engine/src/policies.c. */
extern const xl_policy *const xl_policies[];

/* NULL when there is no such policy. */
const xl_policy *xl_policy_find(const char *name);

/* Checks a table that was loaded from outside. Returns NULL when it is good,
   else one phrase of static storage that says what is wrong. */
const char *xl_policy_check(const xl_policy *p);

XL_END_DECLS

#endif
