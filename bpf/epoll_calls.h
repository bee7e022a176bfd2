/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Waiting for file descriptors: epoll, poll, select. */
#ifndef IOTRC_BPF_EPOLL_CALLS_H
#define IOTRC_BPF_EPOLL_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/helpers.h"
#include "bpf/rings.h"
#include "bpf/syscall_args.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

#define NANOSECONDS 1000000000LL

/* How long the call is to wait, of which select() and its kin leave but the rest when they
 * return. */
static __always_inline s64 timeout_ns(const struct task_state *state, u64 argument, u8 kind)
{
	s64 parts[2] = {};

	if (kind == KIND_MILLISECONDS)
		return (s32)argument < 0 ? TIMEOUT_NEVER : (s32)argument * 1000000LL;
	if (!argument)
		return TIMEOUT_NEVER;
	if (state->compat && kind != KIND_TIMESPEC64) {
		s32 halves[2];

		if (uread(halves, sizeof(halves), argument))
			return TIMEOUT_UNKNOWN;
		parts[0] = halves[0];
		parts[1] = halves[1];
	} else if (uread(parts, sizeof(parts), argument)) {
		return TIMEOUT_UNKNOWN;
	}
	return parts[0] * NANOSECONDS + (kind == KIND_TIMEVAL ? parts[1] * 1000 : parts[1]);
}

static __always_inline enum verdict enter_epoll(struct task_state *state,
						const volatile struct syscall_desc *d)
{
	if (d->props & PROP_ARGS_AT && !args_at(state, state->args[0]))
		return VERDICT_FILTERED;
	if (d->kind)
		state->base[0] = timeout_ns(state, arg(state, d->aux), d->kind);
	return VERDICT_TRACE;
}

/* ARGUMENTS are those of the places in DESC; the timeout, noted on entry, is in base[0], which
 * paths alone have another use for. */
static __always_inline int emit_epoll(struct task_state *state,
				      const volatile struct syscall_desc *d, u64 fd, u64 size,
				      u64 operation, u64 target, u64 aux)
{
	struct rec_epoll *rec;
	u64 flags;

	rec = reserve(STREAM_NW_EPOLL, sizeof(*rec), state->exit_ns, &flags);
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_EPOLL;
	rec->op = d->op;
	rec->ns = state->exit_ns;
	rec->duration = state->exit_ns - state->enter_ns;
	rec->task = state->id;
	rec->ret = state->ret;
	rec->fd = d->op == POLL_CREATE ? state->ret : fd;
	rec->max = size;
	if (d->op == POLL_CTL) {
		rec->operation = operation;
		rec->target = target;
		/* EPOLL_CTL_DEL has no need of it. */
		rec->has_events = aux && !uread(&rec->events, sizeof(rec->events), aux);
	} else if (d->op != POLL_CREATE) {
		rec->timeout_ns = state->base[0];
	}
	bpf_ringbuf_submit(rec, flags);
	return 0;
}

#endif
