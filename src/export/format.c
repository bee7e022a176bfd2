// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts about rows that several formats need. */
#include "export/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/spill_file.h"

#define PAGE UINT64_C(4096)
#define DEVICE_MAX 48

int format__remember(struct export *e, uint64_t key, uint64_t **ret)
{
	int err = table__at(&e->table, key, ret);

	if (err)
		e->why = spill_file__advice(err);
	return err;
}

/* Writes the device of ROW in the form of fs. Returns its length; 0: there is none. */
static size_t device_of(const struct export_row *row, char text[DEVICE_MAX])
{
	const struct row_field *device;
	uint64_t id;

	if (row->stream != STREAM_FS) {
		if (!row__uint(row, row__column(row->stream, "device_id"), &id))
			return 0;
		return (size_t)snprintf(text, DEVICE_MAX, "%" PRIu64 ":%" PRIu64, id >> 20,
					id & 0xfffff);
	}
	device = &row->fields[row__column(STREAM_FS, "device")];
	if (device->len >= DEVICE_MAX)
		return 0;
	memcpy(text, device->s, device->len);
	return device->len;
}

bool format__file(const struct export_row *row, uint64_t *ret)
{
	char device[DEVICE_MAX];
	size_t len = device_of(row, device);
	uint64_t inode, key = 0;

	if (!len || !row__uint(row, row__column(row->stream, "inode"), &inode))
		return false;
	for (size_t i = 0; i < len; i++)
		key = table__mix(key, device[i]);
	for (const char *m = row->machine; *m; m++)
		key = table__mix(key, *m);
	*ret = table__mix(key, inode);
	return true;
}

static bool fs_transfer(const struct export_row *row, struct transfer *ret)
{
	int operation = row__column(STREAM_FS, "operation");

	ret->write = row__is(row, operation, "write");
	return (ret->write || row__is(row, operation, "read")) &&
	       row__uint(row, row__column(STREAM_FS, "offset"), &ret->offset) &&
	       row__uint(row, row__column(STREAM_FS, "bytes_completed"), &ret->bytes) && ret->bytes;
}

/* N pages from page FIRST on; false if a file cannot have such a place. */
static bool pages(uint64_t first, uint64_t n, struct transfer *ret)
{
	ret->offset = first * PAGE;
	ret->bytes = n * PAGE;
	return n && n <= INT64_MAX / PAGE && first <= INT64_MAX / PAGE - n;
}

static bool fault_transfer(const struct export_row *row, struct transfer *ret)
{
	uint64_t page;

	ret->write = row__is(row, row__column(STREAM_PAGEFAULT, "fault_type"), "WRITE");
	return row__uint(row, row__column(STREAM_PAGEFAULT, "offset_pages"), &page) &&
	       pages(page, 1, ret);
}

static bool cache_transfer(const struct export_row *row, struct transfer *ret)
{
	int event = row__column(STREAM_CACHE, "event_type");
	uint64_t page, count;

	ret->write = row__is(row, event, "MISS_WRITE");
	return (ret->write || row__is(row, event, "HIT") || row__is(row, event, "MISS")) &&
	       row__uint(row, row__column(STREAM_CACHE, "page_index"), &page) &&
	       row__uint(row, row__column(STREAM_CACHE, "count"), &count) &&
	       pages(page, count, ret);
}

bool format__transfer(const struct export_row *row, struct transfer *ret)
{
	return row->stream == STREAM_FS        ? fs_transfer(row, ret) :
	       row->stream == STREAM_PAGEFAULT ? fault_transfer(row, ret) :
	       row->stream == STREAM_CACHE     ? cache_transfer(row, ret) :
						 false;
}

static double milliseconds(const struct export_row *row, int column)
{
	char text[64];
	size_t len = row->fields[column].len;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, row->fields[column].s, len);
	text[len] = '\0';
	return atof(text);
}

/* The file is untrusted: a value beyond any integer is not a latency. */
static uint64_t latency_ns(const struct export_row *row)
{
	double ns = milliseconds(row, row__column(STREAM_BLOCK, "latency_ms")) * 1e6 + 0.5;

	return ns >= 0 && ns < (double)INT64_MAX ? (uint64_t)ns : 0;
}

uint64_t format__duration_ns(const struct export_row *row)
{
	uint64_t ns = 0;

	if (row->stream == STREAM_BLOCK)
		ns = latency_ns(row);
	else if (row->stream == STREAM_FS)
		row__uint(row, row__column(STREAM_FS, "duration_ns"), &ns);
	return ns < row->mono_ns ? ns : 0;
}
