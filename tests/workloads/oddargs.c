// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments that few programs pass: registers whose upper half is garbage, undefined flags, lengths
 * past 2^64, invalid pointers. */
#include <sys/mman.h>
#include <sys/uio.h>

#include "workload.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_move_mount
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif

/* An int for the kernel, in a register that holds more. */
#define GARBAGE 0xdefaced00000000ULL
#define INT(n) ((long)(GARBAGE | (uint32_t)(n)))

static char buf[8192];

static void sizes(int fd, int directory)
{
	struct iovec iov = { buf, 10 };

	SYS(getdents64, INT(directory), buf, INT(8192));
	SYS(getdents64, INT(directory), buf, INT(-1));
	IS(0, SYS(symlinkat, "file", INT(AT_FDCWD), "link"));
	IS(4, SYS(readlinkat, INT(AT_FDCWD), "link", buf, INT(100)));
	FAILS(EINVAL, SYS(readlinkat, AT_FDCWD, "link", buf, INT(-5)));
	IS(10, SYS(write, INT(fd), buf, 10L));
	IS(10, SYS(pwritev2, INT(fd), &iov, 1L, 0L, 0L, INT(0x2)));
	SYS(fallocate, INT(fd), INT(1), 0L, 4096L);
	SYS(fadvise64, INT(fd), 0L, 10L, INT(3));
	IS(0, SYS(flock, INT(fd), INT(2)));
	IS(0, SYS(faccessat, INT(AT_FDCWD), "file", INT(R_OK)));
	IS(0, SYS(fchmodat, INT(AT_FDCWD), "file", INT(0600)));
#ifdef SYS_open
	SYS(getdents, INT(directory), buf, INT(8192));
	IS(4, SYS(readlink, "link", buf, INT(100)));
#endif
}

/* The kernel refuses a length that is negative as a ssize_t. */
static void lengths(int fd)
{
	struct iovec past[2] = { { buf, 64 }, { buf, SIZE_MAX } };
	struct iovec negative = { buf, SIZE_MAX - 4 };
	struct iovec full[3] = { { buf, SIZE_MAX }, { buf, 128 }, { buf, SIZE_MAX } };

	FAILS(EINVAL, SYS(writev, fd, past, 2));
	FAILS(EINVAL, SYS(readv, fd, past, 2));
	FAILS(EINVAL, SYS(writev, fd, &negative, 1));
	FAILS(EINVAL, SYS(preadv, fd, full, 3, 0, 0));
	FAILS(EFAULT, SYS(writev, fd, (void *)8, 2));
}

/* Bits at the top, which no call defines. A mode has 16 bits: the kernel ignores the others. */
static void top_bits(int fd)
{
	for (int bit = 24; bit < 32; bit++) {
		IS(0, SYS(fchmod, fd, INT(1u << bit | 0640)));
		IS(0, SYS(fchmodat, AT_FDCWD, "file", INT(1u << bit | 0600)));
		FAILS(EINVAL, SYS(close_range, 1000, 1001, INT(1u << bit)));
		FAILS(EINVAL, SYS(flock, fd, INT(1u << bit)));
		SYS(open_tree, AT_FDCWD, "file", INT(1u << bit));
		SYS(move_mount, AT_FDCWD, "file", AT_FDCWD, "link", INT(1u << bit));
		IS(0, SYS(mkdirat, AT_FDCWD, "made", INT(1u << bit | 0700)));
		IS(0, SYS(unlinkat, AT_FDCWD, "made", AT_REMOVEDIR));
	}
}

static void flags(void)
{
	uint64_t how[3] = { O_RDONLY | 1ULL << 37 };
	int fd;

	/* open() ignores unknown flags; openat2() refuses them. */
	fd = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY | 0x20 | 0x2000000 | 0x4000000));
	IS(0, SYS(close, fd));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "none", O_WRONLY | 0x20 | 0x2000000));
	if (SYS(openat2, AT_FDCWD, "file", how, sizeof(how)) != -1)
		exit(98);
}

static void names(int fd)
{
	char *no_args[] = { NULL };

	FAILS(EFAULT, SYS(symlinkat, NULL, AT_FDCWD, "nowhere"));
	FAILS(EFAULT, SYS(mkdirat, AT_FDCWD, NULL, 0700));
	FAILS(EACCES, SYS(execveat, fd, "", no_args, no_args, AT_EMPTY_PATH));
	FAILS(EBADF, SYS(execveat, -1, "", no_args, no_args, AT_EMPTY_PATH));
}

static void mappings(int fd)
{
	/* mmap() ignores the fd only with MAP_ANONYMOUS. */
	FAILS(EBADF, SYS(mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, -1, 0L));
	FAILS(EBADF, SYS(mmap, NULL, 4096L, PROT_READ, MAP_SHARED, INT(-1), 0L));
	FAILS(EBADF, SYS(mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, 77, 0L));
	FAILS(EINVAL, SYS(mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, fd, 123L));
	OK(SYS(mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L));
}

int main(void)
{
	int fd = OK(SYS(openat, INT(AT_FDCWD), "file", INT(O_RDWR | O_CREAT), INT(0640)));
	int directory = OK(SYS(openat, AT_FDCWD, ".", INT(O_RDONLY | O_DIRECTORY)));

	sizes(fd, directory);
	lengths(fd);
	flags();
	top_bits(fd);
	names(fd);
	mappings(fd);
	IS(0, SYS(close, INT(fd)));
	IS(0, SYS(close, INT(directory)));
	return 0;
}
