// SPDX-License-Identifier: GPL-2.0-or-later
/* chance SEED STEPS: random calls on files and directories with few names, so that many succeed,
 * many fail, and names change while files are open. The same SEED makes the same calls; strace says
 * what they return. The current directory becomes the root, so nothing above it is reached. */
#include <linux/stat.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "workload.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOT_OPEN 59

static uint64_t state;
static int fds[12];
static char buf[16384];

/* 0 to N - 1 (Knuth's MMIX generator). */
static unsigned int chance(unsigned int n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

#define ONE_OF(...) ((const long[]){ __VA_ARGS__ }[chance(COUNT(((const long[]){ __VA_ARGS__ })))])

/* A name says what kind of file it is: strace cannot tell for a file that is gone at the end. */
enum kind { DIRECTORY, PLAIN, LINK, ANY };

static const char *name(enum kind kind)
{
	static const char *const names[][4] = {
		[DIRECTORY] = { "d1", "d,2", "d3\\", "d -> 4" },
		[PLAIN] = { "f1", "f\"2", "f\n3", "f4\xff" },
		[LINK] = { "l1", "l2", "l3", "l4" },
	};

	return names[kind == ANY ? chance(3) : kind][chance(4)];
}

/* Absolute or relative, through directories, links and dots, sometimes with additional slashes, or
 * empty. One of the last four. */
static const char *path(enum kind kind)
{
	static char paths[4][1024];
	static int last;
	char *p = paths[last++ % COUNT(paths)];

	*p = 0;
	if (!chance(60))
		return p;
	if (!chance(8) && SYS(getcwd, p, 512L) > 0)
		strcat(p, "/");
	for (unsigned int up = chance(3); up; up--) {
		const char *part[] = { name(DIRECTORY), name(LINK), ".", ".." };

		strcat(p, part[chance(2) * chance(COUNT(part))]);
		strcat(p, chance(9) ? "/" : "//");
	}
	strcat(p, kind == ANY && !chance(10) ? ".." : name(kind));
	return chance(15) ? p : strcat(p, "/");
}

/* Mostly an open one. */
static int fd(void)
{
	return chance(25) ? fds[chance(COUNT(fds))] : (int)chance(NOT_OPEN);
}

static int base(void)
{
	return chance(3) ? AT_FDCWD : fd();
}

static void keep(long fd)
{
	int *place = &fds[chance(COUNT(fds))];

	if (fd < 0)
		return;
	if (*place != NOT_OPEN)
		SYS(close, *place);
	*place = fd;
}

static int open_flags(void)
{
	int flags = ONE_OF(O_RDONLY, O_WRONLY, O_RDWR);

	if (!chance(6))
		return ONE_OF(O_DIRECTORY, O_PATH, O_PATH | O_NOFOLLOW);
	return flags | ONE_OF(0, O_CREAT, O_CREAT, O_CREAT | O_EXCL) |
	       ONE_OF(0, 0, 0, O_TRUNC, O_APPEND, O_NOFOLLOW) | ONE_OF(0, O_CLOEXEC);
}

static void open_one(void)
{
	int flags = open_flags();
	const char *p = path(flags & O_CREAT ? PLAIN : ANY);

#ifdef SYS_open
	if (!chance(5)) {
		keep(SYS(open, p, flags, 0640));
		return;
	}
#endif
	keep(SYS(openat, base(), p, flags, 0640));
}

static void open_how(void)
{
	uint64_t how[3] = { ONE_OF(O_RDONLY, O_PATH), 0, ONE_OF(0, 0, 1, 4, 8, 16, 64) };

	keep(SYS(openat2, base(), path(ANY), how, sizeof(how)));
}

static void open_nameless(void)
{
	long file = SYS(openat, base(), path(DIRECTORY), O_TMPFILE | O_RDWR, 0640);

	if (file < 0)
		return;
	SYS(write, file, buf, 77L);
	SYS(linkat, file, "", base(), path(PLAIN), AT_EMPTY_PATH);
	keep(file);
}

/* strace learns from the following calls where that led. */
static void change_directory(void)
{
	if (chance(2))
		SYS(chdir, path(ANY));
	else
		SYS(fchdir, fd());
	SYS(faccessat, AT_FDCWD, ".", F_OK);
}

static void rename_one(void)
{
	enum kind kind = chance(ANY);

	/* RENAME_NOREPLACE, RENAME_EXCHANGE */
	SYS(renameat2, base(), path(kind), base(), path(kind), (int)ONE_OF(0, 0, 0, 1, 2));
}

static void lock(void)
{
	struct flock l = { .l_type = chance(3),
			   .l_whence = chance(4),
			   .l_start = chance(5000),
			   .l_len = chance(99) };

	SYS(fcntl, fd(), (int)ONE_OF(F_SETLK, F_OFD_SETLK), &l);
}

static void replace(void)
{
	int from = fd(), to = fds[chance(COUNT(fds))];

	if (to != NOT_OPEN)
		SYS(dup3, from, to, (int)ONE_OF(0, O_CLOEXEC));
}

static void map(void)
{
	long len = 4096 * (1 + chance(3));
	long at = SYS(mmap, 0L, len, PROT_READ, (int)ONE_OF(MAP_SHARED, MAP_PRIVATE), fd(),
		      4096L * chance(3));

	if (at == -1)
		return;
	SYS(madvise, at, len, MADV_RANDOM);
	SYS(msync, at, len, MS_ASYNC);
	SYS(munmap, at, len);
}

static void through_pipe(void)
{
	loff_t from = chance(9000), to = chance(9000);
	int ends[2];

	OK(SYS(pipe2, ends, 0));
	SYS(splice, fd(), chance(2) ? &from : NULL, ends[1], NULL, 4000L, SPLICE_F_NONBLOCK);
	SYS(splice, ends[0], NULL, fd(), chance(2) ? &to : NULL, 3000L, SPLICE_F_NONBLOCK);
	SYS(close, ends[0]);
	SYS(close, ends[1]);
}

static void step(void);

static void child(void)
{
	char *const argv[] = { (char *)path(ANY), (char *)"two words", NULL };
	pid_t pid;

	if (chance(5))
		return;
	pid = OK(fork());
	if (!pid) {
		for (unsigned int i = chance(50); i; i--)
			step();
		SYS(execve, argv[0], argv, NULL);
		_exit(chance(100));
	}
	OK(waitpid(pid, NULL, 0));
}

static void step(void)
{
	struct iovec iov[3] = { { buf, chance(100) }, { buf, chance(5000) }, { buf, 7 } };
	loff_t at = chance(20000), *at_or_not = chance(2) ? &at : NULL;
	long len = chance(9000), at_or_position = chance(3) ? (long)at : -1L;
	struct statx sx;
	struct stat st;

	/* One CALL per line; calls that do not exist are chosen again. */
	for (;;)
		switch (chance(80)) {
#define CALL(...) \
	case __COUNTER__: \
		__VA_ARGS__; \
		return;
			CALL(open_one())
			CALL(open_one())
			CALL(open_one())
			CALL(open_one())
			CALL(open_one())
			CALL(open_how())
			CALL(open_nameless())
			CALL(change_directory())
			CALL(rename_one())
			CALL(rename_one())
			CALL(lock())
			CALL(replace())
			CALL(map())
			CALL(through_pipe())
			CALL(child())
			CALL(keep(SYS(dup, fd())))
			CALL(SYS(close, fd()))
			CALL(SYS(read, fd(), buf, len))
			CALL(SYS(read, fd(), buf, len))
			CALL(SYS(write, fd(), buf, len))
			CALL(SYS(write, fd(), buf, len))
			CALL(SYS(pread64, fd(), buf, len, (long)at))
			CALL(SYS(pwrite64, fd(), buf, len, (long)at))
			CALL(SYS(readv, fd(), iov, 3))
			CALL(SYS(writev, fd(), iov, 3))
			CALL(SYS(preadv2, fd(), iov, 3, at_or_position, 0L, 0))
			CALL(SYS(pwritev2, fd(), iov, 3, at_or_position, 0L,
				 (int)ONE_OF(0, 2, 0x10))) /* RWF_DSYNC, RWF_APPEND */
			CALL(SYS(lseek, fd(), (long)at, (int)chance(3)))
			CALL(SYS(getdents64, fd(), buf, ONE_OF(0, 4096)))
			CALL(SYS(fsync, fd()))
			CALL(SYS(fdatasync, fd()))
			CALL(SYS(syncfs, fd()))
			CALL(SYS(sync_file_range, fd(), (long)at, len, (int)chance(8)))
			CALL(SYS(ftruncate, fd(), (long)at))
			CALL(SYS(truncate, path(ANY), (long)at))
			CALL(SYS(fallocate, fd(), (int)ONE_OF(0, 1), (long)at,
				 len)) /* FALLOC_FL_KEEP_SIZE */
			CALL(SYS(fadvise64, fd(), (long)at, len, (int)chance(7)))
			CALL(SYS(readahead, fd(), (long)at, len))
			CALL(SYS(copy_file_range, fd(), at_or_not, fd(), NULL, len, 0))
			CALL(SYS(sendfile, fd(), fd(), at_or_not, len))
			CALL(SYS(fcntl, fd(), F_SETFL, ONE_OF(0, O_APPEND)))
			CALL(SYS(flock, fd(), (int)(LOCK_NB | ONE_OF(LOCK_SH, LOCK_EX, LOCK_UN))))
			CALL(SYS(fstat, fd(), &st))
			CALL(SYS(newfstatat, base(), path(ANY), &st,
				 (int)ONE_OF(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH)))
			CALL(SYS(statx, base(), path(ANY), (int)ONE_OF(0, AT_EMPTY_PATH), STATX_ALL,
				 &sx))
			CALL(SYS(faccessat, base(), path(ANY), (int)chance(8)))
			CALL(SYS(faccessat2, base(), path(ANY), (int)chance(8),
				 (int)ONE_OF(0, AT_EACCESS, AT_EMPTY_PATH)))
			CALL(SYS(readlinkat, base(), path(ANY), buf, 100L))
			CALL(SYS(fchmod, fd(), 0600 | chance(0100)))
			CALL(SYS(fchmodat, base(), path(ANY), 0700 | chance(0100)))
			CALL(SYS(fchownat, base(), path(ANY), 0, 0,
				 (int)ONE_OF(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH)))
			CALL(SYS(utimensat, base(), chance(4) ? path(ANY) : NULL, NULL, 0))
			CALL(SYS(setxattr, path(ANY), "user.x", buf, ONE_OF(0, 7, 19),
				 (int)chance(3)))
			CALL(SYS(fgetxattr, fd(), "user.x", buf, ONE_OF(0, 100)))
			CALL(SYS(llistxattr, path(ANY), buf, ONE_OF(0, 100)))
			CALL(SYS(fremovexattr, fd(), "user.x"))
			CALL(SYS(mkdirat, base(), path(DIRECTORY), 0755))
			CALL(SYS(mkdirat, base(), path(DIRECTORY), 0755))
			CALL(SYS(mknodat, base(), path(PLAIN), S_IFREG | 0640, 0))
			CALL(SYS(linkat, base(), path(PLAIN), base(), path(PLAIN),
				 (int)ONE_OF(0, AT_SYMLINK_FOLLOW)))
			CALL(SYS(symlinkat, path(ANY), base(), path(LINK)))
			CALL(SYS(unlinkat, base(), path(ANY), (int)ONE_OF(0, AT_REMOVEDIR)))
#ifdef SYS_open
			CALL(SYS(creat, path(PLAIN), 0640))
			CALL(SYS(mkdir, path(DIRECTORY), 0711))
			CALL(SYS(rmdir, path(DIRECTORY)))
			CALL(SYS(unlink, path(ANY)))
			CALL(SYS(stat, path(ANY), &st))
			CALL(SYS(lstat, path(ANY), &st))
#endif
		default:
			break;
		}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	OK(SYS(chroot, "."));
	OK(SYS(chdir, "/"));
	state = strtoull(argv[1], NULL, 10);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = NOT_OPEN;
	for (int i = atoi(argv[2]); i; i--)
		step();
	return 0;
}
