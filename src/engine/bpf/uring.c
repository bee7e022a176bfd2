// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/syscalls.h"

#define URING(number, name, stream_, op_, shape_, ...) \
	[number] = { .stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ },

const struct syscall_desc uring_ops[MAX_URING_OPS] = {
#include "engine/bpf/uring.def"
};
