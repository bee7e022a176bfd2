// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/dict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (1 << 20)

struct block {
	struct block *next;
	size_t used;
	_Alignas(8) char data[BLOCK_BYTES];
};

struct dict_slot {
	uint64_t id; /* 0: empty; no definition has id 0 */
	void *value;
};

struct generation {
	struct dict_slot *slots; /* a power of two; at least half is empty */
	size_t n_slots, n, bytes;
	struct block *blocks;
};

/* By then its slot is in the cache. */
#define EXPECTED 4

struct dict {
	struct generation young, old;
	struct generation leaving; /* until dict__drop() */
	size_t max_entries, max_bytes;
	uint64_t expected[EXPECTED]; /* the last ids of dict__expect() */
	unsigned int n_expected;
};

static void generation__clear(struct generation *g)
{
	while (g->blocks) {
		struct block *next = g->blocks->next;

		free(g->blocks);
		g->blocks = next;
	}
	free(g->slots);
	memset(g, 0, sizeof(*g));
}

static int generation__init(struct generation *g, size_t n_slots)
{
	memset(g, 0, sizeof(*g));
	g->slots = calloc(n_slots, sizeof(*g->slots));
	g->n_slots = n_slots;
	return g->slots ? 0 : -ENOMEM;
}

/* Where the search for ID begins. Ids are hashes or counters; a multiplication distributes both. */
static size_t first_slot(uint64_t id)
{
	return (id * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
}

static struct dict_slot *generation__slot(const struct generation *g, uint64_t id)
{
	for (size_t i = first_slot(id);; i++) {
		struct dict_slot *s = &g->slots[i & (g->n_slots - 1)];

		if (s->id == id || !s->id)
			return s;
	}
}

static void *generation__allocate(struct generation *g, size_t size)
{
	struct block *b = g->blocks;
	void *p;

	size = (size + 7) & ~(size_t)7;
	if (size > BLOCK_BYTES)
		return NULL;
	if (!b || b->used + size > BLOCK_BYTES) {
		b = malloc(sizeof(*b));
		if (!b)
			return NULL;
		b->used = 0;
		b->next = g->blocks;
		g->blocks = b;
	}
	p = b->data + b->used;
	b->used += size;
	g->bytes += size;
	return p;
}

static int generation__grow(struct generation *g)
{
	struct dict_slot *old = g->slots;
	size_t n_old = g->n_slots;
	struct dict_slot *slots = calloc(n_old * 2, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	g->slots = slots;
	g->n_slots = n_old * 2;
	g->bytes += n_old * sizeof(*slots);
	for (size_t i = 0; i < n_old; i++)
		if (old[i].id)
			*generation__slot(g, old[i].id) = old[i];
	free(old);
	return 0;
}

#define SLOTS_FIRST 4096

int dict__new(struct dict **ret, size_t max_entries, size_t max_bytes)
{
	struct dict *d = calloc(1, sizeof(*d));

	if (!d || generation__init(&d->young, SLOTS_FIRST) || generation__init(&d->old, 1) ||
	    generation__init(&d->leaving, 1)) {
		dict__free(d);
		return -ENOMEM;
	}
	d->max_entries = max_entries;
	d->max_bytes = max_bytes;
	*ret = d;
	return 0;
}

struct dict *dict__free(struct dict *d)
{
	if (!d)
		return NULL;
	generation__clear(&d->young);
	generation__clear(&d->old);
	generation__clear(&d->leaving);
	free(d);
	return NULL;
}

void *dict__put(struct dict *d, uint64_t id, size_t size)
{
	struct generation *g = &d->young;
	struct dict_slot *s;
	void *value;

	if (!id || g->n >= 2 * d->max_entries || g->bytes + size > 2 * d->max_bytes)
		return NULL;
	if (2 * (g->n + 1) > g->n_slots && generation__grow(g))
		return NULL;
	value = generation__allocate(g, size);
	if (!value)
		return NULL;
	s = generation__slot(g, id);
	if (!s->id)
		g->n++;
	s->id = id;
	s->value = value;
	return value;
}

void *dict__get(const struct dict *d, uint64_t id)
{
	const struct dict_slot *s;

	if (!id)
		return NULL;
	s = generation__slot(&d->young, id);
	if (!s->id && d->old.n)
		s = generation__slot(&d->old, id);
	if (!s->id && d->leaving.n)
		s = generation__slot(&d->leaving, id);
	return s->id ? s->value : NULL;
}

/* Only in the youngest generation: others are rare. */
void dict__expect(struct dict *d, uint64_t id)
{
	const struct generation *g = &d->young;
	uint64_t *expected = &d->expected[d->n_expected++ % EXPECTED];
	const struct dict_slot *before = &g->slots[first_slot(*expected) & (g->n_slots - 1)];

	if (before->id == *expected && before->value) {
		const char *value = before->value;

		__builtin_prefetch(value);
		__builtin_prefetch(value + 64);
		__builtin_prefetch(value + 128);
	}
	__builtin_prefetch(&g->slots[first_slot(id) & (g->n_slots - 1)]);
	*expected = id;
}

bool dict__full(const struct dict *d)
{
	return d->young.n >= d->max_entries || d->young.bytes >= d->max_bytes;
}

void dict__forget(struct dict *d)
{
	struct generation fresh;

	if (generation__init(&fresh, SLOTS_FIRST))
		return; /* full for longer; dict__put() enforces its own bound */
	generation__clear(&d->leaving);
	d->leaving = d->old;
	d->old = d->young;
	d->young = fresh;
}

void dict__drop(struct dict *d)
{
	generation__clear(&d->leaving);
}
