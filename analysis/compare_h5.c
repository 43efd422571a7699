/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare.h5: what a comparison found, for h5py and pandas, and enough to make
 * its report again.
 *
 *   /runs    a row a run: policy, seed, used, file, columns of /summary
 *   /means   a row a policy and metric: mean and interval over seeds
 *   /paired  a row a policy and metric: difference from the baseline
 *
 * Root attributes: scenario, network, command, baseline. Strings are padded
 * with zeros to the longest of their column; equal comparisons give equal
 * bytes.
 */
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/alloc.h"
#include "analysis/compare_table.h"

#define CHUNK 256

/* ---- a table that is built field by field -------------------------------- */

typedef struct sheet {
  hid_t type;
  size_t size; /* bytes of a row */
  size_t nrows;
  char *rows;
} sheet;

static void sheet_field(sheet *s, const char *name, hid_t type) {
  size_t size = H5Tget_size(type);

  H5Tset_size(s->type, s->size + size);
  H5Tinsert(s->type, name, s->size, type);
  s->size += size;
}

static void sheet_string(sheet *s, const char *name, size_t len) {
  hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, len > 0 ? len : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  sheet_field(s, name, type);
  H5Tclose(type);
}

static sheet sheet_new(void) {
  /* A compound has at least one byte; sheet_field sets the real size. */
  return (sheet){.type = H5Tcreate(H5T_COMPOUND, 1)};
}

static void sheet_begin(sheet *s, size_t nrows) {
  s->nrows = nrows;
  s->rows = alloc_array(nrows, s->size);
}

/* The place of field |name| in row |i|, and its size. */
static char *cell(const sheet *s, size_t i, const char *name, size_t *size) {
  int at = H5Tget_member_index(s->type, name);
  hid_t type = H5Tget_member_type(s->type, (unsigned)at);

  *size = H5Tget_size(type);
  H5Tclose(type);
  return s->rows + i * s->size + H5Tget_member_offset(s->type, (unsigned)at);
}

static void set_text(sheet *s, size_t i, const char *name, const char *text) {
  size_t size, len = strlen(text);
  char *to = cell(s, i, name, &size);

  memcpy(to, text, len < size ? len : size);
}

static void set_double(sheet *s, size_t i, const char *name, double v) {
  size_t size;

  memcpy(cell(s, i, name, &size), &v, sizeof v);
}

static void set_u64(sheet *s, size_t i, const char *name, uint64_t v) {
  size_t size;

  memcpy(cell(s, i, name, &size), &v, sizeof v);
}

