/* SPDX-License-Identifier: MIT */
/*
 * What machine.h tells an agent: one block allocated when something is changed,
 * else constant defaults.
 */
#ifndef ENGINE_MACHINE_H
#define ENGINE_MACHINE_H

#include <xl/machine.h>

#include "admin.h"
#include "rare.h"
#include "servers.h"

/* The environment itself: LocalSystem. Its |sid| is a constant, not a name. */
#define MACHINE_SERVICE                                                        \
  {                                                                            \
    .kind = XL_ACCOUNT_SERVICE, .integrity = XL_INTEGRITY_SYSTEM,              \
    .elevated = true                                                           \
  }
#define MACHINE_SERVICE_SID "S-1-5-18"

typedef struct machine {
  account caller;
  xl_limits limits;
  xl_throttle *throttles; /* owned */
  xl_time sunday;         /* an instant of the local clock */
  xl_time window;         /* when the rates may change next; XL_NEVER */
  xl_rate rates[4];       /* by priority, now */
  uint32_t nthrottles;
  uint32_t cost;
  uint32_t conditions; /* 1 << xl_condition */
  xl_name *away;       /* owned; users that are logged off */
  uint32_t naway, away_cap;
  cache_admin cache; /* the peer cache's limits and flags */
} machine;

/* What most agents do without: each part is made when it is needed. */
typedef struct extra {
  machine *machine; /* owned; NULL: every default */
  servers servers;  /* of a BITS 3 client */
} extra;

/* |a|'s, made if need be; NULL when out of memory. */
extra *xli_extra_need(xl_agent *a);
void xli_extra_del(xl_engine *eng, extra *o);

const machine *xli_machine(const xl_agent *a);
/* |a|'s own, made if need be; NULL when out of memory. */
machine *xli_machine_need(xl_agent *a);
/* May the caller change a job of |owner| (R434)? */
bool xli_machine_may_change(const xl_agent *a, const account *owner);
/* The caller may create one more job (R452, R453, R456). */
xl_err xli_machine_job_limit(const xl_agent *a);
/* Files and ranges the caller may add; UINT32_MAX: any number. */
uint32_t xli_machine_files_max(const xl_agent *a);
uint32_t xli_machine_ranges_max(const xl_agent *a);
/* Why |j| may not run now; XL_OK (R424, R457, R458). */
xl_err xli_machine_blocks(const xl_job *j);
/* The owner of |j| is logged off (R435). */
bool xli_machine_owner_away(const xl_job *j);
void xli_machine_due(xl_agent *a);
xl_time xli_machine_next_due(const xl_agent *a);

#endif
