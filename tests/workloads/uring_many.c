// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: requests that read repeatedly from a pipe, until it ends. */
#include "uring.h"

#define GROUP 7
#define BUFFERS 13
#define BUFFER 512

static char buf[BUFFERS * BUFFER];
static struct ring ring;

static void provide(void)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_PROVIDE_BUFFERS, BUFFERS);

	sqe->addr = (uintptr_t)buf;
	sqe->len = BUFFER;
	sqe->buf_group = GROUP;
	IS(0, ring__one(&ring));
}

static void read_many(int times)
{
	struct io_uring_sqe *sqe;
	char link[32], name[32] = "=";
	unsigned int flags;
	int p[2], res;

	OK(SYS(pipe2, p, 0));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", p[0]);
	OK(SYS(readlinkat, AT_FDCWD, link, name + 1, sizeof(name) - 2));
	sqe = ring__next(&ring, OP_READ_MULTISHOT, p[0]);
	sqe->off = -1;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	sqe->user_data = 1000 + times;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
	for (int i = 0; i <= times; i++) {
		if (i < times)
			IS(11 + i, SYS(write, p[1], buf, 11 + i));
		else
			IS(0, SYS(close, p[1]));
		if (!ring__wait(&ring))
			exit(93);
		res = ring__take(&ring, NULL, &flags);
		tell("read", name, NULL, NONE, NONE, 1, "", res);
		if (!(flags & IORING_CQE_F_MORE) != (i == times))
			exit(92);
	}
	IS(0, SYS(close, p[0]));
}

int main(void)
{
	if (ring__new(&ring, 0) || !ring.known[OP_READ_MULTISHOT])
		return 0;
	for (int i = 0; i < 5; i++) {
		provide();
		read_many(2 * i + 1);
	}
	IS(0, SYS(close, ring.fd));
	return 0;
}
