// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths that begin with procfs's links to open files: what counts is what they reach. And openat2()
 * that cannot leave its directory. */
#include "workload.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* "/proc/self/fd/FD" followed by REST. */
static const char *of_fd(int fd, const char *rest)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "/proc/self/fd/%d%s", fd, rest);
	return path[turn];
}

static void through_a_file(int fd)
{
	const char *p = of_fd(fd, "");
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	char dev_fd[32], value[8];
	struct stat st;
	int again;

	IS(0, SYS(fchmodat, AT_FDCWD, p, 0600));
	IS(0, SYS(truncate, p, 5));
	IS(0, SYS(setxattr, p, "user.a", "1", 1, 0));
	IS(1, SYS(getxattr, p, "user.a", value, sizeof(value)));
	IS(0, SYS(removexattr, p, "user.a"));
	IS(0, SYS(utimensat, AT_FDCWD, p, now, 0));
	IS(0, SYS(fchownat, AT_FDCWD, p, 0, 0, 0));
	IS(0, SYS(newfstatat, AT_FDCWD, p, &st, 0));
	IS(0, SYS(faccessat, AT_FDCWD, p, R_OK));
	IS(0, SYS(linkat, AT_FDCWD, p, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	IS(0, SYS(unlinkat, AT_FDCWD, "linked", 0));
	again = OK(SYS(openat, AT_FDCWD, p, O_RDWR, 0));
	IS(0, SYS(close, again));
	FAILS(ENOTDIR, SYS(openat, AT_FDCWD, p, O_RDONLY | O_DIRECTORY, 0));
	snprintf(dev_fd, sizeof(dev_fd), "/dev/fd/%d", fd);
	IS(0, SYS(fchmodat, AT_FDCWD, dev_fd, 0640));
	/* The link itself, which is in procfs: no row in the default scope. */
	OK(SYS(readlinkat, AT_FDCWD, p, value, sizeof(value)));
	FAILS(EPERM, SYS(unlinkat, AT_FDCWD, p, 0));
}

static void through_a_directory(int dir)
{
	int fd = OK(SYS(openat, AT_FDCWD, of_fd(dir, "/new"), O_WRONLY | O_CREAT, 0644));

	IS(0, SYS(close, fd));
	IS(0, SYS(renameat2, AT_FDCWD, of_fd(dir, "/new"), AT_FDCWD, of_fd(dir, "//new2"), 0));
	IS(0, SYS(mkdirat, AT_FDCWD, of_fd(dir, "/sub"), 0755));
	IS(0, SYS(unlinkat, AT_FDCWD, of_fd(dir, "/sub"), AT_REMOVEDIR));
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, of_fd(dir, "/sub/../none"), 0));
	IS(0, SYS(symlinkat, "new2", AT_FDCWD, of_fd(dir, "/symlink")));
	IS(0, SYS(unlinkat, AT_FDCWD, of_fd(dir, "/symlink"), 0));
	IS(0, SYS(unlinkat, AT_FDCWD, of_fd(dir, "/new2"), 0));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, of_fd(dir, "/none"), O_RDONLY, 0));
}

static void through_cwd_and_root(void)
{
	char path[4096 + 64], cwd[4096], own[64];
	int fd;

	OK(SYS(getcwd, cwd, sizeof(cwd)));
	IS(0, SYS(fchmodat, AT_FDCWD, "/proc/self/cwd/data", 0600));
	IS(0, SYS(fchmodat, AT_FDCWD, "/proc/thread-self/cwd/data", 0640));
	snprintf(own, sizeof(own), "/proc/%d/cwd/data", (int)SYS(getpid));
	IS(0, SYS(fchmodat, AT_FDCWD, own, 0600));
	IS(0, SYS(faccessat, AT_FDCWD, "/proc/self/cwd", X_OK));
	snprintf(path, sizeof(path), "/proc/self/root%s/viaroot", cwd);
	fd = OK(SYS(openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0644));
	IS(0, SYS(close, fd));
	IS(0, SYS(unlinkat, AT_FDCWD, path, 0));
	IS(0, SYS(faccessat, AT_FDCWD, "/proc/self/root", X_OK));
	/* Another process's links: not to files of this one. */
	OK(SYS(faccessat, AT_FDCWD, "/proc/1/comm", F_OK));
}

static long confined(int dir, const char *path, uint64_t resolve, uint64_t flags)
{
	struct open_how how = { .flags = flags,
				.resolve = resolve,
				.mode = flags & O_CREAT ? 0600 : 0 };

	return SYS(openat2, dir, path, &how, sizeof(how));
}

static void in_a_root(int dir)
{
	int fd;

	IS(0, SYS(mkdirat, dir, "etc", 0755));
	fd = OK(confined(dir, "/etc/x", RESOLVE_IN_ROOT, O_RDWR | O_CREAT));
	IS(0, SYS(close, fd));
	FAILS(ENOENT, confined(dir, "/etc/shadow", RESOLVE_IN_ROOT, O_RDONLY));
	FAILS(ENOENT, confined(dir, "../../../etc/shadow", RESOLVE_IN_ROOT, O_RDONLY));
	FAILS(ENOENT, confined(dir, "etc/../../etc/./shadow", RESOLVE_IN_ROOT, O_RDONLY));
	FAILS(EEXIST, confined(dir, "/etc/x", RESOLVE_IN_ROOT, O_RDWR | O_CREAT | O_EXCL));
	FAILS(EXDEV, confined(dir, "/etc/passwd", RESOLVE_BENEATH, O_RDONLY));
	FAILS(EXDEV, confined(dir, "../etc/passwd", RESOLVE_BENEATH, O_RDONLY));
	FAILS(ENOENT, confined(AT_FDCWD, "/none", RESOLVE_IN_ROOT, O_RDONLY));
	IS(0, SYS(unlinkat, dir, "etc/x", 0));
	IS(0, SYS(unlinkat, dir, "etc", AT_REMOVEDIR));
}

int main(void)
{
	int fd, dir;

	workload__create("data");
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	fd = OK(SYS(openat, AT_FDCWD, "data", O_PATH, 0));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_PATH | O_DIRECTORY, 0));
	through_a_file(fd);
	through_a_directory(dir);
	through_cwd_and_root();
	in_a_root(dir);
	return 0;
}
