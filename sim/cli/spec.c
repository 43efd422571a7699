/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/spec.h"

#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_MAX 64

static void *zeroed(size_t n, size_t size) {
  void *p = calloc(n > 0 ? n : 1, size);

  if (p == NULL) {
    fputs("xferlab: out of memory\n", stderr);
    exit(EXIT_RUN_FAILED);
  }
  return p;
}

/* Splits "NAME:k=v,k=v" in place of a copy, |*name|, which the caller frees. */
static bool split(const char *text, char **name,
                  struct scn_setting settings[SETTINGS_MAX], size_t *n,
                  fail *why) {
  char *copy = strdup(text);

  *n = 0;
  *name = copy;
  if (copy == NULL) {
    return fail_set(why, EXIT_RUN_FAILED, "out of memory");
  }
  char *p = strchr(copy, ':');
  if (p == NULL) {
    return true;
  }
  *p++ = 0;
  while (*p != 0) {
    char *end = p + strcspn(p, ",");
    char *eq = memchr(p, '=', (size_t)(end - p));
    if (eq == NULL || eq == p || *n == SETTINGS_MAX) {
      return fail_set(why, EXIT_USAGE,
                      "%s: expected key=value after the ':', separated by ','",
                      text);
    }
    bool last = *end == 0;
    *end = 0;
    *eq = 0;
    settings[*n].key = p;
    settings[(*n)++].value = eq + 1;
    p = last ? end : end + 1;
  }
  return true;
}

static const xl_policy *plugin(const char *path, fail *why) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

  if (lib == NULL) {
    fail_set(why, EXIT_USAGE, "policy %s cannot be loaded: %s", path,
             dlerror());
    return NULL;
  }
  const xl_policy *(*entry)(void);
  void *symbol = dlsym(lib, "xl_policy_entry");
  memcpy(&entry, &symbol, sizeof entry);
  if (symbol == NULL) {
    fail_set(why, EXIT_USAGE,
             "policy %s: it has no function xl_policy_entry; see "
             "docs/adding-a-policy.md",
             path);
    return NULL;
  }
  const xl_policy *p = entry();
  const char *bad =
      p == NULL ? "xl_policy_entry returned NULL" : xl_policy_check(p);
  if (bad != NULL) {
    fail_set(why, EXIT_USAGE, "policy %s: %s", path, bad);
    return NULL;
  }
  return p;
}

static const xl_policy *find(const char *name, fail *why) {
  const char *words[64];
  size_t n = 0, len = strlen(name);

  if (strchr(name, '/') != NULL ||
      (len > 3 && strcmp(name + len - 3, ".so") == 0)) {
    return plugin(name, why);
  }
  const xl_policy *p = xl_policy_find(name);
  if (p == NULL) {
    for (; xl_policies[n] != NULL && n < 64; n++) {
      words[n] = xl_policies[n]->name;
    }
    const char *near = nearest_word(name, words, n);
    fail_set(why, EXIT_USAGE,
             "unknown policy '%s'%s%s%s; 'xferlab list policies' lists them",
             name, near == NULL ? "" : "; did you mean '",
             near == NULL ? "" : near, near == NULL ? "" : "'?");
  }
  return p;
}

bool spec_policy(policy_spec *out, const char *text, const scenario *scn,
                 fail *why) {
  struct scn_setting given[SETTINGS_MAX], all[2 * SETTINGS_MAX];
  size_t ngiven, n = 0;

  *out = (policy_spec){0};
  text = text == NULL ? NET_DEFAULT : text;
  snprintf(out->label, sizeof out->label, "%s", text);
  if (!split(text, &out->text, given, &ngiven, why)) {
    return false;
  }
  out->policy = find(out->text, why);
  if (out->policy == NULL) {
    return false;
  }
  for (size_t i = 0; scn != NULL && i < scn->npolicies; i++) {
    const scn_policy *p = &scn->policies[i];
    for (size_t k = 0; strcmp(p->name, out->policy->name) == 0 &&
                       k < p->nsettings && n < SETTINGS_MAX;
         k++) {
      all[n++] = p->settings[k];
    }
  }
  /* What is given on the command line wins. */
  for (size_t i = 0; i < ngiven; i++) {
    size_t k = 0;
    while (k < n && strcmp(all[k].key, given[i].key) != 0) {
      k++;
    }
    all[k] = given[i];
    n += k == n ? 1 : 0;
  }
  out->values = zeroed(out->policy->nparams, sizeof *out->values);
  return params_parse(out->policy->params, out->policy->nparams,
                      out->policy->name, all, n, out->values, why);
}

bool spec_net(net_spec *out, const char *text, fail *why) {
  struct scn_setting given[SETTINGS_MAX];
  size_t n;

  *out = (net_spec){0};
  text = text == NULL ? NET_DEFAULT : text;
  snprintf(out->label, sizeof out->label, "%s", text);
  if (!split(text, &out->text, given, &n, why)) {
    return false;
  }
  out->ops = net_find(out->text, why);
  if (out->ops == NULL) {
    return false;
  }
  out->values = zeroed(out->ops->nparams, sizeof *out->values);
  return params_parse(out->ops->params, out->ops->nparams, out->ops->name,
                      given, n, out->values, why);
}

void policy_spec_free(policy_spec *s) {
  free(s->values);
  free(s->text);
}

void net_spec_free(net_spec *s) {
  free(s->values);
  free(s->text);
}

char *spec_json(const xl_param *params, uint32_t n, const xl_value *values) {
  json_t *o = json_object();
  char *text;

  for (uint32_t i = 0; i < n; i++) {
    char buf[256];
    param_print(&params[i], &values[i], buf, sizeof buf);
    json_object_set_new(o, params[i].name, json_string(buf));
  }
  text = json_dumps(o, JSON_PRESERVE_ORDER | JSON_COMPACT);
  json_decref(o);
  return text;
}
