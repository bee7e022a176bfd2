/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call's arguments, and what is decided about it. A call is a system call, or a request to
 * io_uring or kernel AIO put into the form of one. */
#ifndef IOTRC_BPF_CALL_H
#define IOTRC_BPF_CALL_H

#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/task.h"
#include "bpf/task_state.h"
#include "schema/streams.h"

/* PLACE is an ARG(), or 0: the argument there, or 0. */
static __always_inline u64 arg(const struct task_state *state, u8 place)
{
	return state->args[(place - 1) & 7];
}

/* The same of an argument that may come in HALVES. */
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
	VERDICT_LOST,     /* there is no room for a definition */
	VERDICT_IGNORE,   /* no operation of any stream */
	VERDICT_SHED,     /* left out on purpose, under overload */
};

/* Whether the calls of TASK are recorded; STATE is brought up to date. */
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

/* Counts what VERDICT keeps from becoming a row. */
static __always_inline void count_verdict(enum verdict verdict, enum stream stream)
{
	if (verdict == VERDICT_FILTERED)
		count_filtered(stream);
	else if (verdict == VERDICT_LOST)
		lose(stream, bpf_ktime_get_ns());
	else if (verdict == VERDICT_SHED)
		count_shed(stream);
}

/* The record that remains to be made of a call. One place makes each kind: the verifier goes
 * through it as often as there are calls to it. */
enum remains { REMAINS_NONE, REMAINS_SHORT, REMAINS_PATH };

#endif
