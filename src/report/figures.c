// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/columns.h"

#define MIB (1024 * 1024)

static void drop_operation(void *arg, struct group *g, bool at_end)
{
	sketch__clear(&((struct operation_group *)g->value)->latency);
}

static void drop_device(void *arg, struct group *g, bool at_end)
{
	sketch__clear(&((struct device_group *)g->value)->latency);
}

static void merge_totals(struct totals *to, const struct totals *from)
{
	to->rows += from->rows;
	to->reads += from->reads;
	to->writes += from->writes;
	to->failed += from->failed;
	to->bytes_read += from->bytes_read;
	to->bytes_written += from->bytes_written;
	to->ns += from->ns;
	figures__min_time(&to->first_ns, from->first_ns);
	figures__max_time(&to->last_ns, from->last_ns);
}

/* ---- adding up values ---- */

static int add_plain(void *arg, struct group *to, const struct group *from)
{
	merge_totals(to->value, from->value); /* values begin with totals */
	return 0;
}

static int add_file(void *arg, struct group *to, const struct group *from)
{
	struct file_group *a = to->value;
	const struct file_group *b = from->value;

	if (b->device && (!a->device || b->totals.first_ns < a->totals.first_ns))
		a->device = b->device;
	merge_totals(&a->totals, &b->totals);
	return 0;
}

static int add_device(void *arg, struct group *to, const struct group *from)
{
	struct device_group *a = to->value;
	const struct device_group *b = from->value;

	merge_totals(&a->totals, &b->totals);
	if (!*a->fs_type)
		memcpy(a->fs_type, b->fs_type, sizeof(a->fs_type));
	return sketch__merge(&a->latency, &b->latency);
}

static int add_process(void *arg, struct group *to, const struct group *from)
{
	struct process_group *a = to->value;
	const struct process_group *b = from->value;

	merge_totals(&a->totals, &b->totals);
	figures__min_time(&a->forked_ns, b->forked_ns);
	figures__max_time(&a->exited_ns, b->exited_ns);
	a->execs += b->execs;
	if (b->named_ns > a->named_ns) {
		a->named_ns = b->named_ns;
		a->ppid = b->ppid;
		a->container = b->container;
		memcpy(a->command, b->command, sizeof(a->command));
	}
	if (b->started_ns > a->started_ns || !*a->cmdline) {
		a->started_ns = b->started_ns;
		memcpy(a->cmdline, b->cmdline, sizeof(a->cmdline));
	}
	return 0;
}

static int add_operation(void *arg, struct group *to, const struct group *from)
{
	struct operation_group *a = to->value;
	const struct operation_group *b = from->value;

	a->rows += b->rows;
	a->failed += b->failed;
	a->bytes += b->bytes;
	a->ns += b->ns;
	return sketch__merge(&a->latency, &b->latency);
}

static int add_error(void *arg, struct group *to, const struct group *from)
{
	struct error_group *a = to->value;
	const struct error_group *b = from->value;
	uint64_t rows = a->rows + b->rows;

	if (!a->rows || b->first_ns < a->first_ns)
		*a = *b;
	a->rows = rows;
	return 0;
}

static int add_peer(void *arg, struct group *to, const struct group *from)
{
	struct peer_group *a = to->value;
	const struct peer_group *b = from->value;

	if (!a->rows || b->first_ns < a->first_ns) {
		a->first_ns = b->first_ns;
		memcpy(a->command, b->command, sizeof(a->command));
	}
	a->rows += b->rows;
	a->failed += b->failed;
	a->ns += b->ns;
	figures__max_time(&a->max_ns, b->max_ns);
	return 0;
}

static void add_disk_totals(struct disk_totals *to, const struct disk_totals *from)
{
	to->parts += from->parts;
	to->read += from->read;
	to->written += from->written;
}

static void add_word(struct first_word *to, const struct first_word *from)
{
	bool others = to->others | from->others |
		      (to->at_ns && from->at_ns && strcmp(to->text, from->text));

	if (from->at_ns && (!to->at_ns || from->at_ns < to->at_ns))
		*to = *from;
	to->others = others;
}

static int add_disk_file(void *arg, struct group *to, const struct group *from)
{
	struct disk_file_group *a = to->value;
	const struct disk_file_group *b = from->value;

	add_disk_totals(&a->totals, &b->totals);
	a->ahead += b->ahead;
	figures__max_time(&a->oldest_ns, b->oldest_ns);
	add_word(&a->command, &b->command);
	add_word(&a->cause, &b->cause);
	return 0;
}

