/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who caused an event: the current thread, or an interrupt on top of it. */
#ifndef IOTRC_BPF_CONTEXT_H
#define IOTRC_BPF_CONTEXT_H

#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/filter.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_number.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/streams.h"

/* The system call that the current thread is in; negative if user space was interrupted. */
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
	return 0; /* an interrupt always leaves the thread's stack */
#endif
}

/* Whether the current thread itself reached the tracepoint with the context CTX, in a system call.
 * The arguments lie on the stack, and an interrupt has a stack of its own, except on x86 when it
 * interrupted user space. (The interrupt count would tell too, but kernels without
 * CONFIG_KALLSYMS_ALL do not export the per-CPU variable.) A kernel thread acts for others:
 * ksoftirqd runs soft interrupts. */
static __always_inline bool in_own_call(void *ctx)
{
	u64 task = (u64)bpf_get_current_task(), at = 0;

	bpf_probe_read_kernel(&at, sizeof(at), &ctx);
	if (kread(task, task_struct, flags) & PF_KTHREAD)
		return false;
	return at - kread(task, task_struct, stack) < STACK_BYTES && system_call(task) >= 0;
}

/* Stores the id of the current thread in RET. Returns false, after counting the event, if a filter
 * leaves it out or its definition found no room. */
static __always_inline bool keep_owned(enum stream stream, u64 *ret)
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

/* Events without an owner (interrupts) match no filter of threads: counts them as filtered if there
 * is one. */
static __always_inline bool keep_unowned(enum stream stream)
{
	if (!owner_filtered())
		return true;
	count_filtered(stream);
	return false;
}

#endif
