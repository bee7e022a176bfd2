// SPDX-License-Identifier: GPL-2.0-or-later
/* Inherited descriptors: from another process, over fork and exec, by dup. */
#include <sys/socket.h>
#include <sys/wait.h>

#include "workload.h"

static char buf[64];

static void pass(int over, int fd)
{
	char capacity[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = capacity,
		.msg_controllen = sizeof(capacity),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	IS(1, sendmsg(over, &m, 0));
}

static int take(int over)
{
	char capacity[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = capacity,
		.msg_controllen = sizeof(capacity),
	};
	int fd;

	IS(1, recvmsg(over, &m, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void child(int over)
{
	int fd;

	for (int i = 0; i < 5; i++) {
		fd = take(over);
		IS(3, SYS(pread64, fd, buf, 3, 2L));
		IS(i, SYS(lseek, fd, i, SEEK_SET));
		IS(2, SYS(read, fd, buf, 2));
		IS(1, SYS(pwrite64, fd, "y", 1, 11L));
		FAILS(ENOTDIR, SYS(openat, fd, "below", O_RDONLY));
		IS(0, SYS(close, fd));
		fd = take(over); /* a directory that the sender has left */
		FAILS(ENOENT, SYS(openat, fd, "absent", O_RDONLY));
		IS(0, SYS(fchdir, fd));
		FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
		IS(0, SYS(close, fd));
		IS(1, SYS(write, over, "k", 1));
	}
}

int main(int argc, char **argv)
{
	int s[2], fd, dir, twin, status;
	char number[16];
	long pid;

	if (argc > 1) { /* after the exec: descriptors by number */
		fd = atoi(argv[1]);
		IS(13, SYS(lseek, fd, 0, SEEK_CUR));
		IS(1, SYS(write, fd, "z", 1));
		IS(1, SYS(pread64, 77, buf, 1, 0L));
		FAILS(EBADF, SYS(read, 78, buf, 1)); /* closed by the exec */
		return 0;
	}
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	fd = OK(SYS(openat, AT_FDCWD, "dir/file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	IS(13, SYS(write, fd, "some content.", 13));
	OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		IS(0, SYS(close, fd));
		IS(0, SYS(close, dir));
		child(s[1]);
		SYS(exit_group, 0);
	}
	for (int i = 0; i < 5; i++) {
		twin = OK(SYS(openat, AT_FDCWD, "dir/file", O_RDWR));
		pass(s[0], twin);
		IS(0, SYS(close, twin)); /* while the request is in progress */
		pass(s[0], dir);
		IS(1, SYS(read, s[0], buf, 1));
	}
	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(0, status);
	for (int i = 0; i < 3; i++) {
		pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
		if (!pid) {
			OK(SYS(dup3, fd, 77, 0));
			OK(SYS(dup3, fd, 78, O_CLOEXEC));
			snprintf(number, sizeof(number), "%d", fd);
			SYS(execve, argv[0], ((char *[]){ argv[0], number, NULL }),
			    (char *[]){ NULL });
			SYS(exit_group, 98);
		}
		IS(pid, SYS(wait4, pid, &status, 0, 0L));
		IS(0, status);
		IS(13, SYS(lseek, fd, 13, SEEK_SET)); /* the child has moved the position */
	}
	IS(0, SYS(close, s[0]));
	IS(0, SYS(close, s[1]));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
