// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/fd_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
int fd_path__get(int fd, char ret[FD_PATH_SIZE])
{
	char link[48];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, FD_PATH_SIZE - 1);
	ret[n > 0 ? n : 0] = 0;
	return n < 0 ? -errno : n == FD_PATH_SIZE - 1 || *ret != '/' ? -ENAMETOOLONG : 0;
}
#else
_Static_assert(FD_PATH_SIZE >= MAXPATHLEN, "F_GETPATH writes up to MAXPATHLEN (fcntl(2))");

int fd_path__get(int fd, char ret[FD_PATH_SIZE])
{
	return fcntl(fd, F_GETPATH, ret) < 0 ? -errno : *ret != '/' ? -ENAMETOOLONG : 0;
}
#endif
