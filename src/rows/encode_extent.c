// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"

static const char *const kinds[] = {
	[EXTENT_UNKNOWN] = "unknown",     [EXTENT_DATA] = "data",       [EXTENT_DIRECT] = "direct",
	[EXTENT_METADATA] = "metadata",   [EXTENT_JOURNAL] = "journal", [EXTENT_SWAP] = "swap",
	[EXTENT_READAHEAD] = "readahead",
};

static const char *const causes[CAUSES] = {
	[CAUSE_UNKNOWN] = "",
	[CAUSE_FSYNC] = "fsync",
	[CAUSE_SYNC] = "sync",
	[CAUSE_MSYNC] = "msync",
	[CAUSE_EXPIRY] = "dirty_expiry",
	[CAUSE_BACKGROUND] = "background_threshold",
	[CAUSE_MEMORY] = "memory_pressure",
	[CAUSE_DIRECT] = "O_DIRECT",
	[CAUSE_O_SYNC] = "O_SYNC",
	[CAUSE_READAHEAD] = "readahead",
	[CAUSE_FAULT] = "fault",
	[CAUSE_READ] = "read",
	[CAUSE_TRUNCATE] = "truncate",
	[CAUSE_UNMOUNT] = "unmount",
};

const char *const encode__unknown_reasons[UNKNOWN_REASONS] = {
	[UNKNOWN_OPERATION] = "operation", [UNKNOWN_MEMORY] = "memory",
	[UNKNOWN_SEGMENTS] = "segments",   [UNKNOWN_SUBMISSION] = "submission",
	[UNKNOWN_NAME] = "name",
};

static const struct path_entry *path_of(struct encoder *e, uint64_t id)
{
	return id ? dict__get(e->paths, id) : NULL;
}

static char *file_columns(struct encoder *e, const struct rec_extent *r, char *p)
{
	const struct path_entry *path = path_of(e, r->path);

	COLUMN(p, "filename");
	if (path)
		p = csv__mem(p, path->text + path->field_at, path->field_len);
	COLUMN(p, "inode");
	if (r->ino)
		p = csv__u64(p, r->ino);
	COLUMN(p, "fs_device");
	if (r->fs_dev)
		p = csv__device(p, r->fs_dev >> 20, r->fs_dev & 0xfffff);
	COLUMN(p, "offset");
	if (r->offset != EXTENT_NO_OFFSET)
		p = csv__u64(p, r->offset);
	return p;
}

/* For a file of a layer: the columns about the overlay's file. */
static char *overlay_columns(struct encoder *e, const struct rec_extent *r, char *p)
{
	const struct path_entry *path = path_of(e, r->seen_path);

	COLUMN(p, "overlay_filename");
	if (path)
		p = csv__mem(p, path->text + path->field_at, path->field_len);
	COLUMN(p, "overlay_inode");
	if (r->seen_dev)
		p = csv__u64(p, r->seen_ino);
	COLUMN(p, "overlay_device");
	if (r->seen_dev)
		p = csv__device(p, r->seen_dev >> 20, r->seen_dev & 0xfffff);
	return p;
}

static char *extent_owner_columns(struct encoder *e, const struct rec_extent *r, char *p)
{
	COLUMN(p, "pid");
	if (r->tid)
		p = csv__u64(p, r->pid);
	COLUMN(p, "tid");
	if (r->tid)
		p = csv__u64(p, r->tid);
	COLUMN(p, "command");
	p = r->tid ? encode__command(e, p, r->comm) : p;
	COLUMN(p, "container_id");
	if (r->cgroup)
		p = csv__u64(p, r->cgroup);
	return p;
}

/* Whether --path or --exclude-path leaves it out. A part whose file is unknown is below no path. A
 * file on overlayfs has two names: the one that the process saw counts. */
static bool is_left_out(struct encoder *e, const struct rec_extent *r)
{
	const struct selection *s = e->selection;
	const struct path_entry *path;

	if (!s->paths.n && !s->excluded_paths.n)
		return false;
	path = path_of(e, r->seen_path ?: r->path);
	return path ? !path->wanted : s->paths.n;
}

/* Whether it is a part of a file whose name should be known. Inodes of metadata may have none. */
static bool lacks_name(struct encoder *e, const struct rec_extent *r)
{
	return r->ino && r->kind != EXTENT_METADATA && !path_of(e, r->path);
}

char *encode__extent(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_extent *r = record;

	e->extents_unknown[UNKNOWN_NAME] += lacks_name(e, r);
	if (is_left_out(e, r))
		return NULL;
	e->extents_unknown[r->reason < UNKNOWN_REASONS ? r->reason : 0]++;
	p = encode__begin(e, STREAM_EXTENT, r->ns, p);
	COLUMN(p, "request_id");
	p = csv__u64(p, r->request_id);
	COLUMN(p, "device");
	p = csv__device(p, r->dev >> 20, r->dev & 0xfffff);
	COLUMN(p, "sector");
	p = csv__u64(p, r->sector);
	COLUMN(p, "size");
	p = csv__u64(p, r->bytes);
	COLUMN(p, "operation");
	p = encode__word(p, e->reqnames->ops_lower[r->op & (REQNAMES_OPS - 1)]);
	COLUMN(p, "kind");
	p = encode__word(p, kinds[r->kind]);
	p = file_columns(e, r, p);
	p = extent_owner_columns(e, r, p);
	COLUMN(p, "age_ms");
	if (r->age != EXTENT_NO_AGE)
		p = csv__millis(p, r->age);
	COLUMN(p, "cause");
	if (r->cause < CAUSES)
		p = encode__word(p, causes[r->cause]);
	COLUMN(p, "fs_type");
	p = csv__text(p, r->fs_type, strnlen(r->fs_type, FSTYPE_BYTES));
	p = overlay_columns(e, r, p);
	return encode__end(e, r->ns, p);
}
