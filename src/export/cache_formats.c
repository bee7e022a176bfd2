// SPDX-License-Identifier: GPL-2.0-or-later
/* oracle-general and lcs: requests for libCacheSim, each with the number of the next request of the
 * same object. lcs begins with a header with totals. */
#include "export/format.h"

#include <errno.h>
#include <stdlib.h>

#define MAGIC UINT64_C(0x123456789abcdef0)
#define NS_PER_SECOND 1000000000

/* libCacheSim's oracleGeneralBin.h; the same as its lcs_req_v1. */
struct __attribute__((packed)) request {
	uint32_t second;
	uint64_t object;
	uint32_t size;
	int64_t next; /* its number, from 1; -1: none */
};

/* libCacheSim's lcs.h, since its header has 8,192 bytes. Its reader needs the first five fields and
 * the last one; the statistics in between stay 0, which means no value. */
struct header {
	uint64_t start_magic, version, stat_version;
	int64_t requests, objects;
	int64_t request_bytes, object_bytes; /* of objects, as large as in their first request */
	int64_t first_second, last_second;
	int64_t reads, writes, deletes;
	int64_t smallest, largest;
	uint8_t unused[8192 - 15 * 8];
	uint64_t end_magic;
};
_Static_assert(sizeof(struct header) == 8192, "lcs.h: lcs_trace_header");

static size_t header_size(const struct export *e)
{
	return e->own ? sizeof(struct header) : 0;
}

/* Sets the next request of the one numbered BEFORE to NUMBER. */
static int patch(struct export *e, uint64_t before, int64_t number)
{
	off_t at = header_size(e) + (before - 1) * sizeof(struct request);

	if (fseeko(e->out, at + offsetof(struct request, next), SEEK_SET) ||
	    fwrite(&number, sizeof(number), 1, e->out) != 1 || fseeko(e->out, 0, SEEK_END))
		return -errno;
	return 0;
}

static void count(struct header *h, const struct request *r, bool write, bool first)
{
	h->requests++;
	h->request_bytes += r->size;
	h->objects += first;
	h->object_bytes += first ? r->size : 0;
	h->last_second = r->second;
	h->reads += !write;
	h->writes += write;
	if (h->requests == 1 || r->size < h->smallest)
		h->smallest = r->size;
	if (r->size > h->largest)
		h->largest = r->size;
}

static int add(struct export *e, uint64_t began, uint64_t object, uint64_t size, bool write)
{
	struct request r = { .second = (began - e->first) / NS_PER_SECOND,
			     .object = object,
			     .size = size < UINT32_MAX ? size : UINT32_MAX,
			     .next = -1 };
	uint64_t *last;
	int err = format__remember(e, object, &last);

	if (err)
		return err;
	if (e->own)
		count(e->own, &r, write, !*last);
	e->rows++;
	if (*last)
		err = patch(e, *last, e->rows);
	*last = e->rows;
	fwrite(&r, sizeof(r), 1, e->out);
	return err;
}

static int on_row(struct export *e, const struct export_row *row)
{
	uint64_t began = row->wall_ns - format__duration_ns(row), file;
	struct transfer t;
	int err = 0;

	if (!format__transfer(row, &t) || !format__file(row, &file))
		return 0;
	if (!e->first)
		e->first = began;
	if (began < e->latest) /* seconds never go back */
		began = e->latest;
	e->latest = began;
	if (!e->block)
		return add(e, began, file, t.bytes, t.write);
	for (uint64_t b = t.offset / e->block; !err && b <= (t.offset + t.bytes - 1) / e->block;
	     b++)
		err = add(e, began, table__mix(file, b), e->block, t.write);
	return err;
}

static int write_header(struct export *e)
{
	return fwrite(e->own, sizeof(struct header), 1, e->out) == 1 ? 0 : -EIO;
}

static int lcs_begin(struct export *e, uint32_t streams)
{
	struct header *h = calloc(1, sizeof(*h));

	e->own = h;
	if (!h)
		return -ENOMEM;
	h->start_magic = h->end_magic = MAGIC;
	h->version = h->stat_version = 1;
	return write_header(e);
}

static int lcs_end(struct export *e)
{
	return fseeko(e->out, 0, SEEK_SET) ? -errno : write_header(e);
}

const struct format format_oracle = {
	.name = "oracle-general",
	.streams = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT | 1 << STREAM_CACHE,
	.usual = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT,
	.patches = true,
	.has_blocks = true,
	.lead = format__duration_ns,
	.row = on_row,
};

const struct format format_lcs = {
	.name = "lcs",
	.streams = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT | 1 << STREAM_CACHE,
	.usual = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT,
	.patches = true,
	.has_blocks = true,
	.lead = format__duration_ns,
	.begin = lcs_begin,
	.row = on_row,
	.end = lcs_end,
};
