// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/socket_fd.h"

#include <errno.h>
#include <sys/socket.h>

#ifdef __linux__
int socket_fd__pair(int ret[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) ? -errno : 0;
}

int socket_fd__new(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}
#else
#include <fcntl.h>
#include <unistd.h>

int socket_fd__pair(int ret[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ret))
		return -errno;
	for (int i = 0; i < 2; i++)
		(void)fcntl(ret[i], F_SETFD, FD_CLOEXEC);
	return 0;
}

int socket_fd__new(int family, int type)
{
	int fd = socket(family, type, 0), err;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}
#endif
