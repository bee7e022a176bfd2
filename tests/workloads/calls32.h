/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls of 32-bit programs: i386's from a 64-bit program, through `int $0x80`, or arm's
 * from a 32-bit program. */
#ifndef IOTRC_CALLS32_H
#define IOTRC_CALLS32_H

#include <sys/mman.h>

#include "workload.h"

#define LO(v) ((uint32_t)(v))
#define HI(v) ((uint32_t)((uint64_t)(v) >> 32))

static long calls; /* made so far */

static inline long call32(uint32_t nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e,
			  uint32_t f)
{
	int result;

	calls++;
#ifdef __x86_64__
	/* The sixth argument is in ebp, which a compiler may need for itself. */
	__asm__ volatile("push %%rbp; mov %[f], %%ebp; int $0x80; pop %%rbp"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
			 : "memory", "r8", "r9", "r10", "r11");
	if (result >= -4095 && result < 0) {
		errno = -result;
		return -1;
	}
#else
	errno = 0;
	result = syscall(nr, a, b, c, d, e, f);
	if (result == -1 && errno)
		return -1;
#endif
	return (unsigned int)result;
}

#define SYS32_(nr, a, b, c, d, e, f, ...) \
	call32(nr, (uint32_t)(a), (uint32_t)(b), (uint32_t)(c), (uint32_t)(d), (uint32_t)(e), \
	       (uint32_t)(f))
#define SYS32(...) SYS32_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* SIZE bytes within reach of 32 bits. */
static inline char *calls32__memory(size_t size)
{
#ifdef __x86_64__
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT;
#else
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#endif
	char *low = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (low == MAP_FAILED)
		exit(96);
	return low;
}

/* O_LARGEFILE, which is 0 in the headers of x86-64; and what precedes a 64-bit argument in two
 * halves: arm starts these at an even register. */
#ifdef __x86_64__
#define LARGEFILE 0100000
#define TO_EVEN
#else
#define LARGEFILE 0400000
#define TO_EVEN 0,
#endif

#endif
