// SPDX-License-Identifier: GPL-2.0-or-later
#include "aggregate/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "platform/libc.h"

#define FIRST_SLOTS 256 /* a power of two */

/* A group, followed by its value and its key. */
struct group_entry {
	struct group group;
	char more[] __attribute__((aligned(8)));
};

struct groups {
	struct groups_config config;
	struct group_entry **entries; /* COUNT of them */
	uint32_t *slots;              /* hash table: 1 + index of an entry; 0: free */
	size_t count, size, n_slots;
	size_t bytes;
	uint64_t floor, dropped;
	uint64_t seed; /* keys are untrusted: a seed prevents long chains by design */
};

int groups__new(struct groups **ret, const struct groups_config *config)
{
	struct groups *g = calloc(1, sizeof(*g));

	if (g)
		g->slots = calloc(FIRST_SLOTS, sizeof(*g->slots));
	if (!g || !g->slots) {
		free(g);
		return -ENOMEM;
	}
	g->config = *config;
	g->n_slots = FIRST_SLOTS;
	if (getrandom(&g->seed, sizeof(g->seed), GRND_NONBLOCK) < 0)
		g->seed = (uintptr_t)g;
	*ret = g;
	return 0;
}

static size_t entry_bytes(const struct groups *g, const struct group_entry *e)
{
	return sizeof(*e) + g->config.value_size + e->group.key_len + e->group.bytes;
}

static void drop(struct groups *g, struct group_entry *e, bool at_end)
{
	g->bytes -= entry_bytes(g, e);
	if (g->config.drop)
		g->config.drop(g->config.arg, &e->group, at_end);
	free(e);
}

struct groups *groups__free(struct groups *g)
{
	if (!g)
		return NULL;
	for (size_t i = 0; i < g->count; i++)
		drop(g, g->entries[i], true);
	free(g->entries);
	free(g->slots);
	free(g);
	return NULL;
}

static void put(struct groups *g, size_t index)
{
	size_t at = g->entries[index]->group.hash & (g->n_slots - 1);

	while (g->slots[at])
		at = (at + 1) & (g->n_slots - 1);
	g->slots[at] = index + 1;
}

static void put_all(struct groups *g)
{
	memset(g->slots, 0, g->n_slots * sizeof(*g->slots));
	for (size_t i = 0; i < g->count; i++)
		put(g, i);
}

/* Grows the table for one more entry. */
static int grow(struct groups *g)
{
	if (g->count == g->size) {
		size_t size = g->size ? g->size * 2 : FIRST_SLOTS / 2;
		struct group_entry **entries = realloc(g->entries, size * sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		g->entries = entries;
		g->size = size;
	}
	if (g->count * 2 >= g->n_slots) {
		/* NOLINTNEXTLINE(*.UnixAPI): FIRST_SLOTS at least */
		uint32_t *slots = calloc(g->n_slots * 2, sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		free(g->slots);
		g->slots = slots;
		g->n_slots *= 2;
		put_all(g);
	}
	return 0;
}

static uint64_t at_most(const struct group_entry *e)
{
	return e->group.weight + e->group.lacks;
}

static int heavier_first(const void *a, const void *b)
{
	uint64_t x = at_most(*(struct group_entry *const *)a),
		 y = at_most(*(struct group_entry *const *)b);

	return (x < y) - (x > y);
}

/* Drops the lighter half. */
static void purge(struct groups *g)
{
	size_t keep = g->count / 2;

	qsort(g->entries, g->count, sizeof(*g->entries), heavier_first);
	if (at_most(g->entries[keep]) > g->floor)
		g->floor = at_most(g->entries[keep]);
	while (g->count > keep) {
		drop(g, g->entries[--g->count], false);
		g->dropped++;
	}
	put_all(g);
}

static struct group_entry *add_entry(struct groups *g, const char *key, size_t len, uint32_t hash)
{
	struct group_entry *e;

	if (g->count > 3 && g->count >= g->config.max_groups)
		purge(g);
	e = grow(g) ? NULL : calloc(1, sizeof(*e) + g->config.value_size + len);
	if (!e)
		return NULL;
	e->group = (struct group){ .lacks = g->floor, .key_len = len, .hash = hash };
	e->group.value = e->more;
	e->group.key = memcpy(e->more + g->config.value_size, key, len);
	g->bytes += entry_bytes(g, e);
	g->entries[g->count++] = e;
	put(g, g->count - 1);
	return e;
}

static struct group *find(const struct groups *g, const char *key, size_t len, uint32_t hash)
{
	for (size_t at = hash & (g->n_slots - 1); g->slots[at]; at = (at + 1) & (g->n_slots - 1)) {
		struct group *there = &g->entries[g->slots[at] - 1]->group;

		if (there->hash == hash && there->key_len == len && !memcmp(there->key, key, len))
			return there;
	}
	return NULL;
}

struct group *groups__find(const struct groups *g, const char *key, size_t len)
{
	return find(g, key, len, hash__bytes(g->seed, key, len));
}

struct group *groups__at(struct groups *g, const char *key, size_t len)
{
	uint32_t hash = hash__bytes(g->seed, key, len);
	struct group *there;
	struct group_entry *e;

	if (len > UINT32_MAX)
		return NULL;
	if (g->bytes > g->config.max_bytes && g->count > 3)
		purge(g);
	there = find(g, key, len, hash);
	if (there)
		return there;
	e = add_entry(g, key, len, hash);
	return e ? &e->group : NULL;
}

void groups__charge(struct groups *g, struct group *group, ptrdiff_t bytes)
{
	group->bytes += bytes;
	g->bytes += bytes;
}

size_t groups__count(const struct groups *g)
{
	return g->count;
}

struct group *groups__get(const struct groups *g, size_t i)
{
	return &g->entries[i]->group;
}

uint64_t groups__floor(const struct groups *g)
{
	return g->floor;
}

uint64_t groups__dropped(const struct groups *g)
{
	return g->dropped;
}

size_t groups__bytes(const struct groups *g)
{
	return g->bytes;
}

int groups__merge(struct groups *g, const struct groups *from,
		  int (*add_value)(void *arg, struct group *to, const struct group *from),
		  void *arg)
{
	uint64_t floor = g->floor + from->floor;
	int err = 0;

	for (size_t i = 0; from->floor && i < g->count; i++)
		if (!groups__find(from, g->entries[i]->group.key, g->entries[i]->group.key_len))
			g->entries[i]->group.lacks += from->floor;
	g->floor = floor;
	g->dropped += from->dropped;
	for (size_t i = 0; !err && i < from->count; i++) {
		const struct group *theirs = &from->entries[i]->group;
		bool known = groups__find(g, theirs->key, theirs->key_len);
		struct group *ours = groups__at(g, theirs->key, theirs->key_len);

		if (!ours)
			return -ENOMEM;
		ours->lacks += theirs->lacks;
		/* A new group may lack the floors of both tables. That of FROM is known more
		 * precisely, but once groups were dropped here, the group may be one of them. */
		if (!known && g->floor == floor)
			ours->lacks -= from->floor;
		ours->weight += theirs->weight;
		if (add_value)
			err = add_value(arg, ours, theirs);
	}
	return err;
}
