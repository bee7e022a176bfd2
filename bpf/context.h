/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose doing an event is: the current thread's, or that of an interrupt which came over it. */
#ifndef IOTRC_BPF_CONTEXT_H
#define IOTRC_BPF_CONTEXT_H

#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/streams.h"

#define STACK_BYTES 16384 /* THREAD_SIZE of x86-64 and arm64; more with KASAN */

/* The system call that the current thread is in, negative when it was interrupted in user space. */
static __always_inline s64 system_call(u64 task)
{
#if defined(__TARGET_ARCH_x86)
	u64 regs;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) /* 5.15 */
		regs = (u64)bpf_task_pt_regs(bpf_get_current_task_btf());
	else
		regs = kread(task, task_struct, stack) + STACK_BYTES -
		       bpf_core_type_size(struct pt_regs);
	return kread(regs, pt_regs, orig_ax);
#else
	return 0; /* always leaves the thread's stack for an interrupt */
#endif
}

/* Whether the current thread itself has come to the tracepoint with the context CTX, in a system
 * call. The arguments lie on the stack, and an interrupt has a stack of its own, unless on x86 it
 * came over user space. The count of interrupts would say it too, but is in a variable per CPU that
 * kernels without CONFIG_KALLSYMS_ALL don't give. A kernel thread works for others: soft interrupts
 * may have been left to it (ksoftirqd). */
static __always_inline bool in_own_call(void *ctx)
{
	u64 task = (u64)bpf_get_current_task(), at = 0;

	bpf_probe_read_kernel(&at, sizeof(at), &ctx);
	if (kread(task, task_struct, flags) & PF_KTHREAD)
		return false;
	return at - kread(task, task_struct, stack) < STACK_BYTES && system_call(task) >= 0;
}

/* Brings the current thread's id into RET. What cannot be written for want of room for the
 * definition, or must not, is counted: false. */
static __always_inline bool whose(enum stream stream, u64 *ret)
{
	struct task_state *state = current_state(true);
	enum whom whom = state ? task_refresh(state, current_task(), false) : WHOM_LOST;

	if (whom == WHOM_LEFT_OUT) {
		count_filtered(stream);
		return false;
	}
	if (whom == WHOM_LOST) {
		lose(stream, bpf_ktime_get_ns());
		return false;
	}
	*ret = state->id;
	return true;
}

/* With a filter of threads, nobody's events are left out. */
static __always_inline bool nobodys(enum stream stream)
{
	if (!cfg.n_pids && !cfg.n_commands && !cfg.cgroup)
		return true;
	count_filtered(stream);
	return false;
}

#endif
