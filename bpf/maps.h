/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs share: rings and counters. */
#ifndef IOTRC_MAPS_H
#define IOTRC_MAPS_H

#include "kread.h"

struct cpu_slot slots[MAX_CPUS] = {};
/* Raised by the program when it forgets definitions: what was sent under an older one is sent anew. */
volatile __u32 epoch = 1;

/* Raised whenever names have changed under open files: a rename, a mount, another root. */
volatile __u32 names_epoch = 1;

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

/* Counts one. A plain increment where nothing can come between: programs on tracepoints run with
 * preemption off, but for PREEMPT_RT, and the streams that interrupts count are counted by nothing
 * else. The result of the atomic isn't used: kernels before 5.12 refuse a program that does. */
static __always_inline void count(u64 *counter)
{
	if (cfg.atomic_counters)
		__sync_fetch_and_add(counter, 1);
	else
		(*counter)++;
}

/* The mask is for the verifier, which knows nothing of a number that was in memory. */
static __always_inline struct stream_count *counts_of(struct cpu_slot *slot, enum stream stream)
{
	_Static_assert(STREAM_CAPTURED == 8, "the mask");
	return &slot->streams[stream & 7];
}

/* One more operation of STREAM; gives their number. */
static __always_inline u64 count_seen(struct cpu_slot *slot, enum stream stream)
{
	struct stream_count *c = counts_of(slot, stream);

	count(&c->seen);
	return c->seen;
}

static __always_inline void count_fired(enum hook hook)
{
	u32 cpu;

	cpu_slot(&cpu)->fired[hook]++;
}

static __always_inline void count_filtered(enum stream stream)
{
	u32 cpu;
	struct stream_count *c = counts_of(cpu_slot(&cpu), stream);

	count(&c->seen);
	count(&c->filtered);
}

static __always_inline void count_lost(struct cpu_slot *slot, enum stream stream, u64 now)
{
	struct stream_count *c = counts_of(slot, stream);

	if (c->lost == c->acked)
		c->lost_first_ns = now;
	c->lost_last_ns = now;
	count(&c->lost);
}

/* An id that no other definition or request of this session has: where and when. 13 bits hold the
 * most CPUs a kernel can have (8192), 51 bits of nanoseconds come round after 26 days. */
static __always_inline u64 next_id(void)
{
	return (u64)bpf_get_smp_processor_id() << 51 ^ bpf_ktime_get_ns();
}

static __always_inline u64 submit_flags(void *ring, u64 seen)
{
	if (seen % HIGH_WATER_CHECK == 0 &&
	    bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > cfg.ring_bytes / 4)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#endif
