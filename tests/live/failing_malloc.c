// SPDX-License-Identifier: GPL-2.0-or-later
/* To be preloaded: one allocation fails, as on a machine without memory. FAILING_MALLOC is its
 * number, with a + behind it if all later ones fail, too. At the end of the program the number of
 * allocations is written to the file FAILING_MALLOC_COUNT. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The C library's own functions, under names that nothing replaces. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static atomic_ulong allocations;
static unsigned long failing;
static bool on;
static int count_fd = -1; /* opened at the beginning: later the program may not open it */

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAILING_MALLOC");
	char *end;

	if (text) {
		failing = strtoul(text, &end, 10);
		on = *end == '+';
	}
	text = getenv("FAILING_MALLOC_COUNT");
	if (text)
		count_fd = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	atomic_store(&allocations, 0); /* those of the loader don't count */
}

__attribute__((destructor)) static void end(void)
{
	if (count_fd >= 0)
		dprintf(count_fd, "%lu\n", atomic_load(&allocations));
}

static bool fails(void)
{
	unsigned long n = atomic_fetch_add(&allocations, 1) + 1;

	if (!failing || (on ? n < failing : n != failing))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
