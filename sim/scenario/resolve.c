/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no single key can say: names are unique and refer to something, nodes
 * form a tree, catalogues become files, faults fit their targets.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/reader.h"
#include "util/fmath.h"

/* All |n| names of an array of structs whose name is at |at|. */
static const char **names_of(reader *rd, const void *items, size_t n,
                             size_t size, size_t at) {
  const char **names = arena_alloc(rd->tmp, n, sizeof *names);

  for (size_t i = 0; i < n; i++) {
    memcpy(&names[i], (const char *)items + i * size + at, sizeof *names);
  }
  return names;
}
#define NAMES(rd, items, n, type)                                              \
  names_of((rd), (items), (n), sizeof(type), offsetof(type, name))

typedef struct named {
  const char *name;
  const char *list;
  size_t i;
} named;

/* ---- unique names -----------------------------------------------------------
 */

static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->name, y->name);

  if (order == 0) {
    order = strcmp(x->list, y->list);
  }
  return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

static bool unique(reader *rd, named *all, size_t n) {
  qsort(all, n, sizeof *all, by_name);
  for (size_t i = 1; i < n; i++) {
    if (strcmp(all[i - 1].name, all[i].name) == 0) {
      const named *first = &all[i - 1], *again = &all[i];
      place one = place_in(item_of(rd, first->list, first->i), "name");
      place two = place_in(item_of(rd, again->list, again->i), "name");
      if (two.line < one.line || (two.line == one.line && two.col < one.col)) {
        place other = one;
        one = two;
        two = other;
      }
      return place_fail(rd->why, two,
                        "name '%s' is taken, on line %d; expected another",
                        again->name, one.line);
    }
  }
  return true;
}

static size_t named_add(named *all, size_t n, const char *const *names_in,
                        size_t count, const char *list) {
  for (size_t i = 0; i < count; i++) {
    all[n++] = (named){names_in[i], list, i};
  }
  return n;
}

static bool unique_names(reader *rd, const draft *d, const scn_names *t) {
  const scenario *s = &d->s;
  named *all = arena_alloc(rd->tmp,
                           s->nnodes + s->norigins + s->nsites + s->nservices +
                               d->ncontents + d->njobs,
                           sizeof *all);
  size_t n = named_add(all, 0, t->node, s->nnodes, "network.nodes");

  n = named_add(all, n, t->origin, s->norigins, "network.origins");
  n = named_add(all, n, t->site, s->nsites, "network.sites");
  if (!unique(rd, all, n)) {
    return false;
  }
  n = named_add(all, 0, NAMES(rd, s->services, s->nservices, scn_service),
                s->nservices, "network.services");
  if (!unique(rd, all, n)) {
    return false;
  }
  n = named_add(all, 0, t->content, d->ncontents, "content");
  if (!unique(rd, all, n)) {
    return false;
  }
  n = named_add(all, 0, t->job, d->njobs, "jobs");
  return unique(rd, all, n);
}

/* ---- the network
 * ---------------------------------------------------------------- */

static bool node_known(reader *rd, const draft *d, const scn_names *t,
                       const char *list, size_t i, const char *key_word,
                       const char *name) {
  if (strcmp(name, "core") == 0 ||
      name_index(t->node, d->s.nnodes, name) >= 0) {
    return true;
  }
  return no_such(rd, place_in(item_of(rd, list, i), key_word), "node", name,
                 "core or a name of network.nodes", t->node, d->s.nnodes);
}

/* Orders nodes so that parents come first, else as written; what never meets
   core is a cycle. */
static bool order_nodes(reader *rd, draft *d, const scn_names *t) {
  size_t n = d->s.nnodes, done = 0;
  scn_node *sorted = arena_alloc(rd->keep, n, sizeof *sorted);
  size_t *path = arena_alloc(rd->tmp, n, sizeof *path);
  bool *placed = arena_alloc(rd->tmp, n, sizeof *placed);

  for (size_t i = 0; i < n; i++) {
    size_t up = 0; /* from i to the first ancestor that is placed */
    for (int64_t k = (int64_t)i; k >= 0 && !placed[k];
         k = name_index(t->node, n, d->s.nodes[k].parent)) {
      if (up == n) {
        return place_fail(rd->why,
                          place_in(item_of(rd, "network.nodes", i), "parent"),
                          "node '%s' does not lead up to core; expected a "
                          "parent that does",
                          d->s.nodes[i].name);
      }
      path[up++] = (size_t)k;
    }
    while (up > 0) {
      placed[path[--up]] = true;
      sorted[done++] = d->s.nodes[path[up]];
    }
  }
  assert(done == n);
  d->s.nodes = sorted;
  return true;
}

