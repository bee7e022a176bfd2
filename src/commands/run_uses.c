// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_uses.h"

#include <stdlib.h>

#define RECENT 16 /* uses to compare before one is added: few programs alternate */

static int by_program(const void *a, const void *b)
{
	const struct run_use *x = a, *y = b;

	return (x->program > y->program) - (x->program < y->program);
}

void run_uses__merge(struct run_uses *u)
{
	uint32_t n = 0;

	if (!u->n)
		return;
	qsort(u->items, u->n, sizeof(*u->items), by_program);
	for (uint32_t i = 1; i < u->n; i++)
		if (u->items[i].program == u->items[n].program)
			u->items[n].how |= u->items[i].how;
		else
			u->items[++n] = u->items[i];
	u->n = n + 1;
}

/* Merges them, and doubles their space if that freed little. */
static bool reserve(struct run_uses *u)
{
	uint32_t capacity = u->capacity ? 2 * u->capacity : 2;
	void *grown;

	run_uses__merge(u);
	if (u->n <= u->capacity / 2 && u->capacity)
		return true;
	grown = reallocarray(u->items, capacity, sizeof(*u->items));
	if (!grown)
		return false;
	u->items = grown;
	u->capacity = capacity;
	return true;
}

bool run_uses__add(struct run_uses *u, struct run_use use)
{
	uint32_t oldest = u->n > RECENT ? u->n - RECENT : 0;

	for (uint32_t i = u->n; i > oldest; i--)
		if (u->items[i - 1].program == use.program) {
			u->items[i - 1].how |= use.how;
			return true;
		}
	if (u->n == u->capacity && !reserve(u))
		return false;
	u->items[u->n++] = use;
	return true;
}

void run_uses__clear(struct run_uses *u)
{
	free(u->items);
	*u = (struct run_uses){ 0 };
}
