/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names as scenarios write them: "cdn-a", "de", "branch", "branch[3]",
 * "branch[3].pc", "branch[3].pc[0]".
 */
#include <stdlib.h>
#include <string.h>

#include "fleet_build.h"

/* One step of a path: a word and perhaps a number in brackets. */
typedef struct step {
  char word[128];
  uint32_t index; /* XL_NONE: no brackets */
} step;

/* Reads a step at |*s| and moves |*s| behind it. */
static bool step_read(const char **s, step *out) {
  size_t len = strcspn(*s, ".[");
  uint64_t index = 0;

  if (len == 0 || len >= sizeof out->word) {
    return false;
  }
  memcpy(out->word, *s, len);
  out->word[len] = '\0';
  out->index = XL_NONE;
  *s += len;
  if (**s != '[') {
    return true;
  }
  ++*s;
  len = strspn(*s, "0123456789");
  if (len == 0 || len > 9 || (*s)[len] != ']') {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    index = index * 10 + (uint64_t)((*s)[i] - '0');
  }
  out->index = (uint32_t)index;
  *s += len + 1;
  return true;
}

static bool find_origin(const build *b, const char *name, target *out) {
  for (uint32_t i = 0; i < b->scn->norigins; i++) {
    if (strcmp(b->scn->origins[i].name, name) == 0) {
      *out = (target){.kind = TARGET_ORIGIN, .begin = i, .end = i + 1};
      return true;
    }
  }
  return false;
}

static bool find_node(const build *b, const char *name, target *out) {
  for (uint32_t i = 0; i < b->scn->nnodes; i++) {
    if (strcmp(b->scn->nodes[i].name, name) == 0) {
      uint32_t n = b->node_of[i];
      *out = (target){.kind = TARGET_NODE, .begin = n, .end = n + 1};
      return true;
    }
  }
  return false;
}

static bool find_sites(const build *b, const char *name, target *out,
                       const scn_site **site) {
  const fleet *f = b->f;
  uint32_t first = 0;

  for (uint32_t i = 0; i < b->scn->nsites; i++) {
    *site = &b->scn->sites[i];
    if (strcmp((*site)->name, name) == 0) {
      *out = (target){
          .kind = TARGET_SITES, .begin = first, .end = first + (*site)->count};
      return out->end <= f->nsites;
    }
    first += (*site)->count;
  }
  return false;
}

/* The words a first step may be, for the hint. */
static bool unknown(build *b, const char *who, const char *name,
                    const char *word) {
  const scenario *s = b->scn;
  size_t n = 0;
  const char **words =
      build_alloc(b, s->norigins + s->nnodes + s->nsites, sizeof *words);
  const char *near;

  if (words == NULL) {
    return false;
  }
  for (size_t i = 0; i < s->norigins; i++) {
    words[n++] = s->origins[i].name;
  }
  for (size_t i = 0; i < s->nnodes; i++) {
    words[n++] = s->nodes[i].name;
  }
  for (size_t i = 0; i < s->nsites; i++) {
    words[n++] = s->sites[i].name;
  }
  near = nearest_word(word, words, n);
  free(words);
  return fail_set(b->why, EXIT_USAGE,
                  "%s: no origin, node or site is named \"%s\"%s%s%s", who,
                  name, near != NULL ? "; did you mean \"" : "",
                  near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* The device class |word| among those of |site|; |out| ends up as DEVICES. */
static bool narrow(build *b, const char *who, const char *name,
                   const scn_site *site, const step *device, target *out) {
  const char **words = build_alloc(b, site->ndevices, sizeof *words);
  uint32_t count = 0;
  const char *near;

  if (words == NULL) {
    return false;
  }
  for (size_t i = 0; i < site->ndevices; i++) {
    words[i] = site->devices[i].cls;
    if (strcmp(words[i], device->word) == 0) {
      count += site->devices[i].count;
    }
  }
  near = nearest_word(device->word, words, site->ndevices);
  free(words);
  if (count == 0) {
    return fail_set(b->why, EXIT_USAGE,
                    "%s: %s: site %s has no devices of class \"%s\"%s%s%s", who,
                    name, site->name, device->word,
                    near != NULL ? "; did you mean \"" : "",
                    near != NULL ? near : "", near != NULL ? "\"?" : "");
  }
  if (device->index != XL_NONE && device->index >= count) {
    return fail_set(b->why, EXIT_USAGE,
                    "%s: %s: site %s has %u devices of class %s, counted from "
                    "0",
                    who, name, site->name, count, device->word);
  }
  out->kind = TARGET_DEVICES;
  out->index = device->index;
  while (strcmp(b->scn->classes[out->cls].name, device->word) != 0) {
    out->cls++;
  }
  return true;
}

bool build_target(build *b, const char *who, const char *name, target *out) {
  const scn_site *site;
  const char *rest = name;
  step first, device;

  if (find_origin(b, name, out) || find_node(b, name, out) ||
      find_sites(b, name, out, &site)) {
    return true;
  }
  if (!step_read(&rest, &first) || (*rest != '\0' && *rest != '.')) {
    return fail_set(b->why, EXIT_USAGE,
                    "%s: \"%s\" is no target; expected a name, name[i], "
                    "name[i].class or name[i].class[j]",
                    who, name);
  }
  if (!find_sites(b, first.word, out, &site)) {
    return unknown(b, who, name, first.word);
  }
  if (first.index != XL_NONE) {
    if (first.index >= site->count) {
      return fail_set(b->why, EXIT_USAGE,
                      "%s: %s: there are %u sites %s, counted from 0", who,
                      name, site->count, site->name);
    }
    out->begin += first.index;
    out->end = out->begin + 1;
  }
  if (*rest == '\0') {
    return true;
  }
  ++rest;
  if (!step_read(&rest, &device) || *rest != '\0') {
    return fail_set(b->why, EXIT_USAGE,
                    "%s: \"%s\" is no target; expected name[i].class[j]", who,
                    name);
  }
  return narrow(b, who, name, site, &device, out);
}

bool target_has(const target *t, const fleet_device *device) {
  if (device->site < t->begin || device->site >= t->end) {
    return false;
  }
  return t->kind == TARGET_SITES ||
         (t->kind == TARGET_DEVICES && t->cls == device->cls &&
          (t->index == XL_NONE || t->index == device->index));
}
