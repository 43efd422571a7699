/* SPDX-License-Identifier: MIT */
/*
 * The transfer engine: agents, jobs, files. Sans-I/O.
 *
 * One xl_engine is shared by all agents of a world (one by default, a million
 * in a simulation): it owns the allocator, interned names, the heap of
 * deadlines and the queue of actions. An agent is one device's client. Jobs
 * and files mirror IBackgroundCopyJob and IBackgroundCopyFile in C; the rules
 * (Rnnn) are those of bits-semantics.
 *
 * How an environment drives it:
 *   1. call an input (xl_agent_reply, _deliver, ...) or an API call
 *      (xl_job_resume, ...), always with the time; time never goes back;
 *   2. pull actions with xl_engine_next until it returns false, and carry
 *      them out (carrying one out may call inputs again);
 *   3. arm one alarm at xl_engine_deadline; when it fires, xl_engine_advance.
 * No call may be made from inside a policy function or an xl_env callback.
 *
 * Strings given to the engine are copied (interned). Objects are freed with
 * the agent; a job's handle stays good until then, also after Complete (R403).
 */
#ifndef XL_AGENT_H
#define XL_AGENT_H

#include <xl/err.h>
#include <xl/ledger.h>
#include <xl/map.h>
#include <xl/param.h>
#include <xl/policy.h>
#include <xl/types.h>

typedef struct xl_engine xl_engine;
typedef struct xl_agent xl_agent;
typedef struct xl_job xl_job;
typedef struct xl_file xl_file;

/* Identity of a remote file: equal means "the same version" (R809, R810). */
typedef struct xl_version {
  xl_bytes size;
  int64_t mtime_s; /* Last-Modified, seconds; INT64_MIN: the server sends none */
} xl_version;

/* ---- what the engine tells ------------------------------------------- */

/* One ended request: a row of /transfers. Bytes are booked by class. */
typedef struct xl_transfer {
  xl_agent *agent;
  xl_file *file;
  uint32_t request;
  xl_source_kind kind;
  uint32_t source; /* peer: device number; origin: mirror index of the file */
  xl_scope scope;
  xl_range range; /* asked for */
  xl_time asked;
  xl_time first; /* first byte seen; -1 none */
  xl_time end;
  xl_bytes delivered;
  xl_ledger booked; /* sums to |delivered| */
  xl_end outcome;
  xl_err err;
  xl_reason reason;
  uint32_t rejected;
  xl_span waited; /* from when the first of these bytes could be asked for */
} xl_transfer;

#define XL_EVENT_MAP(X)                                                        \
  X(JOB_STATE, "job state: a = old, b = new, c = error code")                  \
  X(REMOTE_NAME, "remote name: a = old mirror, b = new mirror, c = bytes kept") \
  X(RESTART, "file restarts from 0: a = bytes dropped")                        \
  X(PEER_DROPPED, "peer left out: a = device, b = end, c = ns banned")         \
  X(SEARCH, "search for peers ended: a = found, b = known now")                \
  X(CACHE_ADMIT, "peer cache: a = bytes, b = bytes now held")                  \
  X(CACHE_EVICT,                                                               \
    "peer cache: a = bytes, b = why (0 age, 1 size, 2 invalid, 3 asked for)")  \
  X(ORIGIN_ONLY, "peers are no longer used for this file: a = failures")

typedef enum xl_event_kind {
#define XL_EVENT_ENUM(name, text) XL_EVENT_##name,
  XL_EVENT_MAP(XL_EVENT_ENUM)
#undef XL_EVENT_ENUM
  XL_NEVENTS
} xl_event_kind;

typedef struct xl_event {
  xl_time at;
  xl_event_kind kind;
  xl_agent *agent;
  xl_job *job;   /* NULL if none */
  xl_file *file; /* NULL if none */
  int64_t a, b, c;
} xl_event;

