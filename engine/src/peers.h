/* SPDX-License-Identifier: MIT */
/*
 * The known peers of one file, what they are seen to hold, and the search for
 * more of them. Made when a file first looks for peers.
 *
 * What a peer is seen to hold is the first |nheld| entries of its map's
 * journal. xli_peers_sync reads the environment's newest visible lengths, at
 * most once an announce interval; between two syncs nothing changes. How many
 * peers see each piece is kept up from the journals' tails once somebody asks
 * for it, and counted anew when a map has vanished or been replaced.
 *
 * The counts of 64 pieces are bits of a few words: word b holds bit b of each.
 * So a step of a search for the rarest piece looks at 64 of them.
 */
#ifndef ENGINE_PEERS_H
#define ENGINE_PEERS_H

#include "map.h"

#define PEER_RECEIVED_MAX (((uint64_t)1 << 40) - 1)
#define PEER_REQUESTS_MAX ((1u << 14) - 1)
#define PEER_FAILURES_MAX ((1u << 5) - 1)

/* Of a peer the |nheld| pieces of map |map| (0: none) that it is seen to hold
   since the last sync are in |avail| if it is |counted|. */
_Static_assert(sizeof(xl_peer) == 32, "a known peer costs 32 bytes");

/* The maps that the environment lent for the peers of one file, good for one
   call of the engine. */
typedef struct look {
  const xl_map *map;
  uint64_t turn; /* it is known if this is the engine's |look_turn| */
} look;

/* Files of ranges and a cache of records: peers are known for one row. */
typedef struct turn {
  xl_map *all;    /* owned; what a peer that holds the row is seen to hold */
  xl_range bytes; /* of the local file */
  xl_name key;
  uint32_t row;
} turn;

typedef struct swarm {
  xl_peer *peers;  /* owned; the policy's states of |cap| peers follow them */
  uint64_t *avail; /* owned; how many peers see each piece; NULL: not asked */
  uint16_t n, cap;
  uint16_t want;   /* of the search under way */
  uint16_t found;  /* by it */
  uint32_t search; /* number of the search under way; 0 none */
  uint32_t nsearches;
  uint32_t failures;
  bool stale;       /* avail must be counted anew */
  bool unsynced;    /* a peer has not been looked at yet */
  xl_time searched; /* -1 never */
  xl_time find_due; /* when to ask the policy whether to look; searching: when
                       to stop waiting */
  xl_time synced;
  xl_time poll_due;  /* when maps may have grown */
  xl_time quiet_due; /* when a busy or banned peer may be asked again */
  turn *turn;        /* owned; NULL: peers are known for the whole file */
} swarm;

/* NULL when out of memory. */
swarm *xli_swarm_new(xl_engine *eng);
void xli_swarm_del(xl_engine *eng, swarm *s);
/* Records supply the rows of |f| one by one (R642, R643). */
bool xli_peers_by_row(const xl_file *f);
/* The peers known are those of the row of the first missing byte. */
void xli_peers_turn(xl_file *f);
/* What is shared with peers: the row, or the file. */
xl_name xli_peers_key(const xl_file *f);
/* Index of the peer; XL_NONE: not known. */
uint32_t xli_peers_find(const swarm *s, uint32_t id);
/* Room for |n| peers, and no more. False when out of memory. */
bool xli_peers_room(xl_file *f, uint32_t n);
/* Adds one for which there is room. */
void xli_peers_add(xl_file *f, const xl_peer_info *info);
/* The policy's state of peer |i|. */
void *xli_peer_state(const xl_file *f, uint32_t i);
/* Forgets a peer; the last one takes its index. */
void xli_peers_drop(xl_file *f, uint32_t i);
void xli_peers_ban(xl_file *f, uint32_t i, xl_time until);
void xli_peers_busy(xl_file *f, uint32_t i, xl_time until);
static inline bool xli_peer_banned(const xl_peer *p, xl_time now) {
  return p->banned && p->quiet_until > now;
}
/* Reads what the peers are seen to hold now; false if nothing is new. */
bool xli_peers_sync(xl_file *f);
bool xli_peer_has(const xl_file *f, uint32_t i, uint32_t piece);
/* The map behind peer |i| in this call of the engine; NULL: none. */
const xl_map *xli_peer_map(const xl_file *f, uint32_t i);
/* How many known, not banned peers see |piece|. */
uint32_t xli_peers_holders(const xl_file *f, uint32_t piece);
/* Bits of numbers up to |most|. */
static inline uint32_t xli_bits_of(uint32_t most) {
  return 32 - (uint32_t)__builtin_clz(most | 1);
}
/* Words of the counts of 64 pieces: they count up to |peers_max|. */
uint32_t xli_avail_bits(const xl_engine *eng);
/* Counts of all pieces, xli_avail_bits words for each 64; NULL when out of
   memory. */
const uint64_t *xli_peers_avail(const xl_file *f);
/* Sets poll_due, and wakes the agent when something about the peers may be new
   without an input. */
void xli_peers_wait(xl_file *f);

#endif
