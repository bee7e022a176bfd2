/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Waiting for file descriptors: epoll, poll, select. */
#ifndef IOTRC_BPF_EPOLL_CALLS_H
#define IOTRC_BPF_EPOLL_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/syscall_args.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

#define EPOLL_CTL_DEL 2 /* include/uapi/linux/eventpoll.h */

#define NANOSECONDS 1000000000ULL
#define MICROSECONDS 1000000ULL
#define TIMEOUT_MAX (~0ULL >> 1) /* KTIME_MAX: longer times are cut to it by the kernel */

/* SECONDS and NANOS in nanoseconds; TIMEOUT_UNKNOWN if they are not a valid time
 * (timespec64_valid() of include/linux/time64.h): the call fails then. */
static __always_inline s64 time_ns(s64 seconds, s64 nanos)
{
	if (seconds < 0 || (u64)nanos >= NANOSECONDS)
		return TIMEOUT_UNKNOWN;
	return (u64)seconds >= TIMEOUT_MAX / NANOSECONDS ? TIMEOUT_MAX :
							   (u64)seconds * NANOSECONDS + nanos;
}

/* How long the call may wait. Read on entry: select() and its kin overwrite the timeout with the
 * time left. */
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
	if (kind != KIND_TIMEVAL)
		return time_ns(parts[0], parts[1]);
	/* As in poll_select_set_timeout(), microseconds may exceed a second. */
	if (parts[1] < 0)
		return TIMEOUT_UNKNOWN;
	return time_ns(parts[0] + (u64)parts[1] / MICROSECONDS,
		       (u64)parts[1] % MICROSECONDS * 1000);
}

static __always_inline enum verdict enter_epoll(struct task_state *state,
						const volatile struct syscall_desc *d)
{
	if (d->props & PROP_ARGS_AT && !args_at(state, state->args[0]))
		state->base[0] = TIMEOUT_UNKNOWN;
	else if (d->kind)
		state->base[0] = timeout_ns(state, arg(state, d->aux), d->kind);
	else if (d->op == POLL_CTL)
		state->has_given = !uread(&state->given, sizeof(u32), arg(state, d->aux));
	return VERDICT_TRACE;
}

/* The arguments are passed by value, since io_uring has them elsewhere. base[0], which only calls
 * with paths use otherwise, holds the timeout that was read on entry. */
static __always_inline int emit_epoll(struct task_state *state,
				      const volatile struct syscall_desc *d, u64 fd, u64 size,
				      u64 operation, u64 target, u64 aux)
{
	struct rec_epoll *rec;
	u64 flags, duration = state->exit_ns - state->enter_ns;

	if (leave_out_ended(STREAM_NW_EPOLL, error_of(state->ret), duration))
		return 0;
	rec = reserve(STREAM_NW_EPOLL, sizeof(*rec), state->exit_ns, &flags);
	if (!rec)
		return 0;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_EPOLL;
	rec->op = d->op;
	rec->ns = state->exit_ns;
	rec->duration = duration;
	rec->task = state->id;
	rec->ret = state->ret;
	rec->fd = d->op == POLL_CREATE ? state->ret : fd;
	rec->max = d->op == POLL_POLL ? (u64)(u32)size : (u64)(s64)(s32)size;
	rec->no_args = state->no_args;
	if (d->op == POLL_CTL) {
		rec->operation = operation;
		rec->target = target;
		/* EPOLL_CTL_DEL ignores it (ep_op_has_event() of fs/eventpoll.c). */
		rec->late = !state->has_given;
		if (!state->has_given)
			state->has_given = !uread(&state->given, sizeof(u32), aux);
		rec->has_events = (u32)operation != EPOLL_CTL_DEL && aux && state->has_given;
		rec->late &= rec->has_events;
		if (rec->has_events)
			rec->events = state->given;
	} else if (d->op != POLL_CREATE) {
		rec->timeout_ns = state->base[0];
	}
	deliver(rec, flags);
	return 0;
}

#endif
