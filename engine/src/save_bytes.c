/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "names.h"
#include "engine.h"
#include "save.h"

void xli_put(save_out *o, uint64_t v, unsigned n) {
  for (unsigned i = 0; i < n; i++, o->len++) {
    if (o->len < o->cap) {
      o->buf[o->len] = (unsigned char)(v >> 8 * i);
    }
  }
}

void xli_put_text(save_out *o, const char *s) {
  size_t n = s == NULL ? 0 : strlen(s);

  xli_put(o, s == NULL ? UINT32_MAX : n, 4);
  for (size_t i = 0; i < n; i++) {
    xli_put(o, (unsigned char)s[i], 1);
  }
}

bool xli_must(save_in *in, bool good) {
  in->bad = in->bad || !good;
  return !in->bad;
}

uint64_t xli_get(save_in *in, unsigned n) {
  uint64_t v = 0;

  if (in->bad) {
    return 0;
  }
  in->word = in->at;
  if (!xli_must(in, (size_t)(in->end - in->at) >= n)) {
    return 0;
  }
  for (unsigned i = 0; i < n; i++) {
    v |= (uint64_t)*in->at++ << 8 * i;
  }
  return v;
}

uint64_t xli_get_max(save_in *in, unsigned n, uint64_t max) {
  uint64_t v = xli_get(in, n);

  return xli_must(in, v <= max) ? v : 0;
}

uint32_t xli_get_count(save_in *in, size_t each) {
  uint64_t n = xli_get(in, 4);

  return xli_must(in, n <= (size_t)(in->end - in->at) / each) ? (uint32_t)n : 0;
}

xl_name xli_get_text(save_in *in, xl_engine *eng) {
  uint64_t n = xli_get(in, 4);

  if (in->bad || n == UINT32_MAX) {
    return 0;
  }
  if (!xli_must(in, n <= (size_t)(in->end - in->at) &&
                        (n == 0 || memchr(in->at, '\0', (size_t)n) == NULL))) {
    return 0;
  }
  const unsigned char *text = in->at;
  in->at += n;
  return xli_names_add(eng, &eng->names, (const char *)text, (size_t)n);
}

/* FNV-1a of 64 bits. Each step is a bijection of the state: one changed byte
   always changes the sum. */
uint64_t xli_checksum(uint64_t h, const unsigned char *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    h = (h ^ p[i]) * 0x100000001b3u;
  }
  return h;
}
