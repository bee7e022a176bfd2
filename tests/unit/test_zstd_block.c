// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "blocks.h"

#define SIZE (1024 * 1024)

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

/* How sequences are drawn. */
struct kind {
	const char *name;
	uint32_t bytes;    /* number of different literals */
	uint32_t first;    /* the least of them */
	uint32_t skew;     /* how many draws: the least counts, so that small ones are frequent */
	uint32_t literals; /* of a sequence, below this */
	uint32_t length;   /* of a match, below this and ZSTD_BLOCK_MATCH_MIN more */
	uint32_t offset;   /* below this and 1 more */
	uint32_t again;    /* one in so many repeats an offset; 0: none */
	uint32_t block;    /* bytes, below this */
};

static const struct kind kinds[] = {
	{ "rows", 60, 40, 2, 8, 100, 2000, 2, 128 * 1024 },
	{ "one byte", 1, 'a', 1, 5, 300, 4, 3, 128 * 1024 },
	{ "two bytes", 2, 0, 4, 20, 20, 100000, 3, 128 * 1024 },
	{ "all bytes", 256, 0, 1, 30, 10, 1000, 4, 128 * 1024 },
	{ "all bytes, some rare", 256, 0, 6, 30, 10, 1000, 4, 128 * 1024 },
	{ "high bytes alone", 100, 150, 3, 30, 10, 1000, 4, 128 * 1024 },
	{ "a single high byte", 2, 254, 8, 30, 10, 1000, 4, 128 * 1024 },
	{ "long literals", 90, 32, 3, 70000, 5, 60000, 2, 128 * 1024 },
	{ "long matches", 90, 32, 3, 5, 70000, 60000, 2, 128 * 1024 },
	{ "no literals", 90, 32, 3, 1, 5, 100, 2, 128 * 1024 },
	{ "the most sequences", 200, 0, 3, 1, 1, 50000, 0, 128 * 1024 + 1 },
	{ "the same sequence", 1, 'x', 1, 1, 1, 1, 0, 128 * 1024 },
	{ "repeated offsets alone", 90, 32, 3, 2, 5, 100, 1, 128 * 1024 },
	{ "small blocks", 60, 40, 2, 8, 30, 2000, 2, 300 },
	{ "tiny blocks", 60, 40, 2, 3, 4, 20, 2, 10 },
	{ "noise", 256, 0, 1, 40000, 3, 1000, 2, 128 * 1024 },
};

static void draw_sequence(struct blocks *b, const struct kind *kind, uint32_t offsets[4])
{
	uint32_t n = draw(kind->literals), offset = 1 + draw(kind->offset);
	size_t len = b->len;

	while (n--) {
		uint32_t byte = kind->bytes;

		for (uint32_t i = 0; i < kind->skew; i++) {
			uint32_t other = draw(kind->bytes);

			byte = other < byte ? other : byte;
		}
		blocks__literal(b, kind->first + byte);
	}
	if (kind->again && !draw(kind->again))
		offset = offsets[draw(4)] - !draw(8);
	blocks__match(b, ZSTD_BLOCK_MATCH_MIN + draw(kind->length), offset);
	offsets[draw(4)] = offset ?: 1;
	if (b->len == len)
		blocks__literal(b, kind->first);
}

static void decodes(const struct kind *kind)
{
	uint32_t offsets[4] = { 1, 4, 8, 3 };
	struct blocks b;

	cr_assert_eq(blocks__new(&b, SIZE), 0);
	while (b.len < SIZE) {
		size_t begin = b.len, size = 1 + draw(kind->block);

		while (b.len - begin < size && blocks__capacity(&b) && b.len < SIZE)
			draw_sequence(&b, kind, offsets);
		blocks__end_block(&b, false);
		if (!draw(10))
			blocks__end_block(&b, false); /* without content */
	}
	cr_assert(blocks__hold(&b), "%s", kind->name);
	blocks__free(&b);
}

Test(zstd_block, every_kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		seed = i;
		decodes(&kinds[i]);
	}
}

/* Literals alone, as few and as many as change the form of their header. */
Test(zstd_block, any_number_of_literals)
{
	static const size_t numbers[] = { 0,    1,    2,    31,   32,    33,    1022,  1023,
					  1024, 1025, 4095, 4096, 16383, 16384, 131072 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		for (uint32_t bytes = 1; bytes <= 256; bytes = bytes < 4 ? bytes + 1 : bytes * 4) {
			struct blocks b;

			cr_assert_eq(blocks__new(&b, 131072), 0);
			for (size_t n = 0; n < numbers[i]; n++)
				blocks__literal(&b, draw(draw(bytes) + 1));
			cr_assert(blocks__hold(&b), "%zu of %u", numbers[i], bytes);
			blocks__free(&b);
		}
}

/* Counts that double from one to the next make the longest codes, which have to be shortened. */
Test(zstd_block, codes_that_are_too_long)
{
	for (int last = 10; last <= 16; last++)
		for (int first = 0; first <= 200; first += 50) {
			struct blocks b;

			cr_assert_eq(blocks__new(&b, 131072), 0);
			for (int s = 0; s <= last; s++)
				for (int n = 0; n < 1 << (last - s); n++)
					blocks__literal(&b, first + s);
			cr_assert(blocks__hold(&b), "%d from %d", last, first);
			blocks__free(&b);
		}
}

/* What is encoded from the sequences that are known takes fewer bytes than what level 1 finds. */
Test(zstd_block, few_bytes)
{
	struct blocks b;
	uint32_t offsets[4] = { 1, 4, 8, 3 };
	static char out[SIZE];
	size_t level_1;

	cr_assert_eq(blocks__new(&b, SIZE), 0);
	while (b.len < SIZE) {
		while (blocks__capacity(&b))
			draw_sequence(&b, &kinds[0], offsets);
		blocks__end_block(&b, false);
	}
	cr_assert(blocks__hold(&b));
	level_1 = ZSTD_compress(out, sizeof(out), b.content, b.len, 1);
	cr_assert_lt(b.frame_len, level_1, "%zu, %zu", b.frame_len, level_1);
	blocks__free(&b);
}