static bool resolve_nodes(reader *rd, draft *d, const scn_names *t) {
  for (size_t i = 0; i < d->s.nnodes; i++) {
    const scn_node *n = &d->s.nodes[i];
    if (strcmp(n->name, "core") == 0) {
      return place_fail(rd->why,
                        place_in(item_of(rd, "network.nodes", i), "name"),
                        "'core' is the root; expected another name");
    }
    if (!node_known(rd, d, t, "network.nodes", i, "parent", n->parent)) {
      return false;
    }
  }
  for (size_t i = 0; i < d->s.norigins; i++) {
    if (!node_known(rd, d, t, "network.origins", i, "at", d->s.origins[i].at)) {
      return false;
    }
  }
  for (size_t i = 0; i < d->s.nservices; i++) {
    if (!node_known(rd, d, t, "network.services", i, "at",
                    d->s.services[i].at)) {
      return false;
    }
  }
  return true;
}

static bool site_devices(reader *rd, const draft *d, const scn_names *t,
                         size_t i, uint64_t *total) {
  const scn_site *s = &d->s.sites[i];
  const node *item = item_of(rd, "network.sites", i);
  const node *list = tree_find(item, "devices");

  for (size_t j = 0; j < s->ndevices; j++) {
    const scn_group_of_devices *g = &s->devices[j];
    place at = place_in(list->item[j], "class");
    if (name_index(t->cls, d->s.nclasses, g->cls) < 0) {
      return no_such(rd, at, "class", g->cls, "a name of classes", t->cls,
                     d->s.nclasses);
    }
    for (size_t k = 0; k < j; k++) {
      if (strcmp(s->devices[k].cls, g->cls) == 0) {
        return place_fail(rd->why, at,
                          "class '%s' is repeated in this site; expected one "
                          "count a class",
                          g->cls);
      }
    }
    *total += (uint64_t)s->count * g->count;
    if (*total > DEVICES_MAX) {
      return place_fail(rd->why, place_in(list->item[j], "count"),
                        "%llu devices so far; expected at most %u in all",
                        (unsigned long long)*total, DEVICES_MAX);
    }
  }
  return true;
}

static bool resolve_sites(reader *rd, const draft *d, const scn_names *t) {
  uint64_t total = 0;

  for (size_t i = 0; i < d->s.nsites; i++) {
    if (!node_known(rd, d, t, "network.sites", i, "at", d->s.sites[i].at) ||
        !site_devices(rd, d, t, i, &total)) {
      return false;
    }
  }
  return true;
}

static bool resolve_churn(reader *rd, draft *d) {
  const node *classes = tree_find(rd->root, "classes");

  d->s.churn = tree_find(rd->root, "churn") != NULL;
  for (size_t i = 0; i < d->s.nclasses; i++) {
    if (!d->s.classes[i].always_online && !d->s.churn) {
      return place_fail(rd->why, place_in(classes->item[i], "online"),
                        "class '%s' comes and goes, and nothing says when; "
                        "expected a key 'churn'",
                        d->s.classes[i].name);
    }
    if (tree_find(classes->item[i], "cache") == NULL) {
      d->s.classes[i].cache_bytes = UINT64_MAX;
    }
  }
  return true;
}

/* ---- content
 * --------------------------------------------------------------------- */

static bool content_origins(reader *rd, const draft *d, const scn_names *t,
                            size_t i) {
  const scn_content *c = &d->contents[i].c;
  const node *v = tree_find(item_of(rd, "content", i), "origins");

  for (size_t j = 0; j < c->norigins; j++) {
    place at = v->kind == NODE_LIST ? v->item[j]->at : v->at;
    if (name_index(t->origin, d->s.norigins, c->origins[j]) < 0) {
      return no_such(rd, at, "origin", c->origins[j],
                     "a name of network.origins", t->origin, d->s.norigins);
    }
    if (name_index(c->origins, j, c->origins[j]) >= 0) {
      return place_fail(rd->why, at,
                        "origin '%s' is repeated; expected it once",
                        c->origins[j]);
    }
  }
  return true;
}

