/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses any text as a scenario: an error that says where, or a scenario. */
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  fail why = {0};

  memcpy(text, data, size);
  text[size] = '\0';
  scenario *s = scenario_parse("fuzz.yaml", text, NULL, NULL, 0, &why);
  if (s == NULL && why.text[0] == '\0') {
    abort(); /* refused without a word */
  }
  scenario_free(s);
  free(text);
  return 0;
}
