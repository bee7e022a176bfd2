/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* LANE */
#ifndef IOTRC_BPF_LANE_H
#define IOTRC_BPF_LANE_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/types.h"

/* The short records of the calls that are made most have a lane on each CPU: an array, written in
 * place, in which cpu_slot.lane_put says how far it is valid. A ring buffer's lock and its exchange
 * of the record's header cost 25 ns more. It takes programs that nothing can come between, in which
 * no interrupt writes, and stores that are seen in their order: x86's. (arm64's would need a
 * store-release; BPF has it since 6.15.) Elsewhere cfg.lane_records is 0, and the rings serve
 * all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64); /* by the program to its own measure */
	__type(key, u32);
	__type(value, struct rec_fs);
} lanes SEC(".maps");

/* Room for the next record in the lane of CPU; NULL when the program hasn't taken the oldest
 * yet. */
static __always_inline struct rec_fs *lane_room(struct cpu_slot *slot, u32 cpu)
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

/* The record is whole. SEEN as for submit_flags(); the program listens to the ring alone. */
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
