// SPDX-License-Identifier: GPL-2.0-or-later
/* Names are created, moved and removed, also those of open files. */
#include <linux/fs.h>
#include <sys/stat.h>

#include "workload.h"

static char buf[4096];

static void make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

static int opened(const char *name)
{
	return OK(SYS(openat, AT_FDCWD, name, O_RDWR));
}

static void directories(void)
{
	int dir;

#ifdef SYS_mkdir
	IS(0, SYS(mkdir, "one", 0755));
	IS(0, SYS(mkdir, "one/two/", 0700)); /* a trailing slash is removed */
	FAILS(EEXIST, SYS(mkdir, "one", 0755));
	FAILS(ENOTEMPTY, SYS(rmdir, "one"));
	IS(0, SYS(rmdir, "one/two/../two"));
	FAILS(ENOENT, SYS(rmdir, "one/two"));
	IS(0, SYS(rmdir, "one"));
#endif
	IS(0, SYS(mkdirat, AT_FDCWD, "base", 0755));
	dir = OK(SYS(openat, AT_FDCWD, "base", O_RDONLY | O_DIRECTORY));
	IS(0, SYS(mkdirat, dir, "below", 0755));
	FAILS(ENOENT, SYS(mkdirat, dir, "no/below", 0755));
	FAILS(EBADF, SYS(mkdirat, 999, "below", 0755));
	FAILS(EISDIR, SYS(unlinkat, dir, "below", 0));
	IS(0, SYS(unlinkat, dir, "below", AT_REMOVEDIR));
	FAILS(ENOENT, SYS(unlinkat, dir, "below", AT_REMOVEDIR));
	IS(0, SYS(close, dir));
}

static void renames(void)
{
	int from = OK(SYS(openat, AT_FDCWD, "base", O_RDONLY | O_DIRECTORY));
	int to;

	IS(0, SYS(mkdirat, AT_FDCWD, "goal", 0755));
	to = OK(SYS(openat, AT_FDCWD, "goal", O_RDONLY | O_DIRECTORY));
	make("base/a");
	make("base/b");
	make("x -> y");
#ifdef SYS_rename
	IS(0, SYS(rename, "base/a", "goal/../goal/a"));
	FAILS(ENOENT, SYS(rename, "base/a", "goal/c"));
	IS(0, SYS(rename, "x -> y", "y -> x, \"z\"\n"));
	IS(0, SYS(rename, "y -> x, \"z\"\n", "goal/a"));
#endif
#ifdef SYS_renameat
	IS(0, SYS(renameat, from, "b", to, "b"));
	FAILS(EBADF, SYS(renameat, 999, "b", to, "c"));
#endif
	make("base/c");
	FAILS(EEXIST, SYS(renameat2, from, "c", to, "b", RENAME_NOREPLACE));
	IS(0, SYS(renameat2, from, "c", to, "c", RENAME_NOREPLACE));
	make("base/c");
	IS(0, SYS(renameat2, from, "c", to, "c", RENAME_EXCHANGE));
	FAILS(ENOENT, SYS(renameat2, from, "c", to, "absent", RENAME_EXCHANGE));
	FAILS(EINVAL, SYS(renameat2, from, "c", to, "c", RENAME_EXCHANGE | RENAME_NOREPLACE));
	IS(0, SYS(close, from));
	IS(0, SYS(close, to));
}

