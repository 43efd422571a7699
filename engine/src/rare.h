/* SPDX-License-Identifier: MIT */
/*
 * The properties of a job that most jobs never set, in one block allocated at
 * the first of them (B10).
 */
#ifndef ENGINE_RARE_H
#define ENGINE_RARE_H

#include "job.h"

#define RARE_DEFAULT UINT32_MAX /* of a number: the policy's, or flavour's */

typedef struct credential {
  uint8_t target, scheme;
  xl_name user, password;
} credential;

/* An account: of a job's owner, or of who calls. */
typedef struct account {
  xl_name sid;
  uint32_t integrity;
  uint8_t kind;
  bool elevated, restricted;
} account;

/* Notices that wait, and the one being told (notify.c). */
typedef struct notices {
  uint32_t *files; /* owned; indices of finished files, oldest first */
  uint32_t nfiles, cap;
  uint32_t file;  /* being told */
  xl_time again;  /* told: when to tell again; else: not before */
  uint8_t flags;  /* BG_NOTIFY_* */
  uint8_t due;    /* 1 << xl_notice */
  uint8_t told;   /* xl_notice; XL_NNOTICES: none */
  bool interface; /* somebody answers */
} notices;

typedef struct job_rare {
  uint32_t min_retry_s, no_progress_s, max_download_s;
  xl_name description;
  account owner;
  uint32_t acl, cost;
  uint32_t proxy; /* xl_proxy_usage */
  xl_name proxies, bypass;
  xl_name program, parameters;
  credential *credentials; /* owned */
  uint32_t ncredentials;
  xl_time command_due; /* when to run the command line again; XL_NEVER */
  bool command_failed; /* the callback failed: the command line is next */
  notices notices;
} job_rare;

/* What |j| has, or the defaults. */
const job_rare *xli_rare(const xl_job *j);
/* Its own, made if need be; NULL when out of memory. */
job_rare *xli_rare_need(xl_job *j);
void xli_rare_del(xl_engine *eng, job_rare *r);
/* E_INVALIDARG: NULL and not |may_be_null|; E_STRING_TOO_LONG. */
xl_err xli_text_check(const char *text, size_t max, bool may_be_null);
/* The proxy list can be used (R432). */
bool xli_job_proxy_good(const xl_job *j);
/* The credentials for |target| (R472); NULL. */
const credential *xli_rare_credential(const xl_job *j, uint8_t target);

#endif
