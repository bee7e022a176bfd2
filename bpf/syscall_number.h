/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The registers of the call that a thread is in, and the number of the call. */
#ifndef IOTRC_BPF_SYSCALL_NUMBER_H
#define IOTRC_BPF_SYSCALL_NUMBER_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

#define STACK_BYTES 16384 /* THREAD_SIZE of x86-64 and arm64; more with KASAN */

/* Where the registers of the current thread, TASK, are on its stack; 0 if that is not known. */
static __always_inline u64 stacked_registers(u64 task)
{
	u64 ret = 0;
	void *regs;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) { /* 5.15 */
		regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
		/* As a number: the verifier lets no pointer into a global function. */
		bpf_probe_read_kernel(&ret, sizeof(ret), &regs);
		return ret;
	}
#if defined(__TARGET_ARCH_x86)
	return kread(task, task_struct, stack) + STACK_BYTES - bpf_core_type_size(struct pt_regs);
#else
	return 0;
#endif
}

/* The number of the call whose registers are REGS, an argument of a tracepoint. */
static __always_inline u32 number_of(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

static __always_inline u32 number_in(u64 regs)
{
#if defined(__TARGET_ARCH_x86)
	return kread(regs, pt_regs, orig_ax);
#else
	return kread(regs, pt_regs, syscallno);
#endif
}

#endif
