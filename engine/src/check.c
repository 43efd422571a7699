/* SPDX-License-Identifier: MIT */
/*
 * Every invariant, counted anew from the ground up. Slow; for tests and the end
 * of a run. Each function returns NULL, or the phrase that names what is
 * broken.
 */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "bits.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"
#include "servers.h"
#include "transfer.h"

#define MUST(cond, text)                                                       \
  do {                                                                         \
    if (!(cond)) {                                                             \
      return text;                                                             \
    }                                                                          \
  } while (0)

/* ---- bytes ---- */

static xl_bytes held_bytes(const have *h) {
  xl_bytes sum = 0;

  for (uint32_t p = 0; p < h->npieces; p++) {
    if (xli_map_holds(h->map, p)) {
      xl_range r = xli_have_bytes(h, p);
      sum += r.end - r.begin;
    }
  }
  return sum;
}

static const char *check_parts(const have *h) {
  for (uint32_t i = 0; i < h->nparts; i++) {
    const part *p = &h->parts[i];
    uint32_t begin, end;
    MUST(p->begin < p->end && p->end <= h->size, "a part is empty or too long");
    MUST(i == 0 || h->parts[i - 1].end <= p->begin, "parts overlap");
    MUST(p->class < XL_CLASS_USEFUL_END, "a part is not a first copy");
    xli_have_pieces(h, (xl_range){p->begin, p->end}, &begin, &end);
    for (uint32_t k = begin; k < end; k++) {
      MUST(!xli_map_holds(h->map, k), "a part lies in a held piece");
    }
  }
  return NULL;
}

static bool is_asked(const xl_file *f, uint32_t piece) {
  xl_range b = xli_have_bytes(&f->have, piece);

  for (const request *r = f->job->agent->requests; r != NULL; r = r->next) {
    xl_range open = xli_request_open(r);
    if (r->file == f && open.begin < open.end && open.begin < b.end &&
        b.begin < open.end) {
      return true;
    }
  }
  return false;
}

static const char *check_busy(const xl_file *f) {
  const have *h = &f->have;
  uint32_t n = 0;

  for (uint32_t p = 0; p < h->npieces; p++) {
    bool busy = xli_have_is_busy(h, p);
    bool should = !xli_map_holds(h->map, p) &&
                  (is_asked(f, p) || xli_have_is_whole(h, p));
    n += busy;
    MUST(busy == should, "a piece is busy and should not be, or should be");
  }
  MUST(n == h->nbusy, "the count of busy pieces is wrong");
  return NULL;
}

static const char *check_have(const xl_file *f) {
  const have *h = &f->have;
  xl_bytes sum = held_bytes(h);
  const char *bad = xli_map_check(h->map);

  MUST(bad == NULL, bad);
  MUST(h->npieces == h->map->npieces, "map and file differ in pieces");
  MUST(h->size == xli_ranges_total(f->ranges, f->nranges, f->version.size),
       "the local size is not that of the ranges");
  bad = check_parts(h);
  MUST(bad == NULL, bad);
  for (uint32_t i = 0; i < h->nparts; i++) {
    sum += h->parts[i].end - h->parts[i].begin;
  }
  MUST(sum == f->received, "received bytes are not those of pieces and parts");
  return check_busy(f);
}

/* ---- peers ---- */

static const char *check_swarm(const xl_file *f) {
  const swarm *s = f->swarm;
  const xl_agent *a = f->job->agent;

  for (uint32_t i = 0; i < s->n; i++) {
    uint32_t requests = 0;
    for (const request *r = a->requests; r != NULL; r = r->next) {
      requests += r->file == f && r->peer == i;
    }
    MUST(requests == s->peers[i].requests, "a peer's count of requests");
    MUST(xli_peers_find(s, s->peers[i].id) == i, "a peer is known twice");
    MUST(s->peers[i].nheld <= f->have.npieces, "a peer is seen to hold more "
                                               "pieces than there are");
  }
  MUST(s->n <= a->engine->cfg.peers_max, "too many known peers");
  for (uint32_t p = 0; s->avail != NULL && !s->stale && p < f->have.npieces;
       p++) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
      if (s->peers[i].counted) {
        if (xli_peer_map(f, i) == NULL) {
          return NULL; /* has gone since; found out by the next sync */
        }
        n += xli_peer_has(f, i, p);
      }
    }
    MUST(n == xli_peers_holders(f, p),
         "the count of holders of a piece is wrong");
  }
  return NULL;
}

