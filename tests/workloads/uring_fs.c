// SPDX-License-Identifier: GPL-2.0-or-later
/* io_uring: all operations on files other than transfers. */
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "uring.h"

static char buf[65536] __attribute__((aligned(4096)));
static struct ring ring;
static unsigned int sqe_flags;

static struct io_uring_sqe *ask(int op, int fd, const void *addr, unsigned int len, uint64_t off)
{
	struct io_uring_sqe *sqe = ring__ask(&ring, op, fd, addr, len, off);

	sqe->flags |= sqe_flags;
	return sqe;
}

static uint64_t at(const void *p)
{
	return (uintptr_t)p;
}

static void opens(int dir)
{
	struct open_how how = { .flags = O_RDWR | O_CREAT | O_CLOEXEC, .mode = 0600 };
	struct io_uring_sqe *sqe;
	int fd;

	sqe = ask(IORING_OP_OPENAT, dir, "made", 0644, 0);
	sqe->open_flags = O_RDWR | O_CREAT;
	fd = ring__one(&ring);
	tell("open", "dir/made", NULL, NONE, NONE, 0, "O_RDWR|O_CREAT", fd);
	ask(IORING_OP_CLOSE, fd, NULL, 0, 0);
	tell("close", "dir/made", NULL, NONE, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_OPENAT2, AT_FDCWD, "dir/../dir/made", sizeof(how), at(&how));
	fd = ring__one(&ring);
	tell("open", "dir/made", NULL, NONE, NONE, 0, "O_RDWR|O_CREAT|O_CLOEXEC", fd);
	ask(IORING_OP_CLOSE, fd, NULL, 0, 0);
	tell("close", "dir/made", NULL, NONE, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_OPENAT, dir, "absent", 0, 0);
	tell("open", "dir/absent", NULL, NONE, NONE, 0, "O_RDONLY", ring__one(&ring));
	ask(IORING_OP_OPENAT, AT_FDCWD, "no/such", 0, 0);
	tell("open", "no/such", NULL, NONE, NONE, 0, "O_RDONLY", ring__one(&ring));
	ask(IORING_OP_OPENAT, AT_FDCWD, (void *)8, 0, 0);
	tell("open", NULL, NULL, NONE, NONE, 0, "O_RDONLY", ring__one(&ring));
	ask(IORING_OP_CLOSE, 999, NULL, 0, 0);
	tell("close", NULL, NULL, NONE, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_STATX, dir, "made", STATX_ALL, at(buf));
	tell("getattr", "dir/made", NULL, NONE, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_STATX, AT_FDCWD, "absent", STATX_ALL, at(buf));
	tell("getattr", "absent", NULL, NONE, NONE, 0, "", ring__one(&ring));
}

static void ranges(int fd)
{
	struct io_uring_sqe *sqe;
	char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);

	/* fallocate: the mode is in len, the length in addr */
	ask(IORING_OP_FALLOCATE, fd, (void *)8192, 0, 4096);
	tell("fallocate", "file", NULL, 8192, 4096, 0, "", ring__one(&ring));
	ask(IORING_OP_FALLOCATE, fd, (void *)100, FALLOC_FL_KEEP_SIZE, 5);
	tell("fallocate", "file", NULL, 100, 5, 0, "FALLOC_FL_KEEP_SIZE", ring__one(&ring));
	sqe = ask(IORING_OP_FADVISE, fd, NULL, 4096, 8192);
	sqe->fadvise_advice = POSIX_FADV_SEQUENTIAL;
	tell("fadvise", "file", NULL, 4096, 8192, 0, "POSIX_FADV_SEQUENTIAL", ring__one(&ring));
	sqe = ask(IORING_OP_MADVISE, -1, map, 4096, 0);
	sqe->fadvise_advice = MADV_WILLNEED;
	tell("madvise", "file", NULL, 4096, NONE, 0, "MADV_WILLNEED", ring__one(&ring));
	sqe = ask(IORING_OP_SYNC_FILE_RANGE, fd, NULL, 4096, 1000);
	sqe->sync_range_flags = SYNC_FILE_RANGE_WRITE;
	tell("sync_file_range", "file", NULL, 4096, 1000, 0, "SYNC_FILE_RANGE_WRITE",
	     ring__one(&ring));
	if (ring.known[OP_FTRUNCATE]) {
		ask(OP_FTRUNCATE, fd, NULL, 0, 8000);
		tell("truncate", "file", NULL, 8000, NONE, 0, "", ring__one(&ring));
	}
	sqe = ask(IORING_OP_FSYNC, fd, NULL, 0, 0);
	sqe->fsync_flags = 2; /* not a valid flag */
	tell("fsync", "file", NULL, NONE, NONE, 0, "", ring__one(&ring));
	munmap(map, 8192);
}

