// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: reads and writes of each kind, inline, by the kernel's workers and by its polling
 * thread. */
#include <stdbool.h>
#include <sys/uio.h>

#include "uring.h"

static char buf[65536] __attribute__((aligned(4096)));
static struct ring ring;
static unsigned int sqe_flags;

static struct io_uring_sqe *ask(int op, int fd, const void *addr, unsigned int len, int64_t off)
{
	struct io_uring_sqe *sqe = ring__ask(&ring, op, fd, addr, len, off);

	sqe->flags |= sqe_flags;
	return sqe;
}

static void transfers(int fd, const char *name)
{
	struct iovec iov[3] = { { buf, 1009 }, { buf, 0 }, { buf + 2048, 503 } };
	struct iovec registered[2] = { { buf + 8192, 701 }, { buf + 16384, 1303 } };
	struct io_uring_sqe *sqe;

	for (int i = 0; i < 5; i++) {
		ask(IORING_OP_WRITE, fd, buf, 4099, 5000 * i);
		tell("write", name, NULL, 4099, 5000 * i, 1, "", ring__one(&ring));
		ask(IORING_OP_READ, fd, buf, 3001, 5000 * i + 7);
		tell("read", name, NULL, 3001, 5000 * i + 7, 1, "", ring__one(&ring));
		ask(IORING_OP_WRITEV, fd, iov, 3, 100 * i);
		tell("write", name, NULL, 1512, 100 * i, 1, "", ring__one(&ring));
		ask(IORING_OP_READV, fd, iov, 3, 100 * i);
		tell("read", name, NULL, 1512, 100 * i, 1, "", ring__one(&ring));
		sqe = ask(IORING_OP_WRITE_FIXED, fd, buf + 4096, 2003, 300 * i);
		sqe->buf_index = 0;
		tell("write", name, NULL, 2003, 300 * i, 1, "", ring__one(&ring));
		sqe = ask(IORING_OP_READ_FIXED, fd, buf + 4096, 2003, 300 * i);
		sqe->buf_index = 0;
		tell("read", name, NULL, 2003, 300 * i, 1, "", ring__one(&ring));
		if (ring.known[OP_READV_FIXED]) { /* 6.15 */
			ask(OP_WRITEV_FIXED, fd, registered, 2, 400 * i)->buf_index = 0;
			tell("write", name, NULL, 2004, 400 * i, 1, "", ring__one(&ring));
			ask(OP_READV_FIXED, fd, registered, 2, 400 * i)->buf_index = 0;
			tell("read", name, NULL, 2004, 400 * i, 1, "", ring__one(&ring));
		}
		ask(IORING_OP_FSYNC, fd, NULL, 0, 0);
		tell("fsync", name, NULL, NONE, NONE, 0, "", ring__one(&ring));
		sqe = ask(IORING_OP_FSYNC, fd, NULL, 0, 0);
		sqe->fsync_flags = IORING_FSYNC_DATASYNC;
		tell("fdatasync", name, NULL, NONE, NONE, 0, "", ring__one(&ring));
	}
	/* Position -1: the file's own. */
	IS(11, SYS(lseek, fd, 11, SEEK_SET));
	ask(IORING_OP_READ, fd, buf, 13, -1);
	tell("read", name, NULL, 13, 11, 1, "", ring__one(&ring));
	ask(IORING_OP_WRITE, fd, buf, 17, -1);
	tell("write", name, NULL, 17, 24, 1, "", ring__one(&ring));
	IS(41, SYS(lseek, fd, 0, SEEK_CUR));
	sqe = ask(IORING_OP_WRITE, fd, buf, 19, 0);
	sqe->rw_flags = RWF_DSYNC;
	tell("write", name, NULL, 19, 0, 1, "RWF_DSYNC", ring__one(&ring));
	/* At the end, past the end. */
	ask(IORING_OP_READ, fd, buf, 100, 24099 - 3);
	tell("read", name, NULL, 100, 24099 - 3, 1, "", ring__one(&ring));
	ask(IORING_OP_READ, fd, buf, 100, 5LL << 30);
	tell("read", name, NULL, 100, 5LL << 30, 1, "", ring__one(&ring));
	/* A registered file: its number is not a descriptor of the process. */
	sqe = ask(IORING_OP_READ, 0, buf, 101, 9);
	sqe->flags |= IOSQE_FIXED_FILE;
	tell("read", name, NULL, 101, 9, 1, "", ring__one(&ring));
	/* What fails. */
	ask(IORING_OP_READ, 999, buf, 10, 3);
	tell("read", NULL, NULL, 10, 3, 1, "", ring__one(&ring));
	ask(IORING_OP_READ, fd, (void *)8, 10, 3);
	tell("read", name, NULL, 10, 3, 1, "", ring__one(&ring));
}

