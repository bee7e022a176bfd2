// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounts made step by step, in a mount namespace of its own. Prints for each call its row:
 * "result<TAB>filename<TAB>flags<TAB>fs_type". @ in a filename is the current directory. */
#include <linux/mount.h>
#include <sched.h>

#include "workload.h"

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

static long tell(long result, const char *filename, const char *flags, const char *fs_type)
{
	printf("%ld\t%s\t%s\t%s\n", result < 0 ? -errno : result, filename, flags, fs_type);
	return result;
}

/* A filesystem, from nothing to a file on it. */
static void make(const char *type)
{
	int fs = tell(OK(SYS(fsopen, type, FSOPEN_CLOEXEC)), "", "FSOPEN|FSOPEN_CLOEXEC", type),
	    mount, fd;

	tell(SYS(fsconfig, fs, FSCONFIG_SET_STRING, "source", "the source", 0), "the source",
	     "FSCONFIG|FSCONFIG_SET_STRING|key=source", type);
	tell(SYS(fsconfig, fs, FSCONFIG_SET_STRING, "size", "1m", 0), "the source",
	     "FSCONFIG|FSCONFIG_SET_STRING|key=size", type);
	tell(SYS(fsconfig, fs, FSCONFIG_SET_STRING, "password", "secret", 0), "the source",
	     "FSCONFIG|FSCONFIG_SET_STRING|key=password", type);
	tell(SYS(fsconfig, fs, FSCONFIG_SET_FLAG, "no|such,flag", NULL, 0), "the source",
	     "FSCONFIG|FSCONFIG_SET_FLAG|key=nosuchflag", type);
	IS(0, tell(SYS(fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "the source",
		   "FSCONFIG|FSCONFIG_CMD_CREATE", type));
	mount = OK(tell(SYS(fsmount, fs, 0, MOUNT_ATTR_NOSUID), "the source -> (detached)/",
			"FSMOUNT|MOUNT_ATTR_NOSUID", type));
	fd = OK(SYS(openat, mount, "inside", O_CREAT | O_WRONLY, 0600));
	IS(1, SYS(write, fd, "x", 1));
	IS(0, tell(SYS(move_mount, mount, "", AT_FDCWD, "point", MOVE_MOUNT_F_EMPTY_PATH),
		   "the source -> @/point", "MOVE_MOUNT_F_EMPTY_PATH", type));
	IS(0, SYS(close, mount));
	IS(0, SYS(close, fd));
	IS(0, SYS(close, fs));
}

static void change(const char *type)
{
	int fs = OK(tell(SYS(fspick, AT_FDCWD, "point", FSPICK_NO_AUTOMOUNT), "@/point",
			 "FSPICK|FSPICK_NO_AUTOMOUNT", type));

	IS(0, tell(SYS(fsconfig, fs, FSCONFIG_SET_FLAG, "ro", NULL, 0), "",
		   "FSCONFIG|FSCONFIG_SET_FLAG|key=ro", type));
	IS(0, tell(SYS(fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), "",
		   "FSCONFIG|FSCONFIG_CMD_RECONFIGURE", type));
	IS(0, SYS(close, fs));
	IS(0, SYS(umount2, "point", 2));
}

/* Makes and removes a file in a directory. */
static void pass(int directory, const char *name)
{
	int fd = OK(SYS(openat, directory, name, O_CREAT | O_WRONLY, 0600));

	IS(0, SYS(close, fd));
	IS(0, SYS(unlinkat, directory, name, 0));
}

/* A copy of a directory: it is not a filesystem's root, so it is named by its place in the
 * filesystem, by which the directory itself is known already. */
static void copy(const char *type)
{
	struct {
		uint64_t set, clear, propagation, userns;
	} attr = { .set = MOUNT_ATTR_RDONLY };
	int tree = OK(tell(SYS(open_tree, AT_FDCWD, "tree", OPEN_TREE_CLONE), "@/tree",
			   "OPEN_TREE|OPEN_TREE_CLONE", type)),
	    fd, itself = OK(SYS(openat, AT_FDCWD, "tree", O_RDONLY | O_DIRECTORY, 0));

	pass(itself, "passing");
	pass(tree, "passing");
	pass(itself, "passing");
	IS(0, SYS(close, itself));
	fd = OK(SYS(openat, tree, "inside", O_CREAT | O_WRONLY, 0600));
	IS(0, SYS(close, fd));
	IS(0, tell(SYS(move_mount, tree, "", AT_FDCWD, "point", MOVE_MOUNT_F_EMPTY_PATH),
		   "(detached)@/tree -> @/point", "MOVE_MOUNT_F_EMPTY_PATH", type));
	IS(0, SYS(umount2, "point", 2));
	IS(0, SYS(close, tree));
	fd = SYS(open_tree_attr, AT_FDCWD, "tree", OPEN_TREE_CLONE, &attr, sizeof(attr)); /* 6.15 */
	if (fd < 0 && errno == ENOSYS)
		tell(-1, "@/tree", "OPEN_TREE_ATTR|OPEN_TREE_CLONE|MOUNT_ATTR_RDONLY", "");
	else
		tell(OK(fd), "@/tree", "OPEN_TREE_ATTR|OPEN_TREE_CLONE|MOUNT_ATTR_RDONLY", type);
}

static void fail(void)
{
	tell(SYS(fsopen, "no-such-type", 0), "", "FSOPEN", "no-such-type");
	tell(SYS(fsconfig, 0, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "",
	     "FSCONFIG|FSCONFIG_CMD_CREATE", "");
	tell(SYS(fspick, AT_FDCWD, "absent", 0), "@/absent", "FSPICK", "");
}

/* The type of the filesystem of the current directory is the first argument. */
int main(int argc, char **argv)
{
	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	IS(0, SYS(mkdirat, AT_FDCWD, "point", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "tree", 0755));
	puts("begin");
	make("tmpfs");
	change("tmpfs");
	copy(argv[1]);
	fail();
	return 0;
}
