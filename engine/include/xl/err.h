/* SPDX-License-Identifier: MIT */
/*
 * Every result code of the engine, once. A code is the published HRESULT
 * (bits-semantics 0.2, 0.3), so there is no second numbering to translate:
 * failures have the top bit set, successes (S_OK, S_FALSE, BG_S_*) have not.
 * HTTP status n is XL_E_HTTP(n), 0x80190000 + n (R806).
 */
#ifndef XL_ERR_H
#define XL_ERR_H

#include <xl/types.h>

/* name, HRESULT, text */
#define XL_ERR_MAP(X)                                                          \
  X(OK, 0x00000000, "success")                                                 \
  X(S_FALSE, 0x00000001, "success, but nothing to report or change")           \
  X(S_PARTIAL_COMPLETE, 0x00200017,                                            \
    "complete kept the finished files and deleted the others")                 \
  X(S_UNABLE_TO_DELETE_FILES, 0x0020001a, "temporary files were left behind")  \
  X(S_OVERRIDDEN_BY_POLICY, 0x00200055, "stored, but a policy overrides it")   \
  X(E_NOTIMPL, 0x80004001, "not implemented for this value or job type")       \
  X(E_PENDING, 0x8000000a, "the data is not there yet")                        \
  X(E_ACCESSDENIED, 0x80070005, "access denied")                               \
  X(E_OUTOFMEMORY, 0x8007000e, "out of memory")                                \
  X(E_INVALIDARG, 0x80070057, "argument outside its documented range")         \
  X(E_NOT_FOUND, 0x80200001, "no such job")                                    \
  X(E_INVALID_STATE, 0x80200002, "not allowed in this state of the job")       \
  X(E_EMPTY, 0x80200003, "the job has no files")                               \
  X(E_FILE_NOT_AVAILABLE, 0x80200004, "the error has no file")                 \
  X(E_PROTOCOL_NOT_AVAILABLE, 0x80200005, "the error has no protocol")         \
  X(E_DESTINATION_LOCKED, 0x8020000d, "the destination volume is locked")      \
  X(E_ERROR_INFORMATION_UNAVAILABLE, 0x8020000f, "no error to report")         \
  X(E_NETWORK_DISCONNECTED, 0x80200010, "no network adapter is connected")     \
  X(E_MISSING_FILE_SIZE, 0x80200011, "the server did not return the size")     \
  X(E_INSUFFICIENT_HTTP_SUPPORT, 0x80200012, "the server lacks HTTP/1.1")      \
  X(E_INSUFFICIENT_RANGE_SUPPORT, 0x80200013, "the server ignores ranges")     \
  X(E_INVALID_SERVER_RESPONSE, 0x8020001b, "the server broke the protocol")    \
  X(E_STRING_TOO_LONG, 0x80200021, "the string is too long")                   \
  X(E_NO_PROGRESS, 0x80200024, "no progress; will be tried again later")       \
  X(E_INVALID_RANGE, 0x8020002b, "a range lies outside the remote file")       \
  X(E_OVERLAPPING_RANGES, 0x8020002c, "ranges overlap")                        \
  X(E_CONNECT_FAILURE, 0x8020002d, "connection refused or unreachable")        \
  X(E_CONNECTION_CLOSED, 0x8020002e, "connection closed early")                \
  X(E_BLOCKED_BY_POLICY, 0x8020003e, "background traffic is blocked now")      \
  X(E_RECORD_DELETED, 0x80200042, "the peer-cache record is gone")             \
  X(E_PEERCACHING_DISABLED, 0x80200047, "peer caching is off")                 \
  X(E_BUSYCACHERECORD, 0x80200048, "the peer-cache record is in use")          \
  X(E_TOO_MANY_JOBS_PER_USER, 0x80200049, "too many jobs of this user")        \
  X(E_TOO_MANY_JOBS_PER_MACHINE, 0x80200050, "too many jobs on this machine")  \
  X(E_TOO_MANY_FILES_IN_JOB, 0x80200051, "too many files in the job")          \
  X(E_TOO_MANY_RANGES_IN_FILE, 0x80200052, "too many ranges in the file")      \
  X(E_VALIDATION_FAILED, 0x80200053, "the application found the file invalid") \
  X(E_MAXDOWNLOAD_TIMEOUT, 0x80200054, "maximum download time is over")        \
  X(E_FILE_NOT_FOUND, 0x80070002, "no such remote file")                       \
  X(E_PATH_NOT_FOUND, 0x80070003, "no such remote folder")                     \
  X(E_VOLUME_CHANGED, 0x8020000e, "the destination volume was swapped")        \
  X(E_NEW_OWNER_DIFF_MAPPING, 0x80200015,                                      \
    "the new owner maps the drive elsewhere")                                  \
  X(E_NEW_OWNER_NO_FILE_ACCESS, 0x80200016,                                    \
    "the new owner may not write the files")                                   \
  X(E_PROXY_LIST_TOO_LARGE, 0x80200018, "the proxy list is too long")          \
  X(E_PROXY_BYPASS_LIST_TOO_LARGE, 0x80200019,                                 \
    "the proxy bypass list is too long")                                       \
  X(E_USERNAME_TOO_LARGE, 0x80200025, "the user name is too long")             \
  X(E_PASSWORD_TOO_LARGE, 0x80200026, "the password is too long")              \
  X(E_INVALID_AUTH_TARGET, 0x80200027, "no such authentication target")        \
  X(E_INVALID_AUTH_SCHEME, 0x80200028, "no such authentication scheme")        \
  X(E_INVALID_PROXY_INFO, 0x8020003f,                                          \
    "the proxy list or bypass list is malformed")                              \
  X(E_INVALID_CREDENTIALS, 0x80200040, "malformed credentials")                \
  X(E_COST_POLICY, 0x80200059, "blocked by the cost of the network")           \
  X(E_PROPERTY_AFTER_RESUME, 0x80200062,                                       \
    "the property cannot be set after Resume")                                 \
  X(E_RANDOM_ACCESS_NOT_SUPPORTED, 0x8020006d,                                 \
    "dynamic content has no ranges")                                           \
  X(E_POWER_SAVING, 0x80200065, "paused: the machine saves power")             \
  X(E_BATTERY, 0x80200067, "paused: the machine runs on battery")              \
  X(E_BATTERY_SAVER, 0x80200068, "paused: battery saver is on")                \
  X(E_GAME_MODE, 0x8020006f, "paused: a game runs")                            \
  X(E_RESOURCES, 0x80200070, "paused: the machine is short of resources")      \
  X(DO_NO_SERVICE, 0x80d01001, "DO: the service is not running")               \
  X(DO_NO_PROGRESS, 0x80d02002, "DO: no progress within the timeout")          \
  X(DO_JOB_NOT_FOUND, 0x80d02003, "DO: no such job")                           \
  X(DO_JOB_EMPTY, 0x80d02004, "DO: the job has no files")                      \
  X(DO_LOCALPATH_NOT_SET, 0x80d0200d, "DO: no local path")                     \
  X(DO_FILE_NOT_AVAILABLE, 0x80d02010, "DO: the error has no file")            \
  X(DO_UNKNOWN_PROPERTY_ID, 0x80d02011, "DO: no such property")                \
  X(DO_READ_ONLY_PROPERTY, 0x80d02012, "DO: the property cannot be set")       \
  X(DO_INVALID_STATE, 0x80d02013, "DO: not allowed in this state")             \
  X(DO_ERROR_INFORMATION_UNAVAILABLE, 0x80d02014, "DO: no error to report")    \
  X(DO_DOWNLOADSINK_UNSPECIFIED, 0x80d02018,                                   \
    "DO: neither file nor stream to write to")                                 \
  X(DO_NO_URI, 0x80d02200, "DO: no address to download from")                  \
  X(DO_NO_EXTSETTINGS, 0x80d03002, "DO: no settings of the download")          \
  X(DO_BLOCKED_BY_COST, 0x80d03801, "DO: blocked by the cost of the network")  \
  X(DO_BLOCKED_BY_CELLULAR, 0x80d03803, "DO: blocked on a cellular network")   \
  X(DO_BLOCKED_BY_POWER, 0x80d03804, "DO: blocked by the power state")         \
  X(DO_BLOCKED_BY_NO_NETWORK, 0x80d03805, "DO: no network is connected")       \
  X(DO_BLOCKED_BY_VPN, 0x80d03807, "DO: blocked on a VPN")                     \
  X(DO_BLOCKED_BY_MEMORY, 0x80d03808, "DO: blocked by a lack of memory")       \
  X(DO_HTTP_BLOCKSIZE_MISMATCH, 0x80d05001,                                    \
    "DO: the server sent another block size")                                  \
  X(DO_INVALID_RANGE, 0x80d05010, "DO: a range lies outside the remote file")  \
  X(DO_INSUFFICIENT_RANGE_SUPPORT, 0x80d05011, "DO: the server ignores ranges")\
  X(DO_OVERLAPPING_RANGES, 0x80d05012, "DO: ranges overlap")                   \
  X(DO_FATAL_CORE_ERROR, 0x80d06802, "DO: the service failed")                 \
  X(E_FILE_CORRUPT, 0x80070570, "the saved bytes are damaged")                 \
  X(E_UNKNOWN_REVISION, 0x80070519, "saved by a newer version")                \
  X(E_INSUFFICIENT_BUFFER, 0x8007007a, "the buffer is too small")              \
  X(E_TIMEOUT, 0x80072ee2, "no bytes for longer than the stall timeout")       \
  X(E_CLIENT_CERT_NEEDED, 0x80072f0c, "the server wants a client certificate")

typedef int32_t xl_err;

enum {
#define XL_ERR_ENUM(name, code, text) XL_##name = (int32_t)(code),
  XL_ERR_MAP(XL_ERR_ENUM)
#undef XL_ERR_ENUM
};

#define XL_E_HTTP(status) ((xl_err)(0x80190000u + (uint32_t)(status)))
#define XL_HRESULT(err) ((uint32_t)(err)) /* as it is printed */

XL_BEGIN_DECLS

/* True for HRESULT failures; XL_S_* codes are successes. */
static inline bool xl_failed(xl_err err) { return err < 0; }

/* "E_INVALID_STATE", "HTTP_404", or "UNKNOWN"; static storage. */
const char *xl_err_name(xl_err err);
/* One phrase for people; static storage. */
const char *xl_err_text(xl_err err);
/* True when the failure may cure itself (TRANSIENT_ERROR), R460, R806. */
bool xl_err_transient(xl_err err);

XL_END_DECLS

#endif
