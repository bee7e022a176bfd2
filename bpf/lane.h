/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lanes: a cheaper way than the rings for the short records of the most frequent calls. */
#ifndef IOTRC_BPF_LANE_H
#define IOTRC_BPF_LANE_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/types.h"

/* A lane is an array per CPU that is written in place; cpu_slot.lane_put says how many records are
 * valid. A ring buffer costs 25 ns more, for its lock and for the exchange of the record header. A
 * lane needs programs that nothing can interrupt, no writes in interrupts, and stores that other
 * CPUs see in order, as on x86. (arm64 would need a store-release, which BPF has since 6.15.)
 * Elsewhere cfg.lane_records is 0 and all records go through the rings. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64); /* resized by user space */
	__type(key, u32);
	__type(value, struct rec_fs);
} lanes SEC(".maps");

/* The place of the next record in the lane of CPU; NULL if the lane is full. */
static __always_inline struct rec_fs *lane_reserve(struct cpu_slot *slot, u32 cpu)
{
	u32 n = cfg.lane_records, at;
	u64 put = slot->lane_put;

	if (put == slot->lane_limit) {
		slot->lane_limit = slot->lane_taken + n;
		if (put == slot->lane_limit)
			return 0;
	}
	at = cpu * n + (put & (n - 1));
	return bpf_map_lookup_elem(&lanes, &at);
}

/* Publishes the record at lane_reserve(). SEEN is what count_seen() returned. User space polls only
 * the ring, so a nearly full lane wakes it through that. */
static __always_inline void lane_put(struct cpu_slot *slot, u32 cpu, u64 seen)
{
	void *ring, *nothing;

	asm volatile("" ::: "memory");
	slot->lane_put++;
	if (seen % HIGH_WATER_CHECK || slot->lane_put - slot->lane_taken <= cfg.lane_records / 4)
		return;
	ring = bpf_map_lookup_elem(&rings, &cpu);
	nothing = ring ? bpf_ringbuf_reserve(ring, 8, 0) : 0;
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

#endif