static bool sheet_write(sheet *s, hid_t file, const char *name) {
  hsize_t dims = s->nrows, chunk = dims < CHUNK ? dims : CHUNK;
  hid_t space = H5Screate_simple(1, &dims, NULL);
  hid_t plist = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_obj_track_times(plist, 0);
  if (dims > 0) {
    H5Pset_chunk(plist, 1, &chunk);
    H5Pset_shuffle(plist);
    H5Pset_deflate(plist, 1);
  }
  hid_t set =
      H5Dcreate2(file, name, s->type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  bool good = set >= 0 && (dims == 0 || H5Dwrite(set, s->type, H5S_ALL, H5S_ALL,
                                                 H5P_DEFAULT, s->rows) >= 0);
  if (set >= 0) {
    good = H5Dclose(set) >= 0 && good;
  }
  H5Pclose(plist);
  H5Sclose(space);
  H5Tclose(s->type);
  free(s->rows);
  return good;
}

/* ---- the three tables ---------------------------------------------------- */

static size_t longest_policy(const study *st) {
  size_t longest = 1;

  for (size_t p = 0; p < st->npolicies; p++) {
    size_t len = strlen(st->in->policies[p]);
    longest = len > longest ? len : longest;
  }
  return longest;
}

static size_t longest_metric(void) {
  size_t longest = 1;

  for (size_t i = 0; i < nmetrics; i++) {
    size_t len = strlen(metrics[i].name);
    longest = len > longest ? len : longest;
  }
  return longest;
}

/* |path| without |dir|/ when it lies below it; else absolute. Owned. */
static char *below(const char *path, const char *dir) {
  char *full = realpath(path, NULL), *base = realpath(dir, NULL);
  const char *use = full != NULL ? full : path;
  size_t len = base != NULL ? strlen(base) : 0;

  if (len > 0 && strncmp(use, base, len) == 0 && use[len] == '/') {
    use += len + 1;
  }
  char *out = alloc_text(use);
  free(full);
  free(base);
  return out;
}

static bool write_runs(const study *st, hid_t file, const char *dir) {
  size_t n = st->npolicies * st->nseeds, longest = 1;
  sheet s = sheet_new();

  char **files = alloc_array(n, sizeof(char *));

  for (size_t i = 0; i < n; i++) {
    files[i] = below(st->runs[i].path, dir);
    size_t len = strlen(files[i]);
    longest = len > longest ? len : longest;
  }
  sheet_string(&s, "policy", longest_policy(st));
  sheet_field(&s, "seed", H5T_NATIVE_UINT64);
  sheet_field(&s, "used", H5T_NATIVE_UINT64);
  sheet_string(&s, "file", longest);
  for (size_t i = 0; i < nmetrics; i++) {
    sheet_field(&s, metrics[i].name, H5T_NATIVE_DOUBLE);
  }
  sheet_string(&s, "binding_bound", 24);
  sheet_begin(&s, n);
  for (size_t i = 0; i < n; i++) {
    const study_run *r = &st->runs[i];
    set_text(&s, i, "policy", st->in->policies[r->policy]);
    set_u64(&s, i, "seed", st->seeds[r->seed_i]);
    set_u64(&s, i, "used", r->used);
    set_text(&s, i, "file", files[i]);
    free(files[i]);
    for (size_t k = 0; k < nmetrics; k++) {
      set_double(&s, i, metrics[k].name,
                 r->used ? metric_value(&r->s, metrics[k].name) : NAN);
    }
    if (r->used) {
      set_text(&s, i, "binding_bound",
               schema_enum_member("bound_term", r->s.binding_bound));
    }
  }
  free(files);
  return sheet_write(&s, file, "runs");
}

static void interval_fields(sheet *s) {
  sheet_field(s, "mean", H5T_NATIVE_DOUBLE);
  sheet_field(s, "lo", H5T_NATIVE_DOUBLE);
  sheet_field(s, "hi", H5T_NATIVE_DOUBLE);
  sheet_field(s, "level", H5T_NATIVE_DOUBLE);
  sheet_field(s, "n", H5T_NATIVE_UINT64);
}

static void set_interval(sheet *s, size_t i, const interval *in) {
  set_double(s, i, "mean", in->mean);
  set_double(s, i, "lo", in->lo);
  set_double(s, i, "hi", in->hi);
  set_double(s, i, "level", in->level);
  set_u64(s, i, "n", in->n);
}

static bool write_means(const study *st, hid_t file) {
  sheet s = sheet_new();

  sheet_string(&s, "policy", longest_policy(st));
  sheet_string(&s, "metric", longest_metric());
  sheet_string(&s, "unit", 4);
  interval_fields(&s);
  sheet_field(&s, "not_finite", H5T_NATIVE_UINT64);
  sheet_begin(&s, st->npolicies * nmetrics);
  for (size_t i = 0; i < s.nrows; i++) {
    const metric *m = &metrics[i % nmetrics];
    set_text(&s, i, "policy", st->in->policies[i / nmetrics]);
    set_text(&s, i, "metric", m->name);
    set_text(&s, i, "unit", m->unit);
    set_interval(&s, i, &st->means[i].in);
    set_u64(&s, i, "not_finite", st->means[i].unfinished);
  }
  return sheet_write(&s, file, "means");
}

static void set_pair(sheet *s, size_t i, const study_pair *p) {
  set_interval(s, i, &p->diff);
  set_double(s, i, "relative", p->rel.mean);
  set_double(s, i, "relative_lo", p->rel.lo);
  set_double(s, i, "relative_hi", p->rel.hi);
  set_double(s, i, "effect", p->diff.effect);
  set_double(s, i, "p", p->diff.p);
  set_double(s, i, "p_holm", p->p_holm);
  set_text(s, i, "verdict", verdict_text(p->verdict));
}

static bool write_paired(const study *st, hid_t file) {
  static const char *const numbers[] = {
      "relative", "relative_lo", "relative_hi", "effect", "p", "p_holm"};
  sheet s = sheet_new();
  size_t i = 0, shown = 0;

  sheet_string(&s, "policy", longest_policy(st));
  sheet_string(&s, "metric", longest_metric());
  interval_fields(&s);
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
    sheet_field(&s, numbers[k], H5T_NATIVE_DOUBLE);
  }
  sheet_string(&s, "verdict", 20);
  for (size_t m = 0; m < NMEASURES; m++) {
    shown += measures[m].paired;
  }
  sheet_begin(&s, (st->npolicies - 1) * shown);
  for (size_t p = 1; p < st->npolicies; p++) {
    for (size_t m = 0; m < NMEASURES; m++) {
      if (measures[m].paired) {
        set_text(&s, i, "policy", st->in->policies[p]);
        set_text(&s, i, "metric", measures[m].metric);
        set_pair(&s, i++, study_pair_of(st, p, m));
      }
    }
  }
  return sheet_write(&s, file, "paired");
}

