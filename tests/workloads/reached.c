// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls on paths; for each it prints a line with the inode number that it reached, according to the
 * kernel (lstat before the call, or after): "operation<TAB>last path<TAB>inode<TAB>flags". 0:
 * nothing was reached. */
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "workload.h"

static unsigned long inode_of(const char *path, int flags)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, flags) ? 0 : st.st_ino;
}

static void tell(const char *operation, const char *path, unsigned long inode, const char *flags)
{
	printf("%s\t%s\t%lu\t%s\n", operation, path, inode, flags);
}

/* A call that does not remove or replace what PATH leads to. */
static void after(const char *operation, const char *path, int flags)
{
	tell(operation, path, inode_of(path, flags), "");
}

static void attributes(void)
{
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	char value[8];

	IS(0, SYS(symlinkat, "sub/file", AT_FDCWD, "link"));
	after("symlink", "link", AT_SYMLINK_NOFOLLOW);
	IS(0, SYS(symlinkat, "../sub", AT_FDCWD, "sub/around"));
	after("symlink", "sub/around", AT_SYMLINK_NOFOLLOW);
	IS(0, SYS(fchmodat, AT_FDCWD, "sub/file", 0600));
	after("setattr", "sub/file", 0);
	IS(0, SYS(fchmodat, AT_FDCWD, "link", 0600)); /* followed */
	after("setattr", "link", 0);
	IS(0, SYS(fchownat, AT_FDCWD, "link", 0, 0, AT_SYMLINK_NOFOLLOW));
	after("setattr", "link", AT_SYMLINK_NOFOLLOW);
	IS(0, SYS(utimensat, AT_FDCWD, "./sub/../link", now, 0));
	after("setattr", "link", 0);
	IS(0, SYS(truncate, "sub/around/around/file", 7));
	after("truncate", "sub/around/around/file", 0);
	IS(0, SYS(faccessat, AT_FDCWD, "sub//file", R_OK));
	after("access", "sub/file", 0);
	OK(SYS(readlinkat, AT_FDCWD, "link", value, sizeof(value)));
	after("readlink", "link", AT_SYMLINK_NOFOLLOW);
	FAILS(EINVAL, SYS(readlinkat, AT_FDCWD, "sub/file", value, sizeof(value)));
	FAILS(ENODATA, SYS(getxattr, "link", "user.none", value, sizeof(value)));
	after("getxattr", "link", 0);
	FAILS(ENOENT, SYS(faccessat, AT_FDCWD, "sub/none", R_OK));
	tell("access", "sub/none", 0, "");
	FAILS(EEXIST, SYS(openat, AT_FDCWD, "sub/file", O_CREAT | O_EXCL | O_WRONLY, 0600));
	after("open", "sub/file", 0);
	FAILS(EISDIR, SYS(openat, AT_FDCWD, "sub", O_WRONLY, 0));
	after("open", "sub", 0);
}

static void names(void)
{
	unsigned long file = inode_of("sub/file", 0), other, dir;
	char replaced[64];

	IS(0, SYS(linkat, AT_FDCWD, "sub/file", AT_FDCWD, "second", 0));
	tell("link", "second", file, "");
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	after("mkdir", "dir", 0);
	FAILS(EEXIST, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	after("mkdir", "dir", 0);
	IS(0, SYS(mknodat, AT_FDCWD, "dir/node", S_IFREG | 0600, 0));
	after("mknod", "dir/node", 0);
	other = inode_of("dir/node", 0);
	IS(0, SYS(renameat2, AT_FDCWD, "second", AT_FDCWD, "dir/new", 0));
	tell("rename", "dir/new", file, "");
	snprintf(replaced, sizeof(replaced), "replaced=%lu", other);
	IS(0, SYS(renameat2, AT_FDCWD, "dir/new", AT_FDCWD, "dir/node", 0));
	tell("rename", "dir/node", file, replaced);
	FAILS(ENOTDIR, SYS(renameat2, AT_FDCWD, "dir", AT_FDCWD, "sub/file", 0));
	FAILS(EISDIR, SYS(renameat2, AT_FDCWD, "sub/file", AT_FDCWD, "dir", 0));
	tell("rename", "dir", file, "");
	FAILS(ENOTEMPTY, SYS(unlinkat, AT_FDCWD, "dir", AT_REMOVEDIR));
	dir = inode_of("dir", 0);
	tell("rmdir", "dir", dir, "");
	IS(0, SYS(unlinkat, AT_FDCWD, "dir/node", 0)); /* sub/file is another name of it */
	tell("unlink", "dir/node", file, "");
	IS(0, SYS(unlinkat, AT_FDCWD, "sub/file", 0));
	tell("unlink", "sub/file", file, "LAST_LINK");
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, "sub/file", 0));
	tell("unlink", "sub/file", 0, "");
	other = inode_of("link", AT_SYMLINK_NOFOLLOW);
	IS(0, SYS(unlinkat, AT_FDCWD, "link", 0));
	tell("unlink", "link", other, "LAST_LINK");
	IS(0, SYS(chdir, "dir"));
	tell("chdir", "dir", dir, "");
	IS(0, SYS(chdir, ".."));
	IS(0, SYS(unlinkat, AT_FDCWD, "dir", AT_REMOVEDIR));
	tell("rmdir", "dir", dir, "");
}

