/* SPDX-License-Identifier: MIT */
/*
 * The engine's side of policy.h: the view and the functions a policy may call,
 * and each slot called with its default.
 */
#ifndef ENGINE_HOST_H
#define ENGINE_HOST_H

#include <xl/agent.h>

struct xl_view {
  xl_agent *agent;
  xl_file *file; /* NULL: none */
  void *state;   /* of the file */
  xl_file_view shown;
  bool fresh; /* |shown| is filled in */
};

void xli_policy_begin(xl_file *f);
bool xli_policy_find(xl_file *f, xl_find *out, xl_time *again);
bool xli_policy_pick(xl_file *f, xl_pick *out, xl_time *again);
/* |out| comes filled with the default. */
void xli_policy_failed(xl_file *f, const xl_failure *why, xl_remedy *out);
void xli_policy_serve(xl_agent *a, const xl_ask *ask, xl_answer *out);
/* |f| NULL: a copy of |size| bytes that was held before. */
void xli_policy_keep(xl_agent *a, xl_file *f, xl_bytes size,
                     uint32_t piece_bytes, xl_keep *out);

#endif
