/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer of a study in sentences. Plain text; the callers escape it.
 */
#ifndef ANALYSIS_ANSWER_H
#define ANALYSIS_ANSWER_H

#include "analysis/study.h"

/* What one policy changes against the baseline: origin bytes, p95 completion,
   makespan, each with its interval and its verdict. */
void answer_policy(const study *st, size_t policy, FILE *out);

/* Which policy is best in which measure, and how sure that is. */
void answer_best(const study *st, FILE *out);

/* What one run did. */
void answer_run(const study *st, FILE *out);

/* The lower bound of the baseline's world and the term that sets it. */
void answer_bound(const study *st, FILE *out);

/* The text of a bound term. */
const char *answer_bound_text(unsigned term);

#endif
