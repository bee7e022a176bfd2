// SPDX-License-Identifier: GPL-2.0-or-later
/* Syncs everything, a filesystem, a file. */
#include <sys/socket.h>

#include "workload.h"

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int name = OK(SYS(openat, AT_FDCWD, "data", O_PATH));
	int p[2];

	OK(SYS(pipe2, p, 0));
	for (int i = 0; i < 3; i++) {
		IS(3, SYS(write, fd, "abc", 3));
		IS(0, SYS(fdatasync, fd));
		IS(0, SYS(fsync, fd));
		IS(0, SYS(syncfs, fd));
	}
	IS(0, SYS(sync));
	FAILS(EBADF, SYS(syncfs, 999));
	FAILS(EBADF, SYS(syncfs, name));
	FAILS(EINVAL, SYS(fsync, p[0]));
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	IS(0, SYS(close, name));
	IS(0, SYS(close, fd));
	return 0;
}
