/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of sockets. */
#ifndef IOTRC_BPF_SOCKOPT_CALLS_H
#define IOTRC_BPF_SOCKOPT_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

/* Keeps the value to be set, as the address of a connect(). */
static __always_inline enum verdict enter_sockopt(struct task_state *state,
						  const volatile struct syscall_desc *d)
{
	u32 len = state->args[4];

	if (len > SOCKOPT_BYTES)
		len = SOCKOPT_BYTES;
	state->text_bytes = -1;
	if (d->op == SOCKOPT_SET && !uread(state->own.requested, len, state->args[3]))
		state->text_bytes = len;
	return VERDICT_TRACE;
}

static __always_inline int emit_sockopt(struct task_state *state,
					const volatile struct syscall_desc *d)
{
	u32 len = state->args[4];
	struct rec_sockopt *rec;
	u64 flags;

	if (leave_out_ended(STREAM_NW_SOCKOPT, error_of(state->ret), DURATION_UNKNOWN))
		return 0;
	rec = reserve(STREAM_NW_SOCKOPT, sizeof(*rec), state->exit_ns, &flags);
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_SOCKOPT;
	rec->op = d->op;
	rec->ns = state->exit_ns;
	rec->task = state->id;
	rec->ret = state->ret;
	rec->fd = state->args[0];
	rec->level = state->args[1];
	rec->name = state->args[2];
	/* getsockopt() writes the length together with the value. */
	if (d->op == SOCKOPT_GET && (state->ret < 0 || uread(&len, sizeof(len), state->args[4])))
		len = 0;
	rec->no_args = state->no_args;
	rec->len = len;
	if (len > SOCKOPT_BYTES)
		len = SOCKOPT_BYTES;
	/* The kernel may read less than the length given, and the memory behind may be unmapped. */
	if (state->text_bytes >= 0) {
		bpf_probe_read_kernel(rec->value, len, state->own.requested);
	} else if (uread(rec->value, len, state->args[3])) {
		rec->no_value = 1;
		if (state->ret < 0)
			rec->len = 0;
	} else {
		rec->late = d->op == SOCKOPT_SET;
	}
	deliver(rec, flags);
	return 0;
}

#endif
