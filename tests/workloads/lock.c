// SPDX-License-Identifier: GPL-2.0-or-later
/* Locks of all three kinds: requested, refused, waited for. */
#include <sys/file.h>
#include <sys/wait.h>

#include "workload.h"

static struct flock fl(int type, int whence, long start, long length)
{
	return (struct flock){
		.l_type = type, .l_whence = whence, .l_start = start, .l_len = length
	};
}

static void whole(int a, int b)
{
	IS(0, SYS(flock, a, LOCK_SH));
	IS(0, SYS(flock, b, LOCK_SH | LOCK_NB));
	FAILS(EAGAIN, SYS(flock, a, LOCK_EX | LOCK_NB));
	IS(0, SYS(flock, b, LOCK_UN));
	IS(0, SYS(flock, a, LOCK_EX));
	IS(0, SYS(flock, a, LOCK_UN));
	FAILS(EINVAL, SYS(flock, a, 64));
	FAILS(EBADF, SYS(flock, 999, LOCK_SH));
}

static void ranges(int a, int b)
{
	struct flock l = fl(F_WRLCK, SEEK_SET, 5L << 30, 1009);

	IS(0, SYS(fcntl, a, F_SETLK, &l));
	l = fl(F_RDLCK, SEEK_SET, 7, 0);
	IS(0, SYS(fcntl, a, F_SETLKW, &l));
	l = fl(F_WRLCK, SEEK_END, -3, 2);
	IS(0, SYS(fcntl, a, F_SETLK, &l));
	l = fl(F_WRLCK, SEEK_SET, 3, 2);
	IS(0, SYS(fcntl, a, F_GETLK, &l)); /* locks of one process don't conflict */
	l = fl(F_UNLCK, SEEK_SET, 0, 0);
	IS(0, SYS(fcntl, a, F_SETLK, &l));
	l = fl(F_WRLCK, SEEK_SET, 100, 11);
	IS(0, SYS(fcntl, a, F_OFD_SETLK, &l));
	l = fl(F_WRLCK, SEEK_SET, 105, 1);
	FAILS(EAGAIN, SYS(fcntl, b, F_OFD_SETLK, &l));
	l = fl(F_RDLCK, SEEK_SET, 90, 12);
	IS(0, SYS(fcntl, b, F_OFD_GETLK,
		  &l)); /* returns the conflicting lock, not what was requested */
	l = fl(F_RDLCK, SEEK_SET, 50, 13);
	IS(0, SYS(fcntl, b, F_OFD_SETLKW, &l));
	l = fl(F_UNLCK, SEEK_SET, 0, 0);
	IS(0, SYS(fcntl, a, F_OFD_SETLK, &l));
	IS(0, SYS(fcntl, b, F_OFD_SETLK, &l));
	l = fl(F_WRLCK, SEEK_SET, -5, 2);
	FAILS(EINVAL, SYS(fcntl, a, F_SETLK, &l));
	l = fl(9, SEEK_SET, 0, 2);
	FAILS(EINVAL, SYS(fcntl, a, F_SETLK, &l));
	FAILS(EFAULT, SYS(fcntl, a, F_SETLK, 8L));
	l = fl(F_WRLCK, SEEK_SET, 0, 2);
	FAILS(EBADF, SYS(fcntl, 999, F_SETLK, &l));
}

/* Another process waits until this one releases its lock. */
static void waited_for(int a)
{
	struct flock l = fl(F_WRLCK, SEEK_SET, 10, 10);
	long pid;
	int status, fd, p[2];
	char byte;

	OK(SYS(pipe2, p, 0));
	IS(0, SYS(fcntl, a, F_SETLK, &l));
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR));
		l = fl(F_WRLCK, SEEK_SET, 15, 10);
		FAILS(EAGAIN, SYS(fcntl, fd, F_SETLK, &l));
		IS(1, SYS(write, p[1], "x", 1));
		l = fl(F_WRLCK, SEEK_SET, 15, 10);
		IS(0, SYS(fcntl, fd, F_SETLKW, &l));
		SYS(exit_group, 0);
	}
	IS(1, SYS(read, p[0], &byte, 1));
	usleep(20000);
	l = fl(F_UNLCK, SEEK_SET, 10, 10);
	IS(0, SYS(fcntl, a, F_SETLK, &l));
	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(0, status);
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
}

int main(void)
{
	int a = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int b = OK(SYS(openat, AT_FDCWD, "file", O_RDWR));

	IS(7, SYS(write, a, "content", 7));
	for (int i = 0; i < 5; i++) {
		whole(a, b);
		ranges(a, b);
		waited_for(a);
	}
	/* Not locks. */
	OK(SYS(fcntl, a, F_GETFL));
	OK(SYS(fcntl, a, F_SETFD, (long)FD_CLOEXEC));
	IS(0, SYS(close, b));
	IS(0, SYS(close, a));
	return 0;
}
