/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds the files of a fuzz target's corpus, or of the folders given, to it,
 * once: an ordinary test, without libFuzzer. A fault ends the process.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const char *path) {
  FILE *in = fopen(path, "rb");
  uint8_t *data = NULL;
  size_t n = 0, got;

  if (in == NULL) {
    return 0;
  }
  do {
    data = realloc(data, n + 65536);
    got = fread(data + n, 1, 65536, in);
    n += got;
  } while (got > 0);
  fclose(in);
  LLVMFuzzerTestOneInput(data, n);
  free(data);
  return 1;
}

/* How many files |folder| has. */
static int feed_all(const char *folder) {
  struct dirent **list = NULL;
  int many = scandir(folder, &list, NULL, alphasort), n = 0;

  for (int k = 0; k < many; k++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, list[k]->d_name);
    n += list[k]->d_name[0] != '.' ? feed(path) : 0;
    free(list[k]);
  }
  free(list);
  return n;
}

int main(int argc, char **argv) {
  int n = argc < 2 ? feed_all(CORPUS) : 0;

  for (int i = 1; i < argc; i++) {
    n += feed_all(argv[i]);
  }
  printf(CORPUS ": %d passed, %d failed\n", n, n == 0);
  return n == 0;
}
