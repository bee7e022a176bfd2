/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel's table of names is (dentry_hashtable of fs/dcache.c), for the programs that
 * look up what a path leads to (bpf/dcache.h). It has no symbol that could be asked for, but
 * each open file knows its bucket. */
#ifndef IOTRC_DCACHE_H
#define IOTRC_DCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "schema/types.h"

/* A name's bucket, by its address, and its hash. */
struct dcache_sample {
	uint64_t bucket;
	uint32_t hash;
};

/* The table's address, and by how many bits a hash is shifted to the number of its bucket
 * (d_hash()). False when three of four samples agree on none. */
_Bool dcache__solve(const struct dcache_sample *samples, size_t n, uint64_t *ret_table,
		    uint32_t *ret_shift);

/* The same for the running kernel. PROG is sample_dentry of bpf/dcache.h, which writes to
 * SAMPLE_BUCKET and SAMPLE_HASH. 0, -ENOENT when the samples don't agree, or a negative errno. */
int dcache__find(int prog, const u64 *sample_bucket, const u32 *sample_hash, uint64_t *ret_table,
		 uint32_t *ret_shift);

#endif
