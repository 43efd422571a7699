/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SimGrid's own models and the traps of SimGrid 3.32 from maestro. */
#include <signal.h>

#include "lab.h"

#define MB 1000000u
#define ANY XL_RATE_UNLIMITED

static const lab_net lv08_one_way = {"lv08, no cross-traffic",
                                     "simgrid",
                                     {{.i = 0}, {.i = 4194304}, {.i = 0}},
                                     1e-6,
                                     false};
static const lab_net cm02_gamma = {"cm02, window",
                                   "simgrid",
                                   {{.i = 1}, {.i = 4194304}, {.i = 0}},
                                   1e-6,
                                   false};

/* ---- the models' formulas
 * -------------------------------------------------------- */

/* One flow of |bytes| over |rate| and |latency|, and one back when |both|. */
static struct formula {
  uint64_t bytes;
  xl_rate rate;
  xl_span latency;
  bool both;
} formula;

static void send(lab *l) {
  lab_want(l, lab_open(l, 1, 2), 1, formula.bytes);
  if (formula.both) {
    lab_want(l, lab_open(l, 2, 1), 2, formula.bytes);
  }
  lab_run(l, XL_SEC(1000));
}

/* The time from the answer() on, in seconds. */
static double time_of(const lab_net *on, struct formula f) {
  net_node_spec nodes[] = {
      {.parent = NET_NO_NODE},
      {.parent = 0,
       .up_Bps = f.rate,
       .down_Bps = f.rate,
       .latency = f.latency,
       .host = true},
      {.parent = 0, .up_Bps = ANY, .down_Bps = ANY, .host = true}};
  net_topology t = {nodes, 3};

  formula = f;
  lab l = lab_fork(on, &t, send);
  double s = (double)(lab_find(&l, DONE, 1)->at - f.latency) * 1e-9;
  lab_free(&l);
  return s;
}

/* T = 13.01 L + S / (0.97 min(B', gamma / 2L)), B' = B / 1.05 when a flow
   comes back on the same link. */
static void test_lv08(void) {
  static const struct {
    struct formula f;
    double one_way, both_ways;
  } rows[] = {
      {{100000, 125000, XL_MS(10), false}, 0.954842268, 0.996079381},
      {{1 * MB, 12500000, XL_MS(10), false}, 0.212574227, 0.216697938},
      {{1000 * MB, 12500000, XL_MS(10), false}, 82.604326804, 86.728038144},
      {{1000 * MB, 125 * MB, XL_MS(5), false}, 8.312472680, 8.724843814},
      {{1000 * MB, 125 * MB, XL_MS(50), false}, 25.229734959, 25.229734959},
  };

  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct formula f = rows[i].f;
    CHECK_NEAR(time_of(&lv08_one_way, f), rows[i].one_way, 1e-6);
    CHECK_NEAR(time_of(&lab_lv08, f), rows[i].one_way, 1e-6);
    f.both = true;
    CHECK_NEAR(time_of(&lab_lv08, f), rows[i].both_ways, 1e-6);
    CHECK_NEAR(time_of(&lv08_one_way, f), rows[i].one_way, 1e-6);
  }
}

static void test_gamma(void) {
  struct formula f = {10000000000u, 10000000000u, 0, false};

  CHECK_NEAR(time_of(&cm02_gamma, f), 1, 1e-6);
  f.latency = XL_US(10);
  CHECK_NEAR(time_of(&cm02_gamma, f), 1.000010, 1e-6);
  f.latency = XL_MS(1);
  CHECK_NEAR(time_of(&cm02_gamma, f), 4.769372, 1e-6);
  CHECK_NEAR(time_of(&lab_flow, f), 1.001, 1e-6);
  f.latency = XL_MS(100);
  CHECK_NEAR(time_of(&cm02_gamma, f), 476.937158, 1e-6);
}

/* ---- sharing by round-trip time
 * ------------------------------------------------------ */

/* Host 1 sends over |bottleneck| to host 2, which is near, and host 3, which
   is behind a far link. */
static const net_node_spec bias_nodes[] = {
    {.parent = NET_NO_NODE},
    {.parent = 0,
     .up_Bps = 1250000,
     .down_Bps = 1250000,
     .latency = XL_MS(10),
     .host = true},
    {.parent = 0, .up_Bps = ANY, .down_Bps = ANY, .host = true},
    {.parent = 0,
     .up_Bps = 12500000,
     .down_Bps = 12500000,
     .latency = XL_MS(40),
     .host = true}};
static const net_topology bias = {bias_nodes, 4};

static void near_and_far(lab *l) {
  net_channel near = lab_open(l, 1, 2), far = lab_open(l, 1, 3);
  uint64_t a, b;

  lab_want(l, near, 1, 100 * MB);
  lab_want(l, far, 2, 100 * MB);
  lab_run(l, XL_SEC(5));
  a = l->ops->progress(l->n, near, 1);
  b = l->ops->progress(l->n, far, 2);
  lab_run(l, XL_SEC(25));
  lab_say(l, 1, l->ops->progress(l->n, near, 1) - a);
  lab_say(l, 2, l->ops->progress(l->n, far, 2) - b);
}

static double near_share(const lab_net *on) {
  lab l = lab_fork(on, &bias, near_and_far);
  double a = (double)lab_find(&l, SAID, 1)->bytes;
  double b = (double)lab_find(&l, SAID, 2)->bytes;

  lab_free(&l);
  return a / (a + b);
}

