// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/lane.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "bpf/abi.h"
#include "engine/bpf/window.h"
#include "schema/records.h"

/* Space is released once in this many places. */
#define GIVE_BACK 1024
#define PLACE sizeof(struct rec_fs)

struct lane {
	struct window records;
	struct lane_record whole; /* a copy of one that goes on at the beginning of the lane */
	size_t n;
	const u64 *put;
	u64 *taken;
};

int lane__new(struct lane **ret, int map_fd, unsigned int cpu, size_t n_places, const u64 *put,
	      u64 *taken)
{
	struct lane *l = calloc(1, sizeof(*l));
	size_t size = n_places * PLACE;
	int err;

	if (!l)
		return -ENOMEM;
	err = window__open(&l->records, map_fd, cpu * size, size);
	if (err) {
		free(l);
		return err;
	}
	l->n = n_places;
	l->put = put;
	l->taken = taken;
	*ret = l;
	return 0;
}

struct lane *lane__free(struct lane *l)
{
	if (!l)
		return NULL;
	window__close(&l->records);
	free(l);
	return NULL;
}

uint64_t lane__end(struct lane *l)
{
	return __atomic_load_n(l->put, __ATOMIC_ACQUIRE);
}

size_t lane__waiting(struct lane *l)
{
	return lane__end(l) - *l->taken;
}

size_t lane__size(const struct lane *l)
{
	return l->n;
}

_Static_assert(offsetof(struct rec_fs_long, skip) <= 2 * PLACE, "len and len2 in the first places");

/* The N places from position AT on, none of them beyond the lane's end; NULL if they can't be
 * mapped now. */
static const void *see_in_row(struct lane *l, uint64_t at, size_t n)
{
	return window__see(&l->records, (at & (l->n - 1)) * PLACE, n * PLACE);
}

/* The N places from position AT on, or NULL if they can't be mapped now. */
static const void *see(struct lane *l, uint64_t at, size_t n)
{
	if ((at & (l->n - 1)) + n <= l->n)
		return see_in_row(l, at, n);
	for (size_t i = 0; i < n; i++) {
		const void *place = see_in_row(l, at + i, 1);

		if (!place)
			return NULL;
		memcpy(&l->whole.places[i], place, PLACE);
	}
	return &l->whole;
}

/* The record at position AT, and its size; NULL if it can't be mapped now. */
static const struct rec_fs *record_at(struct lane *l, uint64_t at, size_t *ret_size)
{
	const struct rec_fs *short_one = see(l, at, 1);
	const struct rec_fs_long *long_one;

	*ret_size = sizeof(*short_one);
	if (!short_one || short_one->type != REC_FS_LONG)
		return short_one;
	long_one = see(l, at, 2);
	if (!long_one)
		return NULL;
	*ret_size = MIN(sizeof(*long_one) + long_one->len + long_one->len2, sizeof(l->whole));
	return see(l, at, howmany(*ret_size, PLACE));
}

/* By then, what short records need has come from memory. */
#define AHEAD 8

/* Tells SINK about the place at AT, before END. */
static void expect_place(const struct lane *l, uint64_t at, uint64_t end,
			 const struct ring_sink *sink)
{
	size_t offset = (at & (l->n - 1)) * PLACE;
	const void *place = at < end ? window__peek(&l->records, offset, PLACE) : NULL;

	if (place)
		sink->expect(sink->arg, place);
}

void lane__drain(struct lane *l, uint64_t end, uint64_t until_ns, const struct ring_sink *sink)
{
	uint64_t at = *l->taken, given = at;

	while (at < end) {
		size_t size;
		const struct rec_fs *next = record_at(l, at, &size);

		if (!next || next->ns > until_ns)
			break;
		if (at - given >= GIVE_BACK) {
			__atomic_store_n(l->taken, at, __ATOMIC_RELEASE);
			given = at;
		}
		if (sink->expect)
			expect_place(l, at + AHEAD, end, sink);
		sink->record(sink->arg, next, size);
		at += howmany(size, PLACE);
	}
	if (at != given)
		__atomic_store_n(l->taken, at, __ATOMIC_RELEASE);
}

void lane__trim(struct lane *l)
{
	window__trim(&l->records);
}
