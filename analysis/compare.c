/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare_write and report_write: read a study, then write everything that can
 * be written. Without gnuplot the table, the JSON, compare.h5 and the page
 * still come; the missing figures are the error that is told.
 */
#include "analysis/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/compare_table.h"
#include "analysis/figures.h"
#include "analysis/page.h"

enum { PATH_LEN = 4096 };

static bool join(char *out, const char *dir, const char *name, fail *why) {
  int n = snprintf(out, PATH_LEN, "%s%s", dir, name);

  return (n > 0 && n < PATH_LEN) ||
         fail_set(why, EXIT_USAGE, "the path %s is too long", dir);
}

static bool write_json(const study *st, const char *path, fail *why) {
  FILE *out = fopen(path, "w");

  if (out == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
                    strerror(errno));
  }
  bool good = compare_json(st, out, why);
  good = fclose(out) == 0 && good;
  return good || fail_set(why, EXIT_RUN_FAILED, "cannot write %s: %s", path,
                          strerror(errno));
}

static bool write_files(const study *st, const char *dir, fail *why) {
  char h5[PATH_LEN], json[PATH_LEN], figures[PATH_LEN], page[PATH_LEN];

  if (!join(h5, dir, "/compare.h5", why) ||
      !join(json, dir, "/compare.json", why) ||
      !join(figures, dir, "/figures", why) ||
      !join(page, dir, "/report.html", why)) {
    return false;
  }
  /* Each is tried; the first cause is the one that |why| keeps. */
  bool good = compare_h5_write(st, h5, dir, why);
  good = write_json(st, json, why) && good;
  good = figures_write(st, figures, why) && good;
  return page_write(st, figures, page, why) && good;
}

bool compare_write(const compare_input *in, FILE *out, fail *why) {
  study st;
  bool good = study_read(&st, in, false, why);

  if (good) {
    study_compute(&st);
    if (in->json) {
      good = compare_json(&st, out, why);
    } else {
      compare_table(&st, out);
    }
    fflush(out);
    good = write_files(&st, in->dir, why) && good;
  }
  study_free(&st);
  return good;
}

/* ---- report -------------------------------------------------------------- */

static bool report_study(const compare_input *in, bool lenient,
                         const char *figures, const char *page, fail *why) {
  study st;
  bool good = study_read(&st, in, lenient, why);

  if (good) {
    study_compute(&st);
    good = figures_write(&st, figures, why);
    good = page_write(&st, figures, page, why) && good;
  }
  study_free(&st);
  return good;
}

static bool report_folder(const char *dir, const char *page, fail *why) {
  char h5[PATH_LEN], figures[PATH_LEN];
  compare_stored stored = {0};

  if (!join(h5, dir, "/compare.h5", why) ||
      !join(figures, dir, "/figures", why)) {
    return false;
  }
  struct stat st;
  if (stat(h5, &st) != 0) {
    return fail_set(why, EXIT_USAGE,
                    "%s holds no compare.h5: it is not a folder of `xferlab "
                    "compare`",
                    dir);
  }
  bool good = compare_h5_read(&stored, h5, dir, why) &&
              report_study(&stored.in, false, figures, page, why);
  compare_h5_free(&stored);
  return good;
}

static bool report_trace(const char *path, const char *page, fail *why) {
  char figures[PATH_LEN];
  trace t = {0};

  if (!join(figures, path, ".figures", why)) {
    return false;
  }
  bool good = trace_read(&t, path, 0, why);
  if (good) {
    const char *policy = t.policy != NULL ? t.policy : "unknown";
    compare_run run = {policy, t.seed, path};
    compare_input in = {.scenario = t.scenario_name != NULL ? t.scenario_name
                                                            : "unnamed",
                        .network = t.network != NULL ? t.network : "unknown",
                        .runs = &run,
                        .nruns = 1,
                        .policies = &policy,
                        .npolicies = 1,
                        .nseeds = 1,
                        .command = t.command};
    good = report_study(&in, true, figures, page, why);
  }
  trace_free(&t);
  return good;
}

bool report_write(const char *path, char *report_path, size_t len, fail *why) {
  char page[PATH_LEN];
  struct stat st;

  if (stat(path, &st) != 0) {
    return fail_set(why, EXIT_USAGE, "cannot read %s: %s", path,
                    strerror(errno));
  }
  bool folder = S_ISDIR(st.st_mode);
  if (!join(page, path, folder ? "/report.html" : ".report.html", why)) {
    return false;
  }
  snprintf(report_path, len, "%s", page);
  return folder ? report_folder(path, page, why)
                : report_trace(path, page, why);
}
