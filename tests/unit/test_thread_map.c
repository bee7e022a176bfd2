// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <unistd.h>

#include "engine/macos/thread_map.h"

#define FAR (UINT64_C(1) << 40) /* ids that no thread of this machine has */

static struct thread_map *map;

static void setup(void)
{
	map = thread_map__new();
	cr_assert_not_null(map);
}

static void teardown(void)
{
	map = thread_map__free(map);
}

TestSuite(thread_map, .init = setup, .fini = teardown);

Test(thread_map, lists_the_threads_of_the_system)
{
	cr_assert_eq(thread_map__find(map, (uint64_t)getpid()), getpid());
	cr_assert_eq(thread_map__find(map, 0), 0);
	cr_assert_eq(thread_map__find(map, FAR), 0);
}

/* Whatever their ids have in common. */
Test(thread_map, no_thread_replaces_another)
{
	for (int i = 0; i < 40; i++)
		thread_map__note(map, FAR + (UINT64_C(1) << i), i + 1);
	for (uint64_t i = 0; i < 10000; i++)
		thread_map__note(map, 2 * FAR + (i << 16), (pid_t)(i + 100));
	thread_map__note(map, FAR + 1, 7);
	cr_assert_eq(thread_map__find(map, FAR + 1), 7, "the last listing counts");
	for (int i = 1; i < 40; i++)
		cr_assert_eq(thread_map__find(map, FAR + (UINT64_C(1) << i)), i + 1);
	for (uint64_t i = 0; i < 10000; i++)
		if (thread_map__find(map, 2 * FAR + (i << 16)) != (pid_t)(i + 100))
			cr_assert_fail("%d", (int)i);
}

Test(thread_map, more_threads_than_fit)
{
	uint64_t found = 0;

	for (uint64_t i = 0; i < 2 * THREAD_MAP_MAX; i++)
		thread_map__note(map, FAR + i, 5);
	while (thread_map__find(map, FAR + found) == 5)
		found++;
	cr_assert_eq(found, THREAD_MAP_MAX);
	thread_map__note(map, FAR, 6);
	cr_assert_eq(thread_map__find(map, FAR), 6, "one that is known may change");
}