/* What the engine needs from around it. Callbacks must not call back in. */
typedef struct xl_env {
  uint32_t size; /* sizeof(xl_env) */
  void *arg;
  xl_alloc alloc;
  /* The |n|-th 64-bit draw of device |agent_id|'s stream. */
  uint64_t (*draw)(void *arg, uint32_t agent_id, uint64_t n);
  /* What |reader| can see of |peer|'s map of the content |key|: the map and
     the visible length; NULL when it sees nothing. */
  const xl_map *(*peer_map)(void *arg, const xl_agent *reader, uint32_t peer,
                            xl_name key, xl_version version,
                            uint32_t *visible);
  /* Bytes of the request that have arrived by now, the delivered ones
     included. Asked before a request is judged stalled or a rate is read. */
  xl_bytes (*arrived)(void *arg, const xl_agent *agent, uint32_t request);
  void (*transfer)(void *arg, const xl_transfer *row); /* may be NULL */
  void (*event)(void *arg, const xl_event *ev);        /* may be NULL */
  /* Delivered bytes that are kept, of deliveries with data; may be NULL. */
  void (*store)(void *arg, const xl_file *file, xl_range range,
                const void *data);
  /* May a file of this local name be written: XL_OK, E_ACCESSDENIED,
     E_INVALIDARG (no such folder); R105. NULL: always. */
  xl_err (*check_local)(void *arg, const xl_agent *agent, const char *local);
  /* Complete: gives the temporary file its local name, for |owner| (R415-R417).
     NULL: always works. */
  xl_err (*hand_over)(void *arg, const xl_file *file, const char *owner);
  /* Deletes the temporary file; false: it is left behind (R414). NULL: always
     works. */
  bool (*discard)(void *arg, const xl_file *file);
} xl_env;

/* ---- engine ------------------------------------------------------------ */

/* Start from xl_engine_cfg_default; a zero field means zero. */
typedef struct xl_engine_cfg {
  xl_span announce_interval; /* between published map lengths; default 1 s */
  xl_span stall_timeout;     /* no bytes for so long: STALLED; 30 s */
  xl_span connect_timeout;   /* no answer to a request; 15 s */
  xl_span peer_timeout;      /* a peer's request may last no longer; 5 min,
                                R649 */
  xl_span time_slice;        /* R443; 300 s */
  uint32_t peers_max;        /* known peers per file; 100 */
  uint32_t requests_max;     /* requests under way per file; 64, < 16,384 */
} xl_engine_cfg;

typedef enum xl_job_state { /* bits-semantics 0.1 */
  XL_JOB_QUEUED = 0,
  XL_JOB_CONNECTING = 1,
  XL_JOB_TRANSFERRING = 2,
  XL_JOB_SUSPENDED = 3,
  XL_JOB_ERROR = 4,
  XL_JOB_TRANSIENT_ERROR = 5,
  XL_JOB_TRANSFERRED = 6,
  XL_JOB_ACKNOWLEDGED = 7,
  XL_JOB_CANCELLED = 8
} xl_job_state;

typedef enum xl_priority { /* FOREGROUND is the lowest number */
  XL_PRIORITY_FOREGROUND = 0,
  XL_PRIORITY_HIGH = 1,
  XL_PRIORITY_NORMAL = 2,
  XL_PRIORITY_LOW = 3
} xl_priority;

#define XL_PEERCACHING_CLIENT 1u /* may download from peers, R504, R610 */
#define XL_PEERCACHING_SERVER 2u /* may be cached and served */
#define XL_PEERCACHING_NO_BRANCH_CACHE 4u /* of a job; kept, no effect (R506) */

/* What a NOTIFY tells (R427, R470). */
typedef enum xl_notice {
  XL_NOTICE_FILE_TRANSFERRED,
  XL_NOTICE_JOB_TRANSFERRED,
  XL_NOTICE_JOB_ERROR,
  XL_NOTICE_JOB_MODIFICATION,
  XL_NOTICE_COMMAND, /* run the job's command line; xl_job_command_ended */
  XL_NNOTICES
} xl_notice;

#define XL_NOTIFY_JOB_TRANSFERRED 0x01u /* BG_NOTIFY_*, R425 */
#define XL_NOTIFY_JOB_ERROR 0x02u
#define XL_NOTIFY_DISABLE 0x04u
#define XL_NOTIFY_JOB_MODIFICATION 0x08u
#define XL_NOTIFY_FILE_TRANSFERRED 0x10u
#define XL_NOTIFY_DEFAULT (XL_NOTIFY_JOB_TRANSFERRED | XL_NOTIFY_JOB_ERROR)

