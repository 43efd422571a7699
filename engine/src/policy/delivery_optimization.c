/* SPDX-License-Identifier: MIT */
/*
 * delivery-optimization: Windows Delivery Optimization, all download modes.
 *
 * Documents: the Delivery Optimization pages of Microsoft's IT pro
 * documentation, the policy CSP, and microsoft/do-client, as rules R701-R734 of
 * bits-semantics.
 *
 * Devices of the scope swarm piece by piece. HTTP is used at once, or after the
 * HTTP delay (R720), and only for what peers do not deliver:
 *
 *   a free piece           | peers deliver >= QoS    | peers deliver less
 *   -----------------------+-------------------------+----------------------
 *   that nobody is seen    | wait                    | HTTP: NO_PEER_HAS_IT,
 *   to hold                |                         | NO_PEERS_FOUND, ...
 *   that peers hold, and   | wait                    | HTTP: PEERS_TOO_SLOW,
 *   none can be asked now  |                         | one request at a time
 *
 * "Peers deliver" is what came from peers in the last 20 s (R734); a held piece
 * is taken from HTTP only after 20 s of use of peers and while HTTP and peers
 * together bring less than MinBackgroundQos, so that HTTP fills the shortfall.
 * A foreground download has no such limit: it takes HTTP in parallel (its held
 * pieces have the reason PEERS_FULL).
 *
 * HTTP takes the piece that the fewest known peers hold, ties at random, so
 * devices behind one uplink fetch different pieces and exchange them. The
 * number of HTTP requests under way is |http_shared| for a device that knows
 * peers and |http_requests| for one that found none.
 *
 * Deviations. Site members count as members of the group (a peer is known by
 * its nearest scope, R731); caches are shares of the whole disk (R714); of the
 * battery only "on battery" is known (R724); no peering at all on a VPN (R725);
 * no Connected Cache (R721-R726), so that mode simple is mode http; bypass
 * hands files over to BITS, of which the one request for the rest is done here
 * and the one background job at a time is not. Intervals of searches, numbers
 * of peers and requests, and the order of pieces are not published (R705):
 * assumed. An upload slot is one request. docs/policies.md says more.
 */
#include <xl/policy.h>

enum {
  P_MODE,
  P_RESTRICT,
  P_HTTP_DELAY,
  P_HTTP_DELAY_FOREGROUND,
  P_MIN_BACKGROUND_QOS,
  P_MIN_FILE_SIZE,
  P_MIN_RAM,
  P_MIN_DISK,
  P_CACHE_AGE,
  P_CACHE_SHARE,
  P_CACHE_SIZE,
  P_UPLOAD_CAP,
  P_UPLOAD_RATE,
  P_UPLOAD_SLOTS,
  P_BATTERY_UPLOAD,
  P_VPN,
  P_PEERS,
  P_SEARCH_EVERY,
  P_REQUESTS,
  P_PEER_REQUESTS,
  P_HTTP_REQUESTS,
  P_HTTP_SHARED,
  P_ORDER,
  P_BUSY_RETRY,
  NPARAMS
};

enum {
  MODE_HTTP,
  MODE_LAN,
  MODE_GROUP,
  MODE_INTERNET,
  MODE_SIMPLE,
  MODE_BYPASS,
  NMODES
};
enum { RESTRICT_NONE, RESTRICT_SUBNET };

