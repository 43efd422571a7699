/* SPDX-License-Identifier: MIT */
/*
 * bits-peer-cache: the peer cache of BITS 3.0 (Windows Vista, Server 2008).
 *
 * Documents: MC-BUP, MS-BPCR, MS-BPDP and the BITS pages of the Windows SDK, as
 * rules R601-R659 and R670-R674 of bits-semantics.
 *
 * A file is first looked for in the own subnet. A validated record of exactly
 * the same version supplies a whole row, one source at a time; nobody serves
 * what is not complete. Whatever no peer supplies comes from the origin, and
 * after the fourth failed peer transfer everything does.
 *
 * Deviations, and choices where the documents disagree or are silent:
 * - A search is one question to the subnet that stands for the discovery
 *   (R621-R623) and the search of the servers that are known (R630-R634). So
 *   the engine's table of servers (R624) is listed and not asked, and
 *   |suppress| (R623) counts for each file. Of more than |servers| holders,
 *   BITS may also ask ten that hold nothing.
 * - A server that is at its limit answers 503 (R647). As a search goes on for
 *   60 s while servers are out of resources (R634, R635), the client asks again
 *   for |busy_wait| and then uses the origin.
 * - The bandwidth served (R648; 1 Mbit/s by one document, 30 % of the adapter
 *   by another) is one limit for all uploads. An upload gets an equal share
 *   when it begins, so for as long as one fragment after a newcomer the sum can
 *   exceed the limit: by at most 1/2 + 1/3 of it with three uploads.
 * - Peers are asked for |peer_fragment| bytes at a time, so that a request ends
 *   within the 5 min it may take (R649) at the served rate.
 * - Every peer counts as authenticated (R627); domains (R603) are the
 *   environment's to keep apart.
 */
#include <xl/policy.h>

enum {
  P_SERVERS,
  P_DISCOVERY,
  P_SUPPRESS,
  P_FAILURES,
  P_BUSY_WAIT,
  P_PEER_FRAGMENT,
  P_ORIGIN_FRAGMENT,
  P_UPLOADS,
  P_BANDWIDTH,
  P_BUSY_RETRY,
  P_CACHE_SHARE,
  P_CACHE_AGE,
  NPARAMS
};

static const xl_param params[NPARAMS] = {
    [P_SERVERS] = {"servers", XL_PARAM_COUNT, "10", "1", "100", NULL,
                   "peers a search looks for at the most (R632)"},
    [P_DISCOVERY] = {"discovery", XL_PARAM_TIME, "30s", "1s", "10min", NULL,
                     "how long a search waits for answers (R623)"},
    [P_SUPPRESS] = {"suppress", XL_PARAM_TIME, "10min", "1s", "1d", NULL,
                    "no new search for so long after one (R623)"},
    [P_FAILURES] = {"failures", XL_PARAM_COUNT, "3", "0", "3", NULL,
                    "failed peer transfers of a file after which one more "
                    "means origin only (R655)"},
    [P_BUSY_WAIT] = {"busy_wait", XL_PARAM_TIME, "60s", "0s", "1d", NULL,
                     "how long to wait while every holder is busy, before the "
                     "origin is used (R634, R635)"},
    [P_PEER_FRAGMENT] =
        {"peer_fragment", XL_PARAM_BYTES, "4MiB", "64KiB", NULL, NULL,
         "bytes of one request to a peer (assumed: ends within R649's 5 min)"},
    [P_ORIGIN_FRAGMENT] = {"origin_fragment", XL_PARAM_BYTES, "16TiB", "64KiB",
                           NULL, NULL,
                           "bytes of one request to the origin; the default "
                           "asks for the rest of the file"},
    [P_UPLOADS] = {"uploads", XL_PARAM_COUNT, "3", "0", "1000", NULL,
                   "requests served at once, more get 503 (R647)"},
    [P_BANDWIDTH] = {"bandwidth", XL_PARAM_RATE, "1Mbit/s", "8kbit/s", NULL,
                     NULL,
                     "MaxBandwidthServed, all uploads together (R648, R672)"},
    [P_BUSY_RETRY] = {"busy_retry", XL_PARAM_TIME, "5s", "1ms", "1h", NULL,
                      "when a refused peer may ask again (assumed)"},
    [P_CACHE_SHARE] = {"cache_share", XL_PARAM_FRACTION, "0.01", "0.01", "0.8",
                       NULL, "MaxCacheSize, of the disk (R611, R673)"},
    [P_CACHE_AGE] = {"cache_age", XL_PARAM_TIME, "90d", "1d", "120d", NULL,
                     "MaxContentAge, since the last use (R612, R674)"},
};

typedef struct file_state {
  bool waiting;       /* every usable peer is busy ... */
  xl_time busy_since; /* ... since then */
} file_state;

