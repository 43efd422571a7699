/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "dump.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "test.h"

/* The format's example, with what is built. */
static const char example[] =
    "name: branch-office\n"
    "description: A 650 MiB cumulative update reaches 20 branches.\n"
    "source: where the numbers come from, or \"assumed\"\n"
    "start: 2026-11-10T08:00+01:00\n"
    "duration: 12h\n"
    "classes:\n"
    "  pc:     {down: 1Gbit/s, up: 1Gbit/s, cache: 10GiB, ram: 8GiB, online: "
    "always}\n"
    "  laptop: {down: {lognormal: {median: 40Mbit/s, sigma: 0.8}}, up: {ratio: "
    "0.5}, throttles: [{hours: 08:00-17:30, days: [mon, fri], rate: 2Mbit/s, "
    "low: 0B/s}, {rate: 1MB/s, "
    "hours: 22:00-05:00}, {high: 8kbit/s}], cap: 300MB/s, power: battery, "
    "metered: 0.1, vpn: 20%, online: "
    "churn}\n"
    "network:\n"
    "  nodes:    [{name: muc, parent: de, latency: 1ms}, {name: de, parent: "
    "core, up: 2Tbit/s, down: 2Tbit/s, latency: 4ms}]\n"
    "  origins:  [{name: cdn-a, at: core, rate: 2Gbit/s, latency: 15ms, "
    "connections: 20000, per_connection: 50Mbit/s}, {name: cdn-b, rate: "
    "2Gbit/s, latency: 35ms, ranges: false, mtime_offset: -90s}]\n"
    "  services: [{name: tracker, at: core, queries: 300/min}]\n"
    "  sites:\n"
    "    - {name: branch, at: muc, count: 20, wan: {down: 20Mbit/s, up: "
    "5Mbit/s, latency: 12ms}, lan: {rate: 1Gbit/s}, devices: [{class: pc, "
    "count: 25}, {class: laptop, count: 2}], subnet: 24, domain: corp, group: "
    "g1}\n"
    "    - {name: depot, wan: {down: {uniform: [2Mbit/s, 8Mbit/s]}, up: "
    "5Mbit/s}, devices: [{class: pc, count: 1}]}\n"
    "content:\n"
    "  - {name: kb, size: 650MiB, piece: 512KiB, origins: [cdn-b, cdn-a], "
    "held_by: 2%, released: 1h}\n"
    "  - {name: old, size: 3B, origins: cdn-a}\n"
    "jobs:\n"
    "  - {name: ring0, content: [kb], devices: {share: 1%}, start: 1h, "
    "arrival: "
    "{uniform: 2h}, priority: high, peer_caching: [server]}\n"
    "  - {name: ring1, content: [old, kb], devices: {rest: true}, "
    "min_retry_delay: 1min, no_progress_timeout: 1h, max_download_time: 2h}\n"
    "  - {name: some, content: old, devices: {class: laptop}, peer_caching: "
    "[]}\n"
    "  - {name: here, content: old, devices: {site: depot}}\n"
    "churn: {online: {weibull: {shape: 0.6, scale: 6h}}, offline: "
    "{exponential: {mean: 30min}}}\n"
    "faults:\n"
    "  - {at: 1h, for: 20min, origin: cdn-a, what: down}\n"
    "  - {at: 2h, for: 10min, origin: cdn-b, what: error, status: 404}\n"
    "  - {at: 3h, for: 10min, site: \"branch[3]\", what: wan-down}\n"
    "  - {at: 4h, for: 10min, site: branch, what: wan-down}\n"
    "  - {at: 5h, node: de, what: link, up: 1Gbit/s, down: 0bit/s}\n"
    "  - {at: 6h, device: \"branch[2].pc[24]\", what: crash}\n"
    "  - {at: 7h, what: change, content: kb}\n"
    "  - {at: 8h, what: change, content: kb, origin: cdn-a}\n"
    "policies: [origin-only, {delivery-optimization: {mode: lan, http_delay: "
    "60s}}]\n"
    "small: {network.sites.branch.count: 2, faults: [], duration: 6h, "
    "jobs.ring0.devices: all, \"network.sites[1].devices.pc.count\": 7}\n";

