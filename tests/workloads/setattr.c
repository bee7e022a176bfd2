// SPDX-License-Identifier: GPL-2.0-or-later
/* chmod, chown and utimes: by path, by descriptor, relative to a descriptor. */
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include "workload.h"

static void modes(int fd, int dir)
{
	IS(0, SYS(fchmod, fd, 0600));
	IS(0, SYS(fchmod, fd, 0));
	IS(0, SYS(fchmodat, AT_FDCWD, "dir/../file", 0644));
	IS(0, SYS(fchmodat, dir, "inner", 06755));
	FAILS(ENOENT, SYS(fchmodat, dir, "absent", 0644));
	FAILS(EBADF, SYS(fchmod, 999, 0644));
	FAILS(EBADF, SYS(fchmodat, 999, "file", 0644));
#ifdef SYS_chmod
	IS(0, SYS(chmod, "link", 01777)); /* follows; the path doesn't */
	FAILS(ENOENT, SYS(chmod, "dangling", 0644));
	FAILS(EFAULT, SYS(chmod, (char *)8, 0644));
#endif
}

static void owners(int fd, int dir)
{
	IS(0, SYS(fchown, fd, 1, 2));
	IS(0, SYS(fchown, fd, -1, -1));
	IS(0, SYS(fchownat, dir, "inner", 3, -1, 0));
	IS(0, SYS(fchownat, AT_FDCWD, "link", 3, 4, AT_SYMLINK_NOFOLLOW));
	IS(0, SYS(fchownat, fd, "", 0, 0, AT_EMPTY_PATH));
	FAILS(ENOENT, SYS(fchownat, dir, "", 0, 0, 0));
	FAILS(EINVAL, SYS(fchownat, dir, "inner", 0, 0, 1 << 20));
	FAILS(EBADF, SYS(fchown, 999, 0, 0));
#ifdef SYS_chown
	IS(0, SYS(chown, "./file", 5, 6));
	IS(0, SYS(lchown, "link", 0, 0));
	FAILS(ENOENT, SYS(lchown, "absent", 0, 0));
#endif
}

static void times(int fd, int dir)
{
	struct timespec t[2] = { { 1, 2 }, { 3, 4 } };

	IS(0, SYS(utimensat, AT_FDCWD, "file", t, 0));
	IS(0, SYS(utimensat, AT_FDCWD, "link", NULL, AT_SYMLINK_NOFOLLOW));
	IS(0, SYS(utimensat, dir, "inner", t, 0));
	IS(0, SYS(utimensat, fd, NULL, t, 0)); /* futimens: the open file */
	FAILS(ENOENT, SYS(utimensat, dir, "absent", t, 0));
	FAILS(EBADF, SYS(utimensat, 999, NULL, t, 0));
	t[0].tv_nsec = 1L << 40;
	FAILS(EINVAL, SYS(utimensat, fd, NULL, t, 0));
#ifdef SYS_utime
	struct timeval tv[2] = { { 5, 6 }, { 7, 8 } };
	struct utimbuf u = { 9, 10 };

	IS(0, SYS(utime, "file", &u));
	IS(0, SYS(utimes, "file", tv));
	IS(0, SYS(futimesat, dir, "inner", tv));
	IS(0, SYS(futimesat, fd, NULL, tv));
	FAILS(ENOENT, SYS(utime, "absent", &u));
#endif
}

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int dir;

	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	IS(0, SYS(symlinkat, "file", AT_FDCWD, "link"));
	IS(0, SYS(symlinkat, "nowhere", AT_FDCWD, "dangling"));
	workload__create("dir/inner");
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < 3; i++) {
		modes(fd, dir);
		owners(fd, dir);
		times(fd, dir);
	}
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
