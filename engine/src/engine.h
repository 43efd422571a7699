/* SPDX-License-Identifier: MIT */
/*
 * What all agents share: configuration, environment, names, the heap of
 * deadlines, the queue of actions, the pool of requests. |now| is latched at
 * each entry point; inner functions read it.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "heap.h"
#include "host.h"
#include "names.h"
#include "param.h"
#include "request.h"

struct xl_engine {
  xl_engine_cfg cfg;
  xl_env env;
  xl_time now;
  xl_err status;
  uint32_t
      epoch; /* counts entries: what the environment lends is good for one */
  struct look *looks;       /* owned; |peers_max|; NULL: no swarm yet */
  const xl_file *look_file; /* whose peers |looks| are of, in |look_epoch| */
  uint64_t look_turn;
  uint32_t look_epoch;
  uint32_t map_ids;
  uint32_t seq;
  uint32_t nagents;
  uint64_t announcements; /* new lengths of peers' maps that were read */
  xl_agent *agents;
  names names;
  heap heap;
  request_pool pool;
  param_cache params;
  xl_action *ring; /* owned; actions ring_begin .. + nring, modulo ring_cap */
  uint32_t ring_cap, ring_begin, nring;
  bool inside; /* a policy or the environment is being called */
  xl_view view;
  xl_ledger agent_ledger, file_ledger; /* the last ones that were asked for */
  char text[200];                      /* of status or check */
};

/* Every entry point begins with it. False: the engine has failed. */
bool xli_enter(xl_engine *eng, xl_time now);
void xli_out_of_memory(xl_engine *eng);
/* Sets the sticky status. */
void xli_fail(xl_engine *eng, xl_err err, const char *who, const char *what);
/* Queues an action. */
void xli_act(xl_engine *eng, const xl_action *act);
/* Tells an event of |f| or |j|, which may be NULL. */
void xli_event(xl_agent *a, xl_event_kind kind, xl_job *j, xl_file *f,
               int64_t x, int64_t y, int64_t z);

#endif
