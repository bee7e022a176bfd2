/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The calling convention: where the arguments of a system call are. */
#ifndef IOTRC_BPF_SYSCALL_ARGS_H
#define IOTRC_BPF_SYSCALL_ARGS_H

#include "bpf/abi.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"

static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task_read(task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return task_read(task, thread_info.flags) & (1 << 22); /* TIF_32BIT */
#endif
}

static __always_inline void load_args(struct task_state *state, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if (state->compat) {
		state->args[0] = (u32)regs->bx;
		state->args[1] = (u32)regs->cx;
		state->args[2] = (u32)regs->dx;
		state->args[3] = (u32)regs->si;
		state->args[4] = (u32)regs->di;
		state->args[5] = (u32)regs->bp;
		return;
	}
	state->args[0] = regs->di;
	state->args[1] = regs->si;
	state->args[2] = regs->dx;
	state->args[3] = regs->r10;
	state->args[4] = regs->r8;
	state->args[5] = regs->r9;
#else
	u64 i;

	state->args[0] = regs->orig_x0;
	for (i = 1; i < 6; i++)
		state->args[i] = regs->regs[i];
	if (state->compat)
		for (i = 0; i < 6; i++)
			state->args[i] = (u32)state->args[i];
#endif
}

/* include/trace/events/syscalls.h */
struct raw_syscall {
	u64 common;
	long nr;
	unsigned long args[6]; /* for sys_exit the result alone */
};

/* Older kernels refuse a load through a pointer derived from the context: volatile keeps the
 * compiler from deriving one. */
static __always_inline void copy_args(struct task_state *state,
				      const volatile struct raw_syscall *ctx)
{
	state->args[0] = ctx->args[0];
	state->args[1] = ctx->args[1];
	state->args[2] = ctx->args[2];
	state->args[3] = ctx->args[3];
	state->args[4] = ctx->args[4];
	state->args[5] = ctx->args[5];
}

static __always_inline void read_args(struct task_state *state, u64 regs)
{
#if defined(__TARGET_ARCH_x86)
	state->args[0] = state->compat ? (u32)kread(regs, pt_regs, bx) : kread(regs, pt_regs, di);
	state->args[1] = state->compat ? (u32)kread(regs, pt_regs, cx) : kread(regs, pt_regs, si);
	state->args[2] = state->compat ? (u32)kread(regs, pt_regs, dx) : kread(regs, pt_regs, dx);
	state->args[3] = state->compat ? (u32)kread(regs, pt_regs, si) : kread(regs, pt_regs, r10);
	state->args[4] = state->compat ? (u32)kread(regs, pt_regs, di) : kread(regs, pt_regs, r8);
	state->args[5] = state->compat ? (u32)kread(regs, pt_regs, bp) : kread(regs, pt_regs, r9);
#else
	u64 i, value;

	for (i = 0; i < 6; i++) {
		value = i ? kread_u64(kaddr(regs, pt_regs, regs) + i * sizeof(u64)) :
			    kread(regs, pt_regs, orig_x0);
		state->args[i] = state->compat ? (u32)value : value;
	}
#endif
}

/* The registers of the current system call, where the tracepoint does not give them (5.15). */
static __always_inline u64 task_registers(void)
{
	return as_number((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

/* Some calls of i386 take a pointer to their arguments. There may be fewer than six, and the memory
 * behind them may be unmapped. */
static __always_inline bool args_at(struct task_state *state, u64 at)
{
	u32 value;
	u64 i;

	for (i = 0; i < 6; i++) {
		value = 0;
		if (uread(&value, sizeof(value), at + i * sizeof(value)) && !i)
			state->no_args = 1;
		state->args[i] = state->no_args ? (u64)-1 : value;
	}
	return !state->no_args;
}

/* socketcall() becomes the call that its first argument names, with the arguments that its second
 * one points to. */
__subprog bool become_socketcall(struct task_state *state)
{
	u64 call;

	if (!state)
		return false;
	call = state->args[0];
	if (call >= MAX_SOCKETCALLS)
		return false;
	state->nr = socketcalls[call];
	args_at(state, state->args[1]);
	return true;
}

/* The result of a 32-bit call: a negative error, or an unsigned number such as an address. arm64
 * stores both zero-extended (syscall_get_return_value() of arch/arm64/include/asm/syscall.h). */
static __always_inline s64 narrow_result(long ret)
{
	return (u32)ret >= (u32)-4095 ? (s64)(s32)ret : (s64)(u32)ret;
}

#endif