static void names(int dir)
{
	struct io_uring_sqe *sqe;

	if (ring.known[IORING_OP_MKDIRAT]) {
		ask(IORING_OP_MKDIRAT, dir, "sub", 0750, 0);
		tell("mkdir", "dir/sub", NULL, NONE, NONE, 0,
		     "S_IRUSR|S_IWUSR|S_IXUSR|S_IRGRP|S_IXGRP", ring__one(&ring));
		ask(IORING_OP_MKDIRAT, dir, "no/where", 0700, 0);
		tell("mkdir", "dir/no/where", NULL, NONE, NONE, 0, "S_IRUSR|S_IWUSR|S_IXUSR",
		     ring__one(&ring));
		ask(IORING_OP_SYMLINKAT, dir, "../tar get", 0, at("soft"));
		tell("symlink", "=../tar get", "dir/soft", NONE, NONE, 0, "", ring__one(&ring));
		ask(IORING_OP_LINKAT, AT_FDCWD, "file", dir, at("hard"));
		tell("link", "file", "dir/hard", NONE, NONE, 0, "", ring__one(&ring));
	}
	if (ring.known[IORING_OP_RENAMEAT]) {
		ask(IORING_OP_RENAMEAT, dir, "made", AT_FDCWD, at("moved"));
		tell("rename", "dir/made", "moved", NONE, NONE, 0, "", ring__one(&ring));
		sqe = ask(IORING_OP_RENAMEAT, AT_FDCWD, "moved", dir, at("made"));
		sqe->rename_flags = 1;
		tell("rename", "moved", "dir/made", NONE, NONE, 0, "RENAME_NOREPLACE",
		     ring__one(&ring));
		ask(IORING_OP_RENAMEAT, AT_FDCWD, "absent", dir, at("x"));
		tell("rename", "absent", "dir/x", NONE, NONE, 0, "", ring__one(&ring));
	}
	if (!ring.known[IORING_OP_UNLINKAT])
		return;
	ask(IORING_OP_UNLINKAT, dir, "absent", 0, 0);
	tell("unlink", "dir/absent", NULL, NONE, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_UNLINKAT, AT_FDCWD, "dir/made", 0, 0);
	tell("unlink", "dir/made", NULL, NONE, NONE, 0, "", ring__one(&ring));
	if (ring.known[IORING_OP_MKDIRAT]) {
		ask(IORING_OP_UNLINKAT, dir, "soft", 0, 0);
		tell("unlink", "dir/soft", NULL, NONE, NONE, 0, "", ring__one(&ring));
		ask(IORING_OP_UNLINKAT, dir, "hard", 0, 0);
		tell("unlink", "dir/hard", NULL, NONE, NONE, 0, "", ring__one(&ring));
		sqe = ask(IORING_OP_UNLINKAT, dir, "sub", 0, 0);
		sqe->unlink_flags = AT_REMOVEDIR;
		tell("rmdir", "dir/sub", NULL, NONE, NONE, 0, "AT_REMOVEDIR", ring__one(&ring));
	}
}