typedef enum xl_action_kind {
  XL_ACT_HEAD,    /* size and time stamp of |url| */
  XL_ACT_GET,     /* |range| of |url|, or of |peer|'s copy */
  XL_ACT_CANCEL,  /* stop |request|; answer with xl_agent_ended(CANCELLED) */
  XL_ACT_FIND,    /* look for peers that hold |key|; xl_agent_found */
  XL_ACT_ANSWER,  /* to |ask|: accept or refuse */
  XL_ACT_PUBLISH, /* this device now has, or no longer has, a map of |key|;
                     again when what it has became whole */
  XL_ACT_RATES,   /* xl_agent_background_rate has changed */
  XL_ACT_NOTIFY   /* job reached TRANSFERRED or ERROR (R427); more notices of
                     jobs with xl_job_set_notify_interface */
} xl_action_kind;

typedef struct xl_action {
  xl_action_kind kind;
  xl_agent *agent;
  xl_job *job;      /* HEAD, GET, FIND, NOTIFY */
  xl_file *file;    /* HEAD, GET, FIND */
  uint32_t request; /* HEAD, GET, CANCEL, FIND (its search number) */
  xl_source_kind source; /* HEAD, GET */
  xl_name url;      /* HEAD, GET from an origin: the current remote name */
  uint32_t peer;    /* HEAD, GET from a peer: device number */
  xl_scope scope;   /* of that peer */
  xl_name key;      /* FIND, PUBLISH, GET from a peer: what is shared */
  xl_version version; /* the same */
  xl_range range;   /* GET: bytes of the local file */
  xl_bytes offset;  /* GET: where range.begin lies in the remote file */
  bool whole;       /* GET without a Range header (R804) */
  bool background;  /* yields to foreground traffic (R444) */
  xl_find find;     /* FIND */
  uint32_t ask;     /* ANSWER */
  xl_answer answer; /* ANSWER */
  bool on;          /* PUBLISH: has (true) or no longer has (false) */
  bool complete;    /* PUBLISH: holds all of it, validated */
  uint32_t parts;   /* GET from an origin: ranges in its Range header, which
                       xl_file_window lists; 0 when |whole| (R210, R804) */
  xl_notice notice; /* NOTIFY */
  uint32_t auth;    /* HEAD, GET from an origin: 1 << xl_auth_target of the
                       credentials of the job to answer with (R472) */
} xl_action;

typedef enum xl_job_type { /* only downloads are built */
  XL_JOB_DOWNLOAD = 0,
  XL_JOB_UPLOAD = 1,
  XL_JOB_UPLOAD_REPLY = 2
} xl_job_type;

typedef enum xl_error_context { /* BG_ERROR_CONTEXT, R429 */
  XL_CONTEXT_NONE = 0,
  XL_CONTEXT_UNKNOWN = 1,
  XL_CONTEXT_GENERAL_QUEUE_MANAGER = 2,
  XL_CONTEXT_QUEUE_MANAGER_NOTIFICATION = 3,
  XL_CONTEXT_LOCAL_FILE = 4,
  XL_CONTEXT_REMOTE_FILE = 5,
  XL_CONTEXT_GENERAL_TRANSPORT = 6,
  XL_CONTEXT_REMOTE_APPLICATION = 7
} xl_error_context;

typedef enum xl_proxy_usage { /* BG_JOB_PROXY_USAGE, R432 */
  XL_PROXY_PRECONFIG = 0,
  XL_PROXY_NONE = 1,
  XL_PROXY_OVERRIDE = 2,
  XL_PROXY_AUTODETECT = 3
} xl_proxy_usage;

typedef enum xl_auth_target { /* BG_AUTH_TARGET */
  XL_AUTH_SERVER = 1,
  XL_AUTH_PROXY = 2
} xl_auth_target;

typedef enum xl_auth_scheme { /* BG_AUTH_SCHEME */
  XL_AUTH_BASIC = 1,
  XL_AUTH_DIGEST = 2,
  XL_AUTH_NTLM = 3,
  XL_AUTH_NEGOTIATE = 4,
  XL_AUTH_PASSPORT = 5
} xl_auth_scheme;

#define XL_COPY_FILE_OWNER 1u /* BG_COPY_FILE_*, R503 */
#define XL_COPY_FILE_GROUP 2u
#define XL_COPY_FILE_DACL 4u
#define XL_COPY_FILE_SACL 8u
#define XL_COPY_FILE_ALL 15u

