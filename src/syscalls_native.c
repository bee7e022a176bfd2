/* SPDX-License-Identifier: GPL-2.0-only */
#include <asm/unistd.h>

#include "syscalls.h"

#define HILO 0
#define SYSCALL(name, stream_, op_, shape_, ...) \
	[__NR_##name] = { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ },

const struct syscall_desc syscalls_native[MAX_SYSCALLS] = {
#include "syscalls.def"
};
