/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/room.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *room_for(void *array, size_t *cap, size_t need, size_t size) {
  if (need <= *cap) {
    return array;
  }
  size_t to = *cap + *cap / 2 + 16;

  to = to < need ? need : to;
  void *moved = to > SIZE_MAX / size ? NULL : realloc(array, to * size);
  if (moved == NULL) {
    fputs("xferlab: out of memory in the network\n", stderr);
    abort();
  }
  memset((char *)moved + *cap * size, 0, (to - *cap) * size);
  *cap = to;
  return moved;
}
