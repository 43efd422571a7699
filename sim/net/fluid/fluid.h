/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The built-in network: max-min fair flows (solver.h) on the topology's tree.
   docs/fluid.md has the model and its formulas. */
#ifndef NET_FLUID_FLUID_H
#define NET_FLUID_FLUID_H

#include "net/net.h"

const net_ops *fluid_entry(void);

#endif
