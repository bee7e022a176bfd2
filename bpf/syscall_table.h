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

#endif
