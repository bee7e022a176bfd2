// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/table.h"

#include <errno.h>
#include <stdlib.h>

/* splitmix64's finalizer: each bit of the result depends on each bit of V. */
uint64_t table__mix(uint64_t so_far, uint64_t v)
{
	v += so_far * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static struct table_slot *find(struct table_slot *slots, size_t size, uint64_t key)
{
	size_t i = table__mix(1, key) & (size - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static int grow(struct table *t)
{
	size_t size = t->size ? 2 * t->size : 1024;
	struct table_slot *slots = calloc(size, sizeof(*slots));

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

uint64_t *table__at(struct table *t, uint64_t key)
{
	struct table_slot *slot;

	if (4 * (t->used + 1) > 3 * t->size && grow(t))
		return NULL;
	if (!key)
		key = 1;
	slot = find(t->slots, t->size, key);
	if (!slot->key) {
		slot->key = key;
		t->used++;
	}
	return &slot->value;
}

void table__clear(struct table *t)
{
	free(t->slots);
	*t = (struct table){ 0 };
}
