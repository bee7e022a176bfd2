/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sending the events of the page cache, with sampling. */
#ifndef IOTRC_BPF_CACHE_ROW_H
#define IOTRC_BPF_CACHE_ROW_H

#include "bpf/cfg.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "schema/records.h"
#include "schema/streams.h"

/* COUNT pages, out of ALL that belong together, in one number: a function takes at most five
 * arguments. */
#define PAGES(count, all) ((u64)(all) << 32 | (u32)(count))

/* Sends one event, about PAGES from INDEX on. REQUEST_ID: that of the request with them, or 0. */
__noinline int cache_row(u64 inode, u64 index, u64 pages, u32 event, u64 request_id)
{
	u64 now = bpf_ktime_get_ns(), task = 0, flags;
	struct rec_cache *rec;

	if (event == CACHE_WRITEBACK_END ? !keep_unowned(STREAM_CACHE) :
					   !keep_owned(STREAM_CACHE, &task))
		return 0;
	if (leave_out_instant(STREAM_CACHE))
		return 0;
	rec = reserve(STREAM_CACHE, sizeof(*rec), now, &flags);
	if (!rec)
		return 0;
	rec->type = REC_CACHE;
	rec->event = event;
	rec->cpu = bpf_get_smp_processor_id();
	rec->dev = inode ? inode_dev(inode) : 0;
	rec->ns = now;
	rec->task = task;
	rec->ino = inode ? kread(inode, inode, i_ino) : 0;
	rec->index = index;
	rec->pages = pages >> 32;
	rec->count = pages;
	rec->request_id = request_id;
	deliver(rec, flags);
	return 0;
}

#define SAMPLE_PAGES 512 /* pages in the largest folio, with pages of 4 KiB */

__noinline int cache_sample(u64 inode, u64 file, u64 index, u32 event, u64 request_id)
{
	if (mix(file, index) % (cfg.cache_sample ?: 1))
		count_filtered(STREAM_CACHE);
	else
		cache_row(inode, index, PAGES(1, 1), event, request_id);
	return 0;
}

/* Sampling keeps or drops a page in all of its events, so each page of a range is decided by
 * itself. */
__noinline int cache_samples(u64 inode, u64 index, u64 count, u32 event, u64 request_id)
{
	u64 file = mix(inode_dev(inode), kread(inode, inode, i_ino));
	u64 i;

	for (i = 0; i < SAMPLE_PAGES; i++) {
		if (i >= count)
			break;
		cache_sample(inode, file, index + i, event, request_id);
	}
	return 0;
}

/* The same for COUNT pages out of ALL, as cfg.cache_sample wants it. */
static __always_inline void send_carried(u64 inode, u64 index, u64 count, u64 all, u32 event,
					 u64 request_id)
{
	if (!cfg.cache || !inode || !count) /* its hooks serve the stream extent, too */
		return;
	if (cfg.cache_sample > 1)
		cache_samples(inode, index, count, event, request_id);
	else
		cache_row(inode, index, PAGES(count, all), event, request_id);
}

static __always_inline void send_pages(u64 inode, u64 index, u64 count, u64 all, u32 event)
{
	send_carried(inode, index, count, all, event, 0);
}

#endif
