// SPDX-License-Identifier: GPL-2.0-or-later
/* Sketches and tables of groups, compared with sorting and counting everything. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "aggregate/sketch.h"
#include "platform/macros.h"

TestSuite(sketch, .timeout = 60);
TestSuite(groups, .timeout = 60);

static uint64_t state = 88172645463325252u;

static uint64_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static double uniform(void)
{
	return (chance() >> 11) / 9007199254740992.0;
}

/* ---- sketch ---- */

static uint64_t small(void)
{
	return chance() % 90;
}
static uint64_t flat(void)
{
	return chance() % 1000000;
}
/* Latencies: from a microsecond to minutes. */
static uint64_t heavy_tailed(void)
{
	double u = uniform() + 1e-9;

	return 700 / (u * u);
}
static uint64_t any_power(void)
{
	return chance() >> chance() % 64;
}
static uint64_t one_value(void)
{
	return 123456789;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Checks all quantiles of S against those of the N sorted VALUES. */
static void check_quantiles(const struct sketch *s, uint64_t *values, size_t n)
{
	static const double qs[] = { 0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };

	qsort(values, n, sizeof(*values), ascending);
	cr_assert_eq(s->n, n);
	cr_assert_eq(s->min, values[0]);
	cr_assert_eq(s->max, values[n - 1]);
	for (size_t i = 0; i < ARRAY_SIZE(qs); i++) {
		size_t rank = 0;
		uint64_t exact, got = sketch__quantile(s, qs[i]);
		double off;

		while (rank < n && rank < qs[i] * n - 1e-9 * n)
			rank++;
		exact = values[rank ? rank - 1 : 0];
		off = got > exact ? got - exact : exact - got;

		cr_assert(off <= exact * SKETCH_ERROR, "q %g of %zu: %lu, not %lu", qs[i], n, got,
			  exact);
		cr_assert(exact >= 128 || got == exact);
	}
}

static void check_distribution(uint64_t (*draw)(void), size_t n)
{
	uint64_t *values = malloc(n * sizeof(*values));
	struct sketch all = { 0 }, halves[2] = { { 0 } };

	for (size_t i = 0; i < n; i++) {
		values[i] = draw();
		cr_assert_eq(sketch__add(&all, values[i], 1), 0);
		cr_assert_eq(sketch__add(&halves[i % 3 == 0], values[i], 1), 0);
	}
	check_quantiles(&all, values, n);
	cr_assert_eq(sketch__merge(&halves[0], &halves[1]), 0);
	check_quantiles(&halves[0], values, n);
	cr_assert_leq(sketch__bytes(&all), 8 * BUCKET_COUNT);
	sketch__clear(&all);
	sketch__clear(&halves[0]);
	sketch__clear(&halves[1]);
	free(values);
}

Test(sketch, quantiles_are_within_the_error)
{
	uint64_t (*const draws[])(void) = { small, flat, heavy_tailed, any_power, one_value };
	static const size_t sizes[] = { 1, 2, 3, 10, 97, 100, 1000, 200000 };

	for (size_t d = 0; d < ARRAY_SIZE(draws); d++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			check_distribution(draws[d], sizes[i]);
}

Test(sketch, buckets_follow_each_other)
{
	cr_assert_eq(buckets__of(UINT64_MAX), BUCKET_COUNT - 1);
	cr_assert_eq(buckets__of(127), 127);
	cr_assert_eq(buckets__of(128), 128);
	for (unsigned int i = 0; i < BUCKET_COUNT; i++) {
		cr_assert_eq(buckets__of(sketch__middle(i)), i);
		cr_assert(!i || sketch__middle(i) > sketch__middle(i - 1));
	}
}

Test(sketch, counts_that_no_pair_can_hold)
{
	struct sketch s = { 0 };

	cr_assert_eq(sketch__add(&s, 5, UINT64_C(1) << 51), 0);
	cr_assert_eq(sketch__add(&s, 5, UINT64_C(1) << 51), 0);
	cr_assert_eq(sketch__add(&s, 7, UINT64_C(3) << 52), 0);
	cr_assert_eq(s.n, UINT64_C(4) << 52);
	cr_assert_eq(sketch__quantile(&s, 0.25), 5);
	cr_assert_eq(sketch__quantile(&s, 0.26), 7);
	sketch__clear(&s);
	cr_assert_eq(sketch__quantile(&s, 0.5), 0);
}

/* ---- groups ---- */

#define KEYS 5000

struct value {
	uint64_t calls;
};

/* The remainder: the weight of dropped groups. */
static void to_rest(void *arg, struct group *group, bool at_end)
{
	if (!at_end)
		((struct value *)arg)->calls += ((struct value *)group->value)->calls;
}

static struct groups *new_groups(size_t max_groups, size_t max_bytes, struct value *rest)
{
	struct groups_config config = { sizeof(struct value), max_groups, max_bytes, to_rest,
					rest };
	struct groups *g;

	cr_assert_eq(groups__new(&g, &config), 0);
	return g;
}

/* Key I, with a length that varies and bytes that are not text. */
static size_t make_key(char key[64], unsigned int i)
{
	return snprintf(key, 64, "%u%c/%.*s", i, 0, i % 40,
			"an even longer name of a file in a tree of");
}

/* N rows with the keys from FIRST on, lower ones more often. */
static void feed(struct groups *g, uint64_t *truth, size_t n, unsigned int first)
{
	for (size_t i = 0; i < n; i++) {
		unsigned int k = (first + chance() % (1 + chance() % (1 + chance() % KEYS))) % KEYS;
		char key[64];
		struct group *group = groups__at(g, key, make_key(key, k));

		cr_assert_not_null(group);
		group->weight++;
		((struct value *)group->value)->calls++;
		truth[k]++;
	}
}

/* Checks that each group keeps its bounds, and that each group heavier than the floor is
 * present. */
static void check_bounds(struct groups *g, const uint64_t *truth, uint64_t n, uint64_t rest)
{
	uint64_t sum = rest;
	size_t heavy = 0;

	for (size_t i = 0; i < groups__count(g); i++) {
		const struct group *group = groups__get(g, i);
		unsigned int k = strtoul(group->key, NULL, 10);

		cr_assert_leq(group->weight, truth[k]);
		cr_assert_geq(group->weight + group->lacks, truth[k]);
		heavy += truth[k] > groups__floor(g);
		sum += ((struct value *)group->value)->calls;
	}
	for (unsigned int k = 0; k < KEYS; k++)
		heavy -= truth[k] > groups__floor(g);
	cr_assert_eq(heavy, 0, "heavy groups are missing");
	cr_assert_eq(sum, n);
}

Test(groups, are_exact_while_they_fit)
{
	struct value rest = { 0 };
	struct groups *g = new_groups(KEYS, 1 << 24, &rest);
	uint64_t truth[KEYS] = { 0 };

	feed(g, truth, 300000, 0);
	cr_assert_eq(groups__floor(g), 0);
	for (size_t i = 0; i < groups__count(g); i++)
		cr_assert_eq(groups__get(g, i)->lacks, 0);
	check_bounds(g, truth, 300000, rest.calls);
	groups__free(g);
}

Test(groups, hold_their_bounds_when_full)
{
	static const size_t sizes[] = { 4, 16, 100, 1000, 4000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct value rest = { 0 };
		struct groups *g = new_groups(sizes[i], 1 << 24, &rest);
		uint64_t truth[KEYS] = { 0 };

		/* Keys that are heavy first are light later, and the other way round. */
		feed(g, truth, 100000, 0);
		feed(g, truth, 100000, 2500);
		cr_assert_leq(groups__count(g), sizes[i]);
		cr_assert_leq(groups__floor(g), 2 * 200000 / sizes[i]);
		cr_assert_gt(groups__dropped(g), 0);
		check_bounds(g, truth, 200000, rest.calls);
		groups__free(g);
	}
}

Test(groups, hold_their_bounds_in_few_bytes)
{
	struct value rest = { 0 };
	struct groups *g = new_groups(1000000, 20000, &rest);
	uint64_t truth[KEYS] = { 0 };

	feed(g, truth, 100000, 0);
	cr_assert_leq(groups__bytes(g), 20000 + 256);
	cr_assert_gt(groups__dropped(g), 0);
	check_bounds(g, truth, 100000, rest.calls);
	groups__free(g);
}

/* Two groups with large values: both stay. */
Test(groups, count_what_is_charged)
{
	struct value rest = { 0 };
	struct groups *g = new_groups(1000, 10000, &rest);
	uint64_t truth[KEYS] = { 0 };

	for (unsigned int i = 0; i < 2; i++) {
		char key[64];
		struct group *group = groups__at(g, key, make_key(key, i));

		groups__charge(g, group, 6000);
		group->weight = truth[i] = 100000;
		((struct value *)group->value)->calls = 100000;
	}
	feed(g, truth, 10000, 3);
	cr_assert_leq(groups__count(g), 4);
	check_bounds(g, truth, 210000, rest.calls);
	groups__free(g);
}

static int add_value(void *arg, struct group *to, const struct group *from)
{
	((struct value *)to->value)->calls += ((const struct value *)from->value)->calls;
	return 0;
}

Test(groups, of_two_tables_hold_their_bounds)
{
	static const size_t sizes[][2] = { { KEYS, KEYS }, { 100, KEYS }, { KEYS, 100 },
					   { 100, 100 },   { 1000, 64 },  { 64, 1000 } };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct value rests[2] = { { 0 } };
		struct groups *a = new_groups(sizes[i][0], 1 << 24, &rests[0]);
		struct groups *b = new_groups(sizes[i][1], 1 << 24, &rests[1]);
		uint64_t truth[KEYS] = { 0 };

		feed(a, truth, 50000, 0);
		feed(b, truth, 50000, 1000);
		cr_assert_eq(groups__merge(a, b, add_value, NULL), 0);
		check_bounds(a, truth, 100000, rests[0].calls + rests[1].calls);
		cr_assert_leq(groups__count(a), sizes[i][0]);
		groups__free(a);
		groups__free(b);
	}
}
