/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: which targets and keys each kind takes. A fault of all sites of a
 * name, or of a content at all its origins, becomes one fault for each.
 */
#include <stdio.h>
#include <string.h>

#include "scenario/reader.h"

enum { AT_ORIGIN = 1, AT_SITE = 2, AT_DEVICE = 4, AT_NODE = 8 };

#define FAULTS_MAX 1000000u

typedef struct fault_form {
  const char *what; /* in the order of the choices of faults[].what */
  scn_fault_what kind;
  unsigned targets;     /* one of AT_* */
  bool every_origin;    /* no target: all origins of the content */
  const char *needs[2]; /* keys it must have */
  const char *help;
  scn_conduct conduct; /* SCN_FAULT_CONDUCT */
} fault_form;

static const fault_form fault_forms[] = {
    {"down",
     SCN_FAULT_ORIGIN_DOWN,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin is silent",
     0},
    {"error",
     SCN_FAULT_ORIGIN_ERROR,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin answers with `status`",
     0},
    {"wan-down",
     SCN_FAULT_WAN_DOWN,
     AT_SITE,
     false,
     {NULL, NULL},
     "the site's uplink carries nothing",
     0},
    {"link",
     SCN_FAULT_LINK,
     AT_ORIGIN | AT_SITE | AT_DEVICE | AT_NODE,
     false,
     {"down", "up"},
     "its link has the rates `down` and `up`",
     0},
    {"crash",
     SCN_FAULT_CRASH,
     AT_DEVICE,
     false,
     {NULL, NULL},
     "the device loses power; what its agent persisted remains",
     0},
    {"change",
     SCN_FAULT_CHANGE,
     AT_ORIGIN,
     true,
     {"content", NULL},
     "the content is replaced by one with a new time stamp, at `origin` or at "
     "all its origins",
     0},
    {"no-ranges",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin answers 200 with the whole file to every Range header",
     SCN_NO_RANGES},
    {"no-size",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin sends no Content-Length",
     SCN_NO_SIZE},
    {"no-last-modified",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin sends no Last-Modified",
     SCN_NO_LAST_MODIFIED},
    {"reject-ranges",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin answers 416 to every Range header",
     SCN_REJECT_RANGES},
    {"truncate",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {"share", NULL},
     "the origin closes the connection after `share` of each body",
     SCN_TRUNCATE},
    {"overlong",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {"share", NULL},
     "the origin sends `share` more bytes than each body should have",
     SCN_OVERLONG},
    {"stall",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {NULL, NULL},
     "the origin sends the header of each body and then nothing",
     SCN_STALL},
    {"redirect",
     SCN_FAULT_CONDUCT,
     AT_ORIGIN,
     false,
     {"to", NULL},
     "the origin answers 302 and sends the client to the origin `to`",
     SCN_REDIRECT},
};
#define NFORMS (sizeof fault_forms / sizeof *fault_forms)

static const char *const target_keys[] = {"origin", "site", "device", "node"};
#define NTARGETS 4

/* Keys that only some kinds take, and which (bits of fault_forms). */
static const struct only {
  const char *name;
  unsigned kinds;
} only[] = {
    {"status", 1u << 1},  {"down", 1u << 3},   {"up", 1u << 3},
    {"content", 1u << 5}, {"for", ~(1u << 5)}, {"share", 1u << 10 | 1u << 11},
    {"to", 1u << 13},
};

typedef struct faulting {
  reader *rd;
  draft *d;
  const scn_names *t;
  const raw_fault *raw;
  const node *item;
  size_t cap; /* of d->s.faults */
} faulting;

static void target_words(unsigned targets, char *buf, size_t len) {
  size_t used = 0;

  buf[0] = '\0';
  for (unsigned i = 0; i < NTARGETS && used < len; i++) {
    if (targets & 1u << i) {
      used += (size_t)snprintf(buf + used, len - used, "%s%s",
                               used > 0 ? ", " : "", target_keys[i]);
    }
  }
}

/* Exactly one target of those the kind takes; *which is its number. */
static bool target_find(const faulting *f, const fault_form *form,
                        unsigned *which) {
  char list[64];
  unsigned n = 0;

  target_words(form->targets, list, sizeof list);
  for (unsigned i = 0; i < NTARGETS; i++) {
    const node *v = tree_find(f->item, target_keys[i]);
    if (v == NULL) {
      continue;
    }
    if (!(form->targets & 1u << i)) {
      return place_fail(f->rd->why, v->at,
                        "'%s' is not what '%s' happens to; expected %s",
                        target_keys[i], form->what, list);
    }
    if (n++ > 0) {
      return place_fail(f->rd->why, v->at,
                        "'%s' besides '%s'; expected one of them",
                        target_keys[i], target_keys[*which]);
    }
    *which = i;
  }
  if (n == 0 && !form->every_origin) {
    return place_fail(f->rd->why, f->item->at,
                      "a fault '%s' without a target; expected %s", form->what,
                      list);
  }
  *which = n == 0 ? NTARGETS : *which;
  return true;
}

