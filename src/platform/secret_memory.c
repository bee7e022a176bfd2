// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/secret_memory.h"

#include <string.h>
#include <sys/mman.h>

#include "platform/libc.h"

#ifdef __linux__
#include <sys/prctl.h>

static void seal(void *p, size_t size)
{
	madvise(p, size, MADV_DONTDUMP);
	madvise(p, size, MADV_DONTFORK);
	/* It fails only for values other than 0 and 1. */
	(void)prctl(PR_SET_DUMPABLE, 0);
}
#else
#include <mach/vm_inherit.h>
#include <sys/resource.h>
#include <sys/types.h>

/* from sys/ptrace.h, which some sets of headers lack */
#define PT_DENY_ATTACH 31
int ptrace(int request, pid_t pid, caddr_t address, int data);

/* macOS cannot exclude a mapping from core dumps, so they are disabled (RLIMIT_CORE, getrlimit(2)),
 * and PT_DENY_ATTACH keeps other processes from attaching (ptrace(2)). */
static void seal(void *p, size_t size)
{
	static const struct rlimit none;

	minherit(p, size, VM_INHERIT_NONE);
	setrlimit(RLIMIT_CORE, &none);
	ptrace(PT_DENY_ATTACH, 0, NULL, 0);
}
#endif

void *secret_memory__new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	seal(p, size);
	mlock(p, size); /* RLIMIT_MEMLOCK may not allow it; only root can read swap */
	return p;
}

void secret_memory__free(void *p, size_t size)
{
	explicit_bzero(p, size);
	munmap(p, size);
}
