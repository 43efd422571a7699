/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths into a scenario: keys joined by dots; items of a list by their name
 * ("jobs.ring0.start"; devices of a site by their class) or by number
 * ("jobs[0].start").
 */
#ifndef SCENARIO_PATH_H
#define SCENARIO_PATH_H

#include "scenario/tree.h"

/* Puts |value| at |path|, over what is there. Known keys that are absent are
   added, with the mappings on the way; what does not exist is an error at
   |at| with the nearest word. */
bool path_set(arena *a, node *root, const char *path, node *value, place at,
              fail *why);
/* The same for plain keys joined by dots, whatever their names; false when a
   mapping is wanted where there is none. */
bool path_put(arena *a, node *root, const char *path, node *value);

#endif
