// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The page cache: pages are added, found, changed and removed. docs/cache.md says what each event
 * means and how each kernel reports it. */
#include "bpf/abi.h"
#include "bpf/cache_demand.h"
#include "bpf/cache_row.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/folio.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/page_tree.h"
#include "bpf/pair.h"
#include "bpf/task_state.h"
#include "bpf/vma.h"
#include "schema/records.h"

static __always_inline u64 at_least(u64 a, u64 b)
{
	return a > b ? a : b;
}

static __always_inline u64 at_most(u64 a, u64 b)
{
	return a < b ? a : b;
}

static __always_inline bool inside(u64 index, u64 first, u64 last)
{
	return index >= first && index <= last;
}

/* Of pages that nobody has asked to read: a file's are for a write. A disk's own may be metadata
 * that its filesystem reads, a directory's and a symlink's likewise. */
static __always_inline bool is_for_write(u64 inode)
{
	return cfg.tells_reads && is_regular(inode);
}

PAIR("tp_btf/mm_filemap_add_to_page_cache", on_cache_add, HOOK_CACHE_ADD)
{
	u64 folio = ctx[0], inode = folio_inode(folio), index = folio_index(folio);
	u64 pages = folio_pages(folio), end = index + pages, first, after;
	struct demand *d = demand_of(false);

	if (d && d->inode == inode && d->first != NOTHING) {
		first = at_least(index, d->first);
		after = at_most(end, d->last + 1);
		if (first < after) { /* a large folio may bring more pages than were wanted */
			/* Until 5.11 or so a read that asks for more than is left adds the page
			 * after the file's last one. */
			after = at_least(first, at_most(after, last_page(inode) + 1));
			send_pages(inode, index, first - index, pages, CACHE_READAHEAD);
			send_pages(inode, first, after - first, pages, CACHE_MISS);
			send_pages(inode, after, end - after, pages, CACHE_READAHEAD);
			note_missed(d, inode, after - first);
			if (d->fault)
				already_reported(d, inode, d->first);
			return 0;
		}
	}
	if (d && d->ahead_inode == inode && inside(index, d->ahead_first, d->ahead_last))
		send_pages(inode, index, pages, pages, CACHE_READAHEAD);
	else
		send_pages(inode, index, pages, pages,
			   is_for_write(inode) ? CACHE_MISS_WRITE : CACHE_MISS);
	return 0;
}

static __always_inline u64 ra_inode(u64 ractl)
{
	return host(kread(ractl, readahead_control, mapping));
}

static __always_inline u64 ra_index(u64 ractl)
{
	return kread(ractl, readahead_control, _index);
}

PAIR("tp_btf/page_cache_sync_ra", on_sync_ra,
     HOOK_CACHE_SYNC_RA) /* since 6.16 or so, like the next three */
{
	return read_ahead_wanted(argument(ctx, 0), ctx[1], ctx[3], true);
}

PAIR("tp_btf/page_cache_async_ra", on_async_ra, HOOK_CACHE_ASYNC_RA)
{
	return read_ahead_wanted(argument(ctx, 0), ctx[1], ctx[3], false);
}

PAIR("tp_btf/page_cache_ra_unbounded", on_ra, HOOK_CACHE_RA)
{
	return read_ahead_begun(argument(ctx, 0), ctx[1], ctx[2]);
}

PAIR("tp_btf/page_cache_ra_order", on_ra_order, HOOK_CACHE_RA_ORDER)
{
	u64 ra = argument(ctx, 2);

	return read_ahead_begun(argument(ctx, 0), ctx[1], (u32)kread(ra, file_ra_state, size));
}

SEC("fentry/page_cache_sync_ra")
int on_sync_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_SYNC_RA);
	return read_ahead_wanted(ra_inode(ractl), ra_index(ractl), ctx[1], true);
}

SEC("fentry/page_cache_sync_ra")
int on_sync_ra_function_old(u64 *ctx) /* until 5.17, which also passes the file's state */
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_SYNC_RA);
	return read_ahead_wanted(ra_inode(ractl), ra_index(ractl), ctx[2], true);
}

SEC("fentry/page_cache_async_ra")
int on_async_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_ASYNC_RA);
	return read_ahead_wanted(ra_inode(ractl), ra_index(ractl), ctx[2], false);
}

SEC("fentry/page_cache_async_ra")
int on_async_ra_function_old(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_ASYNC_RA);
	return read_ahead_wanted(ra_inode(ractl), ra_index(ractl), ctx[3], false);
}

SEC("fentry/page_cache_ra_unbounded")
int on_ra_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0);

	count_fired(HOOK_CACHE_RA);
	return read_ahead_begun(ra_inode(ractl), ra_index(ractl), ctx[1]);
}

SEC("fentry/page_cache_ra_order")
int on_ra_order_function(u64 *ctx)
{
	u64 ractl = argument(ctx, 0), ra = argument(ctx, 1);

	count_fired(HOOK_CACHE_RA_ORDER);
	return read_ahead_begun(ra_inode(ractl), ra_index(ractl),
				(u32)kread(ra, file_ra_state, size));
}

/* ---- pages are found in the cache ---- */

