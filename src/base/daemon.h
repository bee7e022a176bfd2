/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the recorder in the background, for systems without a service manager. A pid file ensures
 * that only one runs at a time. */
#ifndef IOTRC_DAEMON_H
#define IOTRC_DAEMON_H

#include <sys/types.h>

struct daemon {
	const char *pid_file, *log_file; /* NULL: none; borrowed */
	int pid_dir, log_dir;            /* their directories; -1 */
	int pid_fd;                      /* locked while we live; -1 */
	int parent_fd;                   /* to report to; -1 */
};

/* Forks. Returns in the child, with 0 or a negative errno (-EBUSY: the process RET_OTHER holds the
 * pid file; -EPIPE: cannot fork). The parent waits for the child to call daemon__ready() and exits
 * with 0; if the child exits before that, the parent exits with the child's code. Until
 * daemon__ready() the child keeps its working directory, stdout and stderr. */
int daemon__begin(struct daemon *d, const char *pid_file, const char *log_file, pid_t *ret_other);

/* Detaches from the terminal: stdout and stderr are redirected to the log file or /dev/null, and
 * messages to the log file or syslog. Returns 0, or a negative errno if the log file cannot be
 * opened. */
int daemon__ready(struct daemon *d);

/* Reopens the log file, which may have been rotated, in the directory in which it was first opened.
 * Returns 0, or a negative errno; the old file then stays open. */
int daemon__reopen(struct daemon *d);

/* Why the pid file or the log file was not opened: links and files of other users are refused. */
const char *daemon__strerror(int err);

/* Removes the pid file. */
void daemon__end(struct daemon *d);

#endif
