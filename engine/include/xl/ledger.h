/* SPDX-License-Identifier: MIT */
/*
 * The ledger: every byte received is in exactly one class. For each file the
 * first copies (the useful classes) sum to `transferred`; the wasted classes
 * hold everything else that arrived. Classes, scopes, source kinds, reasons and
 * outcomes are part of the trace format: append, never renumber.
 */
#ifndef XL_LEDGER_H
#define XL_LEDGER_H

#include <xl/types.h>

/* name, text. The first XL_CLASS_USEFUL_END classes are first copies. */
#define XL_CLASS_MAP(X)                                                        \
  X(ORIGIN, "first copy from an origin")                                       \
  X(PEER_SUBNET, "first copy from a peer in the same subnet")                  \
  X(PEER_SITE, "first copy from a peer in the same site")                      \
  X(PEER_GROUP, "first copy from a peer in the same group")                    \
  X(PEER_INTERNET, "first copy from any other peer")                           \
  X(CACHE, "first copy from a cache server")                                   \
  X(DUPLICATE, "wasted: a copy was already there")                             \
  X(LATE, "wasted: arrived after its request had ended")                       \
  X(CANCELLED, "wasted: dropped when its request was cancelled or failed")     \
  X(FAILED_CHECK, "wasted: failed its hash check or validation")               \
  X(RESTARTED, "wasted: dropped because the remote file changed")              \
  X(OVERHEAD, "wasted: beyond what was asked (over-long bodies)")

typedef enum xl_class {
#define XL_CLASS_ENUM(name, text) XL_CLASS_##name,
  XL_CLASS_MAP(XL_CLASS_ENUM)
#undef XL_CLASS_ENUM
  XL_NCLASSES
} xl_class;
#define XL_CLASS_USEFUL_END XL_CLASS_DUPLICATE

typedef struct xl_ledger {
  xl_bytes bytes[XL_NCLASSES];
} xl_ledger;

static inline xl_bytes xl_ledger_useful(const xl_ledger *l) {
  xl_bytes sum = 0;
  for (int c = 0; c < XL_CLASS_USEFUL_END; c++) {
    sum += l->bytes[c];
  }
  return sum;
}

static inline xl_bytes xl_ledger_total(const xl_ledger *l) {
  xl_bytes sum = 0;
  for (int c = 0; c < XL_NCLASSES; c++) {
    sum += l->bytes[c];
  }
  return sum;
}

/* What bytes are fetched from. */
#define XL_SOURCE_MAP(X)                                                       \
  X(ORIGIN, "origin or mirror named by the remote name")                       \
  X(PEER, "another device")                                                    \
  X(CACHE, "cache server")

typedef enum xl_source_kind {
#define XL_SOURCE_ENUM(name, text) XL_SOURCE_##name,
  XL_SOURCE_MAP(XL_SOURCE_ENUM)
#undef XL_SOURCE_ENUM
  XL_NSOURCES
} xl_source_kind;

/* Who may be a peer: nearest first. A peer's scope is its nearest one. */
#define XL_SCOPE_MAP(X)                                                        \
  X(SUBNET, "same subnet of the same site")                                    \
  X(SITE, "same site (behind the same uplink)")                                \
  X(GROUP, "same group")                                                       \
  X(INTERNET, "anybody")                                                       \
  X(NONE, "not a peer")

typedef enum xl_scope {
#define XL_SCOPE_ENUM(name, text) XL_SCOPE_##name,
  XL_SCOPE_MAP(XL_SCOPE_ENUM)
#undef XL_SCOPE_ENUM
  XL_NSCOPES
} xl_scope;

/* Why a source was chosen (for a request), and why candidates were rejected
   (bit 1 << reason in the rejected mask). */
#define XL_REASON_MAP(X)                                                       \
  X(OTHER, "no reason was given; 0 in every shipped scenario")                 \
  X(PEER_HAS_IT, "a peer in scope holds it")                                   \
  X(POLICY_ORIGIN, "the policy uses the origin only")                          \
  X(PEERING_OFF, "peering is off for this job, device or file")                \
  X(FILE_TOO_SMALL, "the file is below the smallest size that is peered")      \
  X(NO_PEERS_FOUND, "discovery found no peer")                                 \
  X(NO_PEER_HAS_IT, "no known peer holds it")                                  \
  X(PEERS_FULL, "every peer that holds it refused or is at its limit")         \
  X(OUT_OF_SCOPE, "holders exist only outside the allowed scope")              \
  X(HTTP_DELAY_OVER, "the time reserved for peers is over")                    \
  X(PEERS_TOO_SLOW, "peers deliver less than the minimum rate")                \
  X(PEER_FAILED, "peers failed too often for this file")                       \
  X(RECORD_MISMATCH, "records of peers differ in ranges, size or time")        \
  X(ORIGIN_ONLY_AGAIN, "fetched again from the origin after a failed check")   \
  X(NOT_SEARCHED, "the search for peers had not ended")                        \
  X(ENDGAME, "asked twice near the end of the file")                           \
  X(FIRST_COPY, "this device fetches the scope's first copy of the piece")     \
  X(METADATA, "size and time stamp (HEAD)")                                    \
  X(STILL_IN_DELAY, "the origin is still in the HTTP delay")                   \
  X(PEER_BUSY, "the peer is at its limit of requests")                         \
  X(PEER_BANNED, "the peer failed and is left out for a while")                \
  X(NOT_VALIDATED, "the peer's record has not been validated")                 \
  X(CACHE_HAS_IT, "a cache server is configured")

typedef enum xl_reason {
#define XL_REASON_ENUM(name, text) XL_REASON_##name,
  XL_REASON_MAP(XL_REASON_ENUM)
#undef XL_REASON_ENUM
  XL_NREASONS
} xl_reason;

/* How a request ended. */
#define XL_END_MAP(X)                                                          \
  X(DONE, "all bytes asked for arrived")                                       \
  X(CANCELLED, "cancelled by this side")                                       \
  X(REFUSED, "refused by the source")                                          \
  X(RESET, "connection closed by the source while its host lives")             \
  X(STALLED, "no bytes for the stall timeout")                                 \
  X(HTTP_ERROR, "the server answered with an error status")                    \
  X(CHANGED, "the remote file changed or its server ignores ranges")           \
  X(FAILED_CHECK, "the bytes failed their hash check")                         \
  X(LINK_LOST, "this device lost its network")                                 \
  X(CONNECT, "the source could not be reached")                                \
  X(RUN_ENDED, "still under way when the run ended")

typedef enum xl_end {
#define XL_END_ENUM(name, text) XL_END_##name,
  XL_END_MAP(XL_END_ENUM)
#undef XL_END_ENUM
  XL_NENDS
} xl_end;

XL_BEGIN_DECLS
/* Lower-case names with '-' ("peer-subnet") and the texts above; static. */
const char *xl_class_name(xl_class c);
const char *xl_class_text(xl_class c);
const char *xl_source_name(xl_source_kind k);
const char *xl_scope_name(xl_scope s);
const char *xl_reason_name(xl_reason r);
const char *xl_reason_text(xl_reason r);
const char *xl_end_name(xl_end e);
/* The class of a first copy from |kind| in |scope|. */
xl_class xl_class_of(xl_source_kind kind, xl_scope scope);
XL_END_DECLS

#endif
