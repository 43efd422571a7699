/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks for what, when; who holds what. */
#include <stdlib.h>

#include "scene.h"

static void test_release(void) {
  scene x;
  scene_init(&x);
  fleet *f = scene_fleet(&x, 1);
  double sum = 0;
  uint32_t late = 0;

  for (uint32_t i = 0; i < f->ntasks; i++) {
    const fleet_task *t = &f->tasks[i];
    CHECK_EQ(t->release, t->job == 0 ? 0 : XL_HOUR(3));
    CU_ASSERT(t->arrival >= t->release);
    CU_ASSERT(t->arrival < t->release + XL_HOUR(2));
    CHECK_EQ(t->content, XL_NONE);
    sum += (double)(t->arrival - t->release);
    late += t->arrival - t->release > XL_MIN(90);
  }
  CHECK_NEAR(sum / f->ntasks, (double)XL_HOUR(1), 0.1);
  CHECK_NEAR(late, f->ntasks / 4.0, 0.25);
  fleet_free(f);
}

static void test_sorted(void) {
  scene x;
  scene_init(&x);
  x.jobs[2] = x.jobs[3];
  x.s.njobs = 3;
  x.jobs[0].arrival = CONSTANT(0);
  fleet *f = scene_fleet(&x, 1);

  for (uint32_t i = 1; i < f->ntasks; i++) {
    const fleet_task *a = &f->tasks[i - 1], *b = &f->tasks[i];
    CU_ASSERT(a->arrival < b->arrival ||
              (a->arrival == b->arrival &&
               (a->device < b->device ||
                (a->device == b->device && a->job < b->job))));
  }
  fleet_free(f);
}

static void test_partition(void) {
  scene x;
  scene_init(&x);
  x.at_campus[0].count = 5000;
  fleet *f = scene_fleet(&x, 9);
  unsigned char *rings = calloc(f->ndevices, 1);
  uint32_t first = 0;

  for (uint32_t i = 0; i < f->ntasks; i++) {
    rings[f->tasks[i].device]++;
    first += f->tasks[i].job == 0;
  }
  for (uint32_t i = 0; i < f->ndevices; i++) {
    CU_ASSERT(rings[i] == 1);
  }
  CHECK_NEAR(first, 0.1 * f->ndevices, 0.15);
  free(rings);
  fleet_free(f);
}

static uint32_t count_job(const fleet *f, uint32_t job) {
  uint32_t n = 0;

  for (uint32_t i = 0; i < f->ntasks; i++) {
    n += f->tasks[i].job == job;
  }
  return n;
}

static void test_rest_of_other(void) {
  static uint32_t other[] = {1};
  scene x;
  scene_init(&x);
  x.jobs[1].contents = other;
  fleet *f = scene_fleet(&x, 9);

  CHECK_EQ(count_job(f, 1), f->ndevices);
  fleet_free(f);
}

static void test_select(void) {
  scene x;
  scene_init(&x);
  x.jobs[0].select = SCN_CLASS;
  x.jobs[0].select_name = "laptop";
  x.jobs[1].select = SCN_SITE;
  x.jobs[1].select_name = "branch";
  x.jobs[2].select = SCN_SITE;
  x.jobs[2].select_name = "branch[3]";
  x.s.njobs = 3;
  fleet *f = scene_fleet(&x, 9);

  CHECK_EQ(count_job(f, 0), 6 * 4 + 100);
  CHECK_EQ(count_job(f, 1), 6 * 7);
  CHECK_EQ(count_job(f, 2), 7);
  for (uint32_t i = 0; i < f->ntasks; i++) {
    if (f->tasks[i].job == 2) {
      CHECK_EQ(f->devices[f->tasks[i].device].site, 3);
    }
  }
  fleet_free(f);
}

static void test_end(void) {
  scene x;
  scene_init(&x);
  x.s.duration = XL_HOUR(1);
  x.jobs[0].share = 1;
  fleet *f = scene_fleet(&x, 9);

  CHECK_NEAR(f->ntasks, f->ndevices / 2.0, 0.2);
  CHECK_EQ(count_job(f, 1), 0);
  CU_ASSERT(f->tasks[f->ntasks - 1].arrival < XL_HOUR(1));
  fleet_free(f);
}

/* Counts and gaps of a Poisson stream: mean and variance of the number in a
   window are equal, and gaps are exponential. */
static void test_poisson(void) {
  enum { WINDOWS = 400 };
  scene x;
  scene_init(&x);
  x.at_campus[0].count = 8000;
  x.jobs[0].select = SCN_ALL;
  x.jobs[0].arrival = DIST(DIST_POISSON, 0.1, 0);
  x.s.njobs = 1;
  fleet *f = scene_fleet(&x, 9);
  double in[WINDOWS] = {0}, mean = 0, var = 0;
  uint32_t forward = 0;

  CHECK_NEAR((double)f->tasks[f->ntasks - 1].arrival * 1e-9, 80920, 0.03);
  for (uint32_t i = 0; i < f->ntasks; i++) {
    int64_t w = f->tasks[i].arrival / XL_SEC(200);
    in[w < WINDOWS ? w : WINDOWS - 1]++;
    forward += i > 0 && f->tasks[i].device > f->tasks[i - 1].device;
  }
  for (int i = 0; i < WINDOWS - 1; i++) {
    mean += in[i] / (WINDOWS - 1);
  }
  for (int i = 0; i < WINDOWS - 1; i++) {
    var += (in[i] - mean) * (in[i] - mean) / (WINDOWS - 2);
  }
  CHECK_NEAR(mean, 20, 0.03);
  CHECK_NEAR(var, 20, 0.25);
  CHECK_NEAR(forward, f->ntasks / 2.0, 0.05); /* no order of device numbers */
  fleet_free(f);
}

