/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's functions that implement system calls, and those in which calls are refused. */
#ifndef IOTRC_FUNCTIONS_H
#define IOTRC_FUNCTIONS_H

#include <stddef.h>

#include "engine/bpf/syscalls.h"

/* CALLS are the addresses of the functions that may perform a recorded call, each once. Most
 * functions are named after their call, but not all: those without a call's name are included, so
 * that none is left out. A call that a seccomp filter refuses or that a tracer skips reaches none
 * of them, but returns through __secure_computing() or ptrace_notify(); 0: the kernel has no such
 * function. These two follow in CALLS, so far as they exist: N_REFUSALS. */
struct functions {
	unsigned long *calls;
	size_t n_calls, n_refusals;
	unsigned long secure_computing, ptrace_notify;
};

/* Reads /proc/kallsyms for the calls that NATIVE or COMPAT (of MAX_SYSCALLS) describe. To be freed
 * with functions__free().
 * Returns -EPERM if /proc/kallsyms hides addresses, -ENOTSUP on architectures other than x86-64. */
int functions__find(struct functions *ret, const struct syscall_desc *native,
		    const struct syscall_desc *compat);

/* Frees what F holds; it may be all zeros. */
void functions__free(struct functions *f);

#endif