typedef struct peer_state {
  bool asked_head; /* R645: once is enough */
} peer_state;

#define SUBNET_ONLY (1u << XL_SCOPE_SUBNET)

/* Whether peers may supply this file at all; if not, |why|. */
static bool peerable(const xl_host *h, xl_view *v, xl_reason *why) {
  const xl_file_view *f = h->file(v);

  if (f->peer_failures > (uint64_t)h->param(v, P_FAILURES).i) {
    *why = XL_REASON_PEER_FAILED;
  } else if (f->origin_only) {
    *why = XL_REASON_ORIGIN_ONLY_AGAIN;
  } else if (!f->peers_allowed) {
    *why = XL_REASON_PEERING_OFF;
  } else {
    return true;
  }
  return false;
}

static bool find(const xl_host *h, xl_view *v, xl_find *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  xl_time now = h->now(v), next;
  xl_reason why;

  *again = XL_NEVER;
  if (!peerable(h, v, &why) || f->searching) {
    return false;
  }
  if (f->nsearches > 0) {
    next = xl_time_add(f->searched, h->param(v, P_SUPPRESS).i);
    if (now < next) {
      *again = next;
      return false;
    }
  }
  *out = (xl_find){.scopes = SUBNET_ONLY,
                   .want = (uint32_t)h->param(v, P_SERVERS).i,
                   .multicast = true,
                   .complete_only = true,
                   .timeout = h->param(v, P_DISCOVERY).i};
  return true;
}

/* What a look at the known peers gave. */
typedef struct scan {
  uint32_t best;     /* the first that answered and can serve (R637) */
  uint32_t rejected; /* reasons why others cannot */
  xl_time free_at;   /* the first busy one may be asked again; XL_NEVER */
} scan;

static scan scan_peers(const xl_host *h, xl_view *v) {
  const xl_file_view *f = h->file(v);
  scan s = {.best = XL_NONE, .free_at = XL_NEVER};
  xl_time now = h->now(v);
  xl_peer_view p;

  for (uint32_t i = 0; i < f->npeers && s.best == XL_NONE; i++) {
    h->peer(v, i, &p);
    if (p.scope != XL_SCOPE_SUBNET) {
      s.rejected |= 1u << XL_REASON_OUT_OF_SCOPE;
    } else if (p.banned) {
      s.rejected |= 1u << XL_REASON_PEER_BANNED;
    } else if (p.nheld < f->npieces) {
      s.rejected |= 1u << XL_REASON_RECORD_MISMATCH;
    } else if (p.busy_until > now) {
      s.rejected |= 1u << XL_REASON_PEER_BUSY;
      s.free_at = xl_time_min(s.free_at, p.busy_until);
    } else {
      s.best = i;
    }
  }
  return s;
}

/* Why no peer supplies a file that peers may supply. */
static xl_reason origin_reason(const xl_file_view *f, uint32_t rejected) {
  if (f->npeers == 0) {
    return XL_REASON_NO_PEERS_FOUND;
  }
  if (rejected & 1u << XL_REASON_PEER_BUSY) {
    return XL_REASON_PEERS_FULL;
  }
  if (rejected & 1u << XL_REASON_PEER_BANNED) {
    return XL_REASON_NO_PEER_HAS_IT;
  }
  return rejected & 1u << XL_REASON_RECORD_MISMATCH ? XL_REASON_RECORD_MISMATCH
                                                    : XL_REASON_OUT_OF_SCOPE;
}

static xl_range first_bytes(xl_range gap, xl_value most) {
  if (gap.end - gap.begin > (xl_bytes)most.i) {
    gap.end = gap.begin + (xl_bytes)most.i;
  }
  return gap;
}

static bool pick_peer(const xl_host *h, xl_view *v, xl_range gap, const scan *s,
                      xl_pick *out) {
  peer_state *ps = h->peer_state(v, s->best);
  file_state *fs = h->file_state(v);

  fs->waiting = false;
  *out = (xl_pick){.kind = XL_SOURCE_PEER,
                   .peer = s->best,
                   .range = first_bytes(gap, h->param(v, P_PEER_FRAGMENT)),
                   .reason = XL_REASON_PEER_HAS_IT,
                   .rejected = s->rejected,
                   .head = !h->file(v)->foreground && !ps->asked_head};
  ps->asked_head = true;
  return true;
}

static bool pick_origin(const xl_host *h, xl_view *v, xl_range gap,
                        xl_reason why, uint32_t rejected, xl_pick *out) {
  *out = (xl_pick){.kind = XL_SOURCE_ORIGIN,
                   .peer = XL_NONE,
                   .range = first_bytes(gap, h->param(v, P_ORIGIN_FRAGMENT)),
                   .reason = why,
                   .rejected = rejected & ~(1u << why)};
  return true;
}

