/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each line of a script does. */
#include <stdlib.h>

#include <xl/http.h>

#include "driver_world.h"
#include "file.h"

xl_job *ops_job(world *w, const uint32_t *a) {
  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    uint32_t at = (a[0] * NSLOTS + a[1] + i) % (NAGENTS * NSLOTS);
    xl_job *j = w->jobs[at / NSLOTS][at % NSLOTS];
    if (j != NULL) {
      return j;
    }
  }
  return NULL;
}

uint32_t ops_slot(const world *w, const xl_job *j) {
  uint32_t i = 0;

  while (i < NAGENTS * NSLOTS && w->jobs[i / NSLOTS][i % NSLOTS] != j) {
    i++;
  }
  return i;
}

static xl_file *file_of(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);

  return j == NULL || xl_job_nfiles(j) == 0
             ? NULL
             : xl_job_file(j, a[2] % xl_job_nfiles(j));
}

uint32_t ops_agent(const world *w, uint32_t n) {
  for (uint32_t i = 0; i < NAGENTS; i++) {
    if (w->agents[(n + i) % NAGENTS] != NULL) {
      return (n + i) % NAGENTS;
    }
  }
  return XL_NONE;
}

open_request *ops_open(world *w, uint32_t n) {
  return w->nopen == 0 ? NULL : &w->open[n % w->nopen];
}

/* ---- agents and jobs ---- */

static const xl_bytes disks[] = {XL_GIB(100), 0, 2000, 20000, 100000, 1000000};

xl_agent_cfg ops_cfg(const world *w, uint32_t i) {
  const machine_model *m = &w->machine[i];
  xl_agent_cfg cfg = {
      .id = i,
      .peercaching = m->peercaching,
      .device = {.ram_bytes = XL_GIB(8), .disk_bytes = m->disk}};

  cfg.policy = driver_policy(m->policy, w->erratic, &cfg.params);
  return cfg;
}

static void play_agent(world *w, const uint32_t *a) {
  uint32_t i = 0;

  while (i < NAGENTS && w->agents[i] != NULL) {
    i++;
  }
  if (i == NAGENTS) {
    return;
  }
  w->machine[i] = (machine_model){.policy = a[0],
                                  .peercaching = a[1] < 4 ? a[1] : 3,
                                  .disk = disks[a[2] % 6]};
  machine_reset(&w->machine[i]);
  w->machine[i].effective = w->machine[i].peercaching;
  const xl_agent_cfg cfg = ops_cfg(w, i);
  if (xl_agent_new(&w->agents[i], w->eng, &cfg, w->now) != XL_OK) {
    w->agents[i] = NULL;
  }
}

static void play_remove(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE && a[1] == 0) {
    xl_agent *gone = w->agents[i];
    world_forget_agent(w, i);
    xl_agent_del(gone);
  }
}

static void play_create(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]), k = a[1] % NSLOTS;

  if (i == XL_NONE) {
    return;
  }
  xl_job *j = w->jobs[i][k];
  xl_job_state s = j == NULL ? XL_JOB_CANCELLED : xl_job_state_of(j);
  if (s != XL_JOB_CANCELLED && s != XL_JOB_ACKNOWLEDGED) {
    return;
  }
  xl_err err = xl_job_create(w->agents[i], "job", &j, w->now);
  machine_created(w, i, err);
  if (err == XL_OK) {
    uint8_t owner = w->machine[i].caller;
    w->jobs[i][k] = j;
    w->states[i][k] = XL_JOB_SUSPENDED;
    w->model[i][k] = (job_model){.owner = owner,
                                 .elevated = world_users[owner].elevated,
                                 .flags = XL_NOTIFY_DEFAULT};
    notices_reset(&w->model[i][k]);
    xl_job_set_priority(j, (xl_priority)(a[2] % 4), w->now);
    xl_job_set_peercaching(j, a[3] > 3 ? 3 : a[3], w->now);
    xl_job_set_min_retry_delay(j, 5, w->now);
    if (a[3] > 7) {
      xl_job_set_dynamic_content(j, true, w->now);
    }
  }
}

