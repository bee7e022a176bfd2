// SPDX-License-Identifier: GPL-2.0-or-later
/* splice, tee and vmsplice: files and pipes. */
#include <sys/socket.h>
#include <sys/uio.h>

#include "workload.h"

static char buf[65536];

static void move(int from, loff_t *at, int to, loff_t *to_at, long n, long flags, long moved)
{
	IS(moved, SYS(splice, from, at, to, to_at, n, flags));
}

int main(void)
{
	int in = OK(SYS(openat, AT_FDCWD, "in", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int out = OK(SYS(openat, AT_FDCWD, "out", O_RDWR | O_CREAT | O_TRUNC, 0644));
	struct iovec iov[2] = { { buf, 1009 }, { buf + 4096, 503 } };
	int p[2], q[2], s[2];
	loff_t at;

	OK(SYS(pipe2, p, 0));
	OK(SYS(pipe2, q, 0));
	OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
	IS(40009, SYS(write, in, buf, 40009));
	for (int i = 0; i < 5; i++) {
		at = 211 * i;
		move(in, &at, p[1], NULL, 1009, SPLICE_F_MOVE, 1009);
		move(p[0], NULL, out, NULL, 1009, 0, 1009);
		IS(23 * i, SYS(lseek, in, 23L * i, SEEK_SET));
		move(in, NULL, p[1], NULL, 2003, SPLICE_F_MORE, 2003);
		at = 70001;
		move(p[0], NULL, out, &at, 5000, SPLICE_F_MOVE | SPLICE_F_MORE, 2003);
		move(in, NULL, p[1], NULL, 401, 0, 401);
		IS(401, SYS(tee, p[0], q[1], 1000, SPLICE_F_NONBLOCK)); /* no file at all */
		move(p[0], NULL, out, NULL, 401, 0, 401);
		move(q[0], NULL, s[1], NULL, 401, 0, 401); /* nor here */
		IS(401, SYS(read, s[0], buf, 1000));
		IS(1512, SYS(vmsplice, p[1], iov, 2, 0));
		move(p[0], NULL, out, NULL, 1512, 0, 1512);
	}
	IS(40009, SYS(lseek, in, 0, SEEK_END));
	move(in, NULL, p[1], NULL, 10, 0, 0); /* at the end */
	FAILS(EAGAIN, SYS(splice, p[0], 0L, out, 0L, 10, SPLICE_F_NONBLOCK));
	FAILS(EINVAL, SYS(splice, in, 0L, out, 0L, 10, 0)); /* no pipe */
	at = 3;
	FAILS(ESPIPE, SYS(splice, in, 0L, p[1], &at, 10, 0));
	FAILS(EBADF, SYS(splice, 999, 0L, p[1], 0L, 10, 0));
	FAILS(EBADF, SYS(splice, in, 0L, 999, 0L, 10, 0));
	FAILS(EINVAL, SYS(splice, in, 0L, p[1], 0L, 10, 1 << 20));
	FAILS(EINVAL, SYS(tee, in, p[1], 10, 0));
	FAILS(EBADF, SYS(vmsplice, in, iov, 2, 0)); /* not a pipe, but a file in scope */
	FAILS(EBADF, SYS(vmsplice, 999, iov, 2, 0));
	for (int i = 0; i < 2; i++) {
		IS(0, SYS(close, p[i]));
		IS(0, SYS(close, q[i]));
		IS(0, SYS(close, s[i]));
	}
	IS(0, SYS(close, out));
	IS(0, SYS(close, in));
	return 0;
}
