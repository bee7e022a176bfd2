// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/sorter.h"
#include "export/table.h"

/* Each record contains its key and its number. */
struct sample {
	uint64_t key, number;
};

static void check_order(struct sorter *s, uint64_t n)
{
	struct sample last = { 0, 0 };
	const void *data;
	uint64_t key, seen = 0;
	size_t len;
	int got;

	while ((got = sorter__next(s, &key, &data, &len)) == 1) {
		struct sample now;

		memcpy(&now, data, sizeof(now));
		cr_assert_eq(now.key, key);
		cr_assert(!seen || now.key > last.key ||
			  (now.key == last.key && now.number > last.number));
		/* Followed by as many copies of its last byte as its number says. */
		cr_assert_eq(len, sizeof(now) + now.number % 97);
		for (size_t i = sizeof(now); i < len; i++)
			cr_assert_eq(((const char *)data)[i], (char)now.number);
		last = now;
		seen++;
	}
	cr_assert_eq(got, 0);
	cr_assert_eq(seen, n);
}

static void sort_samples(uint64_t n)
{
	struct sorter *s;
	char record[sizeof(struct sample) + 97];

	cr_assert_eq(sorter__new(&s, SORTER_RECORD_MAX), 0);
	srand(7);
	for (uint64_t i = 0; i < n; i++) {
		struct sample sample = { rand() % 1000, i };

		memcpy(record, &sample, sizeof(sample));
		memset(record + sizeof(sample), (char)i, i % 97);
		cr_assert_eq(sorter__add(s, sample.key, record, sizeof(sample) + i % 97), 0);
	}
	check_order(s, n);
	sorter__free(s);
}

TestSuite(sorter, .timeout = 60);

Test(sorter, nothing)
{
	sort_samples(0);
}

Test(sorter, in_memory)
{
	sort_samples(1000);
}

/* 20 MB with 2 MB of memory: a dozen runs. */
Test(sorter, on_the_disk)
{
	sort_samples(250000);
}

Test(sorter, long_records)
{
	char *data = calloc(1, SORTER_RECORD_MAX + 1);
	const void *got;
	struct sorter *s;
	uint64_t key;
	size_t len;

	cr_assert_eq(sorter__new(&s, SORTER_RECORD_MAX), 0);
	cr_assert_eq(sorter__add(s, 0, data, SORTER_RECORD_MAX + 1), -E2BIG);
	for (uint64_t i = 0; i < 5; i++)
		cr_assert_eq(sorter__add(s, 9 - i, data, SORTER_RECORD_MAX - i), 0);
	for (uint64_t i = 5; i-- > 0;) {
		cr_assert_eq(sorter__next(s, &key, &got, &len), 1);
		cr_assert_eq(key, 9 - i);
		cr_assert_eq(len, SORTER_RECORD_MAX - i);
	}
	cr_assert_eq(sorter__next(s, &key, &got, &len), 0);
	sorter__free(s);
	free(data);
}

/* Puts N keys, changes each value at times that chance chooses, and looks each up. */
static void use_table(struct table *t, uint64_t n)
{
	uint64_t *values = calloc(n + 1, sizeof(*values)), *value;

	srand(7);
	for (uint64_t i = 1; i <= 3 * n; i++) {
		uint64_t key = i <= n ? i : 1 + rand() % n;

		cr_assert_eq(table__at(t, table__mix(0, key), &value), 0);
		cr_assert_eq(*value, values[key]);
		*value = values[key] = i;
		cr_assert_eq(t->known, i <= n ? i : n);
	}
	for (uint64_t i = 1; i <= n; i++) {
		cr_assert_eq(table__at(t, table__mix(0, i), &value), 0);
		cr_assert_eq(*value, values[i]);
	}
	cr_assert_eq(table__at(t, 0, &value), 0);
	cr_assert_eq(*value, 0);
	free(values);
}

Test(table, keeps_what_was_put)
{
	struct table t = { 0 };

	use_table(&t, 100000);
	cr_assert_null(t.older);
	table__clear(&t);
}

/* 768 of 20,000 keys are in memory: some 75 runs, merged whenever there are four. */
Test(table, keeps_on_the_disk_what_memory_does_not_hold, .timeout = 60)
{
	struct table t = { .max = 1024 };

	use_table(&t, 20000);
	cr_assert_eq(t.size, 1024);
	cr_assert_not_null(t.older);
	table__clear(&t);
}

/* Keys one behind another, and the largest: where blocks begin and end. */
Test(table, keys_in_a_row)
{
	struct table t = { .max = 1024 };
	uint64_t *value;

	for (int round = 0; round < 2; round++)
		for (uint64_t i = 1; i <= 2 * PAIR_BLOCK * 5; i++) {
			uint64_t key = i % 2 ? i : UINT64_MAX - i;

			cr_assert_eq(table__at(&t, key, &value), 0);
			cr_assert_eq(*value, round ? key : 0);
			*value = key;
		}
	cr_assert_eq(t.known, 2 * PAIR_BLOCK * 5);
	table__clear(&t);
}

Test(table, reports_that_the_disk_fails)
{
	struct table t = { .max = 1024 };
	uint64_t *value;
	int err = 0;

	setenv("TMPDIR", "/dev/null", 1);
	for (uint64_t i = 1; !err && i <= 1000; i++)
		err = table__at(&t, i, &value);
	cr_assert_eq(err, -ENOTDIR);
	table__clear(&t);
}
