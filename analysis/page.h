/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTML page of a study: one file that needs nothing from outside, without
 * scripts, for wide and narrow screens, dark ones and paper.
 */
#ifndef ANALYSIS_PAGE_H
#define ANALYSIS_PAGE_H

#include "analysis/study.h"

/* Writes |path|. The figures are taken from |figures_dir|; one that is not
   there is said to be missing. */
bool page_write(const study *st, const char *figures_dir, const char *path,
                fail *why);

/* ---- html.c -------------------------------------------------------------- */

/* |text| with & < > " ' escaped. */
void html_text(FILE *out, const char *text);
/* The same, with places where a policy's label may be broken. */
void html_label(FILE *out, const char *label);
/* The SVG file inlined, its ids made unique by |prefix|. False: unreadable. */
bool html_svg(FILE *out, const char *path, const char *prefix);
/* The style sheet, with its <style> element. */
void html_style(FILE *out);

#endif
