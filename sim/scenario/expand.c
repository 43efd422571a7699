/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before the check: what may be written as one item becomes a list of one,
 * and sites from a CSV file become items of the list, each cell with its own
 * place, so that the one reader checks them and names the cell.
 */
#include <stdio.h>
#include <string.h>

#include "scenario/path.h"
#include "scenario/reader.h"

#define SITE "network.sites[]."
#define SITES_MAX 1000000u

static node *list_of(reader *rd, node *item) {
  node *list = arena_alloc(rd->tmp, 1, sizeof *list);

  list->kind = NODE_LIST;
  list->at = item->at;
  if (item->kind == NODE_LIST) {
    return list;
  }
  tree_append(rd->tmp, list, item);
  return list;
}

static void wrap(reader *rd, node *map, const char *name) {
  uint32_t i = map == NULL ? UINT32_MAX : tree_index(map, name);

  if (i != UINT32_MAX && map->item[i]->kind == NODE_MAP) {
    map->item[i] = list_of(rd, map->item[i]);
  }
}

/* ---- sites ------------------------------------------------------------------
 */

/* The rows of the key table that may be columns: single values of a site. */
static bool is_column(const scn_key *k) {
  return strncmp(k->path, SITE, sizeof SITE - 1) == 0 &&
         strstr(k->path + sizeof SITE - 1, "[]") == NULL &&
         k->type != KEY_ITEMS && k->type != KEY_MAP &&
         !(k->flags & (KEY_EXPANDED | KEY_LATER));
}

/* "wan.down" as "wan_down". */
static void column_name(const scn_key *k, char *buf, size_t len) {
  snprintf(buf, len, "%s", k->path + sizeof SITE - 1);
  for (char *p = buf; *p != '\0'; p++) {
    *p = *p == '.' ? '_' : *p;
  }
}

static const scn_key *column_key(const char *name) {
  char buf[64];

  for (size_t i = 0; i < scenario_nkeys; i++) {
    if (is_column(&scenario_keys[i])) {
      column_name(&scenario_keys[i], buf, sizeof buf);
      if (strcmp(buf, name) == 0) {
        return &scenario_keys[i];
      }
    }
  }
  return NULL;
}

