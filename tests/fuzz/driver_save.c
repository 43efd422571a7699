/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An agent is saved, goes, and what was saved is loaded: whatever an
 * application can ask for must be as it was (xl/save.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xl/http.h>
#include <xl/save.h>

#include "driver_world.h"
#include "agent.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "rare.h"

static void must(bool ok, const char *text) {
  if (!ok) {
    driver_broken(text);
  }
}

/* ---- what an application can ask for ---- */

static const char *or_none(const char *s) {
  return s == NULL ? "(none)" : s;
}

static void say_file(FILE *out, const xl_file *f) {
  xl_file_progress p;
  xl_bytes origin, peers;
  const xl_range_spec *r;
  uint32_t n;

  xl_file_progress_of(f, &p);
  xl_file_peer_stats(f, &origin, &peers);
  xl_file_ranges(f, &r, &n);
  fprintf(out, "  file %s: %llu of %llu, %d %d %d, %llu %llu, %u %u, %lld %lld",
          or_none(xl_file_local_name(f)), (unsigned long long)p.transferred,
          (unsigned long long)p.total, p.completed, xl_file_validated(f),
          xl_file_from_peer(f), (unsigned long long)origin,
          (unsigned long long)peers, xl_file_switches(f), xl_file_restarts(f),
          (long long)xl_file_started(f), (long long)xl_file_finished(f));
  for (int c = 0; c < XL_NCLASSES; c++) {
    fprintf(out, " %llu", (unsigned long long)xl_file_ledger(f)->bytes[c]);
  }
  for (uint32_t i = 0; i < 8; i++) {
    fprintf(out, " m%llu", (unsigned long long)xl_file_mirror_bytes(f, i));
  }
  for (uint32_t i = 0; i < n; i++) {
    fprintf(out, " %llu+%llu", (unsigned long long)r[i].offset,
            (unsigned long long)r[i].length);
  }
  fprintf(
      out, " %s", /* R214 */
      xl_engine_string(f->job->agent->engine, f->remotes[f->mirror_kept].url));
  fprintf(out, "\n");
}

static void say_job(FILE *out, const xl_job *j) {
  const char *program, *parameters;
  xl_credentials c;
  xl_proxy p;
  xl_job_times t;
  xl_guid id = xl_job_id(j);

  xl_job_command_line(j, &program, &parameters);
  xl_job_proxy(j, &p);
  xl_job_times_of(j, &t);
  fprintf(out, "job %s: %s, %s %x %d, %u %u %u, %x %x, %d %s %s, %s %s, ",
          xl_job_display_name(j), xl_job_description(j), xl_job_owner(j),
          xl_job_owner_integrity(j), xl_job_owner_elevated(j),
          xl_job_min_retry_delay(j), xl_job_no_progress_timeout(j),
          xli_rare(j)->max_download_s, xl_job_acl_flags(j),
          xl_job_security_flags(j), (int)p.usage, or_none(p.proxies),
          or_none(p.bypass), or_none(program), or_none(parameters));
  fprintf(out, "%x %x %d %d %x %u, %lld %lld, %u %u\n", xl_job_notify_flags(j),
          xl_job_cost_flags(j), xl_job_dynamic_content(j),
          (int)xl_job_priority_of(j), xl_job_peercaching(j),
          xl_job_error_count(j), (long long)t.creation, (long long)t.completion,
          id.b[15], id.b[3]);
  for (uint32_t k = 0; k < 2; k++) {
    if (xl_job_credentials(j, k == 0 ? XL_AUTH_SERVER : XL_AUTH_PROXY, &c)) {
      fprintf(out, "  %d %s %s\n", (int)c.scheme, or_none(c.user),
              or_none(c.password));
    }
  }
  for (uint32_t i = 0; i < xl_job_nfiles(j); i++) {
    say_file(out, xl_job_file(j, i));
  }
}

/* What has expired, and is still there, expires at |now|. */
static void say_cache(FILE *out, const xl_agent *a, xl_time now) {
  uint32_t ids[64], n = xl_cache_records(a, ids, 64);
  xl_record r;

  for (uint32_t k = 0; k < n && k < 64; k++) {
    if (xl_cache_record(a, ids[k], &r) == XL_OK) {
      fprintf(out, "record %u: %s %llu %lld %llu, %lld %lld, %d %u\n", r.id,
              or_none(r.url), (unsigned long long)r.version.size,
              (long long)r.version.mtime_s, (unsigned long long)r.held,
              (long long)r.used, (long long)(r.expires < now ? now : r.expires),
              r.validated, r.nranges);
    }
  }
}

/* As a text, to be freed. */
static char *say_agent(const xl_agent *a, xl_time now) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  if (out == NULL) {
    abort();
  }
  for (int c = 0; c < XL_NCLASSES; c++) {
    fprintf(out, "%llu ", (unsigned long long)xl_agent_ledger(a)->bytes[c]);
  }
  fprintf(out, "\n");
  for (uint32_t i = 0; i < xl_agent_njobs(a); i++) {
    say_job(out, xl_agent_job(a, i));
  }
  say_cache(out, a, now);
  fclose(out);
  return text;
}