/* A single file has one size and one release. */
static bool content_single(reader *rd, const raw_content *r, size_t i) {
  const node *item = item_of(rd, "content", i);

  if (r->files > 0) {
    return true;
  }
  if (r->size.kind != DIST_CONSTANT) {
    return place_fail(rd->why, place_in(item, "size"),
                      "a distribution of sizes for one file; expected a size, "
                      "or 'files' for a catalogue");
  }
  if (r->released.kind != DIST_CONSTANT) {
    return place_fail(rd->why, place_in(item, "released"),
                      "a distribution of releases for one file; expected a "
                      "time, or 'files' for a catalogue");
  }
  if (tree_find(item, "zipf") != NULL) {
    return place_fail(rd->why, place_in(item, "zipf"),
                      "'zipf' for one file; expected 'files' for a catalogue");
  }
  return true;
}

static uint32_t gcd(uint32_t a, uint32_t b) {
  while (b != 0) {
    uint32_t r = a % b;
    a = b;
    b = r;
  }
  return a;
}

/* A step through 0 .. n-1 that visits each once, about |permille| of n long,
   so that neighbours in rank are far apart in size. */
static uint32_t stride(uint32_t n, uint32_t permille) {
  uint32_t step = (uint32_t)((uint64_t)n * permille / 1000) + 1;

  while (gcd(step, n) != 1) {
    step++;
  }
  return step;
}

/* The value of file |i| of |n|: its quantile of a stratified sample. */
static double file_value(const dist *d, uint32_t i, uint32_t n,
                         uint32_t permille) {
  uint64_t k = (uint64_t)i * stride(n, permille) % n;

  return dist_quantile(d, ((double)k + 0.5) / (double)n);
}

static bool content_size(reader *rd, const scn_content *c, place at) {
  if (c->size / c->piece_bytes >= XL_NONE) {
    return place_fail(rd->why, at,
                      "more than 4294967294 pieces; expected larger pieces");
  }
  return true;
}

static bool expand_content(reader *rd, draft *d, size_t i, uint32_t at,
                           int32_t catalogue) {
  const raw_content *r = &d->contents[i];
  uint32_t n = r->files > 0 ? r->files : 1;
  place where = place_in(item_of(rd, "content", i), "size");

  for (uint32_t f = 0; f < n; f++) {
    scn_content *c = &d->s.contents[at + f];
    *c = r->c;
    c->catalogue = catalogue;
    c->popularity = 1;
    c->size = (xl_bytes)r->size.a;
    c->released = (xl_span)r->released.a;
    if (r->files > 0) {
      c->name = arena_format(rd->keep, "%s[%u]", r->c.name, f);
      c->size = (xl_bytes)(file_value(&r->size, f, n, 618) + 0.5);
      c->size = c->size > 0 ? c->size : 1;
      c->released = (xl_span)(file_value(&r->released, f, n, 755) + 0.5);
      c->popularity = fmath_pow((double)f + 1, -r->zipf);
    }
    if (!content_size(rd, c, where)) {
      return false;
    }
  }
  return true;
}

static bool resolve_contents(reader *rd, draft *d, const scn_names *t) {
  uint64_t total = 0;
  uint32_t at = 0;

  for (size_t i = 0; i < d->ncontents; i++) {
    total += d->contents[i].files > 0 ? d->contents[i].files : 1;
    if (!content_origins(rd, d, t, i) ||
        !content_single(rd, &d->contents[i], i)) {
      return false;
    }
    if (total > TREE_NODES_MAX) {
      return place_fail(rd->why, place_in(item_of(rd, "content", i), "files"),
                        "%llu files so far; expected at most %u in all",
                        (unsigned long long)total, TREE_NODES_MAX);
    }
  }
  d->s.contents = arena_alloc(rd->keep, total, sizeof *d->s.contents);
  d->s.ncontents = total;
  d->s.catalogues =
      arena_alloc(rd->keep, d->ncontents, sizeof *d->s.catalogues);
  for (size_t i = 0; i < d->ncontents; i++) {
    const raw_content *r = &d->contents[i];
    int32_t catalogue = -1;
    if (r->files > 0) {
      catalogue = (int32_t)d->s.ncatalogues;
      d->s.catalogues[d->s.ncatalogues++] =
          (scn_catalogue){r->c.name, r->zipf, at, r->files};
    }
    if (!expand_content(rd, d, i, at, catalogue)) {
      return false;
    }
    at += r->files > 0 ? r->files : 1;
  }
  return true;
}

/* ---- jobs
 * ------------------------------------------------------------------------- */

/* One content of a job by name: a file, or a file of a catalogue. */
static bool job_content(reader *rd, const draft *d, const scn_names *t,
                        const char *name, place at, uint32_t *out) {
  for (uint32_t i = 0; i < d->s.ncontents; i++) {
    if (strcmp(d->s.contents[i].name, name) == 0) {
      *out = i;
      return true;
    }
  }
  if (name_index(t->content, d->ncontents, name) >= 0) {
    return place_fail(rd->why, at,
                      "catalogue '%s' among other contents; expected it to be "
                      "the job's only one",
                      name);
  }
  return no_such(rd, at, "content", name, "a name of content", t->content,
                 d->ncontents);
}

