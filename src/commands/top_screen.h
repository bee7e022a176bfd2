/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen of iotrc top. */
#ifndef IOTRC_TOP_SCREEN_H
#define IOTRC_TOP_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
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
	const char *filter;                /* only rows whose names contain this */
	const volatile sig_atomic_t *stop; /* not 0: a signal has ended it */
};

/* Runs the screen until `q`, a signal, or the last refresh. Returns the exit code, after a message
 * on failure. Weak: it is NULL in a static program, which has no ncurses. */
int top_screen__run(const struct top_config *config, struct top_table *t) __attribute__((weak));

#endif
