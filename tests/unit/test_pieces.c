// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "lake/layout.h"
#include "lake/pieces.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)

/* Cuts one file with ROWS rows from FIRST to LAST, with a clock of two offsets. */
static size_t cut(struct lake_piece **ret, const struct file_facts *files, size_t n_files,
		  struct clock_offset *offsets, size_t n_offsets)
{
	struct session_reader r = { .files = (struct file_facts *)files,
				    .n_files = n_files,
				    .offsets = offsets,
				    .n_offsets = n_offsets };
	size_t n;

	cr_assert_eq(pieces__cut(&r, STREAM_FS, ret, &n), 0);
	return n;
}

static void check(const struct lake_piece *p, int64_t day, unsigned int n, uint64_t from,
		  uint64_t to)
{
	cr_expect_eq(p->day, day);
	cr_expect_eq(p->n, n);
	cr_expect_eq(p->from, from);
	cr_expect_eq(p->to, to);
}

Test(pieces, one_for_each_day)
{
	const struct file_facts f = { .rows = 10, .first_mono_ns = 5, .last_mono_ns = 2 * DAY };
	struct clock_offset o = { .offset_ns = 100 * DAY + DAY / 2 };
	struct lake_piece *p;

	cr_assert_eq(cut(&p, &f, 1, &o, 1), 3);
	check(&p[0], 100, 1, 5, DAY / 2 - 1);
	check(&p[1], 101, 1, DAY / 2, DAY / 2 + DAY - 1);
	check(&p[2], 102, 1, DAY / 2 + DAY, 2 * DAY);
	free(p);
}

/* A step within a day does not cut; a step back over midnight repeats the day. */
Test(pieces, steps_of_the_clock)
{
	const struct file_facts f = { .rows = 10,
				      .first_mono_ns = 1,
				      .last_mono_ns = 100 * SECOND };
	struct clock_offset o[] = {
		{ .from_mono_ns = 0, .offset_ns = 100 * DAY - 10 * SECOND },
		{ .from_mono_ns = 5 * SECOND, .offset_ns = 100 * DAY - 11 * SECOND },
		{ .from_mono_ns = 20 * SECOND, .offset_ns = 100 * DAY - 50 * SECOND },
	};
	struct lake_piece *p;

	cr_assert_eq(cut(&p, &f, 1, o, 3), 4);
	check(&p[0], 99, 1, 1, 11 * SECOND - 1);
	check(&p[1], 100, 1, 11 * SECOND, 20 * SECOND - 1);
	check(&p[2], 99, 2, 20 * SECOND, 50 * SECOND - 1);
	check(&p[3], 100, 2, 50 * SECOND, 100 * SECOND);
	free(p);
}

/* The pieces of a session that has grown: all but the last one are the same. */
Test(pieces, many_rows)
{
	struct file_facts f[5] = { 0 };
	struct clock_offset o = { .offset_ns = 100 * DAY };
	struct lake_piece *p, *before;

	for (int i = 0; i < 5; i++)
		f[i] = (struct file_facts){ .rows = PIECE_ROWS / 2,
					    .first_mono_ns = i * SECOND + 1,
					    .last_mono_ns = (i + 1) * SECOND + SECOND / 2 };
	cr_assert_eq(cut(&before, f, 3, &o, 1), 2);
	cr_assert_eq(cut(&p, f, 5, &o, 1), 3);
	check(&p[0], 100, 1, 1, 2 * SECOND);
	check(&p[1], 100, 2, 2 * SECOND + 1, 4 * SECOND);
	check(&p[2], 100, 3, 4 * SECOND + 1, 5 * SECOND + SECOND / 2);
	check(&before[0], 100, 1, 1, 2 * SECOND);
	free(p);
	free(before);
}

Test(pieces, nothing_and_nonsense)
{
	struct file_facts f = { .rows = 0, .first_mono_ns = 1, .last_mono_ns = 2 };
	struct clock_offset o = { .offset_ns = 0 };
	struct session_reader r = { .files = &f, .n_files = 1, .offsets = &o, .n_offsets = 1 };
	struct lake_piece *p;
	size_t n;

	cr_assert_eq(cut(&p, &f, 1, &o, 1), 0);
	free(p);
	f = (struct file_facts){ .rows = 1, .first_mono_ns = 1, .last_mono_ns = INT64_MAX };
	cr_assert_eq(pieces__cut(&r, STREAM_FS, &p, &n), -E2BIG);
	f.first_mono_ns = f.last_mono_ns = UINT64_MAX;
	cr_assert_eq(pieces__cut(&r, STREAM_FS, &p, &n), -ERANGE);
	o.offset_ns = -3;
	f.first_mono_ns = f.last_mono_ns = 2;
	cr_assert_eq(pieces__cut(&r, STREAM_FS, &p, &n), -ERANGE);
}

Test(layout, names)
{
	char name[STORE_NAME_MAX];
	struct lake_name parsed;
	int64_t day;

	lake_layout__name(name, "fs", 20786, "0123456789ABCDEF", "20261129_161034_689", 12);
	cr_assert_str_eq(name, "v=1/stream=fs/date=2026-11-29/machine=0123456789ABCDEF/"
			       "20261129_161034_689-12.parquet");
	cr_assert(lake_layout__parse(name, &parsed));
	cr_assert_str_eq(parsed.stream, "fs");
	cr_assert_str_eq(parsed.session, "20261129_161034_689");
	cr_assert_eq(parsed.day, 20786);
	cr_assert(!lake_layout__parse("v=1/stream=fs/date=2026-02-30/machine=A/b-1.parquet",
				      &parsed));
	cr_assert(!lake_layout__parse("v=1/stream=fs/date=2026-02-03/machine=../b-1.parquet",
				      &parsed));
	cr_assert(!lake_layout__parse("v=1/stream=fs/date=2026-02-03/machine=A/.parquet", &parsed));
	cr_assert(!lake_layout__day("2026-2-3", &day));
	cr_assert(!lake_layout__is_id("../x"));
	cr_assert(!lake_layout__is_id(""));
}
