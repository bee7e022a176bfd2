// SPDX-License-Identifier: GPL-2.0-only
/* io_uring: requests in flight at once to which the program has given the same user_data, and afterwards one that
 * is alone with it. */
#include "uring.h"

#define AT_ONCE 5
#define NUMBER 7

static char buf[AT_ONCE][64];
static char names[AT_ONCE][64]; /* as tell() takes them */
static struct ring ring;

static void ask(int fd, int i)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_READ, fd);

	sqe->addr = (uintptr_t)buf[i];
	sqe->len = 20 + i;
	sqe->off = -1;
	sqe->user_data = NUMBER;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
}

int main(void)
{
	int pipes[AT_ONCE][2];

	if (ring__new(&ring, 0))
		return 0;
	for (int i = 0; i < AT_ONCE; i++) {
		char link[32];
		ssize_t n;

		OK(SYS(pipe2, pipes[i], 0));
		snprintf(link, sizeof(link), "/proc/self/fd/%d", pipes[i][0]);
		n = OK(SYS(readlinkat, AT_FDCWD, link, names[i] + 1, 60));
		names[i][0] = '=';
		names[i][1 + n] = '\0';
		ask(pipes[i][0], i);
	}
	/* Not in their order. */
	for (int i = AT_ONCE - 1; i >= 0; i--) {
		IS(1 + i, SYS(write, pipes[i][1], buf[i], 1 + i));
		if (!ring__wait(&ring))
			exit(93);
		printf("same ");
		tell("read", names[i], NULL, 20 + i, NONE, 1, "", ring__take(&ring, NULL, NULL));
	}
	IS(9, SYS(write, pipes[0][1], buf[0], 9));
	ask(pipes[0][0], 0);
	if (!ring__wait(&ring))
		exit(93);
	tell("read", names[0], NULL, 20, NONE, 1, "", ring__take(&ring, NULL, NULL));
	IS(0, SYS(close, ring.fd));
	return 0;
}
