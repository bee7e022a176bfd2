// SPDX-License-Identifier: GPL-2.0-or-later
/* The more complicated calls of 32-bit programs, i386's or arm's: 64-bit numbers in halves,
 * structures with other layouts. */
#if defined(__x86_64__) || defined(__arm__)

#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include "calls32.h"

static long setup(unsigned int entries, struct io_uring_params *params);
#define URING_SETUP setup
#include "uring.h"

/* By their numbers in arch/x86/entry/syscalls/syscall_32.tbl and by arm's names. */
#ifdef __x86_64__
#define CALL(name, i386, arm) name = i386
#else
#define CALL(name, i386, arm) name = __NR_##arm
#endif
enum {
	CALL(CLOSE, 6, close),
	CALL(CREAT, 8, creat),
	CALL(LINK, 9, link),
	CALL(CHDIR, 12, chdir),
	CALL(CHMOD, 15, chmod),
	CALL(LSEEK, 19, lseek),
	CALL(ACCESS, 33, access),
	CALL(RENAME, 38, rename),
	CALL(SYMLINK, 83, symlink),
	CALL(READLINK, 85, readlink),
	CALL(MUNMAP, 91, munmap),
	CALL(TRUNCATE, 92, truncate),
	CALL(FTRUNCATE, 93, ftruncate),
	CALL(FCHMOD, 94, fchmod),
	CALL(FSYNC, 118, fsync),
	CALL(LLSEEK, 140, _llseek),
	CALL(GETDENTS, 141, getdents),
	CALL(FLOCK, 143, flock),
	CALL(MSYNC, 144, msync),
	CALL(READV, 145, readv),
	CALL(WRITEV, 146, writev),
	CALL(FDATASYNC, 148, fdatasync),
	CALL(MREMAP, 163, mremap),
	CALL(PREAD64, 180, pread64),
	CALL(PWRITE64, 181, pwrite64),
	CALL(SENDFILE, 187, sendfile),
	CALL(MMAP2, 192, mmap2),
	CALL(TRUNCATE64, 193, truncate64),
	CALL(FTRUNCATE64, 194, ftruncate64),
	CALL(STAT64, 195, stat64),
	CALL(LSTAT64, 196, lstat64),
	CALL(FSTAT64, 197, fstat64),
	CALL(FCHOWN32, 207, fchown32),
	CALL(CHOWN32, 212, chown32),
	CALL(MADVISE, 219, madvise),
	CALL(GETDENTS64, 220, getdents64),
	CALL(FCNTL64, 221, fcntl64),
	CALL(READAHEAD, 225, readahead),
	CALL(SETXATTR, 226, setxattr),
	CALL(GETXATTR, 229, getxattr),
	CALL(LISTXATTR, 232, listxattr),
	CALL(REMOVEXATTR, 235, removexattr),
	CALL(SENDFILE64, 239, sendfile64),
	CALL(IO_SETUP, 245, io_setup),
	CALL(IO_DESTROY, 246, io_destroy),
	CALL(IO_GETEVENTS, 247, io_getevents),
	CALL(IO_SUBMIT, 248, io_submit),
	CALL(UTIMES, 271, utimes),
	CALL(FADVISE64_64, 272, arm_fadvise64_64),
	CALL(OPENAT, 295, openat),
	CALL(MKDIRAT, 296, mkdirat),
	CALL(MKNODAT, 297, mknodat),
	CALL(FCHOWNAT, 298, fchownat),
	CALL(FSTATAT64, 300, fstatat64),
	CALL(UNLINKAT, 301, unlinkat),
	CALL(RENAMEAT, 302, renameat),
	CALL(LINKAT, 303, linkat),
	CALL(SYMLINKAT, 304, symlinkat),
	CALL(READLINKAT, 305, readlinkat),
	CALL(FACCESSAT, 307, faccessat),
	CALL(SYNC_FILE_RANGE, 314, arm_sync_file_range),
	CALL(UTIMENSAT, 320, utimensat),
	CALL(FALLOCATE, 324, fallocate),
	CALL(PREADV, 333, preadv),
	CALL(PWRITEV, 334, pwritev),
	CALL(SYNCFS, 344, syncfs),
	CALL(RENAMEAT2, 353, renameat2),
	CALL(COPY_FILE_RANGE, 377, copy_file_range),
	CALL(PREADV2, 378, preadv2),
	CALL(PWRITEV2, 379, pwritev2),
	CALL(STATX, 383, statx),
	CALL(UTIMENSAT64, 412, utimensat_time64),
	CALL(IO_URING_SETUP, 425, io_uring_setup),
	CALL(CLOSE_RANGE, 436, close_range),
	CALL(OPENAT2, 437, openat2),
	CALL(FACCESSAT2, 439, faccessat2),
#ifdef __x86_64__
	UTIME = 30,
	OLDMMAP = 90,
	FADVISE64 = 250,
#endif
};
#undef CALL

