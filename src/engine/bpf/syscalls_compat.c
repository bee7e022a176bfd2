// SPDX-License-Identifier: GPL-2.0-or-later
/* 32-bit programs: i386's on x86-64, arm's on arm64. */
#if defined(__x86_64__)
#include <asm/unistd_32.h>
#include <linux/net.h>
#define PAIR(n) (n)
#elif defined(__aarch64__)
#include "engine/bpf/unistd_arm.h"
#define PAIR(n) ((n) + (n) % 2)
#else
#error no numbering of 32-bit programs
#endif
#include "engine/bpf/syscalls.h"
#include "engine/bpf/syscalls_new.h"

#define HILO PROP_HILO
#define SYSCALL(name, stream_, op_, shape_, ...) \
	[__NR_##name] = { \
		.stream = STREAM_##stream_, .op = op_, .shape = SHAPE_##shape_, __VA_ARGS__ \
	},

const struct syscall_desc syscalls_compat[MAX_SYSCALLS] = {
#include "engine/bpf/syscalls.def"
};

const u16 syscalls_of_socketcall[MAX_SOCKETCALLS] = {
#ifdef __NR_socketcall
	[SYS_SOCKET] = __NR_socket,         [SYS_BIND] = __NR_bind,
	[SYS_CONNECT] = __NR_connect,       [SYS_LISTEN] = __NR_listen,
	[SYS_ACCEPT] = __NR_accept4, /* the same but for its flags */
	[SYS_SHUTDOWN] = __NR_shutdown,     [SYS_SETSOCKOPT] = __NR_setsockopt,
	[SYS_GETSOCKOPT] = __NR_getsockopt, [SYS_ACCEPT4] = __NR_accept4,
#endif
};

const char *const syscall_names_compat[MAX_SYSCALLS] = {
#include "syscall_names_compat.h"
};
