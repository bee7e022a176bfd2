// SPDX-License-Identifier: GPL-2.0-or-later
/* access() and readlink(). */
#include <sys/stat.h>

#include "workload.h"

static char buf[4096];

static void rights(int fd, int dir)
{
	IS(0, SYS(faccessat, AT_FDCWD, "file", F_OK));
	IS(0, SYS(faccessat, dir, "inner", R_OK | W_OK));
	FAILS(EACCES, SYS(faccessat, AT_FDCWD, "file", X_OK));
	FAILS(ENOENT, SYS(faccessat, dir, "absent", R_OK));
	FAILS(EBADF, SYS(faccessat, 999, "file", R_OK));
	IS(0, SYS(faccessat, 999, "/", R_OK | X_OK));
	FAILS(EINVAL, SYS(faccessat, AT_FDCWD, "file", 64));
#ifdef SYS_faccessat2
	IS(0, SYS(faccessat2, AT_FDCWD, "link", R_OK, 0));
	IS(0, SYS(faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
	IS(0, SYS(faccessat2, dir, "inner", W_OK, AT_EACCESS));
	IS(0, SYS(faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
	FAILS(EINVAL, SYS(faccessat2, dir, "inner", R_OK, 1));
#endif
#ifdef SYS_access
	IS(0, SYS(access, "link", R_OK));
	FAILS(ENOENT, SYS(access, "dangling", F_OK));
	FAILS(ENOTDIR, SYS(access, "file/below", F_OK));
	FAILS(EFAULT, SYS(access, (char *)8, F_OK));
#endif
}

static void targets(int dir, int link)
{
	IS(4, SYS(readlinkat, AT_FDCWD, "link", buf, sizeof(buf)));
	IS(3, SYS(readlinkat, dir, "../link", buf, 3)); /* cut */
	IS(4, SYS(readlinkat, link, "", buf, 100));     /* the link that is open */
	FAILS(EINVAL, SYS(readlinkat, AT_FDCWD, "file", buf, 100));
	FAILS(ENOENT, SYS(readlinkat, dir, "absent", buf, 100));
	FAILS(EINVAL, SYS(readlinkat, AT_FDCWD, "link", buf, 0));
	FAILS(EBADF, SYS(readlinkat, 999, "link", buf, 100));
#ifdef SYS_readlink
	IS(7, SYS(readlink, "dangling", buf, 100));
	FAILS(EINVAL, SYS(readlink, ".", buf, 100));
	FAILS(ENOENT, SYS(readlink, "absent", buf, 100));
#endif
}

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int dir, link;

	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	IS(0, SYS(symlinkat, "file", AT_FDCWD, "link"));
	IS(0, SYS(symlinkat, "nowhere", AT_FDCWD, "dangling"));
	workload__create("dir/inner");
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	link = OK(SYS(openat, AT_FDCWD, "link", O_PATH | O_NOFOLLOW));
	for (int i = 0; i < 5; i++) {
		rights(fd, dir);
		targets(dir, link);
	}
	IS(0, SYS(close, link));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
