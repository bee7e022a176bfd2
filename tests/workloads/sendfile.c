// SPDX-License-Identifier: GPL-2.0-or-later
/* sendfile: file to file, to a pipe, to a socket, by position and by pointer. */
#include <sys/socket.h>

#include "workload.h"

static char buf[65536];

int main(void)
{
	int in = OK(SYS(openat, AT_FDCWD, "in", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int out = OK(SYS(openat, AT_FDCWD, "out", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int zero = OK(SYS(openat, AT_FDCWD, "/dev/zero", O_RDWR));
	int p[2], s[2], append;
	off_t at;

	OK(SYS(pipe2, p, 0));
	OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
	IS(40009, SYS(write, in, buf, 40009));
	for (int i = 0; i < 5; i++) {
		at = 101 * i;
		IS(1009, SYS(sendfile, out, in, &at, 1009));
		IS(17 * i, SYS(lseek, in, 17L * i, SEEK_SET));
		IS(2003, SYS(sendfile, out, in, 0L, 2003));
		IS(2003, SYS(sendfile, out, in, 0L, 2003)); /* from where the previous one ended */
		IS(503, SYS(sendfile, p[1], in, &at, 503));
		IS(503, SYS(read, p[0], buf, 1000));
		IS(499, SYS(sendfile, s[1], in, 0L, 499));
		IS(499, SYS(read, s[0], buf, 1000));
	}
	IS(40000, SYS(lseek, in, 40000, SEEK_SET));
	IS(9, SYS(sendfile, out, in, 0L, 4096)); /* short */
	IS(0, SYS(sendfile, out, in, 0L, 4096)); /* at the end */
	IS(0, SYS(sendfile, out, in, 0L, 0));
	IS(0, SYS(lseek, in, 0, SEEK_SET));
	/* One of the two files is in scope. Old kernels cannot splice to /dev/zero. */
	if (SYS(sendfile, zero, in, 0L, 600) != 600)
		IS(EINVAL, errno);
	IS(5 * (1009 + 2 * 2003) + 9, SYS(lseek, out, 0, SEEK_CUR));
	FAILS(EBADF, SYS(sendfile, out, 999, 0L, 10));
	FAILS(EBADF, SYS(sendfile, 999, in, 0L, 10));
	FAILS(EFAULT, SYS(sendfile, out, in, (off_t *)8, 10));
	at = -1;
	FAILS(EINVAL, SYS(sendfile, out, in, &at, 10));
	at = 3;
	FAILS(ESPIPE, SYS(sendfile, out, p[0], &at, 10));
	append = OK(SYS(openat, AT_FDCWD, "out", O_WRONLY | O_APPEND));
	FAILS(EINVAL, SYS(sendfile, append, in, 0L, 10));
	IS(0, SYS(close, append));
	/* Neither is. */
	IS(5, SYS(write, p[1], buf, 5));
	at = 0;
	SYS(sendfile, p[1], zero, &at, 10);
	for (int i = 0; i < 2; i++) {
		IS(0, SYS(close, p[i]));
		IS(0, SYS(close, s[i]));
	}
	IS(0, SYS(close, zero));
	IS(0, SYS(close, out));
	IS(0, SYS(close, in));
	return 0;
}
