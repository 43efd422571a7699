/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds what at the start, who asks for what, and when.
 *
 * Every draw is keyed by the device and the name of the job or content. The
 * one draw that cannot belong to a device alone is a Poisson stream: the job's
 * requests, in the order of one keyed number each, come after one another at
 * exponential gaps, each request bringing its own gap. A request more or less
 * moves those behind it by exactly its own gap and changes no other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_build.h"

/* ---- content held at the start --------------------------------------------
 */

bool build_holds(build *b) {
  const scenario *s = b->scn;
  fleet *f = b->f;
  uint32_t cap = 0;

  for (uint32_t d = 0; d < f->ndevices; d++) {
    for (uint32_t c = 0; c < s->ncontents; c++) {
      const scn_content *content = &s->contents[c];
      if (content->held_by <= 0 ||
          build_unit(f->devices[d].key, "held", content->name) >=
              content->held_by) {
        continue;
      }
      fleet_hold *grown =
          build_grow(b, f->holds, &cap, f->nholds, sizeof *f->holds);
      if (grown == NULL) {
        return false;
      }
      f->holds = grown;
      f->holds[f->nholds++] = (fleet_hold){d, c};
    }
  }
  return true;
}

/* ---- tasks, with what they are sorted by ----------------------------------
 */

typedef struct item {
  fleet_task task;
  uint32_t n;     /* number of the request on its device */
  double order;   /* place in a Poisson stream */
  double arrival; /* ns after the release; the gap in a Poisson stream */
} item;

typedef struct items {
  item *item;
  uint32_t n, cap;
} items;

static int compare_u32(uint32_t a, uint32_t b) {
  return (a > b) - (a < b);
}

static int by_place(const void *pa, const void *pb) {
  const item *a = pa, *b = pb;

  if (a->order < b->order || a->order > b->order) {
    return a->order < b->order ? -1 : 1;
  }
  return a->task.device != b->task.device
             ? compare_u32(a->task.device, b->task.device)
             : compare_u32(a->n, b->n);
}

static int by_arrival(const void *pa, const void *pb) {
  const item *a = pa, *b = pb;

  if (a->task.arrival != b->task.arrival) {
    return a->task.arrival < b->task.arrival ? -1 : 1;
  }
  if (a->task.device != b->task.device) {
    return compare_u32(a->task.device, b->task.device);
  }
  return a->task.job != b->task.job ? compare_u32(a->task.job, b->task.job)
                                    : compare_u32(a->n, b->n);
}

static uint64_t request_key(uint64_t device, const scn_job *job, uint32_t n) {
  return rng_fold(rng_fold_text(rng_fold_text(device, "request"), job->name),
                  n);
}

static bool item_add(build *b, items *list, uint32_t device, uint32_t job,
                     uint32_t content, xl_time release, uint32_t n) {
  const scn_job *j = &b->scn->jobs[job];
  uint64_t key = request_key(b->f->devices[device].key, j, n);
  item *grown =
      build_grow(b, list->item, &list->cap, list->n, sizeof *list->item);

  if (grown == NULL) {
    return false;
  }
  list->item = grown;
  list->item[list->n++] =
      (item){.task = {.release = release,
                      .device = device,
                      .job = job,
                      .content = content},
             .n = n,
             .order = build_unit(key, "order", ""),
             .arrival = build_draw(key, "arrival", &j->arrival)};
  return true;
}

/* ---- which devices
 * ------------------------------------------------------------ */

static bool job_wants(const scenario *s, const scn_job *j, uint32_t content) {
  if (j->catalogue >= 0) {
    return s->contents[content].catalogue == j->catalogue;
  }
  for (size_t i = 0; i < j->ncontents; i++) {
    if (j->contents[i] == content) {
      return true;
    }
  }
  return false;
}

static bool jobs_meet(const scenario *s, const scn_job *a, const scn_job *b) {
  for (uint32_t c = 0; c < s->ncontents; c++) {
    if (job_wants(s, a, c) && job_wants(s, b, c)) {
      return true;
    }
  }
  return false;
}

/* The devices of each job: taken[job * ndevices + device]. */
typedef struct selection {
  bool *taken;
  target where; /* of the current job, SITE */
} selection;

