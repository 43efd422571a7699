/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

typedef struct op_row {
  const char *name;
  uint32_t weight, below[OP_ARGS];
} op_row;

static const op_row rows[] = {
#define OP_ROW(name, weight, ...) {#name, weight, {__VA_ARGS__}},
    OP_MAP(OP_ROW)
#undef OP_ROW
};

void script_add(script *s, op o) {
  if (s->n == s->cap) {
    s->cap = s->cap * 2 + 64;
    s->ops = realloc(s->ops, s->cap * sizeof *s->ops);
    if (s->ops == NULL) {
      abort();
    }
  }
  s->ops[s->n++] = o;
}

void script_free(script *s) {
  free(s->ops);
  *s = (script){0};
}

/* ---- made from a seed ---- */

static uint64_t draw(uint64_t *rng) {
  uint64_t x = *rng += 0x9e3779b97f4a7c15u;

  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static uint32_t number(uint64_t *rng, uint32_t below) {
  uint64_t x = draw(rng);

  if (below == 0) {
    return 0;
  }
  if (below > 100000) {
    x = (x >> 8) >> (40 + x % 24) % 64;
  }
  return (uint32_t)(x % below);
}

/* What a script is about: some calls come often, some never, and to few agents
   and jobs, so that what takes several of them in a row happens. */
typedef struct theme {
  uint32_t weight[OP_NKINDS], sum;
  uint32_t agents, slots;
} theme;

static bool is_core(int kind) {
  return kind == OP_create || kind == OP_add || kind == OP_resume ||
         kind == OP_reply || kind == OP_deliver || kind == OP_advance;
}

static void draw_theme(uint64_t *rng, theme *t) {
  static const uint8_t factors[] = {0, 0, 0, 1, 1, 2, 6, 20};
  bool plain = draw(rng) % 4 == 0;

  *t = (theme){.agents = 6, .slots = 8};
  for (int k = 0; k < OP_NKINDS; k++) {
    uint32_t f = factors[draw(rng) % 8];
    t->weight[k] = rows[k].weight * (plain || is_core(k) ? 1 : f);
    t->sum += t->weight[k];
  }
  if (!plain) {
    t->agents = 1 + (uint32_t)(draw(rng) % 6);
    t->slots = 1 + (uint32_t)(draw(rng) % 8);
  }
}

static op op_of(uint64_t *rng, op_kind kind, const theme *t) {
  op o = {.kind = (uint8_t)kind};

  for (int i = 0; i < OP_ARGS; i++) {
    o.arg[i] = number(rng, rows[kind].below[i]);
  }
  if (t != NULL && rows[kind].below[0] == 6) {
    o.arg[0] %= t->agents;
    o.arg[1] %= rows[kind].below[1] == 8 ? t->slots : UINT32_MAX;
  }
  return o;
}

static op_kind kind_of(uint64_t *rng, const theme *t) {
  uint32_t at = (uint32_t)(draw(rng) % t->sum);

  for (int k = 0;; k++) {
    if (at < t->weight[k]) {
      return (op_kind)k;
    }
    at -= t->weight[k];
  }
}

void script_make(script *s, uint64_t seed, uint32_t n, bool erratic) {
  uint64_t rng = seed * 0x9e3779b97f4a7c15u + 1;
  op first = op_of(&rng, OP_config, NULL);
  theme t;

  first.arg[4] = erratic ? 1 + first.arg[4] : 0;
  script_add(s, first);
  draw_theme(&rng, &t);
  for (uint64_t k = 1 + draw(&rng) % 5; k > 0; k--) {
    script_add(s, op_of(&rng, OP_agent, NULL));
    script_add(s, op_of(&rng, OP_hold, &t));
    script_add(s, op_of(&rng, OP_create, &t));
    script_add(s, op_of(&rng, OP_add, &t));
    script_add(s, op_of(&rng, OP_resume, &t));
  }
  for (uint32_t i = 0; i < n; i++) {
    script_add(s, op_of(&rng, kind_of(&rng, &t), &t));
  }
  script_add(s, op_of(&rng, OP_honest, NULL));
}

/* ---- as text ---- */

void script_print(const script *s, FILE *out) {
  for (uint32_t i = 0; i < s->n; i++) {
    const op_row *row = &rows[s->ops[i].kind];
    fprintf(out, "%s", row->name);
    for (int k = 0; k < OP_ARGS && row->below[k] > 0; k++) {
      fprintf(out, " %u", s->ops[i].arg[k]);
    }
    fprintf(out, "\n");
  }
}

const char *script_read(script *s, FILE *in) {
  char line[256];

  while (fgets(line, sizeof line, in) != NULL) {
    char *at = strchr(line, '#');
    if (at != NULL) {
      *at = '\0';
    }
    char *word = strtok(line, " \t\r\n");
    op o = {.kind = OP_NKINDS};
    for (int k = 0; k < OP_NKINDS && word != NULL; k++) {
      o.kind = strcmp(word, rows[k].name) == 0 ? (uint8_t)k : o.kind;
    }
    if (word != NULL && o.kind == OP_NKINDS) {
      return "a line names no call";
    }
    for (int k = 0; k < OP_ARGS && word != NULL; k++) {
      char *text = strtok(NULL, " \t\r\n");
      o.arg[k] = text == NULL ? 0 : (uint32_t)strtoul(text, NULL, 10);
    }
    if (word != NULL) {
      script_add(s, o);
    }
  }
  return NULL;
}