static const xl_param params[NPARAMS] = {
    [P_MODE] = {"mode", XL_PARAM_ENUM, "lan", NULL, NULL,
                "http|lan|group|internet|simple|bypass",
                "DODownloadMode 0 to 3, 99, 100: who may be a peer (R701)"},
    [P_RESTRICT] = {"restrict", XL_PARAM_ENUM, "none", NULL, NULL,
                    "none|subnet",
                    "DORestrictPeerSelectionBy (R703; Windows 10's default)"},
    [P_HTTP_DELAY] =
        {"http_delay", XL_PARAM_TIME, "0s", "0s", "30d", NULL,
         "background: peers only for so long (R720; not set by default)"},
    [P_HTTP_DELAY_FOREGROUND] =
        {"http_delay_foreground", XL_PARAM_TIME, "0s", "0s", "30d", NULL,
         "foreground: peers only for so long (R720; not set by default)"},
    [P_MIN_BACKGROUND_QOS] =
        {"min_background_qos", XL_PARAM_RATE, "2.5MB/s", "1kB/s", NULL, NULL,
         "HTTP is added when peers deliver less (R717: 2,500 KB/s by the "
         "reference; 500 and 20,480 elsewhere)"},
    [P_MIN_FILE_SIZE] = {"min_file_size", XL_PARAM_BYTES, "50MB", "0B", NULL,
                         NULL,
                         "smaller files are not peered (R712: 50 MB by the "
                         "reference, 100 MB by the CSP)"},
    [P_MIN_RAM] = {"min_ram", XL_PARAM_BYTES, "4GB", "0B", NULL, NULL,
                   "devices with less memory do not peer (R710)"},
    [P_MIN_DISK] = {"min_disk", XL_PARAM_BYTES, "32GB", "0B", NULL, NULL,
                    "devices with less disk do not peer (R711)"},
    [P_CACHE_AGE] = {"cache_age", XL_PARAM_TIME, "3d", "0s", NULL, NULL,
                     "how long a file is kept after its download; 0s: until "
                     "room is needed (R713)"},
    [P_CACHE_SHARE] = {"cache_share", XL_PARAM_FRACTION, "0.2", "0.01", "1",
                       NULL, "cache size as a share of the disk (R714)"},
    [P_CACHE_SIZE] =
        {"cache_size", XL_PARAM_BYTES, "0B", "0B", NULL, NULL,
         "absolute cache size, overrides cache_share; 0B: not set (R715)"},
    [P_UPLOAD_CAP] =
        {"upload_cap", XL_PARAM_BYTES, "20GB", "0B", NULL, NULL,
         "bytes a month served to internet peers; 0B: unlimited (R716)"},
    [P_UPLOAD_RATE] =
        {"upload_rate", XL_PARAM_RATE, "unlimited", "8kbit/s", NULL, NULL,
         "all uploads together, split evenly over the slots (R719)"},
    [P_UPLOAD_SLOTS] = {"upload_slots", XL_PARAM_COUNT, "4", "0", "1000", NULL,
                        "requests served at once (R705)"},
    [P_BATTERY_UPLOAD] = {"battery_upload", XL_PARAM_BOOL, "false", NULL, NULL,
                          NULL, "serve while on battery (R724)"},
    [P_VPN] = {"vpn", XL_PARAM_BOOL, "false", NULL, NULL, NULL,
               "peer while on a VPN (R723, R725)"},
    [P_PEERS] = {"peers", XL_PARAM_COUNT, "50", "1", "100", NULL,
                 "peers a device wants to know for a file (assumed)"},
    [P_SEARCH_EVERY] = {"search_every", XL_PARAM_TIME, "60s", "2s", "1d", NULL,
                        "time between questions to the service; it starts at "
                        "2s and doubles (assumed)"},
    [P_REQUESTS] = {"requests", XL_PARAM_COUNT, "8", "1", "60", NULL,
                    "requests to peers under way for a file (assumed)"},
    [P_PEER_REQUESTS] = {"peer_requests", XL_PARAM_COUNT, "1", "1", "16", NULL,
                         "of them to one peer (assumed)"},
    [P_HTTP_REQUESTS] =
        {"http_requests", XL_PARAM_COUNT, "4", "1", "16", NULL,
         "HTTP requests under way when no peer was found (assumed)"},
    [P_HTTP_SHARED] = {"http_shared", XL_PARAM_COUNT, "1", "1", "16", NULL,
                       "HTTP requests under way while peers are known or "
                       "looked for (assumed)"},
    [P_ORDER] = {"order", XL_PARAM_ENUM, "rarest", NULL, NULL,
                 "sequential|random|rarest",
                 "which piece is taken from a peer (assumed)"},
    [P_BUSY_RETRY] = {"busy_retry", XL_PARAM_TIME, "1s", "1ms", "1h", NULL,
                      "when a refused peer may ask again (assumed)"},
};

