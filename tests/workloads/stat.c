// SPDX-License-Identifier: GPL-2.0-or-later
/* Attributes and directory listings. */
#include <linux/stat.h>

#include "workload.h"

static char buf[65536] __attribute__((aligned(8))); /* large enough for any of the structures */

static void attributes(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "tree/file", O_RDONLY));
	int dir = OK(SYS(openat, AT_FDCWD, "tree", O_RDONLY | O_DIRECTORY));

	for (int i = 0; i < 5; i++) {
#ifdef SYS_stat
		IS(0, SYS(stat, "tree/file", buf));
		IS(0, SYS(stat, "link", buf)); /* asked path: not followed */
		IS(0, SYS(lstat, "link", buf));
		FAILS(ENOENT, SYS(stat, "dangling", buf));
		FAILS(ENOENT, SYS(lstat, "absent", buf));
		FAILS(ENOTDIR, SYS(stat, "tree/file/below", buf));
#endif
		IS(0, SYS(fstat, fd, buf));
		IS(0, SYS(fstat, dir, buf));
		FAILS(EBADF, SYS(fstat, 999, buf));
#ifdef SYS_newfstatat
		IS(0, SYS(newfstatat, AT_FDCWD, "./tree/../tree/file", buf, 0));
		IS(0, SYS(newfstatat, dir, "file", buf, 0));
		IS(0, SYS(newfstatat, AT_FDCWD, "link", buf, AT_SYMLINK_NOFOLLOW));
		IS(0, SYS(newfstatat, fd, "", buf, AT_EMPTY_PATH)); /* the open file itself */
		IS(0, SYS(newfstatat, dir, "", buf, AT_EMPTY_PATH));
		FAILS(EBADF, SYS(newfstatat, 999, "file", buf, 0));
		FAILS(EBADF, SYS(newfstatat, 999, "", buf, AT_EMPTY_PATH));
		FAILS(EFAULT, SYS(newfstatat, AT_FDCWD, (char *)8, buf, 0));
#endif
		IS(0, SYS(statx, AT_FDCWD, "tree/file", 0, STATX_ALL, buf));
		IS(0, SYS(statx, dir, "file", AT_STATX_DONT_SYNC, STATX_BASIC_STATS, buf));
		IS(0, SYS(statx, fd, "", AT_EMPTY_PATH, STATX_ALL, buf));
		IS(0, SYS(statx, AT_FDCWD, "/", 0, STATX_ALL, buf));
		FAILS(ENOENT, SYS(statx, dir, "absent", 0, STATX_ALL, buf));
	}
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
}

static void listings(void)
{
	int dir, fd;

	for (int i = 0; i < 31; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tree/entry%d", i);
		fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));
		IS(0, SYS(close, fd));
	}
	dir = OK(SYS(openat, AT_FDCWD, "tree", O_RDONLY | O_DIRECTORY));
	while (OK(SYS(getdents64, dir, buf, 211)))
		;
	IS(0, SYS(lseek, dir, 0, SEEK_SET));
	while (OK(SYS(getdents64, dir, buf, sizeof(buf))))
		;
	IS(0, SYS(lseek, dir, 0, SEEK_SET));
	FAILS(EINVAL, SYS(getdents64, dir, buf, 3)); /* no room for one */
	IS(0, SYS(close, dir));
	fd = OK(SYS(openat, AT_FDCWD, "tree/file", O_RDONLY));
	FAILS(ENOTDIR, SYS(getdents64, fd, buf, sizeof(buf)));
	IS(0, SYS(close, fd));
	FAILS(EBADF, SYS(getdents64, 999, buf, sizeof(buf)));
}

int main(void)
{
	int fd;

	OK(SYS(mkdirat, AT_FDCWD, "tree", 0755));
	fd = OK(SYS(openat, AT_FDCWD, "tree/file", O_WRONLY | O_CREAT, 0644));
	IS(0, SYS(close, fd));
	OK(SYS(symlinkat, "tree/file", AT_FDCWD, "link"));
	OK(SYS(symlinkat, "nowhere", AT_FDCWD, "dangling"));
	attributes();
	listings();
	return 0;
}