static scenario *parse(const char *text, const char *variant,
                       const char *const *sets, size_t nsets) {
  fail why = {0};
  scenario *s =
      scenario_parse("memory/test.yaml", text, variant, sets, nsets, &why);

  if (s == NULL) {
    printf("  %s\n", why.text);
  }
  CU_ASSERT_PTR_NOT_NULL(s);
  return s;
}

static bool is_constant(const dist *d, double a) {
  return d->kind == DIST_CONSTANT && d->a == a;
}

static void test_fields(void) {
  scenario *s = parse(example, NULL, NULL, 0);

  if (s == NULL) {
    return;
  }
  CU_ASSERT_STRING_EQUAL(s->name, "branch-office");
  CU_ASSERT_STRING_EQUAL(s->source,
                         "where the numbers come from, or \"assumed\"");
  CU_ASSERT_STRING_EQUAL(s->file, "memory/test.yaml");
  CHECK_EQ(s->start_unix_s, 1794294000);
  CHECK_EQ(s->utc_offset_s, 3600);
  CHECK_EQ(s->duration, XL_HOUR(12));
  CHECK_EQ(s->nclasses, 2);
  CU_ASSERT(is_constant(&s->classes[0].down, 125e6));
  CHECK_EQ(s->classes[0].cache_bytes, XL_GIB(10));
  CU_ASSERT(s->classes[0].always_online && !s->classes[1].always_online);
  CHECK_EQ(s->classes[1].down.kind, DIST_LOGNORMAL);
  CU_ASSERT(s->classes[1].down.a == 5e6 && s->classes[1].down.b == 0.8);
  CU_ASSERT(s->classes[1].up_is_ratio && is_constant(&s->classes[1].up, 0.5));
  CU_ASSERT(is_constant(&s->classes[1].cap, 300e6));
  CHECK_EQ(s->classes[1].power, SCN_BATTERY);
  CU_ASSERT(s->classes[1].metered == 0.1 && s->classes[1].vpn == 0.2);
  CU_ASSERT_STRING_EQUAL(s->nodes[0].name, "de"); /* parents come first */
  CU_ASSERT_STRING_EQUAL(s->nodes[1].name, "muc");
  CHECK_EQ(s->nodes[0].up_Bps, 250000000000);
  CHECK_EQ(s->origins[0].connections, 20000);
  CHECK_EQ(s->origins[0].per_connection, 6250000);
  CU_ASSERT(s->origins[0].ranges && !s->origins[1].ranges);
  CHECK_EQ(s->origins[1].mtime_offset_s, -90);
  CU_ASSERT(s->services[0].queries_per_s == 5);
  CHECK_EQ(s->sites[0].subnet, 254);
  CHECK_EQ(s->sites[0].lan_rate, 125000000);
  CU_ASSERT_STRING_EQUAL(s->sites[0].domain, "corp");
  CU_ASSERT_STRING_EQUAL(s->sites[0].devices[1].cls, "laptop");
  CHECK_EQ(s->sites[0].devices[1].count, 2);
  scenario_free(s);
}

