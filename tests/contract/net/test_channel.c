/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract of net.h, one body over every network. Networks differ by
 * tolerance, by capability bits and by one thing flow-level networks have not:
 * bytes on the wire, which arrive after a cancel and are counted as stray.
 */
#include "lab.h"

#define KB 1000u
#define MB 1000000u
#define ANY XL_RATE_UNLIMITED

/* Two hosts: 1 behind 1 MB/s upwards and 5 ms, 3 behind a site's WAN of
   4 MB/s, 10 + 5 ms. One way takes 20 ms; from 1 to 3 it is 1 MB/s, from 3 to
   1 it is 2. */
static const net_node_spec nodes[] = {
    {.parent = NET_NO_NODE},
    {.parent = 0,
     .up_Bps = 1 * MB,
     .down_Bps = 8 * MB,
     .latency = XL_MS(5),
     .host = true},
    {.parent = 0, .up_Bps = 2 * MB, .down_Bps = 4 * MB, .latency = XL_MS(10)},
    {.parent = 2,
     .up_Bps = 8 * MB,
     .down_Bps = 8 * MB,
     .latency = XL_MS(5),
     .host = true},
};
static const net_topology pair = {nodes, 4};
#define L XL_MS(20)

static const lab_net *const nets[] = {&lab_fluid, &lab_flow, &lab_packets};
#define NNETS (sizeof nets / sizeof *nets)

/* The body |look| over each network's run of |script|. */
static void over_all(void (*script)(lab *), void (*look)(const lab *)) {
  for (size_t k = 0; k < NNETS; k++) {
    if (!lab_present(nets[k])) {
      continue;
    }
    lab l = lab_fork(nets[k], &pair, script);
    look(&l);
    lab_free(&l);
  }
}

static bool flow_level(const lab *l) {
  return l->net != &lab_packets;
}

/* Done at |at_s| within the network's tolerance. */
static void done_at(const lab *l, uint64_t tag, double at_s) {
  CHECK_NEAR(lab_done_s(l, tag), at_s, l->net->tolerance);
}

/* ---- requests and answers
 * ------------------------------------------------------ */

static void one(lab *l) {
  lab_want(l, lab_open(l, 1, 3), 1, 5 * MB);
  lab_run(l, XL_SEC(10));
  lab_want(l, lab_open(l, 3, 1), 2, 10 * MB);
  lab_run(l, XL_SEC(20));
}

static void look_one(const lab *l) {
  CHECK_EQ(lab_find(l, ASKED, 1)->at, L);
  CHECK_EQ(lab_find(l, ASKED, 2)->at, XL_SEC(10) + L);
  done_at(l, 1, 5.04);
  done_at(l, 2, 15.04);
  CHECK_EQ(lab_find(l, DONE, 1)->bytes, 5 * MB);
  CHECK_EQ(lab_count(l, DONE), 2);
}

static void test_one(void) {
  over_all(one, look_one);
}

static void pipelined(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  for (uint64_t i = 1; i <= 50; i++) {
    lab_want(l, c, i, 100 * KB);
  }
  lab_run(l, XL_SEC(20));
}

static void look_pipelined(const lab *l) {
  done_at(l, 50, 5.04);
  xl_time before = 0;
  for (uint64_t i = 1; i <= 50; i++) {
    const note *d = lab_find(l, DONE, i);
    CU_ASSERT(d->at > before);
    CHECK_EQ(d->bytes, 100 * KB);
    before = d->at;
  }
  CHECK_EQ(lab_count(l, DONE), 50);
}

static void test_pipelined(void) {
  over_all(pipelined, look_pipelined);
}

/* Answers leave in the order of answer(), not of the requests. */
static void order_asked(lab *l, const note *last) {
  if (last->kind == ASKED && last->tag == 3) {
    l->ops->answer(l->n, last->who, 2, 0);
    l->ops->answer(l->n, last->who, 3, 100 * KB);
    l->ops->answer(l->n, last->who, 1, 0);
  }
}

static void order(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  l->hold = true;
  l->hook = order_asked;
  for (uint64_t i = 1; i <= 3; i++) {
    l->ops->request(l->n, c, i);
  }
  lab_run(l, XL_SEC(20));
}