typedef struct xl_credentials { /* BG_AUTH_CREDENTIALS, R472 */
  xl_auth_target target;
  xl_auth_scheme scheme;
  const char *user, *password;
} xl_credentials;

typedef struct xl_proxy { /* R432 */
  xl_proxy_usage usage;
  const char *proxies, *bypass; /* NULL unless OVERRIDE */
} xl_proxy;

typedef struct xl_job_times { /* BG_JOB_TIMES, R431; whole seconds after
                                 |creation| */
  xl_time creation;
  xl_time modification;
  xl_time completion; /* entry to TRANSFERRED; -1 not yet */
} xl_job_times;

typedef struct xl_agent_cfg {
  uint32_t id;   /* the environment's number of the device */
  void *user;    /* the environment's own; xl_agent_user */
  const xl_policy *policy;
  const xl_value *params; /* policy->nparams values; NULL: the defaults.
                             Borrowed until the engine is freed. */
  uint32_t peercaching;   /* machine flags (R610) */
  xl_device_view device;
} xl_agent_cfg;

typedef struct xl_range_spec { /* BG_FILE_RANGE, R203 */
  xl_bytes offset;
  xl_bytes length; /* XL_LENGTH_TO_EOF: to the end */
} xl_range_spec;

typedef struct xl_file_info {
  const char *remote; /* URL */
  const char *local;
  const char *content;       /* published identity of the content, shared by
                                all its mirrors; NULL: the URL is the identity */
  uint32_t piece_bytes;      /* of the published piece hashes, > 0 */
  const char *const *mirrors; /* other URLs that hold the same; may be NULL */
  uint32_t nmirrors;
  const xl_range_spec *ranges; /* NULL: the whole file */
  uint32_t nranges;
} xl_file_info;

typedef struct xl_file_progress { /* BG_FILE_PROGRESS, R106-R111 */
  xl_bytes total;                 /* XL_SIZE_UNKNOWN until learned */
  xl_bytes transferred;
  bool completed; /* handed over by xl_job_complete */
} xl_file_progress;

typedef struct xl_transition { /* a change of state that can be */
  xl_job_state from, to;
  const char *cause; /* one phrase, with its rules */
} xl_transition;

typedef struct xl_job_progress { /* BG_JOB_PROGRESS, R430 */
  xl_bytes total;
  xl_bytes transferred;
  uint32_t files_total;
  uint32_t files_transferred;
} xl_job_progress;

typedef struct xl_peer_info {
  uint32_t id;
  xl_scope scope;
} xl_peer_info;

/* What a server or peer says before its bytes. */
typedef struct xl_reply {
  uint32_t status;    /* HTTP: 200, 206, 404, 416, 503 ... */
  xl_version version; /* size: of the whole remote file, or unknown */
  bool ranges;        /* Accept-Ranges */
  const char *location; /* where a redirection leads; NULL: not said. The
                           request is over, the engine asks again (R812). */
} xl_reply;

typedef enum xl_verdict {
  XL_VERDICT_PENDING, /* the check comes with a later delivery or the end */
  XL_VERDICT_GOOD,
  XL_VERDICT_BAD /* drop: FAILED_CHECK */
} xl_verdict;

XL_BEGIN_DECLS

xl_engine_cfg xl_engine_cfg_default(void);
/* Errors: E_INVALIDARG, E_OUTOFMEMORY; then *out is NULL. |env| is copied. */
XL_CHECKED xl_err xl_engine_new(xl_engine **out, const xl_engine_cfg *cfg,
                                const xl_env *env);
void xl_engine_del(xl_engine *eng); /* NULL is fine; frees its agents */
/* Earliest time something is due; XL_NEVER: nothing. */
xl_time xl_engine_deadline(const xl_engine *eng);
/* How often an agent was told a new length of a peer's map, all agents: what a
   real client would have sent as announcements. */
uint64_t xl_engine_announcements(const xl_engine *eng);
/* Does what is due at |now|. A driver may be late, never early. */
void xl_engine_advance(xl_engine *eng, xl_time now);
/* The next action in order; false when there is none. */
bool xl_engine_next(xl_engine *eng, xl_action *out);
/* The interned string, or NULL for 0. Lives as long as the engine. */
const char *xl_engine_string(const xl_engine *eng, xl_name name);
/* Interns; 0 when out of memory. */
xl_name xl_engine_name(xl_engine *eng, const char *s);
/* Checks every invariant of every agent (slow). NULL: all hold; else a text
   that says which is broken, in storage of the engine. */
