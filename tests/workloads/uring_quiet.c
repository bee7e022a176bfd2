// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: requests whose success is not reported to the program (IOSQE_CQE_SKIP_SUCCESS), done
 * inline, by the kernel's workers and many at once, with some that fail and some that are reported
 * between them. The rows of unreported ones are marked `quiet`. Does nothing if the kernel lacks
 * the flag. */
#include "uring.h"

#define CQE_SKIP_SUCCESS (1 << 6)
#define FEAT_CQE_SKIP (1 << 11)
#define MANY 37

static char buf[4096];
static struct ring ring;
static int fd;

static struct io_uring_sqe *ask(int from, int size, int offset, int flags)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_READ, from);
	static uint64_t requests;

	sqe->user_data = ++requests; /* the only distinction before 5.18 */
	sqe->addr = (uintptr_t)buf;
	sqe->len = size;
	sqe->off = offset;
	sqe->flags = flags;
	if (flags & CQE_SKIP_SUCCESS && from == fd) {
		printf("quiet ");
		tell("read", "quiet", NULL, size, offset, 1, "", size);
	}
	return sqe;
}

static void request_reported(int offset)
{
	ask(fd, 7, offset, 0);
	tell("read", "quiet", NULL, 7, offset, 1, "", 7);
}

/* All prepared requests; the last one is reported. */
static void go(int n, int result)
{
	ring__publish(&ring);
	IS(n, SYS(io_uring_enter, ring.fd, n, 1, IORING_ENTER_GETEVENTS, 0L, 0L));
	IS(result, ring__take(&ring, NULL, NULL));
}

int main(void)
{
	fd = OK(SYS(openat, AT_FDCWD, "quiet", O_RDWR | O_CREAT | O_TRUNC, 0644));
	IS(4096, SYS(write, fd, buf, 4096));
	if (ring__new(&ring, 0) || !(ring.features & FEAT_CQE_SKIP)) /* since 5.17 */
		return 0;
	for (int i = 0; i < 101; i++) {
		ask(fd, 13, i, CQE_SKIP_SUCCESS);
		if (i % 10 == 9) {
			ask(999, 13, i, CQE_SKIP_SUCCESS);
			tell("read", NULL, NULL, 13, i, 1, "", -EBADF);
			go(2, -EBADF);
		} else {
			request_reported(i);
			go(2, 7);
		}
		/* The next request of a chain begins when a worker has finished the previous
		 * one. */
		ask(fd, 17, i, CQE_SKIP_SUCCESS | IOSQE_ASYNC | IOSQE_IO_LINK);
		request_reported(i);
		go(2, 7);
	}
	for (int i = 0; i < MANY; i++)
		ask(fd, 19, i, CQE_SKIP_SUCCESS);
	request_reported(MANY);
	go(MANY + 1, 7);
	IS(0, SYS(close, ring.fd));
	return 0;
}
