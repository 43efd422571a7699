/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define ANCHORS_MAX 1000

bool place_fail(fail *why, place at, const char *format, ...) {
  char text[sizeof why->text];
  va_list ap;

  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  for (char *p = text; *p != '\0'; p++) {
    *p = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
  }
  if (at.via != NULL) {
    return fail_set(why, EXIT_USAGE, "%s: %s", at.via, text);
  }
  if (at.line == 0) {
    return fail_set(why, EXIT_USAGE, "%s: %s", at.file, text);
  }
  return fail_set(why, EXIT_USAGE, "%s:%d:%d: %s", at.file, at.line, at.col,
                  text);
}

/* ---- building ------------------------------------------------------------ */

static node *node_new(arena *a, node_kind kind, place at) {
  node *n = arena_alloc(a, 1, sizeof *n);

  n->kind = kind;
  n->at = at;
  return n;
}

node *tree_text(arena *a, const char *text, place at) {
  node *n = node_new(a, NODE_TEXT, at);

  n->text = text;
  return n;
}

node *tree_map(arena *a, place at) {
  return node_new(a, NODE_MAP, at);
}

void tree_append(arena *a, node *list, node *item) {
  assert(list->kind == NODE_LIST);
  list->item =
      arena_grow(a, list->item, &list->cap_item, list->n + 1, sizeof(node *));
  list->item[list->n++] = item;
}

void tree_put(arena *a, node *map, node *key, node *value) {
  assert(map->kind == NODE_MAP);
  map->item =
      arena_grow(a, map->item, &map->cap_item, map->n + 1, sizeof(node *));
  map->key = arena_grow(a, map->key, &map->cap_key, map->n + 1, sizeof(node *));
  map->key[map->n] = key;
  map->item[map->n++] = value;
}

void tree_remove(node *map, uint32_t i) {
  assert(map->kind == NODE_MAP && i < map->n);
  for (uint32_t j = i + 1; j < map->n; j++) {
    map->key[j - 1] = map->key[j];
    map->item[j - 1] = map->item[j];
  }
  map->n--;
}

uint32_t tree_index(const node *map, const char *key) {
  if (map->kind == NODE_MAP) {
    for (uint32_t i = 0; i < map->n; i++) {
      if (map->key[i]->kind == NODE_TEXT &&
          strcmp(map->key[i]->text, key) == 0) {
        return i;
      }
    }
  }
  return UINT32_MAX;
}

node *tree_find(const node *map, const char *key) {
  uint32_t i = tree_index(map, key);

  return i == UINT32_MAX ? NULL : map->item[i];
}

const char *tree_item_name(const node *item) {
  const node *name = tree_find(item, "name");

  name = name == NULL ? tree_find(item, "class") : name;
  return name != NULL && name->kind == NODE_TEXT && name->text[0] != '\0'
             ? name->text
             : NULL;
}

/* |budget| counts down the nodes that may still be made. */
static node *copy(arena *a, const node *from, uint32_t *budget) {
  if (*budget == 0) {
    return NULL;
  }
  --*budget;
  node *n = node_new(a, from->kind, from->at);
  n->text = from->text;
  n->empty = from->empty;
  for (uint32_t i = 0; i < from->n; i++) {
    node *key = NULL;
    node *item = copy(a, from->item[i], budget);
    if (from->kind == NODE_MAP) {
      key = copy(a, from->key[i], budget);
    }
    if (item == NULL || (from->kind == NODE_MAP && key == NULL)) {
      return NULL;
    }
    if (from->kind == NODE_MAP) {
      tree_put(a, n, key, item);
    } else {
      tree_append(a, n, item);
    }
  }
  return n;
}

node *tree_copy(arena *a, const node *from) {
  uint32_t budget = UINT32_MAX;

  return copy(a, from, &budget);
}

/* ---- parsing ---------------------------------------------------------------
 */

