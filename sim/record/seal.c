/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "record/io.h"

#define MAGIC "xferlab trace\n"
#define BLOCK (1u << 20)

static const char hdf5_magic[8] = {(char)0x89, 'H',  'D',  'F',
                                   '\r',       '\n', 0x1a, '\n'};

/* Hash of the bytes after the seal. */
static bool hash_rest(int fd, uint64_t *len, uint64_t *hash) {
  XXH3_state_t *x = XXH3_createState();
  char *block = malloc(BLOCK);
  uint64_t at = SEAL_SIZE;
  ssize_t n = -1;

  errno = ENOMEM;
  if (x != NULL && block != NULL) {
    XXH3_64bits_reset(x);
    while ((n = io_read_at(fd, block, BLOCK, at)) > 0) {
      XXH3_64bits_update(x, block, (size_t)n);
      at += (uint64_t)n;
    }
    *len = at - SEAL_SIZE;
    *hash = XXH3_64bits_digest(x);
  }
  free(block);
  XXH3_freeState(x);
  return n == 0;
}

static void spell(char out[SEAL_SIZE], uint64_t len, uint64_t hash) {
  memset(out, 0, SEAL_SIZE);
  snprintf(out, SEAL_SIZE, MAGIC "bytes %" PRIu64 "\nxxh3 %016" PRIx64 "\n",
           len, hash);
}

bool seal_write(const char *path) {
  char seal[SEAL_SIZE];
  uint64_t len = 0, hash = 0;
  int fd = open(path, O_RDWR | O_CLOEXEC);

  if (fd < 0) {
    return false;
  }
  bool good = hash_rest(fd, &len, &hash);
  if (good) {
    spell(seal, len, hash);
    good = io_write_all(fd, seal, sizeof seal);
  }
  int e = errno;
  if (close(fd) != 0 && good) {
    return false;
  }
  errno = e;
  return good;
}

static seal_state check(int fd, bool quick) {
  char head[SEAL_SIZE], want[SEAL_SIZE];
  uint64_t len = 0, hash = 0;
  struct stat st;

  if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
    return SEAL_FOREIGN;
  }
  ssize_t n = io_read_at(fd, head, sizeof head, 0);
  if (n < 0) {
    return SEAL_UNREAD;
  }
  if (n >= (ssize_t)sizeof hdf5_magic &&
      memcmp(head, hdf5_magic, sizeof hdf5_magic) == 0) {
    return SEAL_NONE;
  }
  if (n < (ssize_t)strlen(MAGIC) || memcmp(head, MAGIC, strlen(MAGIC)) != 0) {
    return SEAL_FOREIGN;
  }
  if (quick) {
    return SEAL_GOOD;
  }
  if (n < SEAL_SIZE) {
    return SEAL_BROKEN;
  }
  if (!hash_rest(fd, &len, &hash)) {
    return SEAL_UNREAD;
  }
  spell(want, len, hash);
  return memcmp(head, want, SEAL_SIZE) == 0 ? SEAL_GOOD : SEAL_BROKEN;
}

seal_state seal_check(const char *path, bool quick) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0) {
    return errno == ENOENT ? SEAL_ABSENT : SEAL_UNREAD;
  }
  seal_state s = check(fd, quick);
  int e = errno;
  close(fd);
  errno = e;
  return s;
}
