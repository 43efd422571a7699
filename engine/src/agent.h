/* SPDX-License-Identifier: MIT */
/* One device's client: its jobs, requests under way, cache and timers. */
#ifndef ENGINE_AGENT_H
#define ENGINE_AGENT_H

#include "cache.h"
#include "request.h"

/* An upload that was accepted and is under way. */
typedef struct upload {
  uint32_t ask, from;
  uint32_t map; /* of the copy it is served from */
  uint8_t scope;
} upload;

struct xl_agent {
  cache cache;     /* first: what others look at */
  upload *uploads; /* owned */
  xl_engine *engine;
  const xl_policy *policy;
  const xl_value *params; /* borrowed */
  request *requests;
  xl_job *jobs;        /* oldest first */
  struct extra *extra; /* owned; NULL: every default, and nothing known */
  xl_time due;         /* key in the heap; never later than what is due */
  uint64_t draws;
  xl_device_view device;
  uint32_t upload_cap;
  uint32_t id, seq, heap_i;
  uint32_t numbers; /* of requests and searches, so far */
  uint32_t turns;
  uint32_t njobs; /* created so far */
  uint8_t peercaching;
  bool link;
  bool resched : 1;
  bool waits : 1;   /* loaded and not started: nothing runs */
  bool notices : 1; /* some may be told */
  xl_bytes late;    /* booked to no file */
  void *user;
  xl_agent *prev, *next; /* of the engine, newest first */
  xl_bytes state[];      /* the policy's */
};

/* Something of |a| is due at |at|. */
void xli_agent_wake(xl_agent *a, xl_time at);
/* Does what is due and finds the next deadline. */
void xli_agent_due(xl_agent *a);
/* After every input: the scheduler, if states have changed. */
void xli_agent_settle_jobs(xl_agent *a);

#endif
