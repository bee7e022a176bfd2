/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of ours that keeps a dtrace running. It is forked before we drop privileges, which a
 * restarted dtrace needs, and ends when its control pipe is closed. */
#ifndef IOTRC_DTRACE_RUNNER_H
#define IOTRC_DTRACE_RUNNER_H

#include <stddef.h>
#include <sys/types.h>

/* Commands in the control pipe. */
#define RUNNER_END 'e'     /* let dtrace write what it has, and end */
#define RUNNER_RESTART 'r' /* kill a dtrace that does not answer, and start another one */

/* The runner's own messages among those of dtrace. */
#define RUNNER_ENDED "runner: dtrace ended "

struct runner {
	int out, said, control; /* output, messages and control; reading never blocks */
};

/* Starts PROGRAM with SCRIPT and ARGUMENT, and restarts it whenever it ends. Returns 0, or a
 * negative errno. */
int runner__start(struct runner *ret, const char *program, const char *script,
		  const char *argument);

/* Runs ARGV once, waits for it, and reads at most SIZE - 1 bytes of its stdout and stderr. Returns
 * its exit code, or a negative errno. */
int runner__once(char *const argv[], char *ret, size_t size);

#endif
