/* SPDX-License-Identifier: MIT */
#include "save.h"

#include <string.h>

#include "agent.h"
#include "engine.h"
#include "file.h"
#include "machine.h"
#include "notify.h"

#define MAGIC 0x56534c58u /* "XLSV" */
#define SEED 0xcbf29ce484222325u

uint32_t xl_save_version(void) {
  return xli_save_nfields() + 1; /* and the table of servers */
}

uint32_t xl_agent_njobs(const xl_agent *a) {
  uint32_t n = 0;

  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    n++;
  }
  return n;
}

xl_job *xl_agent_job(const xl_agent *a, uint32_t i) {
  xl_job *j = a->jobs;

  for (; j != NULL && i > 0; i--) {
    j = j->next;
  }
  assert(j != NULL);
  return j;
}

/* ---- saving ---- */

static const char *text_of(const xl_agent *a, xl_name name) {
  return xli_names_text(&a->engine->names, name);
}

static void put_text(save_out *o, const xl_agent *a, xl_name name) {
  xli_put_text(o, text_of(a, name));
}

/* An instant as its age; -1 none. */
static void put_age(save_out *o, xl_time t, xl_time now) {
  xli_put(o, (uint64_t)(t < 0 ? -1 : t > now ? 0 : now - t), 8);
}

/* A deadline as what is left of it; -1 none. */
static xl_span left_of(xl_time due, xl_time now) {
  return due == XL_NEVER ? -1 : due > now ? due - now : 0;
}

static void put_left(save_out *o, xl_time due, xl_time now) {
  xl_span left = left_of(due, now);
  xli_put(o, (uint64_t)(left > SAVE_SPAN_MAX ? -1 : left), 8);
}

static void put_span(save_out *o, xl_span s) {
  xli_put(o, (uint64_t)(s > SAVE_SPAN_MAX ? SAVE_SPAN_MAX : s), 8);
}

static void put_copies(save_out *o, const xl_agent *a, xl_time now) {
  uint32_t n = 0;

  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t i = 0; i < a->cache.n; i++) {
      const copy *c = &a->cache.copies[i];
      if (!c->cached || c->doomed) {
        continue; /* a file's own, or gone once it is served */
      }
      n++;
      if (pass == 1) {
        put_text(o, a, c->key);
        put_text(o, a, c->url);
        xli_put(o, c->id, 4);
        xli_put(o, c->version.size, 8);
        xli_put(o, (uint64_t)c->version.mtime_s, 8);
        xli_put(o, c->size, 8);
        xli_put(o, c->piece_bytes, 4);
        put_age(o, c->used, now);
        put_left(o, c->expires, now);
        put_span(o, c->age_max);
      }
    }
    if (pass == 0) {
      xli_put(o, n, 4);
    }
  }
}

/* The remote names that were there at the last Resume, or brought bytes. */
static uint32_t remotes_kept(const xl_file *f) {
  uint32_t n = f->nremotes;

  while (n > f->remotes_kept && n > f->mirror_kept + 1u &&
         f->remotes[n - 1].first == 0) {
    n--;
  }
  return n;
}

static void put_remotes(save_out *o, const xl_agent *a, const xl_file *f) {
  uint32_t n = remotes_kept(f);
  bool back = f->mirror != f->mirror_kept; /* R214 */
  bool switching = f->switching;
  uint32_t was = f->mirror_was;

  if (back && !switching) { /* from the name whose server answered */
    switching = f->phase != FILE_DONE && xli_file_sized(f);
    was = f->mirror;
  }
  switching = switching && was != f->mirror_kept;
  xli_put(o, n, 2);
  for (uint32_t i = 0; i < n; i++) {
    put_text(o, a, f->remotes[i].url);
    xli_put(o, f->remotes[i].first, 8);
  }
  xli_put(o, f->mirror_kept, 2);
  xli_put(o, switching, 1);
  xli_put(o, switching && was < n ? was : f->mirror_kept, 2);
}

static void put_held(save_out *o, const have *h) {
  for (uint32_t p = 0; p < h->npieces; p += 8) {
    unsigned byte = 0;
    for (uint32_t i = 0; i < 8; i++) {
      byte |= (unsigned)xl_map_holds(h->map, p + i) << i;
    }
    xli_put(o, byte, 1);
  }
  xli_put(o, h->nparts, 4);
  for (uint32_t i = 0; i < h->nparts; i++) {
    xli_put(o, h->parts[i].begin, 8);
    xli_put(o, h->parts[i].end, 8);
    xli_put(o, h->parts[i].mirror, 2);
    xli_put(o, h->parts[i].class, 1);
  }
}