const char *xl_engine_check(xl_engine *eng);
/* The same of one agent. */
const char *xl_agent_check(xl_agent *a);
/* Sticky: out of memory, or a policy that gave an illegal answer (the text
   says which). XL_OK: fine. After a failure the run must be given up. */
xl_err xl_engine_status(const xl_engine *eng, const char **text);

/* ---- agent ------------------------------------------------------------- */

XL_CHECKED xl_err xl_agent_new(xl_agent **out, xl_engine *eng,
                               const xl_agent_cfg *cfg, xl_time now);
void xl_agent_del(xl_agent *a); /* NULL is fine */
void *xl_agent_user(const xl_agent *a);
uint32_t xl_agent_id(const xl_agent *a);
/* The map of what this device holds of |key|; NULL when it holds none. */
const xl_map *xl_agent_map(const xl_agent *a, xl_name key, xl_version version);
/* Everything ever received, by class, dropped bytes moved to their wasted
   class; sums to all bytes delivered. */
const xl_ledger *xl_agent_ledger(const xl_agent *a);
/* Puts a validated copy into the peer cache: the device held it before. XL_OK
   also when the policy or the machine's flags keep nothing; xl_agent_map tells. */
XL_CHECKED xl_err xl_agent_hold(xl_agent *a, const xl_file_info *info,
                                xl_version version, xl_time now);

/* Inputs. |request| is the number of the action they answer; unknown numbers
   (of requests that have ended) are ignored. */
void xl_agent_reply(xl_agent *a, uint32_t request, const xl_reply *reply,
                    xl_time now);
/* |range|: bytes of the local file, in order within the request. |data| may
   be NULL. A request whose last asked byte has come ends as DONE. */
void xl_agent_deliver(xl_agent *a, uint32_t request, xl_range range,
                      xl_version version, xl_verdict verdict, const void *data,
                      xl_time now);
/* The request ended before that. |total|: bytes that arrived in all; those
   not delivered yet are booked now as if delivered with verdict PENDING.
   |retry_after|: of a refusal, 0 none. */
void xl_agent_ended(xl_agent *a, uint32_t request, xl_end end, xl_err err,
                    xl_bytes total, xl_span retry_after, xl_time now);
/* Bytes that arrived for a request that had ended. */
void xl_agent_late(xl_agent *a, xl_bytes bytes, xl_time now);
/* Answer to FIND. |last|: the search is over. */
void xl_agent_found(xl_agent *a, uint32_t search, const xl_peer_info *peers,
                    uint32_t n, bool last, xl_time now);
/* A peer asks; answered by XL_ACT_ANSWER with the same |ask|. */
void xl_agent_asked(xl_agent *a, uint32_t ask, uint32_t from, xl_scope scope,
                    xl_name key, xl_version version, xl_range range,
                    xl_time now);
/* An accepted ask is over: |bytes| were sent. */
void xl_agent_served(xl_agent *a, uint32_t ask, xl_bytes bytes, xl_time now);
/* All adapters lost, or back (R406). Requests under way end as LINK_LOST;
   bytes that arrived are taken from env->arrived first. */
void xl_agent_link(xl_agent *a, bool up, xl_time now);
/* Books what has arrived for requests under way (end of a run). */
void xl_agent_settle(xl_agent *a, xl_time now);

/* ---- job (IBackgroundCopyJob, 2, 3, 4) ---------------------------------- */

XL_CHECKED xl_err xl_job_create(xl_agent *a, const char *name, xl_job **out,
                                xl_time now);
xl_err xl_job_add_file(xl_job *j, const xl_file_info *info, xl_file **out,
                       xl_time now);
