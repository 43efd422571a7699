/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a trace, once. From this list come the row structs, the HDF5
 * compounds and their attributes, docs/trace.md and the readers. Schema
 * version: SCHEMA_VERSION; append fields at the end of a table and raise it.
 *
 * F(type, name, text) a column; type: u8 u16 u32 u64 i64 f64
 * S(len, name, text)  a zero-padded string of |len| bytes
 * E(enum, name, text) a u8 with the members of SCHEMA_ENUMS
 *
 * Times are ns since the start of the run; -1 is "never". Rates end in _Bps;
 * UINT64_MAX is unlimited. Indices point into the table of that name.
 */
#ifndef RECORD_SCHEMA_H
#define RECORD_SCHEMA_H

#include <stdint.h>
#include <stdio.h>

#include <xl/agent.h>

#define SCHEMA_VERSION 1

/* What is known before the first event; written at the start of a run. */

#define TABLE_SITES(F, S, E)                                                   \
  S(48, name, "class name and index, branch[3]")                               \
  F(u32, devices, "devices behind its uplink")                                 \
  F(u64, wan_down_Bps, "largest capacity towards the site during the run")     \
  F(u64, wan_up_Bps, "largest capacity from the site during the run")          \
  F(i64, wan_latency_ns, "one way, of the uplink")                             \
  F(u64, bytes_down, "bytes carried towards the site")                         \
  F(u64, bytes_up, "bytes carried from the site")                              \
  F(u64, bytes_inside, "bytes between devices of the site")

#define TABLE_ORIGINS(F, S, E)                                                 \
  S(48, name, "name")                                                          \
  F(u64, rate_Bps, "largest capacity during the run")                          \
  F(u32, connections, "connection limit; 4294967295 none")                     \
  F(u64, egress, "bytes sent, whatever became of them")                        \
  F(u64, requests, "requests answered with data")                              \
  F(u64, refused, "requests refused or answered with an error")

#define TABLE_CONTENTS(F, S, E)                                                \
  S(48, name, "name")                                                          \
  F(u64, size, "bytes")                                                        \
  F(u32, piece_bytes, "bytes of a piece")                                      \
  F(i64, released_ns, "when it became available")

#define TABLE_DEVICES(F, S, E)                                                 \
  F(u32, site, "index in /sites")                                              \
  S(24, class_name, "device class")                                            \
  F(u32, subnet, "number of its subnet within the run")                        \
  F(u32, group, "number of its group within the run; 4294967295 none")         \
  F(u64, down_Bps, "largest capacity of its link towards it")                  \
  F(u64, up_Bps, "largest capacity of its link from it")                       \
  F(u64, cap_Bps, "rate cap of one transfer")                                  \
  F(u32, held, "contents it held at the start")                                \
  F(i64, online_ns, "time it was online")                                      \
  F(u64, received, "bytes received, all classes")                              \
  F(u64, sent, "bytes sent to peers")                                          \
  F(u64, sent_subnet, "of them to peers of scope subnet")                      \
  F(u64, sent_site, "site")                                                    \
  F(u64, sent_group, "group")                                                  \
  F(u64, sent_internet, "internet")                                            \
  F(u64, control, "control bytes it sent")                                     \
  F(u64, wasted, "bytes received in wasted classes, late ones included")

#define TABLE_HELD(F, S, E)                                                    \
  F(u32, device, "index in /devices")                                          \
  F(u32, content, "index in /contents")

/* Capacities over time: one row at the start, one per change. |node| is a
   site, origin or device by |what|. */
#define TABLE_CAPACITY(F, S, E)                                                \
  F(i64, at_ns, "from when")                                                   \
  E(capacity_what, what, "whose link")                                         \
  F(u32, index, "index in the table of |what|")                                \
  F(u64, down_Bps, "towards it")                                               \
  F(u64, up_Bps, "from it")

/* A job on a device; written when the run ends. */
#define TABLE_JOBS(F, S, E)                                                    \
  F(u32, device, "index in /devices")                                          \
  F(u32, job, "number of the job in the scenario")                             \
  F(u32, files, "files in it")                                                 \
  F(i64, release_ns, "when the job was released")                              \
  F(i64, arrival_ns, "when it arrived on the device")                          \
  F(i64, start_ns, "first request; -1 never")                                  \
  F(i64, end_ns, "TRANSFERRED; -1 not in this run")                            \
  F(u64, bytes, "size of its files")                                           \
  E(job_state, state, "state at the end")                                      \
  F(u32, error, "HRESULT of the last error; 0 none")                           \
  F(u32, errors, "error count (R428)")                                         \
  F(i64, stalled_ns, "time in QUEUED, CONNECTING and TRANSIENT_ERROR")

