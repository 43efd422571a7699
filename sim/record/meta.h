/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trace says about itself: the root attributes, owned. The list below is
 * the one place that names them; the spool's header, the HDF5 attributes and
 * trace_read use it.
 */
#ifndef RECORD_META_H
#define RECORD_META_H

#include "record/record.h"

/* field of record_header and trace, and whether it may exceed an attribute
   (64 KiB) and so is a dataset */
#define META_TEXTS(X)                                                          \
  X(scenario_name, false)                                                      \
  X(scenario_text, true)                                                       \
  X(policy, false)                                                             \
  X(params, false)                                                             \
  X(network, false)                                                            \
  X(network_params, false)                                                     \
  X(version, false)                                                            \
  X(command, false)

enum meta_text {
#define X(name, big) META_##name,
  META_TEXTS(X)
#undef X
      META_NTEXTS
};

#define META_ATTRIBUTE_MAX 60000 /* bytes of a text that is an attribute */

typedef struct meta {
  char *text[META_NTEXTS]; /* never NULL once made */
  uint64_t seed;
  uint32_t schema;
  uint32_t level; /* record_level */
  bool complete;
} meta;

/* Name of a text, and whether it is a dataset. */
const char *meta_name(enum meta_text i);
bool meta_big(enum meta_text i);

/* Copies; NULL texts become "". False when a text is too long or memory is
   short. */
bool meta_init(meta *m, const record_header *h, record_level level, fail *why);
void meta_fini(meta *m);

/* "xxh3:" and 16 digits: the fingerprint of the scenario's text. */
#define META_HASH_LEN 22
void meta_hash(const meta *m, char out[META_HASH_LEN]);

/* Whether tables of |t| are on disk at |level|. */
bool meta_on_disk(enum schema_table t, record_level level);
const char *meta_level_name(uint32_t level);

#endif
