// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "platform/family.h"

TestSuite(family);

Test(family, who_descends)
{
	struct family f = { 0 };

	family__begin(&f, 10, 100);
	/* A stranger's child; then a child, and its child, whose parent has ended by now. */
	cr_expect(!family__learn(&f, 20, 200, 99));
	cr_expect(family__learn(&f, 11, 105, 100));
	cr_expect(family__learn(&f, 12, 103, 105));
	cr_expect(!family__learn(&f, 12, 103, 105), "it is known");
	/* Its pid is used again by a process of another parent. */
	cr_expect(!family__learn(&f, 11, 300, 200));
	cr_expect(family__has(&f, 100) && family__has(&f, 103) && family__has(&f, 105));
	cr_expect(!family__has(&f, 104) && !family__has(&f, 0) && !family__has(&f, 300));
	cr_expect_eq(f.n, 3);
	cr_expect_eq(f.members[2].pid, 12);
	family__clear(&f);
	cr_expect(!family__has(&f, 100));
}

/* Ids in no order, each the child of an earlier one. */
Test(family, many)
{
	struct family f = { 0 };
	const uint64_t n = 5000, step = 1999; /* prime to N */
	uint64_t last = 0;

	family__begin(&f, 1, 0);
	for (uint64_t i = 1; i < n; i++) {
		uint64_t id = i * step % n;

		cr_assert(family__learn(&f, (pid_t)i, id, last), "%ju", (uintmax_t)i);
		last = id;
	}
	for (uint64_t id = 0; id < n; id++)
		cr_assert(family__has(&f, id));
	for (uint64_t i = 1; i < n; i++)
		cr_assert_lt(f.ids[i - 1], f.ids[i]);
	cr_expect(!f.full);
	family__clear(&f);
}