static void compare(const char *was, const char *is) {
  if (strcmp(was, is) != 0) {
    if (driver_loud) {
      printf("    was saved:\n%s    was loaded:\n%s", was, is);
    }
    driver_broken("what was loaded is not what was saved");
  }
}

/* ---- the bytes ---- */

static unsigned char *bytes_of(world *w, const xl_agent *a, size_t *len) {
  size_t again = 0;

  must(xl_agent_save(a, NULL, 0, len, w->now) == XL_OK, "not to be saved");
  unsigned char *p = malloc(*len), *q = malloc(*len);
  if (p == NULL || q == NULL) {
    abort();
  }
  must(xl_agent_save(a, p, *len - 1, &again, w->now) ==
               XL_E_INSUFFICIENT_BUFFER &&
           again == *len,
       "a save fits where it does not");
  must(xl_agent_save(a, p, *len, &again, w->now) == XL_OK && again == *len &&
           xl_agent_save(a, q, *len, &again, w->now) == XL_OK &&
           memcmp(p, q, *len) == 0,
       "two saves of one agent differ");
  free(q);
  return p;
}

/* Damaged bytes are refused and leave nothing. */
static void load_damaged(world *w, uint32_t i, unsigned char *p, size_t len,
                         const uint32_t *a) {
  xl_agent_cfg cfg = ops_cfg(w, i);
  xl_agent *none;
  xl_save_fault fault;
  xl_action act;
  size_t at = a[2] % len, cut = a[3] == 7 ? len - at : 0;

  p[at] ^= (unsigned char)(1u << a[3] % 8);
  xl_err err = xl_agent_load(&none, w->eng, &cfg, p, len - cut, &fault, w->now);
  must(err != XL_OK && none == NULL && !xl_engine_next(w->eng, &act),
       "damaged bytes are loaded, or leave something");
}

/* ---- who is who ---- */

typedef struct places {
  uint32_t *of_slot;          /* number of the job in each slot; XL_NONE */
  uint32_t *of_shadow, *file; /* job and file of each shadow */
} places;

static uint32_t number_of(const xl_agent *a, const xl_job *j) {
  uint32_t n = xl_agent_njobs(a), i = 0;

  while (i < n && xl_agent_job(a, i) != j) {
    i++;
  }
  return i < n ? i : XL_NONE;
}

