/* SPDX-License-Identifier: MIT */
/* The names: enumerators of ledger.h in lower case with dashes. */
#include <xl/ledger.h>

#define TEXT_OF(name, text) text,
static const char *const class_text[] = {XL_CLASS_MAP(TEXT_OF)};
static const char *const reason_text[] = {XL_REASON_MAP(TEXT_OF)};
#undef TEXT_OF

static const char *const class_name[] = {
    [XL_CLASS_ORIGIN] = "origin",
    [XL_CLASS_PEER_SUBNET] = "peer-subnet",
    [XL_CLASS_PEER_SITE] = "peer-site",
    [XL_CLASS_PEER_GROUP] = "peer-group",
    [XL_CLASS_PEER_INTERNET] = "peer-internet",
    [XL_CLASS_CACHE] = "cache",
    [XL_CLASS_DUPLICATE] = "duplicate",
    [XL_CLASS_LATE] = "late",
    [XL_CLASS_CANCELLED] = "cancelled",
    [XL_CLASS_FAILED_CHECK] = "failed-check",
    [XL_CLASS_RESTARTED] = "restarted",
    [XL_CLASS_OVERHEAD] = "overhead"};
static const char *const source_name[] = {[XL_SOURCE_ORIGIN] = "origin",
                                          [XL_SOURCE_PEER] = "peer",
                                          [XL_SOURCE_CACHE] = "cache"};
static const char *const scope_name[] = {[XL_SCOPE_SUBNET] = "subnet",
                                         [XL_SCOPE_SITE] = "site",
                                         [XL_SCOPE_GROUP] = "group",
                                         [XL_SCOPE_INTERNET] = "internet",
                                         [XL_SCOPE_NONE] = "none"};
static const char *const reason_name[] = {
    [XL_REASON_OTHER] = "other",
    [XL_REASON_PEER_HAS_IT] = "peer-has-it",
    [XL_REASON_POLICY_ORIGIN] = "policy-origin",
    [XL_REASON_PEERING_OFF] = "peering-off",
    [XL_REASON_FILE_TOO_SMALL] = "file-too-small",
    [XL_REASON_NO_PEERS_FOUND] = "no-peers-found",
    [XL_REASON_NO_PEER_HAS_IT] = "no-peer-has-it",
    [XL_REASON_PEERS_FULL] = "peers-full",
    [XL_REASON_OUT_OF_SCOPE] = "out-of-scope",
    [XL_REASON_HTTP_DELAY_OVER] = "http-delay-over",
    [XL_REASON_PEERS_TOO_SLOW] = "peers-too-slow",
    [XL_REASON_PEER_FAILED] = "peer-failed",
    [XL_REASON_RECORD_MISMATCH] = "record-mismatch",
    [XL_REASON_ORIGIN_ONLY_AGAIN] = "origin-only-again",
    [XL_REASON_NOT_SEARCHED] = "not-searched",
    [XL_REASON_ENDGAME] = "endgame",
    [XL_REASON_FIRST_COPY] = "first-copy",
    [XL_REASON_METADATA] = "metadata",
    [XL_REASON_STILL_IN_DELAY] = "still-in-delay",
    [XL_REASON_PEER_BUSY] = "peer-busy",
    [XL_REASON_PEER_BANNED] = "peer-banned",
    [XL_REASON_NOT_VALIDATED] = "not-validated",
    [XL_REASON_CACHE_HAS_IT] = "cache-has-it"};
static const char *const end_name[] = {
    [XL_END_DONE] = "done",           [XL_END_CANCELLED] = "cancelled",
    [XL_END_REFUSED] = "refused",     [XL_END_RESET] = "reset",
    [XL_END_STALLED] = "stalled",     [XL_END_HTTP_ERROR] = "http-error",
    [XL_END_CHANGED] = "changed",     [XL_END_FAILED_CHECK] = "failed-check",
    [XL_END_LINK_LOST] = "link-lost", [XL_END_CONNECT] = "connect",
    [XL_END_RUN_ENDED] = "run-ended"};

#define WHOLE(table, n)                                                        \
  _Static_assert(sizeof table / sizeof *table == n, #table " is not whole")
WHOLE(class_name, XL_NCLASSES);
WHOLE(source_name, XL_NSOURCES);
WHOLE(scope_name, XL_NSCOPES);
WHOLE(reason_name, XL_NREASONS);
WHOLE(end_name, XL_NENDS);

const char *xl_class_name(xl_class c) {
  assert(c < XL_NCLASSES);
  return class_name[c];
}

const char *xl_class_text(xl_class c) {
  assert(c < XL_NCLASSES);
  return class_text[c];
}

const char *xl_source_name(xl_source_kind k) {
  assert(k < XL_NSOURCES);
  return source_name[k];
}

const char *xl_scope_name(xl_scope s) {
  assert(s < XL_NSCOPES);
  return scope_name[s];
}

const char *xl_reason_name(xl_reason r) {
  assert(r < XL_NREASONS);
  return reason_name[r];
}

const char *xl_reason_text(xl_reason r) {
  assert(r < XL_NREASONS);
  return reason_text[r];
}

const char *xl_end_name(xl_end e) {
  assert(e < XL_NENDS);
  return end_name[e];
}

xl_class xl_class_of(xl_source_kind kind, xl_scope scope) {
  switch (kind) {
  case XL_SOURCE_ORIGIN:
    return XL_CLASS_ORIGIN;
  case XL_SOURCE_PEER:
    assert(scope < XL_SCOPE_NONE);
    return (xl_class)(XL_CLASS_PEER_SUBNET + (int)scope);
  case XL_SOURCE_CACHE:
    return XL_CLASS_CACHE;
  case XL_NSOURCES:
    break;
  }
  assert(kind < XL_NSOURCES);
  return XL_CLASS_OVERHEAD;
}
