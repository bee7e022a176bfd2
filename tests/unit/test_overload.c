// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "engine/overload.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

/* Checks every 10 ms until the step changes, for at most LIMIT_S; returns the number of ms until
 * then, or -1. */
static long until_changed(struct overload *o, unsigned int fill, uint64_t *now,
			  unsigned int limit_s)
{
	uint64_t begun = *now;

	for (; *now - begun < limit_s * S; *now += 10 * MS)
		if (overload__look(o, fill, *now))
			return (*now - begun) / MS;
	return -1;
}

Test(overload, steps_up_under_load_one_after_the_other)
{
	struct overload o = { 0 };
	uint64_t now = 7 * S;

	cr_assert_eq(until_changed(&o, 39, &now, 60), -1);
	cr_assert_eq(until_changed(&o, 40, &now, 1), 0);
	cr_assert_eq(o.step, OVERLOAD_COMPRESSION);
	cr_assert_eq(until_changed(&o, 100, &now, 1), 200, "the first has time to show an effect");
	cr_assert_eq(o.step, OVERLOAD_SHED);
	cr_assert_eq(until_changed(&o, 100, &now, 60), -1, "there is no third");
}

Test(overload, steps_back_when_it_is_calm)
{
	struct overload o = { 0 };
	uint64_t now = 7 * S;

	until_changed(&o, 100, &now, 1);
	until_changed(&o, 100, &now, 1);
	cr_assert_eq(o.step, OVERLOAD_SHED);
	cr_assert_eq(until_changed(&o, 10, &now, 60), -1, "neither calm nor loaded: it stays");
	cr_assert_eq(until_changed(&o, 9, &now, 60), 4990, "5 s from the last look");
	cr_assert_eq(o.step, OVERLOAD_COMPRESSION);
	cr_assert_eq(until_changed(&o, 0, &now, 60), 5000);
	cr_assert_eq(o.step, OVERLOAD_NONE);
	cr_assert_eq(until_changed(&o, 0, &now, 60), -1);
}

/* Under a load that only a step makes bearable, it does not go up and down every few seconds. */
Test(overload, loses_patience_with_a_load_that_comes_back)
{
	struct overload o = { 0 };
	uint64_t now = 7 * S;
	long calm = 0;

	for (int i = 0; i < 12; i++) {
		cr_assert_eq(until_changed(&o, 100, &now, 1), 0);
		cr_assert_eq(o.step, OVERLOAD_COMPRESSION);
		calm = until_changed(&o, 0, &now, 1000);
		cr_assert_eq(calm, i < 6 ? 5000 << i : 320000, "%d: %ld", i, calm);
		now += 10 * MS;
	}
	/* After a long time it reacts as at the beginning. */
	now += 10000 * S;
	cr_assert_eq(until_changed(&o, 100, &now, 1), 0);
	cr_assert_eq(until_changed(&o, 0, &now, 1000), 5000);
}