static void test_bias(void) {
  CHECK_NEAR(near_share(&lv08_one_way), 0.720328, 1e-6);
  CHECK_NEAR(near_share(&lab_flow), 5. / 6, 1e-6);
}

/* Flows at 10 and 50 ms on one link: CM02 ends them at 12 and 20 s. */
static void two_latencies(lab *l) {
  lab_want(l, lab_open(l, 1, 2), 1, 12500000);
  lab_want(l, lab_open(l, 1, 3), 2, 12500000);
  lab_run(l, XL_SEC(60));
}

static void test_two_latencies(void) {
  lab l = lab_fork(&lab_flow, &bias, two_latencies);
  CHECK_NEAR(lab_done_s(&l, 1), 12, 0.01);
  CHECK_NEAR(lab_done_s(&l, 2), 20, 0.01);
  lab_free(&l);
}

/* A cap is of payload: LV08's factor 0.97 does not take from it. */
static void capped(lab *l) {
  lab_want(l, lab_open_capped(l, 1, 2, 100000), 1, 1 * MB);
  lab_run(l, XL_SEC(60));
}

static void test_capped(void) {
  lab l = lab_fork(&lab_lv08, &bias, capped);
  CHECK_NEAR(lab_done_s(&l, 1), 0.01 + 0.1301 + 10, 1e-6);
  lab_free(&l);
}

/* ---- traps
 * ----------------------------------------------------------------------------
 */

static void second(lab *l) {
  fail why = {0};
  net_sink none = {0};

  lab_say(l, 1, l->ops->open(&bias, l->net->params, &none, &why) == NULL);
  lab_say(l, 2, strstr(why.text, "one network a process") != NULL);
}

static void test_second(void) {
  lab l = lab_fork(&lab_flow, &bias, second);
  CHECK_EQ(lab_find(&l, SAID, 1)->bytes, 1);
  CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 1);
  lab_free(&l);
}

/* SimGrid would take Ctrl-C and print its actors. */
static void signals(lab *l) {
  struct sigaction now;

  for (int i = 0; i < 3; i++) {
    static const int numbers[] = {SIGINT, SIGBUS, SIGTERM};
    sigaction(numbers[i], NULL, &now);
    lab_say(l, (uint64_t)i, now.sa_handler == SIG_DFL);
  }
}

static void test_signals(void) {
  lab l = lab_fork(&lab_flow, &bias, signals);
  CHECK_EQ(lab_find(&l, SAID, 0)->bytes, 1);
  CHECK_EQ(lab_find(&l, SAID, 2)->bytes, 1);
  lab_free(&l);
}

/* A timer armed 1 ns after a flow's end, and one 1 ns before: SimGrid merges
   what lies within 1 ns. Flows are left open at the end. */
static void close_times(lab *l) {
  lab_want(l, lab_open_capped(l, 1, 2, 500), 1, 1000);
  lab_want(l, lab_open(l, 1, 2), 2, 1000 * MB);
  for (int k = -3; k <= 3; k++) {
    l->ops->timer(l->n, XL_SEC(2) + 2 * XL_MS(10) + k, (uint64_t)(10 + k));
  }
  lab_run(l, XL_SEC(10));
}

static void test_close_times(void) {
  lab l = lab_fork(&lab_flow, &bias, close_times);
  for (int k = -3; k <= 3; k++) {
    CHECK_EQ(lab_find(&l, TIMER, (uint64_t)(10 + k))->at,
             XL_SEC(2) + XL_MS(20) + k);
  }
  CHECK_EQ(lab_find(&l, DONE, 1)->at, XL_SEC(2) + XL_MS(20));
  lab_free(&l);
}

/* cancel() of SimGrid reports twice, tears down what is let go, and leaves the
   share of what was cancelled in place until its next step. */
static void many_cancels(lab *l) {
  for (uint64_t i = 0; i < 300; i++) {
    net_channel c = lab_open(l, 1, 2);
    lab_want(l, c, i, 1 * MB);
    lab_run(l, XL_MS(20) * ((xl_span)i + 1) + XL_MS(5));
    l->ops->cancel(l->n, c, i);
    if (i % 2 == 0) {
      lab_want(l, c, 1000 + i, 10);
    } else {
      l->ops->channel_close(l->n, c, 2);
    }
  }
  lab_want(l, lab_open(l, 1, 2), 5000, 1250000);
  lab_run(l, XL_SEC(20));
}

static void test_many_cancels(void) {
  lab l = lab_fork(&lab_flow, &bias, many_cancels);
  CHECK_EQ(lab_count(&l, DONE), 151);
  CHECK_NEAR(lab_done_s(&l, 5000), 6.005 + 0.02 + 1, 1e-4);
  lab_free(&l);
}

TEST_SUITE("simgrid",
           {"LV08 takes 13.01 L + S / (0.97 min(B', gamma / 2L))", test_lv08},
           {"the TCP window limits a flow, and 0 turns it off", test_gamma},
           {"LV08 and CM02 share by round-trip time", test_bias},
           {"CM02 shares by 1/latency: 12 and 20 s", test_two_latencies},
           {"a cap is of payload under LV08", test_capped},
           {"a second network in one process is refused", test_second},
           {"the program keeps its signal handlers", test_signals},
           {"1 ns is 1 ns", test_close_times},
           {"cancelled flows end once and leave nothing behind",
            test_many_cancels})
