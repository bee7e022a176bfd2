/* SPDX-License-Identifier: GPL-2.0-only */
/* i386's system calls out of a 64-bit program, through `int $0x80`. Only on x86-64. */
#ifndef IOTRC_INT80_H
#define IOTRC_INT80_H

#include <sys/mman.h>

#include "workload.h"

#define LARGEFILE 0100000 /* i386's O_LARGEFILE: x86-64's headers say 0 */
#define LO(v) ((uint32_t)(v))
#define HI(v) ((uint32_t)((uint64_t)(v) >> 32))

static long calls; /* made so far */

static inline long int80(uint32_t nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
	int result;

	/* The sixth argument is in ebp, which a compiler may need for itself. */
	__asm__ volatile("push %%rbp; mov %[f], %%ebp; int $0x80; pop %%rbp"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
			 : "memory", "r8", "r9", "r10", "r11");
	calls++;
	if (result >= -4095 && result < 0) {
		errno = -result;
		return -1;
	}
	return (unsigned int)result;
}

#define SYS32_(nr, a, b, c, d, e, f, ...) \
	int80(nr, (uint32_t)(a), (uint32_t)(b), (uint32_t)(c), (uint32_t)(d), (uint32_t)(e), (uint32_t)(f))
#define SYS32(...) SYS32_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* i386's pointers have 32 bits: SIZE bytes that they reach. */
static inline char *int80__memory(size_t size)
{
	char *low = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		exit(96);
	return low;
}

#endif
