/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long random scripts: the same notes in the same order from two processes,
   and every byte told once. */
#include "lab.h"

#define KB 1000u
#define MB 1000000u
#define NCHANNELS 24u
#define NSTEPS 1500u

static const net_node_spec big_nodes[] = {
    {.parent = NET_NO_NODE},
    {.parent = 0, .up_Bps = 9 * MB, .down_Bps = 9 * MB, .host = true},
    {.parent = 0, .up_Bps = 1 * MB, .down_Bps = 3 * MB, .latency = XL_MS(7)},
    {.parent = 0, .up_Bps = 2 * MB, .down_Bps = 2 * MB, .latency = XL_MS(3)},
    {.parent = 2,
     .up_Bps = 5 * MB,
     .down_Bps = 5 * MB,
     .latency = 200001,
     .host = true},
    {.parent = 2, .up_Bps = 4 * MB, .down_Bps = 7 * MB, .host = true},
    {.parent = 3,
     .up_Bps = 5 * MB,
     .down_Bps = XL_RATE_UNLIMITED,
     .host = true},
    {.parent = 3, .up_Bps = 5 * MB, .down_Bps = 1 * MB, .host = true},
};
static const net_topology big = {big_nodes, 8};

static const net_node_spec small_nodes[] = {{.parent = NET_NO_NODE},
                                            {.parent = 0,
                                             .up_Bps = 2 * MB,
                                             .down_Bps = 2 * MB,
                                             .latency = XL_MS(7),
                                             .host = true},
                                            {.parent = 0,
                                             .up_Bps = 5 * MB,
                                             .down_Bps = 1 * MB,
                                             .latency = 123457,
                                             .host = true}};
static const net_topology small = {small_nodes, 3};

static uint64_t draw(uint64_t *state, uint64_t below) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (z ^ z >> 31) % below;
}

/* The script's view of one slot: a channel and the tag asked last. */
static struct slot {
  net_channel ch;
  net_node src, dst;
  bool open, closing;
  uint64_t tag;
} slots[NCHANNELS];
static net_node hosts[8];
static uint64_t nhosts;

static void slot_open(lab *l, struct slot *s) {
  uint64_t *r = &l->state;

  s->src = hosts[draw(r, nhosts)];
  do {
    s->dst = hosts[draw(r, nhosts)];
  } while (s->dst == s->src);
  s->ch = l->ops->channel_open(l->n, s->src, s->dst,
                               draw(r, 3) == 0 ? 10 * KB + draw(r, 2 * MB)
                                               : XL_RATE_UNLIMITED,
                               draw(r, 4) == 0 ? 2 : 1);
  s->open = true;
  s->closing = false;
}

static void on_event(lab *l, const note *last) {
  for (size_t i = 0; last->kind == RESET && i < NCHANNELS; i++) {
    if (slots[i].closing && slots[i].ch == last->who) {
      slots[i].open = false;
    }
  }
  (void)l;
}

static void change(lab *l, struct slot *s) {
  uint64_t *r = &l->state;

  switch (draw(r, 12)) {
  case 0:
    lab_say(l, s->tag, l->ops->cancel(l->n, s->ch, s->tag));
    break;
  case 1:
    l->ops->cap(l->n, s->ch,
                draw(r, 3) == 0 ? XL_RATE_UNLIMITED : draw(r, 3 * MB));
    break;
  case 2:
    lab_say(l, s->tag, l->ops->progress(l->n, s->ch, s->tag));
    break;
  case 3:
    if (draw(r, 2) == 0) {
      lab_say(l, TAG_MAX + s->ch, l->ops->channel_close(l->n, s->ch, s->dst));
      s->open = false;
    } else if (!s->closing) {
      lab_say(l, TAG_MAX + s->ch, l->ops->channel_close(l->n, s->ch, s->src));
      /* When the other end is dead it is gone at once: not told apart here. */
      s->closing = true;
    }
    break;
  default:
    s->tag = (s->tag + NCHANNELS) % (TAG_MAX - NCHANNELS);
    lab_want(l, s->ch, s->tag,
             draw(r, 3) == 0 ? draw(r, 9) : draw(r, 900 * KB));
    break;
  }
}