#define FAR (5LL << 30)
#define AT_CWD ((uint32_t)AT_FDCWD)

static char *low;
static uint32_t buf;

/* A name within reach of 32 bits. */
static uint32_t name(int slot, const char *text)
{
	return (uint32_t)(uintptr_t)strcpy(low + 256 * slot, text);
}

static uint32_t put(int slot, const void *what, size_t size)
{
	return (uint32_t)(uintptr_t)memcpy(low + 256 * slot, what, size);
}

static void transfers(int fd)
{
	uint32_t iov[6] = { buf, 1009, buf, 0, buf + 2048, 503 }, at = put(0, iov, sizeof(iov));
	int out = OK(SYS32(OPENAT, AT_CWD, name(1, "out"), O_RDWR | O_CREAT | O_TRUNC | LARGEFILE,
			   0644));
	uint32_t offset = (uint32_t)(uintptr_t)low + 256 * 3;

	IS(1512, SYS32(WRITEV, fd, at, 3));
	IS(1013, SYS32(PWRITE64, fd, buf, 1013, TO_EVEN LO(FAR - 5), HI(FAR - 5)));
	IS(1009, SYS32(PREAD64, fd, buf, 1009, TO_EVEN LO(FAR - 7), HI(FAR - 7)));
	IS(1512, SYS32(PWRITEV, fd, at, 3, LO(FAR), HI(FAR)));
	IS(1512, SYS32(PREADV, fd, at, 3, LO(FAR), HI(FAR)));
	IS(1512, SYS32(PWRITEV2, fd, at, 3, LO(FAR + 7), HI(FAR + 7), RWF_DSYNC));
	IS(1512, SYS32(PREADV2, fd, at, 3, LO(7), 0, 0));
	IS(0, SYS32(LLSEEK, fd, HI(FAR), LO(FAR), buf, SEEK_SET));
	IS(1512, SYS32(PREADV2, fd, at, 3, -1, -1, 0));
	IS(7, SYS32(READV, fd, at, 3));
	IS(0, SYS32(LSEEK, fd, 0, SEEK_SET));
	IS(1009, SYS32(SENDFILE, out, fd, 0, 1009));
	put(3, &(uint32_t){ 11 }, 4); /* off_t has 32 bits */
	IS(101, SYS32(SENDFILE, out, fd, offset, 101));
	put(3, &(uint64_t){ FAR + 3 }, 8);
	IS(103, SYS32(SENDFILE64, out, fd, offset, 103));
	put(3, &(uint64_t){ FAR + 5 }, 8);
	IS(107, SYS32(COPY_FILE_RANGE, fd, offset, out, 0, 107, 0));
	IS(0, SYS32(FTRUNCATE64, out, TO_EVEN LO(FAR), HI(FAR)));
	IS(0, SYS32(TRUNCATE64, name(1, "out"), TO_EVEN LO(FAR + 1), HI(FAR + 1)));
	IS(0, SYS32(FTRUNCATE, out, 70001));
	IS(0, SYS32(TRUNCATE, name(1, "out"), 70000));
	FAILS(EFAULT, SYS32(READV, fd, 8, 2));
	IS(0, SYS32(CLOSE, out));
}

