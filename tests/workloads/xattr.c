// SPDX-License-Identifier: GPL-2.0-or-later
/* Extended attributes by path, by link and by descriptor. */
#include <sys/xattr.h>

#include "workload.h"

static char buf[65536];

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int name = OK(SYS(openat, AT_FDCWD, "file", O_PATH));

	IS(0, SYS(symlinkat, "file", AT_FDCWD, "link"));
	for (int i = 0; i < 3; i++) {
		IS(0, SYS(setxattr, "./file", "user.a", buf, 101, XATTR_CREATE));
		FAILS(EEXIST, SYS(setxattr, "file", "user.a", buf, 101, XATTR_CREATE));
		IS(0, SYS(setxattr, "link", "user.a", buf, 53,
			  XATTR_REPLACE)); /* follows; the path doesn't */
		FAILS(ENODATA, SYS(setxattr, "file", "user.b", buf, 53, XATTR_REPLACE));
		IS(0, SYS(fsetxattr, fd, "user.b", buf, 7, 0));
		IS(0, SYS(lsetxattr, "link", "trusted.l", buf, 11, 0));
		IS(0, SYS(setxattr, "file", "user.empty", NULL, 0, 0));
		IS(53, SYS(getxattr, "file", "user.a", buf, 1000));
		IS(53, SYS(getxattr, "link", "user.a", NULL, 0)); /* asks for the size */
		FAILS(ERANGE, SYS(getxattr, "file", "user.a", buf, 5));
		FAILS(ENODATA, SYS(getxattr, "file", "user.none", buf, 5));
		FAILS(ENOENT, SYS(getxattr, "absent", "user.a", buf, 5));
		IS(7, SYS(fgetxattr, fd, "user.b", buf, 4096));
		IS(11, SYS(lgetxattr, "link", "trusted.l", buf, 4096));
		IS(0, SYS(fgetxattr, fd, "user.empty", buf, 4096));
		OK(SYS(listxattr, "link", buf, sizeof(buf)));
		OK(SYS(listxattr, "file", NULL, 0));
		OK(SYS(llistxattr, "link", buf, sizeof(buf)));
		OK(SYS(flistxattr, fd, buf, sizeof(buf)));
		FAILS(ERANGE, SYS(listxattr, "file", buf, 3));
		IS(0, SYS(removexattr, "file", "user.a"));
		IS(0, SYS(fremovexattr, fd, "user.b"));
		IS(0, SYS(lremovexattr, "link", "trusted.l"));
		FAILS(ENODATA, SYS(removexattr, "link", "user.a"));
	}
	FAILS(EBADF, SYS(fsetxattr, 999, "user.a", buf, 3, 0));
	FAILS(EBADF, SYS(fgetxattr, 999, "user.a", buf, 3));
	FAILS(EBADF, SYS(flistxattr, name, buf, 3));
	FAILS(EBADF, SYS(fremovexattr, 999, "user.a"));
	FAILS(EINVAL, SYS(setxattr, "file", "user.a", buf, 3, 64));
	FAILS(E2BIG, SYS(setxattr, "file", "user.a", buf, 1 << 20, 0));
	FAILS(EFAULT, SYS(getxattr, (char *)8, "user.a", buf, 3));
	FAILS(EPERM, SYS(lsetxattr, "link", "user.a", buf, 3, 0));
	IS(0, SYS(close, name));
	IS(0, SYS(close, fd));
	return 0;
}
