/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bios that a limit (io.max, blkio.throttle) holds back: a worker of the kernel submits them
 * later. */
#ifndef IOTRC_BPF_EXTENT_HELD_H
#define IOTRC_BPF_EXTENT_HELD_H

#include "bpf/abi.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

/* enum bio_maker by the address of the function that is called at the end of a bio or a buffer, and
 * MAKER_HELD by that of a worker's work. User space fills it from the kernel's symbols. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAKERS_MAX);
	__type(key, u64);
	__type(value, u32);
} makers SEC(".maps");

static __always_inline u32 maker_of_function(u64 address)
{
	u32 *maker = bpf_map_lookup_elem(&makers, &address);

	return maker ? *maker : MAKER_OTHER;
}

/* Whether the current thread is the worker that submits bios which were held back. */
static __always_inline bool submits_held(void)
{
	struct task_struct *task = current_task();
	u64 kthread, worker;

	if (!(task_read(task, flags) & PF_WQ_WORKER))
		return false;
	kthread = bpf_core_field_exists(struct task_struct, worker_private) ?
			  task_number(task, worker_private) :
			  task_number(task, set_child_tid);
	worker = kread(kthread, kthread, data);
	return maker_of_function(kread(worker, worker, current_func)) == MAKER_HELD;
}

#endif
