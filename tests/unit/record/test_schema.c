/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With UPDATE_DOCS set, the table part of docs/trace.md is written anew. */
#include "test.h"

#include <ctype.h>

#include "fill.h"
#include "record/packed.h"

#define DOC "docs/trace.md"
static const char begin_mark[] = "<!-- tables: begin -->\n";
static const char end_mark[] = "<!-- tables: end -->\n";

static char *printed(size_t *len) {
  char *text = NULL;
  FILE *f = open_memstream(&text, len);

  assert(f != NULL);
  schema_print_markdown(f);
  fclose(f);
  return text;
}

static void update(const char *doc, const char *from, const char *to,
                   const char *text) {
  FILE *f = fopen(DOC, "w");

  assert(f != NULL);
  fprintf(f, "%.*s%s%s", (int)(from - doc), doc, text, to);
  fclose(f);
}

static void test_docs(void) {
  size_t len, n;
  char *doc = fill_slurp(DOC, &len), *text = printed(&n);

  doc[len] = '\0';
  char *from = strstr(doc, begin_mark), *to = strstr(doc, end_mark);
  CU_ASSERT_FATAL(from != NULL && to != NULL && from < to);
  from += strlen(begin_mark);
  bool same = (size_t)(to - from) == n && memcmp(from, text, n) == 0;
  if (!same && getenv("UPDATE_DOCS") != NULL) {
    update(doc, from, to, text);
    same = true;
  }
  CU_ASSERT(same);
  free(doc);
  free(text);
}

static void test_fields(void) {
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    const schema_desc *d = &schema_tables[t];
    uint32_t packed = 0;
    for (uint32_t i = 0; i < d->nfields; i++) {
      const schema_field *f = &d->fields[i];
      CU_ASSERT(f->offset + f->size <= d->row_size);
      CU_ASSERT(i == 0 ||
                f->offset >= d->fields[i - 1].offset + d->fields[i - 1].size);
      CU_ASSERT(schema_field_text(d, i)[0] != '\0');
      for (uint32_t k = 0; k < i; k++) {
        CU_ASSERT(strcmp(f->name, d->fields[k].name) != 0);
      }
      packed += f->size;
    }
    CHECK_EQ(packed_size((enum schema_table)t), packed);
  }
}

static void test_enums(void) {
  CU_ASSERT_STRING_EQUAL(
      schema_enum_member("ledger_class", XL_CLASS_PEER_SUBNET), "peer-subnet");
  CU_ASSERT_STRING_EQUAL(
      schema_enum_member("job_state", XL_JOB_TRANSIENT_ERROR),
      "transient-error");
  CU_ASSERT_STRING_EQUAL(schema_enum_member("bound_term", BOUND_ORIGIN_SITES),
                         "origin-sites");
  CU_ASSERT_PTR_NULL(schema_enum_member("outcome", XL_NENDS));
  CU_ASSERT_PTR_NULL(schema_enum_member("no such enum", 0));
  for (int t = 0; t < SCHEMA_NTABLES; t++) {
    for (uint32_t i = 0; i < schema_tables[t].nfields; i++) {
      const schema_field *f = &schema_tables[t].fields[i];
      CU_ASSERT((f->type == 'e') == (f->enumeration != NULL));
      if (f->type == 'e') {
        const char *first = schema_enum_member(f->enumeration, 0);
        CU_ASSERT(first != NULL && islower((unsigned char)first[0]));
      }
    }
  }
}

static void test_unpack(void) {
  for (int i = 0; i < SCHEMA_NTABLES; i++) {
    enum schema_table t = (enum schema_table)i;
    size_t n = 50, size = schema_tables[t].row_size;
    packed_layout l;
    void *rows = fill_rows(t, n), *back = malloc(n * size);
    uint8_t *p = malloc(n * packed_size(t)), *q = malloc(n * packed_size(t));
    assert(back != NULL && p != NULL && q != NULL);
    packed_rows(t, rows, n, p);
    packed_own_layout(t, &l);
    CU_ASSERT(packed_fits(t, &l));
    packed_unpack(t, &l, p, n, back);
    CU_ASSERT(fill_same(t, rows, back, n));
    packed_rows(t, back, n, q);
    CU_ASSERT(memcmp(p, q, n * packed_size(t)) == 0);
    free(rows);
    free(back);
    free(p);
    free(q);
  }
}

static void test_layouts(void) {
  packed_layout good = {.nfields = 1, .row_size = 8}, l;
  row_world row;

  good.field[0] = (packed_field){"ended_ns", 'i', 4, 4};
  CU_ASSERT(packed_fits(SCHEMA_WORLD, &good));
  const uint8_t minus2[8] = {9, 9, 9, 9, 0xfe, 0xff, 0xff, 0xff};
  packed_unpack(SCHEMA_WORLD, &good, minus2, 1, &row);
  CHECK_EQ(row.ended_ns, -2); /* widened with its sign */
  CHECK_EQ(row.sent, 0);
  l = good;
  l.field[0].at = 5; /* reaches beyond the row */
  CU_ASSERT(!packed_fits(SCHEMA_WORLD, &l));
  l = good;
  l.field[0].at = UINT32_MAX;
  CU_ASSERT(!packed_fits(SCHEMA_WORLD, &l));
  l = good;
  l.field[0].type = 's';
  CU_ASSERT(!packed_fits(SCHEMA_WORLD, &l));
  l = good;
  l.field[0].size = 0;
  CU_ASSERT(!packed_fits(SCHEMA_WORLD, &l));
  l = good;
  l.row_size = 0;
  CU_ASSERT(!packed_fits(SCHEMA_WORLD, &l));
}

TEST_SUITE("schema", {"docs/trace.md lists the tables of schema.h", test_docs},
           {"columns are in order, named once and explained", test_fields},
           {"members of enums are lower case and end", test_enums},
           {"packed rows unpack to the same rows", test_unpack},
           {"a layout that does not fit the table is refused", test_layouts})
