/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process of ours that keeps a tracer running. It is forked before we drop privileges, which a
 * restarted tracer needs, and ends when its control pipe is closed. */
#ifndef IOTRC_MACOS_RUNNER_H
#define IOTRC_MACOS_RUNNER_H

#include <stddef.h>
#include <sys/types.h>

/* Commands in the control pipe. */
#define RUNNER_END 'e'     /* let the tracer write what it has, and end */
#define RUNNER_RESTART 'r' /* kill a tracer that does not answer, and start another one */

/* The runner's own messages among those of the tracer. */
#define RUNNER_ENDED "runner: the tracer ended "

struct runner {
	int out, said, control; /* output, messages and control; reading never blocks */
};

/* Starts ARGV, and restarts it whenever it ends. Returns 0, or a negative errno. */
int runner__start(struct runner *ret, char *const argv[]);

/* Runs ARGV once, waits for it, and reads at most SIZE - 1 bytes of its stdout and stderr. Returns
 * its exit code, or a negative errno. */
int runner__once(char *const argv[], char *ret, size_t size);

#endif
