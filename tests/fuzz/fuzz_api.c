/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays bytes as calls of the public API and as what an environment does, on
 * two agents of one engine, and checks every invariant after each.
 */
#include "bytes.h"

#include <xl/cache.h>
#include <xl/http.h>
#include <xl/machine.h>

static const char *const urls[] = {"http://a/f", "http://b/f", "http://c/f",
                                   "https://d/g", "bad"};

static xl_file_info some_info(bytes *b) {
  static const char *const mirrors[] = {"http://b/f", "http://c/f"};
  static const xl_range_spec ranges[] = {
      {0, 10}, {500, 230}, {900, XL_LENGTH_TO_EOF}, {10, 90}};
  uint32_t r = below(b, 4);

  return (xl_file_info){.remote = urls[below(b, 5)],
                        .local = "C:\\f",
                        .content = below(b, 2) == 0 ? NULL : "content",
                        .piece_bytes = below(b, 4) == 0 ? 1 : 100,
                        .mirrors = mirrors,
                        .nmirrors = below(b, 3),
                        .ranges = r == 0 ? NULL : ranges,
                        .nranges = r};
}

static xl_job *some_job(env *w, bytes *b) {
  xl_agent *a = w->agents[below(b, NAGENTS)];
  uint32_t n = xl_agent_njobs(a);

  return n == 0 ? NULL : xl_agent_job(a, below(b, n));
}

static xl_file *some_file(env *w, bytes *b) {
  xl_job *j = some_job(w, b);
  uint32_t n = j == NULL ? 0 : xl_job_nfiles(j);

  return n == 0 ? NULL : xl_job_file(j, below(b, n));
}

static void new_job(env *w, bytes *b) {
  xl_agent *a = w->agents[below(b, NAGENTS)];
  uint32_t n = 1 + below(b, 3), flags = below(b, 4);
  xl_job *j;

  if (xl_agent_njobs(a) > 12 || xl_job_create(a, "j", &j, w->now) != XL_OK) {
    return;
  }
  (void)xl_job_set_peercaching(j, flags, w->now);
  for (uint32_t i = 0; i < n; i++) {
    xl_file_info info = some_info(b);
    (void)xl_job_add_file(j, &info, NULL, w->now);
  }
  (void)xl_job_resume(j, w->now);
}

static void call_job(env *w, bytes *b) {
  xl_job *j = some_job(w, b);
  xl_file_info info;

  if (j == NULL) {
    return;
  }
  switch (below(b, 12)) {
  case 0:
  case 1:
    (void)xl_job_resume(j, w->now);
    break;
  case 2:
    (void)xl_job_suspend(j, w->now);
    break;
  case 3:
    (void)xl_job_cancel(j, w->now);
    break;
  case 4:
    (void)xl_job_complete(j, w->now);
    break;
  case 5:
    (void)xl_job_set_priority(j, (xl_priority)below(b, 5), w->now);
    break;
  case 6:
    (void)xl_job_set_peercaching(j, below(b, 6), w->now);
    break;
  case 7:
    (void)xl_job_set_min_retry_delay(j, below(b, 40), w->now);
    break;
  case 8:
    (void)xl_job_set_no_progress_timeout(j, below(b, 200), w->now);
    break;
  case 9:
    (void)xl_job_set_max_download_time(j, below(b, 200), w->now);
    break;
  case 10:
    (void)xl_job_replace_remote_prefix(j, urls[below(b, 5)], urls[below(b, 5)],
                                       w->now);
    break;
  default:
    info = some_info(b);
    if (xl_job_nfiles(j) < 8) {
      (void)xl_job_add_file(j, &info, NULL, w->now);
    }
    break;
  }
}

/* Properties that few jobs have. */
static void call_rare(env *w, bytes *b) {
  xl_job *j = some_job(w, b);
  const char *text = urls[below(b, 5)];

  if (j == NULL) {
    return;
  }
  switch (below(b, 12)) {
  case 0:
    (void)xl_job_set_display_name(j, text, w->now);
    break;
  case 1:
    (void)xl_job_set_description(j, text, w->now);
    break;
  case 2:
    (void)xl_job_set_notify_interface(j, below(b, 2) == 0, w->now);
    break;
  case 3:
    (void)xl_job_set_notify_flags(j, below(b, 33), w->now);
    break;
  case 4:
    xl_job_notified(j, below(b, 2) == 0, w->now);
    break;
  case 5:
    (void)xl_job_set_command_line(j, "run.exe", text, w->now);
    break;
  case 6:
    xl_job_command_ended(j, below(b, 2) == 0, w->now);
    break;
  case 7:
    (void)xl_job_set_cost_flags(j, XL_TRANSFER_STANDARD, w->now);
    break;
  case 8:
    (void)xl_job_set_credentials(
        j,
        &(xl_credentials){.target = (xl_auth_target)below(b, 3),
                          .scheme = (xl_auth_scheme)below(b, 6),
                          .user = text,
                          .password = ""},
        w->now);
    break;
  case 9:
    (void)xl_job_set_proxy(j,
                           &(xl_proxy){.usage = (xl_proxy_usage)below(b, 4),
                                       .proxies = text,
                                       .bypass = NULL},
                           w->now);
    break;
  case 10:
    (void)xl_job_set_security_flags(j, below(b, 16) << 8 | below(b, 32),
                                    w->now);
    break;
  default:
    (void)xl_job_take_ownership(j, w->now);
    (void)xl_job_set_dynamic_content(j, below(b, 2) == 0, w->now);
    break;
  }
}

