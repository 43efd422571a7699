/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Properties of jobs, set and read back; other calls on jobs; redirections. */
#include <stdio.h>
#include <string.h>

#include <xl/delivery.h>
#include <xl/http.h>

#include "driver_world.h"
#include "job.h"

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

static bool good(const world *w) {
  return xl_engine_status(w->eng, NULL) == XL_OK;
}

static bool same(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* NULL, short texts, and texts as long as may be and longer. */
static const char *text_of(uint32_t n) {
  static const uint32_t lengths[] = {0,   1,    5,    256,  257,
                                     260, 1024, 1025, 4000, 4001};
  static char text[4002];
  uint32_t k = n % 11;

  if (k == 10) {
    return NULL;
  }
  memset(text, 'x', sizeof text);
  text[lengths[k]] = '\0';
  return text;
}

static size_t length(const char *s) {
  return s == NULL ? 0 : strlen(s);
}

/* ---- properties ---- */

static xl_err set_name(world *w, xl_job *j, uint32_t n) {
  const char *s = text_of(n);
  xl_err err = xl_job_set_display_name(j, s, w->now);

  must(err != XL_OK || !good(w) ||
           (s != NULL && strlen(s) <= 256 && same(xl_job_display_name(j), s)),
       "a display name");
  return err;
}

static xl_err set_description(world *w, xl_job *j, uint32_t n) {
  const char *s = text_of(n);
  xl_err err = xl_job_set_description(j, s, w->now);

  must(err != XL_OK || !good(w) ||
           (s != NULL && strlen(s) <= 1024 && same(xl_job_description(j), s)),
       "a description");
  return err;
}

static xl_err set_proxy(world *w, xl_job *j, uint32_t n) {
  static const char *const lists[] = {"proxy:80", " ", "a?b", NULL, ""};
  const xl_proxy p = {.usage = (xl_proxy_usage)(n % 5),
                      .proxies = n % 5 == 2 ? lists[n / 5 % 5] : NULL,
                      .bypass = n > 35 ? text_of(n) : NULL};
  xl_proxy got;
  xl_err err = xl_job_set_proxy(j, &p, w->now);

  xl_job_proxy(j, &got);
  must(err != XL_OK || !good(w) ||
           (got.usage == p.usage && p.usage <= XL_PROXY_AUTODETECT &&
            same(got.proxies, p.proxies) && length(p.bypass) <= 4000),
       "a proxy");
  return err;
}

static xl_err set_credentials(world *w, xl_job *j, uint32_t n) {
  const xl_credentials c = {.target = (xl_auth_target)(n % 3),
                            .scheme = (xl_auth_scheme)(n / 3 % 7),
                            .user = text_of(n),
                            .password = n % 8 == 0 ? NULL : "secret"};
  xl_credentials got;
  xl_err err = xl_job_set_credentials(j, &c, w->now);

  if (err == XL_OK && good(w)) {
    must(xl_job_credentials(j, c.target, &got) && got.target == c.target &&
             length(c.user) <= 300,
         "credentials");
  }
  return err;
}

static xl_err remove_credentials(world *w, xl_job *j, uint32_t n) {
  return xl_job_remove_credentials(j, (xl_auth_target)(n % 3),
                                   (xl_auth_scheme)(n / 3 % 7), w->now);
}

static xl_err set_command(world *w, xl_job *j, uint32_t n) {
  const char *program = n % 4 == 0   ? NULL
                        : n % 4 == 1 ? text_of(n)
                                     : "C:\\run.exe";
  const char *parameters = n % 8 < 4 ? NULL : "now", *p, *q;
  xl_err err = xl_job_set_command_line(j, program, parameters, w->now);

  xl_job_command_line(j, &p, &q);
  must(err != XL_OK || !good(w) ||
           (same(p, program) && same(q, parameters) && length(p) <= 260 &&
            (p != NULL || q == NULL)),
       "a command line");
  return err;
}

static xl_err set_acl(world *w, xl_job *j, uint32_t n) {
  xl_err err = xl_job_set_acl_flags(j, n, w->now);

  must(err != XL_OK || !good(w) || (n < 16 && xl_job_acl_flags(j) == n),
       "flags of an ACL");
  return err;
}

void play_property(world *w, const uint32_t *a) {
  static xl_err (*const sets[])(world *, xl_job *, uint32_t) = {
      set_name,    set_description,    set_proxy,   set_credentials,
      set_command, remove_credentials, set_command, set_acl};
  xl_job *j = ops_job(w, a);

  if (j != NULL) {
    bool may = machine_may(w, j);
    xl_job_state s = xl_job_state_of(j);
    machine_answer(w, j, may, s, sets[a[2] % 8](w, j, a[3]));
  }
}

void play_security(world *w, const uint32_t *a) {
  static const uint32_t flags[] = {0,     0x100, 0x200,  0x800, 0x900,
                                   0x301, 0x1f,  0x2000, 1};
  xl_job *j = ops_job(w, a);

  if (j != NULL) {
    bool may = machine_may(w, j);
    xl_job_state s = xl_job_state_of(j);
    uint32_t f = a[2] < 9 ? flags[a[2]] : flags[a[2] % 2];
    xl_err err = xl_job_set_security_flags(j, f, w->now);
    machine_answer(w, j, may, s, err);
    must(err != XL_OK || xl_job_security_flags(j) == f, "security flags");
  }
}

void play_take(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);
  const char *program, *parameters;

  if (j == NULL) {
    return;
  }
  uint32_t slot = ops_slot(w, j);
  job_model *m = &w->model[slot / NSLOTS][slot % NSLOTS];
  uint8_t caller = w->machine[slot / NSLOTS].caller;
  bool user = world_users[caller].kind == XL_ACCOUNT_USER;
  bool may = machine_may(w, j);
  xl_err err = xl_job_take_ownership(j, w->now);
  if (err == XL_OK) {
    m->owner = caller;
    m->elevated = true;
    xl_job_command_line(j, &program, &parameters);
    must(program == NULL && xl_job_owner_elevated(j),
         "a job that was taken keeps its command, or is not elevated");
  }
  must(!good(w) || (may && !user) || xl_failed(err),
       "a job is taken by who may not");
}

