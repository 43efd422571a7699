/* SPDX-License-Identifier: MIT */
/*
 * Administration of the peer cache (IBitsPeerCacheAdministration, IBitsPeer):
 * its records, its limits, and the peers that are known.
 *
 * What an application sets is a preference; what the administrator's policies
 * (R670-R674) say wins, and the setter tells so. Until either is set the limits
 * are those of the agent's transfer policy.
 */
#ifndef XL_CACHE_H
#define XL_CACHE_H

#include <xl/agent.h>

/* One record (R617), as it was when it was asked for. */
typedef struct xl_record {
  uint32_t id;        /* of this agent; never used again */
  const char *url;    /* remote name it came from, the final one (R619) */
  xl_version version; /* of the remote file: size and time stamp */
  xl_bytes held;      /* bytes of the record */
  xl_time used;       /* last access */
  xl_time expires;    /* if it is not accessed again */
  bool validated;
  bool busy;        /* being served now */
  uint32_t nranges; /* at least 1: the whole file is one range */
} xl_record;

#define XL_CACHE_PERCENT_DEFAULT 1u
#define XL_CACHE_PERCENT_MAX 80u
#define XL_CACHE_AGE_MIN 86400u    /* seconds: 1 day */
#define XL_CACHE_AGE_MAX 10368000u /* 120 days */
#define XL_CACHE_AGE_DEFAULT 7776000u

/* The administrator's policies. Zeroed: nothing is configured. */
typedef struct xl_cache_policy {
  enum { XL_PEERING_UNSET, XL_PEERING_OFF, XL_PEERING_ON } peering; /* R670 */
  bool client_off, server_off; /* R671; they count with XL_PEERING_ON */
  uint32_t size_percent;       /* R673; 0: not configured */
  uint32_t age_s;              /* R674; 0: not configured */
} xl_cache_policy;

/* A device that this agent knows as a peer: for a file, or, of BITS 3, because
   it answered or supplied bytes within 7 days (R615, R624). */
typedef struct xl_known_peer {
  uint32_t id;
  xl_scope scope;
  bool available; /* neither left out nor busy for any file */
} xl_known_peer;

XL_BEGIN_DECLS

/* ---- records (R614) */

/* The ids of the records there are now, in order of admission: the first |max|
   of them to |ids|; returns how many there are. */
uint32_t xl_cache_records(const xl_agent *a, uint32_t *ids, uint32_t max);
/* E_NOT_FOUND when it is gone. */
xl_err xl_cache_record(const xl_agent *a, uint32_t id, xl_record *out);
/* The |i|-th range of the record, lengths as they are in the file. */
xl_err xl_cache_record_range(const xl_agent *a, uint32_t id, uint32_t i,
                             xl_range_spec *out);
/* E_BUSYCACHERECORD while it is served; E_NOT_FOUND. */
xl_err xl_cache_delete(xl_agent *a, uint32_t id, xl_time now);
/* All records of |url|. S_FALSE: none; E_BUSYCACHERECORD: one is served, the
   others are gone. */
xl_err xl_cache_delete_url(xl_agent *a, const char *url, xl_time now);
/* Records being served go when that ends. */
xl_err xl_cache_clear(xl_agent *a, xl_time now);

/* ---- limits and flags */

/* What the administrator says; takes effect at once. E_INVALIDARG: a number
   outside its range. */
XL_CHECKED xl_err xl_cache_set_policy(xl_agent *a, const xl_cache_policy *p,
                                      xl_time now);
/* Percent of the disk, 1 to 80 (R611). S_FALSE: a policy wins. */
XL_CHECKED xl_err xl_cache_set_size(xl_agent *a, uint32_t percent, xl_time now);
/* Idle age in seconds, 1 to 120 days (R612). S_FALSE: a policy wins. */
XL_CHECKED xl_err xl_cache_set_age(xl_agent *a, uint32_t seconds, xl_time now);
/* XL_PEERCACHING_* (R610). S_OVERRIDDEN_BY_POLICY: stored, but a policy says
   otherwise. */
XL_CHECKED xl_err xl_cache_set_flags(xl_agent *a, uint32_t flags, xl_time now);
/* What is in force. */
uint32_t xl_cache_size(const xl_agent *a); /* percent */
uint32_t xl_cache_age(const xl_agent *a);  /* seconds */
uint32_t xl_cache_flags(const xl_agent *a);

/* ---- peers (R615, R616) */

/* A snapshot, in order of becoming known; the first |max| to |out|; returns how
   many there are. */
uint32_t xl_peers_known(const xl_agent *a, xl_known_peer *out, uint32_t max);
/* Forgets them all; the next discovery is not held back (R623). */
xl_err xl_peers_clear(xl_agent *a, xl_time now);
/* Looks for peers for every file that may use them. S_FALSE: one was less than
   10 minutes ago, so nothing is sent (R623). E_PEERCACHING_DISABLED: the client
   flag is off. */
xl_err xl_peers_discover(xl_agent *a, xl_time now);

XL_END_DECLS

#endif
