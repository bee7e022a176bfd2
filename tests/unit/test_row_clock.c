// SPDX-License-Identifier: GPL-2.0-or-later
/* clock.c makes the rows; the derived list must be equal to the clock's. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

#include "dataset/row_clock.h"

#define S INT64_C(1000000000)
#define REAL (1700000000 * S)

static struct row_clock c;

static void setup(void)
{
	struct clock_offset first = { .from_mono_ns = 1000, .offset_ns = REAL };

	setenv("TZ", "UTC", 1);
	tzset();
	cr_assert(row_clock__list(&c, &first, 1));
}

TestSuite(row_clock, .init = setup);

/* A row at MONO_NS with OFFSET, cut to microseconds as rows are. */
static bool row(uint64_t mono_ns, int64_t local_ns)
{
	return row_clock__row(&c, (int64_t)(mono_ns + local_ns) / 1000, mono_ns);
}

static void check(size_t i, uint64_t from, int64_t offset, int32_t utc_offset)
{
	cr_assert_eq(c.offsets[i].from_mono_ns, from, "%zu: %lu", i,
		     (unsigned long)c.offsets[i].from_mono_ns);
	cr_assert_leq(llabs(c.offsets[i].offset_ns - offset), 1000, "%zu: %ld", i,
		      (long)c.offsets[i].offset_ns);
	cr_assert_eq(c.offsets[i].utc_offset_s, utc_offset, "%zu: %d", i,
		     c.offsets[i].utc_offset_s);
}

Test(row_clock, nothing_new)
{
	for (uint64_t ns = 1000; ns < 100000; ns += 777)
		cr_assert_not(row(ns, REAL));
	cr_assert_eq(c.n, 1);
}

/* There and back, with rows of several CPUs out of order, and those of another stream
 * afterwards. */
Test(row_clock, steps)
{
	cr_assert_not(row(5000, REAL));
	cr_assert(row(7100, REAL + 3600 * S));
	cr_assert(row(7050, REAL + 3600 * S));
	cr_assert_not(row(7090, REAL + 3600 * S));
	cr_assert_not(row(7000, REAL));
	cr_assert(row(9000, REAL - 600000));
	cr_assert(row(11000, REAL));
	cr_assert_not(row(6000, REAL));
	cr_assert(row(7010, REAL + 3600 * S));
	cr_assert(row(8500, REAL - 600000));
	cr_assert(row(10900, REAL));
	cr_assert_eq(c.n, 4);
	check(1, 7010, REAL + 3600 * S, 0);
	check(2, 8500, REAL - 600000, 0);
	check(3, 10900, REAL, 0);
}

/* If the zone's offset changes at that hour, the clock was not set. */
Test(row_clock, summer_time)
{
	struct clock_offset winter = { .from_mono_ns = 1000, .utc_offset_s = 3600 };
	/* 2024-03-31 01:00:00 UTC */
	int64_t change = 1711846800 * S, mono = 5000 * S;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	winter.offset_ns = change - mono;
	cr_assert(row_clock__list(&c, &winter, 1));
	cr_assert_not(row(mono - S, winter.offset_ns + 3600 * S));
	cr_assert(row(mono + S, winter.offset_ns + 7200 * S));
	/* … and then it was set: by an hour, into another month, and into winter time. */
	cr_assert(row(mono + 9 * S, winter.offset_ns + 10800 * S));
	cr_assert(row(mono + 12 * S, winter.offset_ns - 90 * 86400 * S + 3600 * S));
	cr_assert_eq(c.n, 4);
	check(1, mono + S, winter.offset_ns, 7200);
	check(2, mono + 9 * S, winter.offset_ns + 3600 * S, 7200);
	check(3, mono + 12 * S, winter.offset_ns - 90 * 86400 * S, 3600);
}

/* Zones other than this machine's are unknown: the clock must have been set. */
Test(row_clock, elsewhere)
{
	struct clock_offset first = { .from_mono_ns = 1000,
				      .offset_ns = REAL,
				      .utc_offset_s = 19800 };

	cr_assert(row_clock__list(&c, &first, 1));
	cr_assert(row(3000, REAL + (19800 + 3600) * S));
	check(1, 3000, REAL + 3600 * S, 19800);
}

Test(row_clock, hostile)
{
	static const struct clock_offset lists[][2] = {
		{ { 5, REAL }, { 5, REAL } },
		{ { 5, INT64_MIN }, { 6, REAL } },
		{ { 5, REAL }, { UINT64_MAX, REAL } },
	};
	const uint64_t monos[] = { 0, 999, 1000, INT64_MAX, UINT64_MAX };
	const int64_t walls[] = { INT64_MIN, -1, 0, INT64_MAX };

	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 4; k++)
			row_clock__row(&c, walls[k], monos[i]);
	cr_assert_leq(c.n, 3);
	for (uint64_t ns = 5000; ns < 5000 + 1000 * 4000; ns += 1000)
		row(ns, REAL + (int64_t)(ns % 7000) * S);
	cr_assert_eq(c.n, CLOCK_OFFSETS_MAX);
	for (int i = 0; i < 3; i++) {
		cr_assert_not(row_clock__list(&c, lists[i], 2));
		cr_assert_not(row(3000, REAL + S));
	}
	cr_assert_not(row_clock__list(&c, NULL, 0));
}
