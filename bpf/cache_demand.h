/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a thread wants from the page cache. It decides whether a page added to the cache was wanted
 * (MISS) or only expected (READAHEAD), and whether a wanted page was there (HIT). The struct demand
 * of a thread holds the pages that its current read or fault wants, noted when the kernel starts
 * read-ahead for it, and the pages that this read-ahead will bring. */
#ifndef IOTRC_BPF_CACHE_DEMAND_H
#define IOTRC_BPF_CACHE_DEMAND_H

#include "bpf/cache_row.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/page_tree.h"
#include "bpf/task_state.h"
#include "schema/records.h"

static __always_inline struct demand *demand_of(bool create)
{
	struct task_state *state = current_state(create);

	return state ? &state->demand : 0;
}

#define NOTHING (~0ULL)

static __always_inline u64 last_page(u64 inode)
{
	u64 size = kread(inode, inode, i_size);

	return size ? (size - 1) >> cfg.page_shift : 0;
}

/* Whether the read reported last may have got to INDEX. Where tracepoints can be preempted (7.x),
 * some steps in between may not have been reported. */
static __always_inline bool continues_read(const struct demand *d, u64 inode, u64 index)
{
	return d->inode == inode && index > d->read_first && index <= d->read_last;
}

/* Read-ahead starts because N pages from INDEX are wanted. SYNC: because the first one is
 * missing. */
static __always_inline int read_ahead_wanted(u64 inode, u64 index, u64 n, bool sync)
{
	struct demand *d = demand_of(true);

	if (!d || (d->fault && d->inode == inode && d->first == index))
		return 0;
	if (sync && !cfg.reads_whole && !continues_read(d, inode, index))
		d->missed = 0;
	d->fault = 0;
	d->ahead = 1;
	d->inode = inode;
	d->first = index;
	d->last = index + n - 1;
	return 0;
}

/* Read-ahead of N pages from INDEX begins. */
static __always_inline int read_ahead_begun(u64 inode, u64 index, u64 n)
{
	struct demand *d = demand_of(true);

	if (!d)
		return 0;
	d->ahead_inode = inode;
	d->ahead_first = index;
	d->ahead_last = index + n - 1;
	if (d->ahead_last >
	    last_page(inode)) /* writes beyond the end of the file are no read-ahead */
		d->ahead_last = last_page(inode);
	return 0;
}

/* COUNT pages of INODE that are wanted are missing. That they are read is reported later, or never:
 * listing a directory starts read-ahead of the disk that it is on, and reads no file. */
static __always_inline void note_missed(struct demand *d, u64 inode, u64 count)
{
	if (d->missed_inode != inode)
		d->missed = 0;
	d->missed_inode = inode;
	d->missed += count;
}

/* A read that ends at page LAST has got to FIRST, and the first PAGES pages are in the cache.
 * Kernels with the tracepoint report this before each batch they copy, and a batch may repeat a
 * page that had to be waited for: pages already reported are not reported again. */
static __always_inline int read_found(u64 inode, u64 first, u64 last, u64 pages)
{
	struct demand *d = demand_of(true);
	u64 begin = first, end = first + pages, missed;

	if (!d)
		return 0;
	if (d->missed_inode != inode)
		d->missed = 0;
	if (!cfg.reads_whole && continues_read(d, inode, first) && d->read_last == last) {
		begin = d->next;
	} else {
		if (!d->ahead)
			d->missed = 0;
		d->read_first = first;
		d->read_last = last;
		d->next = first;
	}
	pages = end > begin ? end - begin : 0;
	missed = d->missed < pages ? d->missed : pages;
	d->missed = cfg.reads_whole ? 0 : d->missed - missed;
	if (end > d->next)
		d->next = end;
	d->inode = inode;
	d->ahead = d->fault = 0;
	if (end > last || end > last_page(inode))
		d->first = d->last = NOTHING;
	send_pages(inode, begin, pages - missed, pages, CACHE_HIT);
	return 0;
}

/* Whether the fault in progress already has a row for the page INDEX; it has one from now on. A
 * fault is repeated when it had to wait, and fault-around may report a page before the fault itself
 * does. */
static __always_inline bool already_reported(struct demand *d, u64 inode, u64 index)
{
	bool before = d->reported_inode == inode && d->reported == index;

	d->reported_inode = inode;
	d->reported = index;
	return before;
}

/* A fault wants the page INDEX. */
static __always_inline int fault_begun(u64 inode, u64 index)
{
	struct demand *d = demand_of(true);

	if (!d)
		return 0;
	d->inode = inode;
	d->first = d->last = index;
	d->fault = 1;
	if (cached_until(inode, index) && !already_reported(d, inode, index))
		send_pages(inode, index, 1, 1, CACHE_HIT);
	return 0;
}

/* A fault that wants the page INDEX has mapped pages around it (fault-around). Only the wanted page
 * counts: it is unknown whether anybody will touch the others. */
static __always_inline int fault_mapped(u64 inode, u64 index)
{
	struct demand *d = demand_of(true);

	if (d && cached_until(inode, index) && !already_reported(d, inode, index))
		send_pages(inode, index, 1, 1, CACHE_HIT);
	return 0;
}

#endif
