/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All descendants of a command, orphans included. One command at a time. */
#ifndef IOTRC_DESCENDANTS_H
#define IOTRC_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

/* To be called before the command is forked. Returns 0, or a negative errno. */
int descendants__prepare(void);

/* Follows the descendants of child PID, which has not run yet, until PID has ended, without reaping
 * it. Returns at once if the system itself keeps track of orphans. */
void descendants__follow(pid_t pid);

/* After that: reaps descendants that have become our children and have ended, and returns whether
 * any other one still runs. Process OTHER, a child of ours, is not one of them. On macOS a process
 * is missed if its parent was never seen, because that existed only for a moment. */
bool descendants__any(pid_t other);

/* Whether there was room for all of them; the others are not waited for. */
bool descendants__all_known(void);

#endif
