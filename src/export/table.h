/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A map from 64-bit keys to 64-bit values. It takes at most 16 MiB of memory; older pairs are moved
 * to disk, to sorted runs in $TMPDIR or /tmp, and then a filter of their keys takes another 16 MiB.
 * Used by one thread at a time. */
#ifndef IOTRC_TABLE_H
#define IOTRC_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "export/pair_runs.h"

/* Maximum number of slots in memory, a power of two. At most three quarters of them are used. */
#define TABLE_SIZE_MAX (UINT32_C(1) << 20)

struct table {
	struct pair *slots; /* key 0: free */
	size_t size, filled;
	size_t max;     /* a power of two from 1,024 on that replaces TABLE_SIZE_MAX; or 0 */
	uint64_t known; /* number of keys, those on the disk included */
	struct pair_runs *older;
};

/* Gets the place of KEY's value, which is 0 if the key is new; valid until the next call. Returns
 * 0, or a negative errno. */
int table__at(struct table *t, uint64_t key, uint64_t **ret);
void table__clear(struct table *t);

/* Mixes V into the key SO_FAR (0 at first). Two sequences get the same key with a probability of
 * 2^-64. */
uint64_t table__mix(uint64_t so_far, uint64_t v);

#endif
