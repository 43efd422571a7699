/* SPDX-License-Identifier: MIT */
/*
 * What an agent keeps over a crash or reboot, as bytes.
 *
 * Kept: jobs with their files, names, ranges, properties, priorities and order;
 * the bytes received, also of partial pieces, with the class and mirror each
 * came from; sizes and time stamps of remote files; error state and counts;
 * time still to wait, as spans (R423); the ledger; the peer cache with each
 * record's URL, id and age, its preferences and the servers that are known
 * (R624). Jobs in a final state stay as their record, since the ledger is the
 * sum of its files'.
 * Lost: requests, searches, uploads, what a policy remembers of a transfer, the
 * peers known for a file, and a remote name set after the last Resume (R214).
 *
 * Saved after each delivery, it is what BITS would have on its disk: bytes that
 * had arrived but were not delivered are not in it, and are asked for again.
 *
 *   "XLSV"  u32 version  u64 length of what follows  u64 checksum  body
 *
 * Numbers are little-endian, written byte by byte; equal agents give equal
 * bytes. The version grows by one with each kind of property; older ones are
 * read, the properties they lack get their defaults.
 */
#ifndef XL_SAVE_H
#define XL_SAVE_H

#include <xl/agent.h>

/* Where bytes are not what a save writes. */
typedef struct xl_save_fault {
  size_t at;        /* offset of the word that cannot be */
  const char *part; /* "header", "agent", "records", "jobs", "servers", "end" */
} xl_save_fault;

XL_BEGIN_DECLS

/* The version that xl_agent_save writes. */
uint32_t xl_save_version(void);
/* Writes at most |cap| bytes to |buf| and sets *len to how many there are;
   |buf| NULL asks for the size. Changes nothing in |a|. Errors:
   E_INSUFFICIENT_BUFFER, then |buf| is not to be used. |now|: as for inputs. */
xl_err xl_agent_save(const xl_agent *a, void *buf, size_t cap, size_t *len,
                     xl_time now);
/* A new agent as it was saved; jobs that ran are QUEUED. |now|, not negative,
   may be of another clock than that of the save. Cached records are published
   again. Nothing runs until xl_agent_start. Errors, after which there is no
   agent, no action and no name more than before: E_FILE_CORRUPT,
   E_UNKNOWN_REVISION (a newer version), both with *fault unless it is NULL;
   E_INVALIDARG (|cfg|, |now|), E_OUTOFMEMORY. */
XL_CHECKED xl_err xl_agent_load(xl_agent **out, xl_engine *eng,
                                const xl_agent_cfg *cfg, const void *bytes,
                                size_t len, xl_save_fault *fault, xl_time now);
/* After a load: the jobs begin again; TRANSFERRED and ERROR of jobs (R427) are
   told again. */
xl_err xl_agent_start(xl_agent *a, xl_time now);
/* Jobs in order of creation, of any state: handles after a load. */
uint32_t xl_agent_njobs(const xl_agent *a);
xl_job *xl_agent_job(const xl_agent *a, uint32_t i);

XL_END_DECLS

#endif
