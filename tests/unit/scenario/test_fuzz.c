/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Damaged scenarios: each is either read or refused with a place. */
#include <stdlib.h>

#include "scenario/csv.h"
#include "scenario/scenario.h"
#include "test.h"

#define ROUNDS 20000
#define TEXT_MAX 4096

/* Every shape of the format once. */
static const char valid[] =
    "name: fuzz\n"
    "start: 2026-11-10T08:00+01:00\n"
    "duration: 12h\n"
    "classes:\n"
    "  pc: {down: {table: [1Gbit/s, 2MB/s]}, up: {ratio: 0.5}, cap: 3MB/s}\n"
    "  lap: {down: &d {normal: {mean: 9Mbit/s, sd: 1Mbit/s}, min: 1Mbit/s}, "
    "up: *d, online: churn}\n"
    "network:\n"
    "  nodes: [{name: de, up: 2Tbit/s}, {name: m, parent: de}]\n"
    "  origins: [{name: a, at: de, rate: 2Gbit/s}, {name: b, rate: 1GB/s}]\n"
    "  sites:\n"
    "    - {name: s, at: m, count: 2, wan: {down: {uniform: [1MB/s, 2MB/s]}, "
    "up: 5Mbit/s}, devices: [{class: pc, count: 3}, {class: lap, count: 2}], "
    "subnet: 24}\n"
    "content:\n"
    "  - {name: k, size: 1.5GiB, piece: 1MiB, origins: [a, b], held_by: 2%}\n"
    "  - {name: cat, files: 9, zipf: 0.8, size: {lognormal: {median: 6MB, "
    "sigma: 1.6}, max: 4GB}, released: {uniform: 10h}, origins: a}\n"
    "jobs:\n"
    "  - {name: r, content: [k], devices: {share: 1%}, arrival: {uniform: 2h}, "
    "peer_caching: [client]}\n"
    "  - {name: q, content: cat, requests: 12, arrival: {poisson: 2/h}}\n"
    "churn: {online: {weibull: {shape: 0.6, scale: 6h}}, "
    "offline: {exponential: {mean: 30min}}}\n"
    "faults: [{at: 1h, for: 20min, origin: a, what: down}, "
    "{at: 2h, what: change, content: k}, "
    "{at: 3h, site: 's[1]', what: link, up: 0bit/s, down: 1MB/s}]\n"
    "policies: [x, {y: {k: v}}]\n"
    "small: {network.sites.s.count: 1, duration: 6h}\n";

static uint64_t state;

static uint32_t below(uint32_t n) {
  state += 0x9e3779b97f4a7c15u; /* splitmix64 */
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) % n);
}

static void test_whole(void) {
  fail why = {0};
  scenario *s = scenario_parse("fuzz.yaml", valid, NULL, NULL, 0, &why);

  if (s == NULL) {
    printf("  %s\n", why.text);
  }
  CU_ASSERT_PTR_NOT_NULL(s);
  scenario_free(s);
}

/* Writes a byte, removes some, or repeats some. */
static size_t damage(char *text, size_t len) {
  static const char bytes[] = "\n\t :,-[]{}&*!'\"#%|>0123456789e.\x80\xff\x01";
  uint32_t at = below((uint32_t)len);
  size_t n = 1 + below(12);

  switch (below(4)) {
  case 0:
    text[at] = (char)(1 + below(255));
    return len;
  case 1:
    text[at] = bytes[below(sizeof bytes - 1)];
    return len;
  case 2:
    n = n < len - at ? n : len - at;
    memmove(text + at, text + at + n, len - at - n);
    return len - n;
  default:
    n = n < len - at ? n : len - at;
    if (len + n >= TEXT_MAX) {
      return len;
    }
    memmove(text + at + n, text + at, len - at);
    return len + n;
  }
}

/* FILE:LINE:COL: text; expected .. */
static bool is_located(const char *text) {
  int line = 0, col = 0;

  return sscanf(text, "fuzz.yaml:%d:%d: ", &line, &col) == 2 && line > 0 &&
         col > 0 && strstr(text, "expected") != NULL &&
         strchr(text, '\n') == NULL;
}

static void test_damage(void) {
  char text[TEXT_MAX + 1];
  unsigned read = 0, refused = 0;

  state = 1;
  for (int i = 0; i < ROUNDS; i++) {
    size_t len = strlen(valid);
    memcpy(text, valid, len);
    for (uint32_t k = 1 + below(3); k > 0 && len > 0; k--) {
      len = damage(text, len);
    }
    text[len] = '\0';
    fail why = {0};
    scenario *s = scenario_parse("fuzz.yaml", text, i % 4 ? NULL : "small",
                                 NULL, 0, &why);
    if (s != NULL) {
      read++;
    } else {
      refused++;
      if (why.status != EXIT_USAGE || !is_located(why.text)) {
        printf("  round %d: '%s'\n", i, why.text);
        CU_ASSERT(false);
      }
    }
    scenario_free(s);
  }
  CU_ASSERT(read > 100 && refused > 1000);
}

