/* SPDX-License-Identifier: MIT */
/*
 * The machine around an agent's jobs: who calls, the administrator's limits,
 * and the conditions under which jobs may run. All of it has a default, and
 * costs nothing until it is changed.
 */
#ifndef XL_MACHINE_H
#define XL_MACHINE_H

#include <xl/agent.h>

/* ---- who calls (R433, R434, R456, R510) ---------------------------------- */

typedef enum xl_account {
  XL_ACCOUNT_USER,
  XL_ACCOUNT_ADMIN,
  XL_ACCOUNT_SERVICE
} xl_account;

#define XL_INTEGRITY_MEDIUM 0x2000u
#define XL_INTEGRITY_HIGH 0x3000u
#define XL_INTEGRITY_SYSTEM 0x4000u

typedef struct xl_user {
  const char *sid; /* "S-1-5-..." */
  xl_account kind;
  bool elevated;      /* the token is */
  bool restricted;    /* the token is: it may change nothing */
  uint32_t integrity; /* XL_INTEGRITY_* or another RID */
} xl_user;

/* ---- the administrator's limits (R450-R456) ------------------------------ */

typedef struct xl_limits {
  uint32_t inactivity_s;     /* R450; 1 to 999 days */
  uint32_t max_download_s;   /* R451; of jobs that do not say */
  uint32_t jobs_per_machine; /* R452; these four bind users only (R456) */
  uint32_t jobs_per_user;    /* R453 */
  uint32_t files_per_job;    /* R454 */
  uint32_t ranges_per_file;  /* R455 */
} xl_limits;

/* ---- bandwidth and cost (R457, R458) --------------------------------------
 */

/* What background jobs may take from origins in some hours of the week: one
   window of MaxInternetBandwidth, or of BITS 4's work and maintenance
   schedules. A rate of 0 blocks the jobs; below 2 kbit/s is 2 kbit/s. */
typedef struct xl_throttle {
  uint32_t days;    /* on which it begins: 1 << 0 Sunday .. 1 << 6 */
  xl_span from, to; /* of the day, below 24 h; to <= from: the next day's */
  xl_rate rates[4]; /* by xl_priority; FOREGROUND is not limited */
} xl_throttle;

#define XL_EVERY_DAY 0x7fu

#define XL_COST_UNRESTRICTED 0x1u /* BITS_COST_STATE */
#define XL_COST_CAPPED_USAGE_UNKNOWN 0x2u
#define XL_COST_BELOW_CAP 0x4u
#define XL_COST_NEAR_CAP 0x8u
#define XL_COST_OVERCAP_CHARGED 0x10u
#define XL_COST_OVERCAP_THROTTLED 0x20u
#define XL_COST_USAGE_BASED 0x40u
#define XL_COST_ROAMING 0x80u
#define XL_COST_IGNORE_CONGESTION 0x80000000u
/* BITS_JOB_TRANSFER_POLICY: cost flags of a job. */
#define XL_TRANSFER_ALWAYS 0x800000ffu
#define XL_TRANSFER_NOT_ROAMING 0x8000007fu
#define XL_TRANSFER_NO_SURCHARGE 0x8000006fu
#define XL_TRANSFER_STANDARD 0x80000067u
#define XL_TRANSFER_UNRESTRICTED 0x80000021u

/* name, error of the jobs it blocks, text (R424, R458) */
#define XL_CONDITION_MAP(X)                                                    \
  X(VOLUME_LOCKED, E_DESTINATION_LOCKED, "the destination volume is locked")   \
  X(POWER_SAVING, E_POWER_SAVING, "the machine saves power")                   \
  X(BATTERY, E_BATTERY, "the machine runs on battery")                         \
  X(BATTERY_SAVER, E_BATTERY_SAVER, "battery saver is on")                     \
  X(GAME_MODE, E_GAME_MODE, "a game runs")                                     \
  X(RESOURCES, E_RESOURCES, "the machine is short of resources")

typedef enum xl_condition {
#define XL_CONDITION_ENUM(name, err, text) XL_CONDITION_##name,
  XL_CONDITION_MAP(XL_CONDITION_ENUM)
#undef XL_CONDITION_ENUM
      XL_NCONDITIONS
} xl_condition;

XL_BEGIN_DECLS

/* API calls on |a| are from now on made by |who|; NULL: by the environment, a
   service that may do everything and owns the jobs it creates. */
XL_CHECKED xl_err xl_agent_act_as(xl_agent *a, const xl_user *who, xl_time now);
/* |sid| logs on or off; its jobs wait while it is off (R435). Everybody is
   logged on until told otherwise; services always are. */
XL_CHECKED xl_err xl_agent_logon(xl_agent *a, const char *sid, bool on,
                                 xl_time now);

xl_limits xl_limits_default(void);
/* E_INVALIDARG: more jobs for a user than for the machine, or an inactivity
   outside its range; nothing is changed then. */
XL_CHECKED xl_err xl_agent_set_limits(xl_agent *a, const xl_limits *l,
                                      xl_time now);
/* The first of |n| whose hours it is counts: maintenance before work before the
   rest of the time. None: no limit. |sunday|: an instant at which the local
   clock reads Sunday, 00:00. E_INVALIDARG: no day, or a time out of range. */
XL_CHECKED xl_err xl_agent_set_throttles(xl_agent *a, const xl_throttle *rows,
                                         uint32_t n, xl_time sunday,
                                         xl_time now);
/* What all jobs of |a| of that priority together may take from origins now
   (R457, R676). XL_ACT_RATES tells when that changes. */
xl_rate xl_agent_background_rate(const xl_agent *a, xl_priority p);
/* The state of the network's cost: one bit of XL_COST_*. */
XL_CHECKED xl_err xl_agent_set_cost(xl_agent *a, uint32_t state, xl_time now);
/* Jobs wait while a condition is on. */
XL_CHECKED xl_err xl_agent_set_condition(xl_agent *a, xl_condition what,
                                         bool on, xl_time now);
/* The machine's peer-caching flags (R505, R610). */
XL_CHECKED xl_err xl_agent_set_peercaching(xl_agent *a, uint32_t flags,
                                           xl_time now);

/* ---- jobs of the machine (R410, R411) -------------------------------------
 */

typedef struct xl_guid {
  uint8_t b[16];
} xl_guid;

#define XL_ENUM_ALL_USERS 1u

/* The identity of a job, the same from Create on. */
xl_guid xl_job_id(const xl_job *j);
/* E_NOT_FOUND, E_ACCESSDENIED; then *out is NULL. */
XL_CHECKED xl_err xl_agent_get_job(xl_agent *a, const xl_guid *id,
                                   xl_job **out);
/* The jobs that are not in a final state (R401), in order of creation: the
   caller's, or with XL_ENUM_ALL_USERS all. Fills at most |cap| of |out|; *n is
   how many there are. E_ACCESSDENIED: all, and the caller is no
   administrator. */
XL_CHECKED xl_err xl_agent_enum_jobs(xl_agent *a, uint32_t flags, xl_job **out,
                                     uint32_t cap, uint32_t *n);

XL_END_DECLS

#endif
