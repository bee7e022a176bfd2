/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The arguments of a call, and what is decided about it. A call is a system call, or a request to
 * io_uring or kernel AIO put into the form of one. */
#ifndef IOTRC_BPF_CALL_H
#define IOTRC_BPF_CALL_H

#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/streams.h"

/* The argument at PLACE, an ARG(); 0 if PLACE is 0. */
static __always_inline u64 arg(const struct task_state *state, u8 place)
{
	return state->args[(place - 1) & 7];
}

/* The argument at PLACE, which may come in two HALVES, the low one first. */
static __always_inline u64 arg_long_long(const struct task_state *state, u8 place, bool halves)
{
	u64 v = arg(state, place);

	if (halves)
		v = (u32)v | arg(state, place + 1) << 32;
	return v;
}

enum verdict {
	VERDICT_TRACE,
	VERDICT_FILTERED, /* a filter or the scope leaves it out */
	VERDICT_LOST,     /* a definition that it needs found no room */
	VERDICT_IGNORE,   /* not an operation of any stream */
	VERDICT_SHED,     /* left out deliberately, under overload */
};

/* Whether calls of TASK are recorded. Brings its STATE up to date. */
static __always_inline enum verdict caller_verdict(struct task_state *state,
						   struct task_struct *task)
{
	switch (task_refresh(state, task, false)) {
	case WHOM_LEFT_OUT:
		return VERDICT_FILTERED;
	case WHOM_LOST:
		return VERDICT_LOST;
	default:
		return VERDICT_TRACE;
	}
}

/* Counts an operation that VERDICT keeps from being recorded. */
static __always_inline void count_verdict(enum verdict verdict, enum stream stream)
{
	if (verdict == VERDICT_FILTERED)
		count_filtered(stream);
	else if (verdict == VERDICT_LOST)
		lose(stream, bpf_ktime_get_ns());
	else if (verdict == VERDICT_SHED)
		count_shed(stream);
}

/* The record that is still to be made. Each kind of record is made at a single place in sys_exit():
 * the verifier goes through a function once per call of it. */
enum remains { REMAINS_NONE, REMAINS_SHORT, REMAINS_PATH };

#endif