/* ---- calls ---- */

void play_verb(world *w, const uint32_t *a) {
  static xl_err (*const verbs[])(xl_job *, xl_time) = {
      xl_do_start, xl_do_pause, xl_do_finalize, xl_do_abort};
  xl_job *j = ops_job(w, a);

  if (j == NULL) {
    return;
  }
  xl_do_state was = xl_do_state_of(j);
  xl_job_state s = xl_job_state_of(j);
  xl_err err = verbs[a[2] % 4](j, w->now);
  if (!xli_job_is_do(j)) {
    must(!good(w) || (err == XL_E_NOTIMPL && xl_job_state_of(j) == s),
         "a verb of IDODownload for a job of BITS");
  } else if (was == XL_DO_FINALIZED || was == XL_DO_ABORTED) {
    bool own = a[2] % 4 == (was == XL_DO_FINALIZED ? 2u : 3u);
    must(!good(w) || err == (own ? XL_OK : XL_DO_INVALID_STATE),
         "a download that is over takes another verb than its own");
  } else if (a[2] % 4 == 2 && was != XL_DO_TRANSFERRED) {
    must(!good(w) || err == XL_DO_INVALID_STATE,
         "a download is finalized before it is transferred");
  }
}

void play_add_set(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);
  xl_file_info infos[4];

  if (j == NULL || xl_job_nfiles(j) > 2) {
    return;
  }
  uint32_t slot = ops_slot(w, j), n = a[2] % 5, had = xl_job_nfiles(j);
  for (uint32_t i = 0; i < 4; i++) {
    infos[i] = (xl_file_info){.remote = world_urls[(a[3] + i) % NURLS],
                              .local = i + 1 == a[4] ? "f" : "C:\\f",
                              .content = a[3] % 2 == 0 ? "content" : NULL,
                              .piece_bytes = a[3] < 30 ? 64 : 100};
  }
  bool may = machine_may(w, j);
  xl_job_state s = xl_job_state_of(j);
  xl_err err = xl_job_add_file_set(j, infos, n, w->now);
  if (w->machine[slot / NSLOTS].trouble != DISK_READ_ONLY) {
    machine_answer(w, j, may, s, err);
  }
  must(!good(w) || xl_job_nfiles(j) == had + (err == XL_OK ? n : 0),
       "some of a set of files are added"); /* R412 */
  w->added[slot / NSLOTS][slot % NSLOTS] |= err == XL_OK && n > 0;
}

