/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The log-linear buckets from which quantiles are computed, in BPF programs as well as in user
 * space: numbers below 128 have a bucket each, and each power of two above has 64 of equal
 * width. */
#ifndef IOTRC_BUCKETS_H
#define IOTRC_BUCKETS_H

#include "schema/types.h"

#define BUCKET_BITS 6
/* Numbers below 2^(BUCKET_BITS + 1) have a bucket each, the 57 powers of two above them 64. */
#define BUCKET_COUNT ((2 + 63 - BUCKET_BITS) << BUCKET_BITS)

/* The bucket of V, below BUCKET_COUNT. (BPF has no instruction that counts zeroes.) */
static inline __attribute__((always_inline)) u32 buckets__of(u64 v)
{
	u64 rest = v >> BUCKET_BITS >> 1;
	u32 shift = 0;

	for (u32 step = 32; step; step /= 2)
		if (rest >> step) {
			rest >>= step;
			shift += step;
		}
	shift += rest;
	return (shift << BUCKET_BITS) + (u32)(v >> shift);
}

#endif
