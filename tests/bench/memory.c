/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * B10: what an agent costs, and what a piece allocates, counted by the
 * allocator that the engine is given. Bytes are those the engine asks for;
 * where it says so, malloc's own overhead comes on top: 8 bytes a block, in
 * steps of 16 from 32
 * on.
 *
 * Size: half the difference of two worlds, one with three times the agents of
 * the other. Each agent has one running job with one file of 1,000 pieces and
 * one request under way. What is kept of each piece (map.h: what is had, what
 * is asked for, how many peers hold it) is told beside it.
 *
 * Swarm: a site of 100 devices that begin within 10 s and fetch 64 pieces from
 * one another and an origin, each knowing 50 others; the most bytes at any
 * time.
 *
 * Steady state: one agent fetches such a file from holders and an origin, each
 * request taking 10 ms; allocations are counted from piece 100 to piece 900.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xl/agent.h>

#include "peers.h"

#define PIECES 1000u
#define PIECE XL_MIB(1)
#define FLAGS (XL_PEERCACHING_CLIENT | XL_PEERCACHING_SERVER)
#define FEW 500u
#define HOLDERS 8u
#define NPEERS 50u
#define SITE 100u
#define SITES 5u
#define SITE_PIECES 64u
#define WIRES 8192u

typedef struct wire { /* a GET under way */
  bool used, running;
  xl_agent *agent;
  uint32_t request;
  uint32_t ask;
  uint32_t peer; /* XL_NONE: the origin */
  xl_range range;
  xl_time end;
} wire;

typedef struct lab {
  xl_engine *eng;
  xl_time now;
  xl_agent **agents;
  uint32_t nagents;
  uint32_t npeers; /* found by a search */
  uint32_t first_peer;
  bool site;      /* of other agents, else of numbers from |first_peer| on */
  uint32_t known; /* given to the last search */
  uint32_t gets;
  xl_span each; /* a request takes so long */
  xl_version version;
  bool carry; /* requests are answered in full, else only accepted */
  wire wires[WIRES];
  uint32_t asks, under_way, under_way_max;
  size_t in_use, allocs, heap, heap_max; /* heap: malloc's own included */
} lab;

static const xl_file_info info = {.remote = "http://origin/update",
                                  .local = "C:\\update",
                                  .content = "update",
                                  .piece_bytes = PIECE};

static void give_up(const char *what) {
  fprintf(stderr, "memory: %s\n", what);
  exit(2);
}

/* ---- what the engine asks ---- */

static size_t chunk(size_t size) { /* glibc's, of 64 bits */
  return size < 24 ? 32 : (size + 8 + 15) / 16 * 16;
}

static void *count(void *arg, void *ptr, size_t size) {
  lab *l = arg;
  size_t *head = ptr == NULL ? NULL : (size_t *)ptr - 2;

  l->in_use -= head == NULL ? 0 : head[0];
  l->heap -= head == NULL ? 0 : chunk(head[0]);
  if (size == 0) {
    free(head);
    return NULL;
  }
  head = realloc(head, size + 2 * sizeof *head);
  if (head == NULL) {
    give_up("out of memory");
  }
  head[0] = size;
  l->in_use += size;
  l->heap += chunk(size);
  l->heap_max = l->heap > l->heap_max ? l->heap : l->heap_max;
  l->allocs++;
  return head + 2;
}

