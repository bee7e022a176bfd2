/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits until a signal ends us, or until a process ends. */
#ifndef IOTRC_END_WATCH_H
#define IOTRC_END_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

struct end_watch {
	int signals, process; /* descriptors; negative if there is none to wait for */
};

/* From now on SIGINT and SIGTERM only end end_watch__wait(). Returns 0, or a negative errno. */
int end_watch__begin(struct end_watch *ret);

/* Leaves the signals to the caller: only the end of a process ends end_watch__wait(). Returns 0, or
 * a negative errno. */
int end_watch__begin_without_signals(struct end_watch *ret);

/* The end of process PID ends it, too, also if its parent does not wait for it. Returns 0, or a
 * negative errno. */
int end_watch__process(struct end_watch *w, pid_t pid);

/* Waits for at most TIMEOUT_MS (-1: without limit). Returns whether a signal came or the process
 * ended. */
bool end_watch__wait(const struct end_watch *w, int timeout_ms);

/* Closes its descriptors; the signals stay blocked. */
void end_watch__close(struct end_watch *w);

#endif
