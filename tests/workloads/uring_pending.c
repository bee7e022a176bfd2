// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads its standard input, a pipe, through io_uring: the request is in progress from the line that
 * it prints (thread, name of the pipe) until there is something to read. The line is empty if the
 * kernel has no io_uring. */
#include "uring.h"

int main(void)
{
	char byte, name[64] = "";
	struct io_uring_sqe *sqe;
	struct ring ring;

	if (ring__new(&ring, 0)) {
		puts("");
		return 0;
	}
	OK(readlink("/proc/self/fd/0", name, sizeof(name) - 1));
	sqe = ring__next(&ring, IORING_OP_READ, 0);
	sqe->addr = (uintptr_t)&byte;
	sqe->len = 1;
	sqe->off = -1;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
	printf("%d %s\n", gettid(), name);
	fflush(stdout);
	if (!ring__wait(&ring))
		return 93;
	return ring__take(&ring, NULL, NULL) != 1;
}
