/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What BITS keeps over a crash or reboot: an agent is saved after each thing
 * that happens, dies a moment later, is loaded and goes on.
 */
#include "fake.h"

#include <xl/cache.h>
#include <xl/save.h>

#include "agent.h"
#include "engine.h"
#include "machine.h"
#include "save.h"

#define A "http://a/f"
#define B "http://b/f"

typedef struct saved {
  unsigned char *p;
  size_t len;
} saved;

static saved save(const fake *w, const xl_agent *a) {
  saved s = {0};

  CHECK_EQ(xl_agent_save(a, NULL, 0, &s.len, w->now), XL_OK);
  s.p = malloc(s.len);
  size_t len = 0;
  CHECK_EQ(xl_agent_save(a, s.p, s.len, &len, w->now), XL_OK);
  CHECK_EQ(len, s.len);
  return s;
}

static void put(unsigned char *p, uint64_t v, int n) {
  for (int i = 0; i < n; i++) {
    p[i] = (unsigned char)(v >> 8 * i);
  }
}

/* Makes length and checksum right again. */
static void reseal(saved *s) {
  put(s->p + 8, s->len - 24, 8);
  uint64_t h = xli_checksum(0xcbf29ce484222325u, s->p, 16);
  put(s->p + 16, xli_checksum(h, s->p + 24, s->len - 24), 8);
}

static xl_save_fault fault; /* of the last load */

static xl_err load_as(fake *w, saved s, const xl_policy *policy, uint32_t flags,
                      uint32_t id, xl_agent **out) {
  const xl_agent_cfg cfg = {
      .id = id,
      .user = w,
      .policy = policy,
      .peercaching = flags,
      .device = {.ram_bytes = XL_GIB(8), .disk_bytes = XL_GIB(100)}};

  xl_err err = xl_agent_load(out, w->eng, &cfg, s.p, s.len, &fault, w->now);
  return err == XL_OK ? xl_agent_start(*out, w->now) : err;
}

/* ---- the state as text ---- */

#define SAY_MAX 600 /* characters at a time; there is room for many */

static char *say(char *at, const char *what, uint64_t n) {
  return at + snprintf(at, SAY_MAX, " %s %llu", what, (unsigned long long)n);
}

static char *say_file(char *at, const xl_file *f) {
  xl_file_progress p;
  const xl_range_spec *r;
  uint32_t n;

  xl_file_progress_of(f, &p);
  at += snprintf(at, SAY_MAX, "\n  %s <- %s", xl_file_local_name(f),
                 xl_file_remote_name(f));
  at = say(at, "total", p.total);
  at = say(at, "transferred", p.transferred);
  at = say(at, "completed", p.completed);
  at = say(at, "validated", xl_file_validated(f));
  at = say(at, "mirror", xl_file_mirror(f));
  at = say(at, "switches", xl_file_switches(f));
  at = say(at, "restarts", xl_file_restarts(f));
  at = say(at, "started", (uint64_t)xl_file_started(f));
  at = say(at, "finished", (uint64_t)xl_file_finished(f));
  for (int c = 0; c < XL_NCLASSES; c++) {
    at = say(at, xl_class_name((xl_class)c), xl_file_ledger(f)->bytes[c]);
  }
  for (uint32_t i = 0; i < 4; i++) {
    at = say(at, "from", xl_file_mirror_bytes(f, i));
  }
  xl_file_ranges(f, &r, &n);
  for (uint32_t i = 0; i < n; i++) {
    at = say(say(at, "range", r[i].offset), "+", r[i].length);
  }
  return at;
}

/* A crash may change states of running jobs, so they are all "active". */
static const char *state_text(const xl_job *j) {
  xl_job_state s = xl_job_state_of(j);

  return s == XL_JOB_QUEUED || s == XL_JOB_CONNECTING ||
                 s == XL_JOB_TRANSFERRING
             ? "active"
             : xl_job_state_name(s);
}

static char *say_cache(char *at, const xl_agent *a) {
  uint32_t ids[8], n = xl_cache_records(a, ids, 8);
  const servers *known = xli_servers(a);
  xl_record r;

  at = say(say(at, "flags", xl_cache_flags(a)), "size", xl_cache_size(a));
  at = say(at, "age", xl_cache_age(a));
  for (uint32_t i = 0; i < n && i < 8; i++) {
    CHECK_EQ(xl_cache_record(a, ids[i], &r), XL_OK);
    at += snprintf(at, SAY_MAX, "\n record %s", r.url);
    at = say(say(at, "id", r.id), "bytes", r.held);
    at = say(say(at, "used", (uint64_t)r.used), "till", (uint64_t)r.expires);
  }
  for (uint32_t i = 0; i < known->n; i++) {
    at = say(say(at, "server", known->list[i].id), "of", known->list[i].scope);
    at = say(at, "heard", (uint64_t)known->list[i].heard);
  }
  return at;
}

static char *describe(const xl_agent *a) {
  char *text = malloc(1 << 18), *at = say_cache(text, a);

  for (int c = 0; c < XL_NCLASSES; c++) {
    at = say(at, xl_class_name((xl_class)c), xl_agent_ledger(a)->bytes[c]);
  }
  for (uint32_t i = 0; i < xl_agent_njobs(a); i++) {
    const xl_job *j = xl_agent_job(a, i);
    at += snprintf(at, SAY_MAX, "\n job %s", state_text(j));
    at = say(at, "errors", xl_job_error_count(j));
    at = say(at, "retry", xl_job_min_retry_delay(j));
    for (uint32_t k = 0; k < xl_job_nfiles(j); k++) {
      at = say_file(at, xl_job_file(j, k));
    }
  }
  *at = '\0';
  return text;
}

