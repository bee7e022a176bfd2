// SPDX-License-Identifier: GPL-2.0-or-later
/* zstd computes the checksum of a frame's content: the lower 32 bits of XXH64. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/xxh64.h"
#include "platform/macros.h"

#define LEN 5000

static uint32_t checksum_of(const unsigned char *data, size_t len)
{
	static unsigned char frame[2 * LEN];
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	const unsigned char *end;
	size_t size;

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	size = ZSTD_compress2(ctx, frame, sizeof(frame), data, len);
	ZSTD_freeCCtx(ctx);
	cr_assert_not(ZSTD_isError(size));
	end = frame + size;
	return end[-4] | end[-3] << 8 | end[-2] << 16 | (uint32_t)end[-1] << 24;
}

Test(xxh64, is_the_checksum_of_zstd)
{
	static unsigned char data[LEN];
	static const size_t lens[] = { 0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 100, 4999, LEN };

	srand(1);
	for (size_t i = 0; i < LEN; i++)
		data[i] = rand() >> 7;
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		for (size_t piece = 1; piece <= 4096; piece = piece * 3 + 1) {
			struct xxh64 x;

			xxh64__begin(&x);
			for (size_t at = 0; at < lens[i]; at += piece)
				xxh64__add(&x, data + at,
					   lens[i] - at < piece ? lens[i] - at : piece);
			cr_assert_eq((uint32_t)xxh64__end(&x), checksum_of(data, lens[i]),
				     "%zu bytes, %zu at a time", lens[i], piece);
		}
	}
}
