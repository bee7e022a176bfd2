// SPDX-License-Identifier: GPL-2.0-or-later
/* oracle-general and lcs: requests for libCacheSim, each with the number of the next request of the
 * same object. lcs begins with a header with totals.
 *
 * Sorted by object, the next request of the same object follows. Sorted by number again, the
 * requests are written. */
#include "export/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/sorter.h"
#include "export/spill_file.h"
#include "platform/macros.h"

#define MEMORY (32 * 1024 * 1024) /* of each sorter */
#define MAGIC UINT64_C(0x123456789abcdef0)

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

/* A request whose next one is not known yet. Its object is the key. */
struct unlinked {
	uint64_t number;
	uint32_t second, size;
};

struct requests {
	struct sorter *by_object, *by_number;
	struct header totals;
};

static int begin(struct export *e, uint32_t streams)
{
	struct requests *own = calloc(1, sizeof(*own));

	e->own = own;
	return own ? sorter__new(&own->by_object, MEMORY) : -ENOMEM;
}

static void free_requests(struct export *e)
{
	struct requests *own = e->own;

	if (!own)
		return;
	sorter__free(own->by_object);
	sorter__free(own->by_number);
}

static void count_request(struct header *h, const struct unlinked *r, bool write)
{
	h->requests++;
	h->request_bytes += r->size;
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
	struct requests *own = e->own;
	struct unlinked r = { .number = ++e->rows,
			      .second = (began - e->first) / (int64_t)NSEC_PER_SEC,
			      .size = size < UINT32_MAX ? size : UINT32_MAX };

	count_request(&own->totals, &r, write);
	return sorter__add(own->by_object, object, &r, sizeof(r));
}

static int add_row(struct export *e, const struct export_row *row)
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

/* A failure of a sorter. */
static int failed(struct export *e, int err)
{
	if (err)
		e->why = spill_file__advice(err);
	return err;
}

static int on_row(struct export *e, const struct export_row *row)
{
	return failed(e, add_row(e, row));
}

/* Gives each request the number of the next one. */
static int link_requests(struct requests *own)
{
	struct request request = { .next = -1 };
	uint64_t number = 0, object; /* number 0: there is no request yet */
	const void *data;
	size_t len;
	int got, err = 0;

	while (!err && (got = sorter__next(own->by_object, &object, &data, &len)) == 1) {
		struct unlinked now;

		memcpy(&now, data, sizeof(now));
		if (number && request.object == object)
			request.next = (int64_t)now.number;
		if (!number || request.object != object) {
			own->totals.objects++;
			own->totals.object_bytes += now.size;
		}
		if (number)
			err = sorter__add(own->by_number, number, &request, sizeof(request));
		number = now.number;
		request = (struct request){ now.second, object, now.size, -1 };
	}
	if (!err && got < 0)
		err = got;
	if (!err && number)
		err = sorter__add(own->by_number, number, &request, sizeof(request));
	return err;
}

/* Ends adding, and links the requests. */
static int link_all(struct requests *own)
{
	int err = sorter__new(&own->by_number, MEMORY);

	if (!err)
		err = link_requests(own);
	own->by_object = sorter__free(own->by_object);
	return err;
}

static int write_requests(struct export *e)
{
	struct requests *own = e->own;
	const void *data;
	uint64_t number;
	size_t len;
	int got;

	while ((got = sorter__next(own->by_number, &number, &data, &len)) == 1)
		fwrite(data, len, 1, e->out);
	return got;
}

static int oracle_end(struct export *e)
{
	int err = link_all(e->own);

	return failed(e, err ?: write_requests(e));
}

static int lcs_end(struct export *e)
{
	struct requests *own = e->own;
	struct header *h = &own->totals;
	int err = link_all(own);

	h->start_magic = h->end_magic = MAGIC;
	h->version = h->stat_version = 1;
	if (!err)
		fwrite(h, sizeof(*h), 1, e->out);
	return failed(e, err ?: write_requests(e));
}

const struct format format_oracle = {
	.name = "oracle-general",
	.streams = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT | 1 << STREAM_CACHE,
	.usual = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT,
	.has_blocks = true,
	.lead = format__duration_ns,
	.begin = begin,
	.row = on_row,
	.end = oracle_end,
	.free = free_requests,
};

const struct format format_lcs = {
	.name = "lcs",
	.streams = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT | 1 << STREAM_CACHE,
	.usual = 1 << STREAM_FS | 1 << STREAM_PAGEFAULT,
	.has_blocks = true,
	.lead = format__duration_ns,
	.begin = begin,
	.row = on_row,
	.end = lcs_end,
	.free = free_requests,
};