typedef struct anchor {
  const char *name;
  const node *to;
  int depth; /* of the open collections; 0: complete */
} anchor;

typedef struct builder {
  arena *a;
  fail *why;
  place origin;
  const char *text;
  size_t len;
  uint32_t budget;
  node *stack[TREE_DEPTH_MAX];
  node *key[TREE_DEPTH_MAX]; /* of a map on the stack: a key without value */
  int depth;
  node *root;
  anchor anchors[ANCHORS_MAX];
  int nanchors;
} builder;

static place place_of(const builder *b, yaml_mark_t mark) {
  place p = b->origin;

  p.line = (int)mark.line + 1;
  p.col = (int)mark.column + 1;
  return p;
}

/* The parser's own words; the mark is where the problem is. */
static bool yaml_complain(builder *b, const yaml_parser_t *p) {
  if (p->error == YAML_READER_ERROR) {
    place at = b->origin;
    at.line = at.col = 1;
    for (size_t i = 0; i < p->problem_offset && i < b->len; i++) {
      at.line += b->text[i] == '\n';
      at.col = b->text[i] == '\n' ? 1 : at.col + 1;
    }
    return place_fail(b->why, at, "%s; expected UTF-8 text", p->problem);
  }
  size_t i = p->problem_mark.index;
  bool tab = i < b->len && b->text[i] == '\t';
  return place_fail(b->why, place_of(b, p->problem_mark),
                    "not valid YAML: %s%s%s; expected %s",
                    p->problem != NULL ? p->problem : "out of memory",
                    p->context != NULL ? " " : "",
                    p->context != NULL ? p->context : "",
                    tab ? "spaces, not a tab, for indentation"
                        : "'key: value' lines (a value with ': ', '#' or "
                          "brackets needs quotes)");
}

static bool add(builder *b, node *n) {
  if (b->depth == 0) {
    b->root = n;
    return true;
  }
  node *top = b->stack[b->depth - 1];
  node **key = &b->key[b->depth - 1];
  if (top->kind == NODE_LIST) {
    tree_append(b->a, top, n);
  } else if (*key == NULL) {
    *key = n;
    if (n->kind != NODE_TEXT) {
      return place_fail(b->why, n->at, "a key is a %s; expected a word",
                        n->kind == NODE_LIST ? "list" : "mapping");
    }
  } else {
    tree_put(b->a, top, *key, n);
    *key = NULL;
  }
  return true;
}

static bool name_anchor(builder *b, const yaml_char_t *name, node *n) {
  if (name == NULL) {
    return true;
  }
  if (b->nanchors == ANCHORS_MAX) {
    return place_fail(b->why, n->at, "more than %d anchors; expected fewer",
                      ANCHORS_MAX);
  }
  const char *s = (const char *)name;
  b->anchors[b->nanchors++] = (anchor){arena_text(b->a, s, strlen(s)), n,
                                       n->kind == NODE_TEXT ? 0 : b->depth + 1};
  return true;
}

static bool alias(builder *b, const yaml_event_t *e) {
  const char *name = (const char *)e->data.alias.anchor;
  place at = place_of(b, e->start_mark);

  for (int i = b->nanchors - 1; i >= 0; i--) {
    if (strcmp(b->anchors[i].name, name) != 0) {
      continue;
    }
    if (b->anchors[i].depth != 0) {
      return place_fail(b->why, at,
                        "alias '*%.60s' is inside its own anchor; expected "
                        "it after the anchored value",
                        name);
    }
    node *n = copy(b->a, b->anchors[i].to, &b->budget);
    if (n == NULL) {
      return place_fail(b->why, at, "more than %u values; expected fewer",
                        TREE_NODES_MAX);
    }
    return add(b, n);
  }
  return place_fail(b->why, at,
                    "unknown alias '*%.60s'; expected an anchor "
                    "'&%.60s' before it",
                    name, name);
}