static void call_machine(env *w, bytes *b) {
  static const xl_user users[] = {
      {.sid = "S-1", .kind = XL_ACCOUNT_USER, .integrity = 0x2000},
      {.sid = "S-2", .kind = XL_ACCOUNT_ADMIN, .elevated = true}};
  static const xl_throttle hours[] = {
      {.days = 62, .from = XL_HOUR(22), .to = XL_HOUR(5)},
      {.days = 65, .from = 0, .to = 0, .rates = {0, 1, 0, 1000}}};
  xl_agent *a = w->agents[below(b, NAGENTS)];
  uint32_t what = below(b, 3);
  xl_err err = XL_OK;

  switch (below(b, 8)) {
  case 0:
    err = xl_agent_act_as(a, what == 2 ? NULL : &users[what], w->now);
    break;
  case 1:
    err = xl_agent_logon(a, users[what % 2].sid, below(b, 2) == 0, w->now);
    break;
  case 2:
    err = xl_agent_set_throttles(a, hours, what, w->now, w->now);
    break;
  case 3:
    err = xl_agent_set_cost(a, 1u << below(b, 8), w->now);
    break;
  case 4:
    err = xl_agent_set_condition(a, (xl_condition)below(b, XL_NCONDITIONS),
                                 below(b, 2) == 0, w->now);
    break;
  case 5:
    err = xl_agent_set_peercaching(a, below(b, 4), w->now);
    break;
  case 6:
    err = xl_cache_set_size(a, below(b, 90), w->now);
    break;
  default:
    err = xl_cache_set_age(a, 86400 * below(b, 130), w->now);
    break;
  }
  (void)err; /* refusals are answers too */
}

static void call_file(env *w, bytes *b) {
  xl_file *f = some_file(w, b);

  if (f != NULL && below(b, 2) == 0) {
    (void)xl_file_set_remote_name(f, urls[below(b, 5)], w->now);
  } else if (f != NULL) {
    (void)xl_file_set_validation(f, below(b, 2) == 0, w->now);
  }
}

static void call_agent(env *w, bytes *b) {
  uint32_t i = below(b, NAGENTS);
  xl_agent *a = w->agents[i];
  static const xl_bytes offsets[] = {0, 100, 37, 1049, 2000};
  xl_bytes begin;
  xl_file_info info;

  switch (below(b, 8)) {
  case 0:
    xl_agent_link(a, below(b, 2) == 0, w->now);
    break;
  case 1:
  case 2:
    if (!env_reload(w, i)) {
      env_broken("what was saved is not loaded");
    }
    break;
  case 3:
    xl_agent_late(a, below(b, 100), w->now);
    break;
  case 4:
    info = some_info(b);
    if (xl_agent_hold(a, &info, env_version(b), w->now) == XL_OK) {
      env_check(w);
    }
    break;
  case 5: /* numbers that nobody has */
    xl_agent_ended(a, 1u << 30, XL_END_RESET, XL_OK, 0, 0, w->now);
    break;
  default:
    begin = offsets[below(b, 5)];
    xl_agent_asked(a, ++w->asks, below(b, 4), (xl_scope)below(b, XL_SCOPE_NONE),
                   xl_engine_name(w->eng, below(b, 2) == 0 ? urls[below(b, 3)]
                                                           : "content"),
                   env_version(b), (xl_range){begin, begin + below(b, 255)},
                   w->now);
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bytes b = {data, data + (size < 1500 ? size : 1500)};
  env w;

  env_init(&w, below(&b, 255));
  for (uint32_t i = 0; i < NAGENTS; i++) {
    xl_agent_cfg cfg = env_cfg(&w, i);
    if (xl_agent_new(&w.agents[i], w.eng, &cfg, 0) != XL_OK) {
      env_broken("no agent");
    }
  }
  while (b.at < b.end) {
    switch (below(&b, 18)) {
    case 0:
      new_job(&w, &b);
      break;
    case 1:
      call_job(&w, &b);
      break;
    case 2:
      call_file(&w, &b);
      break;
    case 3:
      call_agent(&w, &b);
      break;
    case 4:
      call_rare(&w, &b);
      break;
    case 5:
      call_machine(&w, &b);
      break;
    case 6:
    case 7:
    case 8:
      env_wait(&w, &b);
      break;
    default:
      env_answer(&w, &b);
      break;
    }
    if (below(&b, 8) != 7) {
      env_pull(&w);
    }
    env_check(&w);
  }
  env_fini(&w);
  return 0;
}
