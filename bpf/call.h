/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A call's arguments, and what is decided about it. A call is a system call, or a request to io_uring or
 * kernel AIO put into the form of one. */
#ifndef IOTRC_BPF_CALL_H
#define IOTRC_BPF_CALL_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/task_state.h"

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

enum verdict { VERDICT_TRACE, VERDICT_FILTERED, VERDICT_LOST, VERDICT_IGNORE, VERDICT_SHED };

/* The record that remains to be made of a call. One place makes each kind: the verifier goes through it as
 * often as there are calls to it. */
enum remains { REMAINS_NONE, REMAINS_SHORT, REMAINS_PATH };

#endif
