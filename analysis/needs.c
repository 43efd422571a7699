/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/needs.h"

#include <stdlib.h>

#include "analysis/alloc.h"
#include "analysis/arrived.h"

#define NEVER (-1)
#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* ---- when each file was asked for ---------------------------------------- */

/* Files name their job by (device, number), and a job may run several times on
   a device (catalogues). When the files follow their jobs row by row, each
   takes its own job's arrival; else the first arrival of that (device, number),
   which only weakens the bound. */
typedef struct job_key {
  uint32_t device, job;
  int64_t at;
} job_key;

static int by_job(const void *a, const void *b) {
  const job_key *x = a, *y = b;
  int order = ORDER(x->device, y->device);

  order = order != 0 ? order : ORDER(x->job, y->job);
  return order != 0 ? order : ORDER(x->at, y->at);
}

static bool belongs(const row_files *f, const row_jobs *j) {
  return f->device == j->device && f->job == j->job &&
         (f->start_ns < 0 || f->start_ns >= j->arrival_ns) &&
         (j->end_ns < 0 || (f->end_ns >= 0 && f->end_ns <= j->end_ns));
}

/* Fills at[i] of every file if the files follow the jobs row by row. */
static bool arrivals_by_row(const tables *tb, int64_t *at) {
  const row_jobs *jobs = TABLE_OF(tb, JOBS, jobs);
  const row_files *files = TABLE_OF(tb, FILES, files);
  size_t f = 0;

  for (size_t i = 0; i < TABLE_N(tb, JOBS); i++) {
    for (uint32_t k = 0; k < jobs[i].files; k++, f++) {
      if (f >= TABLE_N(tb, FILES) || !belongs(&files[f], &jobs[i])) {
        return false;
      }
      at[f] = jobs[i].arrival_ns;
    }
  }
  return f == TABLE_N(tb, FILES);
}

static void arrivals_by_key(const tables *tb, int64_t *at) {
  const row_jobs *jobs = TABLE_OF(tb, JOBS, jobs);
  const row_files *files = TABLE_OF(tb, FILES, files);
  size_t n = 0;
  job_key *keys = alloc_array(TABLE_N(tb, JOBS), sizeof *keys);

  for (size_t i = 0; i < TABLE_N(tb, JOBS); i++) {
    if (job_arrived(&jobs[i], run_end(tb))) {
      keys[n++] = (job_key){jobs[i].device, jobs[i].job, jobs[i].arrival_ns};
    }
  }
  qsort(keys, n, sizeof *keys, by_job);
  for (size_t i = 0; i < TABLE_N(tb, FILES); i++) {
    job_key want = {files[i].device, files[i].job, INT64_MIN};
    size_t lo = 0, hi = n;
    while (lo < hi) {
      size_t mid = lo + (hi - lo) / 2;
      if (by_job(&keys[mid], &want) < 0) {
        lo = mid + 1;
      } else {
        hi = mid;
      }
    }
    bool found =
        lo < n && keys[lo].device == want.device && keys[lo].job == want.job;
    at[i] = found ? keys[lo].at : NEVER;
  }
  free(keys);
}

/* ---- needs --------------------------------------------------------------- */

static int by_device_content(const void *a, const void *b) {
  const need *x = a, *y = b;
  int order = ORDER(x->device, y->device);

  order = order != 0 ? order : ORDER(x->content, y->content);
  return order != 0 ? order : ORDER(x->at, y->at);
}

static int by_content_device(const void *a, const void *b) {
  const hold *x = a, *y = b;
  int order = ORDER(x->content, y->content);

  return order != 0 ? order : ORDER(x->device, y->device);
}

static bool holds(const needs *ns, uint32_t device, uint32_t content) {
  hold key = {content, device};

  return bsearch(&key, ns->hold, ns->nholds, sizeof key, by_content_device) !=
         NULL;
}

static void collect_devices(needs *ns, const tables *tb) {
  const row_devices *devices = TABLE_OF(tb, DEVICES, devices);

  ns->ndevices = TABLE_N(tb, DEVICES);
  ns->nsites = TABLE_N(tb, SITES);
  ns->site = alloc_array(ns->ndevices, sizeof *ns->site);
  ns->takes_part = alloc_array(ns->ndevices, sizeof *ns->takes_part);
  for (size_t i = 0; i < ns->ndevices; i++) {
    uint32_t site = devices[i].site;
    ns->site[i] = site < ns->nsites ? site : (uint32_t)ns->nsites;
  }
}

static void collect_jobs(needs *ns, const tables *tb) {
  const row_jobs *jobs = TABLE_OF(tb, JOBS, jobs);

  ns->release = INT64_MAX;
  for (size_t i = 0; i < TABLE_N(tb, JOBS); i++) {
    if (!job_arrived(&jobs[i], run_end(tb))) {
      continue;
    }
    ns->njobs++;
    if (jobs[i].release_ns < ns->release) {
      ns->release = jobs[i].release_ns;
    }
    if (jobs[i].arrival_ns > ns->last_arrival) {
      ns->last_arrival = jobs[i].arrival_ns;
    }
  }
}

