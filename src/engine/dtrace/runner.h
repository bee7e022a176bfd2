/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of ours that keeps a dtrace running. It is made before we give up rights, since a
 * dtrace that is started again needs them, and ends when the pipe that controls it does. */
#ifndef IOTRC_DTRACE_RUNNER_H
#define IOTRC_DTRACE_RUNNER_H

#include <stddef.h>
#include <sys/types.h>

/* What is written to the control pipe. */
#define RUNNER_END 'e'     /* let dtrace write what it has, and end */
#define RUNNER_RESTART 'r' /* kill dtrace, which does not answer, and start another */

/* What the runner itself says among dtrace's messages. */
#define RUNNER_ENDED "runner: dtrace ended "

struct runner {
	int out, said,
		control; /* to read, to read, to write; of the first two reading never blocks */
};

/* Starts PROGRAM with SCRIPT and ARGUMENT, again and again. 0, or a negative errno. */
int runner__start(struct runner *ret, const char *program, const char *script,
		  const char *argument);

/* Runs ARGV once, waits for it, and reads at most SIZE - 1 bytes of what it writes to stdout and
 * stderr. Returns its exit code, or a negative errno. */
int runner__once(char *const argv[], char *ret, size_t size);

#endif
