/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc top`: what is happening now, as a screen or as plain tables. */
#ifndef IOTRC_TOP_H
#define IOTRC_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "commands/top_table.h"
#include "options/command.h"

struct top_config {
	const struct command *command; /* whose messages these are */
	uint64_t period_ns;
	uint64_t looks; /* so many, then it ends; 0: without end */
	enum top_view view;
	enum top_sort sort;
	size_t rows; /* of a plain table; 0: all */
	bool json;
	const char *filter; /* only rows with this in their names */
};

extern const struct command top_command;

/* Set by SIGINT, SIGTERM and SIGHUP. */
bool top__is_stopped(void);

/* How many of COUNT in SPAN_NS nanoseconds there are in a second. */
double top__rate(uint64_t count, uint64_t span_ns);

/* The screen, until `q`, a signal, or its looks are done. The exit code, after a message where
 * there is one. Weak: a static program has no ncurses, and then it is NULL. */
int top_screen__run(const struct top_config *config, struct top_table *t) __attribute__((weak));

#endif
