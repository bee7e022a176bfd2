// SPDX-License-Identifier: GPL-2.0-or-later
#include <asm/unistd.h>

#include "engine/bpf/syscalls.h"
#include "engine/bpf/syscalls_new.h"

#define HILO 0
#define PAIR(n) (n)
#define SYSCALL(name, stream_, op_, shape_, ...) \
	[__NR_##name] = { \
		.stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ \
	},

const struct syscall_desc syscalls_native[MAX_SYSCALLS] = {
#include "engine/bpf/syscalls.def"
};

const char *const syscall_names_native[MAX_SYSCALLS] = {
#include "syscall_names_native.h"
};
