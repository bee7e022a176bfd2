// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "rows/dict.h"

static struct dict *dict_with(uint64_t from, uint64_t to)
{
	struct dict *d;

	cr_assert_eq(dict__new(&d, 1000, 1 << 20), 0);
	for (uint64_t id = from; id < to; id++)
		*(uint64_t *)dict__put(d, id, sizeof(uint64_t)) = id * 3;
	return d;
}

Test(dict, finds_what_was_put)
{
	struct dict *d = dict_with(1, 998);

	for (uint64_t id = 1; id < 998; id++)
		cr_assert_eq(*(uint64_t *)dict__get(d, id), id * 3);
	cr_assert_null(dict__get(d, 998));
	cr_assert_null(dict__get(d, 0));
	dict__free(d);
}

Test(dict, the_latest_value_counts)
{
	struct dict *d = dict_with(1, 3);

	memcpy(dict__put(d, 2, 4), "new", 4);
	cr_assert_str_eq(dict__get(d, 2), "new");
	dict__free(d);
}

Test(dict, drops_the_generation_before_the_last)
{
	struct dict *d = dict_with(1, 101);

	dict__forget(d);
	cr_assert_eq(*(uint64_t *)dict__get(d, 7), 21);
	memcpy(dict__put(d, 7, 8), "younger", 8);
	cr_assert_str_eq(dict__get(d, 7), "younger");
	dict__forget(d);
	cr_assert_str_eq(dict__get(d, 7), "younger");
	cr_assert_eq(*(uint64_t *)dict__get(d, 8), 24, "events on their way refer to it");
	dict__drop(d);
	cr_assert_null(dict__get(d, 8));
	cr_assert_str_eq(dict__get(d, 7), "younger");
	dict__free(d);
}

Test(dict, is_bounded)
{
	struct dict *d;
	uint64_t id = 1;

	cr_assert_eq(dict__new(&d, 100, 1 << 20), 0);
	while (dict__put(d, id, 16))
		id++;
	cr_assert(dict__full(d));
	cr_assert_eq(id, 201, "twice the bound, and no more: %lu", (unsigned long)id);
	dict__forget(d);
	cr_assert(!dict__full(d));
	cr_assert(dict__put(d, id, 16));
	dict__free(d);

	cr_assert_eq(dict__new(&d, 1000000, 1000), 0);
	for (id = 1; dict__put(d, id, 100); id++)
		cr_assert_lt(id, 100);
	cr_assert_null(dict__put(d, id, 2 << 20));
	dict__free(d);
	cr_assert_null(dict__free(NULL));
}
