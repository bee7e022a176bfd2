/* SPDX-License-Identifier: GPL-2.0-only */
#include <asm/unistd.h>

#include "syscalls.h"

/* Newer than the headers of Debian 12; the same number everywhere (scripts/syscall.tbl). */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#define __NR_getxattrat 464
#define __NR_listxattrat 465
#define __NR_removexattrat 466
#endif

#define HILO 0
#define SYSCALL(name, stream_, op_, shape_, ...) \
	[__NR_##name] = { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ },

const struct syscall_desc syscalls_native[MAX_SYSCALLS] = {
#include "syscalls.def"
};

const char *const syscall_names_native[MAX_SYSCALLS] = {
#include "syscall_names_native.h"
};
