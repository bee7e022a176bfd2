// SPDX-License-Identifier: GPL-2.0-or-later
/* Blocks of any sequences: libzstd must decode them. Two bytes of the input are literals, a match
 * or the end of a block. */
#include "tests/unit/blocks.h"
#include "fuzz.h"

#define SIZE (512 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blocks b;

	if (blocks__new(&b, SIZE))
		abort();
	for (size_t i = 0; i + 2 <= size; i += 2) {
		unsigned int what = data[i], n = data[i + 1];

		if (what < 100)
			for (unsigned int k = 0; k <= what / 20; k++)
				blocks__literal(&b, n + k);
		else if (what < 120)
			for (unsigned int k = 0; k < n * 300; k++)
				blocks__literal(&b, k % (what - 99));
		else if (what < 250)
			blocks__match(&b, n < 200 ? n : 1u << (n - 199) % 18,
				      1 + (what - 120) * (n % 37));
		else
			blocks__end_block(&b, false);
		if (!blocks__capacity(&b))
			blocks__end_block(&b, false);
	}
	if (!blocks__hold(&b))
		abort();
	blocks__free(&b);
	return 0;
}
