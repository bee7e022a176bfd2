/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers by keys, both 64 bits. Used by one thread at a time. */
#ifndef IOTRC_TABLE_H
#define IOTRC_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table {
	struct table_slot {
		uint64_t key, value; /* key 0: free */
	} * slots;
	size_t size, used;
};

/* What stands under KEY, 0 in a new place. Valid until the next call; NULL when memory is out. */
uint64_t *table__at(struct table *t, uint64_t key);
void table__clear(struct table *t);

/* Mixes V into the key SO_FAR (0 at first). Two sequences have the same key with a chance of one
 * in 2^64. */
uint64_t table__mix(uint64_t so_far, uint64_t v);

#endif
