/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing arrays of the networks; out of memory ends the process, as a network
   that lost a flow has no result worth saving. */
#ifndef NET_ROOM_H
#define NET_ROOM_H

#include <stddef.h>

/* Returns |array|, moved if need be, with room for |need| elements of |size|
   bytes; *cap is the room. New elements are zero. */
void *room_for(void *array, size_t *cap, size_t need, size_t size);

#endif