static void test_defaults(void) {
  scenario *s = parse(example, NULL, NULL, 0);

  if (s == NULL) {
    return;
  }
  CHECK_EQ(s->classes[1].cache_bytes, UINT64_MAX);
  CHECK_EQ(s->classes[1].ram_bytes, XL_GIB(8));
  CHECK_EQ(s->classes[0].disk_bytes, XL_GIB(256));
  CHECK_EQ(s->classes[0].nthrottles, 0);
  CHECK_EQ(s->classes[1].nthrottles, 3);
  const scn_throttle *t = s->classes[1].throttles;
  CHECK_EQ(t[0].days, 2 | 32);
  CHECK_EQ(t[0].from, XL_HOUR(8));
  CHECK_EQ(t[0].to, XL_HOUR(17) + XL_MIN(30));
  CHECK_EQ(t[0].high, 250000);
  CHECK_EQ(t[0].low, 0);
  CHECK_EQ(t[1].days, 127);
  CHECK_EQ(t[1].to, XL_HOUR(5));
  CHECK_EQ(t[1].normal, 1000000);
  CHECK_EQ(t[2].from, 0);
  CHECK_EQ(t[2].to, 0); /* all day */
  CHECK_EQ(t[2].high, 1000);
  CHECK_EQ(t[2].low, XL_RATE_UNLIMITED);
  CU_ASSERT(is_constant(&s->classes[0].cap, (double)XL_RATE_UNLIMITED));
  CHECK_EQ(s->classes[0].power, SCN_MAINS);
  CHECK_EQ(s->nodes[1].up_Bps, XL_RATE_UNLIMITED);
  CU_ASSERT_STRING_EQUAL(s->origins[1].at, "core");
  CHECK_EQ(s->origins[1].connections, XL_NONE);
  CHECK_EQ(s->origins[1].per_connection, XL_RATE_UNLIMITED);
  CHECK_EQ(s->sites[1].count, 1);
  CHECK_EQ(s->sites[1].subnet, 0);
  CU_ASSERT_PTR_NULL(s->sites[1].domain);
  CU_ASSERT_PTR_NULL(s->sites[1].group);
  CU_ASSERT(is_constant(&s->sites[1].wan_latency, 10e6));
  CU_ASSERT(is_constant(&s->sites[1].lan_latency, 200e3));
  CHECK_EQ(s->sites[1].lan_rate, XL_RATE_UNLIMITED);
  CHECK_EQ(s->contents[1].piece_bytes, XL_MIB(1));
  CU_ASSERT(s->contents[1].held_by == 0 && s->contents[1].popularity == 1);
  CHECK_EQ(s->contents[1].catalogue, -1);
  CHECK_EQ(s->jobs[0].min_retry_s, 600);        /* R421 */
  CHECK_EQ(s->jobs[0].no_progress_s, 1209600);  /* R422 */
  CHECK_EQ(s->jobs[0].max_download_s, 7776000); /* R508 */
  CHECK_EQ(s->jobs[3].priority, 2);
  CHECK_EQ(s->jobs[3].peercaching, 3);
  CU_ASSERT(is_constant(&s->jobs[3].arrival, 0));
  scenario_free(s);
}

static void test_jobs(void) {
  scenario *s = parse(example, NULL, NULL, 0);

  if (s == NULL) {
    return;
  }
  CHECK_EQ(s->jobs[0].select, SCN_SHARE);
  CU_ASSERT(s->jobs[0].share == 0.01);
  CHECK_EQ(s->jobs[0].start, XL_HOUR(1));
  CHECK_EQ(s->jobs[0].arrival.kind, DIST_UNIFORM);
  CU_ASSERT(s->jobs[0].arrival.a == 0 && s->jobs[0].arrival.b == 7200e9);
  CHECK_EQ(s->jobs[0].priority, 1);
  CHECK_EQ(s->jobs[0].peercaching, 2);
  CHECK_EQ(s->jobs[1].select, SCN_REST);
  CHECK_EQ(s->jobs[1].ncontents, 2);
  CHECK_EQ(s->jobs[1].contents[0], 1);
  CHECK_EQ(s->jobs[1].contents[1], 0);
  CHECK_EQ(s->jobs[1].catalogue, -1);
  CHECK_EQ(s->jobs[1].min_retry_s, 60);
  CHECK_EQ(s->jobs[2].select, SCN_CLASS);
  CU_ASSERT_STRING_EQUAL(s->jobs[2].select_name, "laptop");
  CHECK_EQ(s->jobs[2].peercaching, 0);
  CHECK_EQ(s->jobs[3].select, SCN_SITE);
  CU_ASSERT_STRING_EQUAL(s->jobs[3].select_name, "depot");
  CHECK_EQ(s->npolicies, 2);
  CU_ASSERT_STRING_EQUAL(s->policies[1].name, "delivery-optimization");
  CHECK_EQ(s->policies[1].nsettings, 2);
  CU_ASSERT_STRING_EQUAL(s->policies[1].settings[1].value, "60s");
  scenario_free(s);
}

