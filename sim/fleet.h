/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fleet: a scenario expanded with one seed. Plain arrays; everything that
 * is random about the world and not about the policy is drawn here, so every
 * policy meets the same devices, arrivals, churn and faults.
 *
 * Draws are keyed by (seed, purpose, site class name, site index, device class
 * name, index in the site), never by a position in these arrays.
 *
 * Tasks that would arrive, and changes that would happen, at or after the
 * scenario's duration are left out. A device goes on and off in turn: churn
 * and crashes are already laid over one another, as are overlapping faults.
 */
#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include "net/net.h"
#include "scenario/scenario.h"

typedef struct fleet_site {
  uint32_t cls;   /* index in scenario->sites */
  uint32_t index; /* within its class: branch[index] */
  net_node node;  /* its uplink is this node's link */
  uint32_t first_device, ndevices;
} fleet_site;

typedef struct fleet_device {
  uint32_t site;
  uint32_t cls;   /* index in scenario->classes */
  uint32_t index; /* of its class within the site */
  net_node node;
  uint64_t key;   /* random key of the device: rng_fold(key, ...) */
  xl_rate down_Bps, up_Bps, cap_Bps;
  uint32_t subnet; /* number within the run */
  uint32_t group;  /* number of its group name; XL_NONE: none */
  uint32_t domain; /* number of its domain; XL_NONE: none */
  bool metered, vpn, always_online;
} fleet_device;

typedef struct fleet_origin {
  net_node node;
  uint32_t origin; /* index in scenario->origins */
} fleet_origin;

/* A job on a device. Catalogue jobs give one task per requested file. The
   release is the later one of the job's start and its contents' release. */
typedef struct fleet_task {
  xl_time release, arrival;
  uint32_t device;
  uint32_t job;      /* index in scenario->jobs */
  uint32_t content;  /* catalogue jobs: the one content; XL_NONE: the job's */
} fleet_task;

typedef struct fleet_hold {
  uint32_t device, content;
} fleet_hold;

typedef enum fleet_change_kind {
  CHANGE_DEVICE_ON, /* network and power back; the agent's process lives on */
  CHANGE_DEVICE_OFF, /* silent: power off or out of reach */
  CHANGE_DEVICE_CRASH, /* off; on return the agent is loaded */
  CHANGE_LINK,      /* node's capacities become up, down */
  CHANGE_ORIGIN_DOWN,
  CHANGE_ORIGIN_UP,
  CHANGE_ORIGIN_STATUS, /* answers with |value| (0: normally again) */
  CHANGE_CONTENT,   /* content |value| at origin |index| gets a new time stamp */
  CHANGE_CONDUCT    /* origin |index| begins or ends to behave as |conduct| */
} fleet_change_kind;

typedef struct fleet_change {
  xl_time at;
  fleet_change_kind kind;
  uint32_t index; /* device, origin, or site/node by kind: LINK: net node */
  uint32_t value;
  xl_rate up_Bps, down_Bps; /* LINK */
  scn_conduct conduct; /* CONDUCT; |value|: 0 ends it, else 1, or for REDIRECT
                          1 + the number of the origin it leads to */
  double share;        /* CONDUCT */
} fleet_change;

typedef struct fleet {
  const scenario *scn; /* borrowed */
  uint64_t seed;
  net_node_spec *nodes;  uint32_t nnodes;
  fleet_site *sites;     uint32_t nsites;
  fleet_device *devices; uint32_t ndevices;
  fleet_origin *origins; uint32_t norigins; /* by scenario->origins */
  net_node *services;    uint32_t nservices; /* node of each service */
  fleet_task *tasks;     uint32_t ntasks;   /* by (arrival, device, job, n) */
  fleet_hold *holds;     uint32_t nholds;   /* by (device, content) */
  fleet_change *changes; uint32_t nchanges; /* by (at, order of cause) */
  bool *online;          /* per device, at time 0 */
  uint32_t ngroups, nsubnets;
} fleet;

/* NULL on failure (fault targets that name nothing, ...). */
fleet *fleet_new(const scenario *scn, uint64_t seed, fail *why);
void fleet_free(fleet *f); /* NULL is fine */

#endif
