/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A map from 64-bit keys to 64-bit values. Used by one thread at a time. */
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

/* Returns the value of KEY, 0 if it is new; valid until the next call. NULL if out of memory. */
uint64_t *table__at(struct table *t, uint64_t key);
void table__clear(struct table *t);

/* Mixes V into the key SO_FAR (0 at first). Two sequences get the same key with a probability of
 * 2^-64. */
uint64_t table__mix(uint64_t so_far, uint64_t v);

#endif
