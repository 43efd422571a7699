/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes during the run: devices that come and go, and faults.
 *
 * Churn alternates spans online and offline, each from its own stream of the
 * device, so that the n-th span online stays the same whatever the others are.
 * A device begins online with the long-run probability E(on)/(E(on) + E(off));
 * its first span is a fresh draw of the whole span, which stands for the rest
 * of one that began before the run.
 *
 * Faults may overlap. For each link, and for each origin's service and status,
 * the state at a moment is that of the fault in force: a dead link before any
 * other, then the one that began last; the scenario's own values when there is
 * none. A device that is offline when it would crash does not; one that has
 * crashed comes back when the crash is over, if its churn has it online then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_build.h"

/* ---- the list
 * ----------------------------------------------------------------- */

typedef struct entry {
  fleet_change change;
  uint32_t n; /* place in the order of causes */
} entry;

typedef struct list {
  entry *entry;
  uint32_t n, cap;
} list;

static bool list_add(build *b, list *l, fleet_change c) {
  entry *grown;

  if (c.at >= b->scn->duration) {
    return true;
  }
  grown = build_grow(b, l->entry, &l->cap, l->n, sizeof *l->entry);
  if (grown == NULL) {
    return false;
  }
  l->entry = grown;
  l->entry[l->n] = (entry){c, l->n};
  l->n++;
  return true;
}

static int by_time(const void *pa, const void *pb) {
  const entry *a = pa, *b = pb;

  if (a->change.at != b->change.at) {
    return a->change.at < b->change.at ? -1 : 1;
  }
  return (a->n > b->n) - (a->n < b->n);
}

/* ---- faults, as spells over one thing
 * ------------------------------------------ */

typedef enum spell_subject {
  ON_LINK,
  ON_SERVICE,
  ON_STATUS,
  ON_CONDUCT, /* one subject each: ON_CONDUCT + scn_conduct */
  ON_DEVICE = ON_CONDUCT + SCN_NCONDUCTS
} spell_subject;

typedef struct spell {
  spell_subject subject;
  uint32_t index; /* LINK: net node; SERVICE, STATUS, CONDUCT: origin; DEVICE */
  xl_time begin, end;
  uint32_t fault; /* number in the scenario */
  uint32_t status; /* of CONDUCT: as in fleet_change.value */
  xl_rate up_Bps, down_Bps;
  double share;
} spell;

typedef struct spells {
  spell *item;
  uint32_t n, cap;
} spells;

static int by_subject(const void *pa, const void *pb) {
  const spell *a = pa, *b = pb;

  if (a->subject != b->subject) {
    return a->subject < b->subject ? -1 : 1;
  }
  if (a->index != b->index) {
    return a->index < b->index ? -1 : 1;
  }
  if (a->begin != b->begin) {
    return a->begin < b->begin ? -1 : 1;
  }
  return (a->fault > b->fault) - (a->fault < b->fault);
}

static bool spell_add(build *b, spells *all, spell_subject subject,
                      uint32_t index, uint32_t fault) {
  const scn_fault *f = &b->scn->faults[fault];
  bool dead = f->what == SCN_FAULT_WAN_DOWN;
  spell *grown = build_grow(b, all->item, &all->cap, all->n, sizeof *all->item);

  if (grown == NULL) {
    return false;
  }
  all->item = grown;
  all->item[all->n++] = (spell){.subject = subject,
                                .index = index,
                                .begin = f->at,
                                .end = xl_time_add(f->at, f->duration),
                                .fault = fault,
                                .status = f->status,
                                .share = f->share,
                                .up_Bps = dead ? 0 : f->up_Bps,
                                .down_Bps = dead ? 0 : f->down_Bps};
  return true;
}

/* The link of each site, device, origin or node that |t| stands for. */
static bool links_add(build *b, spells *all, uint32_t fault, const target *t) {
  const fleet *f = b->f;
  bool good = true;

  if (t->kind == TARGET_DEVICES) {
    for (uint32_t d = 0; good && d < f->ndevices; d++) {
      good = !target_has(t, &f->devices[d]) ||
             spell_add(b, all, ON_LINK, f->devices[d].node, fault);
    }
    return good;
  }
  for (uint32_t i = t->begin; good && i < t->end; i++) {
    net_node node = t->kind == TARGET_SITES    ? f->sites[i].node
                    : t->kind == TARGET_ORIGIN ? f->origins[i].node
                                               : i;
    good = spell_add(b, all, ON_LINK, node, fault);
  }
  return good;
}