#define RATE_WINDOW XL_SEC(20)      /* R734 */
#define QOS_CHECK XL_SEC(1)         /* a falling rate is looked at so often */
#define SEARCH_FIRST XL_SEC(2)      /* to the second search */
#define SEARCH_TIMEOUT XL_SEC(5)    /* the service does not answer */
#define PEER_BAN XL_SEC(60)         /* times the failures so far */
#define PEER_STRIKES 3u             /* failures or bad pieces: forget (R706) */
#define PIECES_MAX ((1u << 30) - 1) /* as many as a file may have, or more */
#define MONTH XL_DAY(30)

typedef struct agent_state {
  int64_t month;      /* number of the month the cap counts in */
  xl_bytes month_had; /* bytes served to internet peers before it */
} agent_state;

typedef struct file_state {
  uint32_t free_seen : 31; /* free pieces when pick was last asked */
  uint32_t freed : 1; /* pieces became free again since peers were looked at */
  uint32_t searches;  /* the search that |next_search| was drawn for */
  xl_time next_search;
} file_state;

typedef struct peer_state {
  /* A peer that had nothing for us has nothing until it holds more than that,
     or a piece became free again: no need to compare maps before. 0: it may. */
  uint32_t useless : 30;
  uint32_t strikes : 2; /* its failures and bad pieces for this file */
} peer_state;

static bool on(const xl_host *h, const xl_view *v, uint32_t i) {
  return h->param(v, i).i != 0;
}

static uint32_t count(const xl_host *h, const xl_view *v, uint32_t i) {
  return (uint32_t)h->param(v, i).i;
}

static xl_bytes bytes(const xl_host *h, const xl_view *v, uint32_t i) {
  return (xl_bytes)h->param(v, i).i;
}

/* Bits 1 << xl_scope of those who may be peers by the mode (R701). */
static uint32_t mode_scopes(const xl_host *h, const xl_view *v) {
  static const uint32_t by_mode[NMODES] = {
      [MODE_LAN] = 1u << XL_SCOPE_SUBNET | 1u << XL_SCOPE_SITE,
      [MODE_GROUP] =
          1u << XL_SCOPE_SUBNET | 1u << XL_SCOPE_SITE | 1u << XL_SCOPE_GROUP,
      [MODE_INTERNET] = 1u << XL_SCOPE_SUBNET | 1u << XL_SCOPE_SITE |
                        1u << XL_SCOPE_GROUP | 1u << XL_SCOPE_INTERNET};

  return by_mode[h->param(v, P_MODE).i];
}

/* The same with R703. */
static uint32_t scopes(const xl_host *h, const xl_view *v) {
  return h->param(v, P_RESTRICT).i == RESTRICT_SUBNET
             ? mode_scopes(h, v) & 1u << XL_SCOPE_SUBNET
             : mode_scopes(h, v);
}

/* Whether this device may peer at all (R701, R710, R711, R725). */
static bool device_peers(const xl_host *h, xl_view *v) {
  const xl_device_view *d = h->device(v);

  return mode_scopes(h, v) != 0 && d->ram_bytes >= bytes(h, v, P_MIN_RAM) &&
         d->disk_bytes >= bytes(h, v, P_MIN_DISK) &&
         (!d->on_vpn || on(h, v, P_VPN));
}

/* Whether peers may supply this file; if not, |why|. */
static bool peerable(const xl_host *h, xl_view *v, xl_reason *why) {
  const xl_file_view *f = h->file(v);

  if (mode_scopes(h, v) == 0) {
    *why = XL_REASON_POLICY_ORIGIN;
  } else if (f->origin_only) {
    *why = XL_REASON_ORIGIN_ONLY_AGAIN;
  } else if (!f->peers_allowed || !device_peers(h, v)) {
    *why = XL_REASON_PEERING_OFF;
  } else if (f->size_bytes < bytes(h, v, P_MIN_FILE_SIZE)) {
    *why = XL_REASON_FILE_TOO_SMALL;
  } else {
    return true;
  }
  return false;
}

/* ---- search ------------------------------------------------------------- */

/* Draws when to search again: the doubling interval, spread over half of it
   either way so that devices that started together do not ask together. */