static void put_file(save_out *o, const xl_file *f, xl_time now) {
  const xl_agent *a = f->job->agent;

  put_text(o, a, f->local);
  put_text(o, a, f->key);
  xli_put(o, f->have.piece_bytes, 4);
  xli_put(o, f->nranges, 4);
  for (uint32_t i = 0; i < f->nranges; i++) {
    xli_put(o, f->ranges[i].offset, 8);
    xli_put(o, f->ranges[i].length, 8);
  }
  put_remotes(o, a, f);
  xli_put_file_fields(o, f);
  xli_put(o, f->version.size, 8);
  xli_put(o, (uint64_t)f->version.mtime_s, 8);
  xli_put(o, f->phase == FILE_DONE, 1);
  put_age(o, f->began, now);
  put_age(o, f->started, now);
  put_age(o, f->finished, now);
  xli_put(o, XL_NCLASSES, 1);
  const xl_ledger ledger = xli_books_ledger(&f->books);
  for (int c = 0; c < XL_NCLASSES; c++) {
    xli_put(o, ledger.bytes[c], 8);
  }
  xli_put(o, f->have.map != NULL, 1);
  if (f->have.map != NULL) {
    put_held(o, &f->have);
  }
}

static void put_rare(save_out *o, const xl_job *j, xl_time now) {
  const job_rare *r = j->rare;

  xli_put(o, r != NULL, 1);
  if (r == NULL) {
    return;
  }
  xli_put_rare_fields(o, j->agent->engine, r);
  put_left(o, r->command_due, now);
  xli_put(o, r->ncredentials, 4);
  for (uint32_t i = 0; i < r->ncredentials; i++) {
    xli_put(o, r->credentials[i].target, 1);
    xli_put(o, r->credentials[i].scheme, 1);
    put_text(o, j->agent, r->credentials[i].user);
    put_text(o, j->agent, r->credentials[i].password);
  }
}

/* What is left until no progress becomes an error; -1: nothing runs out. */
static xl_span progress_left(const xl_job *j, xl_time now) {
  return j->frozen ? j->no_progress_due : left_of(j->no_progress_due, now);
}

static void put_job(save_out *o, const xl_job *j, xl_time now) {
  bool running = xli_job_running(j);

  put_text(o, j->agent, j->name);
  xli_put_job_fields(o, j);
  xli_put(o, running ? XL_JOB_QUEUED : j->state, 1);
  xli_put(o, (uint32_t)j->err, 4);
  xli_put(o, j->error_file, 4);
  put_age(o, j->created, now);
  put_left(o, j->state == XL_JOB_TRANSIENT_ERROR ? j->retry_due : XL_NEVER,
           now);
  xli_put(o, (uint64_t)progress_left(j, now), 8);
  xl_span used = running ? now - j->active : j->active;
  put_span(o, used);
  put_rare(o, j, now);
  xli_put(o, j->nfiles, 4);
  for (uint32_t i = 0; i < j->nfiles; i++) {
    put_file(o, j->files[i], now);
  }
}

static void put_servers(save_out *o, const xl_agent *a, xl_time now) {
  const servers *t = xli_servers(a);
  uint32_t n = 0;

  for (uint32_t i = 0; i < t->n; i++) {
    n += xli_servers_live(&t->list[i], now);
  }
  xli_put(o, n, 4);
  for (uint32_t i = 0; i < t->n; i++) {
    if (xli_servers_live(&t->list[i], now)) {
      xli_put(o, t->list[i].id, 4);
      xli_put(o, t->list[i].scope, 1);
      put_age(o, t->list[i].heard, now);
    }
  }
}

static void put_body(save_out *o, const xl_agent *a, xl_time now) {
  xli_put(o, (uint64_t)now, 8);
  xli_put_agent_fields(o, a);
  xli_put_cache_fields(o, &xli_machine(a)->cache);
  put_copies(o, a, now);
  xli_put(o, xl_agent_njobs(a), 4);
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    put_job(o, j, now);
  }
  put_servers(o, a, now);
}

