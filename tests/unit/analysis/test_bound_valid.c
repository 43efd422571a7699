/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No schedule beats the lower bound: small random worlds (sites, held copies,
 * several contents, arrivals, repeated jobs, links that change), each served by
 * a random schedule on an exact fluid network. Pieces move whole, as soon as
 * somebody has one, over max-min fair rates; who fetches what from whom is
 * drawn. Each term must also be nearly reached by some schedule: a bound that
 * is merely small would not pass.
 */
#include <math.h>
#include <stdbool.h>

#include "test.h"

#include "instance.h"

#define WORLDS 30000
#define DEVICES 7
#define CONTENTS 3
#define PIECES 4 /* of a content, at most */
#define LINKS (2 * DEVICES + 2 * DEVICES + 2)
#define FLOWS (DEVICES * CONTENTS * PIECES)
#define TOLERANCE 1e-9

/* ---- draws --------------------------------------------------------------- */

static uint64_t state;

static unsigned below(unsigned n) {
  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (unsigned)((state >> 33) * n >> 31);
}

static bool chance(unsigned percent) {
  return below(100) < percent;
}

static uint64_t rate(unsigned unlimited_percent) {
  static const uint64_t some[] = {10, 20, 50, 100, 200, 1000};

  return chance(unlimited_percent) ? UNLIMITED : some[below(6)];
}

/* ---- the world ----------------------------------------------------------- */

/* Links by number: devices' down and up, sites' down and up, origins. */
enum { DOWN = 0, UP = DEVICES, WAN_DOWN = 2 * DEVICES };
enum { WAN_UP = 3 * DEVICES, ORIGIN = 4 * DEVICES };

static double full[LINKS]; /* capacities as the tables have them */
static unsigned npieces[CONTENTS];
static double piece_bytes[CONTENTS];
static bool have[DEVICES][CONTENTS][PIECES];
static double asked[DEVICES][CONTENTS]; /* from when; INFINITY never */

static double real_rate(uint64_t r) {
  return r == UNLIMITED ? 1e15 : (double)r;
}

static void draw_network(void) {
  unsigned nsites = 1 + below(3), norigins = 1 + below(2);
  unsigned ndevices = 1 + below(DEVICES);
  bool peers = chance(75); /* else nobody uploads */

  for (unsigned i = 0; i < nsites; i++) {
    uint64_t wan_down = rate(30), wan_up = rate(30);
    add_site(wan_down, chance(30) ? 0 : wan_up);
    full[WAN_DOWN + i] = real_rate(instance.sites[i].wan_down_Bps);
    full[WAN_UP + i] = real_rate(instance.sites[i].wan_up_Bps);
  }
  for (unsigned i = 0; i < norigins; i++) {
    add_origin(rate(10));
    full[ORIGIN + i] = real_rate(instance.origins[i].rate_Bps);
  }
  for (unsigned i = 0; i < ndevices; i++) {
    uint32_t site = below(nsites);
    uint64_t down = rate(0), up = rate(10);
    uint32_t d = add_device(site, down, peers ? up : 0);
    full[DOWN + d] = (double)instance.devices[d].down_Bps;
    full[UP + d] = real_rate(instance.devices[d].up_Bps);
  }
}

static void draw_contents(void) {
  unsigned n = 1 + below(CONTENTS);

  for (unsigned c = 0; c < n; c++) {
    npieces[c] = 1 + below(PIECES);
    piece_bytes[c] = 100 * (1 + below(5));
    add_content((uint64_t)piece_bytes[c] * npieces[c]);
    for (uint32_t d = 0; d < instance.ndevices; d++) {
      bool held = chance(12);
      asked[d][c] = INFINITY;
      for (unsigned p = 0; p < PIECES; p++) {
        have[d][c][p] = held;
      }
      if (held) {
        add_hold(d, c);
      }
    }
  }
}

