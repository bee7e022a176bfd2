// SPDX-License-Identifier: GPL-2.0-or-later
/* Hard links, symbolic links and nodes. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "workload.h"

static void make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

static void hard(int dir)
{
	int fd;
	char c;

	IS(0, SYS(linkat, AT_FDCWD, "file", dir, "second", 0));
	IS(0, SYS(linkat, dir, "../soft", AT_FDCWD, "third", 0)); /* the link itself */
	IS(0,
	   SYS(linkat, AT_FDCWD, "soft", AT_FDCWD, "fourth", AT_SYMLINK_FOLLOW)); /* its target */
	fd = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY));
	IS(0, SYS(linkat, fd, "", AT_FDCWD, "fifth", AT_EMPTY_PATH));
	FAILS(EEXIST, SYS(linkat, AT_FDCWD, "file", dir, "second", 0));
	FAILS(ENOENT, SYS(linkat, AT_FDCWD, "absent", dir, "x", 0));
	FAILS(EPERM, SYS(linkat, AT_FDCWD, "dir", dir, "x", 0));
	FAILS(EBADF, SYS(linkat, 999, "file", dir, "x", 0));
	FAILS(EXDEV, SYS(linkat, AT_FDCWD, "file", AT_FDCWD, "/dev/shm/iotrc-no-such-link", 0));
#ifdef SYS_link
	IS(0, SYS(link, "dir/second", "a -> b"));
	IS(0, SYS(link, "a -> b", "b -> c"));
	FAILS(ENOENT, SYS(link, "absent", "x"));
	IS(0, SYS(unlinkat, AT_FDCWD, "a -> b", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "b -> c", 0));
#endif
	/* Each row has the name used, also while the file is open under the other. */
	IS(1, SYS(read, fd, &c, 1));
	IS(0, SYS(unlinkat, AT_FDCWD, "file", 0));
	IS(1, SYS(read, fd, &c, 1));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, dir, "second", O_RDONLY));
	IS(1, SYS(read, fd, &c, 1));
	IS(0, SYS(linkat, dir, "second", AT_FDCWD, "file", 0));
	IS(1, SYS(read, fd, &c, 1));
	IS(0, SYS(close, fd));
	for (int i = 0; i < 4; i++) {
		static const char *const names[] = { "dir/second", "third", "fourth", "fifth" };

		IS(0, SYS(unlinkat, AT_FDCWD, names[i], 0));
	}
}

static void soft(int dir)
{
	/* The content of a link is text: it is recorded as given. */
	IS(0, SYS(symlinkat, "../file", dir, "up"));
	IS(0, SYS(symlinkat, "/absolute//./x/../y/", dir, "odd"));
	IS(0, SYS(symlinkat, "arrow -> in \"it\",\n", dir, "arrow -> too"));
	FAILS(EEXIST, SYS(symlinkat, "x", dir, "up"));
	FAILS(ENOENT, SYS(symlinkat, "", dir, "empty"));
	FAILS(ENOENT, SYS(symlinkat, "x", dir, "no/where"));
	FAILS(EBADF, SYS(symlinkat, "x", 999, "y"));
#ifdef SYS_symlink
	IS(0, SYS(symlink, "target", "dir/../plain"));
	FAILS(ENOTDIR, SYS(symlink, "target", "file/below"));
	IS(0, SYS(unlinkat, AT_FDCWD, "plain", 0));
#endif
	IS(0, SYS(unlinkat, dir, "up", 0));
	IS(0, SYS(unlinkat, dir, "odd", 0));
	IS(0, SYS(unlinkat, dir, "arrow -> too", 0));
}

static void nodes(int dir)
{
	IS(0, SYS(mknodat, AT_FDCWD, "node", S_IFREG | 0640, 0));
	IS(0, SYS(mknodat, dir, "fifo", S_IFIFO | 0600, 0));
	IS(0, SYS(mknodat, dir, "socket", S_IFSOCK | 0755, 0));
	IS(0, SYS(mknodat, dir, "null", S_IFCHR | 0666, makedev(1, 3)));
	FAILS(EEXIST, SYS(mknodat, dir, "null", S_IFCHR | 0666, makedev(1, 3)));
	FAILS(EINVAL, SYS(mknodat, dir, "x", 0170000, 0));
	FAILS(EPERM, SYS(mknodat, dir, "x", S_IFDIR | 0755, 0));
#ifdef SYS_mknod
	IS(0, SYS(mknod, "plain", 0644, 0)); /* no type: a regular file */
	FAILS(ENOENT, SYS(mknod, "no/where", S_IFREG | 0644, 0));
	IS(0, SYS(unlink, "plain"));
#endif
	IS(0, SYS(unlinkat, AT_FDCWD, "node", 0));
	IS(0, SYS(unlinkat, dir, "fifo", 0));
	IS(0, SYS(unlinkat, dir, "socket", 0));
	IS(0, SYS(unlinkat, dir, "null", 0));
}

int main(void)
{
	int dir;

	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	make("file");
	IS(0, SYS(symlinkat, "file", AT_FDCWD, "soft"));
	for (int i = 0; i < 3; i++) {
		hard(dir);
		soft(dir);
		nodes(dir);
	}
	IS(0, SYS(close, dir));
	return 0;
}
