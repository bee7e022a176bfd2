/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entry of a system call: what it is about, and whether it is recorded. */
#ifndef IOTRC_BPF_SYSCALL_ENTER_H
#define IOTRC_BPF_SYSCALL_ENTER_H

#include "bpf/abi.h"
#include "bpf/aio.h"
#include "bpf/aio_end.h"
#include "bpf/call.h"
#include "bpf/call_fill.h"
#include "bpf/cfg.h"
#include "bpf/conn_calls.h"
#include "bpf/current.h"
#include "bpf/epoll_calls.h"
#include "bpf/fd_calls.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/lock_calls.h"
#include "bpf/mapping_calls.h"
#include "bpf/mount_calls.h"
#include "bpf/path_calls.h"
#include "bpf/process_calls.h"
#include "bpf/socket_end.h"
#include "bpf/sockopt_calls.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "bpf/two_file_calls.h"

/* Rarer calls look up the thread again. So this can be a global function, which the verifier goes
 * through once, separately from the rest. */
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
	case SHAPE_EXEC:
	case SHAPE_PLAIN:
		return enter_ending(state, d);
	case SHAPE_DUP:
		return enter_dup(state, task);
	case SHAPE_FORK:
		return enter_fork(state, d);
	case SHAPE_TWO_FILES:
		if (d->props & PROP_OFFSET_AT)
			fetch_given(state, d);
		return take_two_files(state, task_file(task, (s32)arg(state, d->fd)),
				      task_file(task, (s32)arg(state, d->fd2)));
	case SHAPE_IOCTL:
		return enter_ioctl(state, task);
	case SHAPE_EPOLL:
		return enter_epoll(state, d);
	case SHAPE_FSMOUNT:
		return enter_fsmount(state, d);
	case SHAPE_SOCKOPT:
		return enter_sockopt(state, d);
	}
	return VERDICT_TRACE;
}

/* Not by enter_rare(): the deepest chain of calls begins here, and 5.10 allows 512 bytes of stack
 * along a chain. */
static __always_inline enum verdict enter_aio_call(struct task_state *state,
						   const volatile struct syscall_desc *d)
{
	if (d->aux) /* io_setup() */
		return VERDICT_TRACE;
	if (d->kind == KIND_ENDS_NOTHING)
		return enter_aio(state, d->path);
	if (d->kind == KIND_ENDS_CONTEXT)
		aio_reap_all(state->args[0]);
	else
		aio_reap_process();
	return VERDICT_IGNORE;
}

static __always_inline enum verdict enter(struct task_state *state, struct task_struct *task,
					  const volatile struct syscall_desc *d)
{
	if (d->shape == SHAPE_FD)
		return enter_fd(state, task, d);
	if (d->shape == SHAPE_CONN)
		return enter_conn(state, d);
	if (d->shape == SHAPE_PATH)
		return enter_path(state, d);
	if (d->shape == SHAPE_FCNTL)
		return enter_fcntl(state, task);
	if (d->shape == SHAPE_AIO)
		return enter_aio_call(state, d);
	if (d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC) {
		enter_open(state, d);
		if (d->shape == SHAPE_OPEN)
			return VERDICT_TRACE;
		if (cfg.fs)
			aio_reap_process();
	}
	return enter_rare();
}

#endif
