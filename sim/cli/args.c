/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/spec.h"
#include "scenario/scenario.h"

typedef enum option_kind { FLAG, TEXT, LIST, NUMBER } option_kind;

typedef struct option {
  const char *name;
  char letter; /* 0: none */
  option_kind kind;
  size_t field; /* offset in args */
  const char *arg;
  const char *help;
} option;

#define AT(f) offsetof(args, f)

static const option options[] = {
    {"policy", 'p', LIST, AT(policies), "P",
     "policy, as NAME, NAME:key=value,.. or ./plugin.so; a bare NAME takes the "
     "scenario's settings for it"},
    {"net", 'n', TEXT, AT(net), "N",
     "network, as NAME or NAME:key=value,.. (default " NET_DEFAULT ")"},
    {"seed", 's', NUMBER, AT(seed), "N", "random seed (default 1)"},
    {"seeds", 'k', NUMBER, AT(seeds), "K",
     "how many seeds, 1 to K, each policy is run with (default 10)"},
    {"set", 0, LIST, AT(sets), "PATH=VALUE",
     "override a value of the scenario; list items by name or [i]"},
    {"small", 0, FLAG, AT(small), NULL, "use the scenario's small variant"},
    {"trace", 't', TEXT, AT(trace), "LEVEL",
     "what to record: summary, series, files, transfers (default), events"},
    {"output", 'o', TEXT, AT(out), "PATH",
     "file (run) or folder (compare) to write"},
    {"jobs", 'j', NUMBER, AT(jobs), "N",
     "runs at once (default: one a processor)"},
    {"json", 0, FLAG, AT(json), NULL, "print JSON on standard output"},
    {"check", 0, FLAG, AT(check), NULL,
     "check every invariant after every event (slow)"},
    {"help", 'h', FLAG, AT(help), NULL, "this text"},
};
#define NOPTIONS (sizeof options / sizeof *options)

static bool takes(const command *c, const char *name) {
  size_t len = strlen(name);

  if (strcmp(name, "help") == 0) {
    return true;
  }
  for (const char *p = c->options; (p = strstr(p, name)) != NULL; p += len) {
    if ((p == c->options || p[-1] == ' ') && (p[len] == ' ' || p[len] == 0)) {
      return true;
    }
  }
  return false;
}

static const option *find_long(const command *c, const char *word, size_t len) {
  for (size_t i = 0; i < NOPTIONS; i++) {
    if (strlen(options[i].name) == len &&
        strncmp(options[i].name, word, len) == 0 && takes(c, options[i].name)) {
      return &options[i];
    }
  }
  return NULL;
}

static bool unknown(const command *c, const char *arg, fail *why) {
  const char *words[NOPTIONS];
  char word[64];
  size_t n = 0;

  for (size_t i = 0; i < NOPTIONS; i++) {
    if (takes(c, options[i].name)) {
      words[n++] = options[i].name;
    }
  }
  snprintf(word, sizeof word, "%s", arg + strspn(arg, "-"));
  word[strcspn(word, "=")] = 0;
  const char *near = nearest_word(word, words, n);
  return fail_set(
      why, EXIT_USAGE,
      "unknown option %s of 'xferlab %s'%s%s%s; 'xferlab %s --help' "
      "lists them",
      arg, c->name, near == NULL ? "" : "; did you mean --",
      near == NULL ? "" : near, near == NULL ? "" : "?", c->name);
}

static bool store(args *out, const option *o, const char *value, fail *why) {
  void *field = (char *)out + o->field;
  char *end;

  switch (o->kind) {
  case FLAG:
    *(bool *)field = true;
    return true;
  case TEXT:
    *(const char **)field = value;
    return true;
  case LIST: {
    args_list *l = field;
    if (l->n == ARGS_MAX) {
      return fail_set(why, EXIT_USAGE, "--%s is given more than %d times",
                      o->name, ARGS_MAX);
    }
    l->item[l->n++] = value;
    return true;
  }
  case NUMBER:
    errno = 0;
    *(uint64_t *)field = strtoull(value, &end, 10);
    if (errno != 0 || end == value || *end != 0 || *value == '-') {
      return fail_set(why, EXIT_USAGE,
                      "--%s %s: expected a whole number of 0 or more", o->name,
                      value);
    }
    return true;
  }
  return false;
}

static const option *find_option(const command *c, const char *arg,
                                 const char **value) {
  *value = NULL;
  if (arg[1] == '-') {
    size_t len = strcspn(arg + 2, "=");
    *value = arg[2 + len] == '=' ? arg + 3 + len : NULL;
    return find_long(c, arg + 2, len);
  }
  for (size_t i = 0; i < NOPTIONS; i++) {
    if (options[i].letter == arg[1] && takes(c, options[i].name)) {
      *value = arg[2] != 0 ? arg + 2 : NULL;
      return &options[i];
    }
  }
  return NULL;
}

bool args_parse(args *out, const command *c, int argc, char **argv, fail *why) {
  bool rest = false;

  *out = (args){.seed = 1, .seeds = 10};
  for (int i = 2; i < argc; i++) {
    const char *arg = argv[i], *value;
    if (rest || arg[0] != '-' || arg[1] == 0) {
      if (out->operands.n == ARGS_MAX) {
        return fail_set(why, EXIT_USAGE, "too many arguments");
      }
      out->operands.item[out->operands.n++] = arg;
      continue;
    }
    if (strcmp(arg, "--") == 0) {
      rest = true;
      continue;
    }
    const option *o = find_option(c, arg, &value);
    if (o == NULL) {
      return unknown(c, arg, why);
    }
    if (o->kind == FLAG && value != NULL) {
      return fail_set(why, EXIT_USAGE, "%s takes no value", arg);
    }
    if (o->kind != FLAG && value == NULL) {
      if (i + 1 == argc) {
        return fail_set(why, EXIT_USAGE, "%s needs a value: --%s %s", arg,
                        o->name, o->arg);
      }
      value = argv[++i];
    }
    if (!store(out, o, value, why)) {
      return false;
    }
  }
  if (!out->help && (out->operands.n < c->min || out->operands.n > c->max)) {
    return fail_set(why, EXIT_USAGE,
                    "usage: xferlab %s %s [options]; 'xferlab "
                    "%s --help' tells more",
                    c->name, c->operands, c->name);
  }
  return true;
}

void args_help(const command *c, FILE *out) {
  fprintf(out, "usage: xferlab %s %s [options]\n\n%s\n\noptions:\n", c->name,
          c->operands, c->help);
  for (size_t i = 0; i < NOPTIONS; i++) {
    const option *o = &options[i];
    char left[64];
    if (!takes(c, o->name)) {
      continue;
    }
    snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
             o->arg == NULL ? "" : " ", o->arg == NULL ? "" : o->arg);
    fprintf(out, "  %-24s ", left);
    /* Wrapped at 78 columns, by words. */
    size_t col = 27;
    for (const char *p = o->help; *p != 0;) {
      size_t len = strcspn(p, " ");
      if (col + len > 78) {
        fprintf(out, "\n%27s", "");
        col = 27;
      }
      fprintf(out, "%.*s ", (int)len, p);
      col += len + 1;
      p += len + strspn(p + len, " ");
    }
    fputc('\n', out);
  }
}
