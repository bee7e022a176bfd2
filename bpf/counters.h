/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counters of each stream and of each hook, in one slot per CPU; user space reads them. */
#ifndef IOTRC_BPF_COUNTERS_H
#define IOTRC_BPF_COUNTERS_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "schema/streams.h"

struct cpu_slot slots[MAX_CPUS] = {};

static __always_inline struct cpu_slot *cpu_slot(u32 *ret_cpu)
{
	u32 cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);

	*ret_cpu = cpu;
	return &slots[cpu];
}

/* Streams counted in interrupts as well as in what these interrupt. */
#define INTERRUPT_STREAMS \
	(1 << STREAM_BLOCK | 1 << STREAM_NW_DROP | 1 << STREAM_CACHE | 1 << STREAM_NW_CONN | \
	 1 << STREAM_EXTENT | 1 << STREAM_NW_FLOW)

/* Adds N. A plain addition where nothing can intervene: programs on tracepoints run with
 * preemption disabled, except on PREEMPT_RT. The result of the atomic operation is not used:
 * kernels before 5.12 refuse a program that does. */
static __always_inline void count_some(u64 *counter, enum stream stream, u64 n)
{
	if (cfg.atomic_counters || (INTERRUPT_STREAMS >> stream & 1))
		__sync_fetch_and_add(counter, n);
	else
		*counter += n;
}

static __always_inline void count(u64 *counter, enum stream stream)
{
	count_some(counter, stream, 1);
}

/* The mask is for the verifier, which knows no bounds for a number read from memory. */
static __always_inline struct stream_count *counts_of(struct cpu_slot *slot, enum stream stream)
{
	return &slot->streams[stream & (STREAM_SLOTS - 1)];
}

/* Counts one more operation of STREAM; returns the number so far. */
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
	else if (now > c->lost_last_ns) /* a loss in an interrupt may be earlier */
		c->lost_last_ns = now;
	count(&c->lost, stream);
}

/* Counts one more operation of STREAM as lost. */
static __always_inline int lose(enum stream stream, u64 now)
{
	u32 cpu;
	struct cpu_slot *slot = cpu_slot(&cpu);

	count_seen(slot, stream);
	count_lost(slot, stream, now);
	return 0;
}

/* Counts N more operations of STREAM as lost; N is not 0. */
static __always_inline void lose_some(enum stream stream, u64 now, u64 n)
{
	u32 cpu;
	struct stream_count *c = counts_of(cpu_slot(&cpu), stream);

	lose(stream, now);
	count_some(&c->seen, stream, n - 1);
	count_some(&c->lost, stream, n - 1);
}

#endif