xl_err xl_job_resume(xl_job *j, xl_time now);
xl_err xl_job_suspend(xl_job *j, xl_time now);
xl_err xl_job_cancel(xl_job *j, xl_time now);
xl_err xl_job_complete(xl_job *j, xl_time now);
xl_err xl_job_set_priority(xl_job *j, xl_priority p, xl_time now);
xl_err xl_job_set_peercaching(xl_job *j, uint32_t flags, xl_time now);
xl_err xl_job_set_min_retry_delay(xl_job *j, uint32_t seconds, xl_time now);
xl_err xl_job_set_no_progress_timeout(xl_job *j, uint32_t seconds, xl_time now);
xl_err xl_job_set_max_download_time(xl_job *j, uint32_t seconds, xl_time now);
uint32_t xl_job_min_retry_delay(const xl_job *j); /* seconds, R421 */
/* Changes the begin |was| of every remote name to |is| (R501): XL_OK, or
   XL_S_FALSE when no name begins with it. */
xl_err xl_job_replace_remote_prefix(xl_job *j, const char *was, const char *is,
                                    xl_time now);
xl_job_state xl_job_state_of(const xl_job *j);
const char *xl_job_state_name(xl_job_state s);
/* Every change of state there is, static storage; no other happens. */
const xl_transition *xl_job_transitions(uint32_t *n);
void xl_job_progress_of(const xl_job *j, xl_job_progress *out);
/* S_OK and the code, or E_ERROR_INFORMATION_UNAVAILABLE (R429). |file| may be
   NULL. */
xl_err xl_job_error(const xl_job *j, xl_err *code, xl_file **file);
uint32_t xl_job_error_count(const xl_job *j); /* R428 */
uint32_t xl_job_nfiles(const xl_job *j);
xl_file *xl_job_file(const xl_job *j, uint32_t i);
xl_err xl_job_error_file(const xl_job *j, xl_file **out);
/* NONE when there is nothing to report. */
xl_error_context xl_job_error_context(const xl_job *j);
/* Adds all or none (R412). */
xl_err xl_job_add_file_set(xl_job *j, const xl_file_info *infos, uint32_t n,
                           xl_time now);
/* E_NOTIMPL, as for every job that is no upload with reply (R471). */
xl_err xl_job_reply_progress(const xl_job *j, xl_job_progress *out);
xl_err xl_job_reply_data(const xl_job *j, const void **data, uint64_t *length);
xl_err xl_job_set_reply_file_name(xl_job *j, const char *name, xl_time now);
xl_err xl_job_reply_file_name(const xl_job *j, const char **out);
xl_job_type xl_job_type_of(const xl_job *j);
void xl_job_times_of(const xl_job *j, xl_job_times *out);
/* R419. */
xl_err xl_job_set_display_name(xl_job *j, const char *name, xl_time now);
const char *xl_job_display_name(const xl_job *j);
xl_err xl_job_set_description(xl_job *j, const char *text, xl_time now);
const char *xl_job_description(const xl_job *j);
xl_priority xl_job_priority_of(const xl_job *j);
uint32_t xl_job_no_progress_timeout(const xl_job *j);   /* seconds */
uint32_t xl_job_max_download_time(const xl_job *j);     /* seconds */
uint32_t xl_job_peercaching(const xl_job *j);           /* R507 */
/* Flags of BITS_JOB_TRANSFER_POLICY: costs at which the job may run (R458). */
xl_err xl_job_set_cost_flags(xl_job *j, uint32_t flags, xl_time now);
uint32_t xl_job_cost_flags(const xl_job *j); /* 0: any cost */
/* Stored; of no effect on HTTP (R503). */
xl_err xl_job_set_acl_flags(xl_job *j, uint32_t flags, xl_time now);
uint32_t xl_job_acl_flags(const xl_job *j);
/* R432. What a list says is checked when the job runs. */
xl_err xl_job_set_proxy(xl_job *j, const xl_proxy *p, xl_time now);
void xl_job_proxy(const xl_job *j, xl_proxy *out);
/* R472. One for each target and scheme. */
xl_err xl_job_set_credentials(xl_job *j, const xl_credentials *c, xl_time now);
xl_err xl_job_remove_credentials(xl_job *j, xl_auth_target target,
                                 xl_auth_scheme scheme, xl_time now);
/* What a request with |auth| is to use; false: none. */
bool xl_job_credentials(const xl_job *j, xl_auth_target target,
                        xl_credentials *out);
/* R433, R434, R510: of who created the job or took it. */
const char *xl_job_owner(const xl_job *j);
uint32_t xl_job_owner_integrity(const xl_job *j);
bool xl_job_owner_elevated(const xl_job *j);
xl_err xl_job_take_ownership(xl_job *j, xl_time now);