/* ---- questions ---- */

static void look_for_job(world *w, const xl_job *j) {
  uint32_t slot = ops_slot(w, j), i = slot / NSLOTS;
  const job_model *m = &w->model[i][slot % NSLOTS];
  const xl_user *c = &world_users[w->machine[i].caller];
  const xl_user *owner = &world_users[m->owner];
  bool final = xl_job_state_of(j) >= XL_JOB_ACKNOWLEDGED;
  bool mine = c->sid != NULL && owner->sid != NULL && same(c->sid, owner->sid);
  xl_guid id = xl_job_id(j);
  xl_job *found;
  xl_err err = xl_agent_get_job(w->agents[i], &id, &found);

  if (final) {
    must(err == XL_E_NOT_FOUND || err == XL_DO_JOB_NOT_FOUND,
         "a job that is over is found");
  } else {
    bool denied = c->kind == XL_ACCOUNT_USER && !mine;
    must(err == (denied ? XL_E_ACCESSDENIED : XL_OK) &&
             found == (denied ? NULL : j),
         "a job is not found by its identity");
  }
  must(m->owner == 0 ? world_users[0].sid == NULL
                     : same(xl_job_owner(j), owner->sid) &&
                           xl_job_owner_integrity(j) == owner->integrity,
       "a job of another owner");
  must(xl_job_cost_flags(j) == m->cost &&
           (final || xl_job_notify_interface(j) == m->interface),
       "cost flags or an interface that nobody has set");
}

static void look_for_jobs(world *w, uint32_t i, uint32_t flags) {
  xl_job *jobs[NSLOTS];
  uint32_t n, want = 0;
  const xl_user *c = &world_users[w->machine[i].caller];
  xl_err err = xl_agent_enum_jobs(w->agents[i], flags, jobs, NSLOTS, &n);

  for (uint32_t k = 0; k < NSLOTS; k++) {
    const xl_job *j = w->jobs[i][k];
    const xl_user *owner = &world_users[w->model[i][k].owner];
    want += j != NULL && xl_job_state_of(j) < XL_JOB_ACKNOWLEDGED &&
            (flags != 0 || same(owner->sid, c->sid));
  }
  if (err == XL_OK) {
    must(n == want, "not all jobs are listed, or too many");
  } else {
    must(err == XL_E_NOTIMPL || (err == XL_E_ACCESSDENIED && flags != 0 &&
                                 c->kind == XL_ACCOUNT_USER),
         "jobs are not listed");
  }
}

static void look_at_file(world *w, xl_file *f) {
  const char *name = xl_file_temporary_name(f);
  xl_bytes origin, peers;
  xl_file_progress p;

  xl_file_progress_of(f, &p);
  xl_file_peer_stats(f, &origin, &peers);
  must(!good(w) || (name != NULL && strstr(name, ".TMP") != NULL),
       "a file without a temporary name");
  must(origin + peers == p.transferred && xl_file_from_peer(f) == (peers > 0),
       "a file has other bytes than it has received"); /* R321, R322 */
  must(p.total == XL_SIZE_UNKNOWN || p.transferred <= p.total,
       "a file has received more than there is");
}