static int add_disk_owner(void *arg, struct group *to, const struct group *from)
{
	add_disk_totals(to->value, from->value); /* values are only that */
	return 0;
}

/* clang-format off */
static const struct table_kind {
	size_t size, max_groups, max_bytes;
	int (*add)(void *arg, struct group *to, const struct group *from);
	void (*drop)(void *arg, struct group *group, bool at_end);
} kinds[TABLE_COUNT] = {
	[TABLE_FILES]       = { sizeof(struct file_group),    65536, 24 * MIB, add_file, NULL },
	[TABLE_DIRECTORIES] = { sizeof(struct plain_group),   16384, 8 * MIB,  add_plain, NULL },
	[TABLE_PROCESSES]   = { sizeof(struct process_group), 16384, 12 * MIB, add_process, NULL },
	[TABLE_PROGRAMS]    = { sizeof(struct plain_group),   4096,  2 * MIB,  add_plain, NULL },
	[TABLE_CONTAINERS]  = { sizeof(struct plain_group),   4096,  2 * MIB,  add_plain, NULL },
	[TABLE_DEVICES]     = { sizeof(struct device_group),  512,   8 * MIB,  add_device, drop_device },
	[TABLE_DISKS]       = { sizeof(struct device_group),  512,   8 * MIB,  add_device, drop_device },
	[TABLE_OPERATIONS]  = { sizeof(struct operation_group), 512, 8 * MIB,  add_operation, drop_operation },
	[TABLE_ERRORS]      = { sizeof(struct error_group),   4096,  4 * MIB,  add_error, NULL },
	[TABLE_PEERS]       = { sizeof(struct peer_group),    16384, 8 * MIB,  add_peer, NULL },
	[TABLE_DISK_FILES]  = { sizeof(struct disk_file_group), 16384, 8 * MIB, add_disk_file, NULL },
	[TABLE_DISK_OWNERS] = { sizeof(struct disk_owner_group), 4096, 2 * MIB, add_disk_owner, NULL },
};
/* clang-format on */

/* ---- creation and merging ---- */

int figures__new(struct figures **ret, uint64_t origin_ns, uint64_t end_ns)
{
	static const unsigned int max[SAMPLE_COUNT] = { SAMPLE_FS_MAX, SAMPLE_BLOCK_MAX,
							SAMPLE_OTHER_MAX };
	struct figures *t = calloc(1, sizeof(*t));
	int err = t ? 0 : -ENOMEM;

	columns__find();
	for (unsigned int i = 0; i < TABLE_COUNT && !err; i++) {
		const struct groups_config config = {
			.value_size = kinds[i].size,
			.max_groups = kinds[i].max_groups,
			.max_bytes = kinds[i].max_bytes,
			.drop = kinds[i].drop,
		};

		err = groups__new(&t->tables[i].groups, &config);
	}
	if (err) {
		figures__free(t);
		return err;
	}
	for (unsigned int i = 0; i < SAMPLE_COUNT; i++)
		sample__begin(&t->samples[i], max[i]);
	timeline__begin(&t->time, origin_ns, end_ns);
	*ret = t;
	return 0;
}

struct figures *figures__free(struct figures *t)
{
	if (!t)
		return NULL;
	for (unsigned int i = 0; i < TABLE_COUNT; i++)
		groups__free(t->tables[i].groups);
	for (unsigned int i = 0; i < SAMPLE_COUNT; i++)
		sample__clear(&t->samples[i]);
	free(t);
	return NULL;
}

int figures__merge(struct figures *t, struct figures *from)
{
	int err = 0;

	timeline__merge(&t->time, &from->time);
	for (unsigned int i = 0; i < SIZE_COUNT; i++)
		for (unsigned int p = 0; p < SIZE_POWERS; p++)
			t->sizes[i][p] += from->sizes[i][p];
	t->lost_spans += from->lost_spans;
	figures__min_time(&t->first_ns, from->first_ns);
	figures__max_time(&t->last_ns, from->last_ns);
	for (unsigned int i = 0; i < SAMPLE_COUNT && !err; i++) {
		t->sampled_of[i] += from->sampled_of[i];
		err = sample__merge(&t->samples[i], &from->samples[i]);
	}
	for (unsigned int i = 0; i < TABLE_COUNT && !err; i++) {
		t->tables[i].last = NULL;
		err = groups__merge(t->tables[i].groups, from->tables[i].groups, kinds[i].add,
				    NULL);
	}
	return err;
}