/* ---- files ---- */

static const char *check_requests_of(const xl_file *f) {
  uint32_t origin = 0, peers = 0;

  for (const request *r = f->job->agent->requests; r != NULL; r = r->next) {
    if (r->file == f) {
      origin += r->kind == XL_SOURCE_ORIGIN;
      peers += r->kind == XL_SOURCE_PEER;
    }
  }
  MUST(origin == f->norigin && peers == f->npeer,
       "a file's count of requests under way");
  return NULL;
}

/* No byte is asked for twice unless a pick said so. */
static const char *check_twice(const xl_file *f) {
  for (const request *r = f->job->agent->requests; r != NULL; r = r->next) {
    xl_range a = xli_request_open(r);
    for (const request *o = r->next;
         o != NULL && r->file == f && a.begin < a.end; o = o->next) {
      xl_range b = xli_request_open(o);
      MUST(o->file != f || b.begin >= b.end || a.end <= b.begin ||
               b.end <= a.begin || r->reason == XL_REASON_ENDGAME ||
               o->reason == XL_REASON_ENDGAME,
           "a byte is asked for twice");
    }
  }
  return NULL;
}

static const char *check_file(const xl_file *f) {
  const xl_ledger ledger = xli_books_ledger(&f->books);
  xl_bytes mirrors = 0;
  const char *bad;

  MUST(xl_ledger_useful(&ledger) == f->received,
       "a file's useful classes do not sum to what it has received");
  for (uint32_t i = 0; i < f->nremotes; i++) {
    mirrors += f->remotes[i].first;
  }
  MUST(mirrors == ledger.bytes[XL_CLASS_ORIGIN],
       "a file's mirrors do not sum to its origin bytes");
  MUST(ledger.bytes[XL_CLASS_LATE] == 0, "a file books late bytes");
  MUST(f->mirror < f->nremotes, "a remote name that is not there");
  MUST(f->phase != FILE_MOVING || (f->have.map != NULL && f->begun),
       "a file moves that has no size");
  MUST(xli_job_running(f->job) || f->phase == FILE_WAITING ||
           f->phase == FILE_DONE,
       "a file is active in a job that does not run");
  MUST(f->phase != FILE_DONE || xli_job_final(f->job) ||
           f->received == f->have.size,
       "a file is done and lacks bytes");
  bad = check_requests_of(f);
  if (bad == NULL && f->have.map != NULL) {
    bad = check_have(f);
  }
  if (bad == NULL && f->have.map != NULL && f->swarm != NULL) {
    bad = check_swarm(f);
  }
  return bad != NULL ? bad : check_twice(f);
}

/* ---- jobs, requests, cache ---- */

/* The agent is woken for what is due at |t|: a nanosecond later at the most, as
   what came up while it did what was due. */
static bool woken(const xl_agent *a, xl_time t) {
  return t >= a->due || a->due <= a->engine->now + 1;
}

static const char *check_jobs(const xl_agent *a) {
  uint32_t background = 0;
  const char *bad;

  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    uint32_t active = 0;
    MUST(j->state <= XL_JOB_CANCELLED, "a job's state is out of range");
    MUST(j->priority <= XL_PRIORITY_LOW, "a job's priority is out of range");
    MUST(j->err == XL_OK || j->state != XL_JOB_TRANSFERRING,
         "a transferring job has an error to report");
    MUST(j->state != XL_JOB_TRANSIENT_ERROR || j->err != XL_OK,
         "a job in an error state has no error");
    for (uint32_t i = 0; i < j->nfiles; i++) {
      const xl_file *f = j->files[i];
      MUST(f->index == i && f->job == j, "a file is not where it should be");
      active += f->phase == FILE_SIZING || f->phase == FILE_MOVING;
      bad = check_file(f);
      MUST(bad == NULL, bad);
    }
    MUST(active <= 1 || xli_job_parallel(j), "two files of a job at a time");
    MUST(!xli_job_running(j) || active > 0, "a running job does nothing");
    background += xli_job_running(j) && !xli_job_parallel(j) &&
                  j->priority != XL_PRIORITY_FOREGROUND;
  }
  MUST(background <= 1, "two background jobs at a time");
  return NULL;
}

