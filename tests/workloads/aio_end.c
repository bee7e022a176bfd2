// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel AIO whose results are never reaped, because the program ends; and requests that are
 * refused, on pipes, or appending. Prints for each its row: pid, operation, file, size, offset,
 * result; '-' is an empty field. */
#include <limits.h>
#include <linux/aio_abi.h>
#include <sys/wait.h>

#include "workload.h"

static char buf[8192] __attribute__((aligned(4096)));
static aio_context_t context;

#define UNKNOWN LONG_MIN /* a result */
#define REUSED 300       /* so many that some have no place of their own (bpf/uring_flight.h) */

static struct iocb request(int op, int fd, long n, long offset)
{
	return (struct iocb){
		.aio_lio_opcode = op,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = n,
		.aio_offset = offset,
	};
}

static void say(const char *op, const char *name, long size, const char *offset, long result)
{
	char text[32] = "-";

	if (result != UNKNOWN)
		snprintf(text, sizeof(text), "%ld", result);
	printf("%d %s %s %ld %s %s\n", getpid(), op, name, size, offset, text);
	fflush(stdout);
}

/* Submits a read whose result is never reaped, and ends in the way WAY. */
static void end(int way, char **argv)
{
	int fd = OK(SYS(openat, AT_FDCWD, "left", O_RDWR));
	struct iocb cb[2] = { request(IOCB_CMD_PREAD, fd, 4096, 0),
			      request(IOCB_CMD_PREAD, fd, 4096, 4096) };
	struct iocb *list[2] = { &cb[0], &cb[1] };

	OK(SYS(io_setup, 8L, &context));
	IS(2, SYS(io_submit, context, 2L, list));
	say("read", "left", 4096, "0", 4096);
	say("read", "left", 4096, "4096", 904);
	usleep(100000);
	if (way == 1)
		kill(getpid(), SIGKILL);
	if (way == 2)
		execl("/proc/self/exe", argv[0], "nothing", NULL);
	if (way == 3)
		OK(SYS(io_destroy, context));
	_exit(0);
}

static void refused(int op, const char *name, int fd, long n, long offset, int error)
{
	struct iocb cb = request(op, fd, n, offset), *list = &cb;
	char text[32];

	FAILS(error, SYS(io_submit, context, 1L, &list));
	snprintf(text, sizeof(text), "%ld", offset);
	say(op == IOCB_CMD_PREAD ? "read" : "write", name, n, text, -error);
}

/* A request that fails after one that does not: io_submit() returns how many it has accepted, and
 * not the error. */
static void refused_later(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "left", O_RDONLY));
	struct iocb cb[3] = { request(IOCB_CMD_PREAD, fd, 100, 7),
			      request(IOCB_CMD_PREAD, fd, 101, -5),
			      request(IOCB_CMD_PREAD, fd, 102, 9) };
	struct iocb *list[3] = { &cb[0], &cb[1], &cb[2] };
	struct io_event event;

	IS(1, SYS(io_submit, context, 3L, list));
	IS(1, SYS(io_getevents, context, 1L, 1L, &event, NULL));
	say("read", "left", 100, "7", 100);
	say("read", "left", 101, "-5", UNKNOWN);
	IS(0, SYS(close, fd));
}

static void refusals(void)
{
	int in = OK(SYS(openat, AT_FDCWD, "left", O_RDONLY));
	int out = OK(SYS(openat, AT_FDCWD, "left", O_WRONLY));
	struct iocb cb, *list = &cb;

	refused(IOCB_CMD_PREAD, "-", 99, 100, 5, EBADF);
	refused(IOCB_CMD_PWRITE, "left", in, 100, 5, EBADF);
	refused(IOCB_CMD_PREAD, "left", out, 100, 5, EBADF);
	refused(IOCB_CMD_PREAD, "left", in, 100, -5, EINVAL);
	cb = request(99, in, 100, 5);
	FAILS(EINVAL, SYS(io_submit, context, 1L, &list));
	printf("%d unknown left - - %d\n", getpid(), -EINVAL);
	refused_later();
}

/* Submits N and reaps their results. */
static void reap(struct iocb **list, long n)
{
	struct io_event events[4];

	IS(n, SYS(io_submit, context, n, list));
	IS(n, SYS(io_getevents, context, n, n, events, NULL));
}

static void places(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "log", O_WRONLY | O_CREAT | O_APPEND, 0644));
	struct iocb cb[3], *list[3] = { &cb[0], &cb[1], &cb[2] };
	int ends[2];

	IS(50, SYS(write, fd, buf, 50L));
	cb[0] = request(IOCB_CMD_PWRITE, fd, 100, 7);
	reap(list, 1);
	say("write", "log", 100, "50", 100);
	for (int i = 0; i < 3; i++)
		cb[i] = request(IOCB_CMD_PWRITE, fd, 10 + i, 7);
	reap(list, 3);
	say("write", "log", 10, "150", 10);
	say("write", "log", 11, "160", 11);
	say("write", "log", 12, "171", 12);
	OK(pipe(ends));
	IS(5, SYS(write, ends[1], buf, 5L));
	cb[0] = request(IOCB_CMD_PREAD, ends[0], 5, 0);
	reap(list, 1);
	say("read", "pipe", 5, "-", 5);
	cb[0] = request(IOCB_CMD_PWRITE, ends[1], 5, 77);
	reap(list, 1);
	say("write", "pipe", 5, "-", 5);
}

/* Requests submitted at the address of others that are still in progress: a call reads all of them
 * before it begins the first. The results of the earlier ones cannot be told apart. */
static void again(void)
{
	static struct iocb cb[REUSED];
	int fd = OK(SYS(openat, AT_FDCWD, "left", O_RDONLY));
	struct iocb *list[2 * REUSED];
	struct io_event events[2 * REUSED];
	aio_context_t large = 0;

	OK(SYS(io_setup, 2L * REUSED, &large));
	for (int i = 0; i < 2 * REUSED; i++) {
		cb[i % REUSED] = request(IOCB_CMD_PREAD, fd, 200, 0);
		list[i] = &cb[i % REUSED];
		say("read", "left", 200, "0", i < REUSED ? UNKNOWN : 200);
	}
	IS(2 * REUSED, SYS(io_submit, large, 2L * REUSED, list));
	IS(2 * REUSED, SYS(io_getevents, large, 2L * REUSED, 2L * REUSED, events, NULL));
	OK(SYS(io_destroy, large));
	IS(0, SYS(close, fd));
}

int main(int argc, char **argv)
{
	int fd, pid;

	if (argc > 1)
		return 0;
	fd = OK(SYS(openat, AT_FDCWD, "left", O_RDWR | O_CREAT | O_TRUNC, 0644));
	IS(5000, SYS(write, fd, buf, 5000L));
	for (int way = 0; way < 4; way++) {
		pid = OK(fork());
		if (!pid)
			end(way, argv);
		OK(waitpid(pid, NULL, 0));
	}
	OK(SYS(io_setup, 8L, &context));
	refusals();
	places();
	again();
	OK(SYS(io_destroy, context));
	return 0;
}