static void plan_search(const xl_host *h, xl_view *v) {
  const xl_file_view *f = h->file(v);
  file_state *fs = h->file_state(v);
  xl_span span = SEARCH_FIRST, most = h->param(v, P_SEARCH_EVERY).i;

  for (uint32_t n = 1; n < f->nsearches && span < most; n++) {
    span *= 2;
  }
  span = span < most ? span : most;
  fs->searches = f->nsearches;
  fs->next_search = xl_time_add(
      f->searched, span / 2 + (xl_span)(h->random(v) % (uint64_t)span));
}

static bool find(const xl_host *h, xl_view *v, xl_find *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  file_state *fs = h->file_state(v);
  xl_time now = h->now(v);
  xl_reason why;

  *again = XL_NEVER;
  if (!peerable(h, v, &why) || f->searching) {
    return false;
  }
  if (f->nsearches > 0) {
    if (fs->searches != f->nsearches) {
      plan_search(h, v);
    }
    if (now < fs->next_search) {
      *again = fs->next_search;
      return false;
    }
    if (f->npeers >= count(h, v, P_PEERS)) { /* enough; look again later */
      fs->next_search = xl_time_add(now, h->param(v, P_SEARCH_EVERY).i);
      *again = fs->next_search;
      return false;
    }
  }
  *out = (xl_find){.scopes = scopes(h, v),
                   .want = count(h, v, P_PEERS),
                   .timeout = SEARCH_TIMEOUT};
  return true;
}

/* ---- peers -------------------------------------------------------------- */

/* What a look at the known peers gave. */
typedef struct scan {
  uint32_t best;      /* peer to ask; XL_NONE */
  uint32_t rank;      /* of the best: small is near and has few requests */
  uint32_t in_scope;  /* known peers in scope */
  uint32_t strangers; /* known peers out of scope */
  uint32_t rejected;  /* why peers were left out */
  xl_time free_at;    /* the first busy one may be asked again; XL_NEVER */
} scan;

/* Peer |i|, in scope, may have news for us: can it be asked now? */
static void weigh_peer(scan *s, const xl_peer *p, uint32_t i, xl_time now,
                       uint32_t most) {
  uint32_t rank = (uint32_t)p->scope * 256 + (uint32_t)p->requests;

  if (p->quiet_until > now) {
    s->rejected |= 1u << XL_REASON_PEER_BUSY;
    s->free_at = xl_time_min(s->free_at, p->quiet_until);
  } else if (p->requests >= most) {
    s->rejected |= 1u << XL_REASON_PEER_BUSY;
  } else if (rank < s->rank) {
    s->rank = rank;
    s->best = i;
  }
}

/* The nearest askable peer with the fewest requests of ours; of equal ones the
   first after the random place |start|. */
static scan scan_peers(const xl_host *h, xl_view *v, uint32_t start) {
  const xl_file_view *f = h->file(v);
  file_state *fs = h->file_state(v);
  const xl_peer *peers = h->peers(v);
  uint32_t npeers = f->npeers;
  peer_state *states = npeers == 0 ? NULL : h->peer_state(v, 0);
  uint32_t allowed = scopes(h, v), most = count(h, v, P_PEER_REQUESTS);
  scan s = {.best = XL_NONE, .rank = UINT32_MAX, .free_at = XL_NEVER};
  xl_time now = h->now(v);

  for (uint32_t i = 0; fs->freed && i < npeers; i++) {
    states[i].useless = 0;
  }
  fs->freed = false;
  for (uint32_t n = 0, i = start; n < npeers; n++) {
    const xl_peer *p = &peers[i];

    if (!(allowed & 1u << p->scope)) {
      s.strangers++;
      s.rejected |= 1u << XL_REASON_OUT_OF_SCOPE;
    } else if (p->banned && p->quiet_until > now) {
      s.rejected |= 1u << XL_REASON_PEER_BANNED;
    } else {
      s.in_scope++;
      if (states[i].useless != p->nheld) {
        weigh_peer(&s, p, i, now, most);
      }
    }
    i = i + 1 < npeers ? i + 1 : 0;
  }
  return s;
}