static void test_faults(void) {
  scenario *s = parse(example, NULL, NULL, 0);
  const scn_fault *f = s != NULL ? s->faults : NULL;

  if (s == NULL) {
    return;
  }
  CHECK_EQ(s->nfaults, 3 + 20 + 2 + 2 + 1);
  CHECK_EQ(f[0].what, SCN_FAULT_ORIGIN_DOWN);
  CHECK_EQ(f[0].duration, XL_MIN(20));
  CHECK_EQ(f[1].what, SCN_FAULT_ORIGIN_ERROR);
  CHECK_EQ(f[1].status, 404);
  CU_ASSERT_STRING_EQUAL(f[2].target, "branch[3]");
  CHECK_EQ(f[3].what, SCN_FAULT_WAN_DOWN);
  CU_ASSERT_STRING_EQUAL(f[3].target, "branch[0]");
  CU_ASSERT_STRING_EQUAL(f[22].target, "branch[19]");
  CHECK_EQ(f[23].what, SCN_FAULT_LINK);
  CHECK_EQ(f[23].duration, XL_NEVER);
  CHECK_EQ(f[23].up_Bps, 125000000);
  CHECK_EQ(f[23].down_Bps, 0);
  CHECK_EQ(f[24].what, SCN_FAULT_CRASH);
  CU_ASSERT_STRING_EQUAL(f[24].target, "branch[2].pc[24]");
  CHECK_EQ(f[25].what, SCN_FAULT_CHANGE);
  CU_ASSERT_STRING_EQUAL(f[25].target, "cdn-b");
  CU_ASSERT_STRING_EQUAL(f[26].target, "cdn-a");
  CU_ASSERT_STRING_EQUAL(f[27].content, "kb");
  CU_ASSERT_STRING_EQUAL(f[27].target, "cdn-a");
  scenario_free(s);
}

/* ---- distributions ---------------------------------------------------------
 */

#define LONGEST (520 * 604800e9) /* the range of the key clamps */

static const struct {
  const char *set;
  dist_kind kind;
  double a, b, min, max;
} forms[] = {
    {"12s", DIST_CONSTANT, 12e9, 0, -INFINITY, INFINITY},
    {"{uniform: [1s, 3s]}", DIST_UNIFORM, 1e9, 3e9, 0, LONGEST},
    {"{uniform: 3s}", DIST_UNIFORM, 0, 3e9, 0, LONGEST},
    {"{exponential: {mean: 4s}}", DIST_EXPONENTIAL, 4e9, 0, 0, LONGEST},
    {"{lognormal: {median: 5s, sigma: 1.5}}", DIST_LOGNORMAL, 5e9, 1.5, 0,
     LONGEST},
    {"{weibull: {scale: 6s, shape: 0.6}}", DIST_WEIBULL, 0.6, 6e9, 0, LONGEST},
    {"{pareto: {min: 7s, shape: 1.2}}", DIST_PARETO, 7e9, 1.2, 0, LONGEST},
    {"{normal: {mean: 8s, sd: 2s}}", DIST_NORMAL, 8e9, 2e9, 0, LONGEST},
    {"{poisson: 36/h}", DIST_POISSON, 0.01, 0, 0, LONGEST},
    {"{pareto: {min: 7s, shape: 1.2}, min: 8s, max: 1h}", DIST_PARETO, 7e9, 1.2,
     8e9, 3600e9},
    {"{table: [3s, 1s, 2s]}", DIST_TABLE, 0, 0, 0, LONGEST},
};

static void test_forms(void) {
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char set[128];
    const char *sets[] = {set};
    snprintf(set, sizeof set, "jobs.ring1.arrival=%s", forms[i].set);
    scenario *s = parse(example, NULL, sets, 1);
    if (s == NULL) {
      continue;
    }
    const dist *d = &s->jobs[1].arrival;
    bool same = d->kind == forms[i].kind && d->a == forms[i].a &&
                d->b == forms[i].b && d->min == forms[i].min &&
                d->max == forms[i].max;
    if (!same) {
      printf("  %s: %d %g %g [%g %g]\n", forms[i].set, d->kind, d->a, d->b,
             d->min, d->max);
    }
    CU_ASSERT(same);
    if (d->kind == DIST_TABLE) {
      CHECK_EQ(d->ntable, 3);
      CU_ASSERT(d->table[0] == 1e9 && d->table[1] == 2e9 && d->table[2] == 3e9);
    }
    scenario_free(s);
  }
}

