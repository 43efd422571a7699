/* SPDX-License-Identifier: MIT */
#include "machine.h"

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

static const machine defaults = {.caller = MACHINE_SERVICE,
                                 .limits = LIMITS,
                                 .window = XL_NEVER,
                                 .rate = XL_RATE_UNLIMITED,
                                 .cost = XL_COST_UNRESTRICTED};

const machine *xli_machine(const xl_agent *a) {
  return a->machine != NULL ? a->machine : &defaults;
}

machine *xli_machine_need(xl_agent *a) {
  if (a->machine == NULL) {
    a->machine = xli_new(a->engine, sizeof *a->machine);
    if (a->machine != NULL) {
      *a->machine = defaults;
    }
  }
  return a->machine;
}

void xli_machine_del(xl_engine *eng, machine *m) {
  if (m != NULL) {
    xli_free(eng, m->away);
    xli_free(eng, m->servers.list);
    xli_free(eng, m);
  }
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

static bool in_window(const xl_bandwidth *b, xl_span of_day) {
  if (b->from <= b->to) {
    return of_day >= b->from && of_day < b->to;
  }
  return of_day >= b->from || of_day < b->to;
}

/* The rate at |now|, and when that may change. */
static void look_at_clock(machine *m, xl_time now) {
  const xl_bandwidth *b = &m->bandwidth;
  xl_span of_day = (now - b->midnight) % XL_DAY(1);

  of_day += of_day < 0 ? XL_DAY(1) : 0;
  xl_rate rate = in_window(b, of_day) ? b->inside : b->outside;
  m->rate = rate > 0 && rate < RATE_MIN ? RATE_MIN : rate;
  xl_span to_from =
      b->from > of_day ? b->from - of_day : b->from - of_day + XL_DAY(1);
  xl_span to_to = b->to > of_day ? b->to - of_day : b->to - of_day + XL_DAY(1);
  m->window = xl_time_add(now, to_from < to_to ? to_from : to_to);
}

xl_err xl_agent_set_bandwidth(xl_agent *a, const xl_bandwidth *b, xl_time now) {
  machine *m = enter(a, now);

  if (m == NULL) {
    return a->engine->status;
  }
  if (b == NULL) {
    m->rate = XL_RATE_UNLIMITED;
    m->window = XL_NEVER;
    return changed(a);
  }
  if (b->from < 0 || b->from >= XL_DAY(1) || b->to < 0 || b->to >= XL_DAY(1)) {
    return XL_E_INVALIDARG;
  }
  m->bandwidth = *b;
  look_at_clock(m, now);
  xli_agent_wake(a, m->window);
  return changed(a);
}

xl_rate xl_agent_background_rate(const xl_agent *a) {
  return xli_machine(a)->rate;
}

void xli_machine_due(xl_agent *a) {
  if (a->machine != NULL && a->machine->window <= a->engine->now) {
    look_at_clock(a->machine, a->engine->now);
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
  if (m->rate == 0 && j->priority != XL_PRIORITY_FOREGROUND) {
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
