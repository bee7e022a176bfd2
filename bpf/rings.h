/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rings of events, one per CPU. */
#ifndef IOTRC_BPF_RINGS_H
#define IOTRC_BPF_RINGS_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/sums.h"
#include "schema/streams.h"
#include "schema/types.h"

struct event_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One ring per CPU; user space creates them and chooses their size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__array(values, struct event_ring);
} rings SEC(".maps");

/* User space looks at the rings by a timer. A ring that is a quarter full wakes it earlier; asking
 * how full it is costs, so it is asked once in this many events. */
#define HIGH_WATER_CHECK 256

static __always_inline u64 submit_flags(void *ring, u64 seen)
{
	if (seen % HIGH_WATER_CHECK == 0 &&
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > cfg.ring_bytes / 4)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* Whether a ring that is seven eighths full keeps the rest for the streams that are not in bulk.
 * Asked once in HIGH_WATER_CHECK events, too: until then the last answer holds. */
static __always_inline bool crowded(void *ring, struct cpu_slot *slot, enum stream stream, u64 seen)
{
	if (!(BULK_STREAMS >> stream & 1))
		return false;
	if (seen % HIGH_WATER_CHECK == 0)
		slot->crowded = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >
				cfg.ring_bytes - cfg.ring_bytes / 8;
	return slot->crowded;
}

/* Counts an event of STREAM and reserves its record of SIZE bytes, a constant. Returns NULL if
 * there is no room; the event has been counted as lost then. FLAGS are to be passed to
 * deliver(). */
static __always_inline void *reserve(enum stream stream, u32 size, u64 now, u64 *ret_flags)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	u64 seen = count_seen(slot, stream);
	void *ring, *rec;

	if (cfg.sums) {
		*ret_flags = 0;
		return sum_enter();
	}
	ring = bpf_map_lookup_elem(&rings, &cpu);
	rec = ring && !crowded(ring, slot, stream, seen) ? bpf_ringbuf_reserve(ring, size, 0) : 0;
	if (!rec) {
		count_lost(slot, stream, now);
		return 0;
	}
	*ret_flags = submit_flags(ring, seen);
	return rec;
}

/* Sends a record that reserve() has returned. */
static __always_inline void deliver(void *rec, u64 flags)
{
	if (!cfg.sums) {
		bpf_ringbuf_submit(rec, flags);
		return;
	}
	sum_record(rec);
	sum_leave();
}

/* Takes back a record of STREAM that reserve() has returned, which then was not seen. */
static __always_inline void withdraw(void *rec, enum stream stream)
{
	u32 cpu;

	__sync_fetch_and_add(&counts_of(cpu_slot(&cpu), stream)->seen, (u64)-1);
	if (cfg.sums)
		sum_leave();
	else
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
}

/* Counts an event of STREAM, fs or nw_conn, and sends its record, unless a filter of results leaves
 * it out. */
static __always_inline void output(void *rec, u32 size, enum stream stream, u64 now)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	void *ring;
	u64 seen;

	if (stream == STREAM_FS) {
		const struct rec_fs *fs = rec;

		if (leave_out_ended(stream, error_of(fs->ret), fs->duration))
			return;
	} else {
		const struct rec_conn *conn = rec;

		if (leave_out_ended(stream, error_of(conn->ret), conn->duration))
			return;
	}
	seen = count_seen(slot, stream);
	if (cfg.sums) {
		if (stream == STREAM_FS)
			sum_fs(rec);
		else
			sum_conn(rec);
		return;
	}
	ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring || crowded(ring, slot, stream, seen) ||
	    bpf_ringbuf_output(ring, rec, size, submit_flags(ring, seen)))
		count_lost(slot, stream, now);
}

#endif
