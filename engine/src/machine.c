/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "job.h"

#define DAY_S 86400u
#define RATE_MIN 250u /* 2 kbit/s, R457 */

#define LIMITS                                                                 \
  {                                                                            \
    .inactivity_s = 90 * DAY_S, .max_download_s = 90 * DAY_S,                  \
    .jobs_per_machine = 300, .jobs_per_user = 60, .files_per_job = 200,        \
    .ranges_per_file = 500                                                     \
  }

#define UNLIMITED                                                              \
  { XL_RATE_UNLIMITED, XL_RATE_UNLIMITED, XL_RATE_UNLIMITED, XL_RATE_UNLIMITED }

static const machine defaults = {.caller = MACHINE_SERVICE,
                                 .limits = LIMITS,
                                 .window = XL_NEVER,
                                 .rates = UNLIMITED,
                                 .cost = XL_COST_UNRESTRICTED};

const machine *xli_machine(const xl_agent *a) {
  return a->extra != NULL && a->extra->machine != NULL ? a->extra->machine
                                                       : &defaults;
}

extra *xli_extra_need(xl_agent *a) {
  if (a->extra == NULL) {
    a->extra = xli_new(a->engine, sizeof *a->extra);
  }
  return a->extra;
}

machine *xli_machine_need(xl_agent *a) {
  extra *o = xli_extra_need(a);

  if (o != NULL && o->machine == NULL) {
    o->machine = xli_new(a->engine, sizeof *o->machine);
    if (o->machine != NULL) {
      *o->machine = defaults;
    }
  }
  return o == NULL ? NULL : o->machine;
}

void xli_extra_del(xl_engine *eng, extra *o) {
  if (o == NULL) {
    return;
  }
  if (o->machine != NULL) {
    xli_free(eng, o->machine->away);
    xli_free(eng, o->machine->throttles);
    xli_free(eng, o->machine);
  }
  xli_free(eng, o->servers.list);
  xli_free(eng, o);
}

/* NULL: out of memory, or the engine has failed. */
static machine *enter(xl_agent *a, xl_time now) {
  return xli_enter(a->engine, now) ? xli_machine_need(a) : NULL;
}

/* What may run has changed. */
static xl_err changed(xl_agent *a) {
  a->resched = true;
  xli_agent_settle_jobs(a);
  return a->engine->status;
}

/* ---- who calls ---- */

xl_err xl_agent_act_as(xl_agent *a, const xl_user *who, xl_time now) {
  machine *m = enter(a, now);

  if (m == NULL) {
    return a->engine->status;
  }
  if (who == NULL) {
    m->caller = defaults.caller;
    return XL_OK;
  }
  if (who->sid == NULL || (uint32_t)who->kind > XL_ACCOUNT_SERVICE) {
    return XL_E_INVALIDARG;
  }
  xl_name sid = xl_engine_name(a->engine, who->sid);
  if (sid == 0) {
    return XL_E_OUTOFMEMORY;
  }
  m->caller = (account){.sid = sid,
                        .kind = (uint8_t)who->kind,
                        .integrity = who->integrity,
                        .elevated = who->elevated,
                        .restricted = who->restricted};
  return XL_OK;
}

bool xli_machine_may_change(const xl_agent *a, const account *owner) {
  const account *c = &xli_machine(a)->caller;

  if (c->sid == 0) {
    return true; /* the environment */
  }
  return !c->restricted &&
         (c->sid == owner->sid || c->kind != XL_ACCOUNT_USER) &&
         (c->elevated || !owner->elevated) && c->integrity >= owner->integrity;
}

/* ---- limits ---- */

xl_limits xl_limits_default(void) {
  return defaults.limits;
}

xl_err xl_agent_set_limits(xl_agent *a, const xl_limits *l, xl_time now) {
  machine *m = enter(a, now);

  if (m == NULL) {
    return a->engine->status;
  }
  if (l->jobs_per_user > l->jobs_per_machine || l->inactivity_s < DAY_S ||
      l->inactivity_s > 999 * DAY_S) {
    return XL_E_INVALIDARG;
  }
  m->limits = *l;
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    xli_agent_wake(a, xli_job_next_due(j));
  }
  return XL_OK;
}

