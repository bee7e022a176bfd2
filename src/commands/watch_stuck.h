/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows which call each thread of a process is in, since when, and on which file. */
#ifndef IOTRC_WATCH_STUCK_H
#define IOTRC_WATCH_STUCK_H

#include "options/command.h"
#include "schema/selection.h"

struct watch_stuck {
	const struct command *command;     /* whose messages these are */
	const struct selection *selection; /* of the processes in pids, which is not empty */
	uint64_t duration_ns;              /* 0: until a signal, or until they have ended */
	uint64_t slow_ns;                  /* only calls that have taken at least this long */
	bool json;
};

/* Prints a table every second. Returns the exit code, after a message on failure. */
int watch_stuck__run(const struct watch_stuck *w);

#endif
