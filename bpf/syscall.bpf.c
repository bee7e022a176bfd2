// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls: one program on entry and one on exit, driven by tables that user space fills. Entry
 * notes who calls, what, on which open file or path, and when. Exit adds the result and sends the
 * one record. iovecs, addresses and struct stat are read on exit: by then the kernel has read them,
 * so they are resident. */
#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_renew.h"
#include "bpf/call_short.h"
#include "bpf/conn_calls.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/lock_calls.h"
#include "bpf/path_calls.h"
#include "bpf/results.h"
#include "bpf/syscall_args.h"
#include "bpf/syscall_enter.h"
#include "bpf/syscall_exit.h"
#include "bpf/syscall_number.h"
#include "bpf/syscall_refused.h"
#include "bpf/syscall_restart.h"
#include "bpf/syscall_start.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/streams.h"

/* Called from the raw tracepoint with the arguments in REGS, from the CLASSIC one, or from the
 * function of the system call with the registers at address AT. */
static __always_inline int sys_enter(long nr, struct pt_regs *regs, struct raw_syscall *classic,
				     u64 at)
{
	struct task_struct *task = current_task();
	bool compat = is_compat(task);
	const volatile struct syscall_desc *d = describe(nr, compat);
	struct task_state *state;

	if (!d || is_unused(d))
		return 0;
	state = current_state_of(task, true);
	if (!state)
		return lose(d->stream, bpf_ktime_get_ns());
	if (state->held) {
		if (continues(state, task, d)) {
			state->held = 0;
			state->armed = state->begun = 1;
			return 0;
		}
		send_held();
	}
	if (d->shape == SHAPE_RESTART)
		return 0;
	begin_call(state, nr, compat, d);
	if (d->shape == SHAPE_NONE)
		return 0;
	if (classic)
		copy_args(state, classic);
	else if (at)
		read_args(state, at);
	else
		load_args(state, regs);
	start_call(state, task, d);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	return sys_enter(nr, regs, 0, 0);
}

SEC("tp/raw_syscalls/sys_enter")
int on_sys_enter_classic(struct raw_syscall *ctx)
{
	return sys_enter(ctx->nr, 0, ctx, 0);
}

/* The function of a system call: on x86-64 its only argument is the registers of the call. */
SEC("kprobe.multi/sys_*")
int on_sys_enter_function(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return sys_enter(kread(ctx->di, pt_regs, orig_ax), 0, 0, ctx->di);
#else
	return 0;
#endif
}

/* Where the registers of a call are. They are needed only if its entry was not seen. */
enum registers { REGISTERS_NONE, REGISTERS_IN_CONTEXT, REGISTERS_OF_TASK };

#define NUMBER_UNKNOWN (~0U) /* what a tracer puts in place of the number, to have a call skipped */

/* NR is the number that is in the registers by now. */
static __always_inline int sys_exit(u32 nr, long ret, void *ctx, enum registers where)
{
	const volatile struct syscall_desc *d;
	struct task_struct *task = current_task();
	struct task_state *state;
	enum remains remains;
	enum verdict verdict;

	/* Before the thread's state is looked up: most calls are of no stream. */
	if (nr != NUMBER_UNKNOWN && is_surely_unused(nr, is_compat(task)))
		return 0;
	state = current_state_of(task, false);
	if ((!state || !state->begun) && where != REGISTERS_NONE && can_be_refused(task)) {
		u64 regs = where == REGISTERS_OF_TASK ? task_registers() : argument(ctx, 0);

		if (!begin_refused(regs, ret))
			return 0;
		state = current_state_of(task, false);
	}
	if (!state)
		return 0;
	state->begun = 0;
	if (state->renames && ret >= 0)
		names_epoch += state->renames;
	state->renames = 0;
	if (!state->armed)
		return 0;
	state->exit_ns = bpf_ktime_get_ns();
	state->ret = state->compat ? narrow_result(ret) : ret;
	state->armed = 0;
	if (state->refused) /* DURATION_UNKNOWN */
		state->enter_ns = state->exit_ns + 1;
	d = describe(state->nr, state->compat);
	if (!d || hold(state, task, d))
		return 0;
	if (d->shape == SHAPE_DUP && state->ret < 0)
		return 0;
	if (!is_kept(state->call_epoch)) {
		verdict = renew_call();
		if (verdict != VERDICT_TRACE) {
			count_verdict(verdict, state->stream);
			drop_paths(state);
			return 0;
		}
	}
	if (state->is_socket || d->shape == SHAPE_CONN) {
		emit_conn(state, d);
		if (!state->is_socket || !state->file)
			return 0;
	}
	/* Before the file is looked for. */
	if ((d->shape == SHAPE_OPEN || d->shape == SHAPE_PATH) &&
	    leave_out_ended(STREAM_FS, error_of(state->ret), state->exit_ns - state->enter_ns)) {
		drop_paths(state);
		return 0;
	}
	if (d->shape == SHAPE_FD && !(d->props & PROP_RWF)) {
		emit_short(state, d);
		return 0;
	}
	if (d->shape == SHAPE_FCNTL) {
		emit_lock(state, d);
		return 0;
	}
	if (d->shape == SHAPE_OPEN)
		remains = exit_open(state, d);
	else if (d->shape == SHAPE_AIO)
		remains = exit_aio_call(state, d);
	else
		remains = d->shape == SHAPE_PATH ? REMAINS_PATH : exit_rare();
	if (remains == REMAINS_SHORT)
		emit_short_apart(state, d);
	else if (remains == REMAINS_PATH)
		emit_path(state, d);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long ret)
{
	return sys_exit(number_of(regs), ret, ctx, REGISTERS_IN_CONTEXT);
}

SEC("tp/raw_syscalls/sys_exit")
int on_sys_exit_classic(struct raw_syscall *ctx)
{
	return sys_exit(ctx->nr, ctx->args[0], ctx, REGISTERS_OF_TASK);
}

/* The address of __secure_computing(), set by user space. It returns -1 if a filter has answered
 * the call, whose function is then not called. */
volatile u64 secure_computing = 0;

/* The address of ptrace_notify(), in which a thread waits for its tracer. The tracer may have the
 * call skipped, whose function is then not called. */
volatile u64 ptrace_notify = 0;

SEC("kretprobe.multi/sys_*")
int on_sys_exit_function(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	u64 function = bpf_get_func_ip(ctx);
	bool refused = function == secure_computing || function == ptrace_notify;

	if (refused &&
	    !(function == secure_computing ? (s32)ctx->ax == -1 : is_skipped(task_registers())))
		return 0;
	return sys_exit(NUMBER_UNKNOWN, refused ? kread(task_registers(), pt_regs, ax) : ctx->ax,
			ctx, refused ? REGISTERS_OF_TASK : REGISTERS_NONE);
#else
	return 0;
#endif
}
