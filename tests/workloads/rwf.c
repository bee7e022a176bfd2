// SPDX-License-Identifier: GPL-2.0-or-later
/* preadv2 and pwritev2 with each of their flags. */
#include <linux/fs.h>
#include <sys/uio.h>

#include "workload.h"

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20 /* 6.9 */
#endif

static char buf[65536];

static long rw(long nr, int fd, const struct iovec *iov, long n, long pos, long flags)
{
	return syscall(nr, fd, iov, n, pos, 0L, flags);
}

int main(void)
{
	struct iovec iov[3] = { { buf, 1009 }, { buf, 0 }, { buf + 2048, 503 } };
	int fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int log;

	for (int i = 0; i < 5; i++) {
		IS(1512, rw(SYS_pwritev2, fd, iov, 3, 4096 * i, 0));
		IS(1512, rw(SYS_pwritev2, fd, iov, 3, 4096 * i, RWF_DSYNC));
		IS(1512, rw(SYS_pwritev2, fd, iov, 3, -1, RWF_SYNC));
		/* Appends, and does not move the file's position. */
		IS(1512, rw(SYS_pwritev2, fd, iov, 3, 5, RWF_APPEND));
		IS(1512, rw(SYS_pwritev2, fd, iov, 3, -1, RWF_APPEND));
		IS(1009, SYS(write, fd, buf, 1009));
	}
	IS(0, SYS(fsync, fd));
	for (int i = 0; i < 7; i++) {
		IS(1512, rw(SYS_preadv2, fd, iov, 3, 13 * i, 0));
		IS(1512,
		   rw(SYS_preadv2, fd, iov, 3, 13 * i, RWF_NOWAIT)); /* it is in the page cache */
		IS(101 * i, SYS(lseek, fd, 101L * i, SEEK_SET));
		IS(1512, rw(SYS_preadv2, fd, iov, 3, -1, 0));
		IS(1512, rw(SYS_preadv2, fd, iov, 3, -1, RWF_NOWAIT));
	}
	IS(0, rw(SYS_preadv2, fd, iov, 3, 1L << 40, 0));
	IS(0, rw(SYS_preadv2, fd, iov, 0, 7, 0));
	FAILS(EOPNOTSUPP, rw(SYS_preadv2, fd, iov, 3, 0, 1 << 20));
	FAILS(EINVAL, rw(SYS_preadv2, fd, iov, 3, -2, 0));
	FAILS(EBADF, rw(SYS_preadv2, 999, iov, 3, -1, 0));
	FAILS(EFAULT, rw(SYS_pwritev2, fd, (void *)8, 3, 11, RWF_DSYNC));
	log = OK(SYS(openat, AT_FDCWD, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644));
	for (int i = 0; i < 3; i++) {
		IS(1512, rw(SYS_pwritev2, log, iov, 3, 0, 0));
		IS(1512, rw(SYS_pwritev2, log, iov, 3, -1, RWF_DSYNC));
	}
	/* EOPNOTSUPP before 6.9; since then the offset is used although the file was opened to
	 * append. */
	SYS(pwritev2, log, iov, 3L, 0L, 0L, (long)RWF_NOAPPEND);
	IS(0, SYS(close, log));
	IS(0, SYS(close, fd));
	return 0;
}
