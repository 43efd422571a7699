/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver [--steps N] [--seed S] [--mode legal|erratic|mixed|memory]
 *        [--save FILE] | --replay FILE.. | --shrink FILE
 *
 * Scripts of some hundred lines are played until N lines have been; the first
 * that breaks something is shrunk, printed and saved, and the exit status is 1.
 * Scripts run in a process of their own, so that a crash is found like any
 * other fault.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

typedef enum main_mode { LEGAL, ERRATIC, MIXED, MEMORY } main_mode;

typedef struct shared { /* between the player and who watches it */
  uint64_t script, steps;
  long fuse;
  driver_sums sums;
} shared;

static uint32_t lines_of(uint64_t n, main_mode mode) {
  static const uint32_t lines[] = {60, 300, 300, 600, 150, 1200, 300, 100};

  return mode == MEMORY ? 40 : lines[n % 8];
}

static void make(script *s, uint64_t seed, uint64_t n, main_mode mode) {
  bool erratic = mode == ERRATIC || (mode == MIXED && n % 8 == 7);

  script_make(s, seed * 1000003u + n, lines_of(n, mode), erratic);
}

static const char *play_all_fuses(const script *s, shared *sh, uint32_t *at) {
  const char *bad = NULL;
  bool blown = true;

  for (sh->fuse = 0; blown && bad == NULL; sh->fuse++) {
    alarm(60);
    bad = driver_play(s, sh->fuse, &blown, at);
  }
  sh->fuse -= bad != NULL;
  return bad;
}

static int play(shared *sh, uint64_t seed, uint64_t steps, main_mode mode) {
  for (sh->script = 0; driver_total.steps < steps; sh->script++) {
    script s = {0};
    uint32_t at = 0;
    make(&s, seed, sh->script, mode);
    alarm(60);
    sh->fuse = -1;
    const char *bad = mode == MEMORY ? play_all_fuses(&s, sh, &at)
                                     : driver_play(&s, -1, NULL, &at);
    script_free(&s);
    sh->sums = driver_total;
    if (bad != NULL) {
      printf("broken: %s\n", bad);
      return 3;
    }
  }
  return 0;
}

static int report(const shared *sh, uint64_t seed, const char *mode, bool any) {
  const driver_sums *t = &sh->sums;
  int bare = 0;

  printf("seed %llu %s: %llu steps in %llu scripts, %llu requests, %llu "
         "bytes (%llu of peers), %llu whole files, %llu jobs completed, %llu "
         "loads, %llu notices, %llu redirections, %.2f requests open\n ",
         (unsigned long long)seed, mode, (unsigned long long)t->steps,
         (unsigned long long)t->scripts, (unsigned long long)t->requests,
         (unsigned long long)t->bytes, (unsigned long long)t->peer_bytes,
         (unsigned long long)t->whole_files, (unsigned long long)t->completed,
         (unsigned long long)t->loads, (unsigned long long)t->notices,
         (unsigned long long)t->redirected,
         (double)t->open / (double)(t->steps + !t->steps));
  for (int e = 0; e < XL_NENDS; e++) {
    printf(" %s %llu", xl_end_name((xl_end)e), (unsigned long long)t->ended[e]);
    bare += t->ended[e] == 0;
  }
  printf("\n");
  if (any && bare > 0 && t->steps >= 1000000) {
    printf("a way to end a request was never met\n");
    return 1;
  }
  return 0;
}

static void shrink_and_save(script *s, long fuse, const char *save) {
  int how = driver_try(s, fuse, true);

  if (how != 0) {
    printf("shrinking %u lines\n", s->n);
    fflush(stdout);
    driver_shrink(s, fuse, how);
    driver_try(s, fuse, false);
  } else {
    printf("it does not break again by itself\n");
  }
  if (fuse >= 0) {
    printf("# allocation %ld fails\n", fuse);
  }
  script_print(s, stdout);
  FILE *out = fopen(save, "w");
  if (out != NULL) {
    script_print(s, out);
    fclose(out);
    printf("saved as %s\n", save);
  }
}

static int run(uint64_t seed, uint64_t steps, main_mode mode,
               const char *mode_name, const char *save) {
  shared *sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int status = 0;

  if (sh == MAP_FAILED) {
    perror("mmap");
    return 2;
  }
  pid_t child = fork();
  if (child == 0) {
    int rc = play(sh, seed, steps, mode);
    fflush(NULL);
    _exit(rc);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    perror("fork");
    return 2;
  }
  if (status == 0) {
    return report(sh, seed, mode_name, mode == LEGAL || mode == MIXED);
  }
  printf("script %llu of seed %llu fails\n", (unsigned long long)sh->script,
         (unsigned long long)seed);
  script s = {0};
  make(&s, seed, sh->script, mode);
  shrink_and_save(&s, sh->fuse, save);
  script_free(&s);
  return 1;
}

static int replay(const char *path, bool shrink, long fuse, const char *save) {
  script s = {0};
  FILE *in = fopen(path, "r");

  if (in == NULL) {
    perror(path);
    return 2;
  }
  const char *bad = script_read(&s, in);
  fclose(in);
  if (bad != NULL) {
    printf("%s: %s\n", path, bad);
    return 2;
  }
  if (shrink) {
    shrink_and_save(&s, fuse, save);
    script_free(&s);
    return 1;
  }
  int how = driver_try(&s, fuse, false);
  printf("%s: %s\n", path, how == 0 ? "good" : "broken");
  script_free(&s);
  return how != 0;
}

int main(int argc, char **argv) {
  static const char *const modes[] = {"legal", "erratic", "mixed", "memory"};
  uint64_t seed = 1, steps = 200000;
  main_mode mode = MIXED;
  const char *save = "driver.txt";
  long fuse = -1;
  int failed = 0;

  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *key = argv[i], *value = argv[i + 1];
    if (strcmp(key, "--steps") == 0) {
      steps = strtoull(value, NULL, 10);
    } else if (strcmp(key, "--seed") == 0) {
      seed = strtoull(value, NULL, 10);
    } else if (strcmp(key, "--save") == 0) {
      save = value;
    } else if (strcmp(key, "--fuse") == 0) {
      fuse = strtol(value, NULL, 10);
    } else if (strcmp(key, "--loud") == 0) {
      driver_loud = *value != '0';
    } else if (strcmp(key, "--mode") == 0) {
      int k = 0;
      while (k < 3 && strcmp(modes[k], value) != 0) {
        k++;
      }
      mode = (main_mode)k;
    } else if (strcmp(key, "--shrink") == 0) {
      return replay(value, true, fuse, save);
    } else if (strcmp(key, "--replay") == 0) {
      for (int k = i + 1; k < argc; k++) {
        failed |= replay(argv[k], false, fuse, save);
      }
      return failed;
    } else {
      fprintf(stderr, "driver: what is %s?\n", key);
      return 2;
    }
  }
  return run(seed, steps, mode, modes[mode], save);
}