/* ---- attributes ---------------------------------------------------------- */

static bool write_text(hid_t file, const char *name, const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  size_t len = text != NULL ? strlen(text) : 0;

  H5Tset_size(type, len + 1);
  hid_t attr = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attr >= 0 && H5Awrite(attr, type, text != NULL ? text : "") >= 0;
  if (attr >= 0) {
    H5Aclose(attr);
  }
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

bool compare_h5_write(const study *st, const char *path, const char *dir,
                      fail *why) {
  hid_t plist = H5Pcreate(H5P_FILE_CREATE);

  H5Pset_obj_track_times(plist, 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, plist, H5P_DEFAULT);
  H5Pclose(plist);
  bool good = file >= 0;
  good = good && write_text(file, "scenario", st->scenario) &&
         write_text(file, "network", st->network) &&
         write_text(file, "command", st->in->command) &&
         write_text(file, "baseline", st->in->policies[0]);
  good = good && write_runs(st, file, dir) && write_means(st, file) &&
         write_paired(st, file);
  if (file >= 0) {
    good = H5Fclose(file) >= 0 && good;
  }
  return good || fail_set(why, EXIT_RUN_FAILED, "cannot write %s", path);
}

/* ---- reading back -------------------------------------------------------- */

static char *keep(compare_stored *s, char *text) {
  char **more = alloc_array(s->ntexts + 1, sizeof *more);

  if (s->ntexts > 0) {
    memcpy(more, s->texts, s->ntexts * sizeof *more);
  }
  free(s->texts);
  s->texts = more;
  s->texts[s->ntexts++] = text;
  return text;
}

static char *read_text(hid_t file, const char *name) {
  if (H5Aexists(file, name) <= 0) {
    return NULL;
  }
  hid_t attr = H5Aopen(file, name, H5P_DEFAULT), type = H5Aget_type(attr);
  char *text = NULL;

  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
    text = alloc_array(H5Tget_size(type) + 1, 1);
    if (H5Aread(attr, type, text) < 0) {
      free(text);
      text = NULL;
    }
  }
  H5Tclose(type);
  H5Aclose(attr);
  return text;
}

