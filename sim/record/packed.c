/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/packed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "rows are packed by copying");

/* Columns that are copied together, or one that needs care. */
typedef struct run {
  char type; /* 'm' memory, 's' string, 'f' double */
  uint32_t from, to, len;
} run;

typedef struct packing {
  run runs[PACKED_FIELD_MAX];
  unsigned nruns;
  uint32_t size;
} packing;

static void add_run(packing *p, const schema_field *f) {
  char type = f->type == 's' || f->type == 'f' ? f->type : 'm';
  run *last = p->nruns > 0 ? &p->runs[p->nruns - 1] : NULL;

  if (type == 'm' && last != NULL && last->type == 'm' &&
      last->from + last->len == f->offset) {
    last->len += f->size;
  } else {
    assert(p->nruns < PACKED_FIELD_MAX);
    p->runs[p->nruns++] = (run){type, f->offset, p->size, f->size};
  }
  p->size += f->size;
}

static const packing *packing_of(enum schema_table t) {
  static packing cache[SCHEMA_NTABLES];
  packing *p = &cache[t];

  if (p->nruns == 0) {
    for (uint32_t i = 0; i < schema_tables[t].nfields; i++) {
      add_run(p, &schema_tables[t].fields[i]);
    }
  }
  return p;
}

uint32_t packed_size(enum schema_table t) {
  return packing_of(t)->size;
}

static void pack_double(const uint8_t *from, uint8_t *to) {
  double d;

  memcpy(&d, from, sizeof d);
  if (isnan(d)) { /* the sign of a NaN depends on the compiler */
    memcpy(to, &(uint64_t){UINT64_C(0x7ff8000000000000)}, 8);
  } else {
    memcpy(to, &d, sizeof d);
  }
}

static void pack_string(const uint8_t *from, uint8_t *to, uint32_t len) {
  size_t used = strnlen((const char *)from, len);

  memcpy(to, from, used);
  memset(to + used, 0, len - used);
}

void packed_rows(enum schema_table t, const void *rows, size_t n, uint8_t *to) {
  const packing *p = packing_of(t);
  const uint8_t *row = rows;

  for (size_t i = 0; i < n; i++) {
    for (unsigned k = 0; k < p->nruns; k++) {
      const run *r = &p->runs[k];
      if (r->type == 'm') {
        memcpy(to + r->to, row + r->from, r->len);
      } else if (r->type == 'f') {
        pack_double(row + r->from, to + r->to);
      } else {
        pack_string(row + r->from, to + r->to, r->len);
      }
    }
    row += schema_tables[t].row_size;
    to += p->size;
  }
}

void packed_own_layout(enum schema_table t, packed_layout *l) {
  const schema_desc *d = &schema_tables[t];

  memset(l, 0, sizeof *l);
  for (uint32_t i = 0; i < d->nfields; i++) {
    packed_field *f = &l->field[l->nfields++];
    assert(strlen(d->fields[i].name) < sizeof f->name);
    memcpy(f->name, d->fields[i].name, strlen(d->fields[i].name) + 1);
    f->type = d->fields[i].type;
    f->at = l->row_size;
    f->size = d->fields[i].size;
    l->row_size += f->size;
  }
}

static const packed_field *field_named(const packed_layout *l,
                                       const char *name) {
  for (unsigned i = 0; i < l->nfields; i++) {
    if (strcmp(l->field[i].name, name) == 0) {
      return &l->field[i];
    }
  }
  return NULL;
}

static bool same_kind(const schema_field *want, const packed_field *have) {
  char w = want->type, h = have->type;

  switch (w) {
  case 's':
    return h == 's';
  case 'f':
    return h == 'f' && have->size == 8;
  case 'i':
    return h == 'i' && have->size <= 8;
  default: /* an enum may have been a number once */
    return (h == 'u' || h == 'e') && have->size <= want->size;
  }
}

bool packed_fits(enum schema_table t, const packed_layout *l) {
  const schema_desc *d = &schema_tables[t];

  if (l->row_size == 0 || l->row_size > PACKED_ROW_MAX) {
    return false;
  }
  for (unsigned i = 0; i < l->nfields; i++) {
    const packed_field *f = &l->field[i];
    if (f->size == 0 || f->size > l->row_size ||
        f->at > l->row_size - f->size) {
      return false;
    }
  }
  for (uint32_t i = 0; i < d->nfields; i++) {
    const packed_field *f = field_named(l, d->fields[i].name);
    if (f != NULL && !same_kind(&d->fields[i], f)) {
      return false;
    }
  }
  return true;
}

/* Copies a column; numbers of fewer bytes are widened. */
static void move(const schema_field *want, const packed_field *have,
                 const uint8_t *from, uint8_t *row) {
  uint8_t *to = row + want->offset;
  uint32_t len = have->size < want->size ? have->size : want->size;

  memcpy(to, from + have->at, len);
  bool negative =
      want->type == 'i' && (from[have->at + have->size - 1] & 0x80) != 0;
  if (len < want->size && negative) {
    memset(to + len, 0xff, want->size - len);
  }
}

void packed_unpack(enum schema_table t, const packed_layout *l,
                   const uint8_t *from, size_t n, void *rows) {
  const schema_desc *d = &schema_tables[t];
  const packed_field *have[PACKED_FIELD_MAX];
  uint8_t *row = rows;

  assert(d->nfields <= PACKED_FIELD_MAX);
  for (uint32_t k = 0; k < d->nfields; k++) {
    have[k] = field_named(l, d->fields[k].name);
  }
  for (size_t i = 0; i < n; i++) {
    memset(row, 0, d->row_size);
    for (uint32_t k = 0; k < d->nfields; k++) {
      if (have[k] != NULL) {
        move(&d->fields[k], have[k], from, row);
      }
    }
    row += d->row_size;
    from += l->row_size;
  }
}
