// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of fs. */
#include <errno.h>
#include <string.h>

#include "dataset/two_paths.h"
#include "platform/macros.h"
#include "report/columns.h"
#include "report/figure_row.h"
#include "report/figures_streams.h"

#define PAGE 4096

/* clang-format off */
static const struct {
	const char *name;
	enum channel channel;
} operations[] = {
	{ "read", CHANNEL_FS_READ }, { "write", CHANNEL_FS_WRITE },
	{ "open", CHANNEL_FS_OPEN }, { "close", CHANNEL_FS_OPEN },
	{ "fsync", CHANNEL_FS_SYNC }, { "fdatasync", CHANNEL_FS_SYNC }, { "sync", CHANNEL_FS_SYNC },
	{ "syncfs", CHANNEL_FS_SYNC }, { "sync_file_range", CHANNEL_FS_SYNC },
	{ "msync", CHANNEL_FS_SYNC },
	{ "sendfile", CHANNEL_FS_COPY }, { "splice", CHANNEL_FS_COPY }, { "vmsplice", CHANNEL_FS_COPY },
	{ "tee", CHANNEL_FS_COPY }, { "copy_file_range", CHANNEL_FS_COPY }, { "clone", CHANNEL_FS_COPY },
	{ "mmap", CHANNEL_FS_MAP }, { "munmap", CHANNEL_FS_MAP }, { "mremap", CHANNEL_FS_MAP },
	{ "madvise", CHANNEL_FS_MAP }, { "fadvise", CHANNEL_FS_MAP }, { "readahead", CHANNEL_FS_MAP },
	{ "process_fork", CHANNEL_FS_PROCESS }, { "process_exec", CHANNEL_FS_PROCESS },
	{ "process_exit", CHANNEL_FS_PROCESS },
};
/* clang-format on */

/* Operations that are not in the table are about names and attributes. */
static enum channel channel_of_operation(const struct row_field *operation)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (operation->s[0] == operations[i].name[0] &&
		    figures__is(operation, operations[i].name))
			return operations[i].channel;
	return CHANNEL_FS_META;
}

static void read_row(struct figure_row *row, const struct row_field *f)
{
	*row = (struct figure_row){ .channel = channel_of_operation(FIELD(f, FS, operation)) };
	figures__number(FIELD(f, FS, mono_ns), &row->mono_ns);
	figures__number(FIELD(f, FS, pid), &row->pid);
	row->has_ns = figures__number(FIELD(f, FS, duration_ns), &row->ns);
	row->has_bytes = figures__number(FIELD(f, FS, bytes_completed), &row->bytes);
	row->has_at = figures__number(FIELD(f, FS, offset), &row->at);
	row->device = figures__device(FIELD(f, FS, device));
	row->failed = FIELD(f, FS, errno)->len;
	row->read = row->channel == CHANNEL_FS_READ;
	row->write = row->channel == CHANNEL_FS_WRITE;
	if (FIELD(f, FS, filename)->len)
		row->name = FIELD(f, FS, filename);
}

/* Bytes of transfers are counted by size and over time. */
static void count_bytes(struct figures *t, const struct figure_row *row, unsigned int bin)
{
	uint64_t *bins = t->time.bins[bin];

	bins[CHANNEL_FS_FAILED] += row->failed;
	if (!row->has_bytes)
		return;
	if (row->read || row->write) {
		unsigned int power = row->bytes ? 64 - __builtin_clzll(row->bytes) : 0;

		t->sizes[row->read ? SIZE_READ : SIZE_WRITE][power]++;
		bins[row->read ? CHANNEL_FS_BYTES_READ : CHANNEL_FS_BYTES_WRITTEN] += row->bytes;
	} else if (row->channel == CHANNEL_FS_COPY) {
		bins[CHANNEL_FS_BYTES_COPIED] += row->bytes;
	}
}

static int count_plain(struct figures *t, enum figures_table table, const char *key, size_t len,
		       const struct figure_row *row, uint64_t weight)
{
	struct group *g = len ? figures__group(t, table, key, len, weight) : NULL;

	if (g)
		totals__add(&((struct plain_group *)g->value)->totals, row);
	return g || !len ? 0 : -ENOMEM;
}

/* The directory of the file; empty if its name has none. */
static struct row_field directory(const struct row_field *name)
{
	struct row_field path = two_paths__main(name);
	size_t len = path.len;

	if (!len || *path.s != '/')
		return (struct row_field){ path.s, 0 };
	while (path.s[--len] != '/')
		;
	return (struct row_field){ path.s, len ? len : 1 };
}

