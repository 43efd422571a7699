/* SPDX-License-Identifier: MIT */
/*
 * What a server says before its bytes, and what it means for the file: its
 * size, whether it is still the same version, and whether a new remote name
 * may go on where the old one stopped (R211, R805-R810).
 */
#include "remote.h"

#include "agent.h"
#include "engine.h"
#include "http.h"
#include "job.h"
#include "rare.h"
#include "transfer.h"

bool xli_version_same(xl_version a, xl_version b) { /* R809, R810 */
  return a.size == b.size && (a.mtime_s == b.mtime_s ||
                              a.mtime_s == INT64_MIN || b.mtime_s == INT64_MIN);
}

static void finish(request *r, xl_end end, xl_err err) {
  ended e = xli_end(r, end, err);
  xli_end_follow(&e);
}

/* The body of |r| is of no use: a GET is cancelled, a HEAD is over. */
static void give_up(request *r, xl_end end, xl_err err) {
  if (r->head) {
    finish(r, end, err);
  } else {
    xli_ask_cancel(r, end, err);
  }
}

static void peer_reply(request *r, const xl_reply *reply) {
  if (reply->status != 200 && reply->status != 206) {
    finish(r, XL_END_HTTP_ERROR, XL_E_HTTP(reply->status));
  } else if (!xli_version_same(reply->version, r->file->version)) {
    give_up(r, XL_END_CHANGED, XL_OK); /* R659 */
  } else if (r->head) {
    xli_ask_body(r);
  }
}

/* The request is repeated with the job's credentials, if it has some that were
   not yet refused (R472, R805). */
static bool authenticate(request *r, uint32_t status) {
  xl_file *f = r->file;
  uint8_t target = status == 401 ? XL_AUTH_SERVER : XL_AUTH_PROXY;

  if ((status != 401 && status != 407) || (f->auth & 1u << target) != 0 ||
      xli_rare_credential(f->job, target) == NULL) {
    return false;
  }
  f->auth = (f->auth | (1u << target)) & 7u;
  xli_end(r, XL_END_HTTP_ERROR, XL_E_HTTP(status));
  xli_file_after(f);
  return true;
}

static void status_error(request *r, uint32_t status) {
  xl_file *f = r->file;
  xl_err err = XL_E_HTTP(status);

  if (authenticate(r, status)) {
    return;
  }
  if (status == 416 && f->nranges > 0) { /* R807 */
    err = XL_E_INVALID_RANGE;
  } else if (status == 416 && r->range.begin > 0 && !f->rechecked) {
    f->rechecked = true;
    ended e = xli_end(r, XL_END_HTTP_ERROR, err);
    f->phase = FILE_SIZING;
    xli_ask_cancel_all(f);
    xli_file_after(e.file);
    return;
  }
  finish(r, XL_END_HTTP_ERROR, err);
}

/* The first reply ever. False: the request is over. */
static bool learn_size(request *r, const xl_reply *reply) {
  xl_file *f = r->file;

  if (reply->version.size == XL_SIZE_UNKNOWN) {
    if (xli_job_dynamic(f->job)) { /* R802: with the last byte */
      xli_job_connected(f->job);
      return false;
    }
    give_up(r, XL_END_HTTP_ERROR, XL_E_MISSING_FILE_SIZE); /* R801 */
    return false;
  }
  if (!xli_file_set_size(f, reply->version)) {
    if (f->job->agent->engine->status == XL_OK) {
      f->version.size = XL_SIZE_UNKNOWN;
      give_up(r, XL_END_HTTP_ERROR, XL_E_INVALID_RANGE);
    }
    return false;
  }
  if (r->blind) {
    r->blind = false;
    r->range = (xl_range){0, f->have.size};
    xli_have_set_busy(&f->have, xli_request_open(r));
  }
  return true;
}

static bool is_partial(const request *r) {
  return !r->head && (r->file->nranges > 0 || r->range.begin > 0 ||
                      r->range.end < r->file->have.size);
}

