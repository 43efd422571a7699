/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/path.h"
#include "scenario/reader.h"

bool read_csv(reader *rd, const node *at, const char *name, csv *out) {
  const char *slash = strrchr(rd->file, '/');
  const char *what;
  size_t len;
  char *path = name[0] == '/' || slash == NULL
                   ? arena_format(rd->tmp, "%s", name)
                   : arena_format(rd->tmp, "%.*s/%s", (int)(slash - rd->file),
                                  rd->file, name);
  char *text = file_text(rd->tmp, path, SCENARIO_BYTES_MAX, &len, &what);

  if (text == NULL) {
    return place_fail(rd->why, at->at,
                      "cannot read '%.200s': %s; expected a CSV file", name,
                      what);
  }
  return csv_parse(rd->tmp, path, text, len, out, rd->why);
}

/* ---- the small variant and --set --------------------------------------------
 */

static bool apply_small(reader *rd, const char *variant) {
  node *small = tree_find(rd->root, "small");

  if (variant == NULL) {
    return true;
  }
  if (strcmp(variant, "small") != 0) {
    return fail_set(rd->why, EXIT_USAGE,
                    "%s: unknown variant '%.60s'; expected small", rd->file,
                    variant);
  }
  if (small == NULL || small->kind != NODE_MAP) {
    return place_fail(rd->why, rd->root->at,
                      "there is no small variant; expected a key 'small' with "
                      "paths and values");
  }
  for (uint32_t i = 0; i < small->n; i++) {
    const node *path = small->key[i];
    if (!path_set(rd->tmp, rd->root, path->text, small->item[i], path->at,
                  rd->why)) {
      return false;
    }
  }
  return true;
}

static bool apply_set(reader *rd, const char *set) {
  const char *eq = strchr(set, '=');
  place at = {.file = rd->file, .line = 1, .col = 1};

  if (eq == NULL || eq == set) {
    return fail_set(rd->why, EXIT_USAGE,
                    "--set %.200s: no path and value; expected path=value",
                    set);
  }
  char *path = arena_text(rd->tmp, set, (size_t)(eq - set));
  at.via = arena_format(rd->tmp, "--set %.200s", path);
  node *value = tree_parse(rd->tmp, eq + 1, strlen(eq + 1), at, rd->why);
  return value != NULL && path_set(rd->tmp, rd->root, path, value, at, rd->why);
}

/* ---- reading
 * ------------------------------------------------------------------ */

static bool prepare(reader *rd, const char *text, size_t len,
                    const char *variant, const char *const *sets,
                    size_t nsets) {
  place at = {.file = rd->file};

  rd->root = tree_parse(rd->tmp, text, len, at, rd->why);
  if (rd->root == NULL) {
    return false;
  }
  if (rd->root->empty) {
    return place_fail(rd->why, rd->root->at,
                      "the file is empty; expected a "
                      "scenario: 'name: ..' and so on");
  }
  if (rd->root->kind != NODE_MAP) {
    return place_fail(rd->why, rd->root->at,
                      "not a mapping; expected a scenario: 'name: ..' and so "
                      "on");
  }
  expand_lists(rd);
  if (!apply_small(rd, variant)) {
    return false;
  }
  for (size_t i = 0; i < nsets; i++) {
    if (!apply_set(rd, sets[i])) {
      return false;
    }
  }
  expand_lists(rd);
  return expand_files(rd);
}

static scenario *finish(reader *rd, draft *d) {
  uint32_t small = tree_index(rd->root, "small");
  scenario *s = arena_alloc(rd->keep, 1, sizeof *s);

  if (small != UINT32_MAX) {
    tree_remove(rd->root, small);
  }
  *s = d->s;
  s->file = arena_text(rd->keep, rd->file, strlen(rd->file));
  s->text = tree_print(rd->keep, rd->root);
  s->arena = rd->keep;
  return s;
}

static scenario *read_all(const char *name, const char *text, size_t len,
                          const char *variant, const char *const *sets,
                          size_t nsets, fail *why) {
  reader rd = {
      .file = name, .keep = arena_new(), .tmp = arena_new(), .why = why};
  draft d = {0};
  scenario *s = NULL;

  if (prepare(&rd, text, len, variant, sets, nsets) &&
      read_map(&rd, rd.root, "", &d, "") && resolve(&rd, &d)) {
    s = finish(&rd, &d);
  } else {
    arena_free(rd.keep);
  }
  arena_free(rd.tmp);
  return s;
}

scenario *scenario_parse(const char *name, const char *text,
                         const char *variant, const char *const *sets,
                         size_t nsets, fail *why) {
  return read_all(name, text, strlen(text), variant, sets, nsets, why);
}

scenario *scenario_read(const char *path, const char *variant,
                        const char *const *sets, size_t nsets, fail *why) {
  arena *a = arena_new();
  scenario *s = NULL;
  const char *what;
  size_t len;
  char *text = file_text(a, path, SCENARIO_BYTES_MAX, &len, &what);

  if (text == NULL) {
    fail_set(why, EXIT_USAGE,
             "%.300s: cannot be read: %s; expected a scenario file of at most "
             "16 MiB",
             path, what);
  } else {
    s = read_all(path, text, len, variant, sets, nsets, why);
  }
  arena_free(a);
  return s;
}

void scenario_free(scenario *s) {
  if (s != NULL) {
    arena_free(s->arena);
  }
}