static void test_ratio(void) {
  const char *sets[] = {"classes.pc.up={ratio: {uniform: [10%, 0.5]}}"};
  scenario *s = parse(example, NULL, sets, 1);

  if (s != NULL) {
    const dist *d = &s->classes[0].up;
    CU_ASSERT(s->classes[0].up_is_ratio && d->kind == DIST_UNIFORM);
    CU_ASSERT(d->a == 0.1 && d->b == 0.5);
  }
  scenario_free(s);
}

/* ---- variants, sets, canonical text
 * ------------------------------------------ */

static void test_small(void) {
  scenario *s = parse(example, "small", NULL, 0);
  fail why = {0};

  if (s != NULL) {
    CHECK_EQ(s->sites[0].count, 2);
    CHECK_EQ(s->nfaults, 0);
    CHECK_EQ(s->duration, XL_HOUR(6));
    CHECK_EQ(s->jobs[0].select, SCN_ALL);
    CHECK_EQ(s->sites[1].devices[0].count, 7);
    CU_ASSERT_PTR_NULL(strstr(s->text, "small"));
  }
  scenario_free(s);
  CU_ASSERT_PTR_NULL(scenario_parse("t.yaml", example, "tiny", NULL, 0, &why));
  CU_ASSERT_STRING_EQUAL(why.text,
                         "t.yaml: unknown variant 'tiny'; expected small");
}

static void test_sets(void) {
  const char *sets[] = {
      "duration=3h",
      "duration=11h", /* the later one counts */
      "network.sites.branch.count=4",
      "network.sites[1].wan.latency=1ms",
      "network.sites.depot.lan.rate=2Gbit/s", /* with its mapping */
      "network.sites.branch.devices.laptop.count=9",
      "classes.pc.cap={uniform: [1MB/s, 2MB/s]}",
      "policies=[a, {b: {c: d}}]",
      "content.old.size=5B",
      "faults=[]",
      "description=one: two",
  };
  scenario *s = parse(example, "small", sets, sizeof sets / sizeof *sets - 1);

  if (s != NULL) {
    CHECK_EQ(s->duration, XL_HOUR(11));
    CHECK_EQ(s->sites[0].count, 4);
    CU_ASSERT(is_constant(&s->sites[1].wan_latency, 1e6));
    CHECK_EQ(s->sites[1].lan_rate, 250000000);
    CHECK_EQ(s->sites[0].devices[1].count, 9);
    CHECK_EQ(s->classes[0].cap.kind, DIST_UNIFORM);
    CHECK_EQ(s->npolicies, 2);
    CHECK_EQ(s->contents[1].size, 5);
  }
  scenario_free(s);
}