static void look_order(const lab *l) {
  static const uint64_t want[] = {2, 3, 1};
  size_t k = 0;

  for (size_t i = 0; i < l->log->n && k < 3; i++) {
    if (l->log->notes[i].kind == DONE) {
      CHECK_EQ(l->log->notes[i].tag, want[k]);
      k++;
    }
  }
  CHECK_EQ(k, 3);
  CHECK_EQ(lab_find(l, DONE, 2)->at, 2 * L); /* 0 bytes: as a message */
  CU_ASSERT(lab_find(l, DONE, 1)->at >= lab_find(l, DONE, 3)->at);
}

static void test_order(void) {
  over_all(order, look_order);
}

static void zero(lab *l) {
  lab_want(l, lab_open(l, 1, 3), 1, 0);
  lab_run(l, XL_SEC(1));
}

static void look_zero(const lab *l) {
  CHECK_EQ(lab_find(l, DONE, 1)->at, 2 * L);
  CHECK_EQ(lab_find(l, DONE, 1)->bytes, 0);
}

static void test_zero(void) {
  over_all(zero, look_zero);
}

/* A late small answer is not carried back in time by the one before it. */
static void late_asked(lab *l, const note *last) {
  if (last->kind == TIMER) {
    l->ops->answer(l->n, 0, last->tag, last->tag == 1 ? 20 * KB : 0);
  }
}

static void late(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  l->hold = true;
  l->hook = late_asked;
  l->ops->request(l->n, c, 1);
  l->ops->request(l->n, c, 2);
  l->ops->timer(l->n, XL_MS(400), 1);
  l->ops->timer(l->n, XL_MS(438), 2); /* 1 arrives at 440 on flow level */
  lab_run(l, XL_SEC(2));
}

static void look_late(const lab *l) {
  CU_ASSERT(lab_find(l, DONE, 1)->at >= XL_MS(440));
  CU_ASSERT(lab_find(l, DONE, 2)->at >= XL_MS(458));
  if (flow_level(l)) {
    CHECK_EQ(lab_find(l, DONE, 1)->at, XL_MS(440));
    CHECK_EQ(lab_find(l, DONE, 2)->at, XL_MS(458));
  }
}

static void test_late(void) {
  over_all(late, look_late);
}

/* ---- giving up
 * ------------------------------------------------------------------- */

/* Tags: 1 in flight, 2 waiting, 3 on its way as a request, 4 stays. */
static void cancels(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 5 * MB);
  lab_want(l, c, 2, 5 * MB);
  lab_want(l, c, 4, 2 * MB);
  lab_run(l, XL_SEC(2));
  lab_want(l, c, 3, 5 * MB);
  lab_run(l, XL_SEC(2) + XL_MS(10));
  lab_say(l, 10, l->ops->progress(l->n, c, 1));
  lab_say(l, 11, l->ops->cancel(l->n, c, 1));
  lab_say(l, 12, l->ops->cancel(l->n, c, 2));
  lab_say(l, 13, l->ops->cancel(l->n, c, 3));
  lab_say(l, 14, l->ops->cancel(l->n, c, 1));
  lab_say(l, 15, l->ops->progress(l->n, c, 1));
  lab_run(l, XL_SEC(20));
  lab_say(l, 16, l->ops->stray(l->n, 3));
  lab_say(l, 17, l->ops->stray(l->n, 3));
}

static void look_cancels(const lab *l) {
  double got = (double)lab_find(l, SAID, 11)->bytes;
  double stray = (double)lab_find(l, SAID, 16)->bytes;

  CHECK_NEAR(got, 1.97e6, flow_level(l) ? 1e-6 : 0.08);
  CHECK_EQ(lab_find(l, SAID, 10)->bytes, lab_find(l, SAID, 11)->bytes);
  for (uint64_t i = 12; i <= 15; i++) {
    CHECK_EQ(lab_find(l, SAID, i)->bytes, 0);
  }
  CHECK_EQ(lab_find(l, SAID, 17)->bytes, 0);
  CHECK_EQ(lab_count(l, DONE), 1);
  CHECK_EQ(lab_count(l, ASKED), 3);
  /* The wire is busy from the cancel on: 2 MB, and what was on it before. */
  done_at(l, 4, 2.01 + 2 + stray / 1e6);
  CU_ASSERT(flow_level(l) ? stray == 0 : stray > 0 && stray < 1e6);
  CHECK_EQ(lab_find(l, DONE, 4)->bytes, 2 * MB);
}

static void test_cancels(void) {
  over_all(cancels, look_cancels);
}

