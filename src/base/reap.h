/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_REAP_H
#define IOTRC_REAP_H

#include <errno.h>
#include <sys/types.h>
#include <sys/wait.h>

/* Waits until the child PID has ended, even if signals interrupt the wait. Returns its status as in
 * waitpid(2), which is never negative, or a negative errno: -ECHILD if PID is not a child. */
static inline int reap(pid_t pid)
{
	int status = 0;
	pid_t n;

	do
		n = waitpid(pid, &status, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : status;
}

/* The exit code that a shell shows for STATUS: 128 plus the number of the signal, if one ended the
 * process. */
static inline int reaped_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
