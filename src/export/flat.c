// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/flat.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "FlatBuffers are little-endian");

static void put(struct flat *f, const void *data, size_t len)
{
	if (f->full || len > f->size - f->used) {
		f->full = true;
		return;
	}
	f->used += len;
	if (len)
		memcpy(f->at + f->size - f->used, data, len);
}

/* Pads so that LEN bytes from here on begin at a multiple of ALIGNMENT, at most 8. */
static void align(struct flat *f, size_t len, size_t alignment)
{
	static const uint8_t zeroes[8];

	put(f, zeroes, -(f->used + len) % alignment);
}

static void put_u32(struct flat *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put_u16(struct flat *f, size_t v)
{
	uint16_t v16 = (uint16_t)v;

	put(f, &v16, sizeof(v16));
}

static void put_reference(struct flat *f, size_t place)
{
	align(f, 4, 4);
	put_u32(f, (uint32_t)(f->used + 4 - place));
}

size_t flat__text(struct flat *f, const char *s)
{
	size_t len = strlen(s);

	align(f, len + 1, 4);
	put(f, s, len + 1);
	put_u32(f, (uint32_t)len);
	return f->used;
}

size_t flat__structs(struct flat *f, const void *structs, size_t n, size_t size)
{
	align(f, n * size, 8);
	put(f, structs, n * size);
	put_u32(f, (uint32_t)n);
	return f->used;
}

size_t flat__references(struct flat *f, const size_t *places, size_t n)
{
	align(f, 0, 4);
	for (size_t i = n; i-- > 0;)
		put_reference(f, places[i]);
	put_u32(f, (uint32_t)n);
	return f->used;
}

void flat__begin(struct flat *f)
{
	memset(f->slots, 0, sizeof(f->slots));
	f->begun = f->used;
}

void flat__number(struct flat *f, unsigned int slot, uint64_t v, size_t bytes)
{
	align(f, bytes, bytes);
	put(f, &v, bytes);
	f->slots[slot] = f->used;
}

void flat__reference(struct flat *f, unsigned int slot, size_t place)
{
	put_reference(f, place);
	f->slots[slot] = f->used;
}

size_t flat__end(struct flat *f)
{
	size_t table;
	uint32_t to_vtable;

	align(f, 4, 4);
	put_u32(f, 0);
	table = f->used;
	for (size_t i = FLAT_SLOTS_MAX; i-- > 0;)
		put_u16(f, f->slots[i] ? table - f->slots[i] : 0);
	put_u16(f, table - f->begun);
	put_u16(f, (2 + FLAT_SLOTS_MAX) * sizeof(uint16_t));
	to_vtable = (uint32_t)(f->used - table);
	if (!f->full)
		memcpy(f->at + f->size - table, &to_vtable, sizeof(to_vtable));
	return table;
}

const uint8_t *flat__finish(struct flat *f, size_t root)
{
	align(f, 4, 8);
	put_reference(f, root);
	return f->at + f->size - f->used;
}