/* What was asked and is answered after its cancel goes nowhere. */
static void answer_late(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  l->hold = true;
  l->ops->request(l->n, c, 1);
  lab_run(l, XL_SEC(1));
  lab_say(l, 1, l->ops->cancel(l->n, c, 1));
  l->ops->answer(l->n, c, 1, 1 * MB);
  lab_run(l, XL_SEC(5));
}

static void look_answer_late(const lab *l) {
  CHECK_EQ(lab_find(l, SAID, 1)->bytes, 0);
  CHECK_EQ(lab_count(l, ASKED), 1);
  CHECK_EQ(lab_count(l, DONE), 0);
}

static void test_answer_late(void) {
  over_all(answer_late, look_answer_late);
}

/* ---- the end of a channel
 * ------------------------------------------------------- */

static void close_by_src(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 5 * MB);
  lab_want(l, c, 2, 5 * MB);
  lab_run(l, XL_SEC(2));
  lab_say(l, 1, l->ops->channel_close(l->n, c, 1));
  lab_say(l, 2, l->ops->progress(l->n, c, 1));
  lab_run(l, XL_SEC(20));
  lab_say(l, 3, lab_open(l, 1, 3));
}

static void look_close_by_src(const lab *l) {
  const note *r = lab_find(l, RESET, 1);

  CHECK_EQ(r->at, XL_SEC(2) + L);
  CHECK_NEAR((double)r->bytes, 1.96e6, flow_level(l) ? 1e-6 : 0.08);
  CHECK_EQ(r->bytes, lab_find(l, SAID, 1)->bytes);
  CHECK_EQ(r->bytes, lab_find(l, SAID, 2)->bytes);
  CHECK_EQ(lab_count(l, RESET), 1);
  CHECK_EQ(lab_count(l, DONE), 0);
  CHECK_EQ(lab_find(l, SAID, 3)->bytes, 0); /* the number is free again */
}

static void test_close_by_src(void) {
  over_all(close_by_src, look_close_by_src);
}

/* By the destination nobody is told, also not after the source's close. */
static void close_by_dst(lab *l) {
  net_channel a = lab_open(l, 1, 3), b = lab_open(l, 1, 3);
  lab_want(l, a, 1, 5 * MB);
  lab_run(l, XL_SEC(2));
  lab_say(l, 1, l->ops->channel_close(l->n, a, 3));
  lab_want(l, b, 2, 5 * MB);
  lab_run(l, XL_SEC(3));
  l->ops->channel_close(l->n, b, 1);
  lab_run(l, XL_SEC(3) + L / 2);
  l->ops->channel_close(l->n, b, 3);
  lab_run(l, XL_SEC(20));
}

static void look_close_by_dst(const lab *l) {
  CHECK_NEAR((double)lab_find(l, SAID, 1)->bytes, 1.96e6,
             flow_level(l) ? 1e-6 : 0.08);
  CHECK_EQ(lab_count(l, RESET), 0);
  CHECK_EQ(lab_count(l, DONE), 0);
}

static void test_close_by_dst(void) {
  over_all(close_by_dst, look_close_by_dst);
}

/* Cancelled between the source's close and the reset: told once only. */
static void reset_after_cancel(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 5 * MB);
  lab_run(l, XL_SEC(2));
  l->ops->channel_close(l->n, c, 1);
  lab_say(l, 1, l->ops->cancel(l->n, c, 1));
  lab_run(l, XL_SEC(3));
}

static void look_reset_after_cancel(const lab *l) {
  CU_ASSERT(lab_find(l, SAID, 1)->bytes > 1800 * KB);
  CHECK_EQ(lab_find(l, RESET, 0)->bytes, 0);
  CHECK_EQ(lab_count(l, RESET), 1);
}

static void test_reset_after_cancel(void) {
  over_all(reset_after_cancel, look_reset_after_cancel);
}

/* ---- hosts that go silent
 * ------------------------------------------------------- */

/* Source 1 goes down at 2 s and is back at 3 s: channel 0 stays dead, a new one
   works. Messages and requests to a down host are lost. */
static void host_down(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 5 * MB);
  lab_run(l, XL_SEC(2));
  lab_want(l, c, 2, 1 * KB);
  l->ops->message(l->n, 3, 1, 50);
  lab_run(l, XL_SEC(2) + XL_MS(10));
  l->ops->host_set(l->n, 1, false);
  l->ops->message(l->n, 1, 3, 51); /* had left before, as it were */
  lab_run(l, XL_SEC(3));
  l->ops->host_set(l->n, 1, true);
  lab_say(l, 10, l->ops->progress(l->n, c, 1));
  lab_want(l, c, 3, 1 * KB);
  lab_want(l, lab_open(l, 1, 3), 4, 3 * MB);
  l->ops->message(l->n, 3, 1, 52);
  lab_run(l, XL_SEC(19));
  lab_say(l, 11, l->ops->channel_close(l->n, c, 3));
  lab_run(l, XL_SEC(20));
}

