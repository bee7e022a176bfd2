// SPDX-License-Identifier: GPL-2.0-or-later
/* File mappings are made and unmapped, beside anonymous memory. */
#include <sys/mman.h>

#include "workload.h"

#define PAGE 4096L
#define PAGES 13

static long map(size_t length, int prot, int flags, int fd, long offset)
{
	return SYS(mmap, 0L, length, (long)prot, (long)flags, (long)fd, offset);
}

int main(void)
{
	static char page[PAGE];
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int rd = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY));
	int dir, gone, memory, zero;
	long at, other;

	for (int i = 0; i < PAGES; i++)
		IS(PAGE, SYS(write, fd, page, PAGE));

	for (int i = 0; i < 5; i++) {
		at = OK(map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
		memset((void *)at, 'm', PAGES * PAGE);
		IS(0, SYS(munmap, at, PAGES * PAGE));
		at = OK(map(100, PROT_READ, MAP_PRIVATE, rd, 7 * PAGE)); /* a part of a page */
		IS(0, SYS(munmap, at, 100L));
	}
	/* In pieces: head, middle, then the remaining two. */
	at = OK(map(PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, rd, 0));
	IS(0, SYS(munmap, at, PAGE));
	IS(0, SYS(munmap, at + 5 * PAGE, 2 * PAGE));
	IS(0, SYS(munmap, at + PAGE, 4 * PAGE));
	IS(0, SYS(munmap, at + 7 * PAGE, 6 * PAGE));
	IS(0, SYS(munmap, at, PAGES * PAGE)); /* nothing there any more */
	/* Over another mapping. */
	at = OK(map(PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	IS(at, SYS(mmap, at, 3 * PAGE, (long)PROT_READ, (long)(MAP_SHARED | MAP_FIXED), (long)rd,
		   PAGE));
	IS(0, SYS(munmap, at, 3 * PAGE));
	IS(0, SYS(munmap, at, PAGES * PAGE)); /* anonymous: no row */
	/* The fd is closed, then the file is unlinked: the mapping is still the file's. */
	gone = OK(SYS(openat, AT_FDCWD, "gone", O_RDWR | O_CREAT, 0644));
	IS(PAGE, SYS(write, gone, page, PAGE));
	at = OK(map(PAGE, PROT_READ, MAP_SHARED, gone, 0));
	other = OK(map(PAGE, PROT_READ, MAP_SHARED, gone, 0));
	IS(0, SYS(close, gone));
	IS(0, SYS(munmap, at, PAGE));
	IS(0, SYS(unlinkat, AT_FDCWD, "gone", 0));
	IS(0, SYS(munmap, other, PAGE));

	FAILS(EACCES, map(PAGE, PROT_WRITE, MAP_SHARED, rd, 0));
	FAILS(EINVAL, map(PAGE, PROT_READ, MAP_SHARED, rd, 1));
	FAILS(EINVAL, map(0, PROT_READ, MAP_SHARED, rd, 0));
	FAILS(EBADF, map(PAGE, PROT_READ, MAP_SHARED, 999, 0));
	dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	FAILS(ENODEV, map(PAGE, PROT_READ, MAP_SHARED, dir, 0));
	IS(0, SYS(close, dir));

	/* Not files, or not in the default scope. */
	at = OK(map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	IS(0, SYS(munmap, at, PAGE));
	at = OK(map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	IS(0, SYS(munmap, at, PAGE));
	/* With MAP_ANONYMOUS any fd is ignored. */
	at = OK(map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0));
	IS(0, SYS(munmap, at, PAGE));
	memory = OK(SYS(memfd_create, "scratch", 0));
	IS(0, SYS(ftruncate, memory, PAGE));
	at = OK(map(PAGE, PROT_READ, MAP_SHARED, memory, 0));
	IS(0, SYS(munmap, at, PAGE));
	IS(0, SYS(close, memory));
	zero = OK(SYS(openat, AT_FDCWD, "/dev/zero", O_RDWR));
	at = OK(map(PAGE, PROT_READ, MAP_PRIVATE, zero, 0));
	IS(0, SYS(munmap, at, PAGE));
	IS(0, SYS(close, zero));

	/* Still mapped and open: the end of the process makes no rows for these. */
	OK(map(PAGE, PROT_READ, MAP_SHARED, rd, 0));
	return 0;
}
