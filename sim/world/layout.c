/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world/layout.h"

#include <stdio.h>
#include <string.h>

static void name_copy(char *out, size_t len, const char *s) {
  size_t n = strlen(s);

  memcpy(out, s, n < len ? n : len);
}

void layout_largest(const fleet *fl, net_node node, xl_rate *down,
                    xl_rate *up) {
  *down = fl->nodes[node].down_Bps;
  *up = fl->nodes[node].up_Bps;
  for (uint32_t i = 0; i < fl->nchanges; i++) {
    const fleet_change *c = &fl->changes[i];
    if (c->kind == CHANGE_LINK && c->index == node) {
      *down = c->down_Bps > *down ? c->down_Bps : *down;
      *up = c->up_Bps > *up ? c->up_Bps : *up;
    }
  }
}

void layout_site(const fleet *fl, uint32_t i, row_sites *row) {
  const fleet_site *s = &fl->sites[i];
  char name[96];

  memset(row, 0, sizeof *row);
  snprintf(name, sizeof name, "%s[%u]", fl->scn->sites[s->cls].name, s->index);
  name_copy(row->name, sizeof row->name, name);
  row->devices = s->ndevices;
  layout_largest(fl, s->node, &row->wan_down_Bps, &row->wan_up_Bps);
  row->wan_latency_ns = fl->nodes[s->node].latency;
}

void layout_origin(const fleet *fl, uint32_t i, row_origins *row) {
  const scn_origin *o = &fl->scn->origins[fl->origins[i].origin];
  xl_rate down;

  memset(row, 0, sizeof *row);
  name_copy(row->name, sizeof row->name, o->name);
  layout_largest(fl, fl->origins[i].node, &down, &row->rate_Bps);
  row->connections = o->connections;
}

void layout_content(const fleet *fl, uint32_t i, row_contents *row) {
  const scn_content *c = &fl->scn->contents[i];

  memset(row, 0, sizeof *row);
  name_copy(row->name, sizeof row->name, c->name);
  row->size = c->size;
  row->piece_bytes = c->piece_bytes;
  row->released_ns = c->released;
}

void layout_device(const fleet *fl, uint32_t i, row_devices *row) {
  const fleet_device *d = &fl->devices[i];

  memset(row, 0, sizeof *row);
  row->site = d->site;
  name_copy(row->class_name, sizeof row->class_name,
            fl->scn->classes[d->cls].name);
  row->subnet = d->subnet;
  row->group = d->group;
  layout_largest(fl, d->node, &row->down_Bps, &row->up_Bps);
  row->cap_Bps = d->cap_Bps;
}

uint32_t layout_nfiles(const fleet *fl, uint32_t task) {
  const fleet_task *t = &fl->tasks[task];

  return t->content == XL_NONE ? (uint32_t)fl->scn->jobs[t->job].ncontents : 1;
}

uint32_t layout_content_of(const fleet *fl, uint32_t task, uint32_t file) {
  const fleet_task *t = &fl->tasks[task];

  return t->content == XL_NONE ? fl->scn->jobs[t->job].contents[file]
                               : t->content;
}

void layout_job(const fleet *fl, uint32_t task, row_jobs *row) {
  const fleet_task *t = &fl->tasks[task];

  memset(row, 0, sizeof *row);
  row->device = t->device;
  row->job = t->job;
  row->files = layout_nfiles(fl, task);
  row->release_ns = t->release;
  row->arrival_ns = t->arrival;
  row->start_ns = -1;
  row->end_ns = -1;
  row->state = XL_JOB_SUSPENDED;
  for (uint32_t k = 0; k < row->files; k++) {
    row->bytes += fl->scn->contents[layout_content_of(fl, task, k)].size;
  }
}

void layout_held(const fleet *fl, uint32_t i, row_held *row) {
  *row = (row_held){fl->holds[i].device, fl->holds[i].content};
}

void layout_world(const fleet *fl, uint32_t i, row_world *row) {
  assert(i == 0);
  memset(row, 0, sizeof *row);
  row->duration_ns = row->ended_ns = fl->scn->duration;
}

void layout_file(const fleet *fl, uint32_t task, uint32_t file,
                 row_files *row) {
  memset(row, 0, sizeof *row);
  row->device = fl->tasks[task].device;
  row->job = fl->tasks[task].job;
  row->content = layout_content_of(fl, task, file);
  row->size = fl->scn->contents[row->content].size;
  row->start_ns = -1;
  row->end_ns = -1;
}
