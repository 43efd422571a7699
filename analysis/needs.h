/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be moved in a run, whatever the policy: each content that a
 * device asks for and does not hold at the start, once, from the arrival of its
 * first job with this content.
 */
#ifndef ANALYSIS_NEEDS_H
#define ANALYSIS_NEEDS_H

#include <stdbool.h>

#include "analysis/summary.h"

typedef struct need {
  int64_t at;     /* arrival, ns */
  uint64_t bytes; /* of the content that its files ask for; > 0 */
  uint32_t device, content;
  uint32_t site; /* needs.nsites: none */
} need;

typedef struct hold {
  uint32_t content, device;
} hold;

/* A content that must enter a site, or leave its first holders, once. */
typedef struct copy {
  int64_t at;     /* first need of it */
  uint64_t bytes; /* most that one device needs of it */
  uint32_t content, site;
} copy;

typedef struct needs {
  need *need; /* by (device, content) */
  size_t n;
  hold *hold; /* by (content, device), each once */
  size_t nholds;
  uint32_t *site;   /* of each device */
  bool *takes_part; /* device holds or needs something */
  size_t ndevices, nsites;
  size_t njobs;         /* that arrived, also those that need nothing */
  int64_t release;      /* first release of these */
  int64_t last_arrival; /* of these */
} needs;

void needs_init(needs *ns, const tables *tb);
void needs_fini(needs *ns);

/* The devices that hold |content| at the start. */
const hold *needs_holders(const needs *ns, uint32_t content, size_t *n);

/* One copy a needed content, latest first. Caller frees. */
copy *needs_first_copies(const needs *ns, size_t *n);

/* One copy a site and needed content that no device of the site holds. Caller
   frees. */
copy *needs_site_copies(const needs *ns, size_t *n);

#endif
