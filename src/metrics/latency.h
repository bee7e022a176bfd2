/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms of durations: one for each operation on files, and one for each block device and
 * operation. One thread adds records; any thread may read at the same time. */
#ifndef IOTRC_LATENCY_H
#define IOTRC_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#include "schema/fs_ops.h"

/* Upper bounds are 1 us, 4 us, 16 us, ... 16.8 s; the last bucket has none. */
#define LATENCY_BUCKETS 14
#define LATENCY_LEAST_NS UINT64_C(1000)
#define LATENCY_STEP_BITS 2 /* log2 of the factor between two bounds */

/* Different pairs of device and operation; further ones share one histogram. */
#define LATENCY_BLOCK_MAX 64

struct latency {
	atomic_uint_least64_t buckets[LATENCY_BUCKETS]; /* not cumulative */
	atomic_uint_least64_t sum_ns;
};

struct latency_block {
	uint32_t dev; /* major << 20 | minor */
	uint8_t op;   /* REQ_OP_* of this kernel */
	struct latency latency;
};

struct latencies {
	struct latency fs[FS_OP_COUNT];
	struct latency_block blocks[LATENCY_BLOCK_MAX];
	atomic_uint n_blocks;       /* those in use, in the order of their first request */
	struct latency other_block; /* of all other pairs */
};

/* All histograms empty; the caller frees it with free(). NULL if out of memory. */
struct latencies *latencies__new(void);

/* Adds the duration of RECORD, one of schema/records.h that has passed encode__sound(). Records of
 * streams other than fs and block, and requests whose issue was not seen, add nothing. */
void latencies__add(struct latencies *l, const void *record);

#endif