static void test_bad_sets(void) {
  static const struct {
    const char *set, *text;
  } bad[] = {
      {"duration", "--set duration: no path and value; expected path=value"},
      {"=3h", "--set =3h: no path and value; expected path=value"},
      {"duratoin=3h", "--set duratoin: unknown key 'duratoin'; expected a key "
                      "of the scenario; did you mean 'duration'?"},
      {"classes.pcs.down=1MB/s", "--set classes.pcs.down: no key 'pcs'; "
                                 "expected one that is there; did you mean "
                                 "'pc'?"},
      {"classes.pc.dwon=1MB/s", "--set classes.pc.dwon: unknown key 'dwon'; "
                                "expected a key of the scenario; did you "
                                "mean 'down'?"},
      {"jobs.ring2.start=1h", "--set jobs.ring2.start: no item 'ring2'; "
                              "expected the name of an item, or [number]; "
                              "did you mean 'ring0'?"},
      {"jobs[4].start=1h", "--set jobs[4].start: no item '[4]'; expected a "
                           "number below 4"},
      {"jobs[x].start=1h", "--set jobs[x].start: it is malformed; expected "
                           "keys joined by dots, items by name or [number]"},
      {"jobs..start=1h", "--set jobs..start: it is malformed; expected keys "
                         "joined by dots, items by name or [number]"},
      {"duration.x=1h", "--set duration.x: no mapping for 'x'; expected a "
                        "path that ends before it"},
      {"duration=3", "--set duration: 'duration': '3' has no unit; expected a "
                     "time such as 90s, 4h or 2d, from 1s to 520w (w, d, h, "
                     "min, s, ms, us, ns)"},
      {"network.sites.branch.count=0",
       "--set network.sites.branch.count: 'network.sites.branch.count': '0' "
       "is too small; expected a count such as 25, from 1 to 10000000"},
      {"duration=[", "--set duration: not valid YAML: did not find expected "
                     "node content while parsing a flow node; expected 'key: "
                     "value' lines (a value with ': ', '#' or brackets needs "
                     "quotes)"},
  };

  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fail why = {0};
    scenario *s = scenario_parse("t.yaml", example, NULL, &bad[i].set, 1, &why);
    CU_ASSERT_PTR_NULL(s);
    CHECK_EQ(why.status, EXIT_USAGE);
    if (strcmp(why.text, bad[i].text) != 0) {
      printf("  gives '%s'\n  wants '%s'\n", why.text, bad[i].text);
    }
    CU_ASSERT_STRING_EQUAL(why.text, bad[i].text);
    scenario_free(s);
  }
}

static void check_canonical(scenario *s) {
  scenario *t = s != NULL ? parse(s->text, NULL, NULL, 0) : NULL;

  if (t != NULL) {
    char *one = scenario_dump(s), *two = scenario_dump(t);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_STRING_EQUAL(s->text, t->text);
    free(one);
    free(two);
  }
  scenario_free(t);
}

static void test_canonical(void) {
  const char *sets[] = {
      "description=\"a: b # \\\"c\\\" \\\\ \\n \\t \\u2028 \\u0085 \\u00e9\"",
      "source=\"\"",
      "classes.pc.down={table: [1MB/s, 2MB/s]}",
      "policies=[]",
  };
  scenario *s = parse(example, NULL, NULL, 0);
  check_canonical(s);
  scenario_free(s);
  s = parse(example, "small", sets, sizeof sets / sizeof *sets);
  check_canonical(s);
  if (s != NULL) {
    CU_ASSERT_STRING_EQUAL(
        s->description, "a: b # \"c\" \\ \n \t \xe2\x80\xa8 \xc2\x85 \xc3\xa9");
  }
  scenario_free(s);
}

/* ---- catalogues -------------------------------------------------------------
 */

static const char catalogue[] =
    "content=[{name: month, files: 200, zipf: 1, size: {uniform: 2000B}, "
    "released: {uniform: 200s}, origins: [cdn-a]}, {name: kb, size: "
    "1B, origins: [cdn-a]}]";

static void test_catalogue(void) {
  const char *sets[] = {catalogue, "faults=[]",
                        "jobs=[{name: m, content: month, requests: {uniform: "
                        "[1, 9]}, arrival: {uniform: 1h}}, {name: n, "
                        "content: ['month[7]', kb]}]"};
  double mean = 0, early = 0;
  bool seen[200] = {false};
  scenario *s = parse(example, NULL, sets, 3);

  if (s == NULL) {
    return;
  }
  CHECK_EQ(s->ncontents, 201);
  CHECK_EQ(s->ncatalogues, 1);
  CHECK_EQ(s->catalogues[0].files, 200);
  CU_ASSERT_STRING_EQUAL(s->contents[7].name, "month[7]");
  CHECK_EQ(s->contents[200].catalogue, -1);
  for (size_t i = 0; i < 200; i++) {
    const scn_content *c = &s->contents[i];
    size_t slot = (size_t)(c->size / 10); /* each stratum once */
    CU_ASSERT(slot < 200 && !seen[slot]);
    seen[slot < 200 ? slot : 0] = true;
    mean += (double)c->size / 200;
    early += (double)c->released / 200;
    CHECK_NEAR(c->popularity, 1 / ((double)i + 1), 1e-15);
    CHECK_EQ(c->catalogue, 0);
  }
  CHECK_NEAR(mean, 1000, 1e-9);
  CHECK_NEAR(early, 100e9, 1e-9);
  CHECK_EQ(s->jobs[0].catalogue, 0);
  CHECK_EQ(s->jobs[0].ncontents, 0);
  CHECK_EQ(s->jobs[0].requests.kind, DIST_UNIFORM);
  CHECK_EQ(s->jobs[1].contents[0], 7);
  CHECK_EQ(s->jobs[1].contents[1], 200);
  scenario_free(s);
}

