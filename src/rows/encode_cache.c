// SPDX-License-Identifier: GPL-2.0-or-later
/* The page cache, and the faults that ask it for pages. */
#include "base/csv.h"
#include "rows/encode.h"

static const char *const cache_events[] = {
	[CACHE_HIT] = "HIT",
	[CACHE_MISS] = "MISS",
	[CACHE_MISS_WRITE] = "MISS_WRITE",
	[CACHE_DIRTY] = "DIRTY",
	[CACHE_WRITEBACK_START] = "WRITEBACK_START",
	[CACHE_WRITEBACK_END] = "WRITEBACK_END",
	[CACHE_EVICT] = "EVICT",
	[CACHE_INVALIDATE] = "INVALIDATE",
	[CACHE_READAHEAD] = "READAHEAD",
	[CACHE_RECLAIM] = "RECLAIM",
};

char *encode__cache(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_cache *r = record;
	bool of_file = r->event != CACHE_RECLAIM;

	p = encode__wall(e, r->ns, p);
	*p++ = ',';
	p = encode__pid_command(encode__task(e, r->task), p);
	*p++ = ',';
	p = encode__word(p, cache_events[r->event]);
	*p++ = ',';
	if (of_file)
		p = csv__u64(p, r->ino);
	*p++ = ',';
	if (of_file)
		p = csv__u64(p, r->index);
	*p++ = ',';
	p = csv__u64(p, r->pages);
	*p++ = ',';
	p = csv__u64(p, r->cpu);
	*p++ = ',';
	if (of_file)
		p = csv__u64(p, r->dev);
	*p++ = ',';
	p = csv__u64(p, r->count);
	return encode__end(r->ns, p);
}

char *encode__fault(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_fault *r = record;
	const struct task_entry *task = encode__task(e, r->task);

	p = encode__wall(e, r->ns, p);
	*p++ = ',';
	p = csv__mem(p, task->text, task->who_len);
	*p++ = ',';
	if (r->access != FAULT_UNKNOWN)
		p = encode__word(p, r->access == FAULT_WRITE ? "WRITE" : "READ");
	*p++ = ',';
	p = encode__word(p, r->major ? "MAJOR" : "MINOR");
	*p++ = ',';
	p = csv__u64(p, r->ino);
	*p++ = ',';
	p = csv__u64(p, r->page);
	*p++ = ',';
	p = csv__hex(p, r->address);
	*p++ = ',';
	p = csv__u64(p, r->dev);
	return encode__end(r->ns, p);
}