static void collect_holds(needs *ns, const tables *tb) {
  const row_held *held = TABLE_OF(tb, HELD, held);
  size_t n = 0;

  ns->hold = alloc_array(TABLE_N(tb, HELD), sizeof *ns->hold);
  for (size_t i = 0; i < TABLE_N(tb, HELD); i++) {
    if (held[i].device < ns->ndevices) {
      ns->hold[n++] = (hold){held[i].content, held[i].device};
      ns->takes_part[held[i].device] = true;
    }
  }
  qsort(ns->hold, n, sizeof *ns->hold, by_content_device);
  for (size_t i = 0; i < n; i++) { /* each once */
    if (i == 0 || by_content_device(&ns->hold[i], &ns->hold[i - 1]) != 0) {
      ns->hold[ns->nholds++] = ns->hold[i];
    }
  }
}

static void collect_needs(needs *ns, const tables *tb) {
  const row_files *files = TABLE_OF(tb, FILES, files);
  const row_contents *contents = TABLE_OF(tb, CONTENTS, contents);
  size_t nfiles = TABLE_N(tb, FILES), n = 0;
  int64_t *at = alloc_array(nfiles, sizeof *at);

  if (!arrivals_by_row(tb, at)) {
    arrivals_by_key(tb, at);
  }
  ns->need = alloc_array(nfiles, sizeof *ns->need);
  for (size_t i = 0; i < nfiles; i++) {
    const row_files *f = &files[i];
    if (f->device >= ns->ndevices || f->content >= TABLE_N(tb, CONTENTS) ||
        at[i] < 0 || at[i] > run_end(tb)) {
      continue;
    }
    uint64_t size = contents[f->content].size;
    uint64_t bytes = f->size < size ? f->size : size;
    if (bytes > 0 && !holds(ns, f->device, f->content)) {
      ns->need[n++] =
          (need){at[i], bytes, f->device, f->content, ns->site[f->device]};
      ns->takes_part[f->device] = true;
    }
  }
  free(at);
  ns->n = n;
}

/* The first need of a content on a device stands for all: its bytes may have
   stayed there. It counts what the largest of them asks for. */
static void merge_needs(needs *ns) {
  size_t n = 0;

  qsort(ns->need, ns->n, sizeof *ns->need, by_device_content);
  for (size_t i = 0; i < ns->n; i++) {
    const need *x = &ns->need[i];
    need *last = n > 0 ? &ns->need[n - 1] : NULL;
    if (last != NULL && last->device == x->device &&
        last->content == x->content) {
      last->bytes = x->bytes > last->bytes ? x->bytes : last->bytes;
    } else {
      ns->need[n++] = *x;
    }
  }
  ns->n = n;
}

void needs_init(needs *ns, const tables *tb) {
  *ns = (needs){0};
  collect_devices(ns, tb);
  collect_jobs(ns, tb);
  collect_holds(ns, tb);
  collect_needs(ns, tb);
  merge_needs(ns);
}

void needs_fini(needs *ns) {
  free(ns->need);
  free(ns->hold);
  free(ns->site);
  free(ns->takes_part);
}

const hold *needs_holders(const needs *ns, uint32_t content, size_t *n) {
  size_t lo = 0, hi = ns->nholds, end;

  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (ns->hold[mid].content < content) {
      lo = mid + 1;
    } else {
      hi = mid;
    }
  }
  for (end = lo; end < ns->nholds && ns->hold[end].content == content; end++) {
  }
  *n = end - lo;
  return &ns->hold[lo];
}

/* ---- copies -------------------------------------------------------------- */

static int by_site_content(const void *a, const void *b) {
  const copy *x = a, *y = b;
  int order = ORDER(x->site, y->site);

  order = order != 0 ? order : ORDER(x->content, y->content);
  return order != 0 ? order : ORDER(x->at, y->at);
}

static int by_latest(const void *a, const void *b) {
  const copy *x = a, *y = b;
  int order = ORDER(y->at, x->at);

  return order != 0 ? order : ORDER(x->content, y->content);
}

/* One copy for each (site, content): earliest instant, largest size. */
static size_t merge_copies(copy *c, size_t n) {
  size_t m = 0;

  qsort(c, n, sizeof *c, by_site_content);
  for (size_t i = 0; i < n; i++) {
    if (m > 0 && c[m - 1].site == c[i].site &&
        c[m - 1].content == c[i].content) {
      c[m - 1].bytes =
          c[i].bytes > c[m - 1].bytes ? c[i].bytes : c[m - 1].bytes;
    } else {
      c[m++] = c[i];
    }
  }
  return m;
}

copy *needs_first_copies(const needs *ns, size_t *n) {
  copy *c = alloc_array(ns->n, sizeof *c);

  for (size_t i = 0; i < ns->n; i++) {
    c[i] = (copy){ns->need[i].at, ns->need[i].bytes, ns->need[i].content, 0};
  }
  *n = merge_copies(c, ns->n);
  qsort(c, *n, sizeof *c, by_latest);
  return c;
}

/* The sites that hold a content, as copies of no bytes: sorted before the
   needs of the same site and content, they take these out. */
copy *needs_site_copies(const needs *ns, size_t *n) {
  copy *c = alloc_array(ns->n + ns->nholds, sizeof *c);
  size_t m = 0;

  for (size_t i = 0; i < ns->nholds; i++) {
    c[m++] =
        (copy){INT64_MIN, 0, ns->hold[i].content, ns->site[ns->hold[i].device]};
  }
  for (size_t i = 0; i < ns->n; i++) {
    c[m++] = (copy){ns->need[i].at, ns->need[i].bytes, ns->need[i].content,
                    ns->need[i].site};
  }
  m = merge_copies(c, m);
  *n = 0;
  for (size_t i = 0; i < m; i++) {
    if (c[i].at != INT64_MIN) {
      c[(*n)++] = c[i];
    }
  }
  return c;
}
