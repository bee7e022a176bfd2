// SPDX-License-Identifier: GPL-2.0-or-later
/* 32-bit system calls from a 64-bit program, through `int $0x80`: the numbers and arguments are
 * i386's. A tracer that takes them for x86-64's would see fstat instead of this open. Only on
 * x86-64; elsewhere it does nothing. Prints how many calls the kernel made. */
#ifdef __x86_64__

#include "calls32.h"

enum {
	I386_OPEN = 5,
	I386_READ = 3,
	I386_WRITE = 4,
	I386_CLOSE = 6,
	I386_UNLINK = 10,
	I386_MKDIR = 39,
	I386_RMDIR = 40,
	I386_FTRUNCATE64 = 194,
	I386_PREAD64 = 180,
	I386_PWRITE64 = 181,
};

#define FAR (5LL << 30)

int main(void)
{
	char *low = calls32__memory(65536);
	uint32_t name, dir, buf;
	int fd;

	strcpy(low, "file32");
	strcpy(low + 32, "dir-file32");
	name = (uint32_t)(uintptr_t)low;
	dir = name + 32;
	buf = name + 4096;

	fd = SYS32(I386_OPEN, name, O_RDWR | O_CREAT | O_TRUNC | LARGEFILE, 0644, 0, 0);
	if (fd < 0 && errno == ENOSYS) {
		puts("0"); /* this kernel has no 32-bit system calls */
		return 0;
	}
	OK(fd);
	for (int i = 0; i < 7; i++)
		IS(1009, SYS32(I386_WRITE, fd, buf, 1009, 0, 0));
	IS(13, SYS32(I386_PWRITE64, fd, buf, 13, LO(FAR), HI(FAR)));
	for (int i = 0; i < 5; i++)
		IS(11, SYS32(I386_PREAD64, fd, buf, 11, LO(FAR + 1), HI(FAR + 1)));
	IS(0, SYS32(I386_FTRUNCATE64, fd, LO(FAR + 5), HI(FAR + 5), 0, 0));
	IS(0, SYS32(I386_CLOSE, fd, 0, 0, 0, 0));
	FAILS(EBADF, SYS32(I386_READ, 999, buf, 11, 0, 0));
	IS(0, SYS32(I386_MKDIR, dir, 0755, 0, 0, 0));
	FAILS(ENOENT, SYS32(I386_OPEN, dir + 1, O_RDONLY, 0, 0, 0));
	IS(0, SYS32(I386_RMDIR, dir, 0, 0, 0, 0));
	IS(0, SYS32(I386_UNLINK, name, 0, 0, 0, 0));
	printf("%ld\n", calls);
	return 0;
}

#else

#include <stdio.h>

int main(void)
{
	puts("0");
	return 0;
}

#endif
