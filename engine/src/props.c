/* SPDX-License-Identifier: MIT */
/* The properties of a job: the calls of agent.h that store, and what asks for
   them. */
#include <string.h>

#include "agent.h"
#include "alloc.h"
#include "delivery.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "machine.h"

#define NAME_MAX_LEN 256u /* R419 */
#define DESCRIPTION_MAX 1024u
#define PROXY_MAX 4000u /* R432 */
#define SECRET_MAX 300u /* R472, user name */
#define PASSWORD_MAX 65535u

/* Begins a setter of what DO does not have (R480). |err|: of the arguments. */
static xl_err begin(xl_job *j, xl_time now, xl_err err) {
  xl_err may = xli_job_change(j, now);

  if (may == XL_OK && xli_job_is_do(j)) {
    may = XL_E_NOTIMPL;
  }
  if (may != XL_OK || err != XL_OK) {
    return may != XL_OK ? may : err;
  }
  return xli_rare_need(j) == NULL ? XL_E_OUTOFMEMORY : XL_OK;
}

static xl_err end(xl_job *j, xl_err err) {
  if (err == XL_OK) {
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

static const char *text_of(const xl_job *j, xl_name name) {
  return xl_engine_string(j->agent->engine, name);
}

static xl_name name_of(xl_job *j, const char *text) {
  return text == NULL ? 0 : xl_engine_name(j->agent->engine, text);
}

/* ---- names ---- */

xl_err xl_job_set_display_name(xl_job *j, const char *name, xl_time now) {
  xl_err err = begin(j, now, xli_text_check(name, NAME_MAX_LEN, false));

  if (err == XL_OK) {
    xl_name n = name_of(j, name);
    j->name = n == 0 ? j->name : n;
  }
  return end(j, err);
}

const char *xl_job_display_name(const xl_job *j) {
  return text_of(j, j->name);
}

xl_err xl_job_set_description(xl_job *j, const char *text, xl_time now) {
  xl_err err = begin(j, now, xli_text_check(text, DESCRIPTION_MAX, false));

  if (err == XL_OK) {
    j->rare->description = name_of(j, text);
  }
  return end(j, err);
}

const char *xl_job_description(const xl_job *j) {
  xl_name n = xli_rare(j)->description;

  return n == 0 ? "" : text_of(j, n);
}

/* ---- what is read only ---- */

xl_job_type xl_job_type_of(const xl_job *j) {
  (void)j;
  return XL_JOB_DOWNLOAD;
}

xl_priority xl_job_priority_of(const xl_job *j) {
  return (xl_priority)j->priority;
}

uint32_t xl_job_peercaching(const xl_job *j) {
  return j->peercaching;
}

void xl_job_times_of(const xl_job *j, xl_job_times *out) { /* R431 */
  *out = (xl_job_times){.creation = j->created,
                        .modification = j->created + XL_SEC(j->modified_s),
                        .completion = j->nfiles > 0 ? j->created : -1};
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_time t = j->files[i]->finished;
    if (t < 0) {
      out->completion = -1;
      return;
    }
    out->completion = t > out->completion ? t : out->completion;
  }
}

/* ---- errors (R429, R484) ---- */

static bool is_http(xl_err err) {
  return XL_HRESULT(err) >> 16 == 0x8019u;
}

static xl_error_context context_of(xl_err err) {
  static const struct {
    xl_err err;
    uint8_t context;
  } contexts[] = {{XL_E_INVALID_RANGE, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_MISSING_FILE_SIZE, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_INSUFFICIENT_HTTP_SUPPORT, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_INSUFFICIENT_RANGE_SUPPORT, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_INVALID_SERVER_RESPONSE, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_FILE_NOT_FOUND, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_PATH_NOT_FOUND, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_ACCESSDENIED, XL_CONTEXT_REMOTE_FILE},
                  {XL_E_DESTINATION_LOCKED, XL_CONTEXT_LOCAL_FILE},
                  {XL_E_VOLUME_CHANGED, XL_CONTEXT_LOCAL_FILE},
                  {XL_E_VALIDATION_FAILED, XL_CONTEXT_LOCAL_FILE},
                  {XL_E_CONNECT_FAILURE, XL_CONTEXT_GENERAL_TRANSPORT},
                  {XL_E_CONNECTION_CLOSED, XL_CONTEXT_GENERAL_TRANSPORT},
                  {XL_E_TIMEOUT, XL_CONTEXT_GENERAL_TRANSPORT},
                  {XL_E_NETWORK_DISCONNECTED, XL_CONTEXT_GENERAL_TRANSPORT},
                  {XL_E_INVALID_PROXY_INFO, XL_CONTEXT_GENERAL_TRANSPORT}};

  for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
    if (contexts[i].err == err) {
      return (xl_error_context)contexts[i].context;
    }
  }
  return is_http(err) ? XL_CONTEXT_REMOTE_FILE
                      : XL_CONTEXT_GENERAL_QUEUE_MANAGER;
}

