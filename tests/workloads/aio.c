// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's own asynchronous I/O. strace sees only the submission: the program prints its
 * rows. */
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "uring.h"

#define MANY 31

static char buf[MANY * 4096] __attribute__((aligned(4096)));
static aio_context_t context;

static struct iocb request(int op, int fd, void *at, long n, long offset)
{
	return (struct iocb){
		.aio_lio_opcode = op,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)at,
		.aio_nbytes = n,
		.aio_offset = offset,
	};
}

static long one(struct iocb *cb)
{
	struct io_event event;

	if (SYS(io_submit, context, 1L, &cb) != 1)
		return -errno;
	IS(1, SYS(io_getevents, context, 1L, 1L, &event, NULL));
	return event.res;
}

static void each(int fd, const char *name)
{
	struct iovec iov[2] = { { buf, 4096 }, { buf + 8192, 4096 } };
	struct iocb cb;

	for (int i = 0; i < 5; i++) {
		cb = request(IOCB_CMD_PWRITE, fd, buf, 8192, 4096 * i);
		tell_as("AIO", "write", name, NULL, 8192, 4096 * i, 1, "", one(&cb));
		cb = request(IOCB_CMD_PREAD, fd, buf, 4096, 4096 * i);
		tell_as("AIO", "read", name, NULL, 4096, 4096 * i, 1, "", one(&cb));
		cb = request(IOCB_CMD_PWRITEV, fd, iov, 2, 0);
		tell_as("AIO", "write", name, NULL, 8192, 0, 1, "", one(&cb));
		cb = request(IOCB_CMD_PREADV, fd, iov, 2, 4096);
		tell_as("AIO", "read", name, NULL, 8192, 4096, 1, "", one(&cb));
		cb = request(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
		tell_as("AIO", "fsync", name, NULL, NONE, NONE, 0, "", one(&cb));
		cb = request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
		tell_as("AIO", "fdatasync", name, NULL, NONE, NONE, 0, "", one(&cb));
	}
	cb = request(IOCB_CMD_PREAD, fd, buf, 4096, 1L << 30);
	tell_as("AIO", "read", name, NULL, 4096, 1L << 30, 1, "", one(&cb));
}

/* Many at once, announced by an eventfd. */
static void many(int fd, const char *name)
{
	int event = OK(SYS(eventfd2, 0, 0));
	struct iocb cbs[MANY], *list[MANY];
	struct io_event events[MANY];
	uint64_t count, seen = 0;

	for (int i = 0; i < MANY; i++) {
		cbs[i] = request(IOCB_CMD_PREAD, fd, buf + 4096 * i, 4096, 4096 * (i % 5));
		cbs[i].aio_flags = IOCB_FLAG_RESFD;
		cbs[i].aio_resfd = event;
		cbs[i].aio_data = i;
		list[i] = &cbs[i];
	}
	IS(MANY, SYS(io_submit, context, (long)MANY, list));
	while (seen < MANY) {
		IS(8, SYS(read, event, &count, 8));
		seen += count;
	}
	IS(MANY, SYS(io_getevents, context, (long)MANY, (long)MANY, events, NULL));
	for (int i = 0; i < MANY; i++)
		tell_as("AIO", "read", name, NULL, 4096, 4096 * (events[i].data % 5), 1, "",
			events[i].res);
	IS(0, SYS(close, event));
}

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "cached", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int direct;

	OK(SYS(io_setup, 64L, &context));
	each(fd, "cached");
	many(fd, "cached");
	IS(0, SYS(close, fd));
	/* With O_DIRECT, so that it really is asynchronous; not every filesystem supports it. */
	direct = SYS(openat, AT_FDCWD, "direct", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0644);
	if (direct >= 0) {
		each(direct, "direct");
		many(direct, "direct");
		IS(0, SYS(close, direct));
	}
	IS(0, SYS(io_destroy, context));
	return 0;
}
