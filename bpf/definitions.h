/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring of definitions, and the ids that events refer to them by. */
#ifndef IOTRC_BPF_DEFINITIONS_H
#define IOTRC_BPF_DEFINITIONS_H

#include "bpf/helpers.h"
#include "schema/types.h"

/* Raised by the program when it forgets definitions: what was sent under an older one is sent
 * anew. */
volatile u32 epoch = 1;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} definitions SEC(".maps");

/* An id that no other definition or request of this session has: where and when. 13 bits hold the
 * most CPUs a kernel can have (8192), 51 bits of nanoseconds come round after 26 days. */
static __always_inline u64 next_id(void)
{
	return (u64)bpf_get_smp_processor_id() << 51 ^ bpf_ktime_get_ns();
}

#endif
