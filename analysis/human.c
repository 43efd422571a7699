/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/human.h"

#include <math.h>
#include <string.h>

typedef struct step {
  const char *unit; /* the base unit */
  double from;      /* used when the largest value is at least this */
  const char *shown;
  double factor;
} step;

/* Per base unit from large to small; the last one is used for all below. */
static const step steps[] = {
    {"s", 72 * 3600.0, "d", 1 / 86400.0},
    {"s", 7200, "h", 1 / 3600.0},
    {"s", 120, "min", 1 / 60.0},
    {"s", 0, "s", 1},
    {"B", 0x1p40, "TiB", 0x1p-40},
    {"B", 0x1p30 / 2, "GiB", 0x1p-30},
    {"B", 0x1p20 / 2, "MiB", 0x1p-20},
    {"B", 0x1p10, "KiB", 0x1p-10},
    {"B", 0, "B", 1},
    {"B/s", 1.25e9, "Gbit/s", 8e-9},
    {"B/s", 6.25e4, "Mbit/s", 8e-6},
    {"B/s", 0, "kbit/s", 8e-3},
    {"%", 0, "%", 100},
    {"pp", 0, "pp", 100},
    {"1", 0, "", 1},
};

scale scale_for(const char *unit, double small, double large) {
  const step *use = NULL;

  small = isfinite(small) ? fabs(small) : 0;
  large = isfinite(large) ? fabs(large) : 0;
  for (size_t i = 0; i < sizeof steps / sizeof *steps && use == NULL; i++) {
    if (strcmp(steps[i].unit, unit) == 0 && large >= steps[i].from) {
      use = &steps[i];
    }
  }
  if (use == NULL) {
    return (scale){unit, 1, 2};
  }
  scale s = {use->shown, use->factor, 0};
  double top = large * s.factor, low = small * s.factor;
  s.decimals = top < 10 ? 2 : top < 100 ? 1 : 0;
  if (low > 0 && low < 0.1) {
    s.decimals = 3;
  } else if (low > 0 && low < 1 && s.decimals < 2) {
    s.decimals = 2;
  } else if (low > 0 && low < 10 && s.decimals < 1) {
    s.decimals = 1;
  }
  if (strcmp(use->shown, "B") == 0 || (strcmp(unit, "1") == 0 && top >= 100)) {
    s.decimals = 0;
  }
  return s;
}

static const char *word(char *buf, const char *s) {
  snprintf(buf, HUMAN_LEN, "%s", s);
  return buf;
}

const char *scale_text(char *buf, scale s, double v, int sign) {
  if (isnan(v)) {
    return word(buf, "-");
  }
  if (isinf(v)) {
    return word(buf, ">");
  }
  v *= s.factor;
  /* A difference that rounds to nothing has no sign. */
  double half = 0.5 * pow(10, -s.decimals);
  if (fabs(v) < half) {
    v = 0;
    sign = 0;
  }
  snprintf(buf, HUMAN_LEN, sign ? "%+.*f" : "%.*f", s.decimals, v);
  return buf;
}

const char *human(char *buf, const char *unit, double v) {
  char number[HUMAN_LEN];
  scale s = scale_for(unit, v, v);

  if (isnan(v)) {
    s.unit = "";
  }
  scale_text(number, s, v, 0);
  snprintf(buf, HUMAN_LEN, "%.25s%s%.8s", number, s.unit[0] ? " " : "", s.unit);
  return buf;
}

const char *human_span(char *buf, double seconds) {
  static const struct {
    const char *unit;
    double seconds, from;
  } units[] = {{"d", 86400, 3 * 86400.0},
               {"h", 3600, 7200},
               {"min", 60, 120},
               {"s", 1, 0}};

  if (!(seconds >= 0) || isinf(seconds)) {
    return word(buf, "-");
  }
  for (size_t i = 0;; i++) {
    if (seconds >= units[i].from) {
      snprintf(buf, HUMAN_LEN, "%.4g%s", seconds / units[i].seconds,
               units[i].unit);
      return buf;
    }
  }
}

const char *human_p(char *buf, double p) {
  if (isnan(p)) {
    return word(buf, "-");
  }
  if (p < 0.001) {
    return word(buf, "< 0.001");
  }
  snprintf(buf, HUMAN_LEN, "%.3f", p);
  return buf;
}

size_t human_width(const char *text) {
  size_t n = 0;

  for (; *text != '\0'; text++) {
    n += ((unsigned char)*text & 0xC0) != 0x80;
  }
  return n;
}

void human_pad(FILE *out, const char *text, int width) {
  size_t want = (size_t)(width < 0 ? -width : width);
  size_t have = human_width(text);
  int gap = want > have ? (int)(want - have) : 0;

  if (width < 0) {
    fprintf(out, "%*s%s", gap, "", text);
  } else {
    fprintf(out, "%s%*s", text, gap, "");
  }
}