/* Whether to wait for busy holders; sets |again| if so. */
static bool wait_for_busy(const xl_host *h, xl_view *v, const scan *s,
                          xl_time *again) {
  file_state *fs = h->file_state(v);
  xl_time now = h->now(v), end;

  if (s->free_at == XL_NEVER) {
    return false;
  }
  if (!fs->waiting) {
    fs->waiting = true;
    fs->busy_since = now;
  }
  end = xl_time_add(fs->busy_since, h->param(v, P_BUSY_WAIT).i);
  *again = xl_time_min(end, s->free_at);
  return now < end;
}

static bool pick(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  xl_range gap;
  xl_reason why;
  scan s;

  *again = XL_NEVER;
  if (f->origin_requests + f->peer_requests > 0 || !h->next_gap(v, 0, &gap)) {
    return false; /* one source at a time (R643) */
  }
  if (!peerable(h, v, &why)) {
    return pick_origin(h, v, gap, why, 0, out);
  }
  s = scan_peers(h, v);
  if (s.best != XL_NONE) {
    return pick_peer(h, v, gap, &s, out);
  }
  if (f->searching || f->nsearches == 0) {
    *again = s.free_at; /* the end of a search is an event of its own */
    return false;
  }
  if (wait_for_busy(h, v, &s, again)) {
    return false;
  }
  *again = XL_NEVER;
  return pick_origin(h, v, gap, origin_reason(f, s.rejected), s.rejected, out);
}

/* Ends that count as a failed peer transfer. A 503 does not (R635). */
#define PEER_FAULTS                                                            \
  (1u << XL_END_RESET | 1u << XL_END_STALLED | 1u << XL_END_HTTP_ERROR |       \
   1u << XL_END_CHANGED | 1u << XL_END_FAILED_CHECK | 1u << XL_END_CONNECT)

/* Remote names, and peers that refused, are left to the engine's rule: one that
   is busy is asked when it said, one that said no is left out for a while. */
static void failed(const xl_host *h, xl_view *v, const xl_failure *why,
                   xl_remedy *out) {
  if (why->kind == XL_SOURCE_PEER && PEER_FAULTS >> why->end & 1) {
    out->ban_peer = 0;
    out->drop_peer = true; /* R616 */
    out->origin_only =
        h->file(v)->peer_failures > (uint64_t)h->param(v, P_FAILURES).i;
  }
}

static void serve(const xl_host *h, xl_view *v, const xl_ask *ask,
                  xl_answer *out) {
  int64_t total = h->param(v, P_BANDWIDTH).i;

  *out = (xl_answer){.accept = false};
  if (ask->scope != XL_SCOPE_SUBNET) {
    out->why = XL_REASON_OUT_OF_SCOPE;
  } else if (!ask->complete) {
    out->why = XL_REASON_NO_PEER_HAS_IT;
  } else if (!ask->validated) {
    out->why = XL_REASON_NOT_VALIDATED;
  } else if (ask->uploads >= (uint64_t)h->param(v, P_UPLOADS).i) {
    out->why = XL_REASON_PEER_BUSY;
    out->retry_after = h->param(v, P_BUSY_RETRY).i;
  } else {
    out->accept = true;
    out->why = XL_REASON_PEER_HAS_IT;
    out->cap =
        total < 0 ? XL_RATE_UNLIMITED : (xl_rate)total / (ask->uploads + 1);
  }
}

static void keep(const xl_host *h, xl_view *v, xl_keep *out) {
  const xl_file_view *f = h->file(v);
  double share = h->param(v, P_CACHE_SHARE).f;
  xl_bytes room = (xl_bytes)((double)h->device(v)->disk_bytes * share);

  /* A file larger than the whole cache is not kept (R611). */
  *out = (xl_keep){.keep = f->size_bytes <= room,
                   .age_max = h->param(v, P_CACHE_AGE).i,
                   .bytes_max = room};
}

const xl_policy xl_policy_bits_peer_cache = {
    .size = sizeof(xl_policy),
    .version = XL_POLICY_ABI,
    .name = "bits-peer-cache",
    .help = "whole validated files from the own subnet, else the origin",
    .source = "BITS 3.0: MC-BUP, MS-BPCR, MS-BPDP (bits-semantics R601-R659). "
              "Deviations: a search asks the subnet afresh for each file; only "
              "whole files match; busy peers are waited for; see "
              "docs/policies.md.",
    .flavour = XL_FLAVOUR_BITS3,
    .params = params,
    .nparams = NPARAMS,
    .file_state_size = sizeof(file_state),
    .peer_state_size = sizeof(peer_state),
    .find = find,
    .pick = pick,
    .failed = failed,
    .serve = serve,
    .keep = keep,
};
