// SPDX-License-Identifier: GPL-2.0-or-later
/* Directories are renamed above files that are open or mapped, or above current directories. */
#include <sys/mman.h>
#include <sys/wait.h>

#include "workload.h"

static char buf[64];

static void make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

static void move(const char *from, const char *to)
{
	IS(0, SYS(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

/* Another process has it open: the name changes there, too. */
static void elsewhere(void)
{
	int go[2], done[2], status, fd;
	long pid;

	OK(SYS(pipe2, go, 0));
	OK(SYS(pipe2, done, 0));
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		fd = OK(SYS(openat, AT_FDCWD, "a/b/file", O_RDONLY));
		for (int i = 0; i < 7; i++) {
			IS(1, SYS(pread64, fd, buf, 1, 3L));
			IS(1, SYS(write, done[1], "d", 1));
			IS(1, SYS(read, go[0], buf, 1));
		}
		SYS(exit_group, 0);
	}
	for (int i = 0; i < 7; i++) {
		IS(1, SYS(read, done[0], buf, 1));
		move(i % 2 ? "z" : "a", i % 2 ? "a" : "z");
		IS(1, SYS(write, go[1], "g", 1));
	}
	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(0, status);
	move("z", "a");
	for (int i = 0; i < 2; i++) {
		IS(0, SYS(close, go[i]));
		IS(0, SYS(close, done[i]));
	}
}

/* Paths relative to current directories and to a descriptor, which soon are others, or have other
 * names. */
static void below(void)
{
	int fd;

	for (int i = 0; i < 31; i++) {
		IS(0, SYS(chdir, "a/b"));
		FAILS(ENOENT, SYS(faccessat, AT_FDCWD, "absent", R_OK));
		move("../../a", "../../x");
		FAILS(ENOENT, SYS(faccessat, AT_FDCWD, "absent", R_OK));
		move("../../x", "../../a");
		fd = OK(SYS(openat, AT_FDCWD, "..", O_RDONLY | O_DIRECTORY));
		FAILS(ENOENT, SYS(faccessat, fd, "absent", R_OK));
		IS(0, SYS(close, fd));
		IS(0, SYS(chdir, "../.."));
		FAILS(ENOENT, SYS(faccessat, AT_FDCWD, "absent", R_OK));
		IS(fd, SYS(openat, AT_FDCWD, "c", O_RDONLY | O_DIRECTORY));
		FAILS(ENOENT, SYS(faccessat, fd, "absent", R_OK));
		IS(0, SYS(close, fd));
	}
}

int main(void)
{
	int fd, dir;
	long at;

	IS(0, SYS(mkdirat, AT_FDCWD, "a", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "a/b", 0755));
	IS(0, SYS(mkdirat, AT_FDCWD, "c", 0755));
	make("a/b/file");
	fd = OK(SYS(openat, AT_FDCWD, "a/b/file", O_RDWR));
	dir = OK(SYS(openat, AT_FDCWD, "a/b", O_RDONLY | O_DIRECTORY));
	at = OK(SYS(mmap, 0L, 4096L, (long)PROT_READ, (long)MAP_SHARED, (long)fd, 0L));
	for (int i = 0; i < 31; i++) { /* as fast as can be */
		move("a", "x");
		FAILS(ENOENT, SYS(faccessat, dir, "absent", R_OK));
		IS(1, SYS(pread64, fd, buf, 1, 2L));
		IS(0, SYS(msync, at, 4096L, MS_ASYNC));
		move("x/b", "c/y");
		IS(1, SYS(pwrite64, fd, buf, 1, 2L));
		IS(0, SYS(fstat, dir, (char[512]){ 0 }));
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		FAILS(ENOENT, SYS(faccessat, dir, "absent", R_OK));
		move("c/y/file", "c/file");
		IS(0, SYS(fsync, fd));
		move("c/file", "c/y/file");
		move("c/y", "x/b");
		IS(7, SYS(pread64, fd, buf, 11, 0L));
		move("x", "a");
	}
	/* Renamed to an earlier name; the same name, another directory. */
	for (int i = 0; i < 5; i++) {
		IS(0, SYS(mkdirat, AT_FDCWD, "twin", 0755));
		make("twin/file");
		IS(1, SYS(pread64, fd, buf, 1, 0L));
		IS(0, SYS(unlinkat, AT_FDCWD, "twin/file", 0));
		IS(0, SYS(unlinkat, AT_FDCWD, "twin", AT_REMOVEDIR));
	}
	elsewhere();
	below();
	IS(0, SYS(munmap, at, 4096L));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
