/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's functions that are system calls. */
#ifndef IOTRC_FUNCTIONS_H
#define IOTRC_FUNCTIONS_H

#include <stddef.h>

#include "engine/bpf/syscalls.h"

/* The addresses, in rising order, of those that may perform a call which NATIVE or COMPAT (of
 * MAX_SYSCALLS) describe. Many functions bear the name of their call, but not all do: what bears no
 * call's name is among them, so none is left out. The caller frees *RET. -EPERM where
 * /proc/kallsyms hides the addresses, -ENOTSUP on other architectures than x86-64. */
int functions__of_syscalls(const struct syscall_desc *native, const struct syscall_desc *compat,
			   unsigned long **ret, size_t *ret_n);

/* The address of the function NAME; 0 if there is none, or if /proc/kallsyms hides it. */
unsigned long functions__address(const char *name);

#endif