/* ---- CSV --------------------------------------------------------------------
 */

static bool write_file(const char *dir, const char *name, const char *text) {
  char path[300];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  if (f == NULL) {
    return false;
  }
  fputs(text, f);
  return fclose(f) == 0;
}

static void remove_files(const char *dir) {
  static const char *const names[] = {"plain.csv", "named.csv", "sites.csv",
                                      "s.yaml"};
  char path[300];

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, names[i]);
    unlink(path);
  }
  rmdir(dir);
}

static void check_csv(const char *path) {
  static const char sites[] =
      "network.sites[1]={csv: sites.csv, at: de, wan: {up: 7Mbit/s}, devices: "
      "[{class: pc, count: 5}]}";
  const char *sets[] = {
      "classes.pc.down={csv: plain.csv}",
      "classes.pc.up={csv: {file: named.csv, column: up, unit: Mbit/s}}", sites,
      "jobs.here.devices={site: paris}"};
  fail why = {0};
  scenario *s = scenario_read(path, NULL, sets, 4, &why);

  CU_ASSERT_STRING_EQUAL(why.text, "");
  CU_ASSERT_PTR_NOT_NULL(s);
  if (s == NULL) {
    return;
  }
  CHECK_EQ(s->classes[0].down.ntable, 3);
  CU_ASSERT(s->classes[0].down.table[0] == 1e6);
  CU_ASSERT(s->classes[0].down.table[2] == 3e6);
  CHECK_EQ(s->classes[0].up.ntable, 2);
  CU_ASSERT(s->classes[0].up.table[1] == 1e6);
  CHECK_EQ(s->nsites, 3);
  CU_ASSERT_STRING_EQUAL(s->sites[1].name, "paris");
  CHECK_EQ(s->sites[1].count, 2);
  CU_ASSERT(is_constant(&s->sites[1].wan_up, 875000));
  CHECK_EQ(s->sites[1].ndevices, 1);
  CHECK_EQ(s->sites[1].devices[0].count, 5);
  CU_ASSERT(is_constant(&s->sites[2].wan_up, 250000));
  CHECK_EQ(s->sites[2].count, 1);
  CHECK_EQ(s->sites[2].ndevices, 1);
  CU_ASSERT_STRING_EQUAL(s->sites[2].devices[0].cls, "laptop");
  CU_ASSERT_PTR_NULL(strstr(s->text, "csv")); /* needs no other file */
  check_canonical(s);
  scenario_free(s);
}

static void test_csv(void) {
  char dir[] = "/tmp/xferlab-scenario-XXXXXX", path[300];

  CU_ASSERT_PTR_NOT_NULL(mkdtemp(dir));
  CU_ASSERT(write_file(dir, "plain.csv", "3MB/s\n# comment\n1MB/s\r\n2MB/s"));
  CU_ASSERT(write_file(dir, "named.csv", "id,\"up\"\na, 8\n\nb,4\n"));
  CU_ASSERT(write_file(dir, "sites.csv",
                       "name,count,wan_down,wan_up,devices_pc,devices_laptop\n"
                       "paris,2,20Mbit/s,,,\n"
                       "lyon,,10Mbit/s,2Mbit/s,0,\"4\"\n"));
  CU_ASSERT(write_file(dir, "s.yaml", example));
  snprintf(path, sizeof path, "%s/s.yaml", dir);
  check_csv(path);
  remove_files(dir);
}

/* ---- the table of keys
 * --------------------------------------------------------- */

