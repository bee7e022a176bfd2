// SPDX-License-Identifier: GPL-2.0-or-later
/* On btrfs, a subvolume in the path: a root with inode numbers of its own that is no mount.
 * Elsewhere a plain directory. */
#include <linux/btrfs.h>
#include <sys/ioctl.h>

#include "workload.h"

static char buf[64];

static void make(int dir, const char *name)
{
	int fd = OK(SYS(openat, dir, name, O_RDWR | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(3, SYS(pread64, fd, buf, 3, 2L));
	IS(0, SYS(fsync, fd));
	IS(0, SYS(close, fd));
}

int main(void)
{
	struct btrfs_ioctl_vol_args args = { .name = "sub" };
	int top = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	int dir, fd, moved;

	if (SYS(ioctl, top, (long)BTRFS_IOC_SUBVOL_CREATE, &args))
		OK(SYS(mkdirat, top, "sub", 0755));
	else
		puts("subvolume");
	dir = OK(SYS(openat, AT_FDCWD, "sub", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < 5; i++) {
		make(top, "file");
		make(dir, "file");
		make(AT_FDCWD, "sub/../sub/other");
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		fd = OK(SYS(openat, dir, "other", O_RDONLY));
		moved = SYS(renameat2, dir, "other", top, "moved", 0) ==
			0; /* EXDEV over the border */
		IS(7, SYS(read, fd, buf, 11));
		IS(0, SYS(renameat2, AT_FDCWD, "sub", AT_FDCWD, "bus", 0)); /* the border itself */
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		IS(0, SYS(renameat2, AT_FDCWD, "bus", AT_FDCWD, "sub", 0));
		IS(0, SYS(close, fd));
		IS(0, SYS(unlinkat, moved ? top : dir, moved ? "moved" : "other", 0));
	}
	IS(0, SYS(close, dir));
	IS(0, SYS(close, top));
	return 0;
}
