/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc top`: current activity, as a screen or as plain tables. */
#ifndef IOTRC_TOP_H
#define IOTRC_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "commands/top_table.h"
#include "options/command.h"

struct top_config {
	const struct command *command; /* whose messages these are */
	uint64_t period_ns;
	uint64_t looks; /* number of refreshes; 0: without end */
	enum top_view view;
	enum top_sort sort;
	size_t rows; /* of a plain table; 0: all */
	bool json;
	const char *filter; /* only rows whose names contain this */
};

extern const struct command top_command;

/* Set by SIGINT, SIGTERM and SIGHUP. */
bool top__is_stopped(void);

/* COUNT per second, if it was counted in SPAN_NS nanoseconds. */
double top__rate(uint64_t count, uint64_t span_ns);

/* Writes the share of SPAN_NS that the calls of C took to TO, or "-" if there is none. Returns
 * TO. */
#define TOP_SHARE_MAX 32
const char *top__share(char to[TOP_SHARE_MAX], enum top_view view, const struct top_counts *c,
		       uint64_t span_ns);

/* Runs the screen until `q`, a signal, or the last refresh. Returns the exit code, after a message
 * on failure. Weak: it is NULL in a static program, which has no ncurses. */
int top_screen__run(const struct top_config *config, struct top_table *t) __attribute__((weak));

#endif
