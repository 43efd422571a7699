/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line on the terminal while work goes on: a bar, what is done and when it
 * will be. Quiet when standard error is not a terminal.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

/* |fraction| 0 .. 1 of all the work; at most ten times a second it is drawn. */
void progress_show(double fraction, const char *what);
void progress_end(void); /* wipes the line */

#endif
