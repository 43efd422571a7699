/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CUnit binary in one macro. Each test file lists its tests, titles being
 * sentences:
 *
 *   TEST_SUITE("range set", {"a range added twice counts once", test_twice},
 *              ...)
 *
 * Prints each failed assertion with file and line, then one line
 * "name: N passed, N failed" for tests/run; the verdict is the number of
 * failures (CU_basic_run_tests returns 0 with failed tests). argv[1], if any,
 * runs the tests whose title contains it.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

struct test_case {
  const char *title;
  void (*run)(void);
};

static inline int test_main(const char *suite, const struct test_case *t,
                            size_t n, int argc, char **argv) {
  unsigned passed = 0, failed = 0;

  if (CU_initialize_registry() != CUE_SUCCESS) {
    return 2;
  }
  CU_pSuite s = CU_add_suite(suite, NULL, NULL);
  for (size_t i = 0; i < n; i++) {
    if (argc < 2 || strstr(t[i].title, argv[1]) != NULL) {
      CU_add_test(s, t[i].title, t[i].run);
    }
  }
  for (CU_pTest test = s->pTest; test != NULL; test = test->pNext) {
    unsigned before = CU_get_number_of_failure_records();
    CU_run_test(s, test); /* resets the records */
    (void)before;
    if (CU_get_number_of_failures() == 0) {
      passed++;
      continue;
    }
    failed++;
    printf("FAIL %s: %s\n", suite, test->pName);
    for (CU_pFailureRecord f = CU_get_failure_list(); f != NULL;
         f = f->pNext) {
      printf("  %s:%u: %s\n", f->strFileName, f->uiLineNumber,
             f->strCondition);
    }
  }
  CU_cleanup_registry();
  printf("%s: %u passed, %u failed\n", suite, passed, failed);
  return failed != 0 || passed == 0;
}

#define TEST_SUITE(name, ...)                                                  \
  int main(int argc, char **argv) {                                            \
    static const struct test_case cases[] = {__VA_ARGS__};                     \
    setvbuf(stdout, NULL, _IOLBF, 0);                                          \
    return test_main(name, cases, sizeof cases / sizeof *cases, argc, argv);   \
  }

/* Like CU_ASSERT, printing both values of integers. */
#define CHECK_EQ(got, want)                                                    \
  do {                                                                         \
    long long got_ = (long long)(got), want_ = (long long)(want);              \
    if (got_ != want_) {                                                       \
      printf("  %s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got,     \
             got_, want_);                                                     \
    }                                                                          \
    CU_assertImplementation(got_ == want_, __LINE__, #got " == " #want,        \
                            __FILE__, "", CU_FALSE);                           \
  } while (0)

/* |got| within |rel| of |want|. */
#define CHECK_NEAR(got, want, rel)                                             \
  do {                                                                         \
    double got_ = (got), want_ = (want), tol_ = (rel);                         \
    double d_ = got_ > want_ ? got_ - want_ : want_ - got_;                    \
    double m_ = want_ < 0 ? -want_ : want_;                                    \
    int ok_ = got_ == want_ || d_ <= tol_ * (m_ > 0 ? m_ : 1);                 \
    if (!ok_) {                                                                \
      printf("  %s:%d: %s is %.17g, want %.17g +-%g\n", __FILE__, __LINE__,    \
             #got, got_, want_, tol_);                                         \
    }                                                                          \
    CU_assertImplementation(ok_, __LINE__, #got " near " #want, __FILE__, "",  \
                            CU_FALSE);                                         \
  } while (0)

#endif
