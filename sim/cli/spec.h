/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAME:key=value,.. on the command line: a policy (built in, or a plug-in's
 * file) or a network, with all of its parameter values.
 */
#ifndef CLI_SPEC_H
#define CLI_SPEC_H

#include <xl/policy.h>

#include "net/net.h"
#include "scenario/scenario.h"

typedef struct policy_spec {
  char label[256]; /* as given */
  const xl_policy *policy;
  xl_value *values; /* policy->nparams; owned */
  char *text;       /* what text values point into; owned */
} policy_spec;

typedef struct net_spec {
  char label[256];
  const net_ops *ops;
  xl_value *values; /* owned */
  char *text;       /* owned */
} net_spec;

/* Both are freed also after a failure; zeroed ones are fine. |scn| (may be NULL): its settings for this policy come first. */
bool spec_policy(policy_spec *out, const char *text, const scenario *scn,
                 fail *why);
#define NET_DEFAULT "fluid"

/* |text| may be NULL: NET_DEFAULT. */
bool spec_net(net_spec *out, const char *text, fail *why);
void policy_spec_free(policy_spec *s);
void net_spec_free(net_spec *s);

/* JSON object {"name": "value as a user writes it", ..}; caller frees. */
char *spec_json(const xl_param *params, uint32_t n, const xl_value *values);

#endif