static const xl_range_spec specs[][3] = {
    {{300, 200}, {0, 150}, {600, 1}},
    {{500, XL_LENGTH_TO_EOF}, {10, 100}, {200, 50}},
    {{0, 1}, {1, 1}, {2, 998}},
    {{100, 700}, {850, 200}, {0, 9}}}; /* may not fit */

static void play_add(world *w, const uint32_t *a) {
  static const uint32_t pieces[] = {64, 64, 100, 37, 1000, 4096, 7};
  static const char *const contents[] = {"content", "content", NULL, "other"};
  uint32_t n = a[4] < 1000 && a[4] % 8 < 3 ? 1 + a[4] / 8 % 3 : 0;
  xl_file_info info = {.remote = world_urls[a[2] % NURLS],
                       .local = "C:\\f",
                       .content = contents[a[2] < 40 ? a[2] / 4 % 4 : 0],
                       .piece_bytes = pieces[a[3] < 1000 ? a[3] % 7 : 0],
                       .mirrors = world_urls,
                       .nmirrors = a[3] / 7 % (NURLS + 1),
                       .ranges = n == 0 ? NULL : specs[a[4] / 32 % 4],
                       .nranges = n};
  xl_job *j = ops_job(w, a);
  xl_file *f = NULL;

  if (j == NULL || xl_job_nfiles(j) > 4) {
    return;
  }
  uint32_t i = ops_slot(w, j);
  const machine_model *m = &w->machine[i / NSLOTS];
  bool may = machine_may(w, j);
  bool user = world_users[m->caller].kind == XL_ACCOUNT_USER;
  xl_job_state s = xl_job_state_of(j);
  xl_err err = xl_job_add_file(j, &info, &f, w->now);
  if (m->trouble != DISK_READ_ONLY) {
    machine_answer(w, j, may, s, err);
  }
  if (err == XL_OK) {
    world_shadow(w, f);
    w->added[i / NSLOTS][i % NSLOTS] = true;
    if (user && (xl_job_nfiles(j) > m->limits.files_per_job ||
                 n > m->limits.ranges_per_file)) { /* R454, R455 */
      driver_broken("more files or ranges than a user may add");
    }
  }
}

/* R414-R416: what follows from the answer to Complete or Cancel. */
static void check_over(const world *w, const xl_job *j, xl_job_state was,
                       xl_job_state end, xl_err err) {
  uint32_t i = ops_slot(w, j) / NSLOTS;

  if (xl_engine_status(w->eng, NULL) != XL_OK) {
    return;
  }
  if (xl_job_state_of(j) != (xl_failed(err) ? was : end)) {
    driver_broken("a job that was ended has not, or has although it was not");
  }
  if ((err == XL_S_UNABLE_TO_DELETE_FILES &&
       w->machine[i].trouble != DISK_KEEPS) ||
      (err == XL_E_DESTINATION_LOCKED &&
       w->machine[i].trouble != DISK_LOCKED)) {
    driver_broken("a disk in order makes trouble");
  }
}

/* One number that matters to a call on a job. */
static xl_err call_job(world *w, xl_job *j, op_kind kind, uint32_t n) {
  static const char *const was[] = {"http://", "http://a", "https", "x", "ftp"};
  static const char *const is[] = {"https://", "http://b", "http", "y",
                                   "http://none"};

  switch ((int)kind) {
  case OP_resume:
    return xl_job_resume(j, w->now);
  case OP_suspend:
    return xl_job_suspend(j, w->now);
  case OP_cancel:
    return xl_job_cancel(j, w->now);
  case OP_complete:
    return xl_job_complete(j, w->now);
  case OP_priority:
    return xl_job_set_priority(j, (xl_priority)n, w->now);
  case OP_flags:
    return xl_job_set_peercaching(j, n, w->now);
  case OP_retry:
    return xl_job_set_min_retry_delay(j, n, w->now);
  case OP_no_progress:
    return xl_job_set_no_progress_timeout(j, n, w->now);
  case OP_max_time:
    return xl_job_set_max_download_time(j, n, w->now);
  default:
    return xl_job_replace_remote_prefix(j, was[n % 5], is[n % 5], w->now);
  }
}

