/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The check. The ledger of a file does not say from which kind of source its
 * wasted bytes came, so the sum is closed per file: what the transfers of a
 * file delivered, all kinds together, must be what its ledger received. Then
 * what origins received is the first copies from origins plus the wasted bytes
 * that the transfers of peers and caches do not account for.
 */
#include "analysis/reasons.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/alloc.h"

#include "analysis/study.h"

typedef struct file_sum {
  uint32_t device, job, content;
  uint64_t ledger;    /* received, all classes */
  uint64_t delivered; /* by its transfers */
} file_sum;

bool reasons_present(const trace *t) {
  return t->table[SCHEMA_TRANSFERS].present;
}

static uint64_t file_useful(const row_files *f) {
  return f->origin + f->peer_subnet + f->peer_site + f->peer_group +
         f->peer_internet + f->cache;
}

static uint64_t file_wasted(const row_files *f) {
  return f->duplicate + f->late + f->cancelled + f->failed_check +
         f->restarted + f->overhead;
}

static int by_file(const void *a, const void *b) {
  const file_sum *x = a, *y = b;

  if (x->device != y->device) {
    return x->device < y->device ? -1 : 1;
  }
  if (x->job != y->job) {
    return x->job < y->job ? -1 : 1;
  }
  return x->content < y->content ? -1 : x->content > y->content;
}

/* Files of the trace, sorted, those of one key together. Returns how many. */
static size_t files_sorted(const trace *t, file_sum *out) {
  const row_files *f = TRACE_ROWS(t, FILES, files);
  size_t n = t->table[SCHEMA_FILES].n, kept = 0;

  for (size_t i = 0; i < n; i++) {
    out[i] = (file_sum){f[i].device, f[i].job, f[i].content,
                        file_useful(&f[i]) + file_wasted(&f[i]), 0};
  }
  qsort(out, n, sizeof *out, by_file);
  for (size_t i = 0; i < n; i++) {
    if (kept > 0 && by_file(&out[kept - 1], &out[i]) == 0) {
      out[kept - 1].ledger += out[i].ledger;
    } else {
      out[kept++] = out[i];
    }
  }
  return kept;
}

static void check_files(const trace *t, reasons *out) {
  const row_transfers *x = TRACE_ROWS(t, TRANSFERS, transfers);
  size_t nx = t->table[SCHEMA_TRANSFERS].n;
  file_sum *sum = alloc_array(t->table[SCHEMA_FILES].n + 1, sizeof *sum);

  out->nfiles = files_sorted(t, sum);
  for (size_t i = 0; i < nx; i++) {
    file_sum key = {x[i].device, x[i].job, x[i].content, 0, 0};
    file_sum *f = bsearch(&key, sum, out->nfiles, sizeof *sum, by_file);
    if (f != NULL) {
      f->delivered += x[i].delivered;
    } else if (x[i].delivered > 0) {
      out->files_off++;
    }
  }
  for (size_t i = 0; i < out->nfiles; i++) {
    out->files_off += sum[i].delivered != sum[i].ledger;
  }
  free(sum);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* Median waiting time of each reason. */
static void wait_medians(const row_transfers *x, size_t n, reasons *out) {
  double *waited = alloc_array(out->requests + 1, sizeof *waited);

  for (size_t r = 0; r < XL_NREASONS; r++) {
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
      if (x[i].kind == XL_SOURCE_ORIGIN && x[i].reason == r) {
        waited[m++] = (double)x[i].waited_ns / 1e9;
      }
    }
    qsort(waited, m, sizeof *waited, by_value);
    out->row[r].waited_p50_s = m == 0 ? NAN : quantile_sorted(waited, m, 0.5);
  }
  free(waited);
}

void reasons_count(const trace *t, reasons *out) {
  const row_transfers *x = TRACE_ROWS(t, TRANSFERS, transfers);
  const row_files *f = TRACE_ROWS(t, FILES, files);
  const row_origins *o = TRACE_ROWS(t, ORIGINS, origins);
  size_t n = t->table[SCHEMA_TRANSFERS].n;
  uint64_t others = 0, total = 0;

  *out = (reasons){0};
  for (size_t i = 0; i < n; i++) {
    if (x[i].kind != XL_SOURCE_ORIGIN) {
      others += x[i].delivered;
      continue;
    }
    reason_row *row =
        &out->row[x[i].reason < XL_NREASONS ? x[i].reason : XL_REASON_OTHER];
    row->bytes += x[i].delivered;
    row->requests++;
    out->requests++;
    out->delivered += x[i].delivered;
    for (size_t r = 0; r < XL_NREASONS; r++) {
      row->rejected[r] += x[i].rejected >> r & 1;
    }
  }
  wait_medians(x, n, out);
  for (size_t i = 0; i < t->table[SCHEMA_FILES].n; i++) {
    out->first_copies += f[i].origin;
    total += file_useful(&f[i]) + file_wasted(&f[i]);
  }
  for (size_t i = 0; i < t->table[SCHEMA_ORIGINS].n; i++) {
    out->egress += o[i].egress;
  }
  out->received = total > others ? total - others : 0;
  out->wasted =
      out->received > out->first_copies ? out->received - out->first_copies : 0;
  out->checked = t->complete && t->table[SCHEMA_FILES].present;
  if (out->checked) {
    check_files(t, out);
  }
}

bool reasons_add_up(const reasons *r) {
  return r->checked && r->files_off == 0 && r->delivered == r->received &&
         r->first_copies + r->wasted == r->received;
}

size_t reasons_order(const reasons *r, xl_reason order[XL_NREASONS]) {
  size_t n = 0;

  for (size_t i = 0; i < XL_NREASONS; i++) {
    if (r->row[i].requests == 0) {
      continue;
    }
    size_t at = n++;
    while (at > 0 && r->row[order[at - 1]].bytes < r->row[i].bytes) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = (xl_reason)i;
  }
  return n;
}

bool reasons_most_rejected(const reason_row *row, xl_reason *out,
                           double *share) {
  size_t most = 0;

  for (size_t r = 1; r < XL_NREASONS; r++) {
    most = row->rejected[r] > row->rejected[most] ? r : most;
  }
  *out = (xl_reason)most;
  *share = row->requests > 0
               ? (double)row->rejected[most] / (double)row->requests
               : 0;
  return row->rejected[most] > 0;
}