static bool is_counted(const xl_job *j) { /* R456 */
  return !xli_job_final(j) && xli_rare(j)->owner.kind == XL_ACCOUNT_USER;
}

xl_err xli_machine_job_limit(const xl_agent *a) {
  const machine *m = xli_machine(a);
  uint32_t own = 0, all = 0;

  if (m->caller.kind != XL_ACCOUNT_USER) {
    return XL_OK;
  }
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    all += is_counted(j);
    own += is_counted(j) && xli_rare(j)->owner.sid == m->caller.sid;
  }
  if (all >= m->limits.jobs_per_machine) {
    return XL_E_TOO_MANY_JOBS_PER_MACHINE;
  }
  return own >= m->limits.jobs_per_user ? XL_E_TOO_MANY_JOBS_PER_USER : XL_OK;
}

uint32_t xli_machine_files_max(const xl_agent *a) {
  const machine *m = xli_machine(a);

  return m->caller.kind == XL_ACCOUNT_USER ? m->limits.files_per_job
                                           : UINT32_MAX;
}

uint32_t xli_machine_ranges_max(const xl_agent *a) {
  const machine *m = xli_machine(a);

  return m->caller.kind == XL_ACCOUNT_USER ? m->limits.ranges_per_file
                                           : UINT32_MAX;
}

/* ---- bandwidth ---- */

static bool good_throttle(const xl_throttle *t) {
  return t->days > 0 && t->days <= XL_EVERY_DAY && t->from >= 0 &&
         t->from < XL_DAY(1) && t->to >= 0 && t->to < XL_DAY(1);
}

/* |day| 0 is Sunday. */
static bool in_hours(const xl_throttle *t, uint32_t day, xl_span of_day) {
  bool today = (t->days >> day & 1) != 0;
  bool yesterday = (t->days >> (day + 6) % 7 & 1) != 0;

  if (t->from < t->to) {
    return today && of_day >= t->from && of_day < t->to;
  }
  return (today && of_day >= t->from) || (yesterday && of_day < t->to);
}

static xl_rate rate_of(const xl_throttle *t, uint32_t priority) {
  xl_rate r = t == NULL || priority == XL_PRIORITY_FOREGROUND
                  ? XL_RATE_UNLIMITED
                  : t->rates[priority];

  return r > 0 && r < RATE_MIN ? RATE_MIN : r;
}

static xl_span until(xl_span at, xl_span of_day) {
  return at > of_day ? at - of_day : at - of_day + XL_DAY(1);
}

/* The rates now, and when they may change. */
static void look_at_clock(xl_agent *a, machine *m) {
  xl_span of_week = (a->engine->now % XL_DAY(7) - m->sunday) % XL_DAY(7);
  const xl_throttle *in_force = NULL;
  xl_span next = XL_NEVER;
  bool changed = false;

  of_week += of_week < 0 ? XL_DAY(7) : 0;
  uint32_t day = (uint32_t)(of_week / XL_DAY(1));
  xl_span of_day = of_week % XL_DAY(1);
  for (uint32_t i = m->nthrottles; i-- > 0;) {
    const xl_throttle *t = &m->throttles[i];
    in_force = in_hours(t, day, of_day) ? t : in_force;
    next = xl_time_min(next, until(t->from, of_day));
    next = xl_time_min(next, until(t->to, of_day));
  }
  m->window = m->nthrottles == 0 ? XL_NEVER : xl_time_add(a->engine->now, next);
  for (uint32_t p = 0; p <= XL_PRIORITY_LOW; p++) {
    changed = changed || m->rates[p] != rate_of(in_force, p);
    m->rates[p] = rate_of(in_force, p);
  }
  if (changed) {
    const xl_action act = {.kind = XL_ACT_RATES, .agent = a};
    xli_act(a->engine, &act);
  }
}

xl_err xl_agent_set_throttles(xl_agent *a, const xl_throttle *rows, uint32_t n,
                              xl_time sunday, xl_time now) {
  machine *m = enter(a, now);
  uint32_t cap = 0;
  xl_throttle *own = NULL;

  if (m == NULL) {
    return a->engine->status;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (!good_throttle(&rows[i])) {
      return XL_E_INVALIDARG;
    }
  }
  if (n > 0) {
    own = xli_grow(a->engine, NULL, &cap, n, sizeof *own);
    if (own == NULL) {
      return XL_E_OUTOFMEMORY;
    }
    memcpy(own, rows, n * sizeof *own);
  }
  xli_free(a->engine, m->throttles);
  m->throttles = own;
  m->nthrottles = n;
  m->sunday = sunday % XL_DAY(7);
  look_at_clock(a, m);
  xli_agent_wake(a, m->window);
  return changed(a);
}

