/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of the spool and the bytes of its header; see spool.h. */
#ifndef RECORD_FRAME_H
#define RECORD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC 0x50534c58u /* "XLSP" */
#define FRAME_HEADER 0xffffu    /* kind of the header frame */

typedef struct frame {
  uint32_t magic;
  uint16_t kind; /* schema_table, or FRAME_HEADER */
  uint16_t zero;
  uint32_t nrows;
  uint32_t length; /* of the payload */
  uint64_t hash;
} frame;
_Static_assert(sizeof(frame) == 24, "a frame has no padding");

uint64_t frame_hash(const frame *f, const void *payload);

/* A growing run of bytes. |bad| once memory was short. */
typedef struct bytes {
  uint8_t *p;
  size_t len, cap;
  bool bad;
} bytes;

void bytes_add(bytes *b, const void *data, size_t n);
void bytes_u32(bytes *b, uint32_t v);
void bytes_text(bytes *b, const char *s);
void bytes_frame(bytes *b, uint16_t kind, uint32_t nrows, const void *payload,
                 size_t len);
void bytes_free(bytes *b);

/* Reading them back. |bad| once something was missing. */
typedef struct cursor {
  const uint8_t *p;
  size_t left;
  bool bad;
} cursor;

void cursor_take(cursor *c, void *to, size_t n);
uint32_t cursor_u32(cursor *c);
char *cursor_text(cursor *c); /* malloc'ed; NULL and |bad| on failure */

#endif
