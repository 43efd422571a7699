/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads any bytes as an agent: refused, or sound and able to run. The first
 * byte chooses the policy; length and checksum are made right, so that what
 * lies behind them is reached.
 */
#include "bytes.h"

#define HEADER 24u

static void put(uint8_t *p, uint64_t v, int n) {
  for (int i = 0; i < n; i++) {
    p[i] = (uint8_t)(v >> 8 * i);
  }
}

static uint64_t sum(uint64_t h, const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    h = (h ^ p[i]) * 0x100000001b3u;
  }
  return h;
}

static void seal(uint8_t *p, size_t len) {
  memcpy(p, "XLSV", 4);
  put(p + 8, len - HEADER, 8);
  put(p + 16, sum(sum(0xcbf29ce484222325u, p, 16), p + HEADER, len - HEADER),
      8);
}

static void run(env *w) {
  static const uint8_t script[] = {7, 1, 3, 0,  9, 2, 60, 3, 4, 0,   200, 0,
                                   1, 0, 5, 63, 2, 0, 6,  8, 0, 255, 0};

  for (uint32_t i = 0; i < 40; i++) {
    bytes b = {script + i % 11, script + sizeof script};
    env_pull(w);
    env_answer(w, &b);
    env_wait(w, &b);
    env_check(w);
  }
  (void)env_reload(w, 0);
  env_check(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  env w;

  if (size < 1 + HEADER) {
    return 0;
  }
  uint8_t *p = malloc(size - 1);
  memcpy(p, data + 1, size - 1);
  seal(p, size - 1);
  env_init(&w, data[0]);
  w.now = XL_SEC(100);
  xl_agent_cfg cfg = env_cfg(&w, 0);
  xl_save_fault fault;
  xl_err err =
      xl_agent_load(&w.agents[0], w.eng, &cfg, p, size - 1, &fault, w.now);
  env_check(&w);
  if ((err == XL_OK) != (w.agents[0] != NULL)) {
    env_broken("a load that failed left an agent");
  }
  if (err == XL_OK && xl_agent_start(w.agents[0], w.now) == XL_OK) {
    run(&w);
  }
  bool told = err == XL_E_FILE_CORRUPT || err == XL_E_UNKNOWN_REVISION;
  if (told != (fault.part != NULL) || fault.at >= size) {
    env_broken("a fault is not located");
  }
  env_fini(&w);
  free(p);
  return 0;
}
