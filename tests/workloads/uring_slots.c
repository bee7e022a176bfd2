// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: files in the slots of the ring's own table, which are not descriptors of the
 * process. */
#include "uring.h"

#define SLOTS 3

static char buf[4096];
static struct ring ring;

static struct io_uring_sqe *ask(int op, int fd, unsigned int slot)
{
	struct io_uring_sqe *sqe = ring__next(&ring, op, fd);

	sqe->file_index = slot + 1;
	return sqe;
}

static void once(unsigned int slot, int flags)
{
	struct io_uring_sqe *sqe;
	char name[16];

	snprintf(name, sizeof(name), "file%u", slot);
	sqe = ask(IORING_OP_OPENAT, AT_FDCWD, slot);
	sqe->addr = (uintptr_t)name;
	sqe->len = 0644;
	sqe->open_flags = O_RDWR | O_CREAT;
	sqe->flags = flags;
	tell("open", name, NULL, NONE, NONE, 0, "O_RDWR|O_CREAT", ring__one(&ring));
	for (int i = 0; i < 5; i++) {
		sqe = ring__next(&ring, IORING_OP_WRITE, slot);
		sqe->addr = (uintptr_t)buf;
		sqe->len = 101 + i;
		sqe->off = 7 * i;
		sqe->flags = flags | IOSQE_FIXED_FILE;
		tell("write", name, NULL, 101 + i, 7 * i, 1, "", ring__one(&ring));
	}
	ask(IORING_OP_CLOSE, 0, slot)->flags = flags;
	tell("close", name, NULL, NONE, NONE, 0, "", ring__one(&ring));
	/* The slot is empty now. */
	ask(IORING_OP_CLOSE, 0, slot)->flags = flags;
	tell("close", NULL, NULL, NONE, NONE, 0, "", ring__one(&ring));
}

int main(void)
{
	int none[SLOTS] = { -1, -1, -1 };

	/* Slots came with MKDIRAT, in 5.15. */
	if (ring__new(&ring, 0) || !ring.known[IORING_OP_MKDIRAT])
		return 0;
	OK(SYS(io_uring_register, ring.fd, IORING_REGISTER_FILES, none, SLOTS));
	for (unsigned int i = 0; i < 4 * SLOTS + 1; i++)
		once(i % SLOTS, i % 2 ? IOSQE_ASYNC : 0);
	/* Beyond the table. */
	ask(IORING_OP_CLOSE, 0, SLOTS);
	tell("close", NULL, NULL, NONE, NONE, 0, "", ring__one(&ring));
	IS(0, SYS(close, ring.fd));
	return 0;
}