static const char *check_requests(const xl_agent *a, uint32_t *used) {
  for (const request *r = a->requests; r != NULL; r = r->next) {
    (*used)++;
    MUST(r->file->job->agent == a, "a request of another agent");
    MUST(r->state <= REQUEST_CANCELLING, "a request's state");
    MUST(r->number > 0 && r->number <= a->numbers, "a request's number");
    MUST(woken(a, r->due), "a request is due before its agent");
    MUST(xli_request_find(a, r->number) == r, "a number is used twice");
    MUST(r->blind || r->range.begin <= r->range.end, "a request's range");
    MUST(r->seen >= xli_request_delivered(r),
         "a request has delivered more than was seen to arrive");
    MUST(r->judged <= r->pos || r->dropped != XL_NCLASSES,
         "a request is judged beyond its position");
  }
  return NULL;
}

static const char *check_cache(const xl_agent *a) {
  xl_bytes held = 0, lasting = 0;
  uint32_t uploads = 0;

  for (uint32_t i = 0; i < a->cache.n; i++) {
    const copy *c = &a->cache.copies[i];
    const char *bad = xli_map_check(c->map);
    MUST(bad == NULL, bad);
    MUST(c->file == NULL || c->map == c->file->have.map,
         "a shared map is not that of its file");
    MUST(!c->cached || (c->validated && c->map->nheld == c->map->npieces),
         "the cache holds what is not whole and validated");
    MUST(c->doomed || xli_cache_find(a, c->key, c->version) == i,
         "a content is held twice");
    MUST(!c->cached || c->doomed || woken(a, c->expires),
         "a copy expires before its agent is due");
    held += c->cached ? c->size : 0;
    lasting += c->cached && !c->doomed ? c->size : 0;
    uploads += c->uploads;
  }
  MUST(held == a->cache.held, "the cache's bytes");
  MUST(lasting <= a->cache.max, "the cache is over its size");
  MUST(uploads <= a->device.uploads, "uploads of copies and of the device");
  return NULL;
}

static const char *check_agent(const xl_agent *a, uint32_t *used) {
  const char *bad = NULL;

  MUST((a->due == XL_NEVER) == (a->heap_i == XL_NONE),
       "an agent is in the heap and not due, or due and not in it");
  MUST(!a->resched || a->waits, "the scheduler was not run");
  for (const xl_job *j = a->jobs; j != NULL; j = j->next) {
    MUST(woken(a, xli_job_next_due(j)), "a job is due before its agent");
  }
  bad = check_jobs(a);
  if (bad == NULL) {
    bad = check_requests(a, used);
  }
  if (bad == NULL) {
    bad = xli_servers_check(a);
  }
  return bad != NULL ? bad : check_cache(a);
}

const char *xl_agent_check(xl_agent *a) {
  uint32_t used = 0;

  a->engine->epoch++;
  return check_agent(a, &used);
}

const char *xl_engine_check(xl_engine *eng) {
  uint32_t used = 0, nagents = 0;

  eng->epoch++; /* what the environment lent before may be gone */
  MUST(xli_heap_check(&eng->heap), "the heap of deadlines is out of order");
  for (const xl_agent *a = eng->agents; a != NULL; a = a->next) {
    const char *bad = check_agent(a, &used);
    nagents++;
    MUST(bad == NULL, bad);
  }
  MUST(used == eng->pool.used, "requests of agents and of the pool");
  MUST(nagents == eng->nagents, "the count of agents");
  return NULL;
}
