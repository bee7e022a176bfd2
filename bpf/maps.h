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

/* A bit per fs operation that is left out for the time being: the program's, under overload. */
volatile __u64 shed_ops = 0;

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

/* The short records of the calls that are made most have a lane on each CPU: an array, written in
 * place, in which cpu_slot.lane_put says how far it is valid. A ring buffer's lock and its exchange of
 * the record's header cost 25 ns more. It takes programs that nothing can come between, in which no
 * interrupt writes, and stores that are seen in their order: x86's. (arm64's would need a
 * store-release; BPF has it since 6.15.) Elsewhere cfg.lane_records is 0, and the rings serve all. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64); /* by the program to its own measure */
	__type(key, u32);
	__type(value, struct rec_fs);
} lanes SEC(".maps");

/* Until a ring is that full the reader's own timer is soon enough; asking costs, so only each
 * so many events. */
#define HIGH_WATER_CHECK 256

static __always_inline struct cpu_slot *cpu_slot(u32 *ret_cpu)
{
	u32 cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);

	*ret_cpu = cpu;
	return &slots[cpu];
}

/* Streams that are counted in interrupts as well as by what these interrupt. */
#define INTERRUPT_STREAMS \
	(1 << STREAM_BLOCK | 1 << STREAM_NW_DROP | 1 << STREAM_CACHE | 1 << STREAM_NW_CONN)

/* Counts one. A plain increment where nothing can come between: programs on tracepoints run with
 * preemption off, but for PREEMPT_RT. The result of the atomic isn't used: kernels before 5.12
 * refuse a program that does. */
static __always_inline void count(u64 *counter, enum stream stream)
{
	if (cfg.atomic_counters || (INTERRUPT_STREAMS >> stream & 1))
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

	count(&c->seen, stream);
	return c->seen;
}

static __always_inline void count_fired(enum hook hook)
{
	u32 cpu;
	u64 *fired = &cpu_slot(&cpu)->fired[hook];

	if (cfg.atomic_counters)
		__sync_fetch_and_add(fired, 1);
	else
		(*fired)++;
}

static __always_inline void count_filtered(enum stream stream)
{
	u32 cpu;
	struct stream_count *c = counts_of(cpu_slot(&cpu), stream);

	count(&c->seen, stream);
	count(&c->filtered, stream);
}

static __always_inline void count_shed(enum stream stream)
{
	u32 cpu;
	struct stream_count *c = counts_of(cpu_slot(&cpu), stream);

	count(&c->seen, stream);
	count(&c->shed, stream);
}

static __always_inline void count_lost(struct cpu_slot *slot, enum stream stream, u64 now)
{
	struct stream_count *c = counts_of(slot, stream);

	if (c->lost == c->acked)
		c->lost_first_ns = c->lost_last_ns = now;
	else if (now > c->lost_last_ns) /* what is lost in an interrupt comes before what it interrupted */
		c->lost_last_ns = now;
	count(&c->lost, stream);
}

/* One more operation of STREAM, of which nothing can be kept. */
static __always_inline int lose(enum stream stream, u64 now)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);

	count_seen(slot, stream);
	count_lost(slot, stream, now);
	return 0;
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

/* Counts an event of STREAM and gives room for its record of SIZE bytes, a constant; NULL when
 * there is none, which has been counted then. FLAGS are for the submitting. */
static __always_inline void *reserve(enum stream stream, u32 size, u64 now, u64 *ret_flags)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);
	void *ring = bpf_map_lookup_elem(&rings, &cpu), *rec;
	u64 seen = count_seen(slot, stream);

	rec = ring ? bpf_ringbuf_reserve(ring, size, 0) : 0;
	if (!rec) {
		count_lost(slot, stream, now);
		return 0;
	}
	*ret_flags = submit_flags(ring, seen);
	return rec;
}

/* Room for the next record in the lane of CPU; NULL when the program hasn't taken the oldest yet. */
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

/* Counts an event of STREAM that is lost for want of room for something else. */
static __always_inline void count_lost_event(enum stream stream)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);

	count_seen(slot, stream);
	count_lost(slot, stream, bpf_ktime_get_ns());
}

#endif
