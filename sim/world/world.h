/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world: one run. It connects the engine's agents to a network, plays the
 * origin servers, the discovery services, the applications that own the jobs,
 * the churn and the faults, and records what happens.
 *
 * The loop: run the network until the next moment something else is due (a
 * job's arrival, a change of the fleet, an engine deadline, the end of a
 * series bin); after every callback of the network carry out the engine's
 * actions until there are none.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <xl/agent.h>

#include "fleet.h"
#include "net/net.h"
#include "record/record.h"
#include "util/fail.h"

typedef struct world_progress {
  xl_time now, duration;
  uint32_t arrived, done, tasks; /* device jobs */
} world_progress;

typedef struct world_cfg {
  const fleet *fleet;
  const xl_policy *policy;
  const xl_value *params; /* policy->nparams */
  const net_ops *net;
  const xl_value *net_params;
  xl_engine_cfg engine;
  record *record;      /* rows go here; borrowed */
  record_level level;  /* rows of transfers and events only when it asks */
  volatile bool *stop; /* set by a signal: end now, keep what is there */
  void (*progress)(void *arg, const world_progress *p); /* may be NULL */
  void *progress_arg;
  bool check; /* every invariant after every event (slow) */
} world_cfg;

typedef struct world_result {
  bool interrupted; /* *stop ended it */
  xl_time ended;
  uint64_t transfers; /* requests that carried data */
} world_result;

/* Runs it to the end and records every table but /summary. False: an invariant
   broke, the policy gave an illegal answer, the network or the record failed;
   |why| says which. What was recorded until then stays. */
bool world_run(const world_cfg *cfg, world_result *out, fail *why);

#endif