static bool class_is_known(build *b, const scn_job *j) {
  const scenario *s = b->scn;

  for (size_t i = 0; i < s->nclasses; i++) {
    if (strcmp(s->classes[i].name, j->select_name) == 0) {
      return true;
    }
  }
  return fail_set(b->why, EXIT_USAGE,
                  "job %s: no class of devices is named \"%s\"", j->name,
                  j->select_name);
}

static bool is_selected(const build *b, const selection *sel, uint32_t job,
                        uint32_t device) {
  const scn_job *j = &b->scn->jobs[job];
  const fleet_device *d = &b->f->devices[device];

  switch (j->select) {
  case SCN_ALL:
    return true;
  case SCN_SHARE:
    return build_unit(d->key, "share", j->name) < j->share;
  case SCN_CLASS:
    return strcmp(b->scn->classes[d->cls].name, j->select_name) == 0;
  case SCN_SITE:
    return target_has(&sel->where, d);
  case SCN_REST:
    return true; /* but for those that earlier jobs have */
  }
  return false;
}

/* Takes away the devices of earlier jobs with some of the same content. */
static void leave_rest(const build *b, selection *sel, uint32_t job) {
  const scenario *s = b->scn;
  uint32_t n = b->f->ndevices;
  bool *taken = sel->taken + (size_t)job * n;

  for (uint32_t i = 0; i < job; i++) {
    if (!jobs_meet(s, &s->jobs[i], &s->jobs[job])) {
      continue;
    }
    for (uint32_t d = 0; d < n; d++) {
      taken[d] = taken[d] && !sel->taken[(size_t)i * n + d];
    }
  }
}

static bool select_devices(build *b, selection *sel, uint32_t job) {
  const scn_job *j = &b->scn->jobs[job];
  bool *taken = sel->taken + (size_t)job * b->f->ndevices;
  char who[160];

  snprintf(who, sizeof who, "job %s", j->name);
  if (j->select == SCN_CLASS && !class_is_known(b, j)) {
    return false;
  }
  if (j->select == SCN_SITE &&
      !build_target(b, who, j->select_name, &sel->where)) {
    return false;
  }
  if (j->select == SCN_SITE && sel->where.kind != TARGET_SITES &&
      sel->where.kind != TARGET_DEVICES) {
    return fail_set(b->why, EXIT_USAGE,
                    "%s: \"%s\" is not a site; expected a site or devices of "
                    "one",
                    who, j->select_name);
  }
  for (uint32_t d = 0; d < b->f->ndevices; d++) {
    taken[d] = is_selected(b, sel, job, d);
  }
  if (j->select == SCN_REST) {
    leave_rest(b, sel, job);
  }
  return true;
}

/* ---- what they ask for
 * --------------------------------------------------------- */

static xl_time later(xl_time a, xl_time b) {
  return a > b ? a : b;
}

static bool plain_add(build *b, items *list, uint32_t job, uint32_t device) {
  const scn_job *j = &b->scn->jobs[job];
  xl_time release = j->start;

  for (size_t i = 0; i < j->ncontents; i++) {
    release = later(release, b->scn->contents[j->contents[i]].released);
  }
  return item_add(b, list, device, job, XL_NONE, release, 0);
}

/* A catalogue's popularity, summed: sum[i] is the weight of its first i + 1. */
typedef struct shelf {
  const scn_catalogue *cat;
  double *sum;
  bool *chosen; /* by the device at hand */
} shelf;

static bool shelf_open(build *b, const scn_catalogue *cat, shelf *out) {
  double sum = 0;

  *out = (shelf){.cat = cat};
  out->sum = build_alloc(b, cat->files, sizeof *out->sum);
  out->chosen = build_alloc(b, cat->files, sizeof *out->chosen);
  if (out->sum == NULL || out->chosen == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < cat->files; i++) {
    sum += b->scn->contents[cat->first + i].popularity;
    out->sum[i] = sum;
  }
  return true;
}

static void shelf_close(shelf *s) {
  free(s->sum);
  free(s->chosen);
}

/* The first file whose summed weight exceeds |x|. */
static uint32_t shelf_at(const shelf *s, double x) {
  uint32_t begin = 0, end = s->cat->files - 1;

  while (begin < end) {
    uint32_t mid = begin + (end - begin) / 2;
    if (s->sum[mid] > x) {
      end = mid;
    } else {
      begin = mid + 1;
    }
  }
  return begin;
}

/* A file that was not chosen yet, by weight: drawing again until it is new is
   the same as drawing from the others. After many tries the draw goes over the
   others one by one. */
