/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sending the short record of a call. */
#ifndef IOTRC_BPF_CALL_SHORT_H
#define IOTRC_BPF_CALL_SHORT_H

#include "bpf/abi.h"
#include "bpf/call_fill.h"
#include "bpf/call_group.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/lane.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/sums.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

/* Sums up the call, which has been counted. */
static __always_inline void sum_short(struct task_state *state,
				      const volatile struct syscall_desc *d)
{
	u64 duration = state->exit_ns - state->enter_ns, what, size;

	what = SUM_WHAT(STREAM_FS, d->op, duration != DURATION_UNKNOWN, 0) | SUM_IS_CALL |
	       (d->props & PROP_BYTES ? SUM_HAS_BYTES : 0);
	if (cfg.sums & SUM_BY_SIZE && requested_size(state, d, &size))
		what |= SUM_SIZE(size_class(size));
	sum_call(state, what, duration, state->path);
}

/* Writes the record straight into the lane or the ring, or sums it up. Without room there, the call
 * counts as lost. */
static __always_inline void emit_short(struct task_state *state,
				       const volatile struct syscall_desc *d)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	void *ring = 0;
	struct rec_fs *rec;
	u64 seen;

	if (leave_out_ended(STREAM_FS, error_of(state->ret), state->exit_ns - state->enter_ns))
		return;
	seen = count_seen(slot, STREAM_FS);
	if (cfg.sums) {
		sum_short(state, d);
		return;
	}
	if (cfg.lane_records) {
		rec = lane_reserve(slot, cpu);
	} else {
		ring = bpf_map_lookup_elem(&rings, &cpu);
		rec = ring && !crowded(ring, slot, STREAM_FS, seen) ?
			      bpf_ringbuf_reserve(ring, sizeof(*rec), 0) :
			      0;
	}
	if (!rec) {
		count_lost(slot, STREAM_FS, state->exit_ns);
		return;
	}
	fill(rec, state, d);
	fill_extent(rec, state, d);
	if (cfg.lane_records)
		lane_put(slot, cpu, seen, 1);
	else
		bpf_ringbuf_submit(rec, submit_flags(ring, seen));
}

/* Sends the record REC, which is complete, where nothing can have interrupted emit_short(). */
static __always_inline void send_short(const struct rec_fs *rec)
{
	struct cpu_slot *slot;
	struct rec_fs *place;
	u64 seen;
	u32 cpu;

	if (!cfg.lane_records || cfg.sums) {
		output((void *)rec, sizeof(*rec), STREAM_FS, rec->ns);
		return;
	}
	if (leave_out_ended(STREAM_FS, error_of(rec->ret), rec->duration))
		return;
	slot = cpu_slot(&cpu);
	seen = count_seen(slot, STREAM_FS);
	place = lane_reserve(slot, cpu);
	if (!place) {
		count_lost(slot, STREAM_FS, rec->ns);
		return;
	}
	*place = *rec;
	lane_put(slot, cpu, seen, 1);
}

/* The same, out of line: rarer calls must not take stack from the hot path. */
__subprog int emit_short_apart(struct task_state *state, const volatile struct syscall_desc *d)
{
	if (state && d)
		emit_short(state, d);
	return 0;
}

#endif
