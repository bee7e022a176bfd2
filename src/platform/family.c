// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/family.h"

#include <stdlib.h>
#include <string.h>

#include "platform/libc.h"

/* The place in ids of the first one that is not less than ID. */
static size_t place_of(const struct family *f, uint64_t id)
{
	size_t from = 0, to = f->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (f->ids[middle] < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool grow(struct family *f)
{
	size_t capacity = f->capacity ? 2 * f->capacity : 64;
	struct family_member *members;
	uint64_t *ids;

	if (f->n < f->capacity)
		return true;
	if (f->n >= FAMILY_MAX)
		return false;
	members = reallocarray(f->members, capacity, sizeof(*members));
	f->members = members ? members : f->members;
	ids = reallocarray(f->ids, capacity, sizeof(*ids));
	f->ids = ids ? ids : f->ids;
	if (!members || !ids)
		return false;
	f->capacity = capacity;
	return true;
}

static void add(struct family *f, pid_t pid, uint64_t id)
{
	size_t at = place_of(f, id);

	if (!grow(f)) {
		f->full = true;
		return;
	}
	memmove(f->ids + at + 1, f->ids + at, (f->n - at) * sizeof(*f->ids));
	f->ids[at] = id;
	f->members[f->n++] = (struct family_member){ id, pid };
}

void family__begin(struct family *f, pid_t pid, uint64_t id)
{
	add(f, pid, id);
}

bool family__learn(struct family *f, pid_t pid, uint64_t id, uint64_t parent)
{
	size_t n = f->n;

	if (family__has(f, parent) && !family__has(f, id))
		add(f, pid, id);
	return f->n > n;
}

bool family__has(const struct family *f, uint64_t id)
{
	size_t at = place_of(f, id);

	return at < f->n && f->ids[at] == id;
}

void family__clear(struct family *f)
{
	free(f->members);
	free(f->ids);
	*f = (struct family){ 0 };
}