/* Of everything but itself. */
static uint64_t sum_of(const unsigned char *p, size_t len) {
  uint64_t h = xli_checksum(SEED, p, SAVE_HEADER - 8);
  return xli_checksum(h, p + SAVE_HEADER, len - SAVE_HEADER);
}

xl_err xl_agent_save(const xl_agent *a, void *buf, size_t cap, size_t *len,
                     xl_time now) {
  save_out o = {.buf = buf, .cap = buf == NULL ? 0 : cap, .len = SAVE_HEADER};

  assert(now >= a->engine->now);
  put_body(&o, a, now < 0 ? 0 : now);
  *len = o.len;
  if (buf == NULL) {
    return XL_OK;
  }
  if (o.len > cap) {
    return XL_E_INSUFFICIENT_BUFFER;
  }
  save_out head = {.buf = buf, .cap = SAVE_HEADER};
  xli_put(&head, MAGIC, 4);
  xli_put(&head, xl_save_version(), 4);
  xli_put(&head, o.len - SAVE_HEADER, 8);
  xli_put(&head, sum_of(buf, o.len), 8);
  return XL_OK;
}

/* ---- loading ---- */

static xl_err check_header(save_in *in, size_t len, uint32_t *version) {
  const unsigned char *all = in->at;

  if (!xli_must(in, len >= SAVE_HEADER) ||
      !xli_must(in, xli_get(in, 4) == MAGIC)) {
    return XL_E_FILE_CORRUPT;
  }
  *version = (uint32_t)xli_get(in, 4);
  bool known = *version <= xl_save_version();
  if (!xli_must(in, *version > 0) ||
      !xli_must(in, xli_get(in, 8) == len - SAVE_HEADER) ||
      !xli_must(in, xli_get(in, 8) == sum_of(all, len))) {
    return XL_E_FILE_CORRUPT;
  }
  in->word = all + 4;
  return known ? XL_OK : XL_E_UNKNOWN_REVISION;
}

/* Something of what was loaded may be due at once. */
static void wake(xl_agent *a) {
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    xli_agent_wake(a, xli_job_next_due(j));
  }
  xli_agent_wake(a, xli_cache_next_due(a));
}

/* The agent, or NULL; |in| tells where it went wrong. */
static xl_err load(xl_agent **out, xl_engine *eng, const xl_agent_cfg *cfg,
                   save_in *in, xl_time now) {
  uint32_t known = eng->names.n, version;
  xl_agent *a;

  xl_err err = check_header(in, (size_t)(in->end - in->at), &version);
  err = err != XL_OK ? err : xl_agent_new(&a, eng, cfg, now);
  if (err != XL_OK) {
    return err;
  }
  if (!xli_load_body(in, a, version)) {
    xl_agent_del(a);
    xli_names_cut(eng, &eng->names, known);
    return eng->status != XL_OK ? eng->status : XL_E_FILE_CORRUPT;
  }
  a->waits = true;
  wake(a);
  *out = a;
  return XL_OK;
}

xl_err xl_agent_load(xl_agent **out, xl_engine *eng, const xl_agent_cfg *cfg,
                     const void *bytes, size_t len, xl_save_fault *fault,
                     xl_time now) {
  const unsigned char *p = bytes;
  save_in in = {.at = p, .end = p + len, .word = p, .part = "header"};

  *out = NULL;
  if (eng->status != XL_OK) {
    return eng->status;
  }
  xl_err err = now < 0 ? XL_E_INVALIDARG : load(out, eng, cfg, &in, now);
  if (fault != NULL) {
    *fault = (xl_save_fault){0, NULL};
    if (err == XL_E_FILE_CORRUPT || err == XL_E_UNKNOWN_REVISION) {
      *fault = (xl_save_fault){(size_t)(in.word - p), in.part};
    }
  }
  return err;
}

xl_err xl_agent_start(xl_agent *a, xl_time now) {
  if (!xli_enter(a->engine, now)) {
    return a->engine->status;
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (j->state == XL_JOB_TRANSIENT_ERROR && j->retry_due == XL_NEVER) {
      xli_job_link(j, true); /* what it waited for is looked at anew */
    } else if (j->state == XL_JOB_TRANSFERRED || j->state == XL_JOB_ERROR) {
      xli_notify_state(j);
    }
    xli_agent_wake(a, xli_job_next_due(j));
  }
  a->waits = false;
  a->resched = true;
  xli_agent_settle_jobs(a);
  return a->engine->status;
}