static bool unknown_column(reader *rd, const csv_cell *cell) {
  const char *names[32];
  char list[300];
  size_t n = 0, used = 0;

  for (size_t i = 0; i < scenario_nkeys && n < 32; i++) {
    if (is_column(&scenario_keys[i])) {
      char *buf = arena_alloc(rd->tmp, 64, 1);
      column_name(&scenario_keys[i], buf, 64);
      names[n++] = buf;
    }
  }
  list[0] = '\0';
  for (size_t i = 0; i < n && used < sizeof list; i++) {
    used += (size_t)snprintf(list + used, sizeof list - used, "%s, ", names[i]);
  }
  const char *near = nearest_word(cell->text, names, n);
  return place_fail(rd->why, cell->at,
                    "unknown column '%.60s'; expected %sor devices_CLASS%s%s%s",
                    cell->text, list, near != NULL ? "; did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
}

static const char devices_prefix[] = "devices_";

static bool columns_check(reader *rd, const csv *c) {
  for (size_t j = 0; j < c->cols; j++) {
    const char *name = c->cell[j].text;
    if (strncmp(name, devices_prefix, sizeof devices_prefix - 1) != 0 &&
        column_key(name) == NULL) {
      return unknown_column(rd, &c->cell[j]);
    }
    for (size_t i = 0; i < j; i++) {
      if (strcmp(c->cell[i].text, name) == 0) {
        return place_fail(rd->why, c->cell[j].at,
                          "column '%.60s' is repeated; expected it once", name);
      }
    }
  }
  return true;
}

/* A count of a class: {class: .., count: ..}; none when it is 0. */
static void devices_put(reader *rd, node *site, const csv_cell *head,
                        const csv_cell *cell) {
  node *list = tree_find(site, "devices");

  if (strcmp(cell->text, "0") == 0) {
    return;
  }
  node *item = tree_map(rd->tmp, cell->at);
  tree_put(
      rd->tmp, item, tree_text(rd->tmp, "class", head->at),
      tree_text(rd->tmp, head->text + sizeof devices_prefix - 1, head->at));
  tree_put(rd->tmp, item, tree_text(rd->tmp, "count", cell->at),
           tree_text(rd->tmp, cell->text, cell->at));
  tree_append(rd->tmp, list, item);
}

static bool row_site(reader *rd, const node *pattern, const csv *c, size_t row,
                     node *sites) {
  const csv_cell *cells = &c->cell[row * c->cols];
  node *site = tree_copy(rd->tmp, pattern);
  bool fresh = true;

  site->at = cells[0].at;
  for (size_t j = 0; j < c->cols; j++) {
    const csv_cell *head = &c->cell[j], *cell = &cells[j];
    if (cell->text[0] == '\0') {
      continue; /* as in the pattern, or its default */
    }
    const scn_key *k = column_key(head->text);
    if (k != NULL) {
      if (!path_put(rd->tmp, site, k->path + sizeof SITE - 1,
                    tree_text(rd->tmp, cell->text, cell->at))) {
        return place_fail(rd->why, cell->at,
                          "column '%s' has no place in its site; expected "
                          "'wan' and 'lan' to be mappings",
                          head->text);
      }
      continue;
    }
    if (fresh) { /* the row's devices replace the pattern's */
      node *list = list_of(rd, tree_map(rd->tmp, cell->at));
      list->n = 0;
      path_put(rd->tmp, site, "devices", list);
      fresh = false;
    }
    devices_put(rd, site, head, cell);
  }
  tree_append(rd->tmp, sites, site);
  return true;
}

static bool csv_sites(reader *rd, node *item, node *sites) {
  uint32_t i = tree_index(item, "csv");
  const node *file = item->item[i];
  csv c;

  if (file->kind != NODE_TEXT || file->empty) {
    return place_fail(rd->why, file->at,
                      "'network.sites.csv' is not text; expected the name of "
                      "a CSV file");
  }
  if (!read_csv(rd, file, file->text, &c) || !columns_check(rd, &c)) {
    return false;
  }
  if (c.rows < 2) {
    return place_fail(rd->why, c.cell[0].at,
                      "no row below the names of the columns; expected at "
                      "least one site");
  }
  if (c.rows > SITES_MAX / (item->n + c.cols)) {
    return place_fail(rd->why, c.cell[0].at, "too many rows; expected fewer");
  }
  tree_remove(item, i);
  for (size_t row = 1; row < c.rows; row++) {
    if (!row_site(rd, item, &c, row, sites)) {
      return false;
    }
  }
  return true;
}

static bool expand_sites(reader *rd, node *network) {
  uint32_t at = tree_index(network, "sites");

  if (at == UINT32_MAX || network->item[at]->kind != NODE_LIST) {
    return true;
  }
  node *old = network->item[at];
  node *sites = list_of(rd, old);
  for (uint32_t i = 0; i < old->n; i++) {
    if (tree_find(old->item[i], "csv") == NULL) {
      tree_append(rd->tmp, sites, old->item[i]);
    } else if (!csv_sites(rd, old->item[i], sites)) {
      return false;
    }
  }
  network->item[at] = sites;
  return true;
}

void expand_lists(reader *rd) {
  node *network = tree_find(rd->root, "network");

  wrap(rd, rd->root, "content");
  wrap(rd, network, "sites");
}

bool expand_files(reader *rd) {
  node *network = tree_find(rd->root, "network");

  return network == NULL || network->kind != NODE_MAP ||
         expand_sites(rd, network);
}

void site_columns_print(FILE *to, bool markdown) {
  const char *quote = markdown ? "`" : "";
  char buf[64];

  for (size_t i = 0; i < scenario_nkeys; i++) {
    if (is_column(&scenario_keys[i])) {
      column_name(&scenario_keys[i], buf, sizeof buf);
      fprintf(to, "%s%s%s, ", quote, buf, quote);
    }
  }
  fprintf(to, "%sdevices_CLASS%s", quote, quote);
}
