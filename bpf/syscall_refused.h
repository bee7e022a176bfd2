/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that end without having begun: a seccomp filter answers in the kernel's place (ERRNO, TRAP,
 * a supervisor), or a tracer skips them. They pass sys_exit only (syscall_trace_enter() of
 * kernel/entry/common.c), with their arguments still in the registers. */
#ifndef IOTRC_BPF_SYSCALL_REFUSED_H
#define IOTRC_BPF_SYSCALL_REFUSED_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_args.h"
#include "bpf/syscall_number.h"
#include "bpf/syscall_start.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/types.h"

/* When all programs had been attached; set by user space. A call that was under way before also
 * passes sys_exit only. */
volatile u64 attached_ns = 0;

/* Whether someone may answer calls of TASK in the kernel's place. */
static __always_inline bool can_be_refused(struct task_struct *task)
{
	if (task_read(task, ptrace))
		return true;
	return bpf_core_field_exists(struct task_struct, seccomp) && task_read(task, seccomp.mode);
}

/* The first call of a thread that is older than the recording may have begun before it: what its
 * arguments point to may have changed since. */
static __always_inline bool may_be_older(struct task_state *state, struct task_struct *task)
{
	bool met = state->met;

	state->met = 1;
	return !met && kread(task, task_struct, start_time) < attached_ns;
}

#if defined(__TARGET_ARCH_x86)
/* Whether the thread, whose registers are at REGS and which has been stopped for its tracer, is to
 * skip the call that it was about to make. */
static __always_inline bool is_skipped(u64 regs)
{
	struct task_struct *task = current_task();
	struct task_state *state = current_state_of(task, false);
	u64 emulated =
		1ULL << bpf_core_enum_value(enum syscall_work_bit, SYSCALL_WORK_BIT_SYSCALL_EMU);

	return state && state->stopped_nr &&
	       (number_in(regs) == (u32)-1 || task_read(task, thread_info.syscall_work) & emulated);
}
#endif

/* Begins the call whose registers are at REGS, at its end; true when a record is to be made of it.
 * Inlined: one more frame would make the deepest chain of calls too deep. */
static __always_inline bool begin_refused(u64 regs, s64 ret)
{
	struct task_struct *task = current_task();
	bool compat = is_compat(task);
	const volatile struct syscall_desc *d;
	struct task_state *state;
	u64 nr = number_in(regs);
	bool older;

	/* Skipped by a tracer, which has overwritten the number. */
	state = current_state(true);
	if (nr == (u32)-1 && state && state->stopped_nr)
		nr = state->stopped_nr - 1;
	if (nr >= MAX_SYSCALLS)
		return 0;
	nr = opaque(nr) & (MAX_SYSCALLS - 1);
	d = describe(nr, compat);
	if (!d || d->shape == SHAPE_NONE || d->shape == SHAPE_RESTART)
		return 0;
	/* A new process's or thread's first return is its parent's call. */
	if (d->shape == SHAPE_FORK && !ret)
		return 0;
	if (!state || !attached_ns)
		return 0;
	older = may_be_older(state, task);
	begin_call(state, nr, compat, d);
	state->begun = 0;
	state->refused = older ? REFUSED_PERHAPS : REFUSED;
	read_args(state, regs);
	start_call(state, task, d);
	return state->armed;
}

#endif
