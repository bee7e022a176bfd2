/* SPDX-License-Identifier: GPL-2.0-only */
#if defined(__x86_64__)
#include <asm/unistd_32.h>
#endif

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

#define HILO PROP_HILO
#define SYSCALL(name, stream_, op_, shape_, ...) \
	[__NR_##name] = { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ },

const struct syscall_desc syscalls_compat[MAX_SYSCALLS] = {
#if defined(__x86_64__)
#include "syscalls.def"
#else
	/* No header here has their numbers: counted as left out, all of them, and never misread. */
	[0 ... MAX_SYSCALLS - 1] = { .stream = STREAM_FS, .op = FS_OPEN, .shape = SHAPE_OPAQUE },
#endif
};

const char *const syscall_names_compat[MAX_SYSCALLS] = {
#include "syscall_names_compat.h"
};
