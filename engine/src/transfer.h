/* SPDX-License-Identifier: MIT */
/*
 * From a decision to bytes: asking, booking what arrives, and the end of a
 * request with its consequences.
 */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "file.h"
#include "request.h"

/* ---- ask.c */

/* HEAD of the current remote name. */
void xli_ask_head(xl_file *f);
/* GET of the whole file, of a size not yet known. */
void xli_ask_blind(xl_file *f);
/* Asks the policy for peers and requests until it says no. */
void xli_ask_more(xl_file *f);
/* The same again, of where a redirection led. */
void xli_ask_elsewhere(request *r);
/* How many application ranges |r| touches: byte ranges of a GET of it. */
uint32_t xli_ask_parts(const xl_file *f, xl_range r);
/* After the HEAD of a peer: the GET. */
void xli_ask_body(request *r);
/* Gives up: CANCEL now, booked as |end| when it is answered. */
void xli_ask_cancel(request *r, xl_end end, xl_err err);
void xli_ask_cancel_all(xl_file *f);
/* The first bytes at or after |from| neither received nor asked for. */
bool xli_ask_gap(const xl_file *f, xl_bytes from, xl_range *out);
/* Bytes, or the answer, came: it is looked at again when it would be stalled
   or has lasted too long. */
void xli_ask_moved(request *r);
/* The request is looked at at its |due|. */
void xli_ask_due(request *r);
/* Reads how far requests of |f| are, at most once a second. */
void xli_ask_sample(xl_file *f);

/* ---- book.c */

/* |n| more bytes of |r| have arrived; |data| may be NULL. |good|: checked. */
void xli_book(request *r, xl_bytes n, bool good, const void *data);
/* What arrived and waits is good up to |end|. */
void xli_book_good(request *r, xl_bytes end);
/* What arrived and waits up to |end| failed its check: its pieces are dropped
   as far as they are not held. */
void xli_book_bad(request *r, xl_bytes end);
/* Which pieces of |range| are busy follows from the requests and from what
   waits for its check: anew. */
void xli_book_release(xl_file *f, xl_range range);
/* All useful bytes of |f| go to |to|. */
void xli_book_drop(xl_file *f, xl_class to);

/* ---- end.c */

/* The request is over: booked, told, freed. No consequences yet. */
typedef struct ended {
  xl_file *file;
  xl_source_kind kind;
  uint32_t peer;
  xl_end end;
  xl_err err;
  xl_span retry_after;
  bool head;
  bool multipart; /* it asked for several ranges at once */
} ended;

ended xli_end(request *r, xl_end end, xl_err err);
/* What follows from it for the source, the file and the job. */
void xli_end_follow(const ended *e);

#endif
