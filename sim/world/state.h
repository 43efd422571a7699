/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world's state, shared by the files of this folder and by nobody else. */
#ifndef WORLD_STATE_H
#define WORLD_STATE_H

#include "world/world.h"

/* Control bytes by count (assumed sizes; docs/metrics.md). */
#define CONTROL_REQUEST 400u /* HTTP GET or HEAD with usual headers */
#define CONTROL_REPLY 300u   /* status line and headers */
#define CONTROL_FIND 600u    /* a probe or a query to the tracker */
#define CONTROL_FOUND 60u    /* an answer, per peer in it */
#define CONTROL_ANNOUNCE 16u /* a new length of a piece map, to one peer */

#define SERIES_BIN XL_SEC(60)
#define BINS_PER_LINK_BIN 5 /* 300 s */

/* A request under way, from the engine's action to its end at both ends. */
typedef enum wire_state {
  WIRE_FREE,
  WIRE_ASKING,  /* the request travels */
  WIRE_WAITING, /* at the source, not yet answered (queue, policy) */
  WIRE_SENDING, /* the answer is under way */
  WIRE_ORPHAN   /* the asker is gone; the source does not know it yet */
} wire_state;

typedef struct wire {
  wire_state state;
  uint32_t generation;
  uint32_t device;  /* asker */
  uint32_t request; /* the asker's number of it */
  uint32_t chan;    /* index in world.chans */
  bool head;
  bool whole;
  bool told; /* the reply has been told to the agent */
  bool cut;  /* the answer ends before the body does */
  bool mute; /* the header is not followed by the body */
  bool unsized;
  bool unranged;        /* the reply says that ranges are not taken */
  const char *location; /* of a redirection; borrowed */
  uint32_t content;
  uint32_t refusal; /* HTTP status, or 0 */
  xl_span retry_after;
  xl_range range;
  xl_bytes offset;
  xl_version version;
  xl_bytes bytes; /* of the answer */
  xl_bytes seen;  /* of them tallied so far */
  uint32_t next; /* in the device's list, the origin's queue or the free list */
  uint32_t prev;
  uint32_t queue_next;       /* in an origin's queue */
  uint32_t up_next, up_prev; /* in the serving device's list */
} wire;

/* A connection of a device to a source. */
typedef struct chan {
  net_channel ch;
  uint32_t device;
  xl_source_kind kind;
  uint32_t source; /* origin or device */
  uint32_t nwires;
  uint32_t line; /* xl_priority of what it carries, if that is throttled */
  xl_scope scope;
  xl_rate cap;   /* without the answer's own */
  bool slot;     /* holds one of the origin's connections */
  bool crosses;  /* the uplink of the asker's site */
  uint32_t next; /* in the device's list, or the free list */
} chan;

typedef struct origin_state {
  bool down;
  uint32_t status;                 /* answers with it; 0: normally */
  uint32_t conduct[SCN_NCONDUCTS]; /* as fleet_change.value */
  double share[SCN_NCONDUCTS];
  uint32_t slots;                  /* connections in use */
  uint32_t queue_head, queue_tail; /* wires waiting for one */
  uint64_t egress, requests, refused;
} origin_state;

typedef struct device_state {
  xl_agent *agent;  /* NULL while it has no power */
  uint32_t wires;   /* list of wires it asks with */
  uint32_t chans;   /* list of its channels */
  uint32_t uploads; /* list of wires it sends on */
  uint32_t offers;  /* list of what it offers */
  bool online;
  xl_time since; /* of |online| */
  xl_span online_ns;
  uint64_t sent[XL_NSCOPES];
  uint64_t control;
  uint64_t draws; /* key of its policy's draws */
  bool touched;   /* by the present event: to be checked */
  uint64_t finds; /* queries so far: the number of the next draw's stream */
} device_state;

typedef struct task_state {
  xl_job *job;
  uint32_t task;
  xl_time end;   /* TRANSFERRED; -1 */
  xl_time since; /* of the present state */
  xl_span stalled;
} task_state;

/* A link whose bytes and busy time are kept. */
typedef struct link_state {
  uint64_t bytes, bin; /* in all; in the current bin of 300 s */
  uint32_t active;
  xl_time busy_since;
  xl_span busy;
} link_state;

/* A device that offers a key. |at|: its place in the list of each scope, so
   that it is found and taken out without a search. */
typedef struct offer {
  uint32_t device;
  xl_name key;
  bool complete;
  xl_version version;
  uint32_t at[XL_SCOPE_NONE];
  uint32_t next; /* of the same device, or the free list */
} offer;

/* The offers of one key in one place (subnet, site, group, everywhere). */
typedef struct offers {
  uint64_t place; /* hash key: key, scope and its number; 0: free */
  uint32_t *list; /* indices of offers */
  uint32_t n, cap;
} offers;

typedef struct find_state {
  bool used;
  uint32_t generation;
  uint32_t device, search;
  xl_name key;
  xl_version version;
  xl_find find;
  uint32_t next; /* the free list */
} find_state;

typedef struct disk disk;

