/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What surrounds the engine while a script is played, and what is known of it.
 */
#ifndef TESTS_FUZZ_DRIVER_WORLD_H
#define TESTS_FUZZ_DRIVER_WORLD_H

#include <xl/cache.h>
#include <xl/machine.h>

#include "driver.h"

#define NAGENTS 6
#define NSLOTS 8
#define NURLS 4
#define NSEARCHES 64
#define NASKS 64
#define FILE_BYTES 4096

typedef struct open_request {
  xl_agent *agent;
  xl_file *file;
  uint32_t request;
  bool head, peer, cancelled, replied;
  const char *url; /* asked, of an origin; NULL: a peer */
  uint32_t hops;   /* redirections so far */
  xl_range range;  /* a whole one: as its source has it */
  xl_version version;
  xl_bytes told;    /* given to the engine */
  xl_bytes arrived; /* arrived, told or not */
} open_request;

/* One file as its user would find it. */
typedef struct shadow {
  const xl_file *file;
  const xl_agent *agent;
  xl_bytes told; /* by all its requests */
  bool checked;
  unsigned char bytes[FILE_BYTES];
  bool bad[FILE_BYTES]; /* stored from a corrupted delivery */
} shadow;

typedef struct search {
  xl_agent *agent;
  uint32_t number;
} search;

typedef struct asked {
  xl_agent *agent;
  uint32_t ask;
} asked;

/* Who calls: rows of world_users; 0 is the environment. */
#define NUSERS 8u

/* What is known of a job beside its state. */
typedef struct job_model {
  uint8_t owner;  /* row of world_users */
  bool elevated;  /* the owner is, or became so by taking it */
  uint32_t cost;  /* flags; 0: any */
  uint32_t flags; /* notices that are wanted */
  bool interface; /* somebody answers them */
  uint8_t once;   /* 1 << notice: to be told by this step's actions */
  uint8_t owed;   /* 1 << notice: to be told before all is over */
  uint8_t told;   /* being told; XL_NNOTICES: none */
  bool settled;   /* told that it is TRANSFERRED or in ERROR */
  xl_time told_at;
  xl_time not_before; /* the last answer was a failure */
} job_model;

enum { DISK_GOOD, DISK_LOCKED, DISK_KEEPS, DISK_READ_ONLY };

/* What the application and the administrator said of a machine. */
typedef struct machine_model {
  uint32_t policy, peercaching; /* as it was made */
  xl_bytes disk;
  uint8_t caller;
  bool link;
  xl_limits limits;
  bool limited;
  xl_throttle hours[2]; /* a window, and the rest of the day */
  xl_time midnight;
  xl_rate rates[XL_PRIORITY_LOW + 1]; /* as XL_ACT_RATES told them last */
  uint32_t cost, conditions, away;    /* 1 << user */
  uint32_t trouble;                   /* DISK_* */
  bool chosen;                        /* preferences for the cache are set */
  uint32_t percent, age_s, flags;     /* the preferences */
  xl_cache_policy admin;
  uint32_t effective; /* peer-caching flags in force */
  xl_bytes cached;    /* admitted and not evicted */
  bool enforced;      /* the limits, since it was loaded */
  bool discovered;
  xl_time discovered_at;
} machine_model;

typedef struct world {
  xl_engine *eng;
  xl_time now;
  bool data;     /* deliveries carry bytes, and arrived is delivered */
  bool no_mtime; /* one of the servers sends no time stamp */
  bool erratic;
  bool lying;     /* the delivery under way is corrupted */
  xl_bytes fresh; /* bytes of the delivery under way */
  bool ending;    /* the engine asks for what has arrived and books it */
  uint64_t seed;
  xl_engine_cfg cfg;
  xl_agent *agents[NAGENTS];
  xl_job *jobs[NAGENTS][NSLOTS];
  uint8_t states[NAGENTS][NSLOTS]; /* as events tell */
  bool added[NAGENTS][NSLOTS];     /* files, since it was transferred */
  uint32_t lie[NAGENTS];
  xl_bytes sent[NAGENTS];
  job_model model[NAGENTS][NSLOTS];
  machine_model machine[NAGENTS];
  const xl_file *redirected; /* what was just redirected; NULL: nothing */
  const char *location;
  uint32_t hops;
  bool followed;
  xl_version origin[NURLS];
  open_request *open; /* owned, as many as there are */
  uint32_t nopen, open_cap;
  shadow **shadows; /* owned */
  uint32_t nshadows, shadow_cap;
  search searches[NSEARCHES];
  uint32_t nsearches;
  asked asks[NASKS];
  uint32_t nasks, ask_numbers;
  long fuse; /* allocations until one fails; -1: none does */
  bool blown;
  long held;
} world;