/* The nearest job that stands still and has something to do. */
static xl_job *idle_job(world *w, const uint32_t *a) {
  for (uint32_t i = 0; i < NAGENTS * NSLOTS; i++) {
    uint32_t at = (a[0] * NSLOTS + a[1] + i) % (NAGENTS * NSLOTS);
    xl_job *j = w->jobs[at / NSLOTS][at % NSLOTS];
    xl_job_state s = j == NULL ? XL_JOB_CANCELLED : xl_job_state_of(j);
    if ((s == XL_JOB_SUSPENDED || s == XL_JOB_ERROR) && xl_job_nfiles(j) > 0) {
      return j;
    }
  }
  return ops_job(w, a);
}

static void on_job(world *w, const uint32_t *a, op_kind kind) {
  xl_job *j = kind == OP_resume ? idle_job(w, a) : ops_job(w, a);

  if (j == NULL) {
    return;
  }
  xl_job_state s = xl_job_state_of(j);
  bool may = machine_may(w, j);
  if (kind == OP_complete && s != XL_JOB_TRANSFERRED && a[2] != 3) {
    return;
  }
  xl_err err = call_job(w, j, kind, a[2]);
  machine_answer(w, j, may, s, err);
  if (kind == OP_complete) {
    driver_total.completed += err == XL_OK;
    check_over(w, j, s, XL_JOB_ACKNOWLEDGED, err);
  } else if (kind == OP_cancel) {
    check_over(w, j, s, XL_JOB_CANCELLED, err);
  }
}

static void play_rename(world *w, const uint32_t *a) {
  static const char *const odd[] = {"", "ftp://x/", "http://none/f"};
  xl_file *f = file_of(w, a);

  if (f != NULL) {
    uint32_t u = a[3] % 7;
    const xl_job *j = xl_file_job(f);
    xl_job_state s = xl_job_state_of(j);
    bool may = machine_may(w, j);
    xl_err err = xl_file_set_remote_name(
        f, u < NURLS ? world_urls[u] : odd[u - NURLS], w->now);
    machine_answer(w, j, may, s, err);
  }
}

static void play_validate(world *w, const uint32_t *a) {
  xl_file *f = file_of(w, a);

  if (f != NULL) {
    const xl_job *j = xl_file_job(f);
    xl_job_state s = xl_job_state_of(j);
    bool may = machine_may(w, j);
    xl_err err = xl_file_set_validation(f, a[3] != 0, w->now);
    machine_answer(w, j, may, s, err);
    world_shadow(w, f)->checked = err != XL_OK || a[3] != 0;
  }
}

static bool fits(const xl_file_info *info, xl_bytes size) {
  bool all = true;

  for (uint32_t i = 0; i < info->nranges; i++) {
    const xl_range_spec *r = &info->ranges[i];
    all = all && r->offset < size &&
          (r->length == XL_LENGTH_TO_EOF || r->length <= size - r->offset);
  }
  return all;
}

static void play_hold(world *w, const uint32_t *a) {
  static const char *const contents[] = {"content", "other", "http://a/f", "z"};
  uint32_t i = ops_agent(w, a[0]);
  const xl_file_info info = {.remote = "http://a/f",
                             .local = "C:\\f",
                             .content = contents[a[1] < 4 ? a[1] : 0],
                             .piece_bytes = a[2] < 6 || a[2] > 7 ? 64 : 100,
                             .ranges = a[3] < 5 ? NULL : specs[a[3] - 5],
                             .nranges = a[3] < 5 ? 0 : 1 + a[4] % 3};

  if (i == XL_NONE) {
    return;
  }
  xl_err err = xl_agent_hold(w->agents[i], &info, w->origin[0], w->now);
  if (xl_engine_status(w->eng, NULL) == XL_OK &&
      err != (fits(&info, w->origin[0].size) ? XL_OK : XL_E_INVALIDARG)) {
    driver_broken("a good copy is not taken, or a bad one is");
  }
}

