/* SPDX-License-Identifier: MIT */
/*
 * Requests under way: one HEAD or GET to one source. They live in a pool of the
 * engine and in the list of their agent.
 *
 *   ASKED --reply or first bytes--> ANSWERED
 *   ASKED, ANSWERED --this side gives up--> CANCELLING (waits for the end)
 *
 * [pos, range.end) is asked for and has not arrived; [judged, pos) has arrived
 * and waits for its check. |useful| and |wasted| say what became of the bytes.
 */
#ifndef ENGINE_REQUEST_H
#define ENGINE_REQUEST_H

#include <xl/http.h>

#include "book.h"

typedef enum request_state {
  REQUEST_ASKED,
  REQUEST_ANSWERED,
  REQUEST_CANCELLING
} request_state;

typedef struct request {
  struct request *next; /* of the agent, newest first; or of the free list */
  xl_file *file;
  uint32_t number;
  uint32_t peer;   /* index of the known peer; XL_NONE: an origin, or gone */
  uint32_t source; /* device number, or mirror index */
  uint32_t rejected;
  xl_range range; /* of the local file; HEAD of an origin: empty */
  xl_bytes pos;
  xl_bytes judged;
  xl_bytes seen; /* known to have arrived, delivered or not */
  xl_time asked;
  xl_time first;    /* -1: none */
  xl_time moved;    /* when bytes or a reply were last seen */
  xl_time due;      /* when to look whether it is stalled */
  xl_bytes useful;  /* first copies */
  xl_bytes *wasted; /* owned; as of a file */
  union {
    xl_name url; /* where a redirection led; 0: the remote name */
    xl_err err;  /* CANCELLING: of the end */
  };
  uint32_t state : 2, kind : 2, scope : 3, reason : 5;
  uint32_t hops : 4; /* redirections followed */
  uint32_t end : 4;  /* what a cancel is booked as */
  uint32_t
      dropped : 4;     /* bytes go to this class from now on; XL_NCLASSES: no */
  uint32_t head : 1;   /* a HEAD is under way; for peers a GET follows */
  uint32_t blind : 1;  /* the whole file, of a size not yet known */
  uint32_t bad : 1;    /* a check failed */
  uint32_t picked : 1; /* by the policy: the file waited for that */
} request;

_Static_assert(XL_NREASONS <= 32 && XL_NENDS <= 16 && XL_NCLASSES < 16 &&
                   XL_NSCOPES <= 8 && XL_HTTP_HOPS_MAX < 16,
               "the fields of a request hold every value");

typedef struct request_pool {
  request **chunks; /* owned */
  uint32_t nchunks, cap;
  request *free;
  uint32_t used;
} request_pool;

void xli_pool_fini(xl_engine *eng, request_pool *p);
/* A zeroed request in |a|'s list with the agent's next number; NULL when out
   of memory. */
request *xli_request_new(xl_agent *a, xl_file *f);
void xli_request_del(xl_agent *a, request *r);
/* NULL when it has ended. */
request *xli_request_find(const xl_agent *a, uint32_t number);
xl_bytes xli_request_delivered(const request *r);
/* The bytes of the file it still asks for; none for a HEAD of an origin and
   when they would be dropped. */
static inline xl_range xli_request_open(const request *r) {
  bool none = r->blind || r->dropped != XL_NCLASSES || r->pos > r->range.end;
  return (xl_range){r->pos, none ? r->pos : r->range.end};
}
/* Notes that |seen| bytes have arrived, and when; true when that is more. */
bool xli_request_see(request *r, xl_bytes seen, xl_time now);

#endif
