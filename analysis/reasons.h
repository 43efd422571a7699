/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why bytes came from origins: delivered bytes of requests to origins by the
 * reason code of the choice, checked against the ledger of the files.
 */
#ifndef ANALYSIS_REASONS_H
#define ANALYSIS_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xl/ledger.h>

#include "record/record.h"

typedef struct reason_row {
  uint64_t bytes; /* delivered */
  uint64_t requests;
  uint64_t rejected[XL_NREASONS]; /* requests that ruled this out */
  double waited_p50_s;            /* NaN: no requests */
} reason_row;

typedef struct reasons {
  reason_row row[XL_NREASONS];
  uint64_t requests;
  uint64_t delivered;    /* by origins: the sum over the reasons */
  uint64_t first_copies; /* from origins, in the files' ledgers */
  uint64_t wasted;       /* received from origins and not a first copy */
  uint64_t received;     /* from origins, by the ledgers: the two together */
  uint64_t egress;       /* sent by origins */
  size_t nfiles;
  size_t files_off; /* files whose transfers do not add up to their ledger */
  bool checked;     /* the trace holds the ledgers (it ended) */
} reasons;

/* Whether |t| was recorded at level transfers. */
bool reasons_present(const trace *t);

/* Counts. |t| holds TRANSFERS, FILES and ORIGINS. */
void reasons_count(const trace *t, reasons *out);

/* The delivered bytes are exactly those received from origins. */
bool reasons_add_up(const reasons *r);

/* Reasons with requests, most bytes first. Returns how many. */
size_t reasons_order(const reasons *r, xl_reason order[XL_NREASONS]);

/* What was ruled out most often with |reason|; false: nothing was. */
bool reasons_most_rejected(const reason_row *row, xl_reason *out,
                           double *share);

#endif
