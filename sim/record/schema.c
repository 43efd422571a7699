/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables and enums of schema.h as data. */
#include "record/schema.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include <xl/ledger.h>

/* ---- enums -------------------------------------------------------------- */

#define JOB_STATE_MAP(X)                                                       \
  X(QUEUED, "")                                                                \
  X(CONNECTING, "")                                                            \
  X(TRANSFERRING, "")                                                          \
  X(SUSPENDED, "")                                                             \
  X(ERROR, "")                                                                 \
  X(TRANSIENT_ERROR, "")                                                       \
  X(TRANSFERRED, "")                                                           \
  X(ACKNOWLEDGED, "")                                                          \
  X(CANCELLED, "")

enum job_state_position {
#define X(n, t) STATE_AT_##n,
  JOB_STATE_MAP(X)
#undef X
};
#define X(n, t)                                                                \
  _Static_assert((int)STATE_AT_##n == (int)XL_JOB_##n,                         \
                 "a job state keeps its number");
JOB_STATE_MAP(X)
#undef X

#define ENUMS(E)                                                               \
  E(capacity_what, CAPACITY_WHAT_MAP)                                          \
  E(link_what, LINK_WHAT_MAP)                                                  \
  E(bound_term, BOUND_MAP)                                                     \
  E(job_state, JOB_STATE_MAP)                                                  \
  E(source_kind, XL_SOURCE_MAP)                                                \
  E(ledger_class, XL_CLASS_MAP)                                                \
  E(scope, XL_SCOPE_MAP)                                                       \
  E(outcome, XL_END_MAP)                                                       \
  E(reason, XL_REASON_MAP)                                                     \
  E(event, XL_EVENT_MAP)

#define MEMBER_MAX 24

typedef struct member {
  char name[MEMBER_MAX];
  const char *text;
} member;

#define M(n, t) {#n, t},
#define E(enumeration, map)                                                    \
  static member members_##enumeration[] = {map(M){"", NULL}};
ENUMS(E)
#undef E
#undef M

static const struct enumeration {
  const char *name;
  member *members; /* ends with an empty name */
} enumerations[] = {
#define E(enumeration, map) {#enumeration, members_##enumeration},
    ENUMS(E)
#undef E
};
#define NENUMS (sizeof enumerations / sizeof *enumerations)

/* PEER_SUBNET -> peer-subnet, once. */
static void spell(void) {
  static int done;

  if (done) {
    return;
  }
  for (size_t e = 0; e < NENUMS; e++) {
    for (member *m = enumerations[e].members; m->text != NULL; m++) {
      for (char *c = m->name; *c != '\0'; c++) {
        *c = (char)(*c == '_' ? '-' : tolower((unsigned char)*c));
      }
    }
  }
  done = 1;
}

static const member *member_at(const char *enumeration, unsigned i) {
  spell();
  for (size_t e = 0; e < NENUMS; e++) {
    if (strcmp(enumerations[e].name, enumeration) != 0) {
      continue;
    }
    const member *m = enumerations[e].members;
    while (m->text != NULL && i > 0) {
      m++;
      i--;
    }
    return m->text != NULL ? m : NULL;
  }
  return NULL;
}

const char *schema_enum_member(const char *enumeration, unsigned i) {
  const member *m = member_at(enumeration, i);
  return m != NULL ? m->name : NULL;
}

/* ---- tables -------------------------------------------------------------- */

#define LETTER_u8 'u'
#define LETTER_u16 'u'
#define LETTER_u32 'u'
#define LETTER_u64 'u'
#define LETTER_i64 'i'
#define LETTER_f64 'f'

