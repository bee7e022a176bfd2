// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: requests in flight at the same time with the same user_data, one of which is not about
 * a file's content, and afterwards one alone with it. */
#include <poll.h>

#include "uring.h"

#define AT_ONCE 5
#define NUMBER 7

static char buf[AT_ONCE][64];
static char names[AT_ONCE][64]; /* as tell() takes them */
static struct ring ring;

static void go(struct io_uring_sqe *sqe)
{
	sqe->user_data = NUMBER;
	ring__publish(&ring);
	OK(SYS(io_uring_enter, ring.fd, 1, 0, 0, 0L, 0L));
}

static void ask(int fd, int i)
{
	struct io_uring_sqe *sqe = ring__next(&ring, IORING_OP_READ, fd);

	sqe->addr = (uintptr_t)buf[i];
	sqe->len = 20 + i;
	sqe->off = -1;
	go(sqe);
}

static int answer(void)
{
	if (!ring__wait(&ring))
		exit(93);
	return ring__take(&ring, NULL, NULL);
}

int main(void)
{
	int pipes[AT_ONCE][2];
	struct io_uring_sqe *sqe;

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
		printf("same ");
		tell("read", names[i], NULL, 20 + i, NONE, 1, "", answer());
	}
	sqe = ring__next(&ring, IORING_OP_POLL_ADD, pipes[0][0]);
	sqe->poll32_events = POLLIN;
	go(sqe);
	ask(pipes[1][0], 1);
	IS(8, SYS(write, pipes[0][1], buf[0], 8));
	IS(POLLIN, answer() & POLLIN);
	IS(8, SYS(write, pipes[1][1], buf[0], 8));
	printf("same ");
	tell("read", names[1], NULL, 21, NONE, 1, "", answer());
	/* There is something to read. */
	ask(pipes[0][0], 0);
	tell("read", names[0], NULL, 20, NONE, 1, "", answer());
	IS(0, SYS(close, ring.fd));
	return 0;
}
