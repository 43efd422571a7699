/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that loses power keeps its disk: what its agent had saved after the
 * last thing that happened. The agent is freed, and loaded from the disk when
 * the device is back. Bytes that had arrived of a request under way were in
 * memory only: they are lost, and asked for again. Jobs that arrive meanwhile
 * are created when it is back.
 */
#include "world/state.h"

#include <stdlib.h>

#include <xl/save.h>

struct disk {
  uint32_t device;
  void *bytes;
  size_t len;
  task_state **tasks; /* of the agent's jobs, in order of creation */
  uint32_t *late;     /* tasks that arrived since */
  uint32_t nlate, late_cap;
};

static disk *disk_of(const world *w, uint32_t device) {
  uint32_t i = 0;

  while (i < w->ndisks && w->disks[i].device != device) {
    i++;
  }
  return i < w->ndisks ? &w->disks[i] : NULL;
}

static void disk_free(disk *d) {
  free(d->bytes);
  free(d->tasks);
  free(d->late);
}

/* Jobs that run are queued on the disk: the trace tells so. */
static void stop_jobs(world *w, xl_agent *a) {
  for (uint32_t i = 0; i < xl_agent_njobs(a); i++) {
    xl_job *j = xl_agent_job(a, i);
    xl_job_state was = xl_job_state_of(j);
    if (was == XL_JOB_CONNECTING || was == XL_JOB_TRANSFERRING) {
      const xl_event ev = {.at = world_now(w),
                           .kind = XL_EVENT_JOB_STATE,
                           .agent = a,
                           .job = j,
                           .a = was,
                           .b = XL_JOB_QUEUED};
      tally_event(w, &ev);
    }
  }
}

void crash_down(world *w, uint32_t device) {
  xl_agent *a = w->devices[device].agent;
  uint32_t n = xl_agent_njobs(a);

  w->disks =
      world_grow(w->disks, &w->disks_cap, w->ndisks + 1, sizeof *w->disks);
  disk *d = &w->disks[w->ndisks++];
  *d = (disk){.device = device, .tasks = world_alloc(n, sizeof *d->tasks)};
  xl_agent_save(a, NULL, 0, &d->len, world_now(w));
  d->bytes = world_alloc(d->len, 1);
  xl_agent_save(a, d->bytes, d->len, &d->len, world_now(w));
  stop_jobs(w, a);
  for (uint32_t i = 0; i < n; i++) {
    d->tasks[i] = xl_job_user(xl_agent_job(a, i));
  }
  xl_agent_del(a);
  w->devices[device].agent = NULL;
}

void crash_wait(world *w, uint32_t task) {
  disk *d = disk_of(w, w->fl->tasks[task].device);

  d->late = world_grow(d->late, &d->late_cap, d->nlate + 1, sizeof *d->late);
  d->late[d->nlate++] = task;
}

/* The agent as it is on the disk; it does nothing yet. */
static bool load(world *w, disk *d) {
  xl_agent_cfg cfg = jobs_agent(w, d->device);
  device_state *st = &w->devices[d->device];
  xl_save_fault fault;

  xl_err err = xl_agent_load(&st->agent, w->eng, &cfg, d->bytes, d->len, &fault,
                             world_now(w));
  if (err != XL_OK) {
    w->failed = w->torn = true;
    return fail_set(w->why, EXIT_RUN_FAILED,
                    "device %u does not start again: %s (%s, byte %zu)",
                    d->device, xl_err_text(err),
                    fault.part == NULL ? "-" : fault.part, fault.at);
  }
  for (uint32_t i = 0; i < xl_agent_njobs(st->agent); i++) {
    d->tasks[i]->job = xl_agent_job(st->agent, i);
    xl_job_set_user(d->tasks[i]->job, d->tasks[i]);
  }
  return true;
}

static void jobs_late(world *w, const disk *d, bool resume) {
  for (uint32_t i = 0; i < d->nlate && !w->torn; i++) {
    w->torn = !jobs_create(w, d->late[i], resume);
  }
}

void crash_up(world *w, uint32_t device) {
  disk *at = disk_of(w, device), d = *at;

  *at = w->disks[--w->ndisks];
  discovery_forget(w, device); /* a client that starts registers anew */
  if (load(w, &d) && throttle_set(w, device)) {
    xl_agent_start(world_agent(w, device), world_now(w));
    jobs_late(w, &d, true);
  }
  disk_free(&d);
}

bool crash_end(world *w) {
  for (uint32_t i = 0; i < w->ndisks && !w->torn; i++) {
    if (load(w, &w->disks[i])) {
      jobs_late(w, &w->disks[i], false);
    }
  }
  return !w->torn;
}

void crash_free(world *w) {
  for (uint32_t i = 0; i < w->ndisks; i++) {
    disk_free(&w->disks[i]);
  }
  free(w->disks);
}
