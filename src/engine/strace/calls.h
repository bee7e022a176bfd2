/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns the calls in strace's output into events. */
#ifndef IOTRC_STRACE_CALLS_H
#define IOTRC_STRACE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/strace/line.h"
#include "engine/strace/state.h"
#include "engine/strace/tasks.h"

/* A thread that a call has created, of the same process or as a new process. */
struct strace_birth {
	uint32_t tid; /* 0: none */
	bool is_thread;
};

/* Passes the events of call C of T, which began BEGAN_NS nanoseconds after 1970, to the sink.
 * Returns the thread that it has created. */
struct strace_birth strace_calls__take(struct strace *s, struct strace_task *t,
				       const struct line_call *c, uint64_t began_ns);

/* The end of T's process, NS nanoseconds after 1970, with the status of wait(2). */
void strace_calls__exit(struct strace *s, struct strace_task *t, int status, uint64_t ns);

/* The names of all calls, for strace's option -e: a static string. */
const char *strace_calls__names(void);

#endif