static bool crashes_add(build *b, spells *all, uint32_t fault,
                        const target *t) {
  bool good = true;

  for (uint32_t d = 0; good && d < b->f->ndevices; d++) {
    good = !target_has(t, &b->f->devices[d]) ||
           spell_add(b, all, ON_DEVICE, d, fault);
  }
  return good;
}

/* New time stamps, at one origin or at every origin of the content. */
static bool contents_change(build *b, list *l, uint32_t fault,
                            const target *t) {
  const scn_fault *f = &b->scn->faults[fault];
  uint32_t content = 0;
  bool good = true;

  while (content < b->scn->ncontents &&
         (f->content == NULL ||
          strcmp(b->scn->contents[content].name, f->content) != 0)) {
    content++;
  }
  if (content == b->scn->ncontents) {
    return fail_set(b->why, EXIT_USAGE, "fault %u: no content is named \"%s\"",
                    fault, f->content != NULL ? f->content : "");
  }
  for (uint32_t i = t->begin; good && i < t->end; i++) {
    good = list_add(
        b, l,
        (fleet_change){
            .at = f->at, .kind = CHANGE_CONTENT, .index = i, .value = content});
  }
  return good;
}

/* What a kind of fault may be aimed at. */
static const struct {
  const char *word, *expected;
  uint32_t kinds; /* 1 << target_kind */
} aims[] = {
    [SCN_FAULT_ORIGIN_DOWN] = {"origin down", "an origin", 1u << TARGET_ORIGIN},
    [SCN_FAULT_ORIGIN_ERROR] = {"origin error", "an origin",
                                1u << TARGET_ORIGIN},
    [SCN_FAULT_LINK] = {"link", "anything that has a link",
                        1u << TARGET_ORIGIN | 1u << TARGET_NODE |
                            1u << TARGET_SITES | 1u << TARGET_DEVICES},
    [SCN_FAULT_WAN_DOWN] = {"wan-down", "a site", 1u << TARGET_SITES},
    [SCN_FAULT_CRASH] = {"crash", "a site or devices of one",
                         1u << TARGET_SITES | 1u << TARGET_DEVICES},
    [SCN_FAULT_CHANGE] = {"change", "an origin", 1u << TARGET_ORIGIN},
    [SCN_FAULT_CONDUCT] = {"conduct", "an origin", 1u << TARGET_ORIGIN},
};

static bool fault_aim(build *b, uint32_t fault, target *t) {
  const scn_fault *f = &b->scn->faults[fault];
  char who[64];

  if (f->what == SCN_FAULT_CHANGE && f->target == NULL) {
    *t = (target){.kind = TARGET_ORIGIN, .end = b->f->norigins};
    return true;
  }
  snprintf(who, sizeof who, "fault %u (%s)", fault, aims[f->what].word);
  if (f->target == NULL) {
    return fail_set(b->why, EXIT_USAGE, "%s: expected %s, named nothing", who,
                    aims[f->what].expected);
  }
  if (!build_target(b, who, f->target, t)) {
    return false;
  }
  if ((aims[f->what].kinds & 1u << t->kind) == 0) {
    return fail_set(b->why, EXIT_USAGE, "%s: expected %s, not \"%s\"", who,
                    aims[f->what].expected, f->target);
  }
  return true;
}

/* Each kind of conduct comes and goes by itself. */
static bool conduct_add(build *b, spells *all, uint32_t origin,
                        uint32_t fault) {
  const scn_fault *f = &b->scn->faults[fault];
  uint32_t to = 0;

  while (f->to != NULL && strcmp(b->scn->origins[to].name, f->to) != 0) {
    if (++to == b->scn->norigins) {
      return fail_set(b->why, EXIT_USAGE, "fault %u: no origin is named \"%s\"",
                      fault, f->to);
    }
  }
  if (!spell_add(b, all, (spell_subject)((int)ON_CONDUCT + (int)f->conduct),
                 origin, fault)) {
    return false;
  }
  all->item[all->n - 1].status = 1 + (f->to != NULL ? to : 0);
  return true;
}

/* Sorts a fault into spells, or straight into the list. */
static bool fault_add(build *b, spells *all, list *l, uint32_t fault) {
  target t = {0};

  if (!fault_aim(b, fault, &t)) {
    return false;
  }
  switch (b->scn->faults[fault].what) {
  case SCN_FAULT_ORIGIN_DOWN:
    return spell_add(b, all, ON_SERVICE, t.begin, fault);
  case SCN_FAULT_ORIGIN_ERROR:
    return spell_add(b, all, ON_STATUS, t.begin, fault);
  case SCN_FAULT_LINK:
  case SCN_FAULT_WAN_DOWN:
    return links_add(b, all, fault, &t);
  case SCN_FAULT_CRASH:
    return crashes_add(b, all, fault, &t);
  case SCN_FAULT_CHANGE:
    return contents_change(b, l, fault, &t);
  case SCN_FAULT_CONDUCT:
    return conduct_add(b, all, t.begin, fault);
  }
  return false;
}