xl_rate xl_agent_background_rate(const xl_agent *a, xl_priority p) {
  assert((uint32_t)p <= XL_PRIORITY_LOW);
  return xli_machine(a)->rates[p];
}

void xli_machine_due(xl_agent *a) {
  if (xli_machine(a)->window <= a->engine->now) {
    look_at_clock(a, a->extra->machine);
    a->resched = true;
  }
}

xl_time xli_machine_next_due(const xl_agent *a) {
  return xli_machine(a)->window;
}

/* ---- conditions ---- */

xl_err xl_agent_set_cost(xl_agent *a, uint32_t state, xl_time now) {
  machine *m = enter(a, now);

  if (m == NULL) {
    return a->engine->status;
  }
  m->cost = state;
  return changed(a);
}

xl_err xl_agent_set_condition(xl_agent *a, xl_condition what, bool on,
                              xl_time now) {
  machine *m = enter(a, now);

  if (m == NULL) {
    return a->engine->status;
  }
  if ((uint32_t)what >= XL_NCONDITIONS) {
    return XL_E_INVALIDARG;
  }
  m->conditions &= ~(1u << what);
  m->conditions |= on ? 1u << what : 0;
  return changed(a);
}

xl_err xl_agent_set_peercaching(xl_agent *a, uint32_t flags, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  if ((flags & ~(XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)) != 0) {
    return XL_E_INVALIDARG;
  }
  uint32_t flips = a->peercaching ^ flags;
  a->peercaching = (uint8_t)flags;
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if ((flips & j->peercaching & XL_PEERCACHING_CLIENT) != 0) {
      xli_job_allowed_changed(j);
    }
  }
  xli_agent_settle_jobs(a);
  return a->engine->status;
}

xl_err xli_machine_blocks(const xl_job *j) {
  static const xl_err why[] = {
#define CONDITION_ERR(name, err, text) [XL_CONDITION_##name] = XL_##err,
      XL_CONDITION_MAP(CONDITION_ERR)
#undef CONDITION_ERR
  };
  const machine *m = xli_machine(j->agent);
  uint32_t costs = xli_rare(j)->cost;

  for (int i = 0; i < XL_NCONDITIONS; i++) {
    if ((m->conditions & 1u << i) != 0) {
      return why[i];
    }
  }
  if (m->rates[j->priority] == 0) {
    return XL_E_BLOCKED_BY_POLICY; /* R457 */
  }
  return costs != 0 && (costs & m->cost) == 0 ? XL_E_COST_POLICY : XL_OK;
}

/* ---- sessions ---- */

static uint32_t find_away(const machine *m, xl_name sid) {
  uint32_t i = 0;

  while (i < m->naway && m->away[i] != sid) {
    i++;
  }
  return i;
}

xl_err xl_agent_logon(xl_agent *a, const char *sid, bool on, xl_time now) {
  machine *m = enter(a, now);
  xl_name name = m == NULL ? 0 : xl_engine_name(a->engine, sid);

  if (name == 0) {
    return a->engine->status;
  }
  uint32_t i = find_away(m, name);
  if (on && i < m->naway) {
    m->away[i] = m->away[--m->naway];
  } else if (!on && i == m->naway) {
    xl_name *v =
        xli_grow(a->engine, m->away, &m->away_cap, i + 1, sizeof *m->away);
    if (v == NULL) {
      return XL_E_OUTOFMEMORY;
    }
    m->away = v;
    v[m->naway++] = name;
  }
  return changed(a);
}

bool xli_machine_owner_away(const xl_job *j) {
  const machine *m = xli_machine(j->agent);
  const account *owner = &xli_rare(j)->owner;

  return m->naway > 0 && owner->kind != XL_ACCOUNT_SERVICE &&
         find_away(m, owner->sid) < m->naway;
}
