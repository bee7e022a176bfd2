// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/disk_budget.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/clock.h"

#define LOOK_NS UINT64_C(200000000) /* between two queries of the disk */
/* Free space varies a little. Writing resumes only when this much more is free. */
#define MORE(bytes) ((bytes) + (bytes) / 16)

struct disk_budget {
	int fd;
	atomic_uint_least64_t min_free_wanted, max_bytes;
	atomic_uint min_free_percent;
	atomic_uint_least64_t looked_ns, free, min_free;
	atomic_uint_least64_t taken, base; /* used: base + taken */
	atomic_bool low;
	atomic_int state;
};

static void look_at_space(struct disk_budget *r)
{
	uint64_t free, total, min = atomic_load(&r->min_free_wanted);
	unsigned int percent = atomic_load(&r->min_free_percent);
	struct statvfs s;

	/* If the free space is unknown, the write itself will fail. */
	if (fstatvfs(r->fd, &s) < 0)
		return;
	free = (uint64_t)s.f_bavail * s.f_frsize;
	total = (uint64_t)s.f_blocks * s.f_frsize;
	if (total / 100 * percent < min)
		min = total / 100 * percent;
	atomic_store(&r->free, free);
	atomic_store(&r->min_free, min);
	atomic_store(&r->low, free < (atomic_load(&r->low) ? MORE(min) : min));
}

int disk_budget__new(struct disk_budget **ret, const struct disk_budget_config *config)
{
	struct disk_budget *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->fd = config->fd;
	disk_budget__set_limits(r, config);
	*ret = r;
	return 0;
}

void disk_budget__set_limits(struct disk_budget *r, const struct disk_budget_config *config)
{
	atomic_store(&r->min_free_wanted, config->min_free);
	atomic_store(&r->min_free_percent, config->min_free_percent);
	atomic_store(&r->max_bytes, config->max_bytes);
}

struct disk_budget *disk_budget__free(struct disk_budget *r)
{
	free(r);
	return NULL;
}

int disk_budget__check(struct disk_budget *r, size_t len)
{
	uint64_t now = clock__mono_ns(), looked = atomic_load(&r->looked_ns);
	uint64_t max_bytes = atomic_load(&r->max_bytes);
	enum disk_budget_state state = DISK_BUDGET_OK;

	if (now - looked >= LOOK_NS && atomic_compare_exchange_strong(&r->looked_ns, &looked, now))
		look_at_space(r);
	if (atomic_load(&r->low))
		state = DISK_BUDGET_DISK_LOW;
	else if (max_bytes && disk_budget__used(r) + len > max_bytes)
		state = DISK_BUDGET_USED_UP;
	atomic_store(&r->state, state);
	return state == DISK_BUDGET_OK ? 0 : -ENOSPC;
}

void disk_budget__took(struct disk_budget *r, size_t len)
{
	atomic_fetch_add(&r->taken, len);
}

uint64_t disk_budget__used(struct disk_budget *r)
{
	return atomic_load(&r->base) + atomic_load(&r->taken);
}

uint64_t disk_budget__mark(struct disk_budget *r)
{
	return atomic_load(&r->taken);
}

/* Bytes written since the mark may be counted twice until the next measurement. */
void disk_budget__set_used(struct disk_budget *r, uint64_t bytes, uint64_t mark)
{
	atomic_store(&r->base, bytes - mark);
}

enum disk_budget_state disk_budget__state(struct disk_budget *r)
{
	return atomic_load(&r->state);
}

uint64_t disk_budget__min_free(struct disk_budget *r)
{
	return atomic_load(&r->min_free);
}

uint64_t disk_budget__max_bytes(struct disk_budget *r)
{
	return atomic_load(&r->max_bytes);
}

uint64_t disk_budget__free_bytes(struct disk_budget *r)
{
	return atomic_load(&r->free);
}
