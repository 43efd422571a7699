/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each tests/scenarios/bad/NAME.yaml has one thing wrong; NAME.expect holds
 * the message after the name of the file.
 */
#include <dirent.h>
#include <stdlib.h>

#include "scenario/scenario.h"
#include "test.h"

#define DIR_BAD "tests/scenarios/bad/"
#define FILES_MIN 40

static int is_yaml(const struct dirent *e) {
  size_t n = strlen(e->d_name);

  return n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

static bool expectation(const char *name, char *buf, size_t len) {
  char path[300];

  snprintf(path, sizeof path, DIR_BAD "%.*s.expect", (int)strlen(name) - 5,
           name);
  FILE *f = fopen(path, "r");
  if (f == NULL || fgets(buf, (int)len, f) == NULL) {
    buf[0] = '\0';
  }
  buf[strcspn(buf, "\n")] = '\0';
  if (f != NULL) {
    fclose(f);
  }
  return buf[0] != '\0';
}

/* The message is a file (its own, or a CSV file it names), then |want|. */
static bool matches(const char *text, const char *name, const char *want) {
  size_t n = strlen(text), m = strlen(want);
  char own[300];

  if (n <= m || strcmp(text + n - m, want) != 0) {
    return false;
  }
  snprintf(own, sizeof own, DIR_BAD "%s:", name);
  bool is_own = n - m == strlen(own) && strncmp(text, own, n - m) == 0;
  bool is_csv = strncmp(name, "csv-", 4) == 0 && n - m > 5 &&
                strncmp(text, DIR_BAD, strlen(DIR_BAD)) == 0 &&
                strncmp(text + n - m - 5, ".csv:", 5) == 0;
  return is_own || is_csv;
}

static void check_file(const char *name) {
  char path[300], want[1024];
  int line, col;
  fail why = {0};

  snprintf(path, sizeof path, DIR_BAD "%s", name);
  scenario *s = scenario_read(path, NULL, NULL, 0, &why);
  bool known = expectation(name, want, sizeof want);
  bool same = s == NULL && known && matches(why.text, name, want);
  if (!same) {
    printf("  %s\n   gives '%s'\n   wants '%s'\n", name,
           s != NULL ? "a scenario" : why.text, want);
  }
  CU_ASSERT(same);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT(sscanf(want, "%d:%d: ", &line, &col) == 2 && line > 0 && col > 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(want, "; expected "));
  CU_ASSERT_PTR_NULL(strchr(why.text, '\n'));
  scenario_free(s);
}

static void test_all(void) {
  struct dirent **files = NULL;
  int n = scandir(DIR_BAD, &files, is_yaml, alphasort);

  CU_ASSERT(n >= FILES_MIN);
  for (int i = 0; i < n; i++) {
    check_file(files[i]->d_name);
    free(files[i]);
  }
  free(files);
}

static void test_different(void) {
  struct dirent **files = NULL;
  int n = scandir(DIR_BAD, &files, is_yaml, alphasort);
  static char text[500][1024];

  CU_ASSERT(n > 0 && n <= 500);
  for (int i = 0; i < n && i < 500; i++) {
    CU_ASSERT(expectation(files[i]->d_name, text[i], sizeof text[i]));
    for (int j = 0; j < i; j++) {
      if (strcmp(text[i], text[j]) == 0) {
        printf("  %s and %s expect the same\n", files[i]->d_name,
               files[j]->d_name);
        CU_ASSERT(false);
      }
    }
  }
  for (int i = 0; i < n; i++) {
    free(files[i]);
  }
  free(files);
}

static void check_unreadable(const char *path, const char *want) {
  fail why = {0};
  scenario *s = scenario_read(path, NULL, NULL, 0, &why);

  CU_ASSERT_PTR_NULL(s);
  CHECK_EQ(why.status, EXIT_USAGE);
  CU_ASSERT_STRING_EQUAL(why.text, want);
  scenario_free(s);
}

static void test_unreadable(void) {
  check_unreadable(DIR_BAD "nowhere.yaml",
                   DIR_BAD "nowhere.yaml: cannot be read: No such file or "
                           "directory; expected a scenario file of at most "
                           "16 MiB");
  check_unreadable(DIR_BAD, DIR_BAD ": cannot be read: is a directory; "
                                    "expected a scenario file of at most "
                                    "16 MiB");
  check_unreadable("/dev/zero", "/dev/zero: cannot be read: too large; "
                                "expected a scenario file of at most 16 MiB");
}

TEST_SUITE("broken scenarios",
           {"each broken file gives its one located error", test_all},
           {"no two broken files are the same error", test_different},
           {"a file that cannot be read is named, with the reason",
            test_unreadable})