/* ---- spells into changes
 * ------------------------------------------------------- */

/* The spell in force at |now| among |n| sorted ones of one thing, or NULL. */
static const spell *in_force(const spell *s, uint32_t n, xl_time now) {
  const spell *best = NULL;

  for (uint32_t i = 0; i < n && s[i].begin <= now; i++) {
    bool dead = best != NULL && best->up_Bps == 0 && best->down_Bps == 0 &&
                s[i].subject == ON_LINK;
    if (now < s[i].end && !dead) {
      best = &s[i];
    }
  }
  return best;
}

static fleet_change state_at(const build *b, const spell *s, uint32_t n,
                             xl_time now) {
  const spell *force = in_force(s, n, now);
  const net_node_spec *node;
  fleet_change c = {.at = now, .index = s->index};

  if (s->subject >= ON_CONDUCT && s->subject < ON_DEVICE) {
    c.kind = CHANGE_CONDUCT;
    c.conduct = (scn_conduct)(s->subject - ON_CONDUCT);
    c.value = force != NULL ? force->status : 0;
    c.share = force != NULL ? force->share : 0;
    return c;
  }
  switch (s->subject) {
  case ON_SERVICE:
    c.kind = force != NULL ? CHANGE_ORIGIN_DOWN : CHANGE_ORIGIN_UP;
    return c;
  case ON_STATUS:
    c.kind = CHANGE_ORIGIN_STATUS;
    c.value = force != NULL ? force->status : 0;
    return c;
  case ON_LINK:
  case ON_CONDUCT:
  case ON_DEVICE:
    break;
  }
  node = &b->f->nodes[s->index];
  c.kind = CHANGE_LINK;
  c.up_Bps = force != NULL ? force->up_Bps : node->up_Bps;
  c.down_Bps = force != NULL ? force->down_Bps : node->down_Bps;
  return c;
}

static bool same_state(const fleet_change *a, const fleet_change *b) {
  return a->kind == b->kind && a->value == b->value && a->up_Bps == b->up_Bps &&
         a->down_Bps == b->down_Bps && a->conduct == b->conduct &&
         !(a->share < b->share || a->share > b->share);
}

static int compare_time(const void *pa, const void *pb) {
  const xl_time *a = pa, *b = pb;

  return (*a > *b) - (*a < *b);
}

/* The moments at which |n| spells begin and end, sorted; 2 n of them. */
static xl_time *edges_of(build *b, const spell *s, uint32_t n) {
  xl_time *t = build_alloc(b, (size_t)n * 2, sizeof *t);

  for (uint32_t i = 0; t != NULL && i < n; i++) {
    t[2 * i] = s[i].begin;
    t[2 * i + 1] = s[i].end;
  }
  if (t != NULL && n > 0) {
    qsort(t, (size_t)n * 2, sizeof *t, compare_time);
  }
  return t;
}

/* |n| spells of one thing. */
static bool thing_changes(build *b, list *l, const spell *s, uint32_t n) {
  xl_time *edge = edges_of(b, s, n);
  fleet_change last = state_at(b, s, n, -1);
  bool good = edge != NULL;

  for (uint32_t i = 0; good && i < 2 * n; i++) {
    fleet_change c = state_at(b, s, n, edge[i]);
    if (!same_state(&c, &last)) {
      good = list_add(b, l, c);
      last = c;
    }
  }
  free(edge);
  return good;
}

/* Where the spells of the thing that begins at |i| end. */
static uint32_t thing_end(const spells *all, uint32_t i) {
  uint32_t j = i + 1;

  while (j < all->n && all->item[j].subject == all->item[i].subject &&
         all->item[j].index == all->item[i].index) {
    j++;
  }
  return j;
}

/* Everything but crashes; |*crashes| is where those begin. */
static bool spells_change(build *b, list *l, const spells *all,
                          uint32_t *crashes) {
  uint32_t i = 0;

  while (i < all->n && all->item[i].subject != ON_DEVICE) {
    uint32_t end = thing_end(all, i);
    if (!thing_changes(b, l, &all->item[i], end - i)) {
      return false;
    }
    i = end;
  }
  *crashes = i;
  return true;
}

