// SPDX-License-Identifier: GPL-2.0-or-later
/* One file, many mounts: each row has the name by which it was opened. */
#include <sched.h>
#include <sys/mount.h>

#include "workload.h"

static char buf[64];

static void make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

static void look(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_RDONLY));

	IS(7, SYS(read, fd, buf, 11));
	IS(0, SYS(close, fd));
}

int main(void)
{
	int fd, a, b;

	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, (long)(MS_REC | MS_PRIVATE), NULL));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree/sub", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "one", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "two", 0755));
	make("tree/sub/file");
	make("single");
	make("face");
	for (int i = 0; i < 5; i++) {
		IS(0, SYS(mount, "tree", "one", NULL, (long)MS_BIND, NULL));
		IS(0, SYS(mount, "tree/sub", "two", NULL, (long)MS_BIND, NULL));
		IS(0, SYS(mount, "single", "face", NULL, (long)MS_BIND,
			  NULL)); /* a file mounted on a file */
		for (int k = 0; k < 3; k++) {
			look("tree/sub/file");
			look("one/sub/file");
			look("two/file");
			look("face");
			look("single");
		}
		a = OK(SYS(openat, AT_FDCWD, "one/sub/file", O_RDONLY));
		b = OK(SYS(openat, AT_FDCWD, "two/file", O_RDONLY));
		IS(1, SYS(read, a, buf, 1));
		IS(2, SYS(read, b, buf, 2));
		IS(0, SYS(renameat2, AT_FDCWD, "one/sub/file", AT_FDCWD, "one/sub/other", 0));
		IS(1, SYS(read, a, buf, 1));
		IS(2, SYS(read, b, buf, 2));
		FAILS(EXDEV, SYS(renameat2, AT_FDCWD, "one/sub/other", AT_FDCWD, "two/file", 0));
		IS(0, SYS(renameat2, AT_FDCWD, "two/other", AT_FDCWD, "two/file", 0));
		IS(0, SYS(close, b));
		/* Mounted over while open. */
		fd = OK(SYS(openat, AT_FDCWD, "tree/sub/file", O_RDONLY));
		IS(0, SYS(mount, "one", "tree", NULL, (long)MS_BIND, NULL));
		IS(1, SYS(read, fd, buf, 1));
		look("tree/sub/file");
		IS(0, SYS(umount2, "tree", 0));
		IS(0, SYS(close, fd));
		FAILS(EBUSY, SYS(umount2, "one", 0));
		IS(0, SYS(close, a));
		IS(0, SYS(umount2, "one", 0));
		IS(0, SYS(umount2, "two", 0));
		IS(0, SYS(umount2, "face", 0));
	}
	return 0;
}
