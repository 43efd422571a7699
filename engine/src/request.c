/* SPDX-License-Identifier: MIT */
#include "request.h"

#include "agent.h"
#include "alloc.h"
#include "engine.h"
#include "file.h"

#define CHUNK 64u

void xli_pool_fini(xl_engine *eng, request_pool *p) {
  assert(p->used == 0);
  for (uint32_t i = 0; i < p->nchunks; i++) {
    xli_free(eng, p->chunks[i]);
  }
  xli_free(eng, p->chunks);
  *p = (request_pool){0};
}

static bool refill(xl_engine *eng, request_pool *p) {
  request **v =
      xli_grow(eng, p->chunks, &p->cap, p->nchunks + 1, sizeof(request *));

  if (v == NULL) {
    return false;
  }
  p->chunks = v;
  request *chunk = xli_new(eng, CHUNK * sizeof *chunk);
  if (chunk == NULL) {
    return false;
  }
  p->chunks[p->nchunks++] = chunk;
  for (uint32_t i = CHUNK; i-- > 0;) {
    chunk[i].next = p->free;
    p->free = &chunk[i];
  }
  return true;
}

request *xli_request_new(xl_agent *a, xl_file *f) {
  request_pool *p = &a->engine->pool;

  if (p->free == NULL && !refill(a->engine, p)) {
    return NULL;
  }
  request *r = p->free;
  p->free = r->next;
  p->used++;
  *r = (request){.next = a->requests,
                 .file = f,
                 .number = ++a->numbers,
                 .peer = XL_NONE,
                 .asked = a->engine->now,
                 .first = -1,
                 .moved = a->engine->now,
                 .scope = XL_SCOPE_NONE,
                 .end = XL_END_CANCELLED,
                 .dropped = XL_NCLASSES};
  a->requests = r;
  return r;
}

void xli_request_del(xl_agent *a, request *r) {
  request_pool *p = &a->engine->pool;
  request **at = &a->requests;

  while (*at != r) {
    at = &(*at)->next;
  }
  *at = r->next;
  xli_free(a->engine, r->wasted);
  r->next = p->free;
  r->file = NULL;
  p->free = r;
  p->used--;
}

request *xli_request_find(const xl_agent *a, uint32_t number) {
  for (request *r = a->requests; r != NULL; r = r->next) {
    if (r->number == number) {
      return r;
    }
  }
  return NULL;
}

xl_bytes xli_request_delivered(const request *r) {
  xl_bytes sum = r->useful;

  for (int i = 0; r->wasted != NULL && i < NWASTED; i++) {
    sum += r->wasted[i];
  }
  return sum;
}

bool xli_request_see(request *r, xl_bytes seen, xl_time now) {
  if (seen <= r->seen) {
    return false;
  }
  xli_rates_count(&r->file->rates, r->kind, seen - r->seen);
  r->seen = seen;
  r->moved = now;
  if (r->first < 0) {
    r->first = now;
  }
  return true;
}
