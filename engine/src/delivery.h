/* SPDX-License-Identifier: MIT */
/* The codes of Delivery Optimization (bits-semantics 0.3). */
#ifndef ENGINE_DELIVERY_H
#define ENGINE_DELIVERY_H

#include <xl/delivery.h>

/* |err| as the flavour of |j| names it. */
xl_err xli_delivery_err(const xl_job *j, xl_err err);

#endif