static void note(const world *w, uint32_t i, places *n) {
  const xl_agent *a = w->agents[i];

  n->of_slot = calloc(NSLOTS + 2 * (size_t)w->nshadows, sizeof(uint32_t));
  if (n->of_slot == NULL) {
    abort();
  }
  n->of_shadow = n->of_slot + NSLOTS;
  n->file = n->of_shadow + w->nshadows;
  for (uint32_t k = 0; k < NSLOTS; k++) {
    n->of_slot[k] = number_of(a, w->jobs[i][k]);
  }
  for (uint32_t k = 0; k < w->nshadows; k++) {
    if (w->shadows[k]->agent == a) {
      n->of_shadow[k] = number_of(a, w->shadows[k]->file->job);
      n->file[k] = w->shadows[k]->file->index;
    }
  }
}

/* The handles of the new agent in place of the old one's. */
static void rename_all(world *w, uint32_t i, const xl_agent *old,
                       const places *n) {
  const xl_agent *a = w->agents[i];

  for (uint32_t k = 0; k < NSLOTS; k++) {
    w->jobs[i][k] =
        n->of_slot[k] == XL_NONE ? NULL : xl_agent_job(a, n->of_slot[k]);
  }
  for (uint32_t k = 0; k < w->nshadows; k++) {
    if (w->shadows[k]->agent == old) {
      w->shadows[k]->agent = a;
      w->shadows[k]->file =
          xl_job_file(xl_agent_job(a, n->of_shadow[k]), n->file[k]);
    }
  }
}

/* ---- a crash ---- */

/* Jobs that ran are queued; TRANSFERRED and ERROR are told again (R427). */
static void check_states(world *w, uint32_t i) {
  for (uint32_t k = 0; k < NSLOTS; k++) {
    const xl_job *j = w->jobs[i][k];
    uint8_t *s = &w->states[i][k];
    if (j == NULL) {
      continue;
    }
    if (*s == XL_JOB_CONNECTING || *s == XL_JOB_TRANSFERRING) {
      *s = XL_JOB_QUEUED;
    }
    must(xl_job_state_of(j) == (xl_job_state)*s, "a state is not as saved");
    notices_reset(&w->model[i][k]);
    notices_state(w, i, k, (xl_job_state)*s);
  }
}

static void reset_machine(machine_model *m) {
  machine_reset(m);
  m->discovered = m->enforced = false;
  m->effective = m->chosen ? m->flags : m->peercaching;
}

/* The agent in place |i| dies and |p| is loaded instead. */
static void load(world *w, uint32_t i, const unsigned char *p, size_t len) {
  xl_agent *old = w->agents[i];
  xl_agent_cfg cfg = ops_cfg(w, i);
  char *was = say_agent(old, w->now), *is;
  places n;

  note(w, i, &n);
  world_forget_traffic(w, old);
  w->agents[i] = NULL;
  xl_agent_del(old);
  xl_err err = xl_agent_load(&w->agents[i], w->eng, &cfg, p, len, NULL, w->now);
  if (err != XL_OK) {
    must(w->blown, "what was saved is not loaded");
    w->agents[i] = old; /* by which its things are known */
    world_forget_agent(w, i);
  } else {
    driver_total.loads++;
    rename_all(w, i, old, &n);
    is = say_agent(w->agents[i], w->now);
    compare(was, is);
    free(is);
    reset_machine(&w->machine[i]);
    check_states(w, i);
    err = xl_agent_start(w->agents[i], w->now);
    must(err == xl_engine_status(w->eng, NULL), "it does not start");
  }
  free(was);
  free(n.of_slot);
}

void play_save(world *w, const uint32_t *a) {
  uint32_t i = ops_agent(w, a[0]);
  size_t len;

  if (i == XL_NONE) {
    return;
  }
  ops_flush_bad(w, w->agents[i]);
  if (xl_engine_status(w->eng, NULL) != XL_OK) {
    return;
  }
  unsigned char *p = bytes_of(w, w->agents[i], &len);
  if (a[1] == 0) {
    load_damaged(w, i, p, len, a);
  } else {
    load(w, i, p, len);
  }
  free(p);
}

void play_restart(world *w, const uint32_t *a) {
  const uint32_t whole[OP_ARGS] = {a[0], 1};

  play_save(w, whole);
}