/* A file of a job on a device. */
#define TABLE_FILES(F, S, E)                                                   \
  F(u32, device, "index in /devices")                                          \
  F(u32, job, "number of the job in the scenario")                             \
  F(u32, content, "index in /contents")                                        \
  F(u64, size, "bytes; 18446744073709551615 unknown")                          \
  F(u64, transferred, "useful bytes in place")                                 \
  F(i64, start_ns, "first request; -1 never")                                  \
  F(i64, end_ns, "last byte; -1 not in this run")                              \
  F(u32, switches, "remote-name switches")                                     \
  F(u32, restarts, "restarts from 0")                                          \
  F(u32, mirror, "index of the remote name at the end")                        \
  F(u64, origin, "first copies from origins")                                  \
  F(u64, peer_subnet, "first copies from peers of scope subnet")               \
  F(u64, peer_site, "site")                                                    \
  F(u64, peer_group, "group")                                                  \
  F(u64, peer_internet, "internet")                                            \
  F(u64, cache, "first copies from cache servers")                             \
  F(u64, duplicate, "wasted: a copy was already there")                        \
  F(u64, late, "wasted: after the request had ended")                          \
  F(u64, cancelled, "wasted: dropped on cancel or failure")                    \
  F(u64, failed_check, "wasted: failed check")                                 \
  F(u64, restarted, "wasted: remote file changed")                             \
  F(u64, overhead, "wasted: beyond what was asked")

/* World totals over time, one row a bin of 60 s. */
#define TABLE_SERIES(F, S, E)                                                  \
  F(i64, at_ns, "start of the bin")                                            \
  F(u64, origin, "bytes sent by origins in the bin")                           \
  F(u64, peer, "bytes received from peers in the bin")                         \
  F(u64, cache, "bytes received from cache servers in the bin")                \
  F(u64, cross_site, "of all these, bytes that crossed a site's uplink")       \
  F(u32, online, "devices online at the end of the bin")                       \
  F(u32, arrived, "device jobs that have arrived by the end of the bin")       \
  F(u32, done, "device jobs finished by the end of the bin")                   \
  F(u32, active, "requests under way at the end of the bin")

/* Bytes per link and 5-minute bin; links that carried nothing have no row. */
#define TABLE_LINK_RATES(F, S, E)                                              \
  E(link_what, what, "which link")                                             \
  F(u32, index, "index in the table of |what|")                                \
  F(i64, at_ns, "start of the bin of 300 s")                                   \
  F(u64, bytes, "bytes carried in the bin")

/* Totals per link: origins' uplinks and both ways of sites' uplinks. */
#define TABLE_LINKS(F, S, E)                                                   \
  E(link_what, what, "which link")                                             \
  F(u32, index, "index in the table of |what|")                                \
  F(u64, capacity_Bps, "largest capacity during the run")                      \
  F(u64, bytes, "bytes carried")                                               \
  F(i64, busy_ns, "time with a transfer under way")

/* World totals, one row: the ledger of the world must close. */
#define TABLE_WORLD(F, S, E)                                                   \
  F(u64, sent, "bytes that sources put on the network")                        \
  F(u64, received, "bytes that devices booked")                                \
  F(u64, in_flight, "bytes of transfers under way at the end, not yet booked") \
  F(u64, lost,                                                                 \
    "bytes that had arrived and were gone when their device lost power")       \
  F(u64, control, "control bytes: requests, replies, searches, announcements") \
  F(i64, ended_ns, "when the run ended")                                       \
  F(i64, duration_ns, "the scenario's duration")                               \
  F(u64, actions, "actions of the engine")                                     \
  F(f64, shortfall, "largest share of a fair rate the network took; 0 exact")  \
  F(u8, complete, "1: the run ended by itself; 0: it was interrupted")

