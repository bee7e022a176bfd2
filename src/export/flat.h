/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes FlatBuffers (flatbuffers.dev/internals) to memory from the end to the start, so that what
 * is referred to is written first. A place is the distance from the end. Numbers have the machine's
 * byte order, which is little-endian. */
#ifndef IOTRC_FLAT_H
#define IOTRC_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAT_SLOTS_MAX 8 /* fields of a table */

struct flat {
	uint8_t *at; /* borrowed */
	size_t size, used;
	bool full; /* out of space: the content of AT is incomplete */

	/* The table that is being written. */
	size_t begun, slots[FLAT_SLOTS_MAX];
};

/* Writes a text; returns its place. */
size_t flat__text(struct flat *f, const char *s);
/* N structs of SIZE bytes, which are aligned to 8. */
size_t flat__structs(struct flat *f, const void *structs, size_t n, size_t size);
/* A list of references to N places. */
size_t flat__references(struct flat *f, const size_t *places, size_t n);

/* Begins a table; flat__end() returns its place. In between no text, vector or other table may be
 * written. SLOT numbers its fields as in its schema. */
void flat__begin(struct flat *f);
void flat__number(struct flat *f, unsigned int slot, uint64_t v, size_t bytes);
void flat__reference(struct flat *f, unsigned int slot, size_t place);
size_t flat__end(struct flat *f);

/* Ends the buffer with the table at ROOT. Returns its start; its length is F->used, a multiple of
 * 8. */
const uint8_t *flat__finish(struct flat *f, size_t root);

#endif
