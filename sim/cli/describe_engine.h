/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_DESCRIBE_ENGINE_H
#define CLI_DESCRIBE_ENGINE_H

#include <stdbool.h>

/* Prints the states of a job, what changes them and why, and the rules with
   their status. */
void describe_engine(bool json);

#endif
