// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that a signal interrupts: the kernel's own error number, which the program sees as EINTR
 * or, if the call is restarted, not at all. */
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "workload.h"

static volatile int alarms;
static int release = -1;

static void on_alarm(int sig)
{
	alarms++;
	if (release >= 0)
		SYS(write, release, "x", 1); /* the holder of the lock releases it */
}

static void ring_in(int ms, int flags, int to)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };
	struct itimerval t = { .it_value.tv_usec = ms * 1000 };

	release = to;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

int main(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 5 };
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int other = OK(SYS(openat, AT_FDCWD, "file", O_RDWR));
	int ready[2], go[2], status;
	char byte;
	long pid;

	OK(SYS(pipe2, ready, 0));
	OK(SYS(pipe2, go, 0));
	IS(0, SYS(flock, other, LOCK_EX));
	IS(0, SYS(fcntl, other, F_OFD_SETLK, &l));
	for (int i = 0; i < 3; i++) { /* without SA_RESTART: EINTR */
		ring_in(20, 0, -1);
		FAILS(EINTR, SYS(flock, fd, LOCK_SH));
		ring_in(20, 0, -1);
		FAILS(EINTR, SYS(fcntl, fd, F_OFD_SETLKW, &l));
	}
	IS(0, SYS(flock, other, LOCK_UN));
	/* With it: restarted by the kernel, until the data is there. */
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		int own = OK(SYS(openat, AT_FDCWD, "file", O_RDWR));

		IS(0, SYS(flock, own, LOCK_EX));
		IS(1, SYS(write, ready[1], "r", 1));
		IS(1, SYS(read, go[0], &byte, 1));
		IS(0, SYS(flock, own, LOCK_UN));
		SYS(exit_group, 0);
	}
	IS(1, SYS(read, ready[0], &byte, 1));
	ring_in(20, SA_RESTART, go[1]);
	IS(0, SYS(flock, fd, LOCK_SH));
	IS(7, alarms);
	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(0, status);
	IS(0, SYS(close, other));
	IS(0, SYS(close, fd));
	return 0;
}