/* What is read of a damaged file has a canonical text that reads as itself. */
static void test_canonical(void) {
  char text[TEXT_MAX + 1];
  unsigned read = 0;

  state = 2;
  for (int i = 0; i < ROUNDS / 10; i++) {
    size_t len = strlen(valid);
    fail why = {0};
    memcpy(text, valid, len);
    len = damage(text, len);
    text[len] = '\0';
    scenario *s = scenario_parse("fuzz.yaml", text, NULL, NULL, 0, &why);
    if (s != NULL) {
      scenario *t = scenario_parse("fuzz.yaml", s->text, NULL, NULL, 0, &why);
      read++;
      if (t == NULL || strcmp(s->text, t->text) != 0) {
        printf("  round %d: %s\n", i, why.text);
        CU_ASSERT(false);
      }
      scenario_free(t);
    }
    scenario_free(s);
  }
  CU_ASSERT(read > 10);
}

static void test_bounds(void) {
  size_t n = 200000;
  char *text = malloc(n + 1);
  static const char *const starts[] = {"[", "{", "- ", "? ", "a: [", "&a "};

  for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
    size_t m = strlen(starts[k]);
    fail why = {0};
    for (size_t i = 0; i + m <= n; i += m) {
      memcpy(text + i, starts[k], m);
    }
    text[n / m * m] = '\0';
    CU_ASSERT_PTR_NULL(scenario_parse("fuzz.yaml", text, NULL, NULL, 0, &why));
    CU_ASSERT(is_located(why.text));
  }
  free(text);
}

/* 10 anchors of 10 aliases each: 10^10 values if they were all copied. */
static void test_laughs(void) {
  char text[4096];
  size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x, x]\n");
  fail why = {0};

  for (int i = 1; i < 11; i++) {
    n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
    for (int j = 0; j < 10; j++) {
      n += (size_t)snprintf(text + n, sizeof text - n, "%s*a%d",
                            j > 0 ? ", " : "", i - 1);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "]\n");
  }
  CU_ASSERT_PTR_NULL(scenario_parse("fuzz.yaml", text, NULL, NULL, 0, &why));
  CU_ASSERT_PTR_NOT_NULL(strstr(why.text, "more than 1000000 values"));
}

static void test_csv(void) {
  static const char good[] = "name,count,wan_down\r\n# c\n\"a \"\"b\"\"\",2,"
                             "20Mbit/s\nc,,\"1,5\"\n";
  char text[TEXT_MAX + 1];
  unsigned read = 0;

  state = 3;
  for (int i = 0; i < ROUNDS / 2; i++) {
    size_t len = sizeof good - 1;
    arena *a = arena_new();
    fail why = {0};
    csv c;
    memcpy(text, good, sizeof good);
    for (uint32_t k = below(3); k > 0 && len > 0; k--) {
      len = damage(text, len);
    }
    char *exact = malloc(len + 1); /* so that a byte too far is seen */
    memcpy(exact, text, len);
    if (csv_parse(a, "fuzz.yaml", exact, len, &c, &why)) {
      read++;
      CU_ASSERT(c.rows > 0 && c.cols > 0);
    } else {
      CU_ASSERT(is_located(why.text));
    }
    free(exact);
    arena_free(a);
  }
  CU_ASSERT(read > 1000);
}

/* Paths that were damaged: applied, or refused by name. */
static void test_paths(void) {
  static const char *const good[] = {
      "network.sites.s.devices.pc.count=3", "classes.lap.down.min=1MB/s",
      "jobs[1].arrival.poisson=3/h",        "churn.online={uniform: [1h, 2h]}",
      "network.sites[0].lan.rate=1GB/s",    "policies[1].y.k=w"};
  char text[256];
  const char *sets[] = {text};
  unsigned read = 0;

  state = 4;
  for (int i = 0; i < ROUNDS / 4; i++) {
    const char *from = good[below(6)];
    size_t len = strlen(from);
    fail why = {0};
    memcpy(text, from, len);
    for (uint32_t k = below(3); k > 0 && len > 0; k--) {
      len = damage(text, len);
    }
    text[len] = '\0';
    scenario *s = scenario_parse("fuzz.yaml", valid, NULL, sets, 1, &why);
    read += s != NULL;
    if (s == NULL && (strncmp(why.text, "--set ", 6) != 0 &&
                      strncmp(why.text, "fuzz.yaml:", 10) != 0)) {
      printf("  %s: %s\n", text, why.text);
      CU_ASSERT(false);
    }
    scenario_free(s);
  }
  CU_ASSERT(read > 1000);
}

TEST_SUITE("damaged scenarios",
           {"the scenario to be damaged is whole", test_whole},
           {"a damaged scenario is read, or refused with a place", test_damage},
           {"what is read has a canonical text that reads as itself",
            test_canonical},
           {"nesting without end is refused, and soon", test_bounds},
           {"aliases of aliases are bounded", test_laughs},
           {"a damaged CSV file is read, or refused with a place", test_csv},
           {"a damaged setting is applied, or refused", test_paths})
