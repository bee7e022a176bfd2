/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that descends from a command, orphans included. One command at a time. */
#ifndef IOTRC_DESCENDANTS_H
#define IOTRC_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

/* To be called before the command is forked. Returns 0, or a negative errno. */
int descendants__prepare(void);

/* Follows what descends from child PID, which has not run yet, until it has ended; it is not
 * waited for. Returns at once where the system itself keeps orphans. */
void descendants__follow(pid_t pid);

/* After that: reaps those that have become our children and ended, and returns whether any other
 * still runs. Process OTHER, a child of ours, is none of them. On macOS a process whose parent was
 * never seen is missed: one that a process forked which itself lasted for less than a moment. */
bool descendants__any(pid_t other);

#endif