extern const char *const world_urls[NURLS];
extern const xl_user world_users[NUSERS]; /* [0] is nobody */

/* ---- driver_world.c */

void world_new(world *w, const op *config);
/* Everything ends; what is left over is broken. */
void world_del(world *w);
/* Carries out what the engine wants. */
void world_act(world *w);
/* All books. */
void world_check(world *w);
open_request *world_open(world *w, const xl_agent *a, uint32_t request);
void world_forget(world *w, open_request *o);
/* Everything that is known of |a| goes. */
void world_forget_agent(world *w, uint32_t i);
/* Nothing of |a| is under way any more. */
void world_forget_traffic(world *w, const xl_agent *a);
shadow *world_shadow(world *w, const xl_file *f);
/* Fills |out| with bytes |r| of the local file as version |v| has them. */
void world_content(const world *w, const xl_file *f, xl_version v, xl_range r,
                   bool corrupt, unsigned char *out);
/* The pieces that |o| has touched up to byte |upto| hold corrupted bytes. */
bool world_tainted(world *w, const open_request *o, xl_bytes upto);
xl_name world_key(world *w, uint32_t i);

/* ---- driver_ops.c */

void ops_play(world *w, const op *o);
/* The nearest job there is from that place on; NULL: none. */
xl_job *ops_job(world *w, const uint32_t *a);
/* Its slot: agent times NSLOTS, and the rest. */
uint32_t ops_slot(const world *w, const xl_job *j);
/* The nearest agent; XL_NONE: none. */
uint32_t ops_agent(const world *w, uint32_t n);
open_request *ops_open(world *w, uint32_t n);
/* Verdicts that wait are told before |agent|'s connections go. */
void ops_flush_bad(world *w, const xl_agent *agent);
/* What play_agent makes in place |i|, of its model. */
xl_agent_cfg ops_cfg(const world *w, uint32_t i);
/* Delivers |n| bytes, |over| more past the end. */
void ops_deliver(world *w, open_request *o, xl_bytes n, xl_bytes over,
                 xl_verdict verdict, bool corrupt, bool wrong);

typedef void op_play(world *w, const uint32_t *a);

/* ---- driver_shocks.c */

op_play play_link, play_late, play_settle, play_origin, play_tick, play_advance,
    play_jump;

/* ---- driver_machine.c */

/* What its disk says (DISK_*). */
xl_err machine_check_local(void *arg, const xl_agent *a, const char *local);
xl_err machine_hand_over(void *arg, const xl_file *f, const char *owner);
bool machine_discard(void *arg, const xl_file *f);

op_play play_user, play_logon, play_limits, play_bandwidth, play_cost,
    play_condition, play_peering, play_disk, play_cost_flags;
/* As a new agent has it. */
void machine_reset(machine_model *m);
/* Nothing stands in the way any more. */
void machine_heal(world *w, uint32_t i);
/* The caller of |j|'s agent may change it (R434). */
bool machine_may(const world *w, const xl_job *j);
/* |err| is the answer to a call that changes |j|, which was in |before|. */
void machine_answer(const world *w, const xl_job *j, bool may,
                    xl_job_state before, xl_err err);
/* |err|: of a job made by the caller. */
void machine_created(const world *w, uint32_t i, xl_err err);
/* XL_ACT_RATES. */
void machine_rates(world *w, const xl_agent *a);
void machine_check(const world *w, uint32_t i);
/* The rate of the hour, after an advance. */
void machine_check_rate(const world *w, uint32_t i);

/* ---- driver_cache.c */

op_play play_cache, play_peers;
void cache_check(const world *w, uint32_t i);

/* ---- driver_props.c */

op_play play_property, play_security, play_take, play_verb, play_add_set,
    play_look, play_redirect;

/* ---- driver_notices.c */

op_play play_interface, play_notify, play_told, play_ran;
void notices_reset(job_model *m);
void notices_state(world *w, uint32_t i, uint32_t k, xl_job_state to);
void notices_take(world *w, const xl_action *a);
void notices_check(const world *w, uint32_t i, uint32_t k);
/* Answers everything; false: something is still to be told. */
bool notices_settle(world *w);

/* ---- driver_save.c */

op_play play_save, play_restart;

/* ---- driver_honest.c */

/* Everybody behaves: whatever is not at its end gets there. |shy|: nobody says
   that he is a peer. */
void honest(world *w, bool shy);

#endif
