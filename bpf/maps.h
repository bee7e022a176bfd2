/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs share: rings and counters. */
#ifndef IOTRC_MAPS_H
#define IOTRC_MAPS_H

#include "kread.h"

struct cpu_slot slots[MAX_CPUS] = {};
/* Raised by the program when it forgets definitions: what was sent under an older one is sent anew. */
volatile __u32 epoch = 1;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} definitions SEC(".maps");

struct event_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One event ring a CPU, made by the program to its own measure. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__array(values, struct event_ring);
} rings SEC(".maps");

/* Until a ring is that full the reader's own timer is soon enough; asking costs, so only each
 * so many events. */
#define HIGH_WATER_CHECK 256

static __always_inline struct cpu_slot *cpu_slot(u32 *ret_cpu)
{
	u32 cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);

	*ret_cpu = cpu;
	return &slots[cpu];
}

/* Counts one, and returns how many there were before. A plain increment where nothing can come
 * between: programs on tracepoints run with preemption off, but for PREEMPT_RT, and the streams
 * that interrupts count are counted by nothing else. */
static __always_inline u64 count(u64 *counter)
{
	if (cfg.atomic_counters)
		return __sync_fetch_and_add(counter, 1);
	return (*counter)++;
}

static __always_inline void count_fired(enum hook hook)
{
	u32 cpu;

	cpu_slot(&cpu)->fired[hook]++;
}

static __always_inline void count_filtered(enum stream stream)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);

	count(&slot->streams[stream].seen);
	count(&slot->streams[stream].filtered);
}

static __always_inline void count_lost(struct cpu_slot *slot, enum stream stream, u64 now)
{
	struct stream_count *c = &slot->streams[stream];

	if (c->lost == c->acked)
		c->lost_first_ns = now;
	c->lost_last_ns = now;
	count(&c->lost);
}

/* An id that no other definition or request of this session has. */
static __always_inline u64 next_id(void)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);

	return ((u64)(cpu + 1) << 48) + __sync_fetch_and_add(&slot->next_id, 1);
}

static __always_inline u64 submit_flags(void *ring, u64 seen)
{
	if (seen % HIGH_WATER_CHECK == 0 &&
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > cfg.ring_bytes / 4)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#endif
