// SPDX-License-Identifier: GPL-2.0-or-later
/* The page cache, and page faults that access it. */
#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/operation.h"

char *encode__cache(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_cache *r = record;
	bool of_file = r->event != CACHE_RECLAIM;

	p = encode__begin(e, STREAM_CACHE, r->ns, p);
	COLUMN(p, "pid", "command");
	p = encode__pid_command(encode__task(e, r->task, r->ns), p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_CACHE, r->event));
	COLUMN(p, "inode");
	if (of_file)
		p = csv__u64(p, r->ino);
	COLUMN(p, "page_index");
	if (of_file)
		p = csv__u64(p, r->index);
	COLUMN(p, "size_pages");
	p = csv__u64(p, r->pages);
	COLUMN(p, "cpu_id");
	p = csv__u64(p, r->cpu);
	COLUMN(p, "device_id");
	if (of_file)
		p = csv__u64(p, r->dev);
	COLUMN(p, "count");
	p = csv__u64(p, r->count);
	COLUMN(p, "request_id");
	if (r->request_id)
		p = csv__u64(p, r->request_id);
	return encode__end(e, r->ns, p);
}

char *encode__fault(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_fault *r = record;
	const struct task_entry *task = encode__task(e, r->task, r->ns);

	p = encode__begin(e, STREAM_PAGEFAULT, r->ns, p);
	COLUMN(p, "pid", "tid", "command");
	p = csv__mem(p, task->text, task->who_len);
	COLUMN(p, "fault_type");
	if (r->access != FAULT_UNKNOWN)
		p = encode__word(p, r->access == FAULT_WRITE ? "WRITE" : "READ");
	COLUMN(p, "severity");
	p = encode__word(p, operation__name(STREAM_PAGEFAULT, !!r->major));
	COLUMN(p, "inode");
	p = csv__u64(p, r->ino);
	COLUMN(p, "offset_pages");
	p = csv__u64(p, r->page);
	COLUMN(p, "address");
	p = csv__hex(p, r->address);
	COLUMN(p, "device_id");
	p = csv__u64(p, r->dev);
	return encode__end(e, r->ns, p);
}
