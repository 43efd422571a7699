/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * example: a policy that is built outside the tree, against engine/include
 * alone. docs/adding-a-policy.md walks through it; a test builds and loads it.
 *
 *   cc -std=c11 -shared -fPIC -I engine/include -o example.so example.c
 *   xferlab run scenarios/branch-office.yaml --policy ./example.so:patience=30s
 *
 * Each piece is asked of the first peer in the site that has it. While no peer
 * has it, the device waits a random time of up to |patience| and then fetches a
 * random piece from the origin: the first of a site to lose its patience
 * fetches, and the others find the piece on it.
 */
#include <xl/policy.h>

enum { P_PATIENCE, P_UPLOADS, NPARAMS };

static const xl_param params[NPARAMS] = {
    [P_PATIENCE] = {"patience", XL_PARAM_TIME, "5s", "1ms", "1h", NULL,
                    "longest wait for a peer before the origin is used"},
    [P_UPLOADS] = {"uploads", XL_PARAM_COUNT, "8", "1", "100", NULL,
                   "requests served at once"},
};

#define SCOPES (1u << XL_SCOPE_SUBNET | 1u << XL_SCOPE_SITE)

/* Allocated and zeroed by the engine, one for each file. */
typedef struct file_state {
  xl_time until; /* when patience ends; 0: not waiting */
} file_state;

/* Looks for peers when a file begins, and every 10 s from then on. */
static bool find(const xl_host *h, xl_view *v, xl_find *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  xl_time next = f->nsearches == 0 ? 0 : xl_time_add(f->searched, XL_SEC(10));

  *again = XL_NEVER;
  if (f->searching || !f->peers_allowed) {
    return false;
  }
  if (h->now(v) < next) {
    *again = next;
    return false;
  }
  *out = (xl_find){.scopes = SCOPES, .want = 20, .timeout = XL_SEC(2)};
  return true;
}

static bool pick_peer(const xl_host *h, xl_view *v, xl_pick *out) {
  for (uint32_t i = 0; i < h->file(v)->npeers; i++) {
    xl_peer_view p;

    h->peer(v, i, &p);
    if (p.banned || p.requests > 0 || p.busy_until > h->now(v) ||
        !(SCOPES >> p.scope & 1)) {
      continue;
    }
    uint32_t piece = h->choose_piece(v, i, XL_ORDER_RANDOM);
    if (piece != XL_NONE) {
      *out = (xl_pick){.kind = XL_SOURCE_PEER,
                       .peer = i,
                       .range = h->piece_gap(v, piece),
                       .reason = XL_REASON_PEER_HAS_IT};
      return true;
    }
  }
  return false;
}

static bool pick(const xl_host *h, xl_view *v, xl_pick *out, xl_time *again) {
  const xl_file_view *f = h->file(v);
  file_state *fs = h->file_state(v);
  bool peers = f->peers_allowed && !f->origin_only;
  uint32_t piece;

  *again = XL_NEVER;
  if (peers && pick_peer(h, v, out)) {
    fs->until = 0;
    return true;
  }
  piece = h->choose_piece(v, XL_NONE, XL_ORDER_RANDOM);
  if (f->origin_requests > 0 || piece == XL_NONE) {
    return false;
  }
  if (peers && fs->until == 0) {
    uint64_t most = (uint64_t)h->param(v, P_PATIENCE).i;
    fs->until = h->now(v) + 1 + (xl_span)(h->random(v) % most);
  }
  if (peers && h->now(v) < fs->until) {
    *again = fs->until;
    return false;
  }
  fs->until = 0;
  *out = (xl_pick){.kind = XL_SOURCE_ORIGIN,
                   .peer = XL_NONE,
                   .range = h->piece_gap(v, piece),
                   .reason = !peers           ? XL_REASON_PEERING_OFF
                             : f->npeers == 0 ? XL_REASON_NO_PEERS_FOUND
                                              : XL_REASON_NO_PEER_HAS_IT};
  return true;
}

static void serve(const xl_host *h, xl_view *v, const xl_ask *ask,
                  xl_answer *out) {
  if (ask->uploads < (uint64_t)h->param(v, P_UPLOADS).i) {
    *out = (xl_answer){
        .accept = true, .cap = XL_RATE_UNLIMITED, .why = XL_REASON_PEER_HAS_IT};
  } else {
    *out = (xl_answer){.why = XL_REASON_PEER_BUSY, .retry_after = XL_MS(500)};
  }
}

static void keep(const xl_host *h, xl_view *v, xl_keep *out) {
  *out = (xl_keep){.keep = true,
                   .age_max = XL_DAY(1),
                   .bytes_max = h->device(v)->disk_bytes / 10};
}

/* What the tests of the ABI change to see it refused. */
#ifndef EXAMPLE_VERSION
#define EXAMPLE_VERSION XL_POLICY_ABI
#endif
#ifndef EXAMPLE_SIZE
#define EXAMPLE_SIZE sizeof(xl_policy)
#endif
#ifndef EXAMPLE_PICK
#define EXAMPLE_PICK pick
#endif

static const xl_policy example = {
    .size = EXAMPLE_SIZE,
    .version = EXAMPLE_VERSION,
    .name = "example",
    .help = "pieces from the site; who loses patience asks the origin",
    .source = "docs/adding-a-policy.md; no published client works like this",
    .flavour = XL_FLAVOUR_FREE,
    .params = params,
    .nparams = NPARAMS,
    .file_state_size = sizeof(file_state),
    .swarms = true,
    .find = find,
    .pick = EXAMPLE_PICK,
    .serve = serve,
    .keep = keep,
};

const xl_policy *xl_policy_entry(void);
const xl_policy *xl_policy_entry(void) {
  return &example;
}