/* ---- the crash ---- */

/* The other end of |l| sees it reset. */
static void reset_flow(fake *w, fake_flow *l) {
  xl_agent *asker = l->agent;
  uint32_t number = l->request;

  if (flow_arrived(w, l) > l->delivered) {
    fake_deliver(w, l, flow_arrived(w, l));
  }
  l = fake_flow_of(w, asker, number);
  if (l != NULL) {
    l->used = false;
    xl_agent_ended(asker, number, XL_END_RESET, XL_OK, l->delivered, 0, w->now);
  }
}

/* Everything between |a| and the others is over, for them too. */
static void cut_off(fake *w, const xl_agent *a) {
  for (int i = 0; i < FAKE_MAX; i++) {
    fake_flow *l = &w->flows[i];
    if (l->used && l->from == a) {
      reset_flow(w, l);
    } else if (l->used && l->agent == a) {
      fake_stop(w, l);
    }
    if (w->searches[i].used && w->searches[i].agent == a) {
      w->searches[i].used = false;
    }
  }
}

/* Bytes that have arrived and were not delivered: a crash loses them. */
static xl_bytes in_memory(const fake *w, const xl_agent *a) {
  xl_bytes n = 0;

  for (int i = 0; i < FAKE_MAX; i++) {
    const fake_flow *l = &w->flows[i];
    if (l->used && l->agent == a) {
      n += flow_arrived(w, l) - l->delivered;
    }
  }
  return n;
}

/* The disk stays: bytes of the old handles are those of the new. */
static void keep_disk(fake *w, const xl_file **was, const xl_agent *now) {
  for (uint32_t i = 0; i < w->nfiles; i++) {
    uint32_t k = 0;
    for (uint32_t x = 0; x < xl_agent_njobs(now); x++) {
      const xl_job *j = xl_agent_job(now, x);
      for (uint32_t y = 0; y < xl_job_nfiles(j); y++, k++) {
        if (w->files[i].file == was[k]) {
          w->files[i].file = xl_job_file(j, y);
          was[k] = NULL;
          x = xl_agent_njobs(now) - 1;
          break;
        }
      }
    }
  }
}

/* Agent |i| dies and is loaded from |s|, which is consumed. */
static void reload(fake *w, uint32_t i, saved s) {
  const xl_file *was[64];
  uint32_t n = 0;
  xl_agent *a = w->agents[i];
  const xl_policy *policy = a->policy;
  uint32_t flags = a->peercaching, id = xl_agent_id(a);

  cut_off(w, a);
  for (uint32_t x = 0; x < xl_agent_njobs(a); x++) {
    xl_job *j = xl_agent_job(a, x);
    for (uint32_t y = 0; y < xl_job_nfiles(j); y++) {
      was[n++] = xl_job_file(j, y);
    }
  }
  xl_agent_del(a);
  w->agents[i] = NULL;
  CHECK_EQ(load_as(w, s, policy, flags, id, &w->agents[i]), XL_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(w->agents[i]);
  keep_disk(w, was, w->agents[i]);
  free(s.p);
  fake_check(w);
}

/* Time passes, but not to the next thing that happens. */
static void half_way(fake *w) {
  xl_time at = xl_engine_deadline(w->eng);
  xl_bytes upto;

  for (int i = 0; i < FAKE_MAX; i++) {
    if (w->flows[i].used) {
      at = xl_time_min(at, flow_due(w, &w->flows[i], &upto));
    }
  }
  if (at != XL_NEVER && at > w->now) {
    w->now += (at - w->now) / 2;
  }
}

/* ---- transfers to die in ---- */

typedef struct scene {
  const char *name;
  void (*set)(fake *w); /* agent 0 downloads; one job or more */
  xl_bytes size;        /* of each file, local */
  uint32_t crashes;     /* of which agent */
} scene;

static fake_origin *origin(fake *w, const char *url, xl_bytes size,
                           int64_t mtime, xl_rate rate) {
  fake_origin *o = fake_add_origin(w, url, size, mtime);

  o->rate = rate;
  return o;
}

static xl_file *add(fake *w, xl_job *j, const char *url, const char *content,
                    const xl_range_spec *r, uint32_t n) {
  static const char *const mirrors[] = {B};
  const xl_file_info info = {.remote = url,
                             .local = "C:\\file",
                             .content = content,
                             .piece_bytes = 100,
                             .mirrors = mirrors,
                             .nmirrors = w->norigins > 1 ? 1 : 0,
                             .ranges = r,
                             .nranges = n};
  xl_file *f = NULL;

  CHECK_EQ(xl_job_add_file(j, &info, &f, w->now), XL_OK);
  return f;
}

static void one_file(fake *w) {
  fake_add_agent(w, &origin_policy, 0);
  origin(w, A, 1050, 1, 100);
  xl_job *j = fake_job(w, w->agents[0]);
  add(w, j, A, NULL, NULL, 0);
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
}

static void pending(fake *w) {
  one_file(w);
  w->verdict = XL_VERDICT_PENDING;
}

static void three_files(fake *w) {
  fake_add_agent(w, &origin_policy, 0);
  origin(w, A, 350, 1, 100);
  xl_job *j = fake_job(w, w->agents[0]);
  for (int i = 0; i < 3; i++) {
    add(w, j, A, NULL, NULL, 0);
  }
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
}

static void ranges(fake *w) {
  static const xl_range_spec r[] = {{900, 130}, {10, 77}, {400, 143}};
  fake_add_agent(w, &origin_policy, 0);
  origin(w, A, 2000, 1, 100);
  xl_job *j = fake_job(w, w->agents[0]);
  add(w, j, A, "x", r, 3);
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
}

static void retries(fake *w) {
  fake_add_agent(w, &origin_policy, 0);
  fake_origin *o = origin(w, A, 450, 1, 100);
  o->status = 503;
  o->nstatus = 2;
  o->cut = 200;
  for (int i = 0; i < 2; i++) {
    xl_job *j = fake_job(w, w->agents[0]);
    add(w, j, A, NULL, NULL, 0);
    CHECK_EQ(xl_job_set_min_retry_delay(j, 20, w->now), XL_OK);
    CHECK_EQ(xl_job_set_priority(j, i == 0 ? XL_PRIORITY_LOW : XL_PRIORITY_HIGH,
                                 w->now),
             XL_OK);
    CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  }
}

static void mirrors(fake *w) {
  fake_add_agent(w, &origin_policy, 0);
  fake_origin *o = origin(w, A, 850, 1, 100);
  origin(w, B, 850, 1, 50);
  o->cut = 120;
  xl_job *j = fake_job(w, w->agents[0]);
  add(w, j, A, "x", NULL, 0);
  CHECK_EQ(xl_job_set_min_retry_delay(j, 5, w->now), XL_OK);
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
}

static void hold(fake *w, xl_agent *a, xl_bytes size) {
  const xl_file_info info = {
      .remote = A, .local = "C:\\file", .content = "x", .piece_bytes = 100};
  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){size, 1}, w->now), XL_OK);
}

