/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mapping at a time, by its rows of the key table: first its keys
 * (unknown, repeated, not built yet, missing), then its values in the order
 * of the table. A value's row says what it may be and where it goes.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

#define EXPECT_MAX 300
#define NAME_MAX_LEN 64

static const char *kind_word(const node *n) {
  switch (n->kind) {
  case NODE_LIST:
    return "a list";
  case NODE_MAP:
    return "a mapping";
  case NODE_TEXT:
    return n->empty ? "empty" : "text";
  }
  return "";
}

char *join_label(reader *rd, const char *label, const char *name) {
  return arena_format(rd->tmp, "%s%s%s", label,
                      label[0] != '\0' && name[0] != '[' ? "." : "", name);
}

static bool unexpected(reader *rd, const node *v, const scn_key *k,
                       const char *label) {
  char expect[EXPECT_MAX];

  key_expects(k, expect, sizeof expect);
  if (v->kind == NODE_TEXT && !v->empty) {
    return place_fail(rd->why, v->at, "'%s' is '%.60s'; expected %s", label,
                      v->text, expect);
  }
  return place_fail(rd->why, v->at, "'%s' is %s; expected %s", label,
                    kind_word(v), expect);
}

/* ---- quantities ---------------------------------------------------------- */

double unit_bound(unit_kind kind, const char *text) {
  quantity q;
  unit_fault fault = unit_parse(kind, text, &q);

  assert(fault == UNIT_GOOD);
  (void)fault;
  return q.f;
}

/* The bounds are short round numbers: comparing as doubles is exact enough
   for them, and what is beyond 2^53 is beyond every bound. */
static const char *out_of_range(unit_kind kind, const char *min,
                                const char *max, double f) {
  if (min != NULL && f < unit_bound(kind, min)) {
    return "too small";
  }
  return max != NULL && f > unit_bound(kind, max) ? "too large" : NULL;
}

static void range_words(const char *min, const char *max, char *buf,
                        size_t len) {
  buf[0] = '\0';
  if (min != NULL && max != NULL) {
    snprintf(buf, len, ", from %s to %s", min, max);
  } else if (min != NULL || max != NULL) {
    snprintf(buf, len, ", at %s %s", min != NULL ? "least" : "most",
             min != NULL ? min : max);
  }
}

bool read_quantity(reader *rd, const node *at, unit_kind kind, const char *min,
                   const char *max, quantity *out, const char *label) {
  char wrong[160], list[200], range[80];
  const char *size;

  range_words(min, max, range, sizeof range);
  if (at->kind != NODE_TEXT || at->empty) {
    return place_fail(rd->why, at->at, "'%s' is %s; expected %s%s", label,
                      kind_word(at), unit_expected(kind), range);
  }
  unit_fault fault = unit_parse(kind, at->text, out);
  if (fault != UNIT_GOOD) {
    unit_complain(fault, at->text, wrong, sizeof wrong);
    unit_list(kind, list, sizeof list);
    bool units =
        (fault == UNIT_MISSING || fault == UNIT_UNKNOWN) && list[0] != '\0';
    const char *near = fault == UNIT_UNKNOWN ? unit_near(kind, at->text) : NULL;
    return place_fail(rd->why, at->at, "'%s': %s; expected %s%s%s%s%s%s%s%s",
                      label, wrong, unit_expected(kind), range,
                      units ? " (" : "", units ? list : "", units ? ")" : "",
                      near != NULL ? "; did you mean '" : "",
                      near != NULL ? near : "", near != NULL ? "'?" : "");
  }
  size = out_of_range(kind, min, max, out->f);
  if (size != NULL) {
    return place_fail(rd->why, at->at, "'%s': '%.60s' is %s; expected %s%s",
                      label, at->text, size, unit_expected(kind), range);
  }
  return true;
}

static bool read_number(reader *rd, const node *v, const scn_key *k, void *to,
                        unit_kind kind, const char *label) {
  quantity q;

  if (!read_quantity(rd, v, kind, k->min, k->max, &q, label)) {
    return false;
  }
  if (kind == UNIT_COUNT && q.n >= XL_NONE) {
    return place_fail(rd->why, v->at,
                      "'%s': '%.60s' is too large; expected "
                      "a count below 4294967295",
                      label, v->text);
  }
  if (k->type == KEY_SECONDS) {
    uint64_t s = q.n / 1000000000u;
    if (s * 1000000000u != q.n || s >= UINT32_MAX) {
      return unexpected(rd, v, k, label);
    }
    q.n = s;
  }
  if (kind == UNIT_FRACTION || kind == UNIT_NUMBER || kind == UNIT_EVENTS) {
    *(double *)to = q.f;
  } else if (k->size == sizeof(uint32_t)) {
    *(uint32_t *)to = (uint32_t)q.n;
  } else {
    *(uint64_t *)to = q.n;
  }
  return true;
}