static void look_host_down(const lab *l) {
  CHECK_NEAR((double)lab_find(l, SAID, 10)->bytes, 1.97e6,
             flow_level(l) ? 1e-6 : 0.08);
  CHECK_EQ(lab_find(l, SAID, 10)->bytes, lab_find(l, SAID, 11)->bytes);
  CHECK_EQ(lab_count(l, RESET), 0);
  CHECK_EQ(lab_count(l, DONE), 1);
  CHECK_EQ(lab_count(l, ASKED), 2);
  CHECK_NEAR(lab_done_s(l, 4), 6.04, flow_level(l) ? 1e-6 : 0.15);
  CHECK_EQ(lab_find(l, MESSAGE, 50)->at, -1);
  CHECK_EQ(lab_find(l, MESSAGE, 51)->at, XL_SEC(2) + XL_MS(10) + L);
  CHECK_EQ(lab_find(l, MESSAGE, 52)->at, XL_SEC(3) + L);
}

static void test_host_down(void) {
  over_all(host_down, look_host_down);
}

/* The destination goes down: its source hears nothing and closes. A channel
   opened to a host that is down is dead from the start. */
static void dst_down(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 5 * MB);
  lab_run(l, XL_SEC(2));
  l->ops->host_set(l->n, 3, false);
  lab_run(l, XL_SEC(3));
  l->ops->channel_close(l->n, c, 1);
  net_channel d = lab_open(l, 3, 1);
  lab_say(l, 10, d);
  lab_want(l, d, 2, 1 * KB);
  lab_run(l, XL_SEC(4));
  l->ops->host_set(l->n, 3, true);
  lab_run(l, XL_SEC(20));
}

static void look_dst_down(const lab *l) {
  CHECK_EQ(lab_find(l, SAID, 10)->bytes, 0); /* the number was free */
  CHECK_EQ(lab_count(l, RESET), 0);
  CHECK_EQ(lab_count(l, DONE), 0);
  CHECK_EQ(lab_count(l, ASKED), 1);
}

static void test_dst_down(void) {
  over_all(dst_down, look_dst_down);
}

/* ---- rates that change
 * ------------------------------------------------------------ */

static void rates(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 8 * MB);
  lab_run(l, XL_SEC(2)); /* 2 MB, about */
  l->ops->link_set(l->n, 1, 4 * MB, 8 * MB);
  lab_run(l, XL_SEC(3)); /* 6 */
  l->ops->cap(l->n, c, 500 * KB);
  lab_run(l, XL_SEC(20)); /* 4 s more */
}

static void look_rates(const lab *l) {
  /* 2 MB take 2.04 s, 0.96 s at 4 MB/s is 3.84 MB; the rest at 0.5 MB/s. */
  CHECK_NEAR(lab_done_s(l, 1), 3 + (8 - 1.96 - 4) / 0.5,
             flow_level(l) ? 1e-6 : 0.1);
}

static void test_rates(void) {
  over_all(rates, look_rates);
}

/* Dead from 1 s to 3 s. Packets wait for TCP's timers to go on. */
static void outage(lab *l) {
  net_channel c = lab_open(l, 1, 3);
  lab_want(l, c, 1, 4 * MB);
  lab_run(l, XL_SEC(1));
  l->ops->link_set(l->n, 2, 0, 0);
  lab_run(l, XL_SEC(1) + L);
  lab_say(l, 1, l->ops->progress(l->n, c, 1));
  lab_run(l, XL_SEC(3));
  lab_say(l, 2, l->ops->progress(l->n, c, 1));
  l->ops->link_set(l->n, 2, 2 * MB, 4 * MB);
  lab_run(l, XL_SEC(30));
}

static void look_outage(const lab *l) {
  double done = lab_done_s(l, 1);

  CHECK_EQ(lab_find(l, SAID, 1)->bytes, lab_find(l, SAID, 2)->bytes);
  if (flow_level(l)) {
    CHECK_NEAR(done, 6.04, 1e-6);
  } else {
    CU_ASSERT(done > 6.04 && done < 9);
  }
}

