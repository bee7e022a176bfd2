// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/lane.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/bpf/window.h"
#include "schema/records.h"

/* Space is released once in this many records. */
#define GIVE_BACK 1024

struct lane {
	struct window records;
	size_t n;
	const u64 *put;
	u64 *taken;
};

int lane__new(struct lane **ret, int map_fd, unsigned int cpu, size_t n_records, const u64 *put,
	      u64 *taken)
{
	struct lane *l = calloc(1, sizeof(*l));
	size_t size = n_records * sizeof(struct rec_fs);
	int err;

	if (!l)
		return -ENOMEM;
	err = window__open(&l->records, map_fd, cpu * size, size);
	if (err) {
		free(l);
		return err;
	}
	l->n = n_records;
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

void lane__drain(struct lane *l, uint64_t end, uint64_t until_ns, ring_record record, void *arg)
{
	uint64_t at = *l->taken, given = at;

	for (; at < end; at++) {
		const struct rec_fs *next =
			window__see(&l->records, (at & (l->n - 1)) * sizeof(*next), sizeof(*next));

		if (!next || next->ns > until_ns)
			break;
		if (at - given == GIVE_BACK) {
			__atomic_store_n(l->taken, at, __ATOMIC_RELEASE);
			given = at;
		}
		record(arg, next, sizeof(*next));
	}
	if (at != given)
		__atomic_store_n(l->taken, at, __ATOMIC_RELEASE);
}