static void moved_while_open(void)
{
	int fd, inner, dir;

	/* The file itself. */
	make("before");
	fd = opened("before");
	IS(1, SYS(read, fd, buf, 1));
	IS(0, SYS(renameat2, AT_FDCWD, "before", AT_FDCWD, "after", 0));
	IS(1, SYS(read, fd, buf, 1));
	IS(0, SYS(close, fd));

	/* Directories above it are renamed, repeatedly, and moved into another one. */
	IS(0, SYS(mkdirat, AT_FDCWD, "top", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "top/middle", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "top/middle/low", 0755));
	make("top/middle/low/file");
	fd = opened("top/middle/low/file");
	dir = OK(SYS(openat, AT_FDCWD, "top/middle", O_RDONLY | O_DIRECTORY));
	IS(1, SYS(read, fd, buf, 1));
	for (int i = 0; i < 5; i++) {
		IS(0, SYS(renameat2, AT_FDCWD, "top", AT_FDCWD, "pot", 0));
		IS(1, SYS(pread64, fd, buf, 1, 2L));
		inner = OK(SYS(openat, dir, "low/file", O_RDONLY));
		IS(0, SYS(close, inner));
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		IS(0, SYS(renameat2, AT_FDCWD, "pot", AT_FDCWD, "top", 0));
		IS(1, SYS(pwrite64, fd, buf, 1, 3L));
	}
	IS(0, SYS(renameat2, AT_FDCWD, "top/middle", AT_FDCWD, "goal/middle", 0));
	IS(1, SYS(read, fd, buf, 1));
	/* The current directory is moved, too. */
	IS(0, SYS(fchdir, dir));
	IS(0, SYS(renameat2, AT_FDCWD, "../../goal/middle", AT_FDCWD, "../../base/centre", 0));
	inner = OK(SYS(openat, AT_FDCWD, "low/file", O_RDONLY));
	IS(0, SYS(close, inner));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	IS(0, SYS(chdir, "../.."));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));

	/* Exchanged names: the open files keep their contents and get each other's names. */
	make("left");
	make("right");
	fd = opened("left");
	dir = opened("right");
	IS(0, SYS(renameat2, AT_FDCWD, "left", AT_FDCWD, "right", RENAME_EXCHANGE));
	IS(1, SYS(read, fd, buf, 1));
	IS(1, SYS(read, dir, buf, 1));
	IS(0, SYS(close, fd));
	IS(0, SYS(close, dir));
}

static void unlinked_while_open(void)
{
	int old, fresh;

	for (int i = 0; i < 7; i++) {
		make("phoenix");
		old = opened("phoenix");
		IS(0, SYS(unlinkat, AT_FDCWD, "phoenix", 0));
		IS(2, SYS(read, old, buf, 2)); /* unlinked: still the name that it had */
		make("phoenix");
		fresh = opened("phoenix");
		IS(3, SYS(read, fresh, buf, 3));
		IS(2, SYS(read, old, buf, 2));
		IS(0, SYS(close, old));
		IS(0, SYS(close, fresh));
#ifdef SYS_unlink
		IS(0, SYS(unlink, "phoenix"));
		FAILS(ENOENT, SYS(unlink, "phoenix"));
#else
		IS(0, SYS(unlinkat, AT_FDCWD, "phoenix", 0));
#endif
	}
	/* Replaced by a rename: the old file has no name, the name is the new file's. */
	make("target");
	make("source");
	old = opened("target");
	IS(0, SYS(renameat2, AT_FDCWD, "source", AT_FDCWD, "target", 0));
	IS(2, SYS(read, old, buf, 2));
	fresh = opened("target");
	IS(2, SYS(read, fresh, buf, 2));
	IS(0, SYS(close, old));
	IS(0, SYS(close, fresh));
}

static void links(void)
{
	int first, second;

	make("first");
	IS(0, SYS(linkat, AT_FDCWD, "first", AT_FDCWD, "second", 0));
	first = opened("first");
	second = opened("second"); /* one inode; each fd has the name by which it was opened */
	IS(1, SYS(read, first, buf, 1));
	IS(2, SYS(read, second, buf, 2));
	IS(0, SYS(unlinkat, AT_FDCWD, "first", 0));
	IS(3, SYS(read, second, buf, 3));
	IS(0, SYS(close, first));
	IS(0, SYS(close, second));

	IS(0, SYS(symlinkat, "base", AT_FDCWD, "short"));
	IS(0, SYS(mkdirat, AT_FDCWD, "short/new", 0755)); /* asked path: not followed */
	make("short/new/file");
	IS(0, SYS(renameat2, AT_FDCWD, "short/new/file", AT_FDCWD, "short/moved", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "short/moved", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "short/new", AT_REMOVEDIR));
	IS(0, SYS(unlinkat, AT_FDCWD, "short", 0)); /* the link itself */
}

int main(void)
{
	directories();
	renames();
	moved_while_open();
	unlinked_while_open();
	links();
	return 0;
}
