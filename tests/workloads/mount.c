// SPDX-License-Identifier: GPL-2.0-or-later
/* Filesystems are mounted, changed and unmounted, in a mount namespace of its own. */
#include <linux/mount.h>
#include <sched.h>

#include "workload.h"

#define MNT_DETACH 2

static char buf[64];

static void set_attributes(const char *name)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = { .set = 1, .clear = 8 }; /* MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOEXEC */

	/* Since 5.12; strace says the result. */
	syscall(442, AT_FDCWD, name, 0L, &attr, sizeof(attr));
	syscall(442, AT_FDCWD, "absent", 0x8000L, &attr, sizeof(attr));
}

/* A copy of the mount at FROM, or of a directory, which is not attached until it is moved. */
static void copy_tree(const char *from, const char *to)
{
	int tree = OK(SYS(open_tree, AT_FDCWD, from, 1)); /* OPEN_TREE_CLONE */

	FAILS(ENOENT, SYS(open_tree, AT_FDCWD, "absent", 1));
	IS(0, SYS(move_mount, tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH));
	IS(0, SYS(umount2, to, MNT_DETACH));
	IS(0, SYS(close, tree));
}

int main(void)
{
	int fd, fs, at, dir;

	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	IS(0, SYS(mkdirat, AT_FDCWD, "point", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "other", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree", 0755));
	workload__make("tree/file");
	workload__make("point/below");
	fd = OK(SYS(openat, AT_FDCWD, "point/below", O_RDONLY));
	for (int i = 0; i < 3; i++) {
		IS(0, SYS(mount, "iotrc, \"test\"", "point", "tmpfs", MS_NOSUID, "size=1m"));
		workload__make("point/file");
		IS(0, SYS(pread64, fd, buf, 0, 0L)); /* is below the new mount: the same name */
		IS(0, SYS(mount, NULL, "./point", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL));
		FAILS(EROFS, SYS(openat, AT_FDCWD, "point/new", O_WRONLY | O_CREAT, 0644));
		workload__look("point/file");
		IS(0, SYS(mount, "tree", "other", NULL, MS_BIND, NULL));
		workload__look("other/file"); /* the name by which it was opened */
		workload__look("tree/file");
		at = OK(SYS(openat, AT_FDCWD, "other/file", O_RDONLY));
		IS(0, SYS(mount, "other", "tree", NULL, MS_MOVE, NULL));
		IS(7, SYS(read, at, buf, 10)); /* moved, with its mount */
		IS(0, SYS(close, at));
		FAILS(EBUSY, SYS(umount2, "point", 0) ? -1 : SYS(umount2, "/", 0));
		IS(0, SYS(umount2, "tree/../tree", MNT_DETACH));
		FAILS(EINVAL, SYS(umount2, "tree", 0));
		FAILS(ENOENT, SYS(umount2, "absent", 0));
		FAILS(EINVAL, SYS(umount2, "tree", 1 << 20));
		FAILS(ENODEV, SYS(mount, "x", "point", "no-such-type", 0, NULL));
		FAILS(ENOENT, SYS(mount, "x", "absent", "tmpfs", 0, NULL));
		FAILS(EINVAL, SYS(mount, NULL, "tree", NULL, MS_REMOUNT, NULL));
		FAILS(EFAULT, SYS(mount, "x", (char *)8, "tmpfs", 0, NULL));
	}
	IS(0, SYS(close, fd));
	/* The newer way. */
	for (int i = 0; i < 3; i++) {
		fs = OK(SYS(fsopen, "tmpfs", 0));
		IS(0, SYS(fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
		at = OK(SYS(fsmount, fs, 0, 0));
		dir = OK(SYS(openat, AT_FDCWD, "tree", O_PATH));
		FAILS(ENOENT, SYS(move_mount, at, "", dir, "absent", MOVE_MOUNT_F_EMPTY_PATH));
		IS(0, SYS(move_mount, at, "", AT_FDCWD, "point", MOVE_MOUNT_F_EMPTY_PATH));
		workload__make("point/file");
		IS(0, SYS(move_mount, AT_FDCWD, "point", dir, "", MOVE_MOUNT_T_EMPTY_PATH));
		workload__look("tree/file");
		set_attributes("tree");
		IS(0, SYS(umount2, "tree", MNT_DETACH));
		copy_tree("other", "point");
		IS(0, SYS(close, dir));
		IS(0, SYS(close, at));
		IS(0, SYS(close, fs));
	}
	return 0;
}