static void peers_of(fake *w, const xl_policy *policy) {
  for (int i = 0; i < 3; i++) {
    fake_add_agent(w, policy, 3);
  }
  origin(w, A, 1050, 1, 80);
  w->peer_rate = 60;
  hold(w, w->agents[1], 1050);
  for (int i = 0; i < 2; i++) {
    xl_agent *a = w->agents[i == 0 ? 0 : 2];
    xl_job *j = fake_job(w, a);
    add(w, j, A, "x", NULL, 0);
    CHECK_EQ(xl_job_set_peercaching(j, 3, w->now), XL_OK);
    CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  }
}

static void records(fake *w) {
  peers_of(w, &record_policy);
}

static void swarm_of(fake *w) {
  peers_of(w, &piece_policy);
}

static const scene scenes[] = {
    {"one file", one_file, 1050, 0},
    {"checks to come", pending, 1050, 0},
    {"three files", three_files, 350, 0},
    {"ranges", ranges, 350, 0},
    {"errors", retries, 450, 0},
    {"two mirrors", mirrors, 850, 0},
    {"records of peers", records, 1050, 0},
    {"a swarm", swarm_of, 1050, 0},
    {"a peer that serves", records, 1050, 1},
    {"a swarm, one that serves", swarm_of, 1050, 1},
    {"a swarm, one that does both", swarm_of, 1050, 2}};
#define NSCENES (sizeof scenes / sizeof *scenes)

static fake *begin(const scene *s) {
  fake *w = fake_new();

  w->chunk = 37;
  s->set(w);
  fake_act(w);
  return w;
}

/* All jobs of agent |i| are transferred and complete, and right. */
static void check_delivered(fake *w, const scene *s, uint32_t i) {
  xl_agent *a = w->agents[i];

  for (uint32_t x = 0; x < xl_agent_njobs(a); x++) {
    xl_job *j = xl_agent_job(a, x);
    CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
    for (uint32_t y = 0; y < xl_job_nfiles(j); y++) {
      xl_file *f = xl_job_file(j, y);
      const fake_file *b = fake_file_of(w, f, s->size);
      CHECK_EQ(fake_progress(f).transferred, s->size);
      CHECK_EQ(xl_ledger_useful(xl_file_ledger(f)), s->size);
      for (xl_bytes at = 0; at < s->size; at++) {
        xl_range_spec r;
        CHECK_EQ(xl_file_window(f, (xl_range){at, at + 1}, &r, 1), 1);
        if (b->bytes[at] != content_byte(1, r.offset)) {
          printf("  %s: byte %llu of file %u of job %u\n", s->name,
                 (unsigned long long)at, y, x);
          CU_FAIL("a delivered byte is wrong");
          return;
        }
      }
    }
    CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  }
}

static xl_bytes origins_sent(const fake *w) {
  xl_bytes n = 0;

  for (uint32_t i = 0; i < w->norigins; i++) {
    n += w->origins[i].sent;
  }
  return n;
}

/* Dies after |step| steps. False: there were not so many. */
static bool die_at(const scene *s, int step) {
  fake *w = begin(s);
  uint32_t i = s->crashes;
  bool there = true;

  for (int k = 0; k < step && there; k++) {
    there = fake_step(w, S(100000));
  }
  if (there) {
    char *before = describe(w->agents[i]);
    saved last = save(w, w->agents[i]);
    half_way(w);
    xl_bytes lost = in_memory(w, w->agents[i]);
    reload(w, i, last);
    char *after = describe(w->agents[i]);
    if (strcmp(before, after) != 0) {
      printf("  %s, step %d:\n  was%s\n  is%s\n", s->name, step, before, after);
      CU_FAIL("what was loaded is not what was saved");
    }
    free(before);
    free(after);
    fake_run(w, S(100000));
    xl_bytes got = lost;
    for (uint32_t k = 0; k < w->nagents; k++) {
      check_delivered(w, s, k);
      got += xl_agent_ledger(w->agents[k])->bytes[XL_CLASS_ORIGIN];
      if (s->crashes == 0 && k == 0) {
        xl_ledger l = *xl_agent_ledger(w->agents[0]);
        CHECK_EQ(xl_ledger_total(&l), xl_ledger_useful(&l));
      }
    }
    if (w->nagents == 1) {
      CHECK_EQ(origins_sent(w), got);
    }
    fake_check(w);
  }
  fake_del(w);
  return there;
}

