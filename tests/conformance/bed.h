/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One device, one origin, one job of one file, and short names for what tests
   of rules do with them. */
#ifndef TESTS_CONFORMANCE_BED_H
#define TESTS_CONFORMANCE_BED_H

#include <xl/delivery.h>
#include <xl/machine.h>

#include "unit/engine/fake.h"

#define URL "http://w/a"
#define URL2 "http://w2/a"

typedef struct bed {
  fake *w;
  xl_agent *dev;
  fake_origin *o;
  xl_job *j;
  xl_file *f;
} bed;

/* 1,000 bytes at 1,000 bytes/s, 100 at a time. */
static bed bed_new(const xl_policy *p) {
  bed b = {.w = fake_new()};

  b.dev = fake_add_agent(b.w, p, 0);
  b.o = fake_add_origin(b.w, URL, 1000, 7);
  b.j = fake_job(b.w, b.dev);
  b.f = fake_file_add(b.w, b.j, URL, NULL);
  b.w->chunk = 100;
  return b;
}

static xl_job *bed_job(bed *b, const char *url) {
  xl_job *j = fake_job(b->w, b->dev);

  fake_file_add(b->w, j, url, NULL);
  return j;
}

static xl_err bed_add(xl_job *j, const char *url, const char *local,
                      const xl_range_spec *r, uint32_t n, xl_file **f,
                      xl_time now) {
  const xl_file_info info = {.remote = url,
                             .local = local,
                             .piece_bytes = 100,
                             .ranges = r,
                             .nranges = n};

  return xl_job_add_file(j, &info, f, now);
}

/* Resumes and runs until TRANSFERRED. */
static void bed_fetch(bed *b) {
  CHECK_EQ(xl_job_resume(b->j, b->w->now), XL_OK);
  CU_ASSERT(fake_until(b->w, b->j, XL_JOB_TRANSFERRED, b->w->now + XL_HOUR(1)));
}

static bool runs(const xl_job *j) {
  return xl_job_state_of(j) == XL_JOB_TRANSFERRING ||
         xl_job_state_of(j) == XL_JOB_CONNECTING;
}

static const xl_user alice = {.sid = "S-1-5-21-1",
                              .kind = XL_ACCOUNT_USER,
                              .integrity = XL_INTEGRITY_MEDIUM};
static const xl_user bob = {.sid = "S-1-5-21-2",
                            .kind = XL_ACCOUNT_USER,
                            .integrity = XL_INTEGRITY_MEDIUM};
static const xl_user root = {.sid = "S-1-5-21-500",
                             .kind = XL_ACCOUNT_ADMIN,
                             .elevated = true,
                             .integrity = XL_INTEGRITY_HIGH};

static void act_as(bed *b, const xl_user *who) {
  CHECK_EQ(xl_agent_act_as(b->dev, who, b->w->now), XL_OK);
}

/* BITS 4, from the origin alone, and BITS 3 with peers are in fake.h; this is
   BITS 3 from the origin alone. */
static const xl_policy origin3_policy = {.size = sizeof(xl_policy),
                                         .version = XL_POLICY_ABI,
                                         .name = "test-origin3",
                                         .help = "origin only",
                                         .source = "test",
                                         .flavour = XL_FLAVOUR_BITS3,
                                         .pick = pick_origin};

#endif