/* Reads /runs into |s|: its fields policy, seed and file must be there. */
static bool load_runs(hid_t file, sheet *s) {
  if (H5Lexists(file, "runs", H5P_DEFAULT) <= 0) {
    return false;
  }
  hid_t set = H5Dopen2(file, "runs", H5P_DEFAULT);
  hid_t space = H5Dget_space(set);
  hssize_t n = H5Sget_simple_extent_npoints(space);

  s->type = H5Dget_type(set);
  bool good = n > 0 && H5Tget_class(s->type) == H5T_COMPOUND &&
              H5Tget_member_index(s->type, "policy") >= 0 &&
              H5Tget_member_index(s->type, "seed") >= 0 &&
              H5Tget_member_index(s->type, "file") >= 0;
  if (good) {
    s->size = H5Tget_size(s->type);
    sheet_begin(s, (size_t)n);
    good = H5Dread(set, s->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->rows) >= 0;
  }
  H5Sclose(space);
  H5Dclose(set);
  return good;
}

static char *cell_text(compare_stored *s, const sheet *from, size_t i,
                       const char *name, const char *prefix) {
  size_t size;
  const char *at = cell(from, i, name, &size);
  size_t before = strlen(prefix);
  char *text = alloc_array(before + size + 1, 1);

  /* A path that is not below the folder is kept as it is. */
  before = at[0] == '/' ? 0 : before;
  memcpy(text, prefix, before);
  memcpy(text + before, at, size);
  return keep(s, text);
}

static void take_runs(compare_stored *s, const sheet *from, const char *dir) {
  size_t np = 0, size;
  size_t len = strlen(dir) + 2;
  char *prefix = alloc_array(len, 1);

  snprintf(prefix, len, "%s/", dir);
  s->runs = alloc_array(from->nrows, sizeof *s->runs);
  s->policies = alloc_array(from->nrows, sizeof *s->policies);
  for (size_t i = 0; i < from->nrows; i++) {
    compare_run *r = &s->runs[i];
    r->policy = cell_text(s, from, i, "policy", "");
    r->path = cell_text(s, from, i, "file", prefix);
    memcpy(&r->seed, cell(from, i, "seed", &size), sizeof r->seed);
    if (np == 0 || strcmp(s->policies[np - 1], r->policy) != 0) {
      s->policies[np++] = r->policy;
    }
  }
  free(prefix);
  s->in.runs = s->runs;
  s->in.nruns = from->nrows;
  s->in.policies = s->policies;
  s->in.npolicies = np;
  s->in.nseeds = from->nrows / np;
}

bool compare_h5_read(compare_stored *out, const char *path, const char *dir,
                     fail *why) {
  sheet runs = {.type = H5I_INVALID_HID};

  *out = (compare_stored){0};
  H5E_auto2_t report;
  void *report_arg;
  H5Eget_auto2(H5E_DEFAULT, &report, &report_arg);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  bool good = file >= 0 && load_runs(file, &runs);
  H5Eset_auto2(H5E_DEFAULT, report, report_arg);
  if (good) {
    static const char *const names[] = {"scenario", "network", "command"};
    const char **to[] = {&out->in.scenario, &out->in.network, &out->in.command};
    for (size_t i = 0; i < 3; i++) {
      char *text = read_text(file, names[i]);
      *to[i] = text != NULL ? keep(out, text) : "";
    }
    take_runs(out, &runs, dir);
    out->in.dir = keep(out, alloc_text(dir));
  }
  free(runs.rows);
  if (runs.type >= 0) {
    H5Tclose(runs.type);
  }
  if (file >= 0) {
    H5Fclose(file);
  }
  return good || fail_set(why, EXIT_USAGE,
                          "%s is not what `xferlab compare` writes", path);
}

void compare_h5_free(compare_stored *s) {
  for (size_t i = 0; i < s->ntexts; i++) {
    free(s->texts[i]);
  }
  free(s->texts);
  free(s->runs);
  free(s->policies);
  *s = (compare_stored){0};
}