/* ---- notices (R425-R427, R470) ---- */

/* Which notices there are; E_NOTIMPL: a flag that does not exist. */
xl_err xl_job_set_notify_flags(xl_job *j, uint32_t flags, xl_time now);
uint32_t xl_job_notify_flags(const xl_job *j);
/* |on|: somebody answers each NOTIFY with xl_job_notified; they are then told
   one at a time, files first, and again until answered, at most four at once
   for each owner. Off (the default): JOB_TRANSFERRED and JOB_ERROR are told
   once. */
xl_err xl_job_set_notify_interface(xl_job *j, bool on, xl_time now);
bool xl_job_notify_interface(const xl_job *j);
/* The last NOTIFY was dealt with; not |ok|: it is told again later. S_FALSE:
   none was being told. */
xl_err xl_job_notified(xl_job *j, bool ok, xl_time now);
/* Told as XL_NOTICE_COMMAND on JOB_TRANSFERRED and JOB_ERROR when no interface
   is set, or it failed. NULL, NULL: none. */
xl_err xl_job_set_command_line(xl_job *j, const char *program,
                               const char *parameters, xl_time now);
void xl_job_command_line(const xl_job *j, const char **program,
                         const char **parameters);
/* The command has ended; not |ok|, and the job neither completed nor
   cancelled: it is run again after the retry delay. */
xl_err xl_job_command_ended(xl_job *j, bool ok, xl_time now);

void *xl_job_user(const xl_job *j);
void xl_job_set_user(xl_job *j, void *user);

/* ---- file (IBackgroundCopyFile, 2, 3, 4) -------------------------------- */

const char *xl_file_remote_name(const xl_file *f);
const char *xl_file_local_name(const xl_file *f);
void xl_file_progress_of(const xl_file *f, xl_file_progress *out);
/* E_INVALIDARG also when the file has had 65,534 remote names. */
xl_err xl_file_set_remote_name(xl_file *f, const char *url, xl_time now);
/* S_OK and the ranges, or S_FALSE, 0, NULL (R201). */
xl_err xl_file_ranges(const xl_file *f, const xl_range_spec **out,
                      uint32_t *n);
/* Full path of the file while it is fetched (R301); NULL out of memory. */
const char *xl_file_temporary_name(xl_file *f);
/* Size and time stamp of the remote file; the local file gets its time stamp
   from it (R118). */
xl_version xl_file_version(const xl_file *f);

/* A list of files as it is now; their properties stay live (R115). */
typedef struct xl_file_enum {
  const xl_job *job;
  uint32_t n, next;
} xl_file_enum;

xl_file_enum xl_job_enum_files(const xl_job *j);
/* The next |n|: S_OK, or S_FALSE when there were fewer; |fetched| may be NULL
   when |n| is 1, else E_INVALIDARG (R116). */
xl_err xl_file_enum_next(xl_file_enum *e, uint32_t n, xl_file **out,
                         uint32_t *fetched);

/* R304-R306. */
xl_err xl_file_set_validation(xl_file *f, bool valid, xl_time now);
bool xl_file_validated(const xl_file *f);
bool xl_file_from_peer(const xl_file *f); /* R310 */
/* File data from the origin and from peers; sums to transferred (R321). */
void xl_file_peer_stats(const xl_file *f, xl_bytes *from_origin,
                        xl_bytes *from_peers);
/* By class; the useful classes sum to transferred. */
const xl_ledger *xl_file_ledger(const xl_file *f);
/* First copies from mirror |i|; 0 .. nmirrors. */
xl_bytes xl_file_mirror_bytes(const xl_file *f, uint32_t i);
uint32_t xl_file_mirror(const xl_file *f);
uint32_t xl_file_switches(const xl_file *f); /* remote-name switches */
uint32_t xl_file_restarts(const xl_file *f);
xl_time xl_file_started(const xl_file *f);  /* first request; -1 none */
xl_time xl_file_finished(const xl_file *f); /* last byte; -1 not yet */
xl_job *xl_file_job(const xl_file *f);
uint32_t xl_file_index(const xl_file *f); /* in the job, from 0 */

XL_END_DECLS

#endif