static uint32_t shelf_choose(const shelf *s, uint64_t key) {
  uint32_t files = s->cat->files, last = 0;
  rng r = rng_of(rng_fold_text(key, "content"));
  double left = 0, x;

  for (int tries = 0; tries < 32; tries++) {
    uint32_t i = shelf_at(s, rng_unit(&r) * s->sum[files - 1]);
    if (!s->chosen[i]) {
      return i;
    }
  }
  for (uint32_t i = 0; i < files; i++) {
    left += s->chosen[i] ? 0 : s->sum[i] - (i > 0 ? s->sum[i - 1] : 0);
  }
  x = rng_unit(&r) * left;
  for (uint32_t i = 0; i < files; i++) {
    if (!s->chosen[i]) {
      x -= s->sum[i] - (i > 0 ? s->sum[i - 1] : 0);
      last = i;
      if (x < 0) {
        break;
      }
    }
  }
  return last;
}

static bool requests_add(build *b, items *list, uint32_t job, uint32_t device,
                         const shelf *s) {
  const scn_job *j = &b->scn->jobs[job];
  uint64_t key = b->f->devices[device].key;
  rng r = rng_of(rng_fold_text(rng_fold_text(key, "requests"), j->name));
  double many = dist_draw(&j->requests, &r) + 0.5;
  uint32_t n =
      many >= s->cat->files ? s->cat->files : (uint32_t)(many > 0 ? many : 0);

  memset(s->chosen, 0, s->cat->files * sizeof *s->chosen);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t file = shelf_choose(s, request_key(key, j, i));
    uint32_t content = s->cat->first + file;
    s->chosen[file] = true;
    if (!item_add(b, list, device, job, content,
                  later(j->start, b->scn->contents[content].released), i)) {
      return false;
    }
  }
  return true;
}

/* Arrivals of the items from |begin| on, all of one job. */
static void arrive(const scn_job *j, items *list, uint32_t begin) {
  double sum = 0;

  if (j->arrival.kind == DIST_POISSON && list->n > begin) {
    qsort(list->item + begin, list->n - begin, sizeof *list->item, by_place);
    for (uint32_t i = begin; i < list->n; i++) {
      sum += list->item[i].arrival;
      list->item[i].arrival = sum;
    }
  }
  for (uint32_t i = begin; i < list->n; i++) {
    fleet_task *t = &list->item[i].task;
    t->arrival = xl_time_add(t->release, build_span(list->item[i].arrival));
  }
}

static bool job_add(build *b, items *list, const selection *sel, uint32_t job) {
  const scn_job *j = &b->scn->jobs[job];
  const bool *taken = sel->taken + (size_t)job * b->f->ndevices;
  uint32_t begin = list->n;
  shelf s = {0};
  bool good =
      j->catalogue < 0 || shelf_open(b, &b->scn->catalogues[j->catalogue], &s);

  for (uint32_t d = 0; good && d < b->f->ndevices; d++) {
    if (taken[d]) {
      good = j->catalogue < 0 ? plain_add(b, list, job, d)
                              : requests_add(b, list, job, d, &s);
    }
  }
  shelf_close(&s);
  if (good) {
    arrive(j, list, begin);
  }
  return good;
}

/* Sorted, without what would come after the end. */
static bool tasks_keep(build *b, items *list) {
  fleet *f = b->f;

  if (list->n > 0) {
    qsort(list->item, list->n, sizeof *list->item, by_arrival);
  }
  f->tasks = build_alloc(b, list->n, sizeof *f->tasks);
  if (f->tasks == NULL) {
    return false;
  }
  while (f->ntasks < list->n &&
         list->item[f->ntasks].task.arrival < b->scn->duration) {
    f->tasks[f->ntasks] = list->item[f->ntasks].task;
    f->ntasks++;
  }
  return true;
}

bool build_tasks(build *b) {
  const scenario *s = b->scn;
  items list = {0};
  selection sel = {
      .taken = build_alloc(b, s->njobs * b->f->ndevices, sizeof *sel.taken)};
  bool good = sel.taken != NULL;

  for (uint32_t j = 0; good && j < s->njobs; j++) {
    good = select_devices(b, &sel, j) && job_add(b, &list, &sel, j);
  }
  good = good && tasks_keep(b, &list);
  free(sel.taken);
  free(list.item);
  return good;
}
