/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 1000u

char *file_text(arena *a, const char *path, size_t max, size_t *len,
                const char **what) {
  size_t cap = 0, n = 0;
  char *buf = NULL;

  *what = NULL;
  errno = 0;
  FILE *f = fopen(path, "rb");
  if (f == NULL) {
    *what = strerror(errno);
    return NULL;
  }
  for (size_t got = 1; got > 0;) {
    buf = arena_grow(a, buf, &cap, n + 4096, 1);
    got = fread(buf + n, 1, cap - n - 1, f);
    n += got;
    if (n > max) {
      *what = "too large";
      break;
    }
  }
  if (ferror(f)) {
    *what = errno == EISDIR ? "is a directory" : strerror(errno);
  }
  fclose(f);
  if (*what != NULL) {
    return NULL;
  }
  buf[n] = '\0';
  *len = n;
  return buf;
}

typedef struct cursor {
  const char *p, *end, *line_start;
  place at;
} cursor;

static void newline(cursor *c) {
  c->at.line++;
  c->line_start = c->p;
}

/* One cell; the cursor stops at the comma or at the end of the line. */
static bool cell_read(arena *a, cursor *c, csv_cell *out, fail *why) {
  char *buf;
  size_t n = 0;

  while (c->p < c->end && *c->p == ' ') {
    c->p++;
  }
  out->at = c->at;
  out->at.col = (int)(c->p - c->line_start) + 1;
  if (c->p == c->end || *c->p != '"') {
    const char *start = c->p;
    while (c->p < c->end && *c->p != ',' && *c->p != '\n') {
      c->p++;
    }
    n = (size_t)(c->p - start);
    while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\r')) {
      n--;
    }
    out->text = arena_text(a, start, n);
    return true;
  }
  const char *close = ++c->p;
  while (close < c->end && *close != '\n' &&
         (*close != '"' || (close + 1 < c->end && close[1] == '"'))) {
    close += *close == '"' ? 2 : 1;
  }
  if (close >= c->end || *close != '"') {
    return place_fail(why, out->at,
                      "a quote that does not end on its line; "
                      "expected '\"'");
  }
  buf = arena_text(a, c->p, (size_t)(close - c->p));
  for (const char *p = c->p; p < close; p++) {
    buf[n++] = *p;
    p += *p == '"';
  }
  buf[n] = '\0';
  out->text = buf;
  for (c->p = close + 1; c->p < c->end && (*c->p == ' ' || *c->p == '\r');
       c->p++) {
  }
  if (c->p < c->end && *c->p != ',' && *c->p != '\n') {
    return place_fail(why, out->at,
                      "text after a quoted cell; expected a "
                      "comma or the end of the line");
  }
  return true;
}

static bool is_blank_line(const cursor *c) {
  const char *p = c->p;

  while (p < c->end && (*p == ' ' || *p == '\r')) {
    p++;
  }
  return p == c->end || *p == '\n' || *p == '#';
}

static bool row_read(arena *a, cursor *c, csv *out, size_t *cap, fail *why) {
  size_t n = 0, base = out->rows * out->cols;

  for (bool more = true; more; n++) {
    if (n == COLUMNS_MAX) {
      return place_fail(why, c->at, "more than %u columns; expected fewer",
                        COLUMNS_MAX);
    }
    out->cell = arena_grow(a, out->cell, cap, base + n + 1, sizeof *out->cell);
    if (!cell_read(a, c, &out->cell[base + n], why)) {
      return false;
    }
    more = c->p < c->end && *c->p == ',';
    c->p += more;
  }
  if (out->rows == 0) {
    out->cols = n;
  }
  if (n != out->cols) {
    return place_fail(why, out->cell[base].at,
                      "a row of %zu cells; expected %zu as in the first row", n,
                      out->cols);
  }
  out->rows++;
  return true;
}

bool csv_parse(arena *a, const char *file, const char *text, size_t len,
               csv *out, fail *why) {
  cursor c = {text, text + len, text, {.file = file, .line = 1, .col = 1}};
  size_t cap = 0;

  *out = (csv){0};
  if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
    c.p += 3;
  }
  if (memchr(text, '\0', len) != NULL) {
    return place_fail(why, c.at, "a zero byte; expected text");
  }
  while (c.p < c.end) {
    if (is_blank_line(&c)) {
      while (c.p < c.end && *c.p != '\n') {
        c.p++;
      }
    } else if (!row_read(a, &c, out, &cap, why)) {
      return false;
    }
    if (c.p < c.end) {
      c.p++;
      newline(&c);
    }
  }
  if (out->rows == 0) {
    return place_fail(why, c.at, "no rows; expected at least one");
  }
  return true;
}