static bool keys_fit(const faulting *f, const fault_form *form) {
  unsigned bit = 1u << (form - fault_forms);

  for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
    const node *v = tree_find(f->item, only[i].name);
    if (v != NULL && !(only[i].kinds & bit)) {
      return place_fail(f->rd->why, v->at,
                        "'%s' does not go with '%s'; expected it without",
                        only[i].name, form->what);
    }
  }
  for (size_t i = 0; i < 2 && form->needs[i] != NULL; i++) {
    if (tree_find(f->item, form->needs[i]) == NULL) {
      return place_fail(f->rd->why, f->item->at,
                        "a fault '%s' has no '%s'; expected it", form->what,
                        form->needs[i]);
    }
  }
  return true;
}

static bool fault_add(faulting *f, const char *target) {
  scenario *s = &f->d->s;

  if (s->nfaults == FAULTS_MAX) {
    return place_fail(f->rd->why, f->item->at,
                      "more than %u faults; expected fewer", FAULTS_MAX);
  }
  s->faults = arena_grow(f->rd->keep, s->faults, &f->cap, s->nfaults + 1,
                         sizeof *s->faults);
  s->faults[s->nfaults] = f->raw->f;
  s->faults[s->nfaults++].target = target;
  return true;
}

/* "branch[3]rest" at the front of |text|: the name, its number or -1, and
   what follows; false when it has another form. */
static bool indexed(const char *text, char *name, size_t len, int64_t *i,
                    const char **rest) {
  size_t n = strcspn(text, "[.");
  unsigned number = 0;
  int used = 0;

  if (n == 0 || n >= len) {
    return false;
  }
  memcpy(name, text, n);
  name[n] = '\0';
  *i = -1;
  *rest = text + n;
  if (**rest == '[') {
    if (sscanf(*rest, "[%8u]%n", &number, &used) != 1 || used == 0 ||
        (*rest)[1] == '+' || (*rest)[1] == '-' || (*rest)[1] == ' ') {
      return false;
    }
    *i = number;
    *rest += used;
  }
  return true;
}

/* The site at the front of |text|; *i is -1 for all of that name. */
static const scn_site *site_find(const faulting *f, const char *text, place at,
                                 int64_t *i, const char **rest) {
  const scenario *s = &f->d->s;
  char name[80];

  if (!indexed(text, name, sizeof name, i, rest)) {
    place_fail(f->rd->why, at, "'%.60s' is not a site; expected NAME[number]",
               text);
    return NULL;
  }
  int64_t k = name_index(f->t->site, s->nsites, name);
  if (k < 0) {
    no_such(f->rd, at, "site", name, "a name of network.sites", f->t->site,
            s->nsites);
    return NULL;
  }
  if (*i >= (int64_t)s->sites[k].count) {
    place_fail(f->rd->why, at, "no site '%.60s'; expected a number below %u",
               text, s->sites[k].count);
    return NULL;
  }
  return &s->sites[k];
}

static bool at_site(faulting *f, place at) {
  const char *text = f->raw->site, *rest;
  int64_t i;
  const scn_site *s = site_find(f, text, at, &i, &rest);

  if (s == NULL) {
    return false;
  }
  if (*rest != '\0') {
    return place_fail(f->rd->why, at,
                      "'%.60s' is not a site; expected NAME[number]", text);
  }
  for (uint32_t k = 0; k < s->count; k++) {
    if ((i < 0 || k == i) &&
        !fault_add(f, arena_format(f->rd->keep, "%s[%u]", s->name, k))) {
      return false;
    }
  }
  return true;
}

static bool at_device(faulting *f, place at) {
  const char *text = f->raw->device, *rest;
  int64_t i, j;
  char cls[80];
  const scn_site *s = site_find(f, text, at, &i, &rest);

  if (s == NULL) {
    return false;
  }
  i = i < 0 && s->count == 1 ? 0 : i;
  if (i < 0 || *rest != '.' || !indexed(rest + 1, cls, sizeof cls, &j, &rest) ||
      j < 0 || *rest != '\0') {
    return place_fail(f->rd->why, at,
                      "'%.60s' is not a device; expected "
                      "SITE[number].CLASS[number]",
                      text);
  }
  for (size_t k = 0; k < s->ndevices; k++) {
    if (strcmp(s->devices[k].cls, cls) != 0) {
      continue;
    }
    if (j >= (int64_t)s->devices[k].count) {
      return place_fail(f->rd->why, at,
                        "no device '%.60s'; expected a number below %u", text,
                        s->devices[k].count);
    }
    return fault_add(f, arena_format(f->rd->keep, "%s[%u].%s[%u]", s->name,
                                     (unsigned)i, cls, (unsigned)j));
  }
  return place_fail(f->rd->why, at,
                    "no device '%.60s'; expected a class of the site's "
                    "devices",
                    text);
}

