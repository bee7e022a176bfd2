/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork() and exec(). */
#ifndef IOTRC_BPF_PROCESS_CALLS_H
#define IOTRC_BPF_PROCESS_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/path_calls.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/streams.h"

#define CLONE_THREAD 0x00010000

/* A new thread is not a new process. clone3() has its flags in memory, which may not be resident
 * yet: then exit_fork() reads them. */
static __always_inline enum verdict enter_fork(struct task_state *state,
					       const volatile struct syscall_desc *d)
{
	u64 flags = arg(state, d->aux);

	state->child = 0;
	state->has_how = !(d->props & PROP_CLONE3) || !uread(&flags, sizeof(flags), state->args[0]);
	return state->has_how && flags & CLONE_THREAD ? VERDICT_IGNORE : VERDICT_TRACE;
}

/* In a pid namespace fork() returns another number than the machine's, which rows have: the number
 * returned goes into the flags. */
static __always_inline enum remains exit_fork(struct task_state *state,
					      const volatile struct syscall_desc *d)
{
	u64 flags = 0;

	if (!state->has_how)
		uread(&flags, sizeof(flags), state->args[0]);
	if (flags & CLONE_THREAD)
		return REMAINS_NONE;
	state->args[0] = 0;
	if (state->ret > 0 && state->child && state->child != state->ret) {
		state->args[0] = state->ret;
		state->ret = state->child;
	}
	return REMAINS_SHORT;
}

/* The row of exec() names the binary that now runs and its arguments; if exec() failed, the path
 * that was asked for. */
__subprog enum remains exit_exec(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct task_struct *task = current_task();
	u64 exe;

	if (!state || !d)
		return REMAINS_NONE;
	if (state->ret < 0 || state->refused)
		return REMAINS_PATH;
	drop_paths(state);
	switch (task_refresh(state, task, true)) {
	case WHOM_LEFT_OUT:
		count_filtered(STREAM_FS);
		return REMAINS_NONE;
	case WHOM_LOST:
		lose(STREAM_FS, state->exit_ns);
		return REMAINS_NONE;
	default:
		exe = kread(kread(task, task_struct, mm), mm_struct, exe_file);
		if (exe)
			state->path = file_path_id(state->recent, exe);
		if (!state->path) {
			lose(STREAM_FS, state->exit_ns);
			return REMAINS_NONE;
		}
	}
	return REMAINS_SHORT;
}

#endif