/* Links of the inner nodes change, down to 0; hosts stay up, so every channel
   that is closed by its source ends in a reset. */
static void random_script(lab *l) {
  uint64_t *r = &l->state;
  xl_time at = 0;

  l->hook = on_event;
  for (uint64_t i = 0; i < NCHANNELS; i++) {
    slots[i].tag = i;
  }
  for (uint64_t i = 0; i < NSTEPS; i++) {
    struct slot *s = &slots[draw(r, NCHANNELS)];
    if (!s->open) {
      slot_open(l, s);
    } else if (!s->closing) {
      change(l, s);
    }
    if (draw(r, 40) == 0) {
      l->ops->link_set(l->n, nhosts == 2 ? 1 : 2 + (net_node)draw(r, 2),
                       MB / 2 + draw(r, 2 * MB), draw(r, 5) * MB);
    }
    l->ops->message(l->n, hosts[0], hosts[1], i);
    l->ops->timer(l->n, at + (xl_span)draw(r, XL_MS(100)), i);
    at += (xl_span)draw(r, XL_MS(90));
    lab_run(l, at);
  }
  l->ops->link_set(l->n, 2, 9 * MB, 9 * MB);
  lab_run(l, at + XL_SEC(60));
}

/* Done with all its bytes, at most once, and never after its cancel. */
static void check_bytes(const lab *l) {
  static bool open[TAG_MAX];
  uint64_t wrong = 0, done = 0;

  memset(open, 0, sizeof open);
  for (size_t i = 0; i < l->log->n; i++) {
    const note *n = &l->log->notes[i];
    if (n->kind == ASKED) {
      wrong += open[n->tag];
      open[n->tag] = true;
    } else if (n->kind == DONE) {
      wrong += !open[n->tag];
      open[n->tag] = false;
      done++;
    }
    wrong += i > 0 && n->at < l->log->notes[i - 1].at;
  }
  CHECK_EQ(wrong, 0);
  CU_ASSERT(done > 100);
  CHECK_EQ(lab_count(l, TIMER), NSTEPS);
  /* Those sent while the link was dead are lost. */
  CU_ASSERT(lab_count(l, MESSAGE) <= NSTEPS);
  CU_ASSERT(lab_count(l, MESSAGE) > NSTEPS / 2);
}

static void first_seed(lab *l) {
  l->state = 1;
  random_script(l);
}

static void second_seed(lab *l) {
  l->state = 2;
  random_script(l);
}

static void twice(const lab_net *on, const net_topology *t) {
  if (!lab_present(on)) {
    return;
  }
  nhosts = 0;
  for (net_node i = 0; i < t->nnodes; i++) {
    if (t->nodes[i].host) {
      hosts[nhosts++] = i;
    }
  }
  lab a = lab_fork(on, t, first_seed), b = lab_fork(on, t, first_seed);
  lab c = lab_fork(on, t, second_seed);
  size_t size = a.log->n * sizeof *a.log->notes;

  check_bytes(&a);
  check_bytes(&c);
  CHECK_EQ(a.log->n, b.log->n);
  CHECK_EQ(memcmp(a.log->notes, b.log->notes, size), 0);
  CU_ASSERT(memcmp(a.log->notes, c.log->notes, size) != 0);
  lab_free(&a);
  lab_free(&b);
  lab_free(&c);
}

static void test_fluid(void) {
  twice(&lab_fluid, &big);
}
static void test_cm02(void) {
  twice(&lab_flow, &big);
}
static void test_lv08(void) {
  twice(&lab_lv08, &big);
}
static void test_ns3(void) {
  twice(&lab_packets, &small);
}

TEST_SUITE("random scripts", {"two runs are equal, over fluid", test_fluid},
           {"two runs are equal, over simgrid cm02", test_cm02},
           {"two runs are equal, over simgrid lv08", test_lv08},
           {"two runs are equal, over ns3", test_ns3})
