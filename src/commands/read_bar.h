/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bar on the terminal behind stderr: how much of the input has been read. */
#ifndef IOTRC_READ_BAR_H
#define IOTRC_READ_BAR_H

#include <stdbool.h>
#include <stdint.h>

struct read_bar {
	bool wanted; /* stderr is a terminal; without it the functions do nothing */
	bool drawn;
	uint64_t drawn_ns; /* CLOCK_MONOTONIC */
};

/* Finds out whether stderr is a terminal. */
void read_bar__begin(struct read_bar *b);

/* Shows that READ of TOTAL bytes have been read, at most ten times a second. The cursor is then at
 * the start of the bar's line: whatever is printed next overwrites it. */
void read_bar__show(struct read_bar *b, uint64_t read, uint64_t total);

/* Removes the bar from the terminal. */
void read_bar__clear(struct read_bar *b);

#endif