/* ---- what comes over the network ---- */

static void play_reply(world *w, const uint32_t *a) {
  static const uint32_t odd[] = {100, 204, 301, 302, 400, 401, 403, 404,
                                 408, 410, 416, 500, 501, 503, 504, 0};
  open_request *o = ops_open(w, a[0]);

  if (o == NULL || o->replied || (w->data && o->told > 0)) {
    return;
  }
  bool lost = o->version.size == XL_SIZE_UNKNOWN;
  xl_reply r = {.status = lost         ? 404
                          : a[1] < 12  ? odd[(a[1] + a[2]) % 16]
                          : a[1] == 12 ? 200
                          : a[1] == 13 ? 206
                          : o->head    ? 200
                                       : 206,
                .version = o->version,
                .ranges = a[4] != 0};
  static const xl_bytes sizes[] = {
      XL_SIZE_UNKNOWN, 0, 1, 999, 1001, XL_SIZE_UNKNOWN - 1, (xl_bytes)1 << 50};
  if (a[2] < 7) {
    r.version.size = sizes[a[2]];
  }
  if (a[3] < 2 && !w->no_mtime) {
    r.version.mtime_s += 1 + a[3];
  }
  o->replied = true;
  xl_agent *agent = o->agent;
  uint32_t id = o->request;
  bool body = o->peer && o->head && !o->cancelled;
  xl_agent_reply(agent, id, &r, w->now);
  o = world_open(w, agent, id);
  if (body && o != NULL) {
    world_forget(w, o); /* its GET has another number */
  }
}

void ops_deliver(world *w, open_request *o, xl_bytes n, xl_bytes over,
                 xl_verdict verdict, bool corrupt, bool wrong) {
  unsigned char data[FILE_BYTES + 512];
  xl_range r = {o->range.begin + o->told, o->range.begin + o->told + n + over};
  xl_bytes last = o->range.end;
  xl_version v = o->version;
  uint32_t i = xl_agent_id(o->agent);

  if (w->data) {
    bool bad = corrupt || world_tainted(w, o, r.end);
    bool ends = r.end >= last || r.end >= o->file->have.size;
    wrong = wrong && !bad;
    if (bad && (ends || verdict == XL_VERDICT_GOOD)) {
      verdict = XL_VERDICT_BAD;
    }
  }
  v.mtime_s += wrong && !w->no_mtime;
  world_content(w, o->file, v, r, corrupt, data);
  w->lying = corrupt;
  w->fresh = n + over;
  o->told += n + over;
  o->arrived = o->arrived > o->told ? o->arrived : o->told;
  w->sent[i] += n + over;
  world_shadow(w, o->file)->told += n + over;
  xl_agent_deliver(o->agent, o->request, r, v, verdict, w->data ? data : NULL,
                   w->now);
  w->lying = false;
  w->fresh = 0;
}

static void play_deliver(world *w, const uint32_t *a) {
  open_request *o = ops_open(w, a[0]);

  if (o == NULL || (o->head && o->peer) || o->version.size == XL_SIZE_UNKNOWN) {
    return;
  }
  xl_bytes all = o->range.end - o->range.begin;
  xl_bytes left = o->told < all && !o->head ? all - o->told : 0;
  xl_bytes n = left == 0 ? 0 : a[1] % 3 == 0 ? left : 1 + a[1] / 3 % left;
  xl_bytes over = n == left && a[3] < 3 ? 1 + a[3] * 100 : 0;
  bool corrupt = w->data && a[2] >= 7;
  if (n + over > 0 && o->told < 2 * FILE_BYTES) {
    ops_deliver(w, o, n, over,
                a[2] == 6               ? XL_VERDICT_BAD
                : a[2] < 3 || a[2] == 8 ? XL_VERDICT_PENDING
                                        : XL_VERDICT_GOOD,
                corrupt, a[4] == 0);
  }
}

