/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the kernel's hash table of names (dentry_hashtable of fs/dcache.c), for the programs that
 * look up paths (bpf/dcache.h). It has no exported symbol, but each open file's name is in one of
 * its buckets. */
#ifndef IOTRC_DCACHE_H
#define IOTRC_DCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "schema/types.h"

/* The address of a name's bucket, and the name's hash. */
struct dcache_sample {
	uint64_t bucket;
	uint32_t hash;
};

/* Computes the table's address and the shift that turns a hash into the number of its bucket
 * (d_hash()). Returns false unless three of four samples agree. */
_Bool dcache__solve(const struct dcache_sample *samples, size_t n, uint64_t *ret_table,
		    uint32_t *ret_shift);

/* The same for the running kernel. PROG is sample_dentry of bpf/dcache.h, which writes to
 * SAMPLE_BUCKET and SAMPLE_HASH. Returns 0, -ENOENT if the samples do not agree, or a negative
 * errno. */
int dcache__find(int prog, const u64 *sample_bucket, const u32 *sample_hash, uint64_t *ret_table,
		 uint32_t *ret_shift);

#endif
