/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine around the jobs: who calls, limits, conditions, troubles. */
#include <string.h>

#include "driver_world.h"
#include "job.h"

#define MEDIUM XL_INTEGRITY_MEDIUM
#define HIGH XL_INTEGRITY_HIGH

const xl_user world_users[NUSERS] = {
    {NULL, XL_ACCOUNT_SERVICE, true, false, XL_INTEGRITY_SYSTEM},
    {"S-1", XL_ACCOUNT_USER, false, false, MEDIUM},
    {"S-1", XL_ACCOUNT_USER, true, false, HIGH},
    {"S-2", XL_ACCOUNT_USER, false, false, MEDIUM},
    {"S-2", XL_ACCOUNT_USER, false, true, MEDIUM},
    {"S-3", XL_ACCOUNT_ADMIN, false, false, MEDIUM},
    {"S-3", XL_ACCOUNT_ADMIN, true, false, HIGH},
    {"S-4", XL_ACCOUNT_SERVICE, true, false, XL_INTEGRITY_SYSTEM}};

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

static bool good(const world *w) {
  return xl_engine_status(w->eng, NULL) == XL_OK;
}

void machine_reset(machine_model *m) {
  m->caller = 0;
  m->link = true;
  m->limits = xl_limits_default();
  m->limited = false;
  for (int p = 0; p <= XL_PRIORITY_LOW; p++) {
    m->rates[p] = XL_RATE_UNLIMITED;
  }
  m->cost = XL_COST_UNRESTRICTED;
  m->conditions = m->away = m->trouble = 0;
  m->admin = (xl_cache_policy){.peering = XL_PEERING_UNSET};
}

/* ---- who calls ---- */

static bool same_sid(uint32_t a, uint32_t b) {
  return a == b || (a > 0 && b > 0 &&
                    strcmp(world_users[a].sid, world_users[b].sid) == 0);
}

bool machine_may(const world *w, const xl_job *j) { /* R434 */
  uint32_t slot = ops_slot(w, j);
  const job_model *m = &w->model[slot / NSLOTS][slot % NSLOTS];
  uint32_t c = w->machine[slot / NSLOTS].caller;
  const xl_user *caller = &world_users[c], *owner = &world_users[m->owner];

  return c == 0 ||
         (!caller->restricted &&
          (same_sid(c, m->owner) || caller->kind != XL_ACCOUNT_USER) &&
          (caller->elevated || !m->elevated) &&
          caller->integrity >= owner->integrity);
}

void machine_answer(const world *w, const xl_job *j, bool may,
                    xl_job_state before, xl_err err) {
  bool final = before == XL_JOB_ACKNOWLEDGED || before == XL_JOB_CANCELLED;

  if (!good(w)) {
    return;
  }
  must((err == XL_E_ACCESSDENIED) == !may,
       may ? "an owner may not change a job"
           : "somebody changes a job who may not");
  must(!may || !final || err == XL_E_INVALID_STATE ||
           err == XL_DO_INVALID_STATE || err == XL_E_NOTIMPL,
       "a job that is over takes a call");
  must(!final || xl_job_state_of(j) == before, "a final state is left");
}

static bool is_counted(const world *w, uint32_t i, uint32_t k) { /* R456 */
  const xl_job *j = w->jobs[i][k];

  return j != NULL && xl_job_state_of(j) < XL_JOB_ACKNOWLEDGED &&
         world_users[w->model[i][k].owner].kind == XL_ACCOUNT_USER;
}

/* Jobs of users there are, all and the caller's. */
static uint32_t count(const world *w, uint32_t i, bool own) {
  uint32_t n = 0;

  for (uint32_t k = 0; k < NSLOTS; k++) {
    n += is_counted(w, i, k) &&
         (!own || same_sid(w->model[i][k].owner, w->machine[i].caller));
  }
  return n;
}

/* R452, R453, R456; called before the job is in its slot. */
void machine_created(const world *w, uint32_t i, xl_err err) {
  const machine_model *m = &w->machine[i];
  bool user = world_users[m->caller].kind == XL_ACCOUNT_USER;
  bool all = user && count(w, i, false) >= m->limits.jobs_per_machine;
  bool own = user && count(w, i, true) >= m->limits.jobs_per_user;

  if (good(w)) {
    must(err == (all   ? XL_E_TOO_MANY_JOBS_PER_MACHINE
                 : own ? XL_E_TOO_MANY_JOBS_PER_USER
                       : XL_OK),
         "the limit of jobs");
  }
}

void play_user(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    uint32_t u = a[1] < NUSERS ? a[1] : 0;
    if (xl_agent_act_as(w->agents[i], u == 0 ? NULL : &world_users[u],
                        w->now) == XL_OK) {
      w->machine[i].caller = (uint8_t)u;
    }
  }
}

