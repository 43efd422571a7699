/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fleet says of itself in the tables of a trace before anything has
 * moved: names, capacities, arrivals, sizes. The world adds what happened;
 * `show` prints them as they are.
 */
#ifndef WORLD_LAYOUT_H
#define WORLD_LAYOUT_H

#include "fleet.h"
#include "record/schema.h"

void layout_site(const fleet *fl, uint32_t i, row_sites *row);
void layout_origin(const fleet *fl, uint32_t i, row_origins *row);
void layout_content(const fleet *fl, uint32_t i, row_contents *row);
void layout_device(const fleet *fl, uint32_t i, row_devices *row);
void layout_held(const fleet *fl, uint32_t i, row_held *row);
void layout_job(const fleet *fl, uint32_t task, row_jobs *row);
void layout_world(const fleet *fl, uint32_t i, row_world *row); /* i == 0 */

/* The |file|-th file of a task. */
void layout_file(const fleet *fl, uint32_t task, uint32_t file, row_files *row);

/* The |file|-th content of a task, and how many it has. */
uint32_t layout_content_of(const fleet *fl, uint32_t task, uint32_t file);
uint32_t layout_nfiles(const fleet *fl, uint32_t task);
/* The largest capacities of a node's link during the run. */
void layout_largest(const fleet *fl, net_node node, xl_rate *down, xl_rate *up);

#endif
