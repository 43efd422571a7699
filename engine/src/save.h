/* SPDX-License-Identifier: MIT */
/*
 * Persistence, shared by its files: bytes out and in, and the tables of
 * properties. A property that is a plain field is one line in save_fields.c;
 * lines are never removed and tags never used again.
 */
#ifndef ENGINE_SAVE_H
#define ENGINE_SAVE_H

#include <xl/save.h>

#include "admin.h"
#include "rare.h"

#define SAVE_HEADER 24u
#define SAVE_SERVERS_SINCE 51u           /* version */
#define SAVE_SPAN_MAX ((xl_span)1 << 61) /* of anything read: no overflow */
#define SAVE_BYTES_MAX ((xl_bytes)1 << 61)

/* ---- save_bytes.c */

typedef struct save_out {
  unsigned char *buf; /* NULL: only counts */
  size_t cap, len;
} save_out;

/* |n| low bytes of |v|, least significant first. */
void xli_put(save_out *o, uint64_t v, unsigned n);
void xli_put_text(save_out *o, const char *s); /* may be NULL */

typedef struct save_in {
  const unsigned char *at, *end;
  const unsigned char *word; /* what was read last */
  const char *part;          /* of the body, being read */
  bool bad; /* what was read is not what a save writes; sticky: |at|, |word|
               and |part| stay as they are */
} save_in;

/* What was read last is bad unless |good|; false when anything was. */
bool xli_must(save_in *in, bool good);
/* 0 and bad when fewer are left. */
uint64_t xli_get(save_in *in, unsigned n);
/* In [0, max]; else bad and 0. */
uint64_t xli_get_max(save_in *in, unsigned n, uint64_t max);
/* A count of things of at least |each| bytes: no more than there are. */
uint32_t xli_get_count(save_in *in, size_t each);
/* Interned; 0 when it is NULL, bad or out of memory. */
xl_name xli_get_text(save_in *in, xl_engine *eng);
uint64_t xli_checksum(uint64_t h, const unsigned char *p, size_t n);

/* ---- save_fields.c */

/* The properties that are plain fields, and how many kinds there are. */
void xli_put_agent_fields(save_out *o, const xl_agent *x);
void xli_put_job_fields(save_out *o, const xl_job *x);
void xli_put_rare_fields(save_out *o, const xl_engine *eng, const job_rare *x);
void xli_put_cache_fields(save_out *o, const cache_admin *x);
void xli_put_file_fields(save_out *o, const xl_file *x);
void xli_get_agent_fields(save_in *in, xl_agent *x);
void xli_get_job_fields(save_in *in, xl_job *x);
void xli_get_rare_fields(save_in *in, xl_engine *eng, job_rare *x);
void xli_get_cache_fields(save_in *in, cache_admin *x);
void xli_get_file_fields(save_in *in, xl_file *x);
uint32_t xli_save_nfields(void);

/* ---- save_load.c */

/* The body of a save of |version| into the fresh |a|. False: bad, or the
   engine's status. */
bool xli_load_body(save_in *in, xl_agent *a, uint32_t version);

#endif
