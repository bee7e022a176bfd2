// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE_MIN 1024

/* splitmix64's finalizer: each bit of the result depends on each bit of V. */
uint64_t table__mix(uint64_t so_far, uint64_t v)
{
	v += so_far * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static struct pair *find(struct pair *slots, size_t size, uint64_t key)
{
	size_t i = table__mix(1, key) & (size - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static int grow(struct table *t)
{
	size_t size = t->size ? 2 * t->size : TABLE_SIZE_MIN;
	struct pair *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			*find(slots, size, t->slots[i].key) = t->slots[i];
	free(t->slots);
	t->slots = slots;
	t->size = size;
	return 0;
}

static int compare_pairs(const void *a, const void *b)
{
	uint64_t x = ((const struct pair *)a)->key, y = ((const struct pair *)b)->key;

	return x < y ? -1 : x > y;
}

/* Moves all pairs to the disk. */
static int spill_pairs(struct table *t)
{
	size_t n = 0;
	int err;

	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].key)
			t->slots[n++] = t->slots[i];
	qsort(t->slots, n, sizeof(*t->slots), compare_pairs);
	err = pair_runs__add(&t->older, t->slots, n);
	memset(t->slots, 0, t->size * sizeof(*t->slots));
	t->filled = 0;
	return err;
}

static bool is_full(const struct table *t)
{
	return 4 * (t->filled + 1) > 3 * t->size;
}

int table__at(struct table *t, uint64_t key, uint64_t **ret)
{
	struct pair *slot = NULL;
	uint64_t value = 0;
	int err = 0, known;

	key = key ?: 1;
	if (t->size)
		slot = find(t->slots, t->size, key);
	if (slot && slot->key) {
		*ret = &slot->value;
		return 0;
	}
	if (is_full(t))
		err = t->size < (t->max ?: TABLE_SIZE_MAX) ? grow(t) : spill_pairs(t);
	if (err)
		return err;
	known = pair_runs__find(t->older, key, &value);
	if (known < 0)
		return known;
	slot = find(t->slots, t->size, key);
	*slot = (struct pair){ key, value };
	t->filled++;
	t->known += !known;
	*ret = &slot->value;
	return 0;
}

void table__clear(struct table *t)
{
	free(t->slots);
	pair_runs__free(t->older);
	*t = (struct table){ 0 };
}
