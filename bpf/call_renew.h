/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that last longer than user space keeps the definitions that were sent when they began. */
#ifndef IOTRC_BPF_CALL_RENEW_H
#define IOTRC_BPF_CALL_RENEW_H

#include "bpf/call.h"
#include "bpf/call_paths.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"

/* The name of the file that the call acts on. It may have been closed meanwhile: then it has none,
 * unless its memory still says the same. */
static __always_inline enum verdict renew_file(struct task_state *state, struct task_struct *task,
					       const volatile struct syscall_desc *d)
{
	s32 fd = d->shape == SHAPE_PATH ? state->at_fd[0] : (s32)arg(state, d->fd);
	u64 id = state->file ? file_path_id(state->recent, state->file) : base_at(state, AT_FDCWD);

	if (!id || id == NOT_DEFINED)
		return VERDICT_LOST;
	if (state->file && id != state->path && task_file(task, fd) != state->file)
		id = 0;
	state->path = id;
	return VERDICT_TRACE;
}

/* The name of the file that the call writes to, besides the one that it reads. */
static __always_inline enum verdict renew_second(struct task_state *state, struct task_struct *task,
						 const volatile struct syscall_desc *d)
{
	u64 out = task_file(task,
			    (s32)(d->shape == SHAPE_IOCTL ? arg(state, 1) : arg(state, d->fd2)));

	state->base[1] = out ? file_path_id(state->recent, out) : 0;
	return out && !state->base[1] ? VERDICT_LOST : VERDICT_TRACE;
}

/* The directories that the paths of the call are relative to. */
static __always_inline enum verdict renew_bases(struct task_state *state)
{
	struct rec_fs_long *rec = &state->own.rec;

	if (rec->base)
		rec->base = base_at(state, state->at_fd[0]);
	if (rec->base2)
		rec->base2 = base_at(state, state->at_fd[1]);
	return rec->base == NOT_DEFINED || rec->base2 == NOT_DEFINED ? VERDICT_LOST : VERDICT_TRACE;
}

/* Sends again what the call in progress refers to. A global function: the verifier goes through it
 * once. Returns an enum verdict. */
__noinline int renew_call(void)
{
	struct task_struct *task = current_task();
	struct task_state *state = current_state(false);
	const volatile struct syscall_desc *d;
	enum verdict verdict;

	if (!state)
		return VERDICT_LOST;
	d = describe(state->nr, state->compat);
	if (!d)
		return VERDICT_IGNORE;
	verdict = caller_verdict(state, task);
	if (verdict == VERDICT_TRACE && state->path)
		verdict = renew_file(state, task, d);
	if (verdict == VERDICT_TRACE && state->base[1])
		verdict = renew_second(state, task, d);
	if (verdict == VERDICT_TRACE && d->shape == SHAPE_PATH)
		verdict = renew_bases(state);
	state->call_epoch = epoch;
	return verdict;
}

#endif