/* ---- devices
 * ---------------------------------------------------------------------- */

/* The alternating spans of one device. */
typedef struct presence {
  const scenario *scn;
  rng online, offline;
  bool is_online;
  xl_time until;
} presence;

static void presence_next(presence *p) {
  const scenario *s = p->scn;
  xl_span span = p->is_online
                     ? build_span(dist_draw(&s->churn_online, &p->online))
                     : build_span(dist_draw(&s->churn_offline, &p->offline));

  p->until = xl_time_add(p->until, span > 0 ? span : 1);
}

static presence presence_begin(const build *b, const fleet_device *d,
                               double share_online) {
  presence p = {.scn = b->scn, .is_online = true, .until = XL_NEVER};

  if (!b->scn->churn || d->always_online) {
    return p;
  }
  p.online = rng_of(rng_fold_text(d->key, "churn online"));
  p.offline = rng_of(rng_fold_text(d->key, "churn offline"));
  p.is_online = build_unit(d->key, "churn start", "") < share_online;
  p.until = 0;
  presence_next(&p);
  return p;
}

/* One device through the run; |s|: its |n| crashes. */
static bool device_changes(build *b, list *l, uint32_t device,
                           double share_online, const spell *s, uint32_t n) {
  presence p = presence_begin(b, &b->f->devices[device], share_online);
  xl_time *edge = n > 0 ? edges_of(b, s, n) : NULL;
  uint32_t next = 0;
  bool up = p.is_online, good = n == 0 || edge != NULL;

  b->f->online[device] = up;
  while (good) {
    bool crash_edge = next < 2 * n && edge[next] <= p.until;
    xl_time now = crash_edge ? edge[next] : p.until;
    bool now_up, crashed;
    if (now >= b->scn->duration) {
      break;
    }
    if (crash_edge) {
      next++;
    } else {
      p.is_online = !p.is_online;
      presence_next(&p);
    }
    crashed = in_force(s, n, now) != NULL;
    now_up = p.is_online && !crashed;
    if (now_up != up) {
      good = list_add(b, l,
                      (fleet_change){.at = now,
                                     .index = device,
                                     .kind = now_up    ? CHANGE_DEVICE_ON
                                             : crashed ? CHANGE_DEVICE_CRASH
                                                       : CHANGE_DEVICE_OFF});
      up = now_up;
    }
  }
  free(edge);
  return good;
}

static bool devices_change(build *b, list *l, const spells *all,
                           uint32_t crash) {
  const scenario *s = b->scn;
  double on = s->churn ? dist_mean(&s->churn_online) : 0;
  double off = s->churn ? dist_mean(&s->churn_offline) : 0;

  if (s->churn && on + off < 1e9) {
    return fail_set(b->why, EXIT_USAGE,
                    "churn: a span online and one offline take %g s together; "
                    "expected at least 1 s",
                    (on + off) * 1e-9);
  }
  b->f->online = build_alloc(b, b->f->ndevices, sizeof *b->f->online);
  if (b->f->online == NULL) {
    return false;
  }
  for (uint32_t d = 0; d < b->f->ndevices; d++) {
    uint32_t end = crash;
    if (crash < all->n && all->item[crash].index == d) {
      end = thing_end(all, crash);
    }
    const spell *crashes = end > crash ? &all->item[crash] : NULL;
    if (!device_changes(b, l, d, on / (on + off), crashes, end - crash)) {
      return false;
    }
    crash = end;
  }
  return true;
}

/* ---- all of it
 * --------------------------------------------------------------------- */

static bool changes_keep(build *b, const list *l) {
  fleet *f = b->f;

  f->changes = build_alloc(b, l->n, sizeof *f->changes);
  if (f->changes == NULL) {
    return false;
  }
  if (l->n > 0) {
    qsort(l->entry, l->n, sizeof *l->entry, by_time);
  }
  for (uint32_t i = 0; i < l->n; i++) {
    f->changes[f->nchanges++] = l->entry[i].change;
  }
  return true;
}

bool build_changes(build *b) {
  spells all = {0};
  list l = {0};
  uint32_t crashes = 0;
  bool good = true;

  for (uint32_t i = 0; good && i < b->scn->nfaults; i++) {
    good = fault_add(b, &all, &l, i);
  }
  if (good && all.n > 0) {
    qsort(all.item, all.n, sizeof *all.item, by_subject);
  }
  good = good && spells_change(b, &l, &all, &crashes) &&
         devices_change(b, &l, &all, crashes) && changes_keep(b, &l);
  free(all.item);
  free(l.entry);
  return good;
}
