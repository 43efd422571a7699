/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of a scenario's keys: type, unit, range, default, help. The
 * reader, --set paths, nearest-key hints and docs/scenario.md come from it.
 */
#ifndef SCENARIO_KEYS_H
#define SCENARIO_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "scenario/unit.h"

typedef enum key_type {
  KEY_TEXT,     /* const char * */
  KEY_NAME,     /* const char *, a word others refer to */
  KEY_REF,      /* const char *, the name of something else */
  KEY_REFS,     /* const char ** and size_t: one name or a list */
  KEY_DATE,     /* int64_t s since 1970 and int32_t offset of the zone, s */
  KEY_TIME,     /* xl_span */
  KEY_SECONDS,  /* uint32_t, whole seconds */
  KEY_OFFSET,   /* int64_t, whole seconds, may be negative */
  KEY_BYTES,    /* xl_bytes */
  KEY_BYTES32,  /* uint32_t */
  KEY_RATE,     /* xl_rate; "unlimited" unless there is a max */
  KEY_EVENTS,   /* double, per second */
  KEY_FRACTION, /* double */
  KEY_NUMBER,   /* double */
  KEY_COUNT,    /* uint32_t */
  KEY_LIMIT,    /* uint32_t; "unlimited" is XL_NONE */
  KEY_BOOL,     /* bool */
  KEY_CHOICE,   /* an enum: index of the choice */
  KEY_FLAGS,    /* uint32_t: bit of each choice that is listed */
  KEY_DIST,     /* dist of |unit| */
  KEY_MAP,      /* a mapping with keys of its own, in the same struct */
  KEY_ITEMS,    /* a list of mappings: pointer and count */
  KEY_NAMED,    /* a mapping name: mapping; pointer and count */
  KEY_OWN       /* read by a function of its own */
} key_type;

typedef enum key_flag {
  KEY_REQUIRED = 1,
  KEY_LATER = 2,     /* part of the format, not built yet: refused by name */
  KEY_UNLIMITED = 4, /* a rate distribution that may also be "unlimited" */
  KEY_EXPANDED = 8,  /* replaced before the check (csv) */
  KEY_POISSON = 16   /* a distribution of arrivals: may be a poisson process */
} key_flag;

struct reader;
struct node;

typedef struct scn_key {
  /* Dotted; '*' is any name, "[]" the items of a list. */
  const char *path;
  const char *help;
  const char *def;       /* as a user writes it; NULL: none */
  const char *min, *max; /* inclusive, as written; NULL: none. ITEMS,
                            NAMED: |max| is how many there may be */
  const char *choices;   /* CHOICE, FLAGS: "a|b" */
  const char *expects;   /* OWN, ITEMS: what to write; others by type */
  /* OWN. */
  bool (*read)(struct reader *rd, struct node *value, const struct scn_key *k,
               void *base, const char *label);
  size_t at, count_at; /* where it goes in its struct, and its length */
  size_t size;         /* of the field */
  size_t item_size;    /* ITEMS, NAMED */
  key_type type;
  unit_kind unit; /* DIST */
  unsigned flags; /* KEY_REQUIRED ... */
} scn_key;

extern const scn_key scenario_keys[];
extern const size_t scenario_nkeys;

/* The row of |name| in |section| ("" is the top), or NULL. */
const scn_key *key_find(const char *section, const char *name);
/* Whether any row lies in |section|. */
bool key_is_section(const char *section);
/* The next row directly in |section| after |k| (NULL: the first). */
const scn_key *key_next(const char *section, const scn_key *k);
/* The last part of its path. */
const char *key_name(const scn_key *k);
/* What to write for it, with its range: "a count such as 25, at least 1". */
void key_expects(const scn_key *k, char *buf, size_t len);

/* The scenario reference: as markdown it is docs/scenario.md. */
void scenario_keys_print(FILE *to, bool markdown);

#endif
