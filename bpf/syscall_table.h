/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables that describe each system call; user space fills them from syscalls.def. */
#ifndef IOTRC_BPF_SYSCALL_TABLE_H
#define IOTRC_BPF_SYSCALL_TABLE_H

#include "bpf/abi.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

volatile struct syscall_desc syscalls[MAX_SYSCALLS] = {};
volatile struct syscall_desc syscalls_compat[MAX_SYSCALLS] = {};
/* For each call of socketcall() the number of the same call for 32-bit programs; 0 if that is not
 * recorded. */
const volatile u16 socketcalls[MAX_SOCKETCALLS] = {};

static __always_inline const volatile struct syscall_desc *describe(u32 nr, bool compat)
{
	u64 n = opaque(nr); /* so that the check is of the index itself */

	if (n >= MAX_SYSCALLS)
		return 0;
	return compat ? &syscalls_compat[n] : &syscalls[n];
}

/* Whether D is of no stream, and changes no names either: nothing is noted of such a call. */
static __always_inline bool is_unused(const volatile struct syscall_desc *d)
{
	return d->shape == SHAPE_NONE && !(d->props & PROP_NAMES);
}

/* The same of the call that ends with NR in its registers. That is the number of its entry, but
 * exec() may have changed the ABI since. On x86 the kernel then has put the number of execve() for
 * the new ABI there (set_personality_ia32(), set_personality_64bit()). */
static __always_inline bool is_surely_unused(u32 nr, bool compat)
{
	const volatile struct syscall_desc *d = describe(nr, compat);

	if (!d || !is_unused(d))
		return false;
#if defined(__TARGET_ARCH_x86)
	return true;
#else
	d = describe(nr, !compat);
	return d && is_unused(d);
#endif
}

#endif
