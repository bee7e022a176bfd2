// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads and writes: every variant, short, empty, failing, appending, past 4 GiB. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "workload.h"

#define FAR (5LL << 30) /* an offset of more than 32 bits */
#define MANY 1024       /* UIO_MAXIOV */

static char buf[1 << 20];

/* On 64-bit machines the position is the first of the two words (lo, hi). */
static long pv(long nr, int fd, const struct iovec *iov, int n, long long pos)
{
	return syscall(nr, fd, iov, (long)n, (long)pos, 0L);
}

static long pv2(long nr, int fd, const struct iovec *iov, int n, long long pos, int flags)
{
	return syscall(nr, fd, iov, (long)n, (long)pos, 0L, (long)flags);
}

static void sequential(int fd)
{
	struct iovec iov[3] = { { buf, 11 }, { buf + 100, 0 }, { buf + 200, 1009 } };
	struct iovec many[MANY];

	for (int i = 0; i < 13; i++)
		IS(4099, SYS(write, fd, buf, 4099));
	IS(0, SYS(lseek, fd, 0, SEEK_SET));
	for (int i = 0; i < 17; i++)
		IS(3001, SYS(read, fd, buf, 3001));
	IS(13 * 4099 - 17 * 3001, SYS(read, fd, buf, 3001)); /* short */
	IS(0, SYS(read, fd, buf, 3001));                     /* at the end */
	IS(0, SYS(read, fd, buf, 0));
	IS(0, SYS(write, fd, buf, 0));

	for (int i = 0; i < 7; i++)
		IS(1020, SYS(writev, fd, iov, 3));
	IS(777, SYS(lseek, fd, 777, SEEK_SET));
	for (int i = 0; i < 5; i++)
		IS(1020, SYS(readv, fd, iov, 3));
	IS(0, SYS(readv, fd, iov, 0));
	for (int i = 0; i < MANY; i++)
		many[i] = (struct iovec){ buf + 2 * i, 1 + i % 3 };
	OK(SYS(writev, fd, many, 61));
	OK(SYS(writev, fd, many, MANY));
	IS(0, SYS(lseek, fd, 0, SEEK_SET));
	OK(SYS(readv, fd, many, MANY));
	/* More than the kernel moves in one call: `size` is what was requested. */
	OK(SYS(read, fd, buf, 5L << 30));
}

static void positioned(int fd)
{
	struct iovec iov[2] = { { buf, 4096 }, { buf + 8192, 503 } };

	for (int i = 0; i < 11; i++)
		IS(509, SYS(pwrite64, fd, buf, 509, 1000L * i));
	for (int i = 0; i < 11; i++)
		IS(509, SYS(pread64, fd, buf, 509, 1000L * i));
	IS(4599, pv(SYS_pwritev, fd, iov, 2, 70001));
	IS(4599, pv(SYS_preadv, fd, iov, 2, 70001));
	IS(4599, pv2(SYS_pwritev2, fd, iov, 2, 80021, 0));
	IS(4599, pv2(SYS_preadv2, fd, iov, 2, 80021, 0));
	/* Position -1: the file's own. */
	IS(123, SYS(lseek, fd, 123, SEEK_SET));
	IS(4599, pv2(SYS_pwritev2, fd, iov, 2, -1, 0));
	IS(4599, pv2(SYS_preadv2, fd, iov, 2, -1, 0));
	IS(123 + 2 * 4599, SYS(lseek, fd, 0, SEEK_CUR));

	IS(7, SYS(pwrite64, fd, buf, 7, FAR));
	IS(3, SYS(pread64, fd, buf, 9, FAR + 4));
	IS(0, SYS(pread64, fd, buf, 9, FAR + 4096));
	IS(5, pv(SYS_preadv, fd, iov, 1, FAR + 2));
	IS(FAR + 1, SYS(lseek, fd, FAR + 1, SEEK_SET));
	IS(6, SYS(read, fd, buf, 19));
	IS(2, SYS(write, fd, buf, 2));

	IS(0, SYS(ftruncate, fd, FAR + 3));
	IS(0, SYS(truncate, "data", 65537L));
	IS(0, SYS(ftruncate, fd, 0L));
	FAILS(ENOENT, SYS(truncate, "absent", 5L));
	FAILS(EISDIR, SYS(truncate, ".", 5L));
}

