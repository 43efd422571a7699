/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <xl/http.h>

#include <string.h>

#include "agent.h"
#include "engine.h"
#include "file.h"
#include "job.h"
#include "ranges.h"

#define FLAGS                                                                  \
  (XL_HTTP_CHECK_CRL | XL_HTTP_IGNORE_CERT | XL_HTTP_REDIRECT_REPORT |         \
   XL_HTTP_REDIRECT_DISALLOW | XL_HTTP_HTTPS_TO_HTTP)
#define NAMES_MAX 1000u /* remote names a server may make a file collect */

/* What arrived without the check is not trusted (R812). */
static void distrust(xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    xl_file *f = j->files[i];
    if (f->phase != FILE_DONE && f->received > 0) {
      xli_file_restart(f, f->version);
      xli_file_after(f);
    }
  }
}

xl_err xl_job_set_security_flags(xl_job *j, uint32_t flags, xl_time now) {
  xl_err err = xli_job_change(j, now); /* R434 */

  if (err == XL_OK &&
      ((flags & ~FLAGS) != 0 ||
       (flags & XL_HTTP_REDIRECT_MASK) == XL_HTTP_REDIRECT_MASK - 0x400u)) {
    err = XL_E_NOTIMPL;
  }
  if (err == XL_OK) {
    bool checks = (flags & ~(uint32_t)j->http & XL_HTTP_CHECK_CRL) != 0;
    j->http = (uint16_t)(flags | (j->http & HTTP_DYNAMIC));
    xli_job_touch(j);
    if (checks) {
      distrust(j);
    }
  }
  return xli_job_done(j, err);
}

uint32_t xl_job_security_flags(const xl_job *j) {
  return j->http & ~HTTP_DYNAMIC;
}

/* ---- dynamic content (R802) ---- */

static bool has_ranges(const xl_job *j) {
  for (uint32_t i = 0; i < j->nfiles; i++) {
    if (j->files[i]->nranges > 0) {
      return true;
    }
  }
  return false;
}

xl_err xl_job_set_dynamic_content(xl_job *j, bool on, xl_time now) {
  xl_err err = xli_job_change(j, now);

  if (err == XL_OK) {
    err = xli_job_is_do(j) ? XL_E_NOTIMPL
          : j->resumed     ? XL_E_PROPERTY_AFTER_RESUME
          : on && j->priority != XL_PRIORITY_FOREGROUND ? XL_E_INVALID_STATE
          : on && has_ranges(j) ? XL_E_RANDOM_ACCESS_NOT_SUPPORTED
                                : XL_OK;
  }
  if (err == XL_OK) {
    j->http = (uint16_t)((j->http & ~HTTP_DYNAMIC) | (on ? HTTP_DYNAMIC : 0));
    xli_job_touch(j);
  }
  return xli_job_done(j, err);
}

bool xl_job_dynamic_content(const xl_job *j) {
  return xli_job_dynamic(j);
}

uint32_t xl_file_window(const xl_file *f, xl_range window, xl_range_spec *out,
                        uint32_t max) {
  return xli_ranges_window(f->ranges, f->nranges, f->version.size, window, out,
                           max);
}

/* ---- redirections ---- */

bool xli_http_redirects(const xl_reply *reply) {
  uint32_t s = reply->status;

  return reply->location != NULL && ((s >= 300 && s <= 303) || s == 307);
}

static bool begins(const char *s, const char *with) {
  return strncmp(s, with, strlen(with)) == 0;
}

/* The remote name is |url| from now on, without the comparison that the
   application's own change of it brings. */
static bool rename_to(xl_file *f, xl_name url) {
  xl_engine *eng = f->job->agent->engine;
  uint16_t was = f->mirror;

  if (f->nremotes >= NAMES_MAX) {
    return false;
  }
  uint32_t i = xli_file_remote(f, url);
  if (i == XL_NONE) {
    return false;
  }
  f->mirror = (uint16_t)i;
  xli_event(f->job->agent, XL_EVENT_REMOTE_NAME, f->job, f, was, (int64_t)i,
            (int64_t)f->received);
  if (!f->named_content && !xli_file_sized(f)) { /* R619 */
    f->key =
        xli_file_key(eng, xl_engine_string(eng, url), f->ranges, f->nranges);
  }
  return true;
}

bool xli_http_follow(request *r, const char *location) {
  xl_file *f = r->file;
  xl_engine *eng = f->job->agent->engine;
  uint32_t flags = f->job->http, policy = flags & XL_HTTP_REDIRECT_MASK;
  xl_name from = r->url != 0 ? r->url : f->remotes[r->source].url;
  bool web = begins(location, "http://") || begins(location, "https://");
  bool weaker = begins(xl_engine_string(eng, from), "https://") &&
                begins(location, "http://");

  if (!web || xli_url_check(location) != XL_OK ||
      (weaker && (flags & XL_HTTP_HTTPS_TO_HTTP) == 0)) {
    return false;
  }
  xl_name to = xl_engine_name(eng, location);
  if (to == 0 || (policy != XL_HTTP_REDIRECT_SILENT && !rename_to(f, to))) {
    return false;
  }
  if (policy == XL_HTTP_REDIRECT_DISALLOW || r->hops == XL_HTTP_HOPS_MAX) {
    return false;
  }
  r->hops++;
  r->url = to;
  if (policy == XL_HTTP_REDIRECT_REPORT) {
    r->source = f->mirror;
  }
  return true;
}