static void ranges(int fd)
{
	struct { /* struct flock64, which i386 aligns to 4 bytes */
		uint16_t type, whence;
#ifndef __x86_64__
		uint32_t pad;
#endif
		uint32_t start[2], length[2], pid;
	} lock = { .type = F_WRLCK, .start = { LO(FAR), HI(FAR) }, .length = { 1009 } };
#ifdef __x86_64__
	struct {
		uint16_t type, whence;
		uint32_t start, length, pid;
	} small = { F_RDLCK, SEEK_SET, 17, 19, 0 };
#endif

#ifdef __x86_64__
	IS(0, SYS32(FADVISE64, fd, LO(FAR), HI(FAR), 4096, POSIX_FADV_WILLNEED));
	IS(0,
	   SYS32(FADVISE64_64, fd, LO(FAR), HI(FAR), LO(FAR + 1), HI(FAR + 1), POSIX_FADV_RANDOM));
	IS(0,
	   SYS32(SYNC_FILE_RANGE, fd, LO(FAR), HI(FAR), LO(FAR), HI(FAR), SYNC_FILE_RANGE_WRITE));
#else
	IS(0,
	   SYS32(FADVISE64_64, fd, POSIX_FADV_RANDOM, LO(FAR), HI(FAR), LO(FAR + 1), HI(FAR + 1)));
	IS(0,
	   SYS32(SYNC_FILE_RANGE, fd, SYNC_FILE_RANGE_WRITE, LO(FAR), HI(FAR), LO(FAR), HI(FAR)));
#endif
	IS(0, SYS32(READAHEAD, fd, TO_EVEN LO(FAR), HI(FAR), 8191));
	IS(0, SYS32(FALLOCATE, fd, FALLOC_FL_KEEP_SIZE, LO(FAR + 8192), HI(FAR + 8192), 4096, 0));
	IS(0, SYS32(FCNTL64, fd, 13, put(0, &lock, sizeof(lock)))); /* F_SETLK64 */
#ifdef __x86_64__ /* strace on arm64 takes this call for a 64-bit program's */
	IS(0, SYS32(FCNTL64, fd, 6, put(0, &small, sizeof(small)))); /* F_SETLK */
#endif
	lock.type = F_UNLCK;
	IS(0, SYS32(FCNTL64, fd, 38, put(0, &lock, sizeof(lock)))); /* F_OFD_SETLKW: flock64 too */
	IS(0, SYS32(FLOCK, fd, 1));
	IS(0, SYS32(FSYNC, fd));
	IS(0, SYS32(FDATASYNC, fd));
	IS(0, SYS32(SYNCFS, fd));
}

static void attributes(int fd)
{
	uint64_t times64[4] = { 1, 2, 3, 4 };
	uint32_t times[4] = { 1, 2, 3, 4 }, file = name(0, "file");

	IS(0, SYS32(STAT64, file, buf));
	IS(0, SYS32(LSTAT64, name(1, "link"), buf));
	IS(0, SYS32(FSTAT64, fd, buf));
	IS(0, SYS32(FSTATAT64, AT_CWD, name(1, "./link"), buf, AT_SYMLINK_NOFOLLOW));
	IS(0, SYS32(FSTATAT64, fd, name(1, ""), buf, AT_EMPTY_PATH));
	IS(0, SYS32(STATX, AT_CWD, file, 0, STATX_ALL, buf));
	FAILS(ENOENT, SYS32(STAT64, name(1, "absent"), buf));
	IS(0, SYS32(CHMOD, file, 0640));
	IS(0, SYS32(FCHMOD, fd, 0644));
	IS(0, SYS32(CHOWN32, file, 0, 0));
	IS(0, SYS32(FCHOWN32, fd, 0, 0));
	IS(0, SYS32(FCHOWNAT, AT_CWD, file, 0, 0, 0));
#ifdef __x86_64__
	IS(0, SYS32(UTIME, file, put(1, times, 8)));
#endif
	IS(0, SYS32(UTIMES, file, put(1, times, 16)));
	IS(0, SYS32(UTIMENSAT, AT_CWD, file, put(1, times, 16), 0));
	IS(0, SYS32(UTIMENSAT64, AT_CWD, file, put(1, times64, 32), 0));
	IS(0, SYS32(UTIMENSAT, fd, 0, put(1, times, 16), 0));
	IS(0, SYS32(ACCESS, file, R_OK));
	IS(0, SYS32(FACCESSAT, AT_CWD, file, W_OK));
	IS(0, SYS32(FACCESSAT2, AT_CWD, file, R_OK, AT_EACCESS));
	IS(0, SYS32(SETXATTR, file, name(1, "user.x"), buf, 11, 0));
	IS(11, SYS32(GETXATTR, file, name(1, "user.x"), buf, 100));
	OK(SYS32(LISTXATTR, file, buf, 100));
	IS(0, SYS32(REMOVEXATTR, file, name(1, "user.x")));
}

