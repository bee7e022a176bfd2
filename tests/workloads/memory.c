// SPDX-License-Identifier: GPL-2.0-or-later
/* mremap, msync and madvise, on mappings of files and on others. */
#include <sys/mman.h>

#include "workload.h"

#define PAGE 4096L

static long map(size_t length, int prot, int flags, int fd, long offset)
{
	return SYS(mmap, 0L, length, (long)prot, (long)flags, (long)fd, offset);
}

static void moves(int fd)
{
	long at, to, capacity;

	for (int i = 0; i < 3; i++) {
		at = OK(map(8 * PAGE, PROT_READ, MAP_SHARED, fd, 0));
		IS(at, SYS(mremap, at, 8 * PAGE, 5 * PAGE, 0L));
		to = OK(SYS(mremap, at, 5 * PAGE, 13 * PAGE, (long)MREMAP_MAYMOVE));
		capacity = OK(map(13 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		IS(capacity, SYS(mremap, to, 13 * PAGE, 2 * PAGE,
				 (long)(MREMAP_MAYMOVE | MREMAP_FIXED), capacity));
		IS(0, SYS(munmap, to, PAGE)); /* nothing there any more */
		at = OK(SYS(mremap, capacity, 0L, 2 * PAGE,
			    (long)MREMAP_MAYMOVE)); /* of length 0: makes a second mapping */
		IS(0, SYS(munmap, at, 2 * PAGE));
		IS(0, SYS(munmap, capacity + PAGE, PAGE));
		FAILS(EFAULT, SYS(mremap, capacity + PAGE, PAGE, 2 * PAGE, (long)MREMAP_MAYMOVE));
		FAILS(EINVAL, SYS(mremap, capacity, PAGE, 0L, 0L));
		FAILS(EINVAL, SYS(mremap, capacity, PAGE, 2 * PAGE, 64L));
		IS(0, SYS(munmap, capacity, PAGE));
		IS(0, SYS(munmap, capacity + 2 * PAGE, 11 * PAGE)); /* anonymous */
	}
	at = OK(map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	at = OK(SYS(mremap, at, PAGE, 3 * PAGE, (long)MREMAP_MAYMOVE));
	IS(0, SYS(munmap, at, 3 * PAGE));
}

static void advices(int fd)
{
	static const int words[] = {
		MADV_NORMAL,   MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP,   MADV_DODUMP,
	};
	long at = OK(map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	long anon = OK(map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (int i = 0; i < 3; i++) {
		for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
			IS(0, SYS(madvise, at + i * PAGE, 2 * PAGE, words[w]));
			IS(0, SYS(madvise, anon + i * PAGE, 2 * PAGE, words[w]));
		}
		*(volatile char *)(at + i * PAGE) = 'x';
		IS(0, SYS(msync, at + i * PAGE, PAGE, MS_SYNC));
		IS(0, SYS(msync, at, 8 * PAGE, MS_ASYNC));
		IS(0, SYS(msync, at, 17L, MS_SYNC | MS_INVALIDATE));
		IS(0, SYS(msync, anon, PAGE, MS_SYNC));
	}
	FAILS(EINVAL, SYS(madvise, at, PAGE, 12345));
	FAILS(EINVAL, SYS(madvise, at + 1, PAGE, MADV_NORMAL));
	FAILS(EINVAL, SYS(msync, at, PAGE, MS_SYNC | MS_ASYNC));
	FAILS(EINVAL, SYS(msync, at + 3, PAGE, MS_SYNC));
	IS(0, SYS(munmap, at + 4 * PAGE, 4 * PAGE));
	FAILS(ENOMEM, SYS(msync, at, 16 * PAGE, MS_SYNC)); /* only the first part is mapped */
	IS(0, SYS(munmap, at, 4 * PAGE));
	IS(0, SYS(munmap, anon, 8 * PAGE));
}

int main(void)
{
	static char page[PAGE];
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));

	for (int i = 0; i < 13; i++)
		IS(PAGE, SYS(write, fd, page, PAGE));
	moves(fd);
	advices(fd);
	IS(0, SYS(close, fd));
	return 0;
}