static void draw_jobs(void) {
  int64_t spread = chance(50) ? 0 : 1 + below(60);

  for (uint32_t d = 0; d < instance.ndevices; d++) {
    for (uint32_t j = 0; j < 3; j++) {
      if (!chance(j == 0 ? 90 : 25)) {
        continue;
      }
      uint32_t c = below((unsigned)instance.ncontents);
      int64_t release = spread > 0 && chance(50) ? below(5) : 0;
      int64_t at = release + (spread > 0 ? below((unsigned)spread) : 0);
      row_jobs *job = add_job(d, chance(50) ? j : 0, c, at * S_NS);
      job->release_ns = release * S_NS;
      asked[d][c] = fmin(asked[d][c], (double)at);
      if (instance.ncontents > 1 && chance(40)) { /* a second file */
        c = (c + 1) % (uint32_t)instance.ncontents;
        add_file(d, job->job, c);
        job->files = 2;
        asked[d][c] = fmin(asked[d][c], (double)at);
      }
    }
  }
}

static void draw_world(uint64_t seed) {
  state = seed * 2654435761u + 1;
  instance_clear(INT64_MAX / 2);
  memset(full, 0, sizeof full);
  draw_network();
  draw_contents();
  draw_jobs();
}

/* ---- the fluid network --------------------------------------------------- */

typedef struct flow {
  uint32_t device, content, piece;
  unsigned link[4], nlinks;
  double left, rate;
} flow;

static flow flows[FLOWS];
static size_t nflows;
static double capacity[LINKS]; /* now */

/* Progressive filling. */
static void share(void) {
  double left[LINKS];
  bool fixed[FLOWS] = {false};

  memcpy(left, capacity, sizeof left);
  for (size_t done = 0; done < nflows;) {
    unsigned users[LINKS] = {0}, tight = LINKS;
    for (size_t i = 0; i < nflows; i++) {
      for (unsigned k = 0; !fixed[i] && k < flows[i].nlinks; k++) {
        users[flows[i].link[k]]++;
      }
    }
    for (unsigned l = 0; l < LINKS; l++) {
      if (users[l] > 0 &&
          (tight == LINKS || left[l] / users[l] < left[tight] / users[tight])) {
        tight = l;
      }
    }
    double each = left[tight] / users[tight];
    for (size_t i = 0; i < nflows; i++) {
      bool uses = false;
      for (unsigned k = 0; k < flows[i].nlinks; k++) {
        uses = uses || flows[i].link[k] == tight;
      }
      if (!uses || fixed[i]) {
        continue;
      }
      fixed[i] = true;
      flows[i].rate = each;
      done++;
      for (unsigned k = 0; k < flows[i].nlinks; k++) {
        double *l = &left[flows[i].link[k]];
        *l = flows[i].link[k] == tight ? *l - each : fmax(0, *l - each);
      }
    }
    left[tight] = 0;
  }
}

/* ---- the schedule -------------------------------------------------------- */

static unsigned parallel, eager, from_origin; /* drawn for each world */

static bool fetching(uint32_t d, uint32_t c, uint32_t p, unsigned *active) {
  bool it = false;

  *active = 0;
  for (size_t i = 0; i < nflows; i++) {
    *active += flows[i].device == d;
    it = it ||
         (flows[i].device == d && flows[i].content == c && flows[i].piece == p);
  }
  return it;
}

static void fetch(uint32_t d, uint32_t c, uint32_t p) {
  flow *f = &flows[nflows];
  uint32_t site = instance.devices[d].site, peers[DEVICES], n = 0;

  *f = (flow){.device = d, .content = c, .piece = p, .left = piece_bytes[c]};
  f->link[f->nlinks++] = DOWN + d;
  for (uint32_t i = 0; i < instance.ndevices; i++) {
    bool inside = instance.devices[i].site == site;
    if (have[i][c][p] && full[UP + i] > 0 &&
        (inside || full[WAN_UP + instance.devices[i].site] > 0)) {
      peers[n++] = i;
    }
  }
  if (n > 0 && !chance(from_origin)) {
    uint32_t peer = peers[below(n)], other = instance.devices[peer].site;
    f->link[f->nlinks++] = UP + peer;
    if (other != site) {
      f->link[f->nlinks++] = WAN_UP + other;
      f->link[f->nlinks++] = WAN_DOWN + site;
    }
  } else {
    f->link[f->nlinks++] = ORIGIN + below((unsigned)instance.norigins);
    f->link[f->nlinks++] = WAN_DOWN + site;
  }
  nflows++;
}