static void names(void)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY };
	int dir, fd;

	IS(0, SYS32(MKDIRAT, AT_CWD, name(0, "dir"), 0755));
	dir = OK(SYS32(OPENAT2, AT_CWD, name(0, "dir"), put(1, &how, sizeof(how)), sizeof(how)));
	IS(0, SYS32(LINKAT, AT_CWD, name(0, "file"), dir, name(1, "hard"), 0));
	IS(0, SYS32(LINK, name(0, "dir/hard"), name(1, "dir/more")));
	IS(0, SYS32(SYMLINKAT, name(0, "../target"), dir, name(1, "soft")));
	IS(0, SYS32(SYMLINK, name(0, "../target"), name(1, "dir/weak")));
	IS(9, SYS32(READLINKAT, dir, name(0, "soft"), buf, 100));
	IS(9, SYS32(READLINK, name(0, "dir/weak"), buf, 100));
	IS(0, SYS32(MKNODAT, dir, name(0, "node"), S_IFREG | 0644, 0));
	IS(0, SYS32(RENAMEAT2, dir, name(0, "node"), dir, name(1, "moved"), RENAME_NOREPLACE));
	IS(0, SYS32(RENAMEAT, dir, name(0, "moved"), dir, name(1, "node")));
	IS(0, SYS32(RENAME, name(0, "dir/node"), name(1, "dir/moved")));
	IS(0, SYS32(CHDIR, name(0, "dir")));
	FAILS(ENOENT, SYS32(OPENAT, AT_CWD, name(0, "absent"), O_RDONLY));
	IS(0, SYS32(CHDIR, name(0, "..")));
	while (OK(SYS32(GETDENTS64, dir, buf, 100)))
		;
	IS(0, SYS32(LSEEK, dir, 0, SEEK_SET));
	while (OK(SYS32(GETDENTS, dir, buf, 100)))
		;
	for (int i = 0; i < 5; i++) {
		static const char *const made[] = { "hard", "more", "soft", "weak", "moved" };

		IS(0, SYS32(UNLINKAT, dir, name(0, made[i]), 0));
	}
	IS(0, SYS32(CLOSE, dir));
	IS(0, SYS32(UNLINKAT, AT_CWD, name(0, "dir"), AT_REMOVEDIR));
	fd = OK(SYS32(CREAT, name(0, "out"), 0600));
	IS(0, SYS32(CLOSE_RANGE, fd, fd, 0));
}

static void memory(int fd)
{
	uint32_t at;

	at = OK(SYS32(MMAP2, 0, 8192, PROT_READ, MAP_SHARED, fd, LO(FAR >> 12))); /* in pages */
	IS(0, SYS32(MSYNC, at, 4096, MS_SYNC));
	IS(0, SYS32(MADVISE, at, 4096, MADV_RANDOM));
	at = OK(SYS32(MREMAP, at, 8192, 4096, 0));
	IS(0, SYS32(MUNMAP, at, 4096));
	FAILS(EBADF, SYS32(MMAP2, 0, 8192, PROT_READ, MAP_SHARED, 999, 0));
#ifdef __x86_64__
	uint32_t old[6] = { 0, 8192, PROT_READ, MAP_SHARED, (uint32_t)fd, 4096 };

	at = OK(SYS32(OLDMMAP, put(0, old, sizeof(old)))); /* its arguments are in memory */
	IS(0, SYS32(MUNMAP, at, 8192));
#endif
}

