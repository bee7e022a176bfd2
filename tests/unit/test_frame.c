// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "dataset/frame.h"

Test(frame, distinguishes_bombs_from_rows_that_are_alike)
{
	const uint64_t gib = 1 << 30, mib = 1 << 20;

	cr_assert(frame__is_bomb(gib / 2000, gib, 0), "one line without an end");
	cr_assert(frame__is_bomb(gib / 2000, gib, gib), "empty lines");
	cr_assert(frame__is_bomb(gib / 2000, gib, gib / 400), "short rows");
	cr_assert(!frame__is_bomb(gib / 2000, gib, gib / 32000), "rows with a long path");
	cr_assert(!frame__is_bomb(gib / 900, gib, gib), "too little for a bomb");
	cr_assert(!frame__is_bomb(1, mib, 0), "a small file");
}
