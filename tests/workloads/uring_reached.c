// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests to io_uring on paths, printed as by reached.c: "operation<TAB>last
 * path<TAB>inode<TAB>flags"; the kernel says which inode each has reached. Flags without
 * IO_URING. */
#include <linux/stat.h>
#include <sys/stat.h>

#include "uring.h"

static struct ring ring;
static unsigned int sqe_flags;

static unsigned long inode_of(const char *path, int flags)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, flags) ? 0 : st.st_ino;
}

static void reaches(const char *operation, const char *path, unsigned long inode, const char *flags)
{
	printf("%s\t%s\t%lu\t%s\n", operation, path, inode, flags);
}

/* Returns the result, like the call. OFF is the second path, the buffer or the structure. */
static int ask(int op, const void *path, unsigned int len, const void *off, int flags)
{
	struct io_uring_sqe *sqe = ring__next(&ring, op, AT_FDCWD);

	sqe->addr = (uintptr_t)path;
	sqe->len = len;
	sqe->off = (uintptr_t)off;
	sqe->open_flags = flags;
	sqe->flags |= sqe_flags;
	return ring__one(&ring);
}

/* Of the descriptor of the second path, where a request has two. */
static int ask_two(int op, const char *path, const char *path2, int flags)
{
	return ask(op, path, AT_FDCWD, path2, flags);
}

static void opens(void)
{
	char answer[256];

	IS(-EEXIST, ask(IORING_OP_OPENAT, "sub/file", 0600, NULL, O_CREAT | O_EXCL | O_WRONLY));
	reaches("open", "sub/file", inode_of("sub/file", 0), "");
	IS(-EISDIR, ask(IORING_OP_OPENAT, "sub", 0, NULL, O_WRONLY));
	reaches("open", "sub", inode_of("sub", 0), "");
	IS(-ENOENT, ask(IORING_OP_OPENAT, "sub/none", 0, NULL, O_RDONLY));
	reaches("open", "sub/none", 0, "");
	IS(0, ask(IORING_OP_STATX, "sub/file", STATX_ALL, answer, 0));
	reaches("getattr", "sub/file", inode_of("sub/file", 0), "");
	IS(-ENOENT, ask(IORING_OP_STATX, "sub/none", STATX_ALL, answer, 0));
	reaches("getattr", "sub/none", 0, "");
}

static void links(void)
{
	if (!ring.known[IORING_OP_LINKAT])
		return;
	IS(0, ask(IORING_OP_MKDIRAT, "dir", 0755, NULL, 0));
	reaches("mkdir", "dir", inode_of("dir", 0), "");
	IS(-EEXIST, ask(IORING_OP_MKDIRAT, "dir", 0755, NULL, 0));
	reaches("mkdir", "dir", inode_of("dir", 0), "");
	IS(0, ask(IORING_OP_SYMLINKAT, "sub/file", 0, "link", 0));
	reaches("symlink", "link", inode_of("link", AT_SYMLINK_NOFOLLOW), "");
	IS(0, ask_two(IORING_OP_LINKAT, "link", "second", 0));
	reaches("link", "second", inode_of("link", AT_SYMLINK_NOFOLLOW), "");
	IS(0, ask_two(IORING_OP_LINKAT, "link", "third", AT_SYMLINK_FOLLOW));
	reaches("link", "third", inode_of("sub/file", 0), "");
	IS(0, SYS(unlinkat, AT_FDCWD, "second", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "third", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "link", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "dir", AT_REMOVEDIR));
}

static void renames(void)
{
	unsigned long file = inode_of("sub/file", 0), other;
	char replaced[64];

	if (!ring.known[IORING_OP_RENAMEAT])
		return;
	workload__create("other");
	other = inode_of("other", 0);
	snprintf(replaced, sizeof(replaced), "replaced=%lu", other);
	IS(0, ask_two(IORING_OP_RENAMEAT, "sub/file", "new", 0));
	reaches("rename", "new", file, "");
	IS(0, ask_two(IORING_OP_RENAMEAT, "new", "other", 0));
	reaches("rename", "other", file, replaced);
	IS(-EISDIR, ask_two(IORING_OP_RENAMEAT, "other", "sub", 0));
	reaches("rename", "sub", file, "");
	IS(0, SYS(renameat2, AT_FDCWD, "other", AT_FDCWD, "sub/file", 0));
}

static void removals(void)
{
	unsigned long file = inode_of("sub/file", 0), dir;

	if (!ring.known[IORING_OP_UNLINKAT])
		return;
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	dir = inode_of("dir", 0);
	IS(0, SYS(linkat, AT_FDCWD, "sub/file", AT_FDCWD, "second", 0));
	IS(0, ask(IORING_OP_UNLINKAT, "second", 0, NULL, 0));
	reaches("unlink", "second", file, "");
	IS(0, ask(IORING_OP_UNLINKAT, "sub/../sub//file", 0, NULL, 0));
	reaches("unlink", "sub/file", file, "LAST_LINK");
	IS(-ENOENT, ask(IORING_OP_UNLINKAT, "sub/file", 0, NULL, 0));
	reaches("unlink", "sub/file", 0, "");
	IS(-EISDIR, ask(IORING_OP_UNLINKAT, "dir", 0, NULL, 0));
	reaches("unlink", "dir", dir, "");
	IS(0, ask(IORING_OP_UNLINKAT, "dir", 0, NULL, AT_REMOVEDIR));
	reaches("rmdir", "dir", dir, "");
	workload__create("sub/file");
}

static void attributes(void)
{
	char value[64] = "value";
	struct io_uring_sqe *sqe;

	if (!ring.known[IORING_OP_SETXATTR])
		return;
	for (int i = 0; i < 2; i++) {
		sqe = ring__next(&ring, i ? IORING_OP_GETXATTR : IORING_OP_SETXATTR, 0);
		sqe->addr = (uintptr_t) "user.x";
		sqe->off = (uintptr_t)value;
		sqe->len = 5;
		sqe->addr3 = (uintptr_t) "sub/file";
		sqe->flags |= sqe_flags;
		IS(i ? 5 : 0, ring__one(&ring));
		reaches(i ? "getxattr" : "setxattr", "sub/file", inode_of("sub/file", 0), "");
	}
}

int main(void)
{
	IS(0, SYS(mkdirat, AT_FDCWD, "sub", 0755));
	workload__create("sub/file");
	if (ring__new(&ring, 0))
		return 0;
	/* Then again by the kernel's workers. */
	for (int i = 0; i < 2; i++) {
		sqe_flags = i ? IOSQE_ASYNC : 0;
		opens();
		links();
		renames();
		removals();
		attributes();
	}
	return 0;
}