typedef struct world {
  const world_cfg *cfg;
  const fleet *fl;
  const scenario *scn;
  const net_ops *ops;
  net *net;
  xl_engine *eng;
  struct slab *memory; /* of the engine */
  fail *why;
  bool failed;
  bool torn;          /* a device did not start again: there are no tables */
  volatile bool wake; /* net->run returns */
  xl_time until;      /* of the present net->run */

  device_state *devices;
  disk *disks; /* of devices without power */
  uint32_t ndisks, disks_cap;
  origin_state *origins;
  task_state *tasks;
  uint32_t next_task, next_change, ntasks_done;
  xl_version *versions; /* [origin * ncontents + content] */
  struct url {
    uint32_t origin, content;
  } * urls; /* by xl_name */
  size_t nurls;
  char **url_text;      /* [origin * ncontents + content]; NULL: not there */
  const char **mirrors; /* scratch for xl_file_info */

  wire *wires;
  uint32_t nwires, wires_cap, wire_free;
  uint32_t active; /* requests under way */
  chan *chans;
  uint32_t nchans, chans_cap, chan_free;
  uint32_t *idle; /* channels to close once the actions are carried out */
  uint32_t nidle, idle_cap;

  offers *index; /* open addressing */
  uint32_t nindex, index_cap;
  offer *offers;
  uint32_t noffers, offers_cap, offer_free;
  find_state *finds;
  uint32_t nfinds, finds_cap, find_free;
  xl_time *service_free; /* when each service can take the next query */
  uint32_t tracker;      /* index of the service that answers; XL_NONE */

  link_state *origin_links, *site_down, *site_up;
  uint64_t *site_inside;
  row_series bin;
  xl_time bin_end;
  uint32_t bins;
  uint32_t online;
  uint32_t *touched; /* devices */
  uint32_t ntouched, touched_cap;
  uint64_t sent, lost;
  uint64_t control; /* sent by origins and services; devices count their own */
  uint64_t actions, transfers;
} world;

/* Tags of the network's callbacks: kind, generation, index. */
typedef enum tag_kind {
  TAG_WIRE,
  TAG_REPLY,
  TAG_FIND,
  TAG_FOUND,
  TAG_SEARCH_END,
  TAG_ORPHAN
} tag_kind;
#define TAG(kind, generation, index)                                           \
  ((uint64_t)(kind) << 56 | (uint64_t)((generation)&0xffffffu) << 32 | (index))
#define TAG_KIND(tag) ((tag_kind)((tag) >> 56))
#define TAG_GENERATION(tag) ((uint32_t)((tag) >> 32 & 0xffffffu))
#define TAG_INDEX(tag) ((uint32_t)(tag))

static inline xl_time world_now(const world *w) {
  return w->ops->now(w->net);
}

/* Growing arrays; out of memory ends the process with one line (the spool
   keeps what was recorded). */
void *world_grow(void *ptr, uint32_t *cap, uint32_t need, size_t size);
void *world_alloc(size_t n, size_t size);

/* The device's agent, which is about to be told something. */
xl_agent *world_agent(world *w, uint32_t device);

/* wire.c: requests between askers and sources. */
void wire_get(world *w, const xl_action *a);
void wire_cancel(world *w, const xl_action *a);
void wire_answer(world *w, const xl_action *a);
void wire_asked(world *w, uint64_t tag);
void wire_done(world *w, uint64_t tag, uint64_t bytes);
void wire_replied(world *w, uint64_t tag);
void wire_orphan_end(world *w, uint64_t tag);
/* The device's requests are gone for it (link lost, crash). */
void wire_drop_asker(world *w, uint32_t device);
/* What it serves ends for it. */
void wire_drop_server(world *w, uint32_t device);
xl_bytes wire_arrived(world *w, uint32_t device, uint32_t request);
void wire_close_idle(world *w);
/* The wire of |tag|, or NULL when it has ended. */
wire *wire_of(world *w, uint64_t tag);
/* Sends what the wire asks for (206/200), or the status alone. */
void wire_send(world *w, uint32_t index, uint32_t status, xl_bytes bytes,
               xl_rate cap);

/* origin.c: the HTTP servers. */
void origin_asked(world *w, uint32_t index);
void origin_slot_free(world *w, uint32_t origin);
void origin_unqueue(world *w, uint32_t origin, uint32_t index);
bool origin_init(world *w);

/* discovery.c */
void discovery_publish(world *w, const xl_action *a);
void discovery_find(world *w, const xl_action *a);
void discovery_query_arrived(world *w, uint64_t tag);
void discovery_found(world *w, uint64_t tag, bool end);
void discovery_forget(world *w, uint32_t device); /* all it offers */
xl_scope discovery_scope(const world *w, uint32_t a, uint32_t b);

/* jobs.c: the applications that own the jobs. */
bool jobs_init(world *w); /* agents and held copies */
void jobs_arrive(world *w);
void jobs_notify(world *w, const xl_action *a);
xl_agent_cfg jobs_agent(const world *w, uint32_t device);
/* The job of a task, resumed or as it was made. False: it cannot be. */
bool jobs_create(world *w, uint32_t task, bool resume);

/* throttle.c: limits of background jobs. */
bool throttle_set(world *w, uint32_t device); /* false: out of memory */
uint32_t throttle_line(const world *w, const xl_action *a);
/* The rates, or the connections that share them, have changed. */
void throttle_apply(world *w, uint32_t device);

/* crash.c: devices that lose power. */
void crash_down(world *w, uint32_t device);
void crash_up(world *w, uint32_t device);
/* A job arrives at a device without power. */
void crash_wait(world *w, uint32_t task);
/* End of the run: what is on the disks counts. False: a device or job is
   missing. */
bool crash_end(world *w);
void crash_free(world *w);

/* changes.c: churn and faults. */
void changes_due(world *w);

/* tally.c: bytes on the network by source, link and time. */
void tally_wire(world *w, wire *x, xl_bytes total); /* arrived in all */
void tally_busy(world *w, const wire *x, bool on);
void tally_bins(world *w);                /* closes series bins that are due */
void tally_rows(world *w, xl_time ended); /* all tables at the end */
void tally_transfer(void *arg, const xl_transfer *t);
void tally_event(void *arg, const xl_event *e);
bool tally_closes(world *w, fail *why); /* bytes are conserved */

#endif
