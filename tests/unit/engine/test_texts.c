/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and texts that appear in results: each has one, no two share one. */
#include "test.h"

#include <xl/agent.h>

static const struct code {
  xl_err err;
  const char *name;
} codes[] = {
#define CODE(name, code, text) {XL_##name, #name},
    XL_ERR_MAP(CODE)
#undef CODE
};

static void test_codes(void) {
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    CU_ASSERT_STRING_EQUAL(xl_err_name(codes[i].err), codes[i].name);
    CU_ASSERT(strcmp(xl_err_text(codes[i].err), "unknown error") != 0);
  }
  CU_ASSERT_STRING_EQUAL(xl_err_name(XL_E_HTTP(404)), "HTTP_404");
  CU_ASSERT(strstr(xl_err_text(XL_E_HTTP(503)), "status") != NULL);
  CU_ASSERT_STRING_EQUAL(xl_err_name(0x7fffffff), "UNKNOWN");
  CU_ASSERT_STRING_EQUAL(xl_err_text(0x7fffffff), "unknown error");
}

static void test_classes(void) {
  for (int c = 0; c < XL_NCLASSES; c++) {
    for (int d = 0; d < c; d++) {
      CU_ASSERT_STRING_NOT_EQUAL(xl_class_name((xl_class)c),
                                 xl_class_name((xl_class)d));
    }
    CU_ASSERT(strlen(xl_class_text((xl_class)c)) > 0);
  }
  for (int r = 0; r < XL_NREASONS; r++) {
    CU_ASSERT(strchr(xl_reason_name((xl_reason)r), '_') == NULL);
    CU_ASSERT(strlen(xl_reason_text((xl_reason)r)) > 0);
  }
  CU_ASSERT_STRING_EQUAL(xl_end_name(XL_END_LINK_LOST), "link-lost");
  CU_ASSERT_STRING_EQUAL(xl_source_name(XL_SOURCE_PEER), "peer");
  CU_ASSERT_STRING_EQUAL(xl_scope_name(XL_SCOPE_SUBNET), "subnet");
  CHECK_EQ(xl_class_of(XL_SOURCE_CACHE, XL_SCOPE_NONE), XL_CLASS_CACHE);
}

static void test_transitions(void) {
  uint32_t n;
  const xl_transition *t = xl_job_transitions(&n);

  for (uint32_t i = 0; i < n; i++) {
    CU_ASSERT(strlen(t[i].cause) > 0);
    CU_ASSERT(t[i].from != XL_JOB_CANCELLED &&
              t[i].from != XL_JOB_ACKNOWLEDGED);
    for (uint32_t k = 0; k < i; k++) {
      CU_ASSERT(t[i].from != t[k].from || t[i].to != t[k].to);
    }
  }
}

TEST_SUITE("engine texts", {"every code has its name and a text", test_codes},
           {"classes, reasons and ends have names of their own", test_classes},
           {"R401: no change of state leaves a final state", test_transitions})