static void appending(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640));
	int other = OK(SYS(openat, AT_FDCWD, "log", O_RDWR));
	struct iovec iov = { buf, 31 };

	for (int i = 0; i < 5; i++)
		IS(101, SYS(write, fd, buf, 101));
	IS(3, SYS(pwrite64, other, buf, 3, 9000L));
	IS(101, SYS(write, fd, buf, 101)); /* at the end left by the other one */
	IS(0, SYS(lseek, fd, 0, SEEK_SET));
	IS(31, SYS(writev, fd, &iov, 1));
	/* Linux appends here, too, whatever the requested position. */
	IS(17, SYS(pwrite64, fd, buf, 17, 5L));
	IS(0, SYS(fcntl, fd, F_SETFL, 0L));
	IS(7, SYS(lseek, fd, 7, SEEK_SET));
	IS(19, SYS(write, fd, buf, 19));
	IS(0, SYS(fcntl, fd, F_SETFL, (long)O_APPEND));
	IS(23, SYS(write, fd, buf, 23));
	IS(0, SYS(close, other));
	IS(0, SYS(close, fd));
}

static void failing(void)
{
	struct iovec iov = { buf, 10 };
	int rd = OK(SYS(openat, AT_FDCWD, "data", O_RDONLY));
	int wr = OK(SYS(openat, AT_FDCWD, "data", O_WRONLY));
	int dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));

	FAILS(EBADF, SYS(read, -1, buf, 10));
	FAILS(EBADF, SYS(write, 999, buf, 10));
	FAILS(EBADF, SYS(pread64, 999, buf, 10, 3L));
	FAILS(EBADF, SYS(writev, 999, &iov, 1));
	FAILS(EBADF, SYS(fsync, 999));
	FAILS(EBADF, SYS(fdatasync, -1));
	FAILS(EBADF, SYS(ftruncate, 999, 3L));
	FAILS(EBADF, SYS(write, rd, buf, 10)); /* the file is open, but not for this */
	FAILS(EBADF, SYS(read, wr, buf, 10));
	FAILS(EINVAL, SYS(ftruncate, rd, 10L));
	FAILS(EISDIR, SYS(read, dir, buf, 10));
	IS(10, SYS(write, wr, buf, 10));
	FAILS(EFAULT, SYS(read, rd, (void *)8, 10));
	FAILS(EFAULT, SYS(readv, rd, (void *)8, 2));
	IS(0, SYS(fsync, wr));
	IS(0, SYS(fdatasync, rd));
	IS(0, SYS(fsync, dir));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, wr));
	IS(0, SYS(close, rd));
}

static void duplicated(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR));
	int twin = OK(SYS(dup, fd));
	int far = OK(SYS(dup3, fd, 77, O_CLOEXEC));
	int more = OK(SYS(fcntl, fd, F_DUPFD, 100L));
	int own = OK(SYS(openat, AT_FDCWD, "data", O_RDONLY));

	IS(200, SYS(write, fd, buf, 200));
	IS(300, SYS(write, twin, buf, 300)); /* all four share the position */
	IS(0, SYS(close, fd));
	IS(400, SYS(write, far, buf, 400));
	IS(50, SYS(lseek, more, 50, SEEK_SET));
	IS(60, SYS(read, twin, buf, 60));
	IS(61, SYS(read, own, buf, 61));
	IS(0, SYS(close, twin));
	IS(0, SYS(close, far));
	IS(0, SYS(close, more));
	IS(0, SYS(close, own));
}

/* None of this is in the default scope. */
static void others(void)
{
	int p[2], s[2], zero, memory, proc;

	OK(SYS(pipe2, p, 0));
	IS(5, SYS(write, p[1], buf, 5));
	IS(5, SYS(read, p[0], buf, 10));
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	OK(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, s));
	IS(5, SYS(write, s[1], buf, 5));
	IS(5, SYS(read, s[0], buf, 10));
	IS(0, SYS(close, s[0]));
	IS(0, SYS(close, s[1]));
	zero = OK(SYS(openat, AT_FDCWD, "/dev/zero", O_RDWR));
	IS(10, SYS(read, zero, buf, 10));
	IS(10, SYS(pwrite64, zero, buf, 10, 5L));
	IS(0, SYS(close, zero));
	memory = OK(SYS(memfd_create, "scratch", 0));
	IS(10, SYS(write, memory, buf, 10));
	IS(0, SYS(ftruncate, memory, 4096L));
	IS(0, SYS(close, memory));
	proc = OK(SYS(openat, AT_FDCWD, "/proc/self/stat", O_RDONLY));
	OK(SYS(read, proc, buf, 1000));
	IS(0, SYS(close, proc));
}

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR | O_CREAT | O_TRUNC, 0644));

	sequential(fd);
	positioned(fd);
	IS(0, SYS(close, fd));
	FAILS(EBADF, SYS(close, fd));
	appending();
	failing();
	duplicated();
	others();
	return 0;
}