void play_logon(world *w, const uint32_t *a) {
  static const uint8_t users[] = {1, 3, 5, 7};
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    uint32_t u = users[a[1] % 4];
    if (xl_agent_logon(w->agents[i], world_users[u].sid, a[2] > 0, w->now) ==
        XL_OK) {
      w->machine[i].away &= ~(1u << u);
      w->machine[i].away |= a[2] > 0 ? 0 : 1u << u;
    }
  }
}

static bool is_away(const machine_model *m, uint32_t owner) { /* R435 */
  bool away = false;

  for (uint32_t u = 1; u < NUSERS; u++) {
    away = away || ((m->away >> u & 1) != 0 && same_sid(u, owner));
  }
  return away && world_users[owner].kind != XL_ACCOUNT_SERVICE;
}

/* ---- limits and conditions ---- */

void play_limits(world *w, const uint32_t *a) {
  static const uint32_t days[] = {90, 90, 90, 1, 2, 999, 0, 1000, 30};
  uint32_t i = ops_agent(w, a[0]);
  xl_limits l = xl_limits_default();

  if (i == XL_NONE) {
    return;
  }
  l.jobs_per_machine = a[1] < 7 ? a[1] : 300;
  l.jobs_per_user = a[1] == 5 ? 6 : a[1] / 2;
  l.files_per_job = a[2] < 5 ? a[2] : 200;
  l.ranges_per_file = a[3] < 3 ? a[3] : 500;
  l.inactivity_s = days[a[4] % 9] * 86400u;
  l.max_download_s = a[4] == 4 ? 100 : l.max_download_s;
  xl_err err = xl_agent_set_limits(w->agents[i], &l, w->now);
  if (err == XL_OK) {
    w->machine[i].limits = l;
  } else if (good(w)) {
    must(l.jobs_per_user > l.jobs_per_machine || a[4] % 9 == 6 || a[4] % 9 == 7,
         "good limits are refused");
  }
}

void play_bandwidth(world *w, const uint32_t *a) {
  static const xl_rate rates[] = {0, 100, 250, 100000, XL_RATE_UNLIMITED};
  uint32_t i = ops_agent(w, a[0]);
  xl_rate in = rates[a[3] % 5], out = rates[a[4] % 5];
  const xl_throttle hours[2] = {
      {.days = XL_EVERY_DAY,
       .from = XL_HOUR(a[1]),
       .to = XL_HOUR(a[2]),
       .rates = {0, in, in, out}},
      {.days = XL_EVERY_DAY, .rates = {0, out, out, out}}};
  xl_time midnight = XL_HOUR(a[1]) / 7;

  if (i == XL_NONE) {
    return;
  }
  bool none = a[1] % 2 == 0;
  xl_err err = xl_agent_set_throttles(w->agents[i], hours, none ? 0 : 2,
                                      midnight, w->now);
  if (err == XL_OK) {
    w->machine[i].limited = !none;
    memcpy(w->machine[i].hours, hours, sizeof hours);
    w->machine[i].midnight = midnight;
    machine_check_rate(w, i);
  } else if (good(w)) {
    must(a[1] == 24 || a[2] == 24, "a good window is refused");
  }
}

void machine_check_rate(const world *w, uint32_t i) { /* R457 */
  const machine_model *m = &w->machine[i];
  const xl_throttle *b = &m->hours[0];
  xl_span day = XL_DAY(1);
  xl_span t = ((w->now - m->midnight) % day + day) % day;
  bool inside =
      b->from < b->to ? b->from <= t && t < b->to : b->from <= t || t < b->to;

  for (int p = 0; p <= XL_PRIORITY_LOW; p++) {
    xl_rate want = m->hours[inside ? 0 : 1].rates[p];
    want = want > 0 && want < 250 ? 250 : want;
    must(xl_agent_background_rate(w->agents[i], (xl_priority)p) ==
             (m->limited && p > 0 ? want : XL_RATE_UNLIMITED),
         "the rate is not that of the hour");
  }
}

void play_cost(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);
  uint32_t state = a[1] > 7 ? XL_COST_UNRESTRICTED : 1u << a[1];

  if (i != XL_NONE && xl_agent_set_cost(w->agents[i], state, w->now) == XL_OK) {
    w->machine[i].cost = state;
  }
}

void play_cost_flags(world *w, const uint32_t *a) {
  static const uint32_t flags[] = {0,
                                   XL_TRANSFER_ALWAYS,
                                   XL_TRANSFER_NOT_ROAMING,
                                   XL_TRANSFER_NO_SURCHARGE,
                                   XL_TRANSFER_STANDARD,
                                   XL_TRANSFER_UNRESTRICTED};
  xl_job *j = ops_job(w, a);

  if (j != NULL) {
    bool may = machine_may(w, j);
    xl_job_state s = xl_job_state_of(j);
    xl_err err = xl_job_set_cost_flags(j, flags[a[2] % 6], w->now);
    machine_answer(w, j, may, s, err);
    uint32_t slot = ops_slot(w, j);
    if (err == XL_OK) {
      w->model[slot / NSLOTS][slot % NSLOTS].cost = flags[a[2] % 6];
    }
  }
}