static void test_every_step(void) {
  for (size_t k = 0; k < NSCENES; k++) {
    int step = 0;
    while (die_at(&scenes[k], step) && step < 400) {
      step++;
    }
    CU_ASSERT(step > 5 && step < 400);
  }
}

/* Dies at every third step of one transfer, again and again. */
static void test_again_and_again(void) {
  for (size_t k = 0; k < NSCENES; k++) {
    fake *w = begin(&scenes[k]);
    for (int step = 0; fake_step(w, S(100000)) && step < 1000; step++) {
      if (step % 7 == 6) {
        saved last = save(w, w->agents[scenes[k].crashes]);
        half_way(w);
        reload(w, scenes[k].crashes, last);
      }
    }
    for (uint32_t i = 0; i < w->nagents; i++) {
      check_delivered(w, &scenes[k], i);
    }
    fake_del(w);
  }
}

/* ---- single facts ---- */

static void test_new_engine(void) {
  fake *w = begin(&scenes[0]);
  fake_run(w, S(5));
  char *before = describe(w->agents[0]);
  saved s = save(w, w->agents[0]);
  fake *v = fake_new(); /* a machine whose clock begins again */
  v->norigins = w->norigins;
  memcpy(v->origins, w->origins, sizeof w->origins);
  xl_agent *a = NULL;
  v->chunk = w->chunk;
  CHECK_EQ(load_as(v, s, &origin_policy, 0, 0, &a), XL_OK);
  v->agents[v->nagents++] = a;
  xl_file *f = xl_job_file(xl_agent_job(a, 0), 0);
  CHECK_EQ(fake_progress(f).transferred, 481);
  CHECK_EQ(xl_file_started(f), 0);
  fake_run(v, S(100));
  CHECK_EQ(xl_job_state_of(xl_agent_job(a, 0)), XL_JOB_TRANSFERRED);
  CHECK_EQ(v->origins[0].sent, w->origins[0].sent + 1050 - 481);
  free(before);
  free(s.p);
  fake_del(w);
  fake_del(v);
}

static void test_r214(void) {
  for (int resume = 0; resume < 2; resume++) {
    fake *w = begin(&scenes[0]);
    origin(w, B, 1050, 1, 100);
    fake_run(w, S(3));
    xl_job *j = xl_agent_job(w->agents[0], 0);
    CHECK_EQ(xl_job_suspend(j, w->now), XL_OK);
    fake_act(w);
    CHECK_EQ(xl_file_set_remote_name(xl_job_file(j, 0), B, w->now), XL_OK);
    if (resume != 0) {
      CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
      fake_act(w);
    }
    reload(w, 0, save(w, w->agents[0]));
    j = xl_agent_job(w->agents[0], 0);
    CU_ASSERT_STRING_EQUAL(xl_file_remote_name(xl_job_file(j, 0)),
                           resume != 0 ? B : A);
    xl_bytes had = fake_progress(xl_job_file(j, 0)).transferred;
    CU_ASSERT(had > 0);
    CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
    fake_run(w, S(100));
    check_delivered(w, &scenes[0], 0);
    CHECK_EQ(w->origins[1].sent, resume != 0 ? 1050 - had : 0);
    fake_del(w);
  }
}

/* A switch to a server of another version is found out after the crash. */
static void test_switch_then_crash(void) {
  fake *w = begin(&scenes[0]);
  origin(w, B, 1050, 2, 100);
  fake_run(w, S(3));
  xl_job *j = xl_agent_job(w->agents[0], 0);
  CHECK_EQ(xl_job_suspend(j, w->now), XL_OK);
  fake_act(w);
  CHECK_EQ(xl_file_set_remote_name(xl_job_file(j, 0), B, w->now), XL_OK);
  w->origins[1].down = true;
  CHECK_EQ(xl_job_resume(j, w->now), XL_OK);
  fake_act(w);
  reload(w, 0, save(w, w->agents[0]));
  w->origins[1].down = false;
  j = xl_agent_job(w->agents[0], 0);
  fake_run(w, S(1000));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRED);
  CHECK_EQ(xl_file_restarts(xl_job_file(j, 0)), 1);
  CU_ASSERT(fake_is_whole(w, xl_job_file(j, 0), 1050, 2));
  fake_del(w);
}

static void test_retry_left(void) {
  fake *w = fake_new();
  one_file(w);
  w->chunk = 37;
  w->origins[0].status = 503;
  xl_job *j = xl_agent_job(w->agents[0], 0);
  CHECK_EQ(xl_job_set_min_retry_delay(j, 100, w->now), XL_OK);
  fake_run(w, S(0));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSIENT_ERROR);
  uint32_t errors = xl_job_error_count(j);
  xl_err was = fake_error(j);
  fake_run(w, S(40));
  saved s = save(w, w->agents[0]);
  w->now = S(1000); /* the machine was off */
  reload(w, 0, s);
  j = xl_agent_job(w->agents[0], 0);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSIENT_ERROR);
  CHECK_EQ(xl_job_error_count(j), errors);
  CHECK_EQ(fake_error(j), was);
  w->origins[0].status = 0;
  fake_run(w, S(1059));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSIENT_ERROR);
  fake_run(w, S(1062));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_TRANSFERRING);
  fake_del(w);
}