xl_error_context xl_job_error_context(const xl_job *j) {
  if (j->err == XL_OK) {
    return XL_CONTEXT_NONE;
  }
  if (xli_job_is_do(j)) { /* R484 */
    return j->err == XL_E_HTTP(403) ? XL_CONTEXT_REMOTE_FILE : XL_CONTEXT_NONE;
  }
  return context_of(j->err);
}

xl_err xl_job_error_file(const xl_job *j, xl_file **out) {
  xl_err code;
  xl_err err = xl_job_error(j, &code, out);

  return err == XL_OK && *out == NULL
             ? xli_delivery_err(j, XL_E_FILE_NOT_AVAILABLE)
             : err;
}

/* ---- flags ---- */

xl_err xl_job_set_cost_flags(xl_job *j, uint32_t flags, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK && xli_rare_need(j) != NULL) { /* R458 */
    j->rare->cost = flags;
    j->agent->resched = true;
  }
  return end(j, err);
}

uint32_t xl_job_cost_flags(const xl_job *j) {
  return xli_rare(j)->cost;
}

xl_err xl_job_set_acl_flags(xl_job *j, uint32_t flags, xl_time now) {
  xl_err bad = (flags & ~XL_COPY_FILE_ALL) != 0 ? XL_E_INVALIDARG : XL_OK;
  xl_err err = begin(j, now, bad);

  if (err == XL_OK && j->state == XL_JOB_TRANSFERRED) {
    err = XL_E_INVALID_STATE; /* R503 */
  }
  if (err == XL_OK) {
    j->rare->acl = flags;
  }
  return end(j, err);
}

uint32_t xl_job_acl_flags(const xl_job *j) {
  return xli_rare(j)->acl;
}

/* ---- proxy (R432) ---- */

static xl_err check_proxy(const xl_proxy *p) {
  bool any = p->proxies != NULL || p->bypass != NULL;

  if ((uint32_t)p->usage > XL_PROXY_AUTODETECT) {
    return XL_E_NOTIMPL;
  }
  if (p->usage == XL_PROXY_OVERRIDE ? p->proxies == NULL : any) {
    return XL_E_INVALIDARG;
  }
  if (p->proxies != NULL && strlen(p->proxies) > PROXY_MAX) {
    return XL_E_PROXY_LIST_TOO_LARGE;
  }
  return p->bypass != NULL && strlen(p->bypass) > PROXY_MAX
             ? XL_E_PROXY_BYPASS_LIST_TOO_LARGE
             : XL_OK;
}

xl_err xl_job_set_proxy(xl_job *j, const xl_proxy *p, xl_time now) {
  xl_err err = begin(j, now, check_proxy(p));

  if (err == XL_OK) {
    j->rare->proxy = p->usage;
    j->rare->proxies = name_of(j, p->proxies);
    j->rare->bypass = name_of(j, p->bypass);
  }
  return end(j, err);
}

void xl_job_proxy(const xl_job *j, xl_proxy *out) {
  const job_rare *r = xli_rare(j);

  *out = (xl_proxy){.usage = (xl_proxy_usage)r->proxy,
                    .proxies = text_of(j, r->proxies),
                    .bypass = text_of(j, r->bypass)};
}