static int count_named_file(struct figures *t, const struct figure_row *row, uint64_t weight)
{
	struct group *g = figures__group(t, TABLE_FILES, row->name->s, row->name->len, weight);
	struct row_field dir = directory(row->name);
	struct file_group *file;

	if (!g)
		return -ENOMEM;
	file = g->value;
	if (row->device && (!file->device || row->mono_ns < file->totals.first_ns))
		file->device = row->device;
	totals__add(&file->totals, row);
	return count_plain(t, TABLE_DIRECTORIES, dir.s, dir.len, row, weight);
}

static int count_device(struct figures *t, const struct row_field *f, const struct figure_row *row,
			uint64_t weight)
{
	const struct row_field *key = FIELD(f, FS, device);
	struct group *g = figures__group(t, TABLE_DEVICES, key->s, key->len, weight);
	struct device_group *device;

	if (!g)
		return -ENOMEM;
	device = g->value;
	totals__add(&device->totals, row);
	if (!*device->fs_type)
		figures__text(device->fs_type, sizeof(device->fs_type), FIELD(f, FS, fs_type));
	return row->has_ns ? sketch__add(&device->latency, row->ns, 1) : 0;
}

/* A forked child that has not done anything yet. */
static int count_fork(struct figures *t, const struct row_field *f, const struct figure_row *row)
{
	struct process_group *child;
	struct group *g;
	uint64_t pid;

	if (!figures__number(FIELD(f, FS, return_value), &pid) || !pid)
		return 0;
	g = figures__group(t, TABLE_PROCESSES, (const char *)&pid, sizeof(pid), 0);
	if (!g)
		return -ENOMEM;
	child = g->value;
	child->forked_ns = row->mono_ns;
	if (!child->named_ns) {
		child->ppid = row->pid;
		figures__text(child->command, sizeof(child->command), FIELD(f, FS, command));
	}
	return 0;
}

static void name_process(struct process_group *p, const struct row_field *f,
			 const struct figure_row *row, bool exec)
{
	if (row->mono_ns > p->named_ns) {
		uint64_t tid;

		p->named_ns = row->mono_ns;
		figures__number(FIELD(f, FS, ppid), &p->ppid);
		figures__number(FIELD(f, FS, container_id), &p->container);
		/* Threads have their own names. */
		if (!*p->command || (figures__number(FIELD(f, FS, tid), &tid) && tid == row->pid))
			figures__text(p->command, sizeof(p->command), FIELD(f, FS, command));
	}
	if ((exec && row->mono_ns > p->started_ns) || !*p->cmdline) {
		p->started_ns = exec ? row->mono_ns : 0;
		figures__text(p->cmdline, sizeof(p->cmdline), FIELD(f, FS, cmdline));
	}
}

static int count_process(struct figures *t, const struct row_field *f, const struct figure_row *row,
			 uint64_t weight)
{
	const struct row_field *operation = FIELD(f, FS, operation);
	struct group *g = figures__group(t, TABLE_PROCESSES, (const char *)&row->pid,
					 sizeof(row->pid), weight);
	struct process_group *p;
	bool exec = false;

	if (!g)
		return -ENOMEM;
	p = g->value;
	if (row->channel == CHANNEL_FS_PROCESS) {
		exec = figures__is(operation, "process_exec") && !row->failed;
		p->execs += exec;
		if (figures__is(operation, "process_exit"))
			p->exited_ns = row->mono_ns;
	}
	name_process(p, f, row, exec);
	totals__add(&p->totals, row);
	if (row->channel == CHANNEL_FS_PROCESS && figures__is(operation, "process_fork"))
		return count_fork(t, f, row);
	return 0;
}

static int count_names(struct figures *t, const struct row_field *f, const struct figure_row *row)
{
	uint64_t weight = 1 + (row->read || row->write ? row->bytes / PAGE : 0);
	const struct row_field *command = FIELD(f, FS, command);
	const struct row_field *container = FIELD(f, FS, container_id);
	int err = count_process(t, f, row, weight);

	if (!err)
		err = count_plain(t, TABLE_PROGRAMS, command->s, command->len, row, weight);
	if (!err)
		err = count_plain(t, TABLE_CONTAINERS, container->s, container->len, row, weight);
	if (!err && row->name)
		err = count_named_file(t, row, weight);
	if (!err && row->device)
		err = count_device(t, f, row, weight);
	return err;
}

int figures__fs(struct figures *t, const struct row_field *f)
{
	const struct row_field *operation = FIELD(f, FS, operation);
	struct figure_row row;
	uint64_t tid = 0;
	int err;

	read_row(&row, f);
	figures__number(FIELD(f, FS, tid), &tid);
	count_bytes(t, &row, figures__when(t, &row, 1));
	err = figures__sample(t, SAMPLE_FS, &row, tid);
	if (!err)
		err = figures__operation(t, STREAM_FS, operation, &row);
	if (!err && row.failed)
		err = figures__error(t, operation, FIELD(f, FS, errno), FIELD(f, FS, command),
				     &row);
	return err ? err : count_names(t, f, &row);
}