static void test_no_progress_left(void) {
  fake *w = fake_new();
  one_file(w);
  w->origins[0].down = true;
  xl_job *j = xl_agent_job(w->agents[0], 0);
  CHECK_EQ(xl_job_set_min_retry_delay(j, 10, w->now), XL_OK);
  CHECK_EQ(xl_job_set_no_progress_timeout(j, 100, w->now), XL_OK);
  fake_run(w, S(70));
  xl_agent_link(w->agents[0], false, w->now);
  fake_run(w, S(75));
  saved s = save(w, w->agents[0]);
  w->now = S(1000);
  reload(w, 0, s);
  j = xl_agent_job(w->agents[0], 0);
  fake_run(w, S(1010));
  CU_ASSERT(xl_job_state_of(j) != XL_JOB_ERROR);
  fake_run(w, S(1060));
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ERROR);
  fake_del(w);
}

static void test_peer_cache(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, 3);
  hold(w, a, 1050);
  xl_name key = xl_engine_name(w->eng, "x");
  uint32_t told = w->published;
  fake_run(w, XL_DAY(30));
  fake_act(w);
  saved s = save(w, a);
  fake_run(w, XL_DAY(60));
  reload(w, 0, s);
  fake_act(w);
  a = w->agents[0];
  CU_ASSERT(w->published > told);
  const xl_map *m = xl_agent_map(a, key, (xl_version){1050, 1});
  CU_ASSERT_PTR_NOT_NULL_FATAL(m);
  CHECK_EQ(xl_map_nheld(m), 11);
  fake_run(w, XL_DAY(90) - 1);
  CU_ASSERT_PTR_NOT_NULL(xl_agent_map(a, key, (xl_version){1050, 1}));
  fake_run(w, XL_DAY(90) + 1);
  CU_ASSERT_PTR_NULL(xl_agent_map(a, key, (xl_version){1050, 1}));
  fake_del(w);
}

static void keep_for_ever(const xl_host *h, xl_view *v, xl_keep *out) {
  keep_all(h, v, out);
  out->age_max = INT64_MAX;
}

static void test_endless_age(void) {
  xl_policy miser = record_policy;
  fake *w = fake_new();
  uint32_t ids[1];

  miser.keep = keep_for_ever;
  xl_agent *a = fake_add_agent(w, &miser, 3);
  hold(w, a, 1050);
  saved s = save(w, a);
  CHECK_EQ(load_as(w, s, &miser, 3, 1, &a), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 1), 1);
  free(s.p);
  fake_del(w);
}

/* Keeps what it has counted, and counts nothing of files it did not begin. */
static void keep_counted(const xl_host *h, xl_view *v, xl_keep *out) {
  const uint64_t *count = h->file_state(v);

  keep_all(h, v, out);
  out->keep = count != NULL && *count == 0;
}

static void test_keep_after(void) {
  xl_policy counter = record_policy;
  fake *w = fake_new();
  uint32_t ids[1];
  xl_file *f;

  counter.keep = keep_counted;
  counter.file_state_size = sizeof(uint64_t);
  fake_add_origin(w, A, 1000, 1);
  xl_agent *a = fake_add_agent(w, &counter, 3);
  xl_job *j = fake_job(w, a);
  CHECK_EQ(xl_job_set_peercaching(j, 3, 0), XL_OK);
  f = fake_file_add(w, j, A, NULL);
  CU_ASSERT_PTR_NOT_NULL(f);
  xl_job_resume(j, 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  saved s = save(w, a);
  CHECK_EQ(load_as(w, s, &counter, 3, 1, &a), XL_OK);
  CHECK_EQ(xl_job_complete(xl_agent_job(a, 0), w->now), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 1), 1);
  free(s.p);
  fake_del(w);
}

/* Two files, one of which could not be renamed; |policy| may share them. */
static void half_completed(const xl_policy *policy) {
  fake *w = fake_new();
  xl_file_progress p;

  fake_add_origin(w, A, 1000, 1);
  fake_add_origin(w, B, 1000, 1);
  xl_agent *a = fake_add_agent(w, policy, 3);
  xl_job *j = fake_job(w, a);
  const xl_file *f = fake_file_add(w, j, A, NULL);
  fake_file_add(w, j, B, NULL);
  xl_job_set_peercaching(j, 3, 0);
  xl_job_resume(j, 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  w->no_name = f;
  CHECK_EQ(xl_job_complete(j, w->now), XL_E_DESTINATION_LOCKED);
  saved s = save(w, a);
  w->no_name = NULL;
  w->nhanded = 0;
  CHECK_EQ(load_as(w, s, policy, 3, 1, &a), XL_OK);
  j = xl_agent_job(a, 0);
  xl_file_progress_of(xl_job_file(j, 1), &p);
  CHECK_EQ(p.completed, true);
  CU_ASSERT_PTR_NULL(
      xl_agent_map(a, xl_engine_name(w->eng, B), (xl_version){1000, 1}));
  CHECK_EQ(xl_agent_start(a, w->now), XL_OK);
  CHECK_EQ(xl_job_complete(j, w->now), XL_OK);
  CHECK_EQ(w->nhanded, 1);
  CU_ASSERT_PTR_NULL(xl_agent_check(a));
  free(s.p);
  fake_del(w);
}

static void test_half_completed(void) {
  half_completed(&origin_policy);
}

static void test_cleared(void) {
  fake *w = fake_new();
  uint32_t ids[1];

  fake_add_origin(w, A, 1000, 1);
  xl_agent *a = fake_add_agent(w, &piece_policy, 1);
  xl_job *j = fake_job(w, a);
  xl_file *f = fake_file_add(w, j, A, NULL);
  xl_job_set_peercaching(j, 3, 0);
  xl_job_resume(j, 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  CHECK_EQ(xl_agent_set_peercaching(a, 3, w->now), XL_OK);
  CHECK_EQ(xl_file_set_validation(f, true, w->now), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 1), 1);
  CHECK_EQ(xl_cache_clear(a, w->now), XL_OK);
  saved s = save(w, a);
  CHECK_EQ(load_as(w, s, &piece_policy, 3, 1, &a), XL_OK);
  CU_ASSERT_PTR_NULL(
      xl_agent_map(a, xl_engine_name(w->eng, A), (xl_version){1000, 1}));
  CHECK_EQ(xl_agent_start(a, w->now), XL_OK);
  CHECK_EQ(xl_job_complete(xl_agent_job(a, 0), w->now), XL_OK);
  CU_ASSERT_PTR_NULL(xl_agent_check(a));
  free(s.p);
  fake_del(w);
}

static void test_half_shared(void) {
  xl_policy swarm = piece_policy;

  swarm.keep = NULL; /* what is not shared any more is not shared again */
  half_completed(&swarm);
}

static void hold_rows(fake *w, xl_agent *a, uint32_t n) {
  static const xl_range_spec rows[] = {{300, 200}, {0, 150}};
  const xl_file_info info = {.remote = A,
                             .local = "f",
                             .piece_bytes = 100,
                             .ranges = n == 0 ? NULL : rows,
                             .nranges = n};
  CHECK_EQ(xl_agent_hold(a, &info, (xl_version){1000, 1}, w->now), XL_OK);
}

static void test_rows(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, 3);
  uint32_t ids[4];

  hold_rows(w, a, 0);
  hold_rows(w, a, 1);
  hold_rows(w, a, 2);
  CHECK_EQ(xl_cache_records(a, ids, 4), 3);
  CHECK_EQ(xl_cache_delete(a, ids[0], 0), XL_OK); /* changes their order */
  saved s = save(w, a);
  CHECK_EQ(load_as(w, s, &record_policy, 3, 1, &a), XL_OK);
  CHECK_EQ(xl_cache_records(a, ids, 4), 2);
  free(s.p);
  fake_del(w);
}