/* Picks a piece from a peer. |s| tells about the peers when there is none. */
static bool pick_peer(const xl_host *h, xl_view *v, scan *s, xl_pick *out) {
  const xl_file_view *f = h->file(v);
  xl_order order = (xl_order)h->param(v, P_ORDER).i; /* same names */
  uint32_t start = f->npeers > 1 ? (uint32_t)(h->random(v) % f->npeers) : 0;

  for (uint32_t tries = 0; tries <= f->npeers; tries++) {
    *s = scan_peers(h, v, start);
    if (s->best == XL_NONE) {
      return false;
    }

    uint32_t piece = h->choose_piece(v, s->best, order);
    if (piece != XL_NONE) {
      *out = (xl_pick){.kind = XL_SOURCE_PEER,
                       .peer = s->best,
                       .range = h->piece_gap(v, piece),
                       .reason = XL_REASON_PEER_HAS_IT,
                       .rejected = s->rejected};
      return true;
    }

    peer_state *ps = h->peer_state(v, s->best);
    ps->useless = h->peers(v)[s->best].nheld & PIECES_MAX;
  }
  return false;
}

/* ---- HTTP --------------------------------------------------------------- */

/* Known, not banned peers in scope that are seen to hold |piece|. */
static uint32_t holders(const xl_host *h, xl_view *v, uint32_t piece,
                        const scan *s) {
  uint32_t allowed = scopes(h, v), n = 0;
  xl_peer_view p;

  if (s->strangers == 0) {
    return h->holders(v, piece);
  }
  for (uint32_t i = 0; i < h->file(v)->npeers; i++) {
    h->peer(v, i, &p);
    n += (allowed & 1u << p.scope) && !p.banned && h->peer_has(v, i, piece);
  }
  return n;
}

/* Why a piece that nobody in scope is seen to hold comes from HTTP. */
static xl_reason unheld_reason(const xl_host *h, xl_view *v, uint32_t piece,
                               const scan *s) {
  const xl_file_view *f = h->file(v);

  if (s->strangers > 0 && h->holders(v, piece) > 0) {
    return XL_REASON_OUT_OF_SCOPE;
  }
  if (f->npeers > 0) {
    return XL_REASON_NO_PEER_HAS_IT;
  }
  return f->nsearches == 0 ? XL_REASON_NOT_SEARCHED : XL_REASON_NO_PEERS_FOUND;
}

/* The time from which HTTP may be used (R720). */
static xl_time http_from(const xl_host *h, xl_view *v) {
  const xl_file_view *f = h->file(v);

  return xl_time_add(
      f->started,
      h->param(v, f->foreground ? P_HTTP_DELAY_FOREGROUND : P_HTTP_DELAY).i);
}

/* Whether peers deliver the minimum, so that HTTP is not to be added. */
static bool peers_suffice(const xl_host *h, xl_view *v) {
  const xl_file_view *f = h->file(v);

  return !f->foreground && f->peer_requests > 0 &&
         (int64_t)f->peer_rate >= h->param(v, P_MIN_BACKGROUND_QOS).i;
}

/* Whether a piece that peers hold may come from HTTP. Else |again| is when
   that may change without an event. */
static bool http_for_held(const xl_host *h, xl_view *v, xl_time *again,
                          xl_reason *why) {
  const xl_file_view *f = h->file(v);
  xl_time now = h->now(v);
  xl_time judged = xl_time_add(f->started, RATE_WINDOW);
  int64_t qos = h->param(v, P_MIN_BACKGROUND_QOS).i;

  *why = f->foreground ? XL_REASON_PEERS_FULL : XL_REASON_PEERS_TOO_SLOW;
  if (f->foreground) {
    return true;
  }
  if (now < judged) {
    *again = xl_time_min(*again, judged);
    return false;
  }
  if ((int64_t)(f->peer_rate + f->origin_rate) >= qos) {
    *again = xl_time_min(*again, xl_time_add(now, QOS_CHECK));
    return false;
  }
  return true;
}

