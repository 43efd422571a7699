/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The applications: they create the jobs of the scenario when these arrive on a
 * device, complete them when they are transferred, and leave failed ones.
 */
#include "world/state.h"

#include <stdio.h>
#include <string.h>

#include <xl/http.h>

#include "world/layout.h"

/* The remote names of a content: the preferred origin and its mirrors. */
static xl_file_info file_info(world *w, uint32_t content, char *local,
                              size_t len) {
  const scn_content *c = &w->scn->contents[content];
  xl_file_info info = {.local = local,
                       .content = c->name,
                       .piece_bytes = c->piece_bytes,
                       .mirrors = w->mirrors};
  uint32_t n = 0;

  for (size_t k = 0; k < c->norigins; k++) {
    for (size_t o = 0; o < w->scn->norigins; o++) {
      if (strcmp(w->scn->origins[o].name, c->origins[k]) == 0) {
        w->mirrors[n++] = w->url_text[o * w->scn->ncontents + content];
      }
    }
  }
  info.remote = w->mirrors[0];
  info.mirrors = w->mirrors + 1;
  info.nmirrors = n - 1;
  snprintf(local, len, "/data/%s", c->name);
  return info;
}

static bool failed(world *w, uint32_t device, const char *what, xl_err err) {
  return fail_set(w->why, EXIT_RUN_FAILED, "device %u: %s: %s (0x%08x)", device,
                  what, xl_err_text(err), XL_HRESULT(err));
}

xl_agent_cfg jobs_agent(const world *w, uint32_t device) {
  const fleet_device *d = &w->fl->devices[device];
  const scn_class *c = &w->scn->classes[d->cls];

  return (xl_agent_cfg){
      .id = device,
      .user = &w->devices[device],
      .policy = w->cfg->policy,
      .params = w->cfg->params,
      .peercaching = XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER,
      .device = {.ram_bytes = c->ram_bytes,
                 .disk_bytes = c->disk_bytes,
                 .on_battery = c->power == SCN_BATTERY,
                 .on_vpn = d->vpn,
                 .metered = d->metered},
  };
}

bool jobs_init(world *w) {
  const fleet *fl = w->fl;
  xl_err err;

  for (uint32_t i = 0; i < fl->ndevices; i++) {
    device_state *st = &w->devices[i];
    xl_agent_cfg cfg = jobs_agent(w, i);
    st->wires = st->chans = st->offers = st->uploads = XL_NONE;
    st->online = fl->online[i];
    st->draws = rng_fold_text(fl->devices[i].key, "policy");
    err = xl_agent_new(&st->agent, w->eng, &cfg, 0);
    if (err != XL_OK || !throttle_set(w, i)) {
      return failed(w, i, "creating the agent", err);
    }
    w->online += st->online ? 1 : 0;
  }
  for (uint32_t h = 0; h < fl->nholds; h++) {
    char local[512];
    uint32_t content = fl->holds[h].content;
    xl_file_info info = file_info(w, content, local, sizeof local);
    uint32_t o = w->urls[xl_engine_name(w->eng, info.remote)].origin;
    err = xl_agent_hold(w->devices[fl->holds[h].device].agent, &info,
                        w->versions[o * w->scn->ncontents + content], 0);
    if (err != XL_OK) {
      return failed(w, fl->holds[h].device, "holding a content", err);
    }
  }
  for (uint32_t i = 0; i < fl->ndevices; i++) {
    if (!w->devices[i].online) {
      w->ops->host_set(w->net, fl->devices[i].node, false);
      xl_agent_link(world_agent(w, i), false, 0);
    }
  }
  return true;
}

static xl_err create(world *w, const fleet_task *t, task_state *st,
                     bool resume) {
  static const uint32_t redirects[] = {[SCN_REPORT] = XL_HTTP_REDIRECT_REPORT,
                                       [SCN_DISALLOW] =
                                           XL_HTTP_REDIRECT_DISALLOW};
  const scn_job *j = &w->scn->jobs[t->job];
  xl_time now = world_now(w);
  xl_err err = xl_job_create(world_agent(w, t->device), j->name, &st->job, now);

  if (err != XL_OK) {
    return err;
  }
  xl_job_set_user(st->job, st);
  st->since = now;
  uint32_t n = layout_nfiles(w->fl, st->task);
  for (uint32_t k = 0; k < n && err == XL_OK; k++) {
    char local[512];
    uint32_t content = layout_content_of(w->fl, st->task, k);
    xl_file_info info = file_info(w, content, local, sizeof local);
    err = xl_job_add_file(st->job, &info, NULL, now);
  }
  if (err == XL_OK) {
    err = xl_job_set_priority(st->job, (xl_priority)j->priority, now);
  }
  if (err == XL_OK) {
    err = xl_job_set_peercaching(st->job, j->peercaching, now);
  }
  if (err == XL_OK && j->redirects != SCN_SILENT) {
    err = xl_job_set_security_flags(st->job, redirects[j->redirects], now);
  }
  if (err == XL_OK) {
    err = xl_job_set_min_retry_delay(st->job, j->min_retry_s, now);
  }
  if (err == XL_OK) {
    err = xl_job_set_no_progress_timeout(st->job, j->no_progress_s, now);
  }
  if (err == XL_OK) {
    err = xl_job_set_max_download_time(st->job, j->max_download_s, now);
  }
  return err == XL_OK && resume ? xl_job_resume(st->job, now) : err;
}

bool jobs_create(world *w, uint32_t task, bool resume) {
  const fleet_task *t = &w->fl->tasks[task];
  xl_err err = create(w, t, &w->tasks[task], resume);

  if (!xl_failed(err)) {
    return true;
  }
  w->failed = true;
  return failed(w, t->device, w->scn->jobs[t->job].name, err);
}

void jobs_arrive(world *w) {
  const fleet *fl = w->fl;

  while (w->next_task < fl->ntasks &&
         fl->tasks[w->next_task].arrival <= world_now(w)) {
    if (w->devices[fl->tasks[w->next_task].device].agent == NULL) {
      crash_wait(w, w->next_task);
    } else if (!jobs_create(w, w->next_task, true)) {
      return;
    }
    w->next_task++;
  }
}

void jobs_notify(world *w, const xl_action *a) {
  task_state *st = xl_job_user(a->job);

  if (xl_job_state_of(a->job) != XL_JOB_TRANSFERRED) {
    return;
  }
  st->end = world_now(w);
  w->ntasks_done++;
  xl_err err = xl_job_complete(a->job, world_now(w));
  if (xl_failed(err)) {
    w->failed = true;
    failed(w, xl_agent_id(a->agent), "completing a job", err);
  }
}