static bool read_offset(reader *rd, const node *v, const scn_key *k,
                        int64_t *to, const char *label) {
  quantity q;

  if (v->kind != NODE_TEXT) {
    return unexpected(rd, v, k, label);
  }
  unit_fault fault = unit_parse(UNIT_TIME, v->text, &q);
  if ((fault != UNIT_GOOD && fault != UNIT_NEGATIVE) ||
      q.n % 1000000000u != 0 || q.f > unit_bound(UNIT_TIME, k->max)) {
    return unexpected(rd, v, k, label);
  }
  *to = (int64_t)(q.n / 1000000000u);
  *to = q.negative ? -*to : *to;
  return true;
}

/* ---- words --------------------------------------------------------------- */

bool read_name(reader *rd, const node *at, const char **out,
               const char *label) {
  static const char legal[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

  if (at->kind != NODE_TEXT || at->empty) {
    return place_fail(rd->why, at->at, "'%s' is %s; expected a name", label,
                      kind_word(at));
  }
  size_t n = strlen(at->text);
  if (n == 0 || n > NAME_MAX_LEN || strspn(at->text, legal) != n) {
    return place_fail(rd->why, at->at,
                      "'%s': '%.60s' is not a name; expected 1 to %d letters, "
                      "digits, '-' and '_'",
                      label, at->text, NAME_MAX_LEN);
  }
  *out = arena_text(rd->keep, at->text, n);
  return true;
}

static bool read_text(reader *rd, const node *v, const scn_key *k,
                      const char **to, const char *label) {
  if (v->kind != NODE_TEXT || v->empty) {
    return unexpected(rd, v, k, label);
  }
  *to = arena_text(rd->keep, v->text, strlen(v->text));
  return true;
}

static bool read_refs(reader *rd, const node *v, const scn_key *k, void *base,
                      const char *label) {
  uint32_t n = v->kind == NODE_LIST ? v->n : 1;
  const char **names = arena_alloc(rd->keep, n, sizeof *names);

  if (v->kind == NODE_MAP || n == 0 || v->empty) {
    return unexpected(rd, v, k, label);
  }
  for (uint32_t i = 0; i < n; i++) {
    const node *item = v->kind == NODE_LIST ? v->item[i] : v;
    if (!read_text(rd, item, k, &names[i], label)) {
      return false;
    }
  }
  *(const char ***)((char *)base + k->at) = names;
  *(size_t *)((char *)base + k->count_at) = n;
  return true;
}

/* The number of |word| in "a|b|c", or -1. */
static int choice(const char *choices, const char *word) {
  size_t len = strlen(word);
  int i = 0;

  for (const char *p = choices;; i++) {
    size_t n = strcspn(p, "|");
    if (n == len && memcmp(p, word, n) == 0) {
      return i;
    }
    if (p[n] == '\0') {
      return -1;
    }
    p += n + 1;
  }
}

/* Whether a mapping stands for a form that is not built yet. */
static bool refuse_later(reader *rd, const node *v, const scn_key *k,
                         const char *label) {
  for (uint32_t i = 0; v->kind == NODE_MAP && i < v->n; i++) {
    const scn_key *sub = key_find(k->path, v->key[i]->text);
    if (sub != NULL && sub->flags & KEY_LATER) {
      return place_fail(rd->why, v->key[i]->at,
                        "'%s.%s' is not supported yet; expected a scenario "
                        "without it",
                        label, key_name(sub));
    }
  }
  return true;
}

static bool read_choice(reader *rd, const node *v, const scn_key *k, void *to,
                        const char *label) {
  const char *const truth = "false|true";
  bool is_bool = k->type == KEY_BOOL;

  if (!refuse_later(rd, v, k, label)) {
    return false;
  }
  int i =
      v->kind == NODE_TEXT ? choice(is_bool ? truth : k->choices, v->text) : -1;
  if (i < 0) {
    return unexpected(rd, v, k, label);
  }
  if (k->size == sizeof(bool)) {
    *(bool *)to = i != 0;
  } else {
    assert(k->size == sizeof(uint32_t));
    *(uint32_t *)to = (uint32_t)i;
  }
  return true;
}

static bool read_flags(reader *rd, const node *v, const scn_key *k,
                       uint32_t *to, const char *label) {
  *to = 0;
  if (v->kind != NODE_LIST) {
    return unexpected(rd, v, k, label);
  }
  for (uint32_t i = 0; i < v->n; i++) {
    const node *item = v->item[i];
    int bit = item->kind == NODE_TEXT ? choice(k->choices, item->text) : -1;
    if (bit < 0) {
      return unexpected(rd, item, k, label);
    }
    *to |= 1u << bit;
  }
  return true;
}

static bool read_date(reader *rd, const node *v, const scn_key *k, void *base,
                      const char *label) {
  int64_t *unix_s = (void *)((char *)base + k->at);
  int32_t *offset_s = (void *)((char *)base + k->count_at);

  return (v->kind == NODE_TEXT && date_parse(v->text, unix_s, offset_s)) ||
         unexpected(rd, v, k, label);
}

/* ---- lists and mappings -----------------------------------------------------
 */

/* An item by its key, its name or its number, as in a path. */
static const char *item_label(reader *rd, const node *v, uint32_t i,
                              const char *label) {
  const char *name =
      v->kind == NODE_MAP ? v->key[i]->text : tree_item_name(v->item[i]);
  char number[16];

  if (name != NULL) {
    return arena_format(rd->tmp, "%s.%.64s", label, name);
  }
  snprintf(number, sizeof number, "[%u]", i);
  return join_label(rd, label, number);
}

static bool items_shape(reader *rd, const node *v, const scn_key *k,
                        const char *label) {
  bool named = k->type == KEY_NAMED;
  char expect[EXPECT_MAX];

  if (v->kind != (named ? NODE_MAP : NODE_LIST)) {
    return unexpected(rd, v, k, label);
  }
  if (k->max != NULL && v->n > unit_bound(UNIT_COUNT, k->max)) {
    return place_fail(rd->why, v->at,
                      "'%s' has %u entries; expected at most %s", label, v->n,
                      k->max);
  }
  if (v->n == 0 && (k->flags & KEY_REQUIRED)) {
    key_expects(k, expect, sizeof expect);
    return place_fail(rd->why, v->at,
                      "'%s' is empty; expected %s, at least "
                      "one",
                      label, expect);
  }
  for (uint32_t i = 0; i < v->n; i++) {
    if (v->item[i]->kind != NODE_MAP) {
      return place_fail(rd->why, v->item[i]->at,
                        "'%s' is %s; expected a mapping",
                        item_label(rd, v, i, label), kind_word(v->item[i]));
    }
  }
  return true;
}

/* The name of an item of a mapping is the first member of its struct. */
static bool item_name(reader *rd, const node *v, uint32_t i, void *item,
                      const char *label) {
  for (uint32_t j = 0; j < i; j++) {
    if (strcmp(v->key[j]->text, v->key[i]->text) == 0) {
      return place_fail(rd->why, v->key[i]->at,
                        "'%.60s' is repeated in %s, first on line %d; "
                        "expected it once",
                        v->key[i]->text, label, v->key[j]->at.line);
    }
  }
  return read_name(rd, v->key[i], item, label);
}

static bool read_items(reader *rd, node *v, const scn_key *k, void *base,
                       const char *label) {
  bool named = k->type == KEY_NAMED;

  if (!items_shape(rd, v, k, label)) {
    return false;
  }
  char *items = arena_alloc(rd->keep, v->n, k->item_size);
  char *section = arena_format(rd->tmp, "%s%s", k->path, named ? ".*" : "[]");
  for (uint32_t i = 0; i < v->n; i++) {
    void *item = items + i * k->item_size;
    if ((named && !item_name(rd, v, i, item, label)) ||
        !read_map(rd, v->item[i], section, item, item_label(rd, v, i, label))) {
      return false;
    }
  }
  *(void **)((char *)base + k->at) = items;
  *(size_t *)((char *)base + k->count_at) = v->n;
  return true;
}

static bool read_value(reader *rd, node *v, const scn_key *k, void *base,
                       const char *label) {
  void *to = (char *)base + k->at;

  switch (k->type) {
  case KEY_TEXT:
  case KEY_REF:
    return read_text(rd, v, k, to, label);
  case KEY_NAME:
    return read_name(rd, v, to, label);
  case KEY_REFS:
    return read_refs(rd, v, k, base, label);
  case KEY_DATE:
    return read_date(rd, v, k, base, label);
  case KEY_TIME:
  case KEY_SECONDS:
    return read_number(rd, v, k, to, UNIT_TIME, label);
  case KEY_OFFSET:
    return read_offset(rd, v, k, to, label);
  case KEY_BYTES:
  case KEY_BYTES32:
    return read_number(rd, v, k, to, UNIT_BYTES, label);
  case KEY_RATE:
    return read_number(rd, v, k, to, UNIT_RATE, label);
  case KEY_EVENTS:
    return read_number(rd, v, k, to, UNIT_EVENTS, label);
  case KEY_FRACTION:
    return read_number(rd, v, k, to, UNIT_FRACTION, label);
  case KEY_NUMBER:
    return read_number(rd, v, k, to, UNIT_NUMBER, label);
  case KEY_LIMIT:
    if (v->kind == NODE_TEXT && strcmp(v->text, "unlimited") == 0) {
      *(uint32_t *)to = XL_NONE;
      return true;
    }
    return read_number(rd, v, k, to, UNIT_COUNT, label);
  case KEY_COUNT:
    return read_number(rd, v, k, to, UNIT_COUNT, label);
  case KEY_BOOL:
  case KEY_CHOICE:
    return read_choice(rd, v, k, to, label);
  case KEY_FLAGS:
    return read_flags(rd, v, k, to, label);
  case KEY_DIST:
    return read_dist(rd, v, k, to, label);
  case KEY_MAP:
    return v->kind == NODE_MAP ? read_map(rd, v, k->path, base, label)
                               : unexpected(rd, v, k, label);
  case KEY_ITEMS:
  case KEY_NAMED:
    return read_items(rd, v, k, base, label);
  case KEY_OWN:
    return k->read(rd, v, k, base, label);
  }
  return false;
}

/* ---- keys
 * ---------------------------------------------------------------------- */

/* " in LABEL" or nothing at the top. */
static const char *inside(reader *rd, const char *label) {
  return label[0] != '\0' ? arena_format(rd->tmp, " in %s", label) : "";
}

static bool unknown_key(reader *rd, const node *at, const char *section,
                        const char *label) {
  const char *names[64];
  char list[500];
  size_t n = 0, used = 0;

  list[0] = '\0';
  for (const scn_key *k = NULL; (k = key_next(section, k)) != NULL;) {
    if (!(k->flags & KEY_LATER) && n < sizeof names / sizeof *names) {
      names[n++] = key_name(k);
    }
  }
  for (size_t i = 0; i < n && used < sizeof list; i++) {
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                             i > 0 ? ", " : "", names[i]);
  }
  const char *near = nearest_word(at->text, names, n);
  return place_fail(
      rd->why, at->at, "unknown key '%.60s'%s; expected one of %s%s%s%s",
      at->text, inside(rd, label), list, near != NULL ? "; did you mean '" : "",
      near != NULL ? near : "", near != NULL ? "'?" : "");
}