static void test_catalogue(void) {
  scene x;
  scene_init(&x);
  x.jobs[0] = x.jobs[3];
  x.s.njobs = 1;
  x.s.duration = XL_DAY(100);
  fleet *f = scene_fleet(&x, 9);
  unsigned char *seen = calloc((size_t)f->ndevices * SCENE_FILES, 1);
  double delay = 0;

  CHECK_EQ(f->ntasks, 4 * f->ndevices);
  for (uint32_t i = 0; i < f->ntasks; i++) {
    const fleet_task *t = &f->tasks[i];
    uint32_t file = t->content - 2;
    CU_ASSERT_FATAL(file < SCENE_FILES);
    CHECK_EQ(t->release, file % 2 != 0 ? XL_DAY(1) : 0);
    CU_ASSERT(t->arrival >= t->release);
    CU_ASSERT(!seen[t->device * SCENE_FILES + file]++);
    delay += (double)(t->arrival - t->release) / f->ntasks;
  }
  CHECK_NEAR(delay, (double)XL_HOUR(15), 0.1);
  free(seen);
  fleet_free(f);
}

/* Every file asked for once each, whatever its weight. */
static void test_catalogue_all(void) {
  scene x;
  scene_init(&x);
  x.jobs[0] = x.jobs[3];
  x.jobs[0].requests = CONSTANT(1000);
  x.s.njobs = 1;
  x.s.duration = XL_DAY(1000);
  fleet *f = scene_fleet(&x, 9);
  uint32_t asked[SCENE_FILES] = {0};

  for (uint32_t i = 0; i < f->ntasks; i++) {
    asked[f->tasks[i].content - 2]++;
  }
  for (int i = 0; i < SCENE_FILES; i++) {
    CHECK_EQ(asked[i], f->ndevices);
  }
  fleet_free(f);
}

/* References 3.3: share of the 100 most popular of 10,000. */
static void test_zipf(void) {
  static const struct {
    double alpha, share;
  } row[] = {{.6, .14197}, {.8, .30005}, {1.0, .52999}, {1.2, .75077}};
  enum { FILES = 10000, DEVICES = 40000 };
  scn_content *contents = calloc(FILES, sizeof *contents);

  for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
    scene x;
    double sum = 0, top = 0;
    uint32_t asked = 0;
    scene_init(&x);
    for (int i = 0; i < FILES; i++) {
      double w = fmath_pow(i + 1, -row[k].alpha);
      contents[i] = (scn_content){.name = "file", .popularity = w};
      sum += w;
      top += i < 100 ? w : 0;
    }
    CHECK_NEAR(top / sum, row[k].share, 2e-5);
    x.s.contents = contents;
    x.s.ncontents = FILES;
    x.catalogues[0].first = 0;
    x.catalogues[0].files = FILES;
    x.jobs[0] = x.jobs[3];
    x.jobs[0].requests = CONSTANT(1);
    x.jobs[0].arrival = CONSTANT(0);
    x.s.njobs = 1;
    x.s.churn = false;
    x.at_campus[0].count = DEVICES;
    fleet *f = scene_fleet(&x, k);
    for (uint32_t i = 0; i < f->ntasks; i++) {
      asked += f->tasks[i].content < 100;
    }
    CHECK_NEAR((double)asked / f->ntasks, row[k].share, 0.03);
    fleet_free(f);
  }
  free(contents);
}

static void test_holds(void) {
  scene x;
  scene_init(&x);
  x.at_campus[0].count = 5000;
  x.contents[1].held_by = 1;
  fleet *f = scene_fleet(&x, 9);
  uint32_t update = 0, other = 0;

  for (uint32_t i = 0; i < f->nholds; i++) {
    const fleet_hold *h = &f->holds[i];
    CU_ASSERT(i == 0 || h[-1].device < h->device ||
              (h[-1].device == h->device && h[-1].content < h->content));
    update += h->content == 0;
    other += h->content == 1;
  }
  CHECK_EQ(other, f->ndevices);
  CHECK_NEAR(update, 0.3 * f->ndevices, 0.06);
  fleet_free(f);
}

static void check_refused(const scene *x, const char *text) {
  fail why = {0};

  CU_ASSERT(fleet_new(&x->s, 1, &why) == NULL);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT(strstr(why.text, text) != NULL);
}

static void test_refused(void) {
  scene x;

  scene_init(&x);
  x.jobs[0].select = SCN_CLASS;
  x.jobs[0].select_name = "tablet";
  check_refused(&x, "job ring0: no class of devices is named \"tablet\"");
  scene_init(&x);
  x.jobs[0].select = SCN_SITE;
  x.jobs[0].select_name = "brunch";
  check_refused(&x, "job ring0: no origin, node or site is named \"brunch\"; "
                    "did you mean \"branch\"?");
  x.jobs[0].select_name = "cdn-a";
  check_refused(&x, "is not a site");
}

TEST_SUITE("fleet tasks",
           {"a task arrives after its release, as drawn", test_release},
           {"tasks are sorted by arrival, device and job", test_sorted},
           {"a share and the rest are a partition", test_partition},
           {"the rest counts jobs of the same content only",
            test_rest_of_other},
           {"jobs select by class and by site", test_select},
           {"tasks after the end are left out", test_end},
           {"a Poisson job is a Poisson stream", test_poisson},
           {"a catalogue's files come once, after release", test_catalogue},
           {"more requests than files ask for every file", test_catalogue_all},
           {"Zipf requests have the published top shares", test_zipf},
           {"the share of holders is as asked", test_holds},
           {"what names no class or site is refused", test_refused})