static bool open_node(builder *b, node_kind kind, const yaml_event_t *e,
                      const yaml_char_t *tag, const yaml_char_t *name) {
  place at = place_of(b, e->start_mark);
  const char *text = "";

  if (tag != NULL && strcmp((const char *)tag, "!") != 0) {
    return place_fail(b->why, at, "tag '%.60s'; expected a value without one",
                      (const char *)tag);
  }
  if (b->budget == 0) {
    return place_fail(b->why, at, "more than %u values; expected fewer",
                      TREE_NODES_MAX);
  }
  b->budget--;
  if (kind == NODE_TEXT) {
    text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length) {
      return place_fail(b->why, at, "a zero byte; expected text");
    }
  }
  node *n = node_new(b->a, kind, at);
  n->text = arena_text(b->a, text, strlen(text));
  n->empty = kind == NODE_TEXT && *text == '\0' &&
             e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  if (!name_anchor(b, name, n) || !add(b, n)) {
    return false;
  }
  if (kind == NODE_TEXT) {
    return true;
  }
  if (b->depth == TREE_DEPTH_MAX) {
    return place_fail(b->why, at, "more than %d levels deep; expected fewer",
                      TREE_DEPTH_MAX);
  }
  b->stack[b->depth] = n;
  b->key[b->depth++] = NULL;
  return true;
}

static void close_node(builder *b) {
  for (int i = 0; i < b->nanchors; i++) {
    if (b->anchors[i].depth == b->depth) {
      b->anchors[i].depth = 0;
    }
  }
  b->depth--;
}

static bool take(builder *b, const yaml_event_t *e) {
  switch (e->type) {
  case YAML_DOCUMENT_START_EVENT:
    return b->root == NULL || place_fail(b->why, place_of(b, e->start_mark),
                                         "a second document; expected one");
  case YAML_ALIAS_EVENT:
    return alias(b, e);
  case YAML_SCALAR_EVENT:
    return open_node(b, NODE_TEXT, e, e->data.scalar.tag,
                     e->data.scalar.anchor);
  case YAML_SEQUENCE_START_EVENT:
    return open_node(b, NODE_LIST, e, e->data.sequence_start.tag,
                     e->data.sequence_start.anchor);
  case YAML_MAPPING_START_EVENT:
    return open_node(b, NODE_MAP, e, e->data.mapping_start.tag,
                     e->data.mapping_start.anchor);
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    close_node(b);
    return true;
  case YAML_NO_EVENT:
  case YAML_STREAM_START_EVENT:
  case YAML_STREAM_END_EVENT:
  case YAML_DOCUMENT_END_EVENT:
    return true;
  }
  return true;
}

static bool build(builder *b, yaml_parser_t *p) {
  for (bool end = false; !end;) {
    yaml_event_t e;
    if (!yaml_parser_parse(p, &e)) {
      return yaml_complain(b, p);
    }
    end = e.type == YAML_STREAM_END_EVENT;
    bool ok = take(b, &e);
    yaml_event_delete(&e);
    if (!ok) {
      return false;
    }
  }
  return true;
}

node *tree_parse(arena *a, const char *text, size_t len, place origin,
                 fail *why) {
  builder *b = arena_alloc(a, 1, sizeof *b);
  yaml_parser_t p;

  *b = (builder){.a = a,
                 .why = why,
                 .origin = origin,
                 .text = text,
                 .len = len,
                 .budget = TREE_NODES_MAX};
  if (!yaml_parser_initialize(&p)) {
    fail_set(why, EXIT_RUN_FAILED, "out of memory");
    return NULL;
  }
  yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
  bool ok = build(b, &p);
  yaml_parser_delete(&p);
  if (!ok) {
    return NULL;
  }
  if (b->root == NULL) {
    origin.line = origin.col = 1;
    b->root = tree_text(a, "", origin);
    b->root->empty = true;
  }
  return b->root;
}

/* ---- printing
 * ---------------------------------------------------------------- */