/* Starts what the schedule starts now; the earliest arrival still to come. */
static double start(double now) {
  double next = INFINITY;
  unsigned nd = (unsigned)instance.ndevices, nc = (unsigned)instance.ncontents;
  unsigned items = nd * nc * PIECES, first = below(items), active;

  for (unsigned k = 0; k < items; k++) {
    unsigned i = (first + k) % items;
    uint32_t d = i / (nc * PIECES), c = i / PIECES % nc, p = i % PIECES;
    if (p >= npieces[c] || have[d][c][p] || isinf(asked[d][c])) {
      continue;
    }
    if (asked[d][c] > now) {
      next = fmin(next, asked[d][c]);
    } else if (!fetching(d, c, p, &active) && active < parallel &&
               (nflows == 0 || chance(eager))) {
      fetch(d, c, p);
    }
  }
  return next;
}

static void change_links(bool restore) {
  static const double factor[] = {0, 0.3, 1, 1};

  for (unsigned l = 0; l < LINKS; l++) {
    capacity[l] = full[l] * (restore ? 1 : factor[below(4)]);
  }
}

/* Lets |span| pass; true when something arrived. */
static bool deliver(double span) {
  size_t kept = 0, before = nflows;

  for (size_t i = 0; i < nflows; i++) {
    flow *f = &flows[i];
    f->left -= f->rate * span;
    if (f->left <= 1e-12 * piece_bytes[f->content]) {
      have[f->device][f->content][f->piece] = true;
    } else {
      flows[kept++] = *f;
    }
  }
  nflows = kept;
  return kept < before;
}

/* Serves every job; when the last piece arrived. */
static double simulate(void) {
  double now = 0, last = 0;
  unsigned changes = chance(30) ? 3 : 0;

  parallel = 1 + below(4);
  eager = chance(60) ? 100 : 40;
  from_origin = chance(50) ? 0 : below(60);
  nflows = 0;
  change_links(changes == 0);
  for (;;) {
    double span = start(now) - now;
    bool change = false;
    share();
    for (size_t i = 0; i < nflows; i++) {
      if (flows[i].rate > 0) {
        span = fmin(span, flows[i].left / flows[i].rate);
      }
    }
    if (changes > 0 && span > 15) {
      span = 15;
      change = true;
    }
    if (isinf(span)) {
      break;
    }
    now += span;
    last = deliver(span) ? now : last;
    if (change) {
      changes--;
      change_links(changes == 0);
    }
  }
  CHECK_EQ(nflows, 0);
  return last;
}

/* ---- the tests ----------------------------------------------------------- */

/* Of the last finish: a job also has to arrive. */
static double makespan(void) {
  int64_t release = INT64_MAX, arrival = 0;
  double last = simulate();

  for (size_t i = 0; i < instance.njobs; i++) {
    const row_jobs *j = &instance.jobs[i];
    release = j->release_ns < release ? j->release_ns : release;
    arrival = j->arrival_ns > arrival ? j->arrival_ns : arrival;
  }
  return fmax(last, (double)arrival / 1e9) - (double)release / 1e9;
}

static const char *const term_names[] = {
#define X(name, text) #name,
    BOUND_MAP(X)
#undef X
};

static void test_valid(void) {
  unsigned worlds[NBOUNDS] = {0}, beaten = 0;
  double nearest[NBOUNDS];

  for (unsigned t = 0; t < NBOUNDS; t++) {
    nearest[t] = INFINITY;
  }
  for (uint64_t seed = 1; seed <= WORLDS; seed++) {
    enum bound_term term;
    draw_world(seed);
    if (instance.njobs == 0) {
      continue;
    }
    double bound = bound_of(&term), took = makespan();
    if (took < bound * (1 - TOLERANCE)) {
      beaten++;
      printf("  world %u: %s says %.9g s, a schedule took %.9g s\n",
             (unsigned)seed, term_names[term], bound, took);
    }
    worlds[term]++;
    if (bound > 0) {
      nearest[term] = fmin(nearest[term], took / bound);
    }
  }
  CHECK_EQ(beaten, 0);
  for (unsigned t = BOUND_NONE + 1; t < NBOUNDS; t++) {
    printf("  %-13s binds in %4u worlds, nearest schedule %.4f\n",
           term_names[t], worlds[t], nearest[t]);
    CU_ASSERT(worlds[t] >= 30);
    CU_ASSERT(nearest[t] < 1.1);
  }
}

TEST_SUITE("validity of the lower bound",
           {"no schedule beats it, and each term is nearly reached",
            test_valid})
