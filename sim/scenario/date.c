/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates as ISO 8601 writes them: 2026-11-10T08:00:00+01:00, seconds optional.
 */
#include "scenario/reader.h"

static bool two(const char **p, int lo, int hi, int *out) {
  const char *s = *p;

  if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') {
    return false;
  }
  *out = (s[0] - '0') * 10 + (s[1] - '0');
  *p = s + 2;
  return *out >= lo && *out <= hi;
}

static bool skip(const char **p, char c) {
  bool ok = **p == c;

  *p += ok;
  return ok;
}

/* Days since 1970-01-01 of a Gregorian date. */
static int64_t days_of(int y, int m, int d) {
  int64_t year = m <= 2 ? y - 1 : y;
  int64_t era = year / 400, yoe = year - era * 400;
  int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool date_parse(const char *p, int64_t *unix_s, int32_t *offset_s) {
  int c, y, mon, d, h, min, s = 0, zh = 0, zm = 0;
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  if (!two(&p, 19, 99, &c) || !two(&p, 0, 99, &y) || !skip(&p, '-') ||
      !two(&p, 1, 12, &mon) || !skip(&p, '-') || !two(&p, 1, 31, &d) ||
      !(skip(&p, 'T') || skip(&p, ' ')) || !two(&p, 0, 23, &h) ||
      !skip(&p, ':') || !two(&p, 0, 59, &min) ||
      (skip(&p, ':') && !two(&p, 0, 59, &s))) {
    return false;
  }
  y += c * 100;
  bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
  if (d > days[mon - 1] + (mon == 2 && leap)) {
    return false;
  }
  bool east = *p == '+';
  if (!skip(&p, 'Z')) {
    if (!(skip(&p, '+') || skip(&p, '-')) || !two(&p, 0, 14, &zh) ||
        (skip(&p, ':') && !two(&p, 0, 59, &zm))) {
      return false;
    }
  }
  *offset_s = (int32_t)(zh * 3600 + zm * 60) * (east ? 1 : -1);
  *unix_s = days_of(y, mon, d) * 86400 + h * 3600 + min * 60 + s - *offset_s;
  return *p == '\0';
}