typedef struct printer {
  arena *a;
  char *buf;
  size_t len, cap;
} printer;

static void put(printer *p, const char *s, size_t n) {
  p->buf = arena_grow(p->a, p->buf, &p->cap, p->len + n + 1, 1);
  memcpy(p->buf + p->len, s, n);
  p->len += n;
  p->buf[p->len] = '\0';
}

static void puts_to(printer *p, const char *s) {
  put(p, s, strlen(s));
}

static void indent(printer *p, int depth) {
  for (int i = 0; i < depth; i++) {
    puts_to(p, "  ");
  }
}

/* Words that mean themselves in every YAML reader, in every position. */
static bool is_plain(const char *s) {
  static const char first[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/+";
  static const char rest[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/+-.%()";
  size_t n = strlen(s);

  return n > 0 && strchr(first, s[0]) != NULL && strspn(s, rest) == n;
}

static void print_text(printer *p, const char *s) {
  char code[8];

  if (is_plain(s)) {
    puts_to(p, s);
    return;
  }
  puts_to(p, "\"");
  for (; *s != '\0'; s++) {
    if (*s == '"' || *s == '\\') {
      put(p, "\\", 1);
      put(p, s, 1);
    } else if (*s == '\n') {
      puts_to(p, "\\n");
    } else if (strncmp(s, "\xc2\x85", 2) == 0) { /* breaks in YAML 1.1 */
      puts_to(p, "\\N");
      s += 1;
    } else if (strncmp(s, "\xe2\x80\xa8", 3) == 0) {
      puts_to(p, "\\L");
      s += 2;
    } else if (strncmp(s, "\xe2\x80\xa9", 3) == 0) {
      puts_to(p, "\\P");
      s += 2;
    } else if ((unsigned char)*s < ' ' || *s == 0x7f) {
      snprintf(code, sizeof code, "\\x%02x", (unsigned)*s);
      puts_to(p, code);
    } else {
      put(p, s, 1);
    }
  }
  puts_to(p, "\"");
}

/* What fits on one line: a list of scalars, an empty mapping. */
static bool is_flow(const node *n) {
  for (uint32_t i = 0; i < n->n; i++) {
    if (n->kind != NODE_LIST || n->item[i]->kind != NODE_TEXT ||
        n->item[i]->empty) {
      return false;
    }
  }
  return true;
}

static void print_flow(printer *p, const node *n) {
  puts_to(p, n->kind == NODE_LIST ? "[" : "{");
  for (uint32_t i = 0; i < n->n; i++) {
    puts_to(p, i > 0 ? ", " : "");
    print_text(p, n->item[i]->text);
  }
  puts_to(p, n->kind == NODE_LIST ? "]" : "}");
}

/* |open|: the indentation of the first line has been written. */
static void print_node(printer *p, const node *n, int depth, bool open) {
  for (uint32_t i = 0; i < n->n; i++) {
    const node *item = n->item[i];
    if (!open || i > 0) {
      indent(p, depth);
    }
    if (n->kind == NODE_MAP) {
      print_text(p, n->key[i]->text);
      puts_to(p, ":");
    } else {
      puts_to(p, "-");
    }
    if (item->kind == NODE_TEXT && item->empty) {
      puts_to(p, "\n");
    } else if (item->kind == NODE_TEXT) {
      puts_to(p, " ");
      print_text(p, item->text);
      puts_to(p, "\n");
    } else if (is_flow(item)) {
      puts_to(p, " ");
      print_flow(p, item);
      puts_to(p, "\n");
    } else if (n->kind == NODE_LIST) {
      puts_to(p, " ");
      print_node(p, item, depth + 1, true);
    } else {
      puts_to(p, "\n");
      print_node(p, item, depth + 1, false);
    }
  }
}

char *tree_print(arena *a, const node *root) {
  printer p = {.a = a};

  put(&p, "", 0);
  print_node(&p, root, 0, false);
  return p.buf;
}