static void play_arrive(world *w, const uint32_t *a) {
  open_request *o = ops_open(w, a[0]);

  if (o != NULL && !w->data && !o->head) {
    xl_bytes all = o->range.end - o->range.begin;
    xl_bytes left = o->arrived < all ? all - o->arrived : 0;
    o->arrived += a[1] % 3 == 0 ? left : a[1] % (left + 1);
  }
}

static void play_end(world *w, const uint32_t *a) {
  static const xl_end ends[] = {
      XL_END_REFUSED,    XL_END_RESET,   XL_END_CONNECT, XL_END_FAILED_CHECK,
      XL_END_HTTP_ERROR, XL_END_STALLED, XL_END_CHANGED, XL_END_DONE,
      XL_END_REFUSED,    XL_END_RESET};
  open_request *o = ops_open(w, a[0]);

  for (uint32_t i = 0; i < w->nopen && a[3] > 0 && !o->cancelled; i++) {
    o = &w->open[(a[0] + i) % w->nopen];
  }
  if (o == NULL || (a[3] > 0 && !o->cancelled)) {
    return;
  }
  xl_end how = o->cancelled ? XL_END_CANCELLED : ends[a[1] % 10];
  if (w->data && world_tainted(w, o, o->range.begin + o->told)) {
    how = XL_END_FAILED_CHECK;
  }
  w->sent[xl_agent_id(o->agent)] += o->arrived - o->told;
  world_shadow(w, o->file)->told += o->arrived - o->told;
  o->told = o->arrived;
  static const xl_err errs[] = {
      XL_E_HTTP(404),         XL_E_HTTP(401),
      XL_E_HTTP(407),         XL_E_CONNECT_FAILURE,
      XL_E_CONNECTION_CLOSED, XL_E_INVALID_SERVER_RESPONSE,
      XL_E_TIMEOUT,           XL_E_INSUFFICIENT_RANGE_SUPPORT};
  xl_err why = a[4] < 32                 ? XL_OK
               : how == XL_END_CANCELLED ? XL_OK
                                         : errs[a[4] % 8];
  why = how == XL_END_HTTP_ERROR && a[4] < 24 ? XL_E_HTTP(503) : why;
  xl_agent_ended(o->agent, o->request, how, why, o->told,
                 a[2] < 30 ? 0 : XL_SEC(a[2] - 29), w->now);
}

/* Inputs for a request or a search that is not under way. */
static void play_ghost(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);
  const xl_peer_info one = {a[3] % NAGENTS, XL_SCOPE_SITE};
  const xl_reply r = {.status = 206, .version = {1000, 1}, .ranges = true};

  if (i == XL_NONE || world_open(w, w->agents[i], a[1]) != NULL) {
    return;
  }
  switch (a[2]) {
  case 0:
    xl_agent_reply(w->agents[i], a[1], &r, w->now);
    break;
  case 1:
    xl_agent_deliver(w->agents[i], a[1], (xl_range){0, a[3]},
                     (xl_version){1000, 1}, XL_VERDICT_GOOD, NULL, w->now);
    break;
  case 2:
    xl_agent_ended(w->agents[i], a[1], XL_END_RESET, XL_OK, a[3], 0, w->now);
    break;
  default:
    xl_agent_found(w->agents[i], a[1] + 100000, &one, 1, a[3] % 2, w->now);
    break;
  }
}

static void play_found(world *w, const uint32_t *a) {
  xl_peer_info peers[2 * NAGENTS];
  uint32_t n = 0;

  if (w->nsearches == 0) {
    return;
  }
  uint32_t i = a[0] % w->nsearches;
  search s = w->searches[i];
  uint32_t scope = a[2] < 6 ? a[2] : a[2] % 4;
  uint32_t who = a[1] < 256 ? a[1] : 63; /* mostly everybody there is */
  for (uint32_t k = 0; k < 8; k++) { /* itself and strangers too, some twice */
    if ((who >> k & 1u) != 0) {
      peers[n++] = (xl_peer_info){k, (xl_scope)scope};
    }
    if ((who >> k & 1u) != 0 && a[4] == 0) {
      peers[n++] = (xl_peer_info){k, XL_SCOPE_SUBNET};
    }
    if (n + 2 > sizeof peers / sizeof *peers) {
      break;
    }
  }
  xl_agent_found(s.agent, s.number, peers, n, a[3] > 0, w->now);
  if (a[3] > 1) { /* else the answer may come again, after the end too */
    w->searches[i] = w->searches[--w->nsearches];
  }
}

