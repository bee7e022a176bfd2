/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of system calls: with this architecture's numbers, and with those of its 32-bit
 * programs. */
#ifndef IOTRC_SYSCALLS_H
#define IOTRC_SYSCALLS_H

#include "bpf/abi.h"
#include "schema/fs_ops.h"

extern const struct syscall_desc syscalls_native[MAX_SYSCALLS];
extern const struct syscall_desc syscalls_compat[MAX_SYSCALLS];

/* For each call that socketcall() can perform, its number for 32-bit programs; 0: not recorded. */
extern const u16 syscalls_of_socketcall[MAX_SOCKETCALLS];

/* Names of system calls, by number; NULL: no such call, or newer than the headers. */
extern const char *const syscall_names_native[MAX_SYSCALLS];
extern const char *const syscall_names_compat[MAX_SYSCALLS];

/* The opcodes of io_uring. */
extern const struct syscall_desc uring_ops[MAX_URING_OPS];

#endif