/* level transfers */
#define TABLE_TRANSFERS(F, S, E)                                               \
  F(i64, asked_ns, "when the request was made")                                \
  F(i64, first_ns, "first byte; -1 none")                                      \
  F(i64, end_ns, "when it ended")                                              \
  F(i64, waited_ns, "from when these bytes could first be asked for")          \
  F(u32, device, "index in /devices")                                          \
  F(u32, job, "number of the job in the scenario")                             \
  F(u32, file, "index of the file in the job")                                 \
  F(u32, content, "index in /contents")                                        \
  F(u64, offset, "in the local file")                                          \
  F(u64, asked, "bytes")                                                       \
  F(u64, delivered, "bytes; the booked classes sum to it")                     \
  F(u64, useful, "of them booked as first copies when the request ended")      \
  F(u32, source, "index in /devices, /origins or /caches by |kind|")           \
  F(u32, rejected, "bit 1 << reason for each thing that was ruled out")        \
  F(u32, error, "HRESULT; 0 none")                                             \
  E(source_kind, kind, "what was asked")                                       \
  E(ledger_class, class, "class of most of its bytes")                         \
  E(scope, scope, "of a peer")                                                 \
  E(outcome, outcome, "how it ended")                                          \
  E(reason, reason, "why this source")

/* level events */
#define TABLE_EVENTS(F, S, E)                                                  \
  F(i64, at_ns, "when")                                                        \
  F(u32, device, "index in /devices; 4294967295 the world")                    \
  F(u32, job, "number of the job in the scenario; 4294967295 none")            \
  F(u32, file, "index of the file in the job; 4294967295 none")                \
  F(i64, a, "meaning by kind")                                                 \
  F(i64, b, "meaning by kind")                                                 \
  F(i64, c, "meaning by kind")                                                 \
  E(event, kind, "what happened")

/* The metrics (docs/metrics.md), one row, written last. NaN: undefined (null
   in JSON), Inf: not finished. */
#define TABLE_SUMMARY(F, S, E)                                                 \
  F(u32, devices, "devices in the world")                                      \
  F(u32, jobs, "device jobs that arrived in the run")                          \
  F(u32, completed, "of them finished")                                        \
  F(f64, makespan_s, "last finish - first release; NaN unless all finished")   \
  F(f64, completion_mean_s, "finish - arrival on the device")                  \
  F(f64, completion_p50_s, "")                                                 \
  F(f64, completion_p90_s, "")                                                 \
  F(f64, completion_p95_s, "")                                                 \
  F(f64, completion_p99_s, "")                                                 \
  F(f64, completion_max_s, "")                                                 \
  F(f64, done_at_mean_s, "finish - release")                                   \
  F(f64, done_at_p50_s, "")                                                    \
  F(f64, done_at_p90_s, "")                                                    \
  F(f64, done_at_p95_s, "")                                                    \
  F(f64, done_at_p99_s, "")                                                    \
  F(f64, done_at_max_s, "")                                                    \
  F(u64, bytes_useful, "first copies at devices")                              \
  F(u64, bytes_origin, "of them from origins")                                 \
  F(u64, bytes_peer, "of them from peers")                                     \
  F(u64, bytes_cache, "of them from cache servers")                            \
  F(u64, bytes_wasted, "received in wasted classes")                           \
  F(u64, bytes_control, "control bytes")                                       \
  F(u64, bytes_cross_site, "carried over sites' uplinks, towards the site")    \
  F(u64, origin_egress, "bytes sent by origins")                               \
  F(f64, offload, "1 - origin egress / useful bytes")                          \
  F(f64, share_peer, "peer / useful")                                          \
  F(f64, share_cache, "cache / useful")                                        \
  F(f64, share_origin, "origin / useful")                                      \
  F(f64, origin_rate_mean_Bps, "egress / time until the last finish or end")   \
  F(f64, origin_rate_p95_Bps, "95th percentile of 5-minute bins")              \
  F(f64, origin_rate_peak_Bps, "largest 1-minute bin")                         \
  F(f64, stretch_p50, "completion / time alone on an empty network")           \
  F(f64, stretch_p95, "")                                                      \
  F(f64, jain_upload, "Jain index of bytes sent by devices; NaN if none")      \
  F(f64, upload_mean, "bytes sent per device")                                 \
  F(f64, upload_max, "")                                                       \
  F(f64, stalled_mean_s, "per device job")                                     \
  F(u64, switches, "remote-name switches")                                     \
  F(u64, restarts, "files that restarted")                                     \
  F(f64, lower_bound_s, "no schedule has a smaller makespan")                  \
  F(f64, efficiency, "lower bound / makespan; NaN unless all finished")        \
  F(f64, shortfall, "largest share of a fair rate the network took; 0 exact")  \
  E(bound_term, binding_bound, "the term that sets the lower bound")

