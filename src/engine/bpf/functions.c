// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/functions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

#define FUNCTIONS_MAX 2048 /* a kernel has about 900, of both kinds */

/* Each kind of function: its prefix, and the names of the calls that it may perform. */
static const struct {
	const char *prefix;
	const char *const *names;
} kinds[] = {
	{ "__x64_sys_", syscall_names_native },
	{ "__ia32_compat_sys_", syscall_names_compat },
	{ "__ia32_sys_", syscall_names_compat },
};

/* Returns the call with this NAME, or -1. */
static int call_of(const char *const *names, const char *name)
{
	for (int nr = 0; nr < MAX_SYSCALLS; nr++)
		if (names[nr] && !strcmp(names[nr], name))
			return nr;
	return -1;
}

static bool wanted(const char *symbol, const struct syscall_desc *native,
		   const struct syscall_desc *compat)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);
		const struct syscall_desc *table =
			kinds[i].names == syscall_names_native ? native : compat;
		int nr;

		if (strncmp(symbol, kinds[i].prefix, len))
			continue;
		nr = call_of(kinds[i].names, symbol + len);
		return nr < 0 || table[nr].shape != SHAPE_NONE || table[nr].props & PROP_NAMES;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static int read_symbols(FILE *f, const struct syscall_desc *native,
			const struct syscall_desc *compat, unsigned long *addrs, size_t *ret_n)
{
	char line[512], symbol[256];
	unsigned long addr;
	size_t n = 0, kept = 0;

	while (fgets(line, sizeof(line), f)) {
		/* A module's name follows in brackets; symbols of parts made by the compiler
		 * contain a dot. */
		if (!strstr(line, "_sys_") || strpbrk(line, "[.") ||
		    sscanf(line, "%lx %*c %255s", &addr, symbol) != 2 ||
		    !wanted(symbol, native, compat))
			continue;
		if (!addr)
			return -EPERM;
		if (n == FUNCTIONS_MAX)
			return -E2BIG;
		addrs[n++] = addr;
	}
	qsort(addrs, n, sizeof(*addrs), compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || addrs[kept - 1] != addrs[i])
			addrs[kept++] = addrs[i];
	*ret_n = kept;
	return kept ? 0 : -ENOTSUP;
}

int functions__of_syscalls(const struct syscall_desc *native, const struct syscall_desc *compat,
			   unsigned long **ret, size_t *ret_n)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long *addrs = f ? calloc(FUNCTIONS_MAX + FUNCTIONS_MORE, sizeof(*addrs)) : NULL;
	int err = -errno;

	if (addrs)
		err = read_symbols(f, native, compat, addrs, ret_n);
	if (f)
		fclose(f);
	if (err) {
		free(addrs);
		return err;
	}
	*ret = addrs;
	return 0;
}

unsigned long functions__address(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	unsigned long addr, ret = 0;

	while (f && !ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %*c %255s", &addr, symbol) == 2 && !strcmp(symbol, name))
			ret = addr;
	if (f)
		fclose(f);
	return ret;
}