/* Servers, separated by blanks or semicolons: at least one, of characters that
   a host, a port and a scheme have. */
static bool is_proxy_list(const char *s) {
  bool any = false;

  for (; *s != '\0'; s++) {
    if ((unsigned char)*s < ' ' || strchr("<>\"|*?", *s) != NULL) {
      return false;
    }
    any = any || (*s != ' ' && *s != ';');
  }
  return any;
}

bool xli_job_proxy_good(const xl_job *j) {
  const job_rare *r = xli_rare(j);

  return r->proxy != XL_PROXY_OVERRIDE || is_proxy_list(text_of(j, r->proxies));
}

/* ---- credentials (R472) ---- */

static xl_err check_key(uint32_t target, uint32_t scheme) {
  if (target != XL_AUTH_SERVER && target != XL_AUTH_PROXY) {
    return XL_E_INVALID_AUTH_TARGET;
  }
  return scheme < XL_AUTH_BASIC || scheme > XL_AUTH_PASSPORT
             ? XL_E_INVALID_AUTH_SCHEME
             : XL_OK;
}

static xl_err check_credentials(const xl_credentials *c) {
  xl_err err = check_key(c->target, c->scheme);
  bool plain = c->scheme == XL_AUTH_BASIC || c->scheme == XL_AUTH_DIGEST;

  if (err != XL_OK) {
    return err;
  }
  if (plain && (c->user == NULL || c->password == NULL)) {
    return XL_E_INVALIDARG;
  }
  if (c->user != NULL && strlen(c->user) > SECRET_MAX) {
    return XL_E_USERNAME_TOO_LARGE;
  }
  return c->password != NULL && strlen(c->password) > PASSWORD_MAX
             ? XL_E_PASSWORD_TOO_LARGE
             : XL_OK;
}

/* Index, or ncredentials. */
static uint32_t find_credential(const job_rare *r, uint32_t target,
                                uint32_t scheme) {
  uint32_t i = 0;

  while (i < r->ncredentials && (r->credentials[i].target != target ||
                                 r->credentials[i].scheme != scheme)) {
    i++;
  }
  return i;
}

xl_err xl_job_set_credentials(xl_job *j, const xl_credentials *c, xl_time now) {
  xl_err err = begin(j, now, check_credentials(c));

  if (err != XL_OK) {
    return end(j, err);
  }
  job_rare *r = j->rare;
  uint32_t i = find_credential(r, c->target, c->scheme);
  if (i == r->ncredentials) {
    uint32_t cap = r->ncredentials;
    credential *v =
        xli_grow(j->agent->engine, r->credentials, &cap, i + 1, sizeof *v);
    if (v == NULL) {
      return end(j, XL_E_OUTOFMEMORY);
    }
    r->credentials = v;
    r->ncredentials++;
  }
  r->credentials[i] = (credential){.target = (uint8_t)c->target,
                                   .scheme = (uint8_t)c->scheme,
                                   .user = name_of(j, c->user),
                                   .password = name_of(j, c->password)};
  return end(j, XL_OK);
}

xl_err xl_job_remove_credentials(xl_job *j, xl_auth_target target,
                                 xl_auth_scheme scheme, xl_time now) {
  xl_err err = begin(j, now, check_key(target, scheme));

  if (err != XL_OK) {
    return end(j, err);
  }
  job_rare *r = j->rare;
  uint32_t i = find_credential(r, target, scheme);
  if (i == r->ncredentials) {
    return end(j, XL_S_FALSE);
  }
  r->credentials[i] = r->credentials[--r->ncredentials];
  return end(j, XL_OK);
}

bool xl_job_credentials(const xl_job *j, xl_auth_target target,
                        xl_credentials *out) {
  const credential *c = xli_rare_credential(j, (uint8_t)target);

  if (c == NULL) {
    return false;
  }
  *out = (xl_credentials){.target = target,
                          .scheme = (xl_auth_scheme)c->scheme,
                          .user = text_of(j, c->user),
                          .password = text_of(j, c->password)};
  return true;
}