/* A redirection leads to another origin. */
static bool leads_on(const faulting *f) {
  const char *to = f->raw->f.to;

  if (to == NULL) {
    return true;
  }
  if (name_index(f->t->origin, f->d->s.norigins, to) < 0) {
    return no_such(f->rd, place_in(f->item, "to"), "origin", to,
                   "a name of network.origins", f->t->origin, f->d->s.norigins);
  }
  return strcmp(to, f->raw->origin) != 0 ||
         place_fail(f->rd->why, place_in(f->item, "to"),
                    "'%.60s' redirects to itself; expected another origin", to);
}

static bool at_origin(faulting *f, place at) {
  if (!leads_on(f)) {
    return false;
  }
  return name_index(f->t->origin, f->d->s.norigins, f->raw->origin) >= 0
             ? fault_add(f, f->raw->origin)
             : no_such(f->rd, at, "origin", f->raw->origin,
                       "a name of network.origins", f->t->origin,
                       f->d->s.norigins);
}

static bool at_node(faulting *f, place at) {
  return name_index(f->t->node, f->d->s.nnodes, f->raw->node) >= 0
             ? fault_add(f, f->raw->node)
             : no_such(f->rd, at, "node", f->raw->node,
                       "a name of network.nodes", f->t->node, f->d->s.nnodes);
}

/* A change is of a content that its origin has. */
static bool content_find(const faulting *f, const scn_content **out) {
  const scenario *s = &f->d->s;
  place at = place_in(f->item, "content");

  for (size_t i = 0; i < s->ncontents; i++) {
    if (strcmp(s->contents[i].name, f->raw->f.content) == 0) {
      *out = &s->contents[i];
      return f->raw->origin == NULL ||
             name_index((*out)->origins, (*out)->norigins, f->raw->origin) >=
                 0 ||
             place_fail(f->rd->why, place_in(f->item, "origin"),
                        "origin '%.60s' does not hold '%.60s'; expected one "
                        "of its origins",
                        f->raw->origin, (*out)->name);
    }
  }
  return no_such(f->rd, at, "content", f->raw->f.content, "a file of content",
                 f->t->content, f->d->ncontents);
}

static bool fault_targets(faulting *f, const fault_form *form, unsigned which) {
  const scn_content *c = NULL;
  place at =
      which < NTARGETS ? place_in(f->item, target_keys[which]) : f->item->at;

  if (which < NTARGETS) {
    bool (*const by_target[])(faulting *, place) = {at_origin, at_site,
                                                    at_device, at_node};
    return by_target[which](f, at) &&
           (form->kind != SCN_FAULT_CHANGE || content_find(f, &c));
  }
  if (!content_find(f, &c)) {
    return false;
  }
  for (size_t i = 0; i < c->norigins; i++) {
    if (!fault_add(f, c->origins[i])) {
      return false;
    }
  }
  return true;
}

bool resolve_faults(reader *rd, draft *d, const scn_names *t) {
  faulting f = {.rd = rd, .d = d, .t = t};

  for (size_t i = 0; i < d->nfaults; i++) {
    raw_fault *raw = &d->faults[i];
    const fault_form *form = &fault_forms[raw->what];
    unsigned which = NTARGETS;
    f.raw = raw;
    f.item = item_of(rd, "faults", i);
    raw->f.what = form->kind;
    raw->f.conduct = form->conduct;
    raw->f.down_Bps = raw->down;
    raw->f.up_Bps = raw->up;
    if (tree_find(f.item, "for") == NULL) {
      raw->f.duration = XL_NEVER;
    }
    if (raw->f.at >= d->s.duration) {
      return place_fail(rd->why, place_in(f.item, "at"),
                        "a fault after the end; expected a time before "
                        "'duration'");
    }
    if (!keys_fit(&f, form) || !target_find(&f, form, &which) ||
        !fault_targets(&f, form, which)) {
      return false;
    }
  }
  return true;
}

void fault_forms_print(FILE *to, bool markdown) {
  char list[64];

  for (size_t i = 0; i < NFORMS; i++) {
    const fault_form *form = &fault_forms[i];
    target_words(form->targets, list, sizeof list);
    fprintf(to, markdown ? "| `%s` | %s%s | %s |\n" : "  %-10s %s%s: %s\n",
            form->what, list, form->every_origin ? " or none" : "", form->help);
  }
}