/* LAST is the last page of the read; until 6.13 or so, the page after it. */
PAIR("tp_btf/mm_filemap_get_pages", on_cache_read, HOOK_CACHE_READ)
{
	u64 inode = host(argument(ctx, 0)), first = ctx[1], last = ctx[2];

	return read_found(inode, first, last, cached_pages(inode, first, last, 0));
}

static __always_inline int read_returned(u64 iocb, s64 before, s64 ret)
{
	u64 end = kread(iocb, kiocb, ki_pos), first, pages;

	struct demand *d;

	count_fired(HOOK_CACHE_READ);
	if (ret <= before) {
		d = demand_of(false);
		if (d)
			d->missed = 0;
		return 0;
	}
	first = (end - (ret - before)) >> cfg.page_shift;
	pages = ((end - 1) >> cfg.page_shift) + 1 - first;
	return read_found(host(kread(kread(iocb, kiocb, ki_filp), file, f_mapping)), first,
			  first + pages - 1, pages);
}

SEC("fexit/filemap_read") /* since 5.12 */
int on_cache_read_function(u64 *ctx)
{
	return read_returned(argument(ctx, 0), ctx[2], ctx[3]);
}

SEC("fexit/generic_file_buffered_read")
int on_cache_read_function_old(u64 *ctx)
{
	return read_returned(argument(ctx, 0), ctx[2], ctx[3]);
}

PAIR("tp_btf/mm_filemap_fault", on_cache_fault, HOOK_CACHE_FAULT) /* since 6.11, like the next */
{
	return fault_begun(host(argument(ctx, 0)), ctx[1]);
}

/* The page of INODE that the fault under way is about: the tracepoint doesn't say. */
static __always_inline bool faulting_page(u64 inode, u64 *ret)
{
	struct task_state *state = current_state(false);
	u64 vma = state ? mapped_area(state->fault_address) : 0;

	if (!vma || host(kread(kread(vma, vm_area_struct, vm_file), file, f_mapping)) != inode)
		return false;
	*ret = page_in_area(vma, state->fault_address);
	return true;
}

PAIR("tp_btf/mm_filemap_map_pages", on_cache_map, HOOK_CACHE_MAP)
{
	u64 inode = host(argument(ctx, 0)), page = 0;

	if (!faulting_page(inode, &page) || !inside(page, ctx[1], ctx[2]))
		return 0;
	return fault_mapped(inode, page);
}

static __always_inline u64 vmf_inode(u64 vmf)
{
	u64 vma = kread(vmf, vm_fault, vma);

	return host(kread(kread(vma, vm_area_struct, vm_file), file, f_mapping));
}

SEC("fentry/filemap_fault")
int on_cache_fault_function(u64 *ctx)
{
	u64 vmf = argument(ctx, 0);

	count_fired(HOOK_CACHE_FAULT);
	return fault_begun(vmf_inode(vmf), kread(vmf, vm_fault, pgoff));
}

SEC("fentry/filemap_map_pages")
int on_cache_map_function(u64 *ctx)
{
	u64 vmf = argument(ctx, 0);

	count_fired(HOOK_CACHE_MAP);
	return fault_mapped(vmf_inode(vmf), kread(vmf, vm_fault, pgoff));
}

/* ---- pages become dirty, or are removed ---- */

static __always_inline int dirtied(u64 folio)
{
	u64 pages = folio_pages(folio);

	count_fired(HOOK_CACHE_DIRTY);
	send_pages(folio_inode(folio), folio_index(folio), pages, pages, CACHE_DIRTY);
	return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(on_cache_dirty, void *folio)
{
	return dirtied((u64)folio);
}

SEC("tp_btf/writeback_dirty_page") /* until 5.17 or so */
int BPF_PROG(on_cache_dirty_page, void *page)
{
	return dirtied((u64)page);
}

/* Reclaim removes pages one by one, and marks the thread while it does. Any other removal
 * (truncate, unlink, drop_caches, fadvise, O_DIRECT) invalidates them. */
SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(on_cache_delete, void *page)
{
	u64 folio = (u64)page, pages = folio_pages(folio), task = (u64)bpf_get_current_task();
	bool reclaim = kread(task, task_struct, reclaim_state) ||
		       kread(task, task_struct, flags) & PF_MEMALLOC;

	count_fired(HOOK_CACHE_DELETE);
	send_pages(folio_inode(folio), folio_index(folio), pages, pages,
		   reclaim ? CACHE_EVICT : CACHE_INVALIDATE);
	return 0;
}

/* One pass over an LRU list; the EVICT events say which pages it freed. */
SEC("tp_btf/mm_vmscan_lru_shrink_inactive")
int BPF_PROG(on_cache_reclaim, int node, unsigned long scanned, unsigned long reclaimed, void *stat,
	     int priority, int file)
{
	count_fired(HOOK_CACHE_RECLAIM);
	if (file && reclaimed)
		cache_row(0, 0, PAGES(reclaimed, scanned), CACHE_RECLAIM, 0);
	return 0;
}

SEC("tp_btf/mm_vmscan_reclaim_pages") /* madvise(MADV_PAGEOUT), since 6.18 or so */
int BPF_PROG(on_cache_pageout, int node, unsigned long scanned, unsigned long reclaimed)
{
	count_fired(HOOK_CACHE_PAGEOUT);
	if (reclaimed)
		cache_row(0, 0, PAGES(reclaimed, scanned), CACHE_RECLAIM, 0);
	return 0;
}
