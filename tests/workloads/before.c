// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are open and mapped before the recording. Prints "ready", and continues when its
 * standard input ends. */
#include <sys/mman.h>

#include "workload.h"

#define PAGE 4096L

int main(void)
{
	static char buf[PAGE];
	int fd, dir, link, gone, log;
	long at, anon;

	fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (int i = 0; i < 3; i++)
		IS(PAGE, SYS(write, fd, buf, PAGE));
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	IS(0, SYS(symlinkat, "data", AT_FDCWD, "link"));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY));
	link = OK(SYS(openat, AT_FDCWD, "link", O_PATH | O_NOFOLLOW));
	gone = OK(SYS(openat, AT_FDCWD, "gone", O_RDWR | O_CREAT, 0644));
	IS(5, SYS(write, gone, buf, 5));
	log = OK(SYS(openat, AT_FDCWD, "log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644));
	IS(7, SYS(write, log, buf, 7));
	at = OK(SYS(mmap, 0L, 3 * PAGE, (long)PROT_READ, (long)MAP_SHARED, (long)fd, 0L));
	anon = OK(SYS(mmap, 0L, 3 * PAGE, (long)PROT_READ, (long)(MAP_PRIVATE | MAP_ANONYMOUS), -1L,
		      0L));
	IS(0, SYS(fchdir, dir));
	IS(6, SYS(write, 1, "ready\n", 6));
	while (SYS(read, 0, buf, 1) > 0)
		;
	FAILS(EBADF, SYS(lseek, -1, 0L, 7777)); /* tells the test to look from here on */

	for (int i = 0; i < 5; i++) {
		IS(1009, SYS(pread64, fd, buf, 1009, 5L));
		IS(11, SYS(write, log, buf, 11));
		FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		IS(4, SYS(readlinkat, link, "", buf, 100));
		IS(0, SYS(madvise, at, PAGE, MADV_WILLNEED));
		IS(0, SYS(msync, at + PAGE, PAGE, MS_ASYNC));
	}
	IS(PAGE, SYS(lseek, fd, PAGE, SEEK_SET));
	IS(101, SYS(read, fd, buf, 101));
	IS(0, SYS(unlinkat, AT_FDCWD, "../gone", 0));
	IS(3, SYS(pread64, gone, buf, 3, 1L));
	IS(0, SYS(munmap, anon, 3 * PAGE));
	IS(0, SYS(munmap, at, PAGE));
	IS(0, SYS(renameat2, AT_FDCWD, "../data", AT_FDCWD, "moved", 0));
	IS(0, SYS(munmap, at + PAGE, 2 * PAGE));
	IS(0, SYS(fsync, fd));
	IS(0, SYS(close, log));
	IS(0, SYS(close, gone));
	IS(0, SYS(close, link));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, fd));
	return 0;
}