void play_look(world *w, const uint32_t *a) {
  xl_job *j = ops_job(w, a);
  uint32_t i = ops_agent(w, a[0]), got;
  xl_file *files[8], *error;
  xl_err code;

  if (j == NULL || i == XL_NONE) {
    return;
  }
  look_for_job(w, j);
  look_for_jobs(w, i, a[1] % 2);
  xl_file_enum e = xl_job_enum_files(j);
  xl_file_enum_next(&e, 8, files, &got);
  must(got == xl_job_nfiles(j) || got == 8, "files are not listed");
  for (uint32_t k = 0; k < got; k++) {
    look_at_file(w, files[k]);
  }
  bool any = xl_job_error(j, &code, &error) == XL_OK;
  must(any == (xl_job_error_context(j) != XL_CONTEXT_NONE) || xli_job_is_do(j),
       "an error without a context"); /* R429, R484 */
  must(any || xl_job_state_of(j) != XL_JOB_ERROR, "a job in ERROR has none");
}

/* ---- redirections (R812) ---- */

static bool begins(const char *s, const char *with) {
  return strncmp(s, with, strlen(with)) == 0;
}

/* What the policy of the job says of going from |o| to |to|. */
static bool is_followed(const open_request *o, const char *to, bool *named) {
  uint32_t flags = xl_job_security_flags(xl_file_job(o->file));
  uint32_t policy = flags & XL_HTTP_REDIRECT_MASK;
  bool weaker = begins(o->url, "https://") && begins(to, "http://") &&
                (flags & XL_HTTP_HTTPS_TO_HTTP) == 0;
  bool web = begins(to, "http://") || begins(to, "https://");

  *named = web && !weaker && policy != XL_HTTP_REDIRECT_SILENT;
  return web && !weaker && policy != XL_HTTP_REDIRECT_DISALLOW &&
         o->hops < XL_HTTP_HOPS_MAX;
}

void play_redirect(world *w, const uint32_t *a) {
  static const char *const places[] = {
      "http://a/f", "http://b/f", "http://c/f",    "https://d/f", "http://a/f",
      "ftp://x/",   "",           "http://none/f", "https://d/f"};
  static const uint32_t codes[] = {301, 302, 303, 307, 300};
  open_request *o = ops_open(w, a[0]);

  if (o == NULL || o->replied || o->peer || o->arrived > 0) {
    return;
  }
  const xl_file *f = o->file;
  const xl_job *j = xl_file_job(f);
  bool cancelled = o->cancelled, named;
  bool disallowed = (xl_job_security_flags(j) & XL_HTTP_REDIRECT_MASK) ==
                    XL_HTTP_REDIRECT_DISALLOW;
  bool ran = xl_job_state_of(j) == XL_JOB_CONNECTING ||
             xl_job_state_of(j) == XL_JOB_TRANSFERRING;
  const char *to = places[a[1] % 9], *was = xl_file_remote_name(f);
  bool follow = is_followed(o, to, &named);
  const xl_reply r = {.status = codes[a[2] % 5],
                      .version = {XL_SIZE_UNKNOWN, 0},
                      .location = to};
  xl_agent *agent = o->agent;
  uint32_t id = o->request;
  w->redirected = follow && !cancelled ? f : NULL;
  w->location = to;
  w->hops = o->hops + 1;
  w->followed = false;
  o->replied = true;
  xl_agent_reply(agent, id, &r, w->now);
  if (!good(w) || cancelled) {
    w->redirected = NULL;
    return;
  }
  o = world_open(w, agent, id);
  must((o != NULL) == follow, "a redirection is followed that may not be, or "
                              "not followed");
  if (follow && o != NULL) {
    world_forget(w, o); /* it has another number */
    driver_total.redirected++;
    must(same(xl_file_remote_name(f), named ? to : was),
         "the remote name after a redirection");
  } else if (ran && disallowed) {
    must(xl_job_state_of(j) == XL_JOB_ERROR, "a redirection that is not "
                                             "allowed is no error");
  }
  world_act(w);
  must(w->redirected == NULL || w->followed, "a redirection leads nowhere");
  w->redirected = NULL;
}