static bool check_keys(reader *rd, const node *at, const char *section,
                       const char *label) {
  for (uint32_t i = 0; i < at->n; i++) {
    const node *name = at->key[i];
    const scn_key *k = key_find(section, name->text);
    if (k == NULL) {
      return unknown_key(rd, name, section, label);
    }
    uint32_t first = tree_index(at, name->text);
    if (first < i) {
      return place_fail(rd->why, name->at,
                        "key '%s' is repeated%s, first on line %d; expected "
                        "it once",
                        name->text, inside(rd, label), at->key[first]->at.line);
    }
    if (k->flags & KEY_LATER) {
      return place_fail(rd->why, name->at,
                        "'%s' is not supported yet; expected a scenario "
                        "without it",
                        join_label(rd, label, name->text));
    }
  }
  return true;
}

static bool missing_key(reader *rd, const node *at, const scn_key *k,
                        const char *label) {
  char expect[EXPECT_MAX];

  key_expects(k, expect, sizeof expect);
  if (label[0] == '\0') {
    return place_fail(rd->why, at->at, "no key '%s'; expected %s", key_name(k),
                      expect);
  }
  return place_fail(rd->why, at->at, "%s has no '%s'; expected %s", label,
                    key_name(k), expect);
}

/* What a key that is not there means. */
static bool read_default(reader *rd, const node *at, const scn_key *k,
                         void *base, const char *label) {
  if (k->flags & KEY_REQUIRED) {
    return missing_key(rd, at, k, label);
  }
  if (k->type == KEY_MAP) {
    for (const scn_key *sub = NULL; (sub = key_next(k->path, sub)) != NULL;) {
      if (sub->def != NULL && !read_default(rd, at, sub, base, label)) {
        return false;
      }
    }
    return true;
  }
  if (k->def == NULL) {
    return true;
  }
  node *def = k->def[0] == '[' || k->def[0] == '"'
                  ? tree_parse(rd->tmp, k->def, strlen(k->def), at->at, rd->why)
                  : tree_text(rd->tmp, k->def, at->at);
  return def != NULL && read_value(rd, def, k, base, label);
}

bool read_map(reader *rd, node *at, const char *section, void *base,
              const char *label) {
  assert(at->kind == NODE_MAP);
  if (!check_keys(rd, at, section, label)) {
    return false;
  }
  for (const scn_key *k = NULL; (k = key_next(section, k)) != NULL;) {
    if (k->flags & (KEY_LATER | KEY_EXPANDED)) {
      continue;
    }
    node *v = tree_find(at, key_name(k));
    bool ok = v != NULL ? read_value(rd, v, k, base,
                                     join_label(rd, label, key_name(k)))
                        : read_default(rd, at, k, base, label);
    if (!ok) {
      return false;
    }
  }
  return true;
}