/* "network.sites[].lan" as a path of the example. */
static void example_path(const char *row, char *buf) {
  for (; *row != '\0'; row++) {
    if (*row == '*') {
      *buf++ = 'p';
      *buf++ = 'c';
    } else if (row[0] == '[' && row[1] == ']') {
      memcpy(buf, "[0]", 3);
      buf += 3;
      row++;
    } else {
      *buf++ = *row;
    }
  }
  *buf = '\0';
}

static void test_later(void) {
  unsigned n = 0;

  for (size_t i = 0; i < scenario_nkeys; i++) {
    char path[128], set[160];
    const char *sets[] = {set};
    fail why = {0};
    if (!(scenario_keys[i].flags & KEY_LATER)) {
      continue;
    }
    n++;
    example_path(scenario_keys[i].path, path);
    snprintf(set, sizeof set, "%s=x", path);
    char *online = strstr(set, "online.");
    if (online != NULL) { /* a form of a value */
      snprintf(set, sizeof set, "classes.pc.online={%s: x}",
               key_name(&scenario_keys[i]));
    }
    CU_ASSERT_PTR_NULL(scenario_parse("t.yaml", example, NULL, sets, 1, &why));
    if (strstr(why.text, "is not supported yet; expected a scenario without "
                         "it") == NULL ||
        strstr(why.text, key_name(&scenario_keys[i])) == NULL) {
      printf("  %s: %s\n", set, why.text);
      CU_ASSERT(false);
    }
  }
  CU_ASSERT(n >= 10);
}

static void test_rows(void) {
  for (size_t i = 0; i < scenario_nkeys; i++) {
    const scn_key *k = &scenario_keys[i];
    CU_ASSERT(k->help != NULL && k->help[0] != '\0');
    for (size_t j = 0; j < i; j++) {
      CU_ASSERT(strcmp(k->path, scenario_keys[j].path) != 0);
    }
  }
}

static void test_docs(void) {
  char *text = NULL;
  size_t len = 0;
  FILE *to = open_memstream(&text, &len);

  scenario_keys_print(to, true);
  fclose(to);
  FILE *f = fopen("docs/scenario.md", "r");
  CU_ASSERT_PTR_NOT_NULL(f);
  char *doc = calloc(1, len + 2);
  size_t n = f != NULL ? fread(doc, 1, len + 1, f) : 0;
  CHECK_EQ(n, len);
  CU_ASSERT(n == len && memcmp(doc, text, len) == 0);
  if (f != NULL) {
    fclose(f);
  }
  free(doc);
  free(text);
}

static void test_docs_example(void) {
  static char doc[65536];
  FILE *f = fopen("docs/scenario.md", "r");
  size_t n = f != NULL ? fread(doc, 1, sizeof doc - 1, f) : 0;
  char *text = strstr(doc, "```yaml\n");

  doc[n] = '\0';
  if (f != NULL) {
    fclose(f);
  }
  CU_ASSERT_PTR_NOT_NULL(text);
  if (text != NULL) {
    char *end = strstr(text + 8, "```");
    CU_ASSERT_PTR_NOT_NULL(end);
    if (end != NULL) {
      *end = '\0';
    }
    scenario_free(parse(text + 8, NULL, NULL, 0));
    scenario_free(parse(text + 8, "small", NULL, 0));
  }
}

TEST_SUITE("scenario", {"every key goes where it belongs", test_fields},
           {"what is left out has its default", test_defaults},
           {"jobs know their contents and devices", test_jobs},
           {"faults know their targets, one each", test_faults},
           {"every distribution reads, in base units", test_forms},
           {"a ratio may be a distribution", test_ratio},
           {"the small variant changes what it names", test_small},
           {"settings apply in order, after the variant", test_sets},
           {"a bad setting is named with the nearest key", test_bad_sets},
           {"the canonical text reads as the same scenario", test_canonical},
           {"a catalogue has the distribution it asks for", test_catalogue},
           {"CSV files become sites and tables", test_csv},
           {"every key that is not built yet is refused by name", test_later},
           {"every key has help and is there once", test_rows},
           {"docs/scenario.md is what the table says", test_docs},
           {"the example of docs/scenario.md is a scenario", test_docs_example})
