// SPDX-License-Identifier: GPL-2.0-only
/* io_uring: requests whose success isn't told of (IOSQE_CQE_SKIP_SUCCESS), each followed by one that is,
 * and failures. Prints how many of the former there were, or 0 when the kernel has no such. */
#include <stdbool.h>

#include "uring.h"

#define CQE_SKIP_SUCCESS (1 << 6)

static char buf[4096];
static struct ring ring;

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "quiet", O_RDWR | O_CREAT | O_TRUNC, 0644)), n = 0;
	struct io_uring_sqe *sqe;
	uint64_t which;

	IS(4096, SYS(write, fd, buf, 4096));
	/* The flag came in 5.17; SETXATTR in 5.19 stands for it. */
	if (ring__new(&ring, 0) || !ring.known[IORING_OP_FSETXATTR]) {
		puts("0");
		return 0;
	}
	for (int i = 0; i < 101; i++) {
		bool fails = i % 10 == 9;

		sqe = ring__next(&ring, IORING_OP_READ, fails ? 999 : fd);
		sqe->addr = (uintptr_t)buf;
		sqe->len = 13;
		sqe->off = i;
		sqe->flags = CQE_SKIP_SUCCESS;
		sqe->user_data = 1;
		ring__publish(&ring);
		IS(1, SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
		if (fails) {
			ring__wait(&ring);
			IS(-EBADF, ring__take(&ring, &which, NULL));
		}
		n += !fails;
	}
	printf("%d\n", n);
	IS(0, SYS(close, ring.fd));
	return 0;
}
