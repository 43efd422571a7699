/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

#define SECONDS 30

/* Faults with other texts are other faults. */
static int exit_status(const char *text) {
  uint32_t sum = 0;

  for (; text != NULL && *text != '\0'; text++) {
    sum = sum * 31 + (unsigned char)*text;
  }
  return text == NULL ? 0 : 3 + (int)(sum % 120);
}

int driver_try(const script *s, long fuse, bool quiet) {
  int status = 0;

  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    if (quiet && (freopen("/dev/null", "w", stdout) == NULL ||
                  freopen("/dev/null", "w", stderr) == NULL)) {
      _exit(2);
    }
    alarm(SECONDS);
    uint32_t at = 0;
    const char *bad = driver_play(s, fuse, NULL, &at);
    if (bad != NULL) {
      printf("broken at line %u: %s\n", at + 1, bad);
    }
    fflush(NULL);
    _exit(exit_status(bad));
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    perror("fork");
    exit(2);
  }
  return status;
}

static script without(const script *s, uint32_t from, uint32_t n) {
  script out = {0};

  for (uint32_t i = 0; i < s->n; i++) {
    if (i < from || i >= from + n) {
      script_add(&out, s->ops[i]);
    }
  }
  return out;
}

/* Takes away runs of |len| lines. */
static bool cut(script *s, long fuse, int how, uint32_t len) {
  bool any = false;

  for (uint32_t from = s->n; from > 0;) {
    uint32_t n = from < len ? from : len;
    from -= n;
    script less = without(s, from, n);
    if (driver_try(&less, fuse, true) == how) {
      script_free(s);
      *s = less;
      any = true;
    } else {
      script_free(&less);
    }
  }
  return any;
}

static bool lower(script *s, long fuse, int how, uint32_t i, int k) {
  uint32_t was = s->ops[i].arg[k];
  const uint32_t less[] = {0, 1, was / 2, was - 1};

  for (size_t t = 0; t < sizeof less / sizeof *less; t++) {
    if (less[t] < was) {
      s->ops[i].arg[k] = less[t];
      if (driver_try(s, fuse, true) == how) {
        return true;
      }
      s->ops[i].arg[k] = was;
    }
  }
  return false;
}

void driver_shrink(script *s, long fuse, int how) {
  bool any = true;

  for (int round = 0; any && round < 20; round++) {
    any = false;
    for (uint32_t len = s->n / 2; len > 0; len /= 2) {
      any = cut(s, fuse, how, len) || any;
    }
    for (uint32_t i = 0; i < s->n; i++) {
      for (int k = 0; k < OP_ARGS; k++) {
        while (s->ops[i].arg[k] > 0 && lower(s, fuse, how, i, k)) {
          any = true;
        }
      }
    }
  }
}