/* struct name, HDF5 name, table */
#define SCHEMA_TABLES(T)                                                       \
  T(sites, SITES)                                                              \
  T(origins, ORIGINS)                                                          \
  T(contents, CONTENTS)                                                        \
  T(devices, DEVICES)                                                          \
  T(held, HELD)                                                                \
  T(capacity, CAPACITY)                                                        \
  T(jobs, JOBS)                                                                \
  T(files, FILES)                                                              \
  T(series, SERIES)                                                            \
  T(link_rates, LINK_RATES)                                                    \
  T(links, LINKS)                                                              \
  T(world, WORLD)                                                              \
  T(transfers, TRANSFERS)                                                      \
  T(events, EVENTS)                                                            \
  T(summary, SUMMARY)

#define CAPACITY_WHAT_MAP(X) X(SITE, "") X(ORIGIN, "") X(DEVICE, "")
#define LINK_WHAT_MAP(X)                                                       \
  X(ORIGIN_UP, "from an origin")                                               \
  X(SITE_DOWN, "towards a site")                                               \
  X(SITE_UP, "from a site")
#define BOUND_MAP(X)                                                           \
  X(NONE, "nothing to transfer")                                               \
  X(ORIGIN, "one copy has to leave the sources that hold it")                  \
  X(DEVICE_DOWN, "the slowest device's own link or arrival")                   \
  X(TOTAL_UPLOAD, "all uploads together")                                      \
  X(SITE_COPY, "one copy over the slowest site's uplink")                      \
  X(SITE_TOTAL, "a site's uplink and its own uploads")                         \
  X(ORIGIN_SITES, "one copy per site from the origins")                        \
  X(ARRIVALS, "what the devices that arrive last need")

enum capacity_what {
#define X(n, t) CAPACITY_##n,
  CAPACITY_WHAT_MAP(X)
#undef X
};
enum link_what {
#define X(n, t) LINK_##n,
  LINK_WHAT_MAP(X)
#undef X
};
enum bound_term {
#define X(n, t) BOUND_##n,
  BOUND_MAP(X)
#undef X
      NBOUNDS
};

typedef uint8_t sch_u8;
typedef uint16_t sch_u16;
typedef uint32_t sch_u32;
typedef uint64_t sch_u64;
typedef int64_t sch_i64;
typedef double sch_f64;

/* One struct a table: row_sites, row_files, ... */
#define SCH_F(type, name, text) sch_##type name;
#define SCH_S(len, name, text) char name[len];
#define SCH_E(enumeration, name, text) uint8_t name;
#define SCH_ROW(name, NAME)                                                    \
  typedef struct row_##name {                                                  \
    TABLE_##NAME(SCH_F, SCH_S, SCH_E)                                          \
  } row_##name;
SCHEMA_TABLES(SCH_ROW)
#undef SCH_ROW

enum schema_table {
#define X(name, NAME) SCHEMA_##NAME,
  SCHEMA_TABLES(X)
#undef X
      SCHEMA_NTABLES
};

/* Fields as data, for writers and readers (schema.c). */
typedef struct schema_field {
  const char *name;
  const char *text;
  char type;       /* 'u' unsigned, 'i' signed, 'f' double, 's' string, 'e' */
  uint16_t size;   /* bytes */
  uint32_t offset; /* in the row struct */
  const char *enumeration; /* of 'e': the enum's name, else NULL */
} schema_field;

typedef struct schema_desc {
  const char *name; /* without the slash */
  uint32_t row_size;
  const schema_field *fields;
  uint32_t nfields;
} schema_desc;

extern const schema_desc schema_tables[SCHEMA_NTABLES];

/* The |i|-th member of an enum by its name in the schema ("reason"), lower
   case with '-'; NULL past the end. */
const char *schema_enum_member(const char *enumeration, unsigned i);

/* The text of a field; where the table leaves it out, that of the field above
   it (percentiles of one quantity). */
const char *schema_field_text(const schema_desc *d, uint32_t i);

/* The table part of docs/trace.md. */
void schema_print_markdown(FILE *to);

#endif