/* Picks a piece from HTTP, no peer being able to give one now. */
static bool pick_http(const xl_host *h, xl_view *v, const scan *s, xl_pick *out,
                      xl_time *again) {
  const xl_file_view *f = h->file(v);
  bool alone = s->in_scope == 0 && f->nsearches > 0;
  uint32_t most = count(h, v, alone ? P_HTTP_REQUESTS : P_HTTP_SHARED);
  uint32_t piece;
  xl_reason why;

  if (f->origin_requests >= most) {
    return false;
  }
  if (peers_suffice(h, v) &&
      h->now(v) >= xl_time_add(f->started, RATE_WINDOW)) {
    (void)h->random(v); /* wait, whichever piece it is */
    *again = xl_time_min(*again, xl_time_add(h->now(v), QOS_CHECK));
    return false;
  }
  piece = h->choose_piece(v, XL_NONE, XL_ORDER_RAREST);
  if (piece == XL_NONE) {
    return false;
  }
  if (holders(h, v, piece, s) > 0) {
    if (!http_for_held(h, v, again, &why)) {
      return false;
    }
  } else if (peers_suffice(h, v)) {
    *again = xl_time_min(*again, xl_time_add(h->now(v), QOS_CHECK));
    return false;
  } else {
    why = unheld_reason(h, v, piece, s);
  }
  *out = (xl_pick){.kind = XL_SOURCE_ORIGIN,
                   .peer = XL_NONE,
                   .range = h->piece_gap(v, piece),
                   .reason = why,
                   .rejected = s->rejected & ~(1u << why)};
  return true;
}

/* The rest of a file that is not peered, in one request. */
static bool pick_rest(const xl_host *h, xl_view *v, xl_reason why,
                      xl_pick *out) {
  const xl_file_view *f = h->file(v);
  xl_range gap;

  if (f->origin_requests + f->peer_requests > 0 || !h->next_gap(v, 0, &gap)) {
    return false;
  }
  *out = (xl_pick){
      .kind = XL_SOURCE_ORIGIN, .peer = XL_NONE, .range = gap, .reason = why};
  return true;
}

/* Notices pieces that became free again, which makes peers worth a look. */
static uint32_t count_free(const xl_host *h, xl_view *v) {
  const xl_file_view *f = h->file(v);
  file_state *fs = h->file_state(v);
  uint32_t nfree = f->npieces - f->nheld - f->nasked;

  fs->freed = fs->freed || nfree > fs->free_seen;
  fs->free_seen = nfree & PIECES_MAX;
  return nfree;
}

static bool pick(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  scan s = {.best = XL_NONE, .in_scope = 1, .free_at = XL_NEVER};
  xl_time now = h->now(v), http;
  xl_reason why;

  *again = XL_NEVER;
  if (!peerable(h, v, &why)) {
    return pick_rest(h, v, why, out);
  }
  if (count_free(h, v) == 0) {
    return false;
  }
  http = http_from(h, v);
  if (f->peer_requests < count(h, v, P_REQUESTS)) {
    if (pick_peer(h, v, &s, out)) {
      out->rejected |= now < http ? 1u << XL_REASON_STILL_IN_DELAY : 0;
      return true;
    }
    *again = s.free_at;
  } else {
    s.rejected = 1u << XL_REASON_PEERS_FULL; /* as many as we may ask */
  }
  if (now < http) {
    *again = xl_time_min(*again, http);
    return false;
  }
  return pick_http(h, v, &s, out, again);
}

/* ---- failures, serving, cache ------------------------------------------- */

/* Ends that are the peer's doing. */
#define PEER_FAULTS                                                            \
  (1u << XL_END_RESET | 1u << XL_END_STALLED | 1u << XL_END_HTTP_ERROR |       \
   1u << XL_END_CHANGED | 1u << XL_END_FAILED_CHECK | 1u << XL_END_CONNECT)

/* Remote names, and peers that refused, are left to the engine's rule: one that
   is busy is asked when it said, one that said no is left out for a while. */
