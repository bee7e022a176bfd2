/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The beginning of a system call: prepares the state of its thread, and reads what will be
 * needed. */
#ifndef IOTRC_BPF_SYSCALL_START_H
#define IOTRC_BPF_SYSCALL_START_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/syscall_args.h"
#include "bpf/syscall_enter.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/fs_ops.h"
#include "schema/streams.h"
#include "schema/types.h"

/* A bit for each fs operation that is left out under overload; set by user space. */
volatile u64 shed_ops = 0;

static __always_inline bool is_shed(const volatile struct syscall_desc *d)
{
	u64 ops = shed_ops;

	return ops && d->stream == STREAM_FS && ops >> (d->op & 63) & 1;
}

static __always_inline void begin_call(struct task_state *state, long nr, bool compat,
				       const volatile struct syscall_desc *d)
{
	state->armed = 0;
	state->nr = nr;
	state->compat = compat;
	state->stream = d->stream & (STREAM_SLOTS - 1);
	state->file = state->path = state->is_socket = state->no_args = 0;
	state->has_given = state->has_how = state->copied = state->found = 0;
	state->base[0] = state->base[1] = 0;
	state->begun = state->met = 1;
	state->call_epoch = epoch;
	state->stopped_nr = 0;
	state->refused = 0;
	state->renames = !(d->props & PROP_NAMES) ? RENAMES_NOT :
			 d->op == FS_RENAME       ? RENAMES :
						    MOUNTS;
}

/* Decides whether the call whose arguments are in STATE gets a record, and counts it if it does
 * not. */
static __always_inline void start_call(struct task_state *state, struct task_struct *task,
				       const volatile struct syscall_desc *d)
{
	enum verdict verdict;

	if (state->compat && d->shape == SHAPE_SOCKETCALL) {
		d = become_socketcall(state) ? describe(state->nr, true) : 0;
		if (!d || d->shape == SHAPE_NONE)
			return;
		state->stream = d->stream & (STREAM_SLOTS - 1);
	}
	verdict = caller_verdict(state, task);
	if (verdict == VERDICT_TRACE)
		verdict = is_shed(d) ? VERDICT_SHED : enter(state, task, d);
	if (verdict == VERDICT_TRACE) {
		state->armed = 1;
		state->enter_ns = bpf_ktime_get_ns();
	} else if (d->shape != SHAPE_AIO && d->shape != SHAPE_DUP) { /* no operations themselves */
		count_verdict(verdict, state->stream);
	}
}

#endif
