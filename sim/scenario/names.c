/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References by name, and the places to blame. */
#include <assert.h>
#include <string.h>

#include "scenario/reader.h"

#define SUGGEST_MAX 256

const node *item_of(reader *rd, const char *list, size_t i) {
  const char *in_network = "network.";
  const node *map = rd->root;

  if (strncmp(list, in_network, strlen(in_network)) == 0) {
    map = tree_find(map, "network");
    list += strlen(in_network);
  }
  map = tree_find(map, list);
  assert(map != NULL && i < map->n);
  return map->item[i];
}

place place_in(const node *item, const char *name) {
  const node *v = tree_find(item, name);

  return v != NULL ? v->at : item->at;
}

bool no_such(reader *rd, place at, const char *what, const char *name,
             const char *expected, const char *const *names, size_t n) {
  const char *near =
      nearest_word(name, names, n < SUGGEST_MAX ? n : SUGGEST_MAX);

  return place_fail(rd->why, at, "no %s '%.60s'; expected %s%s%s%s", what, name,
                    expected, near != NULL ? "; did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

int64_t name_index(const char *const *names, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(names[i], name) == 0) {
      return (int64_t)i;
    }
  }
  return -1;
}
