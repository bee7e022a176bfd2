// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "rows/process_users.h"

static struct process_users *users;

static void setup(void)
{
	cr_assert_eq(process_users__new(&users), 0);
}

static void teardown(void)
{
	process_users__free(users);
}

TestSuite(process_users, .init = setup, .fini = teardown);

static void table_is(const char *text)
{
	json_t *json = process_users__json(users), *want = json_loads(text, 0, NULL);

	cr_assert_not_null(want);
	json_object_del(json, "names"); /* those of this machine */
	cr_assert(json_equal(json, want), "%s", json_dumps(json, JSON_COMPACT));
	json_decref(json);
	json_decref(want);
}

Test(process_users, nobody_has_no_table)
{
	cr_assert_null(process_users__json(users));
}

Test(process_users, neighbours_are_one_range)
{
	cr_assert_not(process_users__note(users, 100, 0));
	cr_assert_not(process_users__note(users, 120, 0));
	cr_assert_not(process_users__note(users, 110, 7));
	cr_assert_not(process_users__note(users, 90, 0));
	cr_assert_not(process_users__note(users, PROCESS_USERS_PIDS - 1, 7));
	table_is(
		"{\"processes\": [[90, 100, 0], [110, 110, 7], [120, 120, 0], [4194303, 4194303, 7]],"
		" \"changes\": [], \"left_out\": 0}");
}

Test(process_users, a_change_counts_from_its_first_row)
{
	uint8_t first, other;

	cr_assert_not(process_users__note(users, 5, 0));
	other = process_users__note(users, 5, 1000);
	cr_assert(other);
	/* Back to the first one, before there are rows of the other. */
	first = process_users__note(users, 5, 0);
	cr_assert(first && first != other);
	process_users__row(users, 5, other, 77);
	process_users__row(users, 5, other, 78);
	process_users__row(users, 5, first, 99);
	process_users__row(users, 5, first, 100);
	cr_assert_eq(process_users__note(users, 5, 1000), other);
	table_is("{\"processes\": [[5, 5, 0]], \"changes\": [[5, 77, 1000], [5, 99, 0]],"
		 " \"left_out\": 0}");
}

Test(process_users, what_does_not_fit_is_counted)
{
	json_t *json;
	uint8_t two[2];

	for (uint32_t i = 0; i < PROCESS_USERS_MAX + 3; i++)
		cr_assert_not(process_users__note(users, 10 + i, 1000 + i));
	process_users__note(users, PROCESS_USERS_PIDS, 0);
	two[1] = process_users__note(users, 10, 1001);
	two[0] = process_users__note(users, 10, 1000);
	for (uint32_t i = 0; i < PROCESS_USERS_CHANGES_MAX + 5; i++)
		process_users__row(users, 10, two[(i + 1) % 2], i);
	json = process_users__json(users);
	cr_assert_eq(json_array_size(json_object_get(json, "processes")), PROCESS_USERS_MAX);
	cr_assert_eq(json_array_size(json_object_get(json, "changes")), PROCESS_USERS_CHANGES_MAX);
	cr_assert_eq(json_integer_value(json_object_get(json, "left_out")), 3 + 5 + 1);
	json_decref(json);
}

Test(process_users, names_are_those_of_the_system)
{
	json_t *json;

	process_users__note(users, 1, 0);
	process_users__note(users, 2, 4000000000);
	json = process_users__json(users);
	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "names"), "0")),
			 "root");
	cr_assert_eq(json_object_size(json_object_get(json, "names")), 1);
	json_decref(json);
}
