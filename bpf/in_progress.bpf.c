// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Calls in progress, as on_sys_enter() has noted them for each thread. This is an iterator that
 * user space runs when needed; it is attached to no hook. */
#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_paths.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"

/* Whether the call acts on an open file, whose descriptor is an argument. */
static __always_inline bool takes_fd(const volatile struct syscall_desc *d)
{
	return d->fd && d->shape != SHAPE_PATH && d->shape != SHAPE_OPEN;
}

/* Writes a struct call_in_progress for each thread that is in a recorded call. */
SEC("iter/task")
int tell_calls(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	const volatile struct syscall_desc *d;
	struct call_in_progress call = {};
	struct task_state *state;
	u64 at = (u64)task;

	state = task ? state_of(task, false) : 0;
	if (!state || !state->armed)
		return 0;
	d = describe(state->nr, state->compat);
	if (!d)
		return 0;
	call.pid = kread(at, task_struct, tgid);
	call.tid = kread(at, task_struct, pid);
	bpf_probe_read_kernel(call.comm, sizeof(call.comm), (void *)kaddr(at, task_struct, comm));
	call.enter_ns = state->enter_ns;
	call.stream = state->stream;
	call.op = d->op;
	call.fd = takes_fd(d) ? (s32)arg(state, d->fd) : -1;
	if (d->shape == SHAPE_PATH || d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC) {
		call.dir_fd = d->fd ? (s32)arg(state, d->fd) : AT_FDCWD;
		call.text_len = state->paths == PATHS_SHORT ? state->own.rec.len :
				state->paths == PATHS_TEXT && state->text_bytes > 0 ?
							      state->text_bytes - 1 :
							      0;
		bpf_probe_read_kernel(call.text, sizeof(call.text), state->own.requested);
	}
	bpf_seq_write(ctx->meta->seq, &call, sizeof(call));
	return 0;
}
