// SPDX-License-Identifier: GPL-2.0-only
/* The more intricate of i386's calls: 64-bit numbers in halves, structures with other layouts. */
#ifdef __x86_64__

#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include "int80.h"

static long setup(unsigned int entries, struct io_uring_params *params);
#define URING_SETUP setup
#include "uring.h"

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum {
	CREAT = 8, LINK = 9, CHDIR = 12, CHMOD = 15, LSEEK = 19, UTIME = 30, ACCESS = 33, SYNC = 36,
	RENAME = 38, SYMLINK = 83, READLINK = 85, OLDMMAP = 90, MUNMAP = 91, TRUNCATE = 92, FTRUNCATE = 93,
	FCHMOD = 94, STAT = 106, LSTAT = 107, FSTAT = 108, FSYNC = 118, FCHDIR = 133, LLSEEK = 140,
	GETDENTS = 141, FLOCK = 143, MSYNC = 144, READV = 145, WRITEV = 146, FDATASYNC = 148, MREMAP = 163,
	SENDFILE = 187, MMAP2 = 192, TRUNCATE64 = 193, FTRUNCATE64 = 194, STAT64 = 195, LSTAT64 = 196,
	FSTAT64 = 197, FCHOWN32 = 207, CHOWN32 = 212, MADVISE = 219, GETDENTS64 = 220, FCNTL64 = 221,
	READAHEAD = 225, SETXATTR = 226, GETXATTR = 229, LISTXATTR = 232, REMOVEXATTR = 235,
	SENDFILE64 = 239, IO_SETUP = 245, IO_DESTROY, IO_GETEVENTS, IO_SUBMIT, FADVISE64 = 250, UTIMES = 271,
	FADVISE64_64 = 272, OPENAT = 295, MKDIRAT = 296,
	MKNODAT = 297, FCHOWNAT = 298, FSTATAT64 = 300, UNLINKAT = 301, RENAMEAT = 302, LINKAT = 303,
	SYMLINKAT = 304, READLINKAT = 305, FACCESSAT = 307, SPLICE = 313, SYNC_FILE_RANGE = 314,
	UTIMENSAT = 320, FALLOCATE = 324, PREADV = 333, PWRITEV = 334, SYNCFS = 344, RENAMEAT2 = 353,
	COPY_FILE_RANGE = 377, PREADV2 = 378, PWRITEV2 = 379, STATX = 383, UTIMENSAT64 = 412,
	IO_URING_SETUP = 425,
	CLOSE_RANGE = 436, OPENAT2 = 437, FACCESSAT2 = 439, READ = 3, WRITE = 4, CLOSE = 6, IOCTL = 54,
};

#define FAR (5LL << 30)
#define AT_CWD ((uint32_t)AT_FDCWD)

static char *low;
static uint32_t buf;

/* A name where i386 can read it. */
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
	int out = OK(SYS32(OPENAT, AT_CWD, name(1, "out"), O_RDWR | O_CREAT | O_TRUNC | LARGEFILE, 0644));
	uint32_t offset = (uint32_t)(uintptr_t)low + 256 * 3;

	IS(1512, SYS32(WRITEV, fd, at, 3));
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
	IS(0, SYS32(FTRUNCATE64, out, LO(FAR), HI(FAR)));
	IS(0, SYS32(TRUNCATE64, name(1, "out"), LO(FAR + 1), HI(FAR + 1)));
	IS(0, SYS32(FTRUNCATE, out, 70001));
	IS(0, SYS32(TRUNCATE, name(1, "out"), 70000));
	FAILS(EFAULT, SYS32(READV, fd, 8, 2));
	IS(0, SYS32(CLOSE, out));
}

static void ranges(int fd)
{
	struct { /* struct flock64 of i386: packed to 4 bytes */
		uint16_t type, whence;
		uint32_t start[2], length[2], pid;
	} lock = { F_WRLCK, SEEK_SET, { LO(FAR), HI(FAR) }, { 1009, 0 }, 0 };
	struct {
		uint16_t type, whence;
		uint32_t start, length, pid;
	} small = { F_RDLCK, SEEK_SET, 17, 19, 0 };

	IS(0, SYS32(FADVISE64, fd, LO(FAR), HI(FAR), 4096, POSIX_FADV_WILLNEED));
	IS(0, SYS32(FADVISE64_64, fd, LO(FAR), HI(FAR), LO(FAR + 1), HI(FAR + 1), POSIX_FADV_RANDOM));
	IS(0, SYS32(READAHEAD, fd, LO(FAR), HI(FAR), 8191));
	IS(0, SYS32(SYNC_FILE_RANGE, fd, LO(FAR), HI(FAR), LO(FAR), HI(FAR), SYNC_FILE_RANGE_WRITE));
	IS(0, SYS32(FALLOCATE, fd, FALLOC_FL_KEEP_SIZE, LO(FAR + 8192), HI(FAR + 8192), 4096, 0));
	IS(0, SYS32(FCNTL64, fd, 13, put(0, &lock, sizeof(lock)))); /* F_SETLK64 */
	IS(0, SYS32(FCNTL64, fd, 6, put(0, &small, sizeof(small)))); /* F_SETLK */
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
	IS(0, SYS32(UTIME, file, put(1, times, 8)));
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
	uint32_t old[6] = { 0, 8192, PROT_READ, MAP_SHARED, (uint32_t)fd, 4096 }, at;

	at = OK(SYS32(MMAP2, 0, 8192, PROT_READ, MAP_SHARED, fd, LO(FAR >> 12))); /* in pages */
	IS(0, SYS32(MSYNC, at, 4096, MS_SYNC));
	IS(0, SYS32(MADVISE, at, 4096, MADV_RANDOM));
	at = OK(SYS32(MREMAP, at, 8192, 4096, 0));
	IS(0, SYS32(MUNMAP, at, 4096));
	FAILS(EBADF, SYS32(MMAP2, 0, 8192, PROT_READ, MAP_SHARED, 999, 0));
	at = OK(SYS32(OLDMMAP, put(0, old, sizeof(old)))); /* its arguments lie in memory */
	IS(0, SYS32(MUNMAP, at, 8192));
}

/* Kernel AIO: pointers and iovecs of 32 bits. */
static void requests(int fd)
{
	static const struct { int op; const char *name; long n, offset, size; int bytes; } kinds[] = {
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
			.aio_lio_opcode = kinds[i].op, .aio_fildes = fd,
			.aio_buf = vector ? iovs : kinds[i].n ? buf : 0, .aio_nbytes = kinds[i].n,
			.aio_offset = kinds[i].bytes ? kinds[i].offset : 0, .aio_data = i,
		};

		list[i] = put(8 + i, &cb, sizeof(cb));
	}
	IS(N, SYS32(IO_SUBMIT, context, N, put(2, list, sizeof(list))));
	IS(N, SYS32(IO_GETEVENTS, context, N, N, (uintptr_t)events, 0));
	for (int i = 0; i < N; i++) {
		int k = events[i].data;

		tell_as("AIO", kinds[k].name, "file", NULL, kinds[k].size, kinds[k].offset, kinds[k].bytes, "",
			events[i].res);
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

/* A ring that a 32-bit program has made takes iovecs of 32 bits. */
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

	low = int80__memory(65536);
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