/* A chain: each only after the previous one, and none after a failed one. Its completions may come
 * in another order: the kernel posts them in batches. */
static void chains(int fd, const char *name)
{
	static const struct {
		int op;
		const char *operation;
		int64_t size, offset;
	} chain[] = {
		{ IORING_OP_WRITE, "write", 101, 0 },
		{ IORING_OP_FSYNC, "fsync", NONE, NONE },
		{ IORING_OP_READ, "read", 53, 1 },
	};
	struct io_uring_sqe *sqe;
	uint64_t which;
	int res;

	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++) {
			bool moves = chain[j].size != NONE;

			sqe = ask(chain[j].op, fd, moves ? buf : NULL, moves ? chain[j].size : 0,
				  moves ? chain[j].offset : 0);
			sqe->flags |= j < 2 ? IOSQE_IO_LINK : 0;
			sqe->user_data = j;
		}
		ring__go(&ring, 3);
		for (int j = 0; j < 3; j++) {
			res = ring__take(&ring, &which, NULL);
			tell(chain[which].operation, name, NULL, chain[which].size,
			     chain[which].offset, chain[which].size != NONE, "", res);
		}
	}
	/* Many at once, in any order of completion. */
	for (int i = 0; i < 31; i++)
		ask(IORING_OP_READ, fd, buf + 1024 * i, 7 + i, 3 * i)->user_data = i;
	ring__go(&ring, 31);
	for (int i = 0; i < 31; i++) {
		res = ring__take(&ring, &which, NULL);
		tell("read", name, NULL, 7 + (int)which, 3 * (int)which, 1, "", res);
	}
}

/* Files out of scope, or operations that are not on files. */
static void others(void)
{
	int p[2];

	OK(SYS(pipe2, p, 0));
	ask(IORING_OP_NOP, -1, NULL, 0, 0);
	ring__one(&ring);
	/* No operation has this number; without its additional bits it would be one. */
	ask(128 | IORING_OP_FSYNC, p[0], NULL, 0, 0);
	IS(-EINVAL, ring__one(&ring));
	ask(IORING_OP_WRITE, p[1], buf, 5, -1);
	IS(5, ring__one(&ring));
	ask(IORING_OP_READ, p[0], buf, 5, -1);
	IS(5, ring__one(&ring));
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
}

int main(void)
{
	static const char *const names[] = { "inline", "worker", "polled" };
	struct iovec fixed = { buf, sizeof(buf) };

	for (int way = 0; way < 3; way++) {
		int fd = OK(SYS(openat, AT_FDCWD, names[way], O_RDWR | O_CREAT | O_TRUNC, 0644));

		if (ring__new(&ring, way == 2 ? IORING_SETUP_SQPOLL : 0))
			continue;
		OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &fixed, 1));
		OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1));
		sqe_flags = way == 1 ? IOSQE_ASYNC : 0;
		transfers(fd, names[way]);
		chains(fd, names[way]);
		others();
		IS(0, SYS(close, ring.fd));
		IS(0, SYS(close, fd));
	}
	return 0;
}