static void test_outage(void) {
  over_all(outage, look_outage);
}

static void capped(lab *l) {
  lab_want(l, lab_open_capped(l, 1, 3, 250 * KB), 1, 1 * MB);
  lab_want(l, lab_open(l, 1, 3), 2, 3 * MB);
  lab_run(l, XL_SEC(30));
}

static void look_capped(const lab *l) {
  done_at(l, 1, 4.04);
  done_at(l, 2, 4.04);
}

static void test_capped(void) {
  over_all(capped, look_capped);
}

/* ---- time
 * -----------------------------------------------------------------------------
 */

static void on_timer(lab *l, const note *last) {
  if (last->kind == TIMER && last->tag == 3) {
    l->ops->timer(l->n, 0, 30); /* past: at once, after what waits now */
  }
}

static void timers(lab *l) {
  l->hook = on_timer;
  lab_want(l, lab_open(l, 1, 3), 1, 500 * KB);
  l->ops->timer(l->n, 1000001, 4);
  l->ops->timer(l->n, 1000000, 3);
  l->ops->timer(l->n, 1000000, 2);
  l->ops->timer(l->n, 999999, 1);
  l->ops->timer(l->n, XL_SEC(20), 6); /* until is inclusive */
  l->ops->timer(l->n, XL_SEC(20) + 1, 7);
  l->ops->timer(l->n, XL_SEC(19), 5);
  lab_run(l, XL_SEC(20));
}

static void look_timers(const lab *l) {
  static const note want[] = {
      {.tag = 1, .at = 999999},    {.tag = 3, .at = 1000000},
      {.tag = 2, .at = 1000000},   {.tag = 30, .at = 1000000},
      {.tag = 4, .at = 1000001},   {.tag = 5, .at = XL_SEC(19)},
      {.tag = 6, .at = XL_SEC(20)}};
  size_t k = 0;

  CHECK_EQ(lab_count(l, TIMER), 7);
  for (size_t i = 0; i < l->log->n && k < 7; i++) {
    if (l->log->notes[i].kind == TIMER) {
      CHECK_EQ(l->log->notes[i].tag, want[k].tag);
      CHECK_EQ(l->log->notes[i].at, want[k].at);
      k++;
    }
  }
}

static void test_timers(void) {
  over_all(timers, look_timers);
}

static volatile bool stop;

static void on_stop(lab *l, const note *last) {
  (void)l;
  stop = last->kind == TIMER;
}

static void stopped(lab *l) {
  fail why = {0};
  l->hook = on_stop;
  l->ops->timer(l->n, XL_SEC(1), 1);
  l->ops->timer(l->n, XL_SEC(2), 2);
  l->ops->run(l->n, XL_SEC(9), &stop, &why);
  lab_say(l, 1, (uint64_t)l->ops->now(l->n));
  lab_say(l, 2, (uint64_t)l->ops->latency(l->n, 3, 1));
  stop = false;
  lab_run(l, XL_SEC(9));
}

static void look_stopped(const lab *l) {
  CHECK_EQ(lab_find(l, SAID, 1)->bytes, XL_SEC(1));
  CHECK_EQ(lab_find(l, SAID, 2)->bytes, L);
  CHECK_EQ(lab_find(l, TIMER, 2)->at, XL_SEC(2));
}

static void test_stopped(void) {
  over_all(stopped, look_stopped);
}

TEST_SUITE(
    "channels",
    {"a request and its answer take latency and size over rate", test_one},
    {"pipelined answers pay the latency once", test_pipelined},
    {"answers leave in the order of answer()", test_order},
    {"an answer of 0 bytes is a message", test_zero},
    {"no answer is faster than the path", test_late},
    {"cancel takes what is carried, waiting or on its way", test_cancels},
    {"an answer after the cancel goes nowhere", test_answer_late},
    {"a close by the source resets one latency later", test_close_by_src},
    {"a close by the destination tells nobody", test_close_by_dst},
    {"bytes cancelled before the reset are told once", test_reset_after_cancel},
    {"a source that goes down is silent, its channels stay dead",
     test_host_down},
    {"a destination that goes down is silent", test_dst_down},
    {"link and cap change under a transfer", test_rates},
    {"a dead link stops its flows and they go on", test_outage},
    {"a cap leaves the rest to others", test_capped},
    {"timers come in order and never early", test_timers},
    {"a run stops when it is told to", test_stopped})
