/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scenario/keys.h"
#include "scenario/scenario.h"

#define PART_MAX 80
#define NAMES_MAX 64

/* One walk along a path: where it is in the tree and in the key table. */
typedef struct walk {
  arena *a;
  fail *why;
  place at;
  const char *path, *rest;
  char part[PART_MAX];
  bool number; /* the part is [i] */
  unsigned i;
  node *cur;
  char section[256]; /* of |cur| in the key table */
} walk;

/* In a file the path is not part of the place. */
static const char *in_file(walk *w) {
  return w->at.via != NULL ? "" : arena_format(w->a, "path '%.80s': ", w->path);
}

static bool bad(walk *w, const char *what, const char *expected,
                const char *const *names, size_t n) {
  const char *near = n > 0 ? nearest_word(w->part, names, n) : NULL;

  return place_fail(w->why, w->at, "%s%s '%s'; expected %s%s%s%s", in_file(w),
                    what, w->part, expected,
                    near != NULL ? "; did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

static bool malformed(walk *w) {
  return place_fail(w->why, w->at,
                    "%sit is malformed; expected keys joined by dots, items "
                    "by name or [number]",
                    in_file(w));
}

/* Takes the next part of the path: "key" or "[3]". */
static bool part_next(walk *w, bool first) {
  const char *p = w->rest;

  w->number = *p == '[';
  if (w->number) {
    int used = 0;
    if (sscanf(p, "[%7u]%n", &w->i, &used) != 1 || used == 0) {
      return malformed(w);
    }
    snprintf(w->part, sizeof w->part, "[%u]", w->i);
    w->rest = p + used;
    return *w->rest == '\0' || *w->rest == '.' || *w->rest == '[' ||
           malformed(w);
  }
  if (!first) {
    if (*p != '.') {
      return malformed(w);
    }
    p++;
  }
  size_t n = strcspn(p, ".[");
  if (n == 0 || n >= sizeof w->part) {
    return malformed(w);
  }
  memcpy(w->part, p, n);
  w->part[n] = '\0';
  w->rest = p + n;
  return true;
}

static void section_add(walk *w, const char *tail) {
  size_t n = strlen(w->section);

  snprintf(w->section + n, sizeof w->section - n, "%s%s",
           n > 0 && tail[0] != '[' ? "." : "", tail);
}

static node **item_slot(walk *w) {
  const char *names[NAMES_MAX];
  size_t n = 0;

  section_add(w, "[]");
  if (w->number) {
    if (w->i < w->cur->n) {
      return &w->cur->item[w->i];
    }
    char expected[64];
    snprintf(expected, sizeof expected, "a number below %u", w->cur->n);
    bad(w, "no item", expected, NULL, 0);
    return NULL;
  }
  for (uint32_t i = 0; i < w->cur->n; i++) {
    const char *name = tree_item_name(w->cur->item[i]);
    if (name != NULL && strcmp(name, w->part) == 0) {
      return &w->cur->item[i];
    }
    if (name != NULL && n < NAMES_MAX) {
      names[n++] = name;
    }
  }
  bad(w, "no item", "the name of an item, or [number]", names, n);
  return NULL;
}

/* A key that is not in the mapping yet, if the table knows it. */
static node **key_new(walk *w, bool named, bool last) {
  const char *names[NAMES_MAX];
  size_t n = 0;
  const scn_key *known = NULL;

  if (named || !key_is_section(w->section)) {
    for (uint32_t i = 0; i < w->cur->n && n < NAMES_MAX; i++) {
      names[n++] = w->cur->key[i]->text;
    }
    if (named || !last) {
      bad(w, "no key", "one that is there", names, n);
      return NULL;
    }
  } else {
    known = key_find(w->section, w->part);
    for (const scn_key *k = NULL; (k = key_next(w->section, k)) != NULL;) {
      if (n < NAMES_MAX) {
        names[n++] = key_name(k);
      }
    }
    if (known == NULL || (!last && known->type != KEY_MAP)) {
      bad(w, known == NULL ? "unknown key" : "no key",
          known == NULL ? "a key of the scenario" : "one that is there", names,
          n);
      return NULL;
    }
  }
  tree_put(w->a, w->cur,
           tree_text(w->a, arena_text(w->a, w->part, strlen(w->part)), w->at),
           tree_map(w->a, w->at));
  return &w->cur->item[w->cur->n - 1];
}

static node **key_slot(walk *w, bool last) {
  const scn_key *here = NULL;
  char parent[256];

  snprintf(parent, sizeof parent, "%s", w->section);
  char *dot = strrchr(parent, '.');
  if (dot != NULL) {
    *dot = '\0';
    here = key_find(parent, dot + 1);
  } else {
    here = key_find("", parent);
  }
  bool named = here != NULL && here->type == KEY_NAMED;
  uint32_t i = tree_index(w->cur, w->part);
  node **slot = i != UINT32_MAX ? &w->cur->item[i] : key_new(w, named, last);
  section_add(w, named ? "*" : w->part);
  return slot;
}

bool path_set(arena *a, node *root, const char *path, node *value, place at,
              fail *why) {
  walk w = {
      .a = a, .why = why, .at = at, .path = path, .rest = path, .cur = root};

  for (int depth = 0; *w.rest != '\0' || depth == 0; depth++) {
    node **slot = NULL;
    if (depth == TREE_DEPTH_MAX / 2) {
      return malformed(&w);
    }
    if (!part_next(&w, depth == 0)) {
      return false;
    }
    bool last = *w.rest == '\0';
    if (w.cur->kind == NODE_LIST) {
      slot = item_slot(&w);
    } else if (w.cur->kind == NODE_MAP && !w.number) {
      slot = key_slot(&w, last);
    } else {
      bad(&w, w.cur->kind == NODE_MAP ? "no list for" : "no mapping for",
          "a path that ends before it", NULL, 0);
    }
    if (slot == NULL) {
      return false;
    }
    if (last) {
      *slot = value;
    }
    w.cur = *slot;
  }
  return true;
}

bool path_put(arena *a, node *root, const char *path, node *value) {
  for (node *cur = root;;) {
    size_t n = strcspn(path, ".");
    char *name = arena_text(a, path, n);
    uint32_t i = tree_index(cur, name);
    bool last = path[n] == '\0';
    if (cur->kind != NODE_MAP) {
      return false;
    }
    if (i == UINT32_MAX) {
      i = cur->n;
      tree_put(a, cur, tree_text(a, name, value->at), tree_map(a, value->at));
    }
    if (last) {
      cur->item[i] = value;
      return true;
    }
    cur = cur->item[i];
    path += n + 1;
  }
}