static void test_told_again(void) {
  fake *w = begin(&scenes[0]);
  xl_job *j = xl_agent_job(w->agents[0], 0);
  CU_ASSERT(fake_until(w, j, XL_JOB_TRANSFERRED, S(100)));
  fake_act(w);
  CHECK_EQ(xl_job_set_notify_interface(j, true, w->now), XL_OK);
  w->nnotified = 0;
  reload(w, 0, save(w, w->agents[0]));
  fake_act(w);
  fake_run(w, w->now + XL_HOUR(1)); /* nobody is to answer: R426 */
  CHECK_EQ(w->nnotified, 1);
  CU_ASSERT(w->notified[0] == xl_agent_job(w->agents[0], 0));
  check_delivered(w, &scenes[0], 0);
  w->nnotified = 0;
  reload(w, 0, save(w, w->agents[0])); /* the record of a job that is over */
  fake_act(w);
  CHECK_EQ(w->nnotified, 0);
  j = xl_agent_job(w->agents[0], 0);
  CHECK_EQ(xl_job_state_of(j), XL_JOB_ACKNOWLEDGED);
  CHECK_EQ(xl_agent_ledger(w->agents[0])->bytes[XL_CLASS_ORIGIN], 1050);
  fake_del(w);
}

/* ---- the servers that are known ---- */

static void hear(fake *w, xl_agent *a, uint32_t id) {
  fake_run(w, w->now + S(1));
  xl_engine_advance(w->eng, w->now);
  xli_servers_heard(a, id, XL_SCOPE_SUBNET);
}

static void test_servers(void) {
  fake *w = fake_new();
  xl_known_peer known[4];

  records(w);
  fake_run(w, S(100));
  xl_agent *a = w->agents[0];
  CHECK_EQ(xl_job_state_of(xl_agent_job(a, 0)), XL_JOB_TRANSFERRED);
  CHECK_EQ(xl_job_complete(xl_agent_job(a, 0), w->now), XL_OK);
  uint32_t n = xl_peers_known(a, known, 4);
  CU_ASSERT(n >= 1); /* also when no file needs them */
  CHECK_EQ(known[0].id, 1);
  xl_time heard = xli_servers(a)->list[0].heard;
  CU_ASSERT(heard > 0); /* its last bytes, not the search */
  fake_run(w, XL_DAY(3));
  reload(w, 0, save(w, a));
  a = w->agents[0];
  CHECK_EQ(xl_peers_known(a, known, 4), n);
  CHECK_EQ(known[0].id, 1);
  CHECK_EQ(known[0].scope, XL_SCOPE_SUBNET);
  CU_ASSERT(known[0].available);
  fake_run(w, heard + XL_DAY(7) - 1);
  xl_engine_advance(w->eng, w->now);
  CU_ASSERT(xli_servers_find(a, 1) != XL_NONE);
  fake_run(w, heard + XL_DAY(7));
  xl_engine_advance(w->eng, w->now);
  CHECK_EQ(xl_peers_known(a, known, 4), 0);
  reload(w, 0, save(w, a));
  a = w->agents[0];
  CHECK_EQ(xli_servers(a)->n, 0); /* what is too old is not saved */
  hear(w, a, 7);
  CHECK_EQ(xl_peers_clear(a, w->now), XL_OK);
  reload(w, 0, save(w, a));
  CHECK_EQ(xl_peers_known(w->agents[0], known, 4), 0);
  fake_del(w);
}

