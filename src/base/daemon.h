/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going into the background, where no service manager does it: one process at a time, as its pid
 * file says. */
#ifndef IOTRC_DAEMON_H
#define IOTRC_DAEMON_H

#include <sys/types.h>

struct daemon {
	const char *pid_file, *log_file; /* NULL: none; borrowed */
	int pid_dir, log_dir;            /* their directories; -1 */
	int pid_fd;                      /* locked while we live; -1 */
	int parent_fd;                   /* whom to tell; -1 */
};

/* Forks. The child returns, 0 or a negative errno (-EBUSY: the process that RET_OTHER names has the
 * pid file; -EPIPE: no fork). The parent stays until the child calls daemon__ready(), then exits
 * with 0; where the child exits before that, with its exit code. The child keeps working directory,
 * stdout and stderr until then. */
int daemon__begin(struct daemon *d, const char *pid_file, const char *log_file, pid_t *ret_other);

/* Lets go of the terminal: stdout and stderr go to the log file, or nowhere, and messages there or
 * to syslog. 0, or a negative errno: the log file can't be opened. */
int daemon__ready(struct daemon *d);

/* Opens the log file anew, in the directory that the first one was in: it may have been moved away.
 * 0, or a negative errno, and the old one stays. */
int daemon__reopen(struct daemon *d);

/* What kept the pid file or the log file from being opened: links are refused, and files of other
 * users. */
const char *daemon__strerror(int err);

/* Removes the pid file. */
void daemon__end(struct daemon *d);

#endif
