/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entry of a system call: what it is about, and whether it is recorded. */
#ifndef IOTRC_BPF_SYSCALL_ENTER_H
#define IOTRC_BPF_SYSCALL_ENTER_H

#include "abi.h"
#include "aio.h"
#include "call.h"
#include "current.h"
#include "epoll_calls.h"
#include "fd_calls.h"
#include "file.h"
#include "helpers.h"
#include "kernel_types.h"
#include "lock_calls.h"
#include "mapping_calls.h"
#include "path_calls.h"
#include "process_calls.h"
#include "syscall_table.h"
#include "task_state.h"
#include "two_file_calls.h"

/* The calls that are rare enough to look up the thread a second time. A global function: the verifier
 * goes through it once, and apart from the rest. */
__noinline int enter_rare(void)
{
	struct task_struct *task = current_task();
	const volatile struct syscall_desc *d;
	struct task_state *state = current_state(false);

	if (!state)
		return VERDICT_LOST;
	d = describe(state->nr, state->compat);
	if (!d)
		return VERDICT_IGNORE;
	switch (d->shape) {
	case SHAPE_MMAP:
		return enter_mmap(state, task, d);
	case SHAPE_RANGE:
		return enter_range(state);
	case SHAPE_PATH:
		return enter_path(state, d);
	case SHAPE_FORK:
		return enter_fork(state, d);
	case SHAPE_TWO_FILES:
		return take_two_files(state, task_file(task, (s32)arg(state, d->fd)),
				      task_file(task, (s32)arg(state, d->fd2)));
	case SHAPE_IOCTL:
		return enter_ioctl(state, task);
	case SHAPE_FCNTL:
		return enter_fcntl(state, task);
	case SHAPE_AIO:
		return enter_aio(state, d->path);
	case SHAPE_EPOLL:
		return enter_epoll(state, d);
	}
	return VERDICT_TRACE;
}

static __always_inline enum verdict enter(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_desc *d)
{
	if (d->shape == SHAPE_FD)
		return enter_fd(state, task, d);
	if (d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC || d->shape == SHAPE_CONN ||
	    (d->shape == SHAPE_PATH && !(d->props & PROP_BASE_FIRST)))
		return VERDICT_TRACE;
	return enter_rare();
}

#endif
