// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/functions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

#define FUNCTIONS_MAX 2048 /* a kernel has about 900, of both kinds */
#define REFUSALS 2         /* functions in which calls are refused */

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

static bool wants_symbol(const char *symbol, const struct syscall_desc *native,
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

static int compare_addresses(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

/* Where the address of the function SYMBOL belongs if calls are refused in it; else NULL. */
static unsigned long *refusal(struct functions *f, const char *symbol)
{
	if (!strcmp(symbol, "__secure_computing"))
		return &f->secure_computing;
	return strcmp(symbol, "ptrace_notify") ? NULL : &f->ptrace_notify;
}

static int read_symbols(FILE *symbols, struct functions *f, const struct syscall_desc *native,
			const struct syscall_desc *compat)
{
	char line[512], symbol[256];
	unsigned long addr, *special;

	while (fgets(line, sizeof(line), symbols)) {
		/* A module's name follows in brackets; symbols of parts made by the compiler
		 * contain a dot. */
		if (strpbrk(line, "[.") ||
		    (!strstr(line, "_sys_") && !strstr(line, "ptrace_notify") &&
		     !strstr(line, "__secure_computing")) ||
		    sscanf(line, "%lx %*c %255s", &addr, symbol) != 2)
			continue;
		special = refusal(f, symbol);
		if (!special && !wants_symbol(symbol, native, compat))
			continue;
		if (!addr)
			return -EPERM;
		if (special)
			*special = addr;
		else if (f->n_calls == FUNCTIONS_MAX)
			return -E2BIG;
		else
			f->calls[f->n_calls++] = addr;
	}
	return f->n_calls ? 0 : -ENOTSUP;
}

/* Sorts the calls, drops those that occur twice, and adds the refusals. */
static void arrange(struct functions *f)
{
	size_t kept = 0;

	qsort(f->calls, f->n_calls, sizeof(*f->calls), compare_addresses);
	for (size_t i = 0; i < f->n_calls; i++)
		if (!kept || f->calls[kept - 1] != f->calls[i])
			f->calls[kept++] = f->calls[i];
	f->n_calls = kept;
	if (f->secure_computing)
		f->calls[kept + f->n_refusals++] = f->secure_computing;
	if (f->ptrace_notify)
		f->calls[kept + f->n_refusals++] = f->ptrace_notify;
}

int functions__find(struct functions *ret, const struct syscall_desc *native,
		    const struct syscall_desc *compat)
{
	struct functions f = { .calls = calloc(FUNCTIONS_MAX + REFUSALS, sizeof(*f.calls)) };
	FILE *symbols = fopen("/proc/kallsyms", "re");
	int err = -errno;

	if (!f.calls)
		err = -ENOMEM;
	else if (symbols)
		err = read_symbols(symbols, &f, native, compat);
	if (symbols)
		fclose(symbols);
	if (err) {
		functions__free(&f);
		return err;
	}
	arrange(&f);
	*ret = f;
	return 0;
}

void functions__free(struct functions *f)
{
	free(f->calls);
	memset(f, 0, sizeof(*f));
}
