// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "lake/store_kind.h"

/* A list that is too long says so; it is not a lack of memory. */
Test(store, too_many_files)
{
	struct store_files files = { .n = 0 };
	const struct store_file file = { .name = "v=1/x" };
	struct store s;

	cr_assert_eq(store_files__add(&files, &file), 0);
	cr_assert_eq(files.n, 1);
	files.n = STORE_FILES_MAX;
	cr_assert_eq(store_files__add(&files, &file), -EOVERFLOW);
	cr_assert_eq(files.n, STORE_FILES_MAX);
	cr_assert_eq(store__fail(&s, -EOVERFLOW, "cannot list", "v=1/"), -EOVERFLOW);
	cr_assert_str_eq(s.why, "cannot list v=1/: more than 16777216 files");
	free((char *)files.at[0].name);
	free(files.at);
}
