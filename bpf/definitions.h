/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring of definitions, and the ids by which events refer to them. */
#ifndef IOTRC_BPF_DEFINITIONS_H
#define IOTRC_BPF_DEFINITIONS_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "schema/types.h"

/* Raised by user space when it forgets all definitions: those sent under an older epoch are sent
 * again. */
volatile u32 epoch = 1;

/* Whether user space still has the definitions that were sent in the epoch SENT: it keeps those of
 * the epoch before. */
static __always_inline bool is_kept(u32 sent)
{
	return sent + 1 >= epoch;
}

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} definitions SEC(".maps");

/* User space looks at the ring by a timer. A ring that is a quarter full wakes it earlier, since
 * many new files or threads can fill it before. Definitions are rare enough to ask each time. */
static __always_inline u64 definition_flags(void)
{
	return bpf_ringbuf_query(&definitions, BPF_RB_AVAIL_DATA) >
			       bpf_ringbuf_query(&definitions, BPF_RB_RING_SIZE) / 4 ?
		       BPF_RB_FORCE_WAKEUP :
		       BPF_RB_NO_WAKEUP;
}

/* The ids that have been sent, and the epoch of each. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, u64);
	__type(value, u32);
} paths_sent SEC(".maps");

/* An id that is unique in this session, made of CPU and time. 13 bits hold the highest CPU number
 * of any kernel (8191); 51 bits of nanoseconds wrap after 26 days. */
static __always_inline u64 next_id(void)
{
	return (u64)bpf_get_smp_processor_id() << 51 ^ bpf_ktime_get_ns();
}

#endif