/* ---- owner (R433, R510) ---- */

const char *xl_job_owner(const xl_job *j) {
  xl_name sid = xli_rare(j)->owner.sid;

  return sid == 0 ? MACHINE_SERVICE_SID : text_of(j, sid);
}

uint32_t xl_job_owner_integrity(const xl_job *j) {
  return xli_rare(j)->owner.integrity;
}

bool xl_job_owner_elevated(const xl_job *j) {
  return xli_rare(j)->owner.elevated;
}

xl_err xl_job_take_ownership(xl_job *j, xl_time now) {
  const account *caller = &xli_machine(j->agent)->caller;
  xl_err err = caller->kind == XL_ACCOUNT_USER ? XL_E_ACCESSDENIED : XL_OK;

  err = begin(j, now, err);
  if (err == XL_OK) {
    j->rare->owner = *caller;
    j->rare->owner.elevated = true;
    j->rare->ncredentials = 0;
    j->rare->program = j->rare->parameters = 0;
    j->agent->resched = true;
  }
  return end(j, err);
}

/* ---- upload with reply (R471) ---- */

xl_err xl_job_reply_progress(const xl_job *j, xl_job_progress *out) {
  (void)j;
  *out = (xl_job_progress){0};
  return XL_E_NOTIMPL;
}

xl_err xl_job_reply_data(const xl_job *j, const void **data, uint64_t *length) {
  (void)j;
  *data = NULL;
  *length = 0;
  return XL_E_NOTIMPL;
}

xl_err xl_job_set_reply_file_name(xl_job *j, const char *name, xl_time now) {
  (void)name;
  (void)now;
  (void)j;
  return XL_E_NOTIMPL;
}

xl_err xl_job_reply_file_name(const xl_job *j, const char **out) {
  (void)j;
  *out = NULL;
  return XL_E_NOTIMPL;
}

/* ---- jobs of the machine (R410, R411) ---- */

/* A name-based identity of agent and job: version 8 of RFC 9562. */
xl_guid xl_job_id(const xl_job *j) {
  const uint32_t word[4] = {j->agent->id, 0x584c8000u, 0x80000000u, j->id};
  xl_guid g;

  for (int i = 0; i < 16; i++) {
    g.b[i] = (uint8_t)(word[i / 4] >> (24 - i % 4 * 8));
  }
  return g;
}

xl_err xl_agent_get_job(xl_agent *a, const xl_guid *id, xl_job **out) {
  *out = NULL;
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    xl_guid g = xl_job_id(j);
    if (memcmp(&g, id, sizeof g) == 0 && !xli_job_final(j)) {
      const account *c = &xli_machine(a)->caller;
      if (c->kind == XL_ACCOUNT_USER && c->sid != xli_rare(j)->owner.sid) {
        return XL_E_ACCESSDENIED;
      }
      *out = j;
      return XL_OK;
    }
  }
  return a->policy->flavour == XL_FLAVOUR_DO ? XL_DO_JOB_NOT_FOUND
                                             : XL_E_NOT_FOUND;
}

xl_err xl_agent_enum_jobs(xl_agent *a, uint32_t flags, xl_job **out,
                          uint32_t cap, uint32_t *n) {
  const account *c = &xli_machine(a)->caller;
  bool all = (flags & XL_ENUM_ALL_USERS) != 0;

  *n = 0;
  if (a->policy->flavour == XL_FLAVOUR_DO) {
    return XL_E_NOTIMPL; /* R480 */
  }
  if (all && c->kind == XL_ACCOUNT_USER) {
    return XL_E_ACCESSDENIED;
  }
  for (xl_job *j = a->jobs; j != NULL; j = j->next) {
    if (!xli_job_final(j) && (all || xli_rare(j)->owner.sid == c->sid)) {
      if (*n < cap) {
        out[*n] = j;
      }
      (*n)++;
    }
  }
  return XL_OK;
}
