/* SPDX-License-Identifier: MIT */
/*
 * Application ranges. The local file is their concatenation in the order given
 * (R207); no ranges is the whole remote file.
 */
#ifndef ENGINE_RANGES_H
#define ENGINE_RANGES_H

#include <xl/agent.h>

/* The call-time checks of R203-R206; at most |max| ranges (R455). */
xl_err xli_ranges_check(const xl_range_spec *r, uint32_t n, uint32_t max);
/* Length of the local file; XL_SIZE_UNKNOWN while |remote| is unknown and a
   range goes to the end (R108). */
xl_bytes xli_ranges_total(const xl_range_spec *r, uint32_t n, xl_bytes remote);
/* True when every range lies inside a remote file of |remote| bytes. */
bool xli_ranges_fit(const xl_range_spec *r, uint32_t n, xl_bytes remote);
/* Where local byte |at| lies in the remote file; *end is the local end of its
   range. |at| < total. */
xl_bytes xli_ranges_offset(const xl_range_spec *r, uint32_t n, xl_bytes remote,
                           xl_bytes at, xl_bytes *end);
/* The sub-ranges of the remote file that |window| of the local one touches, in
   list order (R210); the first |max| of them to |out|. How many there are; 0
   while the sizes are not known. */
uint32_t xli_ranges_window(const xl_range_spec *r, uint32_t n, xl_bytes remote,
                           xl_range window, xl_range_spec *out, uint32_t max);

#endif