/* A full table loses the server that was heard longest ago. */
static void test_servers_max(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, 3);

  for (uint32_t id = 1; id <= SERVERS_MAX; id++) {
    hear(w, a, id);
  }
  hear(w, a, 1);
  hear(w, a, SERVERS_MAX + 1);
  CHECK_EQ(xl_peers_known(a, NULL, 0), SERVERS_MAX);
  CU_ASSERT(xli_servers_find(a, 1) != XL_NONE);
  CHECK_EQ(xli_servers_find(a, 2), XL_NONE);
  xli_servers_drop(a, SERVERS_MAX + 1); /* R616 */
  CHECK_EQ(xl_peers_known(a, NULL, 0), SERVERS_MAX - 1);
  fake_check(w);
  saved s = save(w, a);
  /* One of them twice: refused where it stands. */
  size_t last = s.len - 13;
  memcpy(s.p + last, s.p + last - 13, 4);
  reseal(&s);
  xl_agent *b = NULL;
  CHECK_EQ(load_as(w, s, &record_policy, 3, 999, &b), XL_E_FILE_CORRUPT);
  CU_ASSERT_STRING_EQUAL(fault.part, "servers");
  CHECK_EQ(fault.at, last + 5);
  CHECK_EQ(load_as(w, s, &record_policy, 3, 1, &b), XL_E_FILE_CORRUPT);
  CU_ASSERT_STRING_EQUAL(fault.part, "servers");
  CU_ASSERT(fault.at < last); /* it knows itself: found before that */
  free(s.p);
  fake_del(w);
  w = fake_new(); /* a swarm keeps no table */
  a = fake_add_agent(w, &piece_policy, 3);
  hear(w, a, 1);
  CHECK_EQ(xl_peers_known(a, NULL, 0), 0);
  fake_del(w);
}

static void test_preferences(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &record_policy, 3);
  const xl_cache_policy policy = {.size_percent = 9};
  uint32_t id;
  xl_record r;

  hold(w, a, 1050);
  CHECK_EQ(xl_cache_set_size(a, 7, w->now), XL_OK);
  CHECK_EQ(xl_cache_set_age(a, 2 * XL_CACHE_AGE_MIN, w->now), XL_OK);
  CHECK_EQ(xl_cache_set_flags(a, XL_PEERCACHING_SERVER, w->now), XL_OK);
  CHECK_EQ(xl_cache_set_policy(a, &policy, w->now), XL_OK);
  CHECK_EQ(xl_cache_records(a, &id, 1), 1);
  uint32_t was = id;
  reload(w, 0, save(w, a));
  a = w->agents[0];
  CHECK_EQ(xl_cache_size(a), 7); /* the policy is the administrator's to keep */
  CHECK_EQ(xl_cache_age(a), 2 * XL_CACHE_AGE_MIN);
  CHECK_EQ(xl_cache_flags(a), XL_PEERCACHING_SERVER);
  CHECK_EQ(xl_cache_records(a, &id, 1), 1);
  CHECK_EQ(id, was);
  CHECK_EQ(xl_cache_record(a, id, &r), XL_OK);
  CU_ASSERT_STRING_EQUAL(r.url, A); /* the key is the content's name */
  hold(w, a, 2000);
  CHECK_EQ(xl_cache_records(a, &id, 1), 2);
  CHECK_EQ(xl_cache_delete(a, was, w->now), XL_OK);
  CHECK_EQ(xl_cache_records(a, &id, 1), 1);
  CU_ASSERT(id > was); /* never used again */
  fake_del(w);
}

/* ---- bytes that are not what was written ---- */

static void refuses(fake *w, saved s, xl_err want) {
  xl_agent *a = NULL;
  xl_action act;
  long held = w->held;
  uint32_t known = w->eng->names.n;
  xl_err err = load_as(w, s, &origin_policy, 0, 9, &a);

  CHECK_EQ(err, want);
  CU_ASSERT_PTR_NULL(a);
  CU_ASSERT(fault.part != NULL && fault.at <= s.len);
  CHECK_EQ(w->eng->names.n, known);
  CU_ASSERT(w->held <= held + 6); /* tables keep their room */
  CU_ASSERT(!xl_engine_next(w->eng, &act));
  fake_check(w);
}

static saved busy_agent(fake **w) {
  *w = begin(&scenes[4]);
  fake_run(*w, S(30));
  return save(*w, (*w)->agents[0]);
}

static void test_truncated(void) {
  fake *w;
  saved s = busy_agent(&w);
  fake *v = fake_new();
  for (size_t n = 0; n < s.len; n++) {
    refuses(v, (saved){s.p, n}, XL_E_FILE_CORRUPT);
    saved cut = {malloc(s.len), n};
    memcpy(cut.p, s.p, n);
    if (n >= 24) {
      reseal(&cut);
      refuses(v, cut, XL_E_FILE_CORRUPT);
    }
    free(cut.p);
  }
  free(s.p);
  fake_del(v);
  fake_del(w);
}

static void test_flipped(void) {
  fake *w;
  saved s = busy_agent(&w);
  fake *v = fake_new();
  for (size_t n = 0; n < s.len; n++) {
    for (int bit = 0; bit < 8; bit++) {
      s.p[n] ^= (unsigned char)(1 << bit);
      refuses(v, s, XL_E_FILE_CORRUPT);
      s.p[n] ^= (unsigned char)(1 << bit);
    }
  }
  free(s.p);
  fake_del(v);
  fake_del(w);
}

