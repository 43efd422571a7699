/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What surrounds the engine while a script is played, and what is known of it.
 */
#ifndef TESTS_FUZZ_DRIVER_WORLD_H
#define TESTS_FUZZ_DRIVER_WORLD_H

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
  xl_range range; /* a whole one: as its source has it */
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
/* The agent loses power and is loaded from what it had saved: what it was told
   stays, what had arrived beyond that is gone. */
void world_reload(world *w, uint32_t i);
shadow *world_shadow(world *w, const xl_file *f);
/* Fills |out| with bytes |r| of the local file as version |v| has them. */
void world_content(const world *w, const xl_file *f, xl_version v, xl_range r,
                   bool corrupt, unsigned char *out);
/* The pieces that |o| has touched up to byte |upto| hold corrupted bytes. */
bool world_tainted(world *w, const open_request *o, xl_bytes upto);
xl_name world_key(world *w, uint32_t i);

/* ---- driver_ops.c */

void ops_play(world *w, const op *o);
/* Delivers |n| bytes, |over| more past the end. */
void ops_deliver(world *w, open_request *o, xl_bytes n, xl_bytes over,
                 xl_verdict verdict, bool corrupt, bool wrong);

/* ---- driver_honest.c */

/* Everybody behaves: whatever is not at its end gets there. */
void honest(world *w);

#endif
