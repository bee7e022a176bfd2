// SPDX-License-Identifier: GPL-2.0-or-later
/* A request that waits between submission and completion. A read from a pipe is submitted, and data
 * is written only 50 ms later. Rows of pipes: only with all kinds of files in scope. */
#include "uring.h"

static char buf[64];

int main(void)
{
	char link[32], name[64] = "=";
	struct io_uring_sqe *sqe;
	struct ring ring;
	int p[2];
	ssize_t n;

	OK(SYS(pipe2, p, 0));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", p[0]);
	n = OK(SYS(readlinkat, AT_FDCWD, link, name + 1, 60));
	name[1 + n] = '\0';
	for (int way = 0; way < 3; way++) {
		if (ring__new(&ring, way == 2 ? IORING_SETUP_SQPOLL : 0))
			return 0;
		for (int i = 0; i < 3; i++) {
			sqe = ring__next(&ring, IORING_OP_READ, p[0]);
			sqe->addr = (uintptr_t)buf;
			sqe->len = 11;
			sqe->off = -1;
			if (way == 1)
				sqe->flags = IOSQE_ASYNC;
			ring__publish(&ring);
			OK(SYS(io_uring_enter, ring.fd, way < 2, 0, IORING_ENTER_SQ_WAKEUP, 0L,
			       0L));
			usleep(50000);
			IS(7, SYS(write, p[1], buf, 7));
			if (!ring__wait(&ring))
				exit(93);
			tell("read", name, NULL, 11, NONE, 1, "", ring__take(&ring, NULL, NULL));
		}
		IS(0, SYS(close, ring.fd));
	}
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	return 0;
}