static bool job_contents(reader *rd, const draft *d, const scn_names *t,
                         raw_job *r, const node *item) {
  const node *v = tree_find(item, "content");
  const node *requests = tree_find(item, "requests");

  r->j.catalogue = -1;
  for (size_t i = 0; i < d->s.ncatalogues && r->ncontents == 1; i++) {
    if (strcmp(d->s.catalogues[i].name, r->contents[0]) == 0) {
      r->j.catalogue = (int32_t)i;
    }
  }
  if (r->j.catalogue >= 0) {
    return requests != NULL ||
           place_fail(rd->why, item->at,
                      "a job of a catalogue has no 'requests'; expected how "
                      "many files a device asks for");
  }
  if (requests != NULL) {
    return place_fail(rd->why, requests->at,
                      "'requests' without a catalogue; expected 'content' to "
                      "name one");
  }
  r->j.contents = arena_alloc(rd->keep, r->ncontents, sizeof(uint32_t));
  r->j.ncontents = r->ncontents;
  for (size_t i = 0; i < r->ncontents; i++) {
    place at = v->kind == NODE_LIST ? v->item[i]->at : v->at;
    if (!job_content(rd, d, t, r->contents[i], at, &r->j.contents[i])) {
      return false;
    }
    for (size_t j = 0; j < i; j++) {
      if (r->j.contents[j] == r->j.contents[i]) {
        return place_fail(rd->why, at,
                          "content '%s' is repeated; expected it once",
                          r->contents[i]);
      }
    }
  }
  return true;
}

static bool job_selection(reader *rd, const draft *d, const scn_names *t,
                          raw_job *r, const node *item) {
  const node *v = tree_find(item, "devices");

  r->j.share = r->j.select == SCN_SHARE ? r->share : 0;
  if (r->j.select == SCN_CLASS) {
    r->j.select_name = r->cls;
    return name_index(t->cls, d->s.nclasses, r->cls) >= 0 ||
           no_such(rd, place_in(v, "class"), "class", r->cls,
                   "a name of classes", t->cls, d->s.nclasses);
  }
  if (r->j.select == SCN_SITE) {
    r->j.select_name = r->site;
    return name_index(t->site, d->s.nsites, r->site) >= 0 ||
           no_such(rd, place_in(v, "site"), "site", r->site,
                   "a name of network.sites", t->site, d->s.nsites);
  }
  return true;
}

static bool resolve_jobs(reader *rd, draft *d, const scn_names *t) {
  d->s.jobs = arena_alloc(rd->keep, d->njobs, sizeof *d->s.jobs);
  d->s.njobs = d->njobs;
  for (size_t i = 0; i < d->njobs; i++) {
    raw_job *r = &d->jobs[i];
    const node *item = item_of(rd, "jobs", i);
    if (!job_contents(rd, d, t, r, item) || !job_selection(rd, d, t, r, item)) {
      return false;
    }
    if (r->j.start >= d->s.duration) {
      return place_fail(rd->why, place_in(item, "start"),
                        "job '%s' starts after the end; expected a start "
                        "before 'duration'",
                        r->j.name);
    }
    d->s.jobs[i] = r->j;
  }
  return true;
}

bool resolve(reader *rd, draft *d) {
  const scenario *s = &d->s;
  const raw_content *c = d->contents;
  const raw_job *j = d->jobs;
  scn_names t = {
      .node = NAMES(rd, s->nodes, s->nnodes, scn_node),
      .origin = NAMES(rd, s->origins, s->norigins, scn_origin),
      .site = NAMES(rd, s->sites, s->nsites, scn_site),
      .cls = NAMES(rd, s->classes, s->nclasses, scn_class),
      .content = names_of(rd, c, d->ncontents, sizeof *c,
                          offsetof(raw_content, c.name)),
      .job = names_of(rd, j, d->njobs, sizeof *j, offsetof(raw_job, j.name)),
  };

  return unique_names(rd, d, &t) && resolve_nodes(rd, d, &t) &&
         order_nodes(rd, d, &t) && resolve_sites(rd, d, &t) &&
         resolve_churn(rd, d) && resolve_contents(rd, d, &t) &&
         resolve_jobs(rd, d, &t) && resolve_faults(rd, d, &t);
}
