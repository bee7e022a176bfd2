// SPDX-License-Identifier: GPL-2.0-or-later
/* Many descriptors closed at once: one row without a file. */
#include <linux/close_range.h>

#include "workload.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4 /* 5.11 */
#endif

static int fds[61];

static void fill(void)
{
	for (int i = 0; i < 61; i++)
		fds[i] = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY));
}

int main(void)
{
	char byte;

	workload__create("file");
	fill();
	IS(0, SYS(read, fds[7], &byte, 1));
	IS(0, SYS(close_range, fds[7], fds[17], 0));
	FAILS(EBADF, SYS(read, fds[7], &byte, 1));
	IS(0, SYS(read, fds[18], &byte, 1));
	IS(0, SYS(close_range, fds[0], ~0U, CLOSE_RANGE_UNSHARE));
	FAILS(EBADF, SYS(close, fds[18]));
	IS(0, SYS(close_range, 700, 800, 0)); /* nothing there */
	FAILS(EINVAL, SYS(close_range, 7, 5, 0));
	FAILS(EINVAL, SYS(close_range, 5, 7, 1 << 7));
	fill();
	/* EINVAL before 5.11; strace says. */
	SYS(close_range, fds[1], fds[2], CLOSE_RANGE_CLOEXEC);
	for (int i = 0; i < 61; i++)
		IS(0, SYS(close, fds[i]));
	return 0;
}
