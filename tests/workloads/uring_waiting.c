// SPDX-License-Identifier: GPL-2.0-or-later
/* uring_waiting CHAINS FILE [late]: CHAINS chains of io_uring requests that open FILE, all in
 * progress at the same time: the first of each reads a pipe that is empty until all have been
 * submitted. With `late`, completions are reaped when all have come, more than the ring has room
 * for. Prints how many there were. Does nothing if the kernel has no io_uring. */
#include <unistd.h>

#include "uring.h"

#define LENGTH 60 /* requests to open, in each */

static struct ring ring;
static int opened, failed;

static void take(void)
{
	unsigned int head = *ring.cq_head;

	for (; head != __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE); head++) {
		const struct io_uring_cqe *c = &ring.cqes[head & *ring.cq_mask];

		if (c->user_data && c->res < 0)
			failed++;
		else if (c->user_data) {
			opened++;
			close(c->res);
		}
	}
	__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
}

int main(int argc, char **argv)
{
	int chains, wait[2];
	char byte;

	if (argc < 3)
		return 2;
	chains = atoi(argv[1]);
	OK(pipe(wait));
	if (ring__new(&ring, 0))
		return 0;
	for (int i = 0; i < chains; i++) {
		struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_READ, wait[0]);

		sqe->addr = (uintptr_t)&byte;
		sqe->len = 1;
		sqe->off = -1;
		sqe->flags = IOSQE_IO_LINK;
		for (int j = 1; j <= LENGTH; j++) {
			sqe = ring__next(&ring, IORING_OP_OPENAT, AT_FDCWD);
			sqe->addr = (uintptr_t)argv[2];
			sqe->open_flags = O_RDONLY;
			sqe->flags = j < LENGTH ? IOSQE_IO_LINK : 0;
			sqe->user_data = i * LENGTH + j;
		}
		ring__publish(&ring);
		IS(LENGTH + 1, SYS(io_uring_enter, ring.fd, LENGTH + 1, 0, 0, 0L, 0L));
	}
	for (int i = 1; i <= chains; i++) {
		IS(1, write(wait[1], "", 1));
		if (argc > 3 && i == chains)
			sleep(1);
		while (opened + failed < i * LENGTH && (argc == 3 || i == chains)) {
			OK(SYS(io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, 0L, 0L));
			take();
		}
	}
	printf("%d\n", opened);
	return failed > 0;
}