/* The directory that directories() works in, with a slash at its end, and as a descriptor: names
 * relative to that leave alone what the recorder remembers of the last path. */
static const char *working = "";
static int working_fd = AT_FDCWD;

/* NAME in there; valid until four more calls. */
static const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned int n;
	char *path = paths[n++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s", working, name);
	return path;
}

/* DIR/b/file, in directories that are new. */
static void make_tree(const char *dir)
{
	char path[64];

	IS(0, SYS(mkdirat, AT_FDCWD, in(dir), 0755));
	snprintf(path, sizeof(path), "%s/b", dir);
	IS(0, SYS(mkdirat, AT_FDCWD, in(path), 0755));
	snprintf(path, sizeof(path), "%s/b/file", dir);
	workload__create(in(path));
}

static void change_file(void)
{
	const char *file = in("a/b/file");

	IS(0, SYS(fchmodat, AT_FDCWD, file, 0600));
	IS(0, SYS(fchmodat, AT_FDCWD, file, 0640));
	after("setattr", file, 0);
	after("setattr", file, 0);
}

static void move(const char *from, const char *to, int flags)
{
	IS(0, SYS(renameat2, working_fd, from, working_fd, to, flags));
}

/* The same path leads elsewhere, from one call to the next. */
static void directories(const char *where)
{
	working = where;
	make_tree("a");
	make_tree("other");
	change_file();
	move("a", "first", 0);
	move("other", "a", 0);
	change_file();
	move("a", "first", RENAME_EXCHANGE);
	change_file();
	IS(0, SYS(mount, in("first"), in("a"), NULL, MS_BIND, NULL));
	change_file();
	IS(0, SYS(umount2, in("a"), 0));
	change_file();
	move("a", "second", 0);
	IS(0, SYS(symlinkat, "first", working_fd, "a"));
	change_file();
	IS(0, SYS(unlinkat, working_fd, "a", 0));
	make_tree("a");
	change_file();
	IS(0, SYS(unlinkat, AT_FDCWD, in("a/b/file"), 0));
	IS(0, SYS(unlinkat, AT_FDCWD, in("a/b"), AT_REMOVEDIR));
	IS(0, SYS(symlinkat, "../first/b", AT_FDCWD, in("a/b")));
	change_file();
}

/* Directories as deep as the recorder remembers, which is eight, and deeper. */
static void deep_directories(void)
{
	char path[64] = "";

	for (int depth = 1; depth <= 9; depth++) {
		strcat(path, "d");
		IS(0, SYS(mkdirat, AT_FDCWD, path, 0755));
		strcat(path, "/");
		if (depth < 5)
			continue;
		working_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		directories(path);
		close(working_fd);
	}
}

int main(void)
{
	IS(0, SYS(mkdirat, AT_FDCWD, "sub", 0755));
	after("mkdir", "sub", 0);
	workload__create("sub/file");
	attributes();
	names();
	directories("");
	deep_directories();
	return 0;
}
