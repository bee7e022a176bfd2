/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lanes: a cheaper way than the rings for the records of calls on files. */
#ifndef IOTRC_BPF_LANE_H
#define IOTRC_BPF_LANE_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

/* A lane is an array per CPU that is written in place; cpu_slot.lane_put says how many places are
 * valid. A short record takes one place, a longer one several in a row, from the lane's end on to
 * its beginning. A ring buffer costs 25 ns more, for its lock and for the exchange of the record
 * header. A lane needs programs that nothing can interrupt, no writes in interrupts, and stores
 * that other CPUs see in order, as on x86. (arm64 would need a store-release, which BPF has since
 * 6.15.) Elsewhere cfg.lane_records is 0 and all records go through the rings. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64); /* resized by user space */
	__type(key, u32);
	__type(value, struct rec_fs);
} lanes SEC(".maps");

/* Whether N more places are free. */
static __always_inline bool lane_has(struct cpu_slot *slot, u32 n)
{
	u64 put = slot->lane_put;

	if (slot->lane_limit - put >= n)
		return true;
	slot->lane_limit = slot->lane_taken + cfg.lane_records;
	return slot->lane_limit - put >= n;
}

/* The place for position AT in the lane of CPU. */
static __always_inline struct rec_fs *lane_place(u32 cpu, u64 at)
{
	u32 n = cfg.lane_records, index = cpu * n + (at & (n - 1));

	return bpf_map_lookup_elem(&lanes, &index);
}

/* The place of the next record in the lane of CPU; NULL if the lane is full. */
static __always_inline struct rec_fs *lane_reserve(struct cpu_slot *slot, u32 cpu)
{
	u64 put = slot->lane_put;

	if (put == slot->lane_limit) {
		slot->lane_limit = slot->lane_taken + cfg.lane_records;
		if (put == slot->lane_limit)
			return 0;
	}
	return lane_place(cpu, put);
}

/* Publishes the record in the next N places. SEEN is what count_seen() returned. User space polls
 * only the ring, so a nearly full lane wakes it through that. */
static __always_inline void lane_put(struct cpu_slot *slot, u32 cpu, u64 seen, u32 n)
{
	void *ring, *nothing;

	asm volatile("" ::: "memory");
	slot->lane_put += n;
	if (seen % HIGH_WATER_CHECK || slot->lane_put - slot->lane_taken <= cfg.lane_records / 4)
		return;
	ring = bpf_map_lookup_elem(&rings, &cpu);
	nothing = ring ? bpf_ringbuf_reserve(ring, 8, 0) : 0;
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/* Counts a call and puts its record, of SIZE bytes, into the lane, unless a filter of results
 * leaves it out. */
static __always_inline int lane_write(const struct lane_record *rec, u32 size)
{
	u32 cpu, n = (size + sizeof(struct rec_fs) - 1) / sizeof(struct rec_fs);
	struct cpu_slot *slot = cpu_slot(&cpu);
	const struct rec_fs *head = &rec->places[0];
	struct rec_fs *place;
	u64 seen, i;

	if (leave_out_ended(STREAM_FS, error_of(head->ret), head->duration))
		return 0;
	seen = count_seen(slot, STREAM_FS);
	if (!lane_has(slot, n)) {
		count_lost(slot, STREAM_FS, head->ns);
		return 0;
	}
	for (i = 0; i < LANE_PLACES && i < n; i++) {
		place = lane_place(cpu, slot->lane_put + i);
		if (!place)
			break;
		*place = rec->places[i];
	}
	lane_put(slot, cpu, seen, n);
	return 0;
}

/* The same as a function of its own. */
__subprog int lane_send(struct lane_record *rec, u32 size)
{
	return rec ? lane_write(rec, size) : 0;
}

#endif