static uint64_t draw(void *arg, uint32_t id, uint64_t n) {
  uint64_t x = id * 0x9e3779b97f4a7c15u + n * 0xbf58476d1ce4e5b9u + 1;

  (void)arg;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static const xl_map *peer_map(void *arg, const xl_agent *reader, uint32_t peer,
                              xl_name key, xl_version v, uint32_t *visible) {
  lab *l = arg;
  const xl_map *m =
      peer < l->nagents ? xl_agent_map(l->agents[peer], key, v) : NULL;

  (void)reader;
  *visible = m == NULL ? 0 : xl_map_visible(m, l->now, 0);
  return m;
}

static xl_bytes arrived(void *arg, const xl_agent *a, uint32_t request) {
  (void)arg;
  (void)a;
  (void)request;
  return 0;
}

static lab *lab_new(uint32_t agents, uint32_t npieces) {
  lab *l = calloc(1, sizeof *l);
  xl_engine_cfg cfg = xl_engine_cfg_default();

  if (l == NULL || (l->agents = calloc(agents, sizeof *l->agents)) == NULL) {
    give_up("out of memory");
  }
  l->version = (xl_version){npieces * PIECE, 7};
  l->each = XL_MS(10);
  const xl_env env = {.size = sizeof env,
                      .arg = l,
                      .alloc = {count, l},
                      .draw = draw,
                      .peer_map = peer_map,
                      .arrived = arrived};
  if (xl_engine_new(&l->eng, &cfg, &env) != XL_OK) {
    give_up("no engine");
  }
  return l;
}

static void lab_del(lab *l) {
  xl_engine_del(l->eng);
  if (l->in_use != 0) {
    give_up("the engine leaks");
  }
  free(l->agents);
  free(l);
}

static xl_agent *add_agent(lab *l, const xl_policy *policy) {
  const xl_agent_cfg cfg = {
      .id = l->nagents,
      .policy = policy,
      .peercaching = FLAGS,
      .device = {.ram_bytes = XL_GIB(8), .disk_bytes = XL_GIB(256)}};

  if (xl_agent_new(&l->agents[l->nagents], l->eng, &cfg, l->now) != XL_OK) {
    give_up("no agent");
  }
  return l->agents[l->nagents++];
}

static xl_job *add_job(lab *l, xl_agent *a) {
  xl_job *j;

  if (xl_job_create(a, "rollout", &j, l->now) != XL_OK ||
      xl_job_set_peercaching(j, FLAGS, l->now) != XL_OK ||
      xl_job_add_file(j, &info, NULL, l->now) != XL_OK ||
      xl_job_resume(j, l->now) != XL_OK) {
    give_up("no job");
  }
  return j;
}

/* ---- the network ---- */

static void begin(lab *l, const xl_action *a) {
  uint32_t i = 0;

  while (i < WIRES && l->wires[i].used) {
    i++;
  }
  if (i == WIRES) {
    give_up("too many requests at once");
  }
  l->under_way++;
  l->under_way_max =
      l->under_way > l->under_way_max ? l->under_way : l->under_way_max;
  bool from_peer = a->source == XL_SOURCE_PEER;
  l->wires[i] = (wire){.used = true,
                       .running = !from_peer,
                       .agent = a->agent,
                       .request = a->request,
                       .ask = ++l->asks,
                       .peer = from_peer ? a->peer : XL_NONE,
                       .range = a->range,
                       .end = l->now + l->each};
  if (from_peer) {
    xl_agent_asked(l->agents[a->peer], l->asks, xl_agent_id(a->agent), a->scope,
                   a->key, a->version, a->range, l->now);
  }
}

static void answered(lab *l, const xl_action *a) {
  for (uint32_t i = 0; i < WIRES; i++) {
    wire *w = &l->wires[i];
    if (w->used && !w->running && w->ask == a->ask) {
      w->running = a->answer.accept;
      w->used = a->answer.accept;
      w->end = l->now + l->each;
      if (!w->used) {
        l->under_way--;
        xl_agent_ended(w->agent, w->request, XL_END_REFUSED, XL_OK, 0,
                       a->answer.retry_after, l->now);
      }
      return;
    }
  }
}

static void found(lab *l, const xl_action *a) {
  xl_peer_info peers[128];
  uint32_t n = 0;

  for (uint32_t i = 0; i < l->npeers && n < a->find.want; i++) {
    uint32_t me = xl_agent_id(a->agent);
    uint32_t other =
        me / SITE * SITE + (me + 1 + (me + i) * 41 % (SITE - 1)) % SITE;
    peers[n++] =
        (xl_peer_info){l->site ? other : l->first_peer + i, XL_SCOPE_SUBNET};
  }
  l->known = n;
  xl_agent_found(a->agent, a->request, peers, n, true, l->now);
}

static void act(lab *l) {
  const xl_reply reply = {206, l->version, true, NULL};
  xl_action a;

  while (xl_engine_next(l->eng, &a)) {
    if (a.kind == XL_ACT_HEAD) {
      xl_agent_reply(a.agent, a.request, &reply, l->now);
    } else if (a.kind == XL_ACT_GET) {
      l->gets++;
      if (l->carry) {
        begin(l, &a);
      } else {
        xl_agent_reply(a.agent, a.request, &reply, l->now);
      }
    } else if (a.kind == XL_ACT_FIND) {
      found(l, &a);
    } else if (a.kind == XL_ACT_ANSWER) {
      answered(l, &a);
    } else if (a.kind == XL_ACT_CANCEL) {
      give_up("a request was cancelled");
    }
  }
}

static void finish(lab *l, wire *w) {
  const xl_reply reply = {206, l->version, true, NULL};

  w->used = false;
  l->under_way--;
  xl_agent_reply(w->agent, w->request, &reply, l->now);
  xl_agent_deliver(w->agent, w->request, w->range, l->version, XL_VERDICT_GOOD,
                   NULL, l->now);
  if (w->peer != XL_NONE) {
    xl_agent_served(l->agents[w->peer], w->ask, w->range.end - w->range.begin,
                    l->now);
  }
}

/* The next thing that happens; false: nothing does. */
static bool step(lab *l) {
  xl_time due = xl_engine_deadline(l->eng);
  wire *next = NULL;

  for (uint32_t i = 0; i < WIRES; i++) {
    wire *w = &l->wires[i];
    if (w->used && w->running && w->end <= due) {
      due = w->end;
      next = w;
    }
  }
  if (due == XL_NEVER) {
    return false;
  }
  l->now = due > l->now ? due : l->now;
  if (next != NULL) {
    finish(l, next);
  } else {
    xl_engine_advance(l->eng, l->now);
  }
  act(l);
  if (xl_engine_status(l->eng, NULL) != XL_OK) {
    give_up("the engine failed");
  }
  return true;
}

/* ---- B10 ---- */

/* What is kept of each piece: what is had, asked for, and held by peers. */
typedef struct per_piece {
  size_t had, asked, held;
} per_piece;

static per_piece piece_bytes(const xl_policy *p) {
  lab *l = lab_new(1, PIECES);
  size_t before = l->in_use;
  xl_map *m = p->swarms ? xli_map_shared(l->eng, PIECES)
                        : xli_map_private(l->eng, PIECES);
  size_t words = bits_words(PIECES) * sizeof(uint64_t);
  per_piece out = {l->in_use - before - words, words,
                   p->swarms ? words * xli_avail_bits(l->eng) : 0};

  count(l, m, 0);
  lab_del(l);
  return out;
}

/* Bytes of |n| agents that each have requests under way; |l->known|: the peers
   that each of them was told of, at most |npeers|. */
static size_t world_bytes(const xl_policy *p, uint32_t n, uint32_t npeers,
                          uint32_t *known, double *gets) {
  lab *l = lab_new(n, PIECES);

  l->npeers = npeers;
  l->first_peer = 1000000; /* nobody: what is known of them is all there is */
  for (uint32_t i = 0; i < n; i++) {
    add_job(l, add_agent(l, p));
    act(l);
  }
  while (l->gets < n && l->now < XL_MIN(60) && step(l)) {
  }
  if (l->gets < n) {
    give_up("not every agent has asked for something");
  }
  size_t bytes = l->in_use;
  *known = l->known;
  *gets = (double)l->gets / n;
  lab_del(l);
  return bytes;
}

static double agent_bytes(const xl_policy *p, uint32_t npeers, uint32_t *known,
                          double *gets) {
  size_t few = world_bytes(p, FEW, npeers, known, gets);
  size_t many = world_bytes(p, 3 * FEW, npeers, known, gets);

  return (double)(many - few) / (2 * FEW);
}

static uint32_t pieces(const xl_job *j) {
  xl_job_progress p;

  xl_job_progress_of(j, &p);
  return (uint32_t)(p.transferred / PIECE);
}

/* Allocations from piece 100 to piece 900; *from and *to: the pieces. */
static size_t steady_allocs(const xl_policy *p, uint32_t *from, uint32_t *to) {
  lab *l = lab_new(HOLDERS + 1, PIECES);

  l->carry = true;
  l->npeers = p->serve == NULL ? 0 : HOLDERS;
  for (uint32_t i = 0; i < l->npeers; i++) {
    if (xl_agent_hold(add_agent(l, p), &info, l->version, l->now) != XL_OK) {
      give_up("a holder does not hold");
    }
  }
  xl_job *j = add_job(l, add_agent(l, p));
  act(l);
  while (pieces(j) < 100 && step(l)) {
  }
  *from = pieces(j);
  size_t before = l->allocs;
  while (pieces(j) < 900 && step(l)) {
  }
  *to = pieces(j);
  size_t allocs = l->allocs - before;
  while (xl_job_state_of(j) != XL_JOB_TRANSFERRED && step(l)) {
  }
  if (pieces(j) != PIECES) {
    give_up("the file was not fetched");
  }
  lab_del(l);
  return allocs;
}

static const char *verdict(bool good) {
  return good ? "ok" : "short";
}

static void print_size(const xl_policy *p) {
  per_piece each = piece_bytes(p);
  double map = (double)(each.had + each.asked + each.held), gets;
  uint32_t one = 0, known = 0;
  double bytes = agent_bytes(p, 1, &one, &gets);
  double more = agent_bytes(p, 1 + NPEERS, &known, &gets);
  double known_peer = known > one ? (more - bytes) / (known - one) : 0;

  if (gets != 1) {
    give_up("an agent has other than one request under way");
  }
  bytes -= one * known_peer + map;
  printf("B10 agent with a running file of 1,000 pieces and a request under "
         "way, %s, beyond its maps (had %zu B, asked for %zu B, held by peers "
         "%zu B) measured=%.0fB limit=1024B %s\n",
         p->name, each.had, each.asked, each.held, bytes,
         verdict(bytes <= 1024));
  if (known > one) {
    printf("B10 known peer, one of %u, %s measured=%.0fB limit=64B %s\n", known,
           p->name, known_peer, verdict(known_peer <= 64));
  }
}

/* The most bytes of |n| devices that swarm in sites, malloc's included;
 *requests: the most under way at a time. */
static size_t site_bytes(const xl_policy *p, uint32_t n, uint32_t *requests) {
  lab *l = lab_new(n, SITE_PIECES);
  xl_job **jobs = calloc(n, sizeof *jobs);
  uint32_t done = 0;

  if (jobs == NULL) {
    give_up("out of memory");
  }
  l->carry = l->site = true;
  l->npeers = NPEERS;
  l->each = XL_SEC(4);
  for (uint32_t i = 0; i < n; i++) {
    jobs[i] = add_job(l, add_agent(l, p));
    act(l);
    while (l->now < (xl_time)i * XL_SEC(10) / n && step(l)) {
    }
  }
  while (done < n && step(l)) {
    done = 0;
    for (uint32_t i = 0; i < n; i++) {
      done += xl_job_state_of(jobs[i]) == XL_JOB_TRANSFERRED;
    }
  }
  if (done < n || l->known != NPEERS) {
    give_up("a site has not fetched its file");
  }
  size_t bytes = l->heap_max;
  *requests = l->under_way_max;
  free(jobs);
  lab_del(l);
  return bytes;
}

static void print_swarm(const xl_policy *p) {
  uint32_t few, many;
  size_t more = site_bytes(p, SITES * SITE, &many) - site_bytes(p, SITE, &few);
  double bytes = (double)more / ((SITES - 1) * SITE);

  printf(
      "B10 one of a site of %u with %u pieces, each knowing %u, %s, malloc's "
      "own included, at the most; then %.1f requests under way "
      "measured=%.0fB limit=4096B %s\n",
      SITE, SITE_PIECES, NPEERS, p->name,
      (double)(many - few) / ((SITES - 1) * SITE), bytes,
      verdict(bytes <= 4096));
}

static void print_allocs(const xl_policy *p) {
  uint32_t from = 0, to = 0;
  size_t allocs = steady_allocs(p, &from, &to);

  if (to - from < 100) { /* the whole file was one request */
    return;
  }
  printf("B10 allocations from piece %u to piece %u, %s measured=%zu limit=0 "
         "%s\n",
         from, to, p->name, allocs, verdict(allocs == 0));
}

int main(void) {
  for (size_t i = 0; xl_policies[i] != NULL; i++) {
    print_size(xl_policies[i]);
    if (xl_policies[i]->swarms) {
      print_swarm(xl_policies[i]);
    }
    print_allocs(xl_policies[i]);
  }
  return 0;
}
