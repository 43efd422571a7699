/* SPDX-License-Identifier: MIT */
/* Local names (R105) and temporary ones (R301). */
#ifndef ENGINE_LOCAL_H
#define ENGINE_LOCAL_H

#include <xl/agent.h>

/* May a file of |j| have this local name? */
xl_err xli_local_check(const xl_job *j, const char *local);

#endif
