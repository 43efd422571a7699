/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/meta.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const struct {
  const char *name;
  bool big;
} texts[META_NTEXTS] = {
#define X(name, big) {#name, big},
    META_TEXTS(X)
#undef X
};

const char *meta_name(enum meta_text i) {
  return texts[i].name;
}
bool meta_big(enum meta_text i) {
  return texts[i].big;
}

bool meta_init(meta *m, const record_header *h, record_level level, fail *why) {
  const char *given[META_NTEXTS] = {
#define X(name, big) h->name,
      META_TEXTS(X)
#undef X
  };

  memset(m, 0, sizeof *m);
  m->seed = h->seed;
  m->schema = SCHEMA_VERSION;
  m->level = (uint32_t)level;
  for (int i = 0; i < META_NTEXTS; i++) {
    const char *s = given[i] != NULL ? given[i] : "";
    if (!texts[i].big && strlen(s) > META_ATTRIBUTE_MAX) {
      fail_set(why, EXIT_USAGE,
               "%s is too long to be recorded: %zu bytes, at "
               "most %d",
               texts[i].name, strlen(s), META_ATTRIBUTE_MAX);
      break;
    }
    m->text[i] = strdup(s);
    if (m->text[i] == NULL) {
      fail_set(why, EXIT_RUN_FAILED, "out of memory");
      break;
    }
  }
  if (m->text[META_NTEXTS - 1] == NULL) {
    meta_fini(m);
    return false;
  }
  return true;
}

void meta_fini(meta *m) {
  for (int i = 0; i < META_NTEXTS; i++) {
    free(m->text[i]);
  }
  memset(m, 0, sizeof *m);
}

void meta_hash(const meta *m, char out[META_HASH_LEN]) {
  const char *s = m->text[META_scenario_text];

  snprintf(out, META_HASH_LEN, "xxh3:%016" PRIx64,
           (uint64_t)XXH3_64bits(s, strlen(s)));
}

bool meta_on_disk(enum schema_table t, record_level level) {
  static const record_level from[SCHEMA_NTABLES] = {
      [SCHEMA_SUMMARY] = LEVEL_SUMMARY,  [SCHEMA_WORLD] = LEVEL_SUMMARY,
      [SCHEMA_SITES] = LEVEL_SUMMARY,    [SCHEMA_ORIGINS] = LEVEL_SUMMARY,
      [SCHEMA_CONTENTS] = LEVEL_SUMMARY, [SCHEMA_LINKS] = LEVEL_SUMMARY,
      [SCHEMA_SERIES] = LEVEL_SERIES,    [SCHEMA_LINK_RATES] = LEVEL_SERIES,
      [SCHEMA_DEVICES] = LEVEL_FILES,    [SCHEMA_HELD] = LEVEL_FILES,
      [SCHEMA_CAPACITY] = LEVEL_FILES,   [SCHEMA_JOBS] = LEVEL_FILES,
      [SCHEMA_FILES] = LEVEL_FILES,      [SCHEMA_TRANSFERS] = LEVEL_TRANSFERS,
      [SCHEMA_EVENTS] = LEVEL_EVENTS};

  return level >= from[t];
}

const char *meta_level_name(uint32_t level) {
  static const char *const names[] = {"summary", "series", "files", "transfers",
                                      "events"};

  return level < sizeof names / sizeof *names ? names[level] : "unknown";
}