static void play_lie(world *w, const uint32_t *a) {
  w->lie[a[0] % NAGENTS] = a[1] % 5;
}

static void play_ask(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);

  if (i != XL_NONE) {
    xl_version v = w->origin[0];
    v.mtime_s += a[4] / 4 % 2;
    xl_range r = {a[2], a[2] + a[3]};
    if (a[3] == 299) {
      r.end = UINT64_MAX;
    }
    xl_agent_asked(w->agents[i], ++w->ask_numbers, a[1], (xl_scope)(a[1] % 4),
                   world_key(w, a[4] % 4 + a[3] % 3 * 2), v, r, w->now);
  }
}

static void play_served(world *w, const uint32_t *a) {
  if (w->nasks > 0) {
    uint32_t i = a[0] % w->nasks;
    asked q = w->asks[i];
    xl_agent_served(q.agent, q.ask, a[1], w->now);
    if (a[1] % 4 > 0) { /* else it is told again */
      w->asks[i] = w->asks[--w->nasks];
    }
  }
}

/* ---- the table ---- */

void ops_play(world *w, const op *o) {
  static op_play *const plays[OP_NKINDS] = {[OP_agent] = play_agent,
                                            [OP_remove] = play_remove,
                                            [OP_create] = play_create,
                                            [OP_add] = play_add,
                                            [OP_rename] = play_rename,
                                            [OP_validate] = play_validate,
                                            [OP_hold] = play_hold,
                                            [OP_reply] = play_reply,
                                            [OP_deliver] = play_deliver,
                                            [OP_arrive] = play_arrive,
                                            [OP_end] = play_end,
                                            [OP_ghost] = play_ghost,
                                            [OP_found] = play_found,
                                            [OP_lie] = play_lie,
                                            [OP_ask] = play_ask,
                                            [OP_served] = play_served,
                                            [OP_link] = play_link,
                                            [OP_restart] = play_restart,
                                            [OP_late] = play_late,
                                            [OP_settle] = play_settle,
                                            [OP_origin] = play_origin,
                                            [OP_tick] = play_tick,
                                            [OP_advance] = play_advance,
                                            [OP_jump] = play_jump,
                                            [OP_redirect] = play_redirect,
                                            [OP_save] = play_save,
                                            [OP_user] = play_user,
                                            [OP_logon] = play_logon,
                                            [OP_limits] = play_limits,
                                            [OP_bandwidth] = play_bandwidth,
                                            [OP_cost] = play_cost,
                                            [OP_condition] = play_condition,
                                            [OP_peering] = play_peering,
                                            [OP_disk] = play_disk,
                                            [OP_cache] = play_cache,
                                            [OP_peers] = play_peers,
                                            [OP_property] = play_property,
                                            [OP_security] = play_security,
                                            [OP_cost_flags] = play_cost_flags,
                                            [OP_take] = play_take,
                                            [OP_verb] = play_verb,
                                            [OP_add_set] = play_add_set,
                                            [OP_look] = play_look,
                                            [OP_interface] = play_interface,
                                            [OP_notify] = play_notify,
                                            [OP_told] = play_told,
                                            [OP_ran] = play_ran};

  if (o->kind == OP_honest) {
    honest(w, o->arg[0] == 0);
  } else if (o->kind >= OP_resume && o->kind <= OP_prefix) {
    on_job(w, o->arg, (op_kind)o->kind);
  } else if (plays[o->kind] != NULL) {
    plays[o->kind](w, o->arg);
  }
}
