// SPDX-License-Identifier: GPL-2.0-or-later
/* Traces for replay and simulation: MSR Cambridge's CSV, fio's iolog. */
#include "export/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define FILETIME_OF_1970 UINT64_C(116444736000000000) /* in units of 100 ns */
#define SECTOR 512

/* ---- msr: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime ---- */

static int msr_row(struct export *e, const struct export_row *row)
{
	int operation = row__column(STREAM_BLOCK, "operation");
	const struct row_field *device = &row->fields[row__column(STREAM_BLOCK, "device")];
	bool write = row__is(row, operation, "write");
	uint64_t sector, size, latency = format__duration_ns(row);
	unsigned int major, minor;
	char text[32] = "";

	memcpy(text, device->s, device->len < sizeof(text) ? device->len : 0);
	if ((!write && !row__is(row, operation, "read")) ||
	    !row__uint(row, row__column(STREAM_BLOCK, "sector"), &sector) ||
	    !row__uint(row, row__column(STREAM_BLOCK, "size"), &size) ||
	    sscanf(text, "%u:%u", &major, &minor) != 2)
		return 0;
	fprintf(e->out, "%" PRIu64 ",%s,%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
		(row->wall_ns - latency) / 100 + FILETIME_OF_1970, row->machine,
		major << 20 | minor, write ? "Write" : "Read", sector * SECTOR, size,
		latency / 100);
	e->rows++;
	return 0;
}

const struct format format_msr = {
	.name = "msr",
	.streams = 1 << STREAM_BLOCK,
	.lead = format__duration_ns,
	.row = msr_row,
};

/* ---- fio: iolog version 3 ---- */

static int fio_begin(struct export *e, uint32_t streams)
{
	fputs("fio version 3 iolog\n", e->out);
	return 0;
}

/* Returns the number in the alias of ROW's file, which is added and opened when it first occurs. */
static int fio_file(struct export *e, const struct export_row *row, uint64_t *ret)
{
	const struct row_field *name = &row->fields[row__column(STREAM_FS, "filename")];
	uint64_t key, *number;
	int err;

	if (!format__file(row, &key))
		return -ENOENT;
	err = format__remember(e, key, &number);
	if (err)
		return err;
	*ret = *number;
	if (*ret)
		return 0;
	*ret = *number = e->table.known;
	fprintf(e->out, "%" PRIu64 " f%" PRIu64 " add\n%" PRIu64 " f%" PRIu64 " open\n", e->latest,
		*ret, e->latest, *ret);
	fprintf(e->map, "f%" PRIu64 "\t%.*s\n", *ret, (int)name->len, name->s);
	return 0;
}

static const char *fio_sync(const struct export_row *row)
{
	int operation = row__column(STREAM_FS, "operation"),
	    error = row__column(STREAM_FS, "errno");

	if (row->fields[error].len)
		return NULL;
	return row__is(row, operation, "fsync")     ? "sync" :
	       row__is(row, operation, "fdatasync") ? "datasync" :
						      NULL;
}

static int fio_row(struct export *e, const struct export_row *row)
{
	uint64_t began = row->wall_ns - format__duration_ns(row), us, file;
	struct transfer t = { 0 };
	const char *action = fio_sync(row);
	int err;

	if (!action && format__transfer(row, &t) && t.bytes <= UINT32_MAX)
		action = t.write ? "write" : "read";
	if (!action)
		return 0;
	if (!e->first)
		e->first = began;
	/* fio ignores all delays if a time is 0; if the clock is set back, times continue. */
	us = began > e->first ? (began - e->first) / 1000 + 1 : 1;
	if (us > e->latest)
		e->latest = us;
	err = fio_file(e, row, &file);
	if (err)
		return err == -ENOENT ? 0 : err;
	fprintf(e->out, "%" PRIu64 " f%" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", e->latest, file,
		action, t.offset, t.bytes);
	e->rows++;
	return 0;
}

static int fio_end(struct export *e)
{
	for (uint64_t i = 1; i <= e->table.known; i++)
		fprintf(e->out, "%" PRIu64 " f%" PRIu64 " close\n", e->latest, i);
	return 0;
}

const struct format format_fio = {
	.name = "fio",
	.streams = 1 << STREAM_FS,
	.has_map = true,
	.lead = format__duration_ns,
	.begin = fio_begin,
	.row = fio_row,
	.end = fio_end,
};
