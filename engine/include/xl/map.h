/* SPDX-License-Identifier: MIT */
/*
 * Piece map: which pieces of one content a device holds, and since when.
 *
 * Held pieces are a journal in the order they were completed, plus the
 * position of each piece in it. A device publishes the journal's length once an
 * announce interval; a reader at path latency d sees the newest length that was
 * published at least d ago. So a reader's view is one integer (the visible
 * length), maps are never copied, and "does the peer have piece p" is
 * pos(p) < visible. Reading what is new is reading the journal's tail.
 */
#ifndef XL_MAP_H
#define XL_MAP_H

#include <xl/types.h>

typedef struct xl_map xl_map;

XL_BEGIN_DECLS

uint32_t xl_map_npieces(const xl_map *m);
uint32_t xl_map_nheld(const xl_map *m);
bool xl_map_holds(const xl_map *m, uint32_t piece);
/* True when |piece| is among the first |visible| completed pieces. */
bool xl_map_sees(const xl_map *m, uint32_t piece, uint32_t visible);
/* The |i|-th completed piece, i < nheld. */
uint32_t xl_map_journal(const xl_map *m, uint32_t i);
/* The newest published length that is at least |latency| old at |now|. */
uint32_t xl_map_visible(const xl_map *m, xl_time now, xl_span latency);

XL_END_DECLS

#endif
