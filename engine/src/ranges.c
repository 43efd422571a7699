/* SPDX-License-Identifier: MIT */
#include "ranges.h"

static xl_bytes end_of(const xl_range_spec *r) {
  return r->length > UINT64_MAX - r->offset ? UINT64_MAX
                                            : r->offset + r->length;
}

xl_err xli_ranges_check(const xl_range_spec *r, uint32_t n, uint32_t max) {
  if (n == 0 || r == NULL) {
    return XL_E_INVALIDARG;
  }
  if (n > max) {
    return XL_E_TOO_MANY_RANGES_IN_FILE;
  }
  for (uint32_t i = 0; i < n; i++) {
    bool eof = r[i].length == XL_LENGTH_TO_EOF;
    if (r[i].length == 0 || r[i].offset == XL_LENGTH_TO_EOF ||
        (!eof && r[i].length > UINT64_MAX - 1 - r[i].offset)) {
      return XL_E_INVALID_RANGE;
    }
  }
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t k = 0; k < i; k++) {
      if (r[i].offset < end_of(&r[k]) && r[k].offset < end_of(&r[i])) {
        return XL_E_OVERLAPPING_RANGES;
      }
    }
  }
  return XL_OK;
}

static xl_bytes length_of(const xl_range_spec *r, xl_bytes remote) {
  return r->length == XL_LENGTH_TO_EOF ? remote - r->offset : r->length;
}

xl_bytes xli_ranges_total(const xl_range_spec *r, uint32_t n, xl_bytes remote) {
  xl_bytes sum = 0;

  if (n == 0) {
    return remote;
  }
  for (uint32_t i = 0; i < n; i++) {
    if (r[i].length == XL_LENGTH_TO_EOF && remote == XL_SIZE_UNKNOWN) {
      return XL_SIZE_UNKNOWN;
    }
    sum += length_of(&r[i], remote);
  }
  return sum;
}

bool xli_ranges_fit(const xl_range_spec *r, uint32_t n, xl_bytes remote) {
  for (uint32_t i = 0; i < n; i++) {
    bool eof = r[i].length == XL_LENGTH_TO_EOF;
    if (r[i].offset >= remote || (!eof && end_of(&r[i]) > remote)) {
      return false;
    }
  }
  return true;
}

xl_bytes xli_ranges_offset(const xl_range_spec *r, uint32_t n, xl_bytes remote,
                           xl_bytes at, xl_bytes *end) {
  xl_bytes begin = 0;

  for (uint32_t i = 0; i < n; i++) {
    xl_bytes len = length_of(&r[i], remote);
    if (at - begin < len) {
      *end = begin + len;
      return r[i].offset + (at - begin);
    }
    begin += len;
  }
  assert(n == 0);
  *end = remote;
  return at;
}

uint32_t xli_ranges_window(const xl_range_spec *r, uint32_t n, xl_bytes remote,
                           xl_range window, xl_range_spec *out, uint32_t max) {
  const xl_range_spec all = {0, XL_LENGTH_TO_EOF};
  xl_bytes total = xli_ranges_total(r, n, remote), begin = 0;
  uint32_t parts = 0;

  if (remote == XL_SIZE_UNKNOWN || !xli_ranges_fit(r, n, remote)) {
    return 0;
  }
  window.end = window.end < total ? window.end : total;
  for (uint32_t i = 0; i < (n > 0 ? n : 1); i++) {
    const xl_range_spec *row = n > 0 ? &r[i] : &all;
    xl_bytes end = begin + length_of(row, remote);
    xl_bytes from = window.begin > begin ? window.begin : begin;
    xl_bytes to = window.end < end ? window.end : end;
    if (from < to) {
      if (parts < max) {
        out[parts] = (xl_range_spec){row->offset + (from - begin), to - from};
      }
      parts++;
    }
    begin = end;
  }
  return parts;
}
