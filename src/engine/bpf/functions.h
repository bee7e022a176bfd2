/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's functions that implement system calls. */
#ifndef IOTRC_FUNCTIONS_H
#define IOTRC_FUNCTIONS_H

#include <stddef.h>

#include "engine/bpf/syscalls.h"

#define FUNCTIONS_MORE 2

/* Returns in *RET the addresses, in ascending order, of the functions that may perform a call that
 * NATIVE or COMPAT (of MAX_SYSCALLS) describe. Most functions are named after their call, but not
 * all: those without a call's name are included, so that none is left out. There is room for
 * FUNCTIONS_MORE. The caller frees *RET.
 * Returns -EPERM if /proc/kallsyms hides addresses, -ENOTSUP on architectures other than x86-64. */
int functions__of_syscalls(const struct syscall_desc *native, const struct syscall_desc *compat,
			   unsigned long **ret, size_t *ret_n);

/* Returns the address of the function NAME, or 0 if there is none or /proc/kallsyms hides it. */
unsigned long functions__address(const char *name);

#endif
