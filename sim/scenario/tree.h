/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML document as a tree of our own, each node with the place it was
 * written at. Values have no types here: a scalar is its text. Aliases are
 * expanded, tags refused, and size and depth bounded, so whatever walks a
 * tree may recurse.
 */
#ifndef SCENARIO_TREE_H
#define SCENARIO_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/arena.h"
#include "util/fail.h"

#define TREE_DEPTH_MAX 64
#define TREE_NODES_MAX 1000000u

/* Where something was written: "file:line:col", or |via| when it was not
   written in a file ("--set duration"). */
typedef struct place {
  const char *file;
  const char *via; /* NULL: in the file */
  int line, col;   /* from 1 */
} place;

typedef enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP } node_kind;

typedef struct node node;
struct node {
  node_kind kind;
  bool empty; /* TEXT: nothing was written, not even quotes */
  place at;
  const char *text; /* TEXT */
  node **item;      /* LIST, MAP: values */
  node **key;       /* MAP: TEXT nodes, as written, repeated ones included */
  uint32_t n;
  size_t cap_item, cap_key;
};

/* Reads one document; NULL on failure. |via|: all nodes get this place
   instead of their own (then |text| is a value, else a whole file). */
node *tree_parse(arena *a, const char *text, size_t len, place origin,
                 fail *why);
node *tree_copy(arena *a, const node *from);
node *tree_text(arena *a, const char *text, place at);
node *tree_map(arena *a, place at);
void tree_append(arena *a, node *list, node *item);         /* to a LIST */
void tree_put(arena *a, node *map, node *key, node *value); /* to a MAP */
/* The index of a key, or UINT32_MAX. */
uint32_t tree_index(const node *map, const char *key);
node *tree_find(const node *map, const char *key); /* NULL: not a map, no key */
/* What an item of a list is called: its name, or its class; or NULL. */
const char *tree_item_name(const node *item);
void tree_remove(node *map, uint32_t i);
/* The tree as block YAML: the same tree gives the same bytes, and parsing
   them gives the same tree. */
char *tree_print(arena *a, const node *root);

/* Fills |why| with the place, a colon and the sentence; returns false. Bytes
   below a space are replaced, so that it stays one line. */
__attribute__((format(printf, 3, 4))) bool place_fail(fail *why, place at,
                                                      const char *format, ...);

#endif
