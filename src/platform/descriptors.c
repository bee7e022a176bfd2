// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>

/* glibc 2.31 has no function for it. */
void descriptors__close_from(int first)
{
	syscall(SYS_close_range, first, ~0U, 0);
}

void descriptors__widen_pipe(int fd, int bytes)
{
	(void)fcntl(fd, F_SETPIPE_SZ, bytes);
}
#else
/* The limit may be "unlimited", and the table is never larger than it was (getdtablesize(2)). */
void descriptors__close_from(int first)
{
	int n = getdtablesize();

	for (int fd = first; fd < n; fd++)
		close(fd);
}

/* A pipe of macOS grows by itself, up to 64 KiB. */
void descriptors__widen_pipe(int fd, int bytes)
{
}
#endif