/* The new name after a ring's rename is used by system calls at once, and the other way round. */
static void moves(void)
{
	struct io_uring_sqe *sqe;
	int fd;

	if (!ring.known[IORING_OP_RENAMEAT])
		return;
	IS(0, SYS(mkdirat, AT_FDCWD, "a", 0755));
	fd = OK(SYS(openat, AT_FDCWD, "a/inner", O_RDWR | O_CREAT, 0644));
	for (int i = 0; i < 7; i++) {
		IS(3, SYS(pwrite64, fd, buf, 3, 1L));
		sqe = ask(IORING_OP_RENAMEAT, AT_FDCWD, "a", AT_FDCWD, at("b"));
		sqe->rename_flags = 0;
		tell("rename", "a", "b", NONE, NONE, 0, "", ring__one(&ring));
		IS(3, SYS(pread64, fd, buf, 3, 1L));
		ask(IORING_OP_READ, fd, buf, 2, 2);
		tell("read", "b/inner", NULL, 2, 2, 1, "", ring__one(&ring));
		IS(0, SYS(renameat2, AT_FDCWD, "b", AT_FDCWD, "a", 0));
		ask(IORING_OP_READ, fd, buf, 2, 2);
		tell("read", "a/inner", NULL, 2, 2, 1, "", ring__one(&ring));
	}
	IS(0, SYS(close, fd));
	IS(0, SYS(unlinkat, AT_FDCWD, "a/inner", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, "a", AT_REMOVEDIR));
}

static void attributes(int fd)
{
	struct io_uring_sqe *sqe;

	if (!ring.known[IORING_OP_FSETXATTR])
		return;
	/* addr: the name, addr2: the value, addr3: the path */
	ask(IORING_OP_FSETXATTR, fd, "user.x", 11, at(buf));
	tell("setxattr", "file", NULL, 11, NONE, 0, "", ring__one(&ring));
	ask(IORING_OP_FGETXATTR, fd, "user.x", 100, at(buf));
	tell("getxattr", "file", NULL, 100, NONE, 1, "", ring__one(&ring));
	sqe = ask(IORING_OP_SETXATTR, 0, "user.y", 13, at(buf));
	sqe->addr3 = at("file");
	sqe->xattr_flags = 1;
	tell("setxattr", "file", NULL, 13, NONE, 0, "XATTR_CREATE", ring__one(&ring));
	sqe = ask(IORING_OP_GETXATTR, 0, "user.y", 100, at(buf));
	sqe->addr3 = at("dir/../file");
	tell("getxattr", "file", NULL, 100, NONE, 1, "", ring__one(&ring));
	sqe = ask(IORING_OP_GETXATTR, 0, "user.none", 100, at(buf));
	sqe->addr3 = at("file");
	tell("getxattr", "file", NULL, 100, NONE, 1, "", ring__one(&ring));
	IS(0, SYS(fremovexattr, fd, "user.y"));
}

static void pipes(int fd)
{
	struct io_uring_sqe *sqe;
	char pipe_name[32], other_name[32];
	int p[2], q[2];

	OK(SYS(pipe2, p, 0));
	OK(SYS(pipe2, q, 0));
	strcpy(pipe_name, "=");
	strcpy(other_name, "=");
	for (int i = 0; i < 2; i++) {
		char link[32], *name = i ? other_name : pipe_name;
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", i ? q[0] : p[0]);
		n = OK(SYS(readlinkat, AT_FDCWD, link, name + 1, 30));
		name[1 + n] = '\0';
	}
	/* splice: splice_fd_in and splice_off_in to fd and off */
	sqe = ask(IORING_OP_SPLICE, p[1], (void *)100, 1009, -1);
	sqe->splice_fd_in = fd;
	tell("splice", "file", pipe_name, 1009, 100, 1, "", ring__one(&ring));
	sqe = ask(IORING_OP_TEE, q[1], NULL, 500, 0);
	sqe->splice_fd_in = p[0];
	IS(500, ring__one(&ring)); /* two pipes: no file in scope */
	sqe = ask(IORING_OP_SPLICE, fd, (void *)-1, 1009, 3000);
	sqe->splice_fd_in = p[0];
	sqe->splice_flags = SPLICE_F_MOVE;
	tell("splice", pipe_name, "file", 1009, NONE, 1, "SPLICE_F_MOVE", ring__one(&ring));
	for (int i = 0; i < 2; i++) {
		IS(0, SYS(close, p[i]));
		IS(0, SYS(close, q[i]));
	}
}

int main(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644)), dir;

	IS(8192, SYS(write, fd, buf, 8192));
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	if (ring__new(&ring, 0))
		return 0;
	for (int i = 0; i < 3; i++) {
		sqe_flags = i == 1 ? IOSQE_ASYNC : 0;
		opens(dir);
		ranges(fd);
		names(dir);
		attributes(fd);
		pipes(fd);
		moves();
	}
	IS(0, SYS(close, ring.fd));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