void play_condition(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i == XL_NONE) {
    return;
  }
  xl_err err = xl_agent_set_condition(w->agents[i], (xl_condition)a[1],
                                      a[2] == 0, w->now);
  if (err == XL_OK) {
    w->machine[i].conditions &= ~(1u << a[1]);
    w->machine[i].conditions |= a[2] == 0 ? 1u << a[1] : 0;
  }
  must(!good(w) || (err == XL_OK) == (a[1] < XL_NCONDITIONS),
       "a condition is refused, or one that is none is taken");
}

void play_peering(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE &&
      xl_agent_set_peercaching(w->agents[i], a[1], w->now) == XL_OK) {
    must(!good(w) || a[1] < 4, "machine flags that are none");
    w->machine[i].effective = a[1];
  }
}

/* ---- the disk ---- */

static uint32_t trouble_of(const world *w, const xl_agent *a) {
  return w->machine[xl_agent_id(a)].trouble;
}

xl_err machine_check_local(void *arg, const xl_agent *a, const char *local) {
  (void)local;
  return trouble_of(arg, a) == DISK_READ_ONLY ? XL_E_ACCESSDENIED : XL_OK;
}

/* Every other file cannot be renamed. */
xl_err machine_hand_over(void *arg, const xl_file *f, const char *owner) {
  const xl_job *j = xl_file_job(f);

  must(owner != NULL, "a file is handed to nobody");
  return trouble_of(arg, xl_file_job(f)->agent) == DISK_LOCKED &&
                 (xl_file_index(f) % 2 == 1 || xl_job_nfiles(j) == 1)
             ? XL_E_DESTINATION_LOCKED
             : XL_OK;
}

bool machine_discard(void *arg, const xl_file *f) {
  return trouble_of(arg, xl_file_job(f)->agent) != DISK_KEEPS;
}

void play_disk(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    w->machine[i].trouble = a[1] < 4 ? a[1] : DISK_GOOD;
  }
}

void machine_heal(world *w, uint32_t i) {
  const xl_limits l = xl_limits_default();
  xl_agent *a = w->agents[i];
  machine_model *m = &w->machine[i];
  bool ok = xl_agent_act_as(a, NULL, w->now) == XL_OK &&
            xl_agent_set_limits(a, &l, w->now) == XL_OK &&
            xl_agent_set_throttles(a, NULL, 0, 0, w->now) == XL_OK &&
            xl_agent_set_cost(a, XL_COST_UNRESTRICTED, w->now) == XL_OK;

  for (uint32_t u = 1; u < NUSERS; u++) {
    ok = ok && xl_agent_logon(a, world_users[u].sid, true, w->now) == XL_OK;
  }
  for (int c = 0; c < XL_NCONDITIONS; c++) {
    ok = ok &&
         xl_agent_set_condition(a, (xl_condition)c, false, w->now) == XL_OK;
  }
  must(ok || !good(w), "a machine cannot be put in order");
  xl_cache_policy admin = m->admin;
  machine_reset(m);
  m->admin = admin;
  xl_agent_link(a, true, w->now);
}

/* ---- what must hold after each step ---- */

static const char *why_not(const world *w, uint32_t i, uint32_t k) {
  const machine_model *m = &w->machine[i];
  const job_model *jm = &w->model[i][k];
  const xl_job *j = w->jobs[i][k];

  if (!m->link) {
    return "a job runs without a network";
  }
  if (m->conditions != 0) {
    return "a job runs against a condition";
  }
  if (jm->cost != 0 && (jm->cost & m->cost) == 0) {
    return "a job runs at a cost that it may not";
  }
  if (is_away(m, jm->owner)) {
    return "a job runs while its owner is away";
  }
  return xl_agent_background_rate(w->agents[i], xl_job_priority_of(j)) == 0
             ? "a background job runs at no rate"
             : NULL;
}

void machine_rates(world *w, const xl_agent *a) {
  for (int p = 0; p <= XL_PRIORITY_LOW; p++) {
    w->machine[xl_agent_id(a)].rates[p] =
        xl_agent_background_rate(a, (xl_priority)p);
  }
}

void machine_check(const world *w, uint32_t i) {
  for (int p = 0; p <= XL_PRIORITY_LOW; p++) {
    must(w->machine[i].rates[p] ==
             xl_agent_background_rate(w->agents[i], (xl_priority)p),
         "a rate has changed and nobody was told");
  }
  for (uint32_t k = 0; k < NSLOTS; k++) {
    const xl_job *j = w->jobs[i][k];
    xl_job_state s = j == NULL ? XL_JOB_CANCELLED : xl_job_state_of(j);
    if (s == XL_JOB_CONNECTING || s == XL_JOB_TRANSFERRING) {
      const char *why = why_not(w, i, k);
      must(why == NULL, why);
    }
  }
}
