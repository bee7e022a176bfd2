// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/latency.h"

#include <stdlib.h>

#include "schema/records.h"

#define OP_MASK 0xff /* REQ_OP_MASK of include/linux/blk_types.h */

struct latencies *latencies__new(void)
{
	return calloc(1, sizeof(struct latencies));
}

static unsigned int bucket_of(uint64_t ns)
{
	uint64_t steps = (ns ? ns - 1 : 0) / LATENCY_LEAST_NS;
	unsigned int bits = steps ? 64 - __builtin_clzll(steps) : 0,
		     bucket = (bits + LATENCY_STEP_BITS - 1) / LATENCY_STEP_BITS;

	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* There is one writer, so that no atomic addition is needed. */
static void increase(atomic_uint_least64_t *n, uint64_t by)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + by,
			      memory_order_relaxed);
}

static void add(struct latency *l, uint64_t ns)
{
	increase(&l->buckets[bucket_of(ns)], 1);
	increase(&l->sum_ns, ns);
}

static struct latency *block_latency(struct latencies *l, uint32_t dev, uint8_t op)
{
	unsigned int n = atomic_load_explicit(&l->n_blocks, memory_order_relaxed);

	for (unsigned int i = 0; i < n; i++)
		if (l->blocks[i].dev == dev && l->blocks[i].op == op)
			return &l->blocks[i].latency;
	if (n == LATENCY_BLOCK_MAX)
		return &l->other_block;
	l->blocks[n].dev = dev;
	l->blocks[n].op = op;
	/* Readers see the pair before they see that it is in use. */
	atomic_store_explicit(&l->n_blocks, n + 1, memory_order_release);
	return &l->blocks[n].latency;
}

static void add_block(struct latencies *l, const struct rec_block *r)
{
	if (r->issue_ns && r->ns >= r->issue_ns)
		add(block_latency(l, r->dev, r->cmd_flags & OP_MASK), r->ns - r->issue_ns);
}

void latencies__add(struct latencies *l, const void *record)
{
	uint8_t type = *(const uint8_t *)record;
	const struct rec_fs *fs = record;

	if ((type == REC_FS || type == REC_FS_LONG) && fs->op != FS_PROCESS_EXIT &&
	    fs->duration != DURATION_UNKNOWN)
		add(&l->fs[fs->op], fs->duration);
	else if (type == REC_BLOCK)
		add_block(l, record);
}
