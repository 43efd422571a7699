/* SPDX-License-Identifier: MIT */
/*
 * The table of built-in policies, and the check of a table that comes from
 * outside. Adding a policy: a file in engine/src/policy and a line in POLICIES.
 */
#include <xl/policy.h>

#include <string.h>

#define POLICIES(X)                                                            \
  X(xl_policy_origin_only)                                                     \
  X(xl_policy_bits_peer_cache)                                                 \
  X(xl_policy_delivery_optimization)

#define DECLARE(table) extern const xl_policy table;
POLICIES(DECLARE)
#undef DECLARE

const xl_policy *const xl_policies[] = {
#define ROW(table) &table,
    POLICIES(ROW)
#undef ROW
        NULL};

/* A policy keeps small state: bounds that catch a garbled table. */
#define STATE_MAX 65536u
#define PEER_STATE_MAX 16u
#define PARAMS_MAX 256u
#define NAME_MAX_LEN 63u

const xl_policy *xl_policy_find(const char *name) {
  for (const xl_policy *const *p = xl_policies; *p != NULL; p++) {
    if (strcmp((*p)->name, name) == 0) {
      return *p;
    }
  }
  return NULL;
}

/* Whether |s| is 1 .. NAME_MAX_LEN characters of |legal|. */
static bool spelled_with(const char *s, const char *legal) {
  size_t len = s == NULL ? 0 : strlen(s);

  return len > 0 && len <= NAME_MAX_LEN && strspn(s, legal) == len;
}

static bool empty(const char *s) {
  return s == NULL || *s == '\0';
}

static const char *check_param(const xl_policy *p, uint32_t i) {
  const xl_param *q = &p->params[i];

  if (!spelled_with(q->name, "abcdefghijklmnopqrstuvwxyz_")) {
    return "a parameter's name is not of a-z and '_'";
  }
  for (uint32_t j = 0; j < i; j++) {
    if (strcmp(p->params[j].name, q->name) == 0) {
      return "two parameters have the same name";
    }
  }
  if ((unsigned)q->type > XL_PARAM_TEXT) {
    return "a parameter has an unknown type";
  }
  if (q->def == NULL) {
    return "a parameter has no default";
  }
  if (q->type == XL_PARAM_ENUM && empty(q->choices)) {
    return "an enum parameter has no choices";
  }
  return empty(q->help) ? "a parameter has no help" : NULL;
}

static const char *check_text(const xl_policy *p) {
  if (!spelled_with(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
    return "its name is not of a-z, 0-9 and '-'";
  }
  if (empty(p->help)) {
    return "it has no help";
  }
  return empty(p->source) ? "it does not name its source" : NULL;
}

const char *xl_policy_check(const xl_policy *p) {
  const char *wrong;

  if (p == NULL) {
    return "there is no policy table";
  }
  /* Nothing behind these two is read before they are known to be ours. */
  if (p->version != XL_POLICY_ABI) {
    return "it was built for another version of the policy ABI";
  }
  if (p->size != sizeof *p) {
    return "its table has another size than this version's";
  }
  wrong = check_text(p);
  if (wrong != NULL) {
    return wrong;
  }
  if ((unsigned)p->flavour > XL_FLAVOUR_FREE) {
    return "its flavour is unknown";
  }
  if (p->agent_state_size > STATE_MAX || p->file_state_size > STATE_MAX) {
    return "its state is larger than 64 KiB";
  }
  if (p->peer_state_size > PEER_STATE_MAX) {
    return "its state of a peer is larger than 16 bytes";
  }
  if (p->rate_window < 0) {
    return "its rate window is negative";
  }
  if (p->pick == NULL) {
    return "it has no pick function";
  }
  if (p->nparams > PARAMS_MAX || (p->nparams > 0 && p->params == NULL)) {
    return "its table of parameters is missing or too long";
  }
  for (uint32_t i = 0; i < p->nparams && wrong == NULL; i++) {
    wrong = check_param(p, i);
  }
  return wrong;
}
