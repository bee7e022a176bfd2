/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The current thread. */
#ifndef IOTRC_BPF_CURRENT_H
#define IOTRC_BPF_CURRENT_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

/* task_struct.flags (include/linux/sched.h) */
#define PF_IO_WORKER 0x10   /* a worker of io_uring, or its polling thread */
#define PF_WQ_WORKER 0x20   /* a worker of a workqueue */
#define PF_MEMALLOC 0x800   /* allocates memory in order to free some */
#define PF_KTHREAD 0x200000 /* a kernel thread */

/* The current thread. Since 5.13 this is a pointer that the verifier trusts, and reading a field is
 * a plain load. Functions that need this take a pointer, not an address. */
static __always_inline struct task_struct *current_task(void)
{
	return has_task_storage() ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
}

/* The address of TASK as a number. TASK may be a thread other than the current one only on kernels
 * without such pointers. */
static __always_inline u64 task_address(struct task_struct *task)
{
	return has_task_storage() ? bpf_get_current_task() : (u64)task;
}

/* The integer or pointer FIELD of TASK, which current_task() has returned. */
#define task_read(task, field) \
	(has_task_storage() ? (u64)(task)->field : kread(task, task_struct, field))

/* The same for a FIELD that is a pointer. If the verifier trusts TASK, it searches all types of the
 * kernel, by name, for the type that the field points to: 0.4 ms for each such access that it
 * checks. */
#define task_pointer(task, field) \
	(FROM_6_2 ? kread((u64)(task), task_struct, field) : task_read(task, field))

/* The same as a number to compute with: the verifier refuses arithmetic on what it takes for a
 * pointer. */
#define task_number(task, field) \
	kread(FROM_6_2 ? (u64)(task) : task_address(task), task_struct, field)

#endif
