// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/bpf/window.h"
#include "schema/records.h"

/* Space is released every so many bytes, because the position shares a cache line with the
 * producers. */
#define GIVE_BACK (64 * 1024)

struct ring {
	unsigned long *consumer; /* a page of its own, which we write */
	unsigned long *producer; /* a page, too; the data follow it */
	struct window data;
	size_t size, page;
};

int ring__new(struct ring **ret, int map_fd, size_t size)
{
	struct ring *r = calloc(1, sizeof(*r));
	void *p;
	int err;

	if (!r)
		return -ENOMEM;
	r->size = size;
	r->page = sysconf(_SC_PAGESIZE);
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	r->consumer = p;
	p = mmap(NULL, r->page, PROT_READ, MAP_SHARED, map_fd, (off_t)r->page);
	if (p == MAP_FAILED)
		goto fail;
	r->producer = p;
	/* The kernel maps the data twice in a row, so that a record across the end is
	 * contiguous. */
	err = window__open(&r->data, map_fd, 2 * r->page, 2 * size);
	if (err)
		goto free;
	*ret = r;
	return 0;
fail:
	err = -errno;
free:
	ring__free(r);
	return err;
}

struct ring *ring__free(struct ring *r)
{
	if (!r)
		return NULL;
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap(r->producer, r->page);
	window__close(&r->data);
	free(r);
	return NULL;
}

uint64_t ring__end(struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

size_t ring__waiting(struct ring *r)
{
	return ring__end(r) - *r->consumer;
}

size_t ring__size(const struct ring *r)
{
	return r->size;
}

/* Tells SINK about the record at AT, before END. */
static void expect_next(const struct ring *r, uint64_t at, uint64_t end,
			const struct ring_sink *sink)
{
	size_t offset = (at & (r->size - 1)) + BPF_RINGBUF_HDR_SZ;
	const void *place = at < end ? window__peek(&r->data, offset, sizeof(struct rec_fs)) : NULL;

	if (place)
		sink->expect(sink->arg, place);
}

bool ring__drain(struct ring *r, uint64_t end, const struct ring_sink *sink)
{
	uint64_t at = *r->consumer, given = at;

	while (at < end) {
		size_t offset = at & (r->size - 1);
		const void *head = window__see(&r->data, offset, BPF_RINGBUF_HDR_SZ);
		uint64_t next;
		uint32_t len, size;

		if (!head)
			break;
		len = __atomic_load_n((const uint32_t *)head, __ATOMIC_ACQUIRE);
		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		size = len & ~BPF_RINGBUF_DISCARD_BIT;
		next = at + ((size + BPF_RINGBUF_HDR_SZ + 7) & ~7u);
		if (sink->expect)
			expect_next(r, next, end, sink);
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			const void *body = window__see(&r->data, offset + BPF_RINGBUF_HDR_SZ, size);

			if (!body)
				break;
			sink->record(sink->arg, body, size);
		}
		at = next;
		if (at - given >= GIVE_BACK) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			given = at;
		}
	}
	if (at != given)
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return at >= end;
}

void ring__trim(struct ring *r)
{
	window__trim(&r->data);
}