static void failed(const xl_host *h, xl_view *v, const xl_failure *why,
                   xl_remedy *out) {
  if (why->kind == XL_SOURCE_PEER && PEER_FAULTS >> why->end & 1) {
    peer_state *ps = h->peer_state(v, why->peer);
    uint32_t strikes =
        ps->strikes < PEER_STRIKES ? ps->strikes + 1u : PEER_STRIKES;
    ps->strikes = strikes & 3u;
    out->drop_peer = strikes >= PEER_STRIKES; /* R706: after several */
    out->ban_peer =
        why->end == XL_END_FAILED_CHECK ? 0 : PEER_BAN * (xl_span)strikes;
  }
}

/* What is left of this month's cap on uploads to the internet (R716). */
static bool under_upload_cap(const xl_host *h, xl_view *v) {
  xl_bytes cap = bytes(h, v, P_UPLOAD_CAP);
  xl_bytes total = h->device(v)->uploaded_bytes;
  agent_state *as = h->agent_state(v);
  int64_t month = h->now(v) / MONTH;

  if (as->month != month) {
    as->month = month;
    as->month_had = total;
  }
  return cap == 0 || total - as->month_had < cap;
}

static void serve(const xl_host *h, xl_view *v, const xl_ask *ask,
                  xl_answer *out) {
  const xl_device_view *d = h->device(v);
  uint32_t slots = count(h, v, P_UPLOAD_SLOTS);
  int64_t rate = h->param(v, P_UPLOAD_RATE).i;
  xl_time now = h->now(v);

  *out = (xl_answer){.accept = false};
  if (!device_peers(h, v) || (d->on_battery && !on(h, v, P_BATTERY_UPLOAD))) {
    out->why = XL_REASON_PEERING_OFF;
  } else if (ask->size_bytes < bytes(h, v, P_MIN_FILE_SIZE)) {
    out->why = XL_REASON_FILE_TOO_SMALL;
  } else if (!(scopes(h, v) & 1u << ask->scope)) {
    out->why = XL_REASON_OUT_OF_SCOPE;
  } else if (ask->scope == XL_SCOPE_INTERNET && !under_upload_cap(h, v)) {
    out->why = XL_REASON_PEERS_FULL;
    out->retry_after = MONTH - now % MONTH;
  } else if (ask->uploads >= slots) {
    out->why = XL_REASON_PEER_BUSY;
    out->retry_after = h->param(v, P_BUSY_RETRY).i;
  } else {
    out->accept = true;
    out->why = XL_REASON_PEER_HAS_IT;
    out->cap = rate < 0 ? XL_RATE_UNLIMITED : (xl_rate)rate / slots;
  }
}

static void keep(const xl_host *h, xl_view *v, xl_keep *out) {
  const xl_file_view *f = h->file(v);
  xl_bytes room = bytes(h, v, P_CACHE_SIZE);
  xl_span age = h->param(v, P_CACHE_AGE).i;

  if (room == 0) {
    room = (xl_bytes)((double)h->device(v)->disk_bytes *
                      h->param(v, P_CACHE_SHARE).f);
  }
  *out = (xl_keep){.keep = device_peers(h, v) &&
                           f->size_bytes >= bytes(h, v, P_MIN_FILE_SIZE),
                   .age_max = age == 0 ? XL_NEVER : age,
                   .from_arrival = true,
                   .bytes_max = room};
}

const xl_policy xl_policy_delivery_optimization = {
    .size = sizeof(xl_policy),
    .version = XL_POLICY_ABI,
    .name = "delivery-optimization",
    .help = "devices of the scope swarm piece by piece; HTTP fills the gap",
    .source = "Windows Delivery Optimization (bits-semantics R701-R734). "
              "Deviations: site members count as group members; cache shares "
              "are of the whole disk; no cache servers; request counts, "
              "search intervals and piece order are assumed; see "
              "docs/policies.md.",
    .flavour = XL_FLAVOUR_DO,
    .params = params,
    .nparams = NPARAMS,
    .agent_state_size = sizeof(agent_state),
    .file_state_size = sizeof(file_state),
    .peer_state_size = sizeof(peer_state),
    .rate_window = RATE_WINDOW,
    .swarms = true,
    .find = find,
    .pick = pick,
    .failed = failed,
    .serve = serve,
    .keep = keep,
};
