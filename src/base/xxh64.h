/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XXH64 with seed 0, whose lower 32 bits are the checksum of a Zstandard frame's content (RFC 8878,
 * 3.1.1). libzstd computes it, too, but does not tell it. */
#ifndef IOTRC_XXH64_H
#define IOTRC_XXH64_H

#include <stddef.h>
#include <stdint.h>

struct xxh64 {
	uint64_t lanes[4], total;
	unsigned char rest[32]; /* the last total % 32 bytes */
};

/* Nothing is added yet. */
void xxh64__begin(struct xxh64 *x);
/* Adds LEN bytes. */
void xxh64__add(struct xxh64 *x, const void *data, size_t len);

/* The hash of all that was added so far. */
uint64_t xxh64__end(const struct xxh64 *x);

#endif