/* With the checksum made right: refused, or an agent that is sound. */
static void test_forged(void) {
  uint32_t in = 0, out = 0;

  for (size_t k = 0; k < NSCENES; k++) {
    fake *w = begin(&scenes[k]);
    fake_run(w, S(7));
    saved s = save(w, w->agents[0]);
    const xl_policy *policy = w->agents[0]->policy;
    for (size_t n = 24; n < s.len; n++) {
      static const unsigned char flips[] = {1, 0x80, 0xff};
      for (int i = 0; i < 3; i++) {
        fake *v = fake_new();
        origin(v, A, 1050, 1, 100);
        xl_agent *a = NULL;
        s.p[n] ^= flips[i];
        reseal(&s);
        xl_err err = load_as(v, s, policy, 3, 9, &a);
        s.p[n] ^= flips[i];
        CHECK_EQ(err == XL_OK, fault.part == NULL);
        if (err == XL_OK) {
          in++;
          fake_check(v);
        } else {
          out++;
          CHECK_EQ(err, XL_E_FILE_CORRUPT);
        }
        fake_del(v);
      }
    }
    free(s.p);
    fake_del(w);
  }
  CU_ASSERT(in > 100 && out > 100);
}

static void test_versions(void) {
  fake *w = fake_new();
  xl_agent *a = fake_add_agent(w, &origin_policy, 0);
  xl_agent_late(a, 77, w->now);
  saved s = save(w, a);
  CHECK_EQ(s.p[4], xl_save_version());
  put(s.p + 4, xl_save_version() + 1, 4);
  reseal(&s);
  refuses(w, s, XL_E_UNKNOWN_REVISION);
  put(s.p + 4, 0, 4);
  reseal(&s);
  refuses(w, s, XL_E_FILE_CORRUPT);
  /* An older writer knew neither the servers nor the last property of an
     agent. */
  size_t at = 24 + 8, n = s.p[at];
  size_t cut = at + 2 + (n - 1) * 10;
  memmove(s.p + cut, s.p + cut + 10, s.len - cut - 10);
  s.len -= 10 + 4;
  s.p[at]--;
  put(s.p + 4, SAVE_SERVERS_SINCE - 1, 4);
  reseal(&s);
  xl_agent *old = NULL;
  CHECK_EQ(load_as(w, s, &origin_policy, 0, 1, &old), XL_OK);
  CHECK_EQ(xl_agent_ledger(a)->bytes[XL_CLASS_LATE], 77);
  CHECK_EQ(xl_agent_ledger(old)->bytes[XL_CLASS_LATE], 0);
  fake_check(w);
  free(s.p);
  fake_del(w);
}

static void test_buffer(void) {
  fake *w = begin(&scenes[0]);
  unsigned char buf[4096];
  size_t len, need;
  CHECK_EQ(xl_agent_save(w->agents[0], NULL, 0, &need, w->now), XL_OK);
  memset(buf, 0xa5, sizeof buf);
  CHECK_EQ(xl_agent_save(w->agents[0], buf, need - 1, &len, w->now),
           XL_E_INSUFFICIENT_BUFFER);
  CHECK_EQ(len, need);
  CHECK_EQ(buf[need - 1], 0xa5);
  CHECK_EQ(xl_agent_save(w->agents[0], buf, need, &len, w->now), XL_OK);
  CHECK_EQ(buf[need], 0xa5);
  fake_del(w);
}

static void test_memory(void) {
  fake *w;
  saved s = busy_agent(&w);
  bool ok = false;
  for (long fuse = 0; fuse < 200 && !ok; fuse++) {
    fake *v = fake_new();
    xl_agent *a = NULL;
    v->fuse = fuse;
    ok = load_as(v, s, &origin_policy, 0, 0, &a) == XL_OK;
    CU_ASSERT(!ok || a != NULL);
    if (!ok) {
      CHECK_EQ(xl_engine_status(v->eng, NULL), XL_E_OUTOFMEMORY);
    }
    fake_del(v); /* checks that all is freed */
  }
  CU_ASSERT(ok);
  free(s.p);
  fake_del(w);
}

TEST_SUITE(
    "persistence",
    {"R214: a name set after the last Resume may be lost, one before is kept",
     test_r214},
    {"R211: a switch not yet answered is compared after the crash",
     test_switch_then_crash},
    {"R423: the time to the next retry is kept as a span (design)",
     test_retry_left},
    {"R422 R424: so is the time without progress (design)",
     test_no_progress_left},
    {"R416: a job that was completed in part is so after the crash",
     test_half_completed},
    {"R614: a file whose record was cleared is not shared after the crash",
     test_cleared},
    {"R416: what it has renamed is not shared after the crash",
     test_half_shared},
    {"R617 R643: records that have a row in common are both kept", test_rows},
    {"R612: a record whose age has no end is kept, too", test_endless_age},
    {"R415: a file that was whole before the crash is admitted by Complete",
     test_keep_after},
    {"R612 R617: the peer cache keeps its records and their age",
     test_peer_cache},
    {"R610 R611 R612 R614: preferences, and a record's URL and number, are "
     "kept",
     test_preferences},
    {"R624 R615: a server is known for 7 days since it was heard, also over a "
     "restart",
     test_servers},
    {"R616 R624: a full table forgets the server heard longest ago (design)",
     test_servers_max},
    {"R426 R427: TRANSFERRED is told again after a crash, the interface is not "
     "kept (design)",
     test_told_again},
    {"R401: a crash at every step loses and doubles no delivered byte (design)",
     test_every_step},
    {"R401: nor do many crashes in one transfer (design)",
     test_again_and_again},
    {"a machine whose clock begins again goes on", test_new_engine},
    {"a save is refused when truncated at any byte", test_truncated},
    {"a save is refused when any bit is flipped", test_flipped},
    {"a forged save is refused or gives a sound agent", test_forged},
    {"a newer version is refused by name, an older one is read", test_versions},
    {"a buffer that is too small is not overrun", test_buffer},
    {"a load that runs out of memory leaves nothing behind", test_memory})