static void keep_bytes(xl_file *f) {
  if (f->switching) {
    f->switching = false;
    xli_event(f->job->agent, XL_EVENT_REMOTE_NAME, f->job, f, f->mirror_was,
              f->mirror, (int64_t)f->received);
  }
}

static void start_again(xl_file *f, xl_version v) {
  if (f->switching) {
    f->switching = false;
    xli_event(f->job->agent, XL_EVENT_REMOTE_NAME, f->job, f, f->mirror_was,
              f->mirror, 0);
  }
  xli_file_restart(f, v);
}

/* The size was known. False: |r| is of no further use. */
static bool compare(request *r, const xl_reply *reply) {
  xl_file *f = r->file;
  xl_version v = reply->version;
  bool partial = is_partial(r);
  bool no_resume = (partial && reply->status == 200) ||
                   (r->head && !reply->ranges && f->received > 0);

  if (v.size == XL_SIZE_UNKNOWN) {
    v.size = f->version.size;
  }
  if (!xli_version_same(v, f->version)) {
    f->no_ranges = partial && reply->status == 200;
    start_again(f, v);
    return r->head;
  }
  if (f->switching && no_resume) {
    f->no_ranges = true;
    start_again(f, v);
    return r->head;
  }
  keep_bytes(f);
  if (partial && reply->status == 200 && xli_ask_parts(f, r->range) > 1) {
    f->single_ranges = true; /* R808 */
    xli_ask_cancel(r, XL_END_CHANGED, XL_OK);
    return false;
  }
  if (partial && reply->status == 200) { /* R808 */
    xli_ask_cancel(r, XL_END_CHANGED, XL_E_INSUFFICIENT_RANGE_SUPPORT);
    xli_job_fatal(f->job, f, XL_E_INSUFFICIENT_RANGE_SUPPORT);
    return false;
  }
  if (f->rechecked && r->head) { /* R807: not changed, so it is an error */
    f->rechecked = false;
    finish(r, XL_END_HTTP_ERROR, XL_E_HTTP(416));
    return false;
  }
  return true;
}

/* The request goes on elsewhere, or ends (R812). */
static void redirect(request *r, const xl_reply *reply) {
  if (xli_http_follow(r, reply->location)) {
    xli_ask_elsewhere(r);
  } else {
    finish(r, XL_END_HTTP_ERROR, XL_E_HTTP(reply->status));
  }
}

static void origin_reply(request *r, const xl_reply *reply) {
  xl_file *f = r->file;

  if (xli_http_redirects(reply)) { /* R812 */
    redirect(r, reply);
    return;
  }
  if (reply->status != 200 && reply->status != 206) { /* R805, R806 */
    status_error(r, reply->status);
    return;
  }
  if (!xli_file_sized(f)) {
    if (!learn_size(r, reply)) {
      return;
    }
  } else if (r->blind) {
    /* Asked before another reply told the size. */
    xli_ask_cancel(r, XL_END_CANCELLED, XL_OK);
    return;
  } else if (!compare(r, reply)) {
    if (xli_job_running(f->job)) {
      xli_job_connected(f->job);
      xli_file_after(f);
    }
    return;
  }
  if (!xli_job_running(f->job)) {
    if (r->head) {
      finish(r, XL_END_DONE, XL_OK);
    }
    return;
  }
  f->rechecked = false;
  xli_job_connected(f->job);
  xli_file_move(f);
  if (r->head || r->pos == r->range.end) {
    finish(r, XL_END_DONE, XL_OK);
  } else {
    xli_file_after(f);
  }
}

void xli_remote_reply(request *r, const xl_reply *reply) {
  if (r->state == REQUEST_CANCELLING) {
    return;
  }
  r->state = REQUEST_ANSWERED;
  xli_ask_moved(r);
  if (r->kind == XL_SOURCE_PEER) {
    peer_reply(r, reply);
  } else {
    origin_reply(r, reply);
  }
}
