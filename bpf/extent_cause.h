/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a bio is submitted: what the submitting thread is doing. */
#ifndef IOTRC_BPF_EXTENT_CAUSE_H
#define IOTRC_BPF_EXTENT_CAUSE_H

#include "bpf/abi.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_args.h"
#include "bpf/syscall_number.h"
#include "bpf/task_state.h"
#include "schema/records.h"

/* enum extent_cause of writes by a system call, by its number: native, 32-bit. */
const volatile u8 call_causes[2][MAX_SYSCALLS] = {};

#define NO_CALL ((u32)-1) /* of registers that an exception has saved */

/* The cause by the system call of the current thread; CAUSE_FAULT if it is in none. */
static __always_inline u32 cause_of_call(void)
{
	struct task_struct *task = current_task();
	u64 regs;
	u32 nr;

	if (task_read(task, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return CAUSE_UNKNOWN;
	regs = stacked_registers(task_address(task));
	if (!regs)
		return CAUSE_UNKNOWN;
	nr = number_in(regs);
	if (nr == NO_CALL)
		return CAUSE_FAULT;
	if (nr >= MAX_SYSCALLS)
		return CAUSE_UNKNOWN;
	return call_causes[is_compat(task)][opaque(nr) & (MAX_SYSCALLS - 1)];
}

/* The cause of pages that the current thread writes. */
static __always_inline u32 cause_of_write(void)
{
	struct task_struct *task = current_task();
	struct task_state *state = current_state(false);
	u32 cause;

	if (state && state->writeback)
		return state->writeback < CAUSES ? state->writeback : CAUSE_UNKNOWN;
	if (task_read(task, flags) & PF_MEMALLOC || task_pointer(task, reclaim_state))
		return CAUSE_MEMORY;
	cause = cause_of_call();
	return cause == CAUSE_FAULT ? CAUSE_UNKNOWN : cause;
}

/* ---- flushers ---- */

/* The request to a flusher, by the address of its struct wb_writeback_work: the flusher does not
 * know which call waits for it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, u32);
} works SEC(".maps");

static __always_inline int work_queued(u64 work)
{
	u32 cause = cause_of_call();

	if (cause == CAUSE_UNMOUNT)
		bpf_map_update_elem(&works, &work, &cause, BPF_ANY);
	else
		bpf_map_delete_elem(&works, &work);
	return 0;
}

static __always_inline u32 cause_of_work(u64 work)
{
	u32 reason = (u32)kread(work, wb_writeback_work, reason), *known;

	if (reason == bpf_core_enum_value(enum wb_reason, WB_REASON_BACKGROUND))
		return CAUSE_BACKGROUND;
	if (reason == bpf_core_enum_value(enum wb_reason, WB_REASON_VMSCAN))
		return CAUSE_MEMORY;
	if (reason == bpf_core_enum_value(enum wb_reason, WB_REASON_PERIODIC))
		return CAUSE_EXPIRY;
	if (reason != bpf_core_enum_value(enum wb_reason, WB_REASON_SYNC))
		return CAUSES; /* another reason: the thread is a flusher nevertheless */
	known = bpf_map_lookup_elem(&works, &work);
	return known ? *known : CAUSE_SYNC;
}

static __always_inline int work_begun(u64 work)
{
	struct task_state *state = current_state(true);

	if (state)
		state->writeback = cause_of_work(work);
	return 0;
}

static __always_inline int work_ended(void)
{
	struct task_state *state = current_state(false);

	if (state)
		state->writeback = 0;
	return 0;
}

#endif
