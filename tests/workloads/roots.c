// SPDX-License-Identifier: GPL-2.0-or-later
/* The current directory and the root of a process. */
#include <sched.h>
#include <sys/wait.h>

#include "workload.h"

#define MS_BIND 4096
#define MS_REC 16384
#define MS_PRIVATE (1 << 18)
#define MNT_DETACH 2

static char buf[64];

static void directories(void)
{
	int dir = OK(SYS(openat, AT_FDCWD, "new/sub", O_RDONLY | O_DIRECTORY));
	int up = OK(SYS(openat, AT_FDCWD, ".", O_PATH));

	for (int i = 0; i < 5; i++) {
		IS(0, SYS(chdir, "new"));
		workload__look("sub/file");
		IS(0, SYS(chdir, "sub/"));
		workload__look("file");
		IS(0, SYS(fchdir, up));
		workload__look("./new/sub/file");
		IS(0, SYS(fchdir, dir));
		FAILS(ENOENT, SYS(chdir, "absent"));
		FAILS(ENOTDIR, SYS(chdir, "file"));
		FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
		IS(0, SYS(chdir, "../.."));
		IS(0, SYS(chdir, "way")); /* a link; files below have the name to which it led */
		IS(0, SYS(fchdir, dir));
		IS(0, SYS(fchdir, up));
	}
	FAILS(EBADF, SYS(fchdir, 999));
	FAILS(EFAULT, SYS(chdir, (char *)8));
	IS(0, SYS(close, up));
	IS(0, SYS(close, dir));
}

/* Runs BODY in a process of its own: it does not return from where it goes. */
static void apart(void (*body)(void))
{
	int status;
	long pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));

	if (!pid) {
		body();
		SYS(exit_group, 0);
	}
	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(0, status);
}

static void jail(void)
{
	int before = OK(SYS(openat, AT_FDCWD, "new/sub/file", O_RDONLY));

	FAILS(ENOENT, SYS(chroot, "absent"));
	FAILS(ENOTDIR, SYS(chroot, "new/sub/file"));
	IS(0, SYS(chroot, "new"));
	IS(0, SYS(chdir, "/"));
	workload__look("/sub/file");
	workload__look("sub/file");
	IS(7, SYS(read, before, buf, 11)); /* with the new root it has another name */
	workload__make("made");
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "/../absent", O_RDONLY));
	IS(0, SYS(renameat2, AT_FDCWD, "made", AT_FDCWD, "/sub/moved", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "../../sub/moved", 0));
	IS(0, SYS(mkdirat, AT_FDCWD, "inner", 0755));
	IS(0,
	   SYS(chroot, "inner")); /* a chroot in the chroot; the current directory stays outside */
	workload__make("/deepest");
	IS(0, SYS(chdir, "/"));
	workload__look("deepest");
	IS(0, SYS(unlinkat, AT_FDCWD, "deepest", 0));
	IS(0, SYS(close, before));
}

static void pivot(void)
{
	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	IS(0, SYS(mount, "new", "new", NULL, MS_BIND, NULL));
	IS(0, SYS(mkdirat, AT_FDCWD, "new/old", 0755));
	FAILS(EINVAL, SYS(pivot_root, "new/sub", "new/sub"));
	FAILS(ENOENT, SYS(pivot_root, "new", "new/absent"));
	IS(0, SYS(pivot_root, "new", "new/old"));
	IS(0, SYS(chdir, "/"));
	workload__look("/sub/file");
	IS(0, SYS(umount2, "/old", MNT_DETACH));
	IS(0, SYS(unlinkat, AT_FDCWD, "old", AT_REMOVEDIR));
	workload__look("sub/file");
}

int main(void)
{
	IS(0, SYS(mkdirat, AT_FDCWD, "new", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "new/sub", 0755));
	IS(0, SYS(symlinkat, "new/sub", AT_FDCWD, "way"));
	workload__make("new/sub/file");
	directories();
	for (int i = 0; i < 3; i++) {
		apart(jail);
		IS(0, SYS(unlinkat, AT_FDCWD, "new/inner", AT_REMOVEDIR));
		apart(pivot);
	}
	return 0;
}
