// SPDX-License-Identifier: GPL-2.0-or-later
/* One file, many mounts: each row has the name by which it was opened. */
#include <sched.h>
#include <sys/mount.h>

#include "workload.h"

static char buf[64];

int main(void)
{
	int fd, a, b;

	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, (long)(MS_REC | MS_PRIVATE), NULL));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree/sub", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "one", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "two", 0755));
	workload__make("tree/sub/file");
	workload__make("single");
	workload__make("face");
	for (int i = 0; i < 5; i++) {
		IS(0, SYS(mount, "tree", "one", NULL, (long)MS_BIND, NULL));
		IS(0, SYS(mount, "tree/sub", "two", NULL, (long)MS_BIND, NULL));
		IS(0, SYS(mount, "single", "face", NULL, (long)MS_BIND,
			  NULL)); /* a file mounted on a file */
		for (int k = 0; k < 3; k++) {
			workload__look("tree/sub/file");
			workload__look("one/sub/file");
			workload__look("two/file");
			workload__look("face");
			workload__look("single");
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
		workload__look("tree/sub/file");
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