/* Kernel AIO: pointers and iovecs of 32 bits. */
static void requests(int fd)
{
	static const struct {
		int op;
		const char *name;
		int64_t n, offset, size;
		int bytes;
	} kinds[] = {
		{ IOCB_CMD_PWRITE, "write", 4096, 8192, 4096, 1 },
		{ IOCB_CMD_PREADV, "read", 3, 8192, 1512, 1 },
		{ IOCB_CMD_PWRITEV, "write", 3, 16384, 1512, 1 },
		{ IOCB_CMD_PREAD, "read", 2048, 1L << 30, 2048, 1 },
		{ IOCB_CMD_FDSYNC, "fdatasync", 0, NONE, NONE, 0 },
	};
	enum { N = sizeof(kinds) / sizeof(*kinds) };
	uint32_t iov[6] = { buf, 1009, buf, 0, buf + 2048, 503 }, iovs = put(0, iov, sizeof(iov));
	uint32_t context = put(1, &(uint32_t){ 0 }, 4), list[N];
	struct io_event *events = (struct io_event *)(low + 256 * 3);

	IS(0, SYS32(IO_SETUP, 64, context));
	context = *(uint32_t *)(low + 256);
	for (int i = 0; i < N; i++) {
		int vector = kinds[i].op == IOCB_CMD_PREADV || kinds[i].op == IOCB_CMD_PWRITEV;
		struct iocb cb = {
			.aio_lio_opcode = kinds[i].op,
			.aio_fildes = fd,
			.aio_buf = vector     ? iovs :
				   kinds[i].n ? buf :
						0,
			.aio_nbytes = kinds[i].n,
			.aio_offset = kinds[i].bytes ? kinds[i].offset : 0,
			.aio_data = i,
		};

		list[i] = put(8 + i, &cb, sizeof(cb));
	}
	IS(N, SYS32(IO_SUBMIT, context, N, put(2, list, sizeof(list))));
	IS(N, SYS32(IO_GETEVENTS, context, N, N, (uintptr_t)events, 0));
	for (int i = 0; i < N; i++) {
		int k = events[i].data;

		tell_as("AIO", kinds[k].name, "file", NULL, kinds[k].size, kinds[k].offset,
			kinds[k].bytes, "", events[i].res);
	}
	IS(0, SYS32(IO_DESTROY, context));
}

static long setup(unsigned int entries, struct io_uring_params *params)
{
	uint32_t at = put(0, params, sizeof(*params));
	long fd = SYS32(IO_URING_SETUP, entries, at);

	memcpy(params, low, sizeof(*params));
	return fd;
}

/* A ring that a 32-bit program has created takes iovecs of 32 bits. */
static void ring(int fd)
{
	uint32_t iov[6] = { buf, 1009, buf, 0, buf + 2048, 503 };
	struct io_uring_sqe *sqe;
	struct ring r;

	if (ring__new(&r, 0))
		return;
	for (int i = 0; i < 3; i++) {
		sqe = ring__next(&r, i % 2 ? IORING_OP_WRITEV : IORING_OP_READV, fd);
		sqe->addr = put(1, iov, sizeof(iov));
		sqe->len = 3;
		sqe->off = 8192;
		tell(i % 2 ? "write" : "read", "file", NULL, 1512, 8192, 1, "", ring__one(&r));
	}
	IS(0, SYS32(CLOSE, r.fd));
}

int main(void)
{
	long fd;

	low = calls32__memory(65536);
	buf = (uint32_t)(uintptr_t)low + 8192;
	fd = SYS32(OPENAT, AT_CWD, name(0, "file"), O_RDWR | O_CREAT | O_TRUNC | LARGEFILE, 0644);
	if (fd < 0 && errno == ENOSYS)
		return 0; /* this kernel has no 32-bit system calls */
	OK(fd);
	IS(0, SYS32(SYMLINK, name(0, "file"), name(1, "link")));
	for (int i = 0; i < 3; i++) {
		transfers(fd);
		ranges(fd);
		attributes(fd);
		names();
		memory(fd);
		requests(fd);
		ring(fd);
	}
	IS(0, SYS32(CLOSE, fd));
	return 0;
}

#else

int main(void)
{
	return 0;
}

#endif