#define F(type, name, text)                                                    \
  {#name, text, LETTER_##type, sizeof(sch_##type), offsetof(ROW, name), NULL},
#define S(len, name, text) {#name, text, 's', len, offsetof(ROW, name), NULL},
#define E(enumeration, name, text)                                             \
  {#name, text, 'e', 1, offsetof(ROW, name), #enumeration},

#define ROW row_sites
static const schema_field fields_sites[] = {TABLE_SITES(F, S, E)};
#undef ROW
#define ROW row_origins
static const schema_field fields_origins[] = {TABLE_ORIGINS(F, S, E)};
#undef ROW
#define ROW row_contents
static const schema_field fields_contents[] = {TABLE_CONTENTS(F, S, E)};
#undef ROW
#define ROW row_devices
static const schema_field fields_devices[] = {TABLE_DEVICES(F, S, E)};
#undef ROW
#define ROW row_held
static const schema_field fields_held[] = {TABLE_HELD(F, S, E)};
#undef ROW
#define ROW row_capacity
static const schema_field fields_capacity[] = {TABLE_CAPACITY(F, S, E)};
#undef ROW
#define ROW row_jobs
static const schema_field fields_jobs[] = {TABLE_JOBS(F, S, E)};
#undef ROW
#define ROW row_files
static const schema_field fields_files[] = {TABLE_FILES(F, S, E)};
#undef ROW
#define ROW row_series
static const schema_field fields_series[] = {TABLE_SERIES(F, S, E)};
#undef ROW
#define ROW row_link_rates
static const schema_field fields_link_rates[] = {TABLE_LINK_RATES(F, S, E)};
#undef ROW
#define ROW row_links
static const schema_field fields_links[] = {TABLE_LINKS(F, S, E)};
#undef ROW
#define ROW row_world
static const schema_field fields_world[] = {TABLE_WORLD(F, S, E)};
#undef ROW
#define ROW row_transfers
static const schema_field fields_transfers[] = {TABLE_TRANSFERS(F, S, E)};
#undef ROW
#define ROW row_events
static const schema_field fields_events[] = {TABLE_EVENTS(F, S, E)};
#undef ROW
#define ROW row_summary
static const schema_field fields_summary[] = {TABLE_SUMMARY(F, S, E)};
#undef ROW

const schema_desc schema_tables[SCHEMA_NTABLES] = {
#define T(name, NAME)                                                          \
  [SCHEMA_##NAME] = {#name, sizeof(row_##name), fields_##name,                 \
                     sizeof fields_##name / sizeof *fields_##name},
    SCHEMA_TABLES(T)
#undef T
};

const char *schema_field_text(const schema_desc *d, uint32_t i) {
  while (i > 0 && d->fields[i].text[0] == '\0') {
    i--;
  }
  return d->fields[i].text;
}

/* ---- docs -----------------------------------------------------------------
 */

static void print_type(FILE *to, const schema_field *f) {
  switch (f->type) {
  case 's':
    fprintf(to, "string, %u", f->size);
    break;
  case 'e':
    fprintf(to, "enum [%s](#%s)", f->enumeration, f->enumeration);
    break;
  default:
    fprintf(to, "%s%u",
            f->type == 'f'   ? "float"
            : f->type == 'i' ? "int"
                             : "uint",
            8u * f->size);
    break;
  }
}

static void print_table(FILE *to, const schema_desc *d) {
  fprintf(to, "\n### /%s\n\n| column | type | meaning |\n|---|---|---|\n",
          d->name);
  for (uint32_t i = 0; i < d->nfields; i++) {
    fprintf(to, "| `%s` | ", d->fields[i].name);
    print_type(to, &d->fields[i]);
    if (d->fields[i].text[0] == '\0') {
      fprintf(to, " | as above |\n");
    } else {
      fprintf(to, " | %s |\n", d->fields[i].text);
    }
  }
}

static void print_enum(FILE *to, const char *name) {
  fprintf(to, "\n### %s\n\n| value | member | meaning |\n|---|---|---|\n",
          name);
  const member *m = member_at(name, 0);
  for (unsigned i = 0; m != NULL; m = member_at(name, ++i)) {
    fprintf(to, "| %u | `%s` | %s |\n", i, m->name, m->text);
  }
}

void schema_print_markdown(FILE *to) {
  fprintf(to, "Schema version %d.\n\n## Tables\n", SCHEMA_VERSION);
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    print_table(to, &schema_tables[t]);
  }
  fprintf(to, "\n## Enums\n");
  for (size_t e = 0; e < NENUMS; e++) {
    print_enum(to, enumerations[e].name);
  }
}
